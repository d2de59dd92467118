"""Helpers for Windows, against a registry that stands in for its own; and what they say elsewhere."""

import base64
import sys
import types

import pytest

from setuphelpers import *
from setuphelpers import windows
from setuphelpers.windows import install_exe_if_needed, install_msi_if_needed, need_install, run_powershell, uninstall_key_exists

SOFTWARE = {}  # {(view, key): {value: text}}


class Entry:
    def __init__(self, values):
        self.values = values

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def open_key(root, path, reserved, access):
    view, key = access - 1, path[len(windows.UNINSTALL) + 1:]
    if (view, key) not in SOFTWARE:
        raise FileNotFoundError(path)
    return Entry(SOFTWARE[view, key])


def query(entry, name):
    if name not in entry.values:
        raise FileNotFoundError(name)
    return entry.values[name], 1


@pytest.fixture
def registry(monkeypatch):
    fake = types.SimpleNamespace(KEY_WOW64_64KEY=64, KEY_WOW64_32KEY=32, KEY_READ=1, HKEY_LOCAL_MACHINE='HKLM', OpenKey=open_key,
                                 QueryValueEx=query)
    monkeypatch.setitem(sys.modules, 'winreg', fake)
    SOFTWARE.clear()
    SOFTWARE[32, 'Old'] = {'DisplayVersion': '1.9'}
    return SOFTWARE


@pytest.fixture
def commands(monkeypatch, registry):
    """What is run; it installs version 2.0 under the key New."""
    done = []

    def runs(command, **_):
        done.append(command)
        registry[64, 'New'] = {'DisplayVersion': '2.0', 'DisplayName': 'New'}
        return ''
    monkeypatch.setattr(windows, 'run', runs)
    return done


@pytest.mark.parametrize('call', [lambda: uninstall_key_exists('Old'), lambda: need_install('Old'),
                                  lambda: install_msi_if_needed('a.msi'), lambda: install_exe_if_needed('a.exe', '/S'),
                                  lambda: run_powershell('x')])
def test_elsewhere(call):
    with pytest.raises(EWaptBadTargetOS):
        call()


def test_need_install(registry):
    assert uninstall_key_exists('Old') and not uninstall_key_exists('New')
    assert need_install('New') and need_install('') and need_install('Old', force=True)
    assert not need_install('Old') and not need_install('Old', '1.9') and need_install('Old', '1.10')
    assert need_install('Old', '3', get_version=lambda software: '2') and not need_install('Old', '3', get_version=lambda software: '4')


def test_installers(commands):
    keys = []
    install_exe_if_needed('/a b.exe', '/S', key='New', min_version='2.0', uninstallkeylist=keys)
    assert commands == ['"/a b.exe" /S'] and keys == ['New']
    install_exe_if_needed('/a b.exe', '/S', key='New', min_version='2.0', uninstallkeylist=keys)
    install_msi_if_needed('/x.msi', key='New')
    assert len(commands) == 1 and keys == ['New']
    install_msi_if_needed('/x.msi', key='New', force=True, properties={'A': 'b c'})
    assert commands[1] == ['msiexec.exe', '/norestart', '/q', '/i', '/x.msi', 'A=b c']


@pytest.mark.parametrize('wanted, told, meant', [
    ('json', '{"a": [1]}\r\n', {'a': [1]}), ('json', '\r\n', None), ('text', 'a\r\n', 'a\r\n'), ('xml', '#< CLIXML\r\n<Objs><S>a</S></Objs>', 'a')])
def test_powershell(monkeypatch, registry, wanted, told, meant):
    asked = []

    def runs(command, **more):
        asked.append((command, more))
        return told
    monkeypatch.setattr(windows, 'run', runs)
    found = run_powershell(' Get-X "é" ', wanted, timeout=5)
    assert (found[0].text if wanted == 'xml' else found) == meant
    ((command, more),) = asked
    script = base64.b64decode(command[-1]).decode('utf-16-le')
    assert command[0] == 'powershell.exe' and '-NonInteractive' in command and more == {'timeout': 5}
    assert 'Get-X "é"' in script and script.endswith('| ConvertTo-Json') == (wanted == 'json')


@pytest.mark.parametrize('call, says', [
    (lambda: install_exe_if_needed('a.exe'), 'silent'),
    (lambda: install_exe_if_needed('a.exe', '/S', key='Wrong'), 'right key'),
    (lambda: install_exe_if_needed('a.exe', '/S', key='New', min_version='2.1'), 'older'),
    (lambda: install_msi_if_needed('a.msi', remove_old_version=True), 'remove_old_version')])
def test_what_is_refused(commands, call, says):
    with pytest.raises(EWaptSetupException, match=says):
        call()
