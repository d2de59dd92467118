"""A machine that is really joined: its unit and groups, and people whom SSSD knows, told by the domain controller."""
import json
import os
import pathlib
import subprocess

import directory
import pytest
from conftest import DOMAIN_ONLY, PASSWORD, bench, etc

HOST = f"pc001.{directory.DOMAIN}"
UNIT = f"OU=Lab,OU=Paris,{directory.BASE}"


@pytest.fixture(scope="module")
def joined(world, top):
    """This machine, joined by adcli, with SSSD running."""
    realm = directory.DOMAIN.upper()
    etc(top, "hosts", lambda _: f"127.0.0.1 localhost\n{directory.ADDRESS} dc1.{directory.DOMAIN} dc1 {HOST} pc001\n")
    etc(top, "resolv.conf", lambda _: f"nameserver {directory.ADDRESS}\n")
    (top / "krb5.conf").write_text(f"[libdefaults]\ndefault_realm = {realm}\nrdns = false\ndns_canonicalize_hostname = false\n"
                                   f"[realms]\n{realm} = {{\nkdc = {directory.ADDRESS}\n}}\n")
    os.environ["KRB5_CONFIG"] = str(top / "krb5.conf")
    etc(top, "nsswitch.conf", lambda _: "passwd: files sss\ngroup: files sss\nshadow: files\nhosts: files dns\n")
    keytab = top / "machine.keytab"
    directory.call("adcli", "join", f"--domain={directory.DOMAIN}", f"--domain-controller=dc1.{directory.DOMAIN}", f"--host-fqdn={HOST}",
                   "--computer-name=PC001", f"--domain-ou={UNIT}", f"--host-keytab={keytab}", "--login-user=Administrator", "--stdin-password",
                   input=directory.ADMIN)
    world.domain.member("printers", f"CN=PC001,{UNIT}")
    config, caches = top / "sssd", top / "caches"  # tickets of who logs in go with all else
    config.mkdir(mode=0o711)
    caches.mkdir()
    caches.chmod(0o1777)
    (config / "sssd.conf").write_text(f"""[sssd]
services = nss, pam
domains = {directory.DOMAIN}
[domain/{directory.DOMAIN}]
id_provider = ad
ad_server = dc1.{directory.DOMAIN}
ad_hostname = {HOST}
krb5_keytab = {keytab}
ldap_krb5_keytab = {keytab}
ldap_sasl_authid = PC001$
dyndns_update = false
ad_gpo_access_control = disabled
fallback_homedir = /nonexistent
krb5_ccachedir = {caches}
use_fully_qualified_names = false
""")
    (config / "sssd.conf").chmod(0o600)
    subprocess.run(["mount", "--bind", config, "/etc/sssd"], check=True)
    for d in ("db", "mc", "pipes/private", "pubconf/krb5.include.d", "gpo_cache", "secrets"):
        pathlib.Path("/var/lib/sss", d).mkdir(parents=True)
    pathlib.Path("/var/lib/sss/pipes/private").chmod(0o700)
    with open(top / "sssd.log", "wb") as log:
        sssd = subprocess.Popen(["sssd", "-i", "--logger=stderr"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        bench.until(lambda: subprocess.run(["getent", "passwd", "PC001$"], capture_output=True).returncode == 0, "SSSD knows the machine")
        yield world
    finally:
        sssd.terminate()
        sssd.wait(30)


def test_unit_and_groups(joined):
    """Packages of the machine's unit and of its groups, those of groups in groups included, are installed by themselves."""
    org, unit = joined.org, UNIT.replace(",", "_")
    for name, section, needs in ((unit, "unit", "of-lab"), ("printers", "group", "of-printers"), ("machines", "profile", "of-machines"),
                                 ("elsewhere", "group", "of-elsewhere")):
        org.console("upload", org.package(needs, "1", "Developer", org.base / needs), assignment(org, name, section, needs))
    joined.configure(use_ad_groups=1)
    org.get("update")
    own = json.loads(org.get("status", "--json").stdout)["result"]["own_packages"]
    assert {unit, f"OU=Paris_{directory.BASE.replace(',', '_')}", "printers", "machines"} <= set(own) and "elsewhere" not in own, own
    info = json.loads(org.get("inventory", "--json").stdout)["result"]["host_info"]
    assert info["computer_ad_dn"] == f"CN=PC001,{UNIT}"
    assert {"printers", "machines"} <= set(info["computer_ad_groups"])
    assert info["domain_controller_address"] == directory.ADDRESS
    org.get("upgrade")
    made = {n for n in ("of-lab", "of-printers", "of-machines", "of-elsewhere") if (org.base / n).exists()}
    assert made == {"of-lab", "of-printers", "of-machines"}


def assignment(org, name, section, needs):
    src = org.base / "src" / name
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text(f"package: {name}\nversion: 1\narchitecture: all\nsection: {section}\npriority: optional\nmaintainer: Deployer\n"
                                      f"description: for {name}\ndepends: {needs}\ntarget_os: all\n", encoding="utf-8")
    return org.build(src, "Deployer")


def test_people_of_the_domain_by_pam(joined, top):
    """service_auth_type = system: PAM and the name service ask SSSD, as for any login of this machine."""
    pam = top / "pam.d"
    pam.mkdir()
    (pam / "wapt").write_text("auth sufficient pam_unix.so\nauth required pam_sss.so use_first_pass\naccount required pam_permit.so\n")
    (pam / "other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")
    subprocess.run(["mount", "--bind", pam, "/etc/pam.d"], check=True)
    # This machine has a group waptselfservice of its own: it alone counts.
    joined.configure(service_auth_type="system", admin_groups="operators")
    for name, expected in DOMAIN_ONLY.items():
        uid = int(subprocess.run(["id", "-u", name], capture_output=True, text=True, check=True).stdout)
        assert joined.tries(uid, PASSWORD) == expected, name
    assert joined.tries(uid, "wrong") == "wrong"
