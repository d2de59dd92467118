"""C-36: what a machine does, what waits there and what it did lately, of its own schedule, of root and of local users as of orders; by whom that is seen, and
what of it is cancelled by a signed word. A machine that says odd things of itself."""
import contextlib
import datetime
import json
import os
import re
import sqlite3
import subprocess

import pytest
from conftest import BIN, PATIENCE, environment, run, until

NOBODY = 65534
GATE = "import os, time\n    while not os.path.exists({marker!r}):\n        time.sleep(0.1)"  # it takes until somebody says so


@pytest.fixture(scope="module")
def machine(org):
    org.ini.write_text(org.ini.read_text().replace("[global]", "[global]\nwaptupgrade_task_period = 1d\ntask_spread = 0\n"))
    org.restart_agent()
    publish(org, "1")
    org.get("update")
    (org.base / "gate").touch()
    org.get("install", "c36-first", "c36-second")
    return org


def publish(org, version):
    org.console("upload", org.package("c36-first", version, "Developer", org.base / "gate", GATE), org.package("c36-second", version, "Developer", org.base / "second"))


def versions(org):
    return {p["package"]: p["version"] for p in json.loads(org.get("list", "--json").stdout)["result"]}


def told(org, *argv):
    return json.loads(org.console("host", org.uuid, "tasks", "--json", *argv).stdout)["result"]


def tasks(org, **wanted):
    return [t for t in told(org)["queue"]["tasks"] if all(t[k] == v for k, v in wanted.items())]


def agents(org):
    return contextlib.closing(sqlite3.connect(org.agent / "db/waptagent.sqlite", timeout=60))


@contextlib.contextmanager
def upgrading(org, version):
    """Its own schedule has begun an upgrade, which is at its first package until the end of this."""
    publish(org, version)
    org.get("update")
    (org.base / "gate").unlink()
    org.service.terminate()
    org.service.wait(PATIENCE)
    with agents(org) as db, db:
        db.execute("INSERT INTO params (name, value) VALUES ('next_upgrade', 1) ON CONFLICT (name) DO UPDATE SET value = 1")
    org.service = org.start_agent("agent", org.ini)
    until(lambda: org.hosts()[0]["reachable"], "the machine is back")
    try:
        until(lambda: tasks(org, kind="upgrade", state="running"), "it is shown while it runs")
        yield
    finally:
        (org.base / "gate").touch()


@contextlib.contextmanager
def as_nobody(org, *argv):
    p = subprocess.Popen([BIN / "wapt-get", "-c", org.ini, *argv], user=NOBODY, group=NOBODY, extra_groups=(), env=environment(), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, cwd="/")
    try:
        yield p
    finally:
        p.kill()
        p.communicate()


def cancel(org, task, ok=True):
    return org.console("cancel", task["cancel"], "--host", org.uuid, "-k", org.cert("Deployer"), "-w", org.base / "pw", ok=ok)


def test_what_runs_and_what_waits_behind_it(machine):
    org = machine
    with upgrading(org, "2"):
        (runs,) = tasks(org, kind="upgrade", state="running")
        assert runs["created_by"] == "scheduler" and runs["started"] >= runs["created"] > 0 and 0 <= runs["progress"] < 100
        with as_nobody(org, "update") as user, subprocess.Popen([BIN / "wapt-get", "-c", org.ini, "audit"], env=environment(), stdout=subprocess.DEVNULL) as root:
            until(lambda: len(tasks(org, state="queued")) == 2, "both wait behind it")
            by = {t["created_by"].split(" (")[0]: t for t in tasks(org, state="queued")}
            assert by.keys() == {f"uid {NOBODY}", "uid 0"} and by[f"uid {NOBODY}"]["kind"] == "update" and by["uid 0"]["kind"] == "audit"
            assert [t["state"] for t in told(org)["queue"]["tasks"]][:3] == ["running", "queued", "queued"]
            shown = org.console("host", org.uuid, "tasks").stdout
            assert "scheduler" in shown and f"uid {NOBODY}" in shown and "running" in shown
            (org.base / "gate").touch()
            user.wait(PATIENCE)
            root.wait(PATIENCE)
    until(lambda: not tasks(org, state="running") and not tasks(org, state="queued"), "nothing is left of it")
    assert [t["code"] for t in tasks(org, state="done", kind="upgrade", created_by="scheduler")][:1] == ["ok"]
    assert versions(org) == {"c36-first": "2", "c36-second": "2"}


def test_a_failure_is_shown_with_the_end_of_what_it_told(machine):
    org = machine
    org.console("upload", org.package("c36-bad", "1", "Developer", org.base / "bad", "print('first words')\n    raise Exception('last words')"))
    org.get("update")
    assert org.get("install", "c36-bad", ok=None).returncode != 0
    until(lambda: tasks(org, kind="install", code="failed"), "it is shown")
    (bad,) = tasks(org, kind="install", code="failed")
    assert "last words" in bad["log"] and bad["created_by"].startswith("uid 0") and bad["finished"] >= bad["started"] > 0


