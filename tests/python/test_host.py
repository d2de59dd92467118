"""Inventory, sessions and the directory, with programs that stand in for the machine's own."""

import os
import stat

import pytest

from setuphelpers import *
from setuphelpers import directory, host

SHOW = '''Id=c1
User=117
Name=gdm
Seat=seat0
Class=greeter
TimestampMonotonic=1

Id=3
User=1000
Name=alice
Seat=seat0
Class=user
TimestampMonotonic=900

Id=12
User=1001
Name=bob
Seat=
Class=user
TimestampMonotonic=5000
'''
LDIF = '''dn: CN=PC1,OU=Desks,DC=example,DC=org
distinguishedName: CN=PC1,OU=Desks,DC=exam
 ple,DC=org

'''
GROUPS = '''dn: CN=Printers,DC=example,DC=org
cn: Printers

dn:: Q049w6k=
cn:: w4l0YWdl

# refldap://x
'''


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes programs that note their arguments, and are the only ones."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    monkeypatch.setenv('PATH', str(folder))

    def make(name, script):
        path = folder / name
        path.write_text('#!/bin/sh\necho "$0 $* $KRB5CCNAME" >>%s/calls\n%s\n' % (tmp_path, script))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    make.calls = lambda: (tmp_path / 'calls').read_text().replace(str(folder) + '/', '').splitlines()
    return make


def test_sessions(programs):
    programs('loginctl', 'if [ "$1" = list-sessions ]; then echo "c1 117 gdm seat0"; echo " 3 1000 alice seat0 tty2"; echo "12 1001 bob"; else echo "%s"; fi' % SHOW)
    assert get_loggedinusers() == {'alice': '3', 'bob': '12'}
    assert get_last_logged_on_user() == ('12', 1001, 'bob', '')
    assert 'c1 3 12' in programs.calls()[1]


@pytest.mark.parametrize('script', [None, 'exit 1', 'true', 'echo x; exit 0'])
def test_without_sessions(programs, script):
    if script is not None:
        programs('loginctl', script)
    assert get_loggedinusers() == {} and get_last_logged_on_user() is None


def test_drives(tmp_path, monkeypatch):
    spaced = tmp_path / 'a b'
    spaced.mkdir()
    mounts = tmp_path / 'mounts'
    mounts.write_text('proc /proc proc rw 0 0\n/dev/sda1 %s ext4 rw 0 0\n/dev/sdb1 /nowhere/at/all xfs rw 0 0\nshort\n' % str(spaced).replace(' ', '\\040'))
    monkeypatch.setattr(host, 'MOUNTS', str(mounts))
    drives = local_drives()
    assert list(drives) == [str(spaced)]
    drive = drives[str(spaced)]
    assert (drive['device'], drive['fstype']) == ('/dev/sda1', 'ext4') and 0 < drive['free'] <= drive['total'] and 0 <= drive['percent'] <= 100
    monkeypatch.setattr(host, 'MOUNTS', str(tmp_path / 'none'))
    assert local_drives() == {}


def test_metrics():
    metrics = host_metrics()
    assert metrics['physical_memory'] > 2 ** 20 and metrics['virtual_memory'] >= metrics['physical_memory']
    assert isodate2datetime(metrics['last_bootup_time']) < isodate2datetime(datetime2isodate())
    assert 2 ** 20 < metrics['wapt-memory-usage'] < 2 ** 32
    assert set(metrics) == {'physical_memory', 'virtual_memory', 'local_drives', 'logged_in_users', 'last_logged_on_user', 'last_bootup_time',
                            'wapt-memory-usage'}


