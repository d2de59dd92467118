"""F1A with Kerberos: a real KDC, real tickets, and those that are wrong in one thing."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import socket
import sqlite3
import ssl
import subprocess
import tempfile

import pytest
import saying
from conftest import BIN, Organisation, end, run, until
from kdc import REALM, Kdc, call
from saying import Machine, send

HOST = socket.gethostname().split(".")[0]
OURS = f"{HOST}$@{REALM}"


class Realm(Organisation):
    """An organisation whose machine has an account in a realm, and no other way in."""

    SEEN_BY_AGENTS = "localhost"

    def __init__(self, base):
        self.kdc = Kdc(base / "kdc")
        self.keytabs = {n: self.kdc.keytab(f"{n}.keytab", p) for n, p in
                        {"http": "HTTP/localhost", "own": f"{HOST}$", "pc001": "PC001$", "pc002": "PC002$", "other": "HTTP/other"}.items()}
        self.kdc.keytab("rc4.keytab", "HTTP/old", enctypes="rc4-hmac:normal")
        self.kdc.admin("addprinc -pw userpw alice")
        self.kdc.stop()  # until a test wants it
        etc = base / "etc"
        for d in ("upper", "work"):
            (etc / d).mkdir(parents=True)
        (etc / "upper/krb5.conf").write_text((base / "kdc/krb5.conf").read_text())
        (etc / "upper/krb5.keytab").write_bytes(self.keytabs["own"].read_bytes())
        (etc / "upper/krb5.keytab").chmod(0o600)
        self.etc = f"mount -t overlay overlay -o lowerdir=/etc,upperdir={etc}/upper,workdir={etc}/work /etc"
        super().__init__(base)

    def inside(self, program):
        """The agent sees the realm's configuration and the machine's keytab; nothing else does."""
        if program != "waptservice":
            return []
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", self.etc + ' && exec "$@"', "sh"]

    def new_agent(self, base):
        ini = super().new_agent(base)
        shared = (self.base / "server/private/tls.crt").read_text()
        (base / "ssl/server").mkdir()
        (base / "ssl/server/server.crt").write_text(shared)
        ini.write_text(ini.read_text().replace("[global]\n", "[global]\nuse_kerberos = 1\n"))
        return ini

    def configure(self, **options):
        """The server, started anew with these options."""
        ini = self.base / "server/waptserver.ini"
        kept = [line for line in ini.read_text().splitlines() if line.split(" = ")[0] not in options]
        ini.write_text("\n".join(kept + [f"{k} = {v}" for k, v in options.items()]) + "\n")
        end(self.processes[0])
        self.start_server()

    def stop(self):
        super().stop()
        self.kdc.stop()

    def log(self, name):
        return (self.base / f"{name}.log").read_text()

    def bound_to(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.base}/server/db/waptserver.sqlite?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT account, uuid FROM host_accounts"))


@pytest.fixture(scope="module")
def realm():
    with tempfile.TemporaryDirectory(prefix="wapt-proc-") as d:
        r = Realm(pathlib.Path(d))
        try:
            yield r
        finally:
            r.stop()


def ticket(realm, keytab, principal, service="HTTP/localhost", **more):
    return saying.ticket(realm.base / "kdc/krb5.conf", f"{principal}@{REALM}", f"{service}@{REALM}", realm.keytabs.get(keytab), **more)


def test_by_itself_and_by_nothing_else(realm):
    """Nobody says 'register': the machine does, again and again while the directory is away, and in no other way."""
    shown = str(realm.keytabs["http"])
    token = realm.token("--uses", "1", "--valid", "1h")
    realm.configure(registration="kerberos", kerberos_keytab=shown)
    until(lambda: "registration.later" in realm.log("agent"), "the machine tells that the directory is away")
    assert realm.hosts() == []
    got = realm.get("register", "--token-file", token, ok=False)
    assert "registration = kerberos" in got.text
    run(BIN / "wapt-get", "-c", realm.ini, "register", "--user", "admin", "--password-file", realm.base / "admin.pw", ok=False)
    realm.kdc.start()
    realm.get("register", ok=False)
    until(lambda: "no PAC" in realm.log("server"), "a realm without PAC is refused unless it is named")
    assert realm.hosts() == []
    realm.configure(kerberos_realms_where_names_prove_machines=REALM)
    until(lambda: len(realm.hosts()) == 1, "the machine has registered")
    assert realm.bound_to() == {OURS: realm.uuid}
    assert f"ticket of {HOST} from" in realm.log("server")
    realm.get("register")  # again, by its account
    assert (realm.agent / "private/tls.pem").exists()


def test_tickets_that_are_wrong(realm):
    pc001 = Machine("pc001")
    good = ticket(realm, "pc001", "PC001$")
    cases = [
        (401, "not found in keytab", ticket(realm, "pc001", "PC001$", service="HTTP/other")),
        (401, "not bound", ticket(realm, "pc001", "PC001$", bound=False)),
        (401, "bound to something else", ticket(realm, "pc001", "PC001$", bound="0" * 64)),
        (401, "", lambda _: {"kind": "kerberos", "ticket": base64.b64encode(os.urandom(400)).decode()}),
        (401, "", lambda _: {"kind": "kerberos", "ticket": ""}),
    ]
    for status, why, credential in cases:
        got = send(realm, pc001.statement(credential))
        assert got[0] == status and why in got[1], got
    realm.configure()  # the address has had its five; what was replayed is still known
    # Another machine's ticket, and a person's.
    status, text = send(realm, pc001.statement(ticket(realm, "pc002", "PC002$")))
    assert status == 403 and "calls itself 'pc001" in text, text
    call("kinit", "-c", f"FILE:{realm.base}/alice", "alice", env=realm.kdc.env, data="userpw\n")
    status, text = send(realm, Machine("alice").statement(ticket(realm, None, "alice", ccache=f"FILE:{realm.base}/alice")))
    assert status == 403 and "no machine's name" in text, text
    status, text = send(realm, pc001.statement(ticket(realm, None, "PC001$", ccache=realm.kdc.expired(realm.keytabs["pc001"], "PC001$", "HTTP/localhost"))))
    assert status == 401 and "expired" in text.lower(), text
    # A ticket is good for one statement, once: the statement that came before is not taken again.
    once = Machine("not-pc001").statement(good)
    assert send(realm, once)[0] == 403
    assert send(realm, pc001.statement(good))[0] == 200
    status, text = send(realm, once)
    assert status == 401 and "replay" in text, text
    status, text = send(realm, pc001.statement(good))  # the sixth: the address has to wait
    assert status == 429, text


def test_one_account_one_machine(realm):
    realm.configure()
    first = Machine("pc001")
    mine = ticket(realm, "pc001", "PC001$")
    assert send(realm, first.statement(mine))[0] == 200
    assert realm.bound_to()[f"PC001$@{REALM}"] == first.uuid  # what the account was before is gone
    thief = Machine("pc002", first.uuid)
    status, text = send(realm, thief.statement(ticket(realm, "pc002", "PC002$")))
    assert status == 409 and "another account" in text, text
    again = Machine("pc001", first.uuid)  # the same machine, set up anew: another key
    assert send(realm, again.statement(mine))[0] == 200
    status, text = send(realm, first.statement(lambda _: {"kind": "key"}))
    assert status == 401, text
    moved = Machine("pc001")
    assert send(realm, moved.statement(mine))[0] == 200
    assert sorted(h["uuid"] for h in realm.hosts()) == sorted([realm.uuid, moved.uuid])


def enter(realm, made):
    """What the server says to a person with this ticket."""
    bound = "wapt-login:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert((realm.base / "server/private/tls.crt").read_text())).hexdigest()
    p = subprocess.run(["curl", "-sk", "-w", "\n%{http_code}", "--data-binary", "@-", realm.url + "/api/v1/session/kerberos"], capture_output=True, text=True,
                       check=True, input=json.dumps({"ticket": made(bound)["ticket"]}))
    text, status = p.stdout.rsplit("\n", 1)
    return int(status), text


def test_people_need_a_directory(realm):
    """A realm without PAC says of nobody whose account it is: its people don't log in, whatever is believed of its machines."""
    call("kinit", "-c", f"FILE:{realm.base}/alice", "alice", env=realm.kdc.env, data="userpw\n")
    alice = ticket(realm, None, "alice", ccache=f"FILE:{realm.base}/alice")
    status, text = enter(realm, alice)
    assert status == 403 and "kerberos_login" in text, text
    (realm.base / "server/private/ldap.pw").write_text("unused\n")
    (realm.base / "server/private/ldap.pw").chmod(0o600)
    realm.configure(kerberos_login=1, ldap_auth_server="localhost:1", ldap_auth_base_dn="DC=wapt,DC=test", ldap_login_roles="staff:readonly",
                    ldap_check_account="asks@wapt.test")
    status, text = enter(realm, alice)
    assert status == 403 and "no PAC" in text, text
    late = ticket(realm, None, "PC002$", ccache=realm.kdc.expired(realm.keytabs["pc002"], "PC002$", "HTTP/localhost"))
    status, text = enter(realm, late)
    assert status == 401 and "expired" in text.lower(), text


def test_weak_keytab(realm):
    """A service that has RC4 keys only, or whose keys others can read, takes no tickets: the server says so and does not start. The last of these tests."""
    end(realm.processes[0])
    ini, weak = realm.base / "server/waptserver.ini", realm.base / "kdc/rc4.keytab"
    ini.write_text(ini.read_text().replace(str(realm.keytabs["http"]), str(weak)))
    assert "no AES key" in run(BIN / "waptserver", "run", "--config", ini, ok=False).text
    weak.chmod(0o644)
    assert "others than its owner" in run(BIN / "waptserver", "run", "--config", ini, ok=False).text
