"""A package made in the page of an installer that was dropped there: what the console reads of it and who reads it, hostile installers, the
reading process killed; and what lint says of packages that are dropped."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import zipfile

import pytest
from conftest import BIN, LIB, until
from test_console_drop import Page, names, package
from test_packager import KINDS, PNG, appx_zip, make_deb, make_msi, make_msix, make_png

MSI, EXE, ZIP, DEB, RPM = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"MZ", b"PK\3\4", b"!<arch>\ndebian-binary", b"\xED\xAB\xEE\xDB"


@pytest.fixture(scope="module")
def page(org):
    p = Page(org, "make", config="default_package_prefix = own\ndefault_maturity = DEV\n")
    yield p
    p.seat.end()
    assert not list(p.seat.temp.iterdir())


def dropped(page, path):
    """A file, or all of a folder, as a page names them."""
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    return [page.drop(f.read_bytes(), str(f.relative_to(path.parent))) for f in files]


def ask(page, files, made=None, setup=None):
    more = {k: v for k, v in (("made", made), ("setup", setup)) if v is not None}
    return page.ask("POST", "/local/make", {"files": files, **more})


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def roles(page):
    """The processes around the one that reads, of a page's program, by their roles."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words, environment = ((process / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
        except OSError:
            continue
        if len(words) > 2 and words[1].startswith(b"role:read") and any(v.startswith(b"TMPDIR=" + bytes(page.seat.temp) + b"/") for v in environment):
            found.setdefault(words[1].decode()[5:], []).append(int(process.name))
    return found


def reading(page):
    """The keeper and the process that reads."""
    seen = {}

    def is_so():
        seen.clear()
        seen.update(roles(page))
        return {k: len(v) for k, v in seen.items()} == {"reader": 1, "reader-heir": 1, "reading": 1}
    until(is_so, "somebody reads")
    (keeper,), (worker,) = seen["reader"], seen["reading"]
    assert keeper in children(page.seat.pid) and worker in children(keeper)
    return keeper, worker


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "none"])
def test_what_an_installer_says_is_proposed(page, tmp_path, kind):
    make, attributes, words = KINDS[kind]
    files = dropped(page, make(tmp_path))
    a = ask(page, files)
    assert a.status == 200, a.body
    said = a.json
    wanted = dict(attributes, kind=kind, package=attributes["package"].replace("tis-", "own-"), maturity="DEV", maintainer="Developer")
    assert {k: said["made"][k] for k in wanted} == wanted and all(w in said["setup"] for w in words), said
    assert (said["checks"] or kind == "rpm") and [f for f in said["findings"] if f["level"] != "note"] == [], said
    # The same again, as the page gives it back: nothing is read for that.
    b = ask(page, files, said["made"]).json
    assert (b["made"], b["control"], b["setup"]) == (said["made"], said["control"], said["setup"])
    for f in files:
        page.ask("DELETE", f"/local/files/{f['id']}")


def test_what_is_typed_is_judged_by_the_rules_of_lint(page, tmp_path):
    files = dropped(page, make_deb(tmp_path))
    made = ask(page, files).json["made"]

    def found(setup=None, **changes):
        return {(f["level"], f["rule"], f["field"]) for f in ask(page, files, {**made, **changes}, setup).json["findings"] if f["level"] != "note"}
    assert found() == set()
    assert found(package="a b") >= {("error", "package-name", "package")}
    assert found(package="Tool") == {("warning", "package-name", "package")} and found(package="tool") == {("warning", "name-prefix", "package")}
    assert found(version="x") == {("error", "version", "version")} and found(architecture="sparc") == {("error", "architecture", "architecture")}
    assert found(section="nonsense") == {("warning", "section", "section")} and found(depends="a(>>1)") == {("error", "requirement", "depends")}
    assert {r for _, r, _ in found(description="two\n\nlines: x")} >= {"control-syntax"}
    assert {r for _, r, _ in found(setup="def install(:\n")} == {"setup-syntax"}
    assert {r for _, r, _ in found(setup="def install():\n    input()\n")} >= {"asks"}
    # What can't be built is not even shown.
    assert page.prepare(what="make", files=files, made={**made, "version": "x"}).code == "invalid"
    assert "setup.py:1" in page.prepare(what="make", files=files, made=made, setup="def install(:\n").json["error"]["message"]
    assert page.prepare(what="make", files=files).code == "invalid"
    for wrong in ({**made, "kind": "folder"}, {**made, "kind": "none"}, {**made, "kind": "x"}, {**made, "evil": "x"}, {**made, "package": "x" * 100000}):
        assert ask(page, files, wrong).code in ("invalid", "limit"), wrong


