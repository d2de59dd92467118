"""What administrators do with the list of machines, in the pages of the real console with a real agent: fields as columns, an upgrade and a roll-out that leave out what is in use, a description."""
import contextlib
import json

import pages
import pytest
from local_program import Local
from test_f3a_describe import own_etc
from test_f3a_in_use import PROGRAM, publish, running


@pytest.fixture(scope="module")
def played():
    with own_etc() as o, contextlib.ExitStack() as programs:
        publish(o, "1")
        o.get("update")
        o.order("Deployer", "install", "f3a-editor", "f3a-other")
        publish(o, "2")
        (host,) = json.loads(o.console("hosts", "--columns", "host_info.kernel_version", "--json").stdout)["result"]
        p = Local(o, "fleet")

        def edit():
            programs.enter_context(running(o))
            return PROGRAM

        def leave():
            programs.close()
            return True
        try:
            yield pages.play("fleet.mjs", {"edit": edit, "quit": leave}, link=p.link_file.read_text(), password=(o.base / "admin.pw").read_text().strip(),
                             keyPassword=(o.base / "pw").read_text().strip(), uuid=o.uuid, name=o.hosts()[0]["name"], kernel=host["values"][0])
        finally:
            p.stop()


@pytest.mark.parametrize("name", pages.scenarios("fleet.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
