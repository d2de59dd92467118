"""F3A, C-42, C-37: an upgrade, an install or a removal that is ordered leaves out what is in use, as the administrator has signed it; the result
says what waits for what. A roll-out's comes back to it within its signed times, and is neither done nor failed until then."""
import contextlib
import json
import os
import shutil
import subprocess

from conftest import end, until
from test_f3a_refusals_shown import database

PROGRAM = f"f3a-{os.getpid()}"  # of no other test: all that runs on the machine is looked at


def publish(org, version):
    for name, uses in (("f3a-editor", PROGRAM), ("f3a-other", "")):
        package = org.package(name, version, "Developer", org.base / name)
        source = org.base / "src" / f"{name}-{version}-Developer"
        with open(source / "WAPT/control", "a", encoding="utf-8") as f:
            f.write(f"impacted_process  : {uses}\n")
        package.unlink()
        org.console("upload", org.build(source, "Developer"))


def have(org, version):
    """Both are installed in this version, whatever was before."""
    publish(org, version)
    org.get("update")
    org.order("Deployer", "install", "f3a-editor", "f3a-other")
    assert versions(org) == {"f3a-editor": version, "f3a-other": version}


@contextlib.contextmanager
def running(org):
    program = org.base / PROGRAM
    shutil.copy("/bin/sleep", program)
    p = subprocess.Popen([program, "600"], cwd="/")
    try:
        yield
    finally:
        p.kill()
        p.wait()
        program.unlink()


def versions(org):
    return {p["package"]: p["version"] for p in json.loads(org.get("list", "--json").stdout)["result"]}


def upgrade(org, *more):
    (told,) = json.loads(org.order("Deployer", "upgrade", *more, "--json").stdout)["result"]
    return told


def test_what_is_in_use_waits_and_is_named(org):
    publish(org, "1")
    org.get("update")
    org.order("Deployer", "install", "f3a-editor", "f3a-other")
    publish(org, "2")
    with running(org):
        told = upgrade(org, "--only-if-not-process-running")
        assert (told["state"], told["code"], told["message"]) == ("done", "ok", "1 done, 1 put off"), told
        said = {p["package"]: p for p in told["packages"]}
        assert said["f3a-editor"] == {"package": "f3a-editor", "version": "2", "status": "POSTPONED", "program": PROGRAM}
        assert said["f3a-other"]["status"] == "OK"
        assert versions(org) == {"f3a-editor": "1", "f3a-other": "2"}
        shown = org.order("Deployer", "upgrade", "--only-if-not-process-running")
        assert f"f3a-editor 2: POSTPONED, since '{PROGRAM}' runs" in shown.stdout and "but for packages whose programs run" in shown.text
    assert upgrade(org, "--only-if-not-process-running")["message"] == "1 done"
    assert versions(org)["f3a-editor"] == "2"


def test_without_it_what_runs_is_no_hindrance(org):
    publish(org, "3")
    with running(org):
        upgrade(org)
    assert versions(org) == {"f3a-editor": "3", "f3a-other": "3"}


def test_an_owned_server_that_takes_it_away_gets_nothing_upgraded(org):
    publish(org, "4")
    with running(org):
        end(org.service)
        until(lambda: not org.hosts()[0]["reachable"], "the server notices")
        told = json.loads(org.console("action", "upgrade", "--only-if-not-process-running", "--hosts", org.hosts()[0]["uuid"], "-k", org.cert("Deployer"),
                                      "-w", org.base / "pw", "--no-wait", "--json").stdout)["result"][0]
        with database(org) as db:
            (text,) = db.execute("SELECT orders FROM actions WHERE id = ?", (told["id"],)).fetchone()
            order = json.loads(text)
            order["action"] = order["action"].replace(',"only_if_not_running":true', "")
            assert order != json.loads(text)
            db.execute("UPDATE actions SET orders = ? WHERE id = ?", (json.dumps(order), told["id"]))
        org.service = org.start_agent("agent", org.ini)

        def refused():
            with database(org) as db:
                return db.execute("SELECT message FROM actions WHERE id = ? AND state = 'refused'", (told["id"],)).fetchone()
        until(refused, "the machine refuses it")
        assert "not part of what" in refused()[0]
        assert versions(org) == {"f3a-editor": "3", "f3a-other": "3"}


