"""The console's local program: what a browser on this machine may have of it, and what nobody else may."""
import http.client
import http.server
import json
import re
import ssl
import subprocess
import threading
import time

import pytest
from conftest import PATIENCE
from local_program import LINK, Local, local, program, start  # noqa: F401

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
       "form-action 'none'; frame-ancestors 'none'")


def test_the_ticket_works_once(org):
    local = Local(org, "ticket")
    for wrong in ("", "0" * 64, local.ticket[:-1], local.ticket + "0"):
        assert local.ask("POST", "/local/session", {"ticket": wrong}).code in ("auth", "limit"), len(wrong)
    local.open()
    assert re.fullmatch("[0-9a-f]{64}", local.token) and local.token != local.ticket
    a = local.ask("POST", "/local/session", {"ticket": local.ticket}, token=False)
    assert (a.status, a.code) == (401, "auth")
    local.stop()


def test_what_the_pages_are_sent_with(local):
    a = local.ask("GET", "/", token=False)
    assert a.status == 200 and b"<html" in a.body
    assert a.headers["Content-Security-Policy"] == CSP and len(a.headers.get_all("Content-Security-Policy")) == 1
    assert a.headers["X-Frame-Options"] == "DENY" and a.headers["X-Content-Type-Options"] == "nosniff"
    assert a.headers["Cross-Origin-Opener-Policy"] == a.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    again = local.ask("GET", "/", headers={"If-None-Match": a.headers["ETag"]})
    assert again.status == 304 and again.body == b""
    assert local.ask("GET", "/hosts/some-where").body == a.body  # a place within the pages
    assert local.ask("GET", "/nothing.js").code == "not_found"
    assert local.ask("GET", "/..%2f..%2fetc/passwd").status == 400


def test_state_login_and_relay(local):
    assert local.ask("POST", "/local/logout", {}).status == 200
    s = local.state()
    assert s["server"]["state"] == "login" and s["server"]["url"] == local.org.url and s["confirm"]["above_hosts"] == 20
    names = {k["name"]: k for k in s["keys"]}
    assert {"Deployer", "Developer"} <= set(names) and names["Developer"]["can_sign_code"] and not names["Deployer"]["can_sign_code"]
    assert all(k["unlocked_until"] == 0 and k["source"] == "pem" for k in s["keys"])
    a = local.ask("GET", "/api/v1/hosts")
    assert (a.status, a.code) == (401, "login")
    a = local.ask("POST", "/local/login", {"user": "admin", "password": "wrong"})
    assert (a.status, a.code) == (401, "login")
    local.login()
    s = local.state()["server"]
    assert (s["state"], s["user"], s["roles"]) == ("connected", "admin", ["superadmin"])
    a = local.ask("GET", "/api/v1/hosts?limit=10")
    assert a.status == 200 and a.headers["Content-Type"].startswith("application/json") and a.json["hosts"][0]["uuid"] == local.org.uuid
    assert local.ask("GET", "/api/v1/hosts?format=csv").headers["Content-Type"].startswith("text/csv")
    assert local.ask("GET", "/api/v1/hosts?nonsense=1").status == 400
    for path in ("/api/v1/session", "/api/v1/session/", "/api/v1/%73ession", "/api/v2/hosts", "/ping", "/wapt/Packages", "/api/v1/account/tokens", "/api/v1/enrol-tokens"):
        assert local.ask("GET", path).status in (200, 400, 404) and b'"token"' not in local.ask("GET", path).body, path
    for path in ("/api/v1/session", "/api/v1/%73ession", "/api/v1/enrol-tokens", "/api/v2/hosts"):
        assert local.ask("GET", path).code == "not_found", path
    # What lasts longer than a page: only by what a person confirms.
    for path in ("users", "users/admin", "%75sers", "users/admin/password", f"users/admin/certificates/{'0' * 64}", "account/tokens", "account/certificates", "webhooks", "signers"):
        assert local.ask("POST", f"/api/v1/{path}", {}).code == "not_found", path
    assert local.ask("DELETE", "/api/v1/users/admin/second-factor").code == "not_found"
    assert local.ask("GET", "/api/v1/account/tokens").json["tokens"] == []
    for what in ("user-add", "token", "webhook"):
        a = local.ask("POST", "/local/prepare", {"what": "grant", "do": what, "give": {"name": "eve"}})
        assert (a.json["needs"], a.json["signs"]) == ("gesture", False)
        assert local.ask("POST", "/local/commit", {"id": a.json["id"]}).code == "denied"  # no terminal here


