"""F2A, F2B: control, manifest and signatures. What a trusted signer did not sign exactly so is refused; what WAPT's tools sign is taken."""
import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import forge
from forge import ATTRIBUTES, PAPERS, archive, control, entries, members
from forged import CA, DEV, PLAIN, STRANGER, Cases

CASES = Cases()
add = CASES.add
SIGNED = [a for a in ATTRIBUTES if a != "signature"]
MINIMUM = "package version architecture section priority depends conflicts maturity signer signer_fingerprint signature_date signed_attributes".split()


def pack(signer=DEV, then=None, **kw):
    """A package; then(members) changes it after everything is signed."""
    def make():
        m = members(signer, **kw)
        return archive(entries(then(m) or m if then else m))
    return make


def ctl(signer=DEV, **kw):
    """Its control made so, its manifest true."""
    return lambda: archive(entries(members(signer, ctl=control(signer, **kw))))


def replace(name, change):
    def then(m):
        m[name] = change(m[name])
    return then


def drop(name):
    def then(m):
        del m[name]
    return then


# --- honest ones of every version ---

for wapt in forge.LATER:
    add(f"wapt-{wapt}", pack(wapt=wapt))
    add(f"wapt-{wapt}-full", pack(wapt=wapt, description="Grüße\n* deux\ntrois: €😀", depends="tis-a,tis-b(>=1.2)", conflicts="tis-c", maturity="PROD",
                                  locale="fr,en", installed_size="123456", impacted_process="a.exe,b", sources='http://x/?a="b"\\c'))
    add(f"wapt-{wapt}-group", pack(PLAIN, wapt=wapt, files={}, section="group", depends="tis-a,tis-b"))
add("over-sha1-too", pack(sha1=True))
for size in ("0", "007", "-5", "+5", "12L", "12l", "99999999999999999999", "1.5", "1_0", "0x10", "abc", "1e3"):
    number = {"007": 7, "-5": -5, "+5": 5, "12L": 12, "12l": 12}.get(size)
    add(f"installed-size-{size}", lambda s=size, n=number: archive(entries(members(DEV, ctl=control(
        DEV, installed_size=s, signature=None if n is None else lambda b: DEV.sign(b.replace(json.dumps(s).encode(), str(n).encode())))))))

# --- control: how it is written ---

for n, w in dict(crlf=lambda l: "\r\n".join(l).encode(), cr=lambda l: "\r".join(l).encode(), upper=lambda l: [x[:18].upper() + x[18:] for x in l],
                 tight=lambda l: [x.replace(" ", "").replace(":", ": ", 1) if x.startswith("name ") else x.split(":", 1)[0].strip() + ":" + x.split(":", 1)[1]
                                  for x in l],
                 reordered=lambda l: l[::-1], unknown=lambda l: l + ["x_unknown         : value"], index_attributes=lambda l: l + ["md5sum : 00", "filename : ../x"],
                 final_newline=lambda l: l + [""], final_blank=lambda l: l + ["   ", ""], nel=lambda l: "\u0085".join(l).encode()).items():
    add(f"control-{n}", ctl(write=w))
for n, w, says in (("bom", lambda l: b"\xef\xbb\xbf" + "\n".join(l).encode(), "byte order"),
                   ("latin1", lambda l: "\n".join(l).replace("made", "m\xe9de").encode("latin-1"), "UTF-8"),
                   ("utf16", lambda l: "\n".join(l).encode("utf-16"), "UTF-8"),
                   ("nul", lambda l: l + ["x : a\0b"], "UTF-8"),
                   ("surrogate", lambda l: "\n".join(l).encode() + b"\nx: \xed\xa0\x80", "UTF-8"),
                   ("twice", lambda l: l + [l[0]], "again"),
                   ("twice-other", lambda l: l + ["package : evil"], "again"),
                   ("twice-case", lambda l: l + ["PACKAGE : evil"], "again"),
                   ("twice-first", lambda l: ["package : evil"] + l, "again"),
                   ("twice-blank-key", lambda l: l + ["package\u00a0: evil"], "again"),
                   ("after-blank-line", lambda l: l + ["", "depends : evil"], "blank line"),
                   ("after-blank-line-crlf", lambda l: l + ["\r", "depends : evil"], "blank line"),
                   ("blank-line-first", lambda l: [""] + l, ""),
                   ("no-colon", lambda l: l + ["nothing"], "no ':'"),
                   ("tab-continuation", lambda l: l + ["\tmore"], "no ':'"),
                   ("continues-nothing", lambda l: [" more"] + l, "continues nothing"),
                   ("empty", lambda l: b"", ""),
                   ("blank", lambda l: b" \n\t\n", ""),
                   ("long", lambda l: l + ["x" * 300000 + ": y"], "larger")):
    add(f"control-{n}", ctl(write=w), ("archive", "control"), says)
