"""The server under attack, as a whole: whoever sends what, it answers or closes, stays up, and nothing is half done."""
import concurrent.futures
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import shlex
import socket
import ssl
import subprocess
import time
import zipfile

import pytest

import openapi
from conftest import BIN, PATIENCE, end, free_port, run, until

JSON = {"Content-Type": "application/json"}


class Server:
    """A server of its own, so that nobody else waits for what is done to it. on_tmpfs: its directory is a small disk of its own."""

    api = None  # the description that every answer is held to, once somebody has logged in

    def __init__(self, org, name, options="", on_tmpfs=None, setup=()):
        self.org, self.name, self.dir = org, name, org.base / name
        self.log_file = org.base / f"{name}.log"
        self.port = free_port()
        setup = [BIN / "waptserver", "setup", *map(shlex.quote, setup), "--dir", self.dir, "--name", "localhost,127.0.0.1", "--bind", "127.0.0.1", "--port", self.port,
                 "--admin-password-file", org.base / "admin.pw"]
        closed = f"chmod o= {self.dir}/waptserver.ini\n" if "@" in options else ""  # a password
        script = (f"set -e\n{' '.join(map(str, setup))}\ncp {org.cert('Authority')} {self.dir}/trusted/\n"
                  f"printf '%s\\n' '{options}' >> {self.dir}/waptserver.ini\n{closed}exec {BIN}/waptserver run --config {self.dir}/waptserver.ini\n")
        argv = ["sh", "-c", script]
        if on_tmpfs:
            self.dir.mkdir()
            argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", f"mount -t tmpfs -o mode=755,size={on_tmpfs} none {self.dir}\n" + script]
        with open(self.log_file, "ab") as out:
            self.process = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/")
        until(lambda: "server.started" in self.log(), "the server has started")
        self.seen = pathlib.Path(f"/proc/{self.process.pid}/root{self.dir}") if on_tmpfs else self.dir
        self.password = (org.base / "admin.pw").read_text().strip()

    @classmethod
    def of(cls, org):
        """The organisation's own."""
        s = cls.__new__(cls)
        s.org, s.name, s.dir, s.port, s.process, s.log_file = org, "server", org.base / "server", org.port, org.processes[0], org.base / "server.log"
        s.password = (org.base / "admin.pw").read_text().strip()
        return s

    def log(self):
        return self.log_file.read_text(errors="replace")

    def stop(self):
        assert end(self.process) == 0, self.log()[-2000:]

    def again(self):
        """One that has ended, started once more."""
        started = self.log().count("server.started")
        with open(self.log_file, "ab") as out:
            self.process = subprocess.Popen([BIN / "waptserver", "run", "--config", self.dir / "waptserver.ini"], stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/")
        until(lambda: self.log().count("server.started") > started, "the server has started again")

    def children(self):
        """role -> process ids"""
        out = {}
        for pid in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            role = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1].decode().removeprefix("role:")
            out.setdefault(role, []).append(int(pid))
        return out

    def connect(self, source="127.0.0.1", context=None):
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(source, 0))
        return context.wrap_socket(raw)

    def raw(self, data, source="127.0.0.1"):
        """All that comes back until the server closes, or has said something and nothing more for a while."""
        out = b""
        with self.connect(source) as s:
            s.settimeout(PATIENCE)
            try:
                s.sendall(data)
                while piece := s.recv(65536):
                    out += piece
                    s.settimeout(3)
            except OSError:
                pass
        return out

    def call(self, method, path, body=b"", token=None, source="127.0.0.1", headers=()):
        """Status and body."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}", *headers]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        out = b""
        with self.connect(source) as s:
            s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            try:
                while piece := s.recv(65536):
                    out += piece
            except OSError:
                pass
        head, _, rest = out.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 "), (method, path, out)
        openapi.judge_head(path, head.decode())
        if Server.api and method != "HEAD" and b"chunked" not in head:
            Server.api.judge(method, path, int(head.split()[1]), head.decode(), rest)
        return int(head.split()[1]), rest, head.decode()

    def login(self, user="admin", password=None, source="127.0.0.1"):
        return self.call("POST", "/api/v1/session", {"user": user, "password": self.password if password is None else password}, source=source)

    def token(self, source="127.0.0.1"):
        status, body, _ = self.login(source=source)
        assert status == 200, body
        token = json.loads(body)["token"]
        if not Server.api:
            Server.api = openapi.Api(json.loads(self.call("GET", "/api/v1/openapi.json", token=token)[1]))
        return token

    def lives(self):
        assert self.call("GET", "/ping")[0] == 200

    def incoming(self):
        return sorted(p.name for p in (self.seen / "repo/incoming").iterdir())

    def published(self):
        return sorted(p.name for p in (self.seen / "repo/wapt").iterdir() if p.suffix == ".wapt")

    def died(self):
        return self.log().count("process.died")


SLOW = {
    "no handshake": None,
    "half a handshake": None,
    "half a body": b"POST /agent/v1/report HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{",
    "half a head": b"GET /ping HTTP/1.1\r\nHost: a\r\n",
    "a head byte by byte": b"",
    "no greeting": (b"GET /agent/v1/push HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
}
SLOW["half a frame"] = SLOW["no greeting"] + b"\x81\xfe\xea\x60\1\2\3\4" + b"x" * 5000


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-hostile", "fronts = 1\nmax_connections_per_address = 40")
    s.slow = {}
    for name, data in SLOW.items():  # test_slow_clients_are_cut looks at them when their time is over
        if data is None:
            s.slow[name] = socket.create_connection(("127.0.0.1", s.port), 60)
            s.slow[name].sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" if "half" in name else b"")
        else:
            s.slow[name] = s.connect("127.0.0.9")
            s.slow[name].sendall(data)
    yield s
    for c in s.slow.values():
        c.close()
    died = s.died()
    s.stop()
    assert died == 0, s.log()[-3000:]


# --- what the processes may ---

def opened_by(pid):
    """What its descriptors are; those that it closes meanwhile left out."""
    out = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            out.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return out


def test_processes_have_given_up_their_power(srv):
    assert srv.call("GET", "/api/v1/software", token=srv.token())[0] == 200  # the search opens its database when it is asked
    children = srv.children()
    assert sorted(children) == ["auth", "directory", "front", "hook", "kerberos", "oidc", "report", "scan", "search", "signer", "store", "trust", "wake"]
    for role, pids in children.items():
        for pid in pids:
            status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
            assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", (role, status)
            assert all(int(i) != 0 for i in status["Uid"].split() + status["Gid"].split()), (role, status["Uid"])
            assert not status["Groups"].strip()
            for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(status[capabilities], 16) == 0, (role, capabilities)
            opened = opened_by(pid)
            # No database kept open but the store's and the search's; no key's file, no directory of keys; the front sees no more than the repository.
            assert any("/db/" in o for o in opened) == (role in ("store", "search")), (role, opened)
            assert not any("private" in o for o in opened), (role, opened)
            assert f"waptserver/{role} process.confined" in srv.log()
    for role in ("signer", "auth", "scan"):
        assert sum(o.startswith("socket:") for o in opened_by(children[role][0])) == 2, role  # the store, and the word that it is ready


# --- HTTP that means two things, or none ---

HOST = b"Host: localhost\r\n"
SMUGGLED = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSED = {
    "two lengths": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}" + SMUGGLED,
    "two equal lengths as a list": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: 4, 4\r\n\r\n{}{}" + SMUGGLED,
    "length and chunks": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "other codings": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a coding in disguise": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a negative length": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    "a length with a sign": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\n{}{}" + SMUGGLED,
    "a length too large": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n" + SMUGGLED,
    "a folded header": b"GET /ping HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n" + SMUGGLED,
    "a blank before the colon": b"GET /ping HTTP/1.1\r\n" + HOST + b"Content-Length : 0\r\n\r\n" + SMUGGLED,
    "bare line feeds": b"GET /ping HTTP/1.1\nHost: localhost\n\n" + SMUGGLED,
    "a bare carriage return": b"GET /ping HTTP/1.1\r\n" + HOST + b"X: a\rY: b\r\n\r\n" + SMUGGLED,
    "a NUL in a header": b"GET /ping HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n" + SMUGGLED,
    "a NUL in the path": b"GET /pi\0ng HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "an encoded NUL": b"GET /wapt/a%00.wapt HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "an absolute address": b"GET http://localhost/ping HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "a tunnel": b"CONNECT localhost:22 HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "no host": b"GET /ping HTTP/1.1\r\n\r\n" + SMUGGLED,
    "two hosts": b"GET /ping HTTP/1.1\r\n" + HOST + HOST + b"\r\n" + SMUGGLED,
    "an old version": b"GET /ping HTTP/0.9\r\n" + HOST + b"\r\n" + SMUGGLED,
    "version 2 in clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an endless header": b"GET /ping HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20000 + b"\r\n\r\n",
    "too many headers": b"GET /ping HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 80 + b"\r\n",
    "a chunk's extension": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk too large": b"POST /agent/v1/report HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}" + SMUGGLED,
    "no HTTP": os.urandom(512).replace(b"\n", b"x") + b"\r\n\r\n",
}


def answers(data):
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", data)


def test_ambiguous_requests_are_refused_and_nothing_behind_them_is_read(srv):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = dict(zip(REFUSED, pool.map(srv.raw, REFUSED.values())))
    for name, data in got.items():
        said = answers(data)
        assert len(said) <= 1 and not any(s.startswith(b"2") for s in said), (name, data[:500])
        assert not said or said[0][:1] == b"4", (name, data[:500])
        assert b"server_uuid" not in data, name
    srv.lives()


TRAVERSALS = ["/wapt/../private/tls.pem", "/wapt/%2e%2e/private/tls.pem", "/wapt/..%2fprivate/tls.pem", "/wapt/%2e%2e%2f%2e%2e%2fetc/passwd",
              "/wapt//../waptserver.ini", "/wapt/./../waptserver.ini", "/wapt/..\\waptserver.ini", "/wapt/%5c..%5cwaptserver.ini", "/wapt/%252e%252e/waptserver.ini",
              "/../waptserver.ini", "/wapt-host/../db/waptserver.sqlite", "/incoming/", "/wapt/link", "/wapt/", "/wapt", "/wapt/ssl", "//etc/passwd", "/wapt/%ff%fe",
              "/wapt/%c0%ae%c0%ae/waptserver.ini", "/wapt-host/Packages", "/wapt-host/"]


def test_nothing_but_the_repository_is_served(srv):
    link = srv.seen / "repo/wapt/link"
    link.symlink_to("/etc/passwd")
    for path in TRAVERSALS:
        data = srv.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode("latin-1"))
        (status,) = answers(data)
        assert status in (b"400", b"403", b"404"), (path, data)
        for secret in (b"PRIVATE KEY", b"root:", b"[options]", b"SQLite"):
            assert secret not in data, path
    link.unlink()


# --- who is it? ---

def test_f1a_guessing_passwords(srv):
    for i in range(5):
        assert srv.login(password=f"guess {i}", source="127.0.0.2")[0] == 401
    status, _, head = srv.login(source="127.0.0.2")
    assert status == 429 and "Retry-After" in head
    # Twenty at the same time get no more tries than one after another.
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = [r[0] for r in pool.map(lambda i: srv.login(password=f"guess {i}", source="127.0.0.3"), range(20))]
    assert got.count(401) <= 5 and set(got) <= {401, 429}, got
    assert srv.login(source="127.0.0.4")[0] == 200, "others still log in"


def test_sessions(srv):
    first, second = srv.token(), srv.token()
    assert first != second and all(re.fullmatch("[0-9a-f]{64}", t) for t in (first, second))
    assert srv.call("GET", "/api/v1/hosts", token=first)[0] == 200
    assert srv.call("DELETE", "/api/v1/session", token=first)[0] == 200
    assert srv.call("GET", "/api/v1/hosts", token=first)[0] == 401
    assert srv.call("GET", "/api/v1/hosts", token=second)[0] == 200
    assert srv.call("GET", "/api/v1/hosts", token="0" * 64)[0] == 401
    assert srv.call("GET", "/api/v1/hosts")[0] == 401
    for text in (first, second, srv.password):
        assert text not in srv.log()
        assert text.encode() not in b"".join(p.read_bytes() for p in (srv.seen / "db").iterdir())


def test_large_bodies_of_nobody_are_not_taken(srv):
    for method, path in (("POST", "/api/v1/actions"), ("POST", "/api/v1/uploads"), ("PUT", f"/api/v1/uploads/{'0' * 32}?offset=0")):
        for extra in ("", "Authorization: Bearer " + "0" * 64 + "\r\n"):
            data = srv.raw(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{extra}Expect: 100-continue\r\nContent-Length: 9000000\r\n\r\n".encode())
            assert answers(data) == [b"401"], data
    data = srv.raw(b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
    assert answers(data) == [b"413"]
    assert srv.incoming() == []


# --- logs ---

def test_no_client_writes_a_log_line(srv):
    forged = "admin\n2026-01-01T00:00:00Z info waptserver/store login.granted user=admin\x1b[31m\r\u2028\u202e"
    assert srv.login(user=forged, password="x", source="127.0.0.5")[0] == 401
    assert srv.login(user="a" * 255, password="x", source="127.0.0.5")[0] == 401
    srv.call("POST", "/agent/v1/report", {"signed": json.dumps({"purpose": "wapt-status", "uuid": "x\ny\x1b", "seq": 1, "time": 1}), "signature": "AAAA"})
    srv.call("GET", "/wapt/%0a2026-01-01T00:00:00Z%20info%20forged", source="127.0.0.5")
    until(lambda: "login.denied" in srv.log(), "the log tells of it")
    for line in srv.log_file.read_bytes().splitlines():
        assert len(line) <= 4096
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line), line
        if b"waptserver" in line and b"configuration" not in line and b"Next:" not in line and b"start it with" not in line:
            assert re.match(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (info|warning|error) waptserver", line), line
    assert not re.search(r"^2026-01-01", srv.log(), re.M)


# --- WebSockets ---

UPGRADE = SLOW["no greeting"]


def frame(opcode, data, fin=True, masked=True, rsv=0, length=None):
    n = len(data) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    bit = 0x80 if masked else 0
    head += bytes([bit | n]) if n < 126 else bytes([bit | 126]) + n.to_bytes(2, "big") if n < 65536 else bytes([bit | 127]) + n.to_bytes(8, "big")
    if masked:
        return head + b"\1\2\3\4" + bytes(b ^ (1, 2, 3, 4)[i % 4] for i, b in enumerate(data))
    return head + data


WEBSOCKETS = {
    "unmasked": frame(1, b"{}", masked=False),
    "huge": frame(1, b"x" * 100, length=1 << 40),
    "longer than any length": frame(1, b"x" * 100, length=(1 << 64) - 1),
    "above the greeting's size": frame(1, b"x" * 600000),
    "many fragments": frame(1, b"x" * 60000, fin=False) + frame(0, b"x" * 60000, fin=False) * 20,
    "a fragmented ping": frame(9, b"a", fin=False) + frame(0, b"b"),
    "a long ping": frame(9, b"a" * 126),
    "reserved bits": frame(1, b"{}", rsv=0x40),
    "a reserved kind": frame(3, b"{}"),
    "binary": frame(2, b"{}"),
    "no text": frame(1, b"\xff\xfe"),
    "a continuation of nothing": frame(0, b"{}"),
    "no JSON": frame(1, b"nonsense"),
    "an acknowledgement before the greeting": frame(1, b'{"type":"ack","id":"' + b"0" * 32 + b'"}'),
    "an order from a client": frame(1, b'{"type":"order"}'),
    "two greetings": frame(1, b'{"type":"hello","hello":{}}') * 2,
    "a bad close": frame(8, b"\x00"),
}


def test_websockets_abused(srv):
    def abuse(data):
        out = b""
        with srv.connect("127.0.0.6") as s:
            s.settimeout(PATIENCE)
            try:
                s.sendall(UPGRADE)
                s.sendall(data)
                while piece := s.recv(65536):
                    out += piece
            except ConnectionError:
                pass
        return out  # a time-out is raised: the server must close
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for name, out in zip(WEBSOCKETS, pool.map(abuse, WEBSOCKETS.values())):
            assert out.startswith(b"HTTP/1.1 101 "), (name, out)
            assert b"welcome" not in out, name
    srv.lives()


def test_websocket_pings_and_half_open(srv):
    before = int(pathlib.Path(f"/proc/{srv.children()['front'][0]}/statm").read_text().split()[1])
    with srv.connect("127.0.0.6") as s:
        s.settimeout(PATIENCE)
        s.sendall(UPGRADE)
        try:
            for _ in range(200):  # never read
                s.sendall(frame(9, b"p" * 125) * 100)
        except OSError:
            pass
        after = int(pathlib.Path(f"/proc/{srv.children()['front'][0]}/statm").read_text().split()[1])
        assert (after - before) * 4096 < 32 << 20
    for _ in range(20):
        s = srv.connect("127.0.0.6")
        s.sendall(UPGRADE)
        s.detach()  # the descriptor goes without goodbye
    page = srv.raw(UPGRADE.replace(b"Host: a\r\n", b"Host: a\r\nOrigin: https://evil.example\r\n"))
    assert answers(page) == [b"403"]
    srv.lives()


def test_as_many_connections_as_the_process_may_have(org):
    """Started by somebody with few open files: each front takes all that it may have, and no number need be told."""
    s = Server(org, "server-files", "fronts = 1")
    (front,) = s.children()["front"]
    soft, hard = re.search(r"Max open files +(\d+) +(\d+)", pathlib.Path(f"/proc/{front}/limits").read_text()).groups()
    assert soft == hard
    s.stop()


def test_one_address_has_its_share(srv):
    def asks(s):
        s.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
        return s.recv(65536).startswith(b"HTTP/1.1 200 ")
    held = [srv.connect("127.0.0.7") for _ in range(40)]
    assert all(asks(s) for s in held)  # nobody cuts them for being slow
    for _ in range(20):
        with pytest.raises(OSError):
            srv.connect("127.0.0.7")
    srv.lives()  # others come in
    assert all(asks(s) for s in held)
    for s in held:
        s.close()
    until(lambda: answers(srv.raw(b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "127.0.0.7")) == [b"200"], "it may come again")


# --- uploads ---

def usual_name(data):
    """As a package's file is called by what is in it; any, when that can't be read."""
    try:
        control = zipfile.ZipFile(io.BytesIO(data)).read("WAPT/control").decode()
    except (zipfile.BadZipFile, KeyError):
        return "unreadable_1_all.wapt"
    c = dict((part.strip() for part in line.split(":", 1)) for line in control.splitlines() if ":" in line)
    return "_".join(x for x in (c["package"], c["version"], c["architecture"], c.get("maturity", "")) if x not in ("", "all")) + ".wapt"


def begin(srv, token, data, **what):
    """Announces data: status and answer."""
    body = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **({} if "host" in what else {"name": usual_name(data)}), **what}
    status, text, _ = srv.call("POST", "/api/v1/uploads", body, token=token)
    return status, json.loads(text)


def put(srv, token, data, query="", **what):
    """A package as a whole, in the steps that it takes: status and text of the last answer."""
    status, answer = begin(srv, token, data, **what)
    if status != 200:
        return status, json.dumps(answer)
    path = f"/api/v1/uploads/{answer['id']}"
    if answer["offset"] < len(data):
        status, text, _ = srv.call("PUT", f"{path}?offset={answer['offset']}", data[answer["offset"]:], token=token)
        if status != 200:
            return status, text.decode(errors="replace")
    status, text, _ = srv.call("POST", f"{path}/finish{query}", token=token)
    return status, text.decode(errors="replace")


def index(srv):
    path = srv.seen / "repo/wapt/Packages"
    return zipfile.ZipFile(path).read("Packages").decode() if path.exists() else ""


def test_f2a_uploads_that_lie_or_stop(srv, org):
    token = srv.token()
    good = org.package("hostile-upload", "1", "Developer", org.base / "hostile")
    data = good.read_bytes()
    status, up = begin(srv, token, data)
    assert status == 200 and (up["offset"], up["state"]) == (0, "open")
    path, head = f"/api/v1/uploads/{up['id']}", f"HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    # Stops half-way: what came stays.
    with srv.connect() as s:
        s.sendall(f"PUT {path}?offset=0 {head}Content-Length: {len(data)}\r\n\r\n".encode() + data[:100])
        until(lambda: json.loads(srv.call("GET", path, token=token)[1])["offset"] == 100, "it comes in")
        # Meanwhile nobody else writes to it, and it can't be finished.
        until(lambda: srv.call("PUT", f"{path}?offset=100", data[100:], token=token)[0] == 429, "one at a time")
        assert srv.call("POST", f"{path}/finish", token=token)[0] == 429
    until(lambda: srv.call("POST", f"{path}/finish", token=token)[0] == 409, "it is not whole")
    # At another place than its end, beyond its end, more than it shall be, at no place.
    for query, body, expected in (("offset=0", data, 409), ("offset=101", data[101:], 409), ("offset=100", data[100:] + b"x", 413), ("", data, 400),
                                  (f"offset={len(data)}", b"x", 400), ("offset=-1", data, 400), ("offset=x", data, 400)):
        assert srv.call("PUT", f"{path}?{query}", body, token=token)[0] == expected, query
    # Shorter than it is: the rest is no request.
    short = srv.raw(f"PUT {path}?offset=100 {head}Content-Length: 100\r\n\r\n".encode() + data[100:])
    assert answers(short)[0] == b"200" and all(a[:1] == b"4" for a in answers(short)[1:]), short
    # Asked for anew it is the same one. Others' bytes under its name: what came is thrown away, and it begins again.
    assert begin(srv, token, data)[1] == {**up, "offset": 200}
    assert srv.call("PUT", f"{path}?offset=200", bytes(len(data) - 200), token=token)[0] == 200
    status, text, _ = srv.call("POST", f"{path}/finish", token=token)
    assert status == 409 and b"sent again" in text
    assert begin(srv, token, data)[1] == up
    assert srv.call("DELETE", path, token=token)[0] == 200
    assert srv.call("GET", path, token=token)[0] == 404
    # What can't be announced.
    for what in ({"size": 0}, {"size": -1}, {"size": 1 << 50}, {"sha256": "x"}, {"name": "x"}, {"name": "../x.wapt"}, {"name": ".x.wapt"}, {"name": "a/b.wapt"},
                 {"name": ""}, {"host": "../x"}, {"host": "x", "name": "x.wapt"}, {"more": 1}):
        assert begin(srv, token, data, **what)[0] in (400, 413), what
    # No package, a package of a stranger, another name, another section, half a package.
    assert put(srv, token, b"no package")[0] in (400, 403)
    assert put(srv, token, data[:-10])[0] in (400, 403)
    status, text = put(srv, token, org.package("hostile-strange", "1", "Stranger", org.base / "hostile").read_bytes())
    assert status == 403 and "refused" in text
    status, text = put(srv, token, data, name="other-name_1_all.wapt")
    assert status == 403 and "hostile-upload" in text
    assert put(srv, token, data, host="some-host")[0] == 403
    assert srv.incoming() == [] and srv.published() == [] and "hostile" not in index(srv)
    # And in the end it is taken, and once more.
    status, text = put(srv, token, data)
    assert status == 200, text
    assert put(srv, token, data)[0] == 200
    assert "hostile-upload" in index(srv)
    assert "package.changed" in srv.log() and "package.refused" in srv.log() and "user=admin" in srv.log()


def test_two_uploads_of_the_same(srv, org):
    token = srv.token()
    data = org.package("hostile-twice", "1", "Developer", org.base / "hostile").read_bytes()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda _: put(srv, token, data)[0], range(6)))
    assert 200 in got and set(got) <= {200, 409, 429}, got  # they help with one upload, or come too late
    assert put(srv, token, data)[0] == 200
    (name,) = [n for n in srv.published() if "hostile-twice" in n]
    assert (srv.seen / "repo/wapt" / name).read_bytes() == data
    assert index(srv).count("package           : hostile-twice") == 1 or index(srv).count("hostile-twice\n") == 1
    assert srv.incoming() == []
    # Deleted: only what is a package's file.
    for path in ("Packages", "..%2fx.wapt", "none.wapt"):
        assert srv.call("DELETE", f"/api/v1/packages/{path}", token=token)[0] in (400, 404)
    assert srv.call("DELETE", f"/api/v1/packages/{name}", token=token)[0] == 200
    assert name not in srv.published() and "hostile-twice" not in index(srv)


def test_disk_full(org):
    srv = Server(org, "server-full", "fronts = 1\nupload_keep_free_mib = 1", on_tmpfs="24m")
    try:
        token = srv.token()
        good = org.package("full-first", "1", "Developer", org.base / "hostile").read_bytes()
        assert put(srv, token, good)[0] == 200
        before, names = index(srv), srv.published()
        again = org.package("full-second", "1", "Developer", org.base / "hostile").read_bytes()
        fill = srv.seen / "fill"
        with pytest.raises(OSError), open(fill, "wb") as f:
            while True:
                f.write(b"\0" * 65536)
                f.flush()
        status, text = put(srv, token, again)
        assert status == 507 and ("full" in text or "space" in text) and str(srv.dir) not in text, text
        # The database's writes: each says so, and leaves all as it was.
        got = {srv.login()[0] for _ in range(30)}
        assert got <= {200, 507}, got
        assert srv.published() == names and index(srv) == before
        assert srv.incoming() == []
        fill.unlink()
        until(lambda: srv.login()[0] == 200, "it works again")
        assert put(srv, token, again)[0] == 200
        assert "full-second" in index(srv)
        assert srv.died() == 0
    finally:
        srv.stop()


# --- start and setup ---

def refused_start(server, expected, *words):
    p = run(BIN / "waptserver", "run", "--config", server / "waptserver.ini", ok=False)
    assert p.returncode == expected, p.text
    for word in words:
        assert word in p.text, p.text


def test_start_tells_the_truth(srv, org):
    base = org.base / "server-start"
    assert run(BIN / "waptserver", "run", "--config", base / "waptserver.ini", ok=False).returncode == 11
    port = free_port()
    make = [BIN / "waptserver", "setup", "--dir", base, "--name", "localhost", "--bind", "127.0.0.1", "--port", port, "--admin-password-file", org.base / "admin.pw"]
    run(*make)
    # A second time: nothing is touched.
    before = {p: p.read_bytes() for p in base.rglob("*") if p.is_file()}
    again = run(*make, ok=False)
    assert again.returncode == 13 and "already" in again.text
    assert {p: p.read_bytes() for p in base.rglob("*") if p.is_file()} == before
    ini, key, crt = base / "waptserver.ini", base / "private/tls.pem", base / "private/tls.crt"
    text = ini.read_text()
    # The port of somebody else, and of a server that runs.
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        s.listen()
        refused_start(base, 19, "in use", str(port))
    ini.write_text(text.replace(f"port = {port}", f"port = {srv.port}"))
    refused_start(base, 19, "in use", str(srv.port))
    srv.lives()
    for wrong in (text.replace(str(port), "99999"), text + "fronts = many\n", text + "[unfinished\n", text.replace("127.0.0.1", "nowhere")):
        ini.write_text(wrong)
        assert run(BIN / "waptserver", "run", "--config", ini, ok=False).returncode in (10, 11)
    ini.write_text(text)
    # Key and certificate.
    whole = key.read_bytes()
    key.write_bytes(b"nonsense")
    refused_start(base, 11, "key")
    key.unlink()
    refused_start(base, 11, "key", "tls.pem")
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)], check=True)
    refused_start(base, 11, "not the key")
    good = crt.read_bytes()
    subprocess.run(["openssl", "req", "-x509", "-key", str(key), "-subj", "/CN=localhost", "-days", "-1", "-out", str(crt)], check=False, capture_output=True)
    if crt.read_bytes() == good:  # a version that makes no expired one
        subprocess.run(["openssl", "x509", "-in", str(crt), "-signkey", str(key), "-days", "-1", "-out", str(crt)], check=True, capture_output=True)
    refused_start(base, 11, "expired")
    key.write_bytes(whole)
    crt.write_bytes(good)
    # A database that is none.
    db = base / "db/waptserver.sqlite"
    data = db.read_bytes()
    db.write_bytes(b"this is no database " * 500)
    refused_start(base, 10, "process could not start", "database")  # the first of those that open it
    db.write_bytes(data)
    p = org.start("server-start", "waptserver", "run", "--config", ini)
    until(lambda: "server.started" in (org.base / "server-start.log").read_text(), "mended, it starts")
    assert end(p) == 0


def test_f1a_tokens_are_listed_and_revoked(org):
    token = org.token("--uses", "3")
    config = ["--config", org.base / "server/waptserver.ini"]
    listed = json.loads(run(BIN / "waptserver", "enrol-token", "list", "--json", *config).stdout)["result"]
    import hashlib  # pylint: disable=import-outside-toplevel
    name = hashlib.sha256(token.read_text().strip().encode()).hexdigest()[:12]
    (mine,) = [t for t in listed if t["id"] == name]
    assert mine["uses"] == 3 and mine["expires"] > time.time()
    run(BIN / "waptserver", "enrol-token", "revoke", name, *config)
    assert run(BIN / "waptserver", "enrol-token", "revoke", name, *config, ok=False).returncode == 12
    assert run(BIN / "waptserver", "enrol-token", "revoke", "x", *config, ok=False).returncode == 2
    assert run(BIN / "waptserver", "enrol-token", "burn", *config, ok=False).returncode == 2
    assert name not in run(BIN / "waptserver", "enrol-token", "list", *config).stdout
    assert org.get("register", "--force", "--token-file", token, ok=None).returncode in (0, 6)  # its own key is proof enough


# --- those who were slow all the time ---

def test_slow_clients_are_cut(srv):
    dripping, end = srv.slow["a head byte by byte"], time.monotonic() + 90
    waiting = dict(srv.slow)
    for c in waiting.values():
        c.settimeout(0.2)
    while waiting and time.monotonic() < end:
        try:
            dripping.sendall(b"G")
        except OSError:
            pass
        for name, c in list(waiting.items()):
            try:
                while c.recv(65536):
                    pass
                del waiting[name]
            except TimeoutError:
                pass
            except OSError:
                del waiting[name]
    assert not waiting
    srv.lives()


