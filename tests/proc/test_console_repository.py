"""Packages of others under one's own signature: what may come in, what is refused before it is signed, and how a package goes through its maturities."""
import functools
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
import zipfile

import pytest
from conftest import BIN, end, run, until


def build(org, name, version, who, marker, depends="", maturity=""):
    """A package whose script, were it only loaded, would leave the marker."""
    src = org.base / "foreign-src" / f"{name}-{version}-{who}"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text(
        f"package           : {name}\nversion           : {version}\narchitecture      : all\nsection           : base\npriority          : optional\n"
        f"maintainer        : {who}\ndescription       : test\ntarget_os         : all\ndepends           : {depends}\nmaturity          : {maturity}\n",
        encoding="utf-8")
    (src / "setup.py").write_text(f"open({str(marker)!r}, 'a').write({name!r})\n\n\ndef install():\n    pass\n\n\ndef uninstall():\n    pass\n", encoding="utf-8")
    return org.build(src, who)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Foreign:
    """Somebody else's repository: a folder, and the same over https."""

    def __init__(self, org):
        base = org.base / "foreign"
        self.dir, self.trusted, self.marker = base / "wapt", base / "trusted", base / "executed"
        self.dir.mkdir(parents=True)
        self.trusted.mkdir()
        org.keycert("Intruder", "--code-signing")
        shutil.copy(org.cert("Stranger"), self.trusted)
        for name, version, who, depends in (("tis-tool", "2.0-1", "Stranger", "tis-lib(>=1.1),other-thing"), ("tis-tool", "1.0-1", "Stranger", ""),
                                            ("tis-lib", "1.2-1", "Stranger", ""), ("tis-lib", "1.0-1", "Stranger", ""),
                                            ("tis-bad", "1.0-1", "Intruder", ""), ("tis-torn", "1.0-1", "Stranger", "")):
            shutil.copy(build(org, name, version, who, self.marker, depends), self.dir)
        run(BIN / "wapt-scanpackages", self.dir)
        torn = self.dir / "tis-torn_1.0-1.wapt"
        with zipfile.ZipFile(torn) as z:
            parts = {n: z.read(n) for n in z.namelist()}
        parts["setup.py"] = parts["setup.py"].replace(b"pass", b"nope", 1)
        with zipfile.ZipFile(torn, "w") as z:
            for n, data in parts.items():
                z.writestr(n, data)
        crt, key = base / "tls.crt", base / "tls.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", crt], check=True, capture_output=True)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=base))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url, self.fingerprint = f"https://127.0.0.1:{self.server.server_port}/wapt", org.fingerprint(crt)


@pytest.fixture(scope="module")
def foreign(org):
    f = Foreign(org)
    yield f
    f.server.shutdown()
    f.server.server_close()


def signing(org, who="Developer"):
    return ("-k", org.cert(who), "-w", org.base / "pw")


def ours(org, name):
    """{(version, maturity): package} of the server."""
    rows = json.loads(org.console("packages", "--package", name, "--json").stdout)["result"]
    return {(p["version"], p["maturity"]): p for p in rows}