add("control-no-package", ctl(package=""), "control", "package")
for n, w in dict(more=lambda l: l + [" and more"], changed=lambda l: [x.replace("1.0-1", "1.0-2") for x in l], dropped=lambda l: l[:8] + l[9:],
                 u2028=lambda l: [x + "\u2028locale: fr" if x.startswith("description ") else x for x in l],
                 vt=lambda l: [x + "\x0blocale: fr" if x.startswith("zz") else x.replace("by hand", "by\x0bhand : x") for x in l]).items():
    add(f"control-{n}", ctl(write=w), ("control-signature", "attributes", "control"))
for a in SIGNED:
    add(f"changed-{a}", ctl(write=lambda l, a=a: [x + "x" if x.split(":")[0].strip() == a else x for x in l]), ("control-signature", "attributes", "control"))
    if a in MINIMUM:
        listed = [s for s in SIGNED if s != a]
        add(f"unsigned-{a}", ctl(listed=listed), "attributes", a)
    else:
        add(f"unsigned-but-set-{a}", ctl(listed=[s for s in SIGNED if s != a], **{a: "value"}), "attributes", a)
    if a not in MINIMUM and a not in ("maintainer", "description", "package_uuid"):
        add(f"unsigned-and-empty-{a}", ctl(listed=[s for s in SIGNED if s != a]))
    add(f"set-after-signing-{a}", ctl(listed=[s for s in SIGNED if s != a],
                                      write=lambda l, a=a: [x for x in l if x.split(":")[0].strip() != a] + [f"{a} : added"]),
        ("attributes", "control-signature"))
add("minimum", ctl(listed=MINIMUM, maintainer="", description="", package_uuid=""))
add("nothing-listed", ctl(listed=[]), ("attributes", "control-signature"))
add("list-with-blanks", ctl(signed_attributes=", ".join(SIGNED)))
add("list-with-empty-items", ctl(signed_attributes=",".join(SIGNED) + ",,"))
add("list-names-twice", ctl(signed_attributes=",".join(SIGNED + ["package"])), ("attributes", "control-signature"))
add("list-names-signature", ctl(listed=SIGNED + ["signature"]), ("attributes", "control-signature"))
add("list-names-unknown", ctl(listed=SIGNED + ["x_unknown"], x_unknown="v"), ("attributes", "control-signature"))
add("list-endless", ctl(signed_attributes=",".join(SIGNED + [f"a{i}" for i in range(5000)])), ("attributes", "control-signature"))
add("before-2017", ctl(listed=MINIMUM[:8], signed_attributes="", signature_date="20170101-101010"), ("attributes", "control-signature"))


class Liar:
    """Signs with Developer's key in another name."""
    def __init__(self, cn=None, fingerprint=None):
        self.cn, self.fingerprint, self.sign, self.pem = cn or DEV.cn, fingerprint or DEV.fingerprint, DEV.sign, DEV.pem


add("signed-lie-about-name", pack(Liar(cn="Chief")), "control-signature", "Chief")
add("signed-lie-about-fingerprint", pack(Liar(fingerprint="0" * 64)), "control-signature", "another signer")
add("fingerprint-upper", pack(Liar(fingerprint=DEV.fingerprint.upper())), "control-signature", "another signer")
add("fingerprint-empty", pack(Liar(fingerprint=" ")), "control-signature", "another signer")

# --- signatures, of the control and of the manifest ---


def rsa_raw(block):
    numbers = DEV.private.private_numbers()
    n = numbers.public_numbers.n
    return pow(int.from_bytes(block, "big"), numbers.d, n).to_bytes(256, "big")


SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
SHA256_NO_NULL = bytes.fromhex("302f300b0609608648016503040201" "0420")
SHA1 = bytes.fromhex("3021300906052b0e03021a05000414")
SHA512 = bytes.fromhex("3051300d060960864801650304020305000440")


