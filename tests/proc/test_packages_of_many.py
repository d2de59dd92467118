"""What WAPT's database got wrong: attributes that stood under each other's names, of several interrupted installations one alone that was noticed, of several packages
one alone that was removed, and a choice of priorities that chose the others. Played with the real programs."""
import json
import os
import signal

from conftest import PATIENCE, manager, until

# Each says its own name: whatever stands under another one is seen.
OWN = ("description", "categories", "name", "editor", "keywords", "licence", "homepage", "changelog", "impacted_process", "audit_schedule")


def published(org, package, priority="optional", install="pass", **more):
    src = org.base / "src" / package
    (src / "WAPT").mkdir(parents=True)
    control = {"package": package, "version": "1", "architecture": "all", "section": "base", "priority": priority, "maintainer": "Developer", "target_os": "all", **more}
    (src / "WAPT/control").write_text("".join(f"{k:18}: {v}\n" for k, v in control.items()), encoding="utf-8")
    (src / "setup.py").write_text(f"import time\n\n\ndef install():\n    {install}\n\n\ndef uninstall():\n    open({str(org.base / (package + '.gone'))!r}, 'w').close()\n", encoding="utf-8")
    org.console("upload", org.build(src, "Developer"))
    return package


def told(org, *argv):
    return {p["package"]: p for p in json.loads(org.get(*argv, "--json").stdout)["result"]}


def test_each_attribute_stands_under_its_name(org):
    words = {k: f"the {k}" for k in OWN} | {"audit_schedule": "3d", "impacted_process": "w27-editor", "homepage": "https://w27.example.org/"}
    name = published(org, "w27-attributes", **words)
    org.get("update")
    offered = told(org, "search", name)[name]
    assert {k: offered.get(k) for k in words} == words
    org.get("install", name)
    installed = told(org, "list")[name]
    assert {k: installed.get(k, words[k]) for k in words} == words  # a list may say less, and nothing else
    assert installed["install_status"] == "OK" and (installed["version"], installed["architecture"], installed["section"]) == ("1", "all", "base")
    def at_the_server():
        return [p for p in json.loads(org.console("host", org.uuid, "packages", "--json").stdout)["result"] if p["package"] == name]
    until(at_the_server, "the server knows of it")
    (row,) = at_the_server()
    assert (row["version"], row["install_status"]) == ("1", "OK")


def test_of_several_that_were_cut_off_each_is_noticed(org):
    names = [published(org, f"w27-cut-{i}", install=f"open({str(org.base / f'w27-cut-{i}.begun')!r}, 'w').close(); time.sleep(600)") for i in (1, 2)]
    org.get("update")
    for name in names:
        client = org.start("cut", "wapt-get", "-c", org.ini, "install", name)
        until((org.base / f"{name}.begun").exists, "its script has begun")
        killed = manager(org.service, org.agent)
        os.kill(killed, signal.SIGKILL)
        client.wait(PATIENCE)
        until(lambda k=killed: manager(org.service, org.agent) not in (None, k), "another manager works")
    until(lambda: {told(org, "list").get(n, {}).get("install_status") for n in names} == {"ERROR"}, "both are known to have failed")
    org.get("remove", *names)
    assert not set(names) & set(told(org, "list"))


def test_all_that_are_named_are_removed(org):
    names = [published(org, f"w27-{i}") for i in ("one", "two", "three")]
    org.get("update")
    org.get("install", *names)
    assert set(names) <= set(told(org, "list"))
    org.get("remove", *names)
    assert not set(names) & set(told(org, "list"))
    assert all((org.base / f"{n}.gone").exists() for n in names), "and each by its own script"


def test_priorities_are_those_that_are_chosen(org):
    first, second = published(org, "w27-high", "high"), published(org, "w27-low", "low")
    org.get("update")
    org.get("install", first, second)
    refused = org.get("remove", "--priorities", "high", first, second, ok=None)
    left = set(told(org, "list"))
    assert (refused.returncode != 0 and {first, second} <= left) or (first not in left and second in left), refused.text