def test_made_signed_published_and_installed(org, page, tmp_path):
    target = org.base / "made-target"
    (tmp_path / "tool/bin").mkdir(parents=True)
    (tmp_path / "tool/bin/run").write_text("#!/bin/sh\necho made\n")
    (tmp_path / "tool/data.txt").write_text("some data\n")
    files = dropped(page, tmp_path / "tool")
    said = ask(page, files).json
    made = {**said["made"], "version": "3.1-2", "description": "made in a page", "maturity": ""}
    setup = said["setup"].replace("TARGET = makepath('/opt', FOLDER)", f"TARGET = {str(target)!r}")
    assert setup != said["setup"]
    p = page.prepare(what="make", files=files, made=made, setup=setup).json
    shown = {line["label"]: line["value"] for line in p["lines"]}
    assert p["needs"] == "gesture" and shown["Package"] == "own-tool" and shown["Version"] == "3.1-2" and "Takes the place of" not in shown, p
    assert p["details"]["setup"] == setup and "version           : 3.1-2" in p["details"]["control"], p
    digest = hashlib.sha256(setup.encode()).hexdigest()
    assert f"{len(setup)} bytes, SHA-256 {digest}" in shown["setup.py"], shown
    assert [(f["name"], f["size"]) for f in p["details"]["files"]] == [("tool/bin/run", 20), ("tool/data.txt", 10)]
    a = page.commit(p, says=("make own-tool 3.1-2", "tool/data.txt, 10 bytes, SHA-256", digest))
    assert a.status == 200 and [(x["package"], x["code"]) for x in a.json["packages"]] == [("own-tool", "ok")], a.body
    assert names(org)["own-tool", "3.1-2", ""]["signer"] == "Developer"
    with zipfile.ZipFile(next((org.base / "server").rglob(a.json["packages"][0]["file"]))) as z:
        modes = {i.filename: i.external_attr >> 16 & 0o777 for i in z.infolist()}
    assert (modes["tool/bin/run"], modes["tool/data.txt"], modes["setup.py"]) == (0o755, 0o644, 0o644)  # a browser tells no modes
    org.get("update")
    org.get("install", "own-tool")
    assert (target / "data.txt").read_text() == "some data\n" and (target / "bin/run").exists()
    org.get("remove", "own-tool")
    assert not target.exists()
    # Once more, under the same name: that it takes another's place is said.
    p = page.prepare(what="make", files=files, made=made, setup=setup).json
    assert {line["label"]: line["value"] for line in p["lines"]}["Takes the place of"] == a.json["packages"][0]["file"]
    assert page.ask("DELETE", f"/local/prepare/{p['id']}").status == 200


