"""The console's local program: what a browser on this machine may have of it, and what nobody else may."""
import concurrent.futures
import http.client
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import BIN, PATIENCE, until

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
       "form-action 'none'; frame-ancestors 'none'")


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


def start(org, name, home, *argv, **more):
    """waptconsole open, as somebody with a home of that name; more: of the environment."""
    (org.base / home).mkdir(exist_ok=True)
    env = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(org.base / home), **more}
    with open(org.base / f"{name}.log", "ab") as out:
        p = subprocess.Popen([*org.inside("waptconsole"), BIN / "waptconsole", "open", *map(str, argv)], stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    org.processes.append(p)
    return p


class Local:
    """A running program, and a page of its own."""

    def __init__(self, org, name="local", server=None, fp=None, more=(), environment=None):
        self.org, self.link_file = org, org.base / f"{name}.link"
        self.log = org.base / f"{name}.log"
        self.process = start(org, name, name, "--server", server or org.url, "--server-fingerprint", fp or org.server_fp,
                             "-k", org.cert("Deployer"), "--keys-dir", org.base / "keys", "--trusted", org.agent / "ssl", "--no-browser", "--link-file", self.link_file, *more,
                             **(environment or {}))
        until(lambda: self.log.exists() and "console.started" in self.log.read_text() or self.process.poll() is not None, "the program runs")
        link = self.link_file.read_text()
        self.port, self.ticket = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#ticket=([0-9a-f]{64})", link).groups()
        self.origin, self.token = f"http://127.0.0.1:{self.port}", None

    def ask(self, method, path, body=None, token=True, headers=()):
        h = {"Host": f"127.0.0.1:{self.port}"}
        if token and self.token:
            h["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            h["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        h.update(headers)
        c = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=60)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for k, v in h.items():
                for one in v if isinstance(v, list) else [v]:
                    c.putheader(k, one)
            if body is not None:
                c.putheader("Content-Length", str(len(body)))
            c.endheaders()
            if body is not None:
                try:
                    c.send(body)
                except BrokenPipeError:
                    pass  # refused before it was all there
            return Answer(c.getresponse())
        finally:
            c.close()

    def open(self):
        self.token = self.ask("POST", "/local/session", {"ticket": self.ticket}).json["token"]

    def state(self):
        return self.ask("GET", "/local/state").json

    def login(self):
        password = (self.org.base / "admin.pw").read_text().strip()
        a = self.ask("POST", "/local/login", {"user": "admin", "password": password})
        assert a.status == 200, a.body

    def unlock(self, seconds=600, password=None):
        key = next(k for k in self.state()["keys"] if k["name"] == "Deployer")
        password = password or (self.org.base / "pw").read_text().strip()
        return self.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": password, "seconds": seconds})

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0


@pytest.fixture(scope="module")
def local(org):
    p = Local(org)
    yield p
    p.stop()


def test_the_ticket_works_once(local):
    for wrong in ("", "0" * 64, local.ticket[:-1], local.ticket + "0"):
        assert local.ask("POST", "/local/session", {"ticket": wrong}).code in ("auth", "limit"), len(wrong)
    local.open()
    assert re.fullmatch("[0-9a-f]{64}", local.token) and local.token != local.ticket
    a = local.ask("POST", "/local/session", {"ticket": local.ticket}, token=False)
    assert (a.status, a.code) == (401, "auth")


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


def test_as_many_machines_as_an_order_has(local):
    wish = {"what": "actions", "kind": "update", "valid_s": 600, "hosts": [f"{i:08X}-0000-4000-8000-000000000000" for i in range(100_000)]}
    assert local.ask("POST", "/local/prepare", wish).code == "not_found"  # looked for, not too many
    wish["hosts"].append(local.org.uuid)
    assert local.ask("POST", "/local/prepare", wish).code in ("invalid", "limit")


def test_an_action_is_shown_signed_and_done(local):
    wish = {"what": "actions", "kind": "update", "hosts": [local.org.uuid], "valid_s": 600}
    a = local.ask("POST", "/local/prepare", wish)
    assert a.status == 200, a.body
    p = a.json
    assert p["needs"] == "unlock" and p["count"] == 1 and p["hosts"][0]["uuid"] == local.org.uuid and p["title"] == "update"
    assert {"label": "Action", "value": "update"} in p["lines"]
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "conflict"
    key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
    a = local.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": "wrong", "seconds": 60})
    assert (a.status, a.code) == (403, "denied")
    assert local.unlock().status == 200
    assert next(k for k in local.state()["keys"] if k["name"] == "Deployer")["unlocked_until"] > time.time() + 500
    p = local.ask("POST", "/local/prepare", wish).json
    assert p["needs"] == "none"
    done = local.ask("POST", "/local/commit", {"id": p["id"]}).json
    assert done["state"] == "done" and done["count"] == 1
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json == done  # once
    batch = done["batch"]
    until(lambda: local.ask("GET", f"/api/v1/actions?batch={batch}").json["actions"][0]["state"] == "done", "the machine has done it")
    assert local.ask("POST", "/local/prepare", {"what": "cancel", "batch": batch}).code == "not_found"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=["nobody"])).code == "not_found"
    (mine, *_) = local.ask("GET", "/api/v1/batches").json["batches"]
    assert (mine["batch"], mine["user"], mine["kind"], mine["counts"], mine["machines"]) == (batch, "admin", "update", {"done": 1}, 1)
    alone = local.ask("POST", "/local/prepare", {"what": "wake", "hosts": [local.org.uuid]})  # nobody else is there: tests/proc/test_networks.py has one who is
    assert alone.code == "not_found" and "can't be woken" in alone.json["error"]["message"]
    assert local.ask("POST", "/local/prepare", {"what": "wake", "hosts": []}).code == "invalid"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=[local.org.uuid] * 2)).code == "invalid"
    assert local.ask("POST", "/local/prepare", dict(wish, what="shell")).code == "invalid"
    assert local.ask("POST", "/local/keys/lock", {}).status == 200
    assert all(k["unlocked_until"] == 0 for k in local.state()["keys"])


