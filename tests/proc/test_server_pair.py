"""Two servers over one PostgreSQL behind a real HAProxy, as docs/deployment.md has them: the leading one is killed under load. All
machines come back on the other, and no order is lost or carried out twice."""
import contextlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from conftest import BIN, PATIENCE, ROOT, end, free_port, run, until
from test_server_hostile import Server
from test_server_postgres import Postgres

sys.path.insert(0, str(pathlib.Path(ROOT) / "bench"))
import scale  # pylint: disable=wrong-import-position

COUNT = 60


BALANCER = "127.0.0.2"  # from where it connects to the servers, and says for whom
PROXY = f"proxy_protocol_from = {BALANCER}"


class Second(Server):
    """One more server, joined with an archive of the first."""

    def __init__(self, org, first, name):  # pylint: disable=super-init-not-called
        self.org, self.name, self.dir, self.log_file = org, name, org.base / name, org.base / f"{name}.log"
        self.port = free_port()
        archive = org.base / f"{name}.zip"
        run(BIN / "waptserver", "backup", "--config", first.dir / "waptserver.ini", archive)
        run(BIN / "waptserver", "setup", "--join", archive, "--dir", self.dir, "--node", name, "--port", self.port)
        ini = self.dir / "waptserver.ini"
        if PROXY not in ini.read_text():
            ini.write_text(ini.read_text().replace("[options]\n", f"[options]\n{PROXY}\n", 1))
        with open(self.log_file, "ab") as out:
            self.process = subprocess.Popen([BIN / "waptserver", "run", "--config", self.dir / "waptserver.ini"], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, cwd="/")
        until(lambda: "server.started" in self.log(), "the second server has started")
        self.password = (org.base / "admin.pw").read_text().strip()


