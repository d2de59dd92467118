"""What pages have signed by the console's local program: shown first, by a key that is unlocked for a time."""
import json
import os
import shutil
import subprocess
import tempfile
import time

import pytest
from conftest import until
from local_program import Local, local, program  # noqa: F401

PIN = "card-of-a-person"  # nothing else in a log looks so


def test_as_many_machines_as_an_order_has(local):
    wish = {"what": "actions", "kind": "update", "valid_s": 600, "hosts": [f"{i:08X}-0000-4000-8000-000000000000" for i in range(100_000)]}
    assert local.ask("POST", "/local/prepare", wish).code == "not_found"  # looked for, not too many
    wish["hosts"].append(local.org.uuid)
    assert local.ask("POST", "/local/prepare", wish).code in ("invalid", "limit")


def test_an_action_is_shown_signed_and_done(local):
    wish = {"what": "actions", "kind": "update", "hosts": [local.org.uuid], "valid_s": 600}
    a = local.ask("POST", "/local/prepare", wish)
    assert a.status == 200, a.body
    p = a.json
    assert p["needs"] == "unlock" and p["count"] == 1 and p["hosts"][0]["uuid"] == local.org.uuid and p["title"] == "update"
    assert {"label": "Action", "value": "update"} in p["lines"]
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "conflict"
    key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
    a = local.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": "wrong", "seconds": 60})
    assert (a.status, a.code) == (403, "denied")
    assert local.unlock().status == 200
    assert next(k for k in local.state()["keys"] if k["name"] == "Deployer")["unlocked_until"] > time.time() + 500
    p = local.ask("POST", "/local/prepare", wish).json
    assert p["needs"] == "none"
    done = local.ask("POST", "/local/commit", {"id": p["id"]}).json
    assert done["state"] == "done" and done["count"] == 1
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json == done  # once
    batch = done["batch"]
    until(lambda: local.ask("GET", f"/api/v1/actions?batch={batch}").json["actions"][0]["state"] == "done", "the machine has done it")
    assert local.ask("POST", "/local/prepare", {"what": "cancel", "batch": batch}).code == "not_found"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=["nobody"])).code == "not_found"
    (mine, *_) = local.ask("GET", "/api/v1/batches").json["batches"]
    assert (mine["batch"], mine["user"], mine["kind"], mine["counts"], mine["machines"]) == (batch, "admin", "update", {"done": 1}, 1)
    alone = local.ask("POST", "/local/prepare", {"what": "wake", "hosts": [local.org.uuid]})  # nobody else is there: tests/proc/test_networks.py has one who is
    assert alone.code == "not_found" and "can't be woken" in alone.json["error"]["message"]
    assert local.ask("POST", "/local/prepare", {"what": "wake", "hosts": []}).code == "invalid"
    assert local.ask("POST", "/local/prepare", dict(wish, hosts=[local.org.uuid] * 2)).code == "invalid"
    assert local.ask("POST", "/local/prepare", dict(wish, what="shell")).code == "invalid"
    assert local.ask("POST", "/local/keys/lock", {}).status == 200
    assert all(k["unlocked_until"] == 0 for k in local.state()["keys"])


@pytest.fixture
def vendors():
    """A PKCS#11 module where a vendor would put it, and not below what every program may read anyway."""
    with tempfile.TemporaryDirectory(dir="/opt") as d:
        yield shutil.copy("/usr/lib/softhsm/libsofthsm2.so", d)


