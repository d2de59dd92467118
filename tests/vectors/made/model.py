#!/usr/bin/python3
"""More cases of the form of WAPT's vectors, by a second reading of its formats: canonical JSON, versions, control, file names, lists.

Makes the .json files of vectors/ again, always the same. Tests read the files, not this; where one disagrees with our
code, one of the two readings is wrong.
"""
import base64
import hashlib
import json
import pathlib
import random
import re

HERE = pathlib.Path(__file__).resolve().parent
R = random.Random(20261125)


def write(name, rows):
    with open(HERE / "vectors" / name, "w", encoding="ascii") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, sort_keys=True) for r in rows) + "\n]\n")


# --- canonical JSON, and the order of a Python 2 dictionary ---

def python2_order(names):
    def hashed(s):
        if not s:
            return 0
        x = ord(s[0]) << 7
        for c in s:
            x = (1000003 * x ^ ord(c)) & (2**64 - 1)
        return x ^ len(s)

    def place(table, name):
        mask, i = len(table) - 1, hashed(name)
        perturb = i
        while table[i & mask] is not None and table[i & mask] != name:
            i, perturb = 5 * i + perturb + 1, perturb >> 5
        is_new = table[i & mask] is None
        table[i & mask] = name
        return is_new

    table, used = [None] * 8, 0
    for n in names:
        used += place(table, n)
        if 3 * used >= 2 * len(table):
            size = 8
            while size <= 4 * used:
                size *= 2
            old, table = [t for t in table if t is not None], [None] * size
            for o in old:
                place(table, o)
    return [t for t in table if t is not None]


def legacy(v):
    if isinstance(v, dict):
        return "{" + ", ".join(json.dumps(k) + ": " + legacy(v[k]) for k in python2_order(v)) + "}"
    if isinstance(v, list):
        return "[" + ", ".join(map(legacy, v)) + "]"
    return json.dumps(v)


CHARS = "abcXYZ019 _-.:,/\\\"'<>&\t\n\r\f\b\x00\x01\x1f\x7f\x80\u00a0é€\u2028\ud7ff\ue000\uffff😀\U0010ffff"


def text(most=8):
    return "".join(R.choice(CHARS) for _ in range(R.randrange(most)))


def value(depth=3):
    kind = R.randrange(9 if depth else 6)
    if kind < 2:
        return text()
    if kind == 2:
        return R.choice([0, 1, -1, 2**31, -2**63, 2**64, 10**30, R.randrange(10**6)])
    if kind == 3:
        return R.choice([None, True, False])
    if kind in (4, 5):
        return R.choice([0.5, -0.0, 1.5, 1e16, 1e15, 123456789.123, 1e-4, 1e-5, 1e22, 5e-324, 1.7976931348623157e308, R.random(), R.uniform(-1e6, 1e6)])
    if kind == 6:
        return [value(depth - 1) for _ in range(R.randrange(5))]
    keys = {"".join(R.choice("abcdefghijklmnopqrstuvwxyz_0123456789") for _ in range(R.randrange(1, 12))) for _ in range(R.choice([0, 1, 3, 5, 6, 11, 24, 60]))}
    keys = sorted(keys)
    R.shuffle(keys)
    return {k: value(depth - 1 if len(keys) < 12 else 0) for k in keys}


def canonical_cases():
    for _ in range(300):
        v = value()
        yield dict(json=json.dumps(v, ensure_ascii=R.random() < 0.5), wrapped_in_list=True,
                   canonical=json.dumps([v], sort_keys=True, separators=(",", ":")), legacy=legacy([v]))


# --- versions (formats.md 2.1) ---

def natural(s):
    return [(0, int(p)) if i % 2 else (1, p.lower()) for i, p in enumerate(re.split("([0-9]+)", s))]


def compare(a, b):
    return (a > b) - (a < b)


def version_a(v, members=None):
    parts = [p.strip() for p in v.split(".")]
    if members:
        parts = (parts + ["0"] * members)[:members]
    return parts


def compare_a(a, b, members=None):
    a, b = version_a(a, members), version_a(b, members)
    for i in range(max(len(a), len(b))):
        c = compare(natural(a[i] if i < len(a) else ""), natural(b[i] if i < len(b) else ""))
        if c:
            return c
    return 0


def compare_b(a, b):
    def split(v):
        left, dash, right = v.partition("-")
        return left, int(right) if dash else None
    try:
        (al, ar), (bl, br) = split(a), split(b)
    except ValueError:
        return "error"
    c = compare_a(al, bl, 4)
    nothing = float("-inf")  # None sorts before any number
    return c or compare(nothing if ar is None else ar, nothing if br is None else br)


SYNTAX = re.compile(r"^[0-9]+(\.[0-9]+)?(\.[0-9]+)?(\.[0-9]+)?(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$")


