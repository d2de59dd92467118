"""A crash and a power cut at each step of installing: what does the next start make of it?

    tests/proc/crash_install.py [EVERY [SCENARIO...]]      (part of make crash)

Each scenario is one command of root's that changes packages, without the service. It is run once to see its steps: each change of a
file below the base directory, or below the directory that stands for the machine. Then, from the same beginning, it is run again and
everything killed before step 1, 2, 3... ; and what a power cut at each step would leave (powercut.py) is put in place. Each time the next
start must know where it is, and the same command, or an upgrade, must reach what an undisturbed run reaches.
"""
import collections
import contextlib
import functools
import http.server
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import powercut
from conftest import BIN, PATIENCE, account, environment, run
from tracer import Tracer

KNOWN = {"OK", "WARNING", "ERROR", "UNKNOWN"}
ORDER = "0123456789abcdef0123456789abcdef"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def script(name, version, fails=False, more=""):
    """Notes in the world when a hook begins and ends; what is appended can't be taken for done."""
    return (f"from setuphelpers import *\nimport os\nW = {{world!r}}\n\n"
            f"def note(text):\n    with open(W + '/{name}.log', 'a') as f:\n        f.write(text + '\\n')\n\n"
            f"def install():\n    note('begin {version}')\n"
            f"    with open(makepath(persistent_dir, 'own'), 'w') as f:\n        f.write('{version}')\n"
            + (f"    with open(W + '/{name}.file', 'w') as f:\n        f.write('{version} %s' % params.get('k'))\n" if not fails else
               f"    with open(W + '/{name}.file', 'w') as f:\n        f.write('half')\n    note('fail {version}')\n    error('as planned')\n")
            + more
            + f"    note('end {version}')\n\n"
            f"def uninstall():\n    note('ubegin {version}')\n    if os.path.exists(W + '/{name}.file'):\n        os.unlink(W + '/{name}.file')\n"
            f"    note('uend {version}')\n\ndef audit():\n    print('looked')\n    return 'OK'\n")


