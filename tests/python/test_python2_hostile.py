"""Sources made to keep a translation busy, to fill memory or to be executed: it ends soon, with an answer or a reason."""

import os
import random
import subprocess
import sys

import pytest

import wapt_python2
from conftest import LIBDIR
from wapt_python2.tokens import SOURCE_MAX, TOKENS_MAX

def sources(n):
    """Return sources of some n characters."""
    return {
        'arguments': 'print 1\nf(' + 'g(),' * (n // 4) + ')\n', 'keywords': 'print 1\nf(' + ','.join('a%d=g()' % i for i in range(n // 14)) + ')\n',
        'one line, no ASCII': 'print 1\nx=[' + 'é.keys(),' * (n // 9) + ']\n', 'brackets': '(' * n, 'closed': ')' * n, 'quotes': "'''" * (n // 3),
        'backticks': '`' * n, 'prints': 'print `x`,\n' * (n // 11), 'lambdas': 'lambda (a,b):' * (n // 13) + '1', 'lambda': 'lambda ' * (n // 7),
        'lambdas in line': 'print 1\nx = ' + 'lambda (a,b): a, ' * (n // 17) + '1', 'defs': 'def ' * (n // 4), 'prints of commas': 'print ' + 'a,' * (n // 2) + '\n',
        'bytes': "print '\\x80'\n" * (n // 13), 'more bytes': "print '" + '\\xff' * (n // 4) + "'", 'backslashes': '\\' * n, 'continued': '\\\n' * (n // 2),
        'ifs': ''.join(' ' * i + 'if 1:\n' for i in range(400)), 'excepts': 'try: pass\nexcept A, e: pass\nprint e\n' * (n // 40),
        'trys': ''.join(' ' * i + 'try:\n' for i in range(90)), 'divisions': 'print ' + 'a/' * (n // 2) + '1\n',
        'deep divisions': 'print ' + '(a/' * 80 + '1' + ')' * 80 + '\n', 'raises': 'raise A, b\n' * (n // 11), 'minus': 'print 1\n' + '-' * n + '1',
        'texts': 'print ' + "'a' " * (n // 4) + '\n', 'attributes': 'print 1\nx' + '.a' * (n // 2) + '\n', 'compared': 'print a' + '<a' * (n // 2) + '\n',
        'comprehensions': 'print 1\n' + '[x for x in y]\n' * (n // 16), 'in each other': 'print 1\n' + '[x for x in ' * 85 + 'y' + ']' * 85,
        'tabs': 'if 1:\n' + '\t \t' * n + 'print 1\n', 'comments': '#' * n + '\nprint 1\n', 'codings': 'print 1 #' + 'coding' * (n // 6),
        'pythons': '#' + 'python ' * (n // 7) + '\nprint 1', 'too long': 'x' * (SOURCE_MAX + 1), 'too many': 'print 1\n' + 'x;' * TOKENS_MAX, 'lines': '\n' * n + 'print 1\n',
        'classes': 'print 1\n' + 'class A:\n def next(self): pass\n' * (n // 32), 'elifs': 'if a: print 1\n' + 'elif a: print 1\n' * (n // 16),
        'futures': 'from __future__ import a\nprint 1\n' * (n // 33), 'huge number': 'print ' + '9' * n, 'octal': 'print 0' + '7' * n, 'long names': 'print ' + 'a' * n,
        'execs': 'exec x in y\n' * (n // 12), 'calls of calls': 'print 1\nx' + '()' * (n // 2), 'keys of keys': 'print 1\nx' + '.keys()' * (n // 7),
        'percent': 'print ' + '"a" % ' * (n // 6) + 'b', 'decorated': 'print 1\n' + '@a\n' * (n // 3) + 'def f(): pass\n', 'strange': 'print \x01\x02', 'surrogate': "print u'\\ud800'",
        'bidi': 'print "\u202e"', 'nulls': 'print "\\0"',
    }


def look(text):
    """Go through everything that is done with a source; return what became of it."""
    try:
        wapt_python2.needs_translation(text)
    except (SyntaxError, wapt_python2.Refusal):
        pass
    try:
        translation = wapt_python2.translate(text)
        translation.file()
        return list(translation.changes())
    except (wapt_python2.Untranslatable, SyntaxError):
        return None


@pytest.mark.parametrize('name', sorted(sources(1)))
def test_ends(name):
    look(sources(10000)[name])


def steps(text):
    """Count the lines of the translator that are executed for a source."""
    count = 0

    def trace(frame, _event, _argument):
        return line if 'wapt_python2' in frame.f_code.co_filename else None

    def line(_frame, _event, _argument):
        nonlocal count
        count += 1
        return line
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        look(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize('name', sorted(set(sources(1)) - {'too long', 'too many'}))
def test_work_grows_no_faster_than_the_source(name):
    small, large = sources(800)[name], sources(1600)[name]
    assert steps(large) < 2.6 * steps(small) + 2000


def test_pieces_of_scripts():
    """Scripts cut, doubled and mixed by chance: an answer or a reason, and no line lost."""
    chance = random.Random(2)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'python2')
    scripts = []
    for name in sorted(os.listdir(folder)):
        if name.endswith('.py'):
            with open(os.path.join(folder, name), 'rb') as source:
                scripts.append(wapt_python2.decode(source.read()))
    answered = 0
    for _ in range(400):
        text = chance.choice(scripts)
        for _ in range(chance.randrange(1, 4)):
            at, other = chance.randrange(len(text) + 1), chance.choice(scripts)
            begin = chance.randrange(len(other))
            piece = chance.choice([other[begin:begin + chance.randrange(40)], chance.choice('()[]{}\'"`,:;\\\n\t /%') * chance.randrange(4), 'print ', ' exec ', '\nexcept X, e:\n'])
            text = text[:at] + piece + text[at + chance.randrange(5):]
        answered += look(text) is not None
    assert 10 < answered < 400


@pytest.mark.parametrize('option', [[], ['--fix']])
def test_nothing_is_executed_and_nothing_written(tmp_path, option):
    source = b'open("executed", "w").close()\nprint `open("executed", "w")`\nimport common\n@open("executed", "w")\ndef install(): print 1\n'
    (tmp_path / 'common.py').write_text('open("executed", "w")')
    done = subprocess.run([sys.executable, '-I', '-B', os.path.join(LIBDIR, 'wapt_lint.py')] + option, input=source, capture_output=True, cwd=tmp_path, check=True)
    assert os.listdir(tmp_path) == ['common.py'] and done.stdout and not done.stderr


@pytest.mark.parametrize('data, says', [(b'\xff\xfep\0', 'UTF-16'), (b'x = 1\n\0', 'null bytes'), (b'# \xe9\n', 'declares no encoding'),
                                        (b'# coding: utf-8\n# \xe9\n', 'and is not'), (b'# coding: hex\n# \xe9\n', 'and is not'),
                                        (b'# coding: cp1252000\n# \xe9\n', 'and is not'), (b'# coding: ' + b'x' * 10000 + b'\n# \xe9\n', 'and is not'),
                                        (b'# coding: rot13\n# \xe9\n', 'and is not'), (b'# coding: unicode_escape\n# \xe9\n', 'and is not')])
def test_bytes_that_are_no_text(data, says):
    with pytest.raises(wapt_python2.Refusal, match=says):
        wapt_python2.decode(data)
