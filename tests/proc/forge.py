"""Packages, indexes and certificates made by hand, by the rules of WAPT 1.5 to 1.8 or against them.

None of our programs takes part: ZIP records are packed field by field, signatures and certificates come from
the cryptography library. What a test wants to be wrong is passed as a change to the one thing that it changes.
"""
import base64
import datetime
import functools
import hashlib
import json
import struct
import uuid
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)

# --- ZIP ---

LOCAL = ("sig", "version", "flags", "method", "time", "date", "crc", "packed", "size", "name_n", "extra_n")
CENTRAL = ("sig", "made_by", "version", "flags", "method", "time", "date", "crc", "packed", "size", "name_n", "extra_n", "comment_n", "disk",
           "internal", "external", "offset")
END = ("sig", "disk", "start_disk", "here", "count", "bytes", "offset", "comment_n")
FORMS = {LOCAL: "<IHHHHHIIIHH", CENTRAL: "<IHHHHHHIIIHHHHHII", END: "<IHHHHIIH"}


def record(fields, values):
    return struct.pack(FORMS[fields], *(values[f] for f in fields))


class Entry:
    """One member. local and central replace fields of the two headers after they were computed."""

    def __init__(self, name, data, method=8, level=6, flags=None, mode=0o100644, local=None, central=None, local_name=None, local_extra=b"",
                 central_extra=b"", comment=b"", packed=None, descriptor=b"", before=b"", in_directory=True, offset=None):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.data = data if isinstance(data, bytes) else data.encode()
        self.method, self.flags, self.mode = method, flags, mode
        self.local, self.central = local or {}, central or {}
        self.local_name = self.name if local_name is None else local_name
        self.local_extra, self.central_extra, self.comment = local_extra, central_extra, comment
        self.descriptor, self.before, self.in_directory, self.offset = descriptor, before, in_directory, offset
        if packed is None:
            packed = self.data
            if method == 8:
                deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
                packed = deflate.compress(self.data) + deflate.flush()
        self.packed = packed

    def values(self):
        flags = (0 if self.name.isascii() else 0x800) if self.flags is None else self.flags
        return dict(version=20, flags=flags, method=self.method, time=0x6000, date=0x5500, crc=zlib.crc32(self.data), packed=len(self.packed),
                    size=len(self.data))

    def local_bytes(self):
        v = dict(self.values(), sig=0x04034B50, name_n=len(self.local_name), extra_n=len(self.local_extra))
        return record(LOCAL, dict(v, **self.local)) + self.local_name + self.local_extra + self.packed + self.descriptor

    def central_bytes(self, offset):
        v = dict(self.values(), sig=0x02014B50, made_by=0x0314, name_n=len(self.name), extra_n=len(self.central_extra), comment_n=len(self.comment),
                 disk=0, internal=0, external=self.mode << 16, offset=offset if self.offset is None else self.offset)
        return record(CENTRAL, dict(v, **self.central)) + self.name + self.central_extra + self.comment


def archive(entries, end=None, comment=b"", prefix=b"", shift=True, before_directory=b"", before_end=b"", suffix=b"", order=None):
    """shift: offsets count from the prefix's first byte, as a reader expects them. order: of the directory."""
    out, directory = bytearray(prefix), {}
    for i, e in enumerate(entries):
        out += e.before
        directory[i] = e.central_bytes(len(out) - (0 if shift else len(prefix)))
        out += e.local_bytes()
    out += before_directory
    start = len(out) - (0 if shift else len(prefix))
    central = b"".join(directory[i] for i in (order or range(len(entries))) if entries[i].in_directory)
    count = sum(e.in_directory for e in entries)
    v = dict(sig=0x06054B50, disk=0, start_disk=0, here=count, count=count, bytes=len(central), offset=start, comment_n=len(comment))
    if before_end is True:  # Zip64's end record and locator
        at = len(out) + len(central)
        before_end = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, len(central), start)
        before_end += struct.pack("<IIQI", 0x07064B50, 0, at, 1)
    return bytes(out) + central + before_end + record(END, dict(v, **(end or {}))) + comment + suffix


# --- keys and certificates ---

@functools.lru_cache(None)
def key(name, bits=2048, e=65537):
    return rsa.generate_private_key(e, bits)


