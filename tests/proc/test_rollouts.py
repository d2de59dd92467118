"""Roll-outs of real programs: rings, a halt, who joins later, a server that is killed; nothing is released twice."""
import json
import signal

import pytest
from conftest import organisation, run, until, BIN


@pytest.fixture(scope="module")
def org():
    with organisation() as o:
        o.others = []
        yield o


def agent(org, name):
    """One more machine."""
    base = org.base / name
    ini = org.new_agent(base)
    ini.write_text(ini.read_text().replace("[global]", f"[global]\nuuid = {name}"))
    org.start_agent(name, ini)
    run(BIN / "wapt-get", "-c", ini, "register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
    org.others.append(name)
    return ini


def rollout(org, *argv, ok=True):
    answer = org.console("rollout", *argv, "--json", ok=ok)
    return json.loads(answer.stdout)["result"][0] if ok else answer


def states(org, one):
    return {(c["ring"], s): n for c in rollout(org, "show", one)["counts"] for s, n in c["states"].items()}


def join(org, uuid, ini, *groups, is_told=True):
    """is_told: the machine has seen it, too."""
    org.console("host-package", uuid, "--depends", ",".join(groups), "--upload", "-k", org.cert("Developer"), "-w", org.base / "pw", "-o", org.base)
    if is_told:
        run(BIN / "wapt-get", "-c", ini, "update")


def test_rings_halt_and_later_machines(org):
    marker, signer = org.base / "rolled", ("-k", org.cert("Deployer"), "-w", org.base / "pw")
    org.console("upload", org.package("rolled", "1", "Developer", marker))
    org.console("upload", org.package("grp-roll", "1", "Developer", org.base / "grp"))
    pilot, second = org.uuid, agent(org, "machine-two")
    join(org, pilot, org.ini, "grp-roll")
    join(org, "machine-two", second, "grp-roll")
    one = rollout(org, "create", "install", "rolled", "--members-of", "grp-roll", "--rings", f"@{pilot}", "--yes", *signer)["id"]
    until(lambda: states(org, one) == {(0, "done"): 1, (1, "done"): 1}, "pilot, then all")
    assert marker.read_text() == "1"
    # Killed at once, all of it: it goes on where it was, and nothing runs twice.
    org.processes[0].send_signal(signal.SIGKILL)
    org.processes[0].wait()
    org.start_server()
    marker.unlink()
    third = agent(org, "machine-three")
    join(org, "machine-three", third, "grp-roll", is_told=False)  # before the machine has seen it: it looks, and does not refuse
    until(lambda: states(org, one).get((1, "done")) == 2, "who joins later comes in")
    assert marker.read_text() == "1"
    for ini, times in ((org.ini, 1), (second, 1), (third, 1)):
        tasks = json.loads(run(BIN / "wapt-get", "-c", ini, "tasks", "--json").stdout)["result"]
        assert len([t for t in tasks if t["kind"] == "install" and t["created_by"].startswith("roll-out of")]) == times
    assert rollout(org, "stop", one)["state"] == "stopped"
    # One that fails on the pilot halts by itself, and the others never hear of it.
    two = rollout(org, "create", "install", "no-such-package", "--members-of", "grp-roll", "--rings", f"@{pilot}", "--yes", *signer)["id"]
    until(lambda: rollout(org, "show", two)["state"] == "halted", "it halts")
    assert states(org, two) == {(0, "failed"): 1, (1, "waiting"): 2}
    assert "halted" in rollout(org, "promote", two, ok=False).text
    # Signed by one whom machines do not obey: each refuses, and that is a failure too.
    three = rollout(org, "create", "install", "rolled", "--hosts", pilot, "--rings", "100%", "--yes", "-k", org.cert("Developer"), "-w", org.base / "pw")["id"]
    until(lambda: rollout(org, "show", three)["state"] == "halted", "it halts")
    assert states(org, three) == {(0, "refused"): 1}
