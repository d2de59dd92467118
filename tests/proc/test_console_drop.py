"""Files dropped into a page: what is looked at, what is refused, what is signed and published; and the list that is signed after a change."""
import fcntl
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
import zipfile

import pytest
from conftest import BIN, PATIENCE, organisation, run, until
from seat import Seat
from local_program import LINK, Local, answered


class Page(Local):
    """The page that a seat's link opens."""

    def __init__(self, org, name, *argv, config="", **more):  # pylint: disable=super-init-not-called
        self.org, self.seat = org, Seat(org, name, *argv, config=config, **more)
        self.find(re.fullmatch(LINK, self.seat.link))
        self.open()
        self.login()
        key = next(k for k in self.state()["keys"] if k["name"] == "Developer")
        a = self.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": (org.base / "pw").read_text().strip(), "seconds": 3600})
        assert a.status == 200, a.body

    def drop(self, data, name, **more):
        """The file as a prepare names it."""
        a = self.ask("PUT", "/local/files", data, headers={"Content-Type": "application/octet-stream", **more})
        assert a.status == 200, a.body
        assert a.json["size"] == len(data)
        return {"id": a.json["id"], "name": name}

    def prepare(self, **request):
        return self.ask("POST", "/local/prepare", request)

    def commit(self, prepared, says=None):
        """Signed after a yes at the terminal; says: what is to be read there."""
        a = self.ask("POST", "/local/commit", {"id": prepared["id"]})
        assert (a.status, a.json["state"]) == (202, "gesture"), a.body
        text = self.seat.yes()
        for part in says or ():
            assert part in text, text
        return answered(self, "/local/commit", {"id": prepared["id"]})

    def staged(self):
        return sorted(p.name for d in self.seat.temp.glob("wapt-dropped*") for p in d.iterdir())


def package(org, name, who, marker, version="1.0-1", size=0, **more):
    src = org.base / "dropped" / f"{name}-{version}-{who}"
    (src / "WAPT").mkdir(parents=True)
    control = dict({"package": name, "version": version, "architecture": "all", "section": "base", "priority": "optional", "maintainer": who, "description": "dropped",
                    "target_os": "all"}, **more)
    (src / "WAPT/control").write_text("".join(f"{k:18}: {v}\n" for k, v in control.items()))
    (src / "setup.py").write_text(f"open({str(marker)!r}, 'a').write('run')\n\n\ndef install():\n    pass\n\n\ndef uninstall():\n    pass\n")
    if size:
        (src / "data.bin").write_bytes(os.urandom(size))
    return org.build(src, who).read_bytes()


