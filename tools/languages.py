#!/usr/bin/env python3
"""Makes the table of translations that is part of the programs (src/base/text_priv.h) from what msgfmt made of po/*.po.
   tools/languages.py OUT.c [NAME.mo]...
"""
import pathlib
import re
import struct
import sys


def entries(data):
    """[(english, translation)] of a .mo file, in its order, which is that of strcmp()."""
    order = "<" if data[:4] == struct.pack("<I", 0x950412de) else ">"
    count, english_at, text_at = struct.unpack_from(order + "III", data, 8)

    def text(table, i):
        length, at = struct.unpack_from(order + "II", data, table + 8 * i)
        return data[at:at + length]
    return [(text(english_at, i), text(text_at, i)) for i in range(count)]


def numbers(data):
    return "".join(("\n    " if i % 32 == 0 else "") + f"{b}," for i, b in enumerate(data))


def language(name, found):
    header = dict(found)[b""].decode()
    plural = re.search(r"nplurals=\d+; *plural=([n0-9 ()!=<>%&|?:]+);", header)
    texts, at = bytearray(), bytearray()
    for english, translation in sorted((e.split(b"\0")[0], t) for e, t in found if e):
        at += struct.pack("<II", len(texts), len(texts) + len(english) + 1)
        texts += english + b"\0" + translation + b"\0"
    return f"""static const unsigned char at_{name}[] = {{{numbers(at)}}};
static const char texts_{name}[] = {{{numbers(b if b < 128 else b - 256 for b in texts)}}};
static unsigned plural_{name}(size_t n)
{{
    return (unsigned)({plural[1]});
}}
"""


def main(out, *files):
    names = [pathlib.Path(f).stem for f in files]
    text = '/* Made by tools/languages.py from po/. */\n#include "base/text_priv.h"\n\n'
    rows = []
    for name, file in zip(names, files):
        found = entries(pathlib.Path(file).read_bytes())
        text += language(name, found)
        rows.append(f'    {{"{name}", at_{name}, {sum(1 for e, _ in found if e)}, texts_{name}, plural_{name}}},\n')
    text += f"const struct wa_language wa_languages[] = {{\n{''.join(rows)}}};\nconst size_t wa_language_count = {len(names)};\n"
    pathlib.Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