def test_a_key_on_a_token_signs_and_stays_there(org, vendors):
    home = org.base / "card"
    (home / "tokens").mkdir(parents=True)
    (home / "softhsm.conf").write_text(f"directories.tokendir = {home}/tokens\n")
    env = {"SOFTHSM2_CONF": str(home / "softhsm.conf")}
    tool = lambda *argv: subprocess.run(argv, env={**os.environ, **env}, check=True, capture_output=True)
    tool("softhsm2-util", "--init-token", "--free", "--label", "Card", "--so-pin", "0815", "--pin", PIN)
    tool("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", org.cert("Deployer").with_suffix(".pem"), "-passin", f"file:{org.base}/pw", "-out", home / "plain.pem")
    tool("softhsm2-util", "--import", home / "plain.pem", "--token", "Card", "--label", "mine", "--id", "01", "--pin", PIN)
    (home / "plain.pem").unlink()
    p = Local(org, "card", more=("--private-key", "pkcs11:token=Card;object=mine", "--pkcs11-module", vendors, "--confirm-above", "2"),
              environment=env)
    p.open()
    p.login()
    assert {k["name"]: k["source"] for k in p.state()["keys"]}["Deployer"] == "pkcs11"
    wish = {"what": "actions", "kind": "update", "hosts": [org.uuid], "valid_s": 600}
    a = p.unlock(password="0000")
    assert (a.status, a.code) == (403, "denied"), a.body
    assert p.unlock(password=PIN).status == 200
    prepared = p.ask("POST", "/local/prepare", wish).json
    assert p.ask("POST", "/local/commit", {"id": prepared["id"]}).json["state"] == "done"
    assert p.ask("POST", "/local/keys/lock", {}).status == 200
    assert p.ask("POST", "/local/commit", {"id": p.ask("POST", "/local/prepare", wish).json["id"]}).code == "conflict"
    assert PIN not in p.log.read_text()
    # One machine at a time is many machines, too: beyond two in the hour a person is asked, and there is no terminal here.
    assert p.unlock(password=PIN).status == 200
    needs = []
    for _ in range(2):
        prepared = p.ask("POST", "/local/prepare", wish).json
        needs.append(prepared["needs"])
        a = p.ask("POST", "/local/commit", {"id": prepared["id"]})
    assert needs == ["none", "gesture"] and (a.status, a.code) == (403, "denied"), (needs, a.body)
    p.stop()


def test_a_key_is_locked_after_the_time_that_was_chosen(local):
    p = local
    for wrong in (0, -1, 10 ** 7, "600"):
        assert p.unlock(seconds=wrong).code in ("invalid", "limit"), wrong
    assert p.unlock(seconds=1).status == 200
    wish = {"what": "actions", "kind": "update", "hosts": [p.org.uuid], "valid_s": 600}
    shown = p.ask("POST", "/local/prepare", wish).json
    until(lambda: all(k["unlocked_until"] == 0 for k in p.state()["keys"]), "the key is locked")
    assert p.ask("POST", "/local/commit", {"id": shown["id"]}).code == "conflict"


def test_a_rollout_is_shown_then_signed(local):
    p = local
    assert p.unlock().status == 200
    plan = {"rings": [{"name": "few", "percent": 10}, {"name": "all", "percent": 100}], "promote": "hand"}
    wish = {"what": "rollout", "name": "by hand", "kind": "update", "hosts": [p.org.uuid], "plan": plan, "valid_s": 3600}
    a = p.ask("POST", "/local/prepare", wish).json
    assert a["needs"] == "none" and a["count"] == 1 and {"label": "Machines", "value": "1"} in a["lines"], a
    done = p.ask("POST", "/local/commit", {"id": a["id"]}).json
    assert "id" in done, done
    r = p.ask("GET", f"/api/v1/rollouts/{done['id']}").json
    assert (r["name"], r["action"], r["plan"]["promote"]) == ("by hand", "update", "hand")
    assert p.org.uuid in json.dumps(r["order"])
    assert p.ask("POST", f"/api/v1/rollouts/{done['id']}/stop", {}).status == 200
    # for whoever is in a group nobody can say how many these are: always asked outside of the page
    groups = {k: v for k, v in wish.items() if k != "hosts"} | {"members_of": ["grp-none"]}
    a = p.ask("POST", "/local/prepare", groups).json
    assert a["needs"] == "gesture" and {"label": "Members of", "value": "grp-none"} in a["lines"], a
    assert p.ask("POST", "/local/commit", {"id": a["id"]}).code == "denied"  # there is no terminal
    for wrong in ({"hosts": []}, {"members_of": ["grp-none"]}, {"kind": "cancel"}, {"kind": "wake"}, {"valid_s": 0}, {"plan": "x"}, {"packages": ["x"]}, {"hosts": ["none"]}):
        assert p.ask("POST", "/local/prepare", wish | wrong).status in (400, 404), wrong


