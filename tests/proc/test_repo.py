"""wapt-repo, as several people use it: a root signed in turn, lists that are published, and all that somebody with the directory could do to them."""
import json
import os
import pathlib
import shutil
import tempfile
import time
import zipfile

import pytest
from conftest import BIN, ROOT, TREE, Organisation, run, until

DEMO = ROOT / "examples/demo-config"
FILE = "demo-config_1.0-1.wapt"


class Repository:
    def __init__(self, base):
        self.base, self.dir = base, base / "repo"
        self.dir.mkdir()
        for name, more in {"Alice": [], "Bob": [], "Carol": [], "Dev": ["--code-signing"], "Other": ["--code-signing"]}.items():
            run(BIN / "wapt-get", "create-keycert", "--base-dir", base / "keys", "--common-name", name, "--no-private-key-passwd", "--key-bits", "2048", *more)
        self.repo("timestamp-key", base / "stamp.pem")
        self.repo("root", "init", self.dir, *self.administrators("Alice", "Bob", "Carol"), "--threshold", 2, "--timestamp-key", base / "stamp.pem.pub")
        self.repo("root", "add-signer", self.dir, self.cert("Dev"), "--sections", "base", "--prefixes", "demo-", "--code", "--publish")
        self.sign("Alice")
        self.sign("Bob")
        self.build("Dev")

    def cert(self, name):
        return self.base / "keys" / f"{name}.crt"

    def administrators(self, *names):
        return [x for n in names for x in ("--administrator", self.cert(n))]

    def key(self, name):
        return ["-k", self.cert(name)]

    def repo(self, *argv, ok=True):
        return run(BIN / "wapt-repo", *argv, ok=ok)

    def sign(self, who, ok=True):
        return self.repo("root", "sign", self.dir, *self.key(who), "--yes", ok=ok)

    def build(self, who, source=DEMO):
        run(BIN / "wapt-get", "build-package", source, *self.key(who), "-o", self.dir)
        return run(BIN / "wapt-scanpackages", self.dir)

    def publish(self, who="Dev", *more, ok=True):
        return self.repo("publish", self.dir, *self.key(who), "--yes", *more, ok=ok)

    def stamp(self, ok=True):
        return self.repo("timestamp", self.dir, "--key", self.base / "stamp.pem", ok=ok)

    def verify(self, *more, ok=True):
        return self.repo("verify", self.dir, *more, ok=ok)


@pytest.fixture
def r(tmp_path_factory, made):
    base = tmp_path_factory.mktemp("repository")
    shutil.copytree(made.base, base, dirs_exist_ok=True)
    new = object.__new__(Repository)
    new.base, new.dir = base, base / "repo"
    return new


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Repository(tmp_path_factory.mktemp("made"))


def test_a_state_is_published_stamped_and_verified(r):
    assert "not published yet" in run(BIN / "wapt-scanpackages", r.dir).text
    r.verify(ok=False)
    assert "added" in r.publish().text
    r.verify(ok=False)
    r.stamp()
    assert "1 packages, 0 refused" in r.verify("--root", r.dir / "1.root.json").text
    assert "1 as before" in r.publish().text
    assert sorted(p.name for p in r.dir.glob("*.published.json")) == ["1.published.json", "2.published.json"]


def test_old_lists_go(r):
    for _ in range(5):
        r.publish()
    assert sorted(p.name for p in r.dir.glob("[0-9]*.[pP]*")) == [f"{n}.{k}" for n in (3, 4, 5) for k in ("Packages", "published.json")]


def test_a_root_is_signed_in_turn(r):
    assert "[new]" in r.repo("root", "add-signer", r.dir, r.cert("Other"), "--sections", "group").text
    assert "1 of the 2" in r.sign("Alice").text
    assert "1 of the 2" in r.sign("Alice").text  # the same person twice is one
    assert "no administrator" in r.sign("Dev", ok=False).text
    shown = json.loads(run(BIN / "wapt-repo", "root", "show", r.dir, "--json").stdout)["result"]
    assert (shown["in_force"]["version"], shown["draft"]["version"]) == (1, 2) and "1 of the 2" in shown["missing"]
    assert "version 2 is in force" in r.sign("Carol").text
    assert not (r.dir / "root.draft.json").exists() and (r.dir / "2.root.json").read_bytes() == (r.dir / "root.json").read_bytes()
    r.publish()
    r.stamp()
    r.verify("--root", r.dir / "1.root.json")


