"""F3A, C-21: what a machine is called for people is ordered by a signed action, kept by its own system, and reported. The agent has an /etc of its own here."""
import contextlib
import json
import pathlib
import subprocess
import tempfile

import pytest
from conftest import Organisation, manager, until


class OwnEtc(Organisation):
    """The agent's /etc lies over this machine's, which stays as it is."""

    def __init__(self, base):
        self.etc = base / "etc"
        for d in ("upper", "work"):
            (self.etc / d).mkdir(parents=True)
        (self.etc / "upper/machine-info").write_text("# kept\nCHASSIS=laptop\nPRETTY_HOSTNAME='before'\n")
        super().__init__(base)

    def inside(self, program):
        over = f"mount -t overlay overlay -o lowerdir=/etc,upperdir={self.etc}/upper,workdir={self.etc}/work /etc"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", over + ' && exec "$@"', "sh"] if program == "waptservice" else []

    def in_etc(self, script):
        pid = manager(self.service, self.agent)
        return subprocess.run(["nsenter", "-m", "-t", str(pid), "sh", "-c", f"cd /etc && {script}"], check=True, capture_output=True, text=True).stdout

    def registered(self):
        self.get("register", "--token-file", self.token("--uses", "1", "--valid", "1h"))
        until(lambda: [h["reachable"] for h in self.hosts()] == [True], "the machine is reachable")


@contextlib.contextmanager
def own_etc():
    with tempfile.TemporaryDirectory(prefix="wapt-etc-") as d:
        o = OwnEtc(pathlib.Path(d))
        try:
            o.registered()
            yield o
        finally:
            o.stop()


@pytest.fixture(scope="module")
def etc():
    with own_etc() as o:
        yield o


def described(org, text, ok=True, who="Deployer"):
    return org.order(who, "describe", "--text", text, ok=ok)


def test_it_is_written_and_reported(etc):
    assert etc.hosts()[0]["description"] == "before"
    for text in ("Front desk", "Ann's \"PC\" \\ $(id) `id` é", "x" * 255):
        described(etc, text)
        assert etc.hosts()[0]["description"] == text
    described(etc, "Front desk")
    assert etc.in_etc("cat machine-info; stat -c %a machine-info; ls .machine-info* 2>/dev/null || true") == '# kept\nCHASSIS=laptop\nPRETTY_HOSTNAME="Front desk"\n644\n'
    (batch,) = [b for b in json.loads(etc.console("orders", "--json").stdout)["result"] if b["what"] == "x" * 255]
    assert batch["kind"] == "describe" and batch["counts"] == {"done": 1}
    described(etc, "")
    assert etc.hosts()[0]["description"] == "" and etc.in_etc("cat machine-info") == "# kept\nCHASSIS=laptop\n"


def test_what_a_killed_one_left_goes(etc):
    """And nothing else."""
    etc.in_etc("touch .machine-info.0123456789abcdef .machine-info.swp .machine-info.0123456789abcdeg")
    described(etc, "after it")
    assert etc.in_etc("ls -d .machine-info*").split() == [".machine-info.0123456789abcdeg", ".machine-info.swp"]
    etc.in_etc("rm .machine-info*")
    described(etc, "")


def test_what_is_no_description_is_not_signed(etc):
    for text in ("two\nlines", "\x1b[2J", "x" * 256):
        assert "one line" in described(etc, text, ok=False).text
    for words in (("describe",), ("describe", "a", "--text", "b"), ("update", "--text", "a")):
        assert etc.order("Deployer", *words, ok=False).returncode == 2


def test_who_may_not_order_does_not(etc):
    got = described(etc, "mine", ok=False, who="Developer")
    assert "may not give orders" in got.text and "mine" not in etc.in_etc("cat machine-info")


def test_a_file_that_can_not_be_written_is_told(etc):
    etc.in_etc("rm machine-info && mkdir machine-info")
    got = described(etc, "nowhere", ok=False)
    assert "machine-info" in got.text, got.text
    etc.in_etc("rmdir machine-info")
    described(etc, "somewhere")
    assert etc.in_etc("cat machine-info") == 'PRETTY_HOSTNAME="somewhere"\n'
