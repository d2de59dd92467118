"""Scripts of the Python 2 era: translated in memory, line by line, to run on Python 3.

load() is for whoever runs a script, translate() for whoever looks at one. Nothing here executes what
it reads. It is our own because it must run wherever the agent does, keep each line in its place, know
integer division and bytes, and end within known bounds (docs/decisions/python2.md).
"""

import os
import re

from . import names
from .refusal import Broken, Refusal
from .source import HEAD_LINES, declare_utf8, decode, head, version_said

__all__ = ['Broken', 'Refusal', 'Translation', 'Untranslatable', 'decode', 'load', 'needs_translation', 'translate']
HELPERS = 'setuphelpers.python2'


class Untranslatable(Exception):
    """A script is neither Python 3 nor can it be translated safely; refusals tells why, by line."""

    def __init__(self, refusals, path='setup.py'):
        self.refusals = sorted(refusals, key=lambda refusal: refusal.line)
        first = self.refusals[0]
        more = ' (and %d more: see wapt-get lint)' % (len(self.refusals) - 1) if len(self.refusals) > 1 else ''
        what = 'is no Python' if isinstance(first, Broken) else 'is written for Python 2 and can not be translated'
        super().__init__('%s %s: %s%s' % (os.path.basename(path), what, first, more))


class Translation:
    """A script as Python 3: its text, line for line that of the original, and the helpers which that needs."""

    def __init__(self, original, text, helpers):
        self.original, self.text, self.helpers = original, text, sorted(helpers)

    def changes(self):
        """Generate (line, before, after) of each line that is another one now."""
        pairs = zip(self.original.split('\n'), self.text.split('\n'))
        for line, (before, after) in enumerate(pairs, 1):
            if before.rstrip('\r') != after.rstrip('\r'):
                yield line, before.rstrip('\r'), after.rstrip('\r')

    def whole(self):
        """Return the text of a file: with the helpers' import, behind what has to be first."""
        if not self.helpers:
            return self.text
        lines, end = self.text.split('\n'), '\r' if '\r\n' in self.text else ''
        lines.insert(self._place(), 'from %s import %s%s' % (HELPERS, ', '.join(self.helpers), end))
        return '\n'.join(lines)

    def file(self):
        """Return the text of a file that needs no translation: whole(), and UTF-8 declared by whoever declared another."""
        lines = self.whole().split('\n')
        for index, line in enumerate(lines[:HEAD_LINES]):
            if index < 2:
                line = declare_utf8(line)
            if version_said(line) == 2:  # it is none of Python 2 any more
                line = re.sub(r'(?i)(python ?)2(?:\.[0-9]+)?', r'\g<1>3', line)
            lines[index] = line
        return '\n'.join(lines)

    def _place(self):
        """Behind comments, the text that documents the file and from __future__; in front of all else."""
        import ast
        from .tree import parse
        place = 0
        for line in head(self.text, 2):
            if line.startswith('#'):
                place += 1
        for node in parse(self.text).body:
            documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            if not documents and not (isinstance(node, ast.ImportFrom) and node.module == '__future__'):
                break
            place = node.end_lineno
        return place


def needs_translation(text, siblings=(), own=()):
    """Return (line, why) if a script is one of Python 2, None if it is to be run as it is.

    SyntaxError is raised for what Python 3 can't read, and says to be read by no other.
    """
    from .evidence import find_evidence
    from .tree import parse
    said = version_said(text)
    if said == 2:
        return 1, 'it says so'
    try:
        root = parse(text)
    except SyntaxError as failure:
        if said == 3:
            raise
        return failure.lineno or 0, failure.msg
    if said == 3 or names.BOTH.search(text) or not (siblings or names.WORDS.search(text)):
        return None
    return find_evidence(root, siblings, own)


def translate(text, siblings=(), path='setup.py', own=()):
    """Return the Translation of a script; Untranslatable tells why there is none, SyntaxError that it is of no Python.

    siblings are the modules beside a file of a folder with modules, which Python 2 would find before any other; own those that
    the package brings, whose names stand for nothing else.
    """
    from .meaning import Meaning
    from .syntax import Syntax
    from .tree import parse
    try:
        syntax = Syntax(text)
        changed = syntax.run()
        refusals = list(syntax.refusals)
        meaning = Meaning(changed, syntax.futures, siblings, own)
        changed = meaning.run()
        refusals += meaning.refusals
        if not refusals:
            parse(changed)
    except Refusal as refusal:
        refusals = [refusal]
    except SyntaxError as failure:
        if changed == text and not syntax.refusals:
            raise
        refusals = syntax.refusals or [Refusal(failure.lineno or 0, 'it is no Python that is known: %s' % failure.msg)]
    except (ValueError, RecursionError, LookupError) as failure:
        refusals = [Refusal(0, 'it is too intricate: %s' % failure)]
    if refusals:
        raise Untranslatable(refusals, path)
    return Translation(text, changed, syntax.helpers | meaning.helpers)


def load(data, path, siblings=(), own=()):
    """Return the code of a script's bytes, and the helpers by name that its globals need."""
    try:
        text = decode(data)
    except Refusal as refusal:
        raise SyntaxError(refusal.reason, (path, refusal.line, None, None)) from None
    if not siblings and version_said(text) != 2 and not names.WORDS.search(text):
        try:  # most new scripts: nothing more has to be loaded
            return compile(text, path, 'exec', dont_inherit=True), {}
        except SyntaxError:
            pass
    if needs_translation(text, siblings, own) is None:
        return compile(text, path, 'exec', dont_inherit=True), {}
    translation = translate(text, siblings, path, own)
    from setuphelpers import python2
    helpers = {name: getattr(python2, name) for name in translation.helpers}
    return compile(translation.text, path, 'exec', dont_inherit=True), helpers
