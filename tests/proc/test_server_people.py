"""Several administrators with roles, on the real server: what each may, and what ends with a change."""
import json
import sqlite3

import pytest

from conftest import BIN, run, totp
from local_program import Local
from test_server_hostile import Server, put

ROLES = ("developer", "deployer", "helpdesk", "readonly")
PASSWORD = "a long password"


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-people", "fronts = 1")
    yield s
    s.stop()


def user(srv, *argv, ok=True):
    secret = srv.org.base / "user.pw"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    more = ["--password-file", secret] if argv[0] in ("add", "password") else []
    return run(BIN / "waptserver", "user", *argv, *more, "--json", "--config", srv.dir / "waptserver.ini", ok=ok)


def token(srv, name):
    status, body, _ = srv.login(name, PASSWORD)
    assert status == 200, body
    answer = json.loads(body)
    assert answer["user"] == name
    return answer["token"]


def test_roles_and_what_they_may(srv, org):
    tokens = {}
    for role in ROLES:
        user(srv, "add", f"the.{role}", "--role", role)
        tokens[role] = token(srv, f"the.{role}")
    people = {p["name"]: p["role"] for p in json.loads(user(srv, "list").stdout)["result"]}
    assert people.items() >= {"admin": "superadmin", **{f"the.{r}": r for r in ROLES}}.items()
    code = org.package("people-code", "1", "Developer", org.base / "people").read_bytes()
    sources = org.base / "people-group"
    run(BIN / "wapt-get", "make-group-template", "people-group", "", sources)
    plain = org.build(sources, "Deployer").read_bytes()
    for role in ROLES:
        mine = tokens[role]
        assert srv.call("GET", "/api/v1/hosts", token=mine)[0] == 200
        assert put(srv, mine, code)[0] == (200 if role == "developer" else 403), role
        assert put(srv, mine, plain)[0] == (200 if role in ("developer", "deployer") else 403), role
        assert srv.incoming() == []
    # Who may not is told so before the body is taken: no byte of it reaches the disk.
    head = f"PUT /api/v1/uploads/{'0' * 32}?offset=0 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tokens['readonly']}\r\nContent-Length: 1000000000\r\n\r\n"
    assert srv.raw(head.encode()).startswith(b"HTTP/1.1 403")
    assert "api.denied" in srv.log() and "the.readonly" in srv.log()


def test_a_change_counts_at_once(srv):
    user(srv, "add", "changing", "--role", "deployer")
    mine = token(srv, "changing")
    assert srv.call("DELETE", "/api/v1/hosts/none", token=mine)[0] == 404
    user(srv, "role", "changing", "readonly")
    assert srv.call("DELETE", "/api/v1/hosts/none", token=mine)[0] == 403
    user(srv, "password", "changing")
    assert srv.call("GET", "/api/v1/hosts", token=mine)[0] == 401
    mine = token(srv, "changing")
    user(srv, "disable", "changing")
    assert srv.call("GET", "/api/v1/hosts", token=mine)[0] == 401
    assert srv.login("changing", PASSWORD)[0] == 401
    user(srv, "enable", "changing")
    assert srv.call("GET", "/api/v1/hosts", token=mine)[0] == 401
    mine = token(srv, "changing")
    user(srv, "remove", "changing")
    assert srv.call("GET", "/api/v1/hosts", token=mine)[0] == 401
    assert srv.login("changing", PASSWORD)[0] == 401


@pytest.mark.parametrize("argv,status", (
    (("add", "x", "--role", "emperor"), 2), (("add", "../x"), 2), (("add", "a b"), 2), (("add", ""), 2), (("add", "-x"), 2),
    (("role", "nobody-here", "readonly"), 12), (("disable", "nobody-here"), 12), (("add", "admin"), 13),
    (("remove", "admin"), 14), (("disable", "admin"), 14), (("role", "admin", "developer"), 14), (("burn", "admin"), 2), (("role", "admin"), 2)))
def test_what_is_refused(srv, argv, status):
    assert user(srv, *argv, ok=False).returncode == status
    assert srv.login()[0] == 200


def lets_in(srv, org, name, status=0):
    """Whether this person may let a machine in."""
    base = org.base / f"people-{name}"
    ini = org.new_agent(base)
    ini.write_text(ini.read_text().replace(org.url, f"https://127.0.0.1:{srv.port}").replace("[global]", f"[global]\nuuid = people-{name}\nverify_cert = {srv.dir}/private/tls.crt"))
    secret = base / "pw"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    got = run(BIN / "wapt-get", "-c", ini, "register", "--server-user", name, "--server-password-file", secret, ok=status == 0)
    assert got.returncode == status, got.stderr