def test_info(monkeypatch):
    monkeypatch.setattr(host, 'KEYTAB', '/nowhere/krb5.keytab')
    info = host_info()
    assert info['computer_name'] == get_computername() and info['computer_fqdn'] == get_fqdn() and info['platform'] == 'Linux'
    assert info['distrib'] == info['os_name'] == get_distrib_linux() and info['kernel_version'] == os.uname().release
    assert 'root' in info['local_users'] and 'root' in info['local_groups'] and info['linux64'] is isLinux64()
    assert info['main_ip'] == list(get_main_ip()) and info['mac'] == [a['mac'] for a in info['networking'] if a['mac']]
    assert 'environ' not in info and info['computer_ad_dn'] is None and info['cpu_name']
    assert set(host_info_common_unix()) == set(info) - {'os_name', 'os_version', 'linux64', 'distrib', 'distrib_version'}


def test_directory(programs, monkeypatch, tmp_path):
    programs('kinit', 'true')
    programs('ldapsearch', 'case "$*" in *member:*) echo "%s";; *) echo "%s";; esac' % (GROUPS, LDIF))
    programs('adcli', 'echo "[computer]"; echo "computer-site = Paris"')
    wanted = {'groups': ['printers', 'étage'], 'ou': 'CN=PC1,OU=Desks,DC=example,DC=org', 'site': 'Paris'}
    assert get_domain_info(hostname='pc1.example.org', domain='example.org') == wanted
    kinit, search, groups, _ = programs.calls()
    assert kinit.startswith('kinit -k PC1$@EXAMPLE.ORG FILE:') and '-H ldap://example.org -O minssf=56 (sAMAccountName=PC1$)' in search
    assert '(member:1.2.840.113556.1.4.1941:=CN=PC1,OU=Desks,DC=example,DC=org)' in groups
    assert not os.path.exists(os.path.dirname(kinit.split('FILE:')[1]))
    get_domain_info('dc1', True, True, 'pc1', 'example.org', True)
    assert '-H ldaps://dc1 (' in programs.calls()[-2]
    monkeypatch.setattr(directory, 'get_computername', lambda: 'pc1')
    monkeypatch.setattr(directory, 'get_domain_from_socket', lambda: 'example.org')
    assert get_computer_groups() == wanted['groups']
    keytab = tmp_path / 'keytab'
    keytab.touch()
    monkeypatch.setattr(host, 'KEYTAB', str(keytab))
    monkeypatch.setattr(host, 'networking', lambda: [])
    monkeypatch.setattr(host, 'get_local_IPs', lambda: [])
    assert host_info()['computer_ad_site'] == 'Paris'
    programs('kinit', 'echo no key; exit 1')
    assert host_info()['computer_ad_dn'] is None


def test_directory_says_what_is_missing(programs):
    with pytest.raises(EWaptSetupException, match='needs kinit: install krb5-user'):
        get_domain_info(hostname='pc1', domain='example.org')
    programs('kinit', 'true')
    programs('ldapsearch', 'true')
    with pytest.raises(EWaptSetupException, match='does not know pc1'):
        get_domain_info(hostname='pc1', domain='example.org')
    for name, domain in (('pc1', ''), ('-x y', 'example.org'), ('pc1)(cn=*', 'example.org'), ('pc1', 'a b')):
        with pytest.raises(EWaptSetupException, match='no machine of a domain'):
            get_domain_info(hostname=name, domain=domain) if domain or name != 'pc1' else get_domain_info(hostname=name, domain='/')
    assert directory.escape_filter('a(b)*\\\0') == 'a\\28b\\29\\2a\\5c\\00'


def test_shell_launch(programs, tmp_path):
    with pytest.raises(EWaptSetupException, match='no xdg-open'):
        shell_launch('page.html')
    programs('xdg-open', '/bin/touch %s/opened' % tmp_path)
    shell_launch('page.html')
    for _ in range(500):
        if (tmp_path / 'opened').exists():
            break
        run('/bin/sleep 0.02')
    assert programs.calls()[-1].startswith('xdg-open page.html')


def test_output_of_commands_can_be_decoded_as_python_2_did():
    assert run('echo é').decode('utf8') == 'é\n' and run('echo x').decode() == 'x\n'