def block(info, fill=b"\xff", kind=1, lead=b"\0", tail=b"", n=256, zero=b"\0"):
    room = n - len(lead) - 1 - len(zero) - len(info) - len(tail)
    return lead + bytes([kind]) + fill * room + zero + info + tail


def info(data, prefix=SHA256, h="sha256"):
    return prefix + hashlib.new(h, data).digest()


FORGED = dict(
    sha1=lambda d: DEV.sign(d, hashes.SHA1()), sha384=lambda d: DEV.sign(d, hashes.SHA384()), sha512=lambda d: DEV.sign(d, hashes.SHA512()),
    pss=lambda d: DEV.sign(d, pad=padding.PSS(padding.MGF1(hashes.SHA256()), 32)), stranger=lambda d: STRANGER.sign(d), ca=lambda d: CA.sign(d),
    other_message=lambda d: DEV.sign(d + b" "), digest_of_digest=lambda d: DEV.sign(hashlib.sha256(d).digest()),
    digest_hex=lambda d: DEV.sign(hashlib.sha256(d).hexdigest().encode()), empty=lambda d: b"", zeros=lambda d: bytes(256), ones=lambda d: b"\xff" * 256,
    one=lambda d: bytes(255) + b"\1", truncated=lambda d: DEV.sign(d)[:-1], longer=lambda d: DEV.sign(d) + b"\0", leading_zero=lambda d: b"\0" + DEV.sign(d),
    flipped=lambda d: DEV.sign(d)[:-1] + bytes([DEV.sign(d)[-1] ^ 1]), doubled=lambda d: DEV.sign(d) * 2,
    unpadded=lambda d: rsa_raw(info(d).rjust(256, b"\0")), block_type_2=lambda d: rsa_raw(block(info(d), b"\x55", kind=2)),
    block_type_0=lambda d: rsa_raw(block(info(d), b"\0", kind=0)), no_zero=lambda d: rsa_raw(block(info(d), zero=b"\xff")),
    garbage_after=lambda d: rsa_raw(block(info(d), tail=bytes(64))), short_padding=lambda d: rsa_raw(b"\0\1" + b"\xff" * 8 + b"\0" + info(d) + b"\x11" * 194),
    padding_not_ff=lambda d: rsa_raw(block(info(d), b"\xfe")), no_null=lambda d: rsa_raw(block(info(d, SHA256_NO_NULL))),
    bare_digest=lambda d: rsa_raw(block(hashlib.sha256(d).digest())), digest_of_other_kind=lambda d: rsa_raw(block(SHA256 + hashlib.sha256(d).digest()[:20])),
    sha1_labelled_sha256=lambda d: rsa_raw(block(info(d, SHA256, "sha1"))), sha512_inside=lambda d: rsa_raw(block(info(d, SHA512, "sha512"))),
    long_form_length=lambda d: rsa_raw(block(b"\x30\x81\x31" + info(d)[2:])), parameters=lambda d: rsa_raw(
        block(bytes.fromhex("3033300f060960864801650304020105020b0b0420") + hashlib.sha256(d).digest())),
)
for n, f in FORGED.items():
    add(f"control-signature-{n}", ctl(signature=f), "control-signature")

    def manifest_signed(f=f):
        m = members(DEV)
        m[PAPERS[3]] = base64.encodebytes(f(m[PAPERS[2]]))
        return archive(entries(m))
    add(f"manifest-signature-{n}", manifest_signed, "manifest-signature")


def b64(raw):
    return base64.b64encode(raw).decode()


TEXTS = dict(url=lambda r: b64(r).replace("+", "-").replace("/", "_"), unpadded=lambda r: b64(r).rstrip("="), overpadded=lambda r: b64(r) + "=",
             trailing=lambda r: b64(r) + "AAAA", junk=lambda r: "!" + b64(r), hex=lambda r: r.hex(), reversed=lambda r: b64(r)[::-1],
             nul=lambda r: b64(r)[:9] + "\0" + b64(r)[9:], comment=lambda r: "# " + b64(r), spare_bits=lambda r: b64(r)[:-3] + chr(ord(b64(r)[-3]) + 1) + "==")
