"""Another site in the administrator's own browser: web/tests/attacks.mjs, against the real program."""
import http.server
import subprocess
import threading

import pytest
from pages import play, scenarios
from conftest import organisation, until
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
    with organisation() as org:
        local = Local(org)
        evil = http.server.ThreadingHTTPServer((local.address, 0), Evil)
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        try:
            yield play("attacks.mjs", link=local.link, evil=f"http://evil.example:{evil.server_port}/",
                       password=(org.base / "admin.pw").read_text().strip(), keyPassword=(org.base / "pw").read_text().strip())
            assert "console.signed" not in local.log.read_text()
        finally:
            local.stop()
            evil.shutdown()
            evil.server_close()


@pytest.mark.parametrize("name", scenarios("attacks.mjs"))
def test_attack(played, name):
    assert played[name] is None, played[name]


def impostor(address, port, file):
    """A process of another user, who has the port and answers as the program would; what he is asked goes into the file."""
    file.touch()
    file.chmod(0o666)
    text = (f"import http.server, json\nout = open({str(file)!r}, 'a')\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            "    protocol_version = 'HTTP/1.1'\n"
            "    def do(self):\n"
            "        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()\n"
            "        out.write(f'{self.command} {self.path} {body}\\n'); out.flush()\n"
            "        said = json.dumps({'token': 'f' * 64, 'proof': '0' * 64, 'version': 'impostor', 'language': 'en', 'keys': [], 'confirm': {'method': 'terminal', 'above_hosts': 20}, 'idle_s': 1800,\n"
            "                           'server': {'url': 'https://impostor.example', 'state': 'login', 'user': '', 'roles': [], 'message': ''}}).encode()\n"
            "        self.send_response(200); self.send_header('Content-Type', 'application/json'); self.send_header('Wapt-Proof', '0' * 64)\n"
            "        self.send_header('Content-Length', str(len(said))); self.end_headers(); self.wfile.write(said)\n"
            "    do_GET = do_POST = do_PUT = do_DELETE = do\n"
            "    def log_message(self, *_): pass\n"
            f"s = http.server.ThreadingHTTPServer(({address!r}, {port}), H)\nout.write('there\\n'); out.flush()\ns.serve_forever()\n")
    p = subprocess.Popen(["setpriv", "--reuid", "nobody", "--clear-groups", "/usr/bin/python3", "-c", text])
    until(lambda: "there\n" in file.read_text() or p.poll() is not None, "he has the port")
    assert p.poll() is None
    return p


def test_who_takes_the_port_learns_nothing(tmp_path):
    with organisation() as org:
        org.base.chmod(0o711)
        programs, started = {p.link: p for p in (Local(org, "known"), Local(org, "new"))}, []

        def take_over(link):
            local = programs[link]
            local.stop()
            started.append(impostor(local.address, int(local.port), org.base / f"heard.{local.port}"))

        def heard(link):
            return (org.base / f"heard.{programs[link].port}").read_text().splitlines()[1:]

        try:
            told = play("port.mjs", does={"takeOver": take_over, "heard": heard}, **dict(zip(("link", "again"), programs)), secret="correct horse")
        finally:
            for p in started:
                p.kill()
                p.wait()
            for p in programs.values():
                p.stop()
    assert told == dict.fromkeys(scenarios("port.mjs")), told
