"""F1D and formats.md 5.7: an inventory goes to the server by the sections that have changed, under digests that the server makes."""
import contextlib
import csv
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import time
import uuid as uuidlib

from conftest import PATIENCE, until
from test_f1_machine import machine_of_ours, registration, send


@contextlib.contextmanager
def database(org):
    with contextlib.closing(sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)) as db, db:
        yield db


def sections(org, uuid):
    with database(org) as db:
        return {name: (content, digest) for name, content, digest in
                db.execute("SELECT section, content, digest FROM sections WHERE uuid = ?", (uuid,))}


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_the_server_has_what_the_machine_shows(org):
    org.get("update-status")
    have = sections(org, org.uuid)
    shown = json.loads(org.get("inventory", "--json").stdout)["result"]
    assert set(have) == set(shown)
    for name, (content, digest) in have.items():
        if name != "host_metrics":
            assert json.loads(content) == shown[name], name
        assert hashlib.sha256(canonical(json.loads(content))).hexdigest() == digest, name
    assert {"host_info", "host_capabilities", "installed_softwares", "dmi", "authorized_certificates"} <= set(have)


def found(org, *options):
    return [h["uuid"] for h in json.loads(org.console("hosts", "--json", *options).stdout)["result"]]


def test_machines_are_found_by_what_they_have(org):
    org.get("update-status")
    software = json.loads(org.get("inventory", "--json").stdout)["result"]["installed_softwares"][0]
    assert org.uuid in found(org, "--software", software["name"], "--software-version", ">=0")
    assert found(org, "--software", "no such software") == []
    assert org.uuid in found(org, "--hardware", "platform:linux")
    assert org.console("hosts", "--software", "a", "--software-version", "~", ok=False).returncode == 2


def test_more_columns(org):
    org.get("update-status")
    info = json.loads(org.get("inventory", "--json").stdout)["result"]["host_info"]
    mine, = (h for h in org.hosts() if h["uuid"] == org.uuid)
    row, = (r for r in csv.DictReader(io.StringIO(org.console("hosts", "--csv").stdout)) if r["uuid"] == org.uuid)
    for told in (mine, row):
        assert told["repositories"] == info["repositories"] != "" and told["macs"] == " ".join(info["mac"])
        assert told["registration"] == "token" and told["dn"] == "" and "last_user" in told


def test_filters_the_other_way_round(org):
    org.get("update-status")
    software = json.loads(org.get("inventory", "--json").stdout)["result"]["installed_softwares"][0]["name"]
    for options in (("--software", "no such software"), ("--package", "none", "--package-status", "ERROR"), ("--waits-for", "power"), ("--status", "NONE"),
                    ("--os", "none*")):
        assert org.uuid in found(org, *options, "--not", options[0][2:]), options
    for options in (("--software", software), ("--hardware", "platform:linux"), ("--errors", "0"), ("--os", "*")):
        assert org.uuid not in found(org, *options, "--not", options[0][2:]), options
    assert org.uuid in found(org, "--os", "none*", "--hardware", "none", "--software", software, "--not", "os,hardware")
    for options in (("--not", "software"), ("--not", "status"), ("--software", "a", "--not", "software-version"), ("--connected", "--not", "connected")):
        assert org.console("hosts", *options, ok=False).returncode == 2, options


def test_machines_are_found_by_what_they_go_by(org):
    deployer, stranger = (org.fingerprint(org.cert(who)) for who in ("Deployer", "Stranger"))
    org.get("update")  # which plans: then it is told how much an upgrade would change
    org.get("update-status")
    mine, = (h for h in org.hosts() if h["uuid"] == org.uuid)
    assert (mine["orderers"], mine["root_version"], mine["windows"], mine["window_end"], mine["waits_for"]) == ([deployer], 0, "", 2**63 - 1, "")
    assert (mine["errors"], mine["upgrades"]) == (0, 0)
    for options in (("--orderer", deployer), ("--no-orderer", stranger), ("--window", "any"), ("--root", "none"), ("--errors", "0", "--upgrades", "<=0")):
        assert org.uuid in found(org, *options), options
    for options in (("--no-orderer", deployer), ("--orderer", stranger), ("--window", "now"), ("--root", "older"), ("--errors", ">0"), ("--held", "*"),
                    ("--waits-for", "window")):
        assert org.uuid not in found(org, *options), options
    assert org.console("hosts", "--window", "soon", ok=False).returncode == 2