def test_an_icon_is_chosen_and_shown_and_signed(org, page, tmp_path):
    """The installer's own, another one, none; and what can't be one is refused and leaves what was there."""
    icon = lambda answer: answer["icon"] and base64.b64decode(answer["icon"])
    files = dropped(page, make_msix(tmp_path))
    said = ask(page, files).json
    assert icon(said) == PNG and said["made"]["package"] == "own-acme-draw"
    own, text = page.drop(make_png(side=64), "own.png"), page.drop(b"no picture", "text.png")
    more = {"files": files, "made": said["made"]}
    assert icon(page.ask("POST", "/local/make", {**more, "icon": own["id"]}).json) == make_png(side=64)
    assert icon(page.ask("POST", "/local/make", {**more, "icon": ""}).json) is None
    a = page.ask("POST", "/local/make", {**more, "icon": text["id"]})
    assert a.code == "invalid" and "no PNG of at most" in a.json["error"]["message"], a.body
    for wrong in ("../../etc/passwd", "0" * 32, 5, None, [own["id"]]):
        assert page.ask("POST", "/local/make", {**more, "icon": wrong}).code in ("not_found", "invalid", "limit"), wrong
        assert page.prepare(what="make", **more, icon=wrong).status != 200, wrong
    assert page.prepare(what="make", **more, icon=text["id"]).code == "invalid"
    for name, given, wanted in (("own", {"icon": own["id"]}, make_png(side=64)), ("app", {}, PNG), ("bare", {"icon": ""}, None)):
        made = {**said["made"], "package": f"own-icon-{name}", "maturity": ""}
        p = page.prepare(what="make", files=files, made=made, **given).json
        shown = {line["label"]: line["value"] for line in p["lines"]}
        assert icon(p["details"]) == wanted and shown.get("Icon") == (wanted and f"{len(wanted)} bytes, SHA-256 {hashlib.sha256(wanted).hexdigest()}"), shown
        a = page.commit(p, says=(f"make own-icon-{name}", *([hashlib.sha256(wanted).hexdigest()] if wanted else [])))
        assert [x["code"] for x in a.json["packages"]] == ["ok"], a.body
        with zipfile.ZipFile(next((org.base / "server").rglob(a.json["packages"][0]["file"]))) as z:
            assert ("WAPT/icon.png" in z.namelist()) == (wanted is not None) and (wanted is None or z.read("WAPT/icon.png") == wanted)
    # What a repository's clients are shown: the server has taken the icons out of the packages.
    shown = {f.read_bytes() for f in (org.base / "server").rglob("icons/*.png")}
    assert {PNG, make_png(side=64)} <= shown
    # The page of a package shows it, too; nothing else of the repository passes there.
    rows = {p["package"]: p["package_uuid"] for p in page.ask("GET", "/api/v1/packages?limit=1000").json["packages"]}
    got = page.ask("GET", f"/local/icons/{rows['own-icon-own']}.png")
    assert (got.status, got.body) == (200, make_png(side=64)), got.body[:200]
    assert page.ask("GET", f"/local/icons/{rows['own-icon-bare']}.png").status == 404
    for path in ("/local/icons/../Packages", "/local/icons/%2e%2e%2fx.png", "/local/icons/a/b.png"):
        assert page.ask("GET", path).status in (400, 404), path
    for f in (*files, own, text):
        page.ask("DELETE", f"/local/files/{f['id']}")


def test_a_msi_becomes_a_package(org, page, tmp_path):
    files = dropped(page, make_msi(tmp_path))
    made = ask(page, files).json["made"]
    p = page.prepare(what="make", files=files, made={**made, "uninstallkey": "{11111111-2222-3333-4444-555555555555}"}).json
    a = page.commit(p)
    assert [x["code"] for x in a.json["packages"]] == ["ok"], a.body
    (tmp_path / "out").mkdir()
    file = next((org.base / "server").rglob(a.json["packages"][0]["file"]))
    (told,) = json.loads(org.get("verify", "--json", "-t", org.agent / "ssl", file).stdout)["result"]
    assert told["good"] and told["package"] == "own-acme-notes" and told["has_setup_py"], told


HOSTILE = {"cut.msi": MSI + b"\xff" * 2000, "lying.msi": MSI + b"\0" * 16 + b"\xff" * 496, "cut.exe": EXE + b"\0" * 100,
           "lying.exe": EXE + b"\xff" * 4000, "cut.deb": DEB + b"   zz", "lying.deb": DEB + b"   0           0     0     100644  99999999999`\n2.0\n",
           "cut.rpm": RPM + b"\3\0" * 500, "list.rpm": RPM + b"\n/etc/passwd\nhttp://127.0.0.1:1/x\n", "text.txt": b"no installer\n",
           "cut.msix": ZIP + b"\xff" * 4000, "plain.zip": appx_zip({"a": (b"a", True)}),
           "entity.msix": appx_zip({"AppxManifest.xml": (b"<!DOCTYPE a [<!ENTITY a 'b'>]><Package>&a;</Package>", True)})}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_installer_is_named_and_nothing_is_lost(page, name):
    before = page.staged()
    one = page.drop(HOSTILE[name], name)
    a = ask(page, [one])
    assert a.code == "invalid" and name in a.json["error"]["message"], a.body
    assert page.staged() == sorted([*before, one["id"]])
    page.ask("DELETE", f"/local/files/{one['id']}")


