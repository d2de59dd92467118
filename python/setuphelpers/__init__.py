"""Helpers for the setup.py of packages: `from setuphelpers import *` gives all public names.

Names, parameters and results are those that WAPT 1.8 gives to packages. What
takes long to load is loaded when a function first needs it, because each hook
runs in an interpreter of its own.
"""

import glob
import os
import shutil
import sys
from subprocess import CalledProcessError

from . import elsewhere
from .directory import get_computer_groups, get_domain_info
from .errors import (
    CalledProcessErrorOutput, EWaptBadSignature, EWaptBadTargetOS, EWaptConflictingPackage, EWaptCorruptedFiles,
    EWaptDiskSpace, EWaptException, EWaptInstallError, EWaptInstallPostponed, EWaptMissingCertificate,
    EWaptNeedsNewerAgent, EWaptSetupException, EWaptUnavailablePackage, TimeoutExpired)
from .files import (
    all_files, copytree2, default_oncopy, default_overwrite, default_overwrite_older, default_skip, dir_is_empty,
    ensure_dir, filecopyto, find_all_files, get_disk_free_space, get_sha256, isdir, isfile, json_load_file,
    json_write_file, makepath, mkdirs, remove_file, remove_tree, unzip)
from .host import get_last_logged_on_user, get_loggedinusers, host_info, host_info_common_unix, host_metrics, local_drives
from .inifile import (
    inifile_deleteoption, inifile_deletesection, inifile_hasoption, inifile_hassection, inifile_readstring,
    inifile_writestring)
from .linux import (
    autoremove_apt, autoremove_yum, default_gateway, get_default_gateways, get_distrib_linux, get_distrib_version,
    get_local_IPs, get_os_version, install_apt, install_deb, install_required_dependencies_apt, install_rpm,
    install_yum, installed_softwares, isLinux64, networking, purge_deb, type_debian, type_redhat, uninstall_apt,
    uninstall_yum, update_apt, update_yum, upgrade_apt, upgrade_yum)
from .log import logger
from .package import PackageEntry, Version
from .process import (
    RunOutput, file_is_locked, find_processes, isrunning, killalltasks, killtree, processes_for_file, run,
    run_notfatal, shell_launch)
from .system import (
    application_data, dmi_info, get_computername, get_current_user, get_dns_servers, get_domain,
    get_domain_from_socket, get_file_properties, get_fqdn, get_groups, get_hostname, get_kernel_version,
    get_language, get_main_ip, is_valid_ipv4_address, user_home_directory, user_local_appdata)
from .text import (
    currentdate, currentdatetime, dateof, datetime2isodate, ensure_list, ensure_unicode, error, fileisodate,
    hours_minutes, httpdatetime2isodate, isodate2datetime, time2display)
from .web import wget, wgets
from .elsewhere import (
    HKEY_CLASSES_ROOT, HKEY_CURRENT_CONFIG, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_ALL_ACCESS, KEY_READ,
    KEY_WRITE, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, InstallerTypes, WindowsVersions)

__version__ = '1.8.2'  # the WAPT whose names and meanings are given here

# Replaced in the script by what the agent hands over.
control = PackageEntry()
params = {}

if sys.platform == 'win32':
    from .windows import (
        install_exe_if_needed, install_msi_if_needed, need_install, run_powershell, uninstall_key_exists)
globals().update(elsewhere.names(globals()))

# Submodules are bound here as well, once they are imported.
_OTHERS = {'sys'} | {name.partition('.')[2] for name in sys.modules if name.startswith(__name__ + '.')}
__all__ = ['__version__'] + [name for name in globals() if not name.startswith('_') and name not in _OTHERS]
