"""A package made in the page *Repository* of an installer, a folder, a hostile file: seen, edited, signed, published."""
import json
import os
import pathlib
import signal
import subprocess

import pages
import pytest
from conftest import organisation, until  # of tests/proc
from seat import Seat
from test_packager import make_deb, make_exe, make_msi, make_msix, make_png


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    at = tmp_path_factory.mktemp("made")
    with organisation() as o:
        seat = Seat(o, "seat", "--keys-dir", o.base / "keys", config="default_package_prefix = acme\ndefault_maturity = DEV\n")
        (at / "portable/bin").mkdir(parents=True)
        (at / "portable/bin/tool").write_text("#!/bin/sh\necho tool\n")
        (at / "portable/data.txt").write_text("data\n")
        cut = make_msi(at, file="whole.msi").read_bytes()
        (at / "cut.msi").write_bytes(cut[:len(cut) // 3])
        (at / "own.png").write_bytes(make_png(side=64))
        files = {"msix": make_msix(at), "png": at / "own.png", "msi": make_msi(at), "exe": make_exe(at), "deb": make_deb(at), "cut": at / "cut.msi", "folder": at / "portable"}

        def packages():
            rows = json.loads(o.console("packages", "--json").stdout)["result"]
            return {f"{p['package']} {p['version']} {p['maturity']}": p["signer"] for p in rows}

        def verify(name):
            """What an agent would say of the package, and its setup.py."""
            file = next((o.base / "server").rglob(f"{name}_*.wapt"))
            (told,) = json.loads(o.get("verify", "--json", "-t", o.agent / "ssl", file).stdout)["result"]
            icon = subprocess.run(["unzip", "-p", file, "WAPT/icon.png"], check=False, capture_output=True).stdout
            return {"good": told["good"], "icon": int.from_bytes(icon[16:20], "big"), "setup": subprocess.run(["unzip", "-p", file, "setup.py"], check=True, capture_output=True, text=True).stdout}

        def install(name):
            o.get("update")
            o.get("install", name)
            return (o.base / "made-target/data.txt").read_text()

        def children(pid):
            return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

        def stop_reader(how):
            """The process that reads stands still, or is killed."""
            def named(pid, role):
                return [c for c in children(pid) if role in pathlib.Path(f"/proc/{c}/cmdline").read_bytes().split(b"\0")]
            (keeper,) = named(seat.pid, b"role:reader")
            until(lambda: named(keeper, b"role:reading"), "somebody reads")
            os.kill(named(keeper, b"role:reading")[0], signal.SIGSTOP if how == "stop" else signal.SIGKILL)
            return True
        try:
            return pages.play("make.mjs", {"yes": seat.yes, "no": seat.no, "packages": packages, "verify": verify, "install": install, "reader": stop_reader}, link=seat.link,
                              files={k: str(v) for k, v in files.items()}, target=str(o.base / "made-target"),
                              password=(o.base / "admin.pw").read_text().strip(), keyPassword=(o.base / "pw").read_text().strip())
        finally:
            seat.end()


@pytest.mark.parametrize("name", pages.scenarios("make.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