# What changes something at the server and a page may do by itself: it takes something away, or is a question, or one's own business.
RELAYED = {
    "POST": {"/account/second-factor", "/account/second-factor/confirm", "/account/second-factor/off", "/estate", "/report-rows", "/rollouts/{id}/pause", "/rollouts/{id}/promote", "/rollouts/{id}/resume", "/rollouts/{id}/stop",
             "/webhooks/{id}/test"},
    "PUT": {"/reports/{name}"},
    "DELETE": {"/account/certificates/{sha256}", "/account/sessions/{id}", "/account/tokens/{id}", "/hosts/{uuid}", "/hosts/{uuid}/certificate", "/packages/{file}", "/reports/{name}", "/users/{name}",
               "/users/{name}/certificates/{sha256}", "/users/{name}/sessions", "/users/{name}/tokens/{id}", "/webhooks/{id}"},
}


def test_of_all_calls_that_change_something_few_are_relayed(local):
    local.login()
    paths = local.ask("GET", "/api/v1/openapi.json").json["paths"]
    seen = {"POST": set(), "PUT": set(), "DELETE": set()}
    for path, calls in paths.items():
        for method in seen.keys() & {m.upper() for m in calls}:
            a = local.ask(method, re.sub(r"{\w+}", "0" * 64, path), {} if method != "DELETE" else None)
            if not (a.status == 404 and a.json["error"]["message"] == "there is no such call"):
                seen[method].add(path.removeprefix("/api/v1"))
    assert seen == RELAYED
    for path in ("account/password/", "users/x/", "users/x/password", "users/x/second-factor", "webhooks/x/test/x", "rollouts/x/y/stop", "rollouts/stop", "reports/"):
        for method in ("POST", "PUT"):
            assert local.ask(method, f"/api/v1/{path}", {}).json["error"]["message"] == "there is no such call", path


def test_a_login_looks_at_the_journal_that_was_seen(local):
    kept = next((local.org.base / "local/.config/wapt").glob("journal-*.head"))
    local.login()
    assert local.state()["server"]["journal"] is None
    seen = kept.read_text()
    forged = re.sub(r":[0-9a-f]{64}", ":" + "ab" * 32, seen)
    kept.write_text(forged)
    local.login()
    assert "was rewritten or cut" in local.state()["server"]["journal"] and kept.read_text() == forged, "what was seen is kept"
    kept.write_text("nonsense")
    local.login()
    assert "is not checked" in local.state()["server"]["journal"]
    kept.write_text(seen)
    local.login()
    assert local.state()["server"]["journal"] is None


