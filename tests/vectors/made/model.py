#!/usr/bin/python3
"""More cases of the form of WAPT's vectors, by a second reading of its formats: canonical JSON, versions, requirements, filters, order, control,
file names, lists.

Makes the .json files of vectors/ again, always the same. Tests read the files, not this; where one disagrees with our
code, one of the two readings is wrong.
"""
import base64
import fnmatch
import functools
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


def compare_text(a, b):
    """C between an entry and a text."""
    if not SYNTAX.match(a) or not SYNTAX.match(b):
        return compare(a, b)
    (left_a, _, pack_a), (left_b, _, pack_b) = a.partition("-"), b.partition("-")
    numbers_a, numbers_b = [[int(x) for x in left.split(".")] for left in (left_a, left_b)]
    if pack_b:
        numbers_b += [0] * (4 - len(numbers_b))
    c = compare((numbers_a + [0] * 4)[:len(numbers_b)], numbers_b)
    return c or (compare(natural(pack_a), natural(pack_b)) if pack_b else 0)


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
        yield dict(a=a, b=b, Version=compare_a(a, b), PackageVersion=compare_b(a, b), entry_vs_entry=compare_c(a, b), entry_vs_str=compare_text(a, b))


# --- requirements, filters, preference (2.3 to 2.6) ---

HOLDS = {"": lambda c: c == 0, "=": lambda c: c == 0, "==": lambda c: c == 0, "<": lambda c: c < 0, ">": lambda c: c > 0, "<=": lambda c: c <= 0, ">=": lambda c: c >= 0}
REQUIREMENT = re.compile(r"(?P<package>[^()]+)\s*(\(\s*(?P<op>[<=>]*)\s*(?P<version>\S+)\s*\))?")


def answers(condition, name, v):
    m = REQUIREMENT.match(condition)
    if m["package"] != name:
        return False, False
    if m["version"] is None:
        return True, True
    whole = v if "-" in m["version"] else v.split("-")[0]
    b = compare_b(whole, m["version"])
    return b if b == "error" else HOLDS[m["op"]](b), HOLDS[m["op"]](compare_text(v, m["version"]))


def match_cases():
    for _ in range(500):
        name, blank = R.choice(["tis-a", "tis-b", "Tis-a", "\u00e9-x"]), R.choice(["", "", " "])
        v, want = version(), version()
        if R.random() < 0.4:
            want = R.choice([v, v.split("-")[0], v.split(".")[0], v + "-1"])
        wanted = R.choice([name, name, name, "tis-a"])
        condition = wanted if R.random() < 0.1 else f"{wanted}({blank}{R.choice(['=', '==', '<', '>', '<=', '>='])}{blank}{want}{blank})"
        request, entry = answers(condition, name, v)
        yield dict(cond=condition, name=name, version=v, request=request, entry_match=entry)


def words(v):
    return [x.strip() for x in (v.split(",") if isinstance(v, str) else v or []) if x.strip()]


def is_unfiltered(v):
    return not words(v) or "all" in words(v)


def accepts(entry, request):
    def meets(key, wanted, items):
        value = entry.get(key, "")
        return is_unfiltered(wanted) or value in ("", "all") or bool(set(items(value)) & set(words(wanted)))
    lower = ",".join(words(request.get("target_os"))).lower()
    if not meets("target_os", lower, lambda v: v.split(",")) or not meets("architecture", request.get("architectures"), lambda v: [v]):
        return False
    low, high = request.get("min_os_version"), request.get("max_os_version")
    if low and entry.get("max_os_version") and compare_a(low, entry["max_os_version"]) > 0:
        return False
    if high and entry.get("min_os_version") and compare_a(entry["min_os_version"], high) > 0:
        return False
    if not meets("locale", request.get("locales"), words):
        return False
    maturities = request.get("maturities")
    return is_unfiltered(maturities) or (entry.get("maturity") or "PROD") in words(maturities)


def is_host_match(caps, entry, name, now):
    if entry.get("valid_from", "") > now or ("valid_until" in entry and now >= entry["valid_until"]):
        return False
    if any(fnmatch.fnmatchcase(name, p) for p in caps["packages_blacklist"] or []):
        return False
    if caps["packages_whitelist"] and not any(fnmatch.fnmatchcase(name, p) for p in caps["packages_whitelist"]):
        return False
    if compare_a(entry.get("min_wapt_version", ""), caps["wapt_version"]) > 0:
        return False
    return accepts(entry, dict(target_os=caps["os"], min_os_version=caps["os_version"], max_os_version=caps["os_version"], architectures=caps["architecture"],
                               locales=caps["packages_locales"] or "none", maturities=caps["packages_maturities"]))


SYSTEMS = ["", "all", "windows", "linux", "darwin", "unix", "windows,linux", "windows, linux", "linux,all", "mac", "Windows"]
RELEASES = ["", "6.1", "6.1.7601", "10", "10.0", "10.0.19041", "11", "12.7", "20.04", "10a"]
LOCALES = ["", "all", "fr", "en", "fr,en", "fr, de", "FR"]


def entry_filters():
    kinds = dict(target_os=SYSTEMS, min_os_version=RELEASES, max_os_version=RELEASES, architecture=["all", "x64", "x86", "arm64"], locale=LOCALES,
                 maturity=["", "PROD", "DEV", "all", "prod"])
    return {k: R.choice(kinds[k]) for k in R.sample(sorted(kinds), R.randrange(1, 4))}