def test_who_may_let_machines_in(srv, org):
    for name, role, status in (("porter", "deployer", 0), ("guest", "helpdesk", 5)):
        user(srv, "add", name, "--role", role)
        lets_in(srv, org, name, status)
    listed = json.loads(srv.call("GET", "/api/v1/hosts?search=people-&sort=uuid", token=srv.token())[1])
    assert {"people-porter", "people-guest"} & {h["uuid"] for h in listed["hosts"]} == {"people-porter"}


def journal(srv, *argv, ok=True):
    return run(BIN / "waptserver", "journal", *argv, "--json", "--config", srv.dir / "waptserver.ini", ok=ok)


def walk(local):
    """What a page is told that has every entry looked at: how many there are, or what is wrong."""
    a = local.ask("POST", "/local/journal", {})
    while a.status == 200 and not a.json["done"]:
        a = local.ask("POST", "/local/journal", {k: a.json[k] for k in ("node", "after", "digest")})
    return a.json["total"] if a.status == 200 else a.json["error"]["message"]


def test_the_journal_and_those_who_remember_it(srv, org, monkeypatch):
    """Entries for what people did; a console that has seen the journal notices what the server's owner did to it."""
    user(srv, "add", "noted", "--role", "developer")
    assert put(srv, token(srv, "noted"), org.package("people-noted", "1", "Developer", org.base / "people").read_bytes())[0] == 200
    lets_in(srv, org, "noted")
    for argv in (("role", "noted", "readonly"), ("disable", "noted"), ("remove", "noted")):
        user(srv, *argv)
    acts = [e["entry"]["act"] for e in json.loads(journal(srv, "list").stdout)["result"]]
    for act in ("login", "user.added", "user.role", "user.disabled", "user.removed", "package.changed", "host.registered"):
        assert act in acts, act
    monkeypatch.setenv("XDG_CONFIG_HOME", str(org.base / "journal-config"))

    def hosts():
        return run(BIN / "waptconsole", "hosts", "--server", f"https://127.0.0.1:{srv.port}", "--server-fingerprint",
                   org.fingerprint(srv.dir / "private/tls.crt"), "--password-file", org.base / "admin.pw")

    assert "journal" not in hosts().stderr and "journal" not in hosts().stderr
    (kept,) = (org.base / "journal-config/wapt").glob("journal-*.head")
    local = Local(org, "journal-pages", server=f"https://127.0.0.1:{srv.port}", fp=org.fingerprint(srv.dir / "private/tls.crt"),
                  environment={"XDG_CONFIG_HOME": str(org.base / "journal-config")})
    local.open()
    assert local.ask("POST", "/local/journal", {}).code == "login"
    local.login()
    assert walk(local) >= len(acts)
    for body in ({"after": 0}, {"digest": "0" * 64}, {"after": 0, "digest": "x"}, {"node": "x", "more": 1}):
        assert local.ask("POST", "/local/journal", body).status == 400, body
    assert "does not fit" in local.ask("POST", "/local/journal", {"after": 0, "digest": "1" * 64}).json["error"]["message"]
    assert "journal" not in hosts().stderr
    seen = kept.read_text().strip()
    assert json.loads(journal(srv, "verify", "--head", seen).stdout)["result"]["entries"] >= len(acts)
    # The owner of the server takes the last entries away, and things go on.
    with sqlite3.connect(srv.dir / "db/waptserver.sqlite") as db:
        db.execute("DELETE FROM journal WHERE seq >= (SELECT max(seq) FROM journal) - 1")
    assert json.loads(journal(srv, "verify").stdout)["ok"]
    assert journal(srv, "verify", "--head", seen, ok=False).returncode == 4
    assert "was seen here up to" in walk(local)
    user(srv, "add", "after.the.cut", "--role", "readonly")  # never the same two entries again, though it were the same second
    assert "rewritten or cut" in hosts().stderr
    assert "was another one when it was last seen here" in walk(local)
    assert kept.read_text().strip() == seen, "what was seen is kept"
    # An entry changed in the middle.
    with sqlite3.connect(srv.dir / "db/waptserver.sqlite") as db:
        db.execute("UPDATE journal SET entry = replace(entry, 'readonly', 'developer') WHERE seq = (SELECT max(seq) FROM journal WHERE entry LIKE '%readonly%')")
    assert "does not fit to those before it" in walk(local)
    with sqlite3.connect(srv.dir / "db/waptserver.sqlite") as db:
        db.execute("DELETE FROM journal WHERE seq = (SELECT min(seq) + 1 FROM journal)")
    assert "It was taken out" in walk(local)
    local.stop()
    broken = journal(srv, "verify", ok=False)
    assert broken.returncode == 4 and "damaged at entry" in broken.stdout
    for argv in (("burn",), ("verify", "--head", "x"), ("verify", "--head", "1:abc"), ("list", "--limit", "0")):
        assert journal(srv, *argv, ok=False).returncode == 2


