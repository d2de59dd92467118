"""WAPT's module of this name, as far as setup scripts import it: helpers of setuphelpers, and digests of files."""

from setuphelpers import (
    Version, all_files, currentdate, currentdatetime, datetime2isodate, ensure_list, ensure_unicode, error, find_all_files, find_processes,
    get_sha256, httpdatetime2isodate, isodate2datetime, isrunning, killalltasks, killtree, makepath, mkdirs, remove_file, run_notfatal,
    time2display, wget, wgets)
from setuphelpers.files import BLOCK_SIZE_BYTES, file_digest

__all__ = ['Version', 'all_files', 'currentdate', 'currentdatetime', 'datetime2isodate', 'ensure_list', 'ensure_unicode', 'error',
           'find_all_files', 'find_processes', 'get_sha256', 'httpdatetime2isodate', 'isodate2datetime', 'isrunning', 'killalltasks', 'killtree',
           'makepath', 'md5_for_file', 'mkdirs', 'remove_file', 'run_notfatal', 'sha1_for_file', 'sha256_for_file', 'time2display', 'wget', 'wgets']


def sha256_for_file(fname, block_size=BLOCK_SIZE_BYTES):
    """Return the SHA-256 of a file in hex."""
    return file_digest(fname, 'sha256', block_size)


def sha1_for_file(fname, block_size=BLOCK_SIZE_BYTES):
    """Return the SHA-1 of a file in hex."""
    return file_digest(fname, 'sha1', block_size)


def md5_for_file(fname, block_size=BLOCK_SIZE_BYTES):
    """Return the MD5 of a file in hex."""
    return file_digest(fname, 'md5', block_size)
