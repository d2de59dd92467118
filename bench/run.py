"""The rows of build/bench.json: each value with its limit, measured in the same run.

A row's limit is what the same work costs at least, by bare libraries or system calls; its ratio is value / limit. The
budget is that of the design; `budget_of` says whether it is of the value or of the ratio. A row whose measurement fails
is absent, and the run ends with status 1.
"""
import compileall
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(sys.argv[1]).resolve()
BIN = BUILD / "bin"
OWN = 300  # machines whose own packages are looked through
ASKED = 3000  # requests over one connection


def output(*argv):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300).stdout


def cpu(argv, times=9):
    """Median CPU seconds of a whole process."""
    out = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output(*argv)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(out)


def limit(*argv, times=5):
    """Median CPU seconds of a bare operation, as bench/limits.c measures it."""
    return statistics.median(float(output(BUILD / "bench/bench_limits", *argv)) for _ in range(times))


def row(name, value, unit, floor, limit_is, budget=None, budget_of="value"):
    return {"name": name, "value": value, "unit": unit, "limit": floor, "limit_is": limit_is, "ratio": round(value / floor, 3) if floor else None,
            "budget": budget, "budget_of": budget_of if budget else None, "better": "lower"}


def printed(*argv):
    """The rows that a program prints, a JSON object a line."""
    out = []
    for line in output(*argv).splitlines():
        r = json.loads(line)
        out.append(row(r["name"], r["value"], r["unit"], r["limit"], r["limit_is"], r["budget"] or None, r["budget_of"]))
    return out


def keycert(base):
    (base / "pw").write_text("only-for-the-bench\n")
    (base / "pw").chmod(0o600)
    output(BIN / "wapt-get", "create-keycert", "--base-dir", base / "keys", "--common-name", "Bench", "--code-signing", "--private-key-passwd",
           base / "pw")


