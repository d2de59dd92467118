"""F3A: orders about the machine as a whole, which it obeys only where its own configuration says so. Played in a mount namespace,
where the system's programs are stand-ins: no machine is really restarted."""
import json

from conftest import BIN, LIB, PATIENCE, end, run, until

# utmp(5): one USER_PROCESS of "somebody".
SOMEBODY = (7).to_bytes(4, "little") + b"\0" * 40 + b"somebody" + b"\0" * 332
PLAYED = """set -e
at=$1; shift
mount --bind "$at/systemctl" /usr/bin/systemctl
mount --bind "$at/wall" /usr/bin/wall
mount --bind "$at/boot_id" /proc/sys/kernel/random/boot_id
mount -t tmpfs none /run
cp "$at/utmp" /run/utmp
exec "$@"
"""


class Played:
    """A machine that can be restarted without harm: systemctl ends its agent without a word, as a power cut does."""

    def __init__(self, org, name):
        self.org, self.base = org, org.base / name
        self.ini, self.at = org.new_agent(self.base), org.base / f"{name}-system"
        self.at.mkdir()
        (self.at / "utmp").write_bytes(b"")
        for program, last in (("systemctl", "kill -9 $PPID"), ("wall", "")):
            (self.at / program).write_text(f'#!/bin/sh\necho "$@" >>{self.at}/{program}.called\n{last}\n')
            (self.at / program).chmod(0o755)
        self.boots = 0
        self.boot()

    def boot(self):
        self.boots += 1
        (self.at / "boot_id").write_text(f"00000000-0000-4000-8000-{self.boots:012}\n")
        self.start()

    def start(self):
        (self.base / "run/waptservice.sock").unlink(missing_ok=True)
        self.service = self.org.start(self.base.name, "/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", PLAYED, "sh", self.at,
                                      BIN / "waptservice", "run", "--config", self.ini, "--libdir", LIB)
        until(lambda: (self.base / "run/waptservice.sock").exists() and self.get("status", ok=None).returncode == 0, "it answers")

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def set(self, **options):
        text = self.ini.read_text(encoding="utf-8")
        self.ini.write_text(text.replace("[global]\n", "[global]\n" + "".join(f"{k} = {v}\n" for k, v in options.items())), encoding="utf-8")
        self.get("reload")

    @property
    def uuid(self):
        return json.loads(self.get("status", "--json").stdout)["result"]["uuid"]

    def called(self, program):
        file = self.at / f"{program}.called"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def stop(self):
        end(self.service)


def test_restarted_and_switched_off_by_order_where_the_machine_allows_it(org):
    m = Played(org, "played")
    m.get("register", "--token-file", org.token("--uses", "1"))
    signer = ("-k", org.cert("Deployer"), "-w", org.base / "pw")

    def order(kind, *more, ok=True):
        got = org.console("action", kind, "--hosts", m.uuid, "-k", org.cert("Deployer"), "-w", org.base / "pw", "--timeout", "60s", "--json", *more, ok=ok)
        return json.loads(got.stdout)["result"][0]

    def tasks(kind):
        return [t for t in json.loads(m.get("tasks", "--json").stdout)["result"] if t["kind"] == kind]

    def refused(kind, why):
        got = order(kind, ok=False)
        assert got["state"] == "refused" and why in got["message"], got

    for kind in ("reboot", "shutdown"):
        refused(kind, f"allow_remote_{kind} = 1")
    m.set(allow_remote_reboot=1)
    assert m.called("systemctl") == [] and not tasks("reboot")
    # Nobody is at work: at once. The machine goes before it could say so, and does not go again.
    order("reboot", "--no-wait")
    until(lambda: m.called("systemctl") == ["--no-block reboot"], "it is restarted")
    m.service.wait(PATIENCE)
    m.boot()
    until(lambda: [t["code"] for t in tasks("reboot")] == ["ok"], "it knows that this is done")
    assert m.called("systemctl") == ["--no-block reboot"] and m.called("wall") == []
    # Somebody is at work: warned, and as long as that takes it can be called off, or begins anew with the service.
    m.set(allow_remote_shutdown=1)
    m.stop()
    (m.at / "utmp").write_bytes(SOMEBODY)
    m.boot()
    sent = order("shutdown", "--no-wait")["id"]
    until(lambda: len(m.called("wall")) == 1, "they are warned")
    assert "switched off in 5 minutes" in m.called("wall")[0]
    assert (m.base / "run/leave-ordered").read_text(encoding="utf-8").startswith("shutdown ")
    m.stop()
    m.start()
    until(lambda: len(m.called("wall")) == 2, "they are warned again")
    org.console("cancel", sent, *signer)
    until(lambda: [t["code"] for t in tasks("shutdown")] == ["cancelled"], "it stays on")
    m.set(remote_power_warning="1s")
    (m.at / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{m.at}/systemctl.called\n', encoding="utf-8")
    assert order("shutdown")["state"] == "done"
    assert m.called("systemctl") == ["--no-block reboot", "--no-block poweroff"]
    (m.at / "systemctl").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert order("reboot", ok=False)["state"] == "failed"
    m.stop()
