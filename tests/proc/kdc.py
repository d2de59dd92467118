"""A private MIT KDC on the loopback, and what a machine gets from it. Nothing of the machine's own configuration is touched."""
import os
import socket
import struct
import subprocess
import time

from conftest import PATIENCE, end, free_port

REALM = "WAPT.TEST"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"  # preloaded: the wrapper would fork


def call(*argv, env=None, data=None, ok=True):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60, env=env, input=data)
    assert p.returncode == 0 or not ok, f"{argv}\n{p.stdout}\n{p.stderr}"
    return p


def until_open(process, port):
    last = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None and time.monotonic() < last, "the KDC does not start"
        time.sleep(0.05)


def later(cache, seconds):
    """A credentials cache (version 4) whose tickets end later, as far as the client can see."""
    d, at = bytearray(cache), 0

    def number(size):
        nonlocal at
        at += size
        return int.from_bytes(d[at - size:at], "big")

    def skip(count):
        nonlocal at
        for _ in range(count):
            size = number(4)
            at += size

    def principal():
        number(4)
        skip(number(4) + 1)

    assert number(2) == 0x504
    number(number(2))
    principal()
    while at < len(d):
        principal()
        principal()
        number(2)
        skip(1)
        number(8)
        end = number(4)
        struct.pack_into(">I", d, at - 4, end + seconds)
        number(4 + 1 + 4)
        for _ in range(2):
            for _ in range(number(4)):
                number(2)
                skip(1)
        skip(2)
    return bytes(d)


class Kdc:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.port = free_port()
        (folder / "krb5.conf").write_text(f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{self.port}
 }}
[domain_realm]
 localhost = {REALM}
""")
        (folder / "kdc.conf").write_text(f"""[kdcdefaults]
 kdc_listen = 127.0.0.1:{self.port}
 kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
 {REALM} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/kadm5.acl
  supported_enctypes = aes256-cts:normal aes128-cts:normal rc4-hmac:normal
  default_principal_flags = +preauth
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
""")
        (folder / "kadm5.acl").write_text("")
        self.env = dict(os.environ, KRB5_CONFIG=str(folder / "krb5.conf"), KRB5_KDC_PROFILE=str(folder / "kdc.conf"), KRB5CCNAME=f"FILE:{folder}/cc")
        call("kdb5_util", "create", "-s", "-r", REALM, "-P", "master", env=self.env)
        self.process = None
        self.start()

    def admin(self, *lines):
        call("kadmin.local", "-r", REALM, env=self.env, data="\n".join(lines) + "\n")

    def keytab(self, name, *principals, enctypes=None):
        path = self.folder / name
        e = f"-e {enctypes} " if enctypes else ""
        self.admin(*(f"addprinc -randkey {e}{p}" for p in principals), *(f"ktadd -k {path} {e}{p}" for p in principals))
        path.chmod(0o600)
        return path

    def expired(self, keytab, principal, service):
        """A cache with a ticket for the service that ended an hour ago, and whose clear part says that it did not: a client sends it."""
        past = self.folder / f"past-{os.urandom(4).hex()}"
        past.mkdir()
        port = free_port()
        for name in ("krb5.conf", "kdc.conf"):
            (past / name).write_text((self.folder / name).read_text().replace(str(self.port), str(port)))
        faked = dict(os.environ, KRB5_CONFIG=str(past / "krb5.conf"), KRB5_KDC_PROFILE=str(past / "kdc.conf"), KRB5CCNAME=f"FILE:{past}/cc",
                     LD_PRELOAD=FAKETIME, FAKETIME="-2h")
        with open(self.folder / "kdc.out", "ab") as out:
            kdc = subprocess.Popen(["krb5kdc", "-n", "-r", REALM], env=faked, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            until_open(kdc, port)
            call("kinit", "-l", "1h", "-k", "-t", keytab, principal, env=faked)
            call("kvno", "-q", service, env=faked)
        finally:
            end(kdc)
        (past / "patched").write_bytes(later((past / "cc").read_bytes(), 86400))
        return f"FILE:{past}/patched"

    def start(self):
        with open(self.folder / "kdc.out", "ab") as out:
            self.process = subprocess.Popen(["krb5kdc", "-n", "-r", REALM], env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        until_open(self.process, self.port)

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None
