"""A small organisation of real programs on 127.0.0.1: one server, one agent, people with keys."""
import atexit
import base64
import contextlib
import hmac
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest
from cryptography.hazmat.primitives import serialization

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Copies, where every account can walk to: a checkout may lie below a closed home directory.
TREE = pathlib.Path(tempfile.mkdtemp(prefix="wapt-proc-"))
TREE.chmod(0o755)
atexit.register(shutil.rmtree, TREE)
BIN = shutil.copytree(os.environ.get("WAPT_TEST_BIN", ROOT / "build/bin"), TREE / "bin")
LIB = shutil.copytree(ROOT / "python", TREE / "lib")
PATIENCE = 90  # s, to wait for what must come true, on a machine that may be busy
HOME = TREE / "home"  # of the persons and root here: what a console keeps of a server is of these tests alone
HOME.mkdir(0o700)
HELD = []  # sockets


def free_port():
    """A port of loopback for a program that a test starts. Held until the tests end: nobody else is given it before the program listens, nor after."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the program does: then a socket that does not listen is not in its way
    s.bind(("127.0.0.1", 0))
    HELD.append(s)
    return s.getsockname()[1]


def environment():
    """Of our programs."""
    return dict(os.environ, WAPT_LIBDIR=str(LIB), LANG="C.UTF-8", HOME=str(HOME))


def run(*argv, ok=True, **kw):
    """Runs one of our programs. ok: True, it must succeed; False, it must fail (but not crash); None, either."""
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120, env=environment(), stdin=subprocess.DEVNULL, **kw)
    text = f"{' '.join(map(str, argv))}\n-> {p.returncode}\n{p.stdout}\n{p.stderr}"
    if ok is True:
        assert p.returncode == 0, text
    elif ok is False:
        assert 0 < p.returncode < 64, text
    p.text = p.stdout + p.stderr
    return p


def until(true, what):
    end, pause = time.monotonic() + PATIENCE, 0.02
    while time.monotonic() < end:
        if true():
            return
        time.sleep(pause)
        pause = min(1.4 * pause, 0.3)  # asking is often a whole program's start and login, from which others' work suffers
    raise AssertionError(f"never came true: {what}")


def end(process):
    """Ends a program that was started here; its status."""
    process.terminate()
    return process.wait(PATIENCE)


def manager(service, base):
    """Pid of the manager that listens in this base directory, when it is the service's own; else None. Where nobody listens, a command of
    root's brings a manager along: that a command succeeds says nothing of the service."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(str(base / "run/waptservice.sock"))
            pid = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:
            return None
    return pid if parent == service.pid else None


def account(name):
    """Made where it is missing; perhaps by another test meanwhile. Before tests that lay copies over /etc/passwd: a new one takes them away (tools/test.sh)."""
    def is_there():
        try:
            return pwd.getpwnam(name)
        except KeyError:
            return None
    if not is_there():
        subprocess.run(["useradd", "--system", "--no-create-home", name])
        until(is_there, f"there is an account {name}")


