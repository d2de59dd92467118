"""What the local program and the server say to a page is in that page's language, whatever the programs were started in."""
import json
import os
import subprocess
import threading

import pytest
from conftest import BIN, free_port, until
from local_program import Local
from test_console_asks import Pinentry
from test_console_drop import Page
from test_server_hostile import Server, begin


class Speaking(Page):
    """A page that says its language with each call, as ours do."""

    language = "*"

    def ask(self, method, path, body=None, token=True, headers=()):
        return super().ask(method, path, body, token, {"Accept-Language": self.language, **dict(headers)})

    def says(self, language, method, path, body=None):
        self.language = language
        a = self.ask(method, path, body)
        assert a.status >= 400, a.body
        return a.json["error"]["message"]


@pytest.fixture(scope="module")
def page(org):
    p = Speaking(org, "language")
    yield p
    p.seat.end()


# What is asked wrongly: of the loop, of a thread, of the server's store and its processes, of the gate before anything is read.
WRONG = [("POST", "/local/prepare", {"what": "nonsense"}, "nothing of that kind is signed", "rien de cette sorte n'est signé"),
         ("POST", "/local/prepare", {"what": "actions", "kind": "install", "packages": ["x"], "hosts": ["0" * 8], "valid_s": 60}, "there is no", "il n'y a pas"),
         ("GET", "/api/v1/hosts/nobody", None, "there is no host 'nobody'", "il n'y a pas de poste 'nobody'"),
         ("GET", "/api/v1/hosts?limit=x", None, "'limit' takes a whole number", "'limit' prend un nombre entier"),
         ("POST", "/local/login", {"user": "admin", "password": "wrong"}, "user or password is wrong", "utilisateur ou mot de passe incorrect"),
         ("GET", "/local/nothing", None, "there is no such call", "il n'y a pas d'appel de ce nom"),
         ("GET", "/local/state?x=1", None, "this call takes no words", "cet appel ne prend aucun mot")]


@pytest.mark.parametrize("method, path, body, english, french", WRONG)
def test_an_error_is_in_the_language_of_the_page(page, method, path, body, english, french):
    for language, words in (("fr", french), ("en", english), ("FR-ca, en;q=0.5", french), ("de, en;q=0.5", english)):
        assert words in page.says(language, method, path, body), language


# What the server's other processes say: scan, report and trust, one after the other in two languages.
ELSEWHERE = [("GET", "/api/v1/packages?sort=nonsense", b"", "'sort' takes", "« sort » attend"),
             ("POST", "/api/v1/report-rows", {"query": "SELECT x FROM nowhere"}, "the report: ", "le rapport : "),
             ("DELETE", f"/api/v1/signers/{'0' * 64}", b"", "no such certificate is trusted here", "aucun certificat")]


def test_the_server_s_processes_follow(org):
    srv = Server.of(org)
    token = srv.token()

    def says(language, method, path, body=b""):
        status, text, _ = srv.call(method, path, body, token=token, headers=[f"Accept-Language: {language}"] if language else [])
        assert status >= 400, text
        return json.loads(text)["error"]["message"]

    for method, path, body, english, french in ELSEWHERE:
        for language, words in (("fr", french), ("en", english), ("fr-CA, en;q=0.5", french), (None, english), ("xx", english)):
            assert words in says(language, method, path, body), (path, language)
    for language, words in (("fr", "le paquet est refusé : pas une archive"), ("en", "not a ZIP archive"), ("fr", "le paquet est refusé : pas une archive")):  # a verdict, which is of one's own upload
        data = f"no package of {language}".encode()
        up = begin(srv, token, data, name="no-package_1_all.wapt")[1]
        assert srv.call("PUT", f"/api/v1/uploads/{up['id']}?offset=0", data, token=token)[0] == 200
        assert words in says(language, "POST", f"/api/v1/uploads/{up['id']}/finish", {})
        srv.call("DELETE", f"/api/v1/uploads/{up['id']}", token=token)


def test_a_header_of_no_language_of_ours_changes_nothing(page):
    asked = ("GET", "/api/v1/hosts/nobody")
    for known, words in (("fr", "il n'y a pas"), ("en", "there is no")):
        assert words in page.says(known, *asked)
        for odd in ("", "*", "xx", "frr", "f r", "fr;q=0", "../fr", "/tmp/fr", "fr\u00e9", ";q=1", ",,,", "%s%n", "xx-" * 2000):
            own = page.says(odd, "POST", "/local/prepare", {"what": "nonsense"})
            assert own == page.says(known, "POST", "/local/prepare", {"what": "nonsense"}), odd
            assert words in page.says(odd, *asked), odd
        # Whoever has no token chooses nothing for who has one.
        other = "en" if known == "fr" else "fr"
        assert page.ask("GET", "/local/state", token=False, headers={"Accept-Language": other}).code == "auth"
        assert page.ask("POST", "/local/session", {"ticket": "0" * 64}, token=False, headers={"Accept-Language": other}).code == "auth"
        assert words in page.says("*", *asked)


