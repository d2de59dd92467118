"""Processes of the agent that somebody has taken over: each is confined as it always is, then does what a scenario says
(tests/hostile/hostile.c). Launcher, manager, server and repository are the real ones. Whatever the scenario: nothing runs that was not
signed, no key is read, nothing is written, the log or the answer says what was refused, and the machine goes on."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import zipfile

import pytest
from conftest import BIN, PATIENCE, ROOT, end, environment, manager, run, until
from cryptography.hazmat.primitives import serialization
from hostile import Signer, action, load_key, order, relay

HOSTILE = pathlib.Path(os.environ.get("WAPT_TEST_BIN", ROOT / "build/bin")).parent / "tests/hostile"
TYPES = {name: int(number) for name, number in re.findall(r"WA_M_(\w+) =\s*(\d+)", (ROOT / "src/agent/roles.h").read_text())}
GOOD, EVIL = "taken-good", "taken-evil"  # of one length
REFUSED, INVALID, FAILED = 4, 10, 1
N, F, U, I, A = "network", "fetch", "unpack", "inventory", "auth"
OWN = (N, F, U, I, A)
END = {N: "NET_STATE", F: "FETCH_DONE", U: "UNPACK_END", I: "INVENTORY_END", A: "AUTH_ANSWER"}  # the last word of each


def step(role, when, verb, *args):
    """A line of a scenario: types of messages by their names in roles.h, bytes in hex."""
    name, _, nth = when.partition("/")
    when = when if when == "begin" else f"{TYPES[name]}/{nth or 0}"
    return " ".join([role, when, verb, *(a.hex() if isinstance(a, bytes) else str(TYPES.get(a, a)) for a in args)])


class Machine:
    """An agent enrolled at the organisation's server, whose children follow the file `scenario`."""

    def __init__(self, org):
        self.org, self.base = org, org.base / "agent-taken"
        self.marker, self.evil = org.base / GOOD, org.base / EVIL
        self.bin = org.base / "taken-bin"
        shutil.copytree(BIN, self.bin)
        for program in ("waptservice", "wapt-fetch"):
            shutil.copy(HOSTILE / program, self.bin)
        self.uuid = str(uuid.uuid4())
        self.ini = org.new_agent(self.base)
        self.ini.write_text(self.ini.read_text().replace("[global]", f"[global]\nuuid = {self.uuid}"))
        self.log = org.base / "agent-taken.log"
        with open(self.log, "ab") as out:
            self.service = subprocess.Popen([str(self.bin / "waptservice"), "run", "-c", str(self.ini)], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env=environment())
        org.processes.append(self.service)
        until(lambda: manager(self.service, self.base), "the agent listens locally")
        self.good = org.package(GOOD, "1", "Developer", self.marker)
        self.strangers = org.package(GOOD, "1", "Stranger", self.evil)
        org.console("upload", self.good)
        self.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        self.get("update")
        until(lambda: "state=welcome" in self.log.read_text(), "the machine is connected")
        self.key = self.base / f"private/{self.uuid}.pem"
        self.before = self.files()

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def files(self):
        """What nobody but the administrator changes, and what would be new."""
        roots = [self.base / "ssl", self.base / "private", self.base / "wapt-get.ini", self.base]
        return {str(p): p.read_bytes() if p.is_file() else None for r in roots for p in ([r] if r.is_file() else r.glob("*")) if p.suffix != ".sock"}

    def play(self, *steps):
        """Children that start from here on follow these steps. Returns what the log says since."""
        (self.bin / "new").write_text("\n".join(steps))
        os.replace(self.bin / "new", self.bin / "scenario")
        start = self.log.stat().st_size
        return lambda: self.log.read_bytes()[start:].decode(errors="replace")

    def end(self):
        (self.bin / "scenario").unlink(missing_ok=True)

    def unharmed(self, said):
        assert "DONE" not in said, said
        assert not self.marker.exists() and not self.evil.exists(), said
        assert self.files() == self.before, said
        self.get("status")

    def mends(self):
        """Without a scenario the package installs."""
        self.end()
        self.get("install", GOOD)
        assert self.marker.read_text() == "1"
        self.get("remove", GOOD)
        self.marker.unlink()
        self.get("clean", "-f")

    def children(self):
        """Processes of this agent, by name."""
        found, todo = {}, [self.service.pid]
        while todo:
            pid = todo.pop()
            try:
                todo += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
                found[pathlib.Path(f"/proc/{pid}/comm").read_text().strip()] = pid
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has just ended
        return found

    def next_network(self):
        """The network process that is there goes: within a second the manager starts the next one."""
        pid = self.children().get("wapt-network")
        if pid:
            os.kill(pid, 9)

    def order(self):
        return self.org.console("action", "install", GOOD, "--hosts", self.uuid, "-k", self.org.cert("Deployer"), "-w", self.org.base / "pw",
                                "--timeout", f"{PATIENCE}s", ok=None).text


