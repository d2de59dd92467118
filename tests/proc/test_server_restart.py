"""The server's processes are killed while agents are connected and orders wait: the work goes on, nothing is lost, nothing is done twice."""
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess
import termios
import threading

import pytest
from conftest import PATIENCE, totp, until
from test_server_hostile import Server

# Who is started again alone, and a call that asks it; None: nobody is asked by a call of this server.
ALONE = {"auth": ("POST", "/api/v1/session", lambda srv: {"user": "admin", "password": srv.password}), "scan": ("GET", "/api/v1/packages", b""), "trust": ("GET", "/api/v1/signers", b""),
         "wake": ("GET", "/api/v1/wake", b""), "search": ("GET", "/api/v1/software", b""),
         "report": ("POST", "/api/v1/report-rows", {"query": "SELECT uuid FROM hosts"}), "directory": None, "hook": None, "kerberos": None, "oidc": None}
TOGETHER = {"store", "front", "signer"}


def children(pid):
    out = {}
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            role = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[1].decode().removeprefix("role:")
        except (OSError, IndexError):
            continue
        out.setdefault(role, []).append(int(child))
    return out


def is_up(org):
    return subprocess.run(["curl", "-skf", "--max-time", "5", org.url + "/ping"], capture_output=True, check=False).returncode == 0


def rows(org, sql, *values):
    db = sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def order(org, *argv):
    """Signed and queued, not waited for; its identifier."""
    before = {r[0] for r in rows(org, "SELECT id FROM actions")}
    org.order("Deployer", *argv, "--no-wait")
    (new,) = {r[0] for r in rows(org, "SELECT id FROM actions")} - before
    return new


def is_over(org, action):
    """Done, or begun just when the server went away: then its result says so. Never lost, never twice."""
    ((state, code),) = rows(org, "SELECT state, code FROM actions WHERE id = ?", action)
    assert state != "failed" or code == "unreachable", (state, code)
    return state in ("done", "failed")


@pytest.fixture
def server(org):
    yield org.processes[0]
    until(lambda: is_up(org), "the server answers after all")
    until(lambda: next(h for h in org.hosts() if h["uuid"] == org.uuid)["reachable"], "the machine is connected after all")


def executed(org, action):
    return (org.base / "agent.log").read_text(errors="replace").count(f"action.accepted id={action}")


def test_any_process_killed(org, server):
    first = children(server.pid)
    assert set(first) == TOGETHER | set(ALONE)
    orders = []
    for role in sorted(TOGETHER):
        orders.append(order(org, "update"))
        now = children(server.pid)
        os.kill(now[role][0], signal.SIGKILL)
        until(lambda before=now: not {p for pids in children(server.pid).values() for p in pids} & {p for pids in before.values() for p in pids}, "all are new")
        until(lambda: is_up(org), f"the server answers after its {role} was killed")
        until(lambda: sorted(children(server.pid)) == sorted(first), "the whole set is there")
    for action in orders:
        until(lambda a=action: is_over(org, a), "the order has its result")
        assert executed(org, action) == 1
    log = (org.base / "server.log").read_text(errors="replace")
    assert log.count("process.died") >= 3 and "how=signal value=9" in log


def test_stopped_and_started_again(org, server):
    marker = org.base / "restarted-2"
    org.console("upload", org.package("restart-twice", "1", "Developer", marker))
    org.get("update")
    action = order(org, "install", "restart-twice")
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0
    assert not is_up(org)
    org.processes[0] = org.start("server", "waptserver", "run", "--config", org.base / "server/waptserver.ini")
    org.processes.pop()
    until(lambda: is_over(org, action), "the next server learns the result")
    assert executed(org, action) == 1
    org.order("Deployer", "install", "restart-twice")
    assert marker.read_text() == "1"
    # Killed itself: nobody stays behind on the port.
    pids = [p for group in children(org.processes[0].pid).values() for p in group]
    org.processes[0].kill()
    org.processes[0].wait()
    until(lambda: not any(pathlib.Path(f"/proc/{p}").exists() for p in pids), "its processes have gone with it")
    org.processes[0] = org.start("server", "waptserver", "run", "--config", org.base / "server/waptserver.ini")
    org.processes.pop()
    until(lambda: is_up(org), "it starts again")
    assert is_over(org, action)


