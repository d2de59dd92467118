"""waptconsole keeps its connection to the server: one for a whole command. A server that lies about where its answers end, or hangs up, does not make it
take one answer for another, nor send an order twice."""
import io
import json

from conftest import BIN, run
from hostile import Hostile, Relay

UNREACHABLE = 7


def console(org, url, *argv, ok=True):
    return run(BIN / "waptconsole", *argv, "--server", url, "--server-fingerprint", org.server_fp, "--password-file", org.base / "admin.pw", ok=ok)


def in_between(org):
    """Whoever has the server's own key, and passes on what he does not answer himself."""
    private = org.base / "server/private"
    return Hostile(private / "tls.crt", private / "tls.pem", org.port)


def hosts(out):
    return [h["uuid"] for h in json.loads(out.stdout)["result"]]


def heard(server, method, path):
    return [h for h in server.heard if h[0] == method and h[1].split("?")[0] == path]


def test_a_command_has_one_connection(org):
    relay = Relay(("127.0.0.1", 0), ("127.0.0.1", org.port))
    url = f"https://127.0.0.1:{relay.listener.getsockname()[1]}"
    assert hosts(console(org, url, "hosts", "--json")) == [org.uuid]
    assert relay.connections == 1  # login, lists, logout
    console(org, url, "action", "update", "--hosts", org.uuid, "-k", org.cert("Deployer"), "-w", org.base / "pw", "--no-wait")
    assert relay.connections <= 3  # an order after a pause has its own
    relay.listener.close()


def test_an_answer_behind_an_answer_is_nobodys(org):
    server = in_between(org)
    evil = json.dumps({"hosts": [{"uuid": "evil", "name": "evil"}], "total": 1}).encode()

    def answer_twice(handler, body):
        line, handler.wfile = handler.wfile, io.BytesIO()
        handler.pass_on(body)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(evil)
        line.write(handler.wfile.getvalue() + head + evil)
        handler.wfile = line
    for path in ("/api/v1/session", "/api/v1/journal/head", "/api/v1/hosts"):
        server.answers[path] = answer_twice
    out = console(org, server.url, "hosts", "--json")
    assert hosts(out) == [org.uuid] and "evil" not in out.text
    assert heard(server, "GET", "/api/v1/hosts")
    server.stop()


def test_a_question_is_asked_again_and_an_order_is_not(org):
    server = in_between(org)
    seen = []

    def hang_up_once(handler, body):
        seen.append(handler.path)
        if len(seen) == 1:
            handler.close_connection = True
        else:
            handler.pass_on(body)

    def hang_up(handler, _body):
        handler.close_connection = True
    server.answers["/api/v1/hosts"] = hang_up_once
    server.answers["/api/v1/actions"] = hang_up
    done = console(org, server.url, "action", "update", "--hosts", org.uuid, "-k", org.cert("Deployer"), "-w", org.base / "pw", ok=None)
    assert done.returncode == UNREACHABLE and "not known whether" in done.stderr, done.text
    assert len(seen) > 1 and seen[0] == seen[1]
    assert len(heard(server, "POST", "/api/v1/actions")) == 1
    server.stop()
