"""The eleven attacks on a software repository that The Update Framework names, each by an owner of the server, often with its online key too.

Each test begins with a machine that works, and ends with what it must not have done.
"""
import os
import time

import pytest

from hostile import Hostile
from tuf import ALICE, DAY, DEPLOYER, HOUR, PUBLISHER, STRANGER, Files, Machine, Online, Repository, pem, person, signer

NONE = set()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    m = Machine(tmp_path_factory.mktemp("tuf"), service=True)
    yield m
    m.stop()


def ready(m):
    m.begin()
    m.repository.add("tis-tool", files=m.setup("1"))
    m.repository.publish()
    m.get("update")
    assert m.sees() == {("tis-tool", "1.0-1")}
    return m


@pytest.fixture
def machine(service):
    return ready(service)


def endless(handler, body):
    """Sends for ever, or until the client hangs up."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    owner = handler.server.owner
    handler.close_connection = True
    try:
        for _ in range(4096):  # 256 MiB
            handler.wfile.write(piece)
            owner.sent += 65536
        owner.whole += 1
    except OSError:
        pass


def trickle(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.close_connection = True
    owner = handler.server.owner
    try:
        for _ in range(300):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)
        owner.whole += 1
    except OSError:
        owner.cut += 1


# --- arbitrary software ---

@pytest.mark.parametrize("by", ["stranger", "online-key", "other-prefix", "code-by-deployer"])
def test_tuf_arbitrary_software(machine, by):
    r = machine.repository
    if by == "other-prefix":
        r.add("tis-evil", by=DEPLOYER, files={})
    elif by == "code-by-deployer":
        r.signers = [signer(PUBLISHER), signer(STRANGER, code=False, publish=False)]
        r.root()
        r.add("tis-evil", by=STRANGER, files=machine.setup("evil"))
    else:
        r.add("tis-evil", by=STRANGER, files=machine.setup("evil"))
    r.index(certs=(PUBLISHER, DEPLOYER, STRANGER))
    if by == "online-key":
        r.list(by=r.online)
        r.stamp()
    else:
        r.list()
        r.stamp()
    if by == "online-key":
        machine.refuses("update", says="may publish")
    else:
        machine.get("update")
    assert machine.sees() - {("tis-evil", "1.0-1")} == {("tis-tool", "1.0-1")}
    machine.refuses("install", "tis-evil", says=["setup.py"] if by == "code-by-deployer" else ["tis-evil"])
    assert machine.marks() == ""
    machine.get("install", "tis-tool")
    assert machine.marks() == "1"


# --- endless data ---

@pytest.mark.parametrize("file", ["2.root.json", "2.published.json", "2.Packages", "tis-tool_1.0-1_all.wapt"])
def test_tuf_endless_data(machine, file):
    r, server = machine.repository, machine.server
    if file.startswith("2.") and "root" not in file:
        r.add("tis-more")
        r.publish()
    server.sent = server.whole = 0
    server.answers["/wapt/" + file] = endless
    machine.refuses("install" if file.endswith(".wapt") else "update", *(["tis-tool"] if file.endswith(".wapt") else []),
                    says=["than", "limit", "size", "bytes"])
    assert server.sent > 0 and server.whole == 0
    assert server.sent < 128 << 20, "half of what there was: the rest was on its way when the client hung up"
    assert machine.sees() == {("tis-tool", "1.0-1")} and machine.marks() == ""
    del server.answers["/wapt/" + file]
    machine.get("update")
    machine.get("install", "tis-tool")


# --- extraneous dependencies ---

def test_tuf_extraneous_dependencies(machine):
    r = machine.repository
    good = r.files["Packages"]
    file = "tis-tool_1.0-1_all.wapt"
    r.add("tis-old")  # listed once, not any more
    extra = r.blocks.pop("tis-old_1.0-1_all.wapt")
    r.packages.pop("tis-old_1.0-1_all.wapt")
    wished = r.blocks[file].replace("depends           : ", "depends           : tis-old")
    assert wished != r.blocks[file]
    r.index(wished, extra)
    r.files[f"{r.version}.Packages"] = r.files["Packages"]
    machine.refuses("update", says=["published", "larger"])
    # the same with a list by somebody who does not look: the attributes are signed, the file is not listed
    r.list()
    r.stamp()
    machine.get("update")
    assert machine.sees() == NONE
    r.files["Packages"] = good
    r.list()
    r.stamp()
    machine.get("update")
    machine.get("install", "tis-tool")
    assert machine.marks() == "1" and ("tis-old" not in machine.get("list").stdout)


# --- fast-forward ---

@pytest.mark.parametrize("stolen", ["publisher", "publisher-and-online-key"])
def test_tuf_fast_forward(machine, stolen):
    r = machine.repository
    r.list(version=2 ** 53 - 1)
    r.stamp()
    machine.get("update")  # the key is good: nobody can tell
    r.version = 1
    r.add("tis-tool", "2.0-1", files=machine.setup("2"))
    r.publish()
    machine.refuses("update", says="rolls")
    # the administrators take the right away; the machine mends itself
    if stolen == "publisher-and-online-key":
        r.online = Online()
    fresh = person("Successor")
    r.signers = [signer(fresh), signer(PUBLISHER, publish=False)]
    r.root()
    r.list(by=fresh)
    r.stamp()
    machine.get("update")
    assert ("tis-tool", "2.0-1") in machine.sees()
    assert machine.status["published_version"] == 3


# --- indefinite freeze ---

@pytest.mark.parametrize("what", ["timestamp", "list", "root", "too-long-timestamp"])
def test_tuf_indefinite_freeze(machine, what):
    r, now = machine.repository, int(time.time())
    if what == "timestamp":
        r.stamp(issued=now - 30 * HOUR, expires=now - HOUR)
    elif what == "list":  # stamped anew each day by whoever has the server's key
        r.list(issued=now - 30 * DAY, expires=now - 60)
        r.stamp()
    elif what == "root":
        r.root(issued=now - 300 * DAY, expires=now - 60)
    else:
        r.stamp(expires=now + 60 * HOUR)
    machine.refuses("update", says=["expired", "good for longer", "over", "longer"])
    if what == "root":  # accepted, since it is signed: nothing more is installed under it
        machine.refuses("install", "tis-tool", says="expired")
        assert machine.marks() == ""
    assert machine.status["trust_problem"]
    r.root(version=r.roots + 1)
    r.list()
    r.stamp()
    machine.get("update")
    assert machine.status["trust_problem"] is None
    machine.get("install", "tis-tool")


def test_tuf_indefinite_freeze_after_the_end(machine):
    """What was accepted lives as long as it said, and no longer: a server that is silent freezes nobody."""
    r = machine.repository
    for seconds in (2, 8, 32, 128):  # time enough to accept it, on a machine that is busy
        end = int(time.time()) + seconds
        r.stamp(issued=end - HOUR, expires=end)
        if machine.get("update", ok=None).returncode == 0:
            break
    time.sleep(max(0, end + 0.5 - time.time()))
    machine.refuses("install", "tis-tool", says="update")
    assert machine.marks() == ""


# --- malicious mirrors ---

@pytest.mark.parametrize("lies", ["garbage", "old", "other-packages"])
def test_tuf_malicious_mirrors(tmp_path, lies):
    machine = ready(Machine(tmp_path))
    r = machine.repository
    old = dict(r.files)
    r.add("tis-tool", "2.0-1", files=machine.setup("2"))
    r.publish()
    mirror = Repository.__new__(Repository)
    mirror.files = {"garbage": {n: os.urandom(len(d)) for n, d in r.files.items() if not n.endswith("root.json")}, "old": old,
                    "other-packages": {n: old.get("tis-tool_1.0-1_all.wapt") if n.endswith(".wapt") else d for n, d in r.files.items()}}[lies]
    evil = Hostile()
    evil.answers = Files(mirror)
    try:
        machine.configure(f"mirrors = {machine.server.url}/wapt", address=evil.url)
        machine.get("update", ok=None)
        if lies != "old":
            assert ("tis-tool", "2.0-1") in machine.sees()
            machine.get("install", "tis-tool")
            assert machine.marks() == "2"
        machine.configure()
        machine.get("update")
        assert ("tis-tool", "2.0-1") in machine.sees()
    finally:
        evil.stop()
        machine.stop()


# --- mix-and-match ---

@pytest.mark.parametrize("mixed", ["index", "list", "other-repository", "two-lists"])
def test_tuf_mix_and_match(machine, mixed):
    r = machine.repository
    old = dict(r.files)
    r.add("tis-tool", "2.0-1", files=machine.setup("2"))
    r.publish()
    if mixed == "index":
        r.files["2.Packages"] = r.files["Packages"] = old["Packages"]
    elif mixed == "list":
        r.files["2.published.json"] = old["1.published.json"]
    elif mixed == "other-repository":  # of the same people
        name, r.name = r.name, "f" * 32
        r.list(version=2)
        r.stamp()
        r.name = name
    else:
        r.list(version=1)
        r.stamp()
    machine.refuses("update", says=["published", "another repository", "two published", "not the one", "length"])
    assert machine.sees() == {("tis-tool", "1.0-1")}
    r.version = 2
    r.publish()
    machine.get("update")
    machine.get("install", "tis-tool")
    assert machine.marks() == "2"


# --- rollback ---

@pytest.mark.parametrize("what", ["list", "package", "root"])
def test_tuf_rollback(machine, what):
    r = machine.repository
    first = dict(r.files)
    r.add("tis-tool", "2.0-1", files=machine.setup("2"))
    r.root()
    r.publish()
    machine.get("update")
    if what == "list":  # with a fresh timestamp by the server's key
        r.files.update({n: first[n] for n in ("Packages", "1.published.json", "1.Packages")})
        r.stamp(version=1)
        machine.refuses("update", says="rolls")
    elif what == "package":  # the old package under the new one's name
        r.files["tis-tool_2.0-1_all.wapt"] = first["tis-tool_1.0-1_all.wapt"]
        machine.refuses("install", "tis-tool", says=["published", "size", "larger"])
        assert machine.marks() == ""
    else:  # root 1 again as root 3
        r.files["3.root.json"] = first["1.root.json"]
        machine.refuses("update", says="does not follow")
    assert machine.status["root_version"] == 2 and machine.status["published_version"] == 2
    assert ("tis-tool", "2.0-1") in machine.sees()


# --- slow retrieval ---

@pytest.mark.parametrize("file", ["timestamp.json", "tis-tool_1.0-1_all.wapt"])
def test_tuf_slow_retrieval(machine, file):
    server = machine.server
    server.whole = server.cut = 0
    server.answers["/wapt/" + file] = trickle
    machine.configure("timeout = 2")
    machine.get("reload")
    if file.endswith(".wapt"):
        machine.refuses("install", "tis-tool", says=["slow", "time", "size", "bytes"])
    else:
        machine.refuses("update", says=["slow", "time"])
    assert server.whole == 0 and machine.marks() == ""
    del server.answers["/wapt/" + file]
    machine.configure()
    machine.get("reload")
    machine.get("install", "tis-tool")
    assert machine.marks() == "1"


# --- key compromise ---

def test_tuf_key_compromise_of_the_server(machine):
    """The online key alone makes neither a list nor a root."""
    r = machine.repository
    r.root(by=(r.online,))
    machine.refuses("update", says="signatures")
    r.roots = 1
    del r.files["2.root.json"]
    r.list(by=r.online)
    r.stamp()
    machine.refuses("update", says="may publish")
    assert machine.sees() == {("tis-tool", "1.0-1")}


@pytest.mark.parametrize("how", ["one-administrator", "one-key-two-certificates", "new-threshold"])
def test_tuf_key_compromise_below_the_threshold(machine, how):
    r = machine.repository
    mine = signer(STRANGER)
    twin = person("Alice", code=False)  # another certificate of Alice's key
    if how == "one-administrator":
        r.root(by=(ALICE,), signers=[mine])
    elif how == "one-key-two-certificates":
        r.root(by=(ALICE, twin), signers=[mine], administrators=[pem(ALICE), pem(twin)])
    else:
        r.root(by=(ALICE,), signers=[mine], threshold=1)
    machine.refuses("update", says=["signatures", "twice", "one key", "same key", "signer"])
    assert machine.status["root_version"] == 1


def test_tuf_key_compromise_of_a_signer_ends_with_the_next_list(machine):
    """Revoked in a list: packages, lists and hooks of that certificate count no more, at once."""
    r = machine.repository
    r.signers = [signer(PUBLISHER), signer(STRANGER, publish=False)]
    r.root()
    r.add("tis-stolen", by=STRANGER, files=machine.setup("stolen"))
    r.index(certs=(PUBLISHER, STRANGER))
    r.list()
    r.stamp()
    machine.get("update")
    machine.get("install", "tis-stolen")
    machine.get("audit")
    r.list(revoked=[STRANGER.fingerprint])
    r.stamp()
    machine.get("update")
    assert machine.sees() == {("tis-tool", "1.0-1")}
    machine.refuses("audit", says=["revoked", "tis-stolen"])
    machine.get("remove", "tis-stolen")


# --- wrong software installation ---

def test_tuf_wrong_software_installation(machine):
    r = machine.repository
    other = r.add("tis-other", files=machine.setup("other"))
    r.publish()
    machine.get("update")
    r.files["tis-tool_1.0-1_all.wapt"] = r.files[other]  # listed and signed as it is, under another name
    machine.refuses("install", "tis-tool", says=["published", "size", "larger"])
    assert machine.marks() == ""