def test_installs_and_removals_leave_out_what_is_in_use(org):
    flag = "--only-if-not-process-running"
    have(org, "4.1")
    org.order("Deployer", "remove", "f3a-editor", "f3a-other")
    with running(org):
        got = org.order("Deployer", "install", "f3a-editor", "f3a-other", flag)
        assert "but for packages whose programs run" in got.text and f"f3a-editor 4.1: POSTPONED, since '{PROGRAM}' runs" in got.stdout, got.text
        assert versions(org) == {"f3a-other": "4.1"}
    assert_done(org, "install", "f3a-editor", flag)
    assert versions(org) == {"f3a-editor": "4.1", "f3a-other": "4.1"}
    with running(org):
        (told,) = json.loads(org.order("Deployer", "remove", "f3a-editor", "f3a-other", flag, "--json").stdout)["result"]
        assert (told["state"], told["message"]) == ("done", "1 done, 1 put off")
        assert {p["package"]: p["status"] for p in told["packages"]} == {"f3a-editor": "POSTPONED", "f3a-other": "REMOVED"}
        assert versions(org) == {"f3a-editor": "4.1"}
        # What needs something in use is left out with it, and nothing of it is begun.
        package = org.package("f3a-needs-editor", "1", "Developer", org.base / "needs")
        source = org.base / "src/f3a-needs-editor-1-Developer"
        control = (source / "WAPT/control").read_text()
        (source / "WAPT/control").write_text(control + "depends           : f3a-editor(>=5)\n")
        package.unlink()
        org.console("upload", org.build(source, "Developer"))
        publish(org, "5")
        org.get("update")
        (told,) = json.loads(org.order("Deployer", "install", "f3a-needs-editor", flag, "--json").stdout)["result"]
        assert [(p["package"], p["status"], p["program"]) for p in told["packages"]] == [("f3a-needs-editor", "POSTPONED", PROGRAM)], told
        assert versions(org) == {"f3a-editor": "4.1"}
    assert_done(org, "install", "f3a-needs-editor", flag)
    assert versions(org) == {"f3a-editor": "5", "f3a-needs-editor": "1"}
    org.order("Deployer", "remove", "f3a-needs-editor")


def test_what_begins_to_run_meanwhile_is_left_out_too(org):
    """The plan is made, another package is at work; a program is started before its own turn. What belongs to that is put off with it."""
    have(org, "5.0.5")
    org.order("Deployer", "remove", "f3a-editor", "f3a-other")
    begun, go = org.base / "slow-begun", org.base / "slow-go"
    slow = org.package("f3a-slow", "1", "Developer", org.base / "slow")
    source = org.base / "src/f3a-slow-1-Developer"
    (source / "setup.py").write_text("import os, time\nfrom setuphelpers import *\nuninstallkey = []\n\ndef install():\n"
                                     f"    open({str(begun)!r}, 'w').close()\n    while not os.path.exists({str(go)!r}):\n        time.sleep(0.05)\n")
    slow.unlink()
    org.console("upload", org.build(source, "Developer"))
    plugin = org.package("f3a-plugin", "1", "Developer", org.base / "plugin")
    source = org.base / "src/f3a-plugin-1-Developer"
    (source / "WAPT/control").write_text((source / "WAPT/control").read_text() + "depends           : f3a-slow,f3a-editor\n")
    plugin.unlink()
    org.console("upload", org.build(source, "Developer"))
    org.get("update")
    order = json.loads(org.console("action", "install", "f3a-slow", "f3a-plugin", "f3a-other", "--only-if-not-process-running", "--hosts", org.uuid, "-k", org.cert("Deployer"),
                                   "-w", org.base / "pw", "--no-wait", "--json").stdout)["result"][0]

    def told():
        with database(org) as db:
            return db.execute("SELECT state, message, packages FROM actions WHERE id = ?", (order["id"],)).fetchone()
    until(begun.exists, "the first package is at work")
    with running(org):
        go.touch()
        until(lambda: told()[0] == "done", "it ends")
    assert told()[1] == "2 done, 2 put off"
    assert {p["package"]: (p["status"], p.get("program")) for p in json.loads(told()[2])} == {
        "f3a-slow": ("OK", None), "f3a-editor": ("POSTPONED", PROGRAM), "f3a-plugin": ("POSTPONED", None), "f3a-other": ("OK", None)}
    assert versions(org) == {"f3a-slow": "1", "f3a-other": "5.0.5"}
    org.order("Deployer", "remove", "f3a-slow")


