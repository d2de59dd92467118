"""People of a real domain log in at the server by their Kerberos tickets; and who has none that counts does not."""
import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import sys

import directory
import pytest
from conftest import PASSWORD, bench

sys.path.append(str(pathlib.Path(__file__).parents[1] / "proc"))
from saying import ticket  # noqa: E402

REALM = directory.DOMAIN.upper()
SERVICE = f"HTTP/localhost@{REALM}"


class Staff:
    """The server that takes tickets of people, and their workstation."""

    def __init__(self, world, top):
        self.world, self.org, self.domain, self.top = world, world.org, world.domain, top
        self.config = top / "people.conf"
        self.config.write_text(f"[libdefaults]\ndefault_realm = {REALM}\nrdns = false\ndns_canonicalize_hostname = false\n"
                               f"[realms]\n{REALM} = {{\nkdc = {directory.ADDRESS}\n}}\n[domain_realm]\nlocalhost = {REALM}\n")
        pem = (self.org.base / "server/private/tls.crt").read_text()
        self.bound = "wapt-login:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        self.ini = self.org.base / "server/waptserver.ini"
        self.before = self.ini.read_text()
        secret = self.org.base / "people.pw"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        for path in self.domain.folder.glob("*.keytab"):
            path.chmod(0o600)
        self.ini.write_text(f"{self.before}kerberos_login = 1\nkerberos_keytab = {self.domain.folder}/http.keytab\ndirectory_check = 1s\n"
                            f"ldap_login_roles = waptselfservice:helpdesk, team:readonly\nldap_check_account = svc-wapt@{directory.DOMAIN}\n"
                            f"ldap_check_password_file = {secret}\n")
        world.restart_server()

    def stop(self):
        self.ini.write_text(self.before)
        self.world.restart_server()

    def cache(self, name):
        return f"FILE:{self.top}/cc-{name}"

    def kinit(self, name):
        """As the login at a workstation does."""
        subprocess.run(["kinit", "-c", self.cache(name), f"{name}@{REALM}"], input=PASSWORD + "\n", text=True, check=True, capture_output=True,
                       env=dict(os.environ, KRB5_CONFIG=str(self.config)))

    def ticket(self, name, service=SERVICE, bound=True, keytab=None, config=None):
        """A SPNEGO token of the person's, in base64."""
        make = ticket(config or self.config, f"{name}@{REALM}", service, keytab, bound=bound, ccache=None if keytab else self.cache(name))
        return make(self.bound)["ticket"]

    def call(self, method, path, token="", **body):
        p = subprocess.run(["curl", "-sk", "-w", "\n%{http_code}", "-X", method, "-H", f"Authorization: Bearer {token}", "--data-binary", "@-",
                            f"{self.org.url}/api/v1/{path}"], input=json.dumps(body) if body else "", capture_output=True, text=True, check=True)
        text, status = p.stdout.rsplit("\n", 1)
        return int(status), json.loads(text)

    def enter(self, made, **more):
        return self.call("POST", "session/kerberos", ticket=made, **more)

    def refused(self, made, status, why):
        got = self.enter(made)
        assert got[0] == status and why in got[1]["error"]["message"], got

    def session(self, name):
        status, answer = self.enter(self.ticket(name))
        assert status == 200, answer
        return answer["token"]

    def console(self, name, *argv, ok=True):
        env = {"KRB5_CONFIG": str(self.config), "KRB5CCNAME": self.cache(name)}
        return bench.run("env", *(f"{k}={v}" for k, v in env.items()), bench.BIN / "waptconsole", *argv, "--kerberos", "--server",
                         f"https://localhost:{self.org.port}", "--server-fingerprint", self.org.server_fp, ok=ok)


@pytest.fixture(scope="module")
def staff(world, top):
    s = Staff(world, top)
    try:
        yield s
    finally:
        s.stop()


