"""kill -9 of any process at any moment: does the work go on?

    tests/proc/crash.py [POINTS [SEED]]        (make crash N=300 SEED=1)

Each point begins an operation on a small organisation of its own, kills one of its processes at a random moment, starts again
what a service manager would start again, and looks whether nothing is lost or half-done. The seed is printed: it decides the
operations, the victims and the moments, as far as the machine's own timing lets it.
"""
import collections
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from conftest import BIN, PATIENCE, end, environment, run, until
from test_f3a_describe import OwnEtc
from test_f3a_power import SOMEBODY

KNOWN = {"OK", "WARNING", "ERROR", "RETRY", "UNKNOWN"}
AGENT = ("launcher", "manager", "network", "fetch", "unpack", "runner", "script", "describe")
SERVER = ("supervisor", "front", "store", "signer", "auth", "scan")
ALWAYS = ("launcher", "manager", "network", "wapt-get", "supervisor", "front", "store")
TAKES_PART = {"upgrade": ("fetch", "unpack", "runner", "script"), "install": ("fetch", "unpack", "runner", "script"), "remove": ("runner", "script"),
              "update": ("fetch", "unpack"), "register": ("fetch", "auth"), "update-status": ("fetch",), "audit": ("runner", "script"),
              "order": ("auth", "signer", "fetch", "unpack", "runner", "script"), "upload": ("auth", "scan"),
              "describe": ("auth", "signer", "describe", "describe"), "message": ("auth", "signer", "manager")}
NAMES = ("crash-low", "crash-high", "crash-bare")


