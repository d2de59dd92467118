"""waptconsole open, and a page of its own to speak to it."""
import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from conftest import BIN, PATIENCE, end, until


LINK = r"http://(127\.\d+\.\d+\.\d+:\d+)/#answer=[0-9a-f]{64}&ticket=([0-9a-f]{64})"  # of any address of loopback


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


def start(org, name, home, *argv, **more):
    """waptconsole open, as somebody with a home of that name; more: of the environment."""
    (org.base / home).mkdir(exist_ok=True)
    env = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(org.base / home), **more}
    with open(org.base / f"{name}.log", "ab") as out:
        p = subprocess.Popen([*org.inside("waptconsole"), BIN / "waptconsole", "open", *map(str, argv)], stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    org.processes.append(p)
    return p


class Local:
    """A running program, and a page of its own."""

    def __init__(self, org, name="local", server=None, fp=None, more=(), environment=None):
        self.org, self.link_file = org, org.base / f"{name}.link"
        self.log = org.base / f"{name}.log"
        self.process = start(org, name, name, "--server", server or org.url, "--server-fingerprint", fp or org.server_fp,
                             "-k", org.cert("Deployer"), "--keys-dir", org.base / "keys", "--trusted", org.agent / "ssl", "--no-browser", "--link-file", self.link_file, *more,
                             **(environment or {}))
        until(lambda: self.log.exists() and "console.started" in self.log.read_text() or self.process.poll() is not None, "the program runs")
        link = self.link_file.read_text()
        self.find(re.fullmatch(LINK, link))

    def find(self, link):
        self.link = link[0]
        self.here, self.ticket = link.groups()
        self.address, self.port = self.here.split(":")
        self.origin, self.token = f"http://{self.here}", None

    def ask(self, method, path, body=None, token=True, headers=()):
        h = {"Host": self.here}
        if token and self.token:
            h["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            h["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        h.update(headers)
        c = http.client.HTTPConnection(self.address, int(self.port), timeout=PATIENCE)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for k, v in h.items():
                for one in v if isinstance(v, list) else [v]:
                    c.putheader(k, one)
            if body is not None:
                c.putheader("Content-Length", str(len(body)))
            c.endheaders()
            if body is not None:
                try:
                    c.send(body)
                except BrokenPipeError:
                    pass  # refused before it was all there
            return Answer(c.getresponse())
        finally:
            c.close()

    def open(self):
        self.token = self.ask("POST", "/local/session", {"ticket": self.ticket}).json["token"]

    def state(self):
        return self.ask("GET", "/local/state").json

    def login(self):
        password = (self.org.base / "admin.pw").read_text().strip()
        a = self.ask("POST", "/local/login", {"user": "admin", "password": password})
        assert a.status == 200, a.body

    def unlock(self, seconds=600, password=None):
        key = next(k for k in self.state()["keys"] if k["name"] == "Deployer")
        password = password or (self.org.base / "pw").read_text().strip()
        return self.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": password, "seconds": seconds})

    def settle(self):
        """Logged in, the keys locked: what a test that shares it begins with."""
        s = self.state()
        if s["server"]["state"] != "connected":
            self.login()
        if any(k["unlocked_until"] for k in s["keys"]):
            assert self.ask("POST", "/local/keys/lock", {}).status == 200

    def stop(self):
        assert end(self.process) == 0


@pytest.fixture(scope="module")
def program(org):
    p = Local(org)
    p.open()
    yield p
    p.stop()


@pytest.fixture
def local(program):
    """As every test finds it: somebody is logged in, and the keys are locked."""
    program.settle()
    return program


def talk(fd, *wanted):
    """What the program shows on its terminal, up to one of these texts."""
    seen, late = b"", time.monotonic() + PATIENCE
    while not any(w in seen for w in wanted):
        ready, _, _ = select.select([fd], [], [], max(0, late - time.monotonic()))
        assert ready, seen
        seen += os.read(fd, 65536)
    return seen.decode()


def answered(local, path, body):
    """Asks until it is no longer waiting for the person."""
    a = local.ask("POST", path, body)
    late = time.monotonic() + PATIENCE
    while a.status == 202 and time.monotonic() < late:
        time.sleep(0.05)
        a = local.ask("POST", path, body)
    return a


def below(pid):
    """The processes that it has started, and theirs."""
    found = [int(c) for t in os.listdir(f"/proc/{pid}/task") for c in open(f"/proc/{pid}/task/{t}/children", encoding="ascii").read().split()]
    return found + [c for one in found for c in below(one)]


def code_in(text):
    return re.search(r"type (\d{4});", text)[1]


class Terminal(Local):
    """A program with a terminal; every action needs a yes there; nothing of the server is trusted yet."""

    def __init__(self, org, name, more="", argv=None):
        self.org, home = org, org.base / name
        home.mkdir(exist_ok=True)
        self.config = home / "waptconsole.ini"
        if argv is None:
            self.config.write_text(f"; mine\n[global]\nwapt_server = {org.url}\npersonal_certificate_path = {org.cert('Deployer')}\nconsole_confirm_above = 0\n{more}")
            argv = ["--config", self.config]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BIN / "waptconsole", ["waptconsole", *map(str, argv)], {"LANG": "C.UTF-8", "HOME": str(home)})
        self.shown = talk(self.fd, b"console.started")
        self.find(re.search(LINK, self.shown))
        self.open()

    def hear(self):
        """What it shows, up to where it waits."""
        return talk(self.fd, b"says no: ")

    def type(self, text):
        os.write(self.fd, text.encode())

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
