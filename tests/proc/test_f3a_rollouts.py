"""Roll-outs, F3A: a server that owns its keys releases what it should not. The machine runs nothing that the administrator's statement
does not cover: other machines, other groups, other times, other signers, another text, once more."""
import contextlib
import json
import os

import pytest
from conftest import until
from hostile import action, order, seal
from test_f3a_hostile_server import Stage, now
from test_f3a_refusals_shown import database


@pytest.fixture(scope="module")
def stage(org):
    s = Stage(org)
    try:
        yield s
    finally:
        s.stop()
        s.server.stop()


def statement(stage, signer=None, **changes):
    s = {"purpose": "wapt-rollout", "id": os.urandom(16).hex(), "action": "install", "packages": ["f3a-hostile"], "force": False,
         "machines": [stage.uuid], "issued_at": now(), "not_before": now(), "not_after": now() + 3600, "signer": (signer or stage.deployer).fingerprint}
    return {k: v for k, v in dict(s, **changes).items() if v is not None}


def release(stage, s, signer=None, key=None, chain=None, sealed=None, **countersign):
    """What a server sends: s is the statement that it sends, sealed the text that was signed."""
    signer, text = signer or stage.deployer, s if isinstance(s, str) else json.dumps(s)
    envelope = dict(seal(sealed or text, (key or signer).key), signed=text)
    return {"type": "order", "order": {"rollout": envelope, "chain": (chain or signer).pem}, "relay": stage.countersigned(text, **countersign)}


def refused_as_outside(stage, s):
    """A rule that names none of its groups. The machine looks at its repositories before it refuses, and connects anew; not where it has a moment ago."""
    def looks():
        return stage.log.read_text().count("action.looks_first")
    tasks, before, said = len(stage.tasks()), looks(), len(stage.verdicts())
    stage.channel.send(release(stage, s))
    until(lambda: looks() > before or len(stage.verdicts()) > said, "it is judged")
    if looks() > before:
        stage.channel = stage.server.channel()
        stage.refused(release(stage, s), "in none of the groups")
        stage.refused(release(stage, s), "in none of the groups")  # and does not look again
        assert looks() == before + 1
    else:
        assert "in none of the groups" in stage.verdicts()[-1]
    assert len(stage.tasks()) == tasks and not stage.marker.exists()


def test_rollout_listed_machine_once_also_after_a_restart(stage):
    s = statement(stage)
    stage.obeyed(release(stage, s))
    stage.refused(release(stage, s), "replayed")
    stage.refused(release(stage, dict(s, force=True)), "replayed")  # signed anew under the same identifier
    stage.stop()
    stage.start()
    stage.channel = stage.server.channel()
    stage.refused(release(stage, s), "replayed")


@pytest.mark.parametrize("changes, why", [
    ({"machines": ["00000000-0000-4000-8000-000000000000"]}, "not in its list"),
    ({"not_before": 600}, "may not start yet"),
    ({"issued_at": 600, "not_before": 600}, "issued in the future"),
    ({"issued_at": -86400, "not_before": -86400}, "before this machine's enrolment"),
    ({"not_after": 91 * 86400}, "more than 90 days"),
    ({"members_of": ["grp-paris"]}, "lists or for members"),
    ({"machines": None}, "lists or for members"),
    ({"machines": []}, "lists or for members"),
    ({"machines": None, "members_of": [""]}, "no name"),
    ({"action": "cancel", "packages": None}, "can't cancel"),
    ({"action": "format"}, "unknown action"),
    ({"packages": None}, "needs packages"),
    ({"purpose": "wapt-action"}, "purpose"),
    ({"uuid": "x"}, "a roll-out"),
    ({"action": "audit", "only_if_not_running": True}, "can't leave out"),
    ({"only_if_not_running": "yes"}, "a roll-out"),
    ({"id": "1"}, "32 hex digits"),
], ids=["other-machine", "not-yet", "from-the-future", "before-enrolment", "too-long", "list-and-rule", "nobody", "empty-list",
        "no-name", "cancel", "unknown-kind", "no-packages", "other-purpose", "unknown-field", "spares-nothing", "no-flag", "no-identifier"])
def test_rollout_statement(stage, changes, why):
    stage.refused(release(stage, statement(stage, **{k: now() + v if type(v) is int else v for k, v in changes.items()})), why)


def test_rollout_expired(stage):
    s = statement(stage, not_after=now() + 1)
    until(lambda: now() > s["not_after"], "its time is over")
    stage.refused(release(stage, s), "has expired")


def test_rollout_altered(stage):
    s = statement(stage)
    stage.refused(release(stage, dict(s, packages=["f3a-other"]), sealed=json.dumps(s)), "signature")
    stage.refused(release(stage, dict(s, not_after=s["not_after"] + 1), sealed=json.dumps(s)), "signature")
    spares = statement(stage, only_if_not_running=True)
    for other in ({k: v for k, v in spares.items() if k != "only_if_not_running"}, dict(spares, only_if_not_running=False)):
        stage.refused(release(stage, other, sealed=json.dumps(spares)), "signature")
    stage.refused(release(stage, dict(s, only_if_not_running=True), sealed=json.dumps(s)), "signature")
    twice = json.dumps(s)
    stage.refused(release(stage, twice[:-1] + ', "machines": ["x"]}'), "")


