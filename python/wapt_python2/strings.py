r"""Literals of Python 2: a plain 'text' is a row of bytes there, u'text' is text.

Translated scripts know text only. The bytes of a plain literal become the text that they are in UTF-8; a byte that is
none is kept as a surrogate, as os.fsdecode() does, and becomes that byte again where bytes are needed (see
setuphelpers.python2). So '\xc3\xa9' becomes 'é', and '\xff' the one character '\udcff'.
"""

import re

from .refusal import Refusal
from .tokens import STRING_START

# Bytes above 127 in a row, or any one escape.
ESCAPES = re.compile(r'(?P<high>(?:\\(?:x[89a-fA-F][0-9a-fA-F]|[23][0-7]{2}))+)|\\(?:\r\n|.)', re.S)


def translate_number(text):
    """Return a number as Python 3 writes it."""
    if text[-1] in 'lL':
        text = text[:-1]
    digits = text.lstrip('0')
    if len(text) > 1 and text[0] == '0' and text.isdigit() and digits:
        return '0o' + digits
    return text


def translate_string(token, is_text):
    """Return a string literal as Python 3 writes it; is_text: the source says from __future__ import unicode_literals."""
    start = STRING_START.match(token.text)
    prefix, quote = start.group(1).lower(), start.group(2)
    body = token.text[start.end():-len(quote)]
    if prefix == 'ur':
        if re.search(r'\\[uU]', body):
            raise Refusal(token.line, r"\u has a meaning in ur'' that r'' does not give it: write u'' and double the backslashes")
        return 'r' + quote + body + quote
    if 'u' in prefix or is_text and 'b' not in prefix:
        return token.text
    if 'r' in prefix:
        return 'r' + quote + body + quote
    return quote + ESCAPES.sub(_escape, body) + quote


def _escape(found):
    text = found.group()
    if found.group('high'):
        codes = [int(c[1:], 16) if c[0] == 'x' else int(c, 8) for c in text.split('\\')[1:]]
        return ''.join(map(_write, bytes(codes).decode('utf-8', 'surrogateescape')))
    # \u, \U and \N mean nothing in a row of bytes: 'c:\users' is a path.
    return '\\' + text if text[1] in 'uUN' else text


def _write(character):
    code = ord(character)
    return '\\x%02x' % code if code < 256 else '\\u%04x' % code if code < 65536 else '\\U%08x' % code
