"""F3A: a server that owns its keys sends what the real one refuses to make. The machine's manager judges each message; what it
refuses it names in its log, and nothing runs. Between the refusals the same server sends correct orders, which are carried out."""
import contextlib
import json
import re
import time
import uuid

import pytest
from conftest import BIN, PATIENCE, end, run, until
from hostile import Hostile, Signer, action, load_key, order, relay
from test_f3a_orders import gated


class Stage:
    """A machine enrolled at the real server by way of a hostile one, and a package to order."""

    def __init__(self, org):
        self.org, self.marker = org, org.base / "hostile-marker"
        self.log = org.base / "agent-hostile.log"
        self.server = Hostile(org.base / "server/private/tls.crt", org.base / "server/private/tls.pem", real=org.port, files=org.base / "server/repo")
        self.server.answers["/agent/v1/report"] = lambda handler, body: handler.reply(200, b"{}")
        self.relay_key = load_key(org.base / "server/private/relay.pem")
        self.deployer, self.developer, self.stranger = (Signer(org, n) for n in ("Deployer", "Developer", "Stranger"))
        self.uuid = str(uuid.uuid4())
        self.ini = org.new_agent(org.base / "agent-hostile")
        text = self.ini.read_text().replace(org.url, self.server.url)
        # The stranger is listed, but issued by nobody whom this machine trusts.
        text = text.replace("signers = ", f"signers = {self.stranger.fingerprint}, ").replace("[global]", f"[global]\nuuid = {self.uuid}")
        self.ini.write_text(text)
        self.start()
        org.console("upload", org.package("f3a-hostile", "1", "Developer", self.marker))
        self.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        self.get("update")
        self.channel = self.server.channel()

    def get(self, *argv, ok=True):
        return run(BIN / "wapt-get", "-c", self.ini, *argv, ok=ok)

    def start(self):
        self.service = self.org.start_agent("agent-hostile", self.ini)

    def stop(self):
        end(self.service)

    def action(self, **changes):
        return action(self.uuid, **dict({"packages": ["f3a-hostile"]}, **changes))

    def countersigned(self, text, **changes):
        """By the server, for the connection that there is now: after its registration a machine may come again."""
        while self.channel.ended.is_set() or not self.server.channels.empty():
            self.channel = self.server.channel()
        return relay(**dict({"key": self.relay_key, "text": text, "uuid": self.uuid, "nonce": self.channel.nonce}, **changes))

    def message(self, a, signer=None, **changes):
        """A correct order of a but for changes: of the relay's statement, its key, the order."""
        text = a if isinstance(a, str) else json.dumps(a)
        countersign = self.countersigned(**{"text": text, **changes.pop("relay", {})})
        return {"type": "order", "order": order(signer or self.deployer, text, **changes.pop("order", {})), "relay": countersign}

    def tasks(self):
        return [t for t in json.loads(self.get("tasks", "--json").stdout)["result"] if t["kind"] == "install"]

    def verdicts(self):
        return re.findall(r"(?:action\.accepted|action\.refused|push\.bad_message).*\n", self.log.read_text())

    def send(self, message):
        """What the machine says of the message, when it has judged it: then nothing that comes later in its log is about this one."""
        before = len(self.verdicts())
        self.channel.send(message)
        until(lambda: len(self.verdicts()) > before, "it is judged")
        (said,) = self.verdicts()[before:]
        return said

    def accepted(self, message):
        said = self.send(message)
        assert said.startswith("action.accepted"), said

    def refused(self, message, why):
        """The message is refused for that reason, and nothing runs."""
        tasks = len(self.tasks())
        said = self.send(message)
        assert not said.startswith("action.accepted") and why in said, said
        assert len(self.tasks()) == tasks and not self.marker.exists()

    @contextlib.contextmanager
    def busy(self):
        """The machine is at work: what is ordered meanwhile waits, whenever it may begin."""
        gate = self.org.base / f"hostile-gate-{uuid.uuid4()}"
        name = f"f3a-busy-{gate.name[-12:]}"
        gated(self.org, name, gate)
        self.get("update")
        self.accepted(self.message(self.action(packages=[name])))
        until(lambda: self.tasks()[0]["state"] == "running", "it is at work")
        task = self.tasks()[0]["id"]
        try:
            yield
        finally:
            gate.touch()
        until(lambda: [t["state"] for t in self.tasks() if t["id"] == task] == ["done"], "it has done that")

    def obeyed(self, message=None):
        """The control: a correct order is carried out, once."""
        tasks = len(self.tasks())
        self.accepted(message or self.message(self.action()))
        until(lambda: len(self.tasks()) == tasks + 1 and self.tasks()[0]["state"] == "done", "the order is carried out")
        assert self.tasks()[0]["code"] == "ok" and self.marker.read_text() == "1"
        self.get("remove", "f3a-hostile")
        self.marker.unlink()