def filter_cases():
    kinds = dict(target_os=[None, "", "all", "windows", "linux"], min_os_version=[None] + RELEASES, max_os_version=[None] + RELEASES,
                 architectures=[None, "x64", "all", ["x64", "x86"], ["x86"]], locales=[None, "fr", ["fr", "en"], "all", "de"],
                 maturities=[None, "PROD", ["DEV", "PROD"], "DEV", "all", ["PREPROD"]])
    for _ in range(400):
        entry, request = entry_filters(), {k: R.choice(v) for k, v in kinds.items() if R.random() < 0.6}
        yield dict(entry=entry, request=request, match=accepts(entry, request))


def host_cases():
    patterns = [None, [], ["tis-*"], ["grp-?"], ["*"], ["tis-[ab]", "x"], ["TIS-*"], ["tis-[!a]*"]]
    dates = ["2024-01-01T00:00:00", "2025-06-01T12:00:00", "2026-01-01T00:00:00", "2025-06-01T12:00:00.5", "2025"]
    for _ in range(500):
        entry = entry_filters()
        for key, choices in dict(min_wapt_version=["1.8", "1.8.2", "1.8.2.7334", "2", "1.7.4"], valid_from=dates, valid_until=dates).items():
            if R.random() < 0.25:
                entry[key] = R.choice(choices)
        caps = dict(os=R.choice(["windows", "Windows", "linux", "darwin"]), os_version=R.choice(RELEASES[1:]), architecture=R.choice(["x64", "x86"]),
                    wapt_version=R.choice(["1.8.2", "1.8.2.7334", "1.7.4", "2.0"]), packages_locales=R.choice([None, ["fr"], ["fr", "en"], ["de"]]),
                    packages_maturities=R.choice([None, ["PROD"], ["DEV", "PROD"]]), packages_blacklist=R.choice(patterns) if R.random() < 0.3 else None,
                    packages_whitelist=R.choice(patterns) if R.random() < 0.3 else None)
        name, now = R.choice(["tis-a", "tis-bad", "grp-x", "x"]), R.choice(dates)
        yield dict(capabilities=caps, entry=entry, package=name, for_datetime=now, match=is_host_match(caps, entry, name, now))


def rank(value, wanted):
    if value in ("", "all"):
        return -1000
    return -words(wanted).index(value) if value in words(wanted) else -10000


def order_c(a, b):
    c = compare(a["package"], b["package"]) or compare_c(a["version"], b["version"]) or compare(a["maturity"], b["maturity"])
    return c or (compare(a["signature_date"], b["signature_date"]) if a["signature_date"] and b["signature_date"] else 0)


def preference(request):
    def order(a, b):
        c = compare_b(a["version"], b["version"])
        for key, of in (("architecture", "architectures"), ("locale", "locales"), ("maturity", "maturities")):
            wanted = request.get(of)
            if wanted:
                c = c or compare(rank(a[key], wanted), rank(b[key], wanted))
            else:
                c = c or compare((a[key] not in ("", "all"), a[key]), (b[key] not in ("", "all"), b[key]))
        return c
    return order


def newest(entries):
    best = {}
    for e in entries:
        kind = (e["package"], e["architecture"], e["locale"], e["maturity"])
        if kind not in best or compare_b(best[kind]["version"], e["version"]) < 0:
            best[kind] = e
    return [best[k]["id"] for k in sorted(best)]


def sorting_cases():
    for _ in range(60):
        entries = [dict(id=i, package="tis-a", version=R.choice(["1", "1.0", "1.0-0", "1.0-1", "1.0.0-1", "1.2-3", "1.2.0-3", "1.10-1", "2-0", "01.2-3"]),
                        architecture=R.choice(["all", "x64", "x86"]), locale=R.choice(["", "all", "fr", "en", "fr,en"]), maturity=R.choice(["", "PROD", "DEV", "BETA", "all"]),
                        signature_date=R.choice(["", "2024-01-01T00:00:00", "2024-01-02T00:00:00", "20170601-120000"])) for i in range(R.randrange(1, 9))]
        requests = []
        for _ in range(4):
            r = {k: R.choice(v) for k, v in dict(architectures=[["x64", "x86"], ["x86"]], locales=[["fr", "en"], ["en"]], maturities=[["PROD", "DEV"], ["DEV"]]).items()
                 if R.random() < 0.5}
            r["request"] = R.choice(["tis-a", "tis-a(>=1.2)", "tis-a(=1.0)", "tis-a(<1.10-1)"])
            found = [e for e in entries if accepts(e, r) and answers(r["request"], "tis-a", e["version"])[0] is True]
            requests.append(dict(request=r, matching=[e["id"] for e in sorted(found, key=functools.cmp_to_key(preference(r)))]))
        yield dict(entries=entries, sorted=[e["id"] for e in sorted(entries, key=functools.cmp_to_key(order_c))], newest_only=newest(entries), requests=requests)


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
        parts = [package] + [p.replace(",", "-") for p in (a["architecture"], a["maturity"], a["locale"]) if p not in ("", "all")]
        yield dict(package=package, attributes=a, with_md5sum=md5, edit_directory="_".join(parts) + "-wapt", filename=file_name(dict(a, package=package), "0123456789abcdef0123456789abcdef" if md5 else None))


def list_cases():
    for _ in range(100):
        t = "".join(R.choice("ab,, \t\u00a0é") for _ in range(R.randrange(12)))
        yield dict(text=t, list=[x.strip() for x in t.split(",") if x.strip()])


write("canonical_json.json", canonical_cases())
write("vercmp.json", version_cases())
write("control_parse.json", [c for c, _ in zip(control_cases(), range(300))])
write("filenames.json", name_cases())
write("csv_list.json", list_cases())
write("match.json", match_cases())
write("request_filters.json", filter_cases())
write("host_capabilities.json", host_cases())
write("sorting.json", sorting_cases())
