"""F2A: an archive means one thing to every reader, or it is refused. Each header field is altered alone; then the tricks."""
import io
import struct
import zipfile
import zlib

import pytest

import forge
from forge import Entry, archive, entries, members
from forged import CA, DEV, Cases

CASES = Cases()
add = CASES.add
U32 = 0xFFFFFFFF


def one(change=None, files=None, **kw):
    """A good package of which change(list of entries) makes another."""
    def make():
        list_ = entries(members(DEV, files=files))
        return archive(change(list_) or list_ if change else list_, **kw)
    return make


def at(i, **kw):
    """The same with member i made anew with these arguments."""
    def change(list_):
        list_[i] = Entry(list_[i].name, list_[i].data, **kw)
    return one(change)


def signed(*made, **files):
    """Members that are in the manifest, but packed as said: (name in the manifest, entry)."""
    def make():
        m = members(DEV, files=dict({n: e.data for n, e in made}, **files))
        by = dict(made)
        return archive([by.get(n) or Entry(n, d) for n, d in m.items()])
    return make


def extra(id_, data):
    return struct.pack("<HH", id_, len(data)) + data


def by_zipfile(method, level=None, stream=False, zip64=False):
    """As Python's zipfile makes it: WAPT's own tool."""
    def make():
        out = io.BytesIO()
        target = out
        if stream:
            class Pipe(io.RawIOBase):
                def writable(self):
                    return True

                def write(self, b):
                    return out.write(bytes(b))
            target = Pipe()
        with zipfile.ZipFile(target, "w", method, allowZip64=True, compresslevel=level) as z:
            for n, d in members(DEV, files={"setup.py": forge.SETUP, "data/é.bin": bytes(range(256)) * 300, "empty": b""}).items():
                if zip64:
                    with z.open(zipfile.ZipInfo(n), "w", force_zip64=True) as f:
                        f.write(d)
                else:
                    z.writestr(n, d)
        return out.getvalue()
    return make


# --- what honest tools make ---

add("plain", one())
for level in range(0, 10):
    add(f"zipfile-level-{level}", by_zipfile(zipfile.ZIP_DEFLATED, level))
add("zipfile-stored", by_zipfile(zipfile.ZIP_STORED))
add("zipfile-streamed", by_zipfile(zipfile.ZIP_DEFLATED, stream=True))
add("zipfile-zip64", by_zipfile(zipfile.ZIP_DEFLATED, zip64=True))
add("zip64-end-record", one(before_end=True))
add("other-order", lambda: archive(list(reversed(entries(members(DEV))))))
add("directory-in-other-order", one(order=[5, 0, 3, 1, 2, 4]))
for mode in (0o100600, 0o100755, 0o104755, 0o102777, 0o644, 0):
    add(f"mode-{mode:o}", at(0, mode=mode))
for id_, name, data in ((0x5455, "time", b"\1" + bytes(4)), (0x7875, "unix", b"\1\4" + bytes(4) + b"\4" + bytes(4)), (0x000A, "ntfs", bytes(32)),
                        (0xCAFE, "java", b"")):
    add(f"extra-{name}", at(1, local_extra=extra(id_, data), central_extra=extra(id_, data)))
add("made-by-windows", at(0, central=dict(made_by=0x0014, external=0x20)))
add("made-by-macos", at(0, central=dict(made_by=0x1314)))
for n, d in (("with-mark", "<IIII"), ("without-mark", "<III"), ("wide-with-mark", "<IIQQ"), ("wide-without-mark", "<IQQ")):
    def described(list_, form=d):
        e = list_[1]
        values = (zlib.crc32(e.data), len(e.packed), len(e.data))
        values = ((0x08074B50,) if form.count("I") + form.count("Q") == 4 else ()) + values
        list_[1] = Entry(e.name, e.data, flags=8, local=dict(crc=0, packed=0, size=0), descriptor=struct.pack(form, *values))
    add(f"descriptor-{n}", one(described))
add("zip64-sizes-in-directory", at(1, central=dict(size=U32, packed=U32), central_extra=extra(1, struct.pack("<QQ", 8, 10))))
add("zip64-sizes-in-header", at(1, local=dict(size=U32, packed=U32), local_extra=extra(1, struct.pack("<QQ", 8, 10))))

# --- each field alone ---

WRONG = dict(sig=(1, 0x08074B50), flags=(1, 2, 8, 0x10, 0x20, 0x40, 0x800, 0x1000, 0x2000, 0x8000), method=(0, 1, 6, 9, 12, 14, 93, 95, 98, 99),
             crc=(0, 1, U32), packed=(0, 1, 9, 11, U32), size=(0, 1, 7, 9, 0x10000, U32), name_n=(0, 12, 14, 0xFFFF), extra_n=(1, 4, 0xFFFF))
