"""Linux: the distribution, its package managers, its network.

Commands of package managers get their arguments as a list, never through a shell;
run in English and without questions; keep configuration files that were altered
here; and wait for another package manager that holds the lock.
"""

import json
import os
import re
import shlex
import shutil
import time

from .errors import CalledProcessErrorOutput, EWaptSetupException
from .process import run
from .text import ensure_list

PACKAGE_TIMEOUT_SECONDS = 3600  # an upgrade of a whole system; killing one half-way does harm
LOCK_SECONDS = 300
QUIET = {'LC_ALL': 'C.UTF-8', 'LANGUAGE': 'C', 'DEBIAN_FRONTEND': 'noninteractive'}
KEEP_OLD = ['--force-confdef', '--force-confold']
APT = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=%d' % LOCK_SECONDS,
       '-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold']


def isLinux64():
    """Tell whether the machine is a 64-bit one."""
    return os.uname().machine.endswith('64')


def os_release(path='/etc/os-release'):
    """Return the values of os-release(5) as a dict."""
    values = {}
    try:
        with open(path, encoding='utf-8', errors='replace') as source:
            for line in source:
                name, equals, value = line.strip().partition('=')
                if equals and not name.startswith('#'):
                    values[name] = ''.join(shlex.split(value))
    except FileNotFoundError:
        pass
    return values


def get_distrib_linux():
    """Return the name of the distribution in lower case, such as 'debian', 'ubuntu' or 'centos'."""
    name = os_release().get('ID', '').lower()
    return 'redhat' if name == 'rhel' else name


def get_distrib_version():
    """Return the version of the distribution, such as '12.4' or '22.04'."""
    values = os_release()
    if values.get('ID') == 'debian':
        try:
            with open('/etc/debian_version', encoding='utf-8') as source:
                text = source.read().strip()
            if text[:1].isdigit():
                return text  # os-release has no point releases
        except FileNotFoundError:
            pass
    return values.get('VERSION_ID', '')


def get_os_version():
    """Return the version of the distribution."""
    return get_distrib_version()


def _is_like(names):
    values = os_release()
    return bool({get_distrib_linux()}.union(values.get('ID_LIKE', '').lower().split()) & names)


def type_debian():
    """Tell whether the distribution is Debian or made from it."""
    return _is_like({'debian', 'linuxmint', 'ubuntu'})


def type_redhat():
    """Tell whether the distribution is Red Hat, CentOS, Fedora or made from them."""
    return _is_like({'redhat', 'rhel', 'centos', 'fedora'})


def _names(package):
    names = package.split() if isinstance(package, str) else [str(name) for name in package]
    if not names or any(not re.match('[A-Za-z0-9_@]', name) for name in names):
        raise EWaptSetupException('not the name of a package: %r' % (package,))
    return names


def _file(path, extension):
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise EWaptSetupException('cannot install %s: there is no such file' % path)
    if not path.endswith(extension):
        raise EWaptSetupException('cannot install %s: its name does not end with %s' % (path, extension))
    return path


def _quietly(command):
    return run(command, timeout=PACKAGE_TIMEOUT_SECONDS, env={**os.environ, **QUIET}, accept_returncodes=[0])


def update_apt():
    """Fetch the lists of packages: apt-get update."""
    return _quietly(APT + ['update'])


def upgrade_apt():
    """Upgrade all packages: apt-get upgrade, after apt-get update."""
    update_apt()
    return _quietly(APT + ['-y', 'upgrade'])


def install_apt(package, allow_unauthenticated=False):
    """Install packages (a name, names with blanks between, or a list) with apt-get, after apt-get update."""
    names = _names(package)
    update_apt()
    allowed = ['--allow-unauthenticated'] if allow_unauthenticated else []
    return _quietly(APT + ['-y'] + allowed + ['install'] + names)


def uninstall_apt(package):
    """Remove packages with apt-get; their configuration files stay."""
    return _quietly(APT + ['-y', 'remove'] + _names(package))


def autoremove_apt():
    """Remove packages that were installed for others only and are not needed any more."""
    return _quietly(APT + ['-y', 'autoremove'])


def install_required_dependencies_apt():
    """Install what packages that are installed half-way still need: apt-get -f install."""
    return _quietly(APT + ['-f', '-y', 'install'])


def _dpkg(arguments):
    # Unlike apt-get, dpkg does not wait for its lock.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return _quietly(['dpkg'] + KEEP_OLD + arguments)
        except CalledProcessErrorOutput as failure:
            if 'lock' not in failure.output or 'by another process' not in failure.output \
                    or time.monotonic() >= deadline:
                raise
        time.sleep(5)


def _deb_installed(path):
    fields = run(['dpkg-deb', '--show', '--showformat=${Package}\\n${Version}\\n', path], return_stderr=False).split()
    try:
        shown = run(['dpkg-query', '--show', '--showformat=${db:Status-Status} ${Version}\\n', fields[0]],
                    return_stderr=False)
    except CalledProcessErrorOutput:
        return False
    return 'installed %s' % fields[1] in shown.splitlines()


