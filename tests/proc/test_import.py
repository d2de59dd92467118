"""A WAPT 1.8 server's database, on a real PostgreSQL, taken over; and a machine of it that proves itself by the key that it has."""
import base64
import contextlib
import hashlib
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess

import pytest

from conftest import BIN, PATIENCE, free_port, run, until
from test_server_postgres import Postgres

UUID = "moved-machine"


def certificate(base, name):
    """A machine's own, as WAPT made them: an authority."""
    key, crt = base / f"{name}.pem", base / f"{name}.crt"
    if crt.exists():
        return crt.read_text()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(crt), "-subj", f"/CN={name}", "-days", "3650"],
                   check=True, capture_output=True)
    return crt.read_text()


def passlib(password):
    def ab64(data):
        return base64.b64encode(data).decode().rstrip("=").replace("+", ".")
    return f"$pbkdf2-sha256$29000${ab64(b'saltsalt')}${ab64(hashlib.pbkdf2_hmac('sha256', password.encode(), b'saltsalt', 29000))}"


class Old:
    def __init__(self, org, base):
        base.mkdir()
        self.pg, self.base, self.server = Postgres(), base, base / "server"
        sql = (pathlib.Path(__file__).parent / "wapt18.sql").read_text()
        self.sql = re.sub(r"\{cert:([^}]*)\}", lambda m: certificate(base, m[1]), sql)
        self.psql(self.sql)
        (base / "old-trusted").mkdir()
        shutil.copy(org.cert("Deployer"), base / "old-trusted")
        self.ini = base / "old.ini"
        self.ini.write_text(f"[options]\nwapt_user = chief\nwapt_password = {passlib('old secret')}\ntrusted_signers_certificates_folder = {base}/old-trusted\n"
                            "encrypt_host_packages = True\nremote_repo_support = 1\nremote_repo_diff = 0\nUse_Kerberos = 1\ndb_password = hush-hush\nclient_tasks_timeout=\n"
                            "\x1b[2Jsetting = 1\nloglevel_waptdb = debug\n[uwsgi]\nprocesses = 4\n")
        self.port = free_port()
        run(BIN / "waptserver", "setup", "--dir", self.server, "--name", "localhost,127.0.0.1", "--bind", "127.0.0.1", "--port", self.port,
            "--admin-password-file", org.base / "admin.pw")

    def psql(self, text):
        subprocess.run(["runuser", "-u", "postgres", "--", str(self.pg.bin / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.pg.dir), "postgres"],
                       input=text, text=True, check=True, cwd="/")

    def imports(self, *options):
        out = json.loads(run(BIN / "waptserver", "import", "--json", "--config", self.server / "waptserver.ini", "--from", self.pg.url, "--ini", self.ini, *options).stdout)
        counts = {c.pop("what"): c for c in out["result"]["counts"]}
        return counts, {(x["what"], x["name"]): x["why"] for x in out["result"]["left_out"]}

    def query(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.server / "db/waptserver.sqlite", timeout=PATIENCE)) as db:
            return db.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def old(org):
    o = Old(org, org.base / "moving")
    yield o
    o.pg.stop()
    o.pg.remove()


