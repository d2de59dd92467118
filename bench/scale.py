"""A fleet of simulated machines on a real server: `make scale N=20000`.

The machines (bench/agents) speak the agents' protocol, each with a key, a certificate, an address and a TLS connection of its
own. Server and machines share the box. What is counted is the server's: CPU and memory of its processes. Each row has its budget
or the limit beside it; nothing here is a test, tests/proc/test_scale.py takes a small sample.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/proc"))
from conftest import BIN, Organisation, account, free_port, run, until  # pylint: disable=wrong-import-position

AGENTS = pathlib.Path(os.environ.get("WAPT_TEST_BIN", ROOT / "build/bin")).resolve().parent / "bench/bench_agents"
SHARD = 16000  # machines of one process: 20,000 descriptors are the limit here
PROCESSORS = 2  # that the budgets are for
FRONT = 15000  # connections of one front, on average
PATIENCE = 900
STORM = 600  # s that all may take to come back


def cpu_of(pid):
    """CPU seconds of a process, of all its threads."""
    return sum(int(task.joinpath("schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Shards:
    """The simulator's processes; each call gives the same command to all, and adds up what they answer."""

    def __init__(self, fleet, count, token_file, *more):
        self.procs, self.count = [], count
        sizes = [min(SHARD, count - at) for at in range(0, count, SHARD)] if count > SHARD else [count - count // 2, count // 2]
        first = 0
        for size in sizes:
            if size:
                self.procs.append(subprocess.Popen([AGENTS, str(fleet.port), fleet.server_fp, token_file, str(first), str(size), *more], stdin=subprocess.PIPE,
                                                   stdout=subprocess.PIPE, text=True))
            first += size
        self.sizes = [s for s in sizes if s]

    def all(self, command, *totals, limit=None):
        """totals: numbers to be divided among the shards by their size. limit: seconds; then it is over as far as it came."""
        for i, p in enumerate(self.procs):
            mine = [self.share(t, i) if isinstance(t, int) else str(t) for t in totals]
            self.say(p, " ".join([command, *map(str, mine)]))
        stop = threading.Timer(limit or PATIENCE + self.count / 100, lambda: [self.say(p, "stop") for p in self.procs])
        stop.start()
        try:
            return self.answers()
        finally:
            stop.cancel()

    @staticmethod
    def say(proc, line):
        with contextlib.suppress(BrokenPipeError):
            proc.stdin.write(line + "\n")
            proc.stdin.flush()

    def share(self, total, i):
        before = sum(self.sizes[:i])
        return max(total * (before + self.sizes[i]) // self.count - total * before // self.count, 1)

    def answers(self):
        """Who does not answer in time is ended, and so is the run."""
        late = threading.Timer(2 * PATIENCE + self.count / 50, lambda: [p.kill() for p in self.procs])
        late.start()
        try:
            out = [json.loads(p.stdout.readline()) for p in self.procs]
        finally:
            late.cancel()
        both = {k: sum(o[k] for o in out) for k in ("done", "failed", "welcome", "orders", "twice", "wrong", "lost", "watched")}
        both["seconds"], both["slowest"] = max(o["seconds"] for o in out), max(o["slowest"] for o in out)
        both["why"] = next((o["why"] for o in out if o["why"]), "")
        return both

    def cpu(self):
        return sum(cpu_of(p.pid) for p in self.procs)

    def stop(self):
        for p in self.procs:
            with contextlib.suppress(BrokenPipeError):
                p.stdin.close()
        for p in self.procs:
            try:
                p.wait(60)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            p.stdout.close()


class Fleet(Organisation):
    """A server with enough fronts, and no agent of the real kind."""

    def __init__(self, base, count, hosts=0):  # pylint: disable=super-init-not-called
        self.base, self.processes = base, []
        try:
            self.set_up(count, hosts)
        except BaseException:
            self.stop()
            raise

    def set_up(self, count, hosts):
        base = self.base
        base.chmod(0o755)
        account("wapt")
        for n in ("pw", "admin.pw"):
            (base / n).write_text(os.urandom(9).hex() + "\n")
            (base / n).chmod(0o600)
        self.keycert("Authority", "--ca")
        self.keycert("Deployer", by="Authority")
        self.port = free_port()
        self.url = self.agents_url = f"https://127.0.0.1:{self.port}"
        self.dir, self.fronts = base / "server", max(2, -(-count // FRONT))
        run(BIN / "waptserver", "setup", "--dir", self.dir, "--name", self.NAMES, "--bind", self.ADDRESS, "--port", self.port, "--admin-password-file",
            base / "admin.pw")
        shutil.copy(self.cert("Authority"), self.dir / "trusted/")
        with open(self.dir / "waptserver.ini", "a", encoding="utf-8") as f:
            f.write(f"\nfronts = {self.fronts}\n")
        self.service = self.start("server", "waptserver", "run", "--config", self.dir / "waptserver.ini")
        until(lambda: "server.started" in self.log(), "the server has started")
        if hosts:
            self.stop()
            self.fill(hosts)
            self.service = self.start("server", "waptserver", "run", "--config", self.dir / "waptserver.ini")
            until(lambda: self.log().count("server.started") == 2, "the server has started")
        self.server_fp = self.fingerprint(self.dir / "private/tls.crt")
        self.password = (base / "admin.pw").read_text().strip()

    def fill(self, hosts):
        """Machines that are only in the database."""
        db = sqlite3.connect(self.dir / "db/waptserver.sqlite")
        with db:
            for i in range(hosts):
                mixed = i * 2654435761 % 2**32
                db.execute("INSERT INTO hosts (uuid, certificate, registered_at, registered_by, name, fqdn, os, status) VALUES (?, 'none', 1, 'filled', ?, ?, ?, ?)",
                           (f"{mixed:08X}-0000-4000-8000-{i:012}", f"pc-{mixed % 100000:05}", f"pc-{mixed % 100000:05}.site{i % 40}.example.org",
                            ("Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04.1 LTS", "Microsoft Windows 11 Pro")[i % 3], "ERROR" if i % 50 == 0 else "OK"))
                db.execute("INSERT INTO presence (uuid, last_seen, last_seq) VALUES (?, ?, 1)", (f"{mixed:08X}-0000-4000-8000-{i:012}", 1790000000 + mixed % 100000))
        db.close()

    def log(self):
        return (self.base / "server.log").read_text(errors="replace")

    def processes_of(self):
        """role -> process ids"""
        out = {}
        for pid in pathlib.Path(f"/proc/{self.service.pid}/task/{self.service.pid}/children").read_text(encoding="ascii").split():
            role = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1].decode().removeprefix("role:")
            out.setdefault(role, []).append(int(pid))
        return out

    def cpu(self, *roles):
        """CPU seconds of the server's processes; of these roles only, if any."""
        return sum(cpu_of(pid) for role, pids in self.processes_of().items() for pid in pids if not roles or role in roles)

    @contextlib.contextmanager
    def spending(self):
        """role -> CPU seconds while this is open; "all" for their sum."""
        roles = list(self.processes_of())
        spent = {r: -self.cpu(r) for r in roles}
        yield spent
        spent.update({r: spent[r] + self.cpu(r) for r in roles})
        spent["all"] = sum(spent.values())

    def memory(self, *roles):
        return sum(next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup", encoding="ascii") if line.startswith("Pss:")) * 1024
                   for role, pids in self.processes_of().items() for pid in pids if role in roles)

    def connection(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)

    def session(self):
        c = self.connection()
        c.request("POST", "/api/v1/session", json.dumps({"user": "admin", "password": self.password}))
        return json.loads(c.getresponse().read())["token"]


class Console(threading.Thread):
    """Somebody who lists and searches without a pause, and now and then comes anew."""
    CALLS = ("/api/v1/hosts?limit=100&sort=name", "/api/v1/hosts?limit=100&search=site7", "/api/v1/hosts?limit=100&sort=-last_seen",
             "/api/v1/hosts?limit=100&sort=name&offset=90000", "/api/v1/hosts?limit=100&status=ERROR")

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet, self.token, self.times, self.fresh, self.failures, self.is_over = fleet, fleet.session(), {}, [], [], threading.Event()

    def run(self):
        c = self.fleet.connection()
        at = 0
        while not self.is_over.is_set():
            if at % 50 == 0:
                c.close()
                c = self.fleet.connection()
            begun = time.perf_counter()
            path = self.CALLS[at % len(self.CALLS)]
            try:
                c.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
                answer = c.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(answer.status)
            except OSError as e:
                self.failures.append(str(e))
                c.close()
                c = self.fleet.connection()
            took = time.perf_counter() - begun
            (self.fresh if at % 50 == 0 else self.times.setdefault(path, [])).append(took)
            at += 1
        c.close()

    def stop(self):
        self.is_over.set()
        self.join()
        return [t for times in self.times.values() for t in times]


def each(spent, count, *roles):
    """What of the server's CPU went into one of so many, and where."""
    parts = ", ".join(f"{r} {spent[r] / count * 1e6:.0f}" for r in roles)
    return f"{spent['all'] / count * 1e6:.0f} us of the server's CPU each{': ' + parts if parts else ''}"


def p99(times):
    return sorted(times)[int(len(times) * 0.99)] if times else float("nan")


def row(name, value, unit, budget=None, better="lower", note=""):
    return {"name": name, "value": value, "unit": unit, "budget": budget, "better": better, "note": note}


def rates(name, done, wall, spent, theirs, budget, *roles):
    """What was seen with the simulator on the same processors; and what PROCESSORS do for the server alone, which is what the budget is for."""
    yield row(name + ", seen", done / wall, "/s", note=f"the simulator took {theirs / done * 1e6:.0f} us each of the same processors")
    yield row(name + ", by the server's CPU", PROCESSORS * done / spent["all"], "/s", budget, "higher", note=each(spent, done, *roles))


def show(r):
    met = "" if r["budget"] is None else "met" if (r["value"] <= r["budget"] if r["better"] == "lower" else r["value"] >= r["budget"]) else "MISSED"
    budget = "" if r["budget"] is None else f"{r['budget']:g} {r['unit']}"
    print(f"{r['name']:78} {r['value']:12.5g} {r['unit']:6} {budget:>14} {met:6} {r['note']}", flush=True)


# --- the measurements ---

def registering(fleet, shards):
    begun = time.perf_counter()
    with fleet.spending() as spent:
        got = shards.all("register", "128")
    wall = time.perf_counter() - begun
    assert got["failed"] == 0 and got["done"] == shards.count, got
    yield row(f"registrations a second, durable, of {shards.count} machines", got["done"] / wall, "/s", better="higher",
              note=each(spent, got["done"], "store", "front", "signer"))


def connecting(fleet, shards):
    memory, begun = fleet.memory("front", "store"), time.perf_counter()
    with fleet.spending() as spent:
        got = shards.all("connect", "128")
    wall = time.perf_counter() - begun
    assert got["welcome"] == shards.count, got
    front, store = fleet.memory("front"), fleet.memory("store")
    yield row(f"connected and greeted, {shards.count} machines: a second", got["done"] / wall, "/s", better="higher",
              note=each(spent, got["done"], "store", "front"))
    yield row("memory of fronts and store for each connection", (front + store - memory) / shards.count, "bytes", 16384)


def lists(fleet, _shards):
    console = Console(fleet)
    before = fleet.cpu()
    console.start()
    time.sleep(15)
    times = console.stop()
    assert not console.failures, console.failures[:3]
    yield row("console, lists and searches of 100,000 machines, CPU of the server for each", (fleet.cpu() - before) / len(times) * 1000, "ms", 50)
    for path, of in console.times.items():
        yield row(f"console, GET {path.removeprefix('/api/v1/')}, p99 of {len(of)}", p99(of) * 1000, "ms", 50)
    assert times


def storm(fleet, shards):
    console = Console(fleet)
    console.start()
    time.sleep(1)
    before, begun = fleet.cpu(), time.perf_counter()
    lost = shards.all("count")["lost"]
    shards.all("drop")
    got = shards.all("connect", "100000", limit=STORM)
    wall = time.perf_counter() - begun
    spent = fleet.cpu() - before
    times = console.stop()
    back = got["welcome"]
    how = f"{back / wall:.0f} /s, {spent / max(back, 1) * 1e6:.0f} us of the server's CPU each; {got['lost'] - lost} attempts ended early"
    name = f"reconnect storm: until all {shards.count} are back" if back == shards.count else f"reconnect storm: NOT OVER, {back} of {shards.count} are back"
    yield row(name, wall, "s", note=how)
    yield row(f"console meanwhile, p99 of {len(times)} calls", p99(times) * 1000, "ms", note=f"median {statistics.median(times) * 1000:.0f}, worst {max(times) * 1000:.0f} ms")
    yield row(f"console meanwhile, p99 of {len(console.fresh)} calls on a new connection", p99(console.fresh) * 1000, "ms", note=f"{len(console.failures)} failed")


def order(fleet, pattern):
    """By the real console; signing and sending ten thousand takes it a while."""
    return subprocess.run([BIN / "waptconsole", "action", "update-status", "--hosts", pattern, "--yes", "--no-wait", "-k", fleet.cert("Deployer"), "-w", fleet.base / "pw", "--server",
                           fleet.url, "--server-fingerprint", fleet.server_fp, "--password-file", fleet.base / "admin.pw"], capture_output=True, text=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def held(pids):
    """These processes stand still meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def at_rest(fleet):
    """CPU of the fronts in a second in which nothing happens."""
    time.sleep(1)
    with fleet.spending() as spent:
        time.sleep(5)
    return spent["front"] / 5


def pushing(fleet, shards):
    """The signer stands still until all are taken: so what taking costs and what pushing costs are told apart."""
    count, pattern = (10000, "s00????") if shards.count >= 10000 else (shards.count, "s0*")
    idle = at_rest(fleet)
    seen, begun = shards.all("count")["orders"], time.perf_counter()
    with fleet.spending() as took, held(fleet.processes_of()["signer"]):
        sent = order(fleet, pattern)
    taken = time.perf_counter()
    assert sent.returncode == 0, sent.stderr[-500:]
    end = time.monotonic() + PATIENCE
    with fleet.spending() as spent:
        while shards.all("count")["orders"] - seen < count and time.monotonic() < end:
            time.sleep(0.02)
        wall = time.perf_counter() - taken
        time.sleep(0.5)  # the last acknowledgements
    rest = idle * (time.perf_counter() - taken)
    got = shards.all("count")
    assert got["twice"] == got["wrong"] == 0 and got["orders"] - seen == count, got
    yield row(f"{count} orders taken, durable: CPU of the server", took["all"], "s", note=f"{taken - begun:.1f} s with the console's signing; {each(took, count, 'store', 'front')}")
    yield row(f"pings of {shards.count} idle connections: CPU of the fronts in a second", idle, "s")
    yield row("countersigned and pushed: signer and fronts, for each 10,000", (spent["signer"] + spent["front"] - rest) / count * 10000, "s", 0.3,
              note=f"without {rest:.2f} s for the pings meanwhile; {wall:.2f} s until the last has come; {each(spent, count, 'store', 'front', 'signer')}")


def reporting(fleet, shards):
    count = max(shards.count, 20000)
    begun, theirs = time.perf_counter(), shards.cpu()
    with fleet.spending() as spent:
        got = shards.all("status", count, "128")
    wall, theirs = time.perf_counter() - begun, shards.cpu() - theirs
    assert got["failed"] == 0, got
    yield from rates("status updates a second, signed, stored durably", got["done"], wall, spent, theirs, 15000, "store", "front")


def inventories(fleet, shards):
    """The same reports of machines of which as much is kept as of real ones; that they had sent it long ago is written behind the server's back."""
    count = min(shards.count, 1000)
    sizes = {"host_info": 4000, "dmi": 6000, "installed_packages": 30000, "installed_softwares": 120000}
    firsts = [sum(shards.sizes[:i]) for i in range(len(shards.sizes))]
    uuids = [f"s{first + k:06}" for i, first in enumerate(firsts) for k in range(shards.share(count, i))]
    with contextlib.closing(sqlite3.connect(fleet.dir / "db/waptserver.sqlite", timeout=60)) as db, db:
        db.executemany("INSERT OR REPLACE INTO sections (uuid, section, content, digest) VALUES (?, ?, ?, ?)",
                       ((uuid, name, json.dumps([os.urandom(size // 2).hex()]), "0" * 64) for uuid in uuids for name, size in sizes.items()))
    shards.all("status", count, "128")  # connections that were closed meanwhile are made anew
    with fleet.spending() as spent:
        got = shards.all("status", count, "128")
    assert got["failed"] == 0, got
    yield row("a signed status update of a machine with 160 KB of inventory: the server's CPU", spent["all"] / got["done"] * 1e6, "us",
              note=each(spent, got["done"], "store", "front"))


def unchanged(fleet, shards):
    """Of machines that have reported once: fifty in a minute of each at most."""
    shards.all("status", shards.count, "128")
    count = min(50 * shards.count, 200000)
    shards.all("same", shards.count, "64")  # the server reads what it knows of each
    begun, theirs = time.perf_counter(), shards.cpu()
    with fleet.spending() as spent:
        got = shards.all("same", count, "256")
    wall, theirs = time.perf_counter() - begun, shards.cpu() - theirs
    assert got["failed"] == got["wrong"] == 0 and got["done"] >= count, got
    yield from rates("unchanged states a second, by the connection", got["done"], wall, spent, theirs, 50000, "store", "front")


def handshakes(fleet, _shards):
    """Each front has ticket keys of its own: what was resumed is told by the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session, spent = None, {False: [], True: []}
    end = time.perf_counter() + 6
    while time.perf_counter() < end:
        before = fleet.cpu("front")
        with socket.create_connection(("127.0.0.1", fleet.port)) as raw, context.wrap_socket(raw, session=session) as s:
            s.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while s.recv(65536):
                pass
            was_resumed, session = s.session_reused, s.session
        spent[was_resumed].append(fleet.cpu("front") - before)
    for kind, resumed in (("full", False), ("resumed", True)):
        if spent[resumed]:
            yield row(f"TLS 1.3 handshakes with a request, {kind}: a second and core of a front", 1 / statistics.mean(spent[resumed]), "/s", better="higher")


def downloading(fleet, _shards):
    big = fleet.dir / "repo/wapt/big.wapt"
    with open(big, "wb") as f:
        for _ in range(512):
            f.write(os.urandom(1 << 20))
    size = big.stat().st_size
    before = fleet.cpu("front")
    subprocess.run(["curl", "-sk", "-o", "/dev/null", f"{fleet.url}/wapt/big.wapt"], check=True)
    ours = fleet.cpu("front") - before
    port = free_port()
    bare = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", fleet.dir / "private/tls.crt", "-key", fleet.dir / "private/tls.pem", "-HTTP", "-quiet"],
                            cwd=big.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        time.sleep(1)
        subprocess.run(["curl", "-sk", "--http0.9", "-o", "/dev/null", f"https://127.0.0.1:{port}/big.wapt"], check=False)
        floor = int(pathlib.Path(f"/proc/{bare.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    finally:
        bare.kill()
        bare.wait()
        big.unlink()
    yield row("download over TLS: bytes a second and core of a front", size / ours / 1e6, "MB/s", better="higher",
              note=f"{size / floor / 1e6:.0f} MB/s: openssl s_server; {ours / floor:.2f} times its CPU")


PARTS = (registering, connecting, handshakes, lists, pushing, reporting, unchanged, inventories, storm, downloading)


@contextlib.contextmanager
def fleet_of(count, hosts=0):
    with tempfile.TemporaryDirectory(prefix="wapt-scale-") as d:
        fleet = Fleet(pathlib.Path(d), count, max(0, hosts - count))
        shards = None
        try:
            shards = Shards(fleet, count, fleet.token("--uses", str(count), "--valid", "1d"))
            yield fleet, shards
        finally:
            if shards is not None:
                shards.stop()
            fleet.stop()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, and what was written is removed
    p = argparse.ArgumentParser()
    p.add_argument("count", type=int)
    p.add_argument("--json", action="store_true")
    p.add_argument("--parts", default="", help="names of what to measure beside registering and connecting")
    args = p.parse_args()
    rows, failed = [], 0
    with fleet_of(args.count, 100000) as (fleet, shards):
        for part in PARTS:
            if args.parts and part not in (registering, connecting) and part.__name__ not in args.parts.split(","):
                continue
            try:
                for r in part(fleet, shards):
                    rows.append(r)
                    if not args.json:
                        show(r)
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as e:
                failed += 1
                print(f"{part.__name__}: not measured: {e}", file=sys.stderr, flush=True)
                print(fleet.log()[-1500:], file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps(rows, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
