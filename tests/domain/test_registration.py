"""F1A in a real domain: machines register by their accounts, and what is no machine's does not let anything in."""
import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys

import directory
import pytest
from conftest import PASSWORD, bench

sys.path.append(str(pathlib.Path(__file__).parents[1] / "proc"))
from saying import Machine, send, ticket  # noqa: E402

REALM = directory.DOMAIN.upper()


@pytest.fixture(scope="module")
def realm(world, top):
    """The server takes tickets of machines of one group."""
    (top / "registration.conf").write_text(f"[libdefaults]\ndefault_realm = {REALM}\nrdns = false\ndns_canonicalize_hostname = false\n"
                                           f"[realms]\n{REALM} = {{\nkdc = {directory.ADDRESS}\n}}\n[domain_realm]\nlocalhost = {REALM}\n")
    ini = world.org.base / "server/waptserver.ini"
    for path in world.domain.folder.glob("*.keytab"):
        path.chmod(0o600)
    before = ini.read_text()
    ini.write_text(before + f"registration = token, login, kerberos\nkerberos_keytab = {world.domain.folder}/http.keytab\n"
                            f"kerberos_group = {world.domain.sids['waptmachines']}\n")
    world.restart_server()
    yield world
    ini.write_text(before)
    world.restart_server()


def shows(realm, top, account, name=None, config=None):
    """What the server says to a machine of that name with the account's ticket."""
    made = ticket(config or top / "registration.conf", f"{account}@{REALM}", f"HTTP/localhost@{REALM}", realm.domain.folder / f"{account.strip('$')}.keytab")
    return send(realm.org, Machine(name or account.strip("$")).statement(made))


def bound_to(org):
    with contextlib.closing(sqlite3.connect(f"file:{org.base}/server/db/waptserver.sqlite?mode=ro", uri=True)) as db:
        return {account for (account,) in db.execute("SELECT account FROM host_accounts")}


def test_machines_and_others(realm, top):
    status, text = shows(realm, top, "pc101$")
    assert status == 200, text
    assert bound_to(realm.org) == {realm.domain.sids["pc101$"]}  # by the SID, whatever it is called
    for account, status, why in (("evil$", 403, "is no machine's"), ("mallory", 403, "is no machine's"), ("pc102$", 403, "is not in the group")):
        got = shows(realm, top, account)
        assert got[0] == status and why in got[1], (account, got)
    got = shows(realm, top, "pc101$", "pc102")
    assert got[0] == 403 and "calls itself 'pc102" in got[1], got
    old = top / "rc4.conf"  # a client that knows nothing better
    old.write_text((top / "registration.conf").read_text().replace("[libdefaults]\n", "[libdefaults]\nallow_weak_crypto = true\npermitted_enctypes = rc4-hmac\n"))
    got = shows(realm, top, "pc104$", config=old)
    assert got[0] == 401 and "AES" in got[1], got
    with pytest.raises(Exception, match="(?i)revoked|disabled"):  # the directory gives it no ticket
        shows(realm, top, "pc103$")
    realm.restart_server()


def test_where_its_account_stands(realm, top):
    """The unit is the directory's to know: of this moment, by the account's SID."""
    ini, secret = realm.org.base / "server/waptserver.ini", realm.org.base / "server/private/ldap.pw"
    before, unit = ini.read_text(), f"OU=Paris,{directory.BASE}"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    ini.write_text(before + f"kerberos_unit = {unit}\nldap_check_account = svc-wapt@{directory.DOMAIN}\n")
    realm.restart_server()
    try:
        outside = shows(realm, top, "pc101$")
        assert outside[0] == 403 and f"does not stand in {unit}" in outside[1], outside
        realm.domain.move("CN=pc101,CN=Computers", "OU=Lab,OU=Paris")
        inside = shows(realm, top, "pc101$")
        assert inside[0] == 200, inside
        realm.domain.move("CN=pc101,OU=Lab,OU=Paris", "CN=Computers")
        again = shows(realm, top, "pc101$")
        assert again[0] == 403, again
        # A unit that is not there, a wrong password: nobody comes in, and the log says what to do.
        for wrong, why in ((("kerberos_unit = OU=Paris", "kerberos_unit = OU=Nowhere"), "has no unit"), ((PASSWORD, "wrong"), "ldap_check_account")):
            for file in (ini, secret):
                file.write_text(file.read_text().replace(*wrong))
            realm.restart_server()
            assert shows(realm, top, "pc101$")[0] >= 400
            assert why in (realm.org.base / "server.log").read_text(errors="replace").split("ticket.refused")[-1]
    finally:
        ini.write_text(before)
        realm.restart_server()


def test_an_agent_by_itself(realm, top):
    """A machine of the domain, whose agent nobody tells to register; its keytab is readable by root alone."""
    org, base, etc = realm.org, top / "agent-101", top / "etc-101"
    for d in ("upper", "work"):
        (etc / d).mkdir(parents=True)
    (etc / "upper/krb5.conf").write_text((top / "registration.conf").read_text())
    (etc / "upper/krb5.keytab").write_bytes((realm.domain.folder / "pc101.keytab").read_bytes())
    (etc / "upper/krb5.keytab").chmod(0o600)
    ini = org.new_agent(base)
    (base / "ssl/server").mkdir()
    (base / "ssl/server/server.crt").write_text((org.base / "server/private/tls.crt").read_text())
    ini.write_text(ini.read_text().replace(org.agents_url, f"https://localhost:{org.port}").replace("[global]\n", "[global]\nuse_kerberos = 1\n"))
    script = f"hostname pc101 && mount -t overlay overlay -o lowerdir=/etc,upperdir={etc}/upper,workdir={etc}/work /etc && exec \"$@\""
    with open(top / "agent-101.log", "wb") as log:
        agent = subprocess.Popen(["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", script, "sh", bench.BIN / "waptservice", "run",
                                  "--config", ini], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=bench.environment())
    try:
        bench.until(lambda: any(h["name"] == "pc101" and h["reachable"] for h in org.hosts()), "the machine has registered and is reachable")
        assert (base / "private/tls.pem").exists()
    finally:
        agent.terminate()
        agent.wait(30)
