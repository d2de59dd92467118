"""Tables of the pages: how columns share room, and editing in them: web/tests/tables.mjs, before a program that is not there."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("tables.mjs")


@pytest.mark.parametrize("name", scenarios("tables.mjs"))
def test_tables(played, name):
    assert played[name] is None, played[name]
