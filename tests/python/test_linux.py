"""Package managers: the exact commands, run by stand-ins that write down what they were called with."""

import os
import pwd

import pytest

from setuphelpers import *
from setuphelpers import linux, system

APT = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confdef',
       '-o', 'Dpkg::Options::=--force-confold']
DPKG = ['dpkg', '--force-confdef', '--force-confold']

STAND_IN = '''#!/bin/sh
name=${0##*/}
{ printf '%%s' "$name"; for a; do printf '\\037%%s' "$a"; done; printf '\\n'; } >> '%(log)s'
printf '%%s|%%s\\n' "$LC_ALL" "$DEBIAN_FRONTEND" >> '%(log)s.env'
if [ -f '%(folder)s/'$name.sh ]; then . '%(folder)s/'$name.sh; fi
echo "output of $name"
'''


class Tools:
    def __init__(self, folder):
        self.folder, self.log = folder, folder / 'log'
        for name in ('apt-get', 'dpkg', 'dpkg-deb', 'dpkg-query', 'yum', 'rpm', 'ip', 'dmidecode'):
            (folder / name).write_text(STAND_IN % {'log': self.log, 'folder': folder})
            (folder / name).chmod(0o755)

    def does(self, name, script):
        (self.folder / (name + '.sh')).write_text(script + '\n')

    def lacks(self, *names):
        for name in names:
            (self.folder / name).unlink()

    def calls(self):
        if not self.log.exists():
            return []
        return [line.split('\037') for line in self.log.read_text().splitlines()]


@pytest.fixture
def tools(tmp_path, monkeypatch):
    folder = tmp_path / 'tools'
    folder.mkdir()
    # Nothing else is on the path: a command without a stand-in is not found, so the machine is safe.
    monkeypatch.setenv('PATH', str(folder))
    monkeypatch.setattr(linux.time, 'sleep', lambda seconds: None)
    return Tools(folder)


COMMANDS = [
    (lambda: update_apt(), [APT + ['update']]),
    (lambda: upgrade_apt(), [APT + ['update'], APT + ['-y', 'upgrade']]),
    (lambda: install_apt('vlc'), [APT + ['update'], APT + ['-y', 'install', 'vlc']]),
    (lambda: install_apt('vlc g++ lib:i386=1.0'), [APT + ['update'], APT + ['-y', 'install', 'vlc', 'g++', 'lib:i386=1.0']]),
    (lambda: install_apt(package=['a', 'b'], allow_unauthenticated=True),
     [APT + ['update'], APT + ['-y', '--allow-unauthenticated', 'install', 'a', 'b']]),
    (lambda: uninstall_apt('vlc'), [APT + ['-y', 'remove', 'vlc']]),
    (lambda: autoremove_apt(), [APT + ['-y', 'autoremove']]),
    (lambda: install_required_dependencies_apt(), [APT + ['-f', '-y', 'install']]),
    (lambda: purge_deb('demo'), [DPKG + ['--purge', 'demo']]),
    (lambda: install_yum('vlc'), [['yum', '-y', 'install', 'vlc']]),
    (lambda: uninstall_yum('vlc'), [['yum', '-y', 'remove', 'vlc']]),
    (lambda: autoremove_yum(), [['yum', '-y', 'autoremove']]),
    (lambda: update_yum(), [['yum', '-y', 'update']]),
    (lambda: upgrade_yum(), [['yum', '-y', 'upgrade']]),
]


@pytest.mark.parametrize('number', range(len(COMMANDS)))
def test_commands(tools, number):
    call, expected = COMMANDS[number]
    output = call()
    assert tools.calls() == expected
    assert output == 'output of %s\n' % expected[-1][0] and output.returncode == 0
    assert set((tools.folder / 'log.env').read_text().split()) == {'C.UTF-8|noninteractive'}


@pytest.mark.parametrize('helper', [install_apt, uninstall_apt, purge_deb, install_yum, uninstall_yum])
@pytest.mark.parametrize('name', ['', '--purge', 'a --force', '; touch /tmp/x', [], ['-o=x'], '$(id)', '../x'])
def test_names_that_are_options_or_nothing_are_refused(tools, helper, name):
    with pytest.raises(EWaptSetupException, match='not the name of a package'):
        helper(name)
    assert tools.calls() == []


def test_no_shell_sees_the_arguments(tools, tmp_path):
    name = 'a;touch%s/evil' % tmp_path
    install_apt([name])
    assert tools.calls()[-1] == APT + ['-y', 'install', name] and not (tmp_path / 'evil').exists()


@pytest.mark.parametrize('call', [update_apt, autoremove_apt, lambda: purge_deb('x'), update_yum])
def test_a_failure_is_raised_with_the_output(tools, call):
    for name in ('apt-get', 'dpkg', 'yum'):
        tools.does(name, 'echo "E: broken"; exit 100')
    with pytest.raises(CalledProcessError, match='E: broken'):
        call()


def test_a_failed_update_stops_an_install(tools):
    tools.does('apt-get', 'exit 100')
    with pytest.raises(CalledProcessError):
        install_apt('vlc')
    assert len(tools.calls()) == 1


