"""A machine that is shut out, in the pages of the real console: its TLS certificate revoked, then the machine forgotten, with the machine's real agent."""
import pages
import pytest
from conftest import BIN, organisation, run, until  # of tests/proc
from local_program import Local
from test_f1a_certificates import identity, is_reachable, shown


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        p = Local(o, "machine")
        first, cert = identity(o, "first.pem")

        def another():
            """The machine has another certificate, by its own key, and is let in by it."""
            until(lambda: identity(o, "second.pem")[1] not in (None, cert), "the machine has another certificate")
            until(lambda: is_reachable(o), "the machine is back")
            return shown(o, o.base / "second.pem") == 200

        def refused(name):
            until(lambda: shown(o, o.base / name) == 0, "the certificate is refused")
            return True

        def registers(has_token):
            words = ["--token-file", o.token("--uses", "1", "--valid", "1h")] if has_token else []
            return o.get("register", *words, ok=None).returncode == 0

        def used_token():
            """The token of the machine's first registration, once more."""
            path = next(t for t in sorted(o.base.glob("token-*"), key=lambda t: t.stat().st_mtime))
            return run(BIN / "wapt-get", "-c", o.ini, "register", "--token-file", path, ok=None).returncode == 0

        def back():
            until(lambda: is_reachable(o), "the machine is back")
            return len(o.hosts()) == 1
        assert shown(o, first) == 200
        try:
            yield pages.play("machine.mjs", {"another": another, "refused": refused, "registers": registers, "usedToken": used_token, "back": back},
                             link=p.link_file.read_text(), password=(o.base / "admin.pw").read_text().strip(), uuid=o.uuid)
        finally:
            p.stop()


@pytest.mark.parametrize("name", pages.scenarios("machine.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
