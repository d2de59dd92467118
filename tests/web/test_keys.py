"""Keys, the root and a revocation in the pages of the real console, by somebody who sits at its terminal."""
import pages
import pytest
from conftest import organisation  # of tests/proc
from test_console_keys import Keys, csr


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        k = Keys(o)
        k.root("know", k.dir / "1.root.json", "--yes")
        o.console("upload", o.package("web-keys", "1", "Developer", o.base / "marker"), "--trusted", o.agent / "ssl")
        k.console("publish", "--known", k.known, "--send-root", k.dir / "1.root.json", *k.key("Alice"), "--yes")

        def sign_and_publish(document):
            path = o.base / "next.json"
            path.write_text(document)
            k.root("sign", path, "--yes", who="Bob")
            return k.root("publish", path).returncode == 0
        try:
            yield pages.play("keys.mjs", {"yes": k.yes, "signAndPublish": sign_and_publish, "developer": lambda: k.fp("Developer"),
                                          "deployerLabel": lambda: f"Deployer ({k.fp('Deployer')[:16]})"},
                             link=k.window(), keyPassword=(o.base / "pw").read_text().strip(), request=csr("Emil", ca=True)[1],
                             carol=o.cert("Carol").read_text(), tool="web-keys")
        finally:
            k.stop()


@pytest.mark.parametrize("name", pages.scenarios("keys.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
