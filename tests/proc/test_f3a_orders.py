"""F3A: a machine carries out only orders that a listed signer signed; F2A: and only packages that a trusted one signed."""
import shutil

from conftest import BIN, run


def test_listed_signer_is_obeyed_and_others_are_not(org):
    marker = org.base / "obeyed"
    org.console("upload", org.package("f3a-good", "1", "Developer", marker))
    org.get("update")
    # Trusted for packages, but not listed for orders.
    refused = org.order("Developer", "install", "f3a-good", ok=False)
    assert "refus" in refused.text.lower()
    assert not marker.exists()
    # Not trusted at all.
    org.order("Stranger", "install", "f3a-good", ok=False)
    assert not marker.exists()
    # The same order by the right one: the refusals above were about the signer.
    org.order("Deployer", "install", "f3a-good")
    assert marker.read_text() == "1"


def test_strangers_package_is_refused_by_server_and_agent(org):
    marker = org.base / "strange"
    package = org.package("f2a-strange", "1", "Stranger", marker)
    org.console("upload", package, ok=False)
    # Who owns the server puts it there himself.
    repository = org.base / "server/repo/wapt"
    shutil.copy(package, repository)
    run(BIN / "wapt-scanpackages", repository, ok=None)
    org.get("update", ok=None)
    org.get("install", "f2a-strange", ok=False)
    assert not marker.exists()
    (repository / package.name).unlink()


def test_altered_package_is_refused(org):
    marker = org.base / "altered"
    package = org.package("f2a-altered", "1", "Developer", marker)
    org.console("upload", package)
    org.get("update")
    (published,) = [p for p in (org.base / "server/repo/wapt").rglob("*.wapt") if p.name == package.name]
    whole = published.read_bytes()
    at = whole.index(b"WAPT/control") // 2
    published.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    org.get("install", "f2a-altered", ok=False)
    assert not marker.exists()
    published.write_bytes(whole)
    org.get("install", "f2a-altered")
    assert marker.read_text() == "1"