@pytest.fixture
def vendors():
    """A PKCS#11 module where a vendor would put it, and not below what every program may read anyway."""
    with tempfile.TemporaryDirectory(dir="/opt") as d:
        yield shutil.copy("/usr/lib/softhsm/libsofthsm2.so", d)


def test_a_key_on_a_token_signs_and_stays_there(org, vendors):
    home = org.base / "card"
    (home / "tokens").mkdir(parents=True)
    (home / "softhsm.conf").write_text(f"directories.tokendir = {home}/tokens\n")
    env = {"SOFTHSM2_CONF": str(home / "softhsm.conf")}
    tool = lambda *argv: subprocess.run(argv, env={**os.environ, **env}, check=True, capture_output=True)
    tool("softhsm2-util", "--init-token", "--free", "--label", "Card", "--so-pin", "0815", "--pin", "4711")
    tool("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", org.cert("Deployer").with_suffix(".pem"), "-passin", f"file:{org.base}/pw", "-out", home / "plain.pem")
    tool("softhsm2-util", "--import", home / "plain.pem", "--token", "Card", "--label", "mine", "--id", "01", "--pin", "4711")
    (home / "plain.pem").unlink()
    p = Local(org, "card", more=("--private-key", "pkcs11:token=Card;object=mine", "--pkcs11-module", vendors, "--confirm-above", "2"),
              environment=env)
    p.open()
    p.login()
    assert {k["name"]: k["source"] for k in p.state()["keys"]}["Deployer"] == "pkcs11"
    wish = {"what": "actions", "kind": "update", "hosts": [org.uuid], "valid_s": 600}
    a = p.unlock(password="0000")
    assert (a.status, a.code) == (403, "denied"), a.body
    assert p.unlock(password="4711").status == 200
    prepared = p.ask("POST", "/local/prepare", wish).json
    assert p.ask("POST", "/local/commit", {"id": prepared["id"]}).json["state"] == "done"
    assert p.ask("POST", "/local/keys/lock", {}).status == 200
    assert p.ask("POST", "/local/commit", {"id": p.ask("POST", "/local/prepare", wish).json["id"]}).code == "conflict"
    assert "4711" not in p.log.read_text()
    # One machine at a time is many machines, too: beyond two in the hour a person is asked, and there is no terminal here.
    assert p.unlock(password="4711").status == 200
    needs = []
    for _ in range(2):
        prepared = p.ask("POST", "/local/prepare", wish).json
        needs.append(prepared["needs"])
        a = p.ask("POST", "/local/commit", {"id": prepared["id"]})
    assert needs == ["none", "gesture"] and (a.status, a.code) == (403, "denied"), (needs, a.body)
    p.stop()


