"""wget and wgets: downloads over HTTP and HTTPS with the standard library alone.

TLS certificates are verified by default (WAPT's default was not to). A file appears
under its name only when it is complete and has the digest asked for.
"""

import os
import re
import shutil

from .errors import EWaptSetupException
from .files import file_digest

SILENCE_SECONDS = 60  # without a byte from the server
UNSAFE = re.compile(r'[@|():%/,\\\[\]<>*?;`\n]')


def wgets(url, proxies=None, verify_cert=None, referer=None, user_agent=None, timeout=None, cert=None,
          requests_session=None):
    """Return what a URL answers, in bytes.

    proxies is a dict scheme -> URL, by default from the environment; verify_cert a file or directory
    of authorities, by default the system's; cert a file, or (file, key, password), that proves who asks.
    """
    from . import transfer
    _no_session(requests_session)
    with transfer.request(url, proxies, timeout or SILENCE_SECONDS, verify_cert, referer, user_agent, cert) as answer:
        data = answer.read()
        transfer.check_length(url, answer, len(data))
        return data


def wget(url, target=None, printhook=None, proxies=None, connect_timeout=10, download_timeout=None,
         verify_cert=None, referer=None, user_agent=None, cert=None, resume=False, md5=None, sha1=None,
         sha256=None, cache_dir=None, requests_session=None, limit_bandwidth=None):
    """Download a URL to a file, or into a directory (the current one by default); return its path.

    One digest is checked: sha256, else sha1, else md5. With resume, what an earlier attempt left is
    completed, and a file that has the digest already is not downloaded again; cache_dir keeps a copy to
    which the same holds. printhook(received, total, speed, url) is told the progress in bytes and bytes
    per second. limit_bandwidth is in MB/s. The file gets the server's time of its last change.
    """
    from . import transfer
    _no_session(requests_session)
    path = _target_path(url, target)
    wanted = next((item for item in (('sha256', sha256), ('sha1', sha1), ('md5', md5)) if item[1]), None)
    cached = os.path.join(cache_dir, os.path.basename(path)) if cache_dir else None
    if resume and _has_digest(path, wanted):
        return path
    if cached and _has_digest(cached, wanted):
        _copy(cached, path)
        return path
    partial = path + '.part'
    if not resume and os.path.lexists(partial):
        os.unlink(partial)
    options = (proxies, connect_timeout, verify_cert, referer, user_agent, cert)
    try:
        changed = transfer.fetch(url, partial, options, transfer.Progress(url, printhook, download_timeout, limit_bandwidth))
        if wanted and file_digest(partial, wanted[0]) != wanted[1].lower():
            os.unlink(partial)
            raise EWaptSetupException('the download of %s does not have the %s %s' % (url, wanted[0], wanted[1]))
    except BaseException:
        if not resume and os.path.lexists(partial):
            os.unlink(partial)
        raise
    if changed is not None:
        os.utime(partial, (changed, changed))
    os.replace(partial, path)
    if cached:
        os.makedirs(cache_dir, exist_ok=True)
        _copy(path, cached)
    return path


def _no_session(requests_session):
    if requests_session is not None:
        raise EWaptSetupException('requests_session is not supported: give proxies, cert and verify_cert instead')


def _target_path(url, target):
    import urllib.parse
    if target is not None and not os.path.isdir(target):
        return os.path.abspath(target)
    name = urllib.parse.unquote(os.path.basename(urllib.parse.urlsplit(url).path))
    name = UNSAFE.sub('_', name.replace('..', '_'))
    if name in ('', '.'):
        raise EWaptSetupException('the URL %s names no file: give a target' % url)
    return os.path.abspath(os.path.join(target or '.', name))


def _has_digest(path, wanted):
    return wanted is not None and os.path.isfile(path) and file_digest(path, wanted[0]) == wanted[1].lower()


def _copy(source, target):
    if os.path.abspath(source) != os.path.abspath(target):
        shutil.copy2(source, target)