for n, f in TEXTS.items():
    add(f"manifest-base64-{n}", pack(signature=lambda r, f=f: f(r).encode()), "manifest-signature")
    if n != "nul":
        add(f"control-base64-{n}", ctl(signature=lambda d, f=f: f(DEV.sign(d))), "control-signature")
for n, f in dict(one_line=b64, crlf=lambda r: base64.encodebytes(r).decode().replace("\n", "\r\n"), wide=lambda r: b64(r)[:100] + "\n" + b64(r)[100:]).items():
    add(f"manifest-base64-{n}", pack(signature=lambda r, f=f: f(r).encode()))
add("manifest-signature-binary", pack(signature=lambda r: r), "manifest-signature")
add("manifest-signature-pem", pack(signature=lambda r: b"-----BEGIN SIGNATURE-----\n" + base64.encodebytes(r) + b"-----END SIGNATURE-----\n"), "manifest-signature")
add("manifest-signature-huge", pack(signature=lambda r: b64(r).encode() + b"\n" * 20000), ("chain", "manifest-signature"))
add("control-signature-none", ctl(signature=lambda d: ""), "control-signature", "not signed")
add("control-signature-dropped", ctl(write=lambda l: [x for x in l if not x.startswith("signature ")]), "control-signature", "not signed")
add("control-signature-folded", ctl(write=lambda l: [x[:60] + "\n " + x[60:] if x.startswith("signature ") else x for x in l]))

# --- manifest: what it lists ---

H = "0" * 64
BAD_PAIRS = dict(
    three=lambda l: l + [["x", H, 1]], alone=lambda l: l + [["x"]], empty_pair=lambda l: l + [[]], number=lambda l: l + [["x", 1]],
    number_name=lambda l: l + [[1, H]], true=lambda l: l + [["x", True]], null=lambda l: l + [["x", None]], nested=lambda l: l + [[["x", H]]],
    nested_name=lambda l: l + [[["x"], H]], text=lambda l: l + ["x"], object=lambda l: l + [{"x": H}], object_whole=lambda l: dict(l),
    object_wrapped=lambda l: {"files": l}, same_twice=lambda l: l + [l[0]], twice_other=lambda l: l + [[l[0][0], H]],
    twice_case=lambda l: l + [["SETUP.PY", H]], upper_digest=lambda l: [[n, d.upper()] for n, d in l], short_digest=lambda l: [[n, d[:-1]] for n, d in l],
    sha1_digest=lambda l: [[n, d[:40]] for n, d in l], prefixed=lambda l: [[n, "sha256:" + d] for n, d in l], spaced=lambda l: [[n, d + " "] for n, d in l],
    empty_digest=lambda l: [[n, ""] for n, d in l], swapped=lambda l: [[d, n] for n, d in l], dot=lambda l: [["./" + n, d] for n, d in l],
    absolute=lambda l: l + [["/etc/passwd", H]], up=lambda l: l + [["../x", H]], backslash=lambda l: l + [["a\\b", H]], folder=lambda l: l + [["data/", H]],
    empty_name=lambda l: l + [["", H]], nul_name=lambda l: l + [["setup.py\0", H]], itself=lambda l: l + [["WAPT/manifest.sha256", H]],
    its_signature=lambda l: l + [["WAPT/signature.sha256", H]], sha1_manifest=lambda l: l + [["WAPT/manifest.sha1", H]],
    old_signature=lambda l: l + [["WAPT/signature", H]], many=lambda l: l + [[f"f{i}", H] for i in range(200001)])
for n, f in BAD_PAIRS.items():
    add(f"manifest-pairs-{n}", pack(pairs=f), ("manifest-signature", "files"))
for n, f in dict(missing_file=lambda l: l[1:], missing_control=lambda l: [p for p in l if p[0] != PAPERS[0]],
                 missing_certificate=lambda l: [p for p in l if p[0] != PAPERS[1]], extra=lambda l: l + [["other.txt", H]],
                 wrong_digest=lambda l: [[l[0][0], H]] + l[1:], wrong_control=lambda l: [[n, H if n == PAPERS[0] else d] for n, d in l],
                 wrong_certificate=lambda l: [[n, H if n == PAPERS[1] else d] for n, d in l], digests_swapped=lambda l: [[l[0][0], l[1][1]], [l[1][0], l[0][1]]] + l[2:],
                 only_papers=lambda l: l[-2:], empty=lambda l: [], case=lambda l: [[n.replace("setup", "Setup"), d] for n, d in l]).items():
    add(f"manifest-{n}", pack(pairs=f), "files")
