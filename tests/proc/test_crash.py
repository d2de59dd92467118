"""kill -9 of any process at any moment, and crashes at each step of installing: samples of the campaigns (make crash)."""
import os
import random
import signal

import crash
import crash_install
import pytest
from conftest import BIN, free_port, run, until


def test_kill_at_any_moment():
    points = 8
    seed = int(os.environ.get("WAPT_CRASH_SEED", int.from_bytes(os.urandom(4), "big")))
    print(f"seed {seed}")  # pytest shows it with a failure
    assert crash.campaign(points, seed, print).points == points


def test_a_crash_at_any_step_of_installing():
    seed = int(os.environ.get("WAPT_CRASH_SEED", int.from_bytes(os.urandom(4), "big")))
    print(f"seed {seed}")
    chance = random.Random(seed)
    kills, cuts, steps = crash_install.campaign(60, [chance.choice(list(crash_install.SCENARIOS))], chance.randrange(60), print)
    assert kills > 0 and cuts > 0 and steps > 60


def family(pid):
    below, lines = crash.children()
    found, todo = {}, [pid]
    while todo:
        for child in below[todo.pop()]:
            found[child] = lines[child]
            todo.append(child)
    return found


@pytest.mark.parametrize("program", ["waptserver", "waptservice"])
def test_children_die_with_whoever_started_them(org, program):
    base = org.base / f"orphans-{program}"
    if program == "waptserver":
        port = free_port()
        run(BIN / program, "setup", "--dir", base, "--name", "localhost", "--bind", "127.0.0.1", "--port", port,
            "--admin-password-file", org.base / "admin.pw")
        config, count = base / "waptserver.ini", 6
    else:
        config, count = org.new_agent(base), 1
    service = org.start(f"orphans-{program}", program, "run", "--config", config)
    # Confined, that is with the identity they keep.
    log = org.base / f"orphans-{program}.log"
    until(lambda: log.read_text().count("confined") >= count, "the processes are there")
    children = family(service.pid)
    assert len(children) >= count
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    until(lambda: not any(crash.children()[1].get(pid) == line for pid, line in children.items()), f"they end: {children}")
