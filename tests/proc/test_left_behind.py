"""What programs leave that were killed: in the temporary directory the next of the same account takes it away, and nothing that is somebody's;
of the memory of one that crashes, nothing."""
import fcntl
import os
import pathlib
import pty
import pwd
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
from conftest import BIN, LIB, PATIENCE, until


class Account:
    """Programs of one account, with a temporary directory of its own."""

    def __init__(self, base):
        self.temp, self.config = base / "tmp", base / "waptconsole.ini"
        self.environment = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(base), "TMPDIR": str(self.temp), "WAPT_LIBDIR": str(LIB)}
        self.temp.mkdir()
        self.config.write_text(f"[global]\ndefault_sources_root = {base}/sources\n")

    def start(self, *argv):
        return subprocess.Popen([BIN / "wapt-get", *map(str, argv), "--config", self.config], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def folders(self, kind):
        return set(self.temp.glob(f"wapt-{kind}-*"))

    def killed(self, kind, *argv):
        """The folder of that kind which a program leaves that is killed in the middle; it may be too fast."""
        def left():
            before, p = self.folders(kind), self.start(*argv)
            while p.poll() is None and not self.folders(kind) - before:
                pass
            p.send_signal(signal.SIGKILL)
            p.wait()
            return self.folders(kind) - before
        until(left, "it is met in the middle")
        return self.folders(kind)

    def age(self, folders):
        """As if an hour had gone by."""
        before = time.time() - 3600
        for folder in folders:
            os.utime(folder, (before, before))

    def held(self, kind):
        """The folder of another one, which lives."""
        folder = self.temp / f"wapt-{kind}-{'a' * 24}"
        folder.mkdir(mode=0o700)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder, lock


@pytest.fixture
def account(tmp_path):
    tmp_path.chmod(0o755)
    return Account(tmp_path)


def test_of_a_tool_that_reads_scripts_and_installers(account, tmp_path):
    sources = tmp_path / "tis-x"
    (sources / "WAPT").mkdir(parents=True)
    (sources / "WAPT/control").write_text("package: tis-x\nversion: 1-1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: x\ndescription: x\ntarget_os: all\n")
    (sources / "setup.py").write_text("def install():\n    pass\n\n\ndef uninstall():\n    pass\n")
    left = account.killed("tool", "lint", sources)
    assert left
    held, lock = account.held("tool")
    account.age([*left, held])
    assert account.start("lint", sources).wait(60) == 0
    os.close(lock)
    assert account.folders("tool") == {held}


def test_of_a_package_that_was_fetched(account):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connected to, it never answers
        ask = ("edit", "tis-x", "--server", f"https://127.0.0.1:{silent.getsockname()[1]}", "--server-fingerprint", "0" * 64)
        left = account.killed("fetch", *ask)
        assert left
        held, lock = account.held("fetch")
        account.age([*left, held])
    assert account.start(*ask).wait(60) != 0  # nobody is there any more
    os.close(lock)
    assert account.folders("fetch") == {held}


def test_of_sources_that_were_put_together(account, tmp_path):
    """Whoever may write where they grow can't guess the name under which they do, and have a folder of his own there."""
    many = tmp_path / "many"
    many.mkdir()
    for i in range(300):
        (many / str(i)).write_text("x")
    names = set()
    for i in range(3):
        before = set(tmp_path.glob(".wapt-new-*"))

        def left():
            p = account.start("make-template", many, "tis-x", tmp_path / "made")
            while p.poll() is None and not set(tmp_path.glob(".wapt-new-*")) - before:
                pass
            p.send_signal(signal.SIGKILL)
            p.wait()
            shutil.rmtree(tmp_path / "made", ignore_errors=True)
            return set(tmp_path.glob(".wapt-new-*")) - before
        until(left, "it is met in the middle")
        names |= {p.name for p in set(tmp_path.glob(".wapt-new-*")) - before}
    assert len(names) >= 3 and all(re.fullmatch(r"\.wapt-new-[0-9a-f]{32}", n) for n in names), names


@pytest.mark.parametrize("argv", [("waptconsole", "hosts", "--server", "https://127.0.0.1:9", "--server-fingerprint", "0" * 64),
                                  ("wapt-get", "create-keycert", "--common-name", "Crash", "--base-dir")], ids=lambda a: a[0])
def test_of_the_memory_of_one_that_knows_a_password(argv):
    """While it asks already: no core, and no other process of the account looks into it."""
    who = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, who.pw_uid, who.pw_gid)
        keeps_nothing(who, (*argv, folder) if argv[-1] == "--base-dir" else argv)


def keeps_nothing(who, argv):
    pid, fd = pty.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
        os.setgroups([])
        os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
        os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
        os.execve(BIN / argv[0], argv, {"LANG": "C.UTF-8", "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"})
    seen, end = b"", time.monotonic() + PATIENCE
    try:
        while b"assword" not in seen and select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            seen += os.read(fd, 4096)
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")] == [["0", "0"]], seen
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # the kernel's word for: nobody but root
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