def test_a_key_is_locked_after_the_time_that_was_chosen(local):
    p = local
    for wrong in (0, -1, 10 ** 7, "600"):
        assert p.unlock(seconds=wrong).code in ("invalid", "limit"), wrong
    assert p.unlock(seconds=1).status == 200
    wish = {"what": "actions", "kind": "update", "hosts": [p.org.uuid], "valid_s": 600}
    shown = p.ask("POST", "/local/prepare", wish).json
    until(lambda: all(k["unlocked_until"] == 0 for k in p.state()["keys"]), "the key is locked")
    assert p.ask("POST", "/local/commit", {"id": shown["id"]}).code == "conflict"


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


def test_a_rollout_is_shown_then_signed(local):
    p = local
    assert p.unlock().status == 200
    plan = {"rings": [{"name": "few", "percent": 10}, {"name": "all", "percent": 100}], "promote": "hand"}
    wish = {"what": "rollout", "name": "by hand", "kind": "update", "hosts": [p.org.uuid], "plan": plan, "valid_s": 3600}
    a = p.ask("POST", "/local/prepare", wish).json
    assert a["needs"] == "none" and a["count"] == 1 and {"label": "Machines", "value": "1"} in a["lines"], a
    done = p.ask("POST", "/local/commit", {"id": a["id"]}).json
    assert "id" in done, done
    r = p.ask("GET", f"/api/v1/rollouts/{done['id']}").json
    assert (r["name"], r["action"], r["plan"]["promote"]) == ("by hand", "update", "hand")
    assert p.org.uuid in json.dumps(r["order"])
    assert p.ask("POST", f"/api/v1/rollouts/{done['id']}/stop", {}).status == 200
    # for whoever is in a group nobody can say how many these are: always asked outside of the page
    groups = {k: v for k, v in wish.items() if k != "hosts"} | {"members_of": ["grp-none"]}
    a = p.ask("POST", "/local/prepare", groups).json
    assert a["needs"] == "gesture" and {"label": "Members of", "value": "grp-none"} in a["lines"], a
    assert p.ask("POST", "/local/commit", {"id": a["id"]}).code == "denied"  # there is no terminal
    for wrong in ({"hosts": []}, {"members_of": ["grp-none"]}, {"kind": "cancel"}, {"kind": "wake"}, {"valid_s": 0}, {"plan": "x"}, {"packages": ["x"]}, {"hosts": ["none"]}):
        assert p.ask("POST", "/local/prepare", wish | wrong).status in (400, 404), wrong


def test_assignments_are_shown_then_signed(local):
    assert local.unlock().status == 200
    wish = {"what": "host-packages", "hosts": [local.org.uuid], "add": ["local-one", "local-two(>=2)"], "add_conflicts": ["local-rival"]}
    p = local.ask("POST", "/local/prepare", wish).json
    assert (p["count"], p["needs"], p["details"]["changed"]) == (1, "none", 1) and "assigned: + local-one" in {line["value"] for line in p["lines"]}
    done = local.ask("POST", "/local/commit", {"id": p["id"]}).json
    assert (done["state"], done["changed"], done["failed"]) == ("done", 1, 0)
    # Shown, then changed by somebody else before it is signed: that is not lost.
    late = local.ask("POST", "/local/prepare", dict(wish, add=["local-three"], add_conflicts=[])).json
    local.org.console("assign", "--hosts", local.org.uuid, "--remove-depends", "local-two", "--trusted", local.org.agent / "ssl", "--yes",
                      "-k", local.org.cert("Deployer"), "-w", local.org.base / "pw")
    done = local.ask("POST", "/local/commit", {"id": late["id"]}).json
    assert (done["changed"], done["failed"], done["hosts"][0]["code"]) == (0, 1, "exists")
    assert local.ask("POST", "/local/prepare", dict(wish, add=["local-one"])).code == "conflict"  # it is so already
    assert local.ask("POST", "/local/prepare", dict(wish, add=["local-rival"])).code == "conflict"
    assert local.ask("POST", "/local/prepare", dict(wish, add=["a b("])).status == 400
    times = {"what": "host-packages", "hosts": [local.org.uuid], "hold": ["tis-x until 2999-12-31"], "windows": "mon 01:00-02:00"}
    for wrong in ({"windows": "mon"}, {"freezes": "mon"}, {"hold": ["a until"]}, {"hold": ["a"], "unhold": ["a"]}, {"windows": 7}):
        assert local.ask("POST", "/local/prepare", times | wrong).status == 400, wrong
    p = local.ask("POST", "/local/prepare", times).json
    assert {"held: + tis-x until 2999-12-31", "maintenance windows: + mon 01:00-02:00"} <= {line["value"] for line in p["lines"]}
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json["changed"] == 1
    p = local.ask("POST", "/local/prepare", {"what": "host-packages", "hosts": [local.org.uuid], "unhold": ["tis-x"], "windows": ""}).json
    assert "maintenance windows: mon 01:00-02:00 → -" in {line["value"] for line in p["lines"]}
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json["changed"] == 1
    plan = local.ask("POST", "/local/prepare", {"what": "plan", "hosts": [local.org.uuid]}).json
    assert plan["details"]["problems"] and local.ask("POST", "/local/commit", {"id": plan["id"]}).code == "invalid"
    back = local.ask("POST", "/local/prepare", {"what": "host-packages", "hosts": [local.org.uuid], "remove": ["local-one"], "remove_conflicts": ["local-rival"]}).json
    assert local.ask("POST", "/local/commit", {"id": back["id"]}).json["changed"] == 1


