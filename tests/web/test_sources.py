"""The pages' sources: what a machine says can't become markup, no text is translated in vain, and nothing is asked of another host."""
import json
import pathlib
import re

WEB = pathlib.Path(__file__).resolve().parents[2] / "web"
SRC = WEB / "src"
FILES = {p: p.read_text(encoding="utf-8") for p in sorted(SRC.rglob("*.ts*"))}
MARKUP = re.compile(r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\(|new Function|srcdoc|javascript:")
FRENCH = re.compile(r'^    (?:"((?:[^"\\]|\\.)*)"|(\w+)):', re.M)


def test_what_machines_say_is_never_markup():
    assert len(FILES) > 30
    assert [f"{p.name}: {m.group()}" for p, text in FILES.items() for m in MARKUP.finditer(text)] == []


def test_nothing_is_asked_of_another_host():
    assert [p.name for p, text in FILES.items() if re.search(r"https?://(?!www\.w3\.org/2000/svg)\w", text)] == []
    css = "".join(p.read_text(encoding="utf-8") for p in SRC.rglob("*.css"))
    assert "url(" not in css and "http" not in css


def test_every_page_is_among_the_screens():
    """Those that are looked at in both themes and languages, and by axe."""
    paths = re.findall(r'path: "([^"]+)"', (SRC / "pages.ts").read_text(encoding="utf-8"))
    assert len(paths) > 10
    screens = (WEB / "tests/screens.mjs").read_text(encoding="utf-8").replace("${HOST}", "/hosts/").replace("to(HOST", 'to("/hosts/"')
    assert [path for path in paths if not re.search(r'to\(["`]' + re.escape(path.split(":")[0]) + (r'["`?]' if ":" not in path else ""), screens)] == []


def test_every_french_text_is_used():
    code = "".join(text for p, text in FILES.items() if p.parent.name != "fr")
    texts = [a or b for p, text in FILES.items() if p.parent.name == "fr" for a, b in FRENCH.findall(text)]
    assert len(texts) > 150
    assert [t for t in texts if f'"{t}"' not in code] == []


def test_translations_keep_what_is_filled_in():
    pairs = [pair for p, text in FILES.items() if p.parent.name == "fr"
             for pair in re.findall(r'^    "((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)"', text, re.M)]
    assert len(pairs) > 100
    assert [en for en, fr in pairs if sorted(re.findall(r"\{\w+\}", en)) != sorted(re.findall(r"\{\w+\}", fr))] == []


def admits(ranges, version):
    """Whether this version of Node.js is among them: ">=A", "^A", "A" and "*", joined by "||"."""
    for one in ranges.split("||"):
        op, text = re.fullmatch(r"(>=|\^|)\s*(\*|\d+(?:\.\d+)*)", one.strip()).groups()
        least = () if text == "*" else tuple(map(int, text.split(".")))
        if version >= least if op == ">=" else version[:1] == least[:1] and version >= least if op == "^" else version[:len(least)] == least:
            return True
    return False


def test_debians_own_node_builds_them():
    """Node.js 18 is what Debian 12 has; tests/node.sh builds with the very package."""
    assert [admits(r, (18, 20, 4)) for r in (">=18", "^18.17 || >=20.5", ">=20", "18", "*", "^14 || ^16", ">=18.21")] == [True, True, False, True, True, False, False]
    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 10
    assert {name: p["engines"]["node"] for name, p in packages.items() if not admits(p.get("engines", {}).get("node", "*"), (18, 20, 4))} == {}
