"""F1A: the TLS certificates that the server gives to machines: who has one, what it is good for, how it ends."""
import contextlib
import json
import sqlite3
import ssl
import urllib.request

from conftest import PATIENCE, organisation, until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def shown(org, pem, path="/ping"):
    """The status of a request under the certificate in the file; 0 when the server refuses it on TLS."""
    context = ssl.create_default_context(cafile=org.base / "server/private/tls.crt")
    context.load_cert_chain(pem)
    try:
        with urllib.request.urlopen(org.url + path, context=context, timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError as e:
        assert isinstance(e.reason if isinstance(e, urllib.error.URLError) else e, (ssl.SSLError, ConnectionError)), e
        return 0


def identity(org, name):
    """Certificate and key of the machine in a file of ours, and the certificate."""
    with contextlib.closing(sqlite3.connect(f"file:{org.agent}/db/waptagent.sqlite?mode=ro", uri=True)) as db:
        row = db.execute("SELECT value FROM params WHERE name = 'tls_certificate'").fetchone()
    if row is None:
        return None, None
    text = row[0] if isinstance(row[0], str) else row[0].decode()
    path = org.base / name
    path.write_text(text + "\n" + (org.agent / "private/tls.pem").read_text())
    return path, x509.load_pem_x509_certificate(text.encode())


def is_reachable(org):
    return any(h["reachable"] for h in org.hosts())


def test_a_machines_certificate():
    with organisation() as org:
        pem, cert = identity(org, "first.pem")
        ca = x509.load_pem_x509_certificate((org.base / "server/private/authority.crt").read_bytes())
        ca.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
        assert cert.subject.rfc4514_string() == f"CN={org.uuid}"
        assert [u.dotted_string for u in cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == ["1.3.6.1.5.5.7.3.2"]
        assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert (org.agent / "private/tls.pem").stat().st_mode & 0o777 == 0o600
        # The network process holds this key and no other: it is not the machine's own.
        own = serialization.load_pem_private_key((org.agent / f"private/{org.uuid}.pem").read_bytes(), None)
        assert own.public_key() != cert.public_key()
        assert shown(org, pem) == 200
        # Revoked: refused on TLS, its WebSocket is closed, and the machine gets another one by itself, for another key.
        org.console("revoke-certificate", org.uuid)
        until(lambda: shown(org, pem) == 0, "the certificate is refused")
        until(lambda: identity(org, "second.pem")[1] not in (None, cert), "the machine has another certificate")
        second, again = identity(org, "second.pem")
        assert again.public_key() != cert.public_key()
        assert shown(org, second) == 200
        until(lambda: is_reachable(org), "the machine is back")
        crl = org.base / "server/db/authority.crl"
        until(lambda: x509.load_pem_x509_crl(crl.read_bytes()).get_revoked_certificate_by_serial_number(cert.serial_number), "it is in the list for nginx")
        assert x509.load_pem_x509_crl(crl.read_bytes()).is_signature_valid(ca.public_key())
        # Forgotten: what it has is revoked with it.
        org.console("forget-host", org.uuid, "--yes")
        until(lambda: shown(org, second) == 0, "the certificate of a forgotten machine is refused")
        assert json.loads(org.console("hosts", "--json").stdout)["result"] == []