def test_packages_are_taken_over_by_a_gesture(org):
    local = Local(org, "gesture")
    local.open()
    local.login()
    assert local.unlock().status == 200
    local.org.console("upload", local.org.package("local-tool", "1", "Developer", local.org.base / "local-marker"), "--trusted", local.org.agent / "ssl")
    p = local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-tool"], "from_maturity": "PROD", "maturity": "DEV"}).json
    (one,) = p["details"]["packages"]
    assert (one["becomes"], one["becomes_maturity"], one["signer"]) == ("local-tool", "DEV", "Developer") and p["needs"] == "gesture"
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "denied"  # there is nowhere to ask
    assert local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-none"], "maturity": "DEV"}).code == "not_found"
    kit = local.ask("POST", "/local/prepare", {"what": "kit", "uses": 3, "seconds": 3600}).json
    assert {"label": "Machines", "value": "3"} in kit["lines"] and {"label": "Trusted for packages", "value": "Authority"} in kit["lines"] and kit["needs"] == "gesture"
    assert local.ask("POST", "/local/commit", {"id": kit["id"]}).code == "denied"
    assert local.ask("POST", "/local/prepare", {"what": "kit", "uses": 0, "seconds": 3600}).status == 400
    # Where packages come from is the configuration's matter, not the page's.
    for place in ("https://example.org/wapt", "/tmp", "global", ""):
        assert local.ask("POST", "/local/prepare", {"what": "import", "from": place, "packages": ["local-tool"]}).code == "not_found"
    local.stop()


def test_other_sites_get_nothing(local):
    """What a page of another site can have the browser send; and DNS rebinding."""
    here, token = f"127.0.0.1:{local.port}", {"Authorization": f"Bearer {local.token}"}
    for host in ("evil.example", f"evil.example:{local.port}", f"localhost:{local.port}", "127.0.0.1", f"127.0.0.1:{local.port}.evil.example", "127.0.0.1:1"):
        for path in ("/", "/app.js", "/local/state", "/api/v1/hosts"):
            a = local.ask("GET", path, headers={"Host": host})
            assert (a.status, a.code) == (403, "denied"), (host, path)
    for origin in ("http://evil.example", "https://" + here, "null", "http://localhost:" + local.port, "http://127.0.0.1", "http://127.0.0.1:1"):
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
    for path, size in (("/local/session", 5000), ("/local/login", 5000), ("/local/commit", 5000), ("/local/prepare", 6 << 20), ("/api/v1/reports", 6 << 20)):
        a = local.ask("POST", path, b"[" + b"0," * (size // 2) + b"0]")
        assert (a.status, a.code) == (413, "limit"), path
    for body in (b"", b"{", b"[]", b'{"ticket":1}', b'{"ticket":"a","ticket":"b"}', b'{"more":1}', b"[" * 3000):
        assert local.ask("POST", "/local/session", body).code in ("invalid", "limit"), body
        assert local.ask("POST", "/local/login", body).code in ("invalid", "limit"), body
        assert local.ask("POST", "/local/prepare", body).code in ("invalid", "limit"), body
    assert local.state()["version"]


def connect_as(user, port):
    """What a process of another user gets: the number of bytes, after a request that would be answered."""
    text = (f"import socket; s = socket.create_connection(('127.0.0.1', {port}), 10)\n"
            f"try: s.sendall(b'GET / HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n'); print(len(s.recv(100)))\nexcept ConnectionError: print(0)")
    out = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "/usr/bin/python3", "-c", text], capture_output=True, text=True, timeout=30)
    return int(out.stdout), out.stderr


