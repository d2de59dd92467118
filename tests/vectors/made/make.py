#!/usr/bin/python3
"""Makes the files of this directory again from WAPT's own vectors beside it (python3-cryptography). Tests read the files, not this.

over-sha1-too.wapt: a package that WAPT signed over SHA-256 and SHA-1; the two vectors that lack one half each give it whole.
index-with-crl: index/00-good with the revocation list of its authority.
"""
import pathlib
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent
DATE = (2026, 11, 24, 12, 0, 0)


def members(path):
    with zipfile.ZipFile(VECTORS / path) as z:
        return {n: z.read(n) for n in z.namelist()}


def write(name, files):
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as z:
        for n, data in files.items():
            z.writestr(zipfile.ZipInfo(n, DATE), data, zipfile.ZIP_DEFLATED)


both = members("tampered/177-sha1-manifest-altered.wapt")
both["WAPT/manifest.sha1"] = members("tampered/176-sha256-stripped-sha1-left.wapt")["WAPT/manifest.sha1"]
write("over-sha1-too.wapt", both)

crl = x509.load_pem_x509_crl(b"-----BEGIN X509 CRL" + (VECTORS / "trust/with_crl/ca_with_crl.crt").read_bytes().split(b"-----BEGIN X509 CRL")[1])
index = members("index/00-good")
key_id = x509.load_pem_x509_certificate((VECTORS / "trust/with_crl/ca.crt").read_bytes()).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
index[f"crl/{key_id.value.digest.hex()}.crl"] = crl.public_bytes(Encoding.DER)
write("index-with-crl", index)