class Owner:
    """A name with a key and a certificate; chain: what travels in its packages."""

    def __init__(self, cn, issuer=None, ca=False, code=True, pathlen=None, days=(-30, 365), usage="default", eku=None, md=hashes.SHA256(),
                 extensions=(), private=None, public=None, basic=True, ids=True, sign_with=None, subject=None, chain=None):
        self.cn, self.private = cn, private or key("issued" if issuer and not ca else cn)  # keys cost time
        name = subject or x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        above = issuer or self
        self.subject = name
        b = x509.CertificateBuilder().subject_name(name).issuer_name(above.subject).public_key(public or self.private.public_key())
        b = b.serial_number(x509.random_serial_number()).not_valid_before(NOW + days[0] * DAY).not_valid_after(NOW + days[1] * DAY)
        if basic:
            b = b.add_extension(x509.BasicConstraints(ca, pathlen if ca else None), True)
        if usage == "default":
            usage = dict(digital_signature=True, content_commitment=True, data_encipherment=True, key_cert_sign=ca, crl_sign=ca)
        if usage is not None:
            no = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
                                "crl_sign", "encipher_only", "decipher_only"), False)
            b = b.add_extension(x509.KeyUsage(**dict(no, **usage)), True)
        eku = ([Eku.CODE_SIGNING] if code else []) if eku is None else eku
        if eku:
            b = b.add_extension(x509.ExtendedKeyUsage(eku), True)
        if ids:
            b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.private.public_key()), False)
            b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.private.public_key()), False)
        for value, critical in extensions:
            b = b.add_extension(value, critical)
        self.cert = b.sign(sign_with or above.private, md)
        self.chain = chain if chain is not None else [self.cert] + (issuer.chain if issuer else [])

    @property
    def pem(self):
        return "\n".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in self.chain).encode()

    @property
    def fingerprint(self):
        return self.cert.fingerprint(hashes.SHA256()).hex()

    def sign(self, data, md=hashes.SHA256(), pad=None):
        return self.private.sign(data, pad or padding.PKCS1v15(), md)


def crl(issuer, revoked=(), last=-1, until=30, md=hashes.SHA256(), der=True):
    b = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(NOW + last * DAY).next_update(NOW + until * DAY)
    b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private.public_key()), False)
    for owner in revoked:
        b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(owner.cert.serial_number)
                                      .revocation_date(NOW + (last - 1) * DAY).build())
    made = b.sign(issuer.private, md)
    return made.public_bytes(serialization.Encoding.DER if der else serialization.Encoding.PEM)


# --- control, manifest, package ---

ATTRIBUTES = """package version architecture section priority name categories maintainer description depends conflicts maturity locale
target_os min_os_version max_os_version min_wapt_version sources installed_size impacted_process description_fr description_pl description_de
description_es description_pt description_it description_nl description_ru audit_schedule editor keywords licence homepage package_uuid valid_from
valid_until forced_install_on changelog signer signer_fingerprint signature signature_date signed_attributes""".split()
# What the tools of each version did not know yet (formats.md 12.1). Up to 1.7 they signed the older form of JSON; up to 1.6 they wrote
# another date, and blanks into the manifest.
LATER = {"1.8": set()}
LATER["1.8.0"] = {"changelog"}
LATER["1.7"] = LATER["1.8.0"] | {"description_pt", "description_it", "description_nl", "description_ru"}
LATER["1.6"] = LATER["1.7"] | {"name", "categories", "valid_from", "valid_until", "forced_install_on"}
LATER["1.5"] = LATER["1.6"] | {"audit_schedule", "editor", "keywords", "licence", "homepage", "package_uuid"}


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def python2_order(names):
    """The order in which CPython 2.7 gives the keys of a dictionary filled in the order of names."""
    size, used, table = 8, 0, [None] * 8

    def hashed(s):
        x = ord(s[0]) << 7
        for c in s:
            x = (1000003 * x ^ ord(c)) & 0xFFFFFFFFFFFFFFFF
        return x ^ len(s)

    def put(table, size, name):
        perturb = i = hashed(name)
        while table[i & (size - 1)] not in (None, name):
            i = 5 * i + perturb + 1
            perturb >>= 5
        table[i & (size - 1)] = name

    for name in names:
        put(table, size, name)
        used += 1
        if 3 * used >= 2 * size:
            old, size = table, 8
            while size <= 4 * used:
                size *= 2
            table = [None] * size
            for o in old:
                if o:
                    put(table, size, o)
    return [t for t in table if t]


def legacy_json(values, names):
    return ("{" + ", ".join(json.dumps(n) + ": " + json.dumps(values[n]) for n in python2_order(names)) + "}").encode()


