"""What machines say when they register, each with a key of its own, as a program that is not ours makes it; and tickets for it."""
import base64
import datetime
import hashlib
import json
import os
import ssl
import time
import urllib.error
import urllib.request
import uuid as uuidlib

import gssapi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")


class Machine:
    """A machine that says whatever it likes."""

    def __init__(self, name, uuid=None):
        self.name, self.uuid, self.seq = name, uuid or str(uuidlib.uuid4()), int(time.time())
        self.key = rsa.generate_private_key(65537, 2048)
        cn = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.uuid)])
        now = datetime.datetime.utcnow()
        cert = (x509.CertificateBuilder().subject_name(cn).issuer_name(cn).public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9)).sign(self.key, hashes.SHA256()))
        self.certificate = cert.public_bytes(serialization.Encoding.PEM).decode()

    def binding(self, seq, at):
        return hashlib.sha256(f"wapt-register-kerberos\n{self.uuid}\n{seq}\n{at}\n{hashlib.sha256(self.certificate.encode()).hexdigest()}\n"
                              f"{hashlib.sha256(b'').hexdigest()}".encode()).hexdigest()

    def statement(self, credential):
        """credential: a function of what the ticket has to be bound to."""
        self.seq += 1
        at = int(time.time())
        text = json.dumps({"purpose": "wapt-register", "uuid": self.uuid, "seq": self.seq, "time": at, "certificate": self.certificate,
                           "credential": credential(self.binding(self.seq, at)),
                           "host_info": {"computer_name": self.name, "computer_fqdn": f"{self.name}.wapt.test"}})
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return json.dumps({"signed": text, "signature": base64.b64encode(signature).decode()}).encode()


def send(org, body):
    """The server's status, and what it says."""
    context = ssl.create_default_context(cafile=org.base / "server/private/tls.crt")
    request = urllib.request.Request(org.url + "/agent/v1/register", data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=90) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def ticket(config, principal, service, keytab=None, bound=True, ccache=None):
    """A function that makes the credential, as statement() wants it. config: a krb5.conf; service: a principal; bound: to the statement, to that text, or
    to nothing."""
    def make(binding):
        os.environ["KRB5_CONFIG"] = str(config)
        name = gssapi.Name(principal, gssapi.NameType.kerberos_principal)
        store = {"client_keytab": str(keytab), "ccache": "MEMORY:" + os.urandom(8).hex()} if ccache is None else {"ccache": str(ccache)}
        cred = gssapi.Credentials(name=name, usage="initiate", store=store)
        to = None if not bound else gssapi.raw.ChannelBindings(application_data=(binding if bound is True else bound).encode())
        session = gssapi.SecurityContext(name=gssapi.Name(service, gssapi.NameType.kerberos_principal), creds=cred, mech=SPNEGO, usage="initiate",
                                         channel_bindings=to)
        return {"kind": "kerberos", "ticket": base64.b64encode(session.step()).decode()}
    return make
