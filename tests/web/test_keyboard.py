"""The console's most common work by the keyboard alone: web/tests/keyboard.mjs, before a program that is not there."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("keyboard.mjs")


@pytest.mark.parametrize("name", scenarios("keyboard.mjs"))
def test_keyboard(played, name):
    assert played[name] is None, played[name]
