"""F3A: a machine carries out only orders that a listed signer signed; F2A: and only packages that a trusted one signed."""
import collections
import json
import os
import shutil
import signal

from conftest import BIN, manager, run, until


def test_listed_signer_is_obeyed_and_others_are_not(org):
    marker = org.base / "obeyed"
    org.console("upload", org.package("f3a-good", "1", "Developer", marker))
    org.get("update")
    # Trusted for packages, but not listed for orders.
    refused = org.order("Developer", "install", "f3a-good", ok=False)
    assert "refus" in refused.text.lower()
    assert not marker.exists()
    # Not trusted at all.
    org.order("Stranger", "install", "f3a-good", ok=False)
    assert not marker.exists()
    # The same order by the right one: the refusals above were about the signer.
    org.order("Deployer", "install", "f3a-good")
    assert marker.read_text() == "1"


def test_strangers_package_is_refused_by_server_and_agent(org):
    marker = org.base / "strange"
    package = org.package("f2a-strange", "1", "Stranger", marker)
    org.console("upload", package, ok=False)
    # Who owns the server puts it there himself.
    repository = org.base / "server/repo/wapt"
    shutil.copy(package, repository)
    run(BIN / "wapt-scanpackages", repository, ok=None)
    org.get("update", ok=None)
    org.get("install", "f2a-strange", ok=False)
    assert not marker.exists()
    (repository / package.name).unlink()


def test_altered_package_is_refused(org):
    marker = org.base / "altered"
    package = org.package("f2a-altered", "1", "Developer", marker)
    org.console("upload", package)
    org.get("update")
    (published,) = [p for p in (org.base / "server/repo/wapt").rglob("*.wapt") if p.name == package.name]
    whole = published.read_bytes()
    at = whole.index(b"WAPT/control") // 2
    published.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    org.get("install", "f2a-altered", ok=False)
    assert not marker.exists()
    published.write_bytes(whole)
    org.get("install", "f2a-altered")
    assert marker.read_text() == "1"


def gated(org, name, gate):
    """Publishes a package whose installation waits for the file gate."""
    package = org.package(name, "1", "Developer", gate)
    source = org.base / f"src/{name}-1-Developer"
    (source / "setup.py").write_text(f"import os\nimport time\n\n\ndef install():\n    while not os.path.exists({str(gate)!r}):\n        time.sleep(0.1)\n\n\n"
                                     "def uninstall():\n    pass\n", encoding="utf-8")
    package.unlink()
    org.console("upload", org.build(source, "Developer"))


def test_cancel_ends_a_running_order_between_its_steps(org):
    """What runs is never cut within a step: the first package is installed whole, the second not at all."""
    marker, gate = org.base / "second", org.base / "gate"
    gated(org, "f3a-first", gate)
    org.console("upload", org.package("f3a-second", "1", "Developer", marker))
    org.get("update")
    signer = ("-k", org.cert("Deployer"), "-w", org.base / "pw")

    def sent(*argv):
        return json.loads(org.console("action", *argv, "--hosts", org.uuid, *signer, "--no-wait", "--json").stdout)["result"][0]["id"]

    def cancel(*argv, ok=True):
        return json.loads(org.console("cancel", *argv, "--json", ok=ok).stdout)["result"]

    runs = sent("install", "f3a-first", "f3a-second")
    def tasks(kind):
        return [t for t in json.loads(org.get("tasks", "--json").stdout)["result"] if t["kind"] == kind]

    def cancels():
        return collections.Counter(o["state"] for o in json.loads(org.console("orders", "--host", org.uuid, "--json").stdout)["result"] if o["kind"] == "cancel")

    until(lambda: [t["state"] for t in tasks("install")][:1] == ["running"], "it runs")
    waits = sent("update-status")
    for one in (waits, runs):  # the machine tells when it has ended what it does
        cancel(one, *signer, "--timeout", "1s", ok=False)
    until(lambda: cancels() == {"delivered": 2}, "it has heard both")
    until(lambda: [t["code"] for t in tasks("update-status") if t["message"] == "cancelled by order"] == ["cancelled"], "what waits is dropped")
    gate.touch()
    until(lambda: [a["state"] for one in (runs, waits) for a in cancel(one, *signer)] == ["cancelled"] * 2, "it ends after its step")
    installed = {p["package"]: p["install_status"] for p in json.loads(org.get("list", "--json").stdout)["result"]}
    assert installed["f3a-first"] == "OK" and "f3a-second" not in installed and not marker.exists()


def test_a_machine_hears_orders_before_it_has_reported(org):
    """Killed in the middle of its work it goes on with what was queued, and reports after that: it is there for orders from the start."""
    gate = org.base / "gate-of-the-start"
    for name in ("f3a-killed", "f3a-goes-on"):
        gated(org, name, gate)
    org.get("update")
    signer = ("-k", org.cert("Deployer"), "-w", org.base / "pw")
    ids = [json.loads(org.console("action", "install", name, "--hosts", org.uuid, *signer, "--no-wait", "--json").stdout)["result"][0]["id"]
           for name in ("f3a-killed", "f3a-goes-on")]

    def tasks():
        return [t for t in json.loads(org.get("tasks", "--json").stdout)["result"] if t["kind"] == "install"]

    until(lambda: "running" in [t["state"] for t in tasks()], "the first runs")
    killed = manager(org.service, org.agent)
    os.kill(killed, signal.SIGKILL)
    until(lambda: manager(org.service, org.agent) not in (None, killed), "another manager works")
    until(lambda: "running" in [t["state"] for t in tasks()], "the first runs again")
    org.console("cancel", ids[1], *signer, "--timeout", "1s", ok=False)
    until(lambda: tasks()[0]["message"] == "cancelled by order", "the machine has heard it, and is at work all the time")
    assert "running" in [t["state"] for t in tasks()]
    gate.touch()
    until(lambda: org.get("list", "--json").stdout.count("f3a-killed"), "the first is installed")
