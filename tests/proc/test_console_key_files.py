"""A key's password changed, a key exported for a browser and taken from somebody's PKCS#12 file: by commands and the page; what a kill leaves, and what is refused."""
import concurrent.futures
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile

import pytest
from conftest import BIN, run
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from local_program import Local, talk
from local_program import program as local  # noqa: F401
from tracer import Tracer

OLD, NEW = "the old password", "pässwort, the new one"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An authority and somebody below it, whose key has a password; nobody changes these."""
    d = tmp_path_factory.mktemp("made")
    (d / "old").write_text(OLD + "\n")
    (d / "new").write_text(NEW + "\n")
    (d / "short").write_text("seven77\n")
    keycert = [BIN / "wapt-get", "create-keycert", "--base-dir", d, "-w", d / "old", "--key-type", "p-256"]
    run(*keycert, "--common-name", "Authority", "--ca")
    run(*keycert, "--common-name", "Eva", "--client-auth", "--code-signing", "--ca-cert", d / "Authority.crt", "--ca-key", d / "Authority.pem", "--ca-key-passwd", d / "old")
    return d


@pytest.fixture
def key(made, tmp_path):
    """A key of one's own, to be changed."""
    (tmp_path / "keys").mkdir(mode=0o700)
    return pathlib.Path(shutil.copy(made / "Eva.pem", tmp_path / "keys/Eva.pem"))


def opens(path, password):
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password and password.encode())
    except (TypeError, ValueError):
        return None


def change(made, path, old="old", new="new", ok=True, **more):
    return run(BIN / "waptconsole", "key-password", path, "-w", made / old, "--new-passwd", made / new, ok=ok, **more)


