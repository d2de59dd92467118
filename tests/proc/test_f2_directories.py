"""F2B: an index that somebody altered; F2C, F2D: the rights of the agent's directories."""
import stat
import zipfile

from conftest import end, manager, until


def test_f2b_altered_attribute_in_the_index(org):
    org.console("upload", org.package("f2b-one", "1", "Developer", org.base / "f2b"))
    index = org.base / "server/repo/wapt/Packages"
    true = index.read_bytes()
    with zipfile.ZipFile(index) as z:
        members = {n: z.read(n) for n in z.namelist()}
    assert b"f2b-one" in members["Packages"]
    # The server's owner makes a package say that it needs another one.
    text = members["Packages"].decode()
    at = text.index("f2b-one")
    start = text.rindex("\n\n", 0, at) + 2 if "\n\n" in text[:at] else 0
    stanza = text[start:].split("\n\n")[0]
    lines = ["depends          : f3a-good" if line.startswith("depends") else line for line in stanza.split("\n")]
    if lines == stanza.split("\n"):
        lines.insert(1, "depends          : f3a-good")
    members["Packages"] = text.replace(stanza, "\n".join(lines)).encode()
    assert members["Packages"] != text.encode()
    with zipfile.ZipFile(index, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in members.items():
            z.writestr(name, content)
    org.get("update", ok=None)
    org.get("install", "f2b-one", ok=False)
    assert not (org.base / "f2b").exists()
    index.write_bytes(true)
    org.get("update")
    org.get("install", "f2b-one")
    assert (org.base / "f2b").exists()


def restart(org, ini, name):
    p = org.start(name, "waptservice", "run", "--config", ini)
    until(lambda: p.poll() is not None or manager(p, ini.parent), "it listens, or has ended")
    return p


def test_f2c_f2d_directories_open_to_others_are_repaired_or_the_agent_stops(org):
    base = org.base / "agent-3"
    ini = org.new_agent(base)
    first = restart(org, ini, "agent-3")
    until(lambda: (base / "private").exists(), "the first start makes its directories")
    end(first)
    (base / "run/waptservice.sock").unlink(missing_ok=True)
    for folder, mode in (("private", 0o777), ("db", 0o777), (".", 0o777), ("ssl", 0o777)):
        (base / folder).chmod(mode)
        p = restart(org, ini, "agent-3")
        others = stat.S_IMODE((base / folder).stat().st_mode) & 0o022
        assert p.poll() not in (None, 0) or not others, f"{folder} stayed open and the agent runs"
        if folder == "private" and p.poll() is None:
            assert stat.S_IMODE((base / folder).stat().st_mode) & 0o077 == 0
        if p.poll() is None:
            end(p)
        (base / folder).chmod(0o700 if folder in ("private", "db") else 0o755)
        (base / "run/waptservice.sock").unlink(missing_ok=True)