@pytest.fixture
def deb(tmp_path):
    path = tmp_path / 'a b.deb'
    path.write_bytes(b'')
    return str(path)


def test_install_deb(tools, deb):
    assert install_deb(deb) == 'output of dpkg\n'
    assert tools.calls() == [DPKG + ['--install', deb]]


def test_install_deb_takes_no_option_for_a_file(tools, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '-x.deb').write_text('')
    install_deb('-x.deb')
    assert tools.calls() == [DPKG + ['--install', str(tmp_path / '-x.deb')]]


@pytest.mark.parametrize('name,why', [('none.deb', 'no such file'), ('a.txt', 'does not end with .deb')])
def test_install_deb_of_what_is_none(tools, tmp_path, name, why):
    (tmp_path / 'a.txt').write_text('')
    with pytest.raises(EWaptSetupException, match=why):
        install_deb(str(tmp_path / name))
    assert tools.calls() == []


FIELDS = 'printf "demo\\n1.0-1\\n"; exit 0'


def test_install_deb_fetches_what_is_missing(tools, deb):
    tools.does('dpkg', 'echo "dependency problems"; exit 1')
    tools.does('dpkg-deb', FIELDS)
    tools.does('dpkg-query', 'echo "installed 1.0-1"; exit 0')
    assert install_deb(deb) == 'output of apt-get\n'
    assert [call[0] for call in tools.calls()] == ['dpkg', 'apt-get', 'dpkg-deb', 'dpkg-query']


@pytest.mark.parametrize('query', ['exit 1', 'echo "not-installed "; exit 0', 'echo "installed 0.9"; exit 0',
                                   'echo "unpacked 1.0-1"; exit 0', 'echo "not-installed 1.0-1"; exit 0'])
def test_install_deb_is_no_success_when_apt_mended_by_removing(tools, deb, query):
    tools.does('dpkg', 'echo "dependency problems"; exit 1')
    tools.does('dpkg-deb', FIELDS)
    tools.does('dpkg-query', query)
    with pytest.raises(CalledProcessError, match='dependency problems'):
        install_deb(deb)


def test_install_deb_tells_the_first_failure_when_apt_fails_too(tools, deb, capsys):
    tools.does('dpkg', 'echo "dependency problems"; exit 1')
    tools.does('apt-get', 'echo "no network"; exit 100')
    with pytest.raises(CalledProcessError, match='dependency problems'):
        install_deb(deb)
    assert 'no network' in capsys.readouterr().out


def test_dpkg_waits_for_its_lock(tools, deb):
    tools.does('dpkg', 'if [ ! -f "%s/once" ]; then : > "%s/once"; '
               'echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7"; exit 2; fi'
               % (tools.folder, tools.folder))
    install_deb(deb)
    assert [call[0] for call in tools.calls()] == ['dpkg', 'dpkg']


def test_dpkg_does_not_wait_for_ever(tools, monkeypatch):
    tools.does('dpkg', 'echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7"; exit 2')
    monkeypatch.setattr(linux, 'LOCK_SECONDS', 0)
    with pytest.raises(CalledProcessError, match='lock'):
        purge_deb('demo')


def test_install_rpm(tools, tmp_path):
    (tmp_path / 'a.rpm').write_text('')
    install_rpm(str(tmp_path / 'a.rpm'))
    assert tools.calls() == [['yum', '-y', 'localinstall', str(tmp_path / 'a.rpm')]]
    tools.lacks('yum')
    with pytest.raises(EWaptSetupException, match='neither yum nor dnf'):
        update_yum()


SOFTWARE = ('printf "installed\\tbash\\t5.2\\tMatthias <m@x>\\trequired\\n'
            'config-files\\told\\t1\\tX\\toptional\\ninstalled\\tlibc6:amd64\\t2.36\\tGNU Libc\\toptional\\n"; exit 0')


def test_installed_softwares_dpkg(tools):
    tools.does('dpkg-query', SOFTWARE)
    assert [item['name'] for item in installed_softwares()] == ['bash', 'libc6']
    item = installed_softwares(name='lib')[0]
    assert (item['key'], item['version'], item['publisher'], item['system_component']) == ('libc6:amd64', '2.36', 'GNU Libc', 0)
    assert set(item) == {'key', 'name', 'version', 'install_date', 'install_location', 'uninstall_string', 'publisher',
                         'system_component'}
    assert [item['system_component'] for item in installed_softwares('BASH matthias')] == [1]
    assert installed_softwares('bash gnu') == [] and installed_softwares(name='nothing') == []


def test_installed_softwares_rpm(tools):
    tools.lacks('dpkg-query')
    tools.does('rpm', 'printf "bash\\t5.1-6\\tRocky\\t86400\\n"; exit 0')
    assert installed_softwares()[0]['version'] == '5.1-6' and installed_softwares()[0]['install_date'].startswith('1970-01-0')
    tools.lacks('rpm')
    with pytest.raises(EWaptSetupException, match='neither dpkg nor rpm'):
        installed_softwares()


