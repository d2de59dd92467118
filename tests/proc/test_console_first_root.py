"""The first root of a repository, which no earlier one vouches for: made by commands and by the pages' calls, and believed by a console only by a person's gesture."""
import json
import os
import time

import pytest
from conftest import BIN, organisation, run, until
from test_console_keys import Keys
from tuf import DAY, HOUR, Repository


@pytest.fixture(scope="module")
def keys():
    with organisation() as o:
        k = Keys(o, has_root=False)
        try:
            yield k
        finally:
            k.stop()


def signer(certificate, **more):
    return dict({"certificate": certificate, "sections": ["*"], "prefixes": ["*"], "actions": ["*"], "groups": ["*"], "units": [], "code": True, "publish": False}, **more)


def first(keys, *administrators, **more):
    alice = keys.org.cert("Alice").read_text()
    return dict({"days": 300, "threshold": len(administrators), "published_days": 30, "timestamp_hours": 24,
                 "administrators": [keys.org.cert(n).read_text() for n in administrators],
                 "signers": [signer(alice, publish=True), signer(keys.org.cert("Authority").read_text())], "timestamp_keys": [server_key(keys)["key"]]}, **more)


def server_key(keys):
    a = keys.local.ask("GET", "/api/v1/repository/timestamp-key")
    assert a.status == 200, a.body
    return a.json


def forget(keys):
    """The console knows no root, and the server has none."""
    for path in (*keys.known.glob("*.json"), *keys.server_dir.glob("*root.json"), *keys.server_dir.glob("*published*.json"), *keys.server_dir.glob("timestamp.json")):
        path.unlink()
    assert keys.local.ask("GET", "/local/root").json == {"problem": None, "is_none": True}


def nothing_known(keys):
    return not (keys.known / "root.json").exists() and not (keys.server_dir / "root.json").exists()


def test_a_page_alone_makes_no_root_known(keys):
    local, org = keys.local, keys.org
    assert local.ask("GET", "/local/root").json == {"problem": None, "is_none": True}
    assert server_key(keys)["key"] == (org.base / "server/private/timestamp.pub").read_text()
    keys.unlock("Alice")
    wish = first(keys, "Alice")
    for wrong in ({"timestamp_keys": []}, {"timestamp_keys": None}, {"administrators": []}, {"administrators": [keys.fp("Alice")]}, {"threshold": 2}, {"timestamp_keys": ["x"]},
                  {"timestamp_keys": [server_key(keys)["sha256"]]}):
        assert keys.prepare("Alice", what="root", wish=wish | wrong).status in (400, 403, 409), wrong
    assert keys.prepare("Carol", what="root", wish=wish).code == "refused"  # her signature would count for nothing
    p = keys.prepare("Alice", what="root", wish=wish)
    assert p.json["needs"] == "gesture" and {"label": "Timestamp key", "value": server_key(keys)["sha256"]} in p.json["lines"], p.body
    text, a = keys.sign(p, says=False)
    assert a.code == "cancelled" and "no root: whoever has this one obeys it alone" in text and keys.fp("Alice") in text and nothing_known(keys)
    # Somebody's root that is complete: neither sent as if one were in force, nor believed without a person.
    theirs = org.base / "theirs"
    theirs.mkdir()
    run(BIN / "wapt-repo", "root", "init", theirs, "--administrator", org.cert("Stranger"), "--timestamp-key", org.base / "server/private/timestamp.pub")
    run(BIN / "wapt-repo", "root", "sign", theirs, "--yes", *keys.key("Stranger"))
    stranger = (theirs / "1.root.json").read_text()
    assert local.ask("PUT", "/local/root", {"document": stranger}).code == "config"
    p = local.ask("POST", "/local/prepare", {"what": "known-root", "document": stranger})
    assert p.json["needs"] == "gesture" and p.json["signs"] is False, p.body
    text, a = keys.sign(p, says=False)
    assert a.code == "cancelled" and keys.fp("Stranger") in text and nothing_known(keys)
    lacking = json.loads(stranger) | {"signatures": []}
    assert local.ask("POST", "/local/prepare", {"what": "known-root", "document": json.dumps(lacking)}).code == "refused"
    # The server has one that nobody gave to this person: it is not believed, and no other is begun beside it.
    (keys.server_dir / "root.json").write_text(stranger)
    (keys.server_dir / "1.root.json").write_text(stranger)
    shown = local.ask("GET", "/local/root").json
    assert shown["is_none"] is False and "no root of this repository is known" in shown["problem"] and "root" not in shown
    assert keys.prepare("Alice", what="root", wish=wish).code == "config"
    assert "no root of this repository is known" in keys.root("init", org.base / "x.json", "--administrator", org.cert("Alice"), ok=False).text
    forget(keys)


