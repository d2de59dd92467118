"""F1A: machines that were let in and whose reports their front answers by itself, then revoked or forgotten: each ends at every front of every server,
whatever is remembered of it, and stays out however often it comes back."""
import contextlib
import json
import socket
import ssl

import pytest
from conftest import organisation, until
from test_f1a_certificates import identity
from test_server_hostile import Server
from test_server_pair import COUNT, Pair, Single

REVOKED = [f"s{i:06}" for i in (*range(10), *range(30, 40))]  # of both of the simulator's processes, and so many that each front has some
FORGOTTEN = [f"s{i:06}" for i in (*range(20, 25), *range(50, 55))]


@pytest.fixture(scope="module", params=(Single, Pair), ids=("sqlite", "postgres"))
def fleet(request, org):
    f = request.param(org, "certificates")
    for command, words in (("register", ("16",)), ("connect", ("32",)), ("status", (COUNT, "16"))):
        got = f.shards.all(command, *words)
        assert got["failed"] == 0, (command, got)
    assert got["welcome"] == COUNT
    yield f
    f.stop()


def known(fleet, times=3):
    """Each machine that is connected says that nothing has changed, several times: the first is the store's to answer, the others are its front's."""
    before, there = fleet.shards.all("count")["wrong"], fleet.shards.all("count")["welcome"]
    got = fleet.shards.all("same", times * there, "16")
    assert (got["done"], got["failed"], got["wrong"], got["welcome"]) == (times * there, 0, before, there), got


def come_back(fleet):
    """All that are away try again, those whose turn it is."""
    for p in fleet.shards.procs:
        fleet.shards.say(p, "connect 64")
    return fleet.shards.all("count")


def stay_out(fleet, gone):
    """They end, and twice as many attempts of theirs end too, while everybody else is served."""
    there = COUNT - gone
    until(lambda: fleet.shards.all("count")["welcome"] == there, "those connections have ended, and no others")
    lost = fleet.shards.all("count")["lost"]
    until(lambda: come_back(fleet)["lost"] >= lost + 2 * gone, "each has tried again")
    assert fleet.shards.all("count")["welcome"] == there
    known(fleet)


def test_f1a_known_machines_that_are_revoked_or_forgotten(fleet):
    known(fleet)
    for i, uuid in enumerate(REVOKED):  # now at this server, now at the other
        server = (fleet.first, fleet.second)[i % 2]
        assert server.call("DELETE", f"/api/v1/hosts/{uuid}/certificate", token=fleet.session)[0] == 200, uuid
    stay_out(fleet, len(REVOKED))
    for i, uuid in enumerate(FORGOTTEN):
        server = (fleet.first, fleet.second)[i % 2]
        assert server.call("DELETE", f"/api/v1/hosts/{uuid}", token=fleet.session)[0] == 200, uuid
    gone = len(REVOKED) + len(FORGOTTEN)
    stay_out(fleet, gone)
    # Their signed reports are nobody's; those of the revoked are their own keys' word, which was not taken from them.
    got = fleet.shards.all("status", COUNT, "16")
    assert (got["done"], got["failed"]) == (COUNT - len(FORGOTTEN), len(FORGOTTEN)) and ": 401 " in got["why"], got
    # All away and back: nothing of before lets anybody in.
    fleet.shards.all("drop")
    until(lambda: come_back(fleet)["welcome"] == COUNT - gone, "the others are back")
    known(fleet)
    status, body, _ = fleet.second.call("GET", "/api/v1/hosts?limit=1", token=fleet.session)
    assert status == 200 and json.loads(body)["total"] == COUNT - len(FORGOTTEN)


def test_f1a_a_revoked_machine_goes_on_with_its_tls_session():
    """TLS that is resumed shows no certificate again: who was let in before the revocation is judged anew all the same."""
    with organisation() as org:
        pem, _ = identity(org, "held.pem")
        context = ssl.create_default_context(cafile=org.base / "server/private/tls.crt")
        context.load_cert_chain(pem)
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # its session is there when the handshake is over
        srv = Server.of(org)

        def ask(tls):
            tls.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return tls.recv(65536).split(b" ", 2)[1:2]

        def begin(session=None):
            return context.wrap_socket(socket.create_connection(("127.0.0.1", srv.port), 60), server_hostname="localhost", session=session)

        held = begin()
        assert ask(held) == [b"200"]

        def goes_on():
            with begin(held.session) as again:
                return again.session_reused and ask(again) == [b"200"]

        until(goes_on, "the front whose session it is has taken it up")
        org.console("revoke-certificate", org.uuid)

        def refused(session):
            try:
                with begin(session) as tls:
                    return ask(tls) != [b"200"]
            except OSError:
                return True

        # Each front is met by some of so many.
        until(lambda: all(refused(session) for session in (None, held.session) * 12), "neither a new session nor the old one is served")
        with held, contextlib.suppress(OSError):  # nor the connection itself, which was there before
            assert ask(held) != [b"200"]