@pytest.fixture(scope="module")
def stage(org):
    s = Stage(org)
    try:
        yield s
    finally:
        s.stop()
        s.server.stop()


def now():
    return int(time.time())


def test_f3a_control_a_correct_order_is_obeyed(stage):
    stage.obeyed()


@pytest.mark.parametrize("changes, why", [
    ({"relay": {"at": -120}}, "away from this machine's clock"),
    ({"relay": {"batch_at": -120}}, "away from this machine's clock"),
    ({"relay": {"at": 120, "batch_at": 120}}, "away from this machine's clock"),
    ({"relay": {"nonce": "ab" * 32}}, "for another connection"),
    ({"relay": {"uuid": "00000000-0000-4000-8000-000000000000"}}, "countersignature is for another machine"),
    ({"relay": {"action_sha256": "cd" * 32}}, "for another action"),
    ({"relay": {"purpose": "wapt-action"}}, "for another purpose"),
    ({"relay": {"force": True}}, "a countersignature"),
], ids=["old-minute", "old-batch", "future-minute", "other-connection", "other-machine", "other-action", "other-purpose", "unknown-field"])
def test_f3a_countersignature(stage, changes, why):
    wrong = {k: now() + v if k in ("at", "batch_at") else v for k, v in changes["relay"].items()}
    stage.refused(stage.message(stage.action(), relay=wrong), why)


def test_f3a_countersigned_by_another_key(stage):
    stage.refused(stage.message(stage.action(), relay={"key": stage.deployer.key}), "countersignature")


@pytest.mark.parametrize("who, changes, why", [
    ("developer", {}, "not listed"),
    ("stranger", {}, "the signer of the order"),
    ("deployer", {"key": "stranger"}, "signature"),
    ("deployer", {"batch": {"purpose": "wapt-relay-batch"}}, "purpose"),
    ("deployer", {"batch": {"root": "00" * 32}}, "tree"),
    ("deployer", {"batch": {"count": 2}}, "tree"),
    ("deployer", {"index": 1}, "tree"),
    ("deployer", {"chain": "developer"}, "signer"),
], ids=["not-listed", "not-trusted", "other-key", "other-purpose", "other-root", "other-count", "other-index", "other-chain"])
def test_f3a_administrators_signature(stage, who, changes, why):
    changes = dict(changes)
    if "key" in changes:
        changes["key"] = getattr(stage, changes["key"]).key
    if "chain" in changes:
        changes["chain"] = getattr(stage, changes["chain"]).pem
    stage.refused(stage.message(stage.action(), signer=getattr(stage, who), order=changes), why)


@pytest.mark.parametrize("changes, why", [
    ({"uuid": "00000000-0000-4000-8000-000000000000"}, "for another machine"),
    ({"not_before": 600}, "may not start yet"),
    ({"issued_at": 600, "not_before": 600}, "issued in the future"),
    ({"issued_at": -86400, "not_before": -86400}, "before this machine's enrolment"),
    ({"not_after": 31 * 86400}, "more than 30 days"),
    ({"not_after": -1}, "out of order"),
    ({"action": "format"}, "unknown action"),
    ({"user": "root"}, "an action"),
    ({"purpose": "wapt-relay"}, "another purpose"),
    ({"packages": None}, "needs packages"),
], ids=["other-machine", "not-yet", "from-the-future", "before-enrolment", "too-long", "ends-before-it-begins", "unknown-kind", "unknown-field",
        "other-purpose", "no-packages"])
