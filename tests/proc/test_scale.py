"""A small fleet of simulated machines (bench/agents, driven as `make scale` does): all are there, and each order comes once."""
import json
import pathlib
import sys

from conftest import ROOT, until

sys.path.insert(0, str(pathlib.Path(ROOT) / "bench"))
import scale  # pylint: disable=wrong-import-position

COUNT = 300


def test_f1a_f1d_f3a_a_fleet_is_complete():
    with scale.fleet_of(COUNT) as (fleet, shards):
        token = fleet.session()

        def ask(path):
            c = fleet.connection()
            c.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return json.loads(c.getresponse().read())

        got = shards.all("register", "32")
        assert (got["done"], got["failed"]) == (COUNT, 0), got
        assert ask("/api/v1/hosts?limit=1")["total"] == COUNT
        got = shards.all("connect", "64")
        assert got["welcome"] == COUNT, got
        until(lambda: ask("/api/v1/hosts?limit=1&reachable=1")["total"] == COUNT, "all are seen")
        got = shards.all("status", 2 * COUNT, "32")
        assert (got["done"], got["failed"]) == (2 * COUNT, 0), got
        got = shards.all("same", 2 * COUNT, "32")
        assert (got["done"], got["failed"], got["wrong"]) == (2 * COUNT, 0, 0), got
        sent = scale.order(fleet, "s*")
        assert sent.returncode == 0, sent.stderr
        got = shards.all("orders", COUNT, "0")
        assert (got["orders"], got["twice"], got["wrong"]) == (COUNT, 0, 0), got
        # All at once away and back: nobody stays away, nothing comes again.
        shards.all("drop")
        got = shards.all("connect", "100000")
        assert got["welcome"] == COUNT, got
        until(lambda: ask("/api/v1/hosts?limit=1&reachable=1")["total"] == COUNT, "all are back")
        assert (got["orders"], got["twice"], got["wrong"]) == (COUNT, 0, 0), got
        assert fleet.log().count("process.died") == 0