def test_a_key_gets_another_password(made, key):
    before = opens(key, OLD).private_numbers()
    key.chmod(0o640)
    assert "copies of the file keep the old one" in change(made, key).text
    assert opens(key, NEW).private_numbers() == before and not opens(key, OLD) and not opens(key, None)
    assert key.stat().st_mode & 0o7777 == 0o600 and key.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    out = subprocess.run(["openssl", "asn1parse", "-in", key], check=True, capture_output=True, text=True).stdout
    assert "PBES2" in out and "aes-256-cbc" in out and ":0927C0" in out  # 600,000 rounds, as a new key has
    assert os.listdir(key.parent) == ["Eva.pem"]
    # One that is only read stays so; one without a password gets one.
    key.chmod(0o400)
    change(made, key, "new", "old")
    assert key.stat().st_mode & 0o7777 == 0o400 and opens(key, OLD)
    key.chmod(0o600)
    key.write_bytes(opens(key, OLD).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    assert "has a password now" in change(made, key).text and opens(key, NEW).private_numbers() == before
    # What it wrote signs.
    run(BIN / "waptconsole", "key-export", "-k", made / "Eva.crt", "--private-key", key, "-w", made / "new", "--new-passwd", made / "old", "-o", key.parent / "x.p12")


def test_what_is_no_key_of_ones_own_stays_as_it_is(made, key, tmp_path):
    whole = key.read_bytes()
    link, folder = tmp_path / "link.pem", tmp_path / "folder"
    link.symlink_to(key)
    folder.mkdir()
    two = tmp_path / "two.pem"
    two.write_bytes(whole + (made / "Eva.crt").read_bytes())
    big = tmp_path / "big.pem"
    big.write_bytes(whole + b"\n" * 70000)
    os.mkfifo(tmp_path / "fifo")
    cases = [(key, "new", "new", 6, "wrong passphrase"), (key, "old", "short", 10, "eight"), (key, "none", "new", 12, "none"), (link, "old", "new", 4, f"name the file itself, '{key}'"),
             (folder, "old", "new", 10, "no file"), (tmp_path / "fifo", "old", "new", 10, "no file"), (two, "old", "new", 4, "more than a private key"), (big, "old", "new", 15, "larger than"),
             (made / "Eva.crt", "old", "new", 10, "no private key"), (tmp_path / "absent", "old", "new", 12, "absent"),
             ("pkcs11:token=x;object=y", "old", "new", 2, "pkcs11-tool")]
    for path, old, new, status, says in cases:
        before = {p: p.read_bytes() for p in (key, two, big)}
        out = change(made, path, old, new, ok=False)
        assert (says if says != "eight" else "8 characters at least") in out.text and "changing the password of a key" in out.text, out.text
        assert out.returncode == status, (path, out.returncode)
        assert {p: p.read_bytes() for p in before} == before and link.is_symlink(), path
    # Without a terminal nobody can be asked, and that is said.
    out = run("setsid", BIN / "waptconsole", "key-password", key, ok=False)
    assert "--private-key-passwd FILE" in out.text and key.read_bytes() == whole
    if os.geteuid() == 0:
        os.chown(key, 65534, 65534)
        assert "another account" in change(made, key, ok=False).text and key.read_bytes() == whole and key.stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another account")
def test_who_may_not_write_there_changes_nothing(made, key, tmp_path):
    """Neither another local user, nor the owner of the key in a folder that is read only for him."""
    whole = key.read_bytes()
    for one in ("old", "new"):
        shutil.copy(made / one, tmp_path / one)
        (tmp_path / one).chmod(0o644)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    as_nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", BIN / "waptconsole", "key-password", key, "-w", tmp_path / "old", "--new-passwd", tmp_path / "new"]
    tmp_path.chmod(0o755)
    for mode, owner, says in ((0o755, 0, "another account"), (0o555, 65534, "Permission denied")):
        key.parent.chmod(mode)
        os.chown(key, owner, owner)
        out = run(*as_nobody, ok=False)
        assert says in out.text and key.read_bytes() == whole and os.listdir(key.parent) == ["Eva.pem"], out.text
    key.parent.chmod(0o700)
    assert run(*as_nobody, ok=False).returncode != 0 and key.read_bytes() == whole


def test_a_kill_leaves_the_old_or_the_new(made, key):
    """Before each change that it makes, killed there: the key is whole, under one of the two passwords, and no file has it without one."""
    argv = [BIN / "waptconsole", "key-password", key, "-w", made / "old", "--new-passwd", made / "new"]
    whole, steps, left = key.read_bytes(), [], set()
    environment = {"LANG": "C.UTF-8", "HOME": str(key.parent.parent)}
    assert Tracer(argv, environment, key.parent.parent, record=steps.append).run() == 0 and opens(key, NEW)
    assert {"write", "rename"} <= {step[0] for step in steps}, steps
    for at in range(1, len(steps) + 1):
        for other in key.parent.iterdir():
            other.unlink()
        key.write_bytes(whole)
        key.chmod(0o600)
        assert Tracer(argv, environment, key.parent.parent, at=at).run() is None, steps[at - 1]
        left.add("old" if opens(key, OLD) else "new")
        assert opens(key, OLD) or opens(key, NEW), steps[at - 1]
        for other in key.parent.iterdir():
            assert not opens(other, None) and other.stat().st_mode & 0o077 == 0, other
    assert left == {"old", "new"}
    change(made, key, "new", "old")


def test_what_somebody_changed_meanwhile_stays(made, key, tmp_path):
    """The new password comes by a pipe: between the look at the key and its writing there is time."""
    pipe, other = tmp_path / "pipe", key.read_bytes() + b"\n"
    os.mkfifo(pipe)
    p = subprocess.Popen([BIN / "waptconsole", "key-password", key, "-w", made / "old", "--new-passwd", pipe], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(pipe, "w") as new:  # it has come so far
        key.write_bytes(other)
        new.write(NEW + "\n")
    said = p.communicate(timeout=60)[0]
    assert p.returncode == 14 and "has just been changed by somebody else" in said and key.read_bytes() == other, said
    assert sorted(os.listdir(key.parent)) == ["Eva.pem"]


def test_it_is_typed_in_a_terminal(made, key):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BIN / "waptconsole", ["waptconsole", "key-password", str(key)], {"LANG": "C.UTF-8", "HOME": str(key.parent)})
    seen = ""
    for prompt, typed in (("Password of", OLD), ("New password of the key: ", NEW), (": ", NEW)):
        seen += talk(fd, prompt.encode())
        os.write(fd, f"{typed}\n".encode())
    seen += talk(fd, b"new password")
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 0 and opens(key, NEW) and OLD not in seen and NEW not in seen


# --- PKCS#12 ---

def test_a_browser_s_file_goes_out_and_comes_in(made, tmp_path):
    out = tmp_path / "eva.p12"
    export = [BIN / "waptconsole", "key-export", "-k", made / "Eva.crt", "-w", made / "old", "--new-passwd", made / "new", "-o", out]
    assert "8 characters" in run(*export[:-4], "--new-passwd", made / "short", "-o", out, ok=False).text and not out.exists()
    run(*export)
    assert out.stat().st_mode & 0o777 == 0o600
    key, cert, more = pkcs12.load_key_and_certificates(out.read_bytes(), NEW.encode())
    assert key.private_numbers() == opens(made / "Eva.pem", OLD).private_numbers() and cert == x509.load_pem_x509_certificate((made / "Eva.crt").read_bytes())
    assert [c.subject.rfc4514_string() for c in more] == ["CN=Authority"]
    shown = subprocess.run(["openssl", "pkcs12", "-in", out, "-passin", f"file:{made}/new", "-info", "-nokeys", "-nocerts"], check=True, capture_output=True, text=True).stderr
    assert "AES-256-CBC" in shown and "sha256" in shown and "RC2" not in shown
    assert "is there already" in run(*export, ok=False).text
    # And back, under a password of its own, beside what is there and never over it.
    take = [BIN / "waptconsole", "key-import", out, "-w", made / "new", "--new-passwd", made / "old", "--keys-dir", tmp_path / "taken"]
    run(*take)
    taken = tmp_path / "taken"
    assert opens(taken / "Eva.pem", OLD).private_numbers() == key.private_numbers() and (taken / "Eva.crt").read_text() == (made / "Eva.crt").read_text()
    assert (taken / "Eva.pem").stat().st_mode & 0o777 == 0o600 and taken.stat().st_mode & 0o777 == 0o700
    assert "--force" in run(*take, ok=False).text
    run(*take, "--name", "Other")
    run(*take, "--force", "--new-passwd", made / "new")
    assert (taken / "Other.pem").exists() and opens(taken / "Eva.pem", NEW)
    run(BIN / "waptconsole", "keys", "--keys-dir", taken)
    for more, says in ((("-w", made / "old"), "wrong password"), (("--new-passwd", made / "short", "--name", "x"), "8 characters")):
        assert says in run(*take, *more, ok=False).text
    assert not (taken / "x.pem").exists()


def test_hostile_files_are_refused(made, tmp_path):
    """The parser's own cases are in tests/unit/crypto/test_pkcs12.c."""
    good, taken = tmp_path / "good.p12", tmp_path / "taken"
    key, cert = opens(made / "Eva.pem", OLD), x509.load_pem_x509_certificate((made / "Eva.crt").read_bytes())
    good.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, cert, None, BestAvailableEncryption(NEW.encode())))
    whole = good.read_bytes()
    slow = tmp_path / "slow.p12"
    subprocess.run(["openssl", "pkcs12", "-export", "-nokeys", "-in", made / "Eva.crt", "-passout", f"file:{made}/new", "-out", slow], check=True, capture_output=True)
    for name, content, says in (("empty", b"", "no PKCS#12"), ("text", b"hello", "no PKCS#12"), ("cut", whole[:-1], "no PKCS#12"), ("longer", whole + b"\0", "no PKCS#12"), ("huge", whole + b"\0" * (256 << 10), "larger than"),
                                ("altered", whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], ""), ("pem", (made / "Eva.pem").read_bytes(), "no PKCS#12"), ("no-key", slow.read_bytes(), "no private key")):
        path = tmp_path / name
        path.write_bytes(content)
        out = run(BIN / "waptconsole", "key-import", path, "-w", made / "new", "--new-passwd", made / "old", "--keys-dir", taken, ok=False)
        assert says in out.text and "importing a key" in out.text and not taken.exists(), (name, out.text)
    run(BIN / "waptconsole", "key-import", good, "-w", made / "new", "--new-passwd", made / "old", "--keys-dir", taken)


