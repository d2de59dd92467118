#!/usr/bin/python3
"""Makes the certificates of this directory again (python3-cryptography). Tests read the files, not this.

Each <name>.crt is a chain, signer first; each store-<name>.crt is what is trusted. test_trust.c says what is expected.
"""
import datetime
import re
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

CODE, CLIENT, ANY = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
START, END = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)
DEFAULT = object()


def name(*cns):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")] +
                     [x509.NameAttribute(NameOID.COMMON_NAME, cn) for cn in cns])


class Entity:
    """A certificate and its key."""

    def __init__(self, cn, issuer=None, ca=False, pathlen=None, eku=None, usage=DEFAULT, basic=True, key=None,
                 start=START, end=END, extra=(), aki=True, subject=None, san=None):
        self.name = subject or name(cn)
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        issuer = issuer or self
        b = (x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name).public_key(self.key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end))
        if basic:
            b = b.add_extension(x509.BasicConstraints(ca, pathlen), True)
        if usage is DEFAULT:
            usage = ("sign", "cert", "crl") if ca else ("sign",)
        if usage is not None:
            b = b.add_extension(x509.KeyUsage("sign" in usage, False, False, False, "agree" in usage, "cert" in usage,
                                              "crl" in usage, False, False), True)
        if eku:
            b = b.add_extension(x509.ExtendedKeyUsage(eku), True)
        if san:
            b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), False)
        b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        if aki:
            b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
        for ext, critical in extra:
            b = b.add_extension(ext, critical)
        digest = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        self.cert = b.sign(issuer.key, digest)

    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM).decode()


def write(file, *parts):
    with open(file + ".crt", "w", encoding="ascii") as f:
        f.write("\n".join(p if isinstance(p, str) else p.pem() for p in parts))


def crl(issuer, revoked=(), start=datetime.datetime(2026, 1, 1), end=END):
    b = x509.CertificateRevocationListBuilder().issuer_name(issuer.name).last_update(start).next_update(end)
    b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
    for e in revoked:
        b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(e.cert.serial_number)
                                      .revocation_date(datetime.datetime(2026, 1, 1)).build())
    return b.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


# Two authorities of one name; the signers carry no hint, or a wrong one.
root = Entity("Root", ca=True)
root_b = Entity("Root", ca=True)
write("store-namesakes", root, root_b)
write("store-namesakes-other-order", root_b, root)
write("store-root", root)
write("of-first", Entity("Of first", root, eku=[CODE], aki=False))
write("of-second", Entity("Of second", root_b, eku=[CODE], aki=False))
wrong = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_b.key.public_key())
write("wrong-hint", Entity("Wrong hint", root, eku=[CODE], aki=False, extra=[(wrong, False)]))

# The same authority certified twice: expired by one, in date by the other.
cross_key = ec.generate_private_key(ec.SECP256R1())
expired_cross = Entity("Cross", root, ca=True, key=cross_key, end=datetime.datetime(2021, 1, 1))
good_cross = Entity("Cross", root, ca=True, key=cross_key)
cross_leaf = Entity("Of cross", good_cross, eku=[CODE])
write("cross-expired-first", cross_leaf, expired_cross, good_cross)
write("cross-expired-last", cross_leaf, good_cross, expired_cross)
write("cross-expired-only", cross_leaf, expired_cross)

# Who may give codeSigning.
deployer = Entity("Deployer", ca=True, eku=[CLIENT])
write("store-deployer", deployer)
write("code-by-deployer", Entity("Code by deployer", deployer, eku=[CODE]))
deployer_inter = Entity("Below deployer", deployer, ca=True)
write("code-below-deployer", Entity("Code below deployer", deployer_inter, eku=[CODE]), deployer_inter)
developer = Entity("Developer", ca=True, eku=[CODE, CLIENT])
write("store-developer", developer)
write("code-by-developer", Entity("Code by developer", developer, eku=[CODE]))
any_ca = Entity("Any purpose", ca=True, eku=[ANY])
write("store-any", any_ca)
write("code-by-any", Entity("Code by any", any_ca, eku=[CODE]))
write("any-by-any", Entity("Any by any", any_ca, eku=[ANY]))
limited_key = ec.generate_private_key(ec.SECP256R1())
limited = Entity("Twice certified", root, ca=True, key=limited_key, eku=[CLIENT])
unlimited = Entity("Twice certified", root, ca=True, key=limited_key)
twice_leaf = Entity("Code by two", unlimited, eku=[CODE])
write("code-limited-first", twice_leaf, limited, unlimited)
write("code-limited-last", twice_leaf, unlimited, limited)

