"""Backups: hot, whole, checked before anything is touched; back on either database; killed at any moment."""
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import time
import zipfile

import pytest

from conftest import BIN, PATIENCE, free_port, run, until
from test_server_hostile import Server
from test_server_postgres import Postgres
from tracer import Tracer

SERVER = BIN / "waptserver"


@pytest.fixture(scope="module")
def source(org):
    """A running server with a machine, a package and people; and an archive of it, made while it runs."""
    s = Server(org, "backup-source", "fronts = 1")
    password = org.base / "admin.pw"
    run(SERVER, "user", "--config", s.dir / "waptserver.ini", "add", "bob", "--role", "helpdesk", "--password-file", password)
    run(BIN / "waptconsole", "upload", org.package("backed-up", "1", "Developer", "/nonexistent"), "--server", f"https://127.0.0.1:{s.port}",
        "--server-fingerprint", org.fingerprint(s.dir / "private/tls.crt"), "--password-file", password)
    s.archive = org.base / "backup.zip"
    out = json.loads(run(SERVER, "backup", "--json", "--repository", "--config", s.dir / "waptserver.ini", s.archive).stdout)["result"]
    assert out["files"] > 10 and out["changed"] == 0
    s.acts = acts(s.dir)
    yield s
    s.stop()


def config(d):
    return ("--config", d / "waptserver.ini")


def people(d):
    return [p["name"] for p in json.loads(run(SERVER, "user", "--json", *config(d)).stdout)["result"]]


def acts(d):
    return [e["entry"]["act"] for e in json.loads(run(SERVER, "journal", "--json", *config(d)).stdout)["result"]]



def test_whole_and_back(org, source):
    d = org.base / "restored"
    assert stat.S_IMODE(os.stat(source.archive).st_mode) == 0o600
    assert run(SERVER, "backup", *config(source.dir), source.archive, ok=False).returncode == 13  # there already
    run(SERVER, "restore", "--dir", d, source.archive)
    assert people(d) == ["admin", "bob"]
    assert acts(d) == [*source.acts, "server.restored"]
    run(SERVER, "journal", "verify", *config(d))
    for name in ("waptserver.ini", "private/tls.pem", "private/relay.pem", "repo/wapt/Packages"):
        assert (d / name).read_bytes() == (source.dir / name).read_bytes(), name
    for path in d.rglob("*"):
        if not path.name.startswith("waptserver.sqlite"):
            now, then = os.stat(path), os.stat(source.dir / path.relative_to(d))
            assert (now.st_mode, now.st_uid) == (then.st_mode, then.st_uid), path
    assert oct(os.stat(d / "db/waptserver.sqlite").st_mode)[-3:] == "600"


@pytest.mark.parametrize("secret", ("http_proxy = http://wapt:hush@127.0.0.1:3128", "report_database = postgresql://wapt:hush@127.0.0.1/wapt"))
def test_a_configuration_with_a_password_comes_back_closed(org, source, secret):
    ini, archive, d = source.dir / "waptserver.ini", org.base / "secret.zip", org.base / "secret"
    before = ini.read_bytes()
    try:
        ini.chmod(0o640)
        ini.write_bytes(before + f"{secret}\n".encode())
        run(SERVER, "backup", *config(source.dir), archive)
        run(SERVER, "restore", "--dir", d, archive)
        assert stat.S_IMODE(os.stat(d / "waptserver.ini").st_mode) == 0o640 and people(d) == ["admin", "bob"]
    finally:
        ini.write_bytes(before)
        ini.chmod(0o644)
        archive.unlink(missing_ok=True)
        shutil.rmtree(d, ignore_errors=True)


def test_nothing_is_overwritten_unasked(org, source):
    busy = run(SERVER, "restore", "--force", "--dir", source.dir, source.archive, ok=False)
    assert "stop it first" in busy.stderr and people(source.dir) == ["admin", "bob"]
    d = org.base / "mine"
    d.mkdir()
    (d / "note").write_text("mine")
    assert run(SERVER, "restore", "--dir", d, source.archive, ok=False).returncode == 13
    assert (d / "note").read_text() == "mine"
    out = json.loads(run(SERVER, "restore", "--json", "--force", "--dir", d, source.archive).stdout)["result"]
    assert (org.base / "mine.before-1/note").read_text() == "mine" and out["former"].endswith("mine.before-1")


