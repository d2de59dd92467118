"""An organisation that has no root: from the front page to one that two administrators have signed, in the pages of the real console."""
import pages
import pytest
from conftest import organisation  # of tests/proc
from test_console_keys import Keys


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        k = Keys(o, has_root=False)

        def bob_signs(document):
            path = o.base / "half.json"
            path.write_text(document)
            k.root("sign", path, "--yes", who="Bob")
            return path.read_text()
        try:
            yield pages.play("root.mjs", {"yes": k.yes, "bobSigns": bob_signs, "served": lambda: (k.server_dir / "1.root.json").exists(),
                                          "published": lambda: (k.server_dir / "1.published.json").exists()},
                             link=k.window(), keyPassword=(o.base / "pw").read_text().strip(), bob=o.cert("Bob").read_text())
        finally:
            k.stop()


@pytest.mark.parametrize("name", pages.scenarios("root.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