@pytest.mark.parametrize('text,name,version,debian,redhat', [
    ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n', 'ubuntu', '22.04', True, False),
    ('ID=pop\nID_LIKE="ubuntu debian"\nVERSION_ID=22\n', 'pop', '22', True, False),
    ('# x\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.3"', 'redhat', '9.3', False, True),
    ('ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"', 'rocky', '9.3', False, True),
    ('ID=arch\n', 'arch', '', False, False), ('', '', '', False, False)])
def test_distribution(tmp_path, monkeypatch, text, name, version, debian, redhat):
    path = tmp_path / 'os-release'
    path.write_text(text)
    values = linux.os_release(str(path))
    monkeypatch.setattr(linux, 'os_release', lambda: values)
    assert (get_distrib_linux(), get_distrib_version(), get_os_version()) == (name, version, version)
    assert (type_debian(), type_redhat()) == (debian, redhat)


def test_distribution_without_the_file(tmp_path):
    assert linux.os_release(str(tmp_path / 'none')) == {}


ADDRESSES = '''cat <<'END'
[{"ifname":"lo","address":"00:00:00:00:00:00","operstate":"UNKNOWN","addr_info":[{"family":"inet","local":"127.0.0.1",
"prefixlen":8,"scope":"host"}]},{"ifname":"eth0","address":"52:54:00:12:34:56","operstate":"UP","addr_info":[
{"family":"inet","local":"10.1.2.3","prefixlen":20,"broadcast":"10.1.15.255","scope":"global"},
{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},{"ifname":"wg0","addr_info":[{}]}]
END
exit 0'''


def test_network(tools):
    tools.does('ip', ADDRESSES.replace('cat <<', '/bin/cat <<'))
    assert get_local_IPs() == ['10.1.2.3', 'fe80::1']
    assert networking() == [
        {'iface': 'eth0', 'mac': '52:54:00:12:34:56', 'addr': [
            {'addr': '10.1.2.3', 'netmask': '255.255.240.0', 'connected': True, 'broadcast': '10.1.15.255'},
            {'addr': 'fe80::1', 'netmask': 'ffff:ffff:ffff:ffff::', 'connected': True}]},
        {'iface': 'wg0', 'mac': '', 'addr': []}]


DMI = '''BIOS Information
\tVendor: ACME
\tCharacteristics:
\t\tPCI is supported
\t\tBoot from CD: yes

System Information
\tUUID: 4C4C4544
\tSerial Number: 1: 2

Memory Device
\tSize: 8 GB
Memory Device
\tSize: 16 GB
'''


def test_dmi_info(tools):
    tools.does('dmidecode', "/bin/cat <<'END'\n%sEND\nexit 0" % DMI)
    assert dmi_info() == {
        'BIOS_Information': {'Vendor': 'ACME', 'Characteristics': ['PCI is supported', 'Boot from CD: yes']},
        'System_Information': {'UUID': '4C4C4544', 'Serial_Number': '1: 2'},
        'Memory_Device': [{'Size': '8 GB'}, {'Size': '16 GB'}]}
    tools.lacks('dmidecode')
    with pytest.raises(EWaptSetupException, match='dmidecode'):
        dmi_info()


def test_names_of_this_machine(monkeypatch):
    monkeypatch.setattr(system.socket, 'getfqdn', lambda: 'PC1.Example.org')
    assert get_hostname() == 'pc1.example.org' and get_fqdn() == 'PC1.Example.org'
    assert get_domain() == get_domain_from_socket() == 'Example.org'
    monkeypatch.setattr(system.socket, 'getfqdn', lambda: 'alone')
    assert get_domain_from_socket() == ''
    assert get_computername() == os.uname().nodename and get_kernel_version() == os.uname().release
    assert isLinux64() == os.uname().machine.endswith('64')


def test_users(monkeypatch, tmp_path):
    assert pwd.getpwnam(get_current_user()).pw_uid == os.geteuid()
    assert 'root' in get_groups('root')
    with pytest.raises(KeyError):
        get_groups('no-such-user-here')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert user_home_directory() == str(tmp_path) and application_data() == str(tmp_path / '.config')
    assert user_local_appdata() == str(tmp_path / '.config') + '/'


@pytest.mark.parametrize('env,expected', [({'LANG': 'fr_FR.UTF-8'}, 'fr'), ({'LANG': 'C.UTF-8'}, None), ({}, None),
                                          ({'LANG': 'fr_FR', 'LC_ALL': 'de_DE'}, 'de'), ({'LANG': 'POSIX'}, None),
                                          ({'LANG': 'en'}, 'en')])
def test_language(monkeypatch, env, expected):
    for name in ('LC_ALL', 'LC_MESSAGES', 'LANG'):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert get_language() == expected


def test_addresses():
    assert [is_valid_ipv4_address(a) for a in ('1.2.3.4', '1.2.3', '1.2.3.256', '::1', '', None)] == [True] + [False] * 5
    assert get_main_ip('127.0.0.1', '::1') == ('127.0.0.1', '::1')
    assert all(is_valid_ipv4_address(server) for server in get_dns_servers())
    assert get_default_gateways() == default_gateway()
    assert default_gateway() is None or is_valid_ipv4_address(default_gateway())
    assert get_file_properties('/bin/sh') == {}
