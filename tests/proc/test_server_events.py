"""What integrators build on, on the real server: live events."""
import contextlib
import csv
import io
import json
import re
import sqlite3

import pytest

from conftest import PATIENCE, until
from test_server_hostile import Server, put


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-events", "fronts = 2\nmetrics_addresses = 127.0.0.5")
    yield s
    s.stop()


def log_in(srv):
    status, body, _ = srv.login("admin", srv.password)
    assert status == 200, body
    return json.loads(body)["token"]


class Stream:
    """What a client of server-sent events has heard."""

    def __init__(self, srv, token, query="", headers=()):
        self.socket = srv.connect()
        self.socket.settimeout(PATIENCE)
        lines = [f"GET /api/v1/events{query} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *headers]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.text, self.is_over = b"", False
        while b"\r\n\r\n" not in self.text:
            self.hear()
        self.head = self.text.split(b"\r\n\r\n")[0].decode()

    def hear(self):
        piece = self.socket.recv(65536)
        self.is_over = self.is_over or piece == b""
        self.text += piece

    def until(self, word):
        while word not in self.text and not self.is_over:
            self.hear()
        assert word in self.text, self.text

    def events(self):
        """(kind, data) of each; the frames of HTTP are between them."""
        lines = self.text.decode().replace("\r\n", "\n").split("\n")
        kinds = [line[7:] for line in lines if line.startswith("event: ")]
        return list(zip(kinds, (json.loads(line[6:]) for line in lines if line.startswith("data: "))))

    def close(self):
        self.socket.close()


def test_events_come_as_they_happen(srv, org):
    token = log_in(srv)
    all_of_them, people_only = Stream(srv, token), Stream(srv, token, "?kinds=person")
    assert "200 OK" in all_of_them.head and "Content-Type: text/event-stream" in all_of_them.head
    assert "Cache-Control: no-store" in all_of_them.head
    package = org.package("events", "1", "Developer", org.base / "events").read_bytes()
    status, body = put(srv, token, package)
    assert status == 200, body
    name = json.loads(body)["file"]
    all_of_them.until(b'"what":"published"')
    (data,) = (d for kind, d in all_of_them.events() if kind == d["kind"] == "package")
    assert data["name"] == name
    all_of_them.until(b'"kind":"journal"')  # an act, and so another head
    made = json.dumps({"name": "watched", "role": "readonly", "password": "long enough for all"}).encode()
    assert srv.call("POST", "/api/v1/users", made, token=token)[0] == 200
    people_only.until(b'"what":"changed","name":"watched"')
    # Whoever comes back hears what it has missed, by the header that browsers send too.
    assert srv.call("DELETE", f"/api/v1/packages/{name.split('/')[-1]}", token=token)[0] == 200
    again = Stream(srv, token, "?kinds=package", headers=(f"Last-Event-ID: {data['id']}",))
    again.until(b'"what":"deleted"')
    assert [d["what"] for _, d in again.events()] == ["deleted"]
    late = Stream(srv, token, "?after=1")
    late.until(b"event: reload")
    # The stream ends with the session.
    assert srv.call("DELETE", "/api/v1/session", token=token)[0] == 200
    for stream in (all_of_them, people_only, again, late):
        stream.until(b"event: end")
        while not stream.is_over:
            stream.hear()
        assert stream.text.endswith(b"0\r\n\r\n")
        stream.close()
    assert b"package" not in people_only.text.split(b"\r\n\r\n", 1)[1]


def test_who_may_not_and_what_makes_no_sense(srv):
    token = log_in(srv)
    assert srv.call("GET", "/api/v1/events")[0] == 401
    assert srv.call("GET", "/api/v1/events", token="x" * 64)[0] == 401
    assert srv.call("GET", "/api/v1/events?kinds=all", token=token)[0] == 400
    assert srv.call("GET", "/api/v1/events", token=token, headers=("Last-Event-ID: now",))[0] == 400


def test_clients_that_leave_make_room(srv):
    token, streams = log_in(srv), []

    def all_have_room():
        for s in streams:
            s.close()
        streams[:] = [Stream(srv, token) for _ in range(8)]
        return all("200 OK" in s.head for s in streams)
    for _ in range(4):
        until(all_have_room, "there is room")
        assert srv.call("GET", "/api/v1/events", token=token)[0] == 429
        for s in streams[:4]:
            s.close()
        for s in streams[4:]:
            s.socket.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")  # it was to listen
            while not s.is_over:
                with contextlib.suppress(ConnectionError):
                    s.hear()
                    continue
                s.is_over = True
            assert b"server_uuid" not in s.text
            s.close()


# --- health and numbers ---

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? (\d+)')


def read_metrics(text):
    """Strictly what Prometheus' text format 0.0.4 allows, and less: every family has HELP and TYPE before its samples, which stand together."""
    assert text.endswith("\n") and "\r" not in text and "\n\n" not in text
    families, samples, current = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in families and line.count(" ") > 2, line
            families[current] = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and families[name] is None and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            families[name] = kind
        else:
            m = SAMPLE.fullmatch(line)
            assert m and m[1] == current and families[current], line
            assert (m[1], m[2]) not in samples, line
            samples[m[1], m[2]] = int(m[3])
    return samples


def test_health(srv):
    status, body, head = srv.call("GET", "/healthz")
    assert (status, body) == (200, b"ok\n") and "no-store" in head
    assert srv.call("HEAD", "/healthz")[0] == 200
    assert srv.call("POST", "/healthz")[0] == srv.call("POST", "/readyz")[0] == srv.call("PUT", "/metrics")[0] == 405
    status, body, _ = srv.call("GET", "/readyz")
    assert status == 200 and json.loads(body) == {"ready": True, "database": True, "signer": True, "disk": True}


BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("languages, wanted", [("fr-FR,fr;q=0.9,en;q=0.8", "fr"), ("en-GB,en;q=0.9,fr;q=0.8", "en"), ("fr;q=0.2, en;q=0.3", "en"), ("de", "en"), ("fr;q=,;;q", "en"),
                                               ("FR", "fr"), (None, "en")])
def test_a_browser_is_told_what_this_is(srv, languages, wanted):
    """A page without a script, a style or a version, of nothing that was asked; programs get what they got."""
    status, body, head = srv.call("GET", "/?x=<b>", headers=[BROWSER, *([f"Accept-Language: {languages}"] if languages else [])])
    page = body.decode()
    assert status == 200 and "Content-Type: text/html; charset=utf-8\r\n" in head and f"Content-Language: {wanted}\r\n" in head
    assert f'<html lang="{wanted}">' in page and "<code>waptconsole</code>" in page and ("Serveur WAPT" in page) == (wanted == "fr")
    assert not any(word in page.lower() for word in ("<script", "<style", "<link", "<img", "<form", "href", "src=", "0.1", "<b>"))
    assert srv.call("HEAD", "/", headers=[BROWSER])[1] == b""


def test_programs_get_no_page(srv):
    for headers in ([], ["Accept: */*"], ["Accept: application/json"]):
        status, body, _ = srv.call("GET", "/", headers=headers)
        assert status == 404 and json.loads(body)["error"]["code"] == "not_found"
    assert srv.call("GET", "/index.html", headers=[BROWSER])[0] == 404
    assert srv.call("POST", "/", headers=[BROWSER])[0] == 404


def test_metrics(srv):
    assert srv.call("GET", "/metrics")[0] == 401
    assert srv.call("GET", "/metrics", token="x" * 64)[0] == 401
    status, body, head = srv.call("GET", "/metrics", source="127.0.0.5")
    assert status == 200 and "Content-Type: text/plain; version=0.0.4" in head
    first = read_metrics(body.decode())
    assert first["wapt_database_up", None] == 1 and first["wapt_hosts_reachable", None] == 0
    assert first["wapt_disk_free_bytes", 'of="database"'] > 0 and first["wapt_certificate_days", None] > 300

    def counted():
        now = read_metrics(srv.call("GET", "/metrics", source="127.0.0.5")[1].decode())
        assert all(now[k] >= v for k, v in first.items() if k[0].endswith("_total")), "counters only grow"
        answers = sum(v for k, v in now.items() if k[0] == "wapt_http_answers_total" and k[1].endswith('kind="open",status="4xx"'))
        return answers >= 2 and now.get(("wapt_requests_refused_total", 'code="auth"'), 0) >= 2
    until(counted, "the fronts have told their numbers")
    token = log_in(srv)
    assert srv.call("GET", "/metrics", token=token)[0] == 200


# --- tables ---

def test_a_table_of_all_machines(srv):
    token = log_in(srv)
    status, body, head = srv.call("GET", "/api/v1/hosts?format=csv", token=token)
    assert status == 200 and "Content-Type: text/csv; charset=utf-8; header=present" in head and "Content-Disposition: attachment" in head
    assert body == (b'"uuid","name","fqdn","os","status","audit","description","ips","users","manufacturer","model","serial","agent","domain","site","unit",'
                    b'"reachable","last_seen","registered_at","groups","errors","upgrades","windows","waits_for","window_begin","window_end","frozen_until",'
                    b'"held","root_version","orderers","macs","last_user","dn","repositories","registration"\r\n')
    # Three pages of the journal, as one stream; the front asks for each as its caller.
    database = srv.dir / "db/waptserver.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        last = db.execute("SELECT MAX(seq) FROM journal").fetchone()[0]
        node, = db.execute("SELECT node FROM journal").fetchone()
        db.executemany("INSERT INTO journal (node, seq, at, digest, entry) VALUES (?, ?, 0, '', ?)", [(node, last + i, "=1+1;@x") for i in range(1, 2501)])
    try:
        status, body, head = srv.call("GET", "/api/v1/journal?format=csv", token=token)
        assert status == 200 and "Transfer-Encoding: chunked" in head
        text, rest = b"", body
        while True:
            size, _, rest = rest.partition(b"\r\n")
            piece, rest = rest[:int(size, 16)], rest[int(size, 16) + 2:]
            if not piece:
                break
            text += piece
        rows = list(csv.reader(io.StringIO(text.decode(), newline="")))
        assert rows[0] == ["seq", "at", "digest", "entry"] and [int(r[0]) for r in rows[1:]] == list(range(1, last + 2501))
        assert rows[-1][3] == "'=1+1;'@x"
    finally:
        with contextlib.closing(sqlite3.connect(database)) as db, db:
            db.execute("DELETE FROM journal WHERE seq > ?", (last,))
    assert srv.call("GET", "/api/v1/session?format=csv", token=token)[0] == 400
