"""What a machine does, in its page: web/tests/tasks.mjs, before a program that is not there."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("tasks.mjs")


@pytest.mark.parametrize("name", scenarios("tasks.mjs"))
def test_tasks(played, name):
    assert played[name] is None, played[name]