def install_deb(path_to_deb):
    """Install a .deb file with dpkg; what it depends on is fetched with apt-get if it is missing."""
    path = _file(path_to_deb, '.deb')
    try:
        return _dpkg(['--install', path])
    except CalledProcessErrorOutput as failure:
        # apt-get is content as well when it has removed the package to mend the others.
        try:
            output = install_required_dependencies_apt()
        except CalledProcessErrorOutput as second:
            print(second.output)
            raise failure
        if not _deb_installed(path):
            print(output)
            raise
        return output


def purge_deb(deb_name):
    """Remove packages and their configuration files with dpkg."""
    return _dpkg(['--purge'] + _names(deb_name))


def _yum(arguments):
    tool = shutil.which('yum') or shutil.which('dnf')
    if tool is None:
        raise EWaptSetupException('neither yum nor dnf is installed')
    return _quietly([tool, '-y'] + arguments)


def install_yum(package):
    """Install packages with yum (or dnf)."""
    return _yum(['install'] + _names(package))


def uninstall_yum(package):
    """Remove packages with yum (or dnf)."""
    return _yum(['remove'] + _names(package))


def autoremove_yum():
    """Remove packages that were installed for others only and are not needed any more."""
    return _yum(['autoremove'])


def update_yum():
    """Upgrade all packages: yum update does that, unlike apt-get's."""
    return _yum(['update'])


def upgrade_yum():
    """Upgrade all packages and remove those that others replace: yum upgrade."""
    return _yum(['upgrade'])


def install_rpm(package):
    """Install a .rpm file with yum (or dnf), with what it depends on."""
    return _yum(['localinstall', _file(package, '.rpm')])


def installed_softwares(keywords='', name=None):
    """Return the packages of dpkg or rpm as a list of dict, those that match all keywords and the regex name.

    Keys: key, name, version, install_date, install_location, uninstall_string, publisher, system_component.
    """
    found = []
    if shutil.which('dpkg-query'):
        form = '${db:Status-Status}\\t${binary:Package}\\t${Version}\\t${Maintainer}\\t${Priority}\\n'
        for line in run(['dpkg-query', '--show', '--showformat=' + form], return_stderr=False).splitlines():
            status, key, version, publisher, priority = line.split('\t')
            if status == 'installed':
                found.append(_software(key, version, _deb_date(key), publisher, priority == 'required'))
    elif shutil.which('rpm'):
        form = '%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{VENDOR}\\t%{INSTALLTIME}\\n'
        for line in run(['rpm', '--query', '--all', '--queryformat', form], return_stderr=False).splitlines():
            key, version, publisher, installed = line.split('\t')
            found.append(_software(key, version, int(installed), publisher, False))
    else:
        raise EWaptSetupException('neither dpkg nor rpm is installed')
    words = [word.lower() for word in (keywords.split() if isinstance(keywords, str) else ensure_list(keywords))]
    text = lambda item: ('%(key)s %(name)s %(publisher)s' % item).lower()
    return [item for item in found if all(word in text(item) for word in words) and
            (name is None or re.match(name, item['name']))]


def _deb_date(key):
    for candidate in (key, key.partition(':')[0]):
        try:
            return os.stat('/var/lib/dpkg/info/%s.list' % candidate).st_mtime
        except FileNotFoundError:
            pass
    return None


def _software(key, version, installed, publisher, is_system):
    date = '' if installed is None else time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(installed))
    return {'key': key, 'name': key.partition(':')[0], 'version': version, 'install_date': date,
            'install_location': '', 'uninstall_string': '', 'publisher': publisher,
            'system_component': int(is_system)}


def default_gateway():
    """Return the IPv4 address of the default gateway, None if there is none."""
    with open('/proc/net/route', encoding='ascii') as source:
        for line in source.readlines()[1:]:
            fields = line.split()
            if fields[1] == '00000000' and fields[7] == '00000000' and int(fields[3], 16) & 2:
                return '.'.join(str(byte) for byte in reversed(bytes.fromhex(fields[2])))
    return None


def get_default_gateways():
    """Return the IPv4 address of the default gateway, None if there is none."""
    return default_gateway()


def _interfaces():
    return json.loads(run(['ip', '-json', 'address', 'show'], return_stderr=False))


def get_local_IPs():
    """Return the IPv4 and IPv6 addresses of this machine but those of its loopback."""
    return [address['local'] for interface in _interfaces() for address in interface.get('addr_info', ())
            if 'local' in address and address.get('scope') != 'host']


def networking():
    """Return the network interfaces: a list of {iface, mac, addr: [{addr, netmask, broadcast, connected}]}."""
    import ipaddress
    result = []
    for interface in _interfaces():
        mac = interface.get('address', '')
        if mac.startswith('00:00:00'):
            continue
        addresses = []
        for address in interface.get('addr_info', ()):
            if 'local' in address:
                network = ipaddress.ip_interface('%s/%d' % (address['local'], address['prefixlen']))
                item = {'addr': address['local'], 'netmask': str(network.netmask),
                        'connected': interface.get('operstate') != 'DOWN'}
                if 'broadcast' in address:
                    item['broadcast'] = address['broadcast']
                addresses.append(item)
        result.append({'iface': interface['ifname'], 'mac': mac, 'addr': addresses})
    return result