# --- the page ---

def known(local, name):
    return next(k for k in local.state()["keys"] if k["name"] == name)


def test_the_page_changes_it(local, org):
    path, password = org.base / "keys/Deployer.pem", (org.base / "pw").read_text().strip()
    body = {"id": known(local, "Deployer")["id"], "old": password, "password": NEW}
    ask = lambda **more: local.ask("POST", "/local/keys/password", {**body, **more})
    whole = path.read_bytes()
    for wrong, code in (({"old": "wrong"}, "denied"), ({"old": ""}, "denied"), ({"password": "seven77"}, "invalid"), ({"id": "0" * 16}, "not_found"), ({"id": ""}, "not_found"), ({"more": 1}, "invalid"),
                        ({"password": "x" * 2000}, "limit"), ({"id": 1}, "invalid")):
        a = ask(**wrong)
        assert a.code in (code, "invalid") and path.read_bytes() == whole, (wrong, a.body)
    # Another site's page, another's token: nothing.
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Content-Type": "text/plain"}, {"Authorization": "Bearer " + "0" * 64}):
        assert local.ask("POST", "/local/keys/password", body, headers=headers).status in (400, 401, 403), headers
    assert path.read_bytes() == whole
    # Unlocked it stays unlocked, and signs; the next time it takes the new one.
    local.login()
    assert local.unlock().status == 200
    until = known(local, "Deployer")["unlocked_until"]
    a = ask()
    assert (a.status, a.json) == (200, {}), a.body
    assert known(local, "Deployer")["unlocked_until"] == until and opens(path, NEW) and not opens(path, password)
    p = local.ask("POST", "/local/prepare", {"what": "actions", "kind": "update", "hosts": [org.uuid], "valid_s": 600}).json
    assert local.ask("POST", "/local/commit", {"id": p["id"]}).json["state"] == "done"
    assert local.ask("POST", "/local/keys/lock", {}).status == 200
    assert local.unlock().code == "denied" and local.unlock(password=NEW).status == 200
    assert ask(old=NEW, password=password).status == 200 and opens(path, password)
    log = local.log.read_text()
    assert "console.key.password" in log and NEW not in log and password not in log


