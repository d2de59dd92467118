#!/usr/bin/env python3
"""The architecture's test: who may include whom, whose third-party headers, where the platform shows, sizes of files.

The table is tools/layers.json. System headers belong to src/os; what still uses them elsewhere is listed file by file under
"system_debt": a new use fails, and so does an entry that is no longer true, so that the list can only shrink. Who makes a map
without a random seed is listed under "map_seeds".
"""
import fnmatch
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_LINES = 1000
STANDARD = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "locale.h", "math.h", "stdalign.h", "stdarg.h",
            "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "time.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
SEED = re.compile(r"\bwa_map_init\(")
WINDOWS = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b_WIN32\b", re.M)


def owned(header, names):
    return any(header == n or (n.endswith("/") and header.startswith(n)) for n in names)


def check(root, table):
    """Every breach of the table in the tree at root, one text each."""
    layers, problems, debt = table["layers"], [], {}
    for name, layer in layers.items():
        for used in layer["uses"]:
            peer_of_programs = layer["level"] == layers[used]["level"]
            if layers[used]["level"] > layer["level"] or peer_of_programs:
                problems.append(f"layers.json: {name} may not use {used}, which is not below it")
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".c", ".h"):
            continue
        rel = path.relative_to(root).as_posix()
        folder = rel.split("/")[1]
        text = path.read_text(encoding="utf-8")
        if folder not in layers:
            problems.append(f"{rel}: the folder is no layer")
            continue
        layer = layers[folder]
        own = list(layer["owns"])
        for pattern, names in table["file_owns"].items():
            if fnmatch.fnmatch(rel, pattern):
                own += names
        for kind, header in INCLUDE.findall(text):
            if kind == '"':
                first = header.split("/")[0]
                if "/" not in header:
                    problems.append(f'{rel}: includes "{header}" without its folder')
                elif first != folder and first not in layer["uses"]:
                    problems.append(f'{rel}: {folder} may not use {first} ("{header}")')
            elif header in STANDARD or owned(header, own):
                continue
            elif folder == "os":
                if any(owned(header, other["owns"]) for n, other in layers.items() if n != "os"):
                    problems.append(f"{rel}: <{header}> belongs to another layer")
            elif owned(header, table["system_headers"]):
                debt.setdefault(rel, set()).add(header)
            else:
                problems.append(f"{rel}: <{header}> is not this layer's")
        if folder not in ("os", "base") and WINDOWS.search(text):
            problems.append(f"{rel}: asks for _WIN32; the platform belongs to src/os")
        if rel not in table["map_seeds"] and SEED.search(text):
            problems.append(f"{rel}: calls wa_map_init(): keys from outside need wa_rand_map()")
        if text.count("\n") > MAX_LINES:
            problems.append(f"{rel}: more than {MAX_LINES} lines")
    known = {f: set(h) for f, h in table["system_debt"].items()}
    for f in sorted(set(debt) | set(known)):
        for h in sorted(debt.get(f, set()) - known.get(f, set())):
            problems.append(f"{f}: <{h}> belongs to src/os")
        for h in sorted(known.get(f, set()) - debt.get(f, set())):
            problems.append(f"layers.json: {f} no longer includes <{h}>: take it off the list")
    return problems, {f: sorted(h) for f, h in debt.items()}


def check_document(root, table):
    """ARCHITECTURE.md must repeat the table's rows: | level | `src/x` | uses |."""
    text, problems = (root / "ARCHITECTURE.md").read_text(encoding="utf-8"), []
    for name, layer in table["layers"].items():
        row = f"| {layer['level']} | `src/{name}` | {' '.join(layer['uses']) or '-'} |"
        if row not in text:
            problems.append(f"ARCHITECTURE.md: has not the row '{row}'")
    return problems


def check_cleanup(root):
    """What cleans itself up (WA_AUTO...) is initialised before the function can return: else what is freed is chance. The compilers don't see it."""
    declared = re.compile(r"\s+WA_AUTO\w*(?:\([^)]*\))? (?:(?:struct|enum|const) )*\w* ?\**(\w+(?:, \**\w+)*);$")
    problems = []
    for f in sorted(p for d in ("src", "tests", "fuzz", "bench") for p in (root / d).rglob("*.c")):
        lines = f.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            found = declared.match(line)
            for name in re.findall(r"\w+", found[1]) if found else ():
                used = re.compile(rf"[({{,][^;]*\b{name}\b|\b{name}\s*=")
                for later in lines[i + 1:]:
                    if later.startswith("}") or used.search(later):
                        break
                    if re.search(r"\breturn\b", later):
                        problems.append(f"{f.relative_to(root)}:{i + 1}: '{name}' cleans itself up, and the function may return before it is initialised")
                        break
    return problems


def main():
    table = json.loads((ROOT / "tools/layers.json").read_text(encoding="utf-8"))
    problems, debt = check(ROOT, table)
    if "--debt" in sys.argv:
        print(json.dumps(debt, indent=2))
        return 0
    problems += check_document(ROOT, table) + check_cleanup(ROOT)
    for p in problems:
        print(p, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