for n, f in dict(reversed=lambda t: json.dumps(json.loads(t)[::-1], separators=(",", ":")).encode(), spaced=lambda t: json.dumps(json.loads(t), indent=1).encode(),
                 newline=lambda t: t + b"\n", crlf=lambda t: t.replace(b",", b",\r\n"), escaped=lambda t: t.replace(b"setup", b"\\u0073etup"),
                 legacy=lambda t: json.dumps(json.loads(t)).encode()).items():
    add(f"manifest-text-{n}", pack(manifest=f))  # what was signed is the text as it stands
for n, f in dict(bom=lambda t: b"\xef\xbb\xbf" + t, utf16=lambda t: t.decode().encode("utf-16"), cut=lambda t: t[:-1], more=lambda t: t + b"]", two=lambda t: t + t,
                 comma=lambda t: t[:-1] + b",]", comment=lambda t: t + b"//x", single_quotes=lambda t: t.replace(b'"', b"'"), empty=lambda t: b"", blank=lambda t: b" ",
                 null=lambda t: b"null", number=lambda t: b"1", text=lambda t: b'"x"', true=lambda t: b"true", nan=lambda t: b"[NaN]", deep=lambda t: b"[" * 5000 + b"]" * 5000,
                 control=lambda t: t.replace(b"setup", b"se\ntup"), surrogate=lambda t: t.replace(b"setup", b"se\\ud800tup"), nul=lambda t: t + b"\0",
                 latin1=lambda t: t.replace(b"setup", b"s\xe9tup"), bad_escape=lambda t: t.replace(b"setup", b"se\\x74up")).items():
    add(f"manifest-text-{n}", pack(manifest=f), ("manifest-signature", "files"))
add("manifest-huge", pack(manifest=lambda t: t + b" " * (17 << 20)), ("chain", "manifest-signature"))

# --- changed after signing ---

for n, then in dict(byte=replace("data/file.txt", lambda d: b"C" + d[1:]), shorter=replace("data/file.txt", lambda d: d[:-1]),
                    longer=replace("data/file.txt", lambda d: d + b"\n"), emptied=replace("setup.py", lambda d: b""), swapped=lambda m: {
                        **m, "setup.py": m["data/file.txt"], "data/file.txt": m["setup.py"]}, removed=drop("data/file.txt"), setup_removed=drop("setup.py"),
                    renamed=lambda m: {("other.txt" if n == "data/file.txt" else n): d for n, d in m.items()}, added=lambda m: {**m, "other.py": b""},
                    added_persistent=lambda m: {**m, "WAPT/persistent/x": b"x"}, added_icon=lambda m: {**m, "WAPT/icon.png": b"\x89PNG"},
                    added_changelog=lambda m: {**m, "WAPT/changelog.txt": b"x"}, added_gitignore=lambda m: {**m, ".gitignore": b"x"},
                    added_git=lambda m: {**m, ".git": b"x"}, added_svn=lambda m: {**m, ".svn": b"x"}, added_pyc=lambda m: {**m, "setup.pyc": b"x"},
                    added_md5=lambda m: {**m, "WAPT/manifest.md5": b"[]"}, added_sha512=lambda m: {**m, "WAPT/signature.sha512": b"x"},
                    added_pycache=lambda m: {**m, "__pycache__/setup.cpython-311.pyc": b"x"}, added_deep=lambda m: {**m, "a/b/c/d": b""}).items():
    add(f"after-{n}", pack(then=then), "files")
for paper, check in zip(PAPERS, ("archive", "chain", "chain", "chain")):
    add(f"after-no-{paper}", pack(then=drop(paper)), check)
    add(f"after-empty-{paper}", pack(then=replace(paper, lambda d: b"")), ("control", "chain", "manifest-signature"))
    add(f"after-newline-{paper}", pack(then=replace(paper, lambda d: d + b"\n")), ("files", "manifest-signature") if paper != PAPERS[3] else None)
