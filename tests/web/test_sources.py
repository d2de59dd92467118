"""The pages' sources: what a machine says can't become markup, no text is translated in vain, and nothing is asked of another host."""
import pathlib
import re

SRC = pathlib.Path(__file__).resolve().parents[2] / "web/src"
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


def test_every_french_text_is_used():
    code = "".join(text for p, text in FILES.items() if "i18n" not in p.parts)
    texts = [a or b for p, text in FILES.items() if p.parent.name == "fr" for a, b in FRENCH.findall(text)]
    assert len(texts) > 150
    assert [t for t in texts if f'"{t}"' not in code] == []


def test_translations_keep_what_is_filled_in():
    pairs = [pair for p, text in FILES.items() if p.parent.name == "fr"
             for pair in re.findall(r'^    "((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)"', text, re.M)]
    assert len(pairs) > 100
    assert [en for en, fr in pairs if sorted(re.findall(r"\{\w+\}", en)) != sorted(re.findall(r"\{\w+\}", fr))] == []