@pytest.fixture(scope="module")
def machine(org):
    m = Machine(org)
    yield m
    m.end()
    end(m.service)


@pytest.fixture(autouse=True)
def no_scenario(machine):
    yield
    machine.end()


def foreign(role, *names):
    """What only others may send, what nobody may, and what is no message: a sample; a unit test walks through the whole table."""
    other = "FETCH_DATA" if role != F else "UNPACK_DATA"
    head = bytes([TYPES[END[role]], 0, 0, 0, 1, 0, 0, 0])
    all_of_it = [("launchers", [step(role, "begin", "say", "START", 1, bytes(52))], "may not send"),
                 ("anothers", [step(role, "begin", "say", other, 1, b"x")], "may not send"),
                 ("the-managers", [step(role, "begin", "say", "UNPACK_READ", 1, bytes(4))], "may not send"),
                 ("unknown", [step(role, "begin", "say", 999, 1)], "may not send"),
                 ("no-language", [step(role, "begin", "raw", b"\0\0\0\0" + head[:2] + b"\0\1" + head[4:])], "a language that there is none of"),
                 ("giant", [step(role, "begin", "raw", b"\xff\xff\xff\x7f" + head)], "too long"),
                 ("descriptor", [step(role, "begin", "pass", END[role], 1)], "a descriptor where none may be"),
                 ("half", [step(role, "begin", "raw", b"\x09\0\0\0" + head + b"1234"), step(role, "begin", "end", 0)], "in the middle of"),
                 ("garbage", [step(role, "begin", "raw", b"GET / HTTP/1.1\r\nHost: manager\r\n\r\n")], "may not send")]
    return [c for c in all_of_it if not names or c[0] in names]


# --- unpack: a hostile archive; nothing of it was written, and what is said of it is no longer true ---

def error(text):
    return json.dumps({"code": "failed", "message": text}).encode()


