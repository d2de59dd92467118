#!/usr/bin/env python3
"""The documents' test: every relative link of a Markdown file leads to a file, and fuzz/README.md knows every target."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def main():
    files = [p.relative_to(ROOT) for d in (".", "docs/**", "examples/**", "fuzz", "tests/**") for p in ROOT.glob(f"{d}/*.md")]
    broken = []
    for name in files:
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.S)
        for target in LINK.findall(text):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                broken.append(f"{name}: '{target}' is not there")
    told = (ROOT / "fuzz/README.md").read_text(encoding="utf-8")
    targets = {p.stem for p in ROOT.glob("fuzz/*.c")} - {"replay"}
    broken += [f"fuzz/README.md: does not say what '{t}' is for" for t in sorted(targets) if f"`{t}`" not in told]
    for b in broken:
        print(b, file=sys.stderr)
    return 1 if broken or not files else 0


if __name__ == "__main__":
    sys.exit(main())
