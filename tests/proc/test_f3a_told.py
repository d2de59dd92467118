"""F3A: orders for those who are at work at a machine - a message, the proposal to upgrade - and one for its agent. A text is shown as it stands:
it is no markup, no option, no path, no shell's, and what runs in a session has its user's rights."""
import json
import os
import pty
import select
import struct

import pytest
from conftest import BIN, manager, run, until
from test_f3a_power import Played

BOB = 1000
# A program of a desktop that writes down what it is given, in the place of the system's.
PLAYED = """set -e
at=$1; shift
mount -t overlay none -o "lowerdir=$at/bin:/usr/bin" /usr/bin
exec "$@"
"""


def utmp(line):
    """utmp(5): "somebody" is logged on there."""
    return struct.pack("<hxxi32s4s32s", 7, os.getpid(), line.encode(), b"w1", b"somebody").ljust(384, b"\0")


class Told(Played):
    """A machine at whose terminal somebody sits, before the system's own wall."""

    def __init__(self, org, name):
        self.ours, self.theirs = pty.openpty()
        self.line = os.ttyname(self.theirs).removeprefix("/dev/")
        super().__init__(org, name)
        self.bin = self.at / "bin"
        self.bin.mkdir()
        notify = self.bin / "notify-send"
        notify.write_text(f"#!/usr/bin/python3\nimport json, os, sys\njson.dump([os.getuid(), *sys.argv[1:]], open('{self.at}/shown', 'w'))\n", encoding="utf-8")
        notify.chmod(0o755)
        self.at.chmod(0o777)

    def start(self):
        """As a Played one, but with a wall that is none of ours."""
        wall = self.at / "wall"
        if wall.exists():
            wall.unlink()
            wall.symlink_to("/usr/bin/wall")
        super().start()

    def sits_down(self):
        self.stop()
        (self.at / "utmp").write_bytes(utmp(self.line))
        self.boot()

    def terminal(self, upto):
        """What is shown until then, without blanks: wall breaks lines and fills them."""
        seen, upto = "", "".join(upto.split())
        while upto not in "".join(seen.split()):
            assert select.select([self.ours], [], [], 60)[0], seen
            seen += os.read(self.ours, 65536).decode(errors="replace")
        return "".join(seen.split())

    def desktop(self, *what, language="C.UTF-8"):
        """What that user's systemd starts when the file has changed, in that user's language."""
        run("/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", PLAYED, "sh", self.at, "/usr/bin/setpriv", "--reuid", BOB, "--regid", BOB,
            "--clear-groups", "/usr/bin/env", f"LC_ALL={language}", BIN / "waptexit", *(what or ("--message", "-c", self.ini)))
        return json.loads((self.at / "shown").read_text(encoding="utf-8"))


@pytest.fixture(name="machine", scope="module")
def a_machine(org):
    m = Told(org, "told")
    m.get("register", "--token-file", org.token("--uses", "1"))
    yield m
    m.stop()
    os.close(m.ours)
    os.close(m.theirs)


def order(m, kind, *more, who="Deployer", ok=True):
    got = m.org.console("action", kind, "--hosts", m.uuid, "-k", m.org.cert(who), "-w", m.org.base / "pw", "--timeout", "60s", "--json", *more, ok=ok)
    return json.loads(got.stdout)["result"][0]


HOSTILE = ["<b>Save</b> <a href='file:///etc/passwd'>your</a> & <img src=x> work \\033[2J \\\\ \\n",
           "$(touch /tmp/x) `id` ; reboot", "--help", "-- --icon=/etc/shadow", "Attention café: à 18 h\nla salle est fermée"]


@pytest.mark.parametrize("kind, english, french", [("leaving", "restarted or switched off", "redémarré ou éteint"), ("shutdown", "First what is pending is installed", "installé")])
def test_what_happens_to_the_machine_is_said_in_the_user_s_language(machine, kind, english, french):
    for language, words in (("fr_FR.UTF-8", french), ("en_GB.UTF-8", english), ("C.UTF-8", english)):
        uid, *argv = machine.desktop("--notice", kind, language=language)
        assert uid == BOB and argv[:-1] == ["--urgency=critical", "--app-name=WAPT", "--", "WAPT"] and words in argv[-1]
    assert run(BIN / "waptexit", "--notice", "--help", ok=False).returncode == 2


