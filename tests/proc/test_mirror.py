"""waptconsole mirror: a copy of a repository for another site, by real programs; what its source does wrong, an interruption at any moment, and a
machine that lives by the copy alone."""
import contextlib
import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import powercut
import pytest
from conftest import BIN, PATIENCE, run
from hostile import HERE, Hostile, certificate
from tracer import Tracer
from tuf import ALICE, DEPLOYER, PUBLISHER, STRANGER, Files, Machine, Repository, pem

SIZE = 300000


class Source(Files):
    """A repository over https that answers for parts of files. cut: bytes after which each package ends."""

    def __init__(self, repository):
        super().__init__(repository)
        self.cut = None

    def __getitem__(self, path):
        if dict.__contains__(self, path):
            return dict.__getitem__(self, path)
        return functools.partial(self.send, self.repository.files.get(path.removeprefix("/wapt/")), path)

    def send(self, data, path, handler, body):
        begin = handler.headers.get("Range")
        if data is None:
            return handler.reply(404, b"nothing")
        start = int(begin.removeprefix("bytes=").removesuffix("-")) if begin else 0
        status, more = (206, {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}) if begin else (200, {})
        if self.cut is None or not path.endswith(".wapt"):
            return handler.reply(status, data[start:], **more)
        handler.send_response(status)
        for name, value in {"Content-Length": len(data) - start, **more}.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()
        handler.wfile.write(data[start:start + self.cut])
        handler.close_connection = True


class Site:
    """A repository, its https server, and a mirror of it."""

    def __init__(self, base):
        self.base, self.dir = base, base / "site/wapt"
        self.r = Repository()
        self.root = base / "root.json"
        self.root.write_bytes(self.r.files["1.root.json"])
        self.web = Hostile(*certificate(base, "tls", san=HERE))
        self.answers = self.web.answers = Source(self.r)

    def stop(self):
        self.web.stop()

    def command(self, *options):
        return [str(x) for x in (BIN / "waptconsole", "mirror", self.dir, "--server", self.web.url, "--verify-cert", self.base / "tls.crt", *options)]

    def mirror(self, *options, ok=True):
        """What it did, and its error."""
        done = run(*self.command("--json", *options), ok=ok)
        answer = json.loads(done.stdout)
        return answer["result"], answer.get("error")

    def first(self):
        return self.mirror("--root", self.root)[0]

    def fails(self, *options, says, code=None):
        before = self.seen()
        done = run(*self.command(*options), ok=False)
        assert says in done.text and (code is None or done.returncode == code), done
        assert self.seen() == before, "machines find something else"
        return done

    def seen(self):
        """What a web server finds."""
        return {str(p.relative_to(self.dir)): p.read_bytes() for p in self.dir.rglob("*") if p.is_file() and ".mirror" not in p.parts}

    def asked(self):
        paths = [(h[1].removeprefix("/wapt/"), "Range" in h[2]) for h in self.web.heard]
        self.web.heard.clear()
        return paths

    def packages(self):
        return {n for n in self.seen() if n.endswith(".wapt")}


@pytest.fixture
def site(tmp_path):
    s = Site(tmp_path)
    s.r.add("tis-tool", files={"data.bin": os.urandom(SIZE)})
    s.r.add("tis-other")
    s.r.publish()
    yield s
    s.stop()


def test_a_copy_and_what_changes(site):
    r = site.r
    got = site.first()
    assert (got["version"], got["kept"], got["fetched"], got["removed"], got["refused"]) == (1, 0, 2, 0, 0)
    wanted = dict(r.files)
    assert site.seen() == wanted and got["bytes"] == sum(len(d) for n, d in r.files.items() if n.endswith(".wapt"))
    assert (site.dir / ".mirror").stat().st_mode & 0o777 == 0o700 and site.dir.stat().st_mode & 0o5 == 0o5
    assert all(p.stat().st_mode & 0o444 == 0o444 for p in site.dir.iterdir() if p.is_file())
    # nothing new: the documents alone are asked for, and what is there keeps its date
    site.asked()
    dates = {p.name: p.stat().st_mtime_ns for p in site.dir.iterdir() if p.is_file()}
    assert site.mirror()[0]["kept"] == 2 and [a[0] for a in site.asked()] == ["2.root.json", "timestamp.json"]
    assert dates == {p.name: p.stat().st_mtime_ns for p in site.dir.iterdir() if p.is_file()}
    # one comes, one goes: it stays for whoever has the list before
    gone = next(n for n in r.packages if n.startswith("tis-other"))
    for where in (r.packages, r.blocks, r.files):
        where.pop(gone)
    r.add("tis-new")
    r.publish()
    got = site.mirror()[0]
    assert (got["version"], got["kept"], got["fetched"], got["removed"]) == (2, 1, 1, 0) and gone in site.packages()
    assert site.seen()["Packages"] == r.files["2.Packages"] and "1.published.json" in site.seen()
    got = site.mirror()[0]
    assert [(f["file"], f["change"]) for f in got["files"]] == [(gone, "removed")] and site.packages() == set(r.packages)
    # a new root, and those by which a machine that was off walks to it
    r.root()
    r.root()
    r.stamp()
    (site.dir / "1.root.json").unlink()
    site.mirror()
    assert {n: site.seen()[n] for n in ("1.root.json", "2.root.json", "3.root.json", "root.json")} == {
        n: r.files[n] for n in ("1.root.json", "2.root.json", "3.root.json", "root.json")}
    # old lists go as on the server
    for _ in range(4):
        r.publish()
        site.mirror()
    assert sorted(n for n in site.seen() if n.endswith("published.json")) == ["4.published.json", "5.published.json", "6.published.json"]