def test_what_nobody_ordered_is_cancelled_by_a_signed_word(machine):
    org = machine
    with upgrading(org, "3"):
        with as_nobody(org, "update") as user:
            until(lambda: tasks(org, kind="update", state="queued"), "it waits")
            (first,) = tasks(org, kind="update", state="queued")
            cancel(org, first)
            until(lambda: not tasks(org, state="queued"), "it is dropped")
            assert user.wait(PATIENCE) != 0 and "cancelled by order" in user.stdout.read(), "who waits for it learns it"
        with as_nobody(org, "update") as user:
            until(lambda: tasks(org, kind="update", state="queued"), "the same again waits")
            cancel(org, first)  # and is another one
            (second,) = tasks(org, kind="update", state="queued")
            assert second["cancel"] != first["cancel"]
            (runs,) = tasks(org, state="running")
            assert org.console("cancel", runs["cancel"], "--host", org.uuid, "-k", org.cert("Stranger"), "-w", org.base / "pw", ok=None).returncode != 0
            cancel(org, runs)
            (org.base / "gate").touch()
            assert user.wait(PATIENCE) == 0
    until(lambda: not tasks(org, state="running"), "it ends")
    (ended,) = [t for t in tasks(org, state="done") if t["id"] == runs["id"]]
    assert (ended["code"], ended["created_by"]) == ("cancelled", "scheduler")
    assert versions(org) == {"c36-bad": "1", "c36-first": "3", "c36-second": "2"} or versions(org) == {"c36-first": "3", "c36-second": "2"}, "it began no further step"


def test_who_may_see_it(machine):
    org = machine
    secret = org.base / "tasks.pw"
    secret.write_text("a long password\n", encoding="utf-8")
    secret.chmod(0o600)

    def looks(name):
        return run(BIN / "waptconsole", "host", org.uuid, "tasks", "--json", "--server", org.url, "--server-fingerprint", org.server_fp, "--user", name, "--password-file", secret, ok=None)
    for name, perimeter in (("tasks-reader", "--all-machines"), ("tasks-elsewhere", "--group=nowhere")):
        for argv in (("add", name, "--role", "readonly", "--password-file", secret), ("perimeter", name, perimeter)):
            run(BIN / "waptserver", "user", *argv, "--config", org.base / "server/waptserver.ini")
    assert looks("tasks-elsewhere").returncode == 12 and "scheduler" not in looks("tasks-elsewhere").stdout
    assert "scheduler" in looks("tasks-reader").stdout


def test_a_machine_that_says_odd_things(machine):
    """What a machine says is in the server's and the administrator's hands only as what it is: bounded, and text."""
    org = machine
    row = "INSERT INTO tasks (kind, args, created_by, action_id, priority, not_before, state, created, message, finished, started, log, code) VALUES "
    with agents(org) as db, db:
        db.execute(row + "('audit', '', 'uid 1 (<b>\x1b[31mx</b>)', '', 100, 0, 'done', 1, '<script>alert(1)</script>', 4102444800, 1, '', 'ok')")
    until(lambda: [t for t in tasks(org, kind="audit") if t["created_by"].startswith("uid 1 ")], "it is shown")
    (odd,) = [t for t in tasks(org, kind="audit") if t["created_by"].startswith("uid 1 ")]
    assert odd["message"] == "<script>alert(1)</script>" and odd["created_by"] == "uid 1 (<b>\x1b[31mx</b>)"
    assert "\x1b" not in org.console("host", org.uuid, "tasks").stdout
    with agents(org) as db, db:
        db.execute(row + "('audit', '', 'x', '', 100, 0, 'done', 1, '', 9223372036854775807, 1, '', 'ok')")  # a date that is none

    def refusals():
        return re.findall(r"^(\S+) .*queue\.refused", (org.base / "server.log").read_text(encoding="utf-8"), re.MULTILINE)
    until(lambda: told(org) and refusals(), "the server refuses it")
    former = told(org)
    assert former["at"] <= datetime.datetime.fromisoformat(refusals()[0].replace("Z", "+00:00")).timestamp() + 1, "the former one stays"
    assert all(t["finished"] < 1 << 40 for t in former["queue"]["tasks"])
    with agents(org) as db, db:
        db.execute("DELETE FROM tasks WHERE created_by = 'x'")
        db.executemany(row + "('audit', '', 'x', '', 100, 0, 'done', 1, ?, 4102444800, 1, ?, 'failed')", [("m" * 60000, "l" * 30000)] * 150)
        db.executemany(row + "('audit', '', 'y', '', 100, 4102444800, 'queued', 1, ?, 0, 0, ?, '')", [("m" * 900, "l" * 30000)] * 150)
    until(lambda: told(org)["queue"]["left_out"] > 0, "what there is no room for is counted")
    assert len(json.dumps(told(org)["queue"])) < 1 << 17
    assert org.hosts()[0]["reachable"]
    with agents(org) as db, db:
        db.execute("DELETE FROM tasks WHERE created_by IN ('x', 'y')")


def test_a_machine_that_is_away(machine):
    org = machine
    now = told(org)
    assert now["reachable"] and now["at"] > 0
    org.service.terminate()
    org.service.wait(PATIENCE)
    until(lambda: not org.hosts()[0]["reachable"], "the server notices")
    then = told(org)
    assert not then["reachable"] and then["at"] >= now["at"] and then["queue"]["tasks"]
    assert "away: this is as of" in org.console("host", org.uuid, "tasks").text
