"""People who log in by a TLS certificate, on the real server: theirs, never a machine's, and no machine by theirs."""
import datetime
import itertools
import json
import socket
import ssl
import subprocess
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


from conftest import BIN, PATIENCE, run
from nginx import Nginx
from test_server_hostile import Server

CLIENT, SERVER, CODE = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING
ADDRESSES = itertools.count(1)  # each attempt from another: wrong ones are counted by address
NOW = datetime.datetime.utcnow()


class Issuer:
    def __init__(self, base, name, key=None):
        self.base, self.serial = base, 1000
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.cert = self.sign(self.name, self.key.public_key(), ca=True, usage=None, days=(-1, 30))

    def sign(self, subject, key, ca=False, usage=CLIENT, days=(-1, 30), more=()):
        self.serial += 1
        b = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key).serial_number(self.serial)
             .not_valid_before(NOW + datetime.timedelta(days[0])).not_valid_after(NOW + datetime.timedelta(days[1]))
             .add_extension(x509.BasicConstraints(ca, None), True))
        if ca:
            usages = {u: u in ("key_cert_sign", "crl_sign") for u in ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                                                                     "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")}
            b = b.add_extension(x509.KeyUsage(**usages), True)
        if usage:
            b = b.add_extension(x509.ExtendedKeyUsage([usage]), False)
        for extension in more:
            b = b.add_extension(extension, False)
        return b.sign(self.key, hashes.SHA256())

    def issue(self, name, **how):
        """A file of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self.sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), **how)
        path = self.base / f"shown-{self.serial}-{name.replace('/', '')}.pem"
        path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) +
                         key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return path

    def revoke(self, *files, until=7):
        b = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW - datetime.timedelta(days=2)).next_update(NOW + datetime.timedelta(days=until))
        for f in files:
            serial = x509.load_pem_x509_certificate(f.read_bytes()).serial_number
            b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - datetime.timedelta(days=1)).build())
        return b.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def company(org):
    (org.base / "people").mkdir()
    return Issuer(org.base / "people", "Company's people")


@pytest.fixture(scope="module")
def srv(org, company):
    folder = org.base / "people-ca"
    folder.mkdir()
    (folder / "company.crt").write_bytes(company.pem())
    s = Server(org, "server-certificates", f"fronts = 1\ncertificate_login = 1\ncertificate_login_authorities = {folder}\nproxy_addresses = 127.0.0.1")
    s.folder, s.admin = folder, s.token()
    for name in ("anna", "bernd"):
        assert s.call("POST", "/api/v1/users", {"name": name, "password": "a long password", "role": "helpdesk"}, token=s.admin)[0] == 200
    yield s
    s.stop()


def shown(srv, pem, method="POST", path="/api/v1/session/certificate", body=b"{}", token=None, session=None, port=None):
    """Status and JSON of a call on a connection that shows the certificate; status 0: refused by TLS. session: one to resume, the new one is kept in it."""
    context = ssl.create_default_context(cafile=srv.dir / "private/tls.crt")
    if pem:
        context.load_cert_chain(pem)
    if session is not None:
        context = session.setdefault("context", context)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n"
    out = b""
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port or srv.port), PATIENCE, source_address=(f"127.0.3.{next(ADDRESSES)}", 0)), server_hostname="localhost", session=(session or {}).get("session")) as s:
            s.sendall(head.encode() + body)
            while piece := s.recv(65536):
                out += piece
            if session is not None:
                session["session"], session["resumed"] = s.session, s.session_reused
    except OSError as e:
        assert "alert" in str(e).lower() or "reset" in str(e).lower(), e
        return 0, {}
    return int(out.split()[1]), json.loads(out.partition(b"\r\n\r\n")[2])


def fingerprint(pem):
    return x509.load_pem_x509_certificate(pem.read_bytes()).fingerprint(hashes.SHA256()).hex()


def test_a_registered_certificate(srv, org):
    own = Issuer(org.base / "people", "somebody's own")
    mine, other = own.issue("whatever"), own.issue("whatever")
    assert shown(srv, mine)[0] == 401
    where = f"/api/v1/users/anna/certificates/{fingerprint(mine)}"
    assert srv.call("POST", where, token=srv.admin)[0] == 200
    assert shown(srv, other)[0] == 401 and shown(srv, None)[0] == 401
    status, got = shown(srv, mine)
    assert (status, got["user"], got["role"]) == (200, "anna", "helpdesk"), got
    who = {"method": "GET", "path": "/api/v1/session", "body": b"", "token": got["token"]}
    assert shown(srv, mine, **who)[1]["user"] == "anna"
    # The session is worth nothing without the key, to whoever stole it.
    assert shown(srv, None, **who)[0] == 401 and shown(srv, other, **who)[0] == 401
    assert srv.call("GET", "/api/v1/session", token=got["token"])[0] == 401
    # On a connection that resumes another, too; and the resumed one is whose the first was.
    for pem, status in ((mine, 200), (other, 401)):
        kept = {}
        assert shown(srv, pem, session=kept, **who)[0] == status
        assert shown(srv, pem, session=kept, **who)[0] == status and kept["resumed"]
        assert shown(srv, pem, session=kept)[0] == status and kept["resumed"]
    # What is registered is one certificate, not its name, key or issuer.
    for usage in (CODE, SERVER):
        odd = own.issue("whatever", usage=usage)
        assert srv.call("POST", f"/api/v1/users/anna/certificates/{fingerprint(odd)}", token=srv.admin)[0] == 200
        assert shown(srv, odd)[0] == 401
    for days in ((-30, -1), (1, 30)):
        odd = own.issue("whatever", days=days)
        assert srv.call("POST", f"/api/v1/users/anna/certificates/{fingerprint(odd)}", token=srv.admin)[0] == 200
        assert shown(srv, odd)[0] == 401
    assert srv.call("DELETE", where, token=srv.admin)[0] == 200
    assert shown(srv, mine, **who)[0] == 401 and shown(srv, mine)[0] == 401


def test_certificates_of_an_authority(srv, org, company):
    anna = company.issue("anna")
    assert shown(srv, anna)[1]["user"] == "anna"
    assert shown(srv, company.issue("bernd"))[1]["user"] == "bernd"
    liar = Issuer(org.base / "people", "Company's people")  # by name alone
    wrong = [liar.issue("anna"), company.issue("nobody"), company.issue("Anna"), company.issue("anna", usage=CODE), company.issue("anna", usage=SERVER), company.issue("anna", ca=True),
             company.issue("anna", days=(-30, -1)), company.issue("a/../b")]
    for pem in wrong:
        assert shown(srv, pem)[0] == 401, pem
    # Revocation lists lie beside the authority; one that is out of date lets nobody in. Each is read when it is there.
    second = company.issue("anna")
    (srv.folder / "company.crl").write_bytes(company.revoke(anna))
    assert shown(srv, anna)[0] == 401 and shown(srv, second)[0] == 200
    (srv.folder / "company.crl").write_bytes(company.revoke(until=-1))
    assert shown(srv, second)[0] == 401
    (srv.folder / "company.crl").unlink()
    assert shown(srv, second)[0] == 200


def test_behind_nginx(srv, org, company):
    """nginx sees to it that a client has its certificate's key, and hands it on; what it says counts from nginx alone."""
    nginx = Nginx(srv, org.base / "people", "accel", None, people=True)
    try:
        anna, nobody = company.issue("anna"), company.issue("nobody")
        status, got = shown(srv, anna, port=nginx.port)
        assert (status, got["user"]) == (200, "anna"), got
        who = {"method": "GET", "path": "/api/v1/session", "body": b"", "token": got["token"]}
        assert shown(srv, anna, port=nginx.port, **who)[0] == 200 and shown(srv, anna, **who)[0] == 200
        assert shown(srv, nobody, port=nginx.port, **who)[0] == 401 and shown(srv, nobody, port=nginx.port)[0] == 401 and shown(srv, None, port=nginx.port)[0] == 401
        said = urllib.parse.quote(anna.read_text().split("-----BEGIN PRIVATE")[0])
        assert srv.call("POST", "/api/v1/session/certificate", b"{}", source="127.0.3.250", headers=[f"X-Wapt-Client-Cert: {said}"])[0] == 401
    finally:
        nginx.stop()


