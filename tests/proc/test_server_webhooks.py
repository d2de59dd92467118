"""Webhooks of the real server: signed, tried again, over a restart, and led nowhere they may not go."""
import contextlib
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import subprocess
import threading

import pytest

from conftest import BIN, run, until
from test_server_hostile import Server, put


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what is posted to it; status: what it answers."""

    def __init__(self, tls=None):
        self.got, self.status = [], 204

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.server.got.append((self.path, dict(self.headers), body))
                self.send_response(self.server.status)
                if self.server.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def events(self):
        return [e for _, _, body in self.got for e in json.loads(body)["events"]]

    def handle_error(self, *_):
        pass


def certified(where):
    where.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", where / "key.pem", "-out", where / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where / "cert.pem", where / "key.pem")
    context.cert = where / "cert.pem"
    return context


@pytest.fixture(scope="module")
def tls(org):
    return certified(org.base / "hook-tls")


@pytest.fixture(scope="module")
def srv(org, tls):
    s = Server(org, "server-webhooks", f"fronts = 1\nwebhook_networks = 127.0.0.1\nverify_cert_webhooks = {tls.cert}")
    yield s
    s.stop()


@contextlib.contextmanager
def receiver(tls=None):
    r = Receiver(tls)
    try:
        yield r
    finally:
        r.shutdown()
        r.server_close()


def hook(srv, *argv, ok=True):
    return run(BIN / "waptserver", "webhook", *argv, "--json", "--config", srv.dir / "waptserver.ini", ok=ok)


def add(srv, url, *more):
    answer = json.loads(hook(srv, "add", url, *more).stdout)["result"]
    return answer["id"], answer["secret"]


def test_signed_and_in_order(srv, org, tls):
    token = srv.token()
    with receiver(tls) as r:
        name, secret = add(srv, f"https://127.0.0.1:{r.port}/in?a=b", "--kinds", "package")
        assert "status 204" in hook(srv, "test", name).text
        package = put(srv, token, org.package("hooked", "1", "Developer", org.base / "hooked").read_bytes())
        assert package[0] == 200, package
        until(lambda: any(e["what"] == "published" for e in r.events()), "the event arrives")
        assert [e["what"] for e in r.events()] == ["test", "published"]
        for path, headers, body in r.got:
            assert path == "/in?a=b"
            text = f"{headers['Wapt-Webhook-Id']}.{headers['Wapt-Webhook-Time']}.".encode() + body
            mac = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
            assert headers["Wapt-Webhook-Signature"] == "v1=" + mac
            assert json.loads(body)["webhook"] == name and headers["Wapt-Webhook-Id"].startswith(name + "-")
        assert secret not in srv.log() and secret not in hook(srv, "list").text
        hook(srv, "remove", name)
        # What its address holds, which may be a secret of the receiver's, is in no journal and no log.
        name, _ = add(srv, f"https://127.0.0.1:{r.port}/services/T0/wordofmouth?key=handshake")
        hook(srv, "test", name)
        status, journal, _ = srv.call("GET", "/api/v1/journal", token=token)
        assert status == 200 and f'https://127.0.0.1:{r.port}/...'.encode() in journal, journal
        kept = journal + srv.log().encode()
        assert b"wordofmouth" not in kept and b"handshake" not in kept
        hook(srv, "remove", name)
    assert hook(srv, "test", name, ok=False).returncode == 12


def test_a_restart_loses_nothing(srv, org):
    token = srv.token()
    with receiver() as r:
        r.status = 500
        name, _ = add(srv, f"http://127.0.0.1:{r.port}/", "--kinds", "package")
        assert put(srv, token, org.package("restarted", "1", "Developer", org.base / "restarted").read_bytes())[0] == 200
        until(lambda: r.got, "it is tried")
        until(lambda: json.loads(hook(srv, "list").stdout)["result"][0]["failed_since"] > 0, "and failed")
        before = len(r.got)
        (store,) = srv.children()["store"]
        subprocess.run(["kill", "-9", str(store)], check=True)
        until(lambda: srv.log().count("server.started") == 2, "the server is there again")
        r.status = 200
        assert "status 200" in hook(srv, "test", name).text
        # By itself it tries again ten seconds after it has failed: perhaps before this.
        assert {e["what"] for _, _, body in r.got[before:] for e in json.loads(body)["events"]} == {"published", "test"}
        hook(srv, "remove", name)


def test_a_slow_one_holds_up_nobody(srv, org):
    """Somebody takes connections and never answers: what goes elsewhere goes meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as slow, receiver() as r:
        names = [add(srv, f"http://127.0.0.1:{port}/", "--kinds", "package")[0] for port in (slow.getsockname()[1], r.port)]
        assert put(srv, srv.token(), org.package("slow", "1", "Developer", org.base / "slow").read_bytes())[0] == 200
        with slow.accept()[0] as waiting:
            until(r.events, "the other one has its event")
            waiting.setblocking(False)
            with pytest.raises(BlockingIOError):  # all that has come; the connection is still there
                while waiting.recv(65536):
                    pass
        for name in names:
            hook(srv, "remove", name)


def test_where_it_may_not_go(srv, org):
    """Not to private networks unless the configuration says so, not where an answer sends it, not to who can't prove a name."""
    with receiver() as r, receiver(certified(org.base / "strange-tls")) as strange:
        name, _ = add(srv, f"http://127.0.0.1:{r.port}/")
        r.status = 302
        assert hook(srv, "test", name, ok=False).returncode == 1
        assert [path for path, _, _ in r.got] == ["/"]
        hook(srv, "remove", name)
        for url, why in ((f"https://127.0.0.1:{strange.port}/", "certificate"), ("https://127.0.0.2:1/", "private"), ("https://[::1]:1/", "private"),
                         ("https://10.0.0.1/", "private"), ("https://[::ffff:10.0.0.1]/", "private"), ("https://169.254.169.254/latest", "private")):
            name, _ = add(srv, url)
            p = hook(srv, "test", name, ok=False)
            assert p.returncode == 1 and why in p.text, (url, p.text)
            hook(srv, "remove", name)
        assert strange.got == []
    for url in ("http://example.org/", "file:///etc/passwd", "https://user:secret@example.org/"):
        assert hook(srv, "add", url, ok=False).returncode == 2
    (sender,) = srv.children()["hook"]
    assert sender
