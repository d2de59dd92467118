"""What scripts translated from Python 2 use instead of what Python 3 has no more; not meant for new scripts.

Python 2 had rows of bytes where these scripts mean text. Here they are text throughout: bytes are
read as UTF-8, and those that are none are kept as surrogates (as os.fsdecode() keeps them) and
become the same bytes again wherever bytes are needed.
"""

import codecs
import collections.abc
import errno
import functools
import io
import operator
import os

from .errors import EWaptSetupException

# Encodings in which what is ASCII stays what it is, so that text need not go through bytes to be decoded.
NOT_LIKE_ASCII = ('utf-16', 'utf-32', 'utf-7', 'hex', 'base64', 'zip', 'zlib', 'bz2', 'rot', 'uu', 'quopri', 'string-escape', 'string_escape',
                  'unicode-escape', 'unicode_escape', 'raw', 'punycode', 'idna')
OLD_CODECS = {'string-escape': 'unicode_escape', 'string_escape': 'unicode_escape', 'base64': 'base64_codec', 'hex': 'hex_codec',
              'zip': 'zlib_codec', 'zlib': 'zlib_codec', 'bz2': 'bz2_codec', 'uu': 'uu_codec', 'quopri': 'quopri_codec'}

py2_reduce = functools.reduce
py2_os_errno = errno
py2_collections_Iterable = collections.abc.Iterable
py2_collections_Mapping = collections.abc.Mapping
py2_collections_Callable = collections.abc.Callable


def py2_bytes(value):
    """Return the bytes of a text; anything else as it is."""
    return value.encode('utf-8', 'surrogateescape') if isinstance(value, str) else value


def py2_native(value):
    """Return bytes, and those in a tuple or list, as text; anything else as it is."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode('utf-8', 'surrogateescape')
    if type(value) in (tuple, list) and any(isinstance(item, bytes) for item in value):
        return type(value)(py2_native(item) for item in value)
    return value


def _name(encoding):
    return str(encoding).lower().replace(' ', '-')


def _is_like_ascii(encoding):
    return not _name(encoding).replace('_', '-').startswith(NOT_LIKE_ASCII)


def py2_decode(value, encoding='ascii', errors='strict'):
    """value.decode(...): text stays text unless the encoding makes something else of it."""
    if not isinstance(value, (str, bytes, bytearray)):
        return value.decode(encoding) if encoding != 'ascii' else value.decode()
    if isinstance(value, str) and _is_like_ascii(encoding) and not any('\udc80' <= c <= '\udcff' for c in value):
        return value
    name = _name(encoding)
    return py2_native(codecs.decode(py2_bytes(value), OLD_CODECS.get(name, name), errors))


def py2_encode(value, encoding='ascii', errors='strict'):
    """value.encode(...), as a text that stands for these bytes."""
    if not isinstance(value, (str, bytes, bytearray)):
        return value.encode(encoding) if encoding != 'ascii' else value.encode()
    name = _name(encoding)
    if name.startswith('rot'):
        return codecs.encode(value, name)
    if name in OLD_CODECS:
        if 'escape' in name:
            return py2_native(value).encode('unicode_escape').decode('ascii')
        return py2_native(codecs.encode(py2_bytes(value), OLD_CODECS[name]))
    text = py2_native(value)
    if any('\udc80' <= c <= '\udcff' for c in text):
        return text  # these are bytes already
    return py2_native(text.encode(encoding, errors))


def py2_unicode(value='', encoding=None, errors='strict'):
    """unicode(...)"""
    if encoding is None:
        return str(py2_native(value))
    return py2_decode(value, encoding, errors)


def py2_chr(code):
    """chr(...): a byte."""
    return bytes([code]).decode('latin-1' if code < 128 else 'utf-8', 'surrogateescape')


def py2_div(a, b):
    """a / b: of whole numbers the whole part, rounded down."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    return operator.truediv(a, b)


def py2_round(number, ndigits=0):
    """round(...): halves away from zero, always a float."""
    import decimal
    number = float(number)
    if number - number != 0:
        return number
    step = decimal.Decimal(1).scaleb(-ndigits)
    with decimal.localcontext() as context:
        context.prec = 400
        return float((decimal.Decimal(number) / step).to_integral_value(decimal.ROUND_HALF_UP) * step)


def py2_cmp(a, b):
    """cmp(...): None is less than anything else, numbers are less than texts."""
    a, b = _Key(a), _Key(b)
    return (a > b) - (a < b)


class _Key:
    """Puts values in the order of Python 2, where any two can be compared."""

    def __init__(self, value):
        self.value = value

    def _rank(self):
        if self.value is None:
            return 0, ''
        return (1, '') if isinstance(self.value, (int, float)) else (2, type(self.value).__name__)

    def __lt__(self, other):
        try:
            return self.value < other.value
        except TypeError:
            return self._rank() < other._rank()

    def __gt__(self, other):
        return other < self


def py2_key(compare):
    """Return the key= that stands for a comparison function."""
    return functools.cmp_to_key(compare)


def py2_filter(function, values):
    """filter(...): of a text a text, of a tuple a tuple, of anything else a list."""
    kept = filter(function, values)
    return ''.join(kept) if isinstance(values, str) else tuple(kept) if isinstance(values, tuple) else list(kept)


