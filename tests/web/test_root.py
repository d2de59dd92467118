"""An organisation that has no root: from the front page to one that two administrators have signed, in the pages of the real console."""
import os
import re
import subprocess

import pages
import pytest
from conftest import BIN, organisation, until  # of tests/proc
from test_console_keys import Keys
from test_console_local import talk


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        k = Keys(o, has_root=False)
        link = o.base / "root.link"
        subprocess.run([BIN / "waptconsole", "open", "--config", k.home / "waptconsole.ini", "--link-file", link, "--no-browser"], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, env={"HOME": str(k.home), "LANG": "C.UTF-8"})
        until(link.exists, "the link is there")

        def yes():
            text = talk(k.fd, k.pid, b"says no: ")
            os.write(k.fd, re.search(r"type (\d{4});", text)[1].encode())
            return text

        def bob_signs(document):
            path = o.base / "half.json"
            path.write_text(document)
            k.root("sign", path, "--yes", who="Bob")
            return path.read_text()
        try:
            yield pages.play("root.mjs", {"yes": yes, "bobSigns": bob_signs, "served": lambda: (k.server_dir / "1.root.json").exists(),
                                          "published": lambda: (k.server_dir / "1.published.json").exists()},
                             link=link.read_text(), keyPassword=(o.base / "pw").read_text().strip(), bob=o.cert("Bob").read_text())
        finally:
            k.stop()


@pytest.mark.parametrize("name", pages.scenarios("root.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