class Machine:
    """A base directory, a world, a repository; `wapt` is the agent's, `world` the machine's."""

    def __init__(self, top):
        self.top, self.base, self.world = top, top / "both/wapt", top / "both/world"
        top.chmod(0o755)
        account("wapt-agent")
        for d in (self.base / "ssl", self.world, top / "www/wapt", top / "out", top / "snapshots"):
            d.mkdir(parents=True)
        handler = functools.partial(Quiet, directory=str(top / "www"))
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.web.daemon_threads = True
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        run(BIN / "wapt-get", "create-keycert", "--base-dir", top / "keys", "--common-name", "Developer", "--code-signing", "--no-private-key-passwd",
            "--key-bits", "2048")
        shutil.copy(top / "keys/Developer.crt", self.base / "ssl")
        self.configure("")
        self.env = environment()
        for name, body in (("take", 'rm -rf {s}/"$WAPT_PACKAGE"; cp -a {w} {s}/"$WAPT_PACKAGE"; sync; echo "$WAPT_PACKAGE"'),
                           ("undo", 'rm -f {w}/*; cp -a {s}/"$WAPT_SNAPSHOT"/. {w}/; sync')):
            path = top / name
            path.write_text("#!/bin/sh\nset -e\n" + body.format(s=top / "snapshots", w=self.world) + "\n")
            path.chmod(0o755)

    def configure(self, more):
        text = (f"[global]\nrepo_url = http://127.0.0.1:{self.web.server_port}/wapt\nuuid = TEST-MACHINE\nwaptupdate_task_period = 0\n{more}\n"
                "[wapt-host]\nrepo_url =\n")
        (self.base / "wapt-get.ini").write_text(text)
        (self.base / "wapt-get.ini").chmod(0o644)

    def snapshots(self):
        self.configure(f"install_snapshot = {self.top}/take\ninstall_undo = {self.top}/undo\n")

    def argv(self, *words):
        return [BIN / "wapt-get", *words, "--config", self.base / "wapt-get.ini"]

    def get(self, *words, ok=True):
        return run(*self.argv(*words), ok=ok)

    def package(self, name, version, text="", control=""):
        source = self.top / "src" / f"{name}-{version}"
        (source / "WAPT/persistent").mkdir(parents=True)
        (source / "WAPT/control").write_text(f"package: {name}\nversion: {version}\narchitecture: all\ndescription: test\nmaintainer: x\n{control}")
        if text:
            (source / "setup.py").write_text(text.replace("{world!r}", repr(str(self.world))))
            (source / "WAPT/persistent/seed").write_text("seed")
        run(BIN / "wapt-get", "build-package", source, "-k", self.top / "keys/Developer.crt", "-o", self.top / "out")
        (made,) = (p for p in (self.top / "out").iterdir())
        made.rename(self.top / "www/wapt" / made.name)

    def publish(self):
        run(BIN / "wapt-scanpackages", self.top / "www/wapt")

    def close(self):
        self.web.shutdown()
        self.web.server_close()

    # --- what is there ---

    def query(self, sql):
        with contextlib.closing(sqlite3.connect(self.base / "db/waptagent.sqlite", timeout=PATIENCE)) as db:
            return db.execute(sql).fetchall()

    def rows(self):
        """After a start, which ends when there is nothing left to do: what it shows was there before."""
        self.get("list")
        rows = {}
        for package, control, status, explicit, output, params in self.query("SELECT package, control, status, explicit, output, params FROM installed"):
            rows[package] = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in control.splitlines() if ":" in line and line[0] != " ")}
            rows[package].update(install_status=status, is_explicit=bool(explicit), output=output, params=json.loads(params))
        return rows

    def notes(self, name):
        try:
            return (self.world / f"{name}.log").read_text().splitlines()
        except FileNotFoundError:
            return []

    def summary(self, rows):
        """What an undisturbed run and one after a crash must agree on."""
        files = {p.name: p.read_text() for p in self.world.iterdir() if p.suffix == ".file"}
        return {n: (r["version"], r["install_status"], r["is_explicit"], r["params"]) for n, r in rows.items()}, files


# --- scenarios: what is there before, the command, and what ends the matter after a crash ---

def low_and_app(m, version="1"):
    m.package("low", version, script("low", version))
    m.package("app", version, script("app", version), control="depends: low\n")
    m.publish()
    m.get("update")


def with_app(m):
    low_and_app(m)
    m.get("install", "app", "-p", '{"k": "v"}')


def newer(m):
    with_app(m)
    low_and_app(m, "2")


def failing(m):
    m.package("bad", "1", script("bad", "1", fails=True))
    m.publish()
    m.get("update")


def failing_upgrade(m):
    m.package("bad", "1", script("bad", "1"))
    m.publish()
    m.get("update")
    m.get("install", "bad")
    m.package("bad", "2", script("bad", "2", fails=True))
    m.publish()
    m.get("update")


def undone(m):
    failing_upgrade(m)
    m.snapshots()


def with_snapshot(m):
    newer(m)
    m.snapshots()


def group(m):
    low_and_app(m)
    m.package("set-of", "1", control="section: group\ndepends: app\n")
    m.publish()
    m.get("update")


def wishes(m):
    low_and_app(m)
    m.package("asks", "1", script("asks", "1", more="    WAPT.write_param('asks.k', 1)\n    WAPT.install('low')\n"))
    m.publish()
    m.get("update")


def ordered(kind, **args):
    def prepare(m):
        with_app(m)
        with contextlib.closing(sqlite3.connect(m.base / "db/waptagent.sqlite")) as db:
            db.execute("INSERT INTO tasks (kind, args, created_by, action_id, priority, not_before, state, created) VALUES (?, ?, 'other', ?, 1, 0, "
                       "'queued', 1)", (kind, json.dumps({"op": kind, "args": args}), ORDER))
            db.execute("INSERT INTO actions (id, not_after) VALUES (?, 99999999999)", (ORDER,))
            db.commit()
    return prepare