UNPACK = foreign(U) + [
    ("parent", [step(U, "UNPACK_MEMBER", "replace", b"setup.py", b"../../../../../../tmp/taken")], "unsafe path"),
    ("absolute", [step(U, "UNPACK_MEMBER", "replace", b"setup.py", b"/etc/cron.d/taken")], "unsafe path"),
    ("nul", [step(U, "UNPACK_MEMBER", "replace", b"setup.py", b"setup.py\0.txt")], "unsafe path"),
    ("dot", [step(U, "UNPACK_MEMBER", "replace", b"setup.py", b"./setup.py")], "unsafe path"),
    ("folded", [step(U, "UNPACK_MEMBER", "replace", b"WAPT/control", b"SETUP.PY")], "the same name twice"),
    ("other-name", [step(U, "UNPACK_MEMBER", "replace", b"setup.py", b"sneak.py")], "not in the manifest"),
    ("other-script", [step(U, "UNPACK_DATA", "replace", GOOD.encode() + b"'", EVIL.encode() + b"'")], "setup.py"),
    ("other-control", [step(U, "UNPACK_DATA", "replace", b"architecture      : all", b"architecture      : x64")], "signature does not hold"),
    ("other-manifest", [step(U, "UNPACK_DATA", "replace", b"setup.py", b"sneak.py")], "is refused"),
    ("swapped", [step(U, "UNPACK_MEMBER", "swap", b"setup.py", b"WAPT/control")], "control has text"),
    ("swapped-papers", [step(U, "UNPACK_MEMBER", "swap", b"WAPT/manifest.sha256", b"WAPT/certificate.crt")], "is refused"),
    ("one-more", [step(U, "UNPACK_LISTED/1", "say", "UNPACK_MEMBER", 1, bytes(9) + b"more.py"), step(U, "UNPACK_LISTED", "payload", b"\6\0\0\0")],
     "not in the manifest"),
    ("uncounted", [step(U, "UNPACK_LISTED/1", "say", "UNPACK_MEMBER", 1, bytes(9) + b"more.py")], "of another length than it says"),
    ("sized-folder", [step(U, "UNPACK_MEMBER/1", "say", "UNPACK_MEMBER", 1, b"\1" + bytes(7) + b"\1more")], "wrong form"),
    ("larger-than-any", [step(U, "UNPACK_MEMBER/1", "say", "UNPACK_MEMBER", 1, b"\xff" * 8 + b"\0more")], "wrong form"),
    ("flood-of-names", [step(U, "begin", "say", "UNPACK_MEMBER", 1, bytes(9) + b"m", 100000)], "the same name twice"),
    ("two-lists", [step(U, "UNPACK_LISTED", "twice")], "answer to another question"),
    ("no-list", [step(U, "UNPACK_LISTED", "say", "UNPACK_DATA", 1, b"x")], "before the list was complete"),
    ("fewer-bytes", [step(U, "UNPACK_DATA/1", "drop")], "fewer bytes than it announced"),
    ("more-bytes", [step(U, "UNPACK_DATA/1", "twice")], "more bytes than it announced"),
    ("other-question", [step(U, "UNPACK_DATA/1", "id", 77)], "answer to another question"),
    ("error-that-is-none", [step(U, "UNPACK_END/1", "payload", b'{"code":"ok","message":"all is well"}')], "error that is none"),
    ("giant-text", [step(U, "UNPACK_END/1", "payload", error("x" * 30000))], "wrong form"),
    ("forged-log", [step(U, "UNPACK_END/1", "payload", error("\x1b[2J\n2026-01-01 info manager fine"))], "?[2J?2026"),
    ("gone", [step(U, "UNPACK_LISTED", "end", 0)], "in the middle of its work (status 0)"),
]


@pytest.mark.parametrize("steps, why", [c[1:] for c in UNPACK], ids=[c[0] for c in UNPACK])
def test_unpack(machine, steps, why):
    said = machine.play(*steps)
    got = machine.get("install", GOOD, ok=None)
    assert got.returncode in (REFUSED, INVALID, FAILED) and why in got.text, got.text
    assert "package.failed" in said() and "\x1b" not in got.text + said()
    machine.unharmed(said())


def test_after_unpack(machine):
    machine.mends()


# --- fetch: what it brings is not what was asked for ---

FETCH = foreign(F, "anothers", "giant", "half") + [
    ("other-package", [step(F, "FETCH_DATA/1", "payload", "strangers")], "not of the size"),
    ("other-bytes", [step(F, "FETCH_DATA/1", "replace", GOOD.encode() + b"'", EVIL.encode() + b"'"), step(F, "FETCH_DATA/1", "replace", b"PK\1\2", b"PK\1\1")],
     "ZIP archive"),
    ("more", [step(F, "FETCH_DONE", "say", "FETCH_DATA", 1, b"more")], "more bytes than were asked for"),
    ("flood", [step(F, "begin", "long", "FETCH_DATA", 1, 262144, 400)], "more bytes than were asked for"),
    ("less", [step(F, "FETCH_DATA/1", "drop")], "not of the size"),
    ("not-modified", [step(F, "FETCH_DONE", "replace", b'"status":200', b'"status":304')], "304"),
    ("no-status", [step(F, "FETCH_DONE", "replace", b'"status":200', b'"status":-1')], "wrong form"),
    ("short-progress", [step(F, "begin", "say", "FETCH_PROGRESS", 1, b"1234567")], "progress of a wrong form"),
    ("gone", [step(F, "begin", "end", 7)], "in the middle of its work (status 7)"),
]


