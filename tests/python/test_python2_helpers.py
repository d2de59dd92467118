"""What translated scripts use instead of what Python 3 has no more: setuphelpers.python2 and what stands beside it."""

import datetime
import io
import subprocess

import pytest


from setuphelpers.python2 import (
    py2_apply, py2_bytes, py2_chr, py2_cmp, py2_decode, py2_div, py2_encode, py2_filter, py2_input, py2_intern, py2_key, py2_message, py2_native,
    py2_open, py2_print, py2_raise, py2_reload, py2_round, py2_string, py2_string_join, py2_sys_exc_clear, py2_sys_setdefaultencoding, py2_unicode)
from setuphelpers.python2_io import StringIO
from setuphelpers import EWaptSetupException, PackageEntry, Version

BYTES = [b'', b'abc', b'\xc3\xa9', b'\xe9', b'\xff\xfe\0a', bytes(range(256)), b'\xed\xa0\x80', b'PK\x03\x04\x8f\xc3']


@pytest.mark.parametrize('data', BYTES)
def test_bytes_survive_as_text(tmp_path, data):
    text = py2_native(data)
    assert isinstance(text, str) and py2_bytes(text) == data and py2_bytes(data) == data and py2_native(text) is text
    for mode in ('wb', 'w', 'ab', 'a', 'w+b', 'wt'):
        with py2_open(tmp_path / mode, mode) as target:
            target.write(text)
        assert (tmp_path / mode).read_bytes() == data
    for mode in ('rb', 'r', 'r+b', 'r+'):
        with py2_open(tmp_path / 'wb', mode) as source:
            assert py2_native(source.read()) == text
        with py2_open(tmp_path / 'wb', mode) as source:
            assert ''.join(py2_native(line) for line in source) == text
    assert py2_bytes(py2_native(py2_bytes(StringIO(text).read()))) == data
    assert py2_decode(py2_encode(text, 'hex'), 'hex') == text and py2_decode(py2_encode(text, 'base64'), 'base64') == text
    assert py2_decode(py2_encode(text, 'zlib'), 'zlib') == text


def test_text_and_encodings():
    assert py2_encode('é', 'utf8') == 'é' == py2_decode('é', 'utf-8') == py2_decode(b'\xe9', 'latin1') == py2_unicode('é', 'cp850')
    assert py2_decode(py2_encode('é', 'cp1252'), 'cp1252') == 'é' and py2_bytes(py2_encode('é', 'utf-16le')) == b'\xe9\0'
    assert py2_decode(py2_encode('a\u20ac', 'utf-16'), 'utf-16') == 'a\u20ac' and py2_encode('a', 'rot13') == 'n'
    assert py2_unicode() == '' and py2_unicode(1) == '1' and py2_unicode(b'x') == 'x' and py2_chr(65) == 'A' and py2_bytes(py2_chr(233)) == b'\xe9'
    with pytest.raises(UnicodeEncodeError):
        py2_encode('é')
    with pytest.raises(UnicodeDecodeError):
        py2_decode(b'\xe9', 'ascii')
    assert py2_native((b'a', None, 1)) == ('a', None, 1) and py2_native([b'a']) == ['a'] and py2_native(bytearray(b'a')) == 'a' and py2_native(3) == 3


def test_methods_of_others_are_left_to_them():
    class Coder:
        def encode(self, encoding='none'):
            return encoding
        decode = encode
    assert py2_encode(Coder()) == py2_decode(Coder()) == 'none' and py2_encode(Coder(), 'x') == py2_decode(Coder(), 'x') == 'x'


@pytest.mark.parametrize('a, b, result', [(7, 2, 3), (-7, 2, -4), (7.0, 2, 3.5), (7, -2.0, -3.5), (True, 2, 0), (0, 5, 0),
                                          (datetime.timedelta(2), 2, datetime.timedelta(1))])
def test_division(a, b, result):
    assert py2_div(a, b) == result and type(py2_div(a, b)) is type(result)


def test_division_by_zero_and_of_others():
    for a, b, kind in ((1, 0, ZeroDivisionError), (1.0, 0, ZeroDivisionError), ('a', 1, TypeError), (1, None, TypeError)):
        with pytest.raises(kind):
            py2_div(a, b)