def changed(data, **members):
    """The same archive with other members; None: without it."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        parts = {n: z.read(n) for n in z.namelist()}
    parts.update(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for n, d in parts.items():
            z.writestr(n, d)
    return out.getvalue()


@pytest.fixture(scope="module")
def marker(org):
    return org.base / "dropped-executed"


@pytest.fixture(scope="module")
def page(org):
    store = org.base / "drop-store"
    store.mkdir()
    shutil.copy(org.cert("Stranger"), store)
    p = Page(org, "drop", config=f"[store]\nrepo_url = https://127.0.0.1:9/wapt\npublic_certs_dir = {store}\n")
    yield p
    p.seat.end()


def names(org):
    rows = json.loads(org.console("packages", "--json").stdout)["result"]
    return {(p["package"], p["version"], p["maturity"]): p for p in rows}


def test_nobody_else_drops_a_file(page):
    bytes_ = {"Content-Type": "application/octet-stream"}
    for wrong, code in ((dict(bytes_, Origin="http://evil.example"), "denied"), (dict(bytes_, Origin="null"), "denied"),
                        (dict(bytes_, **{"Sec-Fetch-Site": "cross-site"}), "denied"), (dict(bytes_, **{"Sec-Fetch-Site": "same-site"}), "denied"),
                        (dict(bytes_, Host="evil.example"), "denied"), (dict(bytes_, Authorization="Bearer " + "0" * 64), "auth"),
                        ({"Content-Type": "application/json"}, "invalid"), ({"Content-Type": "text/plain"}, "invalid"),
                        ({"Content-Type": "multipart/form-data; boundary=x"}, "invalid"), ({"Content-Type": "application/octet-stream; x=y"}, "invalid"),
                        ({"Content-Type": ["application/octet-stream", "text/plain"]}, "invalid")):
        a = page.ask("PUT", "/local/files", b"x" * 100, headers=wrong)
        assert a.code == code, (wrong, a.body)
    assert page.ask("PUT", "/local/files", b"x", token=False, headers=bytes_).code == "auth"
    assert page.ask("PUT", "/local/files?name=x", b"x", headers=bytes_).code == "invalid"
    assert page.ask("PUT", "/local/files", headers=bytes_).code == "invalid"
    assert page.ask("POST", "/local/files", b"x", headers=bytes_).status >= 400
    # Too long for the disk: before a byte of it is taken.
    c = http.client.HTTPConnection(page.address, int(page.port), timeout=PATIENCE)
    c.putrequest("PUT", "/local/files", skip_host=True)
    for k, v in {"Host": page.here, "Authorization": f"Bearer {page.token}", **bytes_, "Content-Length": str(1 << 50)}.items():
        c.putheader(k, v)
    c.endheaders()
    assert json.loads(c.getresponse().read())["error"]["code"] == "limit"
    c.close()
    assert page.staged() == []


def test_what_breaks_off_leaves_nothing(page):
    with socket.create_connection((page.address, int(page.port))) as s:
        s.sendall((f"PUT /local/files HTTP/1.1\r\nHost: {page.here}\r\nAuthorization: Bearer {page.token}\r\nContent-Type: application/octet-stream\r\n"
                   "Content-Length: 100000\r\n\r\n").encode() + b"x" * 50000)
        until(lambda: [n for n in page.staged() if n.endswith(".part")], "the first half has come")
    until(lambda: page.staged() == [], "nothing is left of it")
    # A file that is dropped can be dropped again, and taken back; another's identifier opens nothing.
    one = page.drop(b"no package", "x.wapt")
    assert page.staged() == [one["id"]] and next(page.seat.temp.glob("wapt-dropped*")).stat().st_mode & 0o777 == 0o700
    assert page.ask("DELETE", f"/local/files/{one['id']}").status == 200 and page.staged() == []
    for wrong in (one["id"], "0" * 32, "../../../../etc/passwd", "..", "", one["id"] + ".part"):
        assert page.prepare(what="upload", files=[{"id": wrong, "name": "x"}]).code in ("not_found", "limit"), wrong


def test_what_is_dropped_is_verified_shown_and_published(org, page, marker):
    good = package(org, "drop-good", "Developer", marker, depends="drop-none")
    foreign = package(org, "drop-foreign", "Stranger", marker, depends="drop-lib")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(3):
            z.writestr(f"WAPT/{i}", b"\0" * (40 << 20))
    files = [page.drop(good, "good.wapt"), page.drop(foreign, "foreign.wapt"), page.drop(changed(good, **{"setup.py": b"evil"}), "torn.wapt"),
             page.drop(changed(good, **{"../../evil": b"x"}), "traversal.wapt"), page.drop(b"\x7fELF" + b"x" * 1000, "program.wapt"),
             page.drop(bomb.getvalue(), "bomb.wapt"), page.drop(good[:len(good) // 2], "half\u202e\n.wapt")]
    p = page.prepare(what="upload", files=files).json
    assert [(x["package"], x["signer"], x["setup"][:4]) for x in p["details"]["packages"]] == [("drop-good", "Developer", "open")]
    refused = {x["file"]: x["error"] for x in p["details"]["refused"]}
    assert set(refused) == {f["name"] for f in files[1:]} and "no trusted certificate" in refused["foreign.wapt"] and "setup.py" in refused["torn.wapt"], refused
    shown = json.dumps(p["lines"])
    assert "signed by Developer" in shown and "it has code: setup.py" in shown and "torn.wapt" in shown and p["needs"] == "gesture"
    assert ("drop-good", "1.0-1", "") not in names(org)
    a = page.commit(p, says=("drop-good", "it has code", "foreign.wapt: "))
    assert a.status == 200 and [(x["becomes"], x["code"]) for x in a.json["packages"]] == [("drop-good", "ok")] and a.json["published"]["state"] == "none", a.body
    assert names(org)["drop-good", "1.0-1", ""]["signer"] == "Developer"
    # Nothing good among them: nothing to sign.
    assert page.prepare(what="upload", files=files[2:3]).code == "refused"
    # Somebody else's, by the certificates of a repository that the configuration names, under one's own signature.
    assert page.prepare(what="upload", files=files[1:2], prefix="own").code == "invalid"
    assert page.prepare(what="upload", files=files[1:2], resign=True, **{"from": "none"}).code == "not_found"
    assert page.prepare(what="upload", files=files[1:2], resign=True).code == "refused"
    p = page.prepare(what="upload", files=files[1:2], resign=True, prefix="own", maturity="DEV", **{"from": "store"}).json
    assert [(x["package"], x["becomes"], x["becomes_maturity"]) for x in p["details"]["packages"]] == [("drop-foreign", "own-foreign", "DEV")]
    a = page.commit(p)
    assert [x["code"] for x in a.json["packages"]] == ["ok"], a.body
    made = names(org)["own-foreign", "1.0-1", "DEV"]
    assert (made["signer"], made["depends"]) == ("Developer", "own-lib")
    assert not marker.exists()
    for f in files:
        page.ask("DELETE", f"/local/files/{f['id']}")
    assert page.staged() == []


class Narrow:
    """A way to the server on which a connection that has carried so many bytes there stands still, until it is widened."""

    def __init__(self, port, after):
        self.to, self.after, self.wide = port, after, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.carry, args=(near, far, self.after), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, None), daemon=True).start()

    def carry(self, a, b, after):
        n = 0
        try:
            while data := a.recv(65536):
                n += len(data)
                if after is not None and n > after:
                    self.wide.wait()
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (a, b):
                s.close()


def sending(page, prepared):
    """Waits until some of it is on its way; how far."""
    told = {}

    def is_so():
        told.update(page.ask("POST", "/local/commit", {"id": prepared["id"]}).json)
        return told["state"] == "sending" and told["done"] > 0
    page.ask("POST", "/local/commit", {"id": prepared["id"]})
    page.seat.yes()
    until(is_so, "it is being sent")
    return told


def test_stopped_and_killed_in_the_middle(org, marker):
    before, big = names(org), 32 << 20  # much more than sockets hold on their way
    way = Narrow(org.port, 2 << 20)
    page = Page(org, "stopped", "--server", way.url)
    files = [page.drop(package(org, f"drop-big{i}", "Developer", marker, size=big), f"{i}.wapt") for i in range(2)]
    p = page.prepare(what="upload", files=files).json
    told = sending(page, p)
    assert (told["step"], told["steps"]) == (1, 2) and told["total"] > big, told
    assert page.ask("DELETE", f"/local/prepare/{p['id']}").status == 202
    way.wide.set()
    a = answered(page, "/local/commit", {"id": p["id"]})
    assert [x["code"] for x in a.json["packages"]] == ["cancelled", "cancelled"] and names(org) == before, a.body
    # Killed: what was there is there, as it was; the next one does it all.
    way.wide.clear()
    p = page.prepare(what="upload", files=files[:1]).json
    sending(page, p)
    page.seat.end(signal.SIGKILL)
    way.wide.set()
    assert names(org) == before
    page = Page(org, "again")
    p = page.prepare(what="upload", files=[page.drop(package(org, "drop-big0", "Developer", marker, version="2.0-1", size=1000), "x.wapt")]).json
    assert [x["code"] for x in page.commit(p).json["packages"]] == ["ok"]
    page.seat.end()
    assert not list(page.seat.temp.iterdir())  # nothing is left of what was on its way
    way.listener.close()


def test_groups_are_made_from_a_page(org, page):
    wish = {"what": "policy", "section": "group", "add": ["drop-good", "drop-nowhere"]}
    p = page.prepare(names=["drop-group", "drop-second"], **wish).json
    assert [x["package"] for x in p["details"]["packages"]] == ["drop-group", "drop-second"] and p["needs"] == "gesture"
    assert "'drop-nowhere' is not in the repository; needed by: drop-group" in json.dumps(p["lines"], ensure_ascii=False)
    a = page.commit(p, says=("drop-group", "assigned: + drop-good"))
    assert [(x["code"], x["version"]) for x in a.json["packages"]] == [("ok", "1-1")] * 2, a.body
    assert page.prepare(what="policy", names=["drop-group"], add=["drop-good"]).code == "conflict"  # nothing changes
    assert page.prepare(what="policy", names=["drop-group"], add_conflicts=["drop-good"]).code == "conflict"
    # Whatever is signed is said.
    p = page.prepare(what="policy", names=["drop-group"], description="other words").json
    assert [line for line in p["lines"] if line["label"] == "drop-group" and line["value"].startswith("Description: ") and line["value"].endswith(" → other words")], p
    p = page.prepare(what="policy", names=["drop-shop"], section="selfservice", add_rules={"team": ["drop-good"]}).json
    assert [(c["group"], c["after"]) for c in p["details"]["packages"][0]["changes"]] == [("team", "drop-good")]
    # Somebody else was faster: his stays.
    org.console("policy", "drop-shop", "--section", "selfservice", "--add-rule", "other=drop-good", "--trusted", org.agent / "ssl", "--yes",
                "-k", org.cert("Deployer"), "-w", org.base / "pw")
    a = page.commit(p)
    assert [x["code"] for x in a.json["packages"]] == ["exists"] and names(org)["drop-shop", "1-1", ""]["signer"] == "Deployer"
    # What each offers now is only looked at.
    p = page.prepare(what="policy", names=["drop-shop", "drop-group"], only_shown=True).json
    assert p["details"]["rules"] == [{"other": {"drop-good": None}}, None] and p["details"]["changed"] == 0


# --- under a root ---

@pytest.fixture(scope="module")
def rooted():
    """A page of somebody who knows the root of the repository, in an organisation apart."""
    with organisation() as o:
        root, known = o.base / "root", o.base / f"rooted/.config/wapt/repositories/127.0.0.1-{o.port}"
        known.mkdir(parents=True)
        root.mkdir()
        by = ("-k", o.cert("Developer"), "-w", o.base / "pw")
        run(BIN / "wapt-repo", "root", "init", root, "--administrator", o.cert("Developer"), "--timestamp-key", o.base / "server/private/timestamp.pub")
        run(BIN / "wapt-repo", "root", "add-signer", root, o.cert("Developer"), "--sections", "*", "--prefixes", "*", "--code", "--publish")
        run(BIN / "wapt-repo", "root", "sign", root, *by, "--yes")
        p = Page(o, "rooted")
        assert not p.state()["publishes"] and p.prepare(what="publish").code == "config"
        o.console("upload", o.package("first", "1.0-1", "Developer", o.base / "ran"), "--trusted", o.agent / "ssl")
        o.console("publish", "--known", known, "--root", root / "1.root.json", "--send-root", root / "1.root.json", "--yes", *by)
        p.by, p.known = by, known
        yield p
        p.seat.end()


def listed(page):
    """Version and files of the list that the server has."""
    newest = max((page.org.base / "server").rglob("*.published.json"), key=lambda f: int(f.name.split(".")[0]))
    text = json.loads(json.loads(newest.read_text())["signed"])
    return text["version"], set(text["packages"])


def test_after_a_change_the_list_is_signed(rooted):
    page, o = rooted, rooted.org
    assert page.state()["publishes"] and listed(page)[0] == 1
    # What a person has confirmed is published with it, in one go.
    a = page.commit(page.prepare(what="policy", names=["root-group"], section="group", add=["first"]).json)
    assert a.json["published"] == {"state": "done", "version": 2, "error": None}, a.body
    version, files = listed(page)
    assert version == 2 and "root-group_1-1.wapt" in files
    # But nothing that came another way meanwhile: that is shown first.
    o.console("upload", o.package("slipped-in", "1.0-1", "Developer", o.base / "ran"), "--trusted", o.agent / "ssl")
    a = page.commit(page.prepare(what="policy", names=["root-group"], add=["slipped-in"]).json)
    assert a.json["published"]["state"] == "waiting" and "slipped-in" in a.json["published"]["error"] and listed(page)[0] == 2, a.body
    p = page.prepare(what="publish").json
    assert {(f["file"], f["change"]) for f in p["details"]["files"]} == {("slipped-in_1.0-1.wapt", "added"), ("root-group_1-2.wapt", "added")}
    a = page.commit(p, says=("publish list 3", "slipped-in"))
    assert a.json["version"] == 3 and "slipped-in_1.0-1.wapt" in listed(page)[1], a.body
    # A server that goes back is found out before anything is signed.
    kept = (page.known / "last.json").read_bytes()
    for f in (o.base / "server").rglob("3.published.json"):
        f.unlink()
    assert page.prepare(what="publish").code in ("refused", "not_found"), "rolled back"
    assert (page.known / "last.json").read_bytes() == kept


def test_what_a_killed_program_left_is_taken_away(org):
    """The next one of the same account removes it; what a living program holds, what is others', a link, or only looks like it, stays."""
    page = Page(org, "killed")
    page.drop(b"x" * 1000, "a.wapt")
    temp = page.seat.temp
    (left,), (reader,) = temp.glob("wapt-dropped-*"), temp.glob("wapt-reader-*")
    assert len(page.staged()) == 1
    page.seat.end(signal.SIGKILL)
    assert left.exists() and reader.exists()
    precious = org.base / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    (left / "way-out").symlink_to(precious)
    held, foreign, shared, young = (temp / f"wapt-dropped-{c * 24}" for c in "abcd")
    for folder, mode in ((held, 0o700), (foreign, 0o700), (shared, 0o755), (young, 0o700)):
        folder.mkdir(mode)
    link, named, kept = temp / f"wapt-dropped-{'e' * 24}", temp / "wapt-dropped-notes", temp / f"wapt-other-{'f' * 24}"
    link.symlink_to(precious)
    os.chown(foreign, 65534, 65534)
    for folder in (named, kept):
        folder.mkdir(0o700)
    before = time.time() - 3600
    for path in (left, reader, held, foreign, shared, link, named, kept):
        os.utime(path, (before, before), follow_symlinks=False)
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    page = Page(org, "killed")
    try:
        until(lambda: not left.exists() and not reader.exists(), "it is taken away")
        assert all(path.exists() for path in (held, foreign, shared, young, named, kept)) and link.is_symlink()
        assert (precious / "file").read_text() == "precious"
        page.drop(b"y", "b.wapt")
    finally:
        os.close(lock)
        page.seat.end()