# What an issuer must be.
no_ca = Entity("No authority", root, ca=False, usage=("sign", "cert"))
write("issuer-no-ca", Entity("Of no authority", no_ca, eku=[CODE]), no_ca)
no_basic = Entity("No constraints", root, basic=False, usage=("sign", "cert"))
write("issuer-no-basic", Entity("Of no constraints", no_basic, eku=[CODE]), no_basic)
no_usage = Entity("No usage", root, ca=True, usage=None)
write("issuer-no-usage", Entity("Of no usage", no_usage, eku=[CODE]), no_usage)
signer_leaf = Entity("Signer", root, eku=[CODE])
write("issued-by-signer", Entity("Of signer", signer_leaf, eku=[CODE]), signer_leaf)

# Path length: of the root one authority, self-issued ones not counted.
short = Entity("Short root", ca=True, pathlen=0)
write("store-short", short)
write("short-leaf", Entity("Of short", short, eku=[CODE]))
short_inter = Entity("Inter of short", short, ca=True)
write("short-too-long", Entity("Too long", short_inter, eku=[CODE]), short_inter)
rolled = Entity("Short root", short, ca=True)
write("short-rolled", Entity("Of rolled", rolled, eku=[CODE]), rolled)
short_ca = Entity("Authority that signs", short, ca=True, eku=[CODE])
write("short-signer-is-ca", short_ca)

# Extensions.
unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
policy = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.3.6.1.4.1.99999.2"), None)])
write("critical-unknown", Entity("Critical unknown", root, eku=[CODE], extra=[(unknown, True)]))
write("unknown", Entity("Unknown", root, eku=[CODE], extra=[(unknown, False)]))
write("critical-policy", Entity("Critical policy", root, eku=[CODE], extra=[(policy, True)]))
write("policy", Entity("Policy", root, eku=[CODE], extra=[(policy, False)]))
critical_inter = Entity("Critical inter", root, ca=True, extra=[(unknown, True)])
write("critical-in-issuer", Entity("Of critical inter", critical_inter, eku=[CODE]), critical_inter)
write("signer-key-agreement", Entity("Key agreement", root, eku=[CODE], usage=("agree",)))
write("signer-no-usage", Entity("Signer without usage", root, eku=[CODE], usage=None))
broken = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.37"), b"\x30\x03\x06\x05")
write("broken-purpose", Entity("Broken purpose", root, extra=[(broken, False)]))

# Names that an authority may certify.
constrained = Entity("Constrained", ca=True, extra=[
    (x509.NameConstraints([x509.DNSName("example.test"), x509.DirectoryName(x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]))], [x509.DNSName("bad.example.test")]), True)])
write("store-constrained", constrained)
write("constrained-inside", Entity("Inside", constrained, eku=[CODE], san="a.example.test"))
write("constrained-outside", Entity("Outside", constrained, eku=[CODE], san="example.org"))
write("constrained-excluded", Entity("Excluded", constrained, eku=[CODE], san="x.bad.example.test"))
other_org = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Other"), x509.NameAttribute(NameOID.COMMON_NAME, "Other org")])
write("constrained-other-org", Entity("", constrained, eku=[CODE], subject=other_org))

# Keys.
write("key-p384", Entity("P-384 signer", root, eku=[CODE], key=ec.generate_private_key(ec.SECP384R1())))
write("key-p521", Entity("P-521 signer", root, eku=[CODE], key=ec.generate_private_key(ec.SECP521R1())))
ed = Entity("Ed25519 authority", ca=True, key=ed25519.Ed25519PrivateKey.generate())
write("store-ed25519", ed)
write("of-ed25519", Entity("Of Ed25519", ed, eku=[CODE]))

# Long and round ways.
chain = [Entity("Level 0", root, ca=True)]
for level in range(1, 16):
    chain.append(Entity("Level %d" % level, chain[-1], ca=True))
write("long-16", Entity("Long", chain[13], eku=[CODE]), *reversed(chain[:14]))
write("long-17", Entity("Longer", chain[14], eku=[CODE]), *reversed(chain[:15]))
key_a, key_b = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
a0 = Entity("Ring A", ca=True, key=key_a)
b1 = Entity("Ring B", a0, ca=True, key=key_b)
a1 = Entity("Ring A", b1, ca=True, key=key_a)
write("ring", Entity("Of ring", a1, eku=[CODE]), a1, b1)
clones = []
for layer in ("One", "Two"):
    keys = ec.generate_private_key(ec.SECP256R1())
    clones.append([Entity("Clone " + layer, a0, ca=True, key=keys) for _ in range(7)])
