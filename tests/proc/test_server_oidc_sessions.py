"""Sessions of people whom an OpenID Connect provider knows: it is asked again, on either database, and what it says counts; nobody uses what is kept of another."""
import json
import sqlite3
import subprocess
import time
import zipfile

import pytest

from conftest import BIN, run, until
from test_server_hostile import Server
from test_server_oidc import ROLES, Liar, Login, Provider, b64, install, log_in
from test_server_postgres import Postgres
from test_server_webhooks import certified


class Kept(Server):
    """A server whose database somebody else can write, too."""

    postgres = None

    def sql(self, text):
        """Rows of texts; what the server has."""
        if self.postgres:
            out = subprocess.run(["psql", "-XAtq", "-F", "|", "-d", self.postgres.url, "-c", text], capture_output=True, text=True, check=True).stdout
            return [tuple(line.split("|")) for line in out.splitlines()]
        db = sqlite3.connect(self.dir / "db/waptserver.sqlite", timeout=60)
        try:
            with db:
                return [tuple(map(str, row)) for row in db.execute(text).fetchall()]
        finally:
            db.close()

    def sealed(self, user):
        return [row[0] for row in self.sql(f"SELECT sealed FROM sessions WHERE \"user\" = '{user}' ORDER BY created, sha256")]

    def due(self, user):
        """It is time to ask about the person's sessions."""
        self.sql(f"UPDATE sessions SET due = 1 WHERE due > 0 AND \"user\" = '{user}'")

    def is_asked(self, user):
        """Nobody's turn has come any more."""
        return self.sql(f"SELECT count(*) FROM sessions WHERE due > 0 AND due < {int(time.time()) + 100} AND \"user\" = '{user}'") == [("0",)]

    def who(self, token):
        """The role of the session; None: it has ended."""
        status, body, _ = self.call("GET", "/api/v1/session", token=token)
        assert status in (200, 401), body
        return json.loads(body)["role"] if status == 200 else None

    def ended_by(self, why):
        return f'why="{why}' in self.log()


@pytest.fixture(scope="module")
def provider(org):
    install()
    p = Provider(org.base / "provider-kept", certified(org.base / "provider-kept-tls"))
    yield p
    p.stop()


def options(issuer, cert):
    return f"fronts = 1\noidc_issuer = {issuer}\noidc_client_id = wapt\noidc_login_roles = {ROLES}\nverify_cert_oidc = {cert}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def srv(org, provider, request):
    pg = Postgres() if request.param == "postgresql" else None
    s = Kept(org, f"server-kept-{request.param}", options(provider.issuer, provider.config["cert"]) + "\noidc_prompt = consent", setup=("--database", pg.url) if pg else ())
    s.postgres = pg
    yield s
    s.stop()
    if pg:
        pg.stop()
        pg.remove()


def session(srv, provider, person):
    login, came = log_in(srv, provider, person)
    status, body = login.finish(srv, came["code"], iss=came["iss"])
    assert status == 200, body
    return body["token"], body


def people(provider, **groups):
    """What the provider knows from now on; None: nobody of that name."""
    known = {**provider.config["people"], **groups}
    (provider.base / "config.json").write_text(json.dumps(dict(provider.config, people={k: v for k, v in known.items() if v is not None})))


