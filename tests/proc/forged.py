"""A table of packages that must be taken or refused, and one run of the real wapt-get over all of them."""
import json
import os
import pathlib
import re
import subprocess

import forge

BIN = pathlib.Path(os.environ.get("WAPT_TEST_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/bin"))
REFUSED = 4


class Cases:
    """add() says what one is and what must become of it; run() makes them all and asks wapt-get once for each trust store."""

    def __init__(self):
        self.all, self.verdicts = {}, {}

    def add(self, name, make, refused=None, says="", trust="main"):
        """make(): the bytes. refused: the check that must fail (or several); None: it must be taken. says: part of the reason."""
        assert name not in self.all, name
        self.all[name] = (make, (refused,) if isinstance(refused, str) else refused, says, trust)

    def names(self):
        return list(self.all)

    def run(self, base, stores):
        """stores: name -> {file name: bytes}."""
        for store, files in stores.items():
            (base / store).mkdir()
            for n, d in files.items():
                (base / store / n).write_bytes(d)
            mine = [n for n, c in self.all.items() if c[3] == store]
            paths = []
            for i, n in enumerate(mine):
                paths.append(base / f"{store}-{i}.wapt")
                paths[-1].write_bytes(self.all[n][0]())
            p = subprocess.run([BIN / "wapt-get", "verify", "--json", "--trusted", base / store, *paths], capture_output=True, text=True, timeout=300)
            assert p.returncode in (0, REFUSED), p.stderr
            rows = json.loads(p.stdout)["result"]
            assert len(rows) == len(mine)
            self.verdicts.update(zip(mine, rows))
        return self.verdicts

    def judge(self, name):
        _, refused, says, _ = self.all[name]
        v = self.verdicts[name]
        if refused is None:
            assert v["good"], v
        else:
            assert not v["good"], f"taken: {v}"
            assert v["failed"] in refused and v["code"] in ("refused", "invalid", "limit"), v
            assert len(v["error"]) > 20 and re.search(says, v["error"]), v


CA = forge.Owner("Test Authority", ca=True, code=False)
DEV = forge.Owner("Developer", issuer=CA)
PLAIN = forge.Owner("Deployer", issuer=CA, code=False, private=forge.key("Deployer"))
STRANGER = forge.Owner("Stranger")