def test_the_console(srv, org, company):
    pem = company.issue("anna")
    key = serialization.load_pem_private_key(pem.read_bytes(), None)
    cert, locked, secret, other = (org.base / f"people/anna.{kind}" for kind in ("crt", "key", "pw", "other"))
    cert.write_bytes(x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(serialization.Encoding.PEM))
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"of the key")))
    secret.write_text("of the key\n")
    secret.chmod(0o600)
    other.write_bytes(company.issue("nobody").read_bytes())
    where = ["--server", f"https://127.0.0.1:{srv.port}", "--server-fingerprint", org.fingerprint(srv.dir / "private/tls.crt"), "--json"]

    def hosts(*argv, ok=True):
        return run("setsid", "-w", BIN / "waptconsole", "hosts", *argv, *where, ok=ok)

    assert json.loads(hosts("--client-certificate", pem).stdout)["result"] == []
    assert json.loads(hosts("--client-certificate", cert, "--client-key", locked, "--client-key-passwd", secret).stdout)["result"] == []
    assert "names nobody" in hosts("--client-certificate", other, ok=False).text
    assert "is not the key of" in hosts("--client-certificate", cert, "--client-key", other, ok=False).text
    assert "--client-key-passwd" in hosts("--client-certificate", cert, "--client-key", locked, ok=False).text
    ini = org.base / "people/waptconsole.ini"
    ini.write_text(f"[global]\nclient_certificate = {cert}\nclient_key = {locked}\n")
    assert json.loads(hosts("-c", ini, "--client-key-passwd", secret).stdout)["result"] == []