def assert_done(org, *argv):
    (told,) = json.loads(org.order("Deployer", *argv, "--json").stdout)["result"]
    assert (told["state"], told["code"]) == ("done", "ok") and "put off" not in told["message"], told


def rollout(org, *argv, ok=True):
    answer = org.console("rollout", *argv, "--json", ok=ok)
    return json.loads(answer.stdout)["result"][0] if ok else answer


def create(org, *argv):
    return rollout(org, "create", *argv, "--hosts", org.uuid, "--rings", "100%", "--yes", "-k", org.cert("Deployer"), "-w", org.base / "pw")


def states(org, one):
    return {s: n for c in rollout(org, "show", one["id"])["counts"] for s, n in c["states"].items()}


def result(org, one):
    with database(org) as db:
        return db.execute("SELECT state, code, message, packages FROM actions WHERE batch = ?", (one["id"],)).fetchone()


def results_noted(org, one):
    with database(org) as db:
        return [json.loads(e)["what"]["state"] for (e,) in db.execute("SELECT entry FROM journal WHERE entry LIKE ? ORDER BY seq", (f"%action.result%{one['id']}%",))]


def test_a_rollout_comes_back_to_what_is_in_use(org):
    have(org, "5.1")
    publish(org, "6")
    org.get("update")
    with running(org):
        one = create(org, "install", "f3a-editor", "f3a-other", "--force", "--only-if-not-process-running")
        assert '"only_if_not_running":true' in one["order"]["rollout"]["signed"]
        until(lambda: states(org, one) == {"postponed": 1}, "it waits, and is neither done nor failed")
        state, code, message, packages = result(org, one)
        assert (code, message) == ("busy", "1 done, 1 put off")
        assert {p["package"]: (p["status"], p.get("program")) for p in json.loads(packages)} == {"f3a-other": ("OK", None), "f3a-editor": ("POSTPONED", PROGRAM)}
        assert versions(org) == {"f3a-editor": "5.1", "f3a-other": "6"} and rollout(org, "show", one["id"])["state"] == "running"
        (task, *_) = [t for t in json.loads(org.get("tasks", "--json").stdout)["result"] if t["created_by"].startswith("roll-out of")]
        assert (task["state"], task["waits_for"]) == ("queued", [PROGRAM])
        assert f"in use: {PROGRAM}" in org.get("tasks").stdout
        org.restart_agent()  # it is known after that, too
        assert states(org, one) == {"postponed": 1}
    (org.base / "f3a-other").unlink()
    until(lambda: states(org, one) == {"done": 1}, "the program has ended: the machine comes back to it")
    assert versions(org) == {"f3a-editor": "6", "f3a-other": "6"}
    assert not (org.base / "f3a-other").exists(), "what was done is not done again, forced or not"
    assert {p["package"]: p["status"] for p in json.loads(result(org, one)[3])} == {"f3a-other": "OK", "f3a-editor": "OK"}
    assert results_noted(org, one) == ["postponed", "done"]
    rollout(org, "stop", one["id"])


def waiting(org):
    """What its newest roll-out waits for, as the machine itself says."""
    task = [t for t in json.loads(org.get("tasks", "--json").stdout)["result"] if t["created_by"].startswith("roll-out of")][0]
    return task["waits_for"] if task["state"] == "queued" else None


