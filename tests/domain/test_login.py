"""F1E with directories: who answers for a local user's password and groups."""
import base64
import json
import subprocess
import time

import directory
import pytest
from conftest import LOCAL, PASSWORD, PEOPLE, UIDS, bench
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

AD = {"service_auth_type": "waptagent-ldap", "ldap_auth_server": directory.ADDRESS, "ldap_auth_base_dn": directory.BASE, "verify_cert_ldap": "ad.pem",
      "ldap_auth_ssl_enabled": 1}
SLAPD = {"service_auth_type": "waptagent-ldap", "ldap_auth_server": "localhost:10636", "ldap_auth_base_dn": "dc=example,dc=org",
         "verify_cert_ldap": "slapd.pem", "ldap_auth_ssl_enabled": 1, "ldap_admin_groups": "Operators"}


def lock(name):
    """By three wrong passwords, as the domain's policy has it."""
    for _ in range(3):
        subprocess.run(["ldapwhoami", "-x", "-H", f"ldaps://{directory.ADDRESS}", "-D", f"{name}@{directory.DOMAIN}", "-w", "wrong"], capture_output=True,
                       env={"LDAPTLS_REQCERT": "never", "PATH": "/usr/bin"})


def test_active_directory(world):
    lock("hugo")
    world.configure(**AD)
    expected = {name: PEOPLE[name][0] for name in UIDS}
    assert {name: world.tries(uid, PASSWORD) for name, uid in UIDS.items()} == expected
    # What opens this machine to PAM opens nothing now, and no group of this machine counts.
    assert world.tries(UIDS["carol"], LOCAL) == "wrong"
    assert world.tries(UIDS["bob"], "wrong") == "wrong"
    log = (world.org.base / "agent.log").read_text()
    assert PASSWORD not in log and LOCAL not in log


def test_start_tls(world):
    world.configure(**{**AD, "ldap_auth_ssl_enabled": 0})
    assert world.tries(UIDS["alice"], PASSWORD) == "granted"
    assert world.tries(UIDS["carol"], PASSWORD) == "denied"


def test_openldap(world):
    world.configure(**SLAPD)
    expected = {"alice": "granted", "bob": "granted", "carol": "denied", "dora": "wrong"}  # two have dora's uid
    assert {name: world.tries(UIDS[name], PASSWORD) for name in expected} == expected
    assert world.tries(UIDS["alice"], "wrong") == "wrong"


@pytest.mark.parametrize("what, options, says", [
    ("an authority that is not the directory's", {**SLAPD, "verify_cert_ldap": "ad.pem"}, "is not trusted"),
    ("verification said to be off", {**SLAPD, "verify_cert_ldap": "0"}, "is not trusted"),
    ("another name than the certificate's", {**SLAPD, "ldap_auth_server": "127.0.0.1:10636"}, "is not trusted"),
    ("a directory that does not answer", {**SLAPD, "ldap_auth_server": "localhost:10637"}, "in time"),
    ("nobody there", {**SLAPD, "ldap_auth_server": "localhost:10638"}, "Connection refused"),
    ("the second server", {**SLAPD, "ldap_auth_server": "localhost:10638, localhost:10636"}, "granted"),
])
def test_what_is_no_answer(world, what, options, says):
    silent = directory.Silent(10637)
    try:
        world.configure(**options)
        assert says in world.tries(UIDS["alice"], PASSWORD), what
    finally:
        silent.stop()


def test_words_that_nobody_knows(world):
    for options, says in (({"service_auth_type": "NOPASSWORD"}, "service_auth_type: 'NOPASSWORD' is none of"),
                          ({"service_auth_type": "waptagent-ldap"}, "needs ldap_auth_server")):
        world.org.ini.write_text(world.first.replace("[global]\n", "[global]\n" + "".join(f"{k} = {v}\n" for k, v in options.items()), 1))
        p = bench.run(bench.BIN / "waptservice", "run", "--config", world.org.ini, ok=False)
        assert says in p.text, p.text


def test_a_static_password_opens_nothing(world):
    world.configure(waptservice_user="alice", waptservice_password="NOPASSWORD")
    assert world.tries(UIDS["alice"], "anything") == "denied"
    assert world.tries(UIDS["carol"], "NOPASSWORD") == "wrong"
    assert world.tries(UIDS["carol"], LOCAL) == "granted"  # PAM's word, and this machine's group


# --- by way of the server ---