def test_a_machine_lives_by_the_copy(site, tmp_path):
    site.first()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site.dir.parent))
    handler.log_message = lambda *a: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        (tmp_path / "machine").mkdir()
        tmp_path.chmod(0o755)
        machine = Machine(tmp_path / "machine")
        try:
            machine.repository = site.r
            machine.give_root(site.root.read_bytes())
            machine.configure(address=f"http://127.0.0.1:{web.server_port}")
            machine.get("update")
            assert {n for n, _ in machine.sees()} == {"tis-tool", "tis-other"}
            site.r.add("tis-new", files=machine.setup("1"))
            site.r.publish()
            site.mirror()
            machine.get("update")
            machine.get("install", "tis-new")
            assert machine.marks() == "1"
        finally:
            machine.stop()
            web.shutdown()


def test_without_a_root_signers_say_it(site):
    r = site.r
    for n in [n for n in r.files if n.endswith(".json") or n.endswith(".Packages")]:
        del r.files[n]
    trusted = site.base / "trusted"
    trusted.mkdir()
    (trusted / "publisher.crt").write_text(pem(PUBLISHER))
    r.add("tis-foreign", by=STRANGER)
    r.index(certs=(PUBLISHER, STRANGER))
    site.fails(says="--trusted", code=None)
    got, error = site.mirror("--trusted", trusted, ok=False)
    assert got["version"] == 0 and got["fetched"] == 2 and [f["file"] for f in got["files"] if f["change"] == "refused"] == ["tis-foreign_1.0-1_all.wapt"] and error
    assert site.packages() == set(r.packages) - {"tis-foreign_1.0-1_all.wapt"} and site.seen()["Packages"] == r.files["Packages"]
    assert site.mirror("--trusted", trusted, ok=False)[0]["kept"] == 2
    # another one under the same name and of the same length is another one
    name = r.add("tis-other", description="bigger")
    r.index(certs=(PUBLISHER, STRANGER))
    assert site.mirror("--trusted", trusted, ok=False)[0]["fetched"] == 1 and site.seen()[name] == r.files[name]
    r.root()
    site.fails("--trusted", trusted, says="the repository has a root")


def test_it_goes_on_where_it_was_cut_off(site):
    site.answers.cut = SIZE // 3
    site.fails("--root", site.root, says="tis-tool", code=None)
    assert site.packages() == set() and "Packages" not in site.seen()
    site.asked()
    site.answers.cut = None
    got = site.mirror()[0]  # the root is known
    assert ("tis-tool_1.0-1_all.wapt", True) in site.asked()
    assert got["fetched"] == 2 and site.packages() == set(site.r.packages) and not list((site.dir / ".mirror").glob("*.part"))
    size = len(site.r.files["tis-tool_1.0-1_all.wapt"])
    assert got["bytes"] == size - SIZE // 3 + len(site.r.files["tis-other_1.0-1_all.wapt"])