def test_an_import(org, old):
    dry, why = old.imports("--dry-run")
    assert dry["hosts"] == {"found": 7, "taken": 2, "there": 0, "left_out": 5}, why
    assert old.query("SELECT COUNT(*) FROM hosts") == [(0,)] and not list((old.server / "trusted").glob("wapt18-*"))
    counts, left = old.imports()
    assert counts == dry
    assert "another machine's" in left["hosts", "not-its-own (pc-3.example.org)"]
    assert "no certificate" in left["hosts", "no-certificate (pc-4.example.org)"]
    assert counts["people"] == {"found": 8, "taken": 3, "there": 1, "left_out": 4}, left
    assert "a deployer does" in left["people", "reporter"] and "takes a token" in left["people", "enroller"]  # nobody gets more than there was
    assert "without a password" in left["people", "packager"] == why["people", "packager"] and ("people", "chief") not in left
    assert counts["reports"] == {"found": 4, "taken": 1, "there": 0, "left_out": 3}, left
    assert counts["software_names"]["taken"] == 2 and counts["packages"]["taken"] == 2 and counts["groups"] == {"found": 3, "taken": 2, "there": 0, "left_out": 1}
    assert old.query("SELECT uuid, names FROM memberships ORDER BY uuid") == [("BY-FQDN", "sales"), (UUID, "sales")]
    assert counts["certificates"] == {"found": 2, "taken": 2, "there": 0, "left_out": 0}  # with its issuer
    assert len(list((old.server / "trusted").glob("wapt18-*.crt"))) == 2
    assert old.query("SELECT uuid, name, registered_by FROM hosts ORDER BY uuid") == [
        ("BY-FQDN", "pc-2", "WAPT 1.8 ()"), (UUID, "pc-1", "WAPT 1.8 (kerb:pc-1.example.org)")]
    settings = {name: reason for (what, name), reason in left.items() if what == "settings"}
    assert set(settings) == {"encrypt_host_packages", "remote_repo_support", "use_kerberos", "db_password", "\x1b[2jsetting", "loglevel_waptdb"}, settings
    assert "that machine alone" in settings["encrypt_host_packages"] and "mirror" in settings["remote_repo_support"] and "keytab" in settings["use_kerberos"]
    assert "no such option" in settings["\x1b[2jsetting"] and "log_file" in settings["loglevel_waptdb"] and "hush-hush" not in str(left)
    assert counts["settings"] == {"found": 9, "taken": 3, "there": 0, "left_out": 6}
    assert not old.query("SELECT 1 FROM sections WHERE content LIKE '%geheim%'")
    assert old.query("SELECT manufacturer, serial, agent_version FROM host_facts WHERE host = (SELECT number FROM hosts WHERE uuid = ?)", UUID) == [
        ("Dell", "SN-1", "1.8.2.7393")]
    assert old.query("SELECT package, version, status, audit FROM package_states ORDER BY package") == [
        ("tis-firefox", "115.9-2", "OK", "WARNING"), ("tis-vim", "9-1", "ERROR", "")]
    assert old.query("SELECT name, normal_name FROM software_titles ORDER BY name") == [("100%_sure", "Sure"), ("Mozilla Firefox (x64 fr)", "Firefox")]
    assert old.query("SELECT name, role FROM users ORDER BY name") == [("admin", "superadmin"), ("chief", "superadmin"), ("packager", "deployer"), ("reporter", "readonly")]
    assert old.query("SELECT name FROM reports") == [("machines",)]
    again, _ = old.imports()
    assert again["hosts"] == {"found": 7, "taken": 0, "there": 2, "left_out": 5} and again["people"]["taken"] == again["reports"]["taken"] == 0
    assert again["certificates"]["there"] == 2
    run(BIN / "waptserver", "journal", "verify", "--config", old.server / "waptserver.ini")


def test_a_dump_from_another_system(org, old):
    """As a server on Windows leaves: its database alone, restored by somebody else, and a configuration with that system's ends of lines."""
    tool = ("runuser", "-u", "postgres", "--")
    where = ("-h", old.pg.dir, "-U", "postgres")
    dump = old.pg.dir / "wapt.dump"
    subprocess.run([*tool, old.pg.bin / "pg_dump", *where, "-Fc", "-f", dump, "postgres"], check=True, cwd="/")
    subprocess.run([*tool, old.pg.bin / "createdb", *where, "-T", "template0", "-E", "UTF8", "wapt18"], check=True, cwd="/")
    subprocess.run([*tool, old.pg.bin / "pg_restore", *where, "--no-owner", "--no-privileges", "-d", "wapt18", dump], check=True, cwd="/")
    ini = old.base / "windows.ini"
    ini.write_bytes(b"\xef\xbb\xbf" + old.ini.read_bytes().replace(b"\n", b"\r\n"))
    seen = []
    for url, config in ((old.pg.url, old.ini), (old.pg.url.replace("/postgres?", "/wapt18?"), ini)):
        out = run(BIN / "waptserver", "import", "--json", "--config", old.server / "waptserver.ini", "--from", url, "--ini", config, "--dry-run").stdout
        seen.append(json.loads(out)["result"])
    assert seen[0] == seen[1] and {c["what"]: c["found"] for c in seen[1]["counts"]}["hosts"] == 7


