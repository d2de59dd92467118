"""F3A: what somebody who owns the server's database can make a machine do: nothing that was not signed for now."""
import sqlite3
import time

from conftest import PATIENCE, until


def database(org):
    return sqlite3.connect(org.base / "server/db/waptserver.sqlite", timeout=PATIENCE)


def keep_orders(org):
    """Who owns the server has a copy of every order, which the server itself forgets once it is over."""
    with database(org) as db:
        db.execute("CREATE TABLE IF NOT EXISTS kept (id TEXT, orders TEXT)")
        db.execute("CREATE TRIGGER IF NOT EXISTS keep AFTER INSERT ON actions BEGIN INSERT INTO kept VALUES (new.id, new.orders); END")
    db.close()


def reconnect(org):
    """The agent greets again, and the server sends it what waits."""
    org.restart_agent()


def state_of(org, action):
    with database(org) as db:
        return db.execute("SELECT state, message FROM actions WHERE id = ?", (action,)).fetchone()


def test_replayed_and_altered_actions(org):
    marker = org.base / "replayed"
    org.console("upload", org.package("f3a-replay", "1", "Developer", marker))
    org.get("update")
    keep_orders(org)
    org.order("Deployer", "install", "f3a-replay")
    assert marker.exists()
    with database(org) as db:
        action, orders = db.execute("SELECT kept.id, kept.orders FROM actions JOIN kept ON kept.id = actions.id WHERE kind = 'install' AND state = 'done' "
                                    "ORDER BY created DESC").fetchone()
    assert "f3a-replay" in orders
    org.get("remove", "f3a-replay")
    marker.unlink()
    # Sent once more, as it was signed: the machine remembers it until it expires, across a restart too. Then altered.
    for orders_now, why in ((orders, "replayed"), (orders.replace("f3a-replay", "f3a-repla2"), "action.refused")):
        log = org.base / "agent.log"
        before = log.stat().st_size
        with database(org) as db:
            db.execute("UPDATE actions SET state = 'queued', message = '', orders = ? WHERE id = ?", (orders_now, action))
        db.close()
        reconnect(org)
        until(lambda: why in log.read_bytes()[before:].decode() or state_of(org, action)[0] == "refused", f"the agent says: {why}")
        time.sleep(1)
        assert not marker.exists()
        assert state_of(org, action)[0] != "done"
    # The machine still obeys what is signed for now.
    org.order("Deployer", "install", "f3a-replay")
    assert marker.exists()
