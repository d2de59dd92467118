"""waptconsole with machines that are on, off and unknown: who is shown, who is asked, and the status that says what became of it."""
import csv
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time
import uuid as uuidlib

from conftest import BIN, end, environment, run, until
from test_f1_machine import machine_of_ours, registration, send

OTHER = "00000000-aaaa-4000-8000-000000000002"
USAGE, PARTIAL, UNREACHABLE, NOT_FOUND = 2, 3, 7, 12


def machine_that_is_off(org):
    """A second machine, registered and then stopped."""
    ini = org.new_agent(org.base / "off")
    ini.write_text(ini.read_text().replace("[global]\n", f"[global]\nuuid = {OTHER}\n"))
    service = org.start_agent("off", ini)
    run(BIN / "wapt-get", "-c", ini, "register", "--token-file", org.token())
    until(lambda: is_connected(org, OTHER), "the second machine is connected")
    end(service)
    until(lambda: not is_connected(org, OTHER), "the second machine is off")


def is_connected(org, uuid):
    return any(h["uuid"] == uuid and h["reachable"] for h in org.hosts())


def action(org, hosts, *more):
    return org.console("action", "update", "--hosts", hosts, "-k", org.cert("Deployer"), "-w", org.base / "pw", *more, ok=None)


def on_a_terminal(org, columns, *argv):
    """What waptconsole shows on a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([BIN / "waptconsole", *argv, "--server", org.url, "--server-fingerprint", org.server_fp, "--password-file",
                           org.base / "admin.pw"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment()) as p:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 4096):
                seen += piece
        except OSError:
            pass  # the end, on a terminal
        os.close(master)
        assert p.wait() == 0, seen
    return seen.decode().replace("\r\n", "\n")


def test_statuses_and_lists(org):
    machine_that_is_off(org)
    # Off: not waited for, told so, and the order stays.
    done = action(org, OTHER)
    assert done.returncode == UNREACHABLE, done.text
    assert "not connected" in done.stderr and "waits at the server" in done.stderr
    (result,) = json.loads(action(org, OTHER, "--json").stdout)["result"]
    assert result["state"] == "queued"
    # Both: one does it.
    done = action(org, f"{org.uuid},{OTHER}")
    assert done.returncode == PARTIAL, done.text
    assert "of 2 machines 1 did it" in done.stderr
    # A pattern, a name nobody has.
    assert action(org, org.uuid[:8] + "*").returncode == 0
    assert action(org, "nobody").returncode == NOT_FOUND
    # Filters agree with what the server says.
    uuids = lambda *argv: {h["uuid"] for h in json.loads(org.console("hosts", "--json", *argv).stdout)["result"]}
    on, off = uuids("--connected"), uuids("--disconnected")
    assert org.uuid in on - off and OTHER in off - on
    assert uuids(OTHER[:12] + "*") == {OTHER} and uuids("nothing*") == set()
    assert uuids("--search", OTHER[:12].lower()) == {OTHER} and uuids("--site", "no such site") == set()
    assert uuids("--group", "no-such-*") == set() and uuids("--group", "no-such-*", "--not", "group") >= {org.uuid, OTHER}
    signer = ("-k", org.cert("Deployer"), "-w", org.base / "pw")
    assert [org.console("action", "update", "--group", group, *signer, ok=None).returncode for group in ("no-such-*", "")] == [NOT_FOUND, USAGE]
    assert OTHER in org.console("hosts", "--csv").stdout
    # In a pipe a line is whole, on a narrow terminal it fits as far as nothing that matters is lost.
    assert all(len(line) > 60 for line in org.console("hosts").stdout.splitlines()[1:])
    wide, narrow = on_a_terminal(org, 200, "hosts"), on_a_terminal(org, 100, "hosts")
    assert "Debian" in wide and "…" not in wide and OTHER in wide
    assert "…" in narrow and OTHER in narrow and all(len(line) <= 100 for line in narrow.splitlines())


def hostile(org):
    """A machine that says such things of itself; its uuid."""
    uuid = str(uuidlib.uuid4()).upper()
    key, cert = machine_of_ours(uuid)
    said = {"host_info": {"computer_name": HOSTILE, "description": HOSTILE, f"a{HOSTILE}": 1}}
    for path, statement in (("register", registration(org, uuid, cert)), ("report", {"purpose": "wapt-status", "uuid": uuid, "seq": 10, "time": int(time.time())} | said)):
        status, answer = send(org, f"/agent/v1/{path}", key, statement)
        assert status == 200, answer
    return uuid


HOSTILE = "evil\nfake: line\x1b[2J"


def test_what_the_pages_show_is_shown_by_commands(org):
    """A machine, its orders, the journal, webhooks: without a browser; and what a machine says makes no line of its own."""
    package = org.package("con-tool", "1", "Developer", org.base / "con-marker", "print('it said this')\nopen({marker!r}, 'a').write('x')")
    org.console("upload", package, "--trusted", org.agent / "ssl")
    org.get("update")
    key = ("-k", org.cert("Deployer"), "-w", org.base / "pw")
    (ordered,) = json.loads(org.console("action", "install", "con-tool", "--hosts", org.uuid, *key, "--json").stdout)["result"]
    name = next(h["name"] for h in org.hosts() if h["uuid"] == org.uuid)
    shown = org.console("host", org.uuid).stdout.splitlines()
    assert any(line.split()[:3] == ["con-tool", "1", "OK"] for line in shown), shown
    assert "it said this" in org.console("host", org.uuid, "log", "con-tool").stdout
    assert [w for line in org.console("host", org.uuid, "history").stdout.splitlines() if "con-tool" in line for w in line.split()[1:4]][:2] == ["installed", "con-tool"]
    assert f"host_info.computer_name: {name}" in org.console("host", org.uuid, "hardware").stdout.splitlines()
    for wrong in (("host", org.uuid, "nonsense"), ("host", org.uuid, "log"), ("host", org.uuid, "software", "more"), ("orders", "x"), ("journal", "nonsense"), ("webhook", "add")):
        assert org.console(*wrong, ok=None).returncode == 2, wrong
    assert org.console("host", "no-such-machine", ok=None).returncode == NOT_FOUND and org.console("host", org.uuid, "log", "none", ok=None).returncode == NOT_FOUND
    # Orders: all that was ordered together, then each; of a machine; of a state.
    batch = next(b for b in json.loads(org.console("orders", "--json").stdout)["result"] if b["what"] == "con-tool")
    assert batch["machines"] == 1 and batch["counts"] == {"done": 1}
    (order,) = json.loads(org.console("orders", batch["batch"], "--json").stdout)["result"]
    assert (order["id"], order["state"], order["uuid"]) == (ordered["id"], "done", org.uuid)
    assert order["id"] in {o["id"] for o in json.loads(org.console("orders", "--host", org.uuid, "--json").stdout)["result"]}
    assert not json.loads(org.console("orders", batch["batch"], "--state", "failed", "--json").stdout)["result"]
    seen = json.loads(org.console("overview", "--json").stdout)["result"]
    lines = org.console("overview").stdout.splitlines()
    # What machines have, counted; of the same filter, nothing where nobody is meant.
    (estate,) = json.loads(org.console("estate", "con-tool", "--state", "OK", "--json").stdout)["result"]
    assert estate == {"package": "con-tool", "version": "1", "status": "OK", "machines": 1}
    assert "con-tool" in org.console("estate", "con-*", "--search", name).stdout
    assert not json.loads(org.console("estate", "con-tool", "--search", "nobody-is-called-so", "--json").stdout)["result"]
    assert seen["hosts"] == len(org.hosts()) and f"machines {seen['hosts']}" in {" ".join(line.split()) for line in lines} and len(lines) == 1 + len(seen)
    # The journal: who did it; every entry of it fits.
    assert "con-tool" in org.console("journal", "--last", "50").stdout
    verified = json.loads(org.console("journal", "verify", "--json").stdout)["result"]
    newest = json.loads(org.console("journal", "--last", "1", "--json").stdout)["result"]
    assert len(newest) == 1 and newest[0]["seq"] >= verified["entries"] > 5
    # What a machine says is one line, and moves no cursor.
    text = org.console("host", hostile(org), "hardware").stdout
    assert "\x1b" not in text and not [line for line in text.splitlines() if line.startswith("fake")] and "host_info.description: evil?fake: line?[2J" in text.splitlines()


def test_columns_that_somebody_chooses(org):
    """Members of the list and any field of the inventory, in the order asked for; what a machine says there is one line, and runs in no spreadsheet."""
    (path, cpus), = re.findall(r"^(host_info\.cpu_count): (.*)$", org.console("host", org.uuid, "hardware").stdout, re.M)
    evil = hostile(org)
    wanted = ("hosts", "--columns", f"uuid,{path},reachable,host_info.description")
    lines = org.console(*wanted).stdout.splitlines()
    assert lines[0].split() == ["uuid", path, "reachable", "host_info.description"]
    assert [line.split() for line in lines if org.uuid in line] == [[org.uuid, cpus, "yes"]]
    rows = {row[0]: row for row in csv.reader(org.console(*wanted, "--csv").stdout.splitlines())}
    assert rows["uuid"] == ["uuid", path, "reachable", "host_info.description"] and rows[org.uuid][:3] == [org.uuid, cpus, "yes"]
    assert rows[evil] == [evil, "", "no", "evil fake: line [2J"]
    told = {h["uuid"]: h for h in json.loads(org.console(*wanted, "--json").stdout)["result"]}
    assert told[org.uuid]["values"] == [cpus, told[org.uuid]["description"]] and told[evil]["values"] == ["", "evil fake: line [2J"]
    assert "values" not in org.hosts()[0]
    for wrong in ("host_info", "nothing", "host_info.", "installed_softwares.name", "uuid," + ",".join(f"host_info.f{i}" for i in range(17)), ""):
        assert org.console("hosts", "--columns", wrong, ok=None).returncode == 2, wrong
