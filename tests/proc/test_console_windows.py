"""Windows, freezes and holds that the console signs for a group, a unit or a profile: a machine goes by them from its next update on, says so, and the console shows it."""
import contextlib
import csv
import datetime
import io
import json
import sqlite3
import time

import pytest
from conftest import BIN, end, run, until

UNIT = "OU=Paris,DC=example,DC=org"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OPEN = "mon-sun 00:00-24:00"


def away():
    """A window three days from now, and when it begins and ends."""
    day = datetime.date.today() + datetime.timedelta(days=3)
    at = [datetime.datetime.combine(day, datetime.time(hour)).astimezone() for hour in (2, 4)]
    return f"{DAYS[day.weekday()]} 02:00-04:00", [int(t.timestamp()) for t in at]


@pytest.fixture(scope="module")
def machine(org):
    org.ini.write_text(org.ini.read_text().replace(
        "[global]", f"[global]\nwaptupgrade_task_period = 1d\ntask_spread = 0\nhost_profiles = night\nhost_organizational_unit_dn = CN=pc,{UNIT}\n"))
    org.restart_agent()
    org.console("upload", *(org.package(name, version, "Developer", org.base / f"{name}-{version}") for name, version in (("tis-still", "1"), ("tis-moves", "1"))))
    org.get("update")
    org.get("install", "tis-still", "tis-moves")
    org.console("upload", *(org.package(name, version, "Developer", org.base / f"{name}-{version}") for name, version in (("tis-still", "2"), ("tis-moves", "2"))))
    return org


def signing(org, who="Deployer"):
    return ("--trusted", org.agent / "ssl", "-k", org.cert(who), "-w", org.base / "pw", "--yes")


def policy(org, name, *argv, ok=True):
    return org.console("policy", name, *argv, *signing(org), ok=ok)


def due(org):
    """Its upgrade is due since long, for an agent that is started anew."""
    end(org.service)
    with contextlib.closing(sqlite3.connect(org.agent / "db/waptagent.sqlite", timeout=60)) as db, db:
        db.execute("INSERT INTO params (name, value) VALUES ('next_upgrade', 1) ON CONFLICT (name) DO UPDATE SET value = 1")
    org.service = org.start_agent("agent", org.ini)


def result(org, *argv):
    return json.loads(org.get(*argv, "--json").stdout)["result"]


def versions(org):
    return {p["package"]: p["version"] for p in result(org, "list") if p["package"].startswith("tis-")}


def listed(org):
    (mine,) = (h for h in org.hosts() if h["uuid"] == org.uuid)
    return mine


def found(org, *options):
    return org.uuid in [h["uuid"] for h in json.loads(org.console("hosts", "--json", *options).stdout)["result"]]


def idle(org):
    until(lambda: all(t["state"] == "done" for t in result(org, "tasks")), "the queue is empty")


