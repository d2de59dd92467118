"""Windows: its installers, and the list of software that it keeps.

Elsewhere each function raises EWaptBadTargetOS, so that a package for Windows can be
made, read and signed anywhere, and says so when somebody runs it in the wrong place.
"""

import base64
import json
import os
import xml.etree.ElementTree

from .errors import EWaptBadTargetOS, EWaptSetupException
from .package import Version
from .process import killalltasks, run
from .text import ensure_list

UNINSTALL = r'Software\Microsoft\Windows\CurrentVersion\Uninstall'


def _registry():
    try:
        import winreg
    except ImportError:
        raise EWaptBadTargetOS('this is for Windows only') from None
    return winreg


def _installed(key):
    """Return what Windows lists under a key, in its 64-bit or its 32-bit view; None if nothing."""
    winreg = _registry()
    for view in (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY):
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, UNINSTALL + '\\' + key, 0, winreg.KEY_READ | view) as entry:
                found = {'key': key}
                for name, value in (('name', 'DisplayName'), ('version', 'DisplayVersion'), ('publisher', 'Publisher'),
                                    ('install_location', 'InstallLocation'), ('uninstall_string', 'UninstallString')):
                    try:
                        found[name] = str(winreg.QueryValueEx(entry, value)[0])
                    except FileNotFoundError:
                        found[name] = ''
                return found
        except FileNotFoundError:
            pass
    return None


def uninstall_key_exists(uninstallkey):
    """Tell whether Windows lists software under this key."""
    return _installed(uninstallkey) is not None


def need_install(key, min_version=None, force=False, get_version=None):
    """Tell whether the software of this key is missing or older than min_version.

    get_version is given the software as a dict, and returns its version.
    """
    found = _installed(key) if key else None
    if force or found is None:
        return True
    if not min_version:
        return False
    return Version(get_version(found) if get_version else found['version']) < Version(min_version)


def install_msi_if_needed(msi, min_version=None, killbefore=None, accept_returncodes=[0, 3010], timeout=300,
                          properties=None, get_version=None, remove_old_version=False, force=False,
                          uninstallkeylist=None, pidlist=None, key=None):
    """Install an MSI unless its product code, key, is installed with min_version or a newer one.

    properties is a dict of what the MSI takes. Without key it is always installed.
    """
    command = ['msiexec.exe', '/norestart', '/q', '/i', os.path.abspath(msi)]
    command += ['%s=%s' % item for item in (properties or {}).items()]
    _install(msi, command, key, min_version, killbefore, accept_returncodes, timeout, get_version, remove_old_version,
             force, uninstallkeylist, pidlist)


def install_exe_if_needed(exe, silentflags=None, key=None, min_version=None, killbefore=[], accept_returncodes=[0, 3010],
                          timeout=300, get_version=None, remove_old_version=False, force=False, uninstallkeylist=None,
                          pidlist=None):
    """Run an installer with its silent options unless key is installed with min_version or a newer one."""
    if not silentflags:
        raise EWaptSetupException('%s: which options make it silent? Nobody sees its questions' % exe)
    command = '"%s" %s' % (os.path.abspath(exe), silentflags)
    _install(exe, command, key, min_version, killbefore, accept_returncodes, timeout, get_version, remove_old_version,
             force, uninstallkeylist, pidlist)


def run_powershell(cmd, output_format='json', **kwargs):
    """Run a script of PowerShell and return what it tells: from JSON (None for nothing), or as 'xml' or 'text'.

    A script that begins with $ErrorActionPreference = 'Stop' ends with its first error, which run() then raises.
    Values go there best by os.environ['NAME'], which is $env:NAME there, and never code. kwargs are run()'s.
    """
    _registry()
    script = "$ProgressPreference = 'SilentlyContinue'\n" + cmd.strip() + (' | ConvertTo-Json' if output_format == 'json' else '')
    encoded = base64.b64encode(script.encode('utf-16-le')).decode('ascii')
    output = run(['powershell.exe', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass',
                  '-OutputFormat', 'XML' if output_format == 'xml' else 'Text', '-EncodedCommand', encoded], **kwargs)
    if output_format == 'json':
        return json.loads(output) if output.strip() else None
    return xml.etree.ElementTree.fromstring(output[output.index('<Objs'):]) if output_format == 'xml' else output


def _install(file, command, key, min_version, killbefore, accept_returncodes, timeout, get_version, remove_old_version,
             force, uninstallkeylist, pidlist):
    _registry()
    if remove_old_version:
        raise EWaptSetupException('%s: remove_old_version is not there: remove it in install() first' % file)
    if need_install(key, min_version, force, get_version):
        killalltasks(ensure_list(killbefore))
        print(run(command, timeout=timeout, accept_returncodes=accept_returncodes, pidlist=pidlist))
        if key and not uninstall_key_exists(key):
            raise EWaptSetupException('%s was run, but Windows does not list %s: is that the right key?' % (file, key))
        if key and need_install(key, min_version, False, get_version):
            raise EWaptSetupException('%s was run, but %s is older than %s' % (file, key, min_version))
    else:
        print('%s is installed already' % key)
    if key and uninstallkeylist is not None and key not in uninstallkeylist:
        uninstallkeylist.append(key)
