"""More attacks on the real server: its TLS, bodies that grow, machines that went bad, many addresses at once, what logs tell."""
import concurrent.futures
import csv
import gzip
import io
import json
import pathlib
import re
import socket
import ssl
import subprocess
import time
import uuid as uuidlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from conftest import BIN, run, until
from test_f1_machine import machine_of_ours, registration, send
from test_server_hostile import UPGRADE, Server, answers, frame


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-attacks", "fronts = 1")
    yield s
    died = s.died()
    s.stop()
    assert died == 0, s.log()[-3000:]


# --- TLS ---

def s_client(srv, *options, say="Q\n"):
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{srv.port}", *options], input=say, capture_output=True, text=True, timeout=30, check=False)
    return p.stdout + p.stderr


def test_tls_is_modern(srv):
    old = ["-cipher", "ALL:@SECLEVEL=0"]
    for version in ("-tls1", "-tls1_1"):
        text = s_client(srv, version, *old)
        assert "Cipher is (NONE)" in text or "Cipher    : 0000" in text, (version, text[-500:])
    for cipher in ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "NULL", "aNULL", "CAMELLIA128-SHA"):
        text = s_client(srv, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
        assert "BEGIN CERTIFICATE" not in text and "Verification: OK" not in text or "Cipher is (NONE)" in text, (cipher, text[-500:])
    for options in (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], ["-tls1_3"]):
        text = s_client(srv, *options, "-alpn", "h2,http/1.1", "-comp")
        assert "BEGIN CERTIFICATE" in text and "Compression: NONE" in text and "ALPN protocol: h2" not in text, text[-1500:]
    # Asked in the middle of TLS 1.2 to begin anew, it says no, or goes.
    text = s_client(srv, "-tls1_2", say="R\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
    assert "no renegotiation" in text or "HTTP/1.1 200" not in text, text[-500:]
    srv.lives()


def test_tickets_bring_back_the_same_client_only(srv):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session = None
    for expected in (False, True, True):
        with socket.create_connection(("127.0.0.1", srv.port)) as raw, context.wrap_socket(raw, session=session) as s:
            s.sendall(b"GET /api/v1/hosts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            data = b""
            while piece := s.recv(65536):
                data += piece
            assert s.session_reused == expected
            assert answers(data) == [b"401"]  # who comes back on a ticket is nobody
            session = s.session


# --- what every answer says ---

def test_every_answer_has_the_strict_headers(srv):
    token = srv.token()
    asked = {200: ("GET", "/ping"), 401: ("GET", "/api/v1/hosts"), 404: ("GET", "/nothing"), 405: ("POST", "/ping"), 400: ("POST", "/agent/v1/report"), 403: ("GET", "/wapt-host/Packages")}
    heads = {status: srv.call(*what, body=b"{}" if what[0] == "POST" else b"") for status, what in asked.items()}
    heads[2000] = srv.call("GET", "/api/v1/hosts", token=token)
    heads[4130] = srv.call("POST", "/api/v1/session", b"x" * 9000)
    heads[4001] = (400, b"", srv.raw(b"nonsense\r\n\r\n").decode())
    heads[1010] = (101, b"", srv.raw(UPGRADE + frame(8, b"")).split(b"\r\n\r\n")[0].decode())
    for status, (got, _, head) in heads.items():
        assert got == (status if status < 1000 else status // 10), (status, head)
        assert re.search(r"^X-Content-Type-Options: nosniff\r?$", head, re.M) or got == 101, head
        assert re.search(r"^Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r?$", head, re.M) or got == 101, head
        assert re.search(r"^Strict-Transport-Security: max-age=\d+\r?$", head, re.M) or got == 101, head
        assert not re.search(r"^(Server|X-Powered-By|Set-Cookie|Access-Control-.*):", head, re.M | re.I), head
    assert "Cache-Control: no-store" in heads[2000][2]


# --- what grows ---

def memory(srv, role):
    return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in srv.children()[role])


def test_nothing_is_inflated(srv):
    bomb = gzip.compress(b"[" * (64 << 20))
    before = memory(srv, "front") + memory(srv, "store")
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        status, _, _ = srv.call("POST", "/agent/v1/report", bomb, headers=(f"Content-Encoding: {coding}",))
        assert status in (400, 415), (coding, status)
    # Nor of deep or wide JSON, of which little is sent.
    for body in (b"[" * 100000, b'{"a":' * 50000, b'{"signed":"' + b"\\u0000" * 50000 + b'"}', b"[" + b"1," * 200000 + b"1]", b'{"signed":1e999999999}'):
        assert srv.call("POST", "/agent/v1/report", body)[0] in (400, 413), body[:20]
    head = srv.raw(UPGRADE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"))
    assert answers(head)[0] == b"101" and b"extensions" not in head.lower()
    assert memory(srv, "front") + memory(srv, "store") - before < 48 << 20
    srv.lives()


# --- credentials ---

def test_many_addresses_guess_one_password(srv):
    run(BIN / "waptserver", "user", "add", "guessed", "--role", "helpdesk", "--password-file", srv.org.base / "admin.pw", "--config", srv.dir / "waptserver.ini")
    assert srv.login("guessed", source="127.0.0.40")[0] == 200  # a place from where this person comes
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = [r[0] for r in pool.map(lambda i: srv.login("guessed", f"stuffed {i}", source=f"127.0.1.{i}"), range(1, 61))]
    assert set(got) <= {401, 429} and got.count(401) <= 20, got
    assert srv.login("guessed", source="127.0.2.1")[0] == 429, "from elsewhere, nobody for a minute"
    assert srv.login("guessed", source="127.0.0.40")[0] == 200, "the person's own place still works"
    assert srv.call("GET", "/ping")[0] == 200


# --- a machine that went bad ---

EVIL = ["<script>alert(1)</script>", "=HYPERLINK(\"http://evil\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "'; DROP TABLE hosts; --", "a\x1b[31mb", "${jndi:ldap://x}",
        "%s%s%n", "../../etc/passwd", "\u202eevil", "x" * 5000]


def test_f1d_a_rogue_machine(org):
    """It may say of itself what it likes: it is shown as text, cut, and nobody else's row changes."""
    uuid = str(uuidlib.uuid4())
    key, cert = machine_of_ours(uuid)
    assert send(org, "/agent/v1/register", key, registration(org, uuid, cert))[0] == 200
    before = next(h for h in org.hosts() if h["uuid"] == org.uuid)
    now = int(time.time())
    for n, text in enumerate(EVIL):
        sections = {"host_info": {"computer_name": text, "computer_fqdn": text, "os_name": text, text[:60]: text}, "host_status": text[:32],
                    "installed_softwares": [{"name": text, "version": text, "publisher": text, "key": text}], "installed_packages": [{"package": text, "version": text}],
                    "wapt_status": {"setuphelpers": text}}
        body = {"purpose": "wapt-status", "uuid": uuid, "seq": 100 + n, "time": now, "status_hashes": {}, **sections}
        got = []
        until(lambda b=body: got.append(send(org, "/agent/v1/report", key, b)) or got[-1][0] != 429, "it is its turn")  # a busy server takes long for each
        status, answer = got[-1]
        assert status in (200, 400), (text, answer)
        if status == 400:
            continue
        listed = org.console("hosts", "--csv")
        for row in csv.reader(io.StringIO(listed.stdout)):
            assert not any(cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and cell != "-") for cell in row), row
        assert len(listed.stdout) < 100000
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", org.console("hosts").stdout)
    # Another's row, another's purpose, one's own past, a far future, a number beyond all.
    for lie in ({"uuid": org.uuid, "seq": 900}, {"uuid": uuid, "seq": 100}, {"uuid": uuid, "seq": 901, "time": now + 90000}, {"uuid": uuid, "seq": 1 << 70},
                {"uuid": uuid, "seq": -1}, {"uuid": "../" + uuid, "seq": 902}, {"uuid": uuid, "seq": 903, "hosts": {}}, {"uuid": uuid, "seq": 904, "purpose": "wapt-register"}):
        status, answer = send(org, "/agent/v1/report", key, {"purpose": "wapt-status", "time": now, "status_hashes": {}, **lie})
        assert 400 <= status < 500, (lie, answer)
    # Many at once: each counted once, and others are served meanwhile.
    def one(n):
        return send(org, "/agent/v1/report", key, {"purpose": "wapt-status", "uuid": uuid, "seq": 2000 + n // 2, "time": now, "status_hashes": {}, "host_status": "OK"})[0]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(one, range(60)))
    assert set(got) <= {200, 409, 429} and got.count(200) <= 30, got
    after = next(h for h in org.hosts() if h["uuid"] == org.uuid)
    assert {k: before[k] for k in ("name", "fqdn", "os")} == {k: after[k] for k in ("name", "fqdn", "os")}
    log = (org.base / "server.log").read_bytes()
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", log)
    assert org.console("hosts", "--json").returncode == 0


def test_f1d_who_floods_keeps_nobody_waiting(org):
    """As much as it may say, all of it new each time: it is told to wait, and the others are not. Nor do large reports of nobody hold them up."""
    uuid = str(uuidlib.uuid4())
    key, cert = machine_of_ours(uuid)
    assert send(org, "/agent/v1/register", key, registration(org, uuid, cert))[0] == 200

    def flood(n):
        titles = [{"name": f"software {n} {i}"} for i in range(10000)]
        return send(org, "/agent/v1/report", key, {"purpose": "wapt-status", "uuid": uuid, "seq": 100 + n, "time": int(time.time()), "status_hashes": {},
                                                   "installed_softwares": titles})[0]
    assert next(status for status in map(flood, range(500)) if status != 200) == 429
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        nobody, large = rsa.generate_private_key(65537, 2048), [{"name": "x" * 100}] * 90000
        stranger = {"purpose": "wapt-status", "uuid": str(uuidlib.uuid4()), "seq": 1, "time": int(time.time()), "status_hashes": {}, "installed_softwares": large}
        got = [pool.submit(send, org, "/agent/v1/report", nobody, stranger) for _ in range(8)]
        assert org.console("hosts", "--json").returncode == 0
        assert {g.result()[0] for g in got} <= {401, 429}


# --- what logs tell ---

def secrets_of(base):
    """What must stay where it is: the lines of each private key, passwords, tokens."""
    out = set()
    for path in [*base.rglob("*.pem"), *base.rglob("pw"), *base.rglob("admin.pw"), *base.rglob("token-*")]:
        lines = path.read_text(errors="replace").splitlines()
        if path.suffix != ".pem" or any("PRIVATE KEY" in line for line in lines):
            out |= {line.strip() for line in lines if len(line.strip()) >= 12 and "-----" not in line}
    return out


def test_b4_logs_hold_no_secret(org):
    secrets = secrets_of(org.base)
    assert len(secrets) > 10
    password = (org.base / "admin.pw").read_text().strip()
    wrong = org.base / "wrong.pw"
    wrong.write_text("almost-" + password + "\n")
    wrong.chmod(0o600)
    token = org.token("--uses", "2").read_text().strip()
    got = {token, "almost-" + password}

    def ask(method, path, body=None, bearer=None):
        p = subprocess.run(["curl", "-sk", "-X", method, f"{org.url}{path}", *(["-H", f"Authorization: Bearer {bearer}"] if bearer else []), *(["--data-binary", json.dumps(body)] if body else [])],
                           capture_output=True, text=True, timeout=60, check=True)
        return json.loads(p.stdout) if p.stdout.startswith("{") else {}
    for user, secret in (("admin", "almost-" + password), ("nobody", "almost-" + password), ("admin", password)):
        got.add(ask("POST", "/api/v1/session", {"user": user, "password": secret}).get("token", token))
    session = next(s for s in got if re.fullmatch("[0-9a-f]{64}", s))
    made = ask("POST", "/api/v1/account/tokens", {"name": "of the logs", "scopes": ["view"], "days": 1}, session)
    factor = ask("POST", "/api/v1/account/second-factor", {"password": password}, session)
    for answer in (made, factor):
        got |= {v for v in answer.values() if isinstance(v, str) and len(v) >= 16}
    ask("GET", f"/api/v1/hosts?search={session}", bearer=session)
    ask("GET", "/api/v1/hosts", bearer=token)  # the wrong kind
    org.get("register", "--force", "--token-file", org.token("--uses", "1"))

    def ended():
        return (org.base / "server.log").read_text(errors="replace").count("login.ended")
    before = ended()
    ask("DELETE", "/api/v1/session", bearer=session)
    until(lambda: ended() > before, "the log has all of it")
    for log in org.base.glob("*.log"):
        text = log.read_text(errors="replace")
        for secret in secrets | got:
            assert secret not in text, (log.name, secret[:6])
