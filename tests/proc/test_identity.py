"""F1A, F1D: machines that have the same number, and disks that were copied. Each machine is a real service that sees hardware of its own."""
import contextlib
import json
import shutil
import sqlite3

import pytest
from conftest import BIN, LIB, PATIENCE, end, manager, organisation, run, until

SEEN = """set -e
mount -t tmpfs none /sys/class
mkdir -p /sys/class/dmi/id /sys/class/net/eth0/device
echo "$1" > /sys/class/dmi/id/product_uuid; echo "$2" > /sys/class/dmi/id/product_serial
echo "$3" > /sys/class/net/eth0/address; echo 0 > /sys/class/net/eth0/addr_assign_type
shift 3
exec "$@"
"""
SHARED = "4C4C4544-0042-3510-8052-B4C04F4D3732"
HARDWARE = {name: (SHARED, serial, mac) for name, serial, mac in (
    ("first", "SERIAL-1", "3c:21:9c:00:00:01"), ("second", "SERIAL-2", "3c:21:9c:00:00:02"), ("third", "SERIAL-3", "3c:21:9c:00:00:03"),
    ("fourth", "SERIAL-4", "3c:21:9c:00:00:04"))}


@pytest.fixture(scope="module", name="org")
def own_organisation():
    with organisation() as o:
        yield o


class Machine:
    def __init__(self, org, name, hardware, base=None):
        self.org, self.name, self.hardware = org, name, hardware
        self.base = base or org.base / name
        self.ini = self.base / "wapt-get.ini"
        if base is None:
            org.new_agent(self.base)
        self.start()

    def start(self):
        self.service = self.org.start(self.name, "/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", SEEN, "sh", *self.hardware,
                                      BIN / "waptservice", "run", "--config", self.ini, "--libdir", LIB)
        until(lambda: manager(self.service, self.base), f"{self.name} listens locally")

    def stop(self):
        end(self.service)

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def register(self, ok=True):
        return self.get("register", "--token-file", self.org.token("--uses", "1"), ok=ok)

    @property
    def uuid(self):
        return json.loads(self.get("status", "--json").stdout)["result"]["uuid"]

    @property
    def log(self):
        return (self.org.base / f"{self.name}.log").read_text(errors="replace")


@contextlib.contextmanager
def machine(org, name, hardware=None, base=None):
    m = Machine(org, name, hardware or HARDWARE[name], base)
    try:
        yield m
    finally:
        m.stop()


@pytest.fixture(name="first_base")
def the_first(org):
    """The folder of the machine that has the shared number, as it has stopped."""
    base = org.base / "first"
    if not base.exists():
        with machine(org, "first") as first:
            first.register()
    return base


def rows(org):
    with contextlib.closing(sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)) as db:
        return {uuid: (certificate, seq) for uuid, certificate, seq in db.execute("SELECT h.uuid, h.certificate, p.last_seq FROM hosts h JOIN presence p ON p.uuid = h.uuid")}


def reachable(org, uuid):
    return [h for h in org.hosts() if h["uuid"] == uuid and h["reachable"]]


def test_f1a_a_number_that_vendors_repeat(org, first_base):
    """The second machine with the first one's system UUID gets a row of its own, by token; without one it gets nothing."""
    with machine(org, "first", base=first_base) as first, machine(org, "second") as second:
        assert first.uuid == SHARED
        row = rows(org)[SHARED]
        assert second.uuid == SHARED
        second.get("register", ok=False)
        assert rows(org)[SHARED][0] == row[0]
        said = second.register().text
        assert SHARED in said and second.uuid in said
        assert second.uuid.startswith("rnd-") and {SHARED, second.uuid} <= set(rows(org))
        assert rows(org)[SHARED][0] == row[0]
        assert not (second.base / f"private/{SHARED}.pem").exists()
        for m in (first, second):
            m.get("update-status")
            until(lambda m=m: reachable(org, m.uuid), f"{m.name} is connected")
        kept = second.uuid
        second.stop()
        second.start()
        assert second.uuid == kept


@pytest.mark.usefixtures("first_base")
def test_unregister(org):
    """Root's word and the machine's own key take its record away; then it is as if it had never registered, and may again."""
    with machine(org, "third") as third:
        third.get("unregister", ok=False)
        third.register()
        uuid = third.uuid
        third.get("update-status")
        until(lambda: reachable(org, uuid), "third is connected")
        assert json.loads(third.get("unregister", "--json").stdout)["result"] == []
        assert uuid not in rows(org) and uuid not in [h["uuid"] for h in org.hosts()]
        assert not list((third.base / "private").glob("*.pem"))
        state = json.loads(third.get("status", "--json").stdout)["result"]
        assert state["enrolled_at"] == 0 and state["uuid"] == uuid
        third.get("update-status", ok=False)
        third.register()
        assert third.uuid == uuid and uuid in rows(org)
        # The server has forgotten it already, or is not there.
        org.console("forget-host", uuid, "--yes")
        assert "no machine is registered here" in third.get("unregister").text
        third.register()
        third.ini.write_text(third.ini.read_text().replace(org.url, "https://127.0.0.1:1"))
        third.get("reload")
        assert "--force" in third.get("unregister", ok=False).text
        third.get("unregister", "--force")
        assert uuid in rows(org) and not list((third.base / "private").glob("*.pem"))


