"""F2B: a repository's Packages, altered in every place. An entry that is not what its signer signed goes, and takes no other with it."""
import hashlib
import json
import pathlib
import subprocess
import zipfile

import pytest

import forge
from forge import Entry, Owner, archive, control, crl, entries, index_block, members, package
from forged import BIN, CA, DEV, PLAIN, STRANGER

INTER = Owner("Intermediate", issuer=CA, ca=True, code=False)
LEAF = Owner("Leaf", issuer=INTER)
CERTS = [DEV.cert, PLAIN.cert, STRANGER.cert, CA.cert, INTER.cert, LEAF.cert]
DATA = b"the package's bytes"


def entry(name, owner=DEV, change=None, file=None, **kw):
    text = index_block(control(owner, package=name, **kw), file or f"{name}_1.0-1.wapt", DATA)
    return change(text) if change else text


def index(*blocks, certs=CERTS, **kw):
    return forge.index(list(blocks), certs, **kw)


ONE, TWO = entry("tis-one"), entry("tis-two", LEAF)
BOTH = {"tis-one", "tis-two"}
CASES = {}


def add(name, make, kept=BOTH, status=4, says=""):
    """kept: the packages that an agent takes; None: the file is no index."""
    assert name not in CASES, name
    CASES[name] = (make, kept, status, says)


def bad(name, block, says="", kept=BOTH):
    """One bad entry between two good ones."""
    add(name, lambda: index(ONE, block() if callable(block) else block, TWO), kept, 4, says)


# --- honest ---

add("good", lambda: index(ONE, TWO), status=0)
add("one", lambda: index(ONE), {"tis-one"}, 0)
add("empty", lambda: index(text=b""), set(), 0)
add("blank-lines", lambda: index(text=("\n\n \n" + ONE + "\n\n\t\n\n" + TWO + "\n").encode()), status=0)
add("no-final-newline", lambda: index(text=(ONE + "\n\n" + TWO).encode()), status=0)
add("crlf", lambda: index(text=(ONE + "\n\n" + TWO + "\n\n").replace("\n", "\r\n").encode()), status=0)
add("unknown-attributes", lambda: index(entry("tis-one", change=lambda t: t + "\nlocalpath: /etc/shadow\nverify_control_signature: x"), TWO), status=0)
add("no-filename", lambda: index(entry("tis-one", change=lambda t: t.split("\nfilename")[0]), TWO), status=0)
add("same-twice", lambda: index(ONE, ONE, TWO), status=0)
add("other-members", lambda: index(ONE, TWO, files={"icons/x.png": b"x", "ssl/readme.txt": b"x"}), status=0)
add("unreadable-certificate-of-nobody", lambda: index(ONE, TWO, files={"ssl/zz.crt": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}), status=0)
for wapt in forge.LATER:
    add(f"wapt-{wapt}", lambda w=wapt: index(entry("tis-one", wapt=w), TWO), status=0)

# --- entries ---

bad("stranger", entry("tis-bad", STRANGER), "trusted")
bad("unsigned", entry("tis-bad", change=lambda t: "\n".join(x for x in t.split("\n") if not x.startswith("signature "))), "not signed")
bad("signature-empty", entry("tis-bad", signature=lambda d: ""), "not signed")
bad("signature-by-other", entry("tis-bad", signature=lambda d: STRANGER.sign(d)), "does not hold")
bad("signature-of-other", entry("tis-bad", signature=lambda d: DEV.sign(d + b"x")), "does not hold")
bad("no-fingerprint", entry("tis-bad", signer_fingerprint=""), "certificate")
bad("fingerprint-unknown", entry("tis-bad", signer_fingerprint="0" * 64), "certificate")
bad("fingerprint-of-other", entry("tis-bad", signer_fingerprint=STRANGER.fingerprint), "trusted")
bad("fingerprint-of-other-trusted", entry("tis-bad", signer_fingerprint=PLAIN.fingerprint, signer=PLAIN.cn), "does not hold")
bad("other-signer-name", entry("tis-bad", signer="Chief"), "Chief")
bad("few-attributes", entry("tis-bad", listed=["package", "version"]), "not signed")
bad("before-2017", entry("tis-bad", signed_attributes="", signature_date="20170101-000000"))
for a in ("package", "version", "architecture", "section", "priority", "depends", "conflicts", "maturity", "locale", "target_os", "min_wapt_version",
          "installed_size", "impacted_process", "valid_from", "forced_install_on", "name", "description_fr", "signer", "signature_date", "signed_attributes"):
    bad(f"changed-{a}", entry("tis-bad", change=lambda t, a=a: "\n".join(x + "9" if x.split(":")[0].strip() == a else x for x in t.split("\n"))))