@pytest.mark.parametrize("section, name, package", [("group", "grp-night", "grp-night"), ("unit", UNIT, None), ("profile", "night", "night")])
def test_a_window_is_signed_fetched_obeyed_and_shown(machine, section, name, package):
    org = machine
    window, (begin, end) = away()
    policy(org, name, "--section", section, "--windows", window, "--hold", "tis-still until 2999-12-31")
    if section == "group":
        org.console("assign", "--hosts", org.uuid, "--add-depends", name, *signing(org))
    if package is None:
        package = next(n for n in result(org, "status")["own_packages"] if n.upper().startswith("OU="))
    assert versions(org)["tis-moves"] == "1"
    org.get("update")  # known, and nothing of it installed yet
    due(org)
    until(lambda: result(org, "status")["upgrade_waits_for"] == "a maintenance window", "it waits, and says for what")
    told = result(org, "inventory")["policy"]
    assert (told["windows"], told["waits_for"]) == ([{"by": package, "text": window}], "window")
    assert told["holds"] == [{"what": "tis-still", "until": "2999-12-31", "by": package}]
    assert versions(org)["tis-moves"] == "1"
    # What the console's list and page of the machine are made from.
    org.get("update-status")
    until(lambda: listed(org)["waits_for"] == "window", "the server knows")
    mine = listed(org)
    assert (mine["windows"], mine["window_begin"], mine["window_end"], mine["held"], mine["frozen_until"]) == (window, begin, end, ["tis-still"], 0)
    assert found(org, "--window", "later") and found(org, "--waits-for", "window") and found(org, "--held", "tis-st*")
    assert not found(org, "--window", "any") and not found(org, "--window", "now")
    (row,) = (r for r in csv.DictReader(io.StringIO(org.console("hosts", "--csv").stdout)) if r["uuid"] == org.uuid)
    at = [datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for t in (begin, end)]
    assert [row[k] for k in ("windows", "waits_for", "held", "window_begin", "window_end", "frozen_until")] == [window, "window", "tis-still", *at, ""]
    sql = org.base / "windows.sql"
    sql.write_text("SELECT windows, waits_for, held, window_begin, window_end, frozen_until FROM hosts WHERE ',' || held || ',' LIKE '%,tis-still,%'")
    assert json.loads(org.console("report", "try", sql, "--json").stdout)["result"]["rows"] == [[window, "window", "tis-still", begin, end, 0]]
    # Nobody orders what is held; what is ordered does not wait for the window.
    assert org.order("Deployer", "install", "tis-still(=2)", ok=False).returncode != 0 and versions(org)["tis-still"] == "1"
    # An administrator opens it: the upgrade comes by itself, and leaves what is held.
    policy(org, package, "--windows", OPEN)
    org.get("update")
    until(lambda: versions(org)["tis-moves"] == "2", "the upgrade comes by itself")
    idle(org)
    assert versions(org)["tis-still"] == "1" and result(org, "inventory")["policy"]["waits_for"] == ""
    until(lambda: listed(org)["waits_for"] == "" and found(org, "--window", "any"), "the server knows")
    # As it was, for the next one.
    policy(org, package, "--windows", "", "--unhold", "tis-still")
    org.get("update")
    org.get("upgrade")
    assert versions(org)["tis-still"] == "2" and result(org, "inventory")["policy"]["windows"] == []
    for one in ("tis-still", "tis-moves"):
        org.get("remove", one)
        org.get("install", f"{one}(=1)")


def test_a_freeze_of_a_group_stops_what_is_ordered_too(machine):
    org = machine
    today = datetime.date.today()
    last = today + datetime.timedelta(days=2)
    end = datetime.datetime.combine(last + datetime.timedelta(days=1), datetime.time()).astimezone().timestamp()
    policy(org, "grp-frozen", "--section", "group", "--freezes", f"{today - datetime.timedelta(days=1)} until {last}")
    org.console("assign", "--hosts", org.uuid, "--add-depends", "grp-frozen", *signing(org))
    org.get("update")
    refused = org.get("upgrade", ok=False)
    assert "this machine is in a freeze" in refused.text and (last + datetime.timedelta(days=1)).isoformat() in refused.text
    assert "freeze" in org.order("Deployer", "upgrade", ok=False).text
    assert versions(org) == {"tis-still": "1", "tis-moves": "1"}
    due(org)
    until(lambda: result(org, "inventory")["policy"]["waits_for"] == "freeze", "it waits, and says for what")
    org.get("update-status")
    until(lambda: listed(org)["waits_for"] == "freeze", "the server knows")
    assert listed(org)["frozen_until"] == int(end) and found(org, "--window", "frozen")
    policy(org, "grp-frozen", "--freezes", "")
    org.get("update")
    until(lambda: versions(org) == {"tis-still": "2", "tis-moves": "2"}, "the upgrade comes by itself")
    idle(org)
    org.get("update-status")
    until(lambda: listed(org)["frozen_until"] == 0 and listed(org)["waits_for"] == "", "the server knows")
    assert time.time() < end


def test_a_group_that_is_not_the_machines_says_nothing(machine):
    org = machine
    before = result(org, "inventory")["policy"]
    window, _ = away()
    policy(org, "grp-other", "--section", "group", "--windows", window, "--freezes", "2000-01-01 until 2999-12-31", "--hold", "tis-moves")
    policy(org, "OU=Lyon,DC=example,DC=org", "--section", "unit", "--windows", window)
    org.get("update")
    after = result(org, "inventory")["policy"]
    assert [after[k] for k in ("windows", "freezes", "holds")] == [before[k] for k in ("windows", "freezes", "holds")]
    # A group of a group's counts like the group itself.
    policy(org, "grp-frozen", "--add-depends", "grp-other")
    org.get("update")
    assert {h["by"] for h in result(org, "inventory")["policy"]["holds"]} == {"grp-other"}
    assert "freeze" in org.get("upgrade", ok=False).text
    policy(org, "grp-frozen", "--remove-depends", "grp-other")
    org.get("update")
    assert result(org, "inventory")["policy"]["holds"] == []
    run(BIN / "wapt-get", "-c", org.ini, "upgrade")
