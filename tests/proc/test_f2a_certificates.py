"""F2A: whom a package is believed. Chains, dates, usages, strengths and revocations; each rule is broken alone."""
import base64
import copy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

import forge
from forge import Owner, archive, crl, entries, members, package
from forged import CA, DEV, STRANGER, Cases

CASES = Cases()
add = CASES.add
DATA = {"data.txt": b"x"}
STORES = {"main": {"ca.crt": CA.pem}}


def by(owner, files=None, **kw):
    return lambda: package(owner, files=files, **kw)


def store(name, *owners, **files):
    """A trust store of certificates, and of files given by name (a dot written as _)."""
    STORES[name] = {f"{i}.crt": o.cert.public_bytes(serialization.Encoding.PEM) for i, o in enumerate(owners)}
    STORES[name].update({n.replace("_", "."): d for n, d in files.items()})
    return name


def chained(owner, *certs):
    """The owner with another chain in its packages."""
    o = copy.copy(owner)
    o.chain = [c.cert if isinstance(c, Owner) else c for c in certs]
    return o


# --- paths ---

INTER = Owner("Intermediate", issuer=CA, ca=True, code=False)
LEAF = Owner("Leaf", issuer=INTER)
DEEP = [CA]
for i in range(16):
    DEEP.append(Owner(f"Level {i}", issuer=DEEP[-1], ca=True, code=False, private=forge.key("Intermediate")))
add("issued", by(DEV))
add("issued-leaf-alone", by(chained(DEV, DEV)))
add("intermediate", by(LEAF))
add("intermediate-without-root", by(chained(LEAF, LEAF, INTER)))
add("intermediate-in-other-order", by(chained(LEAF, LEAF, CA, INTER)))
add("intermediate-and-others", by(chained(LEAF, LEAF, STRANGER, INTER, DEV)))
add("intermediate-missing", by(chained(LEAF, LEAF)), "chain", "trusted")
add("intermediate-missing-root-there", by(chained(LEAF, LEAF, CA)), "chain", "trusted")
add("leaf-not-first", by(chained(LEAF, INTER, LEAF)), ("chain", "control-signature"))
add("root-first", by(chained(DEV, CA, DEV)), ("chain", "control-signature"))
add("leaf-twice", by(chained(DEV, DEV, DEV, CA)))
add("other-leaf-first", by(chained(DEV, LEAF, DEV)), ("chain", "control-signature"))
add("deep", by(Owner("Deep", issuer=DEEP[13])))
add("too-deep", by(Owner("Too deep", issuer=DEEP[16])), "chain")
add("stranger", by(STRANGER), "chain", "trusted")
add("stranger-with-trusted-root", by(chained(STRANGER, STRANGER, CA)), "chain", "trusted")
add("stranger-pinned", by(STRANGER), trust=store("pinned", STRANGER))
add("leaf-pinned-alone", by(chained(LEAF, LEAF)), trust=store("leaf-pinned", LEAF))
add("intermediate-pinned", by(chained(LEAF, LEAF)), trust=store("inter-pinned", INTER))
add("intermediate-pinned-root-not", by(LEAF), trust="inter-pinned")
add("root-pinned-issuer-in-store", by(chained(LEAF, LEAF)), trust=store("both", CA, INTER))
add("sibling-of-pinned", by(DEV), "chain", trust="leaf-pinned")
TWIN = Owner("Leaf", issuer=Owner("Intermediate", ca=True, code=False, private=forge.key("evil"), subject=INTER.subject), private=forge.key("evil leaf"))
add("same-names-other-keys", by(TWIN), "chain", "trusted")
add("same-names-other-keys-with-true-chain", by(chained(TWIN, TWIN, INTER, CA)), "chain")
add("same-names-pinned-leaf", by(TWIN), "chain", trust="leaf-pinned")
FAKE_CA = Owner("Test Authority", ca=True, private=forge.key("evil"))
add("root-of-same-name", by(Owner("Developer", issuer=FAKE_CA, private=forge.key("evil leaf"))), "chain")
add("two-authorities-of-one-name", by(DEV), trust=store("two", FAKE_CA, CA))
add("two-authorities-of-one-name-turned", by(DEV), trust=store("two-turned", CA, FAKE_CA))
add("renewed-authority", by(DEV), trust=store("renewed", Owner("Test Authority", ca=True, code=False, private=CA.private, days=(-1, 900))))
add("renewed-leaf-of-pinned", by(Owner("Leaf", issuer=INTER, private=LEAF.private, chain=[])), "chain", trust="leaf-pinned")
add("no-identifiers", by(Owner("No ids", issuer=CA, ids=False)))
ARB = x509.AuthorityKeyIdentifier(b"\1" * 20, None, None)
add("wrong-authority-identifier", by(Owner("Wrong id", issuer=CA, ids=False, extensions=((ARB, False),))))
SELF = Owner("Self-issued", ca=True, code=True)
add("self-signed-authority-as-signer", by(SELF), trust=store("self", SELF))
add("self-signed-authority-not-pinned", by(SELF), "chain")
add("wrong-signature", by(Owner("Forged", issuer=CA, sign_with=forge.key("evil"))), "chain")
add("signed-by-itself-in-name-of-authority", by(Owner("Forged 2", issuer=CA, sign_with=forge.key("Forged 2"))), "chain")
add("empty-store", by(DEV), "chain", trust=store("other", STRANGER))

