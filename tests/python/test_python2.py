"""Scripts of the Python 2 era, in python2/: NAME.py runs unchanged and does what NAME.out says.

The first line of a NAME.out is a hook and its status, or 'refused' or 'broken'; then comes the output, or the lines and a part of the
reasons. A last line that starts with ! is a part of the error.
"""

import glob
import os

import pytest

import wapt_python2

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'python2')
NAMES = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(FOLDER, '*.py')))
BESIDE = {'more.py': "print 'more'\nmore = 'from %s' % 'a file'\n", 'page.html': '<a href="app-1.9.exe"> <a href="app-1.10.exe">',
          'WAPT/control': 'package: test-a\nversion: 1.9-3\n', 'app-1.9.exe': 'old', 'fpformat.py': "def run_all(): return 'ours'\n", 'statvfs.py': "name = 'me'\n",
          'common.py': "print 'loading'\ndef half(x): return x / 2\n", 'tools/__init__.py': '',
          'tools/version.py': 'import parts\ndef number(): return parts.numbers()\n',
          'tools/parts.py': 'def numbers(): return tuple(map(int, "1 2".split()))\nprint_ = `1`\n'}


def read(name):
    """Return the bytes of a script, and what is expected of it: a word or two, and lines."""
    with open(os.path.join(FOLDER, name + '.py'), 'rb') as source, open(os.path.join(FOLDER, name + '.out'), encoding='utf-8') as expected:
        head, _, rest = expected.read().partition('\n')
        return source.read(), head.split(), rest


def beside(script):
    return {name: text for name, text in BESIDE.items() if name.split('.')[0].split('/')[0].encode() in script or
            name in ('WAPT/control', 'app-1.9.exe') and b'load_control' in script}


@pytest.mark.parametrize('name', NAMES)
def test_script(hook, name):
    script, expected, lines = read(name)
    got = hook(expected[0] if len(expected) > 1 else 'install', script, files=beside(script))
    if len(expected) == 1:
        assert got.result['status'] == 'ERROR' and got.result['error'].startswith('Untranslatable: setup.py is '), got
        assert 'line ' + lines.split(':')[0] in got.result['error'] and got.output.count('Traceback') == 1
        return
    output, _, error = ('\n' + lines).partition('\n!')
    assert got.result['status'] == expected[1], got
    if error:
        assert error.strip() in got.result['error'] and got.output.startswith(output[1:]), got
    else:
        assert got.output == lines, got


@pytest.mark.parametrize('name', [name for name in NAMES if len(read(name)[1]) == 1])
def test_each_reason_is_told_with_its_line(name):
    script, expected, lines = read(name)
    with pytest.raises(wapt_python2.Untranslatable, match='is no Python' if expected == ['broken'] else 'is written for Python 2') as caught:
        wapt_python2.translate(wapt_python2.decode(script))
    told = ['%d: %s' % (refusal.line, refusal.reason) for refusal in caught.value.refusals]
    wanted = [line.split(': ', 1) for line in lines.splitlines()]
    assert len(told) == len(wanted), told
    for text, (line, reason) in zip(told, wanted):
        assert text.startswith(line + ': ') and reason in text, told


@pytest.mark.parametrize('name', [name for name in NAMES if len(read(name)[1]) == 2])
def test_translation_is_python_3_and_needs_no_other(name):
    text = wapt_python2.decode(read(name)[0])
    own = frozenset(path[:-3] for path in beside(read(name)[0]) if path.endswith('.py'))
    if wapt_python2.needs_translation(text, own=own) is None:
        return
    translation = wapt_python2.translate(text, own=own)
    assert translation.text.count('\n') == text.count('\n')
    compile(translation.whole(), name, 'exec', dont_inherit=True)
    assert wapt_python2.needs_translation(translation.file(), own=own) is None


def test_there_are_enough():
    assert len(NAMES) >= 40