def test_f3a_action(stage, changes, why):
    changes = {k: now() + v if isinstance(v, int) else v for k, v in changes.items()}
    stage.refused(stage.message({k: v for k, v in stage.action(**changes).items() if v is not None}), why)


def test_f3a_what_an_upgrade_spares_is_signed(stage):
    """The server owns its countersignature, not the administrator's: what is left out can be neither taken away, nor turned round, nor added."""
    spares, plain = (json.dumps(action(stage.uuid, kind="upgrade", **more)) for more in ({"only_if_not_running": True}, {}))
    bare, turned = spares.replace(', "only_if_not_running": true', ""), spares.replace('running": true', 'running": false')
    added = plain[:-1] + ', "only_if_not_running": true}'
    assert "only_if" not in bare and turned != spares
    for signed, sent in ((spares, bare), (spares, turned), (plain, added)):
        stage.refused(stage.message(signed, order={"action": sent}, relay={"text": sent}), "tree")
    stage.refused(stage.message(stage.action(kind="forget", only_if_not_running=True)), "can't leave out")
    stage.accepted(stage.message(spares))


def test_f3a_what_an_agent_does_not_know_is_refused_and_told(stage):
    """An order that says more than this agent understands, as a newer console may sign it, is not carried out without that: and who ordered it learns so."""
    newer = action(stage.uuid, kind="upgrade", spare_what_is_open=True)
    before = len(stage.server.heard)
    stage.refused(stage.message(newer), "spare_what_is_open")
    until(lambda: [1 for _, path, _, body in stage.server.heard[before:] if path == "/agent/v1/report" and newer["id"].encode() in body], "the refusal is told")


def test_f3a_expired(stage):
    a = stage.action(not_after=now() + 1)
    until(lambda: now() > a["not_after"], "its time is over")
    stage.refused(stage.message(a), "has expired")


def test_f3a_key_twice(stage):
    text = json.dumps(stage.action())
    stage.refused(stage.message(text[:-1] + ', "uuid": "00000000-0000-4000-8000-000000000000"}'), "")


def test_f3a_order_before_the_greeting(stage):
    early = stage.message(stage.action())
    before = stage.log.stat().st_size
    stage.server.before_challenge = lambda channel: channel.send(early)
    stage.server.hang_up()
    until(lambda: "before the greeting" in stage.log.read_text()[before:], "the order is refused")
    stage.server.before_challenge = None
    stage.channel = stage.server.channel()
    assert "action.accepted" not in stage.log.read_text()[before:] and not stage.marker.exists()
    stage.obeyed()


def test_f3a_a_clock_that_is_off_is_told(stage):
    def clock(off):
        stage.server.clock_off = off
        stage.server.hang_up()
        stage.channel = stage.server.channel()
        checks = json.loads(stage.get("check", "--json", ok=None).stdout)["result"]
        (found,) = [c for c in checks if c["check"] == "clock"]
        return found["state"], int(re.match(r"(\d+) seconds off the server's", found["text"])[1]), found.get("remedy", "")

    for off in (3600, -3600):
        state, seconds, remedy = clock(off)
        assert state == "error" and 3540 <= seconds <= 3660 and "NTP" in remedy
    state, seconds, _ = clock(0)
    assert state == "good" and seconds <= 60
    stage.obeyed()


def test_f3a_once_only_also_after_a_restart(stage):
    a = stage.action()
    stage.obeyed(stage.message(a))
    stage.refused(stage.message(a), "replayed")
    stage.stop()
    stage.start()
    stage.channel = stage.server.channel()
    # Freshly countersigned for this connection and minute: only the machine's own memory refuses it.
    stage.refused(stage.message(a), "replayed")
    stage.obeyed()