@pytest.mark.parametrize('given, result', [((2.5,), 3.0), ((-2.5,), -3.0), ((0.5,), 1.0), ((1.45, 1), 1.4), ((1234, -2), 1200.0), ((2.675, 2), 2.67), ((1e300, 2), 1e300)])
def test_round(given, result):
    assert py2_round(*given) == result and isinstance(py2_round(*given), float)
    assert str(py2_round(float('nan'))) == 'nan'


def test_order():
    values = ['b', 2, None, 1.5, 'a', [1]]
    assert sorted(values, key=py2_key(py2_cmp)) == [None, 1.5, 2, [1], 'a', 'b']
    assert py2_cmp(1, 1) == 0 and py2_cmp('a', 'b') == -1 and py2_cmp([2], [1]) == 1 and py2_cmp(Version('2'), Version('10')) == -1


def test_exceptions():
    assert repr(py2_raise(ValueError, 'x')) == repr(ValueError('x')) and py2_raise(ValueError, (1, 2)).args == (1, 2)
    assert py2_raise(ValueError).args == () and py2_raise(ValueError, None).args == ()
    failure = KeyError(1)
    assert py2_raise(KeyError, failure) is failure and py2_raise(failure) is failure and py2_raise(failure, None, None) is failure
    with pytest.raises(TypeError):
        py2_raise('text', 'x')
    assert py2_message(ValueError('x')) == 'x' and py2_message(ValueError()) == '' and py2_message(OSError(2, 'x')) == ''
    own = ValueError('x')
    own.message = 'mine'
    assert py2_message(own) == 'mine'


def test_functions(capsys):
    assert py2_filter(None, (0, 1)) == (1,) and py2_filter(str.isdigit, 'a1') == '1' and py2_filter(None, {1: 2}) == [1]
    assert py2_apply(max, (1, 2)) == 2 and py2_apply(dict) == {} and py2_apply(dict, (), {'a': 1}) == {'a': 1}
    assert py2_reload(io) is io and py2_reload(__import__('sys')) is __import__('sys') and py2_intern('a') == 'a'
    assert py2_string('atoi', '12') == 12 and py2_string('atof', '1.5') == 1.5 and py2_string('strip', ' x ') == 'x' and py2_string('split', 'a b') == ['a', 'b']
    assert py2_string('joinfields', ['a', 'b'], '-') == 'a-b' and py2_string_join(['a', 'b']) == 'a b' and py2_string('splitfields', 'a-b', '-') == ['a', 'b']
    assert py2_sys_setdefaultencoding('utf8') is None and py2_sys_exc_clear() is None
    py2_print('a', 1)
    py2_print('b\n')
    py2_print('c')
    assert capsys.readouterr().out == 'a 1 b\nc '
    with pytest.raises(EWaptSetupException, match='nobody sits there'):
        py2_input('?')


def test_files_are_real_ones_for_others(tmp_path):
    (tmp_path / 'x').write_bytes(b'a\r\nb')
    with py2_open(tmp_path / 'x', 'rb') as source:
        assert source.read() == b'a\r\nb'
    with py2_open(tmp_path / 'x', 'rU') as source:
        assert source.read() == 'a\nb'
    with py2_open(tmp_path / 'x') as source:
        assert source.next() == 'a\r\n' if hasattr(source, 'next') else next(source) == 'a\r\n'
    with py2_open(tmp_path / 'log', 'w', 1) as target:
        target.writelines(['a\n', b'b\n'])
        assert (tmp_path / 'log').read_bytes() == b'a\nb\n'
    with py2_open(tmp_path / 'out', 'wb') as target:
        subprocess.run(['printf', 'x'], stdout=target, check=True)
        target.writelines(['y', b'z'])
    assert (tmp_path / 'out').read_bytes() == b'xyz'
    with pytest.raises(FileNotFoundError):
        py2_open(tmp_path / 'none')


def test_star_import_brings_nothing_by_chance():
    scope = {}
    exec('from setuphelpers.python2 import *', scope)  # pylint: disable=exec-used
    assert {name for name in scope if not name.startswith('py2_')} == {'__builtins__'}
    assert PackageEntry  # imported above beside it
