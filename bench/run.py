"""The rows of build/bench.json: each value with its limit, measured in the same run.

A row's limit is what the same work costs at least, by bare libraries or system calls; its ratio is value / limit. The
budget is that of the design; `budget_of` says whether it is of the value or of the ratio. A row whose measurement fails
is absent, and the run ends with status 1.
"""
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(sys.argv[1]).resolve()
BIN = BUILD / "bin"


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
    (base / "pw").write_text("bench\n")
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
    yield row("wapt-get build-package of 64 MiB, CPU", packing, "s", limit("sha256-deflate", "6", base / "src/payload.bin", times=3),
              "SHA-256, and one deflate at level 6 with libdeflate")
    yield row("wapt-get sign-package of 64 MiB, RSA-2048, CPU",
              cpu([BIN / "wapt-get", "sign-package", made, "-k", base / "keys/Bench.crt", "-w", base / "pw"], 5), "s",
              limit("inflate-sha256", made), "inflating every member with zlib and its SHA-256")


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


def agent(base):
    """A real agent, enrolled and connected to a real server: after its first quiet seconds, and as it downloads."""
    sys.path.insert(0, str(ROOT / "tests/proc"))
    os.environ["WAPT_TEST_BIN"] = str(BIN)
    from conftest import Organisation, until  # pylint: disable=import-outside-toplevel,import-error
    org = Organisation(base)
    sleeper = subprocess.Popen(["/bin/sleep", "600"])
    try:
        org.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        until(lambda: '"reachable":true' in org.console("hosts", "--json").stdout.replace(" ", ""), "the machine is reachable")
        org.get("update")
        time.sleep(5)
        pids = tree(org.service.pid)
        yield row(f"agent idle, connected, sum of PSS of its {len(pids)} processes", sum(map(pss, pids)), "bytes", pss(sleeper.pid) * len(pids),
                  f"{len(pids)} processes of /bin/sleep", 12 << 20)
        yield from downloading(org)
    finally:
        sleeper.kill()
        sleeper.wait()
        org.stop()


def measure(part):
    with tempfile.TemporaryDirectory(prefix="wapt-bench-") as d:
        yield from part(pathlib.Path(d))


def show(r):
    ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
    of = r["ratio"] if r["budget_of"] == "ratio" else r["value"]
    verdict = "" if r["budget"] is None else f"{r['budget']:g} {'x' if r['budget_of'] == 'ratio' else r['unit']}"
    verdict += "" if r["budget"] is None else " met" if (of <= r["budget"] if r["better"] == "lower" else of >= r["budget"]) else " MISSED"
    print(f"{r['name']:90} {r['value']:12.6g} {r['unit']:6} limit {r['limit'] or 0:10.6g} ratio {ratio:>7}  {verdict}", flush=True)


def main():
    rows, failed = [], 0
    for part in (start, package, repository, connections, agent):
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
