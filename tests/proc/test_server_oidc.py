"""OpenID Connect on the real server: people log in at a real provider (the certified `oidc-provider`), and a lying one gets nobody in."""
import base64
import fcntl
import hashlib
import http.cookiejar
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from conftest import BIN, PATIENCE, ROOT, end, free_port, until
from test_server_hostile import Server
from test_server_people import private
from test_server_webhooks import certified

HERE = ROOT / "build/oidc"  # what npm installs stays there
ROLES = "wapt-admins:superadmin, paris:deployer:group=paris, helpers:helpdesk"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Login:
    """What a console keeps of one login."""

    def __init__(self):
        self.port, self.state, self.verifier = free_port(), b64(os.urandom(16)), b64(os.urandom(32))
        self.challenge = b64(hashlib.sha256(self.verifier.encode()).digest())
        self.nonce = b64(hashlib.sha256(f"nonce {self.challenge}".encode()).digest())

    def begin(self, srv):
        status, body, _ = srv.call("POST", "/api/v1/session/oidc/start", {"port": self.port, "state": self.state, "challenge": self.challenge})
        assert status == 200, body
        return json.loads(body)["url"]

    def finish(self, srv, code, source="127.0.0.1", **more):
        status, body, _ = srv.call("POST", "/api/v1/session/oidc", {"port": self.port, "code": code, "verifier": self.verifier, **more}, source=source)
        return status, json.loads(body)