def children():
    """pid -> its children's, and pid -> its command line, of all processes."""
    below, lines = collections.defaultdict(list), {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            lines[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # it has ended
        if stat[0] != "Z":
            below[int(stat[1])].append(int(entry.name))
    return below, lines


def role_of(line):
    for name in AGENT + SERVER:
        if f"role:{name}" in line:
            return name
    return "fetch" if "wapt-fetch" in line else "runner" if "wapt_runner.py" in line else None


class Machine(OwnEtc):
    """Its agent may write into its /etc, and somebody sits at it, whose terminal shows nothing."""

    def __init__(self, base):
        (base / "utmp").write_bytes(SOMEBODY)
        super().__init__(base)

    def inside(self, program):
        words = super().inside(program)
        if words:
            at = words.index("-c") + 1
            words[at] = f"mount --bind /bin/true /usr/bin/wall && mount -t tmpfs none /run && cp {self.base}/utmp /run/utmp && {words[at]}"
        return words


class Campaign:
    def __init__(self, base, seed):
        self.random, self.base = random.Random(seed), base
        self.org = Machine(base)
        self.told = {"describe": ["before"], "message": [""]}  # each text of an order, in turn
        self.killed, self.operations, self.points = collections.Counter(), collections.Counter(), 0
        self.version = dict.fromkeys(NAMES, 0)
        self.command = None
        self.org.get("register", "--token-file", self.org.token("--uses", "1", "--valid", "1h"))
        # Later registrations must not change what the machine is.
        self.uuid = self.org.uuid
        for name in NAMES:
            self.publish(name)
        self.org.get("update")
        self.org.get("install", "crash-high", "crash-bare")

    # --- packages ---

    def marker(self, name):
        return self.base / f"marker-{name}"

    def package(self, name):
        """The next version; its script writes its marker in two halves, so that a cut shows."""
        self.version[name] += 1
        version = str(self.version[name])
        source = self.base / "src" / f"{name}-{version}"
        (source / "WAPT").mkdir(parents=True)
        depends = "crash-low" if name == "crash-high" else ""
        (source / "WAPT/control").write_text(
            f"package: {name}\nversion: {version}\narchitecture: all\nsection: base\npriority: optional\nmaintainer: x\ndescription: test\n"
            f"target_os: all\ndepends: {depends}\n")
        (source / "setup.py").write_text(
            f"import os, time\nP = {str(self.marker(name))!r}\n\ndef install():\n    with open(P, 'w') as f:\n        f.write('half ')\n        f.flush()\n"
            f"        time.sleep(0.1)\n        f.write({version!r})\n\n\ndef audit():\n    return 'OK'\n"
            + ("" if name == "crash-bare" else "\n\ndef uninstall():\n    time.sleep(0.05)\n    if os.path.exists(P):\n        os.unlink(P)\n"))
        (source / "payload").write_bytes(os.urandom(200000))
        out = self.base / "out" / f"{name}-{version}"
        out.mkdir(parents=True)
        run(BIN / "wapt-get", "build-package", source, "-k", self.org.cert("Developer"), "-w", self.base / "pw", "-o", out)
        return next(out.iterdir())

    def publish(self, name):
        self.org.console("upload", self.package(name))

    # --- one point ---

    def begin(self):
        """An operation, as a process; its name."""
        org = self.org
        get, console = [BIN / "wapt-get", "-c", org.ini], [BIN / "waptconsole"]
        reach = ["--server", org.url, "--server-fingerprint", org.server_fp, "--password-file", self.base / "admin.pw"]
        order = ["--hosts", self.uuid, "-k", org.cert("Deployer"), "-w", self.base / "pw", "--timeout", "20s"]
        name = self.random.choice(("upgrade", "upgrade", "install", "remove", "update", "register", "update-status", "audit", "order", "upload", "describe", "message"))
        if name == "upgrade":
            self.publish(self.random.choice(NAMES))
            org.get("update")
            argv = [*get, "upgrade"]
        elif name == "install":
            org.get("remove", "crash-low", ok=None)
            argv = [*get, "install", "crash-high"]
        elif name == "remove":
            argv = [*get, "remove", self.random.choice(NAMES)]
        elif name == "register":
            argv = [*get, "register", "--force", "--server-user", "admin", "--server-password-file", self.base / "admin.pw"]
        elif name == "order":
            self.publish(self.random.choice(NAMES))
            spared = self.random.choice(([], ["--only-if-not-process-running"]))
            argv = [*console, "action", "upgrade", *spared, *reach, *order]
        elif name in self.told:
            self.told[name].append(f"number {self.points}")
            argv = [*console, "action", name, "--text", self.told[name][-1], *reach, *order]
        elif name == "upload":
            argv = [*console, "upload", self.package(self.random.choice(NAMES)), *reach]
        else:
            argv = [*get, name]
        self.operations[name] += 1
        with open(self.base / "command.log", "ab") as log:
            self.command = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment())
        return name

    def living(self):
        """role -> pids, of this organisation."""
        below, lines = children()
        found = collections.defaultdict(list)
        found["launcher"].append(self.org.service.pid)
        found["supervisor"].append(self.org.processes[0].pid)
        if self.command.poll() is None:
            found["wapt-get"].append(self.command.pid)
        todo = list(found["launcher"] + found["supervisor"])
        while todo:
            for pid in below[todo.pop()]:
                role = role_of(lines[pid])
                if role == "runner" and any(pid in below[r] for r in found["runner"]):
                    role = "script"
                if role is not None:
                    found[role].append(pid)
                todo.append(pid)
        return found

    def soon_gone(self, role):
        """The pid of a child of the launcher's that lives for milliseconds: only what is new is looked at."""
        known = set(os.listdir("/proc"))
        while self.command.poll() is None:
            for name in set(os.listdir("/proc")) - known:
                try:
                    parent = int(pathlib.Path("/proc", name, "stat").read_text().rsplit(")", 1)[1].split()[1])
                    if parent == self.org.service.pid and f"role:{role}".encode() in pathlib.Path("/proc", name, "cmdline").read_bytes():
                        return [int(name)]
                except OSError:
                    pass  # it has ended
        return []

    def kill(self, operation):
        """One of the processes of a role, once there is one, after a moment more. Returns the role."""
        role = self.random.choice(ALWAYS + 2 * TAKES_PART[operation])
        if role in ALWAYS:
            time.sleep(self.random.uniform(0, 0.6))
        end = time.monotonic() + 1.5
        pids = self.soon_gone(role) if role == "describe" else []
        while not pids and time.monotonic() < end and self.command.poll() is None:
            pids = self.living()[role]
            time.sleep(0.002)
        if not pids:  # it takes no part in this operation
            role = self.random.choice(("manager", "network", "store", "supervisor"))
            pids = self.living()[role]
        time.sleep((0.004 if role == "describe" else self.random.choice((0, 0.005, 0.02, 0.08))) * self.random.random())
        try:
            os.kill(self.random.choice(pids), signal.SIGKILL)
        except (ProcessLookupError, IndexError):
            role += " (just gone)"
        self.killed[role] += 1
        return role

    def recover(self, role):
        """What a service manager does."""
        org = self.org
        if role == "launcher":
            org.service.wait(10)
        if role == "supervisor":
            org.processes[0].wait(10)
        if org.service.poll() is not None:
            org.service = org.start_agent("agent", org.ini)
        if org.processes[0].poll() is not None:
            p = org.start("server", "waptserver", "run", "--config", self.base / "server/waptserver.ini")
            org.processes.remove(p)
            org.processes[0] = p
        try:
            self.command.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError("the command hangs") from None
        until(lambda: subprocess.run(["curl", "-skf", org.url + "/ping"], capture_output=True).returncode == 0, "the server answers again")
        until(lambda: self.status() is not None, "the agent answers again")
        until(lambda: not any(t["state"] == "running" for t in self.result("tasks")), "what was begun is done")

    def fresh(self, role):
        """Starts again a service whose children died: who supervises them waits ever longer."""
        if role in SERVER and role != "supervisor":
            end(self.org.processes[0])
        elif role == "manager":
            self.org.service.terminate()
            self.org.service.wait(40)
        else:
            return
        self.recover("")

    def result(self, *argv):
        return json.loads(self.org.get(*argv, "--json").stdout)["result"]

    def status(self):
        p = self.org.get("status", "--json", ok=None)
        return json.loads(p.stdout)["result"] if p.returncode == 0 else None

    # --- what must hold ---

    def check_databases(self):
        for path in (self.org.agent / "db/waptagent.sqlite", self.base / "server/db/waptserver.sqlite"):
            db = sqlite3.connect(path, timeout=PATIENCE)
            try:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",), path
                assert not db.execute("PRAGMA foreign_key_check").fetchall(), path
            finally:
                db.close()

    def check_rows(self):
        rows = self.result("list")
        kept = self.org.agent / "private/packages"
        for row in rows:
            assert row["install_status"] in KNOWN, row
            files = kept / row["package_uuid"]
            if row["install_status"] == "OK":
                assert all((files / n).is_file() for n in ("setup.py", "WAPT/control", "WAPT/manifest.sha256", "WAPT/signature.sha256")), (row, files)
        assert {p.name for p in kept.iterdir()} <= {r["package_uuid"] for r in rows}, (list(kept.iterdir()), rows)
        for name in ("stage", "tmp"):
            left = list((self.org.agent / "private" / name).iterdir())
            assert not left, left
        return rows

    def check_told(self, operation):
        """The text of before or the new one, whole; the next order's is there, and nothing lies beside it."""
        etc, texts = self.org.etc / "upper", self.told.get(operation)

        def there():
            if operation == "message":
                file = self.org.agent / "run/message"
                return file.read_text().removesuffix("\n") if file.exists() else ""
            rest, text = (etc / "machine-info").read_text().split("PRETTY_HOSTNAME=")
            assert rest == "# kept\nCHASSIS=laptop\n", rest
            return text.strip("\n'\"")
        if texts is None:
            return
        assert there() in texts[-2:], (there(), texts[-2:])
        until(lambda: [h["reachable"] for h in self.org.hosts()] == [True], "orders reach the machine")
        texts.append(f"after {self.points}")
        self.org.order("Deployer", operation, "--text", texts[-1])
        assert there() == texts[-1], (there(), texts[-1])
        assert [p.name for p in etc.iterdir() if p.name.startswith(".machine-info")] == []

    def strays(self):
        """What lives of this organisation, but below neither service."""
        below, lines = children()
        mine, todo = set(), [self.org.service.pid, self.org.processes[0].pid]
        while todo:
            mine.add(todo[-1])
            todo += below[todo.pop()]
        found = []
        for pid in set(lines) - mine:
            try:
                cwd = os.readlink(f"/proc/{pid}/cwd")
            except OSError:
                continue  # it has ended
            if str(self.base) in lines[pid] or cwd.startswith(str(self.base)):
                found.append((pid, lines[pid]))
        return found

    def check_processes(self):
        until(lambda: not self.living()["runner"], "scripts have ended")
        until(lambda: not self.strays(), f"nothing is left of the killed: {self.strays()}")

    def check_wanted(self):
        """The next upgrade reaches what is wanted; the machine then does what it is told."""
        # Where the answer to a registration was lost, the machine's certificate is replaced by its own key: the first update says so.
        until(lambda: self.org.get("update", ok=None).returncode == 0, "the machine updates")
        self.org.get("upgrade")
        for row in self.check_rows():
            name = row["package"]
            assert row["install_status"] == "OK", row
            assert self.marker(name).read_text() == f"half {row['version'].split('-')[0]}", row
        self.org.get("install", "crash-high", "crash-bare")
        assert {r["package"] for r in self.result("list")} == set(NAMES)
        for name in NAMES:
            newest = max(int(e["version"].split("-")[0]) for e in self.result("search", name) if e["package"] == name)
            assert self.marker(name).read_text() == f"half {newest}", name

    def point(self):
        self.points += 1
        name = self.begin()
        role = self.kill(name)
        try:
            self.recover(role)
            self.check_databases()
            self.check_rows()
            self.check_processes()
            self.check_told(name)
            self.check_wanted()
            self.fresh(role)
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            raise AssertionError(f"point {self.points}: {role} killed during {name}: {failure}") from failure


def campaign(points, seed, report=lambda text: None):
    with tempfile.TemporaryDirectory(prefix="wapt-crash-") as d:
        c = Campaign(pathlib.Path(d), seed)
        try:
            for _ in range(points):
                c.point()
                if c.points % 10 == 0:
                    report(f"{c.points} points: {dict(c.killed.most_common())}")
        except AssertionError:
            for log in ("agent.log", "server.log", "command.log"):
                report(f"--- {log}\n" + "\n".join((c.base / log).read_text(errors="replace").splitlines()[-60:]))
            raise
        finally:
            c.org.stop()
            for pid, _ in c.strays():  # that there are any is what a test has failed with
                os.kill(pid, signal.SIGKILL)
        return c


def main():
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"seed {seed}", flush=True)
    begin = time.monotonic()
    c = campaign(points, seed, lambda text: print(text, flush=True))
    print(f"{c.points} points survived in {time.monotonic() - begin:.0f} s; killed {dict(c.killed.most_common())} during {dict(c.operations)}")


if __name__ == "__main__":
    main()