@pytest.mark.parametrize("steps, why", [c[1:] for c in FETCH], ids=[c[0] for c in FETCH])
def test_fetch(machine, steps, why):
    machine.get("clean", "-f")
    said = machine.play(*(s.replace("strangers", machine.strangers.read_bytes().hex()) for s in steps))
    got = machine.get("install", GOOD, ok=None)
    assert got.returncode != 0 and why in got.text, got.text
    assert why in said()
    machine.unharmed(said())
    machine.get("clean", "-f")


def test_fetch_brings_another_index(machine):
    """The index that it makes up, of packages that a stranger has signed: they are not trusted, and nothing is forgotten for it."""
    folder = machine.org.base / "strangers"
    folder.mkdir()
    shutil.copy(machine.strangers, folder)
    run(BIN / "wapt-scanpackages", folder)
    said = machine.play(step(F, "FETCH_DATA/1", "payload", (folder / "Packages").read_bytes()), step(F, "FETCH_DONE", "replace", b'"status":304', b'"status":200'))
    machine.org.console("upload", machine.org.package("taken-new", "1", "Developer", machine.evil))  # so that there is something to fetch
    got = machine.get("update", ok=None)
    assert "1 not trusted" in got.text, got.text
    got = machine.get("install", GOOD, ok=None)
    assert got.returncode != 0, got.text
    machine.unharmed(said())
    machine.end()
    machine.get("update", "--force")
    machine.mends()


# --- inventory ---

INVENTORY = foreign(I, "the-managers", "descriptor", "half") + [
    ("not-its-own", [step(I, "INVENTORY_DATA", "payload", b'{"packages":[]}')], "inventory.failed"),
    ("long", [step(I, "begin", "long", "INVENTORY_DATA", 1, 262144, 40)], "more than an inventory has"),
    ("error-that-is-none", [step(I, "INVENTORY_END", "payload", b'{"code":"again","message":"later"}')], "error that is none"),
]


@pytest.mark.parametrize("steps, why", [c[1:] for c in INVENTORY], ids=[c[0] for c in INVENTORY])
def test_inventory(machine, steps, why):
    said = machine.play(*steps)
    machine.get("update-status")
    assert "inventory.failed" in said() and why in said(), said()
    machine.unharmed(said())


# --- network ---

def challenge(**changes):
    return json.dumps(dict({"nonce": "ab" * 32, "time": int(time.time()), "channel": "cd" * 32}, **changes)).encode()


def state(**changes):
    return json.dumps(dict({"state": "closed", "reason": "", "status": 0}, **changes)).encode()


NETWORK = foreign(N, "launchers", "no-language", "descriptor", "half")


@pytest.mark.parametrize("steps, why", [c[1:] for c in NETWORK], ids=[c[0] for c in NETWORK])
def test_network_breaks_the_protocol(machine, steps, why):
    said = machine.play(*steps)
    machine.next_network()
    until(lambda: "push.network_ended" in said() and why in said(), f"it is ended: {why}")
    machine.unharmed(said())


def test_network_says_what_makes_no_sense(machine):
    """Nothing of it is signed or believed; the one that was taken over lives on, and is known by the log."""
    lies = [("NET_CHALLENGE", challenge(uuid=str(uuid.uuid4())), "unknown member 'uuid'"), ("NET_CHALLENGE", challenge(nonce="zz" * 32), "of a wrong form"),
            ("NET_CHALLENGE", challenge(purpose="wapt-status"), "unknown member 'purpose'"), ("NET_CHALLENGE", b"{}", "'nonce' is missing"),
            ("NET_STATE", state(state="king"), "of a wrong form"), ("NET_STATE", state(status="0"), "not an integer"), ("NET_STATE", state(status=5000), "of a wrong form"),
            ("NET_STATE", state(reason="\x1b[2J\nforged"), "\\u001b[2J"), ("NET_TEXT", b"\xff\xfe", "push.bad_message"),
            ("NET_TEXT", b'{"type":"order"}', "action.refused"), ("NET_TEXT", b'{"a":' * 1000, "nested deeper"), ("NET_TEXT", bytes(100), "push.bad_message")]
    said = machine.play(*(step(N, "NET_STATE/3", "say", lie[0], 0, lie[1]) for lie in lies), step(N, "NET_STATE/3", "long", "NET_TEXT", 0, 4 << 20))
    machine.next_network()
    until(lambda: "state=welcome" in said(), "it is connected")
    for lie in lies:
        until(lambda told=lie[2]: told in said(), f"{lie[2]}: {said()}")
    assert "\x1b" not in said()
    machine.unharmed(said())


