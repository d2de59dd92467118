"""waptconsole with machines that are on, off and unknown: who is shown, who is asked, and the status that says what became of it."""
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios

from conftest import BIN, run, until

OTHER = "00000000-aaaa-4000-8000-000000000002"
PARTIAL, UNREACHABLE, NOT_FOUND = 3, 7, 12


def machine_that_is_off(org):
    """A second machine, registered and then stopped."""
    ini = org.new_agent(org.base / "off")
    ini.write_text(ini.read_text().replace("[global]\n", f"[global]\nuuid = {OTHER}\n"))
    service = org.start_agent("off", ini)
    run(BIN / "wapt-get", "-c", ini, "register", "--token-file", org.token())
    until(lambda: is_connected(org, OTHER), "the second machine is connected")
    service.terminate()
    service.wait(20)
    until(lambda: not is_connected(org, OTHER), "the second machine is off")


def is_connected(org, uuid):
    return any(h["uuid"] == uuid and h["reachable"] for h in org.hosts())


def action(org, hosts, *more):
    return org.console("action", "update", "--hosts", hosts, "-k", org.cert("Deployer"), "-w", org.base / "pw", *more, ok=None)


def on_a_terminal(org, columns, *argv):
    """What waptconsole shows on a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([BIN / "waptconsole", *argv, "--server", org.url, "--server-fingerprint", org.server_fp, "--password-file",
                           org.base / "admin.pw"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as p:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 4096):
                seen += piece
        except OSError:
            pass  # the end, on a terminal
        os.close(master)
        assert p.wait() == 0, seen
    return seen.decode().replace("\r\n", "\n")


def test_statuses_and_lists(org):
    machine_that_is_off(org)
    # Off: not waited for, told so, and the order stays.
    done = action(org, OTHER)
    assert done.returncode == UNREACHABLE, done.text
    assert "not connected" in done.stderr and "waits at the server" in done.stderr
    (result,) = json.loads(action(org, OTHER, "--json").stdout)["result"]
    assert result["state"] == "queued"
    # Both: one does it.
    done = action(org, f"{org.uuid},{OTHER}")
    assert done.returncode == PARTIAL, done.text
    assert "of 2 machines 1 did it" in done.stderr
    # A pattern, a name nobody has.
    assert action(org, org.uuid[:8] + "*").returncode == 0
    assert action(org, "nobody").returncode == NOT_FOUND
    # Filters agree with what the server says.
    uuids = lambda *argv: {h["uuid"] for h in json.loads(org.console("hosts", "--json", *argv).stdout)["result"]}
    on, off = uuids("--connected"), uuids("--disconnected")
    assert org.uuid in on - off and OTHER in off - on
    assert uuids(OTHER[:12] + "*") == {OTHER} and uuids("nothing*") == set()
    assert OTHER in org.console("hosts", "--csv").stdout
    # In a pipe a line is whole, on a narrow terminal it fits as far as nothing that matters is lost.
    assert all(len(line) > 60 for line in org.console("hosts").stdout.splitlines()[1:])
    wide, narrow = on_a_terminal(org, 200, "hosts"), on_a_terminal(org, 100, "hosts")
    assert "Debian" in wide and "…" not in wide and OTHER in wide
    assert "…" in narrow and OTHER in narrow and all(len(line) <= 100 for line in narrow.splitlines())
