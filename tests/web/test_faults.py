"""What goes wrong around the pages: web/tests/faults.mjs; what holds of every page: everywhere.mjs."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("faults.mjs")


@pytest.mark.parametrize("name", scenarios("faults.mjs"))
def test_fault(played, name):
    assert played[name] is None, played[name]


@pytest.fixture(scope="module")
def everywhere():
    return play("everywhere.mjs")


@pytest.mark.parametrize("name", scenarios("everywhere.mjs"))
def test_everywhere(everywhere, name):
    assert everywhere[name] is None, everywhere[name]