# --- dates ---

for n, days, good in (("yesterday", (-400, -1), False), ("tomorrow", (1, 400), False), ("long-ago", (-9000, -4000), False), ("today", (-1, 1), True),
                      ("far", (-1, 36500), True)):
    o = Owner(f"Dated {n}", days=days)
    add(f"dates-leaf-{n}", by(Owner(f"Dated {n}", issuer=CA, days=days)), None if good else "chain", "" if good else "expired|not valid before")
    add(f"dates-pinned-{n}", by(o), None if good else "chain", trust=store(f"dated-{n}", o))
    i = Owner("Dated I", issuer=CA, ca=True, code=False, days=days)
    add(f"dates-intermediate-{n}", by(Owner("Below dated", issuer=i)), None if good else "chain")
    a = Owner("Dated A", ca=True, code=False, days=days)
    add(f"dates-anchor-{n}", by(Owner("Below dated A", issuer=a)), None if good else "chain", trust=store(f"dated-anchor-{n}", a))

# --- constraints ---

add("issuer-no-authority", by(Owner("Below leaf", issuer=DEV)), "chain", "no authority")
add("issuer-without-basic-constraints", by(Owner("Below bare", issuer=Owner("Bare", issuer=CA, basic=False))), "chain", "no authority")
add("leaf-without-basic-constraints", by(Owner("Bare leaf", issuer=CA, basic=False)))
add("leaf-is-authority", by(Owner("Authority leaf", issuer=CA, ca=True)))
add("issuer-may-not-sign-certificates", by(Owner("Below", issuer=Owner("No sign", issuer=CA, ca=True, code=False, usage=dict(crl_sign=True)))), "chain", "key usage")
add("issuer-without-key-usage", by(Owner("Below no usage", issuer=Owner("No usage", issuer=CA, ca=True, code=False, usage=None))))
for n, usage, good in (("none", None, True), ("signature", dict(digital_signature=True), True), ("commitment", dict(content_commitment=True), True),
                       ("encipherment", dict(key_encipherment=True, data_encipherment=True), False), ("certificates", dict(key_cert_sign=True), False)):
    add(f"leaf-usage-{n}", by(Owner(f"Usage {n}", issuer=CA, usage=usage)), None if good else "chain")
P0 = Owner("Pathlen 0", issuer=CA, ca=True, code=False, pathlen=0)
P1 = Owner("Pathlen 1", issuer=CA, ca=True, code=False, pathlen=1)
add("pathlen-0", by(Owner("Below 0", issuer=P0)))
add("pathlen-0-exceeded", by(Owner("Below below 0", issuer=Owner("Mid", issuer=P0, ca=True, code=False))), "chain", "authorities below")
add("pathlen-1", by(Owner("Below below 1", issuer=Owner("Mid 1", issuer=P1, ca=True, code=False))))
add("pathlen-1-exceeded", by(Owner("B", issuer=Owner("Mid 3", issuer=Owner("Mid 2", issuer=P1, ca=True, code=False), ca=True, code=False))), "chain")
A0 = Owner("Anchor 0", ca=True, code=False, pathlen=0)
add("pathlen-of-anchor", by(Owner("C", issuer=Owner("Mid 4", issuer=A0, ca=True, code=False))), "chain", trust=store("anchor0", A0))
OID = x509.ObjectIdentifier("1.2.3.4.5")
for critical in (False, True):
    x = ((x509.UnrecognizedExtension(OID, b"\5\0"), critical),)
    kind = "critical" if critical else "uncritical"
    add(f"unknown-{kind}-leaf", by(Owner(f"X {kind}", issuer=CA, extensions=x)), "chain" if critical else None)
    add(f"unknown-{kind}-intermediate", by(Owner("Below X", issuer=Owner("XI", issuer=CA, ca=True, code=False, extensions=x))), "chain" if critical else None)
