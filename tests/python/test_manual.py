"""wapt-setuphelpers(7) tells of each public name, and of each function the signature and the sentence that the code has."""

import inspect
import os
import re
import subprocess

import pytest

import setuphelpers
from setuphelpers import elsewhere, windows

WINDOWS = ['install_exe_if_needed', 'install_msi_if_needed', 'need_install', 'run_powershell', 'uninstall_key_exists']
PAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', 'man', 'wapt-setuphelpers.7.scd'))
GROUPS = [
    ('COMMANDS AND PROCESSES', ['run', 'run_notfatal', 'isrunning', 'find_processes', 'processes_for_file',
                                'killalltasks', 'killtree', 'file_is_locked', 'shell_launch']),
    ('FILES', ['makepath', 'isfile', 'isdir', 'mkdirs', 'ensure_dir', 'dir_is_empty', 'filecopyto', 'copytree2',
               'default_skip', 'default_overwrite', 'default_overwrite_older', 'default_oncopy', 'remove_file',
               'remove_tree', 'all_files', 'find_all_files', 'unzip', 'get_sha256', 'fileisodate', 'get_disk_free_space',
               'json_load_file', 'json_write_file', 'get_file_properties']),
    ('INI FILES', ['inifile_readstring', 'inifile_writestring', 'inifile_hasoption', 'inifile_hassection',
                   'inifile_deleteoption', 'inifile_deletesection']),
    ('DOWNLOADS', ['wget', 'wgets']),
    ('SOFTWARE', ['install_deb', 'purge_deb', 'install_apt', 'uninstall_apt', 'autoremove_apt', 'update_apt',
                  'upgrade_apt', 'install_required_dependencies_apt', 'install_rpm', 'install_yum', 'uninstall_yum',
                  'autoremove_yum', 'update_yum', 'upgrade_yum', 'installed_softwares']),
    ('SOFTWARE OF WINDOWS', ['install_msi_if_needed', 'install_exe_if_needed', 'need_install', 'uninstall_key_exists',
                             'run_powershell']),
    ('MACHINE', ['get_distrib_linux', 'get_distrib_version', 'get_os_version', 'type_debian', 'type_redhat',
                 'isLinux64', 'get_kernel_version', 'get_hostname', 'get_fqdn', 'get_computername', 'get_domain',
                 'get_domain_from_socket', 'get_local_IPs', 'get_main_ip', 'networking', 'default_gateway',
                 'get_default_gateways', 'get_dns_servers', 'is_valid_ipv4_address', 'dmi_info', 'local_drives', 'host_info',
                 'host_info_common_unix', 'host_metrics', 'get_domain_info', 'get_computer_groups']),
    ('USERS', ['get_current_user', 'get_loggedinusers', 'get_last_logged_on_user', 'get_groups', 'get_language', 'user_home_directory', 'application_data',
               'user_local_appdata']),
    ('TEXT, LISTS AND DATES', ['error', 'ensure_list', 'ensure_unicode', 'currentdate', 'currentdatetime', 'dateof',
                               'datetime2isodate', 'isodate2datetime', 'httpdatetime2isodate', 'time2display',
                               'hours_minutes']),
]
OTHER_SOURCES = {'isfile': ('(path)', 'Tell whether path is a file.'), 'isdir': ('(path)', 'Tell whether path is a directory.')}


def signature(function):
    """Return the signature as Python writes it, but functions that are defaults by their names."""
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        text = str(parameter)
        if inspect.isfunction(parameter.default):
            text = '%s=%s' % (parameter.name, parameter.default.__name__)
        parameters.append(text)
    return '(%s)' % ', '.join(parameters)


def entry(name):
    """Return what the manual has to say about a function."""
    if name in OTHER_SOURCES:
        arguments, sentence = OTHER_SOURCES[name]
    else:
        function = getattr(windows if name in WINDOWS else setuphelpers, name)
        arguments, sentence = signature(function), ' '.join(function.__doc__.split('\n\n')[0].split())
    escape = lambda text: re.sub(r'([\\*_])', r'\\\1', text)
    return '*%s*%s\n\t%s\n' % (escape(name), escape(arguments), escape(sentence))


@pytest.fixture(scope='module')
def page():
    with open(PAGE, encoding='utf-8') as source:
        return source.read()


def functions():
    return sorted([name for name in setuphelpers.__all__ if inspect.isfunction(getattr(setuphelpers, name))] + WINDOWS)


def test_each_function_is_in_a_group():
    assert sorted(name for _, names in GROUPS for name in names) == functions()


@pytest.mark.parametrize('name', functions())
def test_function(page, name):
    assert '\n' + entry(name) in page


@pytest.mark.parametrize('name', sorted(set(setuphelpers.__all__) - set(functions()) - {'__version__'} - set(elsewhere.names({}))))
def test_other_name(page, name):
    assert re.search(r'\*%s\*' % name, page)


def test_page_is_well_formed(page):
    done = subprocess.run(['scdoc'], input=page.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b'.TH "wapt-setuphelpers" "7"' in done.stdout
