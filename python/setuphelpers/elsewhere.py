"""The names for other systems: they are there, so that one script can serve several, and say so when they are used.

One table: what is written here is the whole of each. A system's own module takes names from it as they come to be
implemented (windows.py).
"""

import os
import sys

from .errors import EWaptBadTargetOS

FUNCTIONS = {'windows': '''
add_double_quotes_around(string) add_shutdown_script(cmd, parameters) add_to_system_path(path) add_user_to_group(user, group)
adjust_current_privileges(priv, enable=1) battery_lifetime() battery_percent() bookmarks(common=0) desktop(common=0)
my_documents(common=0) programs(common=0) recent(common=0) sendto(common=0) start_menu(common=0) startup(common=0) common_desktop()
create_daily_task(name, cmd, parameters, max_runtime=10, repeat_minutes=None, start_hour=None, start_minute=None)
create_onetime_task(name, cmd, parameters=None, delay_minutes=2, max_runtime=10, retry_count=3, retry_delay_minutes=1)
create_desktop_shortcut(label, target='', arguments='', wDir='', icon='')
create_user_desktop_shortcut(label, target='', arguments='', wDir='', icon='')
create_programs_menu_shortcut(label, target='', arguments='', wDir='', icon='', folder=None)
create_user_programs_menu_shortcut(label, target='', arguments='', wDir='', icon='', folder=None)
create_shortcut(path, target='', arguments='', wDir='', icon='') create_group(group)
create_user(user, password, full_name=None, comment=None) critical_system_pending_updates(severities=['Critical'])
default_user_appdata() default_user_local_appdata() delete_at_next_reboot(target_filename) delete_group(group) delete_user(user)
delete_task(name) disable_task(name) enable_task(name) run_task(name) task_exists(name) get_task(name)
get_all_scheduled_tasks(enable_only=True) fix_wmi() get_app_install_location(uninstallkey) get_app_path(exename) get_appath(exename)
get_computer_description() set_computer_description(description) get_computer_domain() get_domain_fromregistry()
get_installer_defaults(installer_path) getsilentflags(installer_path) getproductprops(installer_path) get_msi_properties(msi_filename)
get_local_profiles(domain_sid=None) get_profiles_users(domain_sid=None) get_profile_path(sid) get_user_from_sid(sid, controller=None)
get_shortcut_properties(shortcut_filename)
install_exe_if_needed(exe, silentflags=None, key=None, min_version=None, killbefore=[], accept_returncodes=[0, 3010], timeout=300, get_version=None, remove_old_version=False, force=False, uninstallkeylist=None, pidlist=None)
install_msi_if_needed(msi, min_version=None, killbefore=None, accept_returncodes=[0, 3010], timeout=300, properties=None, get_version=None, remove_old_version=False, force=False, uninstallkeylist=None, pidlist=None, key=None)
need_install(key, min_version=None, force=False, get_version=None) install_location(uninstallkey)
installed_windows_updates(**queryfilter) iswin64() list_local_printers() remove_printer(name) local_admins() local_groups() local_users()
local_group_members(groupname) local_group_memberships(username) local_desktops() local_users_profiles() memory_status()
messagebox(title, msg) showmessage(msg) pending_reboot_reasons() reboot_machine(message='Machine Rebooting', timeout=30, force=0, reboot=1)
reg_openkey_noredir(rootkey, subkeypath, sam=KEY_READ, create_if_missing=False, noredir=True) reg_closekey(hkey)
reg_getvalue(key, name, default=None) reg_setvalue(key, name, value, type=REG_SZ) reg_delvalue(key, name) reg_enum_subkeys(rootkey)
reg_enum_values(rootkey) reg_key_exists(rootkey, subkeypath) reg_value_exists(rootkey, subkeypath, value_name)
registry_readstring(root, path, keyname, default='') registry_set(root, path, keyname, value, type=None)
registry_setstring(root, path, keyname, value, type=REG_SZ) registry_delete(root, path, valuename)
registry_deletekey(root, path, keyname, force=False) register_dll(dllpath) unregister_dll(dllpath)
register_ext(appname, fileext, shellopen, icon=None, otherverbs=[])
register_uninstall(uninstallkey, uninstallstring, win64app=False, quiet_uninstall_string='', install_location=None, display_name=None, display_version=None, publisher='')
register_windows_uninstall(package_entry) unregister_uninstall(uninstallkey, win64app=False) registered_organization()
remove_desktop_shortcut(label) remove_user_desktop_shortcut(label) remove_programs_menu_shortcut(label, folder=None)
remove_user_programs_menu_shortcut(label, folder=None) remove_programs_menu_folder(folder) remove_user_programs_menu_folder(folder)
remove_from_system_path(path) remove_metroapp(package) remove_shutdown_script(cmd, parameters) remove_user_from_group(user, group)
replace_at_next_reboot(tmp_filename, target_filename) run_powershell(cmd, output_format='json', **kwargs)
run_powershell_from_file(file, output_format='json', **kwargs) running_as_admin() running_as_system() running_on_ac()
service_delete(service_name) service_installed(service_name) service_is_running(service_name) service_is_stopped(service_name)
service_start(service_name, timeout=4) service_stop(service_name, timeout=4) service_restart(service_name, timeout=4)
set_environ_variable(name, value, type=REG_EXPAND_SZ) unset_environ_variable(name) set_file_hidden(path) set_file_visible(path)
shutdown_scripts_ui_visible(state=True) system32() uac_enabled() uninstall_cmd(guid) uninstall_key_exists(uninstallkey) user_appdata()
user_desktop() win_startup_info() wincomputername() windomainname() windows_version(members_count=3)
wmi_info(keys=['Win32_ComputerSystem', 'Win32_ComputerSystemProduct', 'Win32_BIOS', 'Win32_NetworkAdapter', 'Win32_Printer', 'Win32_VideoController', 'Win32_LogicalDisk', 'Win32_OperatingSystem', 'Win32_DesktopMonitor', 'Win32_USBController', 'Win32_DiskDrive', 'Win32_Volume'], exclude_subkeys=['OEMLogoBitmap'], **where)
wmi_as_struct(wmi_object, exclude_subkeys=['OEMLogoBitmap']) wmi_info_basic() wua_agent_version()
disable_file_system_redirection() EnsureWUAUServRunning() RunReader(fd, proc)
''', 'macos': '''
brew_install(pkg_name) brew_uninstall(pkg_name) get_applications_info_files() get_info_plist_path(app_dir) get_plist_obj(plist_file)
get_installed_pkgs() get_pkg_info(pkg_id) install_app(app_dir) uninstall_app(app_name) install_dmg(dmg_path, check_version=False)
install_pkg(pkg_path) uninstall_pkg(pkg_name) is_dmg_installed(dmg_path, check_version=False)
is_local_app_installed(appdir, check_version=None) is_local_pkg_installed(pkg_path, check_version=False) mount_dmg(dmg_path)
unmount_dmg(dmg_mount_path)
'''}
VALUES = ('programfiles', 'programfiles32', 'programfiles64', 'systemdrive', 'winshell', 'taskscheduler')
SYSTEMS = {'windows': 'Windows', 'macos': 'macOS'}

