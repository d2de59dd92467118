"""What our tools write, read by a second implementation of WAPT 1.8's checks (formats.md 1.2 to 1.8, 4.3), by openssl and by Python's zipfile."""
import base64
import datetime
import hashlib
import json
import shutil
import subprocess
import zipfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import ExtensionOID as Ext

import forge
from forge import ATTRIBUTES, Owner
from forged import BIN

SIGNED = [a for a in ATTRIBUTES if a != "signature"]


def wapt_get(*argv, ok=True):
    p = subprocess.run([BIN / "wapt-get", *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert (p.returncode == 0) == ok, p.stderr
    return p


# --- WAPT's side, by its description ---

def read_control(text):
    out, last = {}, None
    for line in text.decode("utf-8").splitlines():
        if not line.strip():
            break
        if line.startswith(" "):
            out[last] += "\n" + line.strip()
            continue
        last, value = line.split(":", 1)
        last = last.strip().lower()
        out[last] = value.strip()
    for n in ("size", "installed_size"):
        if n in out:
            try:
                out[n] = int(out[n])
            except ValueError:
                pass
    return out


def check_chain(certificates, trusted):
    """4.3, without revocation: from the leaf to a certificate of the directory."""
    now = datetime.datetime.utcnow()
    cert, others = certificates[0], certificates[1:]
    for _ in range(20):
        assert cert.not_valid_before <= now <= cert.not_valid_after
        if cert in trusted:
            return
        issuer = next(c for c in trusted + others if c.subject == cert.issuer and c != cert)
        assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        issuer.public_key().verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(), cert.signature_hash_algorithm)
        cert = issuer
    raise AssertionError("no end")


def verify(cert, signature, data):
    cert.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def check_as_wapt(path, *trusted):
    """As an agent of WAPT 1.8 installs it. The control is given back."""
    with zipfile.ZipFile(path) as z:
        names = z.namelist()
        assert len(set(names)) == len(names) and z.testzip() is None
        files = {n: z.read(n) for n in names}
        for i in z.infolist():
            assert i.compress_type in (0, 8) and not i.flag_bits & 1 and not i.is_dir()
            assert i.flag_bits & 0x800 or i.filename.isascii()
    pem = files["WAPT/certificate.crt"].decode("ascii")
    certificates = [x509.load_pem_x509_certificate(("-----BEGIN" + p).encode()) for p in pem.split("-----BEGIN")[1:]]
    check_chain(certificates, list(trusted))
    signer = certificates[0]
    c = read_control(files["WAPT/control"])
    listed = [a.strip() for a in c["signed_attributes"].split(",") if a.strip()]
    assert listed == SIGNED and [x.split(":")[0].strip() for x in files["WAPT/control"].decode().split("\n") if not x.startswith(" ")] == ATTRIBUTES
    verify(signer, base64.b64decode(c["signature"], validate=True), json.dumps({a: c.get(a) for a in listed}, sort_keys=True, separators=(",", ":")).encode())
    assert c["signer_fingerprint"] == signer.fingerprint(hashes.SHA256()).hex()
    verify(signer, base64.b64decode(files["WAPT/signature.sha256"]), files["WAPT/manifest.sha256"])
    assert all(len(x) <= 76 for x in files["WAPT/signature.sha256"].decode().split("\n"))
    if "setup.py" in files:
        assert Eku.CODE_SIGNING in signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    manifest = json.loads(files["WAPT/manifest.sha256"])
    assert files["WAPT/manifest.sha256"] == json.dumps(manifest, separators=(",", ":")).encode()
    unlisted = {"WAPT/manifest.sha256", "WAPT/signature.sha256"}
    assert sorted(n for n, _ in manifest) == sorted(set(files) - unlisted)
    assert all(hashlib.sha256(files[n]).hexdigest() == d for n, d in manifest)
    return c


# --- keys and certificates ---

@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("written")
    (home / "pw").write_text("pässwort mit Leerzeichen \n")
    wapt_get("create-keycert", "--base-dir", home, "--common-name", "Authority", "--ca", "-w", home / "pw", "--key-bits", "2048", "--organization", "Example", "--country", "FR")
    by = ("--ca-cert", home / "Authority.crt", "--ca-key", home / "Authority.pem", "--ca-key-passwd-file", home / "pw")
    wapt_get("create-keycert", "--base-dir", home, "--common-name", "Zoë Ünit", "--code-signing", "--client-auth", "-w", home / "pw", *by)
    wapt_get("create-keycert", "--base-dir", home, "--common-name", "Deployer", "-w", home / "pw", "--key-bits", "2048", *by)
    wapt_get("create-keycert", "--base-dir", home, "--common-name", "Alone", "--code-signing", "--ca", "--no-private-key-passwd", "--key-bits", "2048")
    return home


def certificates(home, name):
    return [x509.load_pem_x509_certificate(("-----BEGIN" + p).encode()) for p in (home / f"{name}.crt").read_text().split("-----BEGIN")[1:]]


USAGES = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign".split()


@pytest.mark.parametrize("name, ca, purposes, own", [("Authority", True, [], True), ("Zoë Ünit", False, [Eku.CODE_SIGNING, Eku.CLIENT_AUTH], False),
                                                     ("Deployer", False, [], False), ("Alone", True, [Eku.CODE_SIGNING], True)])
def test_certificates_are_wapt_s(home, name, ca, purposes, own):
    """Extensions in WAPT's order, with its usages; what it leaves out is the authority's identifier."""
    chain = certificates(home, name)
    cert = chain[0]
    assert [c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for c in chain] == [name] + ([] if own else ["Authority"])
    oids = [(e.oid, e.critical) for e in cert.extensions]
    assert oids == [(Ext.BASIC_CONSTRAINTS, True)] + [(Ext.EXTENDED_KEY_USAGE, True)] * bool(purposes) + [
        (Ext.SUBJECT_KEY_IDENTIFIER, False), (Ext.KEY_USAGE, True), (Ext.AUTHORITY_KEY_IDENTIFIER, False)]
    get = cert.extensions.get_extension_for_class
    assert get(x509.BasicConstraints).value == x509.BasicConstraints(ca, None)
    assert not purposes or list(get(x509.ExtendedKeyUsage).value) == purposes
    usage = get(x509.KeyUsage).value
    assert [u for u in USAGES if getattr(usage, u)] == ["digital_signature", "content_commitment", "data_encipherment"] + ["key_cert_sign", "crl_sign"] * ca
    assert get(x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(cert.public_key())
    issuer = cert if own else chain[1]
    assert get(x509.AuthorityKeyIdentifier).value == x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    issuer.public_key().verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA256())
    assert cert.public_key().public_numbers().e == 65537 and cert.public_key().key_size == (3072 if name == "Zoë Ünit" else 2048)
    assert 120 <= cert.serial_number.bit_length() <= 159 and cert.version == x509.Version.v3
    assert 3649 <= (cert.not_valid_after - cert.not_valid_before).days <= 3651


def test_serial_numbers_differ(home):
    assert len({c.serial_number for n in ("Authority", "Zoë Ünit", "Deployer", "Alone") for c in certificates(home, n)}) == 4


def test_openssl_agrees(home):
    for name, purpose in (("Zoë Ünit", "any"), ("Deployer", "any")):
        p = subprocess.run(["openssl", "verify", "-purpose", purpose, "-CAfile", home / "Authority.crt", home / f"{name}.crt"], capture_output=True, text=True)
        assert p.returncode == 0, p.stderr


@pytest.mark.parametrize("name", ["Authority", "Zoë Ünit"])
def test_encrypted_keys_are_read_by_others(home, name):
    secret = (home / "pw").read_text().rstrip("\n").encode()
    pem = (home / f"{name}.pem").read_bytes()
    assert (home / f"{name}.pem").stat().st_mode & 0o777 == 0o600 and b"ENCRYPTED" in pem
    private = serialization.load_pem_private_key(pem, secret)
    assert private.public_key().public_numbers() == certificates(home, name)[0].public_key().public_numbers()
    for wrong in (b"", b"x", secret.strip()):
        with pytest.raises((ValueError, TypeError)):
            serialization.load_pem_private_key(pem, wrong or None)
    p = subprocess.run(["openssl", "rsa", "-in", home / f"{name}.pem", "-passin", f"file:{home / 'pw'}", "-check", "-noout"], capture_output=True, text=True)
    assert p.returncode == 0 and "RSA key ok" in p.stdout + p.stderr


@pytest.mark.parametrize("form", ["traditional", "pkcs8", "encrypted", "openssl-traditional"])
def test_keys_of_others_sign(home, tmp_path, form):
    """WAPT's own keys: traditional PEM, plain or encrypted, and PKCS#8."""
    other = Owner("Other", ca=True)
    (tmp_path / "other.crt").write_bytes(other.pem)
    (tmp_path / "pw").write_text("secret\n")
    S = serialization
    if form == "openssl-traditional":
        plain = other.private.private_bytes(S.Encoding.PEM, S.PrivateFormat.TraditionalOpenSSL, S.NoEncryption())
        pem = subprocess.run(["openssl", "rsa", "-aes256", "-traditional", "-passout", "pass:secret"], input=plain, capture_output=True, check=True).stdout
    else:
        pem = other.private.private_bytes(S.Encoding.PEM, S.PrivateFormat.PKCS8 if form != "traditional" else S.PrivateFormat.TraditionalOpenSSL,
                                          S.BestAvailableEncryption(b"secret") if form == "encrypted" else S.NoEncryption())
    (tmp_path / "other.pem").write_bytes(pem)
    (tmp_path / "other.pem").chmod(0o600)
    source(tmp_path / "src")
    wapt_get("build-package", tmp_path / "src", "-k", tmp_path / "other.crt", "-w", tmp_path / "pw", "-o", tmp_path)
    (made,) = tmp_path.glob("*.wapt")
    check_as_wapt(made, other.cert)


# --- packages ---

def source(path, control="package: tis-x\nversion: 1.0-1\narchitecture: all\n", files=None):
    for n, data in dict({"WAPT/control": control, "setup.py": "def install():\n    pass\n"} if files is None else dict(files, **{"WAPT/control": control})).items():
        (path / n).parent.mkdir(parents=True, exist_ok=True)
        (path / n).write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


SOURCES = {
    "plain": dict(),
    "all-attributes": dict(control="".join(f"{a:18}: {v}\n" for a, v in dict(
        package="tis-x", version="1.2.3.4-5", architecture="x64", section="base", priority="high", name="Ünïcode €😀", categories="a,b", maintainer="Zoë <z@x>",
        description='"quoted" \\back\\ /slash/\n more\n  lines: here', depends="tis-a,tis-b(>=1)", conflicts="tis-c", maturity="PROD", locale="fr,en", target_os="linux",
        min_os_version="10", max_os_version="12", min_wapt_version="1.8", sources="http://x/?a=b&c=<d>", installed_size="123456789", impacted_process="a,b",
        description_fr="français", description_ru="русский", audit_schedule="1d", editor="É", keywords="k", licence="GPL", homepage="https://x",
        valid_from="2020-01-01T00:00:00", valid_until="2099-01-01T00:00:00", forced_install_on="2026-01-01T00:00:00", changelog="c").items())),
    "odd-size": dict(control="package: tis-x\nversion: 1\narchitecture: all\ninstalled_size: 007\n"),
    "text-size": dict(control="package: tis-x\nversion: 1\narchitecture: all\ninstalled_size: much\n"),
    "old-papers": dict(files={"setup.py": "pass\n", **{p: "old" for p in forge.PAPERS[1:] + ("WAPT/manifest.sha1", "WAPT/signature")}}),
    "files": dict(files={"setup.py": b"", "empty": b"", "a b/c d.txt": "x", "é/日本 😀.bin": bytes(range(256)) * 40, "deep/" * 20 + "f": "x", "zeros": bytes(1 << 20),
                         "WAPT/persistent/p.ini": "x", "WAPT/changelog.txt": "x", "sub/.git/config": "kept", ".git/config": "left out", ".gitignore": "left out"}),
    "crlf": dict(control="package: tis-x\r\nversion: 1\r\narchitecture: all\r\ndescription: one\r\n two\r\n"),
    "group": dict(control="package: grp-x\nversion: 1\narchitecture: all\nsection: group\ndepends: tis-a,tis-b\n", files={}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_built_packages_are_wapt_s(home, tmp_path, name):
    source(tmp_path / "src", **SOURCES[name])
    wapt_get("build-package", tmp_path / "src", "-k", home / "Zoë Ünit.crt", "-w", home / "pw", "-o", tmp_path)
    (made,) = tmp_path.glob("*.wapt")
    c = check_as_wapt(made, *certificates(home, "Authority"))
    given = read_control((tmp_path / "src/WAPT/control").read_bytes())
    assert {a: c[a] for a in given} == given and c["signer"] == "Zoë Ünit"
    with zipfile.ZipFile(made) as z:
        assert z.namelist()[-4:] == list(forge.PAPERS)
        assert not [n for n in z.namelist() if n.startswith(".git")]
        if name == "files":
            assert "sub/.git/config" in z.namelist()
    # Signed anew by another: nothing of the first signature stays.
    wapt_get("sign-package", made, "-k", home / "Alone.crt")
    again = check_as_wapt(made, *certificates(home, "Alone"))
    assert again["signer"] == "Alone" and again["package_uuid"] != c["package_uuid"]


def test_the_same_sources_give_the_same_files(home, tmp_path):
    """But for what is new in each signature: uuid, date, and what signs them."""
    source(tmp_path / "src", **SOURCES["files"])
    made = []
    for n in "ab":
        (tmp_path / n).mkdir()
        wapt_get("build-package", tmp_path / "src", "-k", home / "Alone.crt", "-o", tmp_path / n)
        with zipfile.ZipFile(next((tmp_path / n).glob("*.wapt"))) as z:
            made.append([(i.filename, i.external_attr, i.flag_bits, i.create_system, i.CRC if i.filename not in forge.PAPERS else 0) for i in z.infolist()])
    assert made[0] == made[1]


def test_sign_what_others_packed(home, tmp_path):
    """Unsigned archives of zipfile, with its directory entries; packages of WAPT over both digests."""
    other = Owner("Other", ca=True)
    with zipfile.ZipFile(tmp_path / "a.wapt", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("data/", b"")
        z.writestr("data/x", b"x")
        z.writestr("WAPT/control", "package: tis-x\nversion: 1.0-1\narchitecture: all\n")
    (tmp_path / "b.wapt").write_bytes(forge.package(other, sha1=True))
    for n in "ab":
        wapt_get("sign-package", tmp_path / f"{n}.wapt", "-k", home / "Alone.crt")
        check_as_wapt(tmp_path / f"{n}.wapt", *certificates(home, "Alone"))


@pytest.mark.parametrize("name, control", dict(
    version="package: tis-x\nversion: 1.2.3.4.5\narchitecture: all\n", word="package: tis-x\nversion: one\narchitecture: all\n",
    architecture="package: tis-x\nversion: 1\narchitecture: arm\n", no_package="version: 1\narchitecture: all\n", bom="\ufeffpackage: tis-x\nversion: 1\n",
    twice="package: a\npackage: b\nversion: 1\n", tail="package: a\nversion: 1\n\ndepends: b\n", no_colon="package: a\nversion\n").items())
def test_sources_that_are_refused(home, tmp_path, name, control):
    source(tmp_path / "src", control=control)
    p = wapt_get("build-package", tmp_path / "src", "-k", home / "Alone.crt", "-o", tmp_path, ok=False)
    assert p.returncode in (4, 10) and not list(tmp_path.glob("*.wapt*")) and len(p.stderr) > 30


def test_code_needs_the_right_to_it(home, tmp_path):
    source(tmp_path / "src")
    p = wapt_get("build-package", tmp_path / "src", "-k", home / "Deployer.crt", "-w", home / "pw", "-o", tmp_path, ok=False)
    assert p.returncode == 4 and "codeSigning" in p.stderr and not list(tmp_path.glob("*.wapt*"))
    shutil.move(tmp_path / "src/setup.py", tmp_path / "src/data.txt")
    wapt_get("build-package", tmp_path / "src", "-k", home / "Deployer.crt", "-w", home / "pw", "-o", tmp_path)
    check_as_wapt(next(tmp_path.glob("*.wapt")), *certificates(home, "Authority"))