def totp(secret, ahead=0):
    """The code that an authenticator shows (RFC 6238), so many steps from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, (int(time.time()) // 30 + ahead).to_bytes(8, "big"), "sha1").digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"


class Organisation:
    ADDRESS, NAMES, SEEN_BY_AGENTS = "127.0.0.1", "localhost,127.0.0.1", "127.0.0.1"  # of the server
    OPTIONS = "webhook_networks = 127.0.0.1\nwol_port =\n"  # what a test receives is on this machine, and its network hears nothing of tests

    @staticmethod
    def inside(_program):
        """The words before a program that runs somewhere else."""
        return []

    def __init__(self, base):
        self.base, self.processes = base, []
        base.chmod(0o755)
        for name in ("wapt", "wapt-agent"):
            account(name)
        for n in ("pw", "admin.pw"):
            (base / n).write_text(os.urandom(9).hex() + "\n")
            (base / n).chmod(0o600)
        self.keycert("Authority", "--ca")
        self.keycert("Developer", "--code-signing", by="Authority")
        self.keycert("Deployer", by="Authority")
        self.keycert("Stranger", "--code-signing")
        self.port = free_port()
        self.url, self.agents_url = (f"https://{name}:{self.port}" for name in (self.ADDRESS, self.SEEN_BY_AGENTS))
        run(BIN / "waptserver", "setup", "--dir", base / "server", "--name", self.NAMES, "--bind", self.ADDRESS, "--port", self.port,
            "--admin-password-file", base / "admin.pw")
        shutil.copy(self.cert("Authority"), base / "server/trusted/")
        with open(base / "server/waptserver.ini", "a", encoding="utf-8") as f:
            f.write(self.OPTIONS)
        self.start_server()
        self.server_fp = self.fingerprint(base / "server/private/tls.crt")
        self.agent = base / "agent"
        self.ini = self.new_agent(self.agent)
        self.service = self.start_agent("agent", self.ini)

    def new_agent(self, base):
        (base / "ssl").mkdir(parents=True)
        shutil.copy(self.cert("Authority"), base / "ssl")
        signers = self.fingerprint(self.cert("Deployer"))
        (base / "wapt-get.ini").write_text(f"[global]\nwapt_server = {self.agents_url}\n\n[actions]\nsigners = {signers}\n")
        return base / "wapt-get.ini"

    def start(self, log, program, *argv):
        with open(self.base / f"{log}.log", "ab") as out:
            p = subprocess.Popen([*self.inside(program), str(BIN / program), *map(str, argv)], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                 env=environment())
        self.processes.append(p)
        return p

    def start_server(self):
        """The server, or another one in the place of that which has ended; it answers."""
        self.start("server", "waptserver", "run", "--config", self.base / "server/waptserver.ini")
        self.processes[:1] = [self.processes.pop()]
        until(lambda: subprocess.run([*self.inside("curl"), "curl", "-skf", self.url + "/ping"], capture_output=True).returncode == 0, "the server answers")

    def start_agent(self, log, ini):
        service = self.start(log, "waptservice", "run", "--config", ini)
        until(lambda: manager(service, ini.parent), "the agent listens locally")
        return service

    def restart_agent(self):
        """The machine's agent with another manager."""
        before = manager(self.service, self.agent)
        self.get("restart")
        until(lambda: manager(self.service, self.agent) not in (None, before), "the agent answers again")

    def stop(self):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()

    def keycert(self, name, *more, by=None):
        issuer = []
        if by:
            issuer = ["--ca-cert", self.cert(by), "--ca-key", self.cert(by).with_suffix(".pem"), "--ca-key-passwd-file", self.base / "pw"]
        run(BIN / "wapt-get", "create-keycert", "--base-dir", self.base / "keys", "--common-name", name,
            "--no-private-key-passwd", "--key-bits", "2048", *more, *issuer)
        # The product's own way of encrypting takes long to open, as it should: test_f2_written.py has it, here the key is used hundreds of times.
        path = self.cert(name).with_suffix(".pem")
        private = serialization.load_pem_private_key(path.read_bytes(), None)
        secret = serialization.BestAvailableEncryption((self.base / "pw").read_text().strip().encode())
        path.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))

    def cert(self, name):
        return self.base / "keys" / f"{name}.crt"

    @staticmethod
    def fingerprint(cert):
        out = subprocess.run(["openssl", "x509", "-in", str(cert), "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True)
        return out.stdout.split("=")[1].strip().replace(":", "").lower()

    def get(self, *argv, ok=True, **kw):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok, **kw)

    def console(self, *argv, ok=True, fp=None):
        return run(*self.inside("waptconsole"), BIN / "waptconsole", *argv, "--server", self.url, "--server-fingerprint", fp or self.server_fp,
                   "--password-file", self.base / "admin.pw", ok=ok)

    def order(self, who, *argv, ok=True):
        return self.console("action", *argv, "--hosts", self.uuid, "-k", self.cert(who), "-w", self.base / "pw", "--timeout", f"{PATIENCE}s", ok=ok)

    def token(self, *more):
        out = run(BIN / "waptserver", "enrol-token", "--config", self.base / "server/waptserver.ini", *more).stdout
        path = self.base / f"token-{os.urandom(4).hex()}"
        path.write_text(out)
        path.chmod(0o600)
        return path

    def package(self, name, version, who, marker, install="open({marker!r}, 'w').write({version!r})"):
        """A package whose installation makes the file marker, or does something else with it; signed by who."""
        src = self.base / "src" / f"{name}-{version}-{who}"
        (src / "WAPT").mkdir(parents=True)
        (src / "WAPT/control").write_text(
            f"package           : {name}\nversion           : {version}\narchitecture      : all\nsection           : base\npriority          : optional\n"
            f"maintainer        : {who}\ndescription       : test\ntarget_os         : all\n", encoding="utf-8")
        does = install.format(marker=str(marker), version=version)
        (src / "setup.py").write_text(f"def install():\n    {does}\n\n\ndef uninstall():\n    pass\n", encoding="utf-8")
        return self.build(src, who)

    def build(self, src, who):
        """The package of these sources, signed by who."""
        out = self.base / "out" / who
        out.mkdir(parents=True, exist_ok=True)
        before = set(out.iterdir())
        run(BIN / "wapt-get", "build-package", src, "-k", self.cert(who), "-w", self.base / "pw", "-o", out)
        (made,) = set(out.iterdir()) - before
        return made

    @property
    def uuid(self):
        return json.loads(self.get("status", "--json").stdout)["result"]["uuid"]

    def hosts(self):
        return json.loads(self.console("hosts", "--json").stdout)["result"]


@contextlib.contextmanager
def organisation():
    """A server and a machine that is registered with it."""
    assert os.geteuid() == 0, "these tests need root"
    with tempfile.TemporaryDirectory(prefix="wapt-proc-") as d:
        o = Organisation(pathlib.Path(d))
        try:
            o.get("register", "--token-file", o.token("--uses", "1", "--valid", "1h"))
            until(lambda: '"reachable":true' in o.console("hosts", "--json").stdout.replace(" ", ""), "the machine is reachable")
            yield o
        finally:
            o.stop()


@pytest.fixture(scope="module")
def org():
    """Shared by the tests of a file: what a machine never forgets (a root, the version of its own package) needs an organisation apart."""
    with organisation() as o:
        yield o