def py2_print(*values, file=None):
    """print ..., with a comma at its end"""
    text = ' '.join(str(value) for value in values)
    print(text, end='' if text[-1:] in ('\n', '\t') else ' ', file=file)


def py2_next(iterator):
    """iterator.next()"""
    return next(iterator) if hasattr(iterator, '__next__') else iterator.next()


def py2_apply(function, args=(), kwargs=None):
    """apply(...)"""
    return function(*args, **(kwargs or {}))


def py2_raise(kind, value=None, traceback=None):
    """Return the exception of raise kind, value, traceback."""
    if isinstance(kind, type) and issubclass(kind, BaseException):
        if isinstance(value, kind):
            failure = value
        elif isinstance(value, tuple):
            failure = kind(*value)
        else:
            failure = kind() if value is None else kind(value)
    elif isinstance(kind, BaseException):
        failure = kind
    else:
        raise TypeError('exceptions must be made of BaseException, not %s' % type(kind).__name__)
    return failure if traceback is None else failure.with_traceback(traceback)


def py2_message(failure):
    """failure.message: its own, else its only argument, else ''."""
    if 'message' in dir(failure):
        return failure.message
    return failure.args[0] if len(failure.args) == 1 else ''


def py2_reload(module):
    """reload(...): again, unless it is sys, which was reloaded for setdefaultencoding() alone."""
    import importlib
    return module if module.__name__ == 'sys' else importlib.reload(module)


def py2_intern(text):
    """intern(...)"""
    import sys
    return sys.intern(text)


def py2_input(prompt=''):
    """input(...), which computed what was typed."""
    raise EWaptSetupException('input() computes what somebody types, and nobody sits there: take it from params')


def py2_sys_setdefaultencoding(encoding):
    """sys.setdefaultencoding(...): it is UTF-8."""


def py2_sys_exc_clear():
    """sys.exc_clear(): done by itself."""


def py2_string(method, text, *args):
    """string.method(text, ...)"""
    if method in ('atoi', 'atof'):
        return (int if method == 'atoi' else float)(text, *args)
    if method in ('joinfields', 'splitfields'):
        return py2_string_join(text, *args) if method == 'joinfields' else text.split(*args)
    return getattr(text, method)(*args)


def py2_string_join(words, sep=' '):
    """string.join(...)"""
    return sep.join(words)


def py2_platform_linux_distribution(*_args, **_kwargs):
    """platform.linux_distribution(): (name, version, code name)"""
    from .linux import get_distrib_linux, get_distrib_version, os_release
    return get_distrib_linux(), get_distrib_version(), os_release().get('VERSION_CODENAME', '')


py2_platform_dist = py2_platform_linux_distribution


class _Text(io.TextIOWrapper):
    """A text file that takes bytes too."""

    def write(self, text):
        return super().write(py2_native(text))

    def writelines(self, lines):
        return super().writelines(map(py2_native, lines))


class _Binary:
    """A binary file that takes text too, and gives lines as text."""

    def write(self, data):
        return super().write(py2_bytes(data))

    def writelines(self, lines):
        return super().writelines(map(py2_bytes, lines))

    def __next__(self):
        return py2_native(super().__next__())

    next = __next__


class _Reader(_Binary, io.BufferedReader):
    pass


class _Writer(_Binary, io.BufferedWriter):
    pass


class _Both(_Binary, io.BufferedRandom):
    pass


def py2_open(name, mode='r', buffering=-1):
    """open(...): text is UTF-8, and bytes that are none survive reading and writing."""
    plain = mode.replace('t', '').replace('U', '') or 'r'
    raw = io.FileIO(name, plain.replace('b', ''))
    kind = _Both if '+' in plain else _Reader if plain.startswith('r') else _Writer
    size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
    if 'b' in plain:
        return kind(raw, size)
    # Line ends are only changed where the mode asks for it ('U'), or Windows always did.
    return _Text(kind(raw, size) if '+' not in plain else io.BufferedRandom(raw, size), encoding='utf-8', errors='surrogateescape',
                 newline=None if 'U' in mode or os.linesep != '\n' else '\n', line_buffering=buffering in (0, 1))


py2_file = py2_open


def py2_code(source):
    """Return what exec executes: code as it is, text translated."""
    if not isinstance(source, str):
        return source
    from wapt_python2 import translate
    return compile(translate(source, path='exec').whole(), '<exec>', 'exec', dont_inherit=True)


def py2_eval(source, globals_, locals_=None):
    """eval(...)"""
    if isinstance(source, str):
        import setuphelpers.python2 as helpers
        from wapt_python2 import translate
        translation = translate(source.strip(), path='eval')
        source = compile(translation.text, '<eval>', 'eval', dont_inherit=True)
        globals_ = dict(globals_, **{name: getattr(helpers, name) for name in translation.helpers})
    return eval(source, globals_, globals_ if locals_ is None else locals_)


def py2_execfile(path, globals_, locals_=None):
    """execfile(...); what it executes is translated too."""
    from wapt_python2 import load
    with open(path, 'rb') as source:
        code, helpers = load(source.read(), path)
    globals_.update(helpers)
    exec(code, globals_, *(() if locals_ is None else (locals_,)))

__all__ = [name for name in globals() if name.startswith('py2_')]