def test_the_process_that_reads_follows(page):
    for language, words in (("fr", "abîmé"), ("en", "damaged"), ("fr", "abîmé")):
        page.language = language
        one = page.drop(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + b"\0" * 5000, "bad.msi")
        assert words in page.says(language, "POST", "/local/make", {"files": [one]})
        assert page.ask("DELETE", f"/local/files/{one['id']}").status == 200


def test_findings_of_lint(page):
    made = page.ask("POST", "/local/make", {"files": []}).json["made"]
    for language, words in (("fr", "input() attend une réponse"), ("en", "input() waits for an answer"), ("fr", "input() attend une réponse")):
        page.language = language
        found = page.ask("POST", "/local/make", {"files": [], "made": {**made, "version": "x"}, "setup": "def install():\n    input()\n"}).json["findings"]
        assert [f["rule"] for f in found if words in f["text"]] == ["asks"] and any(("n'est pas" if language == "fr" else "is not") in f["text"] for f in found if f["rule"] == "version"), found


def test_what_is_composed_and_asked_at_the_terminal(page, org):
    for language, label, prompt, refused in (("fr", "Au plus tard", "Pour faire ceci, taper", "a dit non"), ("en", "Not after", "To do this, type", "said no")):
        page.language = language
        p = page.prepare(what="actions", kind="install", packages=["tis-x"], hosts=[org.uuid], valid_s=60).json
        assert label in [line["label"] for line in p["lines"]]
        p = page.prepare(what="kit", uses=1, seconds=60).json
        assert page.ask("POST", "/local/commit", {"id": p["id"]}).status == 202
        assert prompt in page.seat.hear(prompt.encode())
        os.write(page.seat.fd, b"x")
        until(lambda: page.ask("POST", "/local/commit", {"id": p["id"]}).status != 202, "the no is known")
        assert refused in page.says(language, "POST", "/local/commit", {"id": p["id"]})


def test_a_program_of_another_language(org):
    """Of a server that is not there: what is kept of that is worded anew."""
    local = Local(org, "french", server=f"https://127.0.0.1:{free_port()}", environment={"LANG": "fr_FR.UTF-8"})
    local.open()

    def told(language):
        return local.ask("GET", "/local/state", headers={"Accept-Language": language}).json

    try:
        for language, words in (("*", "connexion refusée"), ("en", "connection refused"), ("fr", "connexion refusée")):
            state = told(language)
            assert words in state["server"]["message"].lower() and state["language"] == "fr", state
    finally:
        local.stop()


@pytest.mark.parametrize("language, words", [("fr", "Phrase de passe.*Annuler"), ("en", "Passphrase.*Cancel")])
def test_a_pinentry_follows(org, language, words):
    pin = Pinentry(org, f"pinentry-{language}", "/usr/bin/pinentry-curses")
    try:
        key = next(k for k in pin.local.state()["keys"] if k["name"] == "Deployer")
        asking = threading.Thread(target=pin.local.ask, args=("POST", "/local/keys/unlock", {"id": key["id"], "seconds": 60}), kwargs={"headers": {"Accept-Language": language}})
        asking.start()
        pin.read(f"(?s){words}")
        pin.answer((org.base / "pw").read_text().strip())
        asking.join()
    finally:
        pin.close()


def test_a_command_has_the_server_speak_as_it_does(org):
    for lang, words in (("fr_FR.UTF-8", "il n'y a pas de poste 'nobody'"), ("C.UTF-8", "there is no host 'nobody'")):
        said = subprocess.run([BIN / "waptconsole", "host", "nobody", "--server", org.url, "--server-fingerprint", org.server_fp, "--password-file", org.base / "admin.pw"],
                              env={"LANG": lang, "PATH": os.environ["PATH"], "HOME": str(org.base)}, capture_output=True, text=True, check=False)
        assert said.returncode == 12 and words in said.stderr, said.stderr


def test_the_journal_knows_no_language_nor_do_calls_that_name_none(org):
    def told(*headers):
        return subprocess.run(["curl", "-sk", *headers, f"{org.url}/api/v1/hosts"], capture_output=True, text=True, check=True).stdout
    assert "ouvrez d'abord une session" in told("-H", "Accept-Language: fr") and "log in first" in told() and "log in first" in told("-H", "Accept-Language: en;q=0.1")
    journal = org.console("journal", "--json").stdout
    assert "login" in journal and journal.isascii(), journal
