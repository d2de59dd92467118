"""Is this package what WAPT 1.8 tools would have made? Checked without any code of ours.

Usage: check_package.py PACKAGE CERTIFICATE
Ends with status 0, or tells the first difference.
"""
import base64
import hashlib
import json
import sys
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

ATTRIBUTES = """package version architecture section priority name categories maintainer description
depends conflicts maturity locale target_os min_os_version max_os_version min_wapt_version sources
installed_size impacted_process description_fr description_pl description_de description_es
description_pt description_it description_nl description_ru audit_schedule editor keywords licence
homepage package_uuid valid_from valid_until forced_install_on changelog signer signer_fingerprint
signature signature_date signed_attributes""".split()
PAPERS = ['WAPT/control', 'WAPT/certificate.crt', 'WAPT/manifest.sha256', 'WAPT/signature.sha256']
SHA1_PAPERS = ['WAPT/manifest.sha1', 'WAPT/signature']  # formats.md 1.9


def same(got, want, what):
    if got != want:
        sys.exit('%s: got %r, wanted %r' % (what, got, want))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=True).encode()


def parse_control(text):
    """The attributes in their order; the form of every line is checked on the way."""
    control = {}
    for line in text.split('\n'):
        if line.startswith(' '):
            control[last] += '\n' + line[1:]
            continue
        last = line.split(':', 1)[0].strip()
        value = line.split(':', 1)[1][1:]
        same(line, '%-18s: %s' % (last, value), 'line')
        control[last] = value
    return control


def check_control(text, certificate):
    control = parse_control(text.decode())
    same(list(control), ATTRIBUTES, 'attributes')
    signed = control['signed_attributes'].split(',')
    same(signed, [a for a in ATTRIBUTES if a != 'signature'], 'signed attributes')
    values = {a: control[a] for a in signed}
    if values['installed_size'].isdigit():
        values['installed_size'] = int(values['installed_size'])
    certificate.public_key().verify(base64.b64decode(control['signature'], validate=True),
                                    canonical(values), padding.PKCS1v15(), hashes.SHA256())
    same(control['signer_fingerprint'], certificate.fingerprint(hashes.SHA256()).hex(), 'signer')
    same(control['signer'],
         certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value, 'signer')


def check_manifest(package, text, signature, certificate, algorithm=hashes.SHA256()):
    manifest = json.loads(text)
    same(text, canonical(manifest), 'manifest')
    names = [n for n in package.namelist() if n not in PAPERS[2:] + SHA1_PAPERS]
    same(sorted(m[0] for m in manifest), sorted(names), 'listed files')
    for name, digest in manifest:
        same(digest, hashlib.new(algorithm.name, package.read(name)).hexdigest(), name)
    raw = base64.b64decode(signature)
    same(signature, base64.encodebytes(raw), 'form of the signature')
    certificate.public_key().verify(raw, text, padding.PKCS1v15(), algorithm)


def check_entries(package, papers):
    same(package.namelist()[-len(papers):], papers, 'last members')
    same(package.comment, b'', 'comment')
    for info in package.infolist():
        same(info.flag_bits, 0 if info.filename.isascii() else 0x800, 'flags of ' + info.filename)
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            sys.exit('method of ' + info.filename)
        if info.filename in papers:
            same(info.external_attr >> 16 & 0o777, 0o600, 'mode of ' + info.filename)


def main(path, certificate_path):
    with open(certificate_path, 'rb') as f:
        pem = f.read()
    certificate = x509.load_pem_x509_certificate(pem)
    with zipfile.ZipFile(path) as package:
        same(package.testzip(), None, 'damaged member')
        has_sha1 = SHA1_PAPERS[0] in package.namelist()
        check_entries(package, PAPERS + SHA1_PAPERS if has_sha1 else PAPERS)
        same(package.read(PAPERS[1]), pem, 'certificates')
        check_control(package.read(PAPERS[0]), certificate)
        check_manifest(package, package.read(PAPERS[2]), package.read(PAPERS[3]), certificate)
        if has_sha1:
            check_manifest(package, *map(package.read, SHA1_PAPERS), certificate, hashes.SHA1())


if __name__ == '__main__':
    main(*sys.argv[1:])
