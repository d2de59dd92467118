"""Servers that lie, stall or send what they should not, in Python. Each remembers all that it was told.

A Hostile server that owns the real one's keys can make messages that the real one refuses to make: it speaks the
formats of docs/formats itself, with Python's own cryptography.
"""
import base64
import contextlib
import datetime
import hashlib
import http.client
import http.server
import ipaddress
import json
import os
import queue
import select
import socket
import ssl
import struct
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PATIENCE = 90  # s, to wait for what must come


class Channel:
    """The server's end of an agent's WebSocket (RFC 6455); text messages only."""

    def __init__(self, stream_in, stream_out):
        self.stream_in, self.stream_out = stream_in, stream_out
        self.hello = None  # the agent's greeting
        self.ended = threading.Event()

    def read(self):
        """The next text, or None at the end."""
        while True:
            head = self.stream_in.read(2)
            if len(head) < 2:
                return None
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self.stream_in.read(2 if size == 126 else 8), "big")
            mask = self.stream_in.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.stream_in.read(size)))
            if head[0] & 15 == 8:
                return None
            if head[0] & 15 == 9:
                self.frame(10, data)
            elif head[0] & 15 == 1:
                return data.decode()

    def frame(self, opcode, data):
        size = len(data)
        if size > 65535:
            head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
        elif size > 125:
            head = struct.pack(">BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack(">BB", 0x80 | opcode, size)
        self.stream_out.write(head + data)
        self.stream_out.flush()

    def send(self, message):
        try:
            self.frame(1, (message if isinstance(message, str) else json.dumps(message)).encode())
        except (OSError, ValueError):
            pass  # the agent hung up in the middle of it; what is asked of it next tells whether it should have

    @property
    def nonce(self):
        return json.loads(self.hello["hello"]["signed"])["agent_nonce"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def setup(self):
        self.request.settimeout(PATIENCE)
        if self.server.owner.context is not None:
            self.request = self.server.owner.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body):
        owner = self.server.owner
        owner.heard.append((self.command, self.path, str(self.headers), body))
        path = self.path.split("?")[0]
        if path in owner.answers:
            owner.answers[path](self, body)
        elif path == "/agent/v1/push":
            self.push()
        elif owner.real is not None:
            self.pass_on(body)
        else:
            self.reply(404, b"")

    def reply(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, body):
        real = http.client.HTTPSConnection(self.server.owner.real_host, self.server.owner.real, context=ssl._create_unverified_context(), timeout=PATIENCE)
        session = {"Authorization": self.headers["Authorization"]} if "Authorization" in self.headers else {}
        real.request(self.command, self.path, body, {"Content-Type": "application/json", **session})
        answer = real.getresponse()
        status, content = answer.status, answer.read()
        if status == 403 and self.path.startswith("/wapt-host/"):  # it can't show the machine's certificate...
            own = self.server.owner.files and self.server.owner.files / self.path[1:]
            status, content = (200, own.read_bytes()) if own and own.exists() else (404, b"")  # ... and who owns a server has its files
        self.reply(status, content)
        real.close()

    def push(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        self.server.owner.serve_push(Channel(self.rfile, self.wfile))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        self.owner.broken.append(request)


class Hostile:
    """On a port of its own; its certificate can be changed while it runs. real: port of the server that it passes on to. files: that
    one's repository."""

    def __init__(self, cert=None, key=None, real=None, at=("127.0.0.1", 0), files=None):
        self.files = files
        self.real, self.real_host = real, "127.0.0.1"
        self.heard, self.broken, self.answers = [], [], {}
        self.channels = queue.Queue()
        self.context = None
        self.before_challenge = None
        self.clock_off = 0  # s
        self.open = []
        if cert is not None:
            self.use(cert, key)
        self.http = Server(at, Handler)
        self.http.owner = self
        self.port = self.http.server_port
        self.url = f"http{'s' if cert is not None else ''}://{at[0]}:{self.port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def use(self, cert, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.context = context

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def serve_push(self, channel):
        if self.before_challenge is not None:
            self.before_challenge(channel)
        channel.send({"type": "challenge", "nonce": os.urandom(32).hex(), "time": int(time.time()) + self.clock_off})
        text = channel.read()
        while text is not None and json.loads(text)["type"] != "hello":
            text = channel.read()
        if text is None:
            return
        channel.hello = json.loads(text)
        channel.send({"type": "welcome"})
        self.open.append(channel)
        self.channels.put(channel)
        while text is not None:
            text = channel.read()
        channel.ended.set()

    def hang_up(self):
        for channel in self.open:
            try:
                channel.frame(8, struct.pack(">H", 1001))
            except (OSError, ValueError):
                pass  # it went by itself
        self.open.clear()

    def channel(self):
        """The newest connection of an agent that has greeted."""
        while True:
            channel = self.channels.get(timeout=PATIENCE)
            if self.channels.empty() and not channel.ended.is_set():
                return channel


class Relay:
    """Passes bytes on to a server, and does to them what a bad line does."""

    def __init__(self, at, to):
        self.to, self.resets, self.cut_at, self.rate = to, False, None, None
        self.carried, self.connections, self.generation = [], 0, 0  # carried: bytes from the server, by connection
        self.passed, self.holds_at = 0, None  # bytes to the server; after so many it waits
        self.listener = socket.create_server(at)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.resets:
                self.reset(near)
            else:
                threading.Thread(target=self.carry, args=(near, self.generation), daemon=True).start()

    @staticmethod
    def reset(s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends RST
        s.close()

    def drop(self):
        """All that are open."""
        self.generation += 1

    def carry(self, near, generation):
        at = len(self.carried)
        self.carried.append(0)
        with contextlib.suppress(OSError), near, socket.create_connection(self.to) as far:
            while generation == self.generation:
                for source in select.select([near, far], [], [], 0.1)[0]:
                    data = source.recv(8192)
                    if not data:
                        return
                    if source is near:
                        while self.holds_at is not None and self.passed > self.holds_at and generation == self.generation:
                            time.sleep(0.02)
                        far.sendall(data)
                        self.passed += len(data)
                        continue
                    self.carried[at] += len(data)
                    if self.rate:
                        time.sleep(len(data) / self.rate)
                    if self.cut_at is not None and self.carried[at] > self.cut_at:
                        self.cut_at = None
                        return
                    near.sendall(data)
            self.reset(near)


# --- what only an owner of the keys can make ---

def load_key(path, password=None):
    return serialization.load_pem_private_key(path.read_bytes(), password)


def seal(text, key):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    else:
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return {"signed": text, "signature": base64.b64encode(signature).decode()}


def leaf(text):
    """Digest of a tree's only leaf, and so the tree's root."""
    return hashlib.sha256(b"\0" + text.encode()).hexdigest()


class Signer:
    """An administrator's key and certificate."""

    def __init__(self, org, name):
        self.pem = org.cert(name).read_text()
        self.key = load_key(org.cert(name).with_suffix(".pem"), (org.base / "pw").read_text().strip().encode())
        self.fingerprint = org.fingerprint(org.cert(name))


def action(machine, packages=None, kind="install", **changes):
    now = int(time.time())
    a = {"purpose": "wapt-action", "id": os.urandom(16).hex(), "action": kind, "uuid": machine, "issued_at": now, "not_before": now,
         "not_after": now + 3600, "force": False}
    if packages:
        a["packages"] = packages
    return dict(a, **changes)


def order(signer, text, **changes):
    batch = dict({"purpose": "wapt-action-batch", "root": leaf(text), "count": 1, "issued_at": int(time.time()), "signer": signer.fingerprint},
                 **changes.pop("batch", {}))
    return dict({"action": text, "index": 0, "proof": [], "batch": seal(json.dumps(batch), changes.pop("key", signer.key)), "chain": signer.pem},
                **changes)


def relay(key, text, uuid, nonce, at=None, batch_at=None, **changes):
    now = int(time.time())
    statement = json.dumps(dict({"purpose": "wapt-relay", "uuid": uuid, "nonce": nonce, "time": now if at is None else at,
                                 "action_sha256": hashlib.sha256(text.encode()).hexdigest()}, **changes))
    batch = {"purpose": "wapt-relay-batch", "root": leaf(statement), "count": 1, "time": now if batch_at is None else batch_at}
    return {"leaf": statement, "index": 0, "proof": [], "batch": seal(json.dumps(batch), key)}


def certificate(folder, name, days=99, san=None, by=None):
    """A certificate made by hand; by: the pair that issues it, else it issues itself. san None: an authority's. Returns (certificate, key)."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    issuer = (subject, key) if by is None else (x509.load_pem_x509_certificate(by[0].read_bytes()).subject, load_key(by[1]))
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0]).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=100))
            .not_valid_after(now + datetime.timedelta(days=days)).add_extension(x509.BasicConstraints(san is None, None), True))
    if san is not None:
        made = made.add_extension(x509.SubjectAlternativeName([san]), False)
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.sign(issuer[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("other.example")
