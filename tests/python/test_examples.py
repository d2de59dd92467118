"""The example packages: their control files, and each hook in a copy that works below a temporary directory."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import run_runner
from setuphelpers import PackageEntry
from setuphelpers.package import ATTRIBUTES

EXAMPLES = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', 'examples'))
NAMES = ['demo-config', 'demo-deb', 'demo-group', 'demo-portable', 'demo-session']


class Example:
    """A copy of an example whose fixed paths lead into a directory of the test."""

    def __init__(self, name, root):
        self.root, self.package = root, root / name
        shutil.copytree(os.path.join(EXAMPLES, name), self.package)
        self.control = PackageEntry().load_control_from_wapt(str(self.package))
        self.env = {'PATH': '%s/bin:/usr/bin:/bin' % root, 'LANG': 'C.UTF-8', 'HOME': str(root / 'home')}
        script = (self.package / 'setup.py').read_text()
        for path in ("'/etc/", "'/opt/", "'/usr/local/"):
            script = script.replace(path, "'%s%s" % (root, path[1:]))
            os.makedirs(str(root) + path[1:], exist_ok=True)
        (self.package / 'setup.py').write_text(script)

    def run(self, hook, **params):
        request = {'hook': hook, 'basedir': str(self.package), 'control': self.control.as_dict(), 'params': params,
                   'persistent_dir': str(self.root / 'private' / 'persistent' / 'uuid'),
                   'persistent_source_dir': str(self.package / 'WAPT' / 'persistent')}
        return run_runner(json.dumps(request).encode(), str(self.package), self.env)

    def does(self, hook, **params):
        got = self.run(hook, **params)
        assert got.status == 0 and got.result['error'] is None, got
        return got.result['status']


@pytest.fixture
def example(tmp_path):
    return lambda name: Example(name, tmp_path)


def test_there_are_these():
    assert sorted(name for name in os.listdir(EXAMPLES) if name.startswith('demo-')) == NAMES


@pytest.mark.parametrize('name', NAMES)
def test_control(name):
    with open(os.path.join(EXAMPLES, name, 'WAPT', 'control'), encoding='utf-8') as source:
        lines = source.read().splitlines()
    given = [line.split(':')[0].strip() for line in lines]
    assert lines == ['%-18s: %s' % (key, line.partition(': ')[2]) for key, line in zip(given, lines)]
    assert given == [key for key in ATTRIBUTES if key in given]
    entry = PackageEntry().load_control_from_wapt(os.path.join(EXAMPLES, name))
    assert (entry.package, entry.version, entry.architecture, entry.target_os) == (name, '1.0-1', 'all', 'linux')
    assert entry.section == ('group' if name == 'demo-group' else 'base')
    assert os.path.exists(os.path.join(EXAMPLES, name, 'setup.py')) == (name != 'demo-group')


def test_group_depends_on_the_others():
    entry = PackageEntry().load_control_from_wapt(os.path.join(EXAMPLES, 'demo-group'))
    assert sorted(entry.depends.split(',')) == [name for name in NAMES if name != 'demo-group']


def test_config(example, tmp_path):
    demo = example('demo-config')
    config = tmp_path / 'etc' / 'wapt-demo.conf'
    assert demo.does('install', server='s1') == 'OK'
    assert 'server = s1\ninterval = 60\n' in config.read_text()
    assert demo.does('audit', server='s1') == 'OK'
    assert demo.does('audit', server='s2') == 'ERROR'
    with open(config, 'a') as target:
        target.write('extra = 1\n')
    got = demo.run('audit', server='s1')
    assert got.result['status'] == 'ERROR' and 'was altered' in got.output
    assert demo.does('install', server='s1') == 'OK' and demo.does('audit', server='s1') == 'OK'
    config.unlink()
    got = demo.run('audit', server='s1')
    assert got.result['status'] == 'ERROR' and 'is missing' in got.output
    assert demo.does('install') == 'OK' and demo.does('uninstall') == 'OK' and not config.exists()
    assert demo.does('uninstall') == 'OK'


def test_session(example, tmp_path):
    demo = example('demo-session')
    (tmp_path / 'home').mkdir()
    assert demo.does('install') == 'OK' and os.listdir(tmp_path / 'home') == []
    settings = tmp_path / 'home' / '.config' / 'wapt-demo' / 'settings.ini'
    for _ in range(2):
        assert demo.does('session_setup') == 'OK'
        assert settings.read_text().splitlines()[0] == '[general]'
        assert 'package = demo-session 1.0-1' in settings.read_text()
        assert 'start_page = https://intranet.example.org' in settings.read_text()
    settings.write_text(settings.read_text().replace('intranet.example.org', 'example.net'))
    assert demo.does('session_setup') == 'OK' and 'start_page = https://example.net' in settings.read_text()


def test_portable(example, tmp_path):
    demo = example('demo-portable')
    (demo.package / 'tool' / 'bin' / 'wapt-demo-tool').chmod(0o644)
    link = tmp_path / 'usr' / 'local' / 'bin' / 'wapt-demo-tool'
    for _ in range(2):
        got = demo.run('install')
        assert got.result['status'] == 'OK' and got.output == 'wapt-demo-tool 1.0\n', got
    assert subprocess.check_output([str(link)]) == b'wapt-demo-tool 1.0\n'
    assert demo.does('audit') == 'OK'
    (tmp_path / 'opt' / 'wapt-demo-tool' / 'share' / 'version').unlink()
    assert 'does not start' in demo.run('audit').output
    link.unlink()
    got = demo.run('audit')
    assert got.result['status'] == 'ERROR' and 'does not lead to' in got.output
    assert demo.does('install') == 'OK' and demo.does('audit') == 'OK'
    assert demo.does('uninstall') == 'OK'
    assert not os.path.lexists(link) and not (tmp_path / 'opt' / 'wapt-demo-tool').exists()
    assert demo.does('uninstall') == 'OK'
    link.write_text('somebody else\'s')
    assert 'not ours' in demo.run('install').result['error']
    assert demo.does('uninstall') == 'OK' and link.exists()


def test_deb(example, tmp_path):
    demo = example('demo-deb')
    (demo.package / 'tree').chmod(0o700)
    (demo.package / 'tree' / 'DEBIAN').chmod(0o700)
    assert 'no such file' in demo.run('install').result['error']
    subprocess.run(['sh', str(demo.package / 'build.sh')], check=True, capture_output=True)
    deb = demo.package / 'wapt-demo-hello_1.0_all.deb'
    listed = subprocess.check_output(['dpkg-deb', '--contents', str(deb)], text=True)
    assert '-rwxr-xr-x root/root' in listed and './usr/bin/wapt-demo-hello' in listed
    first = deb.read_bytes()
    subprocess.run(['sh', str(demo.package / 'build.sh')], check=True, capture_output=True)
    assert deb.read_bytes() == first
    (tmp_path / 'bin').mkdir()
    dpkg = tmp_path / 'bin' / 'dpkg'
    dpkg.write_text('#!/bin/sh\necho "dpkg $*"\n')
    dpkg.chmod(0o755)
    got = demo.run('install')
    assert got.result['status'] == 'OK'
    assert got.output.strip() == 'dpkg --force-confdef --force-confold --install %s' % deb
    assert demo.does('audit') == 'ERROR'
    query = tmp_path / 'bin' / 'dpkg-query'
    query.write_text('#!/bin/sh\nprintf "installed\\twapt-demo-hello\\t1.0\\tx\\toptional\\ninstalled\\twapt-demo-hello-not\\t2\\tx\\toptional\\n"\n')
    query.chmod(0o755)
    got = demo.run('audit')
    assert got.result['status'] == 'OK' and got.output == 'wapt-demo-hello 1.0 is installed\n'
    got = demo.run('uninstall')
    assert got.output.strip() == 'dpkg --force-confdef --force-confold --purge wapt-demo-hello'