def test_a_machine_that_has_left_the_network_has_failed_at_nothing(org):
    have(org, "6.0.1")
    publish(org, "6.0.2")
    org.get("update")
    with running(org):
        one = create(org, "install", "f3a-editor", "--only-if-not-process-running")
        until(lambda: states(org, one) == {"postponed": 1}, "it waits")
        org.processes[0].kill()
        org.processes[0].wait()
    until(lambda: waiting(org) == [], "it is tried, and the server is not there")
    assert versions(org)["f3a-editor"] == "6.0.1"
    org.start_server()
    until(lambda: result(org, one)[0] == "done", "the server is back, and the machine comes back to it")
    assert versions(org)["f3a-editor"] == "6.0.2" and results_noted(org, one) == ["postponed", "done"]
    rollout(org, "stop", one["id"])


def test_a_rollout_that_waits_is_cancelled_by_a_signed_word(org):
    have(org, "6.1")
    publish(org, "7")
    org.get("update")
    with running(org):
        one = create(org, "upgrade", "--only-if-not-process-running")
        until(lambda: states(org, one) == {"postponed": 1}, "it waits")
        org.console("cancel", one["id"], "-k", org.cert("Deployer"), "-w", org.base / "pw")
        assert states(org, one) == {"cancelled": 1}
    assert versions(org)["f3a-editor"] == "6.1"
    rollout(org, "stop", one["id"])


def test_a_rollout_ends_with_what_stays_in_use(org):
    """Who keeps a program running keeps the package out until the signed end, and no longer than that it is waited for."""
    have(org, "7.1")
    publish(org, "7.2")
    org.get("update")
    with running(org):
        one = create(org, "install", "f3a-editor", "--only-if-not-process-running", "--valid", "30s")  # its last try is the first one
        until(lambda: states(org, one) == {"postponed": 1}, "it is left out")
        assert [t["code"] for t in json.loads(org.get("tasks", "--json").stdout)["result"] if t["created_by"].startswith("roll-out of")][0] == "busy"
        until(lambda: rollout(org, "show", one["id"])["state"] == "ended", "its time is over")
    assert versions(org)["f3a-editor"] == "7.1" and results_noted(org, one) == ["postponed"]


def test_an_owned_server_can_take_it_from_no_statement(org):
    """Without the flag the statement is another text, which nobody has signed."""
    have(org, "8")
    publish(org, "8.1")
    org.get("update")
    with running(org):
        end(org.service)
        until(lambda: not org.hosts()[0]["reachable"], "the server notices")
        one = create(org, "install", "f3a-editor", "--only-if-not-process-running")
        with database(org) as db:
            (text,) = db.execute("SELECT orders FROM rollouts WHERE id = ?", (one["id"],)).fetchone()
            order = json.loads(text)
            order["rollout"]["signed"] = order["rollout"]["signed"].replace(',"only_if_not_running":true', "")
            assert order != json.loads(text)
            db.execute("UPDATE rollouts SET orders = ? WHERE id = ?", (json.dumps(order), one["id"]))
        org.service = org.start_agent("agent", org.ini)
        until(lambda: (result(org, one) or [""])[0] == "refused", "the machine refuses it")
        assert "signature" in result(org, one)[2]
        assert versions(org)["f3a-editor"] == "8"
    rollout(org, "stop", one["id"])


def test_it_is_for_what_changes_packages_alone(org):
    for argv in (("forget", "f3a-other"), ("audit",), ("update",)):
        got = org.order("Deployer", *argv, "--only-if-not-process-running", ok=False)
        assert got.returncode == 2 and "'upgrade', 'install' and 'remove'" in got.text, got.text
    got = org.console("rollout", "create", "audit", "--hosts", org.uuid, "--only-if-not-process-running", "--yes", "-k", org.cert("Deployer"), "-w", org.base / "pw", ok=False)
    assert got.returncode == 2 and "'upgrade', 'install' and 'remove'" in got.text, got.text
