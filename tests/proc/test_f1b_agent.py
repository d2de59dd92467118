"""F1B, agent side: no word to a server, and none from it, before its certificate is the right one."""
import uuid

import pytest
from conftest import BIN, end, run, until
from hostile import ELSEWHERE, HERE, Hostile, certificate

REFUSED = 4


@pytest.fixture
def machine(org):
    """A machine that never registered; commands start what they need. Its trust is what the test writes."""
    return org.new_agent(org.base / f"m{len(list(org.base.iterdir()))}")


def configure(ini, url, more):
    lines = [line for line in ini.read_text().splitlines() if not line.startswith("wapt_server")]
    lines.insert(1, f"uuid = {uuid.uuid4()}\nwapt_server = {url}\n{more}")
    ini.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("case", ["pinned-fingerprint", "system-authorities", "pinned-certificate", "other-name", "expired", "no-trust-at-all"])
def test_f1b_register_and_update_at_the_wrong_server(org, machine, case):
    authority = certificate(org.base, f"authority-{case}")
    mine = certificate(org.base, f"mine-{case}", -1 if case == "expired" else 99, ELSEWHERE if case == "other-name" else HERE, authority)
    server = Hostile(*mine, real=org.port)
    try:
        configure(machine, server.url, {
            "pinned-fingerprint": f"server_fingerprint = {org.server_fp}",
            "system-authorities": "verify_cert = 1",
            "pinned-certificate": f"verify_cert = {org.base}/server/private/tls.crt",
            "other-name": f"verify_cert = {authority[0]}",
            "expired": f"verify_cert = {authority[0]}",
            "no-trust-at-all": "verify_cert = 0"}[case])
        # A token names the right server's fingerprint; a password alone must not go out either.
        ways = [["--server-user", "admin", "--server-password-file", org.base / "admin.pw"], []]
        if case == "pinned-fingerprint":
            ways.append(["--token-file", org.token("--uses", "1", "--valid", "1h")])
        for way in ways:
            got = run(BIN / "wapt-get", "-c", machine, "register", *way, ok=None)
            assert got.returncode == REFUSED, got.text
            assert "certificate" in got.text, got.text
        got = run(BIN / "wapt-get", "-c", machine, "update", ok=None)
        assert got.returncode == REFUSED and "certificate" in got.text, got.text
        assert server.heard == []
        until(lambda: server.broken, "the connections came as far as the certificate")
        assert run(BIN / "wapt-get", "-c", machine, "search").stdout.count("\n") <= 1
    finally:
        server.stop()


def test_f1b_the_right_certificate_is_served(org, machine):
    """The control: the same machine, the same server, by an authority that it was told."""
    authority = certificate(org.base, "authority-right")
    server = Hostile(*certificate(org.base, "mine-right", 99, HERE, authority), real=org.port)
    try:
        configure(machine, server.url, f"verify_cert = {authority[0]}")
        run(BIN / "wapt-get", "-c", machine, "register", "--server-user", "admin", "--server-password-file", org.base / "admin.pw")
        run(BIN / "wapt-get", "-c", machine, "update")
        assert {path for _, path, _, _ in server.heard} >= {"/agent/v1/register", "/wapt/Packages"}
    finally:
        server.stop()


def test_f1b_push_channel_at_the_wrong_server(org, machine):
    right = org.base / "server/private/tls.crt", org.base / "server/private/tls.pem"
    server = Hostile(*right, real=org.port)
    configure(machine, server.url, f"server_fingerprint = {org.server_fp}")
    service = org.start_agent("agent-push", machine)
    log = org.base / "agent-push.log"
    try:
        run(BIN / "wapt-get", "-c", machine, "register", "--force", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        server.channel()
        server.use(*certificate(org.base, "mine-push", 99, HERE))
        before = log.stat().st_size
        server.hang_up()
        until(lambda: "certificate" in log.read_text()[before:] and "push.state" in log.read_text()[before:], "the agent says why")
        heard = len(server.heard)
        tried = len(server.broken)
        until(lambda: len(server.broken) > tried, "the agent tries again")
        # A report would go the same way: nothing of it is sent.
        got = run(BIN / "wapt-get", "-c", machine, "update-status", ok=None)
        assert got.returncode == REFUSED and "certificate" in got.text, got.text
        assert len(server.heard) == heard and server.channels.empty()
        server.use(*right)
        server.channel()
    finally:
        end(service)
        server.stop()