def test_nothing_comes_in_unseen(org, foreign):
    take = ("import", "--from", foreign.dir, "--trusted", foreign.trusted)
    plan = json.loads(org.console(*take, "tis-tool", "--prefix", "acme", "--maturity", "DEV", "--dry-run", "--json").stdout)["result"]
    tool, lib = plan["packages"]
    assert (tool["package"], tool["version"], tool["becomes"], tool["becomes_maturity"], tool["signer"]) == ("tis-tool", "2.0-1", "acme-tool", "DEV", "Stranger")
    assert (tool["depends"], tool["needed_by"], tool["here"]) == ("acme-lib(>=1.1),other-thing", None, None)
    assert (lib["becomes"], lib["version"], lib["needed_by"]) == ("acme-lib", "1.2-1", "tis-tool")
    assert plan["missing"] == ["other-thing, needed by tis-tool"] and tool["size"] > 0
    assert not ours(org, "acme-tool")  # it was only shown
    # Signed by nobody who is trusted there; without trust at all; over what is not encrypted; as it is not there.
    assert "no trusted certificate" in org.console(*take, "tis-bad", "--yes", *signing(org), ok=False).text
    assert "--trusted" in org.console("import", "--from", foreign.dir, "tis-tool", ok=False).text
    assert "https" in org.console("import", "--from", "http://127.0.0.1/wapt", "tis-tool", ok=False).text
    assert "no package there" in org.console(*take, "tis-tool(>=3)", "--yes", *signing(org), ok=False).text
    # Its bytes are not what was signed.
    torn = org.console(*take, "tis-torn", "--yes", *signing(org), ok=False)
    assert "setup.py" in torn.text and not ours(org, "tis-torn")
    # A server whose certificate is not known.
    assert "certificate" in org.console("import", "--from", foreign.url, "--trusted", foreign.trusted, "tis-tool", ok=False).text
    assert not foreign.marker.exists()


def test_imported_promoted_and_installed(org, foreign):
    take = ("import", "--from", foreign.url, "--from-fingerprint", foreign.fingerprint, "--trusted", foreign.trusted, "--prefix", "acme", "--maturity", "DEV", "--yes")
    # Who may not sign code takes over no code.
    refused = org.console(*take, "tis-lib", *signing(org, "Deployer"), ok=False)
    assert "codeSigning" in refused.text and not ours(org, "acme-lib")
    done = json.loads(org.console(*take, "tis-tool", *signing(org), "--json").stdout)["result"]
    assert [(p["becomes"], p["code"]) for p in done["packages"]] == [("acme-tool", "ok"), ("acme-lib", "ok")]
    tool = ours(org, "acme-tool")["2.0-1", "DEV"]
    assert (tool["signer"], tool["depends"]) == ("Developer", "acme-lib(>=1.1),other-thing")
    # What is here is not taken again, nor is it needed again.
    assert json.loads(org.console(*take, "tis-tool", "--newer", "--json").stdout)["result"]["current"] == 1
    # From DEV by PREPROD to PROD.
    trusted = ("--trusted", org.agent / "ssl", "--yes", *signing(org))
    org.console("promote", "acme-lib", *trusted, ok=False)  # it is not PREPROD yet
    org.console("promote", "acme-lib", "--to", "PREPROD", *trusted)
    assert set(ours(org, "acme-lib")) == {("1.2-1", "DEV"), ("1.2-1", "PREPROD")}
    org.console("promote", "acme-lib", "--remove-old", *trusted)
    assert set(ours(org, "acme-lib")) == {("1.2-1", "DEV"), ("1.2-1", "PROD")}
    # Under another prefix, with what it needs; those of before stay.
    renamed = json.loads(org.console("resign", "acme-tool", "--prefix", "corp", "--maturity", "PREPROD", *trusted, "--json").stdout)["result"]["packages"]
    assert {(p["package"], p["becomes"], p["becomes_maturity"], p["code"]) for p in renamed} == {
        ("acme-tool", "corp-tool", "PREPROD", "ok"), ("acme-lib", "corp-lib", "PREPROD", "ok")}, renamed
    assert ours(org, "corp-tool")["2.0-1", "PREPROD"]["depends"] == "corp-lib(>=1.1),other-thing" and ours(org, "acme-tool")
    # By a certificate that took the other's place; then a machine takes it.
    org.keycert("Successor", "--code-signing", by="Authority")
    again = json.loads(org.console("resign", "acme-lib", "--signer", "Developer", "--trusted", org.agent / "ssl", "--yes", *signing(org, "Successor"), "--json").stdout)
    assert [p["code"] for p in again["result"]["packages"]] == ["ok", "ok"]
    assert {p["signer"] for p in ours(org, "acme-lib").values()} == {"Successor"}
    assert not foreign.marker.exists()  # nothing has run so far
    org.get("update")
    org.get("install", "acme-lib")
    assert foreign.marker.read_text() == "tis-lib"  # its script, on the machine
    # Before it goes: who has it, and who needs it.
    org.get("update-status")
    files = [p["file"] for p in ours(org, "acme-lib").values()]

    def warned(*which):
        return json.loads(org.console("delete-package", *which, "--dry-run", "--json").stdout)["result"]
    until(lambda: warned(files[0])[0]["hosts"] == 1, "the server knows that the machine has it")
    assert [w["needed_by"] for w in warned(files[0])] == [[]]  # the other one would do
    assert sorted(sum((w["needed_by"] for w in warned(*files)), [])) == ["acme-tool"]
    assert "--yes" in org.console("delete-package", files[0], "--json", ok=False).text and len(ours(org, "acme-lib")) == 2


