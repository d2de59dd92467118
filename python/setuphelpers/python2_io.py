"""StringIO and cStringIO of Python 2, for translated scripts: files in memory of text, or of bytes where these are given."""

import io

from .python2 import py2_native


class _Text(io.StringIO):
    def write(self, text):
        return super().write(py2_native(text))


def StringIO(buf=''):
    """A file in memory: of bytes if the text stands for bytes that are none, as those of an archive."""
    if isinstance(buf, str) and any('\udc80' <= c <= '\udcff' for c in buf):
        return io.BytesIO(buf.encode('utf-8', 'surrogateescape'))
    return _Text(py2_native(buf))
