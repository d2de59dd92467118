"""The console's pages with a real server and real machines: web/tests/story.mjs, from the log-in to an installed package."""
import os
import pty
import signal
import sqlite3
import subprocess
import time
import uuid as uuidlib

import pytest
from pages import play, scenarios
from conftest import BIN, LIB, end, organisation, run, until
from local_program import below, code_in, talk
from test_f1_machine import machine_of_ours, registration, send
from test_server_webhooks import Receiver

HOSTILE = "<img src=x onerror='window.hit=1'>\"><script>window.hit=2</script>"


class Console:
    """waptconsole in a terminal of its own; each action is confirmed there, by a person with this class's hands."""

    def __init__(self, org):
        self.org, self.link_file = org, org.base / "console.link"
        self.home = org.base / "home"
        self.home.mkdir(exist_ok=True)
        self.start()

    def start(self):
        self.link_file.unlink(missing_ok=True)
        self.terminal, theirs = pty.openpty()
        env = dict(os.environ, WAPT_LIBDIR=str(LIB), LANG="C.UTF-8", HOME=str(self.home))
        self.process = subprocess.Popen(["setsid", "--ctty", BIN / "waptconsole", "open", "--server", self.org.url, "--server-fingerprint", self.org.server_fp, "-k",
                                         self.org.cert("Deployer"), "--no-browser", "--link-file", self.link_file, "--confirm-above", "0"],
                                        stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        self.org.processes.append(self.process)
        until(lambda: self.link_file.exists() and self.link_file.read_text(), "the console shows its link")
        self.link = self.link_file.read_text().strip()

    def confirm(self):
        """Reads what is asked, and types the code that is shown."""
        text = talk(self.terminal, b"says no: ")
        os.write(self.terminal, code_in(text).encode())
        return text

    def again(self):
        end(self.process)
        os.close(self.terminal)
        self.start()
        return self.link


def hostile_machine(org):
    uuid = str(uuidlib.uuid4()).upper()
    key, cert = machine_of_ours(uuid)
    sections = {
        "host_info": {"computer_name": HOSTILE, "computer_fqdn": HOSTILE, "description": HOSTILE, "os_name": HOSTILE, "system_productname": HOSTILE, "<b>x</b>": HOSTILE},
        "installed_packages": [{"package": HOSTILE, "version": HOSTILE, "install_status": HOSTILE, "install_output": HOSTILE, "description": HOSTILE}],
        "installed_softwares": [{"key": HOSTILE, "name": HOSTILE, "version": HOSTILE, "publisher": HOSTILE}],
        "dmi": {"System_Information": {"Serial_Number": HOSTILE, "UUID": HOSTILE, "<i>": HOSTILE}},
    }
    for path, statement in (("register", registration(org, uuid, cert)), ("report", {"purpose": "wapt-status", "uuid": uuid, "seq": 10, "time": int(time.time())} | sections)):
        status, text = send(org, f"/agent/v1/{path}", key, statement)
        assert status == 200, text
    return uuid


@pytest.fixture(scope="module")
def played():
    with organisation() as org:
        marker = org.base / "installed"
        package = org.package("tis-story", "1.0-0", "Developer", marker)
        broken = org.base / "broken"
        org.console("upload", package, org.package("grp-story", "1", "Developer", org.base / "grp"), org.package("grp-pilot", "1", "Developer", org.base / "grp"),
                    org.package("tis-broken", "1", "Developer", broken, "open({marker!r}, 'a').write('x'); raise Exception('it breaks')"))
        org.get("update")
        console = Console(org)
        name = org.hosts()[0]["name"]

        def stop():
            end(org.processes[0])

        def start():
            org.processes[0] = org.start("server", "waptserver", "run", "--config", org.base / "server/waptserver.ini")
            org.processes.pop()

        def everyone(how):
            """All processes of the server stand still, or go on."""
            for pid in [org.processes[0].pid, *below(org.processes[0].pid)]:
                os.kill(pid, how)

        def second():
            """One more machine, and both in a group of the roll-out's."""
            ini = org.new_agent(org.base / "second")
            ini.write_text(ini.read_text().replace("[global]", "[global]\nuuid = second"))
            org.start_agent("second", ini)
            run(BIN / "wapt-get", "-c", ini, "register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
            for uuid, groups, config in ((org.uuid, "grp-story,grp-pilot", org.ini), ("second", "grp-story", ini)):
                org.console("host-package", uuid, "--depends", groups, "--upload", "-k", org.cert("Developer"), "-w", org.base / "pw", "-o", org.base)
                run(BIN / "wapt-get", "-c", config, "update")

        def expire():
            """Every session at the server is one of yesterday."""
            with sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=30) as db:
                return {"server": db.execute("UPDATE sessions SET expires = 1").rowcount}

        def kept(text):
            return any(text in p.read_text() for p in console.home.rglob("*.json"))

        hooked = Receiver()

        def token(text):
            p = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {text}", org.url + "/api/v1/hosts"],
                               capture_output=True, text=True, check=True)
            return int(p.stdout)

        does = {"token": token, "hook": lambda: f"http://127.0.0.1:{hooked.port}/here", "hooked": lambda: any(e["what"] == "test" for e in hooked.events()), "marker": marker.exists, "confirm": console.confirm, "hostile": lambda: hostile_machine(org), "stop": stop, "start": start,
                "freeze": lambda: everyone(signal.SIGSTOP), "thaw": lambda: everyone(signal.SIGCONT),
                "kept": kept, "again": console.again, "second": second, "expire": expire, "broken": lambda: len(broken.read_text()) if broken.exists() else 0}
        yield play("story.mjs", does, link=console.link, password=(org.base / "admin.pw").read_text().strip(), keyPassword=(org.base / "pw").read_text().strip(),
                   name=name, packageName="tis-story", hostile=HOSTILE[:30])
        hooked.shutdown()
        hooked.server_close()


@pytest.mark.parametrize("name", scenarios("story.mjs"))
def test_story(played, name):
    assert played[name] is None, played[name]