def test_what_is_downloaded_is_what_was_asked_for(org, foreign):
    """A repository gives another good package under that name."""
    out, ini = org.base / "asked-for", org.base / "asked-for.ini"
    out.mkdir()
    ini.write_text(f"[global]\nrepo_url = {foreign.url}\nserver_fingerprint = {foreign.fingerprint}\npublic_certs_dir = {foreign.trusted}\n")

    def download(what, ok=True):
        return run(BIN / "waptconsole", "download", what, "--config", ini, "-o", out, "--json", ok=ok)
    wanted, other = foreign.dir / "tis-lib_1.2-1.wapt", foreign.dir / "tis-tool_1.0-1.wapt"
    good = wanted.read_bytes()
    assert download("tis-lib").returncode == 0 and (out / wanted.name).read_bytes() == good
    (out / wanted.name).unlink()
    try:
        for lie in (other, foreign.dir / "tis-lib_1.0-1.wapt"):  # another one; an older one
            shutil.copy(lie, wanted)
            a = download("tis-lib", ok=False)
            assert "another package" in a.text and not list(out.iterdir()), a.text
    finally:
        wanted.write_bytes(good)


def test_files_come_in_too(org, foreign):
    file = foreign.dir / "tis-tool_1.0-1.wapt"
    out = org.base / "foreign-out"
    out.mkdir()
    assert "no trusted certificate" in run(BIN / "waptconsole", "import", file, "--trusted", org.agent / "ssl", "-o", out, "--yes", *signing(org), ok=False).text
    made = run(BIN / "waptconsole", "import", file, "--trusted", foreign.trusted, "-o", out, "--prefix", "own", "--yes", *signing(org)).stdout.split()[-1]
    assert made.endswith("/own-tool_1.0-1.wapt")
    assert json.loads(run(BIN / "wapt-get", "verify", made, "--trusted", org.agent / "ssl", "--json").stdout)["ok"]
    assert "nothing to do" not in org.console("import", made, "--trusted", org.agent / "ssl", "--yes", *signing(org)).text
    until(lambda: ("1.0-1", "") in ours(org, "own-tool"), "it is published")


def own(org):
    """What the machine's own package assigns and excludes."""
    out = org.base / "own"
    out.mkdir(exist_ok=True)
    (row,) = json.loads(org.console("download", org.uuid, "--trusted", org.agent / "ssl", "-o", out, "--json").stdout)["result"]
    text = zipfile.ZipFile(row["file"]).read("WAPT/control").decode()
    (out / f"{org.uuid}.wapt").unlink()
    found = dict(line.split(":", 1) for line in text.splitlines())
    found = {k.strip(): v.strip() for k, v in found.items()}
    return found["depends"], found["conflicts"], int(found["version"])