write("clones", Entity("Of clones", clones[0][0], eku=[CODE]), *clones[0], *clones[1])

# Revocation lists.
listed = Entity("Listed", ca=True)
revoked = Entity("Revoked", listed, eku=[CODE])
kept = Entity("Kept", listed, eku=[CODE])
old = dict(start=datetime.datetime(2021, 1, 1), end=datetime.datetime(2022, 1, 1))
write("revoked", revoked)
write("not-revoked", kept)
write("store-listed", listed, crl(listed, [revoked]))
write("store-listed-stale", listed, crl(listed, [], **old))
write("store-listed-stale-and-new", listed, crl(listed, [revoked], **old), crl(listed, []))
write("store-listed-pinned", listed, revoked, crl(listed, [revoked]))
impostor = Entity("Listed", ca=True)
write("store-listed-forged", listed, crl(impostor, [kept]))
inter = Entity("Listed inter", listed, ca=True)
write("of-listed-inter", Entity("Of listed inter", inter, eku=[CODE]), inter)
write("store-inter-listed", listed, crl(listed, [inter]))
write("store-inter-lists", listed, crl(inter, [], **old))

# What can't be shown or named truly.
two = name("first", "second")
write("two-names", Entity("", root, subject=two))
text = Entity("nulXin", root).cert.public_bytes(serialization.Encoding.DER).replace(b"nulXin", b"nul\0in")
import base64
write("nul-in-name", "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(text).decode() + "-----END CERTIFICATE-----\n")
der = Entity("Indefinite", root).cert.public_bytes(serialization.Encoding.DER)
assert der[:2] == b"\x30\x82"
write("indefinite", "-----BEGIN CERTIFICATE-----\n" +
      base64.encodebytes(b"\x30\x80" + der[4:] + b"\0\0").decode() + "-----END CERTIFICATE-----\n")
write("long-length", "-----BEGIN CERTIFICATE-----\n" +
      base64.encodebytes(b"\x30\x83\x00" + der[2:]).decode() + "-----END CERTIFICATE-----\n")
write("trailing", "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der + b"\0").decode() + "-----END CERTIFICATE-----\n")

# An authority that says where its lists are, among addresses that nobody should ask, with a whole list and a part of one.
A, B = "http://pki.example.test/root.crl", "https://pki.example.test:8443/root.crl?whole=1"


def point(*urls, reasons=None, issuer=None):
    return x509.DistributionPoint([x509.UniformResourceIdentifier(u) for u in urls], None, reasons, issuer and [x509.DirectoryName(issuer)])


def relative():
    return x509.DistributionPoint(None, x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "r")]), None, None)


points = Entity("Points", ca=True, extra=[(x509.CRLDistributionPoints([
    point(A, "ldap://dc.example.test/cn=x"), point(B, A), relative(), point("file:///etc/passwd"), point("http://user:x@inner.example.test/"),
    point("http://some.example.test/", reasons=frozenset([x509.ReasonFlags.key_compromise])), point("http://other.example.test/", issuer=name("Other"))]), False)])
part = (x509.CertificateRevocationListBuilder().issuer_name(points.name).last_update(datetime.datetime(2026, 1, 1)).next_update(END)
        .add_extension(x509.IssuingDistributionPoint(None, None, True, False, None, False, False), True).sign(points.key, hashes.SHA256()))
write("store-points", points, crl(points), part.public_bytes(serialization.Encoding.PEM).decode())

# A new key of an authority that may certify other names than its own (RFC 5280, 6.1.3: the self-issued one between is not judged by them).
only = [(x509.NameConstraints([x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Branch")]))], None), True)]
bound = Entity("Bound", ca=True, extra=only)
rolled_bound = Entity("Bound", bound, ca=True)
branch = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Branch"), x509.NameAttribute(NameOID.COMMON_NAME, "Of branch")])
write("store-bound", bound)
write("bound-rolled", Entity("", rolled_bound, eku=[CODE], subject=branch), rolled_bound)
write("bound-rolled-outside", Entity("Of Example", rolled_bound, eku=[CODE]), rolled_bound)