def test_the_machine_proves_itself_with_its_old_key(org, old):
    old.imports()
    org.start("moved-server", "waptserver", "run", "--config", old.server / "waptserver.ini")
    url = f"https://127.0.0.1:{old.port}"
    until(lambda: subprocess.run(["curl", "-skf", url + "/ping"], capture_output=True).returncode == 0, "the server answers")
    fp = org.fingerprint(old.server / "private/tls.crt")
    secret = old.base / "pw"
    secret.write_text("old secret\n")
    secret.chmod(0o600)

    def hosts():  # the old administrator's password still opens
        out = run(BIN / "waptconsole", "hosts", "--json", "--server", url, "--server-fingerprint", fp, "--user", "chief", "--password-file", secret)
        return {h["uuid"]: h for h in json.loads(out.stdout)["result"]}

    curl = ("curl", "-sk", "-H", "Content-Type: application/json")
    token = json.loads(subprocess.run([*curl, "-d", json.dumps({"user": "chief", "password": "old secret"}), url + "/api/v1/session"], capture_output=True, check=True).stdout)["token"]
    for group, there in (("sales", {UUID, "BY-FQDN"}), ("stock", set())):  # before any of them has said a word
        found = subprocess.run([*curl, "-H", f"Authorization: Bearer {token}", f"{url}/api/v1/hosts?group={group}"], capture_output=True, check=True).stdout
        assert {h["uuid"] for h in json.loads(found)["hosts"]} == there, found
    assert set(hosts()) == {UUID, "BY-FQDN"} and not hosts()[UUID]["reachable"]
    base = old.base / "agent"
    ini = org.new_agent(base)
    ini.write_text(f"[global]\nuuid = {UUID}\nwapt_server = {url}\nverify_cert = {old.server}/private/tls.crt\n")
    (base / "private").mkdir(mode=0o700)
    shutil.copy(old.base / f"{UUID}.pem", base / "private")
    (base / "private" / f"{UUID}.pem").chmod(0o600)
    org.start_agent("moved-agent", ini)
    run(BIN / "wapt-get", "-c", ini, "register")  # no token, no login
    until(lambda: hosts()[UUID]["reachable"], "the machine is connected")
    run(BIN / "wapt-get", "-c", ini, "update-status")
    assert old.query("SELECT registered_by LIKE 'key from %' FROM hosts WHERE uuid = ?", UUID) == [(1,)]
    # what it had under WAPT and has no more is in its history
    assert ("removed", "tis-firefox") in old.query("SELECT event, package FROM package_history")
    # another key is not let in under the same name, imported or not
    other = org.new_agent(old.base / "other")
    other.write_text(ini.read_text().replace(UUID, "BY-FQDN"))
    org.start_agent("other-agent", other)
    refused = run(BIN / "wapt-get", "-c", other, "register", ok=False)
    assert "no machine is registered here by this name and with this key" in refused.text, refused.text


def test_what_is_no_old_database(org, old):
    old.psql("CREATE DATABASE empty")
    url = old.pg.url.replace("/postgres?", "/empty?")
    refused = run(BIN / "waptserver", "import", "--config", old.server / "waptserver.ini", "--from", url, ok=False)
    assert "none of a WAPT 1.8 server" in refused.stderr
    run(BIN / "waptserver", "import", "--config", old.server / "waptserver.ini", "--from", "sqlite:/etc/passwd", ok=False)