# Values of Windows' registry, the same everywhere.
HKEY_CLASSES_ROOT, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS = 0x80000000, 0x80000001, 0x80000002, 0x80000003
HKEY_CURRENT_CONFIG = 0x80000005
KEY_READ, KEY_WRITE, KEY_ALL_ACCESS = 0x20019, 0x20006, 0xF003F
REG_SZ, REG_EXPAND_SZ, REG_DWORD, REG_MULTI_SZ = 1, 2, 4, 7


class InstallerTypes:
    """The kinds of installers of Windows."""

    MSI, InnoSetup, InstallShield, SFXCab = 'MSI', 'InnoSetup', 'InstallShield', 'SFXCab'
    SevenZIPSFX, NSIS, MSU, ExeWinUpdates = 'SevenZIPSFX', 'NSIS', 'MSU', 'ExeWindowsUpdate'
    WExtract, APPX, GenericInstaller = 'WExtract', 'WExtract', 'GenericInstaller'
    UnknownInstaller, UnknownExeInstaller, MozillaInstaller = 'UnknownInstaller', 'UnknownExeInstaller', 'MozillaInstaller'


class WindowsVersions:
    """The versions of Windows, to be compared with windows_version(2)."""


def _versions():
    from .package import Version
    for name, number in (('Windows10', '10.0'), ('Windows81', '6.3'), ('Windows8', '6.2'), ('Windows7', '6.1'), ('WindowsVista', '6.0'),
                         ('WindowsXP', '5.1'), ('Windows2000', '5.0'), ('WindowsServer2016', '10.0'), ('WindowsServer2012R2', '6.3'),
                         ('WindowsServer2012', '6.2'), ('WindowsServer2008R2', '6.1'), ('WindowsServer2008', '6.0')):
        setattr(WindowsVersions, name, Version(number, 2))


_versions()


def refuse(name, system):
    """Raise the error of a name that is for another system."""
    if sys.platform == 'win32' and system == 'windows':
        raise EWaptBadTargetOS('%s is not available yet' % name)
    here = 'Windows' if sys.platform == 'win32' else os.uname().sysname
    raise EWaptBadTargetOS('%s is for %s, and this machine runs %s: call it only where it is, or set target_os in the control file' % (
        name, SYSTEMS[system], here))


class Elsewhere:
    """A function of another system."""

    def __init__(self, text, system):
        self.__name__, _, self._arguments = text.partition('(')
        self.__qualname__, self.__doc__ = self.__name__, 'For %s only; raises EWaptBadTargetOS here.' % SYSTEMS[system]
        self._text, self._system = text, system

    def __call__(self, *_args, **_kwargs):
        refuse(self.__name__ + '()', self._system)

    @property
    def __signature__(self):
        import inspect
        scope = {}
        exec('def function(%s: pass' % self._arguments, {'KEY_READ': KEY_READ, 'REG_SZ': REG_SZ, 'REG_EXPAND_SZ': REG_EXPAND_SZ}, scope)
        return inspect.signature(scope['function'])

    def __repr__(self):
        return '<%s of %s>' % (self._text, SYSTEMS[self._system])


class ElsewhereValue:
    """A text or module of another system: any use of it raises."""

    def __init__(self, name, system='windows'):
        vars(self).update(_name=name, _system=system)

    def _refuse(self, *_args, **_kwargs):
        refuse(self._name, self._system)

    __str__ = __call__ = __fspath__ = __add__ = __radd__ = __mod__ = __format__ = __len__ = __iter__ = _refuse
    __contains__ = __getitem__ = __eq__ = __bool__ = _refuse
    __hash__ = object.__hash__

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        self._refuse()

    def __repr__(self):
        return '<%s of %s>' % (self._name, SYSTEMS[self._system])


def functions(system):
    """Return the functions of a system by their names."""
    import re
    table = re.findall(r'\w+\([^()]*\)', FUNCTIONS[system])
    return {text.partition('(')[0]: Elsewhere(text, system) for text in table}


def names(has):
    """Return what is to be added to names that are there already."""
    found = {name: ElsewhereValue(name) for name in VALUES}
    for system in FUNCTIONS:
        found.update(functions(system))
    return {name: value for name, value in found.items() if name not in has}
