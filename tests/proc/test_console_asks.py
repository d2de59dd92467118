"""What the console's local program asks a person outside the page: in its terminal, or by a pinentry."""
import concurrent.futures
import datetime
import http.server
import os
import pty
import re
import select
import ssl
import tempfile
import threading
import time

import pytest
from conftest import BIN, PATIENCE, run, until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from local_program import Local, Terminal, answered, below, code_in, start


@pytest.fixture
def terminal(org):
    t = Terminal(org, "terminal")
    yield t
    t.stop()


def test_what_no_page_can_confirm(terminal, org):
    local = terminal
    # The server's certificate: shown, compared by a person, kept.
    assert local.state()["server"]["state"] == "pin" and local.state()["confirm"] == {"method": "terminal", "above_hosts": 0}
    shown = local.ask("GET", "/local/pin").json
    assert shown.get("sha256") == org.server_fp, shown
    assert shown["grouped"].replace(" ", "").lower() == org.server_fp
    assert not shown["trusted"] and not shown["changed"] and "not trusted" in shown["reason"]
    assert local.ask("POST", "/local/pin", {"sha256": "0" * 64}).code == "conflict"
    for key, good in (("x", False), (None, True)):
        assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202
        text = local.hear()
        assert shown["grouped"] in text
        assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202  # waits, and asks nothing twice
        local.type(key or code_in(text))
        a = answered(local, "/local/pin", {"sha256": org.server_fp})
        assert (a.status == 200) == good, a.body
    assert f"server_fingerprint = {org.server_fp}" in local.config.read_text() and local.config.read_text().startswith("; mine\n")
    assert local.state()["server"]["state"] == "login"
    # Another certificate than the one kept is not taken.
    local.login()
    local.unlock()
    wish = {"what": "actions", "kind": "install", "packages": ["tis-\u202egpj"], "hosts": [org.uuid], "valid_s": 600}
    for key in ("x", "\x03", "wrong", None):
        p = local.ask("POST", "/local/prepare", wish).json
        assert p["needs"] == "gesture"
        before = local.ask("GET", "/api/v1/journal?limit=1000").json
        assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
        text = local.hear()
        assert org.uuid in text or "Machines: 1" in text
        assert "\u202e" not in text and "install" in text
        code = code_in(text)
        other = local.ask("POST", "/local/prepare", wish).json
        assert local.ask("POST", "/local/commit", {"id": other["id"]}).code == "busy"
        typed = {"wrong": f"{(int(code) + 1) % 10000:04d}", None: code}.get(key, key)
        local.type(typed)
        a = answered(local, "/local/commit", {"id": p["id"]})
        if key is None:
            assert a.status == 200 and a.json["state"] == "done", a.body
        else:
            assert a.code == "cancelled" and local.ask("GET", "/api/v1/journal?limit=1000").json == before
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "cancelled"  # for good


def test_a_kit_knows_the_certificate_that_was_kept_just_now(org):
    """Also without the program's being started again."""
    local = Terminal(org, "kit", f"public_certs_dir = {org.agent / 'ssl'}\n")
    assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202
    local.type(code_in(local.hear()))
    assert answered(local, "/local/pin", {"sha256": org.server_fp}).status == 200
    local.login()
    assert local.unlock().status == 200
    kit = local.ask("POST", "/local/prepare", {"what": "kit", "uses": 1, "seconds": 3600})
    assert kit.status == 200 and {"label": "Its certificate", "value": org.server_fp} in kit.json["lines"], kit.body
    assert local.ask("POST", "/local/commit", {"id": kit.json["id"]}).status == 202
    local.type(code_in(local.hear()))
    made = answered(local, "/local/commit", {"id": kit.json["id"]})
    assert made.json["state"] == "done" and org.server_fp in made.json["kit"], made.body
    local.stop()


