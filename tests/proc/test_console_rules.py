"""Rules of the console's local program that stand alone, each played against the real one: whose keys it opens, which certificate it keeps, what lasts."""
import datetime
import re
import shutil
import subprocess

import pytest
from conftest import PATIENCE
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from local_program import Local, local, program, start  # noqa: F401


def plain(org, name, to, mode):
    """A key of the organisation's without its password, beside its certificate, in a folder."""
    to.mkdir(exist_ok=True)
    shutil.copy(org.cert(name), to / f"{name}.crt")
    subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", org.cert(name).with_suffix(".pem"), "-passin", f"file:{org.base}/pw", "-out", to / f"{name}.pem"], check=True)
    (to / f"{name}.pem").chmod(mode)


@pytest.fixture(scope="module")
def odd(org):
    """A program with keys that it must not open, and with the fingerprint of another server."""
    folder = org.base / "odd-keys"
    plain(org, "Developer", folder, 0o640)
    shutil.copy(org.cert("Stranger"), folder / "Stranger.crt")
    shutil.copy(org.cert("Developer").with_suffix(".pem"), folder / "Stranger.pem")
    p = Local(org, "odd", fp="ab" * 32, more=("--keys-dir", folder))
    p.open()
    yield p
    p.stop()


def unlock(p, name):
    key = next(k for k in p.state()["keys"] if k["name"] == name)
    return p.ask("POST", "/local/keys/unlock", {"id": key["id"], "password": (p.org.base / "pw").read_text().strip(), "seconds": 60})


def test_a_key_that_others_can_read_is_nobodys(odd):
    a = unlock(odd, "Developer")
    assert a.code == "denied" and "others can read the private key" in a.json["error"]["message"], a.body
    (odd.org.base / "odd-keys/Developer.pem").chmod(0o600)
    assert unlock(odd, "Developer").status == 200
    assert odd.ask("POST", "/local/keys/lock", {}).status == 200


def test_a_key_of_another_certificate_is_not_opened(odd):
    a = unlock(odd, "Stranger")
    assert a.code == "config" and "does not belong" in a.json["error"]["message"], a.body
    assert all(k["unlocked_until"] == 0 for k in odd.state()["keys"])


def test_another_certificate_of_the_server_is_not_kept_by_a_page(odd):
    """Nobody is even asked: only who looks into it can tell whether somebody stands in between."""
    shown = odd.ask("GET", "/local/pin").json
    assert shown["changed"] and shown["was"] == "ab" * 32 and shown["sha256"] == odd.org.server_fp
    a = odd.ask("POST", "/local/pin", {"sha256": odd.org.server_fp})
    assert a.code == "refused" and "another certificate than the one that is kept" in a.json["error"]["message"], a.body
    assert odd.state()["server"]["state"] == "pin"
    assert odd.ask("POST", "/local/login", {"user": "admin", "password": (odd.org.base / "admin.pw").read_text().strip()}).code == "refused"


def for_servers():
    """A certificate that is for TLS servers alone."""
    key, name, today = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "eve")]), datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, today - datetime.timedelta(1), today + datetime.timedelta(9))
    made = made.add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=True).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_by_whom_somebody_logs_in_is_no_page_s_choice(local):
    """A certificate for logging in lasts: it is asked about outside the page, and there is nowhere to ask here."""
    assert local.unlock().status == 200
    for wish in ({"what": "own-certificate", "password": "wrong"},
                 {"what": "grant", "do": "user-drop-factor", "user": "admin"},
                 {"what": "grant", "do": "user-password", "user": "admin", "give": {"password": "of the page's choice"}},
                 {"what": "grant", "do": "own-password", "give": {"old": "x", "new": "of the page's choice"}}):
        a = local.ask("POST", "/local/prepare", wish)
        assert a.json["needs"] == "gesture", a.body
        assert local.ask("POST", "/local/commit", {"id": a.json["id"]}).code == "denied", wish
    a = local.ask("POST", "/local/prepare", {"what": "grant", "do": "user-certificate", "user": "admin", "give": {"certificate": for_servers()}})
    assert a.code == "refused" and "clientAuth" in a.json["error"]["message"], a.body
    for wrong in ("", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        assert local.ask("POST", "/local/prepare", {"what": "grant", "do": "user-certificate", "user": "admin", "give": {"certificate": wrong}}).code == "invalid", wrong


def test_a_machine_is_named_by_its_identifier_alone(local):
    """It becomes part of an address at the server."""
    assert local.unlock().status == 200
    for wrong in ("", "x&limit=1", "../users", "a?b=c", "a b", "%2e%2e", "*", local.org.uuid + "\n", None):
        for wish in ({"what": "actions", "kind": "update"}, {"what": "wake"}, {"what": "host-packages", "resign": True},
                     {"what": "rollout", "name": "x", "kind": "update", "plan": {"rings": [{"name": "all", "percent": 100}]}}):
            assert local.ask("POST", "/local/prepare", {**wish, "hosts": [wrong]}).code == "invalid", (wish, wrong)


def test_a_kit_has_its_bounds(local):
    for uses, seconds in ((0, 3600), (10001, 3600), (1, 59), (1, 7 * 86400 + 1), (-1, -1)):
        assert local.ask("POST", "/local/prepare", {"what": "kit", "uses": uses, "seconds": seconds}).code == "invalid", (uses, seconds)


def test_nobody_else_enters_where_a_second_start_finds_the_first(org, tmp_path):
    """What lies there would be asked for a link, and shown to the person."""
    place = tmp_path / "run/wapt"
    place.mkdir(parents=True)
    for mode in (0o755, 0o777, 0o1777, 0o710):
        place.chmod(mode)
        p = start(org, "entered", "entered", "--server", org.url, "--server-fingerprint", org.server_fp, "--link-file", tmp_path / "link", XDG_RUNTIME_DIR=tmp_path / "run")
        assert p.wait(PATIENCE) != 0 and not (tmp_path / "link").exists(), oct(mode)
    assert "others can enter" in (org.base / "entered.log").read_text()


def test_no_two_starts_have_one_address(org, tmp_path):
    """What a browser keeps for an address may come from another user who had its port, and who leaves no other port free."""
    seen = set()
    for i in range(3):
        p = Local(org, f"address-{i}")
        assert re.fullmatch(r"127\.\d+\.\d+\.\d+", p.address) and p.address != "127.0.0.1"
        assert p.ask("GET", "/").status == 200
        assert p.ask("GET", "/", headers={"Host": f"127.0.0.1:{p.port}"}).code == "denied"
        seen.add(p.address)
        p.stop()
    assert len(seen) == 3


def test_the_link_is_written_over_nothing_of_others(org, tmp_path):
    """A link that another user has laid is not followed."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "laid").symlink_to(victim)
    p = start(org, "laid", "laid", "--server", org.url, "--server-fingerprint", org.server_fp, "--link-file", tmp_path / "laid", "--no-browser", "--idle", "1s")
    assert p.wait(PATIENCE) == 14 and "is not a regular file" in (org.base / "laid.log").read_text()
    assert victim.read_text() == "mine" and (tmp_path / "laid").is_symlink()
