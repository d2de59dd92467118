"""waptconsole tool: the person's own program for a machine. What a machine says of itself - one that was taken over, too - is no option, no word of
a shell, no program; the pages begin none."""
import json
import time
import uuid as uuidlib

from test_f1_machine import machine_of_ours, registration, send


def test_a_tool_gets_words_and_no_lies(org):
    seen, marker = org.base / "seen", org.base / "pwned"
    program = org.base / "a tool"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{seen}\n", encoding="utf-8")
    program.chmod(0o755)
    ini = org.base / "tools.ini"
    ini.write_text(f'[tools]\nsee = "{program}" -- "x {{uuid}}" $(id) {{uuid}}\nfqdn = "{program}" {{computer_fqdn}}\nip = "{program}" {{ip}}\n'
                   "own = {computer_fqdn}\nopen = run \"x\n", encoding="utf-8")

    def tool(name, host, *more, ok=True):
        return org.console("tool", name, host, "-c", ini, *more, ok=ok)

    assert json.loads(tool("see", org.uuid, "--json").stdout)["result"] == [str(program), "--", f"x {org.uuid}", "$(id)", org.uuid]
    assert not seen.exists(), "with --json nothing is begun"
    tool("see", org.uuid)
    assert seen.read_text(encoding="utf-8").splitlines() == ["--", f"x {org.uuid}", "$(id)", org.uuid]
    for name in ("own", "open", "none"):
        assert tool(name, org.uuid, ok=False).returncode
    seen.unlink()
    # A machine that lies: its name and address are what an option, a shell or a path would like.
    for lie in ("-oProxyCommand=touch " + str(marker), f"$(touch {marker})", "a;b", "../../bin/sh", "\x1b[2J", "x y", "{uuid}"):
        uuid = str(uuidlib.uuid4()).upper()
        key, cert = machine_of_ours(uuid)
        assert send(org, "/agent/v1/register", key, registration(org, uuid, cert))[0] == 200
        report = {"purpose": "wapt-status", "uuid": uuid, "seq": 10, "time": int(time.time()),
                  "host_info": {"computer_name": "liar", "computer_fqdn": lie, "connected_ips": [lie]}}
        assert send(org, "/agent/v1/report", key, report)[0] == 200
        for name in ("fqdn", "ip"):
            got = tool(name, uuid, ok=False)
            assert got.returncode == 4 and "not of that form" in got.text and "\x1b" not in got.text, got.text
    assert not seen.exists() and not marker.exists()
    # A number for a program that is not there is not 0.
    ini.write_text("[tools]\ngone = /nonexistent/program {uuid}\n", encoding="utf-8")
    assert tool("gone", org.uuid, ok=False).returncode
