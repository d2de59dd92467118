"""Every screen of the console, as a picture that people look at (build/screens), and found accessible: web/tests/pictures.mjs."""
import re

import pytest
from pages import ROOT, play

NAMES = re.findall(r"^export const (\w+)", (ROOT / "web/tests/pictures.mjs").read_text(encoding="utf-8"), re.M)


@pytest.fixture(scope="module")
def played():
    return play("pictures.mjs")


@pytest.mark.parametrize("name", NAMES)
def test_pictures(played, name):
    assert played[name] is None, played[name]