def test_without_a_password(staff):
    """The console asks for nothing: the ticket of the login at the workstation does. Role by group, groups of groups too."""
    assert staff.call("GET", "session/ways")[1]["kerberos"] is True
    for name, role in (("ida", "helpdesk"), ("bob", "helpdesk")):
        staff.kinit(name)
        session = staff.session(name)
        who = staff.call("GET", "session", session)[1]
        assert (who["user"], who["role"], who["lacks_second_factor"]) == (name, role, False)
        assert json.loads(staff.console(name, "hosts", "--json").stdout)["result"]
    got = staff.console("nobody", "hosts", ok=False)
    assert "you have no Kerberos ticket" in got.text, got.text


def test_tickets_that_are_wrong(staff):
    staff.kinit("ida")
    good = staff.ticket("ida")
    assert staff.enter(good)[0] == 200
    staff.refused(good, 401, "replay")
    staff.refused(staff.ticket("ida", bound=False), 401, "not bound")
    # Made for whoever shows another certificate, or for a machine's statement.
    staff.refused(staff.ticket("ida", bound="wapt-login:" + "0" * 64), 401, "bound to something else")
    staff.refused(staff.ticket("ida", service=f"ldap/dc1.{directory.DOMAIN}@{REALM}"), 401, "")
    staff.refused("bm8gdGlja2V0", 401, "")
    staff.world.restart_server()  # the address has had its five; what was replayed is still known
    staff.refused(good, 401, "replay")
    old = staff.top / "people-rc4.conf"  # a client that knows nothing better
    old.write_text(staff.config.read_text().replace("[libdefaults]\n", "[libdefaults]\nallow_weak_crypto = true\npermitted_enctypes = rc4-hmac\n"))
    staff.refused(staff.ticket("mallory", keytab=staff.domain.folder / "mallory.keytab", config=old), 401, "AES")


def test_who_is_nobody_here(staff):
    staff.world.restart_server()
    machine = staff.ticket("pc101$", keytab=staff.domain.folder / "pc101.keytab")
    staff.refused(machine, 403, "is no person's")
    staff.refused(staff.ticket("mallory", keytab=staff.domain.folder / "mallory.keytab"), 403, "none of your groups")
    staff.refused(staff.ticket("evil$", keytab=staff.domain.folder / "evil.keytab"), 403, "")
    # A name that is kept here is nobody else's: the domain has an account of that name, too.
    got = bench.run(bench.BIN / "waptserver", "user", "add", "zoe", "--role", "readonly", "--password-file", staff.org.base / "admin.pw", "--config", staff.ini)
    assert got.returncode == 0
    staff.kinit("zoe")
    staff.refused(staff.ticket("zoe"), 409, "is called 'zoe' already")
    bench.run(bench.BIN / "waptserver", "user", "remove", "zoe", "--config", staff.ini)
    assert staff.enter(staff.ticket("zoe"))[0] == 200


def test_a_second_factor_is_asked_for(staff):
    """Who has the password has the ticket: it is one factor, and no way around the other."""
    staff.world.restart_server()
    staff.kinit("ida")
    mine = staff.session("ida")
    status, offer = staff.call("POST", "account/second-factor", mine, password=PASSWORD)
    assert status == 200, offer
    status, answer = staff.call("POST", "account/second-factor/confirm", mine, code=bench.totp(offer["secret"]))
    assert status == 200, answer
    recovery = answer["recovery_codes"]
    assert staff.enter(staff.ticket("ida")) == (200, {"needs": "code"})
    assert staff.enter(staff.ticket("ida"), code="000000")[0] == 401
    status, answer = staff.enter(staff.ticket("ida"), code=bench.totp(offer["secret"], 1))
    assert status == 200, answer
    code = staff.top / "code"
    code.write_text(recovery[0] + "\n")
    code.chmod(0o600)
    staff.console("ida", "hosts", "--code-file", code)
    bench.run(bench.BIN / "waptserver", "user", "drop-second-factor", "ida", "--config", staff.ini)