def test_two_pages_at_once(local, org):
    """One after the other, or refused: the file is whole."""
    path, password = org.base / "keys/Developer.pem", (org.base / "pw").read_text().strip()
    ask = lambda old, new: local.ask("POST", "/local/keys/password", {"id": known(local, "Developer")["id"], "old": old, "password": new})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: ask(password, f"password {n}"), range(4)))
    done = [n for n, a in enumerate(answers) if a.status == 200]
    assert len(done) == 1 and {a.code for a in answers if a.status != 200} <= {"busy", "denied"} and opens(path, f"password {done[0]}")
    assert ask(f"password {done[0]}", password).status == 200


@pytest.fixture
def elsewhere():
    """Not below what the program may write anyway, as /tmp is."""
    with tempfile.TemporaryDirectory(dir="/opt") as d:
        yield pathlib.Path(d)


def test_the_page_writes_nowhere_else(org, elsewhere):
    """A key that lies outside of the folder of keys, and one that is a link."""
    password = (org.base / "pw").read_text().strip()
    (elsewhere / "keys").mkdir()
    for name in ("Deployer.crt", "Deployer.pem"):
        shutil.copy(org.base / "keys" / name, elsewhere / name)
    shutil.copy(org.base / "keys/Developer.crt", elsewhere / "keys/Linked.crt")
    (elsewhere / "keys/Linked.pem").symlink_to(org.base / "keys/Developer.pem")
    p = Local(org, "elsewhere", more=("-k", elsewhere / "Deployer.crt", "--keys-dir", elsewhere / "keys"))
    p.open()
    before = [(elsewhere / "Deployer.pem").read_bytes(), (org.base / "keys/Developer.pem").read_bytes()]
    for name, says in (("Deployer", "waptconsole key-password"), ("Developer", "is a link")):
        a = p.ask("POST", "/local/keys/password", {"id": known(p, name)["id"], "old": password, "password": NEW})
        assert a.status in (403, 409) and says in a.json["error"]["message"], a.body
    assert before == [(elsewhere / "Deployer.pem").read_bytes(), (org.base / "keys/Developer.pem").read_bytes()]
    p.stop()