def test_other_users_are_not_let_in(local):
    assert connect_as("root", local.port)[0] > 0
    assert connect_as("nobody", local.port)[0] == 0
    assert connect_as("wapt", local.port)[0] == 0
    assert "site.stranger" in local.log.read_text()
    assert local.state()["version"]


def test_nothing_secret_is_left_lying_about(local):
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
    assert p.wait(20) == 0
    port, ticket = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#ticket=([0-9a-f]{64})", out.read_text()).groups()
    assert port == local.port and ticket != local.ticket
    assert local.ask("POST", "/local/session", {"ticket": ticket}, token=False).json == {"token": local.token}


def test_live_events_come_through(local):
    local.login()
    c = http.client.HTTPConnection("127.0.0.1", int(local.port), timeout=30)
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


def talk(fd, pid, until_text, seconds=30):
    """What the program shows on its terminal, up to a text."""
    seen = b""
    end = time.monotonic() + seconds
    while until_text not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
        assert ready, seen
        seen += os.read(fd, 65536)
    return seen.decode()


@pytest.fixture
def terminal(org):
    """A program with a terminal; every action needs a yes there; nothing of the server is trusted yet."""
    config = org.base / "terminal/waptconsole.ini"
    config.parent.mkdir()
    config.write_text(f"; mine\n[global]\nwapt_server = {org.url}\npersonal_certificate_path = {org.cert('Deployer')}\nconsole_confirm_above = 0\n")
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BIN / "waptconsole", ["waptconsole", "--config", str(config)], {"LANG": "C.UTF-8", "HOME": str(org.base / "terminal")})
    local = Local.__new__(Local)
    try:
        link = re.search(r"http://127\.0\.0\.1:(\d+)/#ticket=([0-9a-f]{64})", talk(fd, pid, b"console.started"))
        local.org, (local.port, local.ticket), local.token = org, link.groups(), None
        local.fd, local.pid, local.config = fd, pid, config
        local.open()
        yield local
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        os.close(fd)


def answered(local, path, body):
    """Asks until it is no longer waiting for the person."""
    a = local.ask("POST", path, body)
    end = time.monotonic() + PATIENCE
    while a.status == 202 and time.monotonic() < end:
        time.sleep(0.05)
        a = local.ask("POST", path, body)
    return a


def test_what_no_page_can_confirm(terminal, org):
    local = terminal
    # The server's certificate: shown, compared by a person, kept.
    assert local.state()["server"]["state"] == "pin" and local.state()["confirm"] == {"method": "terminal", "above_hosts": 0}
    shown = local.ask("GET", "/local/pin").json
    assert shown.get("sha256") == org.server_fp, shown
    assert shown["grouped"].replace(" ", "").lower() == org.server_fp
    assert not shown["trusted"] and not shown["changed"] and "not trusted" in shown["reason"]
    assert local.ask("POST", "/local/pin", {"sha256": "0" * 64}).code == "conflict"
    for key, good in (("x", False), (None, True)):
        assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202
        text = talk(local.fd, local.pid, b"says no: ")
        assert shown["grouped"] in text
        assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202  # waits, and asks nothing twice
        os.write(local.fd, (key or re.search(r"type (\d{4});", text)[1]).encode())
        a = answered(local, "/local/pin", {"sha256": org.server_fp})
        assert (a.status == 200) == good, a.body
    assert f"server_fingerprint = {org.server_fp}" in local.config.read_text() and local.config.read_text().startswith("; mine\n")
    assert local.state()["server"]["state"] == "login"
    # Another certificate than the one kept is not taken.
    local.login()
    local.unlock()
    wish = {"what": "actions", "kind": "install", "packages": ["tis-\u202egpj"], "hosts": [org.uuid], "valid_s": 60}
    for key in ("x", "\x03", "wrong", None):
        p = local.ask("POST", "/local/prepare", wish).json
        assert p["needs"] == "gesture"
        before = local.ask("GET", "/api/v1/journal?limit=1000").json
        assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
        text = talk(local.fd, local.pid, b"says no: ")
        assert org.uuid in text or "Machines: 1" in text
        assert "\u202e" not in text and "install" in text
        code = re.search(r"type (\d{4});", text)[1]
        other = local.ask("POST", "/local/prepare", wish).json
        assert local.ask("POST", "/local/commit", {"id": other["id"]}).code == "busy"
        typed = {"wrong": f"{(int(code) + 1) % 10000:04d}", None: code}.get(key, key)
        os.write(local.fd, typed.encode())
        a = answered(local, "/local/commit", {"id": p["id"]})
        if key is None:
            assert a.status == 200 and a.json["state"] == "done", a.body
        else:
            assert a.code == "cancelled" and local.ask("GET", "/api/v1/journal?limit=1000").json == before
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "cancelled"  # for good