def test_the_first_time_with_nothing_at_all(org):
    """Neither configuration nor key: what is to be done is said at each step, and what was confirmed is remembered."""
    home = org.base / "newcomer"
    home.mkdir()
    console = lambda *argv, ok=False: run("env", f"HOME={home}", BIN / "waptconsole", *argv, ok=ok).text
    assert "Give --server https://SERVER" in console()
    for wrong in ("x", "http://127.0.0.1", "ftp://x", "https://", "https://x:99999", "https://user@x"):
        for argv in (("open",), ("hosts",)):
            assert "https://SERVER is" in console(*argv, "--server", wrong), wrong  # nobody is asked for a password first
    assert "create-keycert" in console("keys", ok=True)
    assert "pinentry = none" in console("open", "--server", org.url, "--pinentry", "/nonexistent")
    local = Terminal(org, "newcomer", argv=["--server", org.url])
    assert "open this link in a browser on this machine" in local.shown
    assert local.state()["server"]["state"] == "pin" and local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202
    local.type(code_in(local.hear()))
    assert answered(local, "/local/pin", {"sha256": org.server_fp}).status == 200
    local.login()
    a = local.ask("POST", "/local/prepare", {"what": "actions", "kind": "update", "hosts": [org.uuid], "valid_s": 600})
    assert a.code == "config" and "make one in the page Keys" in a.json["error"]["message"]
    a = local.ask("POST", "/local/keys/new", {"name": "Ada", "password": "long enough", "kind": "p-256", "days": 400})
    assert a.json["file"] == str(home / ".config/wapt/private/Ada.pem"), a.body
    local.stop()
    config = home / ".config/wapt/waptconsole.ini"
    assert f"wapt_server = {org.url}\n" in config.read_text() and f"server_fingerprint = {org.server_fp}\n" in config.read_text() and config.stat().st_mode & 0o777 == 0o600
    local = Terminal(org, "newcomer", argv=[])
    assert local.state()["server"]["state"] == "login" and [k["name"] for k in local.state()["keys"]] == ["Ada"]
    local.stop()
    # Where another server is configured, that stays.
    config.write_text("[global]\nwapt_server = https://other.example.org\n")
    local = Terminal(org, "newcomer", argv=["--server", org.url])
    assert local.ask("POST", "/local/pin", {"sha256": org.server_fp}).status == 202
    local.type(code_in(local.hear()))
    assert answered(local, "/local/pin", {"sha256": org.server_fp}).status == 200 and local.state()["server"]["state"] == "login"
    local.stop()
    assert config.read_text() == "[global]\nwapt_server = https://other.example.org\n"


@pytest.mark.parametrize("days, says", [((-10, -1), "expired on"), ((5, 10), "check this machine's clock")])
def test_a_certificate_of_another_time_is_not_kept(org, days, says):
    """It would not be trusted then, either: nobody is asked in vain."""
    with Elsewhen(*days) as server:
        local = Terminal(org, f"elsewhen{days[0]}", argv=["--server", server.url])
        shown = local.ask("GET", "/local/pin").json
        assert says in shown["reason"] and shown["sha256"] == server.fingerprint
        a = local.ask("POST", "/local/pin", {"sha256": server.fingerprint})
        assert (a.status, a.code) == (403, "refused") and says in a.json["error"]["message"], a.body
        local.stop()


def test_a_key_lies_beside_its_certificate(org):
    """Also one by which somebody logs in: it is found, and then the server decides."""
    server = ("--server", org.url, "--server-fingerprint", org.server_fp)
    out = run(BIN / "waptconsole", "hosts", *server, "--client-certificate", org.cert("Stranger"), "--client-key-passwd", org.base / "pw", ok=False)
    assert "the server refuses" in out.text and "private key" not in out.text, out.text


def test_without_a_terminal_nothing_big_is_signed(org):
    local = Local(org, "blind", more=("--confirm-above", "0"))
    local.open()
    assert local.state()["confirm"]["method"] == "none"
    local.login()
    local.unlock()
    p = local.ask("POST", "/local/prepare", {"what": "actions", "kind": "update", "hosts": [org.uuid]}).json
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).code == "denied"
    local.stop()