for field, values in WRONG.items():
    for v in values:
        add(f"header-{field}-{v:#x}", at(1, local={field: v}), "archive")
        if (field, v) != ("flags", 2):  # how hard the writer tried: told alike in both it is fine
            add(f"directory-{field}-{v:#x}", at(1, central={field: v}), "archive")
        if field in ("flags", "method", "crc", "size", "packed") and (field, v) not in (("flags", 2), ("flags", 0x800)):
            add(f"both-{field}-{v:#x}", at(1, local={field: v}, central={field: v}), ("archive", "files"))
for field, values in dict(time=(0, 0xFFFF), date=(0, 0xFFFF), internal=(1, 0xFFFF)).items():
    for v in values:
        add(f"directory-{field}-{v:#x}", at(1, central={field: v}))  # not signed, not used
for v in (0, 10, 45, 63):
    add(f"directory-version-{v}", at(1, central=dict(version=v)))
for v in (64, 255):
    add(f"directory-version-{v}", at(1, central=dict(version=v)), "archive")
    add(f"header-version-{v}", at(1, local=dict(version=v)), "archive")
for field, values in dict(comment_n=(1, 0xFFFF), disk=(1, 0xFFFF), offset=(0, 1, 0x7FFFFFFF, U32)).items():
    for v in values:
        add(f"directory-{field}-{v:#x}", at(1, central={field: v}), "archive")
for field, values in dict(sig=(0,), disk=(1, 0xFFFF), start_disk=(1, 0xFFFF), here=(0, 5, 7, 0xFFFF), count=(0, 5, 7, 0xFFFF),
                          bytes=(0, 1, U32), offset=(0, 1, U32), comment_n=(1, 0xFFFF)).items():
    for v in values:
        add(f"end-{field}-{v:#x}", one(end={field: v}), "archive")
add("end-both-counts-5", one(end=dict(here=5, count=5)), "archive")
add("end-both-counts-7", one(end=dict(here=7, count=7)), "archive")
for kind, mode in dict(link=0o120777, fifo=0o010644, character=0o020644, directory=0o040755, block=0o060644, socket=0o140644, door=0o150644).items():
    add(f"mode-{kind}", at(0, mode=mode), "archive")
for kind, bit in dict(volume=0x08, directory=0x10, device=0x40, reparse=0x400).items():
    add(f"attribute-{kind}", at(0, central=dict(external=bit)), "archive")

# --- Zip64 ---

for n, form, values in (("short", "<Q", (8,)), ("long", "<QQQ", (8, 10, 0)), ("lies-size", "<QQ", (9, 10)), ("lies-packed", "<QQ", (8, 11)),
                        ("huge", "<QQ", (1 << 63, 10)), ("empty", "", ())):
    data = extra(1, struct.pack(form, *values))
    add(f"zip64-directory-{n}", at(1, central=dict(size=U32, packed=U32), central_extra=data), "archive")
    add(f"zip64-header-{n}", at(1, local=dict(size=U32, packed=U32), local_extra=data), "archive")
add("zip64-unneeded", at(1, central_extra=extra(1, struct.pack("<QQ", 8, 10))), "archive")
add("zip64-twice", at(1, local_extra=extra(1, struct.pack("<QQ", 8, 10)) * 2), "archive")
add("zip64-header-contradicts-field", at(1, local_extra=extra(1, struct.pack("<QQ", 9, 10))), "archive")


def end64(count=6, size=None, offset=None, at=0, extensible=b"", disk=0, sig=0x06064B50, locator=0x07064B50, length=44):
    def make():
        whole = archive(entries(members(DEV)))
        n, start = struct.unpack("<II", whole[-10:-2])
        tail = struct.pack("<IQHHIIQQQQ", sig, length, 45, 45, disk, 0, count, count, n if size is None else size, start if offset is None else offset)
        tail += extensible + struct.pack("<IIQI", locator, 0, len(whole) - 22 + at, 1)
        return whole[:-22] + tail + whole[-22:]
    return make


add("end64", end64())
for n, kw in dict(count=dict(count=5), size=dict(size=1), offset=dict(offset=0), place=dict(at=1), extensible=dict(extensible=b"hidden__", length=52),
                  hidden=dict(extensible=b"hidden__"), disk=dict(disk=1), mark=dict(sig=1), nolocator=dict(locator=1)).items():
    add(f"end64-{n}", end64(**kw), "archive")

# --- descriptors that lie ---

for n, v in dict(crc=(1, 10, 8), packed=(None, 9, 8), size=(None, 10, 9)).items():
    def described(list_, v=v):
        e = list_[1]
        crc = zlib.crc32(e.data) if v[0] is None else v[0]
        list_[1] = Entry(e.name, e.data, flags=8, local=dict(crc=0, packed=0, size=0), descriptor=struct.pack("<IIII", 0x08074B50, crc, *v[1:]))
    add(f"descriptor-lies-{n}", one(described), "archive")