def test_a_beginning_that_was_spoilt_is_fetched_anew(site):
    site.answers.cut = SIZE // 3
    site.fails("--root", site.root, says="tis-tool")
    part = max((site.dir / ".mirror").glob("*.part"), key=lambda p: p.stat().st_size)
    part.write_bytes(b"x" * (SIZE // 3))
    site.answers.cut = None
    assert site.mirror()[0]["refused"] == 0 and site.packages() == set(site.r.packages)


@pytest.mark.parametrize("lie", ["other bytes", "endless", "short", "absent"])
def test_a_package_that_is_not_what_is_listed_is_left_out(site, lie):
    name = "tis-tool_1.0-1_all.wapt"
    data = site.r.files[name]
    if lie == "absent":
        del site.r.files[name]
    else:
        site.r.files[name] = {"other bytes": data[:-9] + bytes(9), "endless": data + bytes(1 << 20), "short": data[:1000]}[lie]
    got, error = site.mirror("--root", site.root, ok=False)
    assert got["refused"] == 1 and got["fetched"] == 1 and "refused" in error
    assert site.packages() == set(site.r.packages) - {name} and not list((site.dir / ".mirror").glob("*.part"))
    site.r.files[name] = data
    assert site.mirror()[0]["fetched"] == 1 and site.packages() == set(site.r.packages)


def test_a_package_of_somebody_who_may_not_is_left_out(site):
    """Listed by a publisher, under the right digest: a machine refuses it too."""
    bad = {site.r.add("tis-stranger", by=STRANGER), site.r.add("tis-notgrp", by=DEPLOYER), site.r.add("grp-code", by=DEPLOYER, files={"setup.py": b"pass\n"})}
    site.r.index(certs=(PUBLISHER, DEPLOYER, STRANGER))
    site.r.list()
    site.r.stamp()
    got = site.mirror("--root", site.root, ok=False)[0]
    assert {f["file"] for f in got["files"] if f["change"] == "refused"} == bad and not bad & site.packages() and got["fetched"] == 2


def test_what_the_source_may_not_do(site):
    r = site.r
    site.fails(says="--root")  # whom to believe is not taken from the network
    site.first()
    keep = dict(r.files)

    def wrong(change, says):
        r.files.clear()
        r.files.update(keep)
        change()
        site.fails(says=says)

    r.publish()
    site.mirror()
    r.files.update(keep)  # but for what has other names: list 2 is known
    site.fails(says="rolls the repository back")
    keep.update({n: r.files[n] for n in r.files})
    r.stamp()
    keep.update(r.files)
    wrong(lambda: r.stamp(by=PUBLISHER), says="timestamp")
    wrong(lambda: r.stamp(expires=int(time.time()) - 10), says="timestamp")
    wrong(lambda: r.root(by=(ALICE,)), says="root")
    wrong(lambda: r.files.pop("timestamp.json"), says="timestamp")
    r.files.clear()
    r.files.update(keep)
    r.roots = 1
    r.add("tis-new")
    r.publish()
    r.files["3.Packages"] = r.files["Packages"] = os.urandom(len(r.files["3.Packages"]))
    site.fails(says="index")


@pytest.mark.parametrize("name", ["../evil.wapt", "sub/evil.wapt", ".mirror", "/etc/evil.wapt", "Packages", "timestamp.json"])
def test_no_name_leads_out_of_the_folder(site, name):
    """By an index that is not listed, where signers alone count; a list refuses such names."""
    r = site.r
    for n in [n for n in r.files if n.endswith(".json") or n.endswith(".Packages")]:
        del r.files[n]
    file = r.add("tis-evil")
    r.blocks[file] = r.blocks[file].replace(file, name)
    r.files[name] = r.files[file]
    r.index()
    (site.base / "t").mkdir()
    (site.base / "t/p.crt").write_text(pem(PUBLISHER))
    got = site.mirror("--trusted", site.base / "t", ok=False)[0]
    assert got["refused"] == 1 and got["fetched"] == 2, got
    assert set(site.seen()) == {"Packages", "tis-tool_1.0-1_all.wapt", "tis-other_1.0-1_all.wapt"}
    assert not list(site.base.rglob("evil*"))


def test_a_folder_of_somebody_else_is_left_alone(site):
    site.dir.mkdir(parents=True)
    (site.dir / "Packages").write_bytes(b"of a repository")
    site.fails("--root", site.root, says="is no mirror")
    (site.dir / "Packages").unlink()
    mine = site.dir / "mine_1_all.wapt"
    mine.write_bytes(b"somebody's")
    site.first()
    site.r.publish()
    site.mirror()
    site.mirror()
    assert mine.read_bytes() == b"somebody's"
    (site.dir / "link").symlink_to("/etc")
    tool = site.dir / "tis-tool_1.0-1_all.wapt"
    tool.unlink()
    tool.symlink_to("/etc/passwd")  # is replaced, not followed
    site.mirror()
    assert not tool.is_symlink() and tool.read_bytes() == site.r.files[tool.name] and os.path.getsize("/etc/passwd") < SIZE


def test_what_it_believes_is_nobody_elses_to_write(site):
    """Whoever could write there would say by which root it goes."""
    (site.dir / ".mirror").mkdir(parents=True)
    (site.dir / ".mirror").chmod(0o777)
    (site.dir / ".mirror/root.json").write_bytes(site.root.read_bytes())
    site.fails(says="others can write it")
    (site.dir / ".mirror").chmod(0o700)
    os.chown(site.dir / ".mirror", 65534, 65534)
    site.fails("--root", site.root, says="others can write it")
    os.chown(site.dir / ".mirror", 0, 0)
    assert site.mirror()[0]["fetched"] == 2


def test_files_brought_by_hand_are_judged_not_fetched(site):
    site.dir.mkdir(parents=True)
    for n in site.r.packages:
        (site.dir / n).write_bytes(site.r.files[n])
    spoilt = site.dir / "tis-other_1.0-1_all.wapt"
    spoilt.write_bytes(spoilt.read_bytes()[:-4] + b"abcd")
    got = site.first()
    assert got["kept"] == 1 and got["fetched"] == 1 and site.packages() == set(site.r.packages) and spoilt.read_bytes() == site.r.files[spoilt.name]
    data = bytearray(spoilt.read_bytes())
    data[40] ^= 1
    spoilt.write_bytes(data)  # a disk that forgets: nobody looks at it again but on demand
    assert site.mirror()[0]["kept"] == 2
    assert site.mirror("--force")[0]["fetched"] == 1 and spoilt.read_bytes() == site.r.files[spoilt.name]


def test_killed_at_any_moment_machines_find_one_state(site):
    """After each file that it asks for: what is in place is the old state or the new one, and the next run ends."""
    r = site.r
    site.first()
    old = site.seen()
    for i in range(3):
        r.add(f"tis-more{i}", files={"d": os.urandom(1000)})
    r.publish()
    for path in [f"/wapt/{n}" for n in ("timestamp.json", "2.published.json", "2.Packages", *(n for n in r.packages if n not in old))]:
        hold = threading.Event()
        asked = threading.Event()

        def wait(handler, body, hold=hold, asked=asked):
            asked.set()
            hold.wait(PATIENCE)
            with contextlib.suppress(OSError):
                handler.reply(404, b"")

        site.answers[path] = wait
        p = subprocess.Popen(site.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert asked.wait(PATIENCE), path
        p.send_signal(signal.SIGKILL)
        p.wait()
        hold.set()
        dict.pop(site.answers, path)
        seen = site.seen()
        assert {n: seen[n] for n in old} == old, path
    site.mirror()
    assert site.packages() == set(r.packages) and site.seen()["timestamp.json"] == r.files["timestamp.json"]


def test_a_power_cut_at_any_moment(site, tmp_path):
    """Whatever of its writing was durable: a machine finds the whole of the old state or of the new one, and the next run ends."""
    r, saved, done = site.r, tmp_path / "saved", tmp_path / "done"
    site.first()
    lists = [(1, dict(r.files), set(r.packages))]
    gone = next(n for n in r.packages if n.startswith("tis-other"))
    for where in (r.packages, r.blocks, r.files):
        where.pop(gone)
    r.add("tis-new", files={"data.bin": os.urandom(SIZE)})
    r.publish()
    lists.append((2, dict(r.files), set(r.packages)))
    for what in ("what comes", "what goes"):
        shutil.copytree(site.dir, saved)
        operations = []
        with open(os.devnull, "wb") as out:
            assert Tracer(site.command(), dict(os.environ), site.dir, record=operations.append, output=out.fileno()).run() == 0
        shutil.copytree(site.dir, done)
        states = list(powercut.states(str(saved), operations))
        assert len(states) > (20 if what == "what comes" else 3), operations
        for number, (at, kind, state) in enumerate(states):
            powercut.put(state, site.dir)
            seen, where = site.seen(), f"{what}, {kind} before {operations[at][:2] if at < len(operations) else 'the end'}"
            version, files, packages = next(x for x in lists if x[1]["timestamp.json"] == seen["timestamp.json"])
            for name in {f"{version}.published.json", f"{version}.Packages", "root.json", *packages}:
                assert seen.get(name) == files[name], (where, name)
            if number % 3 == 0 or number == len(states) - 1:
                site.mirror()
                seen = site.seen()
                assert {n: seen.get(n) for n in r.files if n != "Packages"} == {n: d for n, d in r.files.items() if n != "Packages"}, where
        for folder in (saved, site.dir):
            shutil.rmtree(folder)
        os.rename(done, site.dir)
        assert (gone in site.packages()) == (what == "what comes")


def test_one_at_a_time(site):
    site.first()
    hold, asked = threading.Event(), threading.Event()

    def wait(handler, body):
        asked.set()
        hold.wait(PATIENCE)
        handler.reply(200, site.r.files["timestamp.json"])

    site.answers["/wapt/timestamp.json"] = wait
    p = subprocess.Popen(site.command(), stdout=subprocess.DEVNULL)
    assert asked.wait(PATIENCE)
    run(*site.command(), ok=False)
    hold.set()
    assert p.wait(PATIENCE) == 0