@pytest.mark.parametrize("who, changes, why", [
    ("developer", {}, "not listed"),
    ("stranger", {}, "the signer of the order"),
    ("deployer", {"key": "stranger"}, "signature"),
    ("deployer", {"chain": "developer"}, "signer"),
], ids=["not-listed", "not-trusted", "other-key", "other-chain"])
def test_rollout_signer(stage, who, changes, why):
    signer = getattr(stage, who)
    stage.refused(release(stage, statement(stage, signer), signer, **{k: getattr(stage, v) for k, v in changes.items()}), why)


@pytest.mark.parametrize("changes, why", [
    ({"at": -120}, "away from this machine's clock"),
    ({"nonce": "ab" * 32}, "for another connection"),
    ({"uuid": "00000000-0000-4000-8000-000000000000"}, "countersignature is for another machine"),
    ({"action_sha256": "cd" * 32}, "for another action"),
], ids=["old-minute", "other-connection", "other-machine", "other-statement"])
def test_rollout_countersignature(stage, changes, why):
    stage.refused(release(stage, statement(stage), **{k: now() + v if k == "at" else v for k, v in changes.items()}), why)


def test_rollout_is_no_action_and_an_action_no_rollout(stage):
    text = json.dumps(action(stage.uuid, ["f3a-hostile"]))
    stage.refused(release(stage, text), "purpose")
    text = json.dumps(statement(stage))
    stage.refused({"type": "order", "order": order(stage.deployer, text), "relay": stage.countersigned(text)}, "an action")
    both = release(stage, statement(stage))
    both["order"]["action"] = json.dumps(action(stage.uuid, ["f3a-hostile"]))
    stage.refused(both, "a roll-out's order")


def test_rollout_by_rule_goes_by_the_own_host_package(stage):
    """What the server claims of groups counts for nothing; who joins later, and enrolled after the statement, is in."""
    org = stage.org
    rule = dict(machines=None, members_of=["grp-rome", "grp-paris"], issued_at=now() - 86400, not_before=now() - 86400)
    for _ in range(3):
        refused_as_outside(stage, statement(stage, **rule))
    org.console("upload", org.package("grp-paris", "1", "Developer", stage.org.base / "grp"))
    org.console("host-package", stage.uuid, "--depends", "grp-paris", "--upload", "-k", org.cert("Developer"), "-w", org.base / "pw", "-o", org.base)
    stage.get("update")  # what the server says of it counts for nothing before the machine has verified it
    stage.obeyed(release(stage, statement(stage, **rule)))
    refused_as_outside(stage, statement(stage, **dict(rule, members_of=["grp-rom"])))


def test_rollout_stopped_and_superseded(stage):
    """Stopping is a signed cancel that names the statement; another statement may take its place."""
    with stage.busy():
        for is_first in (True, False):
            s = statement(stage, not_before=now() + 50)
            stage.accepted(release(stage, s))
            until(lambda: stage.tasks()[0]["state"] == "queued", "it waits")
            word = stage.message(action(stage.uuid, kind="cancel", cancels=[s["id"]])) if is_first else \
                release(stage, statement(stage, packages=["f3a-none"], supersedes=s["id"], not_before=now() + 55))
            waiting = stage.tasks()[0]["id"]
            stage.accepted(word)
            until(lambda: [t["code"] for t in stage.tasks() if t["id"] == waiting] == ["cancelled"], "it is dropped")
            stage.refused(release(stage, s), "replayed")
    late = statement(stage)
    stage.accepted(stage.message(action(stage.uuid, kind="cancel", cancels=[late["id"]])))
    stage.refused(release(stage, late), "cancelled before it came")


@contextlib.contextmanager
def heard_by_the_real_server(stage):
    """What the machine reports is passed on, and taken: the other server owns the way to the machine alone."""
    swallow = stage.server.answers.pop("/agent/v1/report")
    try:
        yield
    finally:
        stage.server.answers["/agent/v1/report"] = swallow


def test_rollout_refused_and_then_carried_out_is_done(stage):
    """A copy that came over another connection is refused, the next one is good: the machine's later word counts, and no refusal of a further
    copy takes its place. What was said before stays in the journal."""
    org = stage.org
    made = json.loads(org.console("rollout", "create", "install", "f3a-hostile", "--hosts", stage.uuid, "--yes", "--json", "-k", org.cert("Deployer"),
                                  "-w", org.base / "pw").stdout)["result"][0]
    text, row = made["order"]["rollout"]["signed"], f"{made['id']}/{stage.uuid}"
    copy = {"type": "order", "order": made["order"]}

    def state():
        with database(org) as db:
            return db.execute("SELECT state, code, message FROM actions WHERE id = ?", (row,)).fetchone()

    def countersigned(**changes):
        return dict(copy, relay=stage.countersigned(text, **changes))

    until(lambda: state() is not None, "the machine is in it")
    with heard_by_the_real_server(stage):
        stage.refused(countersigned(nonce="ab" * 32), "replayed")
        until(lambda: state()[0] == "refused", "the refusal is told")
        assert "another connection" in state()[2]
        stage.accepted(countersigned())
        until(lambda: state()[0] == "done", "what became of the other copy takes its place")
        assert stage.marker.read_text() == "1"
        stage.get("remove", "f3a-hostile")
        stage.marker.unlink()
        stage.refused(countersigned(), "replayed")
        stage.refused(countersigned(nonce="cd" * 32), "replayed")
        stage.get("update-status")
        assert state()[:2] == ("done", "ok")
    with database(org) as db:
        told = [json.loads(e) for (e,) in db.execute("SELECT entry FROM journal WHERE entry LIKE ? ORDER BY seq", (f"%action.result%{made['id']}%",))]
    assert [e["what"]["state"] for e in told] == ["refused", "done"], told