def test_the_directory_has_the_last_word(staff):
    """A ticket lives ten hours. What the account is now counts, and ends a session that it opened."""
    staff.world.restart_server()
    staff.kinit("bob")
    held = [staff.ticket("bob") for _ in range(2)]
    session = staff.session("bob")
    staff.domain.change("bob", "replace: userAccountControl\nuserAccountControl: 514")
    try:
        bench.until(lambda: staff.call("GET", "session", session)[0] == 401, "bob is out")
        staff.refused(held[0], 403, "disabled")
    finally:
        staff.domain.change("bob", "replace: userAccountControl\nuserAccountControl: 512")
    assert staff.enter(held[1])[0] == 200
    # The name is another account's now: the ticket is of one that is called so no more.
    def rename(name):
        staff.domain.change("bob", f"replace: sAMAccountName\nsAMAccountName: {name}\n-\nreplace: userPrincipalName\nuserPrincipalName: {name}@{directory.DOMAIN}")
    rename("robert")
    staff.domain.change("yann", "replace: sAMAccountName\nsAMAccountName: bob")
    staff.domain.member("waptselfservice", f"CN=yann,CN=Users,{directory.BASE}")
    try:
        staff.refused(staff.ticket("bob"), 403, "does not let 'bob' in")
    finally:
        staff.domain.change("waptselfservice", f"delete: member\nmember: CN=yann,CN=Users,{directory.BASE}")
        staff.domain.change("yann", "replace: sAMAccountName\nsAMAccountName: yann")
        rename("bob")


def test_from_the_pages(staff):
    """The confined program behind the console's pages takes the person's ticket, and the page nothing but the click."""
    staff.world.restart_server()
    staff.kinit("ida")
    home, link = staff.top / "pages-home", staff.top / "pages.link"
    (home / ".config/wapt").mkdir(parents=True)
    (home / ".config/wapt/waptconsole.ini").write_text("[global]\nlogin = kerberos\n")
    env = {"KRB5_CONFIG": str(staff.config), "KRB5CCNAME": staff.cache("ida"), "HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    argv = [bench.BIN / "waptconsole", "open", "--server", f"https://localhost:{staff.org.port}", "--server-fingerprint", staff.org.server_fp, "--no-browser", "--link-file", link]
    with open(staff.top / "pages.log", "wb") as log:
        program = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        bench.until(lambda: link.exists() and link.read_text(), "the program shows its link")
        origin, secret = link.read_text().split("/#")

        def ask(method, path, token="", body=None):
            p = subprocess.run(["curl", "-s", "-X", method, "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json", *(["--data-binary", "@-"] if body is not None else []),
                                origin + path], input=json.dumps(body) if body is not None else "", capture_output=True, text=True, check=True)
            return json.loads(p.stdout)
        token = ask("POST", "/local/session", body={"ticket": secret.strip().rpartition("=")[2]})["token"]
        bench.until(lambda: ask("GET", "/local/state", token)["server"]["ways"]["kerberos"], "the page offers it")
        assert ask("GET", "/local/state", token)["server"]["login"] == "kerberos", "the page does so without being asked"
        assert ask("POST", "/local/login", token, {"way": "kerberos"}) == {}
        server = ask("GET", "/local/state", token)["server"]
        assert (server["state"], server["user"], server["roles"]) == ("connected", "ida", ["helpdesk"])
        said = bench.run("env", *(f"{k}={v}" for k, v in env.items()), *argv[:1], "hosts", *argv[2:6])  # nor does a command
        assert said.returncode == 0, said.text
        (home / ".config/wapt/waptconsole.ini").write_text("[global]\nlogin = magic\n")
        said = bench.run("env", *(f"{k}={v}" for k, v in env.items()), *argv[:1], "hosts", *argv[2:6], ok=False)
        assert "is the only word" in said.text
    finally:
        program.terminate()
        program.wait(30)
