"""Downloads from a server on loopback: TLS, digests, resuming, redirections."""

import hashlib
import http.server
import os
import ssl
import subprocess
import threading
import urllib.error

import pytest

from setuphelpers import *

DATA = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith('/to?'):
            self.send_response(302)
            self.send_header('Location', self.path[4:])
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        if self.path == '/missing':
            self.send_error(404)
            return
        begin = 0
        wanted = self.headers.get('Range')
        if wanted and self.path != '/norange':
            begin = int(wanted[len('bytes='):-1])
            if begin >= len(DATA):
                self.send_error(416)
                return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (begin, len(DATA) - 1, len(DATA)))
        self.send_header('Content-Length', str(len(DATA) - begin))
        self.send_header('Last-Modified', 'Fri, 02 Jan 2026 03:04:05 GMT')
        self.end_headers()
        self.wfile.write(DATA[begin:begin + 1000] if self.path == '/cut' else DATA[begin:])

    def log_message(self, *args):
        pass


def serve(context=None):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.seen = []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def server():
    server = serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tls')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-keyout', folder / 'key.pem', '-out', folder / 'cert.pem', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost'], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / 'cert.pem', certificate / 'key.pem')
    server = serve(context)
    yield 'https://localhost:%d' % server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.lower().endswith('_proxy'):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def url(server, path):
    return 'http://127.0.0.1:%d%s' % (server.server_port, path)


def test_wget_names_the_file_and_gives_it_the_servers_time(server, tmp_path):
    got = wget(url(server, '/dir/a%20b.bin?x=1'))
    assert got == str(tmp_path / 'a b.bin') and open(got, 'rb').read() == DATA
    assert os.stat(got).st_mtime == 1767323045
    (tmp_path / 'sub').mkdir()
    assert wget(url(server, '/x'), 'sub') == str(tmp_path / 'sub' / 'x')
    assert wget(url(server, '/x'), target=str(tmp_path / 'named')) == str(tmp_path / 'named')
    assert sorted(os.listdir(tmp_path)) == ['a b.bin', 'named', 'sub']


@pytest.mark.parametrize('path', ['/%2e%2e%2fevil', '/a%2f..%2f..%2fevil', '/..'])
def test_wget_never_leaves_the_directory(server, tmp_path, path):
    (tmp_path / 'in').mkdir()
    got = wget(url(server, path), 'in')
    assert os.path.dirname(os.path.realpath(got)) == str(tmp_path / 'in')


def test_wget_without_a_name(server):
    with pytest.raises(EWaptSetupException, match='give a target'):
        wget(url(server, '/'))


DIGESTS = [('sha256', SHA256, True), ('sha256', SHA256.upper(), True), ('sha256', '0' * 64, False),
           ('sha1', hashlib.sha1(DATA).hexdigest(), True), ('sha1', '0' * 40, False),
           ('md5', hashlib.md5(DATA).hexdigest(), True), ('md5', '0' * 32, False)]


@pytest.mark.parametrize('name,value,good', DIGESTS)
@pytest.mark.parametrize('resume', [False, True])
def test_wget_checks_a_digest(server, tmp_path, name, value, good, resume):
    (tmp_path / 'f').write_text('the old file')
    if good:
        wget(url(server, '/f'), resume=resume, **{name: value})
        assert (tmp_path / 'f').read_bytes() == DATA
    else:
        with pytest.raises(EWaptSetupException, match='does not have the ' + name):
            wget(url(server, '/f'), resume=resume, **{name: value})
        assert (tmp_path / 'f').read_text() == 'the old file'
    assert os.listdir(tmp_path) == ['f']


@pytest.mark.parametrize('path,have,requests', [
    ('/f', DATA[:5000], ['bytes=5000-']), ('/norange', DATA[:5000], ['bytes=5000-']), ('/f', DATA + b'x', ['bytes=256001-', None]),
    ('/f', None, [None]), ('/f', b'', [None])])
def test_wget_resumes(server, tmp_path, path, have, requests):
    if have is not None:
        (tmp_path / 'f.part').write_bytes(have)
    wget(url(server, path), 'f', resume=True, sha256=SHA256)
    assert [headers.get('Range') for _, headers in server.seen] == requests
    assert (tmp_path / 'f').read_bytes() == DATA and os.listdir(tmp_path) == ['f']