class Stopped(urllib.request.HTTPRedirectHandler):
    """Follows redirects until they leave the provider."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if newurl.startswith("http:"):
            self.left_for = newurl
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def browse(url, cert, person):
    """A browser in which a person logs in and agrees: what it comes back to the console with."""
    stop = Stopped()
    context = ssl.create_default_context(cafile=cert)
    browser = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), stop)
    try:
        page = browser.open(url, timeout=PATIENCE)
        for form in ({"prompt": "login", "login": person, "password": "any"}, {"prompt": "consent"}):
            action = re.search(r'action="([^"]+)"', page.read().decode()).group(1)
            page = browser.open(urllib.parse.urljoin(page.url, action), urllib.parse.urlencode(form).encode(), timeout=PATIENCE)
    except urllib.error.HTTPError as e:
        assert e.code in (302, 303), re.findall("<pre>.*?</pre>", e.read().decode())
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(stop.left_for).query)), stop.left_for


class Provider:
    def __init__(self, base, tls):
        self.base, self.port = base, free_port()
        base.mkdir()
        self.issuer = f"https://127.0.0.1:{self.port}"
        native = {"redirect_uris": ["http://127.0.0.1/oidc"], "application_type": "native", "response_types": ["code"], "grant_types": ["authorization_code", "refresh_token"]}
        clients = [{"client_id": "wapt", "token_endpoint_auth_method": "none", **native},
                   {"client_id": "wapt:secret", "client_secret": "s%:+ ~=", "id_token_signed_response_alg": "ES256", **native}]
        people = {"anna": ["staff", "wapt-admins"], "bernd": ["paris"], "guest": ["staff"], "admin": ["wapt-admins"]}
        self.config = {"issuer": self.issuer, "port": self.port, "cert": str(tls.cert), "key": str(tls.cert.with_name("key.pem")), "clients": clients, "people": people}
        self.start()

    def start(self):
        """With new keys: as a provider that has changed them."""
        def jwk(kind, key):
            n = key.private_numbers()
            if kind == "RSA":
                parts = {"n": n.public_numbers.n, "e": n.public_numbers.e, "d": n.d, "p": n.p, "q": n.q, "dp": n.dmp1, "dq": n.dmq1, "qi": n.iqmp}
                return {"kty": "RSA", "use": "sig", **{k: b64(v.to_bytes((v.bit_length() + 7) // 8, "big")) for k, v in parts.items()}}
            parts = {"x": n.public_numbers.x, "y": n.public_numbers.y, "d": n.private_value}
            return {"kty": "EC", "crv": "P-256", "use": "sig", **{k: b64(v.to_bytes(32, "big")) for k, v in parts.items()}}

        self.config["jwks"] = {"keys": [jwk("RSA", rsa.generate_private_key(65537, 2048)), jwk("EC", ec.generate_private_key(ec.SECP256R1()))]}
        (self.base / "config.json").write_text(json.dumps(self.config))
        log = self.base / "provider.log"
        with open(log, "wb") as out:
            self.process = subprocess.Popen(["node", HERE / "provider.mjs", self.base / "config.json"], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        until(lambda: b"listening" in log.read_bytes(), "the provider listens")

    def stop(self):
        end(self.process)


def install():
    HERE.mkdir(parents=True, exist_ok=True)
    with open(HERE / "installing", "w", encoding="ascii") as one:  # file of tests beside another
        fcntl.flock(one, fcntl.LOCK_EX)
        install_alone()


def install_alone():
    lock = (ROOT / "tests/oidc/package-lock.json").read_bytes()
    if not (HERE / "package-lock.json").exists() or (HERE / "package-lock.json").read_bytes() != lock:
        shutil.copy(ROOT / "tests/oidc/package.json", HERE)
        shutil.copy(ROOT / "tests/oidc/package-lock.json", HERE / "npm-shrinkwrap.json")
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True, capture_output=True)
        (HERE / "package-lock.json").write_bytes(lock)  # last: it is whole
    shutil.copy(ROOT / "tests/oidc/provider.mjs", HERE / "provider.new")
    os.replace(HERE / "provider.new", HERE / "provider.mjs")


@pytest.fixture(scope="module")
def provider(org):
    install()
    p = Provider(org.base / "provider", certified(org.base / "provider-tls"))
    yield p
    p.stop()


@pytest.fixture(scope="module")
def srv(org, provider):
    s = Server(org, "server-oidc", f"fronts = 1\noidc_issuer = {provider.issuer}\noidc_client_id = wapt\noidc_login_roles = {ROLES}\nverify_cert_oidc = {provider.config['cert']}")
    yield s
    s.stop()


def log_in(srv, provider, person):
    login = Login()
    came, url = browse(login.begin(srv), provider.config["cert"], person)
    assert came["state"] == login.state and url.startswith(f"http://127.0.0.1:{login.port}/oidc?")
    return login, came


def test_people_of_the_provider(srv, provider):
    assert json.loads(srv.call("GET", "/api/v1/session/ways")[1])["oidc"] is True
    login, came = log_in(srv, provider, "anna")
    assert login.finish(srv, came["code"])[0] == 401, "without the issuer that this provider always tells"
    assert login.finish(srv, came["code"], iss="https://other.example.org")[0] == 401
    status, body = login.finish(srv, came["code"], iss=came["iss"])
    assert (status, body["user"], body["role"]) == (200, "anna", "superadmin"), body
    assert srv.call("GET", "/api/v1/users", token=body["token"])[0] == 200
    # A code counts once: the provider says so, and ends what it gave for it.
    assert login.finish(srv, came["code"], iss=came["iss"])[0] == 401
    login, came = log_in(srv, provider, "bernd")
    status, body = login.finish(srv, came["code"], iss=came["iss"])
    assert (status, body["user"], body["role"]) == (200, "bernd", "deployer")
    people = {p["name"]: p for p in json.loads(srv.call("GET", "/api/v1/users", token=srv.token())[1])["users"]}
    assert people["bernd"]["origin"] == "oidc" and people["anna"]["role"] == "superadmin"
    # Somebody in no group that counts; and a name that is kept here stays here.
    login, came = log_in(srv, provider, "guest")
    assert login.finish(srv, came["code"], iss=came["iss"])[0] == 403
    login, came = log_in(srv, provider, "admin")
    assert login.finish(srv, came["code"], iss=came["iss"])[0] == 409
    # A stolen code is worth nothing without the verifier that stayed with the console, nor for another's port.
    login, came = log_in(srv, provider, "anna")
    assert Login().finish(srv, came["code"], iss=came["iss"])[0] == 401


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


def test_the_console(srv, provider, org):
    """waptconsole --oidc: it shows an address, and waits for the browser to come back to it - with what it gave along, and nothing else."""
    p = subprocess.Popen([BIN / "waptconsole", "hosts", "--json", "--oidc", "--server", f"https://127.0.0.1:{srv.port}", "--server-fingerprint", org.fingerprint(srv.dir / "private/tls.crt")],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=dict(os.environ, LANG="C.UTF-8"))
    try:
        url = re.search(r"https://\S+", p.stderr.readline()).group()
        came, back = browse(url, provider.config["cert"], "anna")
        port = urllib.parse.urlsplit(back).port
        # What other pages and people of this machine may try: another state, none, another path, no HTTP, a body, silence.
        for other in ("/", "/oidc", f"/oidc?code={came['code']}", f"/oidc?state={came['state'][:-1]}x&code=evil", f"/other?state={came['state']}&code=evil"):
            assert status_of(f"http://127.0.0.1:{port}{other}")[0] == 404
        for raw in (b"\0" * 100, b"GET /oidc?" + b"a" * 100000, f"POST /oidc?state={came['state']}&code=evil HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".encode(), b""):
            with socket.create_connection(("127.0.0.1", port), 20) as s:
                try:
                    s.sendall(raw)
                    s.shutdown(socket.SHUT_WR)
                    s.recv(100)
                except OSError:
                    pass
        # Nor is another user answered, whatever he has learned.
        text = (f"import socket; s = socket.create_connection(('127.0.0.1', {port}), 20)\n"
                f"try: s.sendall(b'GET /oidc?state={came['state']}&code=evil HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); print(len(s.recv(100)))\nexcept ConnectionError: print(0)")
        stranger = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", "/usr/bin/python3", "-c", text], capture_output=True, text=True, timeout=60)
        assert stranger.stdout == "0\n", stranger
        status, page, headers = status_of(back)
        assert status == 200 and came["code"].encode() not in page and headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
        out, err = p.communicate(timeout=PATIENCE)
        assert p.returncode == 0 and json.loads(out)["result"] == [] and came["code"] not in err
    finally:
        p.kill()
        p.wait()
    assert '"anna"' in srv.log() or "user=anna" in srv.log()


def test_new_keys_and_another_client(org, srv, provider):
    """Keys that the provider has changed are fetched; a client with a secret, and ES256."""
    provider.stop()
    provider.start()
    login, came = log_in(srv, provider, "anna")
    status, body = login.finish(srv, came["code"], iss=came["iss"])
    assert status == 200, body
    srv.stop()
    secret = private(srv.dir / "private/oidc.secret", "s%:+ ~=")
    ini = srv.dir / "waptserver.ini"
    ini.write_text(ini.read_text().replace("oidc_client_id = wapt\n", f"oidc_client_id = wapt:secret\noidc_client_secret_file = {secret}\n"))
    srv.again()
    login, came = log_in(srv, provider, "anna")
    status, body = login.finish(srv, came["code"], iss=came["iss"])
    assert status == 200, body
    assert "s%:" not in srv.log() and came["code"] not in srv.log() and login.verifier not in srv.log()


# --- a provider that lies ---

class Liar(http.server.ThreadingHTTPServer):
    """Its description and keys are in order; its tokens are whatever a test wants."""

    def __init__(self, tls):
        self.keys = {"a": ec.generate_private_key(ec.SECP256R1()), "r": rsa.generate_private_key(65537, 2048)}
        self.published, self.answer, self.asked = dict(self.keys), (200, {}), []
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.say(200, liar.description() if "openid-configuration" in self.path else liar.jwks())

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                liar.asked.append((self.path, form))
                self.say(*(liar.answer(form) if callable(liar.answer) else liar.answer))

            def say(self, status, body):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.issuer = f"https://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass

    def description(self):
        return {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth?tenant=a", "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"]}

    def jwks(self):
        out = []
        for kid, key in self.published.items():
            n = key.public_key().public_numbers()
            if isinstance(key, ec.EllipticCurvePrivateKey):
                out.append({"kid": kid, "kty": "EC", "crv": "P-256", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))})
            else:
                out.append({"kid": kid, "kty": "RSA", "n": b64(n.n.to_bytes(256, "big")), "e": b64(n.e.to_bytes(3, "big"))})
        return {"keys": out}

    def token(self, login, key="a", head=None, sign=None, **claims):
        """A good one for this login, but for what is given; times are seconds from now."""
        claims = {"iss": self.issuer, "aud": "wapt", "sub": "1", "iat": 0, "exp": 60, "nonce": login.nonce, "preferred_username": "eve", "groups": ["wapt-admins"], **claims}
        claims = {k: v for k, v in claims.items() if v is not None}
        for when in {"iat", "exp", "nbf"} & {k for k, v in claims.items() if isinstance(v, int)}:
            claims[when] += int(time.time())
        head = {"alg": "ES256" if key == "a" else "RS256", "kid": key, **(head or {})}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{text}.{b64((sign or self.sign)(key, text.encode()))}"

    def sign(self, key, text):
        key = self.keys[key]
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def by_secret(self, _key, text):
        """HS256 with what everybody knows as the secret."""
        mac = hmac.HMAC(json.dumps(self.jwks()).encode(), hashes.SHA256())
        mac.update(text)
        return mac.finalize()


LIES = {  # times: seconds from now
    "nothing wrong": (200, {}),
    "nothing wrong, by RSA": (200, {"key": "r"}),
    "among several": (200, {"aud": ["wapt", "other"], "azp": "wapt"}),
    "the clocks differ a little": (200, {"iat": 30}),
    "another login's nonce": (401, {"nonce": b64(bytes(32))}),
    "no nonce": (401, {"nonce": None}),
    "another audience": (401, {"aud": "other"}),
    "another's, in a list": (401, {"aud": ["other"]}),
    "given to another": (401, {"azp": "other"}),
    "several, given to nobody": (401, {"aud": ["wapt", "other"]}),
    "no audience": (401, {"aud": None}),
    "another issuer": (401, {"iss": "https://other.example.org"}),
    "the issuer with a slash": (401, {"iss": "/"}),
    "expired": (401, {"exp": -3600}),
    "made long ago": (401, {"iat": -3600}),
    "made tomorrow": (401, {"iat": 86400}),
    "not yet": (401, {"nbf": 86400}),
    "no expiry": (401, {"exp": None}),
    "an expiry that is a text": (401, {"exp": "9999999999"}),
    "no subject": (401, {"sub": None}),
    "a name that can't be": (401, {"preferred_username": "../eve"}),
    "no name": (401, {"preferred_username": None}),
    "no groups": (403, {"groups": None}),
    "other groups": (403, {"groups": ["wapt-admin", "WAPT-ADMINS", "wapt-admins "]}),
    "alg none": (401, {"head": {"alg": "none"}, "sign": lambda _k, _t: b""}),
    "alg None": (401, {"head": {"alg": "None"}, "sign": lambda _k, _t: b""}),
    "HS256": (401, {"head": {"alg": "HS256"}, "sign": "by_secret"}),
    "RS256 said of ES256": (401, {"head": {"alg": "RS256"}}),
    "a signature of zeros": (401, {"sign": lambda _k, _t: bytes(64)}),
    "no signature": (401, {"sign": lambda _k, _t: b""}),
    "a short signature": (401, {"sign": lambda _k, _t: b"\1" * 63}),
    "critical extensions": (401, {"head": {"crit": ["exp"], "exp": 1}}),
    "another key of that name": (401, {"sign": "by_stranger"}),
    "a key that nobody has": (401, {"head": {"kid": "zz"}}),
    "a key in the head": (401, {"head": {"kid": "zz", "jwk": {"kty": "EC"}}}),
}


@pytest.fixture(scope="module")
def lied(org):
    tls = certified(org.base / "liar-tls")
    liar = Liar(tls)
    s = Server(org, "server-lied", f"fronts = 1\noidc_issuer = {liar.issuer}\noidc_client_id = wapt\noidc_login_roles = {ROLES}\nverify_cert_oidc = {tls.cert}")
    yield s, liar
    s.stop()
    liar.shutdown()
    liar.server_close()


def test_what_a_token_must_be(lied):
    srv, liar = lied
    login = Login()
    assert login.begin(srv).startswith(f"{liar.issuer}/auth?tenant=a&response_type=code&client_id=wapt&redirect_uri=http%3A%2F%2F127.0.0.1%3A{login.port}%2Foidc&scope=openid%20profile&")
    stranger = ec.generate_private_key(ec.SECP256R1())

    def by_stranger(_key, text):
        r, s = utils.decode_dss_signature(stranger.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    for number, (name, (status, lie)) in enumerate(LIES.items()):
        login, lie = Login(), dict(lie)
        if isinstance(lie.get("sign"), str):
            lie["sign"] = by_stranger if lie["sign"] == "by_stranger" else liar.by_secret
        if lie.get("iss") == "/":
            lie["iss"] = liar.issuer + "/"
        liar.answer = 200, {"id_token": liar.token(login, **lie)}
        got, body = login.finish(srv, "c", source=f"127.0.1.{number + 1}")
        assert got == status, (name, body)
        # What a good token proved is proved once, whatever the provider thinks of the code.
        if status == 200:
            assert login.finish(srv, "c", source=f"127.0.1.{number + 1}")[0] == 401, name


def test_what_a_provider_must_be(lied):
    srv, liar = lied
    login = Login()
    for n, answer in enumerate(((400, {"error": "invalid_grant"}), (200, {}), (200, b"<html>"), (200, {"id_token": 5}), (200, {"id_token": "a.b"}), (200, {"id_token": "." * 70000}),
                                (200, b" " * 300000), (302, {}))):
        liar.answer = answer
        assert login.finish(srv, "c", source=f"127.0.2.{n + 1}")[0] in (400, 401, 413, 422, 502, 503), answer
    # A name belongs to whom it was given first.
    for sub, status in (("1", 200), ("2", 409)):
        login = Login()
        liar.answer = 200, {"id_token": liar.token(login, sub=sub)}
        assert login.finish(srv, "c", source="127.0.2.20")[0] == status
    # Another issuer's code, where the browser says whose it is.
    liar.answer = 200, {"id_token": liar.token(login)}
    assert login.finish(srv, "c", iss="https://other.example.org", source="127.0.2.21")[0] == 401
    # Keys that were changed.
    liar.keys["a"] = ec.generate_private_key(ec.SECP256R1())
    liar.keys["b"], liar.published = liar.keys["a"], {"b": liar.keys["a"]}
    login = Login()
    liar.answer = 200, {"id_token": liar.token(login, key="b", head={"alg": "ES256"})}
    assert login.finish(srv, "c", source="127.0.2.22")[0] == 200
    liar.published = dict(liar.keys)
    # Guessing costs: an address that brings nothing but bad codes waits.
    liar.answer = 400, {"error": "invalid_grant"}
    got = [Login().finish(srv, "c", source="127.0.2.30")[0] for _ in range(6)]
    assert got == [401] * 5 + [429], got
    assert srv.children().keys() >= {"oidc"}


@pytest.mark.parametrize("body", (b"", b"[]", {"port": 0}, {"port": 80, "state": "short", "challenge": "x" * 43}, {"port": 80, "state": "x" * 16, "challenge": "x" * 42},
                                  {"port": 70000, "state": "x" * 16, "challenge": "x" * 43}, {"port": 80, "state": "x&y=" * 5, "challenge": "x" * 43},
                                  {"port": 80, "state": "x" * 16, "challenge": "x" * 43, "redirect_uri": "https://evil.example.org"}))
def test_what_a_console_may_ask(lied, body):
    assert lied[0].call("POST", "/api/v1/session/oidc/start", body)[0] == 400