def test_the_provider_is_asked_again(srv, provider):
    people(provider)
    assert "openid%20profile%20offline_access" in Login().begin(srv), "it knows that scope"
    token, body = session(srv, provider, "bernd")
    (kept,) = srv.sealed("bernd")
    assert body["expires"] == int(srv.sql("SELECT created FROM sessions WHERE \"user\" = 'bernd'")[0][0]) + 7200
    assert (srv.dir / "private/oidc.key").stat().st_mode & 0o77 == 0
    archive = srv.dir / "with-the-key.zip"
    run(BIN / "waptserver", "backup", "--config", srv.dir / "waptserver.ini", archive)
    assert zipfile.ZipFile(archive).read("private/oidc.key") == (srv.dir / "private/oidc.key").read_bytes()
    # Each time with the token that came last; the one before is none any more.
    for _ in range(2):
        srv.due("bernd")
        until(lambda k=kept: srv.sealed("bernd") != [k], "it is renewed")
        (kept,) = srv.sealed("bernd")
        assert srv.who(token) == "deployer"
    # Other groups give another role, with nobody logging in.
    people(provider, bernd=["helpers"])
    srv.due("bernd")
    until(lambda: srv.who(token) == "helpdesk", "what the provider says now counts now")
    # Nor do other sessions and tokens of somebody who is in no group that counts survive.
    second = session(srv, provider, "bernd")[0]
    people(provider, bernd=["staff"])
    srv.sql("UPDATE sessions SET due = 1 WHERE sha256 IN (SELECT sha256 FROM sessions WHERE \"user\" = 'bernd' ORDER BY created LIMIT 1)")
    until(lambda: srv.who(token) is None and srv.who(second) is None, "both have ended")
    assert srv.ended_by("none of its groups uses this server")
    # Somebody who is there no more: his programs are out with him, until he is there again.
    people(provider)
    token = session(srv, provider, "bernd")[0]
    made = srv.call("POST", "/api/v1/account/tokens", {"name": "robot", "rights": ["view"], "days": 30}, token=token)[1]
    robot = json.loads(made)["token"]
    assert srv.call("GET", "/api/v1/hosts", token=robot)[0] == 200
    people(provider, bernd=None)
    srv.due("bernd")
    until(lambda: srv.who(token) is None, "a person who was removed is out")
    assert srv.ended_by("the provider refuses the refresh token (status 400, invalid_grant)")
    status, said, _ = srv.call("GET", "/api/v1/hosts", token=robot)
    assert status == 401 and b"must log in again" in said, said
    people(provider)
    session(srv, provider, "bernd")
    assert srv.call("GET", "/api/v1/hosts", token=robot)[0] == 200
    srv.sql("DELETE FROM sessions WHERE \"user\" = 'bernd'")
    assert [r for r in srv.sql("SELECT entry FROM journal") if "user.logged_out" in r[0] and '"oidc"' in r[0].replace(" ", "")]


def test_it_is_given_back(srv, provider):
    """Logging out, and being logged out: the provider ends what it gave."""
    log = provider.base / "provider.log"

    def ended(person):
        return log.read_text().count(f"destroyed {person}\n")

    people(provider, carla=["helpers"], dora=["helpers"])
    before, token = ended("carla"), session(srv, provider, "carla")[0]
    assert srv.call("DELETE", "/api/v1/session", token=token)[0] == 200
    until(lambda: ended("carla") == before + 1, "the provider was told")
    before, token = ended("dora"), session(srv, provider, "dora")[0]
    assert srv.call("POST", "/api/v1/users/dora", {"disabled": True}, token=srv.token())[0] == 200
    until(lambda: ended("dora") == before + 1, "and of somebody who was disabled")
    assert srv.who(token) is None
    until(lambda: srv.sql("SELECT count(*) FROM ended_grants WHERE \"user\" IN ('carla', 'dora')") == [("0",)], "nothing is owed any more")


def test_what_is_kept_is_worth_nothing_elsewhere(srv, provider):
    """Whoever has the database, or the store, puts one person's or an old one in the place of another."""
    people(provider)
    log = provider.base / "provider.log"
    srv.sql("DELETE FROM sessions")
    one, two, other = (session(srv, provider, p)[0] for p in ("anna", "anna", "bernd"))
    rows = srv.sql("SELECT sha256, sealed FROM sessions WHERE sealed <> '' ORDER BY \"user\", created, sha256")
    assert len(rows) == 3
    asked = log.read_text().count("refresh_token")
    for number, (sha256, _) in enumerate(rows):
        srv.sql(f"UPDATE sessions SET sealed = '{rows[(number + 1) % 3][1]}', due = 1 WHERE sha256 = '{sha256}'")
    until(lambda: [srv.who(t) for t in (one, two, other)] == [None] * 3, "all three have ended")
    assert srv.ended_by("what is kept of the session is not its own")
    assert log.read_text().count("refresh_token") == asked, "the provider was not even asked"
    # Nor can somebody become another by name.
    token = session(srv, provider, "bernd")[0]
    srv.sql("UPDATE sessions SET \"user\" = 'anna', due = 1 WHERE \"user\" = 'bernd'")
    until(lambda: srv.who(token) is None, "it has ended")
    # One that was used before is found out by the provider.
    token = session(srv, provider, "bernd")[0]
    (old,) = srv.sealed("bernd")
    srv.due("bernd")
    until(lambda: srv.sealed("bernd") != [old], "it is renewed")
    srv.sql(f"UPDATE sessions SET sealed = '{old}', due = 1 WHERE \"user\" = 'bernd'")
    until(lambda: srv.who(token) is None, "a replay ends the session")
    # What the database has is no token of the provider's.
    assert old not in log.read_text()