def compare_c(a, b):
    if not SYNTAX.match(a) or not SYNTAX.match(b):
        return compare(a, b)

    def parts(v):
        left, _, right = v.partition("-")
        numbers = [int(x) for x in left.split(".")]
        return numbers + [-1] * (4 - len(numbers)), natural(right)
    return compare(parts(a), parts(b))


def version():
    number = ".".join(R.choice(["0", "1", "2", "9", "10", "02", "100", "2019"]) for _ in range(R.randrange(1, 6)))
    if R.random() < 0.1:
        number += R.choice(["a", "rc1", "b2", "-", ".x"])
    return number + R.choice(["", "", "-0", "-1", "-2", "-10", "-01", "-1a", "-a", "-1.2", "-rc1"])


def version_cases():
    for _ in range(700):
        a, b = version(), version()
        if R.random() < 0.3:
            b = a.split("-")[0] + R.choice(["", "-1", "-2", ".0", ".0-1"])
        if R.random() < 0.1:
            b = a
        yield dict(a=a, b=b, Version=compare_a(a, b), PackageVersion=compare_b(a, b), entry_vs_entry=compare_c(a, b))


# --- control (1.2) ---

def parse(raw):
    out, last = {}, None
    for line in raw.splitlines():
        if not line.strip():
            break
        if line.startswith(" "):
            if last is None:
                return None
            out[last] += "\n" + line.strip()
            continue
        if ":" not in line:
            return None
        last, v = line.split(":", 1)
        last = last.strip().lower()
        if last in out:
            return "twice"
        out[last] = v.strip()
    return out


NAMES = ["version", "description", "Depends", "CONFLICTS", "name", "unknown", "maintainer", "x y", "description_fr"]


def control_cases():
    while True:
        lines = ["package" + R.choice(["", " ", "      "]) + ":" + R.choice(["", " ", "\t"]) + "tis-a"]
        for n in R.sample(NAMES, R.randrange(len(NAMES))):
            lines.append(n + R.choice(["", " ", "   "]) + ":" + R.choice(["", " ", "\u00a0"]) + R.choice(
                ["v", "a:b", "é€😀", "", " spaced  out ", "1", "http://x/?a=b", "tab\there", "\u3000wide\u3000"]))
            if R.random() < 0.2:
                lines.append(R.choice([" more", "  indented", " .", " a:b"]))
        if R.random() < 0.1:
            lines.insert(R.randrange(1, len(lines) + 1), R.choice(["no colon", "\tindented", "package: other"]))
        raw = R.choice(["\n", "\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"]).join(lines) + R.choice(["", "\n", "\n\n", "\n \t"])
        d = parse(raw)
        row = dict(input_b64=base64.b64encode(raw.encode()).decode())
        row.update(dict(error="refused") if d is None or d == "twice" else dict(dict=d))
        yield row


# --- file names (1.4) ---

def sanitize(s):
    return "".join(c for c in s.replace("..", "_") if c not in "@|():%/,\\[]<>*?;`\n").strip()


def file_name(a, md5):
    base = a["package"] if all(c.isalnum() or c in "-_~." for c in a["package"]) else hashlib.md5(a["package"].encode()).hexdigest()
    if a["section"] == "host":
        return sanitize(base + ".wapt")
    upgrade = base.lower().endswith("-waptupgrade")
    locale = a["locale"] if upgrade else "-".join(x.strip() for x in a["locale"].split(",") if x.strip())
    more = [p for p in (a["architecture"], a["maturity"], locale) if p and (upgrade or p != "all")] + ([md5] if md5 else [])
    return sanitize("_".join([base, a["version"]] + more) + ".wapt")


def name_cases():
    for _ in range(300):
        a = dict(package=R.choice(["tis-a", "Tis_B.c~d", "OU=a b,DC=c", "élan", "日本", "x-waptupgrade", "X-WaptUpgrade", "a/b", "a..b", "", "-", "tis a"]) or "p",
                 version=R.choice(["1.0-1", "0", "1.2.3.4-5", "1..2", "a/b"]), architecture=R.choice(["all", "x64", "x86"]), section=R.choice(["base", "group", "host", "unit"]),
                 maturity=R.choice(["", "PROD", "DEV", "all"]), locale=R.choice(["", "fr", "fr,en", " fr , en ", "all", "fr,"]))
        md5 = R.random() < 0.3
        package = a.pop("package")
        yield dict(package=package, attributes=a, with_md5sum=md5, filename=file_name(dict(a, package=package), "0123456789abcdef0123456789abcdef" if md5 else None))


def list_cases():
    for _ in range(100):
        t = "".join(R.choice("ab,, \t\u00a0é") for _ in range(R.randrange(12)))
        yield dict(text=t, list=[x.strip() for x in t.split(",") if x.strip()])


write("canonical_json.json", canonical_cases())
write("vercmp.json", version_cases())
write("control_parse.json", [c for c, _ in zip(control_cases(), range(300))])
write("filenames.json", name_cases())
write("csv_list.json", list_cases())