def test_a_message_is_shown_as_it_stands(machine):
    m = machine
    notice = m.base / "run/message"
    done = order(m, "message", "--text", "Hello")
    assert (done["state"], done["message"]) == ("done", "nobody is at work here") and not notice.exists()
    m.sits_down()
    for text in HOSTILE:
        assert order(m, "message", f"--text={text}")["message"] == "done"
        assert notice.read_text(encoding="utf-8") == text + "\n" and notice.stat().st_mode & 0o777 == 0o644 and notice.stat().st_uid == 0
        assert "root@" in m.terminal(text)
        uid, *argv = m.desktop()
        assert uid == BOB and argv[:-1] == ["--urgency=critical", "--app-name=WAPT", "--", "A message of this machine's administrator"]
        assert argv[-1] == text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "\\\\")
    # A folder that takes no file is no success.
    notice.unlink()
    notice.mkdir()
    (notice / "in the way").touch()
    refused = m.org.console("action", "message", "--hosts", m.uuid, "--text", "unheard", "-k", m.org.cert("Deployer"), "-w", m.org.base / "pw", "--timeout", "60s", ok=False)
    assert "telling those who are at work" in refused.text
    (notice / "in the way").unlink()
    notice.rmdir()
    # A text that names a file is that text.
    secret = m.at / "secret"
    secret.write_text("the secret", encoding="utf-8")
    order(m, "message", "--text", str(secret))
    assert "thesecret" not in m.terminal(str(secret))
    # To all of a unit; the machine says that it is in none.
    signer = ("-k", m.org.cert("Deployer"), "-w", m.org.base / "pw")
    assert m.uuid in [h["uuid"] for h in json.loads(m.org.console("hosts", "--unit", "=", "--json").stdout)["result"]]
    assert m.org.console("hosts", "--unit", "OU=a & b,DC=x", "--json").stdout.count("uuid") == 0
    assert m.org.console("action", "message", "--unit", "OU=a & b,DC=x", "--text", "to few", *signer, ok=False).returncode == 12
    assert m.org.console("action", "message", "--unit", "=", "--hosts", m.uuid, "--text", "to some", *signer).returncode == 0
    assert notice.read_text(encoding="utf-8") == "to some\n"
    # What can't be seen is refused before it is signed.
    for text in ("", "\x1b[2J", "a\rb", "\u202egnp.exe", "x" * 1001):
        assert m.org.console("action", "message", "--hosts", m.uuid, f"--text={text}", "-k", m.org.cert("Deployer"), "-w", m.org.base / "pw", ok=False).returncode
    for argv in (("message",), ("update", "--text", "hello"), ("message", "tis-x", "--text", "hello")):
        assert m.org.console("action", *argv, "--hosts", m.uuid, "-k", m.org.cert("Deployer"), "-w", m.org.base / "pw", ok=False).returncode
    # Nor is it anybody's to send.
    assert m.org.order("Developer", "message", "--text", "trust me", ok=False).returncode


def test_a_message_that_somebody_put_there_is_judged_again(machine):
    """What the desktop's program reads is root's file; were it another's, no more than text would come of it."""
    notice = machine.base / "run/message"
    for text in (b"\x1b]0;x\x07", b"\xff", b"x" * 5000, b""):
        notice.write_bytes(text)
        got = run(BIN / "waptexit", "--message", "-c", machine.ini, ok=None)
        assert got.returncode and b"\x1b" not in got.stderr.encode(), got.text


def test_an_upgrade_is_proposed_where_something_is_pending(machine):
    m = machine
    proposed = m.base / "run/upgrade-proposed"
    m.sits_down()
    assert order(m, "propose-upgrade")["message"] == "nothing to upgrade" and not proposed.exists(), m.get("check-upgrades").text
    m.org.console("upload", m.org.package("told-pending", "1", "Developer", m.at / "one"))
    m.get("update")
    m.get("install", "told-pending")
    m.org.console("upload", m.org.package("told-pending", "2", "Developer", m.at / "two"))
    m.get("update")
    assert order(m, "propose-upgrade")["message"] == "done" and proposed.exists()
    assert "waptexit" in m.terminal("suits you")
    assert not (m.at / "two").exists(), "they are asked, no more"


def test_who_may_send_them(machine):
    """By the role, the perimeter, and the machine's own word, each by itself."""
    org, marker = machine.org, machine.base / "run/message"
    machine.sits_down()
    secret = org.base / "told.pw"
    secret.write_text("a long password\n", encoding="utf-8")
    secret.chmod(0o600)
    before = marker.read_bytes() if marker.exists() else None

    def person(*argv):
        run(BIN / "waptserver", "user", *argv, "--config", org.base / "server/waptserver.ini")

    def asks(name, kind, *more):
        return run(BIN / "waptconsole", "action", kind, *more, "--hosts", machine.uuid, "--server", org.url, "--server-fingerprint", org.server_fp, "--user", name,
                   "--password-file", secret, "-k", org.cert("Deployer"), "-w", org.base / "pw", "--timeout", "60s", ok=None)

    kinds = (("message", "--text", "to all"), ("propose-upgrade",), ("restart-agent",))
    for name, role, perimeter in (("told-reader", "readonly", "--all-machines"), ("told-elsewhere", "helpdesk", "--group=nowhere"), ("told-helper", "helpdesk", "--all-machines")):
        person("add", name, "--role", role, "--password-file", secret)
        person("perimeter", name, perimeter)
    for kind in kinds:
        assert asks("told-reader", *kind).returncode == 5
        assert asks("told-elsewhere", *kind).returncode == 12
    assert (marker.read_bytes() if marker.exists() else None) == before
    assert asks("told-helper", *kinds[0]).returncode == 0
    assert marker.read_text(encoding="utf-8") == "to all\n"


def test_the_agent_is_started_again_by_order_once(machine):
    m = machine
    before = manager(m.service, m.base)
    done = order(m, "restart-agent")
    assert (done["state"], done["code"]) == ("done", "ok")
    until(lambda: manager(m.service, m.base) not in (None, before), "another manager works")
    until(lambda: m.get("status", ok=None).returncode == 0, "it answers")
    after = manager(m.service, m.base)
    order(m, "update-status")
    assert manager(m.service, m.base) == after, "it was started again once"
    assert [t["code"] for t in json.loads(m.get("tasks", "--json").stdout)["result"] if t["kind"] == "restart-agent"] == ["ok"]