POLICY = x509.CertificatePolicies([x509.PolicyInformation(OID, None)])
add("policy", by(Owner("Policy", issuer=CA, extensions=((POLICY, False),))))
add("policy-critical", by(Owner("Policy critical", issuer=CA, extensions=((POLICY, True),))), "chain")
add("extension-broken", by(Owner("Broken", issuer=CA, basic=False, extensions=((x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.19"), b"\x30\x03\x02\x01"), True),))), "chain")


def names(permitted=None, excluded=None):
    def tree(org):
        return [x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, org)]))]
    return ((x509.NameConstraints(tree(permitted) if permitted else None, tree(excluded) if excluded else None), True),)


def called(org, cn):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, org), x509.NameAttribute(NameOID.COMMON_NAME, cn)])


NC = Owner("Named", issuer=CA, ca=True, code=False, extensions=names(permitted="Ours"))
NC2 = Owner("Named", issuer=NC, ca=True, code=False, private=forge.key("Named 2"))  # self-issued: its own name is none that is certified
NX = Owner("Unnamed", issuer=CA, ca=True, code=False, extensions=names(excluded="Theirs"))
add("names-permitted", by(Owner("Anne", issuer=NC, subject=called("Ours", "Anne"))))
add("names-not-permitted", by(Owner("Bob", issuer=NC, subject=called("Theirs", "Bob"))), "chain", "certify the name")
add("names-permitted-below-self-issued", by(Owner("Anne", issuer=NC2, subject=called("Ours", "Anne"))))
add("names-not-permitted-below-self-issued", by(Owner("Bob", issuer=NC2, subject=called("Theirs", "Bob"))), "chain", "certify the name")
for org, good in (("Ours", True), ("Theirs", False)):  # the names of authorities between count as well
    sub = Owner(f"Sub of {org}", issuer=NC, ca=True, code=False, subject=called(org, "Sub"))
    add(f"names-below-authority-of-{org.lower()}", by(Owner("Anne", issuer=sub, subject=called("Ours", "Anne"))), None if good else "chain", "" if good else "certify the name")
