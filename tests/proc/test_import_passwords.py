"""Passwords of a WAPT 1.8 server, as passlib really writes them: which are taken over, which not, and what becomes of those at the first login."""
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess

import pytest
from conftest import BIN, run
from test_import import certificate
from test_server_hostile import Server
from test_server_postgres import Postgres

os.environ["PASSLIB_BUILTIN_BCRYPT"] = "enabled"  # its own, that is no libxcrypt
from passlib.apache import HtpasswdFile
from passlib.hash import apr_md5_crypt, bcrypt, des_crypt, hex_sha512, ldap_sha1, pbkdf2_sha512, plaintext, sha256_crypt, sha512_crypt

bcrypt.set_backend("builtin")
sha512_crypt.set_backend("builtin")
SECRET = "Ein gro\u00dfes Geheimnis"
GOOD = {"pbkdf": pbkdf2_sha512.using(rounds=25000), "crypt": sha512_crypt.using(rounds=5000), "crypt-rounds": sha512_crypt.using(rounds=20000),
        "bcrypt-a": bcrypt.using(rounds=4, ident="2a"), "bcrypt-y": bcrypt.using(rounds=5, ident="2y")}
WEAK = {"apache": apr_md5_crypt, "sha": ldap_sha1, "des": des_crypt, "hex": hex_sha512}
UNKNOWN = {"plain": plaintext, "crypt-256": sha256_crypt}
COSTLY = {"rounds": "$6$rounds=999999999$salt$" + 86 * "x", "cost": "$2b$31$abcdefghijklmnopqrstuu" + 31 * "x", "iterations": "$pbkdf2-sha512$99999999$c2FsdA$" + 85 * "x" + "w"}
BROKEN = {"short": "$6$salt$" + 85 * "x", "salt": "$2b$04$abcdefghijklmnopqrstuv" + 31 * "x", "zeros": "$6$rounds=0005000$salt$" + 86 * "x", "long": "$6$" + 400 * "x"}


