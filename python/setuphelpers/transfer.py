"""The transfer below wget() and wgets(), over urllib; apart because loading it takes a while.

TLS certificates are verified unless the caller says otherwise in so many words. A
redirection never leads from HTTPS to HTTP.
"""

import email.utils
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

from .errors import EWaptSetupException
from .log import logger

BLOCK_BYTES = 1 << 16


class _Redirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if req.full_url.lower().startswith('https:') and not newurl.lower().startswith('https:'):
            raise EWaptSetupException('refused: %s redirects from HTTPS to %s' % (req.full_url, newurl))
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _context(verify_cert, cert):
    if verify_cert and isinstance(verify_cert, (str, os.PathLike)):
        folder = os.path.isdir(verify_cert)
        context = ssl.create_default_context(**{'capath' if folder else 'cafile': verify_cert})
    else:
        context = ssl.create_default_context()
    if verify_cert is not None and not verify_cert:
        logger.warning('the server\'s certificate is not verified, as the script asks')
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        context.load_cert_chain(*([cert] if isinstance(cert, (str, os.PathLike)) else cert))
    return context


def request(url, proxies, timeout, verify_cert, referer, user_agent, cert, extra=()):
    if urllib.parse.urlsplit(url).scheme.lower() not in ('http', 'https'):
        raise EWaptSetupException('cannot download %s: only http and https are supported' % url)
    handlers = [urllib.request.HTTPSHandler(context=_context(verify_cert, cert)), _Redirections()]
    if proxies is not None:
        handlers.append(urllib.request.ProxyHandler({k: v for k, v in proxies.items() if v}))
    asked = urllib.request.Request(url, headers={'User-Agent': user_agent or 'wapt', **dict(extra)})
    if referer:
        asked.add_header('Referer', referer)
    return urllib.request.build_opener(*handlers).open(asked, timeout=timeout)


def check_length(url, answer, received):
    length = answer.headers.get('Content-Length')
    if length is not None and length.isdigit() and int(length) != received:
        raise EWaptSetupException('the download of %s was cut: %d of %s bytes' % (url, received, length))


def fetch(url, partial, options, progress):
    """Download to the file partial, from where it ends; return the time of last change that the server tells."""
    proxies, timeout, verify_cert, referer, user_agent, cert = options
    have = os.path.getsize(partial) if os.path.isfile(partial) else 0
    extra = [('Range', 'bytes=%d-' % have)] if have else []
    try:
        answer = request(url, proxies, timeout, verify_cert, referer, user_agent, cert, extra)
    except urllib.error.HTTPError as failure:
        if failure.code != 416 or not have:
            raise
        failure.close()
        os.unlink(partial)  # it is longer than the file, so it is of another one
        return fetch(url, partial, options, progress)
    with answer:
        if not (have and answer.status == 206 and
                answer.headers.get('Content-Range', '').startswith('bytes %d-' % have)):
            have = 0
        if not have and os.path.lexists(partial):
            os.unlink(partial)
        with open(partial, 'ab' if have else 'xb') as target:
            received = _receive(answer, target, progress, have)
        check_length(url, answer, received)
        changed = email.utils.parsedate_tz(answer.headers.get('Last-Modified', '') or '')
    return email.utils.mktime_tz(changed) if changed else None


def _receive(answer, target, progress, have):
    received = 0
    length = answer.headers.get('Content-Length')
    total = have + int(length) if length is not None and length.isdigit() else 0
    while True:
        block = answer.read(BLOCK_BYTES)
        if not block:
            progress.show(have + received, total, last=True)
            return received
        target.write(block)
        received += len(block)
        progress.pace(received)
        progress.show(have + received, total)


class Progress:
    """Time limit, speed limit and progress of one download."""

    def __init__(self, url, printhook, download_timeout, limit_bandwidth):
        self.url, self.printhook = url, printhook
        self.timeout, self.limit = download_timeout, limit_bandwidth
        self.start = self.shown = time.monotonic()

    def pace(self, received):
        elapsed = time.monotonic() - self.start
        if self.timeout is not None and elapsed > self.timeout:
            raise EWaptSetupException('the download of %s did not end within %s seconds' % (self.url, self.timeout))
        if self.limit:
            time.sleep(max(0, received / (self.limit * 1e6) - elapsed))

    def show(self, received, total, last=False):
        now = time.monotonic()
        if self.printhook is not None and (last or now - self.shown >= 1):
            self.shown = now
            self.printhook(received, total, received / max(now - self.start, 1e-6), self.url)