for a in ("locale", "target_os", "audit_schedule", "impacted_process"):
    bad(f"added-{a}", entry("tis-bad", listed=[n for n in forge.ATTRIBUTES if n not in (a, "signature")],
                            change=lambda t, a=a: "\n".join(x for x in t.split("\n") if x.split(":")[0].strip() != a) + f"\n{a}: x"), a)
bad("attribute-twice", entry("tis-bad", change=lambda t: t + "\nmaturity: DEV"))
bad("attribute-twice-before", entry("tis-bad", change=lambda t: "version: 99\n" + t))
bad("continued", entry("tis-bad", change=lambda t: t.replace("\nfilename", "\n more\nfilename")))
bad("no-colon", entry("tis-bad", change=lambda t: t + "\nnothing"))
bad("no-package", entry("tis-bad", change=lambda t: "\n".join(t.split("\n")[1:])))
bad("endless-line", entry("tis-bad", change=lambda t: t + "\nx: " + "y" * 300000))
bad("many-lines", entry("tis-bad", change=lambda t: t + "\nx:" * 200000))
bad("nul", entry("tis-bad", change=lambda t: t + "\nx: a\0b"))
bad("separator", entry("tis-bad", change=lambda t: t.replace("by hand", "by hand\u2028depends: evil")))
bad("bom", entry("tis-bad", change=lambda t: "\ufeff" + t))
for n, file in dict(up="../x.wapt", deep="a/b.wapt", absolute="/etc/passwd", backslash="..\\x.wapt", url="http://evil/x.wapt", drive="C:x.wapt", dot=".", dots="..",
                    here="./x.wapt", device="con.wapt", control="a\x07.wapt", blank_end="x.wapt .", override="x\u202etpaw.wapt", query="x.wapt?a").items():
    bad(f"filename-{n}", entry("tis-bad", file=file))
add("latin1", lambda: index(text=(ONE + "\n\n" + entry("tis-bad") + "\n\n" + TWO).encode().replace(b"A package made by hand", b"m\xe9", 2)[:-1]), {"tis-two"})
add("signer-expired", lambda: index(ONE, entry("tis-bad", OLD), TWO, certs=CERTS + [OLD.cert]), says="expired")
OLD = Owner("Old", issuer=CA, days=(-60, -3))
add("no-certificates", lambda: index(ONE, TWO, certs=[]), set(), says="certificate")
add("no-certificate-of-one", lambda: index(ONE, TWO, certs=[LEAF.cert, INTER.cert]), {"tis-two"})
add("no-intermediate", lambda: index(ONE, TWO, certs=[DEV.cert, LEAF.cert]), {"tis-one"})
add("certificates-under-other-names", lambda: index(ONE, TWO, certs=[], files={
    f"ssl/{i:064d}.crt": c.public_bytes(forge.serialization.Encoding.PEM) for i, c in enumerate(CERTS)}), status=0)
add("certificates-in-one-file", lambda: index(ONE, TWO, certs=[], files={
    "ssl/all.crt": b"".join(c.public_bytes(forge.serialization.Encoding.PEM) for c in CERTS)}), status=0)
add("certificates-in-der", lambda: index(ONE, TWO, certs=[], files={"ssl/a.crt": DEV.cert.public_bytes(forge.serialization.Encoding.DER)}), set())
add("certificate-of-same-name", lambda: index(ONE, TWO, certs=CERTS + [Owner("Developer", private=forge.key("evil")).cert]), status=0)
add("forged-certificate-of-same-name", lambda: index(entry("tis-one", Owner("Developer", issuer=CA, private=forge.key("evil"), sign_with=forge.key("evil"))), TWO), {"tis-two"})

# --- the archive ---

GOOD = dict(Packages=(ONE + "\n\n" + TWO + "\n\n").encode(), **{f"ssl/{c.fingerprint(forge.hashes.SHA256()).hex()}.crt": c.public_bytes(
    forge.serialization.Encoding.PEM) for c in CERTS})
