"""F3A: what a machine refuses to do is told to who ordered it, with the reason; and that costs the machine little."""
import contextlib
import json
import re
import shutil
import sqlite3
import time

import pytest
from conftest import BIN, PATIENCE, end, run, until
from test_f3a_owned_server import keep_orders


class Machine:
    """A second machine, which obeys another signer than the first."""

    def __init__(self, org, name, signer):
        self.org, self.base = org, org.base / name
        self.ini = org.new_agent(self.base)
        self.ini.write_text(f"[global]\nwapt_server = {org.url}\n\n[actions]\nsigners = {org.fingerprint(org.cert(signer))}\n")
        self.name = name
        self.start()
        self.get("register", "--token-file", org.token())
        self.uuid = json.loads(self.get("status", "--json").stdout)["result"]["uuid"]
        self.connected()

    def start(self):
        self.service = self.org.start_agent(self.name, self.ini)

    def stop(self):
        end(self.service)
        until(lambda: not self.is_connected(), "the server notices")

    def is_connected(self):
        return [h["reachable"] for h in self.org.hosts() if h["uuid"] == self.uuid] == [True]

    def connected(self):
        until(self.is_connected, "the machine is connected")

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def log(self):
        return (self.org.base / f"{self.name}.log").read_text(errors="replace")


@pytest.fixture(scope="module")
def other(org):
    m = Machine(org, "agent-refuses", "Developer")
    yield m
    end(m.service)
    shutil.rmtree(m.base)


@contextlib.contextmanager
def database(org):
    db = sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)
    try:
        with db:
            yield db
    finally:
        db.close()


def order(org, who, hosts, *argv, ok=True):
    return org.console("action", *argv, "--hosts", ",".join(hosts), "-k", org.cert(who), "-w", org.base / "pw", "--timeout", f"{PATIENCE}s", ok=ok)


def rows(org, where, *values):
    with database(org) as db:
        return db.execute(f"SELECT id, state, code, message FROM actions WHERE {where}", values).fetchall()


def test_refusal_is_shown_with_its_reason_and_status(org, other):
    got = order(org, "Deployer", [other.uuid], "update", ok=False)
    assert got.returncode == 4, got.text
    (line,) = [x for x in got.stdout.splitlines() if other.uuid in x]
    assert re.search(r"\brefused\b.*may not give orders", line), got.text
    (row,) = rows(org, "uuid = ? AND kind = 'update'", other.uuid)
    assert row[1:3] == ("refused", "refused") and "[actions] signers" in row[3]
    # As data, for programs.
    got = order(org, "Deployer", [other.uuid], "update", "--json", ok=False)
    (action,) = json.loads(got.stdout)["result"]
    assert action["state"] == "refused" and "may not give orders" in action["message"]


def test_one_machine_obeys_the_other_refuses(org, other):
    got = order(org, "Deployer", [org.uuid, other.uuid], "update", ok=False)
    assert got.returncode == 3, got.text
    lines = {uuid: line for line in got.stdout.splitlines() for uuid in (org.uuid, other.uuid) if uuid in line}
    assert "refused" in lines[other.uuid] and "done" in lines[org.uuid] and "refused" not in lines[org.uuid]
    assert order(org, "Developer", [other.uuid], "update").returncode == 0


def test_altered_order_is_told_and_a_done_one_keeps_its_result(org, other):
    keep_orders(org)
    order(org, "Developer", [other.uuid], "update")
    (done,) = rows(org, "uuid = ? AND state = 'done' AND id IN (SELECT id FROM kept) ORDER BY created DESC LIMIT 1", other.uuid)
    other.stop()
    order(org, "Developer", [other.uuid], "install", "nothing-such", "--no-wait")
    order(org, "Developer", [other.uuid], "update-status", "--no-wait")
    ((late, *_),) = rows(org, "uuid = ? AND state = 'queued' AND kind = 'update-status'", other.uuid)
    with database(org) as db:  # what an owned server can do: alter one, let another expire unseen, send a third again
        db.execute("UPDATE actions SET orders = replace(orders, 'nothing-such', 'something-else') WHERE uuid = ? AND kind = 'install'", (other.uuid,))
        db.execute("UPDATE actions SET state = 'queued', code = '', message = '', orders = (SELECT orders FROM kept WHERE kept.id = actions.id) WHERE id = ?", (done[0],))
    other.start()
    until(lambda: rows(org, "uuid = ? AND kind = 'install' AND state = 'refused'", other.uuid), "the altered order is refused")
    ((_, _, code, message),) = rows(org, "uuid = ? AND kind = 'install'", other.uuid)
    assert code in ("refused", "invalid") and message
    until(lambda: rows(org, "id = ? AND state = 'done'", late), "what was good is done")
    # Sent again, it is acknowledged, not done again, and no refusal takes its result's place.
    until(lambda: rows(org, "id = ? AND state = 'delivered'", done[0]), "the replayed order is acknowledged")
    line = [x for x in other.log().splitlines() if done[0] in x and "action.refused" in x][-1]
    assert "replayed" in line and line.endswith("reported=no"), line


def test_many_refusals_cost_little(org, other):
    keep_orders(org)
    order(org, "Developer", [other.uuid], "update")
    with database(org) as db:
        (batch, orders, created, after) = db.execute(
            "SELECT batch, kept.orders, created, not_after FROM actions JOIN kept ON kept.id = actions.id WHERE uuid = ? AND state = 'done' ORDER BY created DESC LIMIT 1", (other.uuid,)).fetchone()
        text = json.loads(orders)
        for i in range(150):
            action = json.loads(text["action"])
            action["id"] = f"{i:032x}"
            forged = dict(text, action=json.dumps(action, separators=(",", ":")))
            db.execute("INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, signer, state, created, updated)"
                       " VALUES (?, 'forged', ?, 'update', ?, ?, ?, '', 'queued', ?, ?)",
                       (action["id"], other.uuid, json.dumps(forged), int(time.time()) + 3, after, created, created))
    until(lambda: not rows(org, "batch = 'forged' AND state IN ('queued', 'sent')"), "all are acknowledged")

    def waiting():
        agent = sqlite3.connect(f"file:{other.base}/db/waptagent.sqlite?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return agent.execute("SELECT count(*) FROM outbox").fetchone()[0]
        finally:
            agent.close()

    def all_told():
        left = waiting()
        assert left <= 256
        return left == 0
    until(all_told, "what it refused is told")
    assert rows(org, "batch = 'forged' AND state = 'refused'")
    assert not rows(org, "batch = 'forged' AND state = 'done'")
    assert order(org, "Developer", [other.uuid], "update").returncode == 0, "it still obeys"
    assert batch