def test_network_alters_replays_and_invents_orders(machine):
    org = machine.org
    names = GOOD.encode(), EVIL.encode()
    cases = [([step(N, "NET_TEXT/1", "replace", *names)], "for another action"),
             # The nonce of the connection before: it asks for another greeting, and only then hands over what came.
             ([step(N, "NET_TEXT/1", "keep"), step(N, "NET_TEXT/1", "drop"), step(N, "NET_TEXT/1", "say", "NET_CHALLENGE", 0, challenge()),
               step(N, "NET_TEXT/1", "again")], "for another connection")]
    for steps, why in cases:
        said = machine.play(*steps)
        machine.next_network()
        until(lambda: "state=welcome" in said(), "it is connected")
        assert why in machine.order()
        assert why in said()
        if "action.accepted" in said():  # the server, whose connection ended before it heard of the refusal, sent it anew, for the next one
            assert re.search(r"replayed.*state=closed.*state=welcome.*action\.accepted", said(), re.S) and said().count("action.accepted") == 1, said()
            until(lambda: "task.done" in said(), "it is done, as it was ordered")
            machine.get("remove", GOOD)
            machine.marker.unlink()
        machine.unharmed(said())
    # Invented: an administrator's order is known to it, and the server's key is not; and neither.
    stranger, deployer = Signer(org, "Stranger"), Signer(org, "Deployer")
    relays = load_key(org.base / "server/private/relay.pem")
    text = json.dumps(action(machine.uuid, [GOOD]))
    invented = [({"type": "order", "order": order(deployer, text), "relay": relay(stranger.key, text, machine.uuid, "ab" * 32)}, "countersignature"),
                ({"type": "order", "order": order(stranger, text), "relay": relay(relays, text, machine.uuid, "ab" * 32)}, "for another connection"),
                ({"type": "order", "order": order(deployer, text), "relay": relay(relays, text, machine.uuid, "ab" * 32, at=1)}, "")]
    said = machine.play(*(step(N, "NET_STATE/3", "say", "NET_TEXT", 0, json.dumps(i[0]).encode()) for i in invented))
    machine.next_network()
    until(lambda: said().count("action.refused") == len(invented), "all are refused")
    assert all(i[1] in said() for i in invented) and "action.accepted" not in said(), said()
    machine.unharmed(said())
    # Replayed at once: done once. Then the control: without a scenario an order is carried out.
    said = machine.play(step(N, "NET_TEXT/1", "twice"))
    machine.next_network()
    until(lambda: "state=welcome" in said(), "it is connected")
    assert "1 done" in machine.order()
    until(lambda: "replayed" in said(), "the second is refused")
    assert said().count("action.accepted") == 1 and machine.marker.exists()
    machine.get("remove", GOOD)
    machine.marker.unlink()


def test_network_floods_and_is_silent(machine):
    said = machine.play(step(N, "NET_STATE/3", "say", "NET_CHALLENGE", 0, challenge(), 1500), step(N, "NET_STATE/3", "say", "NET_STATE", 0, state(), 1500),
                        step(N, "NET_STATE/3", "say", "NET_TEXT", 0, b'{"type":"order","order":{},"relay":{}}', 2500), step(N, "NET_STATE/3", "silent"))
    machine.next_network()
    until(lambda: "network is silent" in said() and said().count("push.flooded") >= 2, "it has said all, and was not heard to the end")
    assert said().count("\n") < 4000  # at worst a minute begins in the middle
    machine.get("update")
    machine.unharmed(said())
    machine.end()
    machine.next_network()
    machine.mends()