def test_other_sites_get_nothing(local):
    """What a page of another site can have the browser send; and DNS rebinding."""
    here, token = local.here, {"Authorization": f"Bearer {local.token}"}
    for host in ("evil.example", f"evil.example:{local.port}", f"localhost:{local.port}", local.address, f"127.0.0.1:{local.port}", f"{local.here}.evil.example", "127.0.0.1:1"):
        for path in ("/", "/app.js", "/local/state", "/api/v1/hosts"):
            a = local.ask("GET", path, headers={"Host": host})
            assert (a.status, a.code) == (403, "denied"), (host, path)
    for origin in ("http://evil.example", "https://" + here, "null", "http://localhost:" + local.port, "http://127.0.0.1:" + local.port, f"http://{local.address}", "http://127.0.0.1:1"):
        assert local.ask("GET", "/local/state", headers={"Origin": origin}).code == "denied", origin
        assert local.ask("POST", "/local/keys/lock", {}, headers={"Origin": origin}).code == "denied", origin
        assert local.ask("POST", "/local/session", {"ticket": "0" * 64}, headers={"Origin": origin}).code == "denied", origin
    for site in ("cross-site", "same-site", "nonsense"):
        assert local.ask("GET", "/local/state", headers={"Sec-Fetch-Site": site}).code == "denied"
        assert local.ask("GET", "/", headers={"Sec-Fetch-Site": site}).code == "denied"
        assert local.ask("GET", "/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}).code == "denied"
        assert local.ask("GET", "/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}).code == "denied"
    assert local.ask("GET", "/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}).status == 200
    good = {"Origin": local.origin, "Sec-Fetch-Site": "same-origin"}
    assert local.ask("GET", "/local/state", headers=good).status == 200
    assert local.ask("GET", "/local/state", headers={"Origin": [local.origin, "http://evil.example"]}).code == "denied"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"):
        assert local.ask("POST", "/local/keys/lock", {}, headers={"Content-Type": kind}).code == "invalid", kind
        assert local.ask("POST", "/local/session", {"ticket": "0" * 64}, headers={"Content-Type": kind}).code == "invalid", kind
    for method, path in (("OPTIONS", "/local/state"), ("OPTIONS", "/"), ("TRACE", "/"), ("CONNECT", "/"), ("PATCH", "/local/state")):
        a = local.ask(method, path, headers={**token, "Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
        assert a.status >= 400 and not [h for h in a.headers if h.lower().startswith("access-control")], method
    assert not [h for h in local.ask("GET", "/local/state", headers=good).headers if h.lower().startswith("access-control")]


def test_the_token_is_a_header_alone(local):
    t = local.token
    for headers in ({}, {"Cookie": f"token={t}; Authorization=Bearer {t}"}, {"X-Token": t}, {"Authorization": t}, {"Authorization": f"bearer {t}"},
                    {"Authorization": f"Basic {t}"}, {"Authorization": f"Bearer {t[:-1]}"}, {"Authorization": f"Bearer {t}0"}, {"Authorization": f"Bearer {t.upper()}x"},
                    {"Authorization": f"Bearer {'0' * 64}"}, {"Authorization": [f"Bearer {t}", f"Bearer {'0' * 64}"]}):
        a = local.ask("GET", "/local/state", token=False, headers=headers)
        assert (a.status, a.code) == (401, "auth"), headers
        assert local.ask("GET", "/api/v1/hosts", token=False, headers=headers).code == "auth"
    assert local.ask("GET", f"/local/state?token={t}", token=False).code == "auth"
    assert local.ask("GET", f"/local/state?token={t}").code == "invalid"


def test_bodies_have_a_size(local):
    for path, size in (("/local/session", 5000), ("/local/login", 5000), ("/local/commit", 5000), ("/local/prepare", 6 << 20), ("/api/v1/report-rows", 6 << 20)):
        a = local.ask("POST", path, b"[" + b"0," * (size // 2) + b"0]")
        assert (a.status, a.code) == (413, "limit"), path
    for body in (b"", b"{", b"[]", b'{"ticket":1}', b'{"ticket":"a","ticket":"b"}', b'{"more":1}', b"[" * 3000):
        assert local.ask("POST", "/local/session", body).code in ("invalid", "limit"), body
        assert local.ask("POST", "/local/login", body).code in ("invalid", "limit"), body
        assert local.ask("POST", "/local/prepare", body).code in ("invalid", "limit"), body
    assert local.state()["version"]


def connect_as(user, local):
    """What a process of another user gets: the number of bytes, after a request that would be answered."""
    text = (f"import socket; s = socket.create_connection(('{local.address}', {local.port}), {PATIENCE})\n"
            f"try: s.sendall(b'GET / HTTP/1.1\\r\\nHost: {local.here}\\r\\n\\r\\n'); print(len(s.recv(100)))\nexcept ConnectionError: print(0)")
    out = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "/usr/bin/python3", "-c", text], capture_output=True, text=True)
    return int(out.stdout), out.stderr


def test_other_users_are_not_let_in(local):
    assert connect_as("root", local)[0] > 0
    assert connect_as("nobody", local)[0] == 0
    assert connect_as("wapt", local)[0] == 0
    assert "site.stranger" in local.log.read_text()
    assert local.state()["version"]


def test_nothing_secret_is_left_lying_about(local):
    assert local.unlock().status == 200
    password, key = ((local.org.base / n).read_text().strip() for n in ("admin.pw", "pw"))
    pid = local.process.pid
    seen = local.log.read_text()
    for name in ("cmdline", "environ"):
        seen += open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace").read()
    for secret in (local.token, local.ticket, password, key):
        assert secret not in seen
    assert local.link_file.stat().st_mode & 0o777 == 0o600
    status = open(f"/proc/{pid}/status", encoding="utf-8").read()
    assert re.search(r"NoNewPrivs:\s+1", status) and re.search(r"Seccomp:\s+2", status)
    assert re.search(r"Max core file size +0 +0 ", open(f"/proc/{pid}/limits", encoding="utf-8").read())
    assert "no new privileges, seccomp(io,fs-read,fs-write,net,local,fds,threads,term)" in seen


def test_a_second_start_opens_the_first(local):
    out = local.org.base / "second.link"
    p = start(local.org, "second", "local", "--server", local.org.url, "--server-fingerprint", local.org.server_fp, "--link-file", out)
    assert p.wait(PATIENCE) == 0
    here, ticket = re.fullmatch(LINK, out.read_text()).groups()
    assert here == local.here and ticket != local.ticket
    assert local.ask("POST", "/local/session", {"ticket": ticket}, token=False).json["token"] == local.token


def test_live_events_come_through(local):
    c = http.client.HTTPConnection(local.address, int(local.port), timeout=PATIENCE)
    c.request("GET", "/api/v1/events?kinds=action", headers={"Authorization": f"Bearer {local.token}"})
    r = c.getresponse()
    assert r.status == 200 and r.headers["Content-Type"] == "text/event-stream", r.read()
    local.org.order("Deployer", "update")
    line, end = b"", time.monotonic() + PATIENCE
    while b'"kind":"action"' not in line:
        line = r.readline()
        assert line and time.monotonic() < end
    c.close()
    assert local.ask("GET", "/api/v1/hosts?limit=1").status == 200


def test_the_session_ends_with_the_logout(local):
    assert local.ask("POST", "/local/logout", {}).status == 200
    assert local.state()["server"]["state"] == "login" and local.ask("GET", "/api/v1/hosts").code == "login"


FORGED = "a\n2026-01-01T00:00:00Z ERROR waptconsole forged\r\u202e\u2028\x1b[2J\x9b"


class Hostile(http.server.BaseHTTPRequestHandler):
    """A server that has the right certificate and means no good."""
    protocol_version = "HTTP/1.1"
    asked, provider = [], ""

    def do_GET(self):
        Hostile.asked.append(self.path)
        path = self.path.partition("?")[0]
        status, kind, body, more = 200, "application/json", b"{}", ()
        if path == "/api/v1/session":
            body = json.dumps({"user": FORGED, "role": "superadmin", "rights": "view"}).encode()
        elif path == "/api/v1/html":
            kind, body = "text/html", b"<script>alert(1)</script>"
        elif path == "/api/v1/error":
            status, kind, body = 500, "text/html; charset=utf-8", b"<script>alert(1)</script>"
        elif path == "/api/v1/script":
            kind, body = "text/javascript", b"alert(1)"
        elif path == "/api/v1/none":
            kind = ""
        elif path == "/api/v1/away":
            status, more = 302, (("Location", "https://evil.example/"),)
        elif path == "/api/v1/cookie":
            more = (("Set-Cookie", "token=1"), ("Access-Control-Allow-Origin", "*"), ("Content-Security-Policy", "default-src *"))
        elif path == "/api/v1/events":
            kind, body = "text/html", b"<script>alert(1)</script>"
        elif path == "/api/v1/huge":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(1 << 40))
            self.end_headers()
            return
        self.send_response(status)
        for k, v in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        body = b'{"token":"server-secret-token"}'
        if self.path == "/api/v1/session/oidc/start":
            body = json.dumps({"url": Hostile.provider}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_hostile_server_gets_no_page_through(org):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(org.base / "server/private/tls.crt", org.base / "server/private/tls.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    local = Local(org, "hostile", server=f"https://127.0.0.1:{server.server_address[1]}")
    try:
        local.open()
        local.login()
        for path in ("html", "error", "script", "none", "away", "huge", "events"):
            a = local.ask("GET", f"/api/v1/{path}")
            assert a.status >= 400 and b"alert" not in a.body and a.headers["Content-Type"] == "application/json", (path, a.body)
            assert a.headers["Content-Security-Policy"] == CSP and "Location" not in a.headers
        # Where the browser is sent to is a provider's page, and nothing that runs or opens something else.
        for Hostile.provider in ("javascript:alert(1)", "data:text/html,x", "http://evil.example/", "file:///etc/passwd", "//evil.example", "", "https://x/\n", "https://x/ y", "https://x/\u202e"):
            assert local.ask("POST", "/local/oidc", {}).code == "invalid", Hostile.provider
        a = local.ask("GET", "/api/v1/cookie")
        assert a.status == 200 and not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(a.headers) and a.headers.get_all("Content-Security-Policy") == [CSP]
        Hostile.asked.clear()
        for path in ("/api/v1/session", "/api/v1/session?x=1", "/api/v1/%73%65ssion", "/api/v1/enrol-tokens"):
            assert local.ask("GET", path).status == 404
        assert set(Hostile.asked) <= {"/ping"} and b"server-secret-token" not in json.dumps(local.state()).encode()
        log = local.log.read_text()
        assert "server-secret-token" not in log
        # Its name for the person stands in a line of the log, and makes none.
        (line,) = [one for one in log.split("\n") if "forged" in one]
        assert "console.login" in line and not [c for c in log if c != "\n" and not c.isprintable()]
    finally:
        local.stop()
        server.shutdown()
        server.server_close()