def test_f1a_a_copied_disk_is_not_the_first_machine(org, first_base):
    """In other hardware the copy gives up name, key and enrolment before it has said a word; the first one does not notice."""
    copy = org.base / "copy"
    shutil.copytree(first_base, copy, ignore=shutil.ignore_patterns("*.sock"))
    with machine(org, "first", base=first_base) as first:
        before = rows(org)
        with machine(org, "copy", HARDWARE["third"], copy) as clone:
            assert "identity.copied" in clone.log
            assert not list((copy / "private").glob("*.pem"))
            assert json.loads(clone.get("status", "--json").stdout)["result"]["enrolled_at"] == 0
            clone.get("update-status", ok=False)
            assert rows(org)[SHARED][0] == before[SHARED][0]
            clone.register()
            assert clone.uuid not in before and clone.uuid != SHARED
            first.get("update-status")
            assert rows(org)[SHARED][0] == before[SHARED][0]
            until(lambda: reachable(org, SHARED) and reachable(org, clone.uuid), "both are connected")
        assert "identity." not in first.log.split("identity.taken")[0]


def test_f1d_a_copy_that_nothing_tells_apart_falls_silent(org, first_base):
    """To the bit and in the same hardware: who is behind stops reporting, and is sent no orders."""
    twin = org.base / "twin"
    shutil.copytree(first_base, twin, ignore=shutil.ignore_patterns("*.sock"))
    with machine(org, "first", base=first_base) as first:
        for _ in range(8):
            first.get("update-status")
        until(lambda: reachable(org, SHARED), "the first is connected")
        seq = rows(org)[SHARED][1]
        with machine(org, "twin", HARDWARE["first"], twin) as clone:
            for _ in range(4):
                clone.get("update-status", ok=False)
            assert "identity.twin" in clone.log
            assert "generate-uuid" in clone.get("update-status", ok=False).text
            assert rows(org)[SHARED][1] <= seq + 1  # the first one's, which may have told once more that it is there
            assert "state=welcome" not in clone.log and "state=welcome" in first.log
            assert reachable(org, SHARED)
            clone.stop()
            clone.start()  # nor does a restart make it forget
            assert "generate-uuid" in clone.get("update-status", ok=False).text
            first.get("update-status")
            assert rows(org)[SHARED][1] > seq
            clone.get("generate-uuid")
            clone.register()
            until(lambda: reachable(org, clone.uuid) and reachable(org, SHARED), "both are connected")


def test_f1d_a_server_that_was_wrong_silences_nobody_for_ever(org, first_base):
    with contextlib.closing(sqlite3.connect(first_base / "db/waptagent.sqlite", timeout=PATIENCE)) as db, db:
        db.execute("INSERT OR REPLACE INTO params VALUES ('twin_doubts', '7')")
    until(lambda: not reachable(org, SHARED), "the server knows that it has gone")
    with machine(org, "first", base=first_base) as first:
        until(lambda: reachable(org, SHARED), "it reports and hears orders again")
        first.get("update-status")


@pytest.mark.usefixtures("first_base")
def test_generate_and_reset(org):
    with machine(org, "fourth") as fourth:
        fourth.register()
        was = fourth.uuid
        assert was.startswith("rnd-")  # the shared one is taken
        assert json.loads(fourth.get("generate-uuid", "--json", "lab-7").stdout)["result"] == {"uuid": "lab-7"}
        assert not (fourth.base / f"private/{was}.pem").exists()
        fourth.get("generate-uuid", "../lab", ok=False)
        assert fourth.uuid == "lab-7"
        fourth.register()
        assert "lab-7" in rows(org)
        fourth.get("reset-uuid")
        assert fourth.uuid == SHARED
        fourth.get("register", ok=False)
        assert fourth.uuid == SHARED  # without a token nothing is made up


def test_a_name_as_identity(org):
    base = org.base / "named"
    ini = org.new_agent(base)
    ini.write_text(ini.read_text().replace("[global]\n", "[global]\nuse_fqdn_as_uuid = 1\n"))
    with machine(org, "named", HARDWARE["third"], base) as named:
        name = json.loads(run(BIN / "wapt-get", "-c", named.ini, "inventory", "--json").stdout)["result"]["host_info"]["computer_fqdn"].lower()
        assert named.uuid == name
        named.register()
        assert name in rows(org)
        assert "use_fqdn_as_uuid" in named.get("generate-uuid", ok=False).text
        # the same name again is not taken over, nor given another
        other = org.base / "namesake"
        second = org.new_agent(other)
        second.write_text(ini.read_text())
        with machine(org, "namesake", HARDWARE["second"], other) as namesake:
            certificate = rows(org)[name][0]
            assert "administrator" in namesake.register(ok=False).text
            assert rows(org)[name][0] == certificate
