"""The console behind an HTTP proxy: a real one, which lets through whom it knows, to where it may; and one that lies."""
import base64
import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest
from conftest import BIN, end, free_port, run, until
from local_program import Local
from test_console_repository import Foreign

SECRET = "passtheproxy"


class Proxy:
    def __init__(self, base, ports):
        self.dir, self.port = base, free_port()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.log = self.dir / "log"
        conf = self.dir / "conf"
        conf.write_text(f'Port {self.port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nMaxClients 50\nBasicAuth wapt {SECRET}\nLogFile "{self.log}"\nLogLevel Connect\n'
                        + "".join(f"ConnectPort {p}\n" for p in ports))
        self.process = subprocess.Popen(["tinyproxy", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        until(self.answers, "the proxy answers")

    def answers(self):
        assert self.process.poll() is None
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def ways(self, port):
        """How often somebody was let through to there."""
        return self.log.read_text().count(f"CONNECT 127.0.0.1:{port} HTTP")

    def url(self, who=f"wapt:{SECRET}@"):
        return f"http://{who}127.0.0.1:{self.port}"

    def stop(self):
        end(self.process)


@pytest.fixture(scope="module")
def foreign(org):
    f = Foreign(org)
    yield f
    f.server.shutdown()
    f.server.server_close()


@pytest.fixture(scope="module")
def proxy(org, foreign):
    p = Proxy(org.base / "proxy", (org.port, foreign.server.server_port))
    yield p
    p.stop()


def ini(org, name, lines, sections=""):
    """A configuration of the console, which only its owner reads: a password is in it."""
    path = org.base / f"{name}.ini"
    path.write_text(f"[global]\nwapt_server = {org.url}\nserver_fingerprint = {org.server_fp}\n{lines}\n{sections}")
    path.chmod(0o600)
    return path


def console(org, config, *argv, ok=True):
    out = run(BIN / "waptconsole", *argv, "-c", config, "--password-file", org.base / "admin.pw", ok=ok)
    assert SECRET not in out.text
    return out


def test_the_server_is_asked_through_it(org, proxy):
    flag = "use_http_proxy_for_server = 1"
    through = ini(org, "through", f"http_proxy = {proxy.url()}\n{flag}")
    before = proxy.ways(org.port)
    assert [h["uuid"] for h in json.loads(console(org, through, "hosts", "--json").stdout)["result"]] == [org.uuid]
    assert proxy.ways(org.port) > before
    assert console(org, through, "action", "update", "--hosts", org.uuid, "-k", org.cert("Deployer"), "-w", org.base / "pw").returncode == 0
    # Only where the configuration says so: the address alone is none, and neither is the environment.
    before = proxy.ways(org.port)
    console(org, ini(org, "unused", f"http_proxy = {proxy.url()}"), "hosts")
    run("env", f"https_proxy={proxy.url()}", BIN / "waptconsole", "hosts", "-c", ini(org, "none", ""), "--password-file", org.base / "admin.pw")
    assert proxy.ways(org.port) == before
    for who in ("", "wapt:wrong@", f"other:{SECRET}@"):
        refused = console(org, ini(org, "who", f"http_proxy = {proxy.url(who)}\n{flag}"), "hosts", ok=False)
        assert "status 407" in refused.text or "status 401" in refused.text, refused.text
        assert f"127.0.0.1:{proxy.port}" in refused.text and "http_proxy = " in refused.text
    for bad in ("https://127.0.0.1:1", "socks5://127.0.0.1:1", "127.0.0.1:3128", "http://wapt:%zz@127.0.0.1:1", "http://127.0.0.1:1/x y"):
        assert "http_proxy" in console(org, ini(org, "bad", f"http_proxy = {bad}\n{flag}"), "hosts", ok=False).text
    assert "it is 0 or 1" in console(org, ini(org, "flag", "use_http_proxy_for_server = perhaps"), "hosts", ok=False).text
    away = console(org, ini(org, "away", f"http_proxy = http://127.0.0.1:{free_port()}\n{flag}"), "hosts", ok=False)
    assert "the proxy of http_proxy" in away.text and away.returncode == 7


def test_where_it_lets_nobody_to(org, foreign, proxy):
    closed = Proxy(org.base / "proxy-closed", (443,))
    try:
        refused = console(org, ini(org, "closed", f"http_proxy = {closed.url()}\nuse_http_proxy_for_server = 1"), "hosts", ok=False)
        assert "status 403" in refused.text and f"127.0.0.1:{org.port}" in refused.text
    finally:
        closed.stop()


def other(foreign, lines):
    return f"[store]\nrepo_url = {foreign.url}\nserver_fingerprint = {foreign.fingerprint}\npublic_certs_dir = {foreign.trusted}\n{lines}\n"


def test_another_repository_has_its_own_way(org, foreign, proxy):
    port = foreign.server.server_port

    def look(name, general, own, goes):
        before = proxy.ways(port), proxy.ways(org.port)
        out = console(org, ini(org, name, general, other(foreign, own)), "import", "--from", "store", "tis-lib", "--dry-run", "--json")
        assert json.loads(out.stdout)["result"]["packages"][0]["package"] == "tis-lib"
        assert (proxy.ways(port) > before[0]) == goes, name
        assert proxy.ways(org.port) == before[1]  # the server is asked directly
    look("own", "", f"http_proxy = {proxy.url()}", True)
    look("own-off", "", f"http_proxy = {proxy.url()}\nuse_http_proxy_for_repo = 0", False)
    look("shared", f"http_proxy = {proxy.url()}", "use_http_proxy_for_repo = 1", True)
    look("templates", f"http_proxy = {proxy.url()}\nuse_http_proxy_for_templates = 1", "", True)
    look("templates-not", f"http_proxy = {proxy.url()}\nuse_http_proxy_for_templates = 1", "use_http_proxy_for_repo = 0", False)
    look("not", f"http_proxy = {proxy.url()}", "", False)


def test_the_pages_go_through_it_too(org, foreign, proxy):
    config = ini(org, "pages", f"http_proxy = {proxy.url()}\nuse_http_proxy_for_server = 1\nuse_http_proxy_for_templates = 1", other(foreign, ""))
    local = Local(org, "proxied", more=("-c", config))
    try:
        before = proxy.ways(org.port), proxy.ways(foreign.server.server_port)
        local.open()
        local.login()
        assert local.ask("GET", "/api/v1/hosts").json["hosts"][0]["uuid"] == org.uuid
        a = local.ask("POST", "/local/prepare", {"what": "import", "from": "store", "packages": ["tis-lib"], "prefix": "", "maturity": "", "key": next(k["id"] for k in local.state()["keys"] if k["name"] == "Developer")})
        assert a.status == 200, a.body
        assert proxy.ways(org.port) > before[0] and proxy.ways(foreign.server.server_port) > before[1]
        shown = local.ask("POST", "/local/prepare", {"what": "offers", "from": "store", "newer": True}).json
        assert {p["package"]: p["here"] for p in shown["details"]["packages"]}["tis-lib"] is None and shown["details"]["left_out"] == 0
        assert local.ask("POST", "/local/commit", {"id": shown["id"]}).status != 200  # nothing comes of it
        assert local.ask("POST", "/local/prepare", {"what": "offers", "from": str(foreign.trusted)}).code == "not_found"
        said = local.log.read_text() + json.dumps(local.state())
        assert SECRET not in said
    finally:
        local.stop()


class Liar:
    """A proxy that answers what it likes, and keeps what it was told."""

    def __init__(self, answer, then=None):
        self.answer, self.then, self.heard = answer, then, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with near:
                try:
                    head = b""
                    while b"\r\n\r\n" not in head and (piece := near.recv(65536)):
                        head += piece
                    self.heard.append(head)
                    near.sendall(self.answer)
                    if self.then:
                        self.then(near, self)
                except OSError:
                    pass


def test_who_lies_in_between_learns_nothing(org, tmp_path):
    crt, key = tmp_path / "mitm.crt", tmp_path / "mitm.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", crt],
                   check=True, capture_output=True)
    mitm = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mitm.load_cert_chain(crt, key)

    def play(near, liar):
        with mitm.wrap_socket(near, server_side=True) as s:
            liar.heard.append(s.recv(65536))
    yes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    for name, answer, then in (("another certificate", yes, play), ("nothing after it", yes, None), ("no HTTP", b"SSH-2.0-x\r\n", None), ("two answers", yes + b"HTTP/1.1 200 OK\r\n\r\n", None),
                               ("a body", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", None), ("endless headers", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, None),
                               ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", None), ("interim without end", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, None),
                               ("a redirect", b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\n\r\n", None), ("silence", b"", None)):
        liar = Liar(answer, then)
        out = console(org, ini(org, "lied", f"http_proxy = {liar.url}\nuse_http_proxy_for_server = 1"), "hosts", ok=False)
        liar.listener.close()
        assert out.returncode != 0 and "evil" not in out.text, name
        said = b"".join(liar.heard)
        assert said.startswith(f"CONNECT 127.0.0.1:{org.port} HTTP/1.1\r\n".encode()), name
        assert (org.base / "admin.pw").read_text().strip().encode() not in said and b"/api/" not in said, name


def test_a_password_may_have_any_sign(org):
    for written, meant in (("wapt:pa%3Ass%40w%C3%B6rd", "wapt:pa:ss@wörd"), ("wapt:pa:ss@word", "wapt:pa:ss@word"), ("wapt", "wapt:"), (":", ":")):
        liar = Liar(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        console(org, ini(org, "signs", f"http_proxy = {liar.url.replace('//', f'//{written}@')}\nuse_http_proxy_for_server = 1"), "hosts", ok=False)
        liar.listener.close()
        (said,) = re.findall(rb"\r\nProxy-Authorization: Basic (\S+)\r\n", liar.heard[0])
        assert base64.b64decode(said).decode() == meant


def test_a_repository_may_want_ones_certificate(org, foreign, tmp_path):
    own, key = tmp_path / "own.crt", tmp_path / "own.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=us", "-keyout", key, "-out", own], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(foreign.dir.parent / "tls.crt", foreign.dir.parent / "tls.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(own)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            # Who shows no certificate, or has seen enough, may have gone at any moment.
            with contextlib.suppress(OSError), near, context.wrap_socket(near, server_side=True) as s:
                if request := s.recv(65536):
                    file = foreign.dir / request.split(b" ")[1].decode().removeprefix("/wapt/")
                    data = file.read_bytes() if file.is_file() else b""
                    s.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (b"200 OK" if data else b"404 Not Found", len(data)) + data)
    threading.Thread(target=serve, daemon=True).start()
    section = f"[store]\nrepo_url = https://127.0.0.1:{listener.getsockname()[1]}/wapt\nserver_fingerprint = {foreign.fingerprint}\npublic_certs_dir = {foreign.trusted}\n"
    take = ("import", "--from", "store", "tis-lib", "--dry-run")
    try:
        assert console(org, ini(org, "bare", "", section), *take, ok=False).returncode != 0
        assert "tis-lib" in console(org, ini(org, "shown", "", section + f"client_certificate = {own}\nclient_private_key = {key}\n"), *take).text
        wrong = console(org, ini(org, "wrong", "", section + f"client_certificate = {own}\nclient_private_key = {foreign.dir.parent / 'tls.pem'}\n"), *take, ok=False)
        assert "is not the key of the certificate" in wrong.text and "[store]" in wrong.text
    finally:
        listener.close()