def test_a_provider_that_is_away(srv, provider):
    """It is not asked again and again, nor does the session last longer for it; a new one goes on."""
    people(provider)
    token = session(srv, provider, "anna")[0]
    expires = srv.sql("SELECT expires FROM sessions WHERE \"user\" = 'anna'")
    provider.stop()
    try:
        seen = srv.log().count("person.not_checked")
        srv.due("anna")
        until(lambda: srv.log().count("person.not_checked") > seen, "it was asked in vain")
        assert srv.who(token) == "superadmin"
        assert srv.sql("SELECT expires FROM sessions WHERE \"user\" = 'anna'") == expires
        srv.sql(f"UPDATE sessions SET expires = {int(time.time())} WHERE \"user\" = 'anna'")
        assert srv.who(token) is None, "one more interval, and no longer"
    finally:
        provider.start()


# --- a provider that lies ---

class Forgetful(Liar):
    """It knows refresh tokens, and takes them back."""

    def description(self):
        return dict(super().description(), revocation_endpoint=f"{self.issuer}/revoke", scopes_supported=["openid", "offline_access"])


@pytest.fixture(scope="module")
def lied(org):
    tls = certified(org.base / "forgetful-tls")
    liar = Forgetful(tls)
    s = Kept(org, "server-forgetful", options(liar.issuer, tls.cert))
    yield s, liar
    s.stop()
    liar.shutdown()
    liar.server_close()


GOOD = {"nonce": None}  # what most say: a refreshed token needs none
AGAIN = {  # the role from then on; None: the session has ended
    "as it was": (GOOD, "superadmin"),
    "with the nonce of its login": ({}, "superadmin"),
    "other groups": (dict(GOOD, groups=["helpers"]), "superadmin"),  # another's good answer comes after it
    "another subject": (dict(GOOD, sub="2"), None),
    "another name": (dict(GOOD, preferred_username="admin"), None),
    "another issuer": (dict(GOOD, iss="https://other.example.org"), None),
    "another audience": (dict(GOOD, aud="other"), None),
    "another login's nonce": ({"nonce": b64(bytes(32))}, None),
    "an old one": (dict(GOOD, iat=-3600), None),
    "of tomorrow": (dict(GOOD, iat=86400), None),
    "alg none": (dict(GOOD, head={"alg": "none"}, sign=lambda _k, _t: b""), None),
    "a signature of zeros": (dict(GOOD, sign=lambda _k, _t: bytes(64)), None),
    "no ID token": (None, None),
}


def open_session(srv, liar, refresh, source, **claims):
    login = Login()
    liar.answer = 200, {"id_token": liar.token(login, **claims), "refresh_token": refresh}
    status, body = login.finish(srv, "c", source=source)
    assert status == 200, body
    return login, body["token"]


def test_what_a_refreshed_token_must_be(lied):
    srv, liar = lied
    sessions = {name: open_session(srv, liar, f"refresh-{n}", f"127.0.1.{n + 1}") for n, name in enumerate(AGAIN)}
    names = {f"refresh-{n}": name for n, name in enumerate(AGAIN)}

    def answer(form):
        if form.get("grant_type") != "refresh_token":
            return 200, {}
        name = names[form["refresh_token"].removesuffix("+")]
        lie, _ = AGAIN[name]
        return 200, {"id_token": liar.token(sessions[name][0], **lie) if lie is not None else None, "refresh_token": form["refresh_token"] + "+"}

    liar.answer, liar.asked = answer, []
    srv.due("eve")
    until(lambda: srv.is_asked("eve"), "all were asked about")
    for name, (_, role) in AGAIN.items():
        got = srv.who(sessions[name][1])
        assert (got is None) == (role is None), (name, got)
    assert not any("evil" in form.get("client_id", "") for _, form in liar.asked)
    # What has ended is given back, each once; those that go on have the newest.
    until(lambda: sorted(form["token"] for path, form in liar.asked if path == "/revoke") == sorted(r for r, n in names.items() if AGAIN[n][1] is None), "it was given back")
    liar.asked = []
    srv.due("eve")
    until(lambda: srv.is_asked("eve"), "they are asked about again")
    assert all(form["refresh_token"].endswith("+") for path, form in liar.asked if path == "/token")
    srv.sql("DELETE FROM sessions WHERE \"user\" = 'eve'")