add("without-a-name", by(Owner("", issuer=CA, subject=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ours")]))))
add("under-a-name-that-is-not-there", by(Owner("Eve", issuer=CA, subject=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ours")]))),
    "control-signature", "calls its signer")
add("names-excluded", by(Owner("Carl", issuer=NX, subject=called("Theirs", "Carl"))), "chain", "certify the name")
add("names-not-excluded", by(Owner("Dora", issuer=NX, subject=called("Ours", "Dora"))))

# --- codeSigning ---

for n, eku, code in (("code", [Eku.CODE_SIGNING], True), ("code-and-client", [Eku.CLIENT_AUTH, Eku.CODE_SIGNING], True), ("client", [Eku.CLIENT_AUTH], False),
                     ("any", [Eku.ANY_EXTENDED_KEY_USAGE], False), ("none", [], False), ("code-and-server", [Eku.SERVER_AUTH, Eku.CODE_SIGNING], True)):
    o = Owner(f"Purpose {n}", issuer=CA, eku=eku, code=False)
    add(f"purpose-{n}-code", by(o), None if code else "code", "" if code else "codeSigning")
    add(f"purpose-{n}-data", by(o, files=DATA))
for n, eku in (("server", [Eku.SERVER_AUTH]), ("server-and-client", [Eku.CLIENT_AUTH, Eku.SERVER_AUTH]), ("email", [Eku.EMAIL_PROTECTION])):
    add(f"purpose-{n}-signs-nothing", by(Owner(f"Purpose {n}", issuer=CA, eku=eku, code=False), files=DATA), "chain", "for other purposes")
    o = Owner(f"Pinned {n}", eku=eku, code=False)
    add(f"purpose-{n}-pinned", by(o, files=DATA), "chain", "for other purposes", trust=store(f"purpose-{n}", o))
for n, eku, code in (("client", [Eku.CLIENT_AUTH], False), ("code", [Eku.CODE_SIGNING], True), ("any", [Eku.ANY_EXTENDED_KEY_USAGE], True)):
    i = Owner(f"Issuer {n}", issuer=CA, ca=True, code=False, eku=eku)
    add(f"purpose-of-issuer-{n}", by(Owner(f"Below {n}", issuer=i)), None if code else "code")
add("code-of-deployer-that-is-authority", by(Owner("Below deployer", issuer=Owner("Deployer CA", issuer=CA, ca=True, code=False, eku=[Eku.CLIENT_AUTH]))), "code")

# --- strength ---

for bits in (1024, 1536):
    weak = forge.key(f"weak {bits}", bits)
    add(f"rsa-{bits}", by(Owner(f"RSA {bits}", issuer=CA, private=weak)), "chain", "2048")
    w = Owner(f"Pinned RSA {bits}", private=weak)
    add(f"rsa-{bits}-pinned", by(w), "chain", trust=store(f"weak{bits}", w))
    i = Owner(f"Weak issuer {bits}", issuer=CA, ca=True, code=False, private=weak)
    add(f"rsa-{bits}-issuer", by(Owner(f"Below weak {bits}", issuer=i)), "chain")
for bits in (2048, 3072):
    add(f"rsa-{bits}", by(Owner(f"RSA {bits}", issuer=CA, private=forge.key(f"strong {bits}", bits))))
E3 = Owner("Exponent 3", issuer=CA, private=forge.key("e3", 2048, 3))
add("rsa-exponent-3", by(E3), "chain", "exponent")
add("rsa-exponent-3-issuer", by(Owner("Below e3", issuer=Owner("E3 CA", issuer=CA, ca=True, code=False, private=forge.key("e3", 2048, 3)))), "chain")
ISSUED = dict(sha384=(hashes.SHA384(), True), sha512=(hashes.SHA512(), True), sha1=(hashes.SHA1(), False), md5=(hashes.MD5(), False), sha224=(hashes.SHA224(), False))
for n, (md, good) in ISSUED.items():
    add(f"issued-over-{n}", by(Owner(f"Over {n}", issuer=CA, md=md)), None if good else "chain")
    i = Owner(f"I over {n}", issuer=CA, ca=True, code=False, md=md)
    add(f"intermediate-over-{n}", by(Owner(f"Below over {n}", issuer=i)), None if good else "chain")


class Elliptic(Owner):
    def sign(self, data, md=hashes.SHA256(), pad=None):
        return self.private.sign(data, ec.ECDSA(md))


P256, P521 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP521R1())
add("elliptic-signer", by(Elliptic("Elliptic", issuer=CA, private=P256)), ("chain", "control-signature"), "RSA")
add("elliptic-authority", by(Owner("Below P-256", issuer=Owner("P-256", issuer=CA, ca=True, code=False, private=P256))))
add("elliptic-authority-odd-curve", by(Owner("Below P-521", issuer=Owner("P-521", issuer=CA, ca=True, code=False, private=P521))), "chain")
ED = ed25519.Ed25519PrivateKey.generate()
add("edwards-authority", by(Owner("Below Ed", issuer=Owner("Ed", issuer=CA, ca=True, code=False, private=ED), md=None)), "chain")

# --- WAPT/certificate.crt as text ---

PEM = DEV.pem


def written(change):
    return lambda: archive(entries(members(DEV, certificate=change(PEM))))


DER = DEV.cert.public_bytes(serialization.Encoding.DER)
for n, c in dict(comments=lambda p: b"# CN: Developer\n" + p + b"\nfree text\n", crlf=lambda p: p.replace(b"\n", b"\r\n"), no_final_newline=lambda p: p.rstrip(),
                 key_too=lambda p: p + b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                 list_too=lambda p: p + crl(CA, der=False)).items():
    add(f"text-{n}", written(c))
for n, c in dict(empty=lambda p: b"", text=lambda p: b"hello", der=lambda p: DER, label=lambda p: p.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
                 trusted=lambda p: p.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), indented=lambda p: p.replace(b"-----BEGIN", b" -----BEGIN"),
                 no_end=lambda p: p.split(b"-----END")[0], junk=lambda p: p.replace(b"MII", b"M!I"), cut=lambda p: p.replace(p.splitlines()[5] + b"\n", b"", 1),
                 der_tail=lambda p: b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(DER + b"\0") + b"-----END CERTIFICATE-----\n",
                 key=lambda p: b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", crl=lambda p: crl(CA, der=False),
                 many=lambda p: p * 1 + b"\n".join(o.pem for o in [STRANGER] + DEEP[1:]), huge=lambda p: p + b"#" * 300000,
                 broken_second=lambda p: p + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", utf16=lambda p: p.decode().encode("utf-16"),
                 nul=lambda p: b"\0" + DEV.cert.public_bytes(serialization.Encoding.PEM)).items():
    add(f"text-{n}", written(c), "chain")

# --- revocation lists beside the trusted certificates ---

OTHER = Owner("Other developer", issuer=CA)
for n, kw, good in (("names-other", dict(revoked=[OTHER]), True), ("names-nobody", dict(), True), ("names-it", dict(revoked=[DEV]), False),
                    ("names-both", dict(revoked=[OTHER, DEV]), False), ("stale", dict(until=-0.5), False), ("stale-names-it", dict(revoked=[DEV], until=-0.5), False),
                    ("sha1-names-it", dict(revoked=[DEV], md=hashes.SHA1()), False)):
    for form, file, der in (("der", "ca_crl", True), ("pem", "ca_crl", False), ("pem-in-pem", "lists_pem", False), ("pem-in-crt", "lists_crt", False)):
        add(f"crl-{n}-{form}", by(DEV), None if good else "chain", "" if good else "revo",
            trust=store(f"crl-{n}-{form}", CA, **{file: crl(CA, der=der, **kw)}))
add("crl-of-intermediate", by(LEAF), "chain", "revoked", trust=store("crl-inter", CA, i_crl=crl(INTER, [LEAF])))
add("crl-names-intermediate", by(LEAF), "chain", "revoked", trust=store("crl-names-inter", CA, i_crl=crl(CA, [INTER])))
add("crl-of-stranger", by(DEV), trust=store("crl-stranger", CA, s_crl=crl(STRANGER, [DEV])))
add("crl-forged", by(DEV), trust=store("crl-forged", CA, s_crl=crl(FAKE_CA, [DEV])))
add("crl-forged-fresh-beside-stale", by(DEV), "chain", "out of date", trust=store("crl-forged2", CA, a_crl=crl(CA, until=-0.5), b_crl=crl(FAKE_CA)))
add("crl-fresh-beside-stale", by(DEV), trust=store("crl-fresh", CA, a_crl=crl(CA, last=-9, until=-0.5), b_crl=crl(CA)))
add("crl-older-names-it", by(DEV), "chain", "revoked", trust=store("crl-older", CA, a_crl=crl(CA, [DEV], last=-9), b_crl=crl(CA)))
add("crl-of-leaf-as-issuer", by(DEV), trust=store("crl-leaf", CA, a_crl=crl(OTHER, [DEV])))
add("crl-pinned-leaf-revoked", by(DEV), "chain", "revoked", trust=store("crl-pinned", CA, DEV, a_crl=crl(CA, [DEV])))
NOT_FOR_LISTS = Owner("No lists", ca=True, code=False, usage=dict(key_cert_sign=True))
BELOW = Owner("Below no lists", issuer=NOT_FOR_LISTS)
add("crl-by-authority-that-may-not", by(BELOW), trust=store("crl-may-not", NOT_FOR_LISTS, a_crl=crl(NOT_FOR_LISTS, [BELOW])))


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    CASES.run(tmp_path_factory.mktemp("certificates"), STORES)
    return CASES


@pytest.mark.parametrize("name", CASES.names())
def test_certificate(cases, name):
    cases.judge(name)