class Machine:
    """This machine's own voice, saying what its agent would not."""

    def __init__(self, org):
        self.org, self.uuid = org, org.uuid
        self.key = serialization.load_pem_private_key((org.agent / f"private/{self.uuid}.pem").read_bytes(), None)

    def asks(self, user, password, groups=("waptselfservice",), **change):
        text = json.dumps({"purpose": "wapt-login", "uuid": self.uuid, "time": int(time.time()), "user": user, "password": password,
                           "groups": list(groups), **change})
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        body = json.dumps({"signed": text, "signature": base64.b64encode(signature).decode()})
        p = subprocess.run(["curl", "-sk", "-w", "\n%{http_code}", "--data-binary", "@-", self.org.url + "/agent/v1/login"], input=body,
                           capture_output=True, text=True, check=True)
        answer, status = p.stdout.rsplit("\n", 1)
        return int(status), json.loads(answer)


def test_by_the_server(world):
    world.configure(service_auth_type="waptserver-ldap")
    assert world.tries(UIDS["alice"], PASSWORD) == "granted"
    assert world.tries(UIDS["bob"], PASSWORD) == "granted"
    assert world.tries(UIDS["carol"], PASSWORD) == "denied"
    assert world.tries(UIDS["carol"], LOCAL) == "wrong"
    for log in ("agent", "server"):
        text = (world.org.base / f"{log}.log").read_text()
        assert PASSWORD not in text and LOCAL not in text
    assert "the directory refuses this name and password" in (world.org.base / "server.log").read_text()


@pytest.fixture
def machine(world):
    world.restart_server()  # which forgets who was wrong
    return Machine(world.org)


NO = (200, {"accepted": False, "groups": []})


def test_names_are_values(machine):
    for user in ("*", "alice)(objectClass=*", f"CN=alice,CN=Users,{directory.BASE}", "al\\2aice"):
        assert machine.asks(user, PASSWORD) == NO, user
    assert machine.asks(f"ALICE@{directory.DOMAIN.upper()}", PASSWORD, ["*", "waptselfservice", "team)(cn=*"]) == (
        200, {"accepted": True, "groups": ["waptselfservice"]})
    assert machine.asks("WAPTTEST\\bob", PASSWORD, ["team"]) == (200, {"accepted": True, "groups": ["team"]})


def test_questions_of_a_wrong_form(machine):
    assert machine.asks("alice", "")[0] == 400
    assert machine.asks("", PASSWORD)[0] == 400
    assert machine.asks("al\0ice", PASSWORD)[0] == 400
    assert machine.asks("alice", PASSWORD, time=1)[0] == 409
    assert machine.asks("alice", PASSWORD, uuid="another-machine")[0] == 401
    assert machine.asks("alice", PASSWORD, purpose="wapt-status")[0] == 403


def test_people_are_looked_at_again(world):
    """Who is logged in at the server by the domain's word: other groups, a disabled account, within `directory_check`; by an account of the server's own."""
    ini = world.org.base / "server/waptserver.ini"
    before, secret = ini.read_text(), world.org.base / "check.pw"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    ini.write_text(f"{before}ldap_login_roles = waptselfservice:helpdesk, team:readonly\nldap_check_account = svc-wapt@{directory.DOMAIN}\n"
                   f"ldap_check_password_file = {secret}\ndirectory_check = 1s\n")
    world.restart_server()

    def call(method, token=None, **body):
        p = subprocess.run(["curl", "-sk", "-X", method, "-H", f"Authorization: Bearer {token}", "--data-binary", "@-", world.org.url + "/api/v1/session"], input=json.dumps(body) if body else "",
                           capture_output=True, text=True, check=True)
        return json.loads(p.stdout)

    tokens = {name: call("POST", user=name, password=PASSWORD)["token"] for name in ("alice", "bob")}
    assert {name: call("GET", t)["role"] for name, t in tokens.items()} == {"alice": "helpdesk", "bob": "helpdesk"}  # bob by a group in a group
    world.domain.change("waptselfservice", f"delete: member\nmember: CN=team,CN=Users,{directory.BASE}")
    bench.until(lambda: call("GET", tokens["bob"])["role"] == "readonly", "bob has another role")
    world.domain.change("bob", "replace: userAccountControl\nuserAccountControl: 514")
    bench.until(lambda: "error" in call("GET", tokens["bob"]), "bob is out")
    assert call("GET", tokens["alice"])["role"] == "helpdesk"
    world.domain.change("bob", "replace: userAccountControl\nuserAccountControl: 512")
    world.domain.member("waptselfservice", f"CN=team,CN=Users,{directory.BASE}")
    assert PASSWORD not in (world.org.base / "server.log").read_text()
    ini.write_text(before)
    world.restart_server()


def test_guessing_has_an_end(world, machine):
    """A machine that was taken over may guess five times; the person may still log in where nobody guesses."""
    for i in range(5):
        assert machine.asks("alice", f"guess {i}") == NO
    status, answer = machine.asks("alice", PASSWORD)
    assert status == 429 and "wait before the next" in answer["error"]["message"]
    assert world.org.console("hosts").returncode == 0  # nobody else waits
