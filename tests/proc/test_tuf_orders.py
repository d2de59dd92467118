"""F3A: under a root, it alone says who may order what of which machines; the configuration's list counts no more."""
import json
import re

import pytest
from conftest import organisation, until
from tuf import ALL, DEPLOYER, PUBLISHER, Repository, package, signer


@pytest.fixture
def org():
    with organisation() as o:
        yield o


def test_tuf_orders_go_by_the_root(org):
    uuid = org.uuid
    org.order("Deployer", "update-status")  # [actions] signers, as without a root
    org.order("Deployer", "update")
    r, repo = Repository(), org.base / "server/repo/wapt"

    def listed(name, **more):
        own = org.cert(name).read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
        return dict(signer(PUBLISHER), certificate=own, publish=False, **more)

    r.signers = [signer(PUBLISHER), listed("Deployer", actions=["update-status"]), listed("Developer", actions=ALL, groups=["grp-paris"])]
    r.roots = 0
    first = r.root()

    def put():
        r.publish()
        for name, data in r.files.items():
            (repo / name).write_bytes(data)

    put()
    (org.agent / "root.json").write_bytes(first)
    org.get("update")
    org.order("Deployer", "update-status")
    assert "does not let" in org.order("Deployer", "update", ok=False).text, "he is listed in the configuration"
    for argv in (("message", "--text", "hello"), ("propose-upgrade",), ("restart-agent",)):
        assert "does not let" in org.order("Deployer", *argv, ok=False).text, "the root lists what he may order"
    assert "order 'update'" not in (org.base / "agent.log").read_text(), "the server reads the root too"

    def rollout(who, action, ok=True):
        return org.console("rollout", "create", action, "--hosts", uuid, "--rings", "100%", "--yes", "-k", org.cert(who), "-w", org.base / "pw", "--json", ok=ok)

    def halts(who):
        """The machine itself refuses it, which is a failure."""
        one = json.loads(rollout(who, "update-status").stdout)["result"][0]["id"]
        until(lambda: json.loads(org.console("rollout", "show", one, "--json").stdout)["result"][0]["state"] == "halted", "it halts")
        return (org.base / "agent.log").read_text().splitlines()[-40:]

    assert "does not let" in rollout("Deployer", "update", ok=False).text
    assert any("does not let 'Developer' give orders to this machine" in line for line in halts("Developer")), "the machine is in no group"
    assert "does not let" in org.order("Developer", "update-status", ok=False).text, "the machine is in no group"
    # Membership comes with the machine's own package, and only by one who may sign it.
    host = org.base / f"server/repo/wapt-host/{uuid}.wapt"
    host.write_bytes(package(DEPLOYER, files={}, package=uuid, version="1", section="host", depends="grp-paris"))
    org.get("update", ok=False)
    org.order("Developer", "update-status", ok=False)
    host.write_bytes(package(PUBLISHER, files={}, package=uuid, version="2", section="host", depends="grp-paris"))
    org.get("update")
    org.order("Developer", "update-status")
    # An older one, signed as well as ever, takes the machine out of no group.
    host.write_bytes(package(PUBLISHER, files={}, package=uuid, version="1", section="host"))
    assert "rolls" in org.get("update", ok=False).text
    host.unlink()
    org.get("update")
    host.write_bytes(package(PUBLISHER, files={}, package=uuid, version="1", section="host"))
    assert "rolls" in org.get("update", ok=False).text, "nor after it was gone"
    host.unlink()
    # Revoked in the next list: his orders count no more.
    fingerprint = org.fingerprint(org.cert("Deployer"))
    r.publish(revoked=[fingerprint])
    for name, data in r.files.items():
        (repo / name).write_bytes(data)
    org.get("update")
    assert "revoked" in org.order("Deployer", "update-status", ok=False).text
    assert any("revoked" in line for line in halts("Deployer"))


def test_tuf_orders_of_a_machine_that_was_put_into_a_group_a_moment_ago(org):
    """The machine has not seen its new package yet: it looks before it refuses what is for that group alone; once for an order, and for no other reason."""
    r, repo = Repository(), org.base / "server/repo/wapt"
    own = org.cert("Developer").read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    r.signers = [signer(PUBLISHER), dict(signer(PUBLISHER), certificate=own, publish=False, actions=["update-status"], groups=["grp-paris"])]
    r.roots = 0
    first = r.root()
    r.publish()
    for name, data in r.files.items():
        (repo / name).write_bytes(data)
    (org.agent / "root.json").write_bytes(first)
    org.get("update")

    def looked():
        return re.findall(r"action\.looks_first.*?\bid=\"?([0-9a-f]{32})", (org.base / "agent.log").read_text())
    assert "does not let" in org.order("Developer", "audit", ok=False).text and looked() == [], "nowhere may he order that"
    host = org.base / f"server/repo/wapt-host/{org.uuid}.wapt"
    host.write_bytes(package(PUBLISHER, files={}, package=org.uuid, version="1", section="host", depends="grp-paris"))
    org.order("Developer", "update-status")
    assert len(looked()) == 1
    host.write_bytes(package(PUBLISHER, files={}, package=org.uuid, version="2", section="host"))
    org.get("update")
    for _ in range(3):
        assert "in none of the groups" in org.order("Developer", "update-status", ok=False).text
    assert len(looked()) == len(set(looked()))