def test_what_does_not_count_as_an_answer(lied):
    """Of a large answer, a refusal that is not the person's, rubbish: nothing is taken from anybody, nor given."""
    srv, liar = lied
    login, token = open_session(srv, liar, "r", "127.0.2.1")
    for answer in ((200, b"{" + b" " * 300000 + b"}"), (401, {"error": "invalid_client"})):
        kept, seen = srv.sealed("eve"), srv.log().count("person.not_checked")
        liar.answer = answer
        srv.due("eve")
        until(lambda s=seen: srv.log().count("person.not_checked") > s, "it is no answer")
        assert srv.who(token) == "superadmin" and srv.sealed("eve") == kept
    # Keys that are no keys: those that are known stay, and are asked for again.
    kept, keys, seen = srv.sealed("eve"), liar.jwks, srv.log().count("person.not_checked")
    liar.keys["b"], liar.published = liar.keys["a"], {"b": liar.keys["a"]}
    liar.answer = 200, {"id_token": liar.token(login, key="b", head={"alg": "ES256"}, **GOOD), "refresh_token": "s"}
    liar.jwks = lambda: b"<html>"
    srv.due("eve")
    until(lambda: srv.log().count("person.not_checked") > seen, "it is no answer")
    assert srv.who(token) == "superadmin" and srv.sealed("eve") == kept
    liar.jwks = keys
    srv.due("eve")
    until(lambda: srv.is_asked("eve") and srv.sealed("eve") != kept, "it is renewed")
    assert srv.who(token) == "superadmin"
    liar.published, kept = {"a": liar.keys["a"]}, srv.sealed("eve")
    # A refresh token that is too large is none: it was the last time.
    liar.answer = 200, {"id_token": liar.token(login, **GOOD), "refresh_token": "r" * 5000}
    srv.due("eve")
    until(lambda: srv.is_asked("eve"), "it is asked")
    until(lambda: srv.sealed("eve") != kept, "and has answered")
    assert srv.who(token) == "superadmin"
    assert srv.call("DELETE", "/api/v1/session", token=token)[0] == 200


def test_who_is_removed_while_the_provider_is_asked(lied):
    """The provider vouches for somebody whom an administrator has removed meanwhile: nobody comes back, and what was sent is given back."""
    srv, liar = lied
    admin = srv.token()
    login, token = open_session(srv, liar, "refresh-removed", "127.0.3.1")

    def removes(form):
        if form.get("grant_type") == "refresh_token":
            assert srv.call("DELETE", "/api/v1/users/eve", token=admin)[0] == 200
        return 200, {"id_token": liar.token(login, **GOOD), "refresh_token": "rrrr-late"}

    liar.answer = removes
    srv.due("eve")
    until(lambda: ("/revoke", "rrrr-late") in [(path, form.get("token")) for path, form in liar.asked], "what came late is given back")
    assert srv.who(token) is None
    assert srv.sql("SELECT name FROM users WHERE name = 'eve'") == []


def test_without_a_refresh_token(lied):
    """As ever: the session ends after directory_session."""
    srv, liar = lied
    login = Login()
    liar.answer = 200, {"id_token": liar.token(login)}
    status, body = login.finish(srv, "c", source="127.0.3.1")
    assert status == 200 and srv.sealed("eve") == [""]
    assert body["expires"] == int(srv.sql("SELECT created FROM sessions WHERE \"user\" = 'eve'")[0][0]) + 3600
    assert "refresh-" not in srv.log() and "rrrr" not in srv.log()
    srv.lives()
