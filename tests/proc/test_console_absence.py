"""The console's local program and a server that is there, that stands still, that drips, that is gone: what the pages are told, and how soon the program ends."""
import concurrent.futures
import http.client
import http.server
import ssl
import threading

import pytest
from conftest import PATIENCE, free_port, until
from local_program import Local

PROMPT = 30  # s: what takes a moment, on a machine that does a lot else; what waits for the server would take a minute


class Moody(http.server.ThreadingHTTPServer):
    """A server that has the right certificate. mood: good; still, it reads and never answers; mute, not even its TLS answers; drip, a byte now and then."""
    daemon_threads = True
    mood = "good"

    def __init__(self, org, port):
        super().__init__(("127.0.0.1", port), Answers)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(org.base / "server/private/tls.crt", org.base / "server/private/tls.pem")
        self.sockets, self.better = [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):  # in a thread of its own
        self.sockets.append(request)
        if self.mood == "mute":
            self.better.wait()
        request = self.context.wrap_socket(request, server_side=True)
        self.sockets.append(request)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # who spoke has gone

    def becomes(self, mood):
        self.mood = mood
        if mood == "good":
            self.better.set()

    def ends(self):
        self.better.set()
        self.shutdown()
        self.server_close()
        for s in self.sockets:
            try:
                s.shutdown(2)
            except OSError:
                pass


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, kind="application/json", size=None):
        mood = self.server.mood
        if mood == "still":
            self.server.better.wait()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size or (1000 if mood == "drip" else len(body))))
        self.end_headers()
        if mood == "drip":
            while not self.server.better.wait(0.3):
                self.wfile.write(b" ")
            self.close_connection = True
        else:
            self.wfile.write(body)

    def do_GET(self):
        if not self.path.startswith("/api/v1/events"):
            self.answer(b'{"user":"a","role":"superadmin","rights":"view","hosts":[]}')
            return
        self.answer(b": here\n\n", "text/event-stream", 1 << 30)
        self.close_connection = True
        while self.server.mood == "good":
            self.wfile.write(b": here\n\n")
            if self.server.better.wait(0.2):
                return
        self.server.better.wait()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(b'{"token":"a-token"}')

    def do_DELETE(self):
        self.answer(b"{}")

    def log_message(self, *_):
        pass


def state_is(local, wanted):
    until(lambda: local.state()["server"]["state"] == wanted, f"the server is {wanted}")


def follow(local):
    """The events, up to the first of them."""
    c = http.client.HTTPConnection(local.address, int(local.port), timeout=PATIENCE)
    c.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {local.token}"})
    r = c.getresponse()
    assert r.status == 200 and r.readline().startswith(b":")
    return r


def ask_much(local, pool):
    """As many calls as a browser makes, of each kind that asks the server."""
    calls = [("GET", "/api/v1/hosts", None)] * 3 + [("GET", "/local/pin", None), ("POST", "/local/login", {"user": "b", "password": "c"}),
             ("POST", "/local/prepare", {"what": "actions", "kind": "update", "hosts": [local.org.uuid]})]
    return [pool.submit(local.ask, *c) for c in calls]


def play(org, mood):
    """A server that turns so, and comes back; then the program is ended while it is so again."""
    port = free_port()  # nobody else's while the server is gone
    server = Moody(org, port)
    local = Local(org, f"absence-{mood}", server=f"https://127.0.0.1:{port}")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        try:
            local.open()
            local.login()
            events = follow(local)
            state_is(local, "connected")
            if mood == "gone":
                server.ends()
            server.becomes(mood)
            waiting = [pool.submit(local.ask, "GET", "/api/v1/hosts") for _ in range(6)]
            state_is(local, "unreachable")
            s = local.state()["server"]
            assert s["user"] == "a" and s["message"], s  # nobody is logged out because of that
            assert {(a.result().status, a.result().code) for a in waiting} == {(503, "unreachable")}
            while events.readline():  # up to the end
                pass
            assert local.unlock().status == 200  # what needs no server goes on
            if mood == "gone":
                server = Moody(org, port)
            server.becomes("good")
            state_is(local, "connected")
            assert local.ask("GET", "/api/v1/hosts").status == 200
            # Now the end.
            server.better.clear()
            events = follow(local)  # open until the end
            if mood == "gone":
                server.ends()
            server.becomes(mood)
            ask_much(local, pool)
            local.process.terminate()
            assert local.process.wait(PROMPT) == 0
            assert "console.ended" in local.log.read_text() and "console.stuck" not in local.log.read_text()
        finally:
            local.process.kill()
            server.ends()


MOODS = ("still", "mute", "drip", "gone")


@pytest.fixture(scope="module")
def played(org):
    with concurrent.futures.ThreadPoolExecutor(len(MOODS)) as pool:  # they mostly wait
        told = {mood: pool.submit(play, org, mood) for mood in MOODS}
    return told


@pytest.mark.parametrize("mood", MOODS)
def test_the_server_turns_and_comes_back(played, mood):
    played[mood].result()