def test_without_a_terminal_nothing_big_is_signed(org):
    local = Local(org, "blind", more=("--confirm-above", "0", "--idle", "2s"))
    local.open()
    assert local.state()["confirm"]["method"] == "none"
    local.login()
    local.unlock()
    p = local.ask("POST", "/local/prepare", {"what": "actions", "kind": "update", "hosts": [org.uuid]}).json
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "denied"
    assert local.process.wait(30) == 0  # idle
    assert "site.idle" in local.log.read_text()


FORGED = "a\n2026-01-01T00:00:00Z ERROR waptconsole forged\r\u202e\u2028\x1b[2J\x9b"


class Hostile(http.server.BaseHTTPRequestHandler):
    """A server that has the right certificate and means no good."""
    protocol_version = "HTTP/1.1"
    asked = []

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
        a = local.ask("GET", "/api/v1/cookie")
        assert a.status == 200 and not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(a.headers) and a.headers.get_all("Content-Security-Policy") == [CSP]
        Hostile.asked.clear()
        for path in ("/api/v1/session", "/api/v1/session?x=1", "/api/v1/%73%65ssion", "/api/v1/enrol-tokens"):
            assert local.ask("GET", path).status == 404
        assert not Hostile.asked and b"server-secret-token" not in json.dumps(local.state()).encode()
        log = local.log.read_text()
        assert "server-secret-token" not in log
        # Its name for the person stands in a line of the log, and makes none.
        (line,) = [one for one in log.split("\n") if "forged" in one]
        assert "console.login" in line and not [c for c in log if c != "\n" and not c.isprintable()]
    finally:
        local.stop()
        server.shutdown()
        server.server_close()


def below(pid):
    """The processes that it has started, and theirs."""
    found = [int(c) for t in os.listdir(f"/proc/{pid}/task") for c in open(f"/proc/{pid}/task/{t}/children", encoding="ascii").read().split()]
    return found + [c for one in found for c in below(one)]


CODE = r"To do this, type (\d{4}):"