add("descriptor-absent", at(1, flags=8, local=dict(crc=0, packed=0, size=0)), "archive")
add("descriptor-unannounced", at(1, descriptor=bytes(16)), "archive")
add("descriptor-long", at(1, flags=8, local=dict(crc=0, packed=0, size=0), descriptor=bytes(28)), "archive")
add("descriptor-of-stored", at(1, flags=8, method=0, local=dict(crc=0, packed=0, size=0),
                               descriptor=struct.pack("<IIII", 0x08074B50, zlib.crc32(b"content\n"), 8, 8)), "archive")

# --- bytes that belong to nothing, and members that belong to nobody ---

add("prefix", one(prefix=b"#!/bin/sh\n"), "archive")
add("prefix-offsets-not-moved", one(prefix=b"#!/bin/sh\n", shift=False), "archive")
add("suffix", one(suffix=b"\0"), "archive")
add("suffix-archive", lambda: one()() + one()(), "archive")
add("archive-comment", one(comment=b"hello"), "archive")
add("archive-comment-archive", lambda: archive(entries(members(DEV)), comment=one()()), "archive")
add("comment-unannounced", one(comment=b"hello", end=dict(comment_n=0)), "archive")
add("before-directory", one(before_directory=b"hidden"), "archive")
add("before-end", one(before_end=b"hidden"), "archive")
add("between", at(2, before=b"hidden"), "archive")
add("before-first", at(0, before=b"hidden"), "archive")
add("member-comment", at(1, comment=b"hidden"), "archive")
add("hidden-member", one(lambda l: l.insert(2, Entry("evil.py", "x", in_directory=False))), "archive")
add("directory-entry-without-member", one(lambda l: l.append(Entry("evil.py", "x", offset=0))), "archive")
add("two-entries-for-one-header", one(lambda l: l.append(Entry(l[0].name, l[0].data, offset=0))), "archive")
add("packed-tail", at(1, packed=zlib.compress(b"content\n")[2:-4] + b"hidden"), ("archive", "files"))
add("nested-overlap", one(lambda l: l.append(Entry("inner", l[0].data, offset=0, in_directory=True))), "archive")
add("empty-file", lambda: b"", "archive")
add("only-end", lambda: archive([]), "archive", "not a package")
add("truncated", lambda: one()()[:-1], "archive")
add("half", lambda: (lambda b: b[:len(b) // 2])(one()()), "archive")
add("gzip-of-it", lambda: zlib.compress(one()()), "archive")

# --- extra fields ---

for n, data in dict(cut=b"\1", overlong=struct.pack("<HH", 0x5455, 9) + b"\1").items():
    add(f"extra-{n}-directory", at(1, central_extra=data), "archive")
    add(f"extra-{n}-header", at(1, local_extra=data), "archive")
for n, id_ in dict(unicode_path=0x7075, unicode_comment=0x6375, aes=0x9901, strong=0x0017).items():
    add(f"extra-{n}-directory", at(1, central_extra=extra(id_, b"\1" + bytes(8))), "archive")
    add(f"extra-{n}-header", at(1, local_extra=extra(id_, b"\1" + bytes(8))), "archive")

# --- bombs ---

BOMB = zlib.compressobj(9, zlib.DEFLATED, -15)
BOMB = BOMB.compress(bytes(1 << 24)) + BOMB.flush()
add("bomb-undersold", at(1, packed=BOMB), ("archive", "files"))
add("bomb-control-undersold", at(2, packed=BOMB), "archive")
add("ratio", at(1, local=dict(size=0x7FFFFFFF), central=dict(size=0x7FFFFFFF)), "archive")
add("sum", one(lambda l: l.extend(Entry(f"f{i}", b"", packed=bytes(10), local=dict(size=11000), central=dict(size=11000)) for i in range(3))),
    ("archive", "files"))
add("many-members", one(lambda l: l.extend(Entry(f"f{i}", b"", method=0) for i in range(3000))), "files")
add("deep-name", signed(("a/" * 70 + "x", Entry("a/" * 70 + "x", b"x"))), "archive")
add("long-name", signed(("a" * 300, Entry("a" * 300, b"x"))), "archive")

# --- names ---

for n, bad in dict(dot="./data/x", inner_dot="data/./x", up="../x", inner_up="data/../x", trailing_up="data/..", double="data//x", absolute="/etc/x",
                   drive="C:/x", drive_relative="C:x", unc="//host/x", backslash="data\\x", backslash_up="..\\x", ads="x:y", ads_data="x::$DATA",
                   trailing_dot="x.", trailing_dots="x...", trailing_blank="x ", folder_dot="data./x", folder_blank="data /x", newline="a\nb",
                   escape="a\x1bb", delete="a\x7fb", c1="a\u0085b", override="a\u202eb", zero_width="a\u200bb", bom="\ufeffa", star="a*", question="a?",
                   quote='a"', less="a<", pipe="a|", con="con", con_ext="CON.txt", aux="data/aux", nul_dots="nul.tar.gz", com1="COM1", lpt9="lpt9.x",
                   com_super="com\u00b9", conin="CONIN$", clock="CLOCK$", con_blank="con .txt", nul="a\0b", nul_setup="setup.py\0.txt").items():
    add(f"name-{n}", signed((bad, Entry(bad, b"x"))), "archive")
add("name-empty", one(lambda l: l.insert(0, Entry("", b"x"))), "archive")
add("name-slash", one(lambda l: l.insert(0, Entry("/", b""))), "archive")
add("name-not-utf8", one(lambda l: l.insert(0, Entry(b"a\xffb", b"x", flags=0x800))), "archive")
add("name-surrogate", one(lambda l: l.insert(0, Entry(b"a\xed\xa0\x80b", b"x", flags=0x800))), "archive")
add("name-overlong", one(lambda l: l.insert(0, Entry(b"a\xc0\xafb", b"x", flags=0x800))), "archive")
add("name-utf8-without-flag", signed(("é.txt", Entry("é.txt", b"x", flags=0))), "files")
add("name-cp437", signed(("é.txt", Entry("é.txt".encode("cp437"), b"x", flags=0))))
add("name-utf8", signed(("é日本.txt", Entry("é日本.txt", b"x"))))
add("name-ascii-with-flag", signed(("a.txt", Entry("a.txt", b"x", flags=0x800))))
add("header-name-differs", at(1, local_name=b"data/fild.txt"), "archive")
add("header-name-case", at(1, local_name=b"DATA/file.txt"), "archive")
add("header-name-longer", at(1, local_name=b"data/file.txt\0"), "archive")

for n, (a, b) in dict(same=("x", "x"), case=("x", "X"), folder_case=("data/y", "Data/y"), latin=("é", "É"), greek=("σ", "Σ"), final_sigma=("σ", "ς"),
                      cyrillic=("я", "Я"), full_width=("ａ", "Ａ"), angstrom=("\u212b", "\u00c5"), kelvin=("\u212a", "k"), long_s=("\u017f", "s"), sharp_s=("\u1e9e", "\u00df"),
                      ohm=("\u2126", "\u03c9"), file_and_folder=("x", "x/y"), file_and_folder_case=("X", "x/y")).items():
    add(f"twins-{n}", signed((a, Entry(a, b"x")), (b + " ", Entry(b, b"x"))) if a == b else signed((a, Entry(a, b"x")), (b, Entry(b, b"x"))),
        ("archive", "manifest-signature"))
# Composed and decomposed letters are two files on the systems that agents run on; that one of them is signed says nothing for the other.
for n, (a, b) in dict(latin=("\u00e9", "e\u0301"), hangul=("\uac00", "\u1100\u1161")).items():
    add(f"composed-{n}", signed((a, Entry(a, b"x")), (b, Entry(b, b"x"))))
    add(f"composed-added-{n}", lambda a=a, b=b: archive(entries(members(DEV, files={a: b"x"})) + [Entry(b, b"x")]), "files", "added")
    add(f"composed-instead-{n}", lambda a=a, b=b: archive([Entry(b if e.name == a.encode() else e.name, e.data)
                                                           for e in entries(members(DEV, files={a: b"x"}))]), "files", "added")
for n, (a, b) in dict(accent=("e", "é"), long=("x", "xx"), neighbours=("x.a", "x/a"), ligature=("fi", "ﬁ"), scripts=("a", "а")).items():
    add(f"no-twins-{n}", signed((a, Entry(a, b"x")), (b, Entry(b, b"x"))))
for paper in forge.PAPERS:
    add(f"twice-{paper}", one(lambda l, p=paper: l.append(next(e for e in l if e.name == p.encode()))), "archive")
    add(f"case-{paper}", one(lambda l, p=paper: l.append(Entry(p.lower(), b"x"))), "archive")
add("folder-entry", one(lambda l: l.insert(0, Entry("data/", b"", method=0, mode=0o040755))), "archive", "added")
add("folder-entry-with-content", one(lambda l: l.insert(0, Entry("other/", b"x", method=0, mode=0o040755))), "archive")
add("folder-called-setup", one(lambda l: l.append(Entry("setup.py/", b"", method=0, mode=0o040755)), files={"a": b"x"}), ("archive", "code"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    CASES.run(tmp_path_factory.mktemp("zip"), {"main": {"ca.crt": CA.pem}})
    return CASES


@pytest.mark.parametrize("name", CASES.names())
def test_archive(cases, name):
    cases.judge(name)