def test_names_of_files_stay_below_the_package(page):
    one = page.drop(b"x", "x")
    for bad in ("../x", "/etc/passwd", "a/../../x", "a\\x", "WAPT/control", "setup.py", "a:x", "con/x", ""):
        a = ask(page, [{"id": one["id"], "name": bad}], {"kind": "folder", "package": "a-b"})
        assert a.code == "invalid", (bad, a.body)
    assert ask(page, [{"id": one["id"], "name": "a/x"}, {"id": one["id"], "name": "b/x"}]).code == "invalid"
    assert ask(page, [{"id": one["id"], "name": "x"}, {"id": one["id"], "name": "y"}]).code == "invalid"
    for wrong in ("../../etc/passwd", "../" * 7 + "/etc/passwd"):  # the second is as long as an identifier is
        assert ask(page, [{"id": wrong, "name": "a/x"}]).code in ("not_found", "limit"), wrong
        assert page.prepare(what="upload", files=[{"id": wrong, "name": "x.wapt"}]).code in ("not_found", "limit"), wrong
    # Twice the same name: refused when it is put together.
    twice = [{"id": one["id"], "name": "a/x"}] * 2
    made = ask(page, twice).json["made"]
    assert page.prepare(what="make", files=twice, made=made).code == "exists"
    page.ask("DELETE", f"/local/files/{one['id']}")


def killed_while_reading(page, files):
    """The answer to a question whose reader was killed over it. Tried until the middle is met."""
    while True:
        worker, told = reading(page)[1], []
        t = threading.Thread(target=lambda into=told: into.append(ask(page, files)))
        t.start()
        while t.is_alive() and not children(worker):
            pass
        os.kill(worker, signal.SIGSTOP)
        is_met = bool(children(worker))
        os.kill(worker, signal.SIGKILL)
        t.join()
        if is_met and told[0].status != 200:
            return told[0]


def test_the_process_that_reads_may_die(page, tmp_path):
    keeper, worker = reading(page)
    files = dropped(page, make_deb(tmp_path))
    # Killed while nobody asks: the next one reads.
    os.kill(worker, signal.SIGKILL)
    until(lambda: roles(page).get("reading") not in (None, [worker]), "another one has taken its place")
    until(lambda: ask(page, files).status == 200, "it reads")
    # Killed before it took the question, or while there is none: the next one takes it, and nobody notices.
    worker = reading(page)[1]
    os.kill(worker, signal.SIGSTOP)
    told = []
    t = threading.Thread(target=lambda: told.append(ask(page, files)))
    t.start()
    until(lambda: pathlib.Path(f"/proc/{worker}/stat").read_text().split()[2] == "T", "it stands still")
    os.kill(worker, signal.SIGKILL)
    t.join()
    assert told[0].status == 200, told[0].body
    # Killed in the middle, when it has started a program that reads: whoever waits is told, and another try works.
    told = killed_while_reading(page, files)
    assert told.code == "failed" and "killed: try again" in told.json["error"]["message"], told.body
    assert ask(page, files).status == 200
    for f in files:
        page.ask("DELETE", f"/local/files/{f['id']}")


# What a program tries that a hostile installer has taken over: each of these that works is told, in place of a property.
TAKEN_OVER = """import os, socket
worked = []
def tries(name, what, *args):
    try:
        what(*args)
    except OSError:
        return
    worked.append(name)
def reads(path):
    os.close(os.open(path, os.O_RDONLY))
def writes(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
for name, path in %(reads)r.items():
    tries(name, reads, path)
for name, path in %(writes)r.items():
    tries(name, writes, path)
tries("connects", lambda: socket.create_connection(("127.0.0.1", %(port)d), 5))
tries("itself", reads, "/proc/self/fd/0")
tries("scratch", writes, os.environ["TMPDIR"] + "/x")
print("ProductName\\t" + " ".join(worked))
"""