def build(base, size):
    """Packs a payload that compresses by half. Returns the package's path."""
    src = base / "src"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text("package : bench\nversion : 1\narchitecture : all\nsection : base\npriority : optional\nmaintainer : b\n"
                                      "description : b\n")
    (src / "setup.py").write_text("def install():\n    pass\n")
    half = os.urandom(size // 2)
    (src / "payload.bin").write_bytes(b"".join(half[i:i + 4096] + bytes(4096) for i in range(0, len(half), 4096)))
    output(BIN / "wapt-get", "build-package", src, "-k", base / "keys/Bench.crt", "-w", base / "pw", "-o", base)
    return next(base.glob("*.wapt"))


def start(_base):
    yield row("wapt-get --version, CPU", cpu([BIN / "wapt-get", "--version"], 25), "s", cpu(["/bin/true"], 25), "/bin/true", 0.005)


def package(base):
    keycert(base)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = build(base, 64 << 20)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    packing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield row("wapt-get verify of 64 MiB, RSA-2048, CPU", cpu([BIN / "wapt-get", "verify", "--trusted", base / "keys", made], 5), "s",
              limit("inflate-sha256", made), "inflating every member with zlib and its SHA-256", 1.3, "ratio")
    opening = cpu(["openssl", "pkey", "-in", base / "keys/Bench.pem", "-passin", f"file:{base / 'pw'}", "-noout"], 5)
    yield row("wapt-get build-package of 64 MiB, CPU", packing, "s", opening + limit("sha256-deflate", "6", base / "src/payload.bin", times=3),
              "openssl opens the key; SHA-256, and one deflate at level 6 with libdeflate")
    yield row("wapt-get sign-package of 64 MiB, RSA-2048, CPU",
              cpu([BIN / "wapt-get", "sign-package", made, "-k", base / "keys/Bench.crt", "-w", base / "pw"], 5), "s",
              opening + limit("inflate-sha256", made), "openssl opens the key; inflating every member with zlib and its SHA-256")


def repository(base):
    bench = BUILD / "bench/bench_repository"
    output(bench, "make", base)
    yield from printed(bench, "measure", base)
    yield row("wapt-scanpackages, nothing changed, 10,000 packages, CPU", cpu([BIN / "wapt-scanpackages", base / "repo"], 9), "s",
              limit("stat", base / "repo"), "listing the folder with each file's size and date", 0.100)
    cold = base / "cold"
    cold.mkdir()
    for i in range(10000):
        shutil.copyfile(ROOT / "tests/vectors/valid/base-simple.wapt", cold / f"p{i}.wapt")
    yield row("wapt-scanpackages, 10,000 small packages, all read, CPU", cpu([BIN / "wapt-scanpackages", "-f", cold], 3), "s",
              cpu(["md5sum", "-z", *cold.glob("*.wapt")], 3), "md5sum of each file", None)


def connections(_base):
    r = json.loads(output(BUILD / "bench/bench_idle_connection", "2000"))
    yield row("idle agent connection, user memory of a server of src/net, TLS 1.3 P-256, of 2,000 WebSockets", r["value"], "bytes", 14541,
              "a WebSocket with OpenSSL on the descriptor, measured once in bare C", 16384)


def fleet(_base):
    yield from printed(BUILD / "bench/bench_fleet")


def tree(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [pid, *(p for child in f.read().split() for p in tree(int(child)))]


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024


def spent(pids):
    """CPU seconds of these processes and of the children that they have waited for."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            ticks += sum(int(n) for n in f.read().rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def worked(pids):
    """CPU seconds of these processes, to the nanosecond, without their children's."""
    return sum(int(task.joinpath("schedstat").read_text().split()[0]) for pid in pids for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def name_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()


def service_log(org, log, what):
    return (org.base / log).read_text(errors="replace").count(what)


def idling(org):
    pids = tree(org.service.pid)
    sleeper = subprocess.Popen(["/bin/sleep", "600"])
    time.sleep(1)  # until it is what it will be
    floor = pss(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    yield row(f"agent idle, connected, sum of PSS of its {len(pids)} processes", sum(map(pss, pids)), "bytes", floor * len(pids),
              f"{len(pids)} processes of /bin/sleep", 12 << 20)
    for pid in pids:
        role = "wapt-launcher" if pid == org.service.pid else name_of(pid)
        yield row(f"agent idle, connected, PSS of {role}", pss(pid), "bytes", floor, "/bin/sleep")
    with subprocess.Popen([BUILD / "bench/bench_limits", "wake", "30"], stdout=subprocess.PIPE, text=True) as wakes:
        before = worked(pids)
        floor = float(wakes.communicate()[0])
        yield row("agent idle, connected, CPU of its processes in 30 s", worked(pids) - before, "s", floor, "one process that wakes up once a second")


def using(org):
    """A start, a list, and an installation that has nothing to do."""
    version = cpu([BIN / "waptservice", "--version"], 25)
    ini = org.new_agent(org.base / "fresh")
    address = org.base / "fresh/run/waptservice.sock"
    times = []
    for _ in range(5):
        service = org.start("fresh", "waptservice", "run", "--config", ini)
        while True:
            with socket.socket(socket.AF_UNIX) as s, contextlib.suppress(OSError):
                s.connect(str(address))
                break
            time.sleep(0.002)
        times.append(worked(tree(service.pid)))
        service.terminate()
        service.wait(30)
    yield row("waptservice, start until it answers, CPU of launcher and manager", statistics.median(times), "s", 2 * version,
              "twice waptservice --version")
    client = [BIN / "wapt-get", "-c", org.ini, "list"]
    pids = tree(org.service.pid)
    before = worked(pids)
    of_client = cpu(client, 25)
    yield row("wapt-get list, CPU of client and agent", of_client + (worked(pids) - before) / 25, "s", cpu([BIN / "wapt-get", "--version"], 25),
              "wapt-get --version")
    org.console("upload", org.package("bench-empty", "1", "Developer", "/dev/null"))
    org.get("update")
    script = next(org.base.glob("src/bench-empty*/setup.py"))
    bare = ["/usr/bin/python3", "-I", "-B", "-c", f"import runpy; runpy.run_path({str(script)!r})['install']()"]
    walls, before = [], spent(tree(org.service.pid))
    cpus = cpu([BIN / "wapt-get", "-c", org.ini, "install", "-f", "bench-empty"], 15)
    both = cpus + (spent(tree(org.service.pid)) - before) / 15
    yield row("install of a package that does nothing, report included, CPU of all processes", both, "s", cpu(bare, 15),
              "its install() in python3 alone")
    for argv in ([BIN / "wapt-get", "-c", org.ini, "install", "-f", "bench-empty"], bare):
        each = []
        for _ in range(15):
            begun = time.perf_counter()
            output(*argv)
            each.append(time.perf_counter() - begun)
        walls.append(statistics.median(each))
    yield row("install of a package that does nothing, from the command to its end", walls[0], "s", walls[1], "its install() in python3 alone")


def least(launcher):
    """Memory of each process when it has nothing to do: the least in a few seconds."""
    found = {}
    for _ in range(25):
        for pid in tree(launcher):
            with contextlib.suppress(OSError, StopIteration):  # it has just ended
                found[name_of(pid)] = min(pss(pid), found.get(name_of(pid), 1 << 40))
        time.sleep(0.1)
    return found


def aged(base):
    """An agent that lives through a day in a minute (bench/aged): each process's memory after its first hour and after the day."""
    org, until, bins = organisation(base)
    from hostile import Relay  # pylint: disable=import-outside-toplevel,import-error
    relay = Relay(("127.0.0.1", 0), ("127.0.0.1", org.port))
    try:
        own = shutil.copytree(bins, base / "aged-bin")
        for program in ("waptservice", "waptserver"):
            shutil.copy(BUILD / "bench/aged" / program, own)
        token = org.token("--uses", "1", "--valid", "30d")
        org.stop()
        (own / "began").write_text(f"{int(time.time())}\n")
        org.start("server", own / "waptserver", "run", "--config", base / "server/waptserver.ini")
        until(lambda: subprocess.run(["curl", "-skf", org.url + "/ping"], capture_output=True, check=False).returncode == 0, "the server answers")
        ini = org.new_agent(base / "aged")
        ini.write_text(ini.read_text().replace(org.url, f"https://127.0.0.1:{relay.listener.getsockname()[1]}").replace(
            "[global]", "[global]\nwaptupdate_task_period = 10m\nwaptupgrade_task_period = 60m\nuuid = bench-aged"))
        service = org.start("aged", own / "waptservice", "run", "--config", ini)
        until(lambda: (base / "aged/run/waptservice.sock").exists(), "the agent listens locally")
        output(BIN / "wapt-get", "-c", ini, "register", "--token-file", token)
        until(lambda: service_log(org, "aged.log", "state=welcome"), "it is connected")
        early = least(service.pid)
        for _ in range(55):
            time.sleep(1)
            relay.drop()
        late = least(service.pid)
        turns, updates, welcomes = (service_log(org, "aged.log", what) for what in ("aged: ", "task.started task", "state=welcome"))
        for name in ("waptservice", "wapt-manager", "wapt-network"):
            role = "wapt-launcher" if name == "waptservice" else name
            yield row(f"agent after 24 simulated hours ({turns},000 turns, {updates} tasks, {welcomes} connections), PSS of {role}", late[name], "bytes",
                      early[name], "the same after its first hour")
    finally:
        relay.listener.close()
        org.stop()


def away(base):
    """The network process fails to connect, again and again."""
    for program in (BUILD / "bench/bench_away", BIN / "wapt-fetch"):
        shutil.copy(program, base)
    base.chmod(0o755)
    p = subprocess.run([base / "bench_away", ROOT / "tests/unit/agent"], capture_output=True, text=True, check=True, timeout=600)
    early, late = (int(n) * 1024 for n in re.search(r"(\d+) KiB, then (\d+)", p.stderr).groups())
    yield row("network process after 100,000 failed connections, resident", late, "bytes", early, "the same after 10,000")


def downloading(org):
    """An upgrade of 64 MiB fetched ahead, by the agent that runs: without installing, so without verifying it."""
    src = org.base / "large"
    (src / "WAPT").mkdir(parents=True)
    for version, size in (("1", 1), ("2", 64 << 20)):
        (src / "WAPT/control").write_text(f"package : bench-large\nversion : {version}\narchitecture : all\nsection : base\npriority : optional\n"
                                          "maintainer : b\ndescription : b\n")
        (src / "data.bin").write_bytes(os.urandom(size))
        output(BIN / "wapt-get", "build-package", src, "-k", org.cert("Developer"), "-w", org.base / "pw", "-o", org.base)
        org.console("upload", org.base / f"bench-large_{version}.wapt")
        org.get("update")
        if version == "1":
            org.get("install", "bench-large")
    times = []
    for _ in range(5):
        org.get("clean", "-f")
        before = spent(tree(org.service.pid))
        org.get("download-upgrade")
        times.append(spent(tree(org.service.pid)) - before)
        assert (org.agent / "cache/bench-large_2.wapt").stat().st_size > 64 << 20, "it was not downloaded"
    yield row("download of 64 MiB by the agent, TLS 1.3 on loopback, CPU of its processes", statistics.median(times), "s",
              limit("curl", f"{org.url}/wapt/bench-large_2.wapt", org.base / "server/private/tls.crt", org.base / "bare"),
              "libcurl alone, into a file, written through to the disk")


def organisation(base):
    sys.path.insert(0, str(ROOT / "tests/proc"))
    os.environ["WAPT_TEST_BIN"] = str(BIN)
    from conftest import BIN as bins, LIB, Organisation, until  # pylint: disable=import-outside-toplevel,import-error
    compileall.compile_dir(LIB, quiet=1)  # as the package does where it is installed
    return Organisation(base), until, bins


def agent(base):
    """A real agent, enrolled and connected to a real server: after its first quiet seconds, and as it downloads."""
    org, until, _ = organisation(base)
    try:
        org.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        until(lambda: '"reachable":true' in org.console("hosts", "--json").stdout.replace(" ", ""), "the machine is reachable")
        org.get("update")
        time.sleep(5)
        yield from idling(org)
        yield from using(org)
        yield from downloading(org)
    finally:
        org.stop()


def own(base):
    """Machines' own packages, looked through and changed by the console: each is fetched and verified, then signed and sent."""
    os.environ["WAPT_TEST_BIN"] = str(BIN)
    sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/proc")]
    from scale import Fleet  # pylint: disable=import-outside-toplevel,import-error
    fleet = Fleet(base, 1, hosts=OWN)
    try:
        words = ["--server", fleet.url, "--server-fingerprint", fleet.server_fp, "--password-file", base / "admin.pw", "--trusted", fleet.dir / "trusted",
                 "-k", fleet.cert("Deployer"), "-w", base / "pw", "--json"]
        made = cpu([BIN / "waptconsole", "assign", "--hosts", "*", "--add-depends", "tis-a", "--yes", *words], 1) / OWN
        seen = cpu([BIN / "waptconsole", "assign", "--hosts", "*", "--add-depends", "tis-b", "--dry-run", *words], 3) / OWN
        with contextlib.closing(sqlite3.connect(fleet.dir / "db/waptserver.sqlite")) as db:
            urls = "".join(f'url = "{fleet.url}/api/v1/host-packages/{uuid}"\noutput = "{base}/curl/{uuid}"\n' for uuid, in db.execute("SELECT uuid FROM hosts"))
        (base / "curl").mkdir()
        (base / "curl.conf").write_text(f'insecure\nsilent\nfail\nheader = "Authorization: Bearer {fleet.session()}"\n{urls}', encoding="utf-8")
        bare = cpu(["curl", "-K", base / "curl.conf"], 3) / OWN
        assert len(list((base / "curl").iterdir())) == OWN
        (base / "curl.conf").write_text("insecure\nsilent\nfail\n" + f'url = "{fleet.url}/ping"\noutput = "/dev/null"\n' * ASKED, encoding="utf-8")
        yield row("a request of the console's client over a kept connection, CPU", cpu([BUILD / "bench/bench_kept", fleet.url, fleet.server_fp, "/ping", ASKED]) / ASKED, "s",
                  cpu(["curl", "-K", base / "curl.conf"]) / ASKED, "curl, the same over one connection")
        yield row(f"waptconsole assign --dry-run, {OWN} machines: an own package looked at, CPU", seen, "s", bare, "curl for all of them over one connection, nothing verified")
        yield row(f"waptconsole assign, {OWN} machines: an own package made, signed and sent, CPU", made, "s", bare, "the same")
    finally:
        fleet.stop()


def pages(base):
    """The console's pages in a browser."""
    os.environ["WAPT_TEST_BIN"] = str(BIN)
    sys.path.insert(0, str(ROOT / "bench"))
    import pages as part  # pylint: disable=import-outside-toplevel,import-error
    for r in part.measured(base, BUILD):
        yield row(r["name"], r["value"], r["unit"], r["limit"], r.get("limitIs", "a bare request for a page of the list") if r["limit"] else None, r["budget"])


def measure(part):
    with tempfile.TemporaryDirectory(prefix="wapt-bench-") as d:
        yield from part(pathlib.Path(d))


def show(r):
    ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
    of = r["ratio"] if r["budget_of"] == "ratio" else r["value"]
    verdict = "" if r["budget"] is None else f"{r['budget']:g} {'x' if r['budget_of'] == 'ratio' else r['unit']}"
    verdict += "" if r["budget"] is None else " met" if (of <= r["budget"] if r["better"] == "lower" else of >= r["budget"]) else " MISSED"
    print(f"{r['name']:90} {r['value']:12.6g} {r['unit']:6} limit {r['limit'] or 0:10.6g} ratio {ratio:>7}  {verdict}", flush=True)


PARTS = (start, package, repository, connections, fleet, agent, aged, away, own, pages)


def main():
    rows, failed = [], 0
    for part in [p for p in PARTS if not sys.argv[2:] or p.__name__ in sys.argv[2:]]:
        try:
            for r in measure(part):
                rows.append(r)
                show(r)
        except (AssertionError, OSError, ImportError, subprocess.SubprocessError) as e:
            failed += 1
            print(f"{part.__name__}: not measured: {e} {getattr(e, 'stderr', '') or ''}", file=sys.stderr, flush=True)
    for program in ("wapt-get", "waptservice", "waptserver", "waptconsole"):
        with tempfile.TemporaryDirectory(prefix="wapt-bench-") as d:
            shutil.copy(BIN / program, d)
            output("strip", f"{d}/{program}")
            rows.append(row(f"{program}, size without symbols", os.path.getsize(f"{d}/{program}"), "bytes", None, None))
            show(rows[-1])
    (BUILD / "bench.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
