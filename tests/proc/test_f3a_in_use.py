"""F3A, C-42: an upgrade that is ordered leaves out what is in use, as the administrator has signed it; the result says what waits for what."""
import contextlib
import json
import shutil
import subprocess

from conftest import until
from test_f3a_refusals_shown import database

PROGRAM = "wapt-test-editor"


def publish(org, version):
    for name, uses in (("f3a-editor", PROGRAM), ("f3a-other", "")):
        package = org.package(name, version, "Developer", org.base / name)
        source = org.base / "src" / f"{name}-{version}-Developer"
        with open(source / "WAPT/control", "a", encoding="utf-8") as f:
            f.write(f"impacted_process  : {uses}\n")
        package.unlink()
        org.console("upload", org.build(source, "Developer"))


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
        org.service.terminate()
        org.service.wait(20)
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


def test_it_is_for_upgrades_alone(org):
    got = org.order("Deployer", "install", "f3a-other", "--only-if-not-process-running", ok=False)
    assert got.returncode == 2 and "alone" in got.text, got.text
