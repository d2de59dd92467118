"""What the server itself sends, from behind an HTTP proxy: a real one, and one that lies."""
import http.server
import json
import re
import threading

import pytest

from conftest import BIN, run
from test_console_proxy import SECRET, Liar, Proxy
from test_server_hostile import Server
from test_server_oidc import ROLES, Login
from test_server_webhooks import add, certified, hook, receiver


@pytest.fixture(scope="module")
def tls(org):
    return certified(org.base / "proxied-tls")


class Provider:
    """As much of one as a login begins with."""

    def __init__(self, tls):
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.server.provider.asked.append(self.path)
                issuer = self.server.provider.issuer
                body = json.dumps({"issuer": issuer, **{k: f"{issuer}/{k}" for k in ("authorization_endpoint", "token_endpoint", "jwks_uri")}, "response_types_supported": ["code"],
                                   "code_challenge_methods_supported": ["S256"], "id_token_signing_alg_values_supported": ["ES256"]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.provider = self
        self.port = self.server.server_address[1]
        self.issuer = f"https://127.0.0.1:{self.port}"
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def provider(tls):
    p = Provider(tls)
    yield p
    p.stop()


def options(tls, provider, proxy, *more):
    return "\n".join((f"fronts = 1\nwebhook_networks = 127.0.0.1\nverify_cert_webhooks = {tls.cert}\noidc_issuer = {provider.issuer}\noidc_client_id = wapt\noidc_login_roles = {ROLES}",
                      f"verify_cert_oidc = {tls.cert}\nhttp_proxy = {proxy}", *more))


def begin(srv):
    login = Login()
    return srv.call("POST", "/api/v1/session/oidc/start", {"port": login.port, "state": login.state, "challenge": login.challenge})


def holds(pid, secret):
    """Whether it is anywhere in what the process can write."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            begin, end, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if "w" not in mode:
                continue
            mem.seek(int(begin, 16))
            try:
                if secret in mem.read(int(end, 16) - int(begin, 16)):
                    return True
            except OSError:
                pass
    return False


def test_through_a_real_one(org, tls, provider):
    with receiver(tls) as r, receiver(tls) as other:
        proxy = Proxy(org.base / "proxy-server", (r.port, provider.port))
        srv = Server(org, "server-proxied", options(tls, provider, proxy.url(), "report_database = postgresql://wapt_report:hushdatabase@127.0.0.1/wapt"))
        try:
            name, _ = add(srv, f"https://127.0.0.1:{r.port}/in")
            assert "status 204" in hook(srv, "test", name).text and [path for path, _, _ in r.got] == ["/in"]
            assert proxy.ways(r.port) == 1
            hook(srv, "remove", name)
            # To where the proxy lets nobody; it is told why, without the password.
            name, _ = add(srv, f"https://127.0.0.1:{other.port}/in")
            told = hook(srv, "test", name, ok=False)
            assert told.returncode == 1 and "status 403" in told.text and f"127.0.0.1:{proxy.port}" in told.text and other.got == []
            hook(srv, "remove", name)
            # What is private stays so: what is written as an address is judged here, and what is no name of the world's is not the proxy's to look up.
            for url, why in (("https://10.0.0.1/", "private"), ("https://[::1]:1/", "private"), ("https://127.0.0.2:1/", "private"), ("https://0x7f000002:1/", "private"),
                             ("https://localhost.:1/", "")):
                name, _ = add(srv, url)
                told = hook(srv, "test", name, ok=False)
                assert told.returncode == 1 and why in told.text, (url, told.text)
                hook(srv, "remove", name)
            assert "127.0.0.2" not in proxy.log.read_text() and "localhost" not in proxy.log.read_text() and "10.0.0.1" not in proxy.log.read_text()
            status, body, _ = begin(srv)
            assert status == 200 and provider.issuer in json.loads(body)["url"] and proxy.ways(provider.port) == 1, body
            assert SECRET not in srv.log() and SECRET not in told.text
            # Who needs a password of the proxy's, or of the database, has it; nobody else.
            for role, pids in srv.children().items():
                for pid in pids:
                    assert holds(pid, SECRET.encode()) == (role in ("hook", "oidc")), role
                    assert holds(pid, b"hushdatabase") == (role in ("store", "search", "report")), role
        finally:
            srv.stop()
            proxy.stop()


def test_what_does_not_go_through_it(org, tls, provider):
    with receiver(tls) as r, receiver() as plain:
        nobody = Liar(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        srv = Server(org, "server-not-proxied", options(tls, provider, nobody.url, "no_proxy = example.org, 127.0.0.0/8"))
        try:
            name, _ = add(srv, f"https://127.0.0.1:{r.port}/in")
            assert "status 204" in hook(srv, "test", name).text
            assert begin(srv)[0] == 200
            hook(srv, "remove", name)
            name, _ = add(srv, f"http://127.0.0.1:{plain.port}/in")  # this machine's own, never in the clear through another
            assert "status 204" in hook(srv, "test", name).text
            assert nobody.heard == []
        finally:
            nobody.listener.close()
            srv.stop()


def test_one_that_lies(org, tls, provider):
    mitm = certified(org.base / "mitm-tls")
    mind = {}

    def play(near, liar):
        if mind["then"]:
            with mitm.wrap_socket(near, server_side=True) as s:
                liar.heard.append(s.recv(65536))
    yes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    liar = Liar(b"", play)
    with receiver(tls) as r:
        srv = Server(org, "server-lied-to", options(tls, provider, liar.url.replace("//", f"//wapt:{SECRET}@")))
        try:
            name, secret = add(srv, f"https://127.0.0.1:{r.port}/word?of=mouth")
            for answer, then in ((b"HTTP/1.1 407 Who\r\n\r\n", False), (yes, True), (yes, False), (b"SSH-2.0-x\r\n", False), (yes + b"HTTP/1.1 204 No Content\r\n\r\n", False), (b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", False),
                                 (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, False), (b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\n\r\n", False)):
                liar.answer, mind["then"] = answer, then
                liar.heard.clear()
                told = hook(srv, "test", name, ok=False)
                assert told.returncode == 1 and "evil" not in told.text and SECRET not in told.text, (answer[:40], told.text)
                said = b"".join(liar.heard)
                assert said.startswith(f"CONNECT 127.0.0.1:{r.port} HTTP/1.1\r\n".encode()) and b"mouth" not in said and b"Wapt-Webhook" not in said and secret.encode() not in said
                # That it makes no way is not the doing of who logs in: nobody is made to wait for it, however often; nor is it his to know.
                status, body, _ = begin(srv)
                assert status in (502, 503) or then and status == 403, (answer[:40], status, body)
                assert str(liar.listener.getsockname()[1]).encode() not in body and SECRET.encode() not in body, body
            assert r.got == []
            assert SECRET not in srv.log()
        finally:
            liar.listener.close()
            srv.stop()


def test_what_can_be_no_proxy(org, tmp_path):
    setup = (BIN / "waptserver", "setup", "--dir", tmp_path / "srv", "--name", "localhost", "--bind", "127.0.0.1", "--port", "1", "--admin-password-file", org.base / "admin.pw")
    run(*setup)
    ini = tmp_path / "srv/waptserver.ini"
    before = ini.read_text()

    def says(lines, mode=0o600):
        ini.write_text(f"{before}\n{lines}\n")
        ini.chmod(mode)
        return run(BIN / "waptserver", "check", "--config", ini, ok=None)
    for lines, why in ((f"http_proxy = https://wapt:{SECRET}@127.0.0.1:1", "must begin with http://"), (f"http_proxy = http://wapt:{SECRET}%zz@127.0.0.1:1", "http_proxy"),
                       (f"http_proxy = http://wapt:{SECRET}@:1", "http_proxy"), ("http_proxy = http://127.0.0.1:1\nno_proxy = https://x.example", "no_proxy"),
                       ("http_proxy = http://127.0.0.1:1\nno_proxy = 10.0.0.0/99", "no_proxy")):
        told = says(lines)
        assert told.returncode != 0 and why in told.text and SECRET not in told.text, told.text
    told = says(f"http_proxy = http://wapt:{SECRET}@127.0.0.1:1", 0o644)
    assert "the proxy's password, and everybody can read it" in told.text and SECRET not in told.text
    for lines, mode in ((f"http_proxy = http://wapt:{SECRET}@127.0.0.1:1", 0o640), ("http_proxy = http://127.0.0.1:1", 0o644)):
        assert "http_proxy" not in says(lines, mode).text and "everybody can read" not in says(lines, mode).text
