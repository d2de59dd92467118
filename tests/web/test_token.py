"""A key on a PKCS#11 token in the pages of the real console: SoftHSM, that can be pulled out and counts what is tried (tests/unit/crypto/token_fails.c)."""
import os
import subprocess

import pages
import pytest
from conftest import organisation  # of tests/proc
from local_program import Local

MODULE = pages.BUILD / "tests/unit/crypto/token_fails.so"
PIN = "card-of-a-person"  # nothing else in a log looks so


def make_token(org, home):
    """A token with the key of Deployer, and the environment in which it is found."""
    (home / "tokens").mkdir(parents=True)
    (home / "softhsm.conf").write_text(f"directories.tokendir = {home}/tokens\n")
    env = {"SOFTHSM2_CONF": str(home / "softhsm.conf")}

    def tool(*argv):
        subprocess.run(argv, env={**os.environ, **env}, check=True, capture_output=True)
    tool("softhsm2-util", "--init-token", "--free", "--label", "Card", "--so-pin", "0815", "--pin", PIN)
    tool("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", org.cert("Deployer").with_suffix(".pem"), "-passin", f"file:{org.base}/pw", "-out", home / "plain.pem")
    tool("softhsm2-util", "--import", home / "plain.pem", "--token", "Card", "--label", "mine", "--id", "01", "--pin", PIN)
    (home / "plain.pem").unlink()
    return env


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        home = o.base / "card"
        env = make_token(o, home)
        p = Local(o, "card", more=("--private-key", "pkcs11:token=Card;object=mine", "--pkcs11-module", MODULE),
                  environment={**env, "WA_TOKEN_GONE": str(home / "gone"), "WA_TOKEN_TELLS": "1"})
        does = {"tries": lambda: p.log.read_text().count("token: C_Login"), "pull": lambda: (home / "gone").write_text("x"), "plug": lambda: (home / "gone").unlink(),
                "told": lambda text: text in p.log.read_text()}
        try:
            yield pages.play("token.mjs", does, link=p.link_file.read_text(), password=(o.base / "admin.pw").read_text().strip(), pin=PIN)
        finally:
            p.stop()


@pytest.mark.parametrize("name", pages.scenarios("token.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