def test_wget_keeps_a_cut_download_only_to_resume_it(server, tmp_path):
    with pytest.raises(EWaptSetupException, match='was cut: 1000 of 256000'):
        wget(url(server, '/cut'))
    assert os.listdir(tmp_path) == []
    with pytest.raises(EWaptSetupException):
        wget(url(server, '/cut'), 'f', resume=True)
    assert os.listdir(tmp_path) == ['f.part']
    wget(url(server, '/f'), 'f', resume=True, sha256=SHA256)
    assert os.listdir(tmp_path) == ['f']


def test_wget_does_not_download_twice(server, tmp_path):
    wget(url(server, '/f'), sha256=SHA256, cache_dir='cache')
    wget(url(server, '/f'), sha256=SHA256, resume=True)
    (tmp_path / 'f').unlink()
    assert open(wget(url(server, '/f'), sha256=SHA256, cache_dir='cache'), 'rb').read() == DATA
    assert len(server.seen) == 1
    (tmp_path / 'cache' / 'f').write_text('spoiled')
    wget(url(server, '/f'), sha256=SHA256, cache_dir='cache')
    assert len(server.seen) == 2 and (tmp_path / 'cache' / 'f').read_bytes() == DATA


def test_wget_a_link_in_the_way_is_not_followed(server, tmp_path):
    (tmp_path / 'precious').write_text('precious')
    (tmp_path / 'f.part').symlink_to('precious')
    (tmp_path / 'f').symlink_to('precious')
    wget(url(server, '/f'))
    assert (tmp_path / 'precious').read_text() == 'precious' and not (tmp_path / 'f').is_symlink()


def test_progress_headers_and_limits(server):
    told = []
    wget(url(server, '/f'), 'f', printhook=lambda *step: told.append(step), referer='http://r/', user_agent='me')
    assert told[-1][:2] == (len(DATA), len(DATA)) and told[-1][3] == url(server, '/f')
    assert server.seen[0][1]['Referer'] == 'http://r/' and server.seen[0][1]['User-Agent'] == 'me'
    with pytest.raises(EWaptSetupException, match='did not end within'):
        wget(url(server, '/f'), 'f', download_timeout=0.1, limit_bandwidth=0.1)
    with pytest.raises(EWaptSetupException, match='requests_session'):
        wget(url(server, '/f'), 'f', requests_session=object())


def test_wgets_and_failures(server):
    assert wgets(url(server, '/f')) == DATA
    assert wgets(url(server, '/to?/f')) == DATA
    with pytest.raises(urllib.error.HTTPError, match='404'):
        wgets(url(server, '/missing'))
    with pytest.raises(urllib.error.HTTPError):
        wget(url(server, '/missing'))
    for bad in ('file:///etc/passwd', 'ftp://127.0.0.1/x', 'nothing'):
        with pytest.raises(EWaptSetupException, match='only http and https'):
            wgets(bad)
    with pytest.raises(urllib.error.HTTPError):
        wgets(url(server, '/to?file:///etc/passwd'))


def test_proxy(server):
    assert wgets('http://nowhere.invalid/f', proxies={'http': url(server, ''), 'https': None}) == DATA
    assert server.seen[0][0] == 'http://nowhere.invalid/f'


def test_tls_is_verified_by_default(secure, certificate, caplog):
    for verify in (None, True):
        with pytest.raises(urllib.error.URLError, match='CERTIFICATE_VERIFY_FAILED'):
            wgets(secure + '/f', verify_cert=verify)
    with pytest.raises(urllib.error.URLError, match='CERTIFICATE_VERIFY_FAILED'):
        wget(secure + '/f')
    authority = str(certificate / 'cert.pem')
    assert wgets(secure + '/f', verify_cert=authority) == DATA
    with pytest.raises(urllib.error.URLError, match='CERTIFICATE_VERIFY_FAILED'):
        wgets(secure.replace('localhost', '127.0.0.1') + '/f', verify_cert=authority)
    assert caplog.text == ''
    assert wgets(secure + '/f', verify_cert=False) == DATA
    assert 'not verified' in caplog.text


def test_no_redirection_from_https_to_http(secure, certificate, server):
    with pytest.raises(EWaptSetupException, match='redirects from HTTPS'):
        wgets(secure + '/to?' + url(server, '/f'), verify_cert=str(certificate / 'cert.pem'))
    assert server.seen == []
    assert wgets(secure + '/to?/f', verify_cert=str(certificate / 'cert.pem')) == DATA
