"""Keys, certificates, the root and revocations in the console: by the pages' calls and by commands, and what neither may do without a person's gesture."""
import base64
import json
import os
import pty
import re
import shutil
import signal
import subprocess

import pytest
from conftest import BIN, organisation, run, until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from local_program import LINK, Local, answered, talk

SECRET = "correct horse battery"


class Keys:
    """An organisation whose repository has a root, and the console of one of its administrators, in a terminal."""

    def __init__(self, org, has_root=True):
        self.org, self.home, self.dir = org, org.base / "home", org.base / "root"
        for name in ("Alice", "Bob", "Carol"):
            org.keycert(name, "--code-signing")
        self.server_dir = org.base / "server/repo/wapt"
        if has_root:
            self.make_root()
        self.known = self.home / f".config/wapt/repositories/127.0.0.1-{org.port}"
        self.home.mkdir()
        config = self.home / "waptconsole.ini"
        shutil.copytree(org.base / "keys", self.home / "keys")
        config.write_text(f"[global]\nwapt_server = {org.url}\nserver_fingerprint = {org.server_fp}\npersonal_certificate_path = {self.home}/keys/Alice.crt\n"
                          f"keys_dir = {self.home}/keys\npublic_certs_dir = {org.agent}/ssl\n")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BIN / "waptconsole", ["waptconsole", "--config", str(config), "--no-browser"], {"LANG": "C.UTF-8", "HOME": str(self.home)})
        local = self.local = Local.__new__(Local)
        link = re.search(LINK, talk(self.fd, b"console.started"))
        local.org = org
        local.find(link)
        local.open()
        local.login()

    def window(self):
        """The link of another window of the program that runs."""
        link = self.home / "link"
        run("env", f"HOME={self.home}", BIN / "waptconsole", "open", "--config", self.home / "waptconsole.ini", "--link-file", link, "--no-browser")
        return link.read_text()

    def yes(self):
        """Types what the terminal asks for; what was shown."""
        text = talk(self.fd, b"says no: ")
        os.write(self.fd, re.search(r"type (\d{4});", text)[1].encode())
        return text

    def make_root(self):
        org = self.org
        self.dir.mkdir()
        run(BIN / "wapt-repo", "root", "init", self.dir, *(x for n in ("Alice", "Bob") for x in ("--administrator", org.cert(n))), "--threshold", 2,
            "--timestamp-key", org.base / "server/private/timestamp.pub")
        for name, more in (("Alice", ["--publish"]), ("Developer", []), ("Deployer", [])):
            run(BIN / "wapt-repo", "root", "add-signer", self.dir, org.cert(name), "--sections", "*", "--prefixes", "*", *more,
                *([] if name == "Deployer" else ["--code"]), "--actions", "*", "--groups", "*")
        for name in ("Alice", "Bob"):
            run(BIN / "wapt-repo", "root", "sign", self.dir, "--yes", *self.key(name))

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def key(self, name):
        return ["-k", self.org.cert(name), "-w", self.org.base / "pw"]

    def console(self, *argv, ok=True):
        return self.org.console(*argv, ok=ok)

    def root(self, *argv, ok=True, who=None):
        return self.console("root", *argv, "--known", self.known, *(self.key(who) if who else []), ok=ok)

    def id(self, name):
        return next(k for k in self.local.state()["keys"] if k["name"] == name)["id"]

    def unlock(self, name, password=None):
        a = self.local.ask("POST", "/local/keys/unlock", {"id": self.id(name), "password": password or (self.org.base / "pw").read_text().strip(), "seconds": 3600})
        assert a.status == 200, a.body

    def prepare(self, who, **wish):
        return self.local.ask("POST", "/local/prepare", dict(wish, key=self.id(who)))

    def sign(self, prepared, says=True):
        """Commits what was prepared, with the person at the terminal saying yes, or no; what the terminal showed, and the answer."""
        p = prepared.json
        assert p["needs"] == "gesture", p
        a = self.local.ask("POST", "/local/commit", {"id": p["id"]})
        assert a.status == 202 and "certificate" not in a.json and "document" not in a.json, a.body
        text = talk(self.fd, b"says no: ")
        os.write(self.fd, re.search(r"type (\d{4});", text)[1].encode() if says else b"x")
        return text.replace("\r\n", "\n"), answered(self.local, "/local/commit", {"id": p["id"]})

    def wish(self, **more):
        """The root in force, as a page would send it back."""
        root = self.local.ask("GET", "/local/root").json["root"]
        signers = [{k: s[k] for k in ("sections", "prefixes", "actions", "groups", "units", "code", "publish")} | {"certificate": s["fingerprint"]} for s in root["signers"]]
        return dict({"days": 300, "threshold": root["threshold"], "published_days": root["published_days"], "timestamp_hours": root["timestamp_hours"],
                     "administrators": [a["fingerprint"] for a in root["administrators"]], "signers": signers}, **more)

    def fp(self, name):
        return self.org.fingerprint(self.org.cert(name))