def test_one_administrator_signs_and_it_is_in_force(keys):
    local, org = keys.local, keys.org
    _, a = keys.sign(keys.prepare("Alice", what="root", wish=first(keys, "Alice")))
    assert a.json["in_force"] is True and a.json["missing"] is None, a.body
    assert (keys.server_dir / "1.root.json").read_text() == a.json["document"] == (keys.known / "root.json").read_text()
    shown = local.ask("GET", "/local/root").json
    assert shown["is_none"] is False and shown["root"]["version"] == 1 and shown["root"]["timestamp_key_ids"] == [server_key(keys)["sha256"]] and local.state()["publishes"]
    # Known once: no other takes its place by a page, whoever says yes.
    _, again = keys.sign(local.ask("POST", "/local/prepare", {"what": "known-root", "document": a.json["document"]}))
    assert again.code == "exists"
    # The next one keeps the timestamp key by its fingerprint, and another one comes beside it.
    run(BIN / "wapt-repo", "timestamp-key", org.base / "second-stamp")
    more = [server_key(keys)["sha256"], (org.base / "second-stamp.pub").read_text()]
    p = keys.prepare("Alice", what="root", wish=keys.wish(timestamp_keys=more))
    marks = [line["value"] for line in p.json["lines"] if line["label"] == "Timestamp key"]
    assert marks[0] == more[0] and marks[1].endswith("[new]") and len(marks) == 2, p.body
    _, a = keys.sign(p)
    assert a.json["in_force"] is False and local.ask("PUT", "/local/root", {"document": a.json["document"]}).json == {"version": 2}
    # The list comes next; then machines get the root with a kit, and go by it.
    _, a = keys.sign(keys.prepare("Alice", what="publish"))
    assert a.status == 200, a.body
    text, a = keys.sign(local.ask("POST", "/local/prepare", {"what": "kit", "key": keys.id("Alice"), "uses": 1, "seconds": 3600}))
    assert "Root of the repository: version 2, of repository" in text, text
    kit = org.base / "first.kit"
    kit.write_text(a.json["kit"])
    ini = org.base / "enrolled/wapt-get.ini"
    run(BIN / "wapt-get", "-c", ini, "enrol", kit, "--no-start")
    ini.write_text(ini.read_text().replace("[global]", "[global]\nuuid = enrolled"))  # two machines are this one
    org.start_agent("enrolled", ini)
    until(lambda: run(BIN / "wapt-get", "-c", ini, "update", ok=None).returncode == 0, "the machine has the root and its list")
    assert json.loads((org.base / "enrolled/root.json").read_text()) == json.loads((keys.known / "root.json").read_text())
    forget(keys)


def test_two_administrators_and_the_last_one_sends_it(keys):
    local, org = keys.local, keys.org
    keys.unlock("Bob")
    wish = first(keys, "Alice", "Bob")
    _, a = keys.sign(keys.prepare("Alice", what="root", wish=wish))
    assert a.json["in_force"] is False and "1 of the 2 signatures" in a.json["missing"] and nothing_known(keys)
    half = org.base / "half.json"
    half.write_text(a.json["document"])
    assert local.ask("POST", "/local/prepare", {"what": "known-root", "document": half.read_text()}).code == "refused"
    assert "1 of the 2" in keys.root("publish", half, "--yes", ok=False).text and nothing_known(keys)
    assert "has signed" in keys.root("show", half).text
    text, b = keys.sign(keys.prepare("Bob", what="root", document=half.read_text()))
    assert "Alice" in text and b.json["in_force"] is True and local.ask("GET", "/local/root").json["root"]["version"] == 1
    # The first administrator takes it over from the file that was saved, and is asked.
    (keys.known / "root.json").unlink()
    text, a = keys.sign(local.ask("POST", "/local/prepare", {"what": "known-root", "document": b.json["document"]}))
    assert a.json["version"] == 1 and keys.fp("Bob") in text and local.ask("GET", "/local/root").json["problem"] is None
    forget(keys)