Scenario = collections.namedtuple("Scenario", "prepare command again fails", defaults=(None, False))
SCENARIOS = {
    "install": Scenario(low_and_app, ("install", "app", "-p", '{"k": "v"}')),
    "upgrade": Scenario(newer, ("upgrade",)),
    "failing install": Scenario(failing, ("install", "bad"), fails=True),
    "failing upgrade": Scenario(failing_upgrade, ("upgrade",), fails=True),
    "failing upgrade, undone": Scenario(undone, ("upgrade",), fails=True),
    "upgrade with snapshots": Scenario(with_snapshot, ("upgrade",)),
    "forced install": Scenario(with_app, ("install", "--force", "app", "-p", '{"k": "w"}')),
    "remove": Scenario(with_app, ("remove", "low")),
    "forget": Scenario(with_app, ("forget", "app")),
    "audit": Scenario(with_app, ("audit",)),
    "group": Scenario(group, ("install", "set-of")),
    "wishes": Scenario(wishes, ("install", "asks")),
    "ordered forced install": Scenario(ordered("install", packages=["app"], force=True), ("list",)),
    "ordered remove": Scenario(ordered("remove", packages=["low"]), ("list",)),
    "update": Scenario(with_app, ("update",)),
}


class Crashes:
    """One scenario, and what must hold after a crash in it."""

    def __init__(self, name, top):
        self.name, self.s = name, SCENARIOS[name]
        self.m = Machine(top)
        self.s.prepare(self.m)
        self.before = top / "before"
        subprocess.run(["cp", "-a", top / "both", self.before], check=True)
        self.operations = []
        self.log = open(top / "command.log", "ab")
        self.trace(record=self.operations.append)
        self.undisturbed = self.all_notes()
        self.expected = self.m.summary(self.check())

    def close(self):
        self.m.close()
        self.log.close()

    def all_notes(self):
        return {n: self.m.notes(n) for n in ("low", "app", "bad", "asks")}

    def reset(self):
        shutil.rmtree(self.m.top / "both")
        subprocess.run(["cp", "-a", self.before, self.m.top / "both"], check=True)

    def trace(self, at=0, record=None):
        t = Tracer(self.m.argv(*self.s.command), self.m.env, self.m.top / "both", at, record, self.log.fileno())
        t.run()
        return t

    # --- what must hold ---

    def check(self):
        m = self.m
        rows = m.rows()  # the first start after the crash
        assert m.query("PRAGMA integrity_check") == [("ok",)]
        assert m.query("PRAGMA foreign_key_check") == []
        assert m.query("SELECT package, step FROM running") == [], "something is not settled"
        assert m.query("SELECT id FROM tasks WHERE state <> 'done'") == [], "a task waits"
        for folder in ("stage", "tmp"):
            assert os.listdir(m.base / "private" / folder) == [], folder
        uuids = {r["package_uuid"] for r in rows.values()}
        for folder in ("packages", "persistent"):
            assert set(os.listdir(m.base / "private" / folder)) <= uuids, (folder, os.listdir(m.base / "private" / folder), uuids)
        for name in {*rows, "low", "app", "bad", "asks"}:
            self.check_package(name, rows.get(name))
        return rows

    def check_package(self, name, row):
        m, notes = self.m, self.m.notes(name)
        last = notes[-1] if notes else ""
        output = row["output"] if row is not None else ""
        if row is None:
            assert last.split(" ")[0] in ("", "uend") or (self.name == "forget" and name == "app"), (name, notes, "nothing is known of it")
            return
        version = row["version"].split("-")[0]
        assert row["install_status"] in KNOWN, row
        if row["install_status"] == "OK":
            kept = m.base / "private/packages" / row["package_uuid"]
            if name != "set-of":
                assert last == f"end {version}", (name, notes)
                assert (kept / "setup.py").read_bytes() == (m.top / f"src/{name}-{version}/setup.py").read_bytes()
                for file in ("control", "manifest.sha256", "signature.sha256", "certificate.crt"):
                    assert (kept / "WAPT" / file).stat().st_size > 0, file
                own = m.base / "private/persistent" / row["package_uuid"]
                assert (own / "own").read_text() == version and (own / "seed").read_text() == "seed"
        elif row["install_status"] == "ERROR":
            assert "interrupted while" in output or "as planned" in output, (name, output)
        begun = [n for n in notes if n.startswith("begin")]
        if self.step is not None and not self.is_in_script(name, self.step):
            assert len(begun) <= len([n for n in self.undisturbed.get(name, ()) if n.startswith("begin")]), (name, notes, "ran twice")

    step = None  # at which it was cut; None: nothing was, or the command was given again

    def is_in_script(self, name, step):
        """Whether the package's script ran then, or its end was not noted down yet: it may run again."""
        begin = None
        for number, (what, path, *more) in enumerate(self.operations, 1):
            if what == "write" and path == f"world/{name}.log" and more[1].startswith(b"begin"):
                begin = number
            if begin is not None and step < begin:
                return False
            if begin is not None and what == "fdatasync" and number > begin:
                if step <= number:
                    return True
                begin = None
        return False

    def settle(self, step, where):
        try:
            self.step = step
            self.check()
            self.step = None
            self.m.get(*(self.s.again or self.s.command), ok=None)
            got = self.m.summary(self.check())
            assert got == self.expected, f"{got}, not {self.expected}"
        except (AssertionError, KeyError, OSError) as failure:
            raise AssertionError(f"{self.name}: {where}: {failure}; notes {self.all_notes()}") from failure

    # --- points ---

    def describe(self, number):
        return " ".join(str(x)[:60] for x in self.operations[number - 1][:2]) if 0 < number <= len(self.operations) else "the end"

    def kill(self, number):
        self.reset()
        t = self.trace(at=number)
        if t.killed:
            self.settle(number, f"killed at step {number} of {len(self.operations)}, before {self.describe(number)}")
        return t.killed

    def cuts(self):
        self.reset()
        return list(powercut.states(str(self.m.top / "both"), self.operations))

    def cut(self, number, name, state):
        powercut.put(state, str(self.m.top / "both"))
        self.settle(number + 1, f"power cut ({name}) at step {number + 1} of {len(self.operations)}, before {self.describe(number + 1)}")


