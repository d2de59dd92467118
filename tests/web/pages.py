"""The console's pages in a headless Chromium: against the real programs, and against a program that fails when it is told to.

A file of scenarios (web/tests/*.mjs) runs in one browser, one after the other; each scenario is a test.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/proc"))  # the organisation is that of the whole programs
BUILD = pathlib.Path(os.environ.get("WAPT_TEST_BIN", ROOT / "build/bin")).resolve().parent
WORK, DIST, SCREENS = BUILD / "web/work", BUILD / "web", BUILD / "screens"
PATIENCE = 600 * int(os.environ.get("WAPT_TEST_SLOW", "1"))  # s, for a scenario


def scenarios(file):
    """The names of what a file of scenarios exports, in the order in which they run."""
    return sorted(re.findall(r"^export async function (\w+)", (ROOT / "web/tests" / file).read_text(encoding="utf-8"), re.M))


def hear(process, does):
    """What the scenarios say until they end: each one's error by its name, None where there was none."""
    told = {}

    def patient():
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        return watch
    watch = patient()
    for line in process.stdout:
        watch.cancel()
        watch = patient()
        one = json.loads(line)
        if "ask" in one:
            process.stdin.write(json.dumps(does[one["ask"]](*one["with"])) + "\n")
            process.stdin.flush()
        else:
            told[one["name"]] = one.get("error")
    watch.cancel()
    return told


def play(file, does=None, **given):
    """Runs them all; each one's error by its name, None where there was none. does: what a scenario may ask for outside the browser."""
    SCREENS.mkdir(exist_ok=True)
    given = json.dumps({"dist": str(DIST), "folder": str(SCREENS), **given})
    with subprocess.Popen(["node", "--preserve-symlinks", "--preserve-symlinks-main", "tests/run.mjs", file, given], cwd=WORK, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        told = hear(p, does)
    assert p.returncode == 0, told
    return told
