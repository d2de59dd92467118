"""F2B: from where a machine's first root comes, that there is no way back from it, and that no mistake shuts a machine out for good."""
import shutil

import pytest
from cryptography.hazmat.primitives import serialization

from conftest import BIN, run
from tuf import ALICE, BOB, CAROL, PUBLISHER, STRANGER, Machine, pem, person, signer


@pytest.fixture
def machine(tmp_path):
    m = Machine(tmp_path)
    yield m
    m.stop()


def test_tuf_no_root_comes_from_the_network(machine):
    """Without one it is as with WAPT, and the status says so; what lies in the repository is not even asked for."""
    r = machine.begin(root=False).repository
    r.add("tis-tool", by=STRANGER, files=machine.setup("1"))
    r.index(certs=(STRANGER,))
    r.list()
    r.stamp()
    machine.get("update")
    assert not [p for p in machine.asked() if "json" in p]
    assert machine.status["trust"] == "classic"
    assert machine.sees() == {("tis-tool", "1.0-1")}
    # the administrator gives it one: what counted before counts no more, also what is cached and listed
    machine.give_root(r.files["1.root.json"])
    assert machine.status["trust"] == "root" and machine.status["trust_problem"]
    assert machine.sees() == set()
    machine.refuses("install", "tis-tool", says="tis-tool")
    machine.get("update")
    assert machine.sees() == set(), "its signer is trusted by ssl/, and not by the root"


def test_tuf_no_way_back(machine):
    r = machine.begin().repository
    r.add("tis-tool", files=machine.setup("1"))
    r.publish()
    machine.get("update")
    (machine.base / "agent/root.json").unlink()
    whole = dict(r.files)
    for gone in ("timestamp.json", "1.published.json"):  # a repository as WAPT's are
        del r.files[gone]
    r.add("tis-evil", by=STRANGER, files=machine.setup("evil"))
    r.index(certs=(PUBLISHER, STRANGER))
    machine.refuses("update", says="timestamp")
    machine.refuses("install", "tis-evil", says="tis-evil")
    assert machine.status["trust"] == "root" and machine.marks() == ""
    assert machine.sees() == {("tis-tool", "1.0-1")}
    r.files.clear()
    r.files.update(whole)
    machine.get("update")
    assert machine.status["trust_problem"] is None
    machine.get("install", "tis-tool")
    assert machine.marks() == "1"


@pytest.mark.parametrize("bad", ["one-signature", "writable", "link"])
def test_tuf_a_bad_first_root_is_no_licence(machine, bad):
    """Somebody wanted a root here: until it is right, nothing is taken at all."""
    r = machine.begin(root=False).repository
    r.add("tis-tool", files=machine.setup("1"))
    r.publish()
    path = machine.base / "agent/root.json"
    good = r.files["1.root.json"]
    machine.give_root(r.root(by=(ALICE,), put=False, version=1) if bad == "one-signature" else good)
    if bad == "writable":
        path.chmod(0o666)
    elif bad == "link":
        path.rename(machine.base / "elsewhere")
        path.symlink_to(machine.base / "elsewhere")
    machine.refuses("update", says="root.json")
    assert machine.status["trust"] == "root" and "root.json" in machine.status["trust_problem"]
    path.unlink()
    machine.give_root(good)
    machine.get("update")
    machine.get("install", "tis-tool")


@pytest.mark.parametrize("mistake", ["unsigned-root", "spoilt-list", "no-timestamp-key"])
def test_tuf_no_mistake_shuts_it_out(machine, mistake):
    """The last good state stays, the status says what is wrong, and right again is right again, without anybody coming by."""
    r = machine.begin().repository
    r.add("tis-tool", files=machine.setup("1"))
    r.publish()
    machine.get("update")
    if mistake == "unsigned-root":
        r.root(by=(BOB,))
    elif mistake == "no-timestamp-key":
        r.root(timestamp_keys=[])
    else:
        r.list()
        r.stamp()
        r.files["2.published.json"] += b" "
    machine.refuses("update", says=["signatures", "follow", "published", "timestamp", "length", "larger"])
    assert machine.status["trust_problem"]
    assert machine.sees() == {("tis-tool", "1.0-1")}
    machine.get("install", "tis-tool")  # what was accepted is good until its own end
    assert machine.marks() == "1"
    r.roots = 1
    r.root()
    r.list()
    r.stamp()
    machine.get("update")
    assert machine.status["trust_problem"] is None and machine.status["root_version"] == 2