class Pinentry:
    """A program whose questions a real pinentry asks, on a terminal of its own, which nobody else reads."""

    def __init__(self, org, name, program):
        self.master, self.slave = pty.openpty()
        self.seen = ""
        wrapper = org.base / f"{name}.sh"  # where it asks: here and not where the program was started, as a window would
        wrapper.write_text(f"#!/bin/sh\nexec {program} --ttyname {os.ttyname(self.slave)} --ttytype xterm\n")
        wrapper.chmod(0o755)
        self.local = Local(org, name, more=("--confirm-above", "0", "--pinentry", wrapper))
        self.local.open()

    def read(self, pattern):
        """What is shown up to that, each time from where the last left off; and the match."""
        end = time.monotonic() + PATIENCE
        while not (m := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        text, self.seen = self.seen[:m.end()], self.seen[m.end():]
        return text, m

    def answer(self, text):
        os.write(self.master, f"{text}\r".encode())

    def close(self):
        self.local.stop()
        os.close(self.master)
        os.close(self.slave)


@pytest.mark.parametrize("program", ["pinentry-tty", "pinentry-curses"])
def test_a_pinentry_asks_in_place_of_the_page(org, program):
    pin = Pinentry(org, program, f"/usr/bin/{program}")
    local, password = pin.local, (org.base / "pw").read_text().strip()
    try:
        local.login()
        key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
        assert local.state()["confirm"]["method"] == "pinentry"
        # The page may not have the password at all; it is asked for, again where it was mistyped.
        assert local.unlock().code == "invalid"
        ask = {"id": key["id"], "seconds": 600}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for typed, status in ((("wrong", "wrong", "wrong"), 403), (("wrong", password), 200)):
                unlocked = pool.submit(local.ask, "POST", "/local/keys/unlock", ask)
                for one in typed:
                    pin.read("Passphrase")
                    pin.answer(one)
                assert unlocked.result().status == status, unlocked.result().body
            assert password.encode() not in unlocked.result().body and password not in local.log.read_text()
            # What is signed is confirmed by the code that only the terminal shows.
            wish = {"what": "actions", "kind": "install", "packages": ["tis-\u202egpj"], "hosts": [org.uuid], "valid_s": 60}
            for is_yes in (False, True):
                p = local.ask("POST", "/local/prepare", wish).json
                assert p["needs"] == "gesture"
                assert local.ask("POST", "/local/commit", {"id": p["id"]}).json == {"state": "gesture", "method": "pinentry"}
                text, m = pin.read(CODE)
                code = m[1]
                assert "install" in text and "\u202e" not in text
                assert local.ask("POST", "/local/keys/unlock", ask).code == "busy"  # one question at a time
                pin.answer(code if is_yes else f"{(int(code) + 1) % 10000:04d}")
                a = answered(local, "/local/commit", {"id": p["id"]})
                assert a.json["state"] == "done" if is_yes else a.code == "cancelled", a.body
            # All of what is long is shown, in one window after the other, before anybody can say yes to it.
            p = local.ask("POST", "/local/prepare", {**wish, "packages": [f"tis-{i}-" + "x" * 240 for i in range(5)]}).json
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            seen, windows = "", 1
            while not (m := re.search(CODE, seen)):
                text, m = pin.read(f"\\.\\.\\.|{CODE}")
                seen += text
                if not re.search(CODE, text):
                    os.write(pin.master, b"o" if program == "pinentry-tty" else b"\r")
                    windows += 1
            assert windows > 1 and all(last in seen for last in ("tis-4-", "Not after", "Machines")), seen
            pin.answer(m[1])
            assert answered(local, "/local/commit", {"id": p["id"]}).json["state"] == "done"
            # A page that goes takes its question along; so does the end of the program.
            p = local.ask("POST", "/local/prepare", wish).json
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            pin.read(CODE)
            assert local.ask("DELETE", f"/local/prepare/{p['id']}").status == 200

            def unlock_at_last():
                """Busy for the moment that a pinentry takes to end."""
                end = time.monotonic() + PATIENCE
                while (a := local.ask("POST", "/local/keys/unlock", ask)).status != 200 and a.code == "busy" and time.monotonic() < end:
                    time.sleep(0.05)
                return a

            unlocked = pool.submit(unlock_at_last)
            pin.read("Passphrase")
            pin.answer(password)
            assert unlocked.result().status == 200
            p = local.ask("POST", "/local/prepare", wish).json
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            pin.read(CODE)
    finally:
        children = below(local.process.pid)
        pin.close()
    assert len(children) == 5  # prompter and pinentry, the process that reads, its keeper and the keeper's heir
    until(lambda: not any(os.path.exists(f"/proc/{c}/exe") for c in children), "nothing of it is left")


def test_a_pinentry_that_does_not_work_is_none(org):
    local = Local(org, "nopin", more=("--confirm-above", "0", "--pinentry", "/bin/false"))
    try:
        local.open()
        local.login()
        key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
        assert local.ask("POST", "/local/keys/unlock", {"id": key["id"], "seconds": 600}).code == "unreachable"
        assert local.state()["confirm"]["method"] == "none" and "console.pinentry" in local.log.read_text()
        assert local.unlock().status == 200  # in the page, as without one
    finally:
        local.stop()
    p = start(org, "nopin-at-all", "nopin", "--server", org.url, "--pinentry", "pinentry")
    assert p.wait(20) == 2 and "path of a program" in (org.base / "nopin-at-all.log").read_text()
