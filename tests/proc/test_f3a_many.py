"""F3A: one order for more machines than one signature is for: countersigned for each connection, queued for those that are away, listed page by page,
cancelled, and each counted where it is; over either database."""
import json
import subprocess

import pytest
from conftest import BIN, environment, until
from test_server_pair import Pair, Single

COUNT = 1200  # of the simulator's, half of them in each of its processes; and a real machine
HALF = COUNT // 2


@pytest.fixture(params=(Single, Pair), ids=("sqlite", "postgres"))
def fleet(request, org):
    f = request.param(org, count=COUNT)
    yield f
    f.stop()


def console(fleet, *argv, yes=("--yes",)):
    """Exit status, and what --json says; without a terminal."""
    p = subprocess.run([BIN / "waptconsole", *argv, *yes, "--json", "-k", fleet.cert("Deployer"), "-w", fleet.base / "pw", "--server", fleet.url,
                        "--server-fingerprint", fleet.server_fp, "--password-file", fleet.base / "admin.pw"], capture_output=True, text=True, timeout=600,
                       stdin=subprocess.DEVNULL, check=False, start_new_session=True, env=environment())
    return p.returncode, p.stdout + p.stderr


def ask(fleet, path, server=None):
    status, body, _ = (server or fleet.second).call("GET", path, token=fleet.session)
    assert status == 200, body
    return json.loads(body)


def counts(fleet, batch, server=None):
    (b,) = [b for b in ask(fleet, "/api/v1/batches", server)["batches"] if b["batch"] == batch]
    assert b["machines"] == sum(b["counts"].values()), b
    return b["counts"]


def pages(fleet, batch, limit):
    """All orders of a batch, read in pages; each page is of the size that was asked for, but the last."""
    out, after = [], ""
    while True:
        got = ask(fleet, f"/api/v1/actions?batch={batch}&limit={limit}{after}")
        out += got["actions"]
        if "next" not in got:
            return out
        assert len(got["actions"]) == limit
        after = f"&after={got['next']}"


def to_one(fleet, at, line):
    """A command to one of the simulator's processes, and its answer."""
    p = fleet.shards.procs[at]
    fleet.shards.say(p, line)
    return json.loads(p.stdout.readline())


def test_f3a_an_order_for_many(fleet):
    got = fleet.shards.all("register", "32")
    assert (got["done"], got["failed"]) == (COUNT, 0), got
    fleet.agent()
    assert to_one(fleet, 0, "connect 64")["welcome"] == HALF
    until(lambda: fleet.reachable(fleet.first) == fleet.reachable(fleet.second) == HALF + 1, "half of them are there, and the real one")

    status, text = console(fleet, "action", "update-status", "--hosts", "*", "--no-wait", yes=())  # nobody can be asked, and nobody has said yes
    assert status == 2 and f"{COUNT + 1} machines" in text and ask(fleet, "/api/v1/batches")["batches"] == [], text[-2000:]
    status, text = console(fleet, "action", "update-status", "--hosts", "*", "--no-wait")
    assert status == 0, text
    ((batch, machines),) = [(b["batch"], b["machines"]) for b in ask(fleet, "/api/v1/batches")["batches"]]  # one, whatever was signed how often
    assert machines == COUNT + 1
    until(lambda: counts(fleet, batch) == counts(fleet, batch, fleet.first) == {"delivered": HALF, "queued": HALF, "done": 1}, "each is where it must be")
    here = to_one(fleet, 0, "count")  # each for this machine and this connection, or it would be wrong
    assert (here["orders"], here["twice"], here["wrong"]) == (HALF, 0, 0), here

    for limit in (100, 1000, 7000):
        rows = pages(fleet, batch, limit)
        assert len(rows) == len({r["uuid"] for r in rows}) == len({r["id"] for r in rows}) == COUNT + 1, limit
    assert sorted(r["uuid"] for r in rows if r["state"] == "queued") == [f"s{i:06}" for i in range(HALF, COUNT)]

    # Cancelled: what waits here at once, what was delivered by whoever has it - the simulator's machines never say.
    status, text = console(fleet, "cancel", batch, "--timeout", "1s")
    assert status != 0, text
    assert counts(fleet, batch) == counts(fleet, batch, fleet.first) == {"delivered": HALF, "cancelled": HALF, "done": 1}
    (cancel,) = [b for b in ask(fleet, "/api/v1/batches")["batches"] if b["kind"] == "cancel"]
    assert cancel["machines"] == COUNT, cancel  # who is done is not told
    # Who comes late gets the cancel alone.
    assert to_one(fleet, 1, "connect 64")["welcome"] == HALF
    until(lambda: counts(fleet, cancel["batch"]) == {"delivered": COUNT}, "every cancel has come to its machine")
    late = to_one(fleet, 1, "count")
    assert (late["orders"], late["twice"], late["wrong"]) == (HALF, 0, 0), late
    here = to_one(fleet, 0, "count")
    assert (here["orders"], here["twice"], here["wrong"]) == (2 * HALF, 0, 0), here
    assert counts(fleet, batch) == {"delivered": HALF, "cancelled": HALF, "done": 1}
