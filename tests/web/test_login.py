"""Ways of logging in from the console's pages, at a real provider (the certified `oidc-provider`): web/tests/login.mjs; and what the program lets nobody do."""
import re
import socket
import urllib.parse

import pytest
from pages import play, scenarios
from conftest import organisation, until
from local_program import Local
from test_server_hostile import Server
from test_server_oidc import ROLES, Provider, browse, install, status_of
from test_server_webhooks import certified


class World:
    def __init__(self, org):
        install()
        self.org = org
        self.provider = Provider(org.base / "provider", certified(org.base / "provider-tls"))
        self.srv = Server(org, "server-login", f"fronts = 1\noidc_issuer = {self.provider.issuer}\noidc_client_id = wapt\noidc_login_roles = {ROLES}\n"
                                               f"verify_cert_oidc = {self.provider.config['cert']}\ncertificate_login = 1")
        mine = org.fingerprint(org.cert("Deployer"))
        assert self.srv.call("POST", f"/api/v1/users/admin/certificates/{mine}", token=self.srv.token())[0] == 200
        self.pages, self.local = (Local(org, name, server=f"https://127.0.0.1:{self.srv.port}", fp=org.fingerprint(self.srv.dir / "private/tls.crt"))
                                  for name in ("login-pages", "login"))
        self.local.open()

    def stop(self):
        self.pages.stop()
        self.local.stop()
        self.srv.stop()
        self.provider.stop()


@pytest.fixture(scope="module")
def world():
    with organisation() as org:
        w = World(org)
        try:
            yield w
        finally:
            w.stop()


@pytest.fixture(scope="module")
def played(world):
    return play("login.mjs", link=world.pages.link, keyPassword=(world.org.base / "pw").read_text().strip())


@pytest.mark.parametrize("name", scenarios("login.mjs"))
def test_login(played, name):
    assert played[name] is None, played[name]


def is_shut(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return False
    except OSError:
        return True


def waits(local):
    return local.ask("GET", "/local/oidc")


def test_the_port_knows_one_browser(world):
    """What a page may ask, and what others on this machine may try at the port that the browser comes back to."""
    local, provider = world.local, world.provider
    assert local.ask("POST", "/local/oidc", {}, token=False).status in (401, 403)
    local.ask("POST", "/local/logout", {})
    assert waits(local).status == 404
    url = local.ask("POST", "/local/oidc", {}).json["url"]
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    port = urllib.parse.urlsplit(asked["redirect_uri"]).port
    assert str(port) != local.port and asked["code_challenge_method"] == "S256" and waits(local).status == 202
    for other in ("/", "/oidc", "/oidc?code=evil", f"/oidc?state={asked['state'][:-1]}x&code=evil", f"/other?state={asked['state']}&code=evil"):
        assert status_of(f"http://127.0.0.1:{port}{other}")[0] == 404
    with socket.create_connection(("127.0.0.1", port), 20) as silent:
        silent.sendall(b"GET /oidc?")
    assert waits(local).status == 202
    # A page begins another one: the first is no more, though its person comes back.
    again = local.ask("POST", "/local/oidc", {}).json["url"]
    until(lambda: is_shut(port), "nobody listens at the first port")  # whoever heard there is told to stop
    came, back = browse(again, provider.config["cert"], "bernd")
    status, page, _ = status_of(back)
    assert status == 200 and came["code"].encode() not in page
    until(lambda: waits(local).status == 200, "the program is logged in")
    state = local.state()
    assert (state["server"]["state"], state["server"]["user"], state["server"]["roles"]) == ("connected", "bernd", ["deployer"])
    # Neither code, verifier nor session is anywhere that a page, or a reader of logs, could look.
    told = local.ask("GET", "/local/state").body.decode() + local.log.read_text()
    assert came["code"] not in told and not re.search("verifier|Bearer", told)
    # Somebody in no group that counts.
    local.ask("POST", "/local/logout", {})
    _, back = browse(local.ask("POST", "/local/oidc", {}).json["url"], provider.config["cert"], "guest")
    assert status_of(back)[0] == 200
    until(lambda: waits(local).status != 202, "the server has judged")
    assert local.state()["server"]["state"] == "login" and waits(local).status == 404


def test_ways_that_are_none(world):
    local = world.local
    assert local.ask("POST", "/local/login", {"way": "nonsense"}).status == 400
    local.ask("POST", "/local/keys/lock", {})
    key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
    assert key["can_log_in"] is True
    assert local.ask("POST", "/local/login", {"way": "certificate", "key": key["id"]}).code == "conflict"  # locked
    assert local.ask("POST", "/local/login", {"way": "certificate", "key": "0" * 16}).code == "not_found"
    assert local.ask("POST", "/local/login", {"way": "kerberos"}).code == "login"  # no ticket here
    # By the certificate; its session goes on when the key is locked for signing.
    assert local.unlock().status == 200
    assert local.ask("POST", "/local/login", {"way": "certificate", "key": key["id"]}).status == 200
    local.ask("POST", "/local/keys/lock", {})
    assert local.ask("GET", "/api/v1/users").status == 200
    local.ask("POST", "/local/logout", {})
    ways = local.state()["server"]["ways"]
    assert ways == {"password": True, "oidc": True, "certificate": True, "kerberos": False}