class Moving:
    """An old server's database and files, and a server of ours."""

    def __init__(self, org, pg, kind):
        self.org, self.pg, self.name = org, pg, f"passwords-{kind}"
        self.base = org.base / self.name
        self.base.mkdir()
        setup = ()
        for name in ("old", "new"):
            self.psql("postgres", f"CREATE DATABASE {name}_{kind}")
        self.old, self.new = f"old_{kind}", f"new_{kind}" if kind == "postgres" else None
        if self.new:
            setup = ("--database", self.url(self.new))
        sql = (pathlib.Path(__file__).parent / "wapt18.sql").read_text()
        self.psql(self.old, re.sub(r"\{cert:([^}]*)\}", lambda m: certificate(self.base, m[1]), sql))
        passwords = HtpasswdFile(str(self.base / "htpasswd"), new=True)
        people = [*GOOD, *WEAK, *UNKNOWN, *COSTLY, *BROKEN]
        for name, kind in {**GOOD, **WEAK, **UNKNOWN}.items():
            passwords.set_hash(name, kind.hash(SECRET))
        for name, text in {**COSTLY, **BROKEN}.items():
            passwords.set_hash(name, text)
        passwords.set_hash("chief", plaintext.hash("not this one"))  # the old server never looked at it
        passwords.set_hash("registrar", GOOD["bcrypt-y"].hash(SECRET))
        passwords.set_hash("\x1b[2Jregistrar", GOOD["bcrypt-y"].hash(SECRET))
        passwords.save()
        with open(self.base / "htpasswd", "a", encoding="utf-8") as f:
            f.write(f"# a comment\n\nno colon\n:no name\ncrypt:{ldap_sha1.hash('a second line of one')}\n")
        self.psql(self.old, "".join(f"INSERT INTO waptusers (name, user_fingerprint_sha1) VALUES ('{n}', '{n}');"
                                    f"INSERT INTO waptuseracls (user_fingerprint_sha1, perimeter_fingerprint, acls) VALUES ('{n}', '*', '{{view}}');" for n in people)
                  + "INSERT INTO waptusers (name, user_fingerprint_sha1) VALUES ('two words', 'c1');")
        self.ini = self.base / "old.ini"
        self.ini.write_text(f"[options]\nwapt_user = chief\nwapt_password = {sha512_crypt.using(rounds=656000).hash(SECRET)}\nhtpasswd_path = {self.base}/htpasswd\n")
        self.srv = Server(org, self.name, "fronts = 1", setup=setup)

    def url(self, database):
        return f"postgresql:///{database}?host={self.pg.dir}&user=postgres"

    def psql(self, database, text):
        return subprocess.run(["runuser", "-u", "postgres", "--", str(self.pg.bin / "psql"), "-qAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.pg.dir), database],
                              input=text, text=True, check=True, cwd="/", capture_output=True).stdout

    def imports(self, *options, language="C"):
        return run("env", f"LANG={language}.UTF-8", BIN / "waptserver", "import", "--config", self.srv.dir / "waptserver.ini", "--from", self.url(self.old), "--ini", self.ini, *options)

    def sql(self, text):
        if self.new:
            return self.psql(self.new, text).strip()
        with contextlib.closing(sqlite3.connect(self.srv.dir / "db/waptserver.sqlite", timeout=60)) as db, db:
            return "\n".join(str(row[0]) for row in db.execute(text))

    def hash(self, name):
        return self.sql(f"SELECT hash FROM users WHERE name = '{name}'")


@pytest.fixture(scope="module")
def pg():
    p = Postgres()
    yield p
    p.stop()
    p.remove()


@pytest.fixture(scope="module", params=("sqlite", "postgres"))
def moving(request, org, pg):
    m = Moving(org, pg, request.param)
    yield m
    m.srv.stop()


def test_who_comes_with_a_password_and_who_without(moving):
    out = json.loads(moving.imports("--json").stdout)["result"]
    why = {x["name"]: x["why"] for x in out["left_out"] if x["what"] == "people"}
    for name in (*GOOD, "chief"):
        assert name not in why and moving.hash(name).startswith("$") and "argon2" not in moving.hash(name), (name, why)
    for names, words in ((WEAK, "too weak"), (UNKNOWN, "not known here"), (COSTLY, "absurd effort"), (BROKEN, "not well formed")):
        for name in names:
            if name == "long":  # cut: it is longer than any
                assert "waptserver user" in why[name]
                continue
            assert words in why[name] and "waptserver user" in why[name], (name, why)
            assert moving.hash(name) == "!imported"
    assert "comes without a password: set one" in why["packager"]
    assert "enrol-token" in why["registrar"] and not moving.hash("registrar") and "can't be a user's name" in why["two words"]
    assert not any(SECRET in str(w) or "$" in w for w in why.values())  # no hash in what is told
    counts = {c["what"]: c for c in out["counts"]}["people"]
    assert counts["taken"] + counts["there"] + counts["left_out"] == counts["found"], counts


def test_the_reasons_in_french(moving):
    french = moving.imports("--dry-run", language="fr_FR")
    assert "il y faut ici un jeton" in french.stderr and "son certificat est celui d'un autre poste" in french.stderr, french.stderr
    assert "could register" not in french.stderr and "\x1b" not in french.stderr and "déjà là" in french.stdout and "postes" in french.stdout, french.stdout
    listed = run("env", "LANG=fr_FR.UTF-8", BIN / "waptserver", "user", "list", "--config", moving.srv.dir / "waptserver.ini").stdout
    assert listed.startswith("utilisateur"), listed


@pytest.mark.parametrize("name", [*GOOD, "chief"])
def test_the_first_login_replaces_the_hash(moving, name):
    moving.imports()
    before, source = moving.hash(name), f"127.0.2.{[*GOOD, 'chief'].index(name) + 1}"  # each has few wrong tries
    assert moving.srv.login(name, SECRET + "x", source)[0] == 401 and moving.hash(name) == before
    assert moving.srv.login(name, SECRET, source)[0] == 200
    after = moving.hash(name)
    assert after.startswith("$argon2id$") and f"person.hash_replaced user={name}\n" in moving.srv.log()
    assert moving.srv.login(name, SECRET + "x", source)[0] == 401
    assert moving.srv.login(name, SECRET, source)[0] == 200 and moving.hash(name) == after
    moving.imports()
    assert moving.hash(name) == after  # what is there is left as it is


def test_a_hostile_hash_holds_nobody_up(moving):
    """Who can write the database puts one there that would take hours: it is refused at once, and the others log in."""
    texts = (*COSTLY.values(), *BROKEN.values(), ldap_sha1.hash(SECRET), "*0", "$6$", "$2b$", "$7$", "$y$j9T$salt$" + 43 * "x", "\x01")
    for i, text in enumerate(texts):
        moving.sql(f"INSERT INTO users (name, hash, role) VALUES ('hostile-{i}', '{text}', 'readonly')")
        assert moving.srv.login(f"hostile-{i}", SECRET, source=f"127.0.1.{i + 1}")[0] in (401, 500), text
        assert moving.srv.login()[0] == 200
        assert moving.hash(f"hostile-{i}") == text
    moving.srv.lives()