def test_a_change_takes_the_signatures_away(r):
    r.repo("root", "set", r.dir, "--threshold", 3)
    r.sign("Alice")
    assert "signatures it had are gone" in r.repo("root", "add-signer", r.dir, r.cert("Other"), "--publish").text
    r.sign("Bob")
    assert json.loads((r.dir / "root.json").read_text())["signed"].count('"version":1,') == 1
    r.sign("Alice")
    assert "version 2 is in force" in r.sign("Carol").text


def test_a_revoked_administrator_has_no_say(r):
    r.repo("root", "revoke", r.dir, r.cert("Alice"))
    r.sign("Alice")
    assert "administrators of version" in r.sign("Bob").text  # both of the old root, one of the new
    assert "version 2 is in force" in r.sign("Carol").text
    r.repo("root", "set", r.dir)
    assert "no administrator" in r.sign("Alice", ok=False).text


def test_nothing_is_published_that_the_root_forbids(r, tmp_path):
    assert "may publish" in r.publish("Other", ok=False).text
    r.build("Other")
    assert "refused" in r.publish(ok=False).text and not list(r.dir.glob("*.published.json"))
    source = shutil.copytree(DEMO, tmp_path / "source")
    control = source / "WAPT/control"
    control.write_text(control.read_text().replace("demo-config", "acme-config"))
    r.build("Dev")
    r.build("Dev", source)
    assert "named 'acme-config'" in r.publish(ok=False).text


def test_a_revoked_signer_counts_no_more(r):
    fingerprint = json.loads(run(BIN / "wapt-repo", "root", "show", r.dir, "--json").stdout)["result"]["in_force"]["signers"][0]["fingerprint"]
    r.publish()
    r.stamp()
    assert "revoked" in r.publish("Dev", "--revoke", fingerprint, ok=False).text


@pytest.mark.parametrize("what, says", [
    (lambda d: (d / FILE).write_bytes((d / FILE).read_bytes() + b"x"), "not the file that the list describes"),
    (lambda d: (d / FILE).unlink(), FILE),
    (lambda d: (d / "Packages").write_bytes((d / "Packages").read_bytes()[:-1]), "not the one that list 1 describes"),
    (lambda d: (d / "timestamp.json").unlink(), "no timestamp.json"),
    (lambda d: (d / "1.published.json").unlink(), "lacks the published list 1"),
    (lambda d: (d / "timestamp.json").write_text((d / "timestamp.json").read_text().replace('"signature":"', '"signature":"AAAA')), "does not hold"),
    (lambda d: (d / "1.published.json").write_text((d / "1.published.json").read_text().replace("_1.0-1", "_1.0-2")), "not the one that the timestamp names"),
    (lambda d: (d / "2.root.json").write_text((d / "1.root.json").read_text()), "does not follow version 1"),
    (lambda d: (d / "root.json").write_text("[" * 100000), "levels"),
])
def test_what_is_tampered_with_is_told(r, what, says):
    r.publish()
    r.stamp()
    what(r.dir)
    assert says in r.verify(ok=False).text


def test_a_package_that_changed_under_its_name_is_seen(r):
    r.publish()
    (r.dir / "published.proposal.json").write_text("not read by anybody")
    r.build("Dev")
    assert "0 packages added, 1 changed, 0 gone, 0 as before" in r.publish().text


def test_an_index_that_was_signed_over_stays_as_it_is(r):
    """A package that is as young as the index is read again, and found to be the same: the index must not change below the signature."""
    r.publish()
    r.stamp()
    index, package = r.dir / "Packages", r.dir / FILE
    signed, long_ago = index.read_bytes(), time.time() - 2000
    os.utime(index, (long_ago, long_ago))
    os.utime(package, (long_ago, long_ago))
    said = json.loads(run(BIN / "wapt-scanpackages", "--json", r.dir).stdout)["result"]
    assert (said["kept"], said["added"], said["removed"]) == (1, 0, 0) and index.read_bytes() == signed
    r.verify("--root", r.dir / "1.root.json")
    assert index.stat().st_mtime > package.stat().st_mtime  # and need not be read again