def copied(source, target, change):
    """The archive with other members, as whoever can write it would make it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in change({i.filename: old.read(i) for i in old.infolist()}).items():
            new.writestr(name, content)


CHANGES = {
    "changed": lambda m: {**m, "private/tls.pem": m["private/tls.pem"].replace(b"A", b"B")},
    "longer": lambda m: {**m, "waptserver.ini": m["waptserver.ini"] + b"\n"},
    "missing": lambda m: {k: v for k, v in m.items() if k != "private/relay.pem"},
    "one more": lambda m: {**m, "trusted/evil.crt": b"x"},
    "no manifest": lambda m: {k: v for k, v in m.items() if k != "manifest.jsonl"},
    "manifest cut off": lambda m: {**m, "manifest.jsonl": b"\n".join(m["manifest.jsonl"].splitlines()[:-1]) + b"\n"},
    "database cut off": lambda m: {**m, "database.jsonl": b"\n".join(m["database.jsonl"].splitlines()[:-1]) + b"\n"},
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_damaged_archive_makes_nothing(org, source, how):
    bad, d = org.base / "bad.zip", org.base / "never"
    copied(source.archive, bad, CHANGES[how])
    run(SERVER, "restore", "--dir", d, bad, ok=False)
    assert not d.exists() and not (org.base / "never.restore").exists()


def test_from_one_database_to_the_other(org, source):
    pg = Postgres()
    try:
        d, back, again = org.base / "on-pg", org.base / "back", org.base / "pg.zip"
        run(SERVER, "restore", "--dir", d, "--database", pg.url, source.archive)
        assert people(d) == ["admin", "bob"] and not (d / "db/waptserver.sqlite").exists()
        run(SERVER, "journal", "verify", *config(d))
        occupied = run(SERVER, "restore", "--dir", org.base / "never", "--database", pg.url, source.archive, ok=False)
        assert "--force" in occupied.text and not list(org.base.glob("never*"))
        run(SERVER, "user", *config(d), "remove", "bob")
        run(SERVER, "backup", *config(d), again)
        run(SERVER, "restore", "--dir", back, "--database", "", again)
        assert people(back) == ["admin"] and "database" not in (back / "waptserver.ini").read_text()
        # Over one that is there: as a whole.
        run(SERVER, "restore", "--force", "--dir", d, "--database", pg.url, source.archive)
        assert people(d) == ["admin", "bob"]
    finally:
        pg.stop()
        pg.remove()


def test_killed_before_any_change(org, source):
    """Before it is the new server it is the old one, whole; and what is left is no obstacle to the next."""
    top = org.base / "steps"
    d, old = top / "killed", org.base / "old.zip"
    top.mkdir()
    run(SERVER, "restore", "--dir", d, source.archive)
    run(SERVER, "user", *config(d), "remove", "bob")
    run(SERVER, "backup", "--repository", *config(d), old)
    again = [SERVER, "restore", "--force", "--dir", d, source.archive]
    steps = []
    assert Tracer(again, os.environ, top, record=steps.append).run() == 0
    # The first and the last of the restore's own steps, few of the many between and within the database; from the last to the first, so
    # that each finds what its successor left.
    own = [i for i, step in enumerate(steps, 1) if "/db/" not in step[1]]
    seen = []
    for at in sorted({*own[:8], *own[8:-8:12], *own[-8:], *range(1, len(steps), 80)}, reverse=True):
        if not seen or seen[-1] != ["admin"]:
            run(SERVER, "restore", "--force", "--dir", d, old)
        assert Tracer(again, os.environ, top, at=at).run() is None, f"step {at} of {len(steps)}: {steps[at - 1]}"
        seen.append(people(d))
        run(SERVER, "journal", "verify", *config(d))
        for left in top.glob("killed.before-*"):
            shutil.rmtree(left)
    run(*again)
    assert people(d) == ["admin", "bob"] and not (top / "killed.restore").exists()
    # From the last step to the first: the new one as far as the change of places, the old one from there on.
    new = [names == ["admin", "bob"] for names in seen]
    assert new == sorted(new, reverse=True) and set(new) == {True, False} and all(n in (["admin"], ["admin", "bob"]) for n in seen)


def test_what_a_kill_left_is_no_obstacle(org, source):
    """Each state between two steps, made by hand: a kill hits the short ones too seldom."""
    d, stage = org.base / "between", org.base / "between.restore"
    mark = "restore.incomplete"

    def restore(**kw):
        return run(SERVER, "restore", "--force", "--dir", d, source.archive, **kw)

    restore()
    stage.mkdir()  # made, not marked yet
    restore()
    assert not stage.exists() and not (d / mark).exists()
    shutil.copytree(d, stage)  # marked, not changed yet
    (stage / mark).touch()
    restore()
    assert not stage.exists() and not (d / mark).exists()

    for left in org.base.glob("between.before-*"):
        shutil.rmtree(left)
    shutil.copytree(d, stage)  # changed, the former one not put aside yet: it is not lost
    (stage / "former").touch()
    (d / mark).touch()
    restore()
    assert not stage.exists() and not (d / mark).exists()
    assert [p.name for p in sorted(org.base.glob("between.before-*")) if (p / "former").exists()] == ["between.before-1"]
    assert people(d) == ["admin", "bob"]
    (d / mark).touch()  # put aside, the mark not taken away yet
    restore()
    assert not stage.exists() and not (d / mark).exists()

    stage.mkdir()
    (stage / "mine").touch()  # not ours
    assert "is in the way" in restore(ok=False).stderr and (stage / "mine").exists()
    for left in (stage, d, *org.base.glob("between.before-*")):
        shutil.rmtree(left)


def findings(d):
    p = run(SERVER, "check", "--json", *config(d), ok=None)
    return p.returncode, {f["check"]: f for f in json.loads(p.stdout)["result"]}


@pytest.fixture
def copy(org, source):
    """A server to be damaged."""
    d = org.base / "damaged"
    run(SERVER, "restore", "--dir", d, source.archive)
    yield d
    shutil.rmtree(d)


def test_check_finds_nothing_in_a_good_one(source, copy):
    for d in (source.dir, copy):
        _, found = findings(d)
        assert set(found) == {"rights", "certificate", "authority", "disk", "repository", "database", "schema", "journal", "journal size", "backup"}
        assert [f for name, f in found.items() if name not in ("disk", "backup") and f["state"] != "good"] == []
    # Of what was restored no backup was made since; the console's first page knows, too.
    assert found["backup"]["state"] == "warning" and findings(source.dir)[1]["backup"]["state"] == "good"
    status, text, _ = source.call("GET", "/api/v1/overview", token=source.token())
    seen = json.loads(text)
    assert status == 200 and time.time() - 3600 < seen["backup_at"] <= time.time() and 0 <= seen["disk_free_percent"] <= 100 and seen["clock_off_s"] == 0
    sql(copy, f"INSERT INTO marks VALUES ('backup', {int(time.time()) - 8 * 86400})")
    old = findings(copy)[1]["backup"]
    assert old["state"] == "warning" and "8 days" in old["text"]


def test_check_says_that_the_journal_is_long(copy):
    sql(copy, "INSERT INTO journal (node, seq, at, digest, entry) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000001) "
              "SELECT 'gone', i, 1, '', '' FROM n")
    found = findings(copy)[1]["journal size"]
    assert found["state"] == "warning" and "export FILE --trim" in found["remedy"], found


def test_check_names_the_folder_that_is_closed(org, source):
    closed = org.base / "closed"
    try:
        run(SERVER, "restore", "--dir", closed / "in/server", source.archive)
        assert findings(closed / "in/server")[1]["database"]["state"] == "good"
        closed.chmod(0o700)
        status, found = findings(closed / "in/server")
        assert status == 1 and found["database"]["state"] == "error" and f"'{closed}' is closed" in found["database"]["text"] and "chmod" in found["database"]["remedy"], found
    finally:
        shutil.rmtree(closed)


def empty_keytab(d):
    (d / "private/http.keytab").write_bytes(b"\5\2")
    (d / "private/http.keytab").chmod(0o600)
    with open(d / "waptserver.ini", "a", encoding="utf-8") as f:
        f.write("registration = kerberos\n")


DAMAGES = {
    "rights": lambda d: (d / "private/relay.pem").chmod(0o640),
    "certificate": lambda d: (d / "private/tls.crt").write_text("none"),
    "authority": lambda d: (d / "private/authority.crt").write_bytes((d / "private/tls.crt").read_bytes()),  # of another key
    "keytab": lambda d: empty_keytab(d),  # pylint: disable=unnecessary-lambda
    "repository": lambda d: next((d / "repo/wapt").glob("*.wapt")).unlink(),
    "database": lambda d: os.truncate(d / "db/waptserver.sqlite", 8192),
    "journal": lambda d: sql(d, "UPDATE journal SET entry = replace(entry, 'bob', 'eve') WHERE entry LIKE '%bob%'"),
    "schema": lambda d: sql(d, "INSERT INTO schema_version VALUES (9999)"),
}


def sql(d, statement):
    with sqlite3.connect(d / "db/waptserver.sqlite") as db:
        db.execute(statement)


@pytest.mark.parametrize("what", DAMAGES)
def test_check_finds(copy, what):
    DAMAGES[what](copy)
    status, found = findings(copy)
    assert status == 1 and found[what]["state"] == "error", found


def test_secrets_that_others_can_read_refuse_the_start(org, copy):
    for path, mode, words in (("private/relay.pem", 0o640, "chmod go="), ("private", 0o755, "chmod go="), ("waptserver.ini", 0o664, "chmod go-w"),
                              ("trusted", 0o777, "chmod go-w"), ("db/waptserver.sqlite", 0o644, "chmod go=")):
        before = stat.S_IMODE(os.stat(copy / path).st_mode)
        (copy / path).chmod(mode)
        refused = run(SERVER, "run", *config(copy), ok=False)
        assert refused.returncode == 11 and words in refused.text and path in refused.text, refused.text
        (copy / path).chmod(before)
    shutil.chown(copy / "private/tls.pem", "wapt")
    assert "chown root" in run(SERVER, "run", *config(copy), ok=False).text


def test_no_name_of_a_file_becomes_a_command(copy):
    """Whoever has taken over the process of the database names files as they like there; the administrator, root, does what a remedy says."""
    (copy / "db" / "x'; touch owned; '\ngood     rights        all is well\x1b[31m").write_text("")
    rows = json.loads(run(SERVER, "check", "--json", *config(copy), ok=None).stdout)["result"]
    mine = [r for r in rows if "touch" in r["text"]]
    assert mine and all(r["state"] == "error" for r in mine) and not any("touch" in r["remedy"] for r in rows), rows
    for command in ("check", "run"):
        text = run(SERVER, command, *config(copy), ok=False).text
        assert "touch owned" in text and "'; touch" not in text and "\x1b" not in text and not re.search("^good +rights", text, re.M), text


def test_the_log_as_a_file(source, copy):
    ini = copy / "waptserver.ini"
    port = free_port()
    ini.write_text(ini.read_text().replace(f"port = {source.port}", f"port = {port}") + "log_file = the.log\nlog_size = 1\n")
    with subprocess.Popen([SERVER, "run", *config(copy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as p:
        until(lambda: (copy / "the.log").exists() and "server.started" in (copy / "the.log").read_text(), "it has started")
        p.terminate()
        out, err = p.communicate(timeout=PATIENCE)
    assert p.returncode == 0 and out == err == b""
    log = (copy / "the.log").read_text()
    assert "waptserver/store process.confined" in log and "waptserver/front process.confined" in log
    assert stat.S_IMODE(os.stat(copy / "the.log").st_mode) == 0o640
