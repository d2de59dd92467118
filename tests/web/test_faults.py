"""What goes wrong around the pages, hostile machines, keys, accessibility: web/tests/faults.mjs, and pictures of every screen."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("faults.mjs")


@pytest.mark.parametrize("name", scenarios("faults.mjs"))
def test_fault(played, name):
    assert played[name] is None, played[name]
