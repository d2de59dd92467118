#!/usr/bin/env python3
"""The schemas of the API's bodies as one JSON object in a C table.

Usage: schemas.py OUTPUT FILE...
Each FILE is an object of schemas by name; a name stands once.
"""
import json
import pathlib
import sys


def once(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"twice: {sorted(n for n in names if names.count(n) > 1)}"
    return dict(pairs)


def main():
    found = {}
    for file in sorted(map(pathlib.Path, sys.argv[2:])):
        for name, schema in json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once).items():
            assert name not in found, f"{file}: there is a {name} already"
            found[name] = schema
    text = json.dumps(found, separators=(",", ":")).encode()
    rows = [",".join(str(b) for b in text[i:i + 32]) for i in range(0, len(text), 32)]
    pathlib.Path(sys.argv[1]).write_text('#include "server/schemas.h"\n\nconst char wa_api_schemas_text[] = {\n' + ",\n".join(rows)
                                         + f"}};\nconst size_t wa_api_schemas_bytes = {len(text)};\n", encoding="ascii")


main()
