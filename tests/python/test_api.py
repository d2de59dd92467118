"""What a script gets by from setuphelpers import *: the names and signatures of api.txt, those and no others."""

import inspect
import os
import re

import pytest

import setuphelpers
from setuphelpers import elsewhere

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'api.txt'), encoding='utf-8') as source:
    ROWS = [line.rstrip('\n').split('\t') for line in source if not line.startswith('#')]
FUNCTIONS = [(system, text) for system, text in ROWS if '(' in text]
ALIASES = {'isfile': '(path)', 'isdir': '(path)'}  # os.path's, whose parameter nobody names
CONSTANTS = {name: getattr(elsewhere, name) for name in vars(elsewhere) if name.startswith(('HKEY_', 'KEY_', 'REG_'))}


def signature_of(text):
    scope = dict(vars(setuphelpers))
    exec('def function(%s: pass' % text.partition('(')[2], scope)  # pylint: disable=exec-used
    return inspect.signature(scope['function'])


def test_names():
    assert sorted(setuphelpers.__all__) == sorted({text.partition('(')[0] for _, text in ROWS})
    scope = {}
    exec('from setuphelpers import *', scope)  # pylint: disable=exec-used
    assert sorted(set(scope) - {'__builtins__'}) == sorted(setuphelpers.__all__)


@pytest.mark.parametrize('system, text', FUNCTIONS)
def test_signature(system, text):
    name = text.partition('(')[0]
    function = getattr(setuphelpers, name)
    assert callable(function)
    if name in ALIASES:
        assert function is getattr(os.path, name)
    else:
        assert inspect.signature(function) == signature_of(text)
    assert isinstance(function, elsewhere.Elsewhere) == (system in ('windows', 'macos'))
    assert function.__doc__ and function.__name__ == name


@pytest.mark.parametrize('text', [text for system, text in FUNCTIONS if system in ('windows', 'macos')])
def test_what_is_for_others_says_so(text):
    name = text.partition('(')[0]
    with pytest.raises(setuphelpers.EWaptBadTargetOS, match=r'%s\(\) is for .*Linux' % name):
        getattr(setuphelpers, name)('any', thing=1)


@pytest.mark.parametrize('use', [str, os.fspath, len, lambda v: v + 'x', lambda v: 'x' + v, lambda v: '%s' % v, lambda v: v.folder,
                                 lambda v: setuphelpers.makepath(v, 'App'), lambda v: v == 'C:', lambda v: 'x' in v, bool])
@pytest.mark.parametrize('name', elsewhere.VALUES)
def test_values_of_windows_can_not_be_used(name, use):
    with pytest.raises(setuphelpers.EWaptBadTargetOS, match=name + ' is for Windows'):
        use(getattr(setuphelpers, name))


def test_constants():
    assert len(CONSTANTS) == 12 and CONSTANTS['HKEY_LOCAL_MACHINE'] == 0x80000002 and CONSTANTS['REG_MULTI_SZ'] == 7
    assert setuphelpers.InstallerTypes.APPX == 'WExtract' and setuphelpers.InstallerTypes.ExeWinUpdates == 'ExeWindowsUpdate'
    assert setuphelpers.WindowsVersions.Windows10 > setuphelpers.WindowsVersions.Windows7 == '6.1'
    assert setuphelpers.__version__ == '1.8.2' and setuphelpers.logger.name == 'waptcore' and setuphelpers.params == {}


def test_each_function_says_what_it_does():
    for name in setuphelpers.__all__:
        value = getattr(setuphelpers, name)
        assert not inspect.isfunction(value) or name in ALIASES or value.__doc__ and value.__doc__.rstrip().endswith(('.', ')', '}')), name


def test_each_name_stands_once_in_the_table_of_the_docs():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'setuphelpers.md'), encoding='utf-8') as page:
        rows = [line for line in page if line.startswith('| ') and '`' in line]
    assert sorted(name for row in rows for name in re.findall(r'`(\w+)`', row)) == sorted(setuphelpers.__all__)
