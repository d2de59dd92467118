"""The repository and the assignments in the real console: shown, reviewed, signed."""
import json
import zipfile

import pages
import pytest
from conftest import BIN, organisation, run, until  # of tests/proc


def build(o, name, more):
    src = o.base / "src" / f"{name}-web"
    (src / "WAPT").mkdir(parents=True)
    control = dict({"package": name, "version": "1.0-1", "architecture": "all", "section": "base", "priority": "optional", "maintainer": "Developer",
                    "description": "a package of the tests", "target_os": "all"}, **more)
    (src / "WAPT/control").write_text("".join(f"{k:18}: {v}\n" for k, v in control.items()), encoding="utf-8")
    return o.build(src, "Developer")


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        made = [build(o, "web-tool", {"maturity": "DEV"}), build(o, "web-needing", {"depends": "web-tool(>=1)"}), build(o, "web-plain", {}),
                build(o, "web-group", {"section": "group", "depends": "web-plain"})]
        o.console("upload", *made, "--trusted", o.agent / "ssl")
        ini = o.base / "console.ini"
        ini.write_text(f"[store]\nrepo_url = https://127.0.0.1:9/wapt\npublic_certs_dir = {o.agent}/ssl\n")
        link = o.base / "web.link"
        o.start("web", "waptconsole", "open", "-c", ini, "--server", o.url, "--server-fingerprint", o.server_fp, "-k", o.cert("Deployer"),
                "--trusted", o.agent / "ssl", "--no-browser", "--link-file", link)
        until(link.exists, "the link is there")

        def own():
            out = o.base / "own"
            out.mkdir(exist_ok=True)
            (row,) = json.loads(o.console("download", o.uuid, "--trusted", o.agent / "ssl", "-o", out, "--json").stdout)["result"]
            text = zipfile.ZipFile(row["file"]).read("WAPT/control").decode()
            return {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in text.splitlines())}
        run(BIN / "wapt-get", "-c", o.ini, "update")
        (host,) = o.hosts()
        return pages.play("repository.mjs", {"own": own}, link=link.read_text(), password=(o.base / "admin.pw").read_text().strip(),
                          keyPassword=(o.base / "pw").read_text().strip(), name=host["name"], tool="web-tool")


@pytest.mark.parametrize("name", pages.scenarios("repository.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
