"""The self-service's pages with a real agent, as a person of that machine sees them: web/tests/selfservice.mjs."""
import json
import subprocess

import pytest
from pages import BUILD, PATIENCE, ROOT, SCREENS, WORK, scenarios

NAMES = scenarios("selfservice.mjs")


@pytest.fixture(scope="module")
def played():
    SCREENS.mkdir(exist_ok=True)
    done = subprocess.run(["/usr/bin/python3", ROOT / "tests/web/selfservice.py", BUILD / "src/cmd", ROOT, WORK, SCREENS], capture_output=True, text=True, check=False,
                          timeout=PATIENCE * len(NAMES))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_selfservice(played, name):
    assert played[name] is None, played[name]
