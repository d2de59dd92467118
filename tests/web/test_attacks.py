"""Another site in the administrator's own browser: web/tests/attacks.mjs, against the real program."""
import http.server
import threading

import pytest
from pages import play, scenarios
from conftest import organisation
from local_program import Local


class Evil(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><body></body>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def played():
    with organisation() as org, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as evil:
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        local = Local(org)
        try:
            yield play("attacks.mjs", link=f"{local.origin}/#ticket={local.ticket}", evil=f"http://evil.example:{evil.server_port}/",
                       password=(org.base / "admin.pw").read_text().strip(), keyPassword=(org.base / "pw").read_text().strip())
            assert "console.signed" not in local.log.read_text()
        finally:
            local.stop()
            evil.shutdown()


@pytest.mark.parametrize("name", scenarios("attacks.mjs"))
def test_attack(played, name):
    assert played[name] is None, played[name]