def cancel(stage, *ids, **changes):
    return action(stage.uuid, kind="cancel", **dict({"cancels": list(ids)}, **changes))


def test_f3a_cancel_of_what_waits(stage):
    with stage.busy():
        waits = stage.action(not_before=now() + 50)  # taken, a minute early, and queued
        stage.accepted(stage.message(waits))
        until(lambda: stage.tasks()[0]["state"] == "queued", "the order waits")
        for who, why in (("developer", "not listed"), ("stranger", "the signer of the order")):
            stage.refused(stage.message(cancel(stage, waits["id"]), signer=getattr(stage, who)), why)
        assert stage.tasks()[0]["state"] == "queued"
        word = cancel(stage, waits["id"])
        stage.accepted(stage.message(word))
        until(lambda: stage.tasks()[0]["code"] == "cancelled", "the order is dropped")
        stage.refused(stage.message(word), "replayed")
        stage.refused(stage.message(waits), "replayed")


def test_f3a_cancel_before_what_it_cancels(stage):
    late = stage.action()
    word = cancel(stage, late["id"])
    stage.accepted(stage.message(word))
    stage.refused(stage.message(late), "cancelled before it came")
    stage.stop()
    stage.start()
    stage.channel = stage.server.channel()
    stage.refused(stage.message(late), "cancelled before it came")
    stage.obeyed()


@pytest.mark.parametrize("changes, why", [
    ({"cancels": []}, "cancel"),
    ({"cancels": ["all"]}, "not an identifier"),
    ({"cancels": ["ab" * 16] * 257}, ""),
    ({"packages": ["f3a-hostile"]}, "takes no packages"),
    ({"action": "update"}, "to cancel"),
], ids=["none", "not-an-identifier", "too-many", "packages", "other-kind"])
def test_f3a_cancel_that_is_none(stage, changes, why):
    stage.refused(stage.message(dict(cancel(stage, "ab" * 16), **changes)), why)


@pytest.mark.parametrize("changes, why", [
    ({"text": None}, "needs a text"),
    ({"text": "two\nlines"}, "one line"),
    ({"text": "\x1b[2J"}, "one line"),
    ({"text": "x" * 256}, "one line"),
    ({"text": 7}, "an action"),
    ({"packages": ["f3a-hostile"]}, "takes no packages"),
    ({"action": "update"}, "takes no text"),
], ids=["none", "lines", "control", "long", "number", "packages", "other-kind"])
def test_f3a_describe_that_is_none(stage, changes, why):
    """None of them is carried out: this machine's own /etc stays as it is."""
    a = action(stage.uuid, kind="describe", **dict({"text": "Front desk"}, **changes))
    stage.refused(stage.message({k: v for k, v in a.items() if v is not None}), why)


def test_f3a_a_description_is_signed(stage):
    signed = json.dumps(action(stage.uuid, kind="describe", text="Front desk"))
    sent = signed.replace("Front desk", "Back door")
    stage.refused(stage.message(signed, order={"action": sent}, relay={"text": sent}), "tree")


def test_f3a_garbage_on_the_channel(stage):
    for text in ('{"type":"order"}', '{"type":"order","order":{},"relay":{}}'):
        stage.refused(text, "an order")
    for text in ("", "[]", '{"type":"hello"}', "x" * 100000, '{"a":' * 500):
        stage.channel.send(text)
        assert stage.channel.ended.wait(PATIENCE), f"it hangs up on: {text[:40]}"
        stage.channel = stage.server.channel()  # and comes back
    stage.obeyed()


def test_f3a_a_message_of_a_newer_server_is_passed_over(stage):
    """Servers are upgraded before their machines: what these do not know yet costs them neither the connection nor the orders after it."""
    stage.channel.send('{"type":"of tomorrow","packages":["x"],"n":1}')
    stage.obeyed()
    assert not stage.channel.ended.is_set()
