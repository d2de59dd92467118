"""The server on a real PostgreSQL: the whole chain, and a database that goes away and comes back under it."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import types

import pytest

from conftest import BIN, free_port, run, until
from test_f1_machine import machine_of_ours, send
from test_server_hostile import Server


class Postgres:
    """A throw-away PostgreSQL on a Unix socket, which trusts whoever reaches it, and ends with who started it, however that one ends."""

    inside = ()  # the words before its programs, where they run somewhere else
    initdb = ()  # more options
    options = ("listen_addresses=",)
    port = 5432

    def __init__(self):
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wapt-pg-"))
        self.dir.chmod(0o755)
        shutil.chown(self.dir, "postgres")
        self.prepare()
        subprocess.run([*self.inside, "runuser", "-u", "postgres", "--", str(self.bin / "initdb"), "-D", str(self.dir / "data"), "-A", "trust", "-U", "postgres",
                        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", *self.initdb], cwd="/", check=True, timeout=600, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()
        self.url = f"postgresql:///postgres?host={self.dir}&user=postgres"

    def prepare(self):
        pass

    def start(self):
        options = (*self.options, f"unix_socket_directories={self.dir}", "fsync=off", "full_page_writes=off")
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen([*self.inside, "setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--pdeathsig", "QUIT",
                                             str(self.bin / "postgres"), "-D", str(self.dir / "data"), *(w for o in options for w in ("-c", o))],
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: subprocess.run([self.bin / "pg_isready", "-q", "-h", self.dir, "-p", str(self.port)], check=False).returncode == 0, "PostgreSQL answers")

    def stop(self):  # as a crash
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def remove(self):
        shutil.rmtree(self.dir)


class Elsewhere(Postgres):
    """One that is reached by name over TLS, and wants a password."""

    def prepare(self):
        port = free_port()
        crt, key, word, self.passfile = (self.dir / n for n in ("tls.crt", "tls.pem", "word", "pass"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", crt], check=True, capture_output=True)
        crt.chmod(0o644)
        word.write_text("sesame\n")
        self.passfile.write_text(f"localhost:{port}:postgres:postgres:sesame\n")
        for path, owner in ((key, "postgres"), (word, "postgres"), (self.passfile, "wapt")):
            path.chmod(0o600)
            shutil.chown(path, owner)
        self.initdb = ("--auth-host=scram-sha-256", f"--pwfile={word}")
        self.options = ("listen_addresses=localhost", f"port={port}", "ssl=on", f"ssl_cert_file={crt}", f"ssl_key_file={key}")
        self.address = f"postgresql://postgres@localhost:{port}/postgres?passfile={self.passfile}&sslmode=verify-full&sslrootcert={crt}"
        self.port = port


class Small(Postgres):
    """One whose tables lie on a small disk of their own, its log of changes on another."""

    def prepare(self):
        for name in ("tables", "wal"):
            (self.dir / name).mkdir()
        self.holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-ec",
                                        f"mount -t tmpfs -o size=24m,mode=700,uid=$(id -u postgres) none {self.dir}/tables\n"
                                        f"mount -t tmpfs -o size=12m,mode=700,uid=$(id -u postgres) none {self.dir}/wal\n"
                                        "echo ready\nexec sleep infinity"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd="/")
        assert self.holder.stdout.readline() == b"ready\n"
        self.inside = ("nsenter", "-m", "-t", str(self.holder.pid))
        self.initdb = ("--wal-segsize", "1", "--waldir", str(self.dir / "wal/pg_wal"))

    def sql(self, text):
        return subprocess.run([self.bin / "psql", "-h", self.dir, "-U", "postgres", "-qAtc", text], check=True, capture_output=True, text=True, cwd="/").stdout.strip()

    def fill(self, disk):
        """A file that leaves nothing of it; removing it makes room."""
        path = pathlib.Path(f"/proc/{self.holder.pid}/root{self.dir}/{disk}/fill")
        with pytest.raises(OSError), open(path, "wb") as f:
            while True:
                f.write(b"\0" * 65536)
                f.flush()
        return path

    def remove(self):
        self.holder.kill()
        self.holder.wait()
        super().remove()


@pytest.fixture(scope="module")
def pg():
    p = Postgres()
    yield p
    p.stop()
    p.remove()


@pytest.fixture(scope="module")
def srv(org, pg):
    s = Server(org, "server-postgres", "fronts = 2", setup=("--database", pg.url))
    yield s
    s.stop()


@pytest.fixture(scope="module")
def machine(org, srv):
    """A machine that is registered with it and connected."""
    base = org.base / "on-postgres"
    ini = org.new_agent(base)
    ini.write_text(ini.read_text().replace(org.url, f"https://127.0.0.1:{srv.port}")
                   .replace("[global]", f"[global]\nuuid = on-postgres\nverify_cert = {srv.dir}/private/tls.crt"))
    org.start_agent("on-postgres", ini)
    token = base / "token"
    token.write_text(run(BIN / "waptserver", "enrol-token", "--config", srv.dir / "waptserver.ini").stdout)
    run(BIN / "wapt-get", "-c", ini, "register", "--token-file", token)
    until(lambda: reachable(srv), "the machine is connected")
    return ini


def hosts(srv, token):
    status, body, _ = srv.call("GET", "/api/v1/hosts", token=token)
    return json.loads(body)["hosts"] if status == 200 else status


def reachable(srv):
    return [h["uuid"] for h in hosts(srv, srv.token()) if h["reachable"]] == ["on-postgres"]


def order(org, srv):
    return run(BIN / "waptconsole", "action", "update-status", "--hosts", "on-postgres", "--server", f"https://127.0.0.1:{srv.port}",
               "--server-fingerprint", org.fingerprint(srv.dir / "private/tls.crt"), "--password-file", org.base / "admin.pw", "--yes",
               "--certificate", org.cert("Deployer"), "--private-key-passwd", org.base / "pw", "--timeout", "90s")


def test_the_whole_chain(org, srv, machine):
    order(org, srv)
    assert not (srv.dir / "db/waptserver.sqlite").exists()
    assert srv.call("GET", "/api/v1/software", token=srv.token())[0] == 200  # another process looks
    user = run(BIN / "waptserver", "user", "--json", "--config", srv.dir / "waptserver.ini").stdout
    assert [p["name"] for p in json.loads(user)["result"]] == ["admin"]
    assert run(BIN / "wapt-get", "-c", machine, "update-status").returncode == 0
    status, body, _ = srv.call("GET", "/api/v1/hosts?fields=orderers,window_end", token=srv.token())  # what it goes by, in this database too
    assert (status, json.loads(body)["hosts"]) == (200, [{"uuid": "on-postgres", "window_end": 2**63 - 1,
                                                          "orderers": [org.fingerprint(org.cert("Deployer"))]}])
    status, body, _ = srv.call("GET", "/api/v1/batches", token=srv.token())
    batch = json.loads(body)["batches"][0]  # the newest
    assert (status, batch["user"], batch["kind"], batch["counts"], batch["machines"]) == (200, "admin", "update-status", {"done": 1}, 1)


def test_the_database_goes_and_comes_back(org, srv, pg, machine):
    token = srv.token()
    before = srv.children()
    pg.stop()
    # Whatever needs it says that it is the server's trouble; what needs none goes on; nobody is sent away.
    assert srv.call("GET", f"/api/v1/hosts", token=token)[0] == 503
    assert srv.login()[0] == 503
    assert srv.call("GET", "/ping")[0] == 200
    until(lambda: "database.away" in srv.log(), "the log says so")
    assert pg.url not in srv.log()
    pg.start()
    until(lambda: srv.call("GET", "/api/v1/hosts", token=token)[0] == 200, "it is back")
    assert [h["uuid"] for h in hosts(srv, token) if h["reachable"] and h["orderers"]] == ["on-postgres"]
    assert srv.children() == before
    order(org, srv)


def test_the_address_names_what_the_confined_processes_may_read(org):
    far, s = Elsewhere(), None
    try:
        s = Server(org, "server-elsewhere", "fronts = 1", setup=("--database", far.address))
        token = s.token()
        assert s.call("GET", "/api/v1/hosts", token=token)[0] == 200
        assert s.call("GET", "/api/v1/software", token=token)[0] == 200  # another process, with a connection of its own
        far.stop()
        far.start()
        until(lambda: s.call("GET", "/api/v1/hosts", token=token)[0] == 200, "it is connected again")
        assert run(BIN / "waptserver", "backup", "--config", s.dir / "waptserver.ini", org.base / "elsewhere.zip").returncode == 0
        assert run(BIN / "waptserver", "user", "--config", s.dir / "waptserver.ini").returncode == 0
    finally:
        if s:
            s.stop()
        far.stop()
        far.remove()


def test_who_can_read_the_configuration_can_not_read_the_password(srv):
    ini = srv.dir / "secret.ini"
    lines = (srv.dir / "waptserver.ini").read_text().splitlines()
    ini.write_text("\n".join("database = postgresql://wapt:hunter22@127.0.0.1:1/wapt" if l.startswith("database") else l for l in lines) + "\n")
    ini.chmod(0o644)
    refused = run(BIN / "waptserver", "run", "--config", ini, ok=False)
    assert "passfile" in refused.stderr and "hunter22" not in refused.stderr
    ini.chmod(0o600)
    assert os.stat(srv.dir / "waptserver.ini").st_mode & 0o777 == 0o644
    away = run(BIN / "waptserver", "user", "--config", ini, ok=False)
    assert away.returncode == 7 and "hunter22" not in away.stderr


def test_the_environment_names_no_database(srv, monkeypatch):
    """libpq's variables would lead the commands to another database than the one that the server's own processes ask, and past its certificate."""
    for name, value in {"PGHOST": "127.0.0.2", "PGHOSTADDR": "127.0.0.2", "PGSERVICE": "elsewhere", "PGSSLMODE": "disable", "PGOPTIONS": "-c search_path=elsewhere",
                        "PGPASSFILE": "/nowhere", "PGDATABASE": "template1", "PGUSER": "nobody"}.items():
        monkeypatch.setenv(name, value)
    assert "admin" in run(BIN / "waptserver", "user", "--config", srv.dir / "waptserver.ini").text
    ini = srv.dir / "service.ini"
    lines = (srv.dir / "waptserver.ini").read_text().splitlines()
    ini.write_text("\n".join("database = postgresql:///wapt?service=elsewhere" if l.startswith("database") else l for l in lines) + "\n")
    assert "names a service" in run(BIN / "waptserver", "user", "--config", ini, ok=False).stderr


def test_views_of_former_versions_go_with_the_last_server_of_one(org):
    """They stay while a server of another version has not stopped; those of a newer one stay in any case."""
    db, s = Postgres(), None

    def sql(text):
        return subprocess.run([db.bin / "psql", "-qAt", "-h", db.dir, "-U", "postgres", "-c", text], check=True, capture_output=True, text=True, cwd="/", timeout=60).stdout.strip()

    def schemas():
        return set(sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'wapt_reports%'").split())

    def again():
        s.again()
        s.token()
    try:
        sql("CREATE ROLE wapt_report LOGIN")
        s = Server(org, "server-views", "fronts = 1", setup=("--database", db.url))
        s.token()
        until(lambda: len(schemas()) == 1, "its views are there")
        (own,) = schemas()
        s.stop()
        newer = own[:-1] + "99"
        for name in ("wapt_reports_1", newer):
            sql(f"CREATE SCHEMA {name}; CREATE VIEW {name}.hosts AS SELECT uuid FROM hosts; GRANT USAGE ON SCHEMA {name} TO wapt_report; GRANT SELECT ON {name}.hosts TO wapt_report")
        sql("INSERT INTO nodes (name, boot, beat, leads, started, version) VALUES ('old', 'b', 1, 0, 1, '0.0.1')")
        again()
        assert schemas() == {own, "wapt_reports_1", newer}
        s.stop()
        sql("DELETE FROM nodes")
        again()
        until(lambda: schemas() == {own, newer}, "nobody needs the former ones")
        assert "reports.former_views" not in s.log()
    finally:
        if s:
            s.process.terminate()
            s.process.wait(60)
        db.stop()
        db.remove()


class Reporter:
    """A machine that reports ever more, and knows what of it was acknowledged."""

    def __init__(self, srv):
        self.where, self.seq, self.acknowledged = types.SimpleNamespace(url=f"https://127.0.0.1:{srv.port}"), 1, None
        self.key, certificate = machine_of_ours("reporter")
        token = run(BIN / "waptserver", "enrol-token", "--config", srv.dir / "waptserver.ini").stdout.strip()
        status, text = self.say("register", {"certificate": certificate, "credential": {"kind": "token", "token": token}})
        assert status == 200, text

    def say(self, what, more):
        self.seq += 1
        purpose = "wapt-register" if what == "register" else "wapt-status"
        return send(self.where, f"/agent/v1/{what}", self.key, {"purpose": purpose, "uuid": "reporter", "seq": self.seq, "time": int(time.time()), **more})

    def report(self):
        names = [os.urandom(30).hex() for _ in range(200)]
        status, text = self.say("report", {"installed_softwares": [{"name": n, "version": "1"} for n in names]})
        if status == 200:
            self.acknowledged = names
        return status, text


def test_a_full_disk_loses_nothing_that_was_acknowledged(org):
    """First the tables' disk, where each write fails by itself; then that of the log of changes, where PostgreSQL itself gives up."""
    pg = Small()
    pg.sql(f"CREATE TABLESPACE small LOCATION '{pg.dir}/tables'")
    pg.sql("CREATE DATABASE wapt TABLESPACE small")
    for option, value in (("min_wal_size", "2MB"), ("max_wal_size", "1GB"), ("checkpoint_timeout", "1h"), ("autovacuum", "off")):  # no file or row is used again: it wants more
        pg.sql(f"ALTER SYSTEM SET {option} = '{value}'")
    pg.sql("SELECT pg_reload_conf()")
    srv = Server(org, "server-pg-full", "fronts = 1", setup=("--database", f"postgresql:///wapt?host={pg.dir}&user=postgres"))
    try:
        token, before, saved = srv.token(), srv.children(), set()
        m = Reporter(srv)

        def save():
            name = f"saved-{len(saved)}"
            status, body, _ = srv.call("PUT", f"/api/v1/reports/{name}", {"query": f"SELECT '{os.urandom(7000).hex()}'"}, token=token)
            if status == 200:
                saved.add(name)
            return status, body.decode()

        def is_back():
            if pg.process.poll() is not None:  # an administrator starts it: without room it gives up
                pg.start()
            return srv.call("GET", "/api/v1/hosts", token=token)[0] == 200

        def all_is_there():
            status, body, _ = srv.call("GET", "/api/v1/reports", token=token)
            assert status == 200 and {r["name"] for r in json.loads(body)["reports"]} == saved
            status, body, _ = srv.call("GET", "/api/v1/hosts/reporter", token=token)
            assert status == 200 and sorted(s["name"] for s in json.loads(body)["installed_softwares"]) == sorted(m.acknowledged), body[:300]

        assert save()[0] == m.report()[0] == 200
        for disk, code, says in (("tables", 507, "the server's disk is full"), ("wal", 503, "the server's database is away")):
            fill = pg.fill(disk)
            until(lambda c=code: save()[0] == c, f"the disk of {disk} is full")
            until(lambda c=code: m.report()[0] == c, "for machines too")
            for status, text in (save(), m.report()):
                assert status == code and says in text, (status, text)
            assert srv.call("GET", "/ping")[0] == 200 and srv.children() == before
            fill.unlink()
            until(is_back, "it is back")
            all_is_there()
            until(lambda: save()[0] == m.report()[0] == 200, "it goes on")
        assert "No space left on device" in srv.log() and srv.children() == before
        pg.stop()
        until(is_back, "it is back after a crash")
        all_is_there()
    finally:
        srv.stop()
        pg.stop()
        pg.remove()