@contextlib.contextmanager
def hostile(tmp_path, files):
    """A folder of our own programs in which the one that reads a .exe is an attacker's; nobody's rights on files keep him out."""
    lib = tmp_path / "lib"
    shutil.copytree(LIB, lib, ignore=shutil.ignore_patterns("__pycache__"))
    private = tmp_path / "private"
    private.write_text("a person's")
    private.chmod(0o666)
    for folder in (lib, tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o005 == 0o005:
            folder.chmod(0o755)
    tmp_path.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = {"reads": {"private": str(private), "terminal": "/dev/tty", **files}, "writes": {"over": str(private), "new": str(tmp_path / "new")},
                 "port": listener.getsockname()[1]}
        (lib / "wapt_probe.py").write_text(TAKEN_OVER % words)
        yield lib


def test_what_reads_an_installer_reads_that_file_alone(org, tmp_path):
    """Taken over by a hostile installer it finds no other file, of what was dropped neither, nor the terminal, nor the network."""
    files = {}
    with hostile(tmp_path, files) as lib:
        p = Page(org, "taken", lib=lib)
        try:
            other, one = p.drop(b"another installer", "other.exe"), p.drop(EXE + b"hostile", "hostile.exe")
            (folder,) = p.seat.temp.glob("wapt-dropped-*")
            terminal = os.readlink(f"/proc/{p.seat.pid}/fd/0")
            assert terminal.startswith("/dev/pts/")
            for path in (folder, p.seat.temp, p.seat.temp.parent):
                path.chmod(0o755)
            os.chmod(terminal, 0o666)
            text = (lib / "wapt_probe.py").read_text()
            (lib / "wapt_probe.py").write_text(text.replace("'private':", f"'dropped': {str(folder / other['id'])!r}, 'pts': {terminal!r}, 'private':", 1))
            assert ask(p, [one]).json["made"]["software"] == "itself scratch"
        finally:
            p.seat.end()


def test_so_does_the_command(org, tmp_path):
    (tmp_path / "hostile.exe").write_bytes(EXE + b"hostile")
    with hostile(tmp_path, {}) as lib:
        made = subprocess.run([BIN / "wapt-get", "make-template", tmp_path / "hostile.exe", "tis-x", tmp_path / "made"], env={**os.environ, "WAPT_LIBDIR": str(lib)},
                              check=False, capture_output=True, text=True, timeout=60)
        assert made.returncode == 0, made
    assert re.search(r"^name +: (.*)$", (tmp_path / "made/WAPT/control").read_text(), re.MULTILINE)[1] == "itself scratch"


def test_each_of_its_keepers_may_be_killed(org, tmp_path):
    p = Page(org, "keeperless")
    reading(p)
    files = dropped(p, make_deb(tmp_path))
    for killed in (["reader"], ["reader-heir"], ["reader-heir"], ["reader-heir", "reading"], ["reader-heir"]):
        before = roles(p)
        for role in killed:
            os.kill(before[role][0], signal.SIGKILL)
        until(lambda: ask(p, files).status == 200, "another one reads")
        until(lambda: {k: len(v) for k, v in roles(p).items() if k != "reader"} == {"reader-heir": 2, "reading": 1}, "there is a keeper and its heir")
        assert all(before[role][0] not in roles(p).get(role, ()) for role in killed)
    # All at once, before any can start another: that is said, and what needs no reading still works.
    everybody = sum(roles(p).values(), [])
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not roles(p), "all are gone")
    a = ask(p, files)
    assert a.code == "failed" and "open the console again" in a.json["error"]["message"], a.body
    assert ask(p, []).status == 200
    p.seat.end()


def test_they_end_with_the_console_however_it_ends(org):
    for how in (signal.SIGTERM, signal.SIGKILL):
        p = Page(org, "endings")
        keeper, _ = reading(p)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: set(roles(p)) == {"reader-heir", "reading"}, "the heir keeps it")
        p.seat.end(how)
        until(lambda: not roles(p), "nobody is left")


def test_lint_speaks_of_what_is_dropped(org, page):
    marker = org.base / "lint-executed"
    p = page.prepare(what="upload", files=[page.drop(package(org, "drop-lint", "Developer", marker), "lint.wapt")]).json
    said = [line["value"] for line in p["lines"] if line["label"] == "Mind"]
    assert any("setup.py:1" in s for s in said), said
    assert [(f["rule"], f["line"]) for f in p["details"]["packages"][0]["findings"] if f["file"] == "setup.py" and f["level"] == "warning"] == [("module-code", 1)], p
    assert not marker.exists()
