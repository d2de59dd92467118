"""The rows of build/bench.json. Medians of whole processes' CPU time; the limit is measured in the same run."""
import hashlib
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

BUILD = pathlib.Path(sys.argv[1])
BIN = BUILD / "bin"


def cpu(argv, times=9):
    """Median CPU seconds of a whole process."""
    out = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(out)


def row(name, value, unit, limit, budget):
    return {"name": name, "value": round(value, 6), "unit": unit, "limit": round(limit, 6), "ratio": round(value / limit, 2) if limit else None,
            "budget": budget, "better": "lower"}


def package(base, size):
    """A signed package with a payload of size bytes that compresses by half."""
    (base / "pw").write_text("bench\n")
    (base / "pw").chmod(0o600)
    get = [BIN / "wapt-get"]
    subprocess.run([*get, "create-keycert", "--base-dir", base / "keys", "--common-name", "Bench", "--code-signing", "--private-key-passwd",
                    base / "pw"], check=True, stdout=subprocess.DEVNULL)
    src = base / "src"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text("package : bench\nversion : 1\narchitecture : all\nsection : base\npriority : optional\nmaintainer : b\n"
                                      "description : b\n")
    (src / "setup.py").write_text("def install():\n    pass\n")
    half = os.urandom(size // 2)
    (src / "payload.bin").write_bytes(b"".join(half[i:i + 4096] + bytes(4096) for i in range(0, len(half), 4096)))
    subprocess.run([*get, "build-package", src, "-k", base / "keys/Bench.crt", "-w", base / "pw", "-o", base], check=True, stdout=subprocess.DEVNULL)
    return next(base.glob("*.wapt"))


def floor_of(path):
    """CPU seconds to inflate and digest what is in the package, with zlib and OpenSSL from Python."""
    out = []
    for _ in range(5):
        start = time.process_time()
        with zipfile.ZipFile(path) as z:
            for name in z.namelist():
                hashlib.sha256(z.read(name)).digest()
        out.append(time.process_time() - start)
    return statistics.median(out)


def main():
    rows = [row("wapt-get --version, CPU", cpu([BIN / "wapt-get", "--version"], 25), "s", cpu(["/bin/true"], 25), 0.005)]
    with tempfile.TemporaryDirectory() as d:
        base = pathlib.Path(d)
        made = package(base, 64 << 20)
        rows.append(row("wapt-get verify of 64 MiB, CPU", cpu([BIN / "wapt-get", "verify", "--trusted", base / "keys", made], 5), "s", floor_of(made), None))
    for program in ("wapt-get", "waptservice", "waptserver", "waptconsole"):
        size = (BIN / program).stat().st_size / (1 << 20)
        rows.append(row(f"{program}, size with symbols", size, "MiB", 0, None))
    (BUILD / "bench.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{'what':34} {'value':>10} {'limit':>10} {'ratio':>7}")
    for r in rows:
        print(f"{r['name']:34} {r['value']:10.4f} {r['limit']:10.4f} {r['ratio'] if r['ratio'] is not None else '-':>7} {r['unit']}")


if __name__ == "__main__":
    main()