def test_the_first_root_by_commands_alone(keys):
    org, draft = keys.org, keys.org.base / "draft.json"
    assert "begins one" in keys.root("propose", draft, ok=False).text and "begins one" in keys.root("show", ok=False).text
    assert "at least once" in keys.root("init", draft, ok=False).text and not draft.exists()
    both = [x for n in ("Alice", "Bob") for x in ("--administrator", org.cert(n))]
    keys.root("init", draft, *both, "--threshold", 2, "--signer", org.cert("Alice"), "--sections", "*", "--prefixes", "*", "--code", "--publish", "--actions", "*", "--groups", "*")
    assert "is there already" in keys.root("init", draft, *both, ok=False).text
    keys.root("propose", draft, "--signer", org.cert("Authority"), "--sections", "*", "--prefixes", "*", "--code", "--actions", "*", "--groups", "*")
    shown = json.loads(keys.root("show", draft, "--json").stdout)["result"]
    assert shown["root"]["timestamp_key_ids"] == [server_key(keys)["sha256"]] and shown["root"]["version"] == 1 and "0 of the 2" in shown["missing"]
    assert "no administrator" in keys.root("sign", draft, "--yes", who="Carol", ok=False).text
    keys.root("sign", draft, "--yes", who="Alice")
    assert "1 of the 2" in keys.root("publish", draft, "--yes", ok=False).text
    keys.root("sign", draft, "--yes", who="Bob")
    assert keys.root("publish", draft, ok=False).returncode != 0 and nothing_known(keys), "nobody was there to look at it"
    keys.root("publish", draft, "--yes")
    assert (keys.server_dir / "1.root.json").read_text() == draft.read_text() == (keys.known / "root.json").read_text()
    assert "has a root already, version 1" in keys.root("init", org.base / "another.json", *both, ok=False).text
    keys.console("publish", "--known", keys.known, *keys.key("Alice"), "--yes")
    assert os.stat(keys.known / "root.json").st_mode & 0o022 == 0


def test_no_kit_with_a_root_that_is_over(keys):
    """By the page and by the command, by what is known here and by what is given: a machine that got it would go by nothing. And no token is made for it."""
    local, org = keys.local, keys.org
    now, repository = int(time.time()), Repository()
    good, over = repository.root(put=False), repository.root(put=False, issued=now - 9 * DAY, expires=now - HOUR)
    early, lacking = repository.root(put=False, issued=now + 9 * DAY), json.dumps(json.loads(good) | {"signatures": []}).encode()
    keys.unlock("Alice")

    def tokens():
        return len(json.loads(run(BIN / "waptserver", "enrol-token", "list", "--config", org.base / "server/waptserver.ini", "--json").stdout)["result"])

    def prepare():
        return local.ask("POST", "/local/prepare", {"what": "kit", "key": keys.id("Alice"), "uses": 1, "seconds": 3600})
    before, root, kit = tokens(), org.base / "given.root.json", org.base / "over.kit"
    keys.known.mkdir(parents=True, exist_ok=True)
    try:
        (keys.known / "root.json").write_bytes(over)
        a = prepare()
        assert a.code == "refused" and b"has expired" in a.body, a.body
        (keys.known / "root.json").write_bytes(good)
        assert prepare().status == 200
    finally:
        (keys.known / "root.json").unlink()
    for document, why in ((over, "expired on"), (early, "has not come yet"), (lacking, "is not trusted"), (b"{}", "")):
        root.write_bytes(document)
        said = keys.console("kit", "-o", kit, "--uses", "1", "--trusted", org.agent / "ssl", "--root", root, ok=False)
        assert said.returncode != 0 and why in said.text and not kit.exists(), said.text
    assert tokens() == before
    root.write_bytes(good)
    keys.console("kit", "-o", kit, "--uses", "1", "--trusted", org.agent / "ssl", "--root", root)
    assert json.loads(kit.read_text())["root"].encode() == good and tokens() == before + 1