def test_wrong_calls(r, tmp_path):
    assert "has a root already" in r.repo("root", "init", r.dir, *r.administrators("Alice"), "--timestamp-key", r.base / "stamp.pem.pub", ok=False).text
    assert "no root yet" in r.repo("root", "set", tmp_path, ok=False).text
    assert "administrator FILE" in r.repo("root", "init", tmp_path, ok=False).text
    assert "can't be had of" in r.repo("root", "init", tmp_path, *r.administrators("Alice"), "--threshold", 2, ok=False).text
    assert "unknown command 'root-sing'" in r.repo("root", "sing", r.dir, ok=False).text
    assert "root init" in r.publish.__func__(type("X", (), {"repo": r.repo, "dir": tmp_path, "key": r.key})(), ok=False).text
    assert "there already" in r.repo("timestamp-key", r.base / "stamp.pem", ok=False).text
    r.publish()
    run(BIN / "wapt-repo", "timestamp-key", tmp_path / "other.pem")
    assert "no timestamp key" in r.repo("timestamp", r.dir, "--key", tmp_path / "other.pem", ok=False).text
    assert pathlib.Path(tmp_path / "other.pem").stat().st_mode & 0o77 == 0


# --- on the server ---

class Served(Repository):
    """The same root on a real server, which stamps the time itself."""

    def __init__(self, base, org):
        super().__init__(base)
        self.org, self.known, self.remote = org, base / "known", org.base / "server/repo/wapt"
        self.repo("root", "set", self.dir, "--timestamp-key", org.base / "server/private/timestamp.pub")
        self.sign("Alice")
        self.sign("Bob")
        shutil.copy(self.cert("Dev"), org.base / "server/trusted/")
        org.console("upload", self.dir / FILE)
        self.first = self.console_publish("--root", self.dir / "1.root.json", "--send-root", self.dir / "1.root.json", ok=None)
        self.second = self.console_publish("--send-root", self.dir / "2.root.json")

    def console_publish(self, *more, who="Dev", ok=True):
        return self.org.console("publish", "--known", self.known, *self.key(who), "--yes", *more, ok=ok)


@pytest.fixture
def served(tmp_path):
    base = pathlib.Path(tempfile.mkdtemp(dir=TREE))
    org = Organisation(base)
    try:
        yield Served(tmp_path, org)
    finally:
        org.stop()


def test_the_server_takes_what_is_signed_and_stamps_it(served):
    s = served
    assert s.first.returncode == 0 and "added" in s.first.text and "1 as before" in s.second.text
    try:
        until(lambda: s.repo("verify", s.remote, "--root", s.dir / "1.root.json", ok=None).returncode == 0, "the server stamps the list")
    except AssertionError as e:
        said = s.repo("verify", s.remote, "--root", s.dir / "1.root.json", ok=None).text
        raise AssertionError(f"{e}\n{s.first.text}\n{s.second.text}\n{said}\n{(s.org.base / 'server.log').read_text()[-3000:]}") from e
    # nobody else's, nothing old, nothing forged
    assert "may publish" in s.console_publish(who="Other", ok=False).text
    assert "does not follow" in s.console_publish("--send-root", s.dir / "2.root.json", ok=False).text
    (s.base / "forged.json").write_text((s.dir / "2.root.json").read_text().replace('\\"version\\":2', '\\"version\\":3'))
    assert "does not hold" in s.console_publish("--send-root", s.base / "forged.json", ok=False).text
    # a server that goes back to an old state, or changes a package, is found out before anything is signed
    proposal = s.remote / "published.proposal.json"
    kept, package = proposal.read_text(), (s.remote / FILE).read_bytes()
    proposal.write_text(json.dumps({"signed": json.loads(kept)["signed"].replace('"version":3,', '"version":2,'), "signatures": []}))
    assert "rolls it back" in s.console_publish(ok=False).text
    proposal.write_text(kept)
    with zipfile.ZipFile(s.remote / FILE) as z:
        at = z.getinfo("setup.py").header_offset + 30 + len("setup.py") + 20
    (s.remote / FILE).write_bytes(package[:at] + bytes([package[at] ^ 1]) + package[at + 1:])
    run(BIN / "wapt-scanpackages", s.remote)
    assert "refused" in s.console_publish(ok=False).text
    assert not (s.remote / "3.published.json").exists()
    (s.remote / FILE).write_bytes(package)
    run(BIN / "wapt-scanpackages", s.remote)
    assert "list 3 is published" in s.console_publish().text
    fresh = s.base / "fresh"
    assert "give --root FILE" in s.org.console("publish", "--known", fresh, *s.key("Dev"), "--yes", ok=False).text
