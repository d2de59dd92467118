"""A second factor in the pages of the real console: set up by who must, read from the QR code, used, lost and dropped by an administrator, ended by its owner."""
import contextlib
import json
import ssl
import urllib.error
import urllib.request

import pages
import pytest
from conftest import BIN, Organisation, organisation, run, totp  # of tests/proc
from seat import Seat


def elsewhere(org, password):
    """otto's session from another program: its token."""
    ask = urllib.request.Request(f"{org.url}/api/v1/session", json.dumps({"user": "otto", "password": password}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(ask, context=ssl._create_unverified_context()) as answer:
        return json.load(answer)["token"]


def lives(org, token):
    """Whether that session is one still."""
    try:
        urllib.request.urlopen(urllib.request.Request(f"{org.url}/api/v1/session", headers={"Authorization": f"Bearer {token}"}), context=ssl._create_unverified_context()).close()
        return True
    except urllib.error.HTTPError as e:
        assert e.code == 401, e.code
        return False


@pytest.fixture(scope="module")
def played():
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(Organisation, "OPTIONS", Organisation.OPTIONS + "certificate_login = 1\n")
        o = stack.enter_context(organisation())
        secret = (o.base / "admin.pw").read_text().strip()
        config = ("--config", o.base / "server/waptserver.ini")
        run(BIN / "waptserver", "user", "add", "paula", "--role", "readonly", "--password-file", o.base / "admin.pw", *config)
        run(BIN / "waptserver", "user", "need-second-factor", "paula", *config)
        run(BIN / "waptserver", "user", "add", "otto", "--role", "readonly", "--password-file", o.base / "admin.pw", *config)
        seat = Seat(o, "seat", who="Deployer")
        stack.callback(seat.end)
        yield pages.play("factor.mjs", {"totp": totp, "confirm": seat.yes, "elsewhere": lambda password: elsewhere(o, password), "lives": lambda token: lives(o, token)}, link=seat.link, password=secret, keyPassword=(o.base / "pw").read_text().strip(), deployer=o.cert("Deployer").read_text(),
                         developer=o.cert("Developer").read_text(), fingerprint=o.fingerprint(o.cert("Deployer")))


@pytest.mark.parametrize("name", pages.scenarios("factor.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
