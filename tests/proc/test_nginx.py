"""A real nginx before the server, with the configuration of examples/nginx: files from its hands, machines' own packages to them alone, and nobody talks for it."""
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest
from conftest import ROOT, until
from test_repository import client_certificate, host_package, talk
from test_server_hostile import Server, put

WAYS = ("accel", "auth")


class Nginx:
    """Of the example, with the places of this test; way: which of its two."""

    def __init__(self, srv, base, way):
        self.base, self.srv = base / f"nginx-{way}", srv
        self.base.mkdir()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        text = (ROOT / "examples/nginx/wapt.conf").read_text()
        if way == "auth":  # its comments are configuration, and take the place of the first way
            first = re.search(r"    # First way.*?(?=    # Second way)", text, re.DOTALL)
            text = text.replace(first.group(0), "")
            head, tail = text.split("    # Second way, instead of the first: nginx asks before it serves.\n")
            text = head + re.sub(r"(?m)^    # ", "    ", tail)
        for old, new in (("127.0.0.1:8443", f"127.0.0.1:{srv.port}"), ("listen 443", f"listen 127.0.0.1:{self.port}"), ("/var/lib/waptserver", str(srv.dir)),
                         ("/etc/nginx/wapt/tls.crt", f"{srv.dir}/private/tls.crt"), ("/etc/nginx/wapt/tls.key", f"{srv.dir}/private/tls.pem")):
            assert old in text
            text = text.replace(old, new)
        conf = self.base / "nginx.conf"
        temps = "\n".join(f"    {k}_temp_path {self.base}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf.write_text(f"daemon off;\nworker_processes 1;\npid {self.base}/pid;\nerror_log {self.base}/error.log info;\nevents {{ worker_connections 64; }}\n"
                        f"http {{\n{temps}\n    access_log off;\n    default_type application/octet-stream;\n{text}}}\n")
        with open(self.base / "out.log", "ab") as out:
            self.process = subprocess.Popen(["nginx", "-p", self.base, "-c", conf], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        until(self.answers, "nginx answers")

    def answers(self):
        assert self.process.poll() is None, (self.base / "out.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return True

    def ask(self, path, certificate=None, method="GET", headers=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(*certificate)
        return talk(context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20)), path, method, headers)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-nginx", "fronts = 1\nupload_keep_free_mib = 1\nproxy_addresses = 127.0.0.1\naccel_redirect = /wapt-files/\nmax_connections_per_address = 64")
    s.one, s.two = (client_certificate(s, org.base, f"behind-{n}") for n in ("one", "two"))
    s.own = host_package(org, "behind-one")
    assert put(s, s.token(), s.own, host="behind-one")[0] == 200
    s.package = org.package("behind-nginx", "1", "Developer", org.base / "behind").read_bytes()
    assert put(s, s.token(), s.package)[0] == 200
    yield s
    assert s.died() == 0
    s.stop()


@pytest.mark.parametrize("way", WAYS)
def test_nginx(srv, org, way):
    nginx = Nginx(srv, org.base, way)
    try:
        # Public files are nginx's own; what is not for anybody is not there.
        assert nginx.ask("/wapt/behind-nginx_1.wapt")[2] == srv.package
        assert nginx.ask("/wapt/behind-nginx_1.wapt", headers=["Range: bytes=5-9"])[::2] == (206, srv.package[5:10])
        assert nginx.ask("/wapt/Packages", method="HEAD")[0] == 200
        for path in ("/wapt/.Packages.state", "/wapt/", "/wapt-files/wapt-host/behind-one.wapt", "/wapt-files/", "/wapt-auth", "/incoming/", "/api/v1/hosts", "/ping",
                     "/wapt/../incoming/", "/wapt-files/../private/authority.pem"):
            assert nginx.ask(path, srv.one)[0] in (400, 403, 404), path
        # A machine's own.
        status, head, body = nginx.ask("/wapt-host/behind-one.wapt", srv.one)
        assert (status, body) == (200, srv.own), (status, head)
        assert nginx.ask("/wapt-host/behind-one.wapt", srv.one, headers=["Range: bytes=5-9"])[::2] == (206, srv.own[5:10])
        assert nginx.ask("/wapt-host/behind-two.wapt", srv.two)[0] == 404
        for certificate in (None, srv.two):
            assert {nginx.ask(f"/wapt-host/{name}.wapt", certificate)[0] for name in ("behind-one", "behind-none")} == {403}
        # Forged: what the client says in the proxy's headers is replaced.
        pem = srv.one[0].read_text().replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")
        secret = (srv.dir / "private/proxy.secret").read_text()
        forged = [f"X-Wapt-Client-Cert: {pem}", f"X-Wapt-Proxy: {secret}", "X-Wapt-Host: behind-one", "X-Real-IP: 10.9.9.9", "X-Accel-Redirect: /wapt-files/x"]
        for certificate in (None, srv.two):
            assert nginx.ask("/wapt-host/behind-one.wapt", certificate, headers=forged)[0] == 403
            for path in ("/wapt-host/behind-two.wapt/../behind-one.wapt", "/wapt/%2e%2e/wapt-host/behind-one.wapt", "/wapt-host/behind-two.wapt%2f..%2fbehind-one.wapt"):
                assert nginx.ask(path, certificate, headers=forged)[0] in (400, 403, 404), path
        assert "10.9.9.9" not in srv.log()
    finally:
        nginx.stop()


def direct(srv, headers, source="127.0.0.1", path="/wapt-host/behind-one.wapt"):
    return talk(srv.connect(source), path, headers=headers)


def test_who_speaks_for_the_proxy(srv):
    """The secret from another address, and the address with another secret, are worth nothing; and the certificate is judged all the same."""
    secret = (srv.dir / "private/proxy.secret").read_text().strip()
    assert (srv.dir / "private/proxy.conf").read_text() == f"proxy_set_header X-Wapt-Proxy {secret};\n"
    assert os.stat(srv.dir / "private/proxy.secret").st_mode & 0o77 == 0 and secret not in srv.log()
    escape = lambda crt: crt.read_text().replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")  # noqa: E731
    mine, own = f"X-Wapt-Proxy: {secret}", f"X-Wapt-Client-Cert: {escape(srv.one[0])}"
    status, head, body = direct(srv, [mine, own])
    assert (status, head["x-accel-redirect"], body) == (200, "/wapt-files/wapt-host/behind-one.wapt", b"")
    assert direct(srv, [mine, own, "X-Wapt-Host: behind-one"], path="/auth/host-package")[0] == 204
    almost = secret[:-1] + ("1" if secret[-1] == "0" else "0")
    for headers, source in (([mine], "127.0.0.1"), ([own], "127.0.0.1"), ([mine, own], "127.0.0.2"), ([f"X-Wapt-Proxy: {almost}", own], "127.0.0.1"),
                            ([f"X-Wapt-Proxy: {secret[:-1]}", own], "127.0.0.1"), ([f"X-Wapt-Proxy: x, {secret}", own], "127.0.0.1"),
                            (["X-Wapt-Proxy: ", mine, own], "127.0.0.1"), ([mine, f"X-Wapt-Client-Cert: {escape(srv.two[0])}"], "127.0.0.1")):
        assert direct(srv, headers, source)[0] == 403, (headers, source)
        assert direct(srv, [*headers, "X-Wapt-Host: behind-one"], source, "/auth/host-package")[0] == 403
    # Not of our authority, none at all, and half of one.
    for text in (escape(srv.dir / "private/tls.crt"), escape(srv.dir / "private/authority.crt"), "x", "%00", escape(srv.one[0])[:300]):
        assert direct(srv, [mine, f"X-Wapt-Client-Cert: {text}"])[0] in (400, 403), text[:40]
    # Its client's address goes into the log, if it is one.
    for said, expected in (("10.9.9.1", True), ("2001:db8::1", True), ("host.example.org", False), ("10.9.9.2 x", False)):
        assert srv.call("POST", "/api/v1/session", {"user": "nobody", "password": "x"}, headers=[mine, f"X-Real-IP: {said}"])[0] == 401
        until(lambda s=said, e=expected: (f"peer={s}" in srv.log()) == e, said)