def test_machines_are_assigned_packages(org, foreign):
    def assign(*argv, ok=True, who="Deployer", trusted=org.agent / "ssl", hosts=None):
        done = org.console("assign", "--hosts", hosts or org.uuid, "--trusted", trusted, "--json", *argv, *signing(org, who), ok=ok)
        return json.loads(done.stdout)["result"] if ok else done.text

    def plan(*argv, ok=True):
        done = json.loads(org.console("plan", org.uuid, "--trusted", org.agent / "ssl", "--json", *argv, ok=ok).stdout)["result"]
        return {(s["action"], s["package"], s["version"]): s["why"] for s in done["steps"]}, [p["package"] for p in done["problems"]]

    # What an upgrade would do with it, before anything is signed; then as it is.
    steps, problems = plan("--add-depends", "own-tool")
    assert org.uuid in steps["install", "own-tool", "1.0-1"] and not problems, (steps, problems)
    assert plan("--add-depends", "own-tool,tis-none", ok=None)[1]
    steps, _ = plan("--add-depends", "acme-lib(>=9)", ok=None)
    assert not [k for k in steps if k[1] == "acme-lib"]
    assert not [k for k in plan(ok=None)[0] if k[1] == "own-tool"]
    (row,) = assign("--add-depends", "acme-lib,grp-a(>=2)", "--add-conflicts", "tis-rival", "--dry-run")
    assert (row["uuid"], row["changed"], row["code"]) == (org.uuid, False, "ok")
    assert {"kind": "depends", "before": None, "after": "acme-lib"} in row["changes"]
    (row,) = assign("--add-depends", "acme-lib,grp-a(>=2)", "--add-conflicts", "tis-rival", "--yes")
    depends, conflicts, version = own(org)
    assert row["changed"] and {"acme-lib", "grp-a(>=2)"} <= set(depends.split(",")) and "tis-rival" in conflicts.split(",")
    # Another change keeps the rest; the version grows, also within a second.
    (row,) = assign("--add-depends", "grp-a(>=3)", "--remove-depends", "grp-none", "--remove-conflicts", "tis-rival", "--yes")
    assert row["changes"] == [{"kind": "depends", "before": "grp-a(>=2)", "after": "grp-a(>=3)"}, {"kind": "conflicts", "before": "tis-rival", "after": None}]
    after = own(org)
    assert {"acme-lib", "grp-a(>=3)"} <= set(after[0].split(",")) and "tis-rival" not in after[1].split(",") and after[2] > version
    # Who removes what it needs is told which machines are assigned it, once nothing of that name would stay.
    files = [p["file"] for p in ours(org, "acme-lib").values()]
    assert len(files) == 2
    name = org.hosts()[0]["name"]

    def told(*which):
        rows = json.loads(org.console("delete-package", *which, "--dry-run", "--json").stdout)["result"]
        return [(r["assigned_to"]["total"], r["assigned_to"]["names"]) for r in rows]
    assert told(files[0]) == [(0, [])] and told(*files) == [(0, []), (1, [name])]
    text = org.console("delete-package", *files, "--dry-run").stdout
    assert text.count("1 machine is assigned it by its own package") == 1 and f"\n    {name}\n" in text
    (row,) = assign("--add-depends", "acme-lib", "--yes")
    assert not row["changed"] and row["changes"] == [] and own(org) == after
    # What cannot be, and what nobody trusted has signed: nothing is signed, nothing changes.
    assert "assigned and excluded" in assign("--add-conflicts", "acme-lib", "--yes", ok=False)
    assert "come and go" in assign("--add-depends", "a", "--remove-depends", "a", "--yes", ok=False)
    assert "no trusted certificate" in assign("--add-depends", "b", "--yes", ok=False, trusted=foreign.trusted)
    assert "no-such" in assign("--add-depends", "b", "--yes", ok=False, hosts="no-such")
    assert own(org) == after
    assign("--remove-depends", "acme-lib,grp-a", "--yes")