def test_assignments_are_shown_then_signed(local):
    assert local.unlock().status == 200
    wish = {"what": "host-packages", "hosts": [local.org.uuid], "add": ["local-one", "local-two(>=2)"], "add_conflicts": ["local-rival"]}
    p = local.ask("POST", "/local/prepare", wish).json
    assert (p["count"], p["needs"], p["details"]["changed"]) == (1, "none", 1) and "assigned: + local-one" in {line["value"] for line in p["lines"]}
    done = local.ask("POST", "/local/commit", {"id": p["id"]}).json
    assert (done["state"], done["changed"], done["failed"]) == ("done", 1, 0)
    # Shown, then changed by somebody else before it is signed: that is not lost.
    late = local.ask("POST", "/local/prepare", dict(wish, add=["local-three"], add_conflicts=[])).json
    local.org.console("assign", "--hosts", local.org.uuid, "--remove-depends", "local-two", "--trusted", local.org.agent / "ssl", "--yes",
                      "-k", local.org.cert("Deployer"), "-w", local.org.base / "pw")
    done = local.ask("POST", "/local/commit", {"id": late["id"]}).json
    assert (done["changed"], done["failed"], done["hosts"][0]["code"]) == (0, 1, "exists")
    assert local.ask("POST", "/local/prepare", dict(wish, add=["local-one"])).code == "conflict"  # it is so already
    assert local.ask("POST", "/local/prepare", dict(wish, add=["local-rival"])).code == "conflict"
    assert local.ask("POST", "/local/prepare", dict(wish, add=["a b("])).status == 400
    times = {"what": "host-packages", "hosts": [local.org.uuid], "hold": ["tis-x until 2999-12-31"], "windows": "mon 01:00-02:00"}
    for wrong in ({"windows": "mon"}, {"freezes": "mon"}, {"hold": ["a until"]}, {"hold": ["a"], "unhold": ["a"]}, {"windows": 7}):
        assert local.ask("POST", "/local/prepare", times | wrong).status == 400, wrong
    p = local.ask("POST", "/local/prepare", times).json
    assert {"held: + tis-x until 2999-12-31", "maintenance windows: + mon 01:00-02:00"} <= {line["value"] for line in p["lines"]}
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json["changed"] == 1
    p = local.ask("POST", "/local/prepare", {"what": "host-packages", "hosts": [local.org.uuid], "unhold": ["tis-x"], "windows": ""}).json
    assert "maintenance windows: mon 01:00-02:00 → -" in {line["value"] for line in p["lines"]}
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json["changed"] == 1
    plan = local.ask("POST", "/local/prepare", {"what": "plan", "hosts": [local.org.uuid]}).json
    assert plan["details"]["problems"] and local.ask("POST", "/local/commit", {"id": plan["id"]}).code == "invalid"
    back = local.ask("POST", "/local/prepare", {"what": "host-packages", "hosts": [local.org.uuid], "remove": ["local-one"], "remove_conflicts": ["local-rival"]}).json
    assert local.ask("POST", "/local/commit", {"id": back["id"]}).json["changed"] == 1


def test_packages_are_taken_over_by_a_gesture(org):
    local = Local(org, "gesture")
    local.open()
    local.login()
    assert local.unlock().status == 200
    local.org.console("upload", local.org.package("local-tool", "1", "Developer", local.org.base / "local-marker"), "--trusted", local.org.agent / "ssl")
    p = local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-tool"], "from_maturity": "PROD", "maturity": "DEV"}).json
    (one,) = p["details"]["packages"]
    assert (one["becomes"], one["becomes_maturity"], one["signer"]) == ("local-tool", "DEV", "Developer") and p["needs"] == "gesture"
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "denied"  # there is nowhere to ask
    assert local.ask("POST", "/local/prepare", {"what": "promote", "packages": ["local-none"], "maturity": "DEV"}).code == "not_found"
    kit = local.ask("POST", "/local/prepare", {"what": "kit", "uses": 3, "seconds": 3600}).json
    assert {"label": "Machines", "value": "3"} in kit["lines"] and {"label": "Trusted for packages", "value": "Authority"} in kit["lines"] and kit["needs"] == "gesture"
    assert local.ask("POST", "/local/commit", {"id": kit["id"]}).code == "denied"
    assert local.ask("POST", "/local/prepare", {"what": "kit", "uses": 0, "seconds": 3600}).status == 400
    # Where packages come from is the configuration's matter, not the page's.
    for place in ("https://example.org/wapt", "/tmp", "global", ""):
        assert local.ask("POST", "/local/prepare", {"what": "import", "from": place, "packages": ["local-tool"]}).code == "not_found"
    local.stop()