def test_a_result_waits_for_the_server(org, server):
    """The server goes while an order is carried out: the machine finishes, works on for its users, and tells it once it is back."""
    gate = org.base / "gate-of-result"
    package = org.package("result-waits", "1", "Developer", org.base / "result-waits")
    src = org.base / "src/result-waits-1-Developer"
    (src / "setup.py").write_text("def install():\n    import time\n    from setuphelpers import isfile\n"
                                  f"    open('{gate}-begun', 'w').close()\n    while not isfile({str(gate)!r}):\n        time.sleep(0.05)\n",
                                  encoding="utf-8")
    package.unlink()
    org.console("upload", org.build(src, "Developer"))
    org.get("update")
    action = order(org, "install", "result-waits")
    until(lambda: pathlib.Path(f"{gate}-begun").exists(), "the script runs")
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0
    gate.touch()
    until(lambda: "result-waits" in org.get("list").stdout, "it is installed")
    assert org.get("audit", "result-waits").returncode == 0
    assert '"OK"' in org.get("list", "--json").stdout

    def owed():
        agent = sqlite3.connect(f"file:{org.base}/agent/db/waptagent.sqlite?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return agent.execute("SELECT count(*) FROM outbox WHERE action_id = ?", (action,)).fetchone()[0]
        finally:
            agent.close()

    until(lambda: owed() == 1, "the result is owed")
    org.processes[0] = org.start("server", "waptserver", "run", "--config", org.base / "server/waptserver.ini")
    org.processes.pop()
    until(lambda: rows(org, "SELECT state FROM actions WHERE id = ?", action) == [("done",)], "it is told")
    until(lambda: owed() == 0, "once")
    assert executed(org, action) == 1


def unread(pid):
    """Bytes that were sent to a process and that it has not taken."""
    libc, pidfd, count = ctypes.CDLL(None, use_errno=True), os.pidfd_open(pid), 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
            ours = libc.syscall(438, pidfd, int(fd), 0)  # pidfd_getfd
            assert ours >= 0, os.strerror(ctypes.get_errno())
            count += struct.unpack("i", fcntl.ioctl(ours, termios.FIONREAD, bytes(4)))[0]
            os.close(ours)
    os.close(pidfd)
    return count


class Load:
    """People who go on working; what was answered wrong."""

    def __init__(self, srv, token):
        self.srv, self.token, self.wrong, self.done, self.is_over = srv, token, [], 0, False
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.is_over:
            status, body, _ = self.srv.call("GET", "/api/v1/hosts", token=self.token)
            if status != 200 or b'"reachable":true' not in body:
                self.wrong.append((status, body))
            self.done += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


def test_who_only_answers_is_started_again_alone(org, server):
    """Nobody else notices: machines stay connected, other calls are answered, and who waited for it is told what happened."""
    srv = Server.of(org)
    token, before = srv.token(), children(server.pid)
    welcomes = (org.base / "agent.log").read_text(errors="replace").count("state=welcome")
    with Load(srv, token) as load:
        for role, asks in ALONE.items():
            (pid,) = children(server.pid)[role]
            told = []
            if asks and callable(asks[2]):
                asks = asks[0], asks[1], asks[2](srv)
            if asks:
                os.kill(pid, signal.SIGSTOP)
                waits = threading.Thread(target=lambda a=asks, t=told: t.append(srv.call(*a, token=token)))
                waits.start()
                until(lambda p=pid: unread(p) > 0, "it is asked")
                seen = load.done
                until(lambda s=seen: load.done > s + 1, "others are answered meanwhile")
            os.kill(pid, signal.SIGKILL)
            if asks:
                waits.join()
                assert told[0][0] == 429 and f"the server's {role} process has ended" in told[0][1].decode(), told
            until(lambda r=role, p=pid: children(server.pid).get(r, [p]) != [p], f"the next {role} is there")
            if asks:
                until(lambda a=asks: srv.call(*a, token=token)[0] == 200, f"{role} answers again")
        seen = load.done
        until(lambda: load.done > seen + 1, "people work on")
    assert load.wrong == []
    after = children(server.pid)
    assert {r: after[r] for r in TOGETHER} == {r: before[r] for r in TOGETHER} and set(after) == set(before)
    org.order("Deployer", "update")
    assert (org.base / "agent.log").read_text(errors="replace").count("state=welcome") == welcomes


def test_nobody_guesses_anew_by_crashing_auth(org):
    """Who must wait after wrong passwords waits on, whatever becomes of auth; an attempt that ends it counts; a code counts once."""
    srv = Server(org, "server-guessed", "fronts = 1")

    def crash(*sources):
        """auth ends, while it looks at the first attempt from there and the others wait; what these are told, once the next auth answers."""
        (pid,), outs = children(srv.process.pid)["auth"], []
        body = json.dumps({"user": "admin", "password": "wrong"})
        with contextlib.ExitStack() as stack:
            asked = [stack.enter_context(srv.connect(source)) for source in sources]
            os.kill(pid, signal.SIGSTOP)
            for s in asked:
                s.sendall(f"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                for _ in range(3):  # by the same front: that one has come meanwhile, and was asked for
                    assert srv.call("GET", "/api/v1/session/ways")[0] == 200
            os.kill(pid, signal.SIGKILL)
            for s in asked:
                outs.append(b"".join(iter(lambda s=s: s.recv(65536), b"")))
        until(lambda: children(srv.process.pid).get("auth", [pid]) != [pid], "the next auth is there")
        until(lambda: srv.login(source="127.0.7.9")[0] == 200, "and answers")
        return outs

    try:
        others = {r: p for r, p in children(srv.process.pid).items() if r != "auth"}
        assert [srv.login(password="wrong", source="127.0.7.1")[0] for _ in range(5)] == [401] * 5
        crash()
        status, body, _ = srv.login(source="127.0.7.1")
        assert status == 429 and b"too many wrong credentials" in body, body
        # Each that crashes it is one of the five.
        for _ in range(3):
            for out in crash("127.0.7.2", "127.0.7.3", "127.0.7.4"):
                assert out.startswith(b"HTTP/1.1 429 ") and b"auth process has ended" in out, out
        assert [srv.login(password="wrong", source="127.0.7.2")[0] for _ in range(2)] == [401] * 2
        status, body, _ = srv.login(source="127.0.7.2")
        assert status == 429 and b"too many wrong credentials" in body, body
        # Who only waited behind it has all five left.
        for source in ("127.0.7.3", "127.0.7.4"):
            assert [srv.login(password="wrong", source=source)[0] for _ in range(6)] == [401] * 5 + [429]
        # A code of a second factor that was used before the crash.
        token = srv.token(source="127.0.7.9")
        secret = json.loads(srv.call("POST", "/api/v1/account/second-factor", {"password": srv.password}, token=token, source="127.0.7.9")[1])["secret"]
        assert srv.call("POST", "/api/v1/account/second-factor/confirm", {"code": totp(secret)}, token=token)[0] == 200
        body = {"user": "admin", "password": srv.password, "code": totp(secret, 1)}
        assert srv.call("POST", "/api/v1/session", body, source="127.0.7.9")[0] == 200
        crash()
        assert srv.call("POST", "/api/v1/session", body, source="127.0.7.9")[0] == 401, "a code counts once"
        assert {r: p for r, p in children(srv.process.pid).items() if r != "auth"} == others
    finally:
        srv.stop()
