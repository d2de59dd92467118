"""F1A to F1E: who may be a machine, who the server is, what listens, what a machine may say, who asks locally."""
import base64
import contextlib
import datetime
import json
import pathlib
import subprocess
import time
import uuid as uuidlib

from conftest import BIN, end, run, until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID


def descendants(pid):
    out = [pid]
    for child in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split():
        out += descendants(int(child))
    return out


def test_f1a_token_that_is_used_up_expired_or_invented(org):
    other = org.base / "agent-2"
    ini = org.new_agent(other)
    service = org.start_agent("agent-2", ini)
    used = org.token("--uses", "1", "--valid", "1h")
    org.get("register", "--force", "--token-file", used)
    expired = org.token("--uses", "1", "--valid", "1s")
    time.sleep(2.5)
    invented = org.base / "invented"
    invented.write_text(used.read_text().strip()[:-6] + "aaaaaa\n")
    invented.chmod(0o600)
    for token in (used, expired, invented):
        run(BIN / "wapt-get", "-c", ini, "register", "--token-file", token, ok=False)
    end(service)


def test_f1a_who_has_registered_connects_once(org):
    """When all is kept that the connection shows; not before that, and then again."""
    for number in range(4):
        name = f"agent-once-{number}"
        ini = org.new_agent(org.base / name)
        ini.write_text(ini.read_text().replace("[global]", f"[global]\nuuid = {name}"))
        service = org.start_agent(name, ini)
        run(BIN / "wapt-get", "-c", ini, "register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        log = org.base / f"{name}.log"
        until(lambda: "state=welcome" in log.read_text(), "it is connected")
        for _ in range(3):  # the manager's clock ticks meanwhile
            run(BIN / "wapt-get", "-c", ini, "update-status")
        assert log.read_text().count("state=connecting") == 1, log.read_text()
        end(service)


def test_f1b_wrong_server_certificate(org):
    wrong = "0" * 64
    got = org.console("hosts", ok=False, fp=wrong)
    assert "fingerprint" in got.text.lower() or "certificate" in got.text.lower()


def test_f1c_agent_has_no_listening_port(org):
    listening = set()
    for table in ("tcp", "tcp6", "udp", "udp6", "raw"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            field = line.split()
            if table.startswith("tcp") and field[3] != "0A":
                continue
            listening.add(field[9])

    def sockets(pid):
        for fd in pathlib.Path("/proc").glob(f"{pid}/fd/*"):  # of none that has ended meanwhile
            with contextlib.suppress(OSError):
                target = fd.readlink().name
                if target.startswith("socket:["):
                    yield target[8:-1]

    server = {s for pid in descendants(org.processes[0].pid) for s in sockets(pid)}
    assert server & listening, "the method sees the server's port"
    agents = descendants(org.service.pid)
    assert len(agents) > 2
    assert not {s for pid in agents for s in sockets(pid)} & listening


def send(org, path, key, statement, source="127.0.0.1"):
    """Seals a statement with Python's cryptography, and posts it as an agent would."""
    text = json.dumps(statement)
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    body = json.dumps({"signed": text, "signature": base64.b64encode(signature).decode()})
    p = subprocess.run(["curl", "-sk", "--interface", source, "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "--data-binary", "@-", org.url + path],
                       input=body, capture_output=True, text=True, check=False)
    assert p.returncode == 0, f"curl: {p.returncode}: the server gave no answer"
    return int(p.stdout.rsplit("\n", 1)[1]), p.stdout


def machine_of_ours(uuid):
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uuid)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=99)).sign(key, hashes.SHA256()))
    return key, cert.public_bytes(serialization.Encoding.PEM).decode()


def registration(org, uuid, cert):
    return {"purpose": "wapt-register", "uuid": uuid, "seq": 1, "time": int(time.time()), "certificate": cert,
            "credential": {"kind": "token", "token": org.token("--uses", "1").read_text().strip()}}


def test_f1a_nobody_takes_over_a_registered_machine(org):
    key, cert = machine_of_ours(org.uuid)
    status, text = send(org, "/agent/v1/register", key, registration(org, org.uuid, cert))
    assert 400 <= status < 500, text


def test_f1a_nobody_learns_which_machines_there_are(org):
    """Whoever reaches the server asks for a machine that is there and for one that is not, by every way that needs no proof: the answers are the same, to the byte."""
    def asks(uuid, source):  # wrong credentials are counted by address
        key, cert = machine_of_ours(uuid)
        now = int(time.time())
        said = [("/agent/v1/register", {"purpose": "wapt-register", "seq": 1 << 40, "certificate": cert, "credential": {"kind": "key"}}),
                ("/agent/v1/register", {"purpose": "wapt-register", "seq": 1 << 40, "certificate": cert, "credential": {"kind": "token", "token": "guessed"}}),
                ("/agent/v1/report", {"purpose": "wapt-status", "seq": 1 << 40, "status_hashes": {}, "host_status": "OK"}),
                ("/agent/v1/report", {"purpose": "wapt-leave", "seq": 1 << 40})]
        return [send(org, path, key, {**statement, "uuid": uuid, "time": now}, source) for path, statement in said]
    there, nowhere = asks(org.uuid, "127.0.4.1"), asks(str(uuidlib.uuid4()), "127.0.4.2")
    assert there == nowhere
    assert {status for status, _ in there} == {401}, there
    log = (org.base / "server.log").read_text()
    assert f"another machine is registered as '{org.uuid}'" in log, "who keeps the server finds the reason"
    assert any(h["uuid"] == org.uuid for h in org.hosts())


def test_f1d_forged_and_replayed_inventory(org):
    uuid = str(uuidlib.uuid4())
    key, cert = machine_of_ours(uuid)
    status, text = send(org, "/agent/v1/register", key, registration(org, uuid, cert))
    assert status == 200, text
    stranger = rsa.generate_private_key(65537, 2048)
    good = {"purpose": "wapt-status", "uuid": uuid, "seq": 10, "time": int(time.time()), "host_status": "OK"}
    refused = [(stranger, good), (key, dict(good, time=good["time"] - 86400)), (key, dict(good, is_admin=True)),
               (key, dict(good, uuid=org.uuid)), (key, dict(good, purpose="wapt-hello"))]
    for signer, statement in refused:
        status, text = send(org, "/agent/v1/report", signer, statement)
        assert 400 <= status < 500, (statement, text)
    status, text = send(org, "/agent/v1/report", key, good)
    assert status == 200, text
    for replayed in (good, dict(good, seq=9)):
        status, text = send(org, "/agent/v1/report", key, replayed)
        assert 400 <= status < 500, text


def test_f1e_ordinary_user_decides_nothing(org):
    marker = org.base / "by-nobody"
    org.console("upload", org.package("f1e-wish", "1", "Developer", marker))
    org.get("update")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "HOME=/nonexistent", BIN / "wapt-get", "-c", org.ini]
    assert "f1e-wish" in run(*nobody, "search", "f1e").text
    for what in (["install", "f1e-wish"], ["remove", "f1e-wish"], ["register", "--force"]):
        run(*nobody, *what, ok=False)
    assert not marker.exists()
    for secret in ("private", "db"):
        for path in (org.agent / secret).rglob("*"):
            if path.is_file():
                assert run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "cat", path, ok=None).returncode != 0