def test_holds_and_windows_of_machines(org):
    def change(*argv, ok=True):
        done = org.console("assign", "--hosts", org.uuid, "--trusted", org.agent / "ssl", "--json", "--yes", *argv, *signing(org, "Deployer"), ok=ok)
        return json.loads(done.stdout)["result"][0]["changes"] if ok else done.text

    def told():
        org.get("update")
        org.get("update-status")
        (mine,) = (h for h in org.hosts() if h["uuid"] == org.uuid)
        return mine["windows"], mine["held"]

    changes = change("--hold", "acme-lib(>=2) until 2999-12-31,own-tool", "--windows", "sat 00:00-24:00")
    assert [(c["kind"], c["after"]) for c in changes] == [("packages_held", "acme-lib(>=2) until 2999-12-31"), ("packages_held", "own-tool"),
                                                          ("maintenance_windows", "sat 00:00-24:00")]
    assert told() == ("sat 00:00-24:00", ["acme-lib", "own-tool"])
    policy = json.loads(org.get("inventory", "--json").stdout)["result"]["policy"]
    assert policy["windows"] == [{"by": org.uuid, "text": "sat 00:00-24:00"}] and policy["window_begin"] < policy["window_end"]
    assert {"what": "acme-lib(>=2)", "until": "2999-12-31", "by": org.uuid} in policy["holds"]
    # What no machine could read is not signed; what is not named stays.
    assert "no maintenance window" in change("--windows", "sat 00:00-25:00", ok=False)
    assert "no hold" in change("--hold", "own-tool until tomorrow", ok=False)
    assert "come and go" in change("--hold", "own-tool", "--unhold", "own-tool", ok=False)
    change("--unhold", "acme-lib", "--freezes", "2999-12-20 until 2999-12-31")
    assert told() == ("sat 00:00-24:00", ["own-tool"])
    change("--unhold", "own-tool", "--windows", "", "--freezes", "")
    assert told() == ("", [])