def test_reports(org):
    org.get("update-status")
    sql = org.base / "machines.sql"
    sql.write_text("SELECT h.uuid, count(*) AS packages\nFROM hosts h JOIN software s ON s.uuid = h.uuid GROUP BY h.uuid\n")
    tried = json.loads(org.console("report", "try", sql, "--json").stdout)["result"]
    assert tried["columns"] == ["uuid", "packages"] and not tried["is_cut"]
    assert org.uuid in [uuid for uuid, count in tried["rows"] if count > 0]
    org.console("report", "save", "machines", sql, "--about", "what they have")
    assert "what they have" in org.console("report", "list").stdout
    assert org.uuid in org.console("report", "run", "machines", "--csv").stdout
    formula = org.base / "formula.sql"
    formula.write_text("SELECT '=1' AS a, 'b,-1' AS b UNION ALL SELECT 'c', 'd' ORDER BY 1\n")
    table = org.console("report", "try", formula, "--csv", "--limit", "1")
    assert table.stdout == '"a","b"\n"\'=1","b,\'-1"\n' and "--limit" in table.stderr
    assert "--limit" not in org.console("report", "try", formula, "--csv", "--limit", "3").stderr
    formula.write_text("SELECT " + ", ".join(f"{n} AS number{n}" for n in range(8)))
    assert org.console("report", "try", formula).stdout.split() == [*(f"number{n}" for n in range(8)), *map(str, range(8))]
    formula.write_text("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(9)))
    assert org.console("report", "try", formula).stdout.startswith('"c0","c1"')  # too wide for a table
    assert "GROUP BY" in org.console("report", "show", "machines").stdout
    sql.write_text("SELECT hash FROM users")
    assert "users" in org.console("report", "try", sql, ok=False).stderr
    org.console("report", "save", "machines", org.base / "admin.pw", ok=False)
    org.console("report", "delete", "machines")
    org.console("report", "run", "machines", ok=False)


def test_only_what_has_changed_is_sent(org):
    org.get("update-status")
    with database(org) as db:  # what is not sent again stays
        db.execute("UPDATE sections SET content = '\"kept\"' WHERE uuid = ?", (org.uuid,))
    shutil.copy(org.cert("Deployer"), org.agent / "ssl/more.crt")
    try:
        org.get("update-status")
        have = sections(org, org.uuid)
        kept = {name for name, (content, _) in have.items() if content == '"kept"'}
        assert {"host_info", "installed_softwares", "dmi", "installed_packages"} <= kept
        assert not {"authorized_certificates", "wapt_status", "host_capabilities"} & kept
        assert len(json.loads(have["authorized_certificates"][0])) == 2
    finally:
        os.unlink(org.agent / "ssl/more.crt")
    with database(org) as db:  # and what the server has lost is sent anew, at once
        name, os_name = db.execute("SELECT name, os FROM hosts WHERE uuid = ?", (org.uuid,)).fetchone()
        assert name and os_name
        db.execute("UPDATE sections SET digest = '' WHERE uuid = ?", (org.uuid,))
    org.get("update-status")
    have = sections(org, org.uuid)
    assert not {name for name, (content, _) in have.items() if content == '"kept"'}
    with database(org) as db:
        assert db.execute("SELECT name, os FROM hosts WHERE uuid = ?", (org.uuid,)).fetchone() == (name, os_name)


def test_f1d_a_section_is_what_its_digest_says(org):
    uuid = str(uuidlib.uuid4())
    key, cert = machine_of_ours(uuid)
    status, text = send(org, "/agent/v1/register", key, registration(org, uuid, cert))
    assert status == 200, text
    info = {"computer_name": "pc", "os_name": "x", "networking": [1.5, "é"]}
    digest = hashlib.sha256(canonical(info)).hexdigest()
    report = {"purpose": "wapt-status", "uuid": uuid, "time": int(time.time()), "host_info": info}
    for n, hashes in enumerate(({"host_info": "0" * 64}, {"host_info": digest[:-1]}, {"host_info": digest.upper()}, {"reachable": digest})):
        status, text = send(org, "/agent/v1/report", key, dict(report, seq=10 + n, status_hashes=hashes))
        assert 400 <= status < 500, text
    status, text = send(org, "/agent/v1/report", key, dict(report, seq=20, status_hashes={"host_info": digest, "dmi": "a" * 64}))
    assert status == 200, text
    assert json.loads(text.rsplit("\n", 1)[0]) == {"accepted": True, "status_hashes": {"host_info": digest}}
    # a report without the section says what is there, and leaves the machine's name alone
    status, text = send(org, "/agent/v1/report", key, {"purpose": "wapt-status", "uuid": uuid, "time": int(time.time()), "seq": 21, "host_status": "OK"})
    assert status == 200 and json.loads(text.rsplit("\n", 1)[0])["status_hashes"]["host_info"] == digest, text
    with database(org) as db:
        assert db.execute("SELECT name, status FROM hosts WHERE uuid = ?", (uuid,)).fetchone() == ("pc", "OK")


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_f1d_what_the_server_has_lost_is_reported_again(org):
    """A machine that has not changed says only that; a server that knows something else gets all of it."""
    org.get("update-status")
    db = sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)

    def sections():
        return {name: digest for name, digest in db.execute("SELECT section, digest FROM sections WHERE uuid = ?", (org.uuid,))}

    before = sections()
    assert {"host_info", "host_status"} <= set(before)
    with db:
        db.execute("DELETE FROM sections WHERE uuid = ? AND section = 'host_status'", (org.uuid,))
    # What it knows of those that are connected it asks its database once: another one is started.
    welcomes = (org.base / "agent.log").read_text().count("state=welcome")
    os.kill(next(int(p) for p in children(org.processes[0].pid) if b"role:front" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()), signal.SIGKILL)
    until(lambda: (org.base / "agent.log").read_text().count("state=welcome") > welcomes, "the machine is connected again")
    org.get("update-status")
    until(lambda: set(sections()) == set(before), "the section is there again")
    # And what has not changed is not sent by itself: only who asks for a report gets a statement, which takes a number.

    def number():
        return db.execute("SELECT last_seq FROM presence WHERE uuid = ?", (org.uuid,)).fetchone()[0]

    def takes(*commands):
        before = number()
        for command in commands:
            org.get(command)
        return number() - before
    # The disk of a busy machine changes: then it is asked again. The time of an update is new in each second: what is asked for then takes one more.
    until(lambda: takes("update-status") == 1, "nothing has changed")
    until(lambda: takes("update", "update", "update", "update-status") <= 2, "nothing is told unasked")
    db.close()