@pytest.fixture(scope="module")
def keys():
    with organisation() as o:
        k = Keys(o)
        try:
            yield k
        finally:
            k.stop()


def new(keys, **more):
    return keys.local.ask("POST", "/local/keys/new", dict({"name": "Dora", "password": SECRET, "kind": "p-256", "days": 400, "code_signing": True}, **more))


def test_a_key_is_made_and_never_shown(keys):
    local, folder = keys.local, keys.home / "keys"
    for wrong in ({"password": "short"}, {"password": ""}, {"kind": "dsa"}, {"kind": "rsa", "bits": 1024}, {"days": 0}, {"name": ""}, {"name": "x" * 65}, {"more": 1}):
        assert new(keys, **wrong).status in (400, 413), wrong
    assert not list(folder.glob("Dora*"))
    a = new(keys, organization="Example")
    assert a.status == 200, a.body
    made, pem = a.json, (folder / "Dora.pem").read_bytes()
    assert made["file"] == str(folder / "Dora.pem") and b"PRIVATE" not in a.body and (folder / "Dora.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises((TypeError, ValueError)):
        serialization.load_pem_private_key(pem, None)
    assert isinstance(serialization.load_pem_private_key(pem, SECRET.encode()), ec.EllipticCurvePrivateKey)
    cert = x509.load_pem_x509_certificate((folder / "Dora.crt").read_bytes())
    assert cert.fingerprint(hashes.SHA256()).hex() == made["fingerprint"] and cert.subject == cert.issuer
    assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    # Nothing of it is replaced, nor written through a link.
    assert new(keys).code == "exists" and (folder / "Dora.pem").read_bytes() == pem
    target = keys.home / "target"
    (folder / "Evil.pem").symlink_to(target)
    assert new(keys, name="Evil").code == "exists" and not target.exists() and not (folder / "Evil.crt").exists()
    (folder / "Evil.pem").unlink()
    # It is there at once, and opens with its password alone.
    assert local.ask("POST", "/local/keys/unlock", {"id": keys.id("Dora"), "password": "another one", "seconds": 60}).code == "denied"
    keys.unlock("Dora", SECRET)
    shown = local.ask("GET", "/local/certificates").json
    dora = next(k for k in shown["keys"] if k["name"] == "Dora")
    assert (dora["kind"], dora["is_authority"], dora["can_sign_code"], dora["trusted"], dora["problem"]) == ("P-256", False, True, False, None)
    assert [o["name"] for o in shown["others"]] == [] and next(k for k in shown["keys"] if k["name"] == "Authority")["trusted"]
    rows = json.loads(run(BIN / "waptconsole", "keys", "--keys-dir", folder, "--json").stdout)["result"]
    assert next(r for r in rows if r["name"] == "Dora")["fingerprint"] == made["fingerprint"]
    assert "Dora" in run(BIN / "waptconsole", "keys", "--keys-dir", folder).stdout


def certificates(pem):
    return [x509.load_pem_x509_certificate((one + "-----END CERTIFICATE-----\n").encode()) for one in pem.split("-----END CERTIFICATE-----")[:-1]]


def csr(cn, signer=None, ca=False):
    """A request, by another program; signer: whose key signs it, its own if it is honest."""
    key = ec.generate_private_key(ec.SECP256R1())
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]))
    if ca:
        b = b.add_extension(x509.BasicConstraints(True, None), True).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
    made = b.sign(key, hashes.SHA256())
    if signer is None:
        return key, made.public_bytes(serialization.Encoding.PEM).decode()
    # the same statement under another key's signature
    der, tbs = bytearray(made.public_bytes(serialization.Encoding.DER)), made.tbs_certrequest_bytes
    while True:
        forged = signer.sign(tbs, ec.ECDSA(hashes.SHA256()))
        if len(forged) == len(made.signature):
            break
    der[-len(forged):] = forged
    body = base64.encodebytes(bytes(der)).decode()
    return key, f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


