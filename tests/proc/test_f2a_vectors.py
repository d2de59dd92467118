"""F2A on the packages of tests/vectors, with the real wapt-get verify: valid, tampered, edge, by each of their trusted directories.

`make vectors` asks the library the same and more; here the program's words, statuses and JSON are looked at.
"""
import datetime
import itertools
import json
import pathlib

import pytest
from conftest import BIN, ROOT, run

VECTORS = ROOT / "tests/vectors"
CASES = [c for c in json.loads((VECTORS / "expected.json").read_text(encoding="utf-8")) if c.get("trusted")]
SIGNED = max(c["attributes"]["signature_date"][:10] for c in CASES if "attributes" in c)
AT = str(datetime.date.fromisoformat(SIGNED) + datetime.timedelta(7))
BY_TRUST = {t: list(g) for t, g in itertools.groupby(sorted(CASES, key=lambda c: c["trusted"]), key=lambda c: c["trusted"])}
NAMES = {"archive", "control", "chain", "control-signature", "attributes", "manifest-signature", "code", "files"}


def verify(trusted, files, *more):
    """trusted: below the vectors. An empty directory is no configuration: then nothing is judged."""
    p = run(BIN / "wapt-get", "--json", "verify", "--at", AT, "--trusted", VECTORS / trusted, *more, *(VECTORS / f for f in files), ok=None)
    answer = json.loads(p.stdout)
    assert answer["ok"] == (p.returncode == 0), p.text
    return p, answer


@pytest.mark.parametrize("trusted", BY_TRUST)
def test_verdicts(trusted):
    cases = BY_TRUST[trusted]
    p, answer = verify(trusted, [c["file"] for c in cases])
    if not list((VECTORS / trusted).glob("*.crt")):
        assert p.returncode == 11 and "no certificate" in p.text and all(c["expected"] == "reject" for c in cases)
        return
    assert p.returncode == (0 if all(c["expected"] == "accept" for c in cases) else 4), p.text
    anchors = {a.read_bytes() for a in (VECTORS / trusted).glob("*.crt")}
    assert anchors
    for case, got in zip(cases, answer["result"], strict=True):
        assert pathlib.Path(got["file"]) == VECTORS / case["file"]
        if not case["must"]:
            continue
        assert got["good"] == (case["expected"] == "accept"), (case["file"], case["reason"], got)
        if not got["good"]:
            assert got["failed"] in NAMES and got["error"] and case["file"].rsplit("/", 1)[1] in got["error"], got
            continue
        want = case.get("attributes", {})
        assert got["failed"] is None and got["error"] is None
        assert got["signer"] == want.get("signer", got["signer"]) and got["package"] == want.get("package", got["package"])
        assert got["signer_fingerprint"] == want.get("signer_fingerprint", got["signer_fingerprint"])
        assert got["has_setup_py"] == case.get("has_setup_py", got["has_setup_py"])
        assert got["is_pinned"] == (got["anchor_fingerprint"] == got["signer_fingerprint"]) and not got["may_order"]
        assert got["may_sign_code"] or not got["has_setup_py"]


def test_each_alone_has_its_own_status():
    """Of one package the status says the verdict, and the text who signed and why that counts."""
    for name, trusted, status, says in (("valid/base-simple.wapt", "trust/main", 0, "trusted itself; may sign packages, code"),
                                        ("valid/base-ca-chain.wapt", "trust/ca_only", 0, "trusted by Example Root CA"),
                                        ("tampered/003-changed-one-byte.wapt", "trust/main", 4, "not good"),
                                        ("tampered/153-not-zip.wapt", "trust/main", 4, "not good")):
        p = run(BIN / "wapt-get", "verify", "--at", AT, "--trusted", VECTORS / trusted, VECTORS / name, ok=None)
        assert p.returncode == status and says in p.text, p.text


def test_the_day_counts():
    expired = next(c for c in CASES if c["file"].endswith("088-expired-selfsigned.wapt"))
    p, _ = verify(expired["trusted"], [expired["file"]])
    assert p.returncode == 4 and "expired" in p.text
    p = run(BIN / "wapt-get", "verify", "--at", "2026-13-01", "--trusted", VECTORS / "trust/main", VECTORS / expired["file"], ok=False)
    assert p.returncode == 2 and "is no date" in p.text


def test_who_may_order(tmp_path):
    """The configuration beside the trusted directory says so."""
    (tmp_path / "ssl").mkdir()
    (tmp_path / "ssl/admin.crt").write_bytes((VECTORS / "trust/admin_only/admin.crt").read_bytes())
    file = VECTORS / "valid/base-simple.wapt"

    def ask():
        p = run(BIN / "wapt-get", "--json", "verify", "--at", AT, "--trusted", tmp_path / "ssl", file)
        return json.loads(p.stdout)["result"][0]
    good = ask()
    assert good["may_order"] is False
    for signers, may in ((good["signer_fingerprint"].upper(), True), ("0" * 64, False), (f"x, {good['signer_fingerprint']}", True)):
        (tmp_path / "wapt-get.ini").write_text(f"[global]\n[actions]\nsigners = {signers}\n", encoding="ascii")
        assert ask()["may_order"] is may
    (tmp_path / "ssl/revoked.txt").write_text(good["signer_fingerprint"], encoding="ascii")
    p = run(BIN / "wapt-get", "verify", "--at", AT, "--trusted", tmp_path / "ssl", file, ok=False)
    assert p.returncode == 4 and "is revoked" in p.text