def test_a_program_that_nobody_asks_ends(org):
    p = start(org, "idle", "idle", "--server", org.url, "--no-browser", "--link-file", org.base / "idle.link", "--idle", "1s")
    assert p.wait(PATIENCE) == 0 and "site.idle" in (org.base / "idle.log").read_text()


class Elsewhen(http.server.ThreadingHTTPServer):
    """A server whose certificate is good from one day to another, counted from today."""

    def __init__(self, begins, ends):
        super().__init__(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        key, name, today = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder(name, name, key.public_key(), 7, today + datetime.timedelta(begins), today + datetime.timedelta(ends)).sign(key, hashes.SHA256())
        self.url, self.fingerprint = f"https://localhost:{self.server_address[1]}", made.fingerprint(hashes.SHA256()).hex()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as f:
            f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM))
            f.flush()
            context.load_cert_chain(f.name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


CODE = r"To do this, type (\d{4}):"


class Pinentry:
    """A program whose questions a real pinentry asks, on a terminal of its own, which nobody else reads."""

    def __init__(self, org, name, program):
        self.master, self.slave = pty.openpty()
        self.seen = ""
        wrapper = org.base / f"{name}.sh"  # where it asks: here and not where the program was started, as a window would
        wrapper.write_text(f"#!/bin/sh\nexec {program} --ttyname {os.ttyname(self.slave)} --ttytype xterm\n")
        wrapper.chmod(0o755)
        self.local = Local(org, name, more=("--confirm-above", "0", "--pinentry", wrapper))
        self.local.open()

    def read(self, pattern):
        """What is shown up to that, each time from where the last left off; and the match."""
        end = time.monotonic() + PATIENCE
        while not (m := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        text, self.seen = self.seen[:m.end()], self.seen[m.end():]
        return text, m

    def answer(self, text):
        os.write(self.master, f"{text}\r".encode())

    def close(self):
        self.local.stop()
        os.close(self.master)
        os.close(self.slave)


@pytest.mark.parametrize("program", ["pinentry-tty", "pinentry-curses"])
def test_a_pinentry_asks_in_place_of_the_page(org, program):
    pin = Pinentry(org, program, f"/usr/bin/{program}")
    local, password = pin.local, (org.base / "pw").read_text().strip()
    try:
        local.login()
        key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
        assert local.state()["confirm"]["method"] == "pinentry"
        # The page may not have the password at all; it is asked for, again where it was mistyped.
        assert local.unlock().code == "invalid"
        ask = {"id": key["id"], "seconds": 600}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for typed, status in ((("wrong", "wrong", "wrong"), 403), (("wrong", password), 200)):
                unlocked = pool.submit(local.ask, "POST", "/local/keys/unlock", ask)
                for one in typed:
                    pin.read("Passphrase")
                    pin.answer(one)
                assert unlocked.result().status == status, unlocked.result().body
            assert password.encode() not in unlocked.result().body and password not in local.log.read_text()
            # What is signed is confirmed by the code that only the terminal shows.
            wish = {"what": "actions", "kind": "install", "packages": ["tis-\u202egpj"], "hosts": [org.uuid], "valid_s": 600}
            for is_yes in (False, True):
                p = local.ask("POST", "/local/prepare", wish).json
                assert p["needs"] == "gesture"
                assert local.ask("POST", "/local/commit", {"id": p["id"]}).json == {"state": "gesture", "method": "pinentry"}
                text, m = pin.read(CODE)
                code = m[1]
                assert "install" in text and "\u202e" not in text
                assert local.ask("POST", "/local/keys/unlock", ask).code == "busy"  # one question at a time
                pin.answer(code if is_yes else f"{(int(code) + 1) % 10000:04d}")
                a = answered(local, "/local/commit", {"id": p["id"]})
                assert a.json["state"] == "done" if is_yes else a.code == "cancelled", a.body
            # All of what is long is shown, in one window after the other, before anybody can say yes to it.
            p = local.ask("POST", "/local/prepare", {**wish, "packages": [f"tis-{i}-" + "x" * 240 for i in range(5)]}).json  # more than a screen's rows, too
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            seen, windows = "", 1
            while not (m := re.search(CODE, seen)):
                text, m = pin.read(f"\\.\\.\\.|{CODE}")
                seen += text
                if not re.search(CODE, text):
                    os.write(pin.master, b"o" if program == "pinentry-tty" else b"\r")
                    windows += 1
            assert windows > 1 and all(last in seen for last in ("tis-4-", "Not after", "Machines")), seen
            pin.answer(m[1])
            a = answered(local, "/local/commit", {"id": p["id"]})
            assert a.status == 200 and a.json["state"] == "done", (a.body, seen)
            # A page that goes takes its question along; so does the end of the program.
            p = local.ask("POST", "/local/prepare", wish).json
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            pin.read(CODE)
            assert local.ask("DELETE", f"/local/prepare/{p['id']}").status == 200

            def unlock_at_last():
                """Busy for the moment that a pinentry takes to end."""
                end = time.monotonic() + PATIENCE
                while (a := local.ask("POST", "/local/keys/unlock", ask)).status != 200 and a.code == "busy" and time.monotonic() < end:
                    time.sleep(0.05)
                return a

            unlocked = pool.submit(unlock_at_last)
            pin.read("Passphrase")
            pin.answer(password)
            assert unlocked.result().status == 200
            p = local.ask("POST", "/local/prepare", wish).json
            assert local.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
            pin.read(CODE)
    finally:
        children = below(local.process.pid)
        pin.close()
    assert len(children) == 5  # prompter and pinentry, the process that reads, its keeper and the keeper's heir
    until(lambda: not any(os.path.exists(f"/proc/{c}/exe") for c in children), "nothing of it is left")


def test_a_pinentry_asks_for_both_passwords_of_a_key(org):
    pin = Pinentry(org, "changing", "/usr/bin/pinentry-tty")
    local, password, path = pin.local, (org.base / "pw").read_text().strip(), org.base / "keys/Stranger.pem"
    whole = path.read_bytes()
    ask = {"id": next(k for k in local.state()["keys"] if k["name"] == "Stranger")["id"]}
    change = lambda **more: local.ask("POST", "/local/keys/password", {**ask, **more})
    assert change(old=password, password="by the page").code == "invalid"  # which is not to have it
    stories = [((("Old", "wrong"), ("Old", "wrong"), ("Old", "wrong")), "denied"),
               ((("Old", password), *(("New", "seven77"),) * 3), "invalid"),
               ((("Old", "wrong"), ("Old", password), ("New", "seven77"), ("New", "long enough"), ("Once more", "other than that"), ("New", "long enough"), ("Once more", "long enough")), None),
               ((("Old", "long enough"), ("New", password), ("Once more", password)), None)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for typed, code in stories:
            answer = pool.submit(change)
            for prompt, text in typed:
                pin.read(prompt)
                pin.answer(text)
            a = answer.result()
            assert (a.status == 200) if code is None else (a.code == code and path.read_bytes() == whole), (typed, a.body)
            whole = path.read_bytes()
    log = local.log.read_text()
    assert "long enough" not in log and password not in log and run(BIN / "waptconsole", "key-export", "-k", org.cert("Stranger"), "-w", org.base / "pw", "--new-passwd", org.base / "pw", "-o", org.base / "x.p12")
    pin.close()


def test_a_pinentry_that_does_not_work_is_none(org):
    local = Local(org, "nopin", more=("--confirm-above", "0", "--pinentry", "/bin/false"))
    try:
        local.open()
        local.login()
        key = next(k for k in local.state()["keys"] if k["name"] == "Deployer")
        assert local.ask("POST", "/local/keys/unlock", {"id": key["id"], "seconds": 600}).code == "unreachable"
        assert local.state()["confirm"]["method"] == "none" and "console.pinentry" in local.log.read_text()
        assert local.unlock().status == 200  # in the page, as without one
    finally:
        local.stop()
    p = start(org, "nopin-at-all", "nopin", "--server", org.url, "--pinentry", "pinentry")
    assert p.wait(PATIENCE) == 2 and "path of a program" in (org.base / "nopin-at-all.log").read_text()