def test_what_a_killed_program_was_putting_together_is_taken_away(org, marker):
    """The next folder of the same kind that is made takes the left ones with it, but for those that somebody holds; of a kind by itself."""
    page = Page(org, "cut")
    temp, kinds = page.seat.temp, ("intake", "policy", "making")

    def left():
        return {k: set(temp.glob(f"wapt-{k}-*")) for k in kinds}

    def begin():
        file = page.drop(package(org, "drop-cut", "Developer", marker, version=f"{next(versions)}-1"), "cut.wapt")
        assert page.prepare(what="upload", files=[file]).status == 200
        assert page.prepare(what="policy", section="group", names=["drop-cut"], add=["drop-good"]).status == 200
        assert page.ask("POST", "/local/make", {"files": []}).status == 200
    versions = iter(range(1, 9))
    begin()
    page.seat.end(signal.SIGKILL)
    first = left()
    assert first["intake"] and first["policy"], first
    # As if an hour had gone by; one of each kind is another program's, which lives.
    held = {k: temp / f"wapt-{k}-{'a' * 24}" for k in kinds}
    stale = temp / f"wapt-making-{'b' * 24}"
    for folder in (*held.values(), stale):
        folder.mkdir(0o700)
    before = time.time() - 3600
    for folder in set().union(*left().values()):
        os.utime(folder, (before, before))
    locks = [os.open(folder, os.O_RDONLY) for folder in held.values()]
    for lock in locks:
        fcntl.flock(lock, fcntl.LOCK_EX)
    page = Page(org, "cut")
    try:
        begin()
        now = left()
        assert not stale.exists()
        for k in kinds:
            assert not first[k] & now[k] and held[k] in now[k], (k, first, now)
    finally:
        for lock in locks:
            os.close(lock)
        page.seat.end()