def control(signer, /, wapt="1.8", listed=None, write=None, signature=None, end="", **attributes):
    """Signed control. listed: the names it signs; write(lines): changes what is written; signature(bytes): makes another one."""
    names = [a for a in ATTRIBUTES if a not in LATER[wapt]]
    if listed is None:
        listed = [a for a in names if a != "signature"]
    v = dict.fromkeys(names, "")
    v.update(package="tis-forged", version="1.0-1", architecture="all", section="base", priority="optional", maintainer="Tester",
             description="A package made by hand", signer=signer.cn, signer_fingerprint=signer.fingerprint,
             signature_date=NOW.isoformat() + ".123456" if wapt >= "1.7" else NOW.strftime("%Y%m%d-%H%M%S"), signed_attributes=",".join(listed))
    if "package_uuid" in v:
        v["package_uuid"] = str(uuid.uuid4())
    v.update(attributes)
    signed = {n: v.get(n, "") for n in listed}
    for n in ("size", "installed_size"):
        if str(signed.get(n, "")).isdigit():
            signed[n] = int(signed[n])
    covered = canonical(signed) if wapt >= "1.8" else legacy_json(signed, listed)
    raw = signature(covered) if signature else signer.sign(covered)
    v["signature"] = base64.b64encode(raw).decode() if isinstance(raw, bytes) else raw
    lines = ["%-18s: %s" % (n, str(v[n]).replace("\n", "\n ")) for n in list(names) + sorted(set(v) - set(names))]
    if write:
        lines = write(lines)
    return (lines if isinstance(lines, bytes) else "\n".join(lines).encode()) + end.encode()


PAPERS = ("WAPT/control", "WAPT/certificate.crt", "WAPT/manifest.sha256", "WAPT/signature.sha256")
UNLISTED = PAPERS[2:] + ("WAPT/manifest.sha1", "WAPT/signature")
SETUP = b"def install():\n    pass\n"


def manifest_of(files, md="sha256"):
    return [[n, hashlib.new(md, d).hexdigest()] for n, d in files.items() if n not in UNLISTED]


def mime(raw):
    return base64.encodebytes(raw)


def members(signer, /, files=None, ctl=None, manifest=None, pairs=None, signature=None, certificate=None, sha1=False, wapt="1.8", **attributes):
    """The members of a package by name, in the order in which WAPT signs an archive.

    pairs(list) changes what the manifest lists, manifest(bytes) its text before it is signed; signature(raw) is written as it comes.
    """
    out = dict({"setup.py": SETUP, "data/file.txt": b"content\n"} if files is None else files)
    out[PAPERS[0]] = ctl if ctl is not None else control(signer, wapt, **attributes)
    out[PAPERS[1]] = signer.pem if certificate is None else certificate
    listed = manifest_of(out)
    listed = pairs(listed) if pairs else listed
    text = canonical(listed) if wapt >= "1.7" else json.dumps(listed).encode()
    text = manifest(text) if manifest else text
    raw = signer.sign(text)
    out[PAPERS[2]] = text
    out[PAPERS[3]] = signature(raw) if signature else mime(raw)
    if sha1:
        out["WAPT/manifest.sha1"] = canonical(manifest_of(out, "sha1"))
        out["WAPT/signature"] = mime(signer.sign(out["WAPT/manifest.sha1"], hashes.SHA1()))
    return out


def entries(files, **kw):
    return [Entry(n, d, **kw) for n, d in files.items()]


def package(signer, /, **kw):
    return archive(entries(members(signer, **kw)))


# --- index ---

def index_block(ctl, filename, data, **more):
    text = ctl.decode().rstrip("\n") + "\n%-18s: %s\n%-18s: %s\n%-18s: %s" % (
        "filename", filename, "size", len(data), "md5sum", hashlib.md5(data).hexdigest())
    return text + "".join("\n%-18s: %s" % kv for kv in more.items())


def index(blocks, certs=(), crls=None, text=None, files=None):
    """blocks: texts; certs: certificates of its ssl/; crls: name -> bytes."""
    out = {"Packages": text if text is not None else ("\n\n".join(blocks) + "\n\n").encode()}
    for c in certs:
        out["ssl/%s.crt" % c.fingerprint(hashes.SHA256()).hex()] = c.public_bytes(serialization.Encoding.PEM)
    for name, data in (crls or {}).items():
        out["crl/" + name] = data
    out.update(files or {})
    return archive(entries(out))
