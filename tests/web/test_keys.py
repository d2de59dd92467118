"""Keys, the root and a revocation in the pages of the real console, by somebody who sits at its terminal."""
import os
import re
import subprocess

import pages
import pytest
from conftest import BIN, organisation, until  # of tests/proc
from test_console_keys import Keys, csr
from test_console_local import talk


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        k = Keys(o)
        k.root("know", k.dir / "1.root.json", "--yes")
        o.console("upload", o.package("web-keys", "1", "Developer", o.base / "marker"), "--trusted", o.agent / "ssl")
        k.console("publish", "--known", k.known, "--send-root", k.dir / "1.root.json", *k.key("Alice"), "--yes")
        link = o.base / "keys.link"
        subprocess.run([BIN / "waptconsole", "open", "--config", k.home / "waptconsole.ini", "--link-file", link, "--no-browser"], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, env={"HOME": str(k.home), "LANG": "C.UTF-8"})  # another window of the program that runs
        until(link.exists, "the link is there")

        def yes():
            text = talk(k.fd, k.pid, b"says no: ")
            os.write(k.fd, re.search(r"type (\d{4});", text)[1].encode())
            return text

        def sign_and_publish(document):
            path = o.base / "next.json"
            path.write_text(document)
            k.root("sign", path, "--yes", who="Bob")
            return k.root("publish", path).returncode == 0
        try:
            yield pages.play("keys.mjs", {"yes": yes, "signAndPublish": sign_and_publish, "developer": lambda: k.fp("Developer"),
                                          "deployerLabel": lambda: f"Deployer ({k.fp('Deployer')[:16]})"},
                             link=link.read_text(), keyPassword=(o.base / "pw").read_text().strip(), request=csr("Emil", ca=True)[1],
                             carol=o.cert("Carol").read_text(), tool="web-keys")
        finally:
            k.stop()


@pytest.mark.parametrize("name", pages.scenarios("keys.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
