#!/usr/bin/env python3
"""Makes a JSON Schema (2020-12) of what --json writes from docs/json.md: one definition for each command, the whole object.
   tools/json_schema.py docs/json.md OUT.json

Members may be added in later versions: the schema lets them pass. tests/proc/test_json.py validates real answers against it, and compares them
with docs/json.md strictly as well.
"""
import json
import pathlib
import re
import sys

KINDS = {"text": {"type": "string"}, "number": {"type": "integer"}, "flag": {"type": "boolean"}, "any": {}}
VERSION = 1


def documented(text):
    """{"wapt-get verify": shape}: the JSON block below each heading."""
    return {name: json.loads(block) for name, block in re.findall(r"^## (\S+(?: \S+){0,2})\n.*?^```json\n(.*?)^```", text, re.M | re.S)}


def schema(shape):
    if shape is None:
        return {"type": "null"}
    if isinstance(shape, list):
        return {"type": "array", "items": schema(shape[0]) if shape else {}}
    if isinstance(shape, str):
        kind = shape.removesuffix(" or null")
        return KINDS[kind] if kind == shape else {"anyOf": [KINDS[kind], {"type": "null"}]}
    named = {k.rstrip("?"): schema(v) for k, v in shape.items() if k != "*"}
    made = {"type": "object", "properties": named, "required": sorted(k for k in shape if not k.endswith("?") and k != "*")}
    if "*" in shape:
        made["additionalProperties"] = schema(shape["*"])
    return made


def answer(shape):
    """Of a command: its result may be null too, when nothing came of it."""
    result = schema(shape)
    return {"type": "object", "required": ["ok", "code", "error", "result"],
            "properties": {"ok": {"type": "boolean"}, "code": {"type": "string", "pattern": "^[a-z_]+$"}, "error": {"type": ["string", "null"]},
                           "result": result if shape is None else {"anyOf": [result, {"type": "null"}]}}}


def whole(text):
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:wapt:json:{VERSION}", "title": "What WAPT's programs write with --json",
            "$defs": {name: answer(shape) for name, shape in documented(text).items()}}


if __name__ == "__main__":
    source, out = map(pathlib.Path, sys.argv[1:3])
    out.write_text(json.dumps(whole(source.read_text(encoding="utf-8")), indent=1) + "\n", encoding="utf-8")