def test_a_kit_is_all_that_a_new_machine_needs(org):
    kit, base = org.base / "new.kit", org.base / "enrolled"
    made = json.loads(org.console("kit", "-o", kit, "--uses", "1", "--valid", "1h", "--trusted", org.agent / "ssl", "--orders-by", org.cert("Deployer"),
                                  "--agents-url", org.agents_url, "--json").stdout)["result"]
    assert (made["uses"], made["certificates"], made["root"]) == (1, 1, False) and kit.stat().st_mode & 0o777 == 0o600

    def left():
        """How often the token may still be used."""
        rows = run(BIN / "waptserver", "enrol-token", "list", "--config", org.base / "server/waptserver.ini", "--json").stdout
        return {t["id"]: t["uses"] for t in json.loads(rows)["result"]}[made["token"]]
    assert "PRIVATE" not in kit.read_text() and left() == 1
    ini = base / "wapt-get.ini"

    def enrol(file, *more, ok=True):
        return run(BIN / "wapt-get", "-c", ini, "enrol", file, "--no-start", *more, ok=ok)
    # What is no kit, or has a key in it, or is over, changes nothing.
    for wrong in ({"token": "wapt1-x"}, {"config": "[global]\nwapt_server = http://x\n"}, {"certificates": ""}, {"expires": 1},
                  {"certificates": (org.base / "keys/Deployer.pem").read_text()}, {"more": 1}):
        bad = org.base / "bad.kit"
        bad.write_text(json.dumps(dict(json.loads(kit.read_text()), **wrong)))
        enrol(bad, ok=False)
        assert not ini.exists()
    enrol(kit)
    assert (base / "private").stat().st_mode & 0o777 == 0o700 and (base / "private/enrolment-token").stat().st_mode & 0o777 == 0o600
    service = org.start_agent("enrolled", ini)
    run(BIN / "wapt-get", "-c", ini, "register", "--token-file", base / "private/enrolment-token")
    uuid = json.loads(run(BIN / "wapt-get", "-c", ini, "status", "--json").stdout)["result"]["uuid"]
    assert uuid in {h["uuid"] for h in org.hosts()} and left() == 0
    enrol(kit)  # the same once more
    # With the agent in it: one command, which installs that very package and enrols.
    deb, script, bin_ = org.base / "agent.deb", org.base / "kit.sh", org.base / "kit-bin"
    deb.write_bytes(b"!<arch>\ndebian-binary   1234" + bytes(range(256)) * 500)
    made = json.loads(org.console("kit", "-o", script, "--trusted", org.agent / "ssl", "--agent", deb, "--json").stdout)["result"]
    assert made["agent"] == hashlib.sha256(deb.read_bytes()).hexdigest() and script.stat().st_mode & 0o777 == 0o600
    bin_.mkdir()
    # A machine that has no list of Debian's packages yet: what the agent needs is found once there is one.
    apt = f'echo "$1 $2" >> {org.base}/apt.words; [ "$1" = update ] && touch {org.base}/listed; [ "$1" = update ] || [ -f {org.base}/listed ] || exit 100; [ "$1" = update ] || cp "$3" {org.base}/installed.deb'
    for name, does in (("apt-get", apt), ("wapt-get", f'cp "$2" {org.base}/enrolled.kit; echo "$1" > {org.base}/wapt.words')):
        (bin_ / name).write_text(f"#!/bin/sh\nset -e\n{does}\n")
        (bin_ / name).chmod(0o755)

    def sh():
        return subprocess.run(["sh", script], env={"PATH": f"{bin_}:{os.environ['PATH']}", "TMPDIR": str(org.base)}, capture_output=True, text=True)
    assert sh().returncode == 0 and (org.base / "installed.deb").read_bytes() == deb.read_bytes()
    assert ((org.base / "apt.words").read_text(), (org.base / "wapt.words").read_text()) == ("install -y\nupdate \ninstall -y\n", "enrol\n")
    assert json.loads((org.base / "enrolled.kit").read_text())["kit"] == 1
    (org.base / "installed.deb").unlink()
    text = script.read_text()
    at = text.index("#agent\n") + 500
    for damaged in (text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:], text[:at], text.replace("#agent\n", "#other\n")):
        script.write_text(damaged)
        done = sh()
        assert done.returncode == 1 and "damaged" in done.stderr and not (org.base / "installed.deb").exists(), done
    assert "no Debian package" in org.console("kit", "-o", script, "--trusted", org.agent / "ssl", "--agent", kit, ok=False).text
    ini.write_text(ini.read_text().replace(org.agents_url, "https://other.example"))
    assert "--force" in enrol(kit, ok=False).text
    # What was trusted before is trusted no more: not who signed for the former server.
    shutil.copy(org.cert("Deployer"), base / "ssl/former.crt")
    (base / "root.json").write_text("{}")
    assert "former.crt.replaced" in enrol(kit, "--force").text and org.agents_url in ini.read_text()
    assert sorted(p.name.endswith(".replaced") for p in (base / "ssl").iterdir() if p.is_file()) == [False, True]
    assert not (base / "root.json").exists() and (base / "root.json.replaced").exists()
    end(service)
    org.console("forget-host", uuid, "--yes")


def rules_of(org, name):
    """The newest rules of self-service of that name, as the server has them."""
    newest = max((p for p in ours(org, name).values()), key=lambda p: [int(x) for x in p["version"].split("-")])
    return json.loads(zipfile.ZipFile(next((org.base / "server").rglob(newest["file"]))).read("selfservice.json"))


