"""One domain, one OpenLDAP, one organisation with a machine, all in the namespaces of run.sh."""
import concurrent.futures
import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

import directory

spec = importlib.util.spec_from_file_location("proc_bench", pathlib.Path(__file__).parents[1] / "proc/conftest.py")
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

LOCAL = "the local password"
PASSWORD = "Right-Horse-7"
# In the domain, each with an account of the same name on the machine; what is expected of a right password.
PEOPLE = {
    "alice": ("granted", {}),
    "bob": ("granted", {}),  # in a group of a group
    "carol": ("denied", {}),
    "dora": ("granted", {}),  # an administrator of the domain
    "erin": ("wrong", {"userAccountControl": "514"}),  # disabled
    "fred": ("wrong", {"accountExpires": "1"}),
    "gina": ("wrong", {"pwdLastSet": "0"}),  # has to change it first
    "hugo": ("wrong", {}),  # locked by then
    "yann": ("denied", {}),
    "zoe": ("granted", {}),
}
DOMAIN_ONLY = {n: PEOPLE[n][0] for n in ("yann", "zoe")}  # without a local account
WORLD = {
    "units": ["OU=Paris", "OU=Lab,OU=Paris"],
    "present": ["Domain Admins"],
    "groups": {"waptselfservice": ["alice", "erin", "fred", "gina", "hugo", "ida", "zoe", "team"], "team": ["bob"], "Domain Admins": ["dora"],
               "sudo": ["carol"], "operators": ["zoe"], "printers": [], "machines": ["printers"], "waptmachines": ["pc101$", "pc104$"]},
    "people": {**{name: {"password": PASSWORD, "change": change} for name, (_, change) in PEOPLE.items()},
               **{name: {"password": PASSWORD} for name in ("evil$", "ida", "mallory", "svc-wapt")}},
    "machines": {"pc101": {}, "pc102": {}, "pc103": {"userAccountControl": "4098"}, "pc104": {}},  # 103: disabled
    "services": {"svc-wapt": "HTTP/localhost"},
    "keytabs": {"http": "HTTP/localhost", "evil": "evil$", "mallory": "mallory", **{n: f"{n}$" for n in ("pc101", "pc102", "pc103", "pc104")}},
}
UIDS = {name: 64001 + i for i, name in enumerate(n for n in PEOPLE if n not in DOMAIN_ONLY)}


def etc(top, name, text, mode=0o644):
    """The file of /etc, changed for these tests alone. text: what is added to it, or a function of what it was."""
    place, copy = pathlib.Path("/etc") / name, top / name.replace("/", "_")
    copy.write_text(text(place.read_text()) if callable(text) else place.read_text() + text)
    copy.chmod(mode)
    subprocess.run(["mount", "--bind", copy, place], check=True)


def add_accounts(top):
    crypted = subprocess.run(["openssl", "passwd", "-6", LOCAL], check=True, capture_output=True, text=True).stdout.strip()
    system = {"wapt": 64101, "wapt-agent": 64102}
    known = {line.split(":")[0] for line in pathlib.Path("/etc/passwd").read_text().splitlines()}
    people = {**UIDS, **{n: u for n, u in system.items() if n not in known}}
    etc(top, "passwd", "".join(f"{n}:x:{u}:{u}::{top}:/bin/sh\n" for n, u in people.items()))
    # The machine has groups of its own with the same names, which say nothing about people of a directory.
    etc(top, "group", "".join(f"{n}:x:{u}:\n" for n, u in people.items()) + "waptselfservice:x:64100:carol\n")
    etc(top, "shadow", "".join(f"{n}:{crypted}:20000:0:99999:7:::\n" for n in people), 0o600)


@pytest.fixture(scope="session")
def top():
    assert os.environ.get("WAPT_TEST_DOMAIN") == "yes", "start these with tests/domain/run.sh"
    with tempfile.TemporaryDirectory(prefix="wapt-domain-") as d:
        folder = pathlib.Path(d)
        folder.chmod(0o755)
        for argv in (["ip", "link", "set", "lo", "up"], ["ip", "addr", "add", f"{directory.ADDRESS}/24", "dev", "lo"], ["hostname", "pc001"]):
            subprocess.run(argv, check=True)
        for place in ("/run", "/var/lib/sss", "/var/log/sssd"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place], check=True)
        pathlib.Path("/run/samba").mkdir()
        add_accounts(folder)
        yield folder


@pytest.fixture(scope="session")
def world(top):
    """The directories and the organisation, which take their time side by side."""
    entries = (pathlib.Path(__file__).parent / "people.ldif").read_text()
    started = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        domain = pool.submit(directory.Domain, top / "dc", WORLD)
        slapd = pool.submit(directory.Slapd, top / "slapd", entries)
        try:
            organisation = pool.submit(bench.Organisation, base(top))
            for f in (domain, slapd, organisation):
                started.append(f.result())
            yield World(*started)
        finally:
            for s in reversed(started):
                s.stop()


def base(top):
    (top / "org").mkdir()
    return top / "org"


def listens(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


class World:
    def __init__(self, domain, slapd, org):
        self.domain, self.slapd, self.org = domain, slapd, org
        for name, directory_ in (("ad", domain), ("slapd", slapd)):
            shutil.copy(directory_.authority, org.agent / f"{name}.pem")
        shutil.copy(domain.authority, org.base / "server/ad.pem")
        with open(org.base / "server/waptserver.ini", "a", encoding="utf-8") as f:
            f.write(f"ldap_auth_server = {directory.ADDRESS}\nldap_auth_base_dn = {directory.BASE}\nverify_cert_ldap = ad.pem\n")
        self.restart_server()
        org.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        self.first = org.ini.read_text()

    def restart_server(self):
        org, server = self.org, self.org.processes[0]
        server.terminate()
        server.wait(30)
        org.processes[0] = org.start("server", "waptserver", "run", "--config", org.base / "server/waptserver.ini")
        org.processes.pop()
        bench.until(lambda: subprocess.run(["curl", "-skf", org.url + "/ping"], capture_output=True).returncode == 0, "the server answers")

    def configure(self, **options):
        """The agent, started anew with these options."""
        org = self.org
        more = "".join(f"{k} = {v}\n" for k, v in {"auth_grace": 0, **options}.items())
        org.ini.write_text(self.first.replace("[global]\n", "[global]\n" + more, 1))
        org.service.terminate()
        org.service.wait(30)
        org.processes.remove(org.service)
        org.service = org.start("agent", "waptservice", "run", "--config", org.ini)
        bench.until(lambda: listens(org.agent / "run/waptservice.sock"), "the agent answers")

    def tries(self, uid, password):
        """What becomes of a person with this password who wants what needs a right: granted, denied, wrong, or the error's text."""
        path = self.org.base / f"password-{os.urandom(4).hex()}"
        path.write_text(password + "\n")
        os.chown(path, uid, -1)
        path.chmod(0o600)
        argv = ["setpriv", "--reuid", str(uid), "--clear-groups", bench.BIN / "wapt-get", "-c", self.org.ini, "forget", "nothing-that-is-there",
                "--password-file", path]
        p = bench.run(*argv, ok=None)
        return {0: "granted", 11: "granted", 12: "granted", 5: "denied", 6: "wrong"}.get(p.returncode) or f"{p.returncode}: {p.text}"
