"""Real directories: Samba's Active Directory, OpenLDAP; and what only looks like one."""
import json
import pathlib
import socket
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ADDRESS = "10.213.0.1"
DOMAIN = "ad.wapt.test"
BASE = "DC=ad,DC=wapt,DC=test"
ADMIN = "Passw0rd-Adm"
PATIENCE = 180  # s


def call(*argv, **kw):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=600, **kw)
    assert p.returncode == 0, f"{argv}\n{p.stdout}\n{p.stderr}"
    return p


def until_open(process, *places):
    end = time.monotonic() + PATIENCE
    for place in places:
        while True:
            assert process.poll() is None, f"{process.args[0]} has ended with {process.returncode}"
            try:
                socket.create_connection(place, 1).close()
                break
            except OSError:
                assert time.monotonic() < end, f"nobody listens at {place}"
                time.sleep(0.05)


def certificate(folder, *names):
    """An authority and a server's certificate for these names: ca.pem, cert.pem, key.pem."""
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    call(*new, "-x509", "-days", "30", "-subj", "/CN=Directory Authority", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    call(*new, "-subj", f"/CN={names[0]}", "-keyout", folder / "key.pem", "-out", folder / "request.pem")
    (folder / "names").write_text("subjectAltName=" + ",".join(("IP:" if n[0].isdigit() else "DNS:") + n for n in names))
    call("openssl", "x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "30",
         "-extfile", folder / "names", "-out", folder / "cert.pem")
    (folder / "key.pem").chmod(0o600)


class Domain:
    """A domain controller at ADDRESS, with DNS, Kerberos and LDAP."""

    def __init__(self, folder, world):
        self.folder = folder
        (folder / "log").mkdir(parents=True)
        call("samba-tool", "domain", "provision", f"--realm={DOMAIN.upper()}", "--domain=WAPTTEST", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL",
             f"--adminpass={ADMIN}", "--host-name=dc1", f"--host-ip={ADDRESS}", f"--targetdir={folder}", "--option=bind interfaces only=yes",
             f"--option=interfaces={ADDRESS}", "--option=dns forwarder=", f"--option=log file={folder}/log/%m.log", "--option=load printers=no",
             "--option=printcap name=/dev/null", "--option=disable spoolss=yes", "--option=panic action=")
        tls = folder / "private/tls"
        tls.mkdir(exist_ok=True)
        tls.chmod(0o700)
        certificate(tls, f"dc1.{DOMAIN}", DOMAIN, ADDRESS)
        self.authority = tls / "ca.pem"
        self.sids = json.loads(call("/usr/bin/python3", HERE / "ad_people.py", folder, BASE, input=json.dumps(world)).stdout)
        with open(folder / "log/start.log", "wb") as log:
            self.process = subprocess.Popen(["samba", "-i", "-M", "single", f"--configfile={folder}/etc/smb.conf"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        until_open(self.process, (ADDRESS, 636), (ADDRESS, 389), (ADDRESS, 88), (ADDRESS, 53))

    def change(self, name, change):
        """change: "add: member\nmember: CN=..." """
        call("ldapmodify", "-x", "-H", f"ldaps://{ADDRESS}", "-D", f"Administrator@{DOMAIN}", "-w", ADMIN,
             input=f"dn: CN={name},CN=Users,{BASE}\nchangetype: modify\n{change}\n", env={"PATH": "/usr/bin", "LDAPTLS_CACERT": str(self.authority)})

    def member(self, group, dn):
        self.change(group, f"add: member\nmember: {dn}")

    def move(self, dn, to):
        """An account to another container; both below the domain."""
        name = dn.split(",")[0]
        call("ldapmodify", "-x", "-H", f"ldaps://{ADDRESS}", "-D", f"Administrator@{DOMAIN}", "-w", ADMIN,
             input=f"dn: {dn},{BASE}\nchangetype: modrdn\nnewrdn: {name}\ndeleteoldrdn: 1\nnewsuperior: {to},{BASE}\n",
             env={"PATH": "/usr/bin", "LDAPTLS_CACERT": str(self.authority)})

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Slapd:
    """OpenLDAP at 127.0.0.1: ldaps on `port`, without StartTLS on `plain_port`."""

    BASE = "dc=example,dc=org"

    def __init__(self, folder, entries, port=10636, plain_port=10389):
        folder.mkdir()
        (folder / "db").mkdir()
        certificate(folder, "localhost")
        self.authority = folder / "ca.pem"
        (folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{self.BASE}"
directory {folder}/db
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by * read
""")
        call("slapadd", "-q", "-f", folder / "slapd.conf", input=entries)
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(["slapd", "-d", "0", "-f", str(folder / "slapd.conf"), "-h", f"ldaps://127.0.0.1:{port}"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until_open(self.process, ("127.0.0.1", port))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Silent:
    """Takes connections and says nothing."""

    def __init__(self, port):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.taken = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                self.taken.append(self.socket.accept()[0])
            except OSError:
                return

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for s in self.taken:
            s.close()