class Balancer:
    def __init__(self, base, servers):
        self.port = free_port()
        lines = "\n".join(f"    server {s.name} 127.0.0.1:{s.port} send-proxy-v2 check-send-proxy source {BALANCER} check inter 500 fall 2 rise 1"
                          for s in servers)
        (base / "haproxy.cfg").write_text(f"""global
    maxconn 2000
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    option redispatch
    retries 3
frontend wapt
    bind 127.0.0.1:{self.port}
    default_backend servers
backend servers
    balance roundrobin
{lines}
""")
        self.process = subprocess.Popen(["haproxy", "-db", "-f", str(base / "haproxy.cfg")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self.listens, "the balancer listens")

    def listens(self):
        assert self.process.poll() is None
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        end(self.process)


class Single:
    """One server over SQLite, and simulated machines (more: of the simulator)."""

    def __init__(self, org, *more, count=COUNT):
        self.org, self.first = org, Server(org, "single", "fronts = 3")
        self.second = self.first
        self.be_reached_at(self.first.port, count, more)

    def be_reached_at(self, port, count, more):
        # What scale.order() asks for.
        self.port, self.url, self.base, self.cert = port, f"https://127.0.0.1:{port}", self.org.base, self.org.cert
        self.server_fp = self.org.fingerprint(self.first.dir / "private/tls.crt")
        self.token = self.base / "fleet-token"
        self.token.write_text(run(BIN / "waptserver", "enrol-token", "--uses", count + 1, "--config", self.first.dir / "waptserver.ini").stdout)
        self.token.chmod(0o600)
        self.session = self.first.token()  # good at both
        self.shards = scale.Shards(self, count, str(self.token), *more)

    def agent(self):
        """A machine of the real kind."""
        name = f"agent-of-{self.first.name}"
        base = self.base / name
        ini = self.org.new_agent(base)
        ini.write_text(ini.read_text().replace(self.org.url, self.url).replace("[global]", f"[global]\nuuid = real\nverify_cert = {self.first.dir}/private/tls.crt"))
        self.org.start_agent(name, ini)
        run(BIN / "wapt-get", "-c", ini, "register", "--token-file", self.token)

    def reachable(self, server):
        status, body, _ = server.call("GET", "/api/v1/hosts?reachable=1&limit=1", token=self.session)
        return json.loads(body)["total"] if status == 200 else status

    def stop(self):
        self.shards.stop()
        self.first.stop()


class Pair(Single):
    """Two over one PostgreSQL."""

    def __init__(self, org, *more, count=COUNT):  # pylint: disable=super-init-not-called
        self.org, self.pg = org, Postgres()
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(str(org.base / "syslog"))
        os.chmod(org.base / "syslog", 0o666)
        self.syslog.settimeout(PATIENCE)
        self.first = Server(org, "pair-a", f"fronts = 2\n{PROXY}\nsyslog = {org.base}/syslog", setup=("--database", self.pg.url, "--node", "pair-a"))
        self.second = Second(org, self.first, "pair-b")
        self.balancer = Balancer(org.base, (self.first, self.second))
        self.be_reached_at(self.balancer.port, count, more)

    def sql(self, query):
        return subprocess.run([str(self.pg.bin / "psql"), "-At", self.pg.url, "-c", query], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout.split()

    def stop(self):
        self.shards.stop()
        self.balancer.stop()
        for s in (self.first, self.second):
            if s.process.poll() is None:
                s.stop()
        self.pg.stop()
        self.pg.remove()
        self.syslog.close()


@pytest.fixture(scope="module")
def both(org):
    p = Pair(org)
    yield p
    p.stop()


@pytest.fixture
def pair(both):
    """Each of them there."""
    for server in (both.first, both.second):
        if server.process.poll() is not None:
            server.again()
    return both


def say(source, port, first, url="/api/v1/session"):
    """The status of a wrong login in a connection from that address, that begins with these bytes; 0: nobody answers."""
    body = b'{"user": "nobody", "password": "wrong"}'
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0)) as plain:
            plain.sendall(first)
            with context.wrap_socket(plain) as s:
                s.sendall(f"POST {url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                return int(s.recv(65536).split(b" ")[1])
    except (OSError, IndexError):
        return 0


def test_clients_keep_their_addresses(pair):
    header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("192.0.2.7") + socket.inet_aton("127.0.0.1") + bytes(4)
    assert say("127.0.0.9", pair.port, b"") == 401  # by way of HAProxy
    until(lambda: any("peer=127.0.0.9" in s.log() for s in (pair.first, pair.second)), "it is known by its own address")
    port = pair.first.port
    pair.syslog.setblocking(False)
    with contextlib.suppress(BlockingIOError):  # a queue that is full takes no more
        while pair.syslog.recv(4096):
            pass
    pair.syslog.settimeout(PATIENCE)
    assert say(BALANCER, port, header) == 401
    until(lambda: "peer=192.0.2.7" in pair.first.log(), "the proxy's word counts")
    told = ""  # so are limits, and syslog
    while "peer=192.0.2.7" not in told:
        told = pair.syslog.recv(4096).decode()
    assert told.startswith("<84>1 ") and " waptserver - login.denied - " in told, told
    assert say(BALANCER, port, b"") == 0 and say(BALANCER, port, b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n") == 0
    assert say("127.0.0.9", port, b"") == 401 and say("127.0.0.9", port, header) == 0


def test_the_leader_dies_under_load(pair):
    got = pair.shards.all("register", "16")
    assert (got["done"], got["failed"]) == (COUNT, 0), got
    pair.agent()
    got = pair.shards.all("connect", "32")
    assert got["welcome"] == COUNT, got
    for server in (pair.first, pair.second):
        until(lambda s=server: pair.reachable(s) == COUNT + 1, f"{server.name} shows all, whichever server they are connected to")
    assert sorted(pair.sql("SELECT DISTINCT node FROM presence")) == ["pair-a", "pair-b"]
    # What one server revokes ends the machine's connection at the other, and whom one takes the rights from watches no longer there.
    (here,) = pair.sql("SELECT node FROM presence WHERE uuid = 'real'")
    holder, elsewhere = (pair.first, pair.second) if here == "pair-a" else (pair.second, pair.first)
    before = holder.log().count("push.closed")
    assert elsewhere.call("DELETE", "/api/v1/hosts/real/certificate", token=pair.session)[0] == 200
    until(lambda: holder.log().count("push.closed") > before, "its connection is closed")
    until(lambda: pair.sql("SELECT count(*) FROM certificates WHERE uuid = 'real' AND revoked = 0") == ["1"], "it has another certificate")
    until(lambda: pair.reachable(pair.first) == COUNT + 1, "and is back")
    run(BIN / "waptserver", "user", "add", "watcher", "--role", "readonly", "--password-file", pair.base / "admin.pw", "--config", pair.first.dir / "waptserver.ini")
    session = json.loads(pair.second.login(user="watcher")[1])["token"]
    with pair.second.connect("127.0.0.1") as s:
        s.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {session}\r\n\r\n".encode())
        assert b"200" in s.recv(65536)
        run(BIN / "waptserver", "user", "disable", "watcher", "--config", pair.first.dir / "waptserver.ini")
        told = b""
        while b"event: end" not in told:
            piece = s.recv(65536)
            assert piece, told
            told += piece
    (leader,) = pair.sql("SELECT name FROM nodes WHERE leads = 1")
    doomed, other = (pair.first, pair.second) if leader == "pair-a" else (pair.second, pair.first)

    # Orders to all while reports come in; the leader is killed in the middle.
    orders = threading.Thread(target=lambda: [scale.order(pair, pattern) for pattern in ("s*", "real", "s00001*", "real")])
    reports = threading.Thread(target=lambda: pair.shards.all("status", 600, "16"))
    reports.start()
    orders.start()
    until(lambda: pair.sql("SELECT 1 FROM actions LIMIT 1"), "the first orders are taken")
    doomed.process.kill()
    doomed.process.wait()
    orders.join()
    reports.join()
    until(lambda: pair.sql("SELECT name FROM nodes WHERE leads = 1") == [other.name], "the other leads")
    until(lambda: f"node.died node={doomed.name}" in other.log(), "it has noted that")

    got = pair.shards.all("connect", "32")
    assert got["welcome"] == COUNT, got
    until(lambda: pair.reachable(other) == COUNT + 1, "all are back on the other")
    assert scale.order(pair, "*").returncode == 0
    until(lambda: pair.sql("SELECT count(*) FROM actions WHERE uuid <> 'real' AND state <> 'delivered'") == ["0"], "every order has reached its machine")
    until(lambda: pair.sql("SELECT count(*) FROM actions WHERE uuid = 'real' AND state <> 'done'") == ["0"], "every result is there")
    log = (pair.base / "agent-of-pair-a.log").read_text(errors="replace")
    for action in pair.sql("SELECT id FROM actions WHERE uuid = 'real'"):
        assert log.count(f"action.accepted id={action}") == 1
    for node in ("pair-a", "pair-b"):
        assert node in pair.sql("SELECT DISTINCT node FROM journal")
    run(BIN / "waptserver", "journal", "verify", "--config", other.dir / "waptserver.ini")