# --- from inside ---

def reach(machine):
    """What each tries to get at, with how."""
    manager, launcher = machine.children()["wapt-manager"], machine.service.pid
    b = machine.base
    return [("read", machine.key), ("read", b / "db/waptagent.sqlite"), ("read", "/etc/shadow"), ("read", f"/proc/{manager}/mem"),
            ("read", f"/proc/{manager}/environ"), ("read", f"/proc/{launcher}/mem"), ("write", b / "cache/taken"), ("write", b / "ssl/taken.crt"),
            ("write", machine.bin / "wapt-get"), ("write", "/etc/cron.d/taken"), ("write", b / "wapt-get.ini"), ("make", b / "taken"), ("link", b / "cache/taken"),
            ("remove", machine.key), ("ask", b / "run/waptservice.sock"), ("ask", "/run/wapt/launcher.sock"), ("kill", manager), ("kill", launcher),
            ("own", manager), ("root", "-")]


def as_somebody(machine, password="a guess"):
    """An account without rights asks for an installation, with a password: so auth has something to say."""
    ask = (f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({str(machine.base / 'run/waptservice.sock')!r})\n"
           f"s.sendall(b'{{\"op\":\"install\",\"args\":{{\"packages\":[\"{GOOD}\"]}},\"password\":\"{password}\"}}\\n')\ns.settimeout({PATIENCE})\nprint(s.recv(4096))")
    return subprocess.run([sys.executable, "-c", ask], user="wapt", capture_output=True, text=True, check=False, timeout=120).stdout.encode()


TRIGGER = {N: Machine.next_network, U: lambda m: m.get("install", GOOD, ok=None), F: lambda m: m.get("update", ok=None), I: lambda m: m.get("update-status"),
           A: as_somebody}


@pytest.mark.parametrize("role", [N, F, U, I, A])
def test_nothing_is_within_reach(machine, role):
    tries = reach(machine)
    if role == A:  # root's, for the sake of PAM: it reads the shadow file, and may signal other processes of root's before landlock 6
        tries = [t for t in tries if t[0] not in ("kill", "root") and t[1] not in ("/etc/shadow",)]
    said = machine.play(*(step(role, "begin", "try", *t) for t in tries), step(role, "begin", "end", 3))
    TRIGGER[role](machine)
    until(lambda: all(f"hostile: {role} {what} {target}: " in said() for what, target in tries), "it has tried all")
    machine.unharmed(said())


@pytest.mark.parametrize("role", [F, U, I])
@pytest.mark.parametrize("what", ["ptrace", "exec"])
def test_what_ends_it(machine, role, what):
    target = machine.children()["wapt-manager"] if what == "ptrace" else "/bin/sh"
    said = machine.play(step(role, "begin", "try", what, target))
    TRIGGER[role](machine)
    until(lambda: f"hostile: {role} tries to {what} {target}" in said() and "signal 31" in said(), "it is killed for it")
    machine.unharmed(said())


AUTH = foreign(A, "launchers", "giant", "descriptor", "half") + [
    ("not-asked", [step(A, "AUTH_ANSWER", "payload", b'{"password_ok":true,"groups":["root"],"is_admin":true}')], "auth process"),
    ("no-answer", [step(A, "AUTH_ANSWER", "payload", b"")], "auth process"),
    ("gone", [step(A, "begin", "end", 0)], "auth process"),
]


@pytest.mark.parametrize("steps, why", [c[1:] for c in AUTH], ids=[c[0] for c in AUTH])
def test_auth(machine, steps, why):
    said = machine.play(*steps)
    answer = as_somebody(machine)
    assert b'"code":"ok"' not in answer and why.encode() in answer, answer
    assert "local.denied" in said(), said()
    machine.unharmed(said())