add("after-manifest-of-other", pack(then=lambda m: {**m, PAPERS[2]: members(DEV)[PAPERS[2]]}), "manifest-signature")
add("after-papers-of-other", pack(then=lambda m: {**m, **{p: members(DEV, description="other")[p] for p in PAPERS[2:]}}), "manifest-signature")
add("after-control-of-other", pack(then=lambda m: {**m, PAPERS[0]: control(DEV, package="tis-other")}), "files")
add("manifest-by-stranger", pack(then=lambda m: {**m, PAPERS[3]: forge.mime(STRANGER.sign(m[PAPERS[2]]))}), "manifest-signature")
add("control-by-trusted-rest-by-stranger", lambda: archive(entries(members(STRANGER, ctl=control(DEV)))), ("chain", "control-signature"))
add("control-by-other-trusted", lambda: archive(entries(members(DEV, files={}, ctl=control(PLAIN)))), "control-signature", "another signer")
add("control-by-stranger-rest-by-trusted", lambda: archive(entries(members(DEV, ctl=control(STRANGER)))), "control-signature")

# --- over SHA-1 beside SHA-256 ---

SHA1_PAPERS = ("WAPT/manifest.sha1", "WAPT/signature")
for n, then in dict(manifest_emptied=replace(SHA1_PAPERS[0], lambda d: b"[]"), signature_changed=replace(SHA1_PAPERS[1], lambda d: b"AAAA" + d[4:]),
                    no_manifest=drop(SHA1_PAPERS[0]), no_signature=drop(SHA1_PAPERS[1]),
                    manifest_spaced=replace(SHA1_PAPERS[0], lambda d: d + b" "), manifest_anything=replace(SHA1_PAPERS[0], lambda d: b"#!/bin/sh\n"),
                    signature_anything=replace(SHA1_PAPERS[1], lambda d: b"#!/bin/sh\n"), signature_empty=replace(SHA1_PAPERS[1], lambda d: b""),
                    signature_sha256=lambda m: {**m, SHA1_PAPERS[1]: forge.mime(DEV.sign(m[SHA1_PAPERS[0]]))},
                    signature_large=replace(SHA1_PAPERS[1], lambda d: d + b"\n" * 20000)).items():
    add(f"sha1-{n}", pack(sha1=True, then=then), ("files", "archive"), "SHA-1|larger")
for n, pairs in dict(wrong_digest=lambda l: [[l[0][0], "0" * 40]] + l[1:], one_missing=lambda l: l[1:], one_more=lambda l: l + [["other", "0" * 40]], one_more_at_the_end=lambda l: sorted(l) + [["zzz", "0" * 40]],
                     last_missing=lambda l: sorted(l)[:-1], sha256_digests=lambda l: [[n, "0" * 64] for n, d in l]).items():
    def signed_sha1(m, pairs=pairs):
        m[SHA1_PAPERS[0]] = forge.canonical(pairs(json.loads(m[SHA1_PAPERS[0]])))
        m[SHA1_PAPERS[1]] = forge.mime(DEV.sign(m[SHA1_PAPERS[0]], hashes.SHA1()))
    add(f"sha1-signed-{n}", pack(sha1=True, then=signed_sha1), "files", "SHA-1")
add("sha1-alone", pack(sha1=True, then=lambda m: {n: d for n, d in m.items() if n not in PAPERS[2:]}), "chain", "SHA-256")

# --- code ---

add("code-by-developer", pack())
add("code-by-deployer", pack(PLAIN), "code", "codeSigning")
add("no-code-by-deployer", pack(PLAIN, files={"data.txt": b"x"}))
add("setup-below-by-deployer", pack(PLAIN, files={"sub/setup.py": b"x", "setup.py.txt": b"x", "xsetup.py": b"x"}))
for n in ("Setup.py", "SETUP.PY", "setup.pY", "\u017fetup.py", "ſetup.PY"):
    add(f"code-named-{n!a}-by-{len(n)}", pack(PLAIN, files={n: b"x"}), ("code", "archive"))
    add(f"code-named-{n!a}-by-developer", pack(files={n: b"x"}), ("code", "archive"))
for n in ("./setup.py", "setup.py.", "setup.py ", "setup.py/", "/setup.py", "x/../setup.py", "setup.py::$DATA", ".\\setup.py", "setup.py\0"):
    add(f"code-named-{n!a}", pack(PLAIN, files={n: b"x"}), "archive")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    CASES.run(tmp_path_factory.mktemp("papers"), {"main": {"ca.crt": CA.pem}})
    return CASES


@pytest.mark.parametrize("name", CASES.names())
def test_papers(cases, name):
    cases.judge(name)