def console(srv, name, *argv, ok=True):
    """Without a terminal: what is asked for fails."""
    return run("setsid", "-w", BIN / "waptconsole", *argv, "--user", name, "--password-file", srv.org.base / "user.pw", "--server", f"https://127.0.0.1:{srv.port}",
               "--server-fingerprint", srv.org.fingerprint(srv.dir / "private/tls.crt"), "--json", ok=ok)


def private(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def test_second_factor(srv, org):
    """From its offer to a lost device; no code counts twice, and none is guessed."""
    user(srv, "add", "careful", "--role", "superadmin")
    offer = json.loads(console(srv, "careful", "second-factor", "on").stdout)["result"]
    assert offer["uri"].startswith("otpauth://totp/") and offer["secret"] in offer["uri"]
    recovery = json.loads(console(srv, "careful", "second-factor", "confirm", totp(offer["secret"])).stdout)["result"]["recovery_codes"]
    assert len(set(recovery)) == 10
    assert console(srv, "careful", "hosts", ok=False).returncode == 6
    body = {"user": "careful", "password": PASSWORD}
    for code, source in ((totp(offer["secret"], 1), "127.0.6.1"), (recovery[3].lower().replace("-", " "), "127.0.6.2")):
        assert console(srv, "careful", "hosts", "--code-file", private(org.base / "code", code)).returncode == 0
        assert srv.call("POST", "/api/v1/session", {**body, "code": code}, source=source)[0] == 401, "a code counts once"
    # Whoever has the password guesses codes: a few, from wherever he comes.
    body["code"] = "000000"
    answers = [srv.call("POST", "/api/v1/session", body, source=f"127.0.7.{i}")[0] for i in range(1, 8)]
    assert answers[0] == 401 and answers[-1] == 429 and set(answers) == {401, 429}
    assert srv.call("POST", "/api/v1/session", {**body, "code": recovery[5]}, source="127.0.7.9")[0] == 429
    secret = sqlite3.connect(srv.dir / "db/waptserver.sqlite").execute("SELECT totp FROM users WHERE name = 'careful'").fetchone()[0]
    assert offer["secret"] not in secret and offer["secret"] not in srv.log()
    assert (srv.dir / "private/people.key").stat().st_mode & 0o77 == 0
    # Somebody who has lost it needs a superadmin.
    user(srv, "drop-second-factor", "careful")
    assert console(srv, "careful", "hosts").returncode == 0
    user(srv, "remove", "careful")


def test_tokens_of_programs(srv, org):
    user(srv, "add", "owner", "--role", "developer")
    made = json.loads(console(srv, "owner", "token", "make", "robot", "--right", "view", "--days", "1").stdout)["result"]
    file = private(org.base / "robot.token", made["token"])
    assert console(srv, "owner", "hosts", "--token-file", file).returncode == 0
    assert console(srv, "owner", "token", "make", "more", "--right", "view", "--token-file", file, ok=False).returncode == 5
    assert console(srv, "owner", "token", "make", "more", "--right", "people", ok=False).returncode == 5, "what one has not oneself"
    assert srv.call("DELETE", "/api/v1/hosts/none", token=made["token"])[0] == 403
    assert made["token"] not in srv.log()
    assert made["token"].encode() not in b"".join(p.read_bytes() for p in (srv.dir / "db").iterdir())
    listed = json.loads(console(srv, "owner", "token").stdout)["result"]
    assert [t["name"] for t in listed] == ["robot"] and listed[0]["used"] > 0
    user(srv, "remove", "owner")
    assert srv.call("GET", "/api/v1/hosts", token=made["token"])[0] == 401
    user(srv, "add", "owner", "--role", "superadmin")
    assert srv.call("GET", "/api/v1/hosts", token=made["token"])[0] == 401, "who comes later by that name has it not"
    user(srv, "remove", "owner")


def test_stuffing(srv):
    """Many names from one address, one name from many: none can be told from one that nobody has, and nobody is locked out where he works."""
    user(srv, "add", "worker")
    assert srv.login("worker", PASSWORD, source="127.0.9.9")[0] == 200
    said = {srv.login(name, "a guess", source=f"127.0.8.{i}")[:2] for i, name in enumerate(("worker", "no.such", "admin", "x" * 200, "\u00e9"), 1)}
    assert len(said) == 1 and said.pop()[0] == 401
    answers = [srv.login(f"name{i}", "a guess", source="127.0.8.99")[0] for i in range(8)]
    assert answers == [401] * 5 + [429] * 3
    answers = [srv.login("worker", "a guess", source=f"127.0.10.{i}")[0] for i in range(1, 25)]
    assert 429 in answers and answers[0] == 401
    assert srv.login("worker", PASSWORD, source="127.0.11.1")[0] == 429
    assert srv.login("worker", PASSWORD, source="127.0.9.9")[0] == 200


def test_a_session_is_not_chosen(srv):
    """Neither by who asks, nor by who sends him: a login makes a new one, and old ones stay what they are."""
    mine = "0" * 64
    assert srv.call("GET", "/api/v1/session", token=mine)[0] == 401
    body = {"user": "admin", "password": srv.password}
    status, answer, _ = srv.call("POST", "/api/v1/session", body, token=mine, headers=["Cookie: session=" + mine])
    assert status == 200 and json.loads(answer)["token"] != mine
    assert srv.call("GET", "/api/v1/session", token=mine)[0] == 401
    assert srv.call("POST", "/api/v1/session", {**body, "token": mine})[0] == 400


def test_people_from_the_console(srv, org):
    user(srv, "add", "chief", "--role", "superadmin")
    secret = org.base / "user.pw"
    assert console(srv, "chief", "user", "add", "site", "--role", "deployer", "--new-password-file", secret, "--unit", "OU=paris,DC=example,DC=org").returncode == 0
    listed = {u["name"]: u for u in json.loads(console(srv, "chief", "user").stdout)["result"]}
    assert listed["site"]["limited"] and listed["site"]["role"] == "deployer"
    assert json.loads(console(srv, "site", "hosts").stdout)["result"] == []
    here = {u["name"]: u for u in json.loads(user(srv, "list").stdout)["result"]}
    assert here["site"]["perimeter"] == {"groups": [], "profiles": [], "units": ["OU=paris_DC=example_DC=org"]} and "perimeter" not in here["chief"], here
    rows = run(BIN / "waptserver", "user", "list", "--config", srv.dir / "waptserver.ini").stdout.splitlines()
    assert next(r for r in rows if r.startswith("site ")).split() == ["site", "deployer", "unit=OU=paris_DC=example_DC=org"], rows
    assert next(r for r in rows if r.startswith("chief ")).split() == ["chief", "superadmin", "all"], rows
    assert console(srv, "site", "user", ok=False).returncode == 5
    assert console(srv, "chief", "user", "perimeter", "site", "--all-machines").returncode == 0
    assert not {u["name"]: u for u in json.loads(console(srv, "chief", "user").stdout)["result"]}["site"]["limited"]
    for argv, status in ((("role", "site", "readonly"), 0), (("role", "site", "emperor"), 2), (("disable", "site"), 0), (("remove", "none"), 12), (("burn", "x"), 2), (("remove", "site"), 0)):
        assert console(srv, "chief", "user", *argv, ok=status == 0).returncode == status, argv
    user(srv, "remove", "chief")


def test_own_password_and_sessions_by_commands(srv, org):
    user(srv, "add", "own.hand", "--role", "readonly")
    old, new = org.base / "own.old", org.base / "own.new"
    for path, text in ((old, PASSWORD), (new, "another long password"), (org.base / "own.short", "short")):
        path.write_text(text + "\n")
        path.chmod(0o600)
    there = ("--server", f"https://127.0.0.1:{srv.port}", "--server-fingerprint", org.fingerprint(srv.dir / "private/tls.crt"), "--user", "own.hand")
    console = lambda secret, *argv, ok=True: run(BIN / "waptconsole", *argv, *there, "--password-file", secret, ok=ok)  # noqa: E731
    first, second = token(srv, "own.hand"), token(srv, "own.hand")
    listed = json.loads(console(old, "sessions", "--json").stdout)["result"]
    assert [s["this"] for s in listed].count(True) == 1 and len(listed) == 3 and {s["method"] for s in listed} == {"password"}
    mine = json.loads(srv.call("GET", "/api/v1/account/sessions", token=first)[1])["sessions"]
    console(old, "sessions", "end", next(s["id"] for s in mine if s["this"]))
    assert srv.call("GET", "/api/v1/hosts", token=first)[0] == 401 and srv.call("GET", "/api/v1/hosts", token=second)[0] == 200
    for bad in ("0" * 16, "../x", "a?b"):
        assert console(old, "sessions", "end", bad, ok=False).returncode != 0
    assert "characters" in console(old, "password", "--new-password-file", org.base / "own.short", ok=False).stderr
    assert srv.call("GET", "/api/v1/hosts", token=second)[0] == 200
    console(old, "password", "--new-password-file", new)
    assert srv.call("GET", "/api/v1/hosts", token=second)[0] == 401  # everywhere else
    assert console(old, "sessions", ok=False).returncode != 0
    console(new, "sessions")
