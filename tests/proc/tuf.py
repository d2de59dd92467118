"""A repository with root, published list and timestamp, made by hand (docs/formats/repository-metadata.md), and a machine that trusts it.

None of our programs makes it: what a test wants to be wrong is passed as a change to the one thing that it changes. The machine is
the real agent, started for one command at a time, over real HTTP.
"""
import base64
import hashlib
import json
import shutil
import subprocess
import time
import uuid
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import BIN, PATIENCE, account, environment, manager, run, until
from forge import Owner, archive, entries, index, index_block, key, members, package
from hostile import Hostile, seal

HOUR, DAY = 3600, 86400
ALL = ["*"]


def person(name, **kw):
    return Owner(name, private=key(name), **kw)


ALICE, BOB, CAROL = (person(n, code=False) for n in ("Alice", "Bob", "Carol"))
PUBLISHER, DEPLOYER, STRANGER = person("Publisher"), person("Deployer", code=False), person("Outsider")


class Online:
    """A timestamp key, as the server has it."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.fingerprint = hashlib.sha256(self.public.encode()).hexdigest()

    def sign(self, data):
        return base64.b64decode(seal(data.decode(), self.private)["signature"])


def pem(owner):
    return owner.cert.public_bytes(serialization.Encoding.PEM).decode()


def document(text, *owners):
    text = text if isinstance(text, str) else json.dumps(text)
    signatures = [{"signer": o.fingerprint, "signature": base64.b64encode(o.sign(text.encode())).decode()} for o in owners]
    return json.dumps({"signed": text, "signatures": signatures}).encode()


def file_of(data):
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def signer(owner, **more):
    return dict({"certificate": pem(owner), "sections": ALL, "prefixes": ALL, "code": True, "publish": True, "actions": ALL, "groups": ALL, "units": []}, **more)


class Repository:
    """Its files, by name, as a client finds them."""

    def __init__(self):
        self.name, self.online = uuid.uuid4().hex, Online()
        self.files, self.packages, self.blocks = {}, {}, {}
        self.version, self.roots = 0, 0
        self.signers = [signer(PUBLISHER), signer(DEPLOYER, prefixes=["grp-"], code=False, publish=False, actions=[])]
        self.root()

    # --- documents ---

    def head(self, purpose, **more):
        now = int(time.time())
        return dict({"purpose": purpose, "format": 1, "repository": self.name, "issued": now - HOUR, "expires": now + DAY}, **more)

    def root(self, by=(ALICE, BOB), put=True, **more):
        now = int(time.time())
        text = self.head("wapt-repo-root", **dict({
            "version": self.roots + 1, "expires": now + 300 * DAY, "threshold": 2, "administrators": [pem(o) for o in (ALICE, BOB, CAROL)],
            "signers": self.signers, "timestamp_keys": [self.online.public], "published_days": 30, "timestamp_hours": 48}, **more))
        made = document(text, *by)
        if put:
            self.roots = text["version"]
            self.files[f"{self.roots}.root.json"] = self.files["root.json"] = made
        return made

    def list(self, by=PUBLISHER, version=None, index_data=None, put=True, **more):
        """The list of what there is, and the index under its name."""
        data = self.files["Packages"] if index_data is None else index_data
        version = version or self.version + 1
        made = document(self.head("wapt-repo-published", **dict({
            "version": version, "index": file_of(data), "packages": {n: file_of(d) for n, d in self.packages.items()}, "revoked": []}, **more)), by)
        if put:
            self.version = version
            self.files[f"{version}.published.json"] = made
            self.files[f"{version}.Packages"] = data
        return made

    def stamp(self, by=None, version=None, data=None, put=True, **more):
        version = version or self.version
        data = self.files[f"{version}.published.json"] if data is None else data
        made = document(self.head("wapt-repo-timestamp", **dict({"published": dict(file_of(data), version=version)}, **more)), by or self.online)
        if put:
            self.files["timestamp.json"] = made
        return made

    # --- packages ---

    def add(self, name, version="1.0-1", by=PUBLISHER, files=None, listed=None, **attributes):
        """listed: other bytes than those of its file are what the index and the list describe."""
        file = f"{name}_{version}_all.wapt"
        parts = members(by, files=files, package=name, version=version, **attributes)
        data = package_of(parts)
        self.files[file] = data
        self.packages[file] = data if listed is None else listed
        self.blocks[file] = index_block(parts["WAPT/control"], file, self.packages[file])
        return file

    def index(self, *blocks, certs=(PUBLISHER, DEPLOYER)):
        self.files["Packages"] = index(list(blocks) or list(self.blocks.values()), [o.cert for o in certs])
        return self.files["Packages"]

    def publish(self, **more):
        self.index()
        self.list(**more)
        self.stamp()


def package_of(parts):
    return archive(entries(parts))


class Files(dict):
    """What a hostile server answers below /wapt/: files, and what a test puts there by path."""

    def __init__(self, repository):
        super().__init__()
        self.repository = repository

    def __contains__(self, path):
        return True

    def __getitem__(self, path):
        if dict.__contains__(self, path):
            return dict.__getitem__(self, path)
        data = self.repository.files.get(unquote(path.removeprefix("/wapt/")))
        return lambda handler, body: handler.reply(404, b"") if data is None else handler.reply(200, data)


class Machine:
    """Its service runs, or, without, each command starts what it needs. It has no root before begin()."""

    def __init__(self, base, service=False):
        account("wapt-agent")
        base.chmod(0o755)
        self.base, self.repository, self.service = base, None, None
        self.server = Hostile()
        (base / "agent/ssl").mkdir(parents=True)
        self.ini, self.uuid = base / "agent/wapt-get.ini", str(uuid.uuid4())
        self.mark = base / "mark"
        (base / "agent/ssl/trusted.crt").write_text(pem(PUBLISHER) + pem(STRANGER))
        self.configure()
        if service:
            self.start()

    def start(self):
        env = environment()
        with open(self.base / "service.log", "ab") as out:
            self.service = subprocess.Popen([BIN / "waptservice", "run", "--config", self.ini], stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env)
        until(lambda: manager(self.service, self.base / "agent"), "the service listens")

    def begin(self, root=True):
        """A new repository, whose root the administrator of the machine puts there; nothing is left of the last one."""
        self.repository = Repository()
        self.server.answers = Files(self.repository)
        self.server.heard.clear()
        for row in json.loads(self.get("list", "--json").stdout)["result"]:
            self.get("forget", row["package"])
        self.get("clean")
        self.mark.unlink(missing_ok=True)
        if root:
            self.give_root(self.repository.files["1.root.json"])
        return self

    def configure(self, more="", address=None):
        self.ini.write_text(f"[global]\nrepo_url = {address or self.server.url}/wapt\nuuid = {self.uuid}\nwaptupdate_task_period = 0\n{more}\n")

    def give_root(self, data):
        (self.base / "agent/root.json").write_bytes(data)

    def setup(self, text="installed"):
        """A setup.py that leaves a mark."""
        return {"setup.py": f"def install():\n    open({str(self.mark)!r}, 'a').write({text!r})\n\n\ndef uninstall():\n    pass\n\n\ndef audit():\n    return 'OK'\n".encode()}

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def refuses(self, *argv, says):
        got = self.get(*argv, ok=None)
        assert 0 < got.returncode < 64, got.text
        assert any(s in got.text for s in ([says] if isinstance(says, str) else says)), got.text
        return got

    @property
    def status(self):
        return json.loads(self.get("status", "--json").stdout)["result"]

    def sees(self):
        """Names and versions of what is available."""
        return {(r["package"], r["version"]) for r in json.loads(self.get("search", "--json").stdout)["result"]}

    def marks(self):
        return self.mark.read_text() if self.mark.exists() else ""

    def asked(self):
        """The paths that were asked for since the last time."""
        paths = [h[1] for h in self.server.heard]
        self.server.heard.clear()
        return paths

    def stop(self):
        if self.service is not None:
            self.service.terminate()
            try:
                self.service.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.service.kill()
                self.service.wait()
        self.server.stop()
        shutil.rmtree(self.base, ignore_errors=True)
