#!/usr/bin/env python3
"""The pages of a local program as a C table: path, type, digest, the bytes as they are and compressed.

Usage: embed.py OUTPUT NAME FILE...
NAME is the table's. Served is each FILE under its name, the page (.html) as /index.html. The same files give the same table.
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".json": "application/json",
         ".txt": "text/plain; charset=utf-8"}


def array(name, data):
    rows = [",".join(str(b) for b in data[i:i + 32]) for i in range(0, len(data), 32)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows or ["0"]) + "};\n"


def served(file):
    return "index.html" if file.suffix == ".html" else file.name


def main():
    out, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    files = sorted(map(pathlib.Path, sys.argv[3:]), key=lambda p: p.name)
    text = '#include "net/assets.h"\n\n'
    rows = ""
    for n, file in enumerate(files):
        if file.suffix not in TYPES:
            continue  # maps and licences are for those who build
        data = file.read_bytes()
        small = gzip.compress(data, 9, mtime=0)
        text += array(f"plain{n}", data)
        packed = "{NULL, 0}"
        if len(small) < len(data):
            text += array(f"gzip{n}", small)
            packed = f"{{(const char *)gzip{n}, {len(small)}}}"
        rows += (f'    {{"/{served(file)}", "{TYPES[file.suffix]}", "{hashlib.sha256(data).hexdigest()}", '
                 f"{{(const char *)plain{n}, {len(data)}}}, {packed}}},\n")
    text += (f"\nstatic const struct wa_asset items[] = {{\n{rows}}};\nextern const struct wa_assets {name};\n"
             f"const struct wa_assets {name} = {{items, sizeof items / sizeof items[0]}};\n")
    out.write_text(text, encoding="utf-8")


main()