def test_auth_asks_and_is_gone(machine):
    """Root's, as the kernel says, but nobody can be looked at any more: its request is not heard as root's."""
    pid = machine.children()["wapt-manager"]
    said = machine.play(step(A, "begin", "try", "flee", f"{pid}:{machine.base / 'run/waptservice.sock'}"))
    asks = threading.Thread(target=as_somebody, args=[machine])
    asks.start()
    until(lambda: "auth tries to flee" in said(), "it is there")
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: "wapt-auth" not in machine.children(), "it has asked, and is gone")
    finally:
        os.kill(pid, signal.SIGCONT)
    asks.join()
    until(lambda: "local.refused" in said() or "operation=forget" in said(), "what it asked for is looked at")
    assert "operation=forget" not in said(), said()
    machine.unharmed(said())


def test_after_all_of_it(machine):
    machine.mends()


# --- no memory of the parent's secrets ---

def holds(pid, needles):
    """Which of these bytes are in the memory of a process."""
    found = set()
    with contextlib.suppress(ProcessLookupError, FileNotFoundError), open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for region in maps:
            begin, end = (int(n, 16) for n in region.split()[0].split("-"))
            if not region.split()[1].startswith("r") or "[v" in region:
                continue
            mem.seek(begin)
            data = mem.read(end - begin)
            found |= {name for name, needle in needles.items() if needle in data}
    return found


def test_no_child_holds_the_machines_key(machine):
    text = machine.key.read_bytes()
    numbers = serialization.load_pem_private_key(text, None).private_numbers()
    needles = {"pem": text.splitlines()[5]}
    for name in ("p", "q", "d"):
        big = getattr(numbers, name).to_bytes(256, "big").lstrip(b"\0")
        needles[name], needles[f"{name} reversed"] = big[:48], big[::-1][:48]
    manager = machine.children()["wapt-manager"]
    assert holds(manager, needles) & {"p reversed", "q reversed"}, "the control: it is found where it must be"
    src = machine.org.base / "src/taken-slow"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text("package : taken-slow\nversion : 1\narchitecture : all\nsection : base\npriority : optional\nmaintainer : d\n"
                                      "description : d\n")
    (src / "setup.py").write_text("import time\n\n\ndef install():\n    time.sleep(60)\n")
    machine.org.console("upload", machine.org.build(src, "Developer"))
    machine.get("update")
    for name, command in ((I, "update-status"), (F, "update"), (U, "install"), ("python3", "install")):
        said = machine.play(*[step(name, "begin", "silent")] if name in OWN else [])
        waiting = subprocess.Popen([str(BIN / "wapt-get"), "-c", str(machine.ini), command, *["taken-slow"] * (command == "install")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        comm = f"wapt-{name}" if name in OWN else name
        until(lambda: comm in machine.children() and (name not in OWN or f"{name} is silent" in said()), f"{name} stands still")
        found = machine.children()
        try:
            for comm in ("waptservice", "wapt-network", comm):
                assert holds(found[comm], needles) == set(), comm
        finally:
            machine.end()
            os.kill(found[comm], 9)
            waiting.wait(60)
            until(lambda: json.loads(machine.get("status", "--json").stdout)["result"]["running_task"] == 0, "nothing runs")


def test_no_process_keeps_a_password(machine):
    password = os.urandom(12).hex()
    assert b'"denied"' in as_somebody(machine, password)
    needle = {"password": password.encode()}  # who has answered may be about to end
    until(lambda: [name for name, pid in machine.children().items() if holds(pid, needle)] == [], "it is in nobody's memory")


def test_no_file_keeps_a_password(machine):
    password = (machine.org.base / "admin.pw").read_text().strip().encode()
    token = machine.org.token("--uses", "1", "--valid", "1h")
    machine.get("register", "--force", "--server-user", "admin", "--server-password-file", machine.org.base / "admin.pw")
    machine.get("register", "--force", "--token-file", token)
    machine.before = machine.files()  # another certificate for TLS
    secrets = {"password": password, "token": token.read_bytes().strip()}
    assert [(p, s) for p in machine.base.rglob("*") if p.is_file() for s in secrets if secrets[s] in p.read_bytes()] == []
    until(lambda: {n for pid in machine.children().values() for n in holds(pid, secrets)} == set(), "none is left in memory")
