"""The console's local program: what a browser on this machine may have of it, and what nobody else may."""
import http.client
import json
import os
import re
import subprocess
import time

import pytest

from conftest import BIN, until

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


class Local:
    """A running program, and a page of its own."""

    def __init__(self, org, name="local", server=None, fp=None, more=()):
        self.org, self.link_file = org, org.base / f"{name}.link"
        self.log = org.base / f"{name}.log"
        self.process = org.start(name, "waptconsole", "open", "--server", server or org.url, "--server-fingerprint", fp or org.server_fp,
                                 "-k", org.cert("Deployer"), "--keys-dir", org.base / "keys", "--trusted", org.agent / "ssl", "--no-browser", "--link-file", self.link_file, *more)
        until(lambda: self.link_file.exists() or self.process.poll() is not None, "the link is there")
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

    def unlock(self, seconds=600):
        key = next(k for k in self.state()["keys"] if k["name"] == "Deployer")
        return self.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": (self.org.base / "pw").read_text().strip(), "seconds": seconds})

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
    for path in ("/api/v1/session", "/api/v1/session/", "/api/v1/%73ession", "/api/v2/hosts", "/ping", "/wapt/Packages", "/api/v1/account/tokens"):
        assert local.ask("GET", path).status in (200, 400, 404) and b'"token"' not in local.ask("GET", path).body, path
    for path in ("/api/v1/session", "/api/v1/%73ession", "/api/v1/account/tokens", "/api/v2/hosts"):
        assert local.ask("GET", path).code == "not_found", path


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
    batch = done["batches"][0]
    until(lambda: local.ask("GET", f"/api/v1/actions?batch={batch}").json["actions"][0]["state"] == "done", "the machine has done it")
    assert local.ask("POST", "/local/prepare", {"what": "cancel", "batch": batch}).code == "not_found"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=["nobody"])).code == "not_found"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=[local.org.uuid] * 2)).code == "invalid"
    assert local.ask("POST", "/local/prepare", dict(wish, what="shell")).code == "invalid"
    assert local.ask("POST", "/local/keys/lock", {}).status == 200
    assert all(k["unlocked_until"] == 0 for k in local.state()["keys"])


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
    plan = local.ask("POST", "/local/prepare", {"what": "plan", "hosts": [local.org.uuid]}).json
    assert plan["details"]["problems"] and local.ask("POST", "/local/commit", {"id": plan["id"]}).code == "invalid"
    back = local.ask("POST", "/local/prepare", {"what": "host-packages", "hosts": [local.org.uuid], "remove": ["local-one"], "remove_conflicts": ["local-rival"]}).json
    assert local.ask("POST", "/local/commit", {"id": back["id"]}).json["changed"] == 1


def test_packages_are_taken_over_by_a_gesture(local):
    local.org.console("upload", local.org.package("local-tool", "1", "Developer", local.org.base / "local-marker"), "--trusted", local.org.agent / "ssl")
    p = local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-tool"], "from_maturity": "PROD", "maturity": "DEV"}).json
    (one,) = p["details"]["packages"]
    assert (one["becomes"], one["becomes_maturity"], one["signer"]) == ("local-tool", "DEV", "Developer") and p["needs"] == "gesture"
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "denied"  # there is nowhere to ask
    assert local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-none"], "maturity": "DEV"}).code == "not_found"
    # Where packages come from is the configuration's matter, not the page's.
    for place in ("https://example.org/wapt", "/tmp", "global", ""):
        assert local.ask("POST", "/local/prepare", {"what": "import", "from": place, "packages": ["local-tool"]}).code == "not_found"