def test_ones_own(srv, org, company):
    """A person registers a certificate by showing it, with the password; nobody takes another's, whose key he has not."""
    own = Issuer(org.base / "people", "her own")
    mine, theirs = own.issue("whatever"), own.issue("whatever")
    add = {"path": "/api/v1/account/certificates", "body": json.dumps({"password": "a long password"}).encode()}
    anna, bernd = (json.loads(srv.login(user, "a long password", source=f"127.0.3.24{n}")[1])["token"] for n, user in enumerate(("anna", "bernd")))
    # Nothing shown; a machine's; a stolen session without the password; and the certificate is what TLS has proved, whatever is said besides.
    assert shown(srv, None, token=anna, **add)[0] == 400
    machines = Issuer(org.base / "people", "x", serialization.load_pem_private_key((srv.dir / "private/authority.pem").read_bytes(), None))
    machines.name = x509.load_pem_x509_certificate((srv.dir / "private/authority.crt").read_bytes()).subject
    assert shown(srv, machines.issue("pc-1"), token=anna, **add)[0] == 400
    assert shown(srv, mine, token=anna, path=add["path"], body=b'{"password": "a guess"}')[0] == 403
    said = urllib.parse.quote(theirs.read_text().split("-----BEGIN PRIVATE")[0])
    assert srv.call("POST", add["path"], add["body"], token=anna, source="127.0.3.249", headers=[f"X-Wapt-Client-Cert: {said}"])[0] == 400
    assert shown(srv, mine)[0] == 401
    assert shown(srv, mine, token=anna, **add) == (200, {"sha256": fingerprint(mine)})
    assert shown(srv, mine)[1]["user"] == "anna"
    status, got = shown(srv, mine, token=bernd, **add)
    assert status == 409 and "registered already" in got["error"]["message"], got
    # By the command; it is one's own alone that one sees and removes.
    secret = org.base / "people/her.pw"
    secret.write_text("a long password\n")
    secret.chmod(0o600)
    where = ["--server", f"https://127.0.0.1:{srv.port}", "--server-fingerprint", org.fingerprint(srv.dir / "private/tls.crt"), "--json", "--password-file", secret]

    def command(user, *argv, ok=True):
        p = run("setsid", "-w", BIN / "waptconsole", "login-certificate", *argv, "--user", user, *where, ok=ok)
        return json.loads(p.stdout)["result"] if ok else p.text

    assert command("bernd", "add", theirs) == {"sha256": fingerprint(theirs)}
    assert command("bernd") == [{"sha256": fingerprint(theirs)}] and {"sha256": fingerprint(mine)} in command("anna", "list")
    assert shown(srv, theirs)[1]["user"] == "bernd"
    assert "no such certificate" in command("bernd", "remove", fingerprint(mine), ok=False)
    assert "no SHA-256" in command("bernd", "remove", "../users", ok=False)
    assert "is not the key of" in command("bernd", "add", theirs, "--key", mine, ok=False)
    assert command("bernd", "remove", fingerprint(theirs)) is None and command("bernd", "list") == []
    assert shown(srv, theirs)[0] == 401
    # Behind nginx, which sees to it that the key is there.
    bernd = json.loads(srv.login("bernd", "a long password", source="127.0.3.243")[1])["token"]
    (org.base / "people-own").mkdir()
    nginx = Nginx(srv, org.base / "people-own", "accel", None, people=True)
    try:
        assert shown(srv, theirs, token=bernd, port=nginx.port, **add) == (200, {"sha256": fingerprint(theirs)})
    finally:
        nginx.stop()
    journal = srv.call("GET", "/api/v1/journal", token=srv.admin)[1].decode()
    assert "user.certificate_added" in journal and "user.certificate_dropped" in journal


def test_machines_and_people(srv, org):
    """A machine's certificate is no person's, whatever is registered or configured; and a person's names no machine."""
    authority = serialization.load_pem_private_key((srv.dir / "private/authority.pem").read_bytes(), None)
    ca = x509.load_pem_x509_certificate((srv.dir / "private/authority.crt").read_bytes())
    machines = Issuer(org.base / "people", "x", authority)
    machines.name = ca.subject
    machine = machines.issue("anna")
    assert srv.call("POST", f"/api/v1/users/anna/certificates/{fingerprint(machine)}", token=srv.admin)[0] == 200
    (srv.folder / "machines.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    status, got = shown(srv, machine)
    assert status == 401 and "machine" in got["error"]["message"]
    (srv.folder / "machines.crt").unlink()
    # Somebody who calls himself the server's authority is refused as before, by TLS itself.
    forged = Issuer(org.base / "people", "x")
    forged.name = ca.subject
    assert shown(srv, forged.issue("anna"))[0] == 0 and shown(srv, machines.issue("anna", days=(-30, -1)))[0] == 0
    # With a person's certificate named like a machine, the machine's own package stays closed.
    company = Issuer(org.base / "people", "anybody")
    uuid = "11111111-2222-3333-4444-555555555555"
    package = srv.dir / f"repo/wapt-host/{uuid}.wapt"
    package.write_bytes(b"its own")
    for pem, status in ((company.issue(uuid), 403), (machines.issue(uuid), 200)):
        got = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--cert", pem, f"https://127.0.0.1:{srv.port}/wapt-host/{uuid}.wapt"], capture_output=True, text=True, check=True)
        assert got.stdout == str(status), pem