for n, make in dict(text=lambda: GOOD["Packages"], empty_file=lambda: b"", truncated=lambda: index(ONE)[:-1], suffix=lambda: index(ONE) + b"x",
                    prefix=lambda: b"x" + index(ONE), twice=lambda: archive(entries(GOOD) + [Entry("Packages", b"")]),
                    other_case=lambda: archive(entries(GOOD) + [Entry("packages", b"")]), only_lower=lambda: archive([Entry("packages", GOOD["Packages"])]),
                    hidden=lambda: archive(entries(GOOD) + [Entry("Packages", b"", in_directory=False)]), comment=lambda: archive(entries(GOOD), comment=b"x"),
                    bad_crc=lambda: archive([Entry("Packages", GOOD["Packages"], local=dict(crc=1), central=dict(crc=1))]),
                    traversal=lambda: archive(entries(GOOD) + [Entry("../x", b"")]), link=lambda: archive(entries(GOOD) + [Entry("x", b"/etc", mode=0o120777)]),
                    bomb=lambda: archive([Entry("Packages", b"", packed=zipbomb(), local=dict(size=1 << 29), central=dict(size=1 << 29))]),
                    encrypted=lambda: archive([Entry("Packages", GOOD["Packages"], flags=1)]), no_packages=lambda: archive(entries({"x": b""}))).items():
    add(f"archive-{n}", make, None)
add("archive-stored", lambda: archive([Entry(n, d, method=0) for n, d in GOOD.items()]), status=0)
add("archive-folders", lambda: archive([Entry("ssl/", b"", method=0, mode=0o40755), *entries(GOOD)]), status=0)


def zipbomb():
    z = forge.zlib.compressobj(9, forge.zlib.DEFLATED, -15)
    return z.compress(bytes(1 << 29)) + z.flush()


# --- revocation lists in it (formats.md 3.2, 4.4) ---

def lists(*made, kept=BOTH, status=4, says="", name, blocks=(ONE, TWO)):
    add(name, lambda: index(*blocks, crls={f"{i}.crl": d for i, d in enumerate(made)}), kept, status, says)


lists(crl(CA), name="crl-names-nobody", status=0)
lists(crl(CA, [DEV]), name="crl-names-signer", kept={"tis-two"}, says="revoked")
lists(crl(CA, [DEV], der=False), name="crl-in-pem", kept={"tis-two"}, says="revoked")
lists(crl(CA, [INTER]), name="crl-names-intermediate", kept={"tis-one"}, says="revoked")
lists(crl(INTER, [LEAF]), name="crl-of-intermediate", kept={"tis-one"}, says="revoked")
lists(crl(CA, until=-0.5), name="crl-stale", kept=set(), says="out of date")
lists(crl(CA, last=-9, until=-0.5), crl(CA), name="crl-fresh-and-stale", status=0)
lists(crl(CA), crl(CA, [DEV], last=-9), name="crl-older-names-signer", kept={"tis-two"}, says="revoked")
lists(crl(Owner("Test Authority", ca=True, private=forge.key("evil")), [DEV]), name="crl-forged", status=0)
lists(crl(STRANGER, [DEV]), name="crl-of-stranger", status=0)
lists(b"garbage", b"", b"\x30\x03\x02\x01\x01", name="crl-unreadable", status=0)
lists(b"garbage", crl(CA, [DEV]), name="crl-beside-unreadable", kept={"tis-two"}, says="revoked")
add("crl-under-other-name", lambda: index(ONE, TWO, files={"crl/x.txt": crl(CA, [DEV]), "x.crl": crl(CA, [DEV])}), status=0)
add("crl-many", lambda: index(ONE, TWO, crls={f"{i:04d}.crl": b"x" for i in range(1000)}), status=0)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    base = tmp_path_factory.mktemp("index")
    (base / "trust").mkdir()
    (base / "trust/ca.crt").write_bytes(CA.pem)
    out = {}
    for i, (name, (make, *_)) in enumerate(CASES.items()):
        path = base / str(i)
        path.write_bytes(make())
        out[name] = subprocess.run([BIN / "wapt-get", "verify", "--json", "--trusted", base / "trust", path], capture_output=True, text=True, timeout=120)
    return out


