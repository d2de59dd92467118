"""The tokens of a Python 2 source, found without Python's own tokenizer, which refuses what is no Python 3.

Only what a translation needs: kinds, texts and offsets, the depth of brackets, and where statements
begin. Nothing here judges grammar. The work is linear in the size of the source, which has a limit.
"""

import re

from .refusal import Broken

SOURCE_MAX = 1 << 19    # characters: real ones have thousands
TOKENS_MAX = 100000
DEPTH_MAX = 90          # of brackets: Python 2 itself gave up at 100

NAME, NUMBER, STRING, OP, NEWLINE, COMMENT, END = 'NAME', 'NUMBER', 'STRING', 'OP', 'NEWLINE', 'COMMENT', 'END'
STRING_START = re.compile(r'''([uUbB]?[rR]?)("""|\'\'\'|"|\')''')
# What is left of a string after its first quote; a backslash takes the next character with it.
STRING_REST = {
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"""', re.S), "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*'''", re.S),
    '"': re.compile(r'(?:[^"\\\n]|\\(?:\r\n|.))*"', re.S), "'": re.compile(r"(?:[^'\\\n]|\\(?:\r\n|.))*'", re.S)}
BLANKS = re.compile(r'(?:[ \t\f]|\\\r?\n)+')
BREAK = re.compile(r'\r?\n')
COMMENT_TEXT = re.compile(r'#[^\r\n]*')
NAME_TEXT = re.compile(r'[^\W\d]\w*')
NUMBER_TEXT = re.compile(
    r'0[xX][0-9a-fA-F]+[lL]?|0[bB][01]+[lL]?|0[oO][0-7]+[lL]?|'
    r'(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[jJ]?|[0-9]+[eE][+-]?[0-9]+[jJ]?|[0-9]+[lLjJ]?')
OPERATOR = re.compile(r'\*\*=|//=|>>=|<<=|<>|!=|\*\*|//|>>|<<|<=|>=|==|->|[-+*/%&|^]=|[-+*/%&|^~<>()\[\]{},:.`=;@]')


class Token:
    """One token: its kind, text, offsets, line, how deep in brackets it stands, and whether a statement begins with it."""

    __slots__ = ('kind', 'text', 'start', 'end', 'line', 'depth', 'begins')

    def __init__(self, kind, text, start, line, depth, begins):
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)
        self.line, self.depth, self.begins = line, depth, begins

    def __repr__(self):
        return '%s(%r, line %d)' % (self.kind, self.text, self.line)


class _Reader:
    """Goes through the text once."""

    def __init__(self, text):
        self.text, self.at, self.line = text, 0, 1
        self.brackets, self.tokens, self.begins = [], [], True

    def add(self, kind, text):
        if len(self.tokens) >= TOKENS_MAX:
            raise Broken(self.line, 'it has more than %d words and signs' % TOKENS_MAX)
        counts = kind != COMMENT
        self.tokens.append(Token(kind, text, self.at, self.line, len(self.brackets), self.begins and counts))
        if counts:
            self.begins = False
        self.at += len(text)
        self.line += text.count('\n')

    def string(self, start):
        rest = STRING_REST[start.group(2)].match(self.text, start.end())
        if rest is None:
            raise Broken(self.line, 'a string has no end')
        self.add(STRING, self.text[self.at:rest.end()])

    def operator(self, sign):
        if sign in '([{':
            self.add(OP, sign)
            self.brackets.append((sign, self.line))
            if len(self.brackets) > DEPTH_MAX:
                raise Broken(self.line, 'more than %d brackets in each other' % DEPTH_MAX)
            return
        if sign in ')]}':
            if not self.brackets or self.brackets.pop()[0] + sign not in ('()', '[]', '{}'):
                raise Broken(self.line, 'a bracket is closed that is not open')
        self.add(OP, sign)
        if not self.brackets and sign in (':', ';'):
            self.begins = True  # behind 'lambda x:' too, where no statement's keyword can stand

    def step(self):
        blank = BLANKS.match(self.text, self.at)
        if blank:
            self.line += blank.group().count('\n')
            self.at = blank.end()
            return
        end = BREAK.match(self.text, self.at)
        if end:
            self.add(NEWLINE, end.group())
            if not self.brackets:
                self.begins = True
            return
        start = STRING_START.match(self.text, self.at)
        if start:
            self.string(start)
            return
        for kind, form in ((COMMENT, COMMENT_TEXT), (NAME, NAME_TEXT), (NUMBER, NUMBER_TEXT)):
            found = form.match(self.text, self.at)
            if found:
                self.add(kind, found.group())
                return
        found = OPERATOR.match(self.text, self.at)
        if not found:
            raise Broken(self.line, '%s has no meaning in Python' % ascii(self.text[self.at]))
        self.operator(found.group())


def tokenize(text):
    """Return the tokens of a source, with an END at its end; Broken if it is none, or too large."""
    if len(text) > SOURCE_MAX:
        raise Broken(0, 'it has more than %d characters' % SOURCE_MAX)
    reader = _Reader(text)
    while reader.at < len(text):
        reader.step()
    if reader.brackets:
        raise Broken(reader.brackets[-1][1], 'a bracket is opened and never closed')
    reader.add(END, '')
    return [token for token in reader.tokens if not (token.kind == NEWLINE and token.depth)]
