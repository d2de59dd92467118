"""From the bytes of a script to its text, and what its comments say of its Python.

Bytes that are UTF-8 are read as that, whatever the script declares; else as it declares, if
that is an encoding of text and not one that computes something.
"""

import codecs
import re

from .refusal import Refusal

COOKIE = re.compile(r'^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)', re.M)
HEAD_LINES = 5
# A line of its own: 'converted from Python 2' says nothing of the kind.
SAYS = re.compile(r'(?i)^[ \t]*#(?:!.*\bpython|[ \t]*(?:-\*-)?[ \t]*python ?)([23])(?:\.[0-9]+)?[ \t]*(?:-\*-)?[ \t.\r]*$')
# What declares itself ASCII and is not is mostly Western European.
ENCODINGS = re.compile(r'(ascii|us-ascii|latin|iso8859|iso-8859|cp|windows|mac|koi8|gb|big5|shift|euc|johab|utf-8|utf8|mbcs)')


def head(text, lines):
    return text.split('\n', lines)[:lines]


def decode(data):
    """Return the text of a script's bytes; Refusal if they are no text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refusal(1, 'it is UTF-16: save it as UTF-8')
    if b'\0' in data:
        raise Refusal(data[:data.index(b'\0')].count(b'\n') + 1, 'it contains null bytes')
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as failure:
        text = _declared(data, failure)
    # The last Macintosh that ended lines so ran no agent, but editors still write it.
    if '\r' in text.replace('\r\n', ''):
        text = text.replace('\r\n', '\n').replace('\r', '\n')
    return text


def _declared(data, failure):
    line = data[:failure.start].count(b'\n') + 1
    name = declared_encoding(data.decode('latin-1'))
    if name is None:
        raise Refusal(line, 'it is not UTF-8 and declares no encoding: save it as UTF-8')
    if name.lower().replace('_', '-') in ('utf-8', 'utf8', 'utf-8-sig') or not ENCODINGS.match(name.lower()):
        raise Refusal(line, 'it declares the encoding %s and is not: save it as UTF-8' % name)
    try:
        return data.decode(name)
    except (LookupError, UnicodeError, ValueError):
        raise Refusal(line, 'it declares the encoding %s and is not: save it as UTF-8' % name) from None


def declared_encoding(text):
    """Return the encoding that one of the first two lines declares, None if none does."""
    for line in head(text, 2):
        found = COOKIE.match(line)
        if found:
            return found.group(1)
    return None


def declare_utf8(line):
    """Return a line that declares an encoding with utf-8 instead."""
    found = COOKIE.match(line)
    return line[:found.start(1)] + 'utf-8' + line[found.end(1):] if found else line


def version_said(text):
    """Return 2 or 3 if one of the first lines is '# Python 2' or '#!/usr/bin/python2', or the same with 3, else None."""
    for line in head(text, HEAD_LINES):
        found = SAYS.match(line)
        if found:
            return int(found.group(1))
    return None
