"""A small fleet of simulated machines (bench/agents, driven as `make scale` does): all are there, and each order comes once."""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import sys

from conftest import PATIENCE, ROOT, until

sys.path.insert(0, str(pathlib.Path(ROOT) / "bench"))
import scale  # pylint: disable=wrong-import-position

COUNT = 300


def same(shards, command="same"):
    """How many states the server did not know, of two that each machine says."""
    before = shards.all("count")["wrong"]
    got = shards.all(command, 2 * COUNT, "32")
    assert (got["done"], got["failed"]) == (2 * COUNT, 0), got
    return got["wrong"] - before


def oldest(ask, order=""):
    """When the machine was seen that was seen longest ago, or last."""
    return ask(f"/api/v1/hosts?limit=1&sort={order}last_seen")["hosts"][0]["last_seen"]


def assert_f1d_known_states(fleet, shards, ask):
    """What a front answers by itself is what the store has said of this machine on this connection, and nothing else since."""
    assert same(shards) == 0  # the second time by the front alone
    latest = oldest(ask, "-")
    until(lambda: same(shards) == 0 and oldest(ask) > latest, "the server knows that they have said so")
    assert same(shards, "former") == 2 * COUNT
    assert same(shards) == 0
    got = shards.all("status", COUNT, "32")
    assert (got["done"], got["failed"]) == (COUNT, 0), got
    assert same(shards, "former") == 2 * COUNT  # it was known a moment ago
    assert same(shards) == 0
    with contextlib.closing(sqlite3.connect(fleet.dir / "db/waptserver.sqlite", timeout=PATIENCE)) as db:
        kept = db.execute("SELECT uuid, digest FROM sections WHERE section = 'last_update_status'").fetchall()
        db.execute("UPDATE sections SET digest = 'another' WHERE section = 'last_update_status'")
        db.commit()
        os.kill(fleet.processes_of()["store"][0], signal.SIGKILL)
        until(lambda: shards.all("count")["welcome"] == 0, "no connection outlives the store")
        assert shards.all("connect", "64")["welcome"] == COUNT
        assert same(shards) == 2 * COUNT  # nothing of before is remembered
        db.executemany("UPDATE sections SET digest = ?2 WHERE uuid = ?1 AND section = 'last_update_status'", kept)
        db.commit()
    assert same(shards) == 0


def assert_c36_queues_as_asked_for(shards, ask):
    """A machine tells its queue as often as it was asked to, and as much; who says more is sent away, and has said nothing."""
    first = "/api/v1/hosts/s000000/queue"

    def here():
        return shards.all("count")["welcome"]

    def sent_away(count):
        until(lambda: here() == COUNT - count, "whoever says too much is sent away")
        assert shards.all("connect", "64")["welcome"] == COUNT
        until(lambda: ask("/api/v1/hosts?limit=1&reachable=1")["total"] == COUNT, "they are back")

    def watched():
        before = shards.all("count")["watched"]

        def asked():
            ask(first + "?watch=1")
            return shards.all("count")["watched"] > before
        until(asked, "the machine is asked")
    shards.all("queue", "1", "0")
    sent_away(len(shards.procs))
    assert ask(first)["queue"] is None
    watched()
    shards.say(shards.procs[0], "queue 1 70000")
    shards.procs[0].stdout.readline()
    sent_away(1)
    assert ask(first)["queue"] is None
    watched()
    shards.say(shards.procs[0], "queue 500 0")
    shards.procs[0].stdout.readline()
    sent_away(1)
    assert ask(first)["queue"] == {"stopped": False, "left_out": 7, "tasks": []}


def test_f1a_f1d_f3a_a_fleet_is_complete():
    with scale.fleet_of(COUNT) as (fleet, shards):
        token = fleet.session()

        def text(path):
            c = fleet.connection()
            c.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return c.getresponse().read().decode()

        def ask(path):
            return json.loads(text(path))

        def counted(what):
            return sum(int(line.split()[-1]) for line in text("/metrics").splitlines() if line.startswith(what))

        got = shards.all("register", "32")
        assert (got["done"], got["failed"]) == (COUNT, 0), got
        assert ask("/api/v1/hosts?limit=1")["total"] == COUNT
        got = shards.all("connect", "64")
        assert got["welcome"] == COUNT, got
        until(lambda: ask("/api/v1/hosts?limit=1&reachable=1")["total"] == COUNT, "all are seen")
        until(lambda: counted("wapt_front_websockets{") == COUNT, "all are counted")
        got = shards.all("status", 2 * COUNT, "32")
        assert (got["done"], got["failed"]) == (2 * COUNT, 0), got
        assert_f1d_known_states(fleet, shards, ask)
        before = shards.all("count")
        died = fleet.log().count("process.died")
        sent = scale.order(fleet, "s*")
        assert sent.returncode == 0, sent.stderr
        got = shards.all("orders", COUNT, "0")
        assert (got["orders"], got["twice"], got["wrong"]) == (COUNT, 0, before["wrong"]), got
        until(lambda: counted('wapt_actions{state="delivered"}') == COUNT, "the server has heard that they have them")
        # All at once away and back: nobody stays away, nothing comes again.
        shards.all("drop")
        got = shards.all("connect", "100000")
        assert got["welcome"] == COUNT, got
        until(lambda: ask("/api/v1/hosts?limit=1&reachable=1")["total"] == COUNT, "all are back")
        assert (got["orders"], got["twice"], got["wrong"]) == (COUNT, 0, before["wrong"]), got
        assert_c36_queues_as_asked_for(shards, ask)
        assert fleet.log().count("process.died") == died
