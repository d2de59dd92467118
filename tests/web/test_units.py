"""The tree of organisational units beside the list of machines: web/tests/units.mjs, before a program that is not there."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("units.mjs")


@pytest.mark.parametrize("name", scenarios("units.mjs"))
def test_units(played, name):
    assert played[name] is None, played[name]
