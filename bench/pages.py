"""The console's pages with 100,000 machines on a real server, measured in the browser: web/tests/bench.mjs."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOSTS = 100_000


def measured(base, build):
    """The rows, as dictionaries: name, value, unit, limit, budget, limitIs."""
    sys.path.insert(0, str(ROOT / "bench"))
    sys.path.insert(0, str(ROOT / "tests/proc"))
    from conftest import until  # pylint: disable=import-outside-toplevel,import-error
    from scale import Fleet  # pylint: disable=import-outside-toplevel,import-error
    link = base / "link"
    fleet = Fleet(base, 1, hosts=HOSTS)
    try:
        os.environ["XDG_CONFIG_HOME"] = str(base / "config")
        fleet.start("console", "waptconsole", "open", "--server", fleet.url, "--server-fingerprint", fleet.server_fp, "-k", fleet.cert("Deployer"), "--no-browser",
                    "--link-file", link, "--confirm-above", HOSTS + 1)
        until(lambda: link.exists() and link.read_text(), "the console shows its link")
        given = json.dumps({"link": link.read_text().strip(), "password": fleet.password, "keyPassword": (base / "pw").read_text().strip(), "folder": str(base)})
        p = subprocess.run(["node", "--preserve-symlinks", "--preserve-symlinks-main", "tests/run.mjs", "bench.mjs", given], cwd=build / "web/work", capture_output=True,
                           text=True, timeout=550, stdin=subprocess.DEVNULL, check=True)
        said = [json.loads(line) for line in p.stdout.splitlines()]
        assert not any(one.get("error") for one in said), p.stdout
        return [one["row"] for one in said if "row" in one]
    finally:
        fleet.stop()
