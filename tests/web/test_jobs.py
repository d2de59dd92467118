"""What an administrator does on an ordinary day, step by step: web/tests/jobs.mjs, before a program that is not there."""
import pytest
from pages import play, scenarios


@pytest.fixture(scope="module")
def played():
    return play("jobs.mjs")


@pytest.mark.parametrize("name", scenarios("jobs.mjs"))
def test_jobs(played, name):
    assert played[name] is None, played[name]