def test_groups_and_rules_are_made_shown_and_signed(org):
    def policy(*argv, ok=True, who="Deployer"):
        done = org.console("policy", *argv, "--trusted", org.agent / "ssl", "--yes", "--json", *signing(org, who), ok=ok)
        return json.loads(done.stdout)["result"]["packages"] if ok is not False else done.text

    def texts(row):
        return [(p["error"], p["text"]) for p in row["problems"]]
    # Only what can be there: nothing is made by a slip.
    assert "no such group" in policy("grp-office", "--add-depends", "own-tool", ok=False)
    (row,) = policy("grp-office", "--section", "group", "--description", "The office", "--add-depends", "own-tool,tis-none", "--add-conflicts", "tis-game", "--dry-run")
    assert row["changed"] and not ours(org, "grp-office") and texts(row) == [(False, "'tis-none' is not in the repository; needed by: grp-office")]
    (row,) = policy("grp-office", "--section", "group", "--description", "The office", "--add-depends", "own-tool")
    assert (row["code"], row["before"], row["version"], row["problems"]) == ("ok", None, "1-1", [])
    made = ours(org, "grp-office")["1-1", ""]
    assert (made["section"], made["signer"], made["depends"], made["description"]) == ("group", "Deployer", "own-tool", "The office")
    # Changed, with what stays; several at once, which see each other.
    rows = policy("grp-office", "grp-all", "--section", "group", "--add-depends", "acme-lib(>=1.1)")
    assert [(r["package"], r["version"], r["depends"]) for r in rows] == [("grp-office", "1-2", "own-tool,acme-lib(>=1.1)"), ("grp-all", "1-1", "acme-lib(>=1.1)")]
    assert ours(org, "grp-office")["1-2", ""]["description"] == "The office"
    assert not policy("grp-all", "--add-depends", "acme-lib(>=1.1)")[0]["changed"]
    # What would never work is told before it is signed.
    policy("grp-all", "--add-depends", "grp-office")
    circle = policy("grp-office", "--add-depends", "grp-all", ok=False)
    assert "it needs itself: grp-office > grp-all > grp-office" in circle
    assert "'grp-all' excludes 'own-tool', which is needed too: grp-all > grp-office > own-tool" in policy("grp-all", "--add-conflicts", "own-tool", ok=False)
    assert "assigned and excluded" in policy("grp-office", "--add-conflicts", "own-tool", ok=False)
    assert "section 'base'" in policy("own-tool", "--add-depends", "x", ok=False)
    assert "needed by: grp-office" in texts(policy("grp-office", "--add-depends", "acme-lib(>=9)", "--dry-run")[0])[0][1]
    assert max(ours(org, "grp-office")) == ("1-2", "")
    # Rules of self-service.
    (row,) = policy("shop", "--section", "selfservice", "--add-rule", "team=own-tool,acme-lib", "--add-rule", "staff=own-tool,grp-all")
    assert row["code"] == "ok" and rules_of(org, "shop") == {"team": {"own-tool": None, "acme-lib": None}, "staff": {"own-tool": None, "grp-all": None}}
    (row,) = policy("shop", "--remove-rule", "Team=acme-lib", "--remove-rule", "staff", "--add-rule", "boss=acme-lib")
    assert rules_of(org, "shop") == {"team": {"own-tool": None}, "boss": {"acme-lib": None}}
    assert {(c["group"], c["before"], c["after"]) for c in row["changes"]} == {
        ("team", "acme-lib", None), ("staff", "own-tool", None), ("staff", "grp-all", None), ("boss", None, "acme-lib")}
    assert "without version or pattern" in policy("shop", "--add-rule", "team=tis-*", ok=False)
    assert "selfservice" in policy("grp-all", "--add-rule", "team=own-tool", ok=False)
    # What nobody trusted has signed is not carried on.
    stranger = org.console("policy", "grp-all", "--add-depends", "x", "--trusted", org.base / "foreign/trusted", "--yes", *signing(org), ok=False).text
    assert "not taken over" in stranger
    # A machine that is assigned the group gets what it says.
    org.console("assign", "--hosts", org.uuid, "--add-depends", "grp-office", "--trusted", org.agent / "ssl", "--yes", *signing(org, "Deployer"))
    plan = json.loads(org.console("plan", org.uuid, "--trusted", org.agent / "ssl", "--json", ok=None).stdout)["result"]
    assert {"grp-office", "own-tool"} <= {s["package"] for s in plan["steps"]}, plan
    org.console("assign", "--hosts", org.uuid, "--remove-depends", "grp-office", "--trusted", org.agent / "ssl", "--yes", *signing(org, "Deployer"))