def test_a_request_is_shown_and_grants_nothing_itself(keys):
    local = keys.local
    key, pem = csr("Emil", ca=True)
    wish = {"what": "certificate", "request": pem, "days": 90}
    assert keys.prepare("Alice", **wish).code == "denied", "she is no authority"
    for wrong in ({"request": csr("Emil", signer=ec.generate_private_key(ec.SECP256R1()))[1]}, {"request": "-----BEGIN CERTIFICATE REQUEST-----\n"},
                  {"request": "", "own": ""}, {"own": "Emil"}, {"days": "x"}, {"usages": ["any"]}):
        assert keys.prepare("Authority", **(wish | wrong)).code in ("refused", "invalid"), wrong
    p = keys.prepare("Authority", **wish)
    lines = {line["label"]: line["value"] for line in p.json["lines"]}
    assert lines["For"] == "Emil" and lines["It asks for, which grants nothing"] == "CA, Code Signing" and p.json["needs"] == "unlock"
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    assert lines["SHA-256 of its key"] == digest.finalize().hex()
    assert local.ask("POST", "/local/commit", {"id": p.json["id"]}).code == "conflict"
    keys.unlock("Authority")
    text, a = keys.sign(keys.prepare("Authority", **wish), says=False)
    assert "For: Emil" in text and a.code == "cancelled"
    text, a = keys.sign(keys.prepare("Authority", **wish, client_auth=True))
    cert = certificates(a.json["certificate"])
    assert "It may: log in at a server (TLS client)" in text and len(cert) == 2
    cert[1].public_key().verify(cert[0].signature, cert[0].tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA256())
    assert cert[0].public_key().public_numbers() == key.public_key().public_numbers() and cert[0].fingerprint(hashes.SHA256()).hex() == a.json["fingerprint"]
    assert not cert[0].extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(cert[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    # One's own key that waits for a certificate: the same, and it lies beside it then.
    folder = keys.home / "keys"
    assert new(keys, name="Frank", request=True).json["request"].startswith("-----BEGIN CERTIFICATE REQUEST")
    assert local.ask("GET", "/local/certificates").json["pending"] == ["Frank"]
    _, a = keys.sign(keys.prepare("Authority", what="certificate", own="Frank", days=90, code_signing=True))
    assert (folder / "Frank.crt").read_text() == a.json["certificate"] and not (folder / "Frank.csr").exists()
    shown = local.ask("GET", "/local/certificates").json
    assert shown["pending"] == [] and next(k for k in shown["keys"] if k["name"] == "Frank")["can_sign_code"]
    for own in ("../keys/Frank", "Frank", "nobody"):
        assert keys.prepare("Authority", what="certificate", own=own, days=90).status in (400, 404), own
    # The commands do the same.
    work = keys.org.base / "requests"
    run(BIN / "wapt-get", "create-keycert", "--base-dir", work, "--common-name", "Gina", "--no-private-key-passwd", "--key-type", "p-256", "--request")
    assert not (work / "Gina.crt").exists()
    out = run(BIN / "waptconsole", "sign-request", work / "Gina.csr", "-o", work / "Gina.crt", "--code-signing", "--yes", *keys.key("Authority"), "--json")
    assert certificates((work / "Gina.crt").read_text())[0].fingerprint(hashes.SHA256()).hex() == json.loads(out.stdout)["result"]["fingerprint"]
    assert "no authority" in run(BIN / "waptconsole", "sign-request", work / "Gina.csr", "-o", work / "x", "--yes", *keys.key("Alice"), ok=False).text
    (work / "bad.csr").write_text(csr("Gina", signer=key)[1])
    assert "own key has not signed" in run(BIN / "waptconsole", "sign-request", work / "bad.csr", "-o", work / "x", "--yes", *keys.key("Authority"), ok=False).text
    assert not (work / "x").exists()


def test_a_root_is_signed_in_turn_by_gestures(keys):
    local, org = keys.local, keys.org
    assert local.ask("GET", "/local/root").json == {"problem": None, "is_none": True}
    first = keys.dir / "1.root.json"
    assert "Alice" in keys.root("know", first, "--yes", ok=None).text
    keys.console("publish", "--known", keys.known, "--send-root", first, *keys.key("Alice"), "--yes", ok=None)
    shown = local.ask("GET", "/local/root").json
    assert shown["problem"] is None and shown["root"]["version"] == 1 and {a["name"] for a in shown["root"]["administrators"]} == {"Alice", "Bob"}
    # Fewer signatures than are needed: composed, signed by one, and taken by nobody.
    keys.unlock("Alice")
    low = keys.wish(threshold=1, administrators=[keys.fp("Alice")])
    p = keys.prepare("Alice", what="root", wish=low)
    assert p.json["needs"] == "gesture" and "1 of the 2 signatures" not in p.body.decode() and "0 of the 2" in p.json["details"]["missing"]
    text, a = keys.sign(p, says=False)
    assert a.code == "cancelled" and "Signatures needed: 2 → 1" in text and f"({keys.fp('Bob')}): has not signed  [removed]" in text
    text, a = keys.sign(keys.prepare("Alice", what="root", wish=low))
    lowered = a.json["document"]
    assert "1 of the 2 signatures" in a.json["missing"]
    assert local.ask("PUT", "/local/root", {"document": lowered}).code == "refused"
    bad = org.base / "lowered.json"
    bad.write_text(lowered)
    assert "1 of the 2" in keys.root("publish", bad, ok=False).text
    assert "1 of the 2" in keys.console("publish", "--known", keys.known, "--send-root", bad, *keys.key("Alice"), "--yes", ok=False).text  # the server's own word
    assert not (keys.server_dir / "2.root.json").exists()
    # Whoever owns the server puts it there all the same: the machine does not follow, nor does the console.
    shutil.copy(first, org.agent / "root.json")
    until(lambda: org.get("update", ok=None).returncode == 0, "the machine has the root and its list")
    (keys.server_dir / "2.root.json").write_text(lowered)
    assert "root version 2 is not trusted" in org.get("update", ok=False).text
    assert "not trusted" in local.ask("GET", "/local/root").json["problem"]
    (keys.server_dir / "2.root.json").unlink()
    # Whose signature counts for nothing, what is of another version or forged: not even shown.
    assert keys.prepare("Deployer", what="root", wish=keys.wish()).code == "refused"
    forged = lowered.replace('\\"published_days\\":30', '\\"published_days\\":29')
    assert keys.prepare("Alice", what="root", document=forged).code == "refused"
    for wrong in ({"wish": keys.wish(), "document": lowered}, {}, {"document": "{}"}, {"wish": keys.wish(days=0)}, {"wish": keys.wish(threshold=3)}, {"wish": keys.wish() | {"x": 1}},
                  {"wish": keys.wish(administrators=["nobody"])}, {"wish": keys.wish(signers=[{"certificate": keys.fp("Alice")}])}):
        assert keys.prepare("Alice", what="root", **wrong).status in (400, 403, 409), wrong
    # A page with the token, and without a person: it may ask as often as it likes.
    for _ in range(3):
        p = keys.prepare("Alice", what="root", wish=low).json
        assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
        talk(keys.fd, b"says no: ")
        assert "document" not in local.ask("POST", "/local/commit", {"id": p["id"]}).json
        assert local.ask("DELETE", f"/local/prepare/{p['id']}").status == 200
    # Together: Alice proposes, Bob adds his name with the command, the page sends it.
    carol = org.cert("Carol").read_text()
    long = [f"group-{i:03d}-of-a-large-house" for i in range(63)] + ["*"]
    rights = {"sections": ["base"], "prefixes": ["acme-"], "actions": ["update"], "groups": long, "units": [], "code": True, "publish": False}
    wish = keys.wish(administrators=[keys.fp("Alice"), keys.fp("Bob"), carol])
    wish["signers"] = [s for s in wish["signers"] if s["certificate"] != keys.fp("Deployer")] + [dict(rights, certificate=carol)]
    text, a = keys.sign(keys.prepare("Alice", what="root", wish=wish))
    assert f"Administrator: Carol ({keys.fp('Carol')}): has not signed  [new]" in text and f"Signer: Deployer ({keys.fp('Deployer')})  [removed]" in text
    assert all(name in text for name in long), "what is signed is shown whole"
    page = org.base / "next.json"
    page.write_text(a.json["document"])
    assert "has not signed" in keys.root("show", page).text
    assert "signs it too" not in keys.root("sign", page, "--yes", who="Bob").text
    shown = json.loads(keys.root("show", page, "--json").stdout)["result"]
    assert shown["missing"] is None and {s["name"]: s["change"] for s in shown["root"]["signers"]} == {"Alice": "same", "Developer": "same", "Carol": "new", "Deployer": "removed"}
    a = local.ask("PUT", "/local/root", {"document": page.read_text()})
    assert (a.status, a.json) == (200, {"version": 2}), a.body
    assert local.ask("GET", "/local/root").json["root"]["version"] == 2 and (keys.server_dir / "2.root.json").exists()
    assert keys.prepare("Alice", what="root", document=page.read_text()).code == "refused"  # it is in force


def test_a_root_by_commands_alone(keys):
    org, draft = keys.org, keys.org.base / "draft.json"
    keys.root("propose", draft, "--signer", org.cert("Deployer"), "--sections", "host,group", "--prefixes", "*", "--actions", "update,upgrade", "--groups", "*", "--days", 200)
    keys.root("propose", draft, "--published-days", 10)
    assert "goes to the next" in keys.root("sign", draft, "--yes", who="Alice").text
    assert "no administrator" in keys.root("sign", draft, "--yes", who="Deployer", ok=False).text
    changed = keys.root("propose", draft, "--remove", keys.fp("Carol"))
    assert "signatures it had are gone" in changed.text
    for who in ("Alice", "Bob"):
        keys.root("sign", draft, "--yes", who=who)
    keys.root("publish", draft)
    root = keys.local.ask("GET", "/local/root").json["root"]
    assert root["version"] == 3 and root["published_days"] == 10 and {s["name"] for s in root["signers"]} == {"Alice", "Developer", "Deployer"}
    assert [a["name"] for a in root["administrators"]] == ["Alice", "Bob"]
    for argv in (["nonsense"], ["sign"], ["publish", org.base / "none"], ["know"]):
        keys.root(*argv, ok=False)


def test_a_kit_brings_the_root(keys):
    """By the page and by the command: a machine that is enrolled by it has the root before it asks anybody."""
    org, local = keys.org, keys.local
    version = local.ask("GET", "/local/root").json["root"]["version"]
    p = keys.prepare("Alice", what="kit", uses=1, seconds=3600)
    assert [x["value"] for x in p.json["lines"] if x["label"] == "Root of the repository"][0].startswith(f"version {version}, of repository "), p.json
    text, a = keys.sign(p)
    assert f"Root of the repository: version {version}, " in text and a.status == 200, a.body
    file = org.base / "root.kit"
    made = json.loads(keys.console("kit", "-o", file, "--known", keys.known, "--trusted", org.agent / "ssl", "--json").stdout)["result"]
    assert made["root"] is True
    served = json.loads((keys.server_dir / f"{version}.root.json").read_text())
    for kit in (a.json["kit"], file.read_text()):
        assert json.loads(json.loads(kit)["root"]) == served
    run(BIN / "wapt-get", "-c", org.base / "rooted/wapt-get.ini", "enrol", file, "--no-start")
    assert json.loads((org.base / "rooted/root.json").read_text()) == served
    # Where nobody has given a root to this person there is none in it, and that is said.
    other = json.loads(keys.console("kit", "-o", file, "--known", org.base / "unknown", "--trusted", org.agent / "ssl", "--json").stdout)["result"]
    assert other["root"] is False and "root" not in json.loads(file.read_text())
    # Neither root nor certificates: whom would it trust?
    assert "--root FILE" in keys.console("kit", "-o", file, "--known", org.base / "unknown", ok=False).text


def test_a_signer_is_revoked_by_a_gesture(keys):
    local, org = keys.local, keys.org
    dev = keys.fp("Developer")
    org.console("upload", org.package("keys-tool", "1", "Developer", org.base / "keys-marker"), "--trusted", org.agent / "ssl")
    keys.console("publish", "--known", keys.known, *keys.key("Alice"), "--yes")
    until(lambda: org.get("update", ok=None).returncode == 0, "the machine has the list")
    org.console("assign", "--hosts", org.uuid, "--add-depends", "keys-tool", "--trusted", org.agent / "ssl", "--yes", *keys.key("Developer"))
    hit = local.ask("POST", "/local/revocation", {"fingerprints": [dev]}).json
    assert [p["package"] for p in hit["packages"]] == ["keys-tool"] and [h["uuid"] for h in hit["hosts"]] == [org.uuid]
    by_authority = local.ask("POST", "/local/revocation", {"fingerprints": [keys.fp("Authority")]}).json
    assert [p["package"] for p in by_authority["packages"]] == ["keys-tool"] and len(by_authority["hosts"]) == 1
    nobody = local.ask("POST", "/local/revocation", {"fingerprints": ["0" * 64]}).json
    assert nobody["packages"] == nobody["hosts"] == []
    # What still stands on it comes first.
    p = keys.prepare("Alice", what="publish", revoke=[dev])
    assert p.code == "conflict" and b"keys-tool" in p.body
    assert "first" in keys.console("revoke", dev, "--known", keys.known, "--trusted", org.agent / "ssl", "--yes", *keys.key("Alice"), ok=False).text
    shutil.copy(org.cert("Alice"), org.base / "server/trusted/")
    shutil.copy(org.cert("Alice"), org.agent / "ssl/")
    _, a = keys.sign(keys.prepare("Alice", what="resign", packages=["keys-tool"]))
    assert a.json["failed"] == 0, a.body
    p = keys.prepare("Deployer", what="host-packages", hosts=[org.uuid], resign=True)
    assert p.json["details"]["changed"] == 1 and {"label": p.json["hosts"][0]["name"], "value": "signed anew, as it is"} in p.json["lines"]
    keys.unlock("Deployer")
    p = keys.prepare("Deployer", what="host-packages", hosts=[org.uuid], resign=True)
    assert answered(local, "/local/commit", {"id": p.json["id"]}).json["changed"] == 1
    hit = json.loads(keys.console("revoke", dev, "--dry-run", "--trusted", org.agent / "ssl", "--json").stdout)["result"]
    assert hit["packages"] == hit["hosts"] == []
    # Who may not publish can't revoke, whatever is shown; nor does a page alone.
    _, a = keys.sign(keys.prepare("Deployer", what="publish", revoke=[dev]))
    assert a.code == "refused" and b"may publish" in a.body
    p = keys.prepare("Alice", what="publish", revoke=[dev])
    text, a = keys.sign(p, says=False)
    assert a.code == "cancelled" and f"Counts no more: {dev} Developer" in text and local.ask("GET", "/local/root").json["list"]["revoked"] == []
    _, a = keys.sign(keys.prepare("Alice", what="publish", revoke=[dev]))
    assert a.status == 200, a.body
    state = local.ask("GET", "/local/root").json["list"]
    assert state["revoked"] == [dev] and state["version"] == a.json["version"]
    for wrong in (["x"], ["0" * 63], [dev] * 17):
        assert keys.prepare("Alice", what="publish", revoke=wrong).status in (400, 413), wrong
    until(lambda: org.get("update", ok=None).returncode == 0, "the machine takes the list that revokes him")
    assert "keys-tool" in org.get("search", "keys-tool").text
    keys.console("revoke", keys.fp("Stranger"), "--known", keys.known, "--trusted", org.agent / "ssl", "--yes", *keys.key("Alice"))
    assert set(local.ask("GET", "/local/root").json["list"]["revoked"]) == {dev, keys.fp("Stranger")}
    # What he signs comes in no more.
    assert "is revoked" in org.console("upload", org.package("keys-late", "1", "Developer", org.base / "late-marker"), "--trusted", org.agent / "ssl", ok=False).text


def test_what_only_its_owner_reads(keys):
    assert keys.known.stat().st_mode & 0o777 == 0o700
    # Whom one trusts is nobody else's to write.
    for path in (keys.known, keys.known / "root.json"):
        mode = path.stat().st_mode
        path.chmod(0o777)
        assert b"others can write it" in keys.local.ask("GET", "/local/root").body and "others can write it" in keys.root("show", ok=False).text
        assert keys.prepare("Alice", what="root", wish={}).code == "denied"
        path.chmod(mode & 0o777)
        os.chown(path, 65534, 65534)
        assert keys.local.ask("GET", "/local/root").code == "denied"
        os.chown(path, 0, 0)
    assert keys.local.ask("GET", "/local/root").json["problem"] is None
    for name in ("Dora.pem", "Frank.pem"):
        path = keys.home / "keys" / name
        assert path.stat().st_mode & 0o077 == 0
        out = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", "cat", str(path)], capture_output=True)
        assert out.returncode != 0 and not out.stdout
    assert SECRET not in open(f"/proc/{keys.pid}/environ", encoding="utf-8", errors="replace").read()