def test_tuf_a_machine_that_was_off_walks_the_chain(machine):
    """Every administrator of the first root is gone by the last one."""
    r = machine.begin().repository
    new = [person(n, code=False) for n in ("Dora", "Emil")]
    r.root(by=(ALICE, BOB, new[0]), administrators=[pem(o) for o in (BOB, CAROL, new[0])])
    r.root(by=(BOB, CAROL, *new), administrators=[pem(o) for o in (CAROL, *new)])
    r.root(by=(*new, CAROL), administrators=[pem(o) for o in new])
    r.add("tis-tool", files=machine.setup("1"))
    r.publish()
    machine.get("update")
    assert machine.status["root_version"] == 4
    # an old first root beside it changes nothing
    machine.give_root(r.files["1.root.json"])
    assert machine.status["root_version"] == 4
    r.root(by=(ALICE, BOB))
    machine.refuses("update", says="signatures")


def test_tuf_a_root_that_leaves_a_signer_out_ends_his_hooks(machine):
    r = machine.begin(root=False).repository
    r.signers = [signer(PUBLISHER), signer(STRANGER, publish=False)]
    r.roots = 0
    machine.give_root(r.root())
    r.add("tis-theirs", by=STRANGER, files=machine.setup("1"))
    r.index(certs=(PUBLISHER, STRANGER))
    r.list()
    r.stamp()
    machine.get("update")
    machine.get("install", "tis-theirs")
    machine.get("audit")
    r.signers = [signer(PUBLISHER)]
    r.root()
    del r.files["timestamp.json"]  # withheld: the root counts all the same
    machine.refuses("update", says="timestamp")
    machine.refuses("audit", says="tis-theirs")
    machine.get("remove", "tis-theirs")


def test_tuf_made_by_wapt_repo(machine, tmp_path):
    """The control: what our own program makes of a folder is what a machine takes."""
    r = machine.begin(root=False).repository
    repo, keys = tmp_path / "repo", tmp_path / "keys"
    repo.mkdir()
    keys.mkdir()
    for o in (ALICE, BOB, PUBLISHER):
        (keys / f"{o.cn}.crt").write_text(pem(o))
        path = keys / f"{o.cn}.pem"
        path.touch(0o600)
        path.write_bytes(o.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    file = r.add("tis-tool", files=machine.setup("1"))
    (repo / file).write_bytes(r.files[file])

    def tool(*argv):
        return run(BIN / "wapt-repo", *argv)

    tool("timestamp-key", keys / "stamp.pem")
    tool("root", "init", repo, "--administrator", keys / "Alice.crt", "--administrator", keys / "Bob.crt", "--threshold", "2",
         "--timestamp-key", keys / "stamp.pem.pub")
    tool("root", "add-signer", repo, keys / "Publisher.crt", "--sections", "base", "--prefixes", "tis-", "--code", "--publish")
    for who in ("Alice", "Bob"):
        tool("root", "sign", repo, "-k", keys / f"{who}.crt", "--yes")
    run(BIN / "wapt-scanpackages", repo)
    tool("publish", repo, "-k", keys / "Publisher.crt", "--yes")
    tool("timestamp", repo, "--key", keys / "stamp.pem")
    r.files = {p.name: p.read_bytes() for p in repo.iterdir() if p.is_file()}
    shutil.copy(repo / "root.json", machine.base / "agent/root.json")
    machine.get("update")
    machine.get("install", "tis-tool")
    assert machine.marks() == "1" and machine.status["published_version"] == 1
