"""What killed programs leave in the temporary directory: the next of the same account takes it away, and nothing that is somebody's."""
import fcntl
import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import BIN, LIB, until


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