@pytest.mark.parametrize("name", CASES)
def test_index(verdicts, name):
    _, kept, status, says = CASES[name]
    p = verdicts[name]
    (row,) = json.loads(p.stdout)["result"]
    assert p.returncode == status and row["good"] == (status == 0), row
    if kept is None:
        assert "tis-" not in str([e for e in row.get("entries", ()) if e["good"]]) and row["error"], row
        return
    assert {e["package"] for e in row["entries"] if e["good"]} == kept, row
    assert all(e["error"] for e in row["entries"] if not e["good"])
    assert says in json.dumps(row["entries"]), row


# --- what wapt-scanpackages writes ---

def scan(folder, *argv):
    p = subprocess.run([BIN / "wapt-scanpackages", folder, *argv], capture_output=True, text=True, timeout=120)
    assert p.returncode == 0, p.stderr
    with zipfile.ZipFile(folder / "Packages") as z:
        assert z.testzip() is None
        return {n: z.read(n) for n in z.namelist()}


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust/ca.crt").write_bytes(CA.pem)
    (tmp_path / "repo").mkdir()
    for owner, name in ((DEV, "tis-a"), (LEAF, "tis-b")):
        (tmp_path / f"repo/{name}_1.0-1.wapt").write_bytes(package(owner, package=name))
    return tmp_path


def test_scan_writes_what_wapt_writes(repository):
    found = scan(repository / "repo")
    blocks = found["Packages"].decode()
    assert blocks.endswith("\n\n") and len(blocks.split("\n\n")) == 3
    for block, (owner, name) in zip(blocks.split("\n\n"), ((DEV, "tis-a"), (LEAF, "tis-b"))):
        file = repository / f"repo/{name}_1.0-1.wapt"
        with zipfile.ZipFile(file) as z:
            ctl = z.read("WAPT/control").decode()
        assert block == index_block(ctl.encode(), file.name, file.read_bytes())
    assert sorted(n for n in found if n.startswith("ssl/")) == sorted(f"ssl/{o.fingerprint}.crt" for o in (DEV, LEAF, INTER, CA))
    for n, d in found.items():
        if n.startswith("ssl/"):
            assert forge.x509.load_pem_x509_certificate(d).fingerprint(forge.hashes.SHA256()).hex() == pathlib.Path(n).stem
    assert hashlib.md5((repository / "repo/tis-a_1.0-1.wapt").read_bytes()).hexdigest() in blocks


def test_scan_carries_revocation_lists(repository):
    """Lists beside the trusted certificates, and those that were there: in DER, under their authority's key identifier."""
    (repository / "trust/ca.crl").write_bytes(crl(CA, der=False))
    aki = forge.x509.SubjectKeyIdentifier.from_public_key(CA.private.public_key()).digest.hex()
    found = scan(repository / "repo", "--trusted", repository / "trust")
    made = forge.x509.load_der_x509_crl(found[f"crl/{aki}.crl"])
    assert made.issuer == CA.subject
    for argv in ((), ("--force",)):
        assert scan(repository / "repo", *argv)[f"crl/{aki}.crl"] == found[f"crl/{aki}.crl"]
    (repository / "trust/ca.crl").write_bytes(crl(CA, [DEV], last=0))
    p = subprocess.run([BIN / "wapt-scanpackages", repository / "repo", "--trusted", repository / "trust"], capture_output=True, text=True)
    assert p.returncode == 3 and "revoked" in p.stderr  # partly done: one is left out
    with zipfile.ZipFile(repository / "repo/Packages") as z:
        assert b"tis-b" in z.read("Packages") and b"tis-a" not in z.read("Packages")
        assert len(forge.x509.load_der_x509_crl(z.read(f"crl/{aki}.crl"))) == 1
    # Whoever has the index knows of the revocation, though the certificate stands nowhere else.
    (repository / "trust/ca.crl").unlink()
    with zipfile.ZipFile(repository / "repo/Packages") as z:
        old = {n: z.read(n) for n in z.namelist()}
    (repository / "Packages").write_bytes(index(entry("tis-a"), entry("tis-b", LEAF), certs=CERTS, files={n: d for n, d in old.items() if n.startswith("crl/")}))
    p = subprocess.run([BIN / "wapt-get", "verify", "--trusted", repository / "trust", repository / "Packages"], capture_output=True, text=True)
    assert p.returncode == 4 and "certificate 'Developer' was revoked by 'Test Authority'" in p.stdout and "tis-b 1.0-1: good" in p.stdout