def campaign(every, names, first=0, report=lambda text: None):
    """Each every-th point of these scenarios, from the first-th on, one at least. Returns (kills, cuts, steps)."""
    def some(points):
        return points[first % max(1, min(every, len(points)))::every]

    kills = cuts = steps = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="wapt-crash-") as d:
            begin = time.monotonic()
            c = Crashes(name, pathlib.Path(d))
            try:
                steps += len(c.operations)
                mine = [0, 0]
                for number in some(range(1, len(c.operations) + 1)):
                    mine[0] += c.kill(number)
                for cut in some(c.cuts()):
                    c.cut(*cut)
                    mine[1] += 1
                kills, cuts = kills + mine[0], cuts + mine[1]
                report(f"{name}: {len(c.operations)} steps; {mine[0]} kills, {mine[1]} power cuts survived in {time.monotonic() - begin:.0f} s")
            except AssertionError:
                report((c.m.top / "command.log").read_text(errors="replace")[-3000:])
                raise
            finally:
                c.close()
    return kills, cuts, steps


def main():
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    names = sys.argv[2:] or list(SCENARIOS)
    begin = time.monotonic()
    kills, cuts, steps = campaign(every, names, 0, lambda text: print(text, flush=True))
    print(f"{kills + cuts} points survived in {time.monotonic() - begin:.0f} s: {kills} kills and {cuts} power cuts at {steps} steps of {len(names)} scenarios")


if __name__ == "__main__":
    main()
