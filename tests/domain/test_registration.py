"""F1A in a real domain: machines register by their accounts, and what is no machine's does not let anything in."""
import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys

import directory
import pytest
from conftest import bench

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
                                 env=dict(os.environ, WAPT_LIBDIR=str(bench.LIB), LANG="C.UTF-8", HOME="/root"))
    try:
        bench.until(lambda: any(h["name"] == "pc101" and h["reachable"] for h in org.hosts()), "the machine has registered and is reachable")
        assert (base / "private/tls.pem").exists()
    finally:
        agent.terminate()
        agent.wait(30)
