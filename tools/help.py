#!/usr/bin/env python3
"""Makes what --help and the completions say of a program from its manual page, in each language there is one.
   tools/help.py OUT.c PAGE.scd [LANGUAGE=PAGE.scd]...

A command is a chapter of the second level; what stands in a chapter of the first level before its first command is of all of them. The first
sentence is what the lists show. "As for *x*" takes the text from there.
"""
import json
import re
import sys


def plain(text):
    """Without scdoc's marks."""
    text = re.sub(r"(?<![\\\w])([*_])((?:\\.|(?!\1).)+)\1(?!\w)", r"\2", text)
    return re.sub(r"\\(.)", r"\1", " ".join(text.split())).replace("++", "")


def first_sentence(text, is_command=False):
    """And where the value comes from that is not given."""
    sentences = re.split(r"(?<=[.:])\s+(?=[A-ZÀÉÈ_*])", text)
    found = sentences[0].rstrip(".:")
    if is_command:
        found = re.split(r" ?[:;] ", found, maxsplit=1)[0]
    for s in sentences[1:]:
        if re.match(r"(Default|Par défaut) ?: ?", s):
            rest = text[text.index(s):]
            found += " (" + s[0].lower() + re.split(r"\.(?:\s|$)", rest, maxsplit=1)[0][1:] + ")"
            break
    return found


def options_of(line):
    """["--key", "FILE"] for each of "*-k*, *--key* _FILE_, *--other*"."""
    return [(o[1], plain(o[2] or "")) for o in re.finditer(r"\*(--[a-z0-9-]+)\*(?: (_[^ ,;]+(?:,\.\.\._)?))?", line)]


def read(path):
    """{(command, option): (arguments, sentence, paragraph)}; '' for the program, and for a command itself."""
    with open(path, encoding="utf-8") as f:
        blocks = re.split(r"\n\s*\n", f.read())
    found, shared, command, chapter, wants_text = {}, {}, None, "", False
    for block in blocks:
        lines = block.split("\n")
        if lines[0].startswith("# "):
            chapter, command, shared, wants_text = lines[0][2:], None, {}, False
            lines = lines[1:]
        elif lines[0].startswith("## "):
            command, _, arguments = lines[0][3:].partition(" ")
            found[command, ""] = (plain(arguments), "", "")
            found.update({(command, o): text for o, text in shared.items()})
            wants_text, lines = True, lines[1:]
        if not lines:
            continue
        if chapter in ("NAME", "NOM"):
            found["", ""] = ("", plain(lines[0].partition(" - ")[2]), "")
        elif chapter == "SYNOPSIS":
            found["", ""] = (plain(lines[0].partition(" ")[2]), *found["", ""][1:])
        elif lines[0].startswith("*-") and len(lines) > 1 and lines[1].startswith("\t"):
            text = plain(first_sentence("\n".join(lines[1:])))
            for option, argument in options_of(lines[0]):
                if command is not None:
                    found[command, option] = (argument, text, "")
                elif "OPTIONS" in chapter:
                    found["", option] = (argument, text, "")
                else:
                    shared[option] = (argument, text, "")
        elif wants_text:
            text = "\n".join(lines)
            found[command, ""] = (found[command, ""][0], plain(first_sentence(text, True)), plain(text))
            wants_text = False
    for (command, option), (argument, text, more) in found.items():
        while other := re.fullmatch(r"(?:As for|As of|Comme pour) ([a-z-]+)", text):
            text = found[other[1], option][1]
        found[command, option] = (argument, text, more)
    return found


def c_string(text):
    return json.dumps(text, ensure_ascii=False)


def main(out, *pages):
    text = '/* Made by tools/help.py from man/. */\n#include "cmd/help.h"\n\n'
    names = []
    for page in pages:
        language, _, path = page.rpartition("=")
        name = language or "en"
        rows = "".join(f"    {{{', '.join(c_string(x) for x in (*key, *row))}}},\n" for key, row in sorted(read(path).items()))
        text += f"static const struct wa_help_row rows_{name}[] = {{\n{rows}}};\n"
        names.append(name)
    table = "".join(f'    {{"{n}", rows_{n}, WA_COUNT(rows_{n})}},\n' for n in names)
    text += f"const struct wa_help wa_help_of_program[] = {{\n{table}    {{NULL, NULL, 0}}}};\n"
    with open(out, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
