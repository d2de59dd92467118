"""A packager's day: from nothing, or an installer, to packages that are built, signed, verified and published; and installers that are hostile."""
import ast
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import threading
import zipfile
import zlib

import pytest

from conftest import BIN, ROOT, run

sys.path.insert(0, str(ROOT / "python"))
import setuphelpers
from setuphelpers.package import ATTRIBUTES, SIGNATURE_ATTRIBUTES

NAMES = {"basedir", "control", "params", "WAPT", "force", "persistent_dir"}  # what the runner gives beside setuphelpers

RC = """#pragma code_page(65001)
1 VERSIONINFO
FILEVERSION 3,4,5,6
BEGIN
 BLOCK "StringFileInfo"
 BEGIN
  BLOCK "040904b0"
  BEGIN
%s
  END
 END
 BLOCK "VarFileInfo" BEGIN VALUE "Translation", 0x409, 1200 END
END
1 24 "manifest.xml"
"""
MANIFEST = ('<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">'
            '<assemblyIdentity type="win32" name="%s" version="1.0.0.0"/></assembly>')
WXS = """<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Name="%s" Id="{CD431D12-07D2-4A54-B13E-728092D0E076}" UpgradeCode="{12345678-1234-1234-1234-111111111111}" Language="1033" Version="1.2.3" Manufacturer="%s">
  <Package InstallerVersion="200" Compressed="yes"/><Media Id="1" Cabinet="p.cab" EmbedCab="yes"/>
  <Property Id="ARPURLINFOABOUT" Value="https://acme.example/"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Acme">
   <Component Id="c1" Guid="{12345678-1234-1234-1234-222222222222}"><File Id="f" Source="in.wxs"/></Component></Directory></Directory></Directory>
  <Feature Id="F" Level="1"><ComponentRef Id="c1"/></Feature>
 </Product></Wix>"""


def tool(*argv, cwd):
    subprocess.run(argv, cwd=cwd, check=True, capture_output=True, timeout=60)


def make_msi(at, name="Acme Notes", vendor="Acme GmbH", file="notes.msi"):
    escape = lambda text: text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    (at / "in.wxs").write_text(WXS % (escape(name), escape(vendor)), encoding="utf-8")
    tool("wixl", "-a", "x64", "-o", file, "in.wxs", cwd=at)
    return at / file


def make_exe(at, manifest="Nullsoft.NSIS.exehead", overlay=b"", section=None, file="paint.exe", **values):
    values = values or {"ProductName": "Acme Paint", "ProductVersion": "3.4.5", "CompanyName": "Acme", "FileDescription": "Acme Paint Setup"}
    # Written with escapes of windres, each byte that is not a letter.
    quote = lambda text: "".join(c if c.isalnum() or c == " " else "\\x%04x" % ord(c) for c in text)
    (at / "manifest.xml").write_text(MANIFEST % manifest)
    (at / "v.rc").write_text(RC % "\n".join(f'   VALUE "{k}", L"{quote(v)}"' for k, v in values.items()))
    (at / "m.c").write_text("int start(void) { return 0; }\n" + (section or ""))
    tool("x86_64-w64-mingw32-windres", "v.rc", "v.o", cwd=at)
    tool("x86_64-w64-mingw32-gcc", "-s", "-nostdlib", "-e", "start", "-o", file, "m.c", "v.o", cwd=at)
    with open(at / file, "ab") as out:
        out.write(overlay)
    return at / file


def make_deb(at, control="Package: acme-tool\nVersion: 1:2.3.4~rc1-5\nArchitecture: amd64\nMaintainer: Acme <a@acme.example>\n"
             "Homepage: https://acme.example\nDescription: tool of Acme\n more of it\n"):
    (at / "deb/DEBIAN").mkdir(parents=True)
    (at / "deb/DEBIAN/control").write_text(control)
    tool("dpkg-deb", "--root-owner-group", "--nocheck", "-b", "deb", "tool.deb", cwd=at)
    return at / "tool.deb"


def make_rpm(at):
    (at / "a.spec").write_text("Name: acme-rpm\nVersion: 2.1\nRelease: 3\nSummary: Rpm of Acme\nLicense: GPLv3+\nVendor: Acme\nURL: https://acme.example\n"
                               "BuildArch: noarch\n%description\nx\n%files\n")
    tool("rpmbuild", "-bb", "--define", f"_topdir {at}/r", "a.spec", cwd=at)
    (made,) = (at / "r").rglob("*.rpm")
    return made


def make_dir(at):
    (at / "portable/bin").mkdir(parents=True)
    (at / "portable/bin/tool").write_text("#!/bin/sh\necho tool\n")
    (at / "portable/bin/tool").chmod(0o755)
    return at / "portable"


def make_msu(at):
    (at / "windows10-kb1234567-x64.msu").write_bytes(b"MSCF" + b"\0" * 60)
    return at / "windows10-kb1234567-x64.msu"




def make_png(side=16, tail=b""):
    """Grey."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = zlib.compress((b"\0" + b"\x80" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"") + tail


PNG = make_png()
APPX = """<?xml version="1.0" encoding="utf-8"?>
<!-- an app --><Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10" xmlns:uap="http://schemas.microsoft.com/appx/manifest/uap/windows10">
  <Identity Name="Acme.Draw" Publisher="CN=Acme GmbH, O=Acme, C=DE" Version="5.6.7.0" ProcessorArchitecture="x64"/>
  <Properties><DisplayName>%s</DisplayName><PublisherDisplayName>%s</PublisherDisplayName><Description>Draws &amp; paints</Description>
    <Logo>Assets\\StoreLogo.png</Logo></Properties>
  <Applications><Application Id="App" Executable="draw.exe" EntryPoint="Windows.FullTrustApplication">
    <uap:VisualElements DisplayName="Draw" Square150x150Logo="Assets\\Tile.png" BackgroundColor="transparent"/></Application></Applications>
</Package>"""
APPX_BUNDLE = """\ufeff<?xml version="1.0" encoding="UTF-8"?>
<Bundle xmlns="http://schemas.microsoft.com/appx/2013/bundle" SchemaVersion="4.0">
  <Identity Name="Acme.Draw" Publisher="CN=Acme GmbH, O=Acme, C=DE" Version="2024.1.2.0"/>
  <Packages><Package Type="resource" Version="5.6.7.0" ResourceId="de" FileName="de.msix"/>
    <Package Type="application" Version="5.6.7.0" Architecture="x64" FileName="draw_x64.msix"/>%s</Packages>
</Bundle>"""


def appx_zip(members):
    """An archive as Windows writes its apps: Zip64, sizes behind the data, of what is stored too. members: {name: (bytes, whether it is deflated)}."""
    out, directory = bytearray(), bytearray()
    for name, (data, is_deflated) in members.items():
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(data) + packer.flush() if is_deflated else data
        kind, crc, at, raw = 8 if is_deflated else 0, zlib.crc32(data), len(out), name.encode()
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 8, kind, 0, 0x5821, 0, 0, 0, len(raw), 0) + raw + packed
        out += struct.pack("<IIQQ", 0x08074B50, crc, len(packed), len(data))
        extra = struct.pack("<HHQQQ", 1, 24, len(data), len(packed), at)
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 8, kind, 0, 0x5821, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(raw), len(extra), 0, 0, 0, 0,
                                 0xFFFFFFFF) + raw + extra
    n, at = len(members), len(out)
    end = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, n, n, len(directory), at)
    end += struct.pack("<IIQI", 0x07064B50, 0, at + len(directory), 1)
    return bytes(out + directory + end + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def make_msix(at, name="Acme Draw", vendor="Acme GmbH", file="draw.msix", manifest=None, **more):
    text = APPX % (name, vendor) if manifest is None else manifest
    (at / file).write_bytes(appx_zip({"draw.exe": (b"MZ" + b"\0" * 5000, True), "Assets/StoreLogo.png": (PNG, False), "Assets/Tile.scale-200.png": (PNG, False),
                                      "Assets/Tile.scale-200_contrast-black.png": (b"larger than the others, and no icon" * 9, True),
                                      "AppxManifest.xml": (text.encode() if isinstance(text, str) else text, True), "AppxBlockMap.xml": (b"<BlockMap/>", True),
                                      "[Content_Types].xml": (b"<Types/>", True), "AppxSignature.p7x": (b"PKCX", True), **more}))
    return at / file


def make_msixbundle(at, more=""):
    app = make_msix(at).read_bytes()
    (at / "draw.msixbundle").write_bytes(appx_zip({"de.msix": (b"PK", False), "draw_x64.msix": (app, False), "draw_arm64.msix": (app, False),
                                                   "AppxMetadata/AppxBundleManifest.xml": ((APPX_BUNDLE % more).encode(), True)}))
    return at / "draw.msixbundle"


XAR = """<?xml version="1.0" encoding="UTF-8"?>
<xar><toc><creation-time>2026-01-01T00:00:00</creation-time><checksum style="sha1"><size>20</size><offset>0</offset></checksum>
<file id="1"><name>Distribution</name><type>file</type><data><length>1</length><offset>20</offset><size>1</size><encoding style="application/octet-stream"/></data></file>
<file id="2"><name>view.pkg</name><type>directory</type>
<file id="3"><data><length>%d</length><offset>%d</offset><size>%d</size><encoding style="application/x-gzip"/></data><type>file</type><name>PackageInfo</name></file></file>
</toc></xar>"""
PACKAGE_INFO = b'<?xml version="1.0"?><pkg-info format-version="2" identifier="com.acme.view" version="2.5.1" install-location="/" auth="root"><payload/></pkg-info>'


def make_pkg(at, info=PACKAGE_INFO, size=None, offset=21, file="Acme View.pkg", toc=None):
    packed = zlib.compress(info)
    text = (toc or XAR % (len(packed), offset, len(info) if size is None else size)).encode()
    table = zlib.compress(text)
    (at / file).write_bytes(struct.pack(">4sHHQQI", b"xar!", 28, 1, len(table), len(text), 1) + table + b"\0" * 20 + b"d" + packed)
    return at / file


def make_dmg(at):
    (at / "Acme View 2.5.dmg").write_bytes(b"\x78\xda" * 500 + b"koly" + b"\0" * 508)
    return at / "Acme View 2.5.dmg"


KINDS = {
    "msi": (make_msi, {"package": "tis-acme-notes", "version": "1.2.3-1", "architecture": "x64", "target_os": "windows", "editor": "Acme GmbH",
                       "homepage": "https://acme.example/"},
            ["uninstallkey = ['{CD431D12-07D2-4A54-B13E-728092D0E076}']", "install_msi_if_needed(", "MSI = 'notes.msi'"]),
    "exe": (make_exe, {"package": "tis-acme-paint", "version": "3.4.5-1", "description": "Acme Paint Setup", "target_os": "windows"},
            ["SILENT = '/S'", "install_exe_if_needed(", "uninstallkey = ['Acme Paint']"]),
    "deb": (make_deb, {"package": "tis-acme-tool", "version": "2.3.4-1", "architecture": "x64", "target_os": "linux", "description": "tool of Acme",
                       "homepage": "https://acme.example"},
            ["install_deb(", "NAME = 'acme-tool'", "purge_deb(NAME)"]),
    "rpm": (make_rpm, {"package": "tis-acme-rpm", "version": "2.1-1", "architecture": "all", "licence": "GPLv3+", "target_os": "linux"},
            ["install_rpm(", "NAME = 'acme-rpm'", "uninstall_yum(NAME)"]),
    "folder": (make_dir, {"package": "tis-portable", "version": "0-1", "target_os": "linux"}, ["FOLDER = 'portable'", "copytree2("]),
    "msu": (make_msu, {"package": "tis-windows10-kb1234567-x64", "target_os": "windows"}, ["'wusa.exe'"]),
    "msix": (make_msix, {"package": "tis-acme-draw", "version": "5.6.7.0-1", "architecture": "x64", "target_os": "windows", "editor": "Acme GmbH",
                         "description": "Draws & paints"},
             ["APPX = 'draw.msix'", "APP = 'Acme.Draw'", "Add-AppxProvisionedPackage", "Remove-AppxProvisionedPackage"]),
    "pkg": (make_pkg, {"package": "tis-acme-view", "version": "2.5.1-1", "target_os": "darwin"},
            ["PKG = 'Acme View.pkg'", "NAME = 'com.acme.view'", "install_pkg(", "uninstall_pkg(NAME)"]),
    "dmg": (make_dmg, {"package": "tis-acme-view", "version": "2.5-1", "target_os": "darwin"}, ["DMG = 'Acme View 2.5.dmg'", "install_dmg(", "uninstall_app("]),
    "none": (lambda at: "tis-settings", {"package": "tis-settings", "version": "1.0-1", "target_os": "all"}, ["uninstallkey = []"]),
}


def control_of(folder):
    lines = (folder / "WAPT/control").read_text(encoding="utf-8").splitlines()
    return {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}


def made(org, *argv, ok=True):
    p = org.get("make-template", "--json", *argv, ok=ok)
    return json.loads(p.stdout)["result"] if ok else p


def sources(org, at, *argv):
    (at / "in").mkdir()
    result = made(org, *argv, at / "in" / "src")
    return pathlib.Path(result["folder"]), result


def check_script(text):
    """The script compiles, and each name that it takes from elsewhere is there."""
    tree = ast.parse(text)
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)} | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - own
    builtin = set(dir(__builtins__)) | set(__builtins__ if isinstance(__builtins__, dict) else ())
    assert not used - set(setuphelpers.__all__) - NAMES - builtin, used
    return tree


@pytest.mark.parametrize("kind", KINDS)
def test_from_an_installer_to_a_good_package(org, tmp_path, kind):
    make, attributes, words = KINDS[kind]
    given = make(tmp_path)
    folder, result = sources(org, tmp_path, given, *([] if kind == "none" else [attributes["package"]]))
    assert result["kind"] == kind and result["check"] and result["package"] == attributes["package"]
    control = control_of(folder)
    assert {k: control[k] for k in attributes} == attributes
    text = (folder / "setup.py").read_text(encoding="utf-8")
    check_script(text)
    assert all(word in text for word in words), text
    (lint,) = json.loads(org.get("lint", "--json", folder).stdout)["result"]
    assert (lint["errors"], lint["warnings"]) == (0, 0), lint
    if kind not in ("none", "folder"):
        assert (folder / given.name).read_bytes() == given.read_bytes()
    if kind == "folder":
        assert os.access(folder / "portable/bin/tool", os.X_OK)
    built = json.loads(org.get("build-package", "--json", folder, "-o", tmp_path, "-k", org.cert("Developer"), "-w", org.base / "pw").stdout)["result"][0]
    (told,) = json.loads(org.get("verify", "--json", "-t", org.agent / "ssl", built["file"]).stdout)["result"]
    assert told["good"] and told["package"] == attributes["package"] and told["has_setup_py"]


@pytest.mark.parametrize("maker, how, silent", [
    ("Inno Setup", {"manifest": "JR.Inno.Setup"}, "/VERYSILENT"),
    ("Inno Setup", {"manifest": "x", "overlay": b"Inno Setup Setup Data (6.2.2)"}, "/VERYSILENT"),
    ("NSIS", {"manifest": "x", "overlay": b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst"}, "/S"),
    ("InstallShield", {"manifest": "x", "overlay": b"ISSetupStream"}, "/s /v"),
    ("WiX Burn", {"manifest": "x", "section": '__attribute__((section(".wixburn"), used)) const unsigned int burn[12] = {0x00f14300, 2, '
                                               '0x01234567, 0x89abcdef, 0x01234567, 0x89abcdef};\n'}, "/quiet"),
    ("IExpress", {"manifest": "x", "ProductName": "Tool", "InternalName": "Wextract", "ProductVersion": "1.0"}, "/Q"),
    ("Mozilla's installer", {"manifest": "x", "overlay": b";!@Install@!UTF-8!7z\xbc\xaf\x27\x1c", "ProductName": "Fox", "CompanyName": "Mozilla"}, "-ms"),
    ("Advanced Installer", {"manifest": "x", "overlay": b"\0" * 4000 + b"ADVINSTSFX" + b"\0" * 4000}, "/exenoui /qn"),
    (None, {"manifest": "x"}, "")])
def test_how_an_exe_is_silent(org, tmp_path, maker, how, silent):
    exe = make_exe(tmp_path, **how)
    folder, result = sources(org, tmp_path, exe, "tis-x")
    text = (folder / "setup.py").read_text()
    assert result["made_by"] == maker and f"SILENT = '{silent}" in text
    assert ("recognised by" in result["check"][0]) == (maker is not None)
    french = run("env", "LANG=fr_FR.UTF-8", BIN / "wapt-get", "-c", org.ini, "make-template", exe, "tis-x", tmp_path / "french")
    said = french.stdout + french.stderr
    assert ("reconnu par" in said) == (maker is not None) and " its " not in said and "par the" not in said, said
    if maker == "WiX Burn":
        assert "uninstallkey = ['{01234567-CDEF-89AB-6745-2301EFCDAB89}']" in text
    if maker is None:  # it says so, and runs nothing that would ask
        assert "uninstallkey = []" in text and "error(" in text


EVIL = "A'\n\r] + __import__('os').system('touch PWNED') #\\\u2028\u202edepends: evil\n\ndef install(): evil()"


@pytest.mark.parametrize("make", [
    lambda at: make_exe(at, ProductName=EVIL, ProductVersion=EVIL, CompanyName=EVIL, FileDescription=EVIL),
    lambda at: make_msi(at, name="A'; __import__('os').system('touch PWNED') #\\", vendor="V'\"\\ depends: evil"),
    lambda at: make_exe(at, file="it's '''\\x27 { %s }.exe".replace("\\", ""), ProductName="\\N{DIGIT ONE}'''")])
def test_hostile_properties_stay_text(org, tmp_path, make):
    folder, _ = sources(org, tmp_path, make(tmp_path), "tis-evil")
    control = control_of(folder)
    assert control["depends"] == "" and set(control) <= {*ATTRIBUTES, *SIGNATURE_ATTRIBUTES}, control
    tree = check_script((folder / "setup.py").read_text(encoding="utf-8"))
    assert [n.name for n in tree.body if isinstance(n, ast.FunctionDef)] == ["install", "update_package"]
    for node in tree.body:
        if isinstance(node, ast.Assign):
            ast.literal_eval(node.value)  # a literal, nothing to be computed
    org.get("build-package", folder, "-o", tmp_path, "-k", org.cert("Developer"), "-w", org.base / "pw")
    assert not list(tmp_path.rglob("PWNED"))


@pytest.mark.parametrize("make, wanted", [
    (make_msix, {"version": "5.6.7.0-1", "architecture": "x64", "name": "Acme Draw"}),
    (make_msixbundle, {"version": "2024.1.2.0-1", "architecture": "x64", "name": "Acme Draw", "editor": "Acme GmbH"}),
    (lambda at: make_msixbundle(at, '<Package Type="application" Architecture="arm64" Version="1.0.0.0" FileName="draw_arm64.msix"/>'), {"architecture": "all"}),
    (lambda at: make_msix(at, name="ms-resource:AppName", vendor="ms-resource:Vendor"), {"name": "Acme.Draw", "editor": "Acme GmbH"}),
    (lambda at: make_msix(at, file="it's.appx"), {"name": "Acme Draw"}),
    (lambda at: make_msix(at, manifest="\ufeff" + APPX % ("Acmé", "Acme GmbH")), {"name": "Acmé", "version": "5.6.7.0-1"}),
    (lambda at: make_msix(at, manifest=(APPX % ("Acmé", "Acme GmbH")).replace("utf-8", "utf-16").encode("utf-16")), {"name": "Acmé", "version": "5.6.7.0-1"})])
def test_an_app_tells_who_it_is_and_has_a_picture(org, tmp_path, make, wanted):
    folder, result = sources(org, tmp_path, make(tmp_path), "tis-x")
    control = control_of(folder)
    assert {k: control[k] for k in wanted} == wanted
    assert result["icon"] and (folder / "WAPT/icon.png").read_bytes() == PNG
    check_script((folder / "setup.py").read_text())


LAUGHS = "<!DOCTYPE a [<!ENTITY a 'ha'>%s]>" % "".join(f"<!ENTITY {name} '{('&' + before + ';') * 10}'>" for before, name in zip("abcdefghi", "bcdefghij"))


def hostile_zip(at, data):
    (at / "x.msix").write_bytes(data)
    return at / "x.msix"


@pytest.mark.parametrize("make, says", [
    (lambda at: make_msix(at, manifest="<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><Package><Identity Name='&a;'/></Package>"), "damaged"),
    (lambda at: make_msix(at, manifest=LAUGHS + APPX.partition("?>")[2] % ("&j;", "Acme GmbH")), "damaged"),
    (lambda at: make_msix(at, manifest="<a>" * 33), "damaged"), (lambda at: make_msix(at, manifest="<Package>"), "damaged"),
    (lambda at: make_msix(at, manifest=b"\xff\xfe<\0a\0"), "damaged"), (lambda at: make_msix(at, manifest="<Package>" + " " * (2 << 20) + "</Package>"), "damaged"),
    (lambda at: make_msix(at, manifest="<Package><Identity Name='%s'/></Package>" % ("x" * 5000)), "damaged"),
    (lambda at: make_msixbundle(at, "<"), "damaged"),
    (lambda at: hostile_zip(at, appx_zip({"AppxMetadata/AppxBundleManifest.xml": ((APPX_BUNDLE % "").encode(), True)})), "damaged"),
    (lambda at: hostile_zip(at, appx_zip({"AppxMetadata/AppxBundleManifest.xml": ((APPX_BUNDLE % "").encode(), True), "draw_x64.msix": (b"x" * 99, True)})), "damaged"),
    (lambda at: hostile_zip(at, appx_zip({"../AppxManifest.xml": (b"<a/>", True)})), "damaged"),
    (lambda at: hostile_zip(at, make_msix(at).read_bytes()[:-1]), "damaged"), (lambda at: hostile_zip(at, b"PK\3\4" + b"\xff" * 4000), "damaged"),
    (lambda at: hostile_zip(at, appx_zip({"readme.txt": (b"no app", True)})), "no app of Windows")])
def test_an_app_that_lies_is_refused(org, tmp_path, make, says):
    assert says in made(org, make(tmp_path), "tis-x", tmp_path / "out", ok=False).text
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".wapt-new*"))


@pytest.mark.parametrize("make", [
    lambda at: make_pkg(at, info=b"<!DOCTYPE a><pkg-info/>"), lambda at: make_pkg(at, size=1 << 40), lambda at: make_pkg(at, size=1),
    lambda at: make_pkg(at, offset=1 << 63), lambda at: make_pkg(at, offset=5000), lambda at: make_pkg(at, toc="<xar><toc>"),
    lambda at: make_pkg(at, toc=" " * (2 << 20)), lambda at: hostile_zip(at, b"xar!"), lambda at: hostile_zip(at, b"xar!" + b"\xff" * 4000),
    lambda at: hostile_zip(at, b"xar!\0\x1c\0\1" + b"\0" * 4000)])
def test_a_package_of_macos_that_lies_is_refused(org, tmp_path, make):
    assert "damaged" in made(org, make(tmp_path), "tis-x", tmp_path / "out", ok=False).text
    assert not (tmp_path / "out").exists()


def test_who_reads_no_xml_has_no_reader_of_it():
    for program in ("waptservice", "waptserver"):
        assert "expat" not in subprocess.run(["ldd", BIN / program], check=True, capture_output=True, text=True).stdout


def test_a_package_of_macos_says_each_thing_once(org, tmp_path):
    folder, _ = sources(org, tmp_path, make_pkg(tmp_path, info=b'<pkg-info identifier="com.acme.view&#10;Version&#9;9.9" version="2.5.1"/>'), "tis-x")
    (version,) = [line for line in (folder / "WAPT/control").read_text().splitlines() if line.startswith("version ")]
    assert "2.5.1" in version


def test_a_package_of_macos_need_not_say_who_it_is(org, tmp_path):
    folder, result = sources(org, tmp_path, make_pkg(tmp_path, toc="<xar><toc/></xar>"), "tis-x")
    assert "NAME = ''" in (folder / "setup.py").read_text() and any("pkgutil" in c for c in result["check"])


@pytest.mark.parametrize("picture", [b"no picture", make_png(side=2049), PNG[:20], b""])
def test_an_app_with_a_bad_picture_is_good_without(org, tmp_path, picture):
    folder, result = sources(org, tmp_path, make_msix(tmp_path, **{"Assets/StoreLogo.png": (picture, True), "Assets/Tile.scale-200.png": (picture, True)}), "tis-x")
    assert not result["icon"] and not (folder / "WAPT/icon.png").exists()


def test_the_icon_is_the_persons(org, tmp_path):
    (tmp_path / "own.png").write_bytes(make_png(side=48))
    for i, what in enumerate((make_msix(tmp_path), make_msu(tmp_path), make_dir(tmp_path))):
        folder = pathlib.Path(made(org, what, "tis-x", tmp_path / f"src{i}", "--icon", tmp_path / "own.png")["folder"])
        assert (folder / "WAPT/icon.png").read_bytes() == make_png(side=48)
        (lint,) = json.loads(org.get("lint", "--json", folder).stdout)["result"]
        assert "icon" not in {f["rule"] for f in lint["findings"]}
    assert made(org, "tis-none", tmp_path / "none", "--icon", tmp_path / "draw.msix")["icon"]  # an app's picture does, too
    assert not made(org, "tis-none", tmp_path / "plain")["icon"]
    for name, data in {"text.png": b"\x89PNG text", "wide.png": make_png(side=2049), "long.png": make_png(tail=b"\0" * (1 << 20)), "empty.png": b"",
                       "bare.msix": appx_zip({"AppxManifest.xml": (b"<Package/>", True)}), "cut.msix": b"PK\3\4"}.items():
        (tmp_path / name).write_bytes(data)
        says = made(org, "tis-none", tmp_path / "out", "--icon", tmp_path / name, ok=False).text
        assert name in says and ("no PNG of at most" in says or "no picture" in says), says
    made(org, "tis-none", tmp_path / "out", "--icon", tmp_path / "nowhere.png", ok=False)
    assert not (tmp_path / "out").exists()


def test_what_the_script_of_an_app_does(org, tmp_path, monkeypatch):
    """Its own words alone are code of PowerShell; what the file says is values of its environment."""
    folder, _ = sources(org, tmp_path, make_msix(tmp_path, file="a'; $(b) `c.msix"), "tis-x")
    asked, told = [], {"there": "5.6.7.0\r\n"}

    def powershell(script, output_format, **more):
        asked.append((script, os.environ.get("APP"), os.environ.get("APPX")))
        return told["there"]
    script = {}
    exec((folder / "setup.py").read_text(), script)  # as the runner does
    script.update(run_powershell=powershell, basedir="/b")
    for name in ("APP", "APPX"):
        monkeypatch.delenv(name, raising=False)
    script["install"]()
    script["uninstall"]()
    assert script["audit"]() == "OK"
    told["there"] = "\r\n"
    assert script["audit"]() == "ERROR"
    assert all(text.startswith("$ErrorActionPreference = 'Stop'; ") and "msix" not in text and "Acme" not in text for text, _, _ in asked)
    assert {app for _, app, _ in asked} == {"Acme.Draw"} and asked[0][2] == "/b/a'; $(b) `c.msix"
    assert [("Add-" in text, "Remove-" in text) for text, _, _ in asked] == [(True, False), (False, True), (False, False), (False, False)]


def test_what_is_refused(org, tmp_path):
    junk = {"cut.msi": b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + b"\xff" * 2000, "cut.exe": b"MZ" + b"\0" * 100, "cut.deb": b"!<arch>\ndebian-binary   zz",
            "cut.rpm": b"\xED\xAB\xEE\xDB" + b"\3\0" * 500, "list.rpm": b"\xED\xAB\xEE\xDB\n/etc/passwd\nhttp://127.0.0.1:1/x\n"}
    for name, data in junk.items():
        (tmp_path / name).write_bytes(data)
        assert "damaged" in made(org, tmp_path / name, "tis-x", tmp_path / "out", ok=False).text, name
    endless = make_deb(tmp_path, "Package: acme-tool\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n" + " y\n" * 100000)
    assert "more than" in made(org, endless, "tis-x", tmp_path / "out", ok=False).text
    shutil.rmtree(tmp_path / "deb")
    (tmp_path / "a.txt").write_text("text")
    assert "none of the installers" in made(org, tmp_path / "a.txt", "tis-x", tmp_path / "out", ok=False).text
    option = make_deb(tmp_path, "Package: acme-tool\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
    made(org, option, "../x", tmp_path / "out", ok=False)
    (tmp_path / "full").mkdir()
    assert "exists" in made(org, option, "tis-x", tmp_path / "full", ok=False).text
    os.symlink("/etc", tmp_path / "full/link")
    made(org, tmp_path / "full", "tis-x", tmp_path / "out", ok=False)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".wapt-new*"))
    assert "setup.exe" in made(org, "setup.exe", ok=False).text  # mistyped, not the name of a package


def test_packages_without_files(org, tmp_path):
    for command, name, more in (("make-group-template", "tis-office", ()), ("make-group-template", "OU=a b,DC=c", ("--section", "unit")),
                                ("make-host-template", org.uuid, ())):
        result = json.loads(org.get(command, "--json", name, "tis-a, tis-b(>=2)", tmp_path / f"{command}{len(more)}", *more).stdout)["result"]
        folder = pathlib.Path(result["folder"])
        assert control_of(folder)["depends"] == "tis-a,tis-b(>=2)" and not (folder / "setup.py").exists()
        org.get("build-package", folder, "-o", tmp_path, "-k", org.cert("Deployer"), "-w", org.base / "pw")
    assert {p.name for p in tmp_path.glob("*.wapt")} >= {"tis-office_1-1.wapt", f"{org.uuid}.wapt"}
    org.get("make-host-template", "no host", "a", tmp_path / "no", ok=False)


# --- existing packages ---

def signed(org, at, who="Developer", name="tis-old", setup="def install():\n    print('tis-old')\n"):
    (at / f"{who}/WAPT").mkdir(parents=True)
    (at / f"{who}/WAPT/control").write_text(f"package: {name}\nversion: 1.0-3\narchitecture: all\ntarget_os: all\ndepends: tis-a\n")
    (at / f"{who}/setup.py").write_text(setup)
    out = org.get("build-package", "--json", at / who, "-o", at, "-k", org.cert(who), "-w", org.base / "pw").stdout
    return pathlib.Path(json.loads(out)["result"][0]["file"])


def test_duplicate(org, tmp_path):
    trust = ("-t", org.agent / "ssl")
    package = signed(org, tmp_path)
    for i, source in enumerate((package, tmp_path / "Developer")):
        new = tmp_path / f"new{i}"
        result = json.loads(org.get("duplicate", "--json", *trust, source, "tis-new", "2.0-1", new, "--depends", "tis-a, tis-b").stdout)["result"]
        control = control_of(new)
        assert (control["package"], control["version"], control["depends"]) == ("tis-new", "2.0-1", "tis-a,tis-b") and len(result["check"]) == 2
        assert not control["signer"] and {p.name for p in (new / "WAPT").iterdir()} == {"control"}
    assert "no version" in org.get("duplicate", *trust, package, "tis-new", "x", tmp_path / "no", ok=False).text
    org.get("duplicate", *trust, package, "../x", "1", tmp_path / "no", ok=False)
    assert "another name" in org.get("duplicate", *trust, package, "tis-old", ok=False).text
    assert "exists" in org.get("duplicate", *trust, package, "tis-new", "1", tmp_path / "new0", ok=False).text
    stranger = signed(org, tmp_path, "Stranger", "tis-strange")
    org.get("duplicate", *trust, stranger, "tis-new", "1", tmp_path / "no", ok=False)
    org.get("duplicate", *trust, "tis-nowhere", "tis-new", ok=False)
    assert not (tmp_path / "no").exists() and not list(tmp_path.glob(".wapt-new*"))


def test_what_is_edited_is_what_was_verified(org, tmp_path):
    """Somebody exchanges the file while it is taken over: its control and its script are of one and the same."""
    source = tmp_path / "source"
    made = []
    for which in "ab":
        shutil.rmtree(source, ignore_errors=True)
        (source / "WAPT").mkdir(parents=True)
        (source / "WAPT/control").write_text(f"package: tis-{which}\nversion: 1-1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: x\ndescription: of {which}\n")
        (source / "setup.py").write_text(f"# of {which}\ndef install():\n    pass\n")
        made.append(shutil.copy(org.build(source, "Developer"), tmp_path / f"{which}.wapt"))
    given, over = tmp_path / "given.wapt", threading.Event()

    def exchange():
        while not over.is_set():
            for file in made:
                os.link(file, tmp_path / "next")
                os.rename(tmp_path / "next", given)
    shutil.copy(made[0], given)
    t = threading.Thread(target=exchange)
    t.start()
    try:
        for i in range(40):
            folder = tmp_path / f"copy{i}"
            if org.get("duplicate", "--trusted", org.agent / "ssl", given, "tis-c", "2-1", folder, ok=None).returncode == 0:
                assert (folder / "setup.py").read_text().startswith(f"# {control_of(folder)['description']}\n"), i
    finally:
        over.set()
        t.join()


def test_edit(org, tmp_path, monkeypatch):
    config = tmp_path / "waptconsole.ini"
    config.write_text(f"[global]\ndefault_sources_root = {tmp_path}/dev\npublic_certs_dir = {org.agent}/ssl\n")
    editor = tmp_path / "editor.sh"
    editor.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/opened\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", f"{editor} --wait")
    get = lambda *argv, ok=True: org.get("-c", config, *argv, ok=ok)
    package = signed(org, tmp_path)
    told = get("edit", package, "tis-b")
    folder = tmp_path / "dev/tis-old-wapt"
    assert told.stdout == f"{folder}\n" and "build-package" in told.stderr
    assert (tmp_path / "opened").read_text() == f"--wait|{folder}|"
    assert control_of(folder)["depends"] == "tis-a,tis-b" and not control_of(folder)["signature_date"]
    assert "exists" in get("edit", package, ok=False).text  # what somebody works on is not written over
    (tmp_path / "opened").unlink()
    get("edit", "--no-editor", folder, "tis-b,tis-c(>=1)")
    assert control_of(folder)["depends"] == "tis-a,tis-b,tis-c(>=1)" and not (tmp_path / "opened").exists()
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(tmp_path / "bad.wapt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"print(", b"exec("))
    for bad in (tmp_path / "bad.wapt", signed(org, tmp_path, "Stranger", "tis-strange"), tmp_path / "none"):
        get("edit", bad, ok=False)
    assert {p.name for p in (tmp_path / "dev").iterdir()} == {"tis-old-wapt"}
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "no-such-editor" in get("edit", folder, ok=False).text


SETUP = """from setuphelpers import *
def update_package():
    print('looking in', basedir, os.environ.get('https_proxy'))
    %s
"""


def test_update_package_sources(org, tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")

    def sources_with(name, code):
        (tmp_path / name / "WAPT").mkdir(parents=True)
        (tmp_path / name / "WAPT/control").write_text("package: tis-x\nversion: 1.0-1\narchitecture: all\n")
        (tmp_path / name / "setup.py").write_text(SETUP % code)
        return tmp_path / name
    new = sources_with("new", "control.set_software_version('1.1'); control.save_control_to_wapt(); return True")
    same, bad = sources_with("same", "return False"), sources_with("bad", "raise ValueError('no such page')")
    wrong = sources_with("wrong", "control.version = 'x y'; control.save_control_to_wapt()")
    p = org.get("update-package-sources", "--json", new, same, bad, wrong, tmp_path / "none", ok=False)
    answer = json.loads(p.stdout)
    assert p.returncode == 3 and [(r["changed"], r["version"], r["code"]) for r in answer["result"]] == [
        (True, "1.1-1", "ok"), (False, "1.0-1", "ok"), (False, None, "failed"), (True, "x y", "invalid"), (False, None, "not_found")]
    assert "no such page" in answer["result"][2]["error"] and f"looking in {new} http://proxy" in p.stderr
    assert org.get("update-package-sources", "same", "./same/", cwd=tmp_path).stdout.count("same") == 4  # two, with what they print
    assert f"{new}: unchanged" not in org.get("update-package-sources", new).stdout  # the hook says True each time


@pytest.mark.parametrize("spoil", [lambda f: os.chown(f, 65534, 65534), lambda f: os.chown(f / "setup.py", 65534, 65534),
                                   lambda f: os.chown(f / "WAPT", 65534, 65534), lambda f: (f / "setup.py").chmod(0o666), lambda f: f.chmod(0o777),
                                   lambda f: ((f / "setup.py").rename(f / "s"), os.symlink("s", f / "setup.py"))])
def test_nobody_elses_code_runs_as_me(org, tmp_path, spoil):
    (tmp_path / "x/WAPT").mkdir(parents=True)
    (tmp_path / "x/WAPT/control").write_text("package: tis-x\nversion: 1.0-1\narchitecture: all\n")
    (tmp_path / "x/setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    spoil(tmp_path / "x")
    org.get("update-package-sources", tmp_path / "x", ok=False)
    assert not (tmp_path / "ran").exists()


def test_show_tells_the_verdict(org, tmp_path):
    def shown(file, *trust):
        (told,) = json.loads(org.get("show", "--json", *trust, file).stdout)["result"]
        return told, {c["check"]: c["state"] for c in told.get("checks", [])}
    trust = ("-t", org.agent / "ssl")
    good, stranger = signed(org, tmp_path), signed(org, tmp_path, "Stranger", "tis-strange")
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad.wapt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"print(", b"exec("))
    told, checks = shown(good, *trust)
    assert told["good"] and told["signer"] == "Developer" and told["anchor"] == "Authority" and told["may_sign_code"]
    assert set(checks.values()) == {"passed"} and len(checks) == 8
    told, checks = shown(good)
    assert not told["good"] and told["anchor"] is None and checks["chain"] == "not made" and checks["files"] == "passed"
    told, checks = shown(tmp_path / "bad.wapt", *trust)
    assert not told["good"] and checks["files"] == "failed" and checks["code"] == "passed"
    told, checks = shown(stranger, *trust)
    assert not told["good"] and checks["chain"] == "failed" and checks["files"] == "not made" and "signer" not in told
    assert "Stranger (" in org.get("show", *trust, stranger).stdout
    assert shown(tmp_path / "Developer", *trust)[0]["good"] is False


# --- to the server ---

def reach(org, fingerprint=None):
    return ("--server", org.url, "--server-fingerprint", fingerprint or org.server_fp, "--server-password-file", org.base / "admin.pw")


def test_build_and_upload(org, tmp_path):
    folder, _ = sources(org, tmp_path, "up-load")
    key = ("-k", org.cert("Developer"), "-w", org.base / "pw", "-o", tmp_path, "-t", org.agent / "ssl")
    told = org.get("build-upload", folder, *key, *reach(org))
    assert told.stdout.count("up-load_1.0-1.wapt") == 2 and "signed by Developer" in told.stderr
    org.get("update")
    (row,) = [line.split() for line in org.get("search", "up-load").stdout.splitlines() if "up-load" in line]
    assert row[:3] == ["up-load", "1.0-1", "all"]
    org.get("install", "up-load")
    control = (folder / "WAPT/control").read_text().replace("1.0-1", "1.0-2")
    (folder / "WAPT/control").write_text(control)
    org.get("build-upload", folder, *key, *reach(org))
    org.get("update")
    (row,) = [line.split() for line in org.get("list", "up-load").stdout.splitlines() if "up-load" in line]
    assert row[:6] == ["up-load", "1.0-1", "OK", "1.0-2", "asked", "for"]
    assert "1.0-1 " in org.get("search", "up-load").stdout
    org.get("remove", "up-load")
    bad = org.get("build-upload", folder, tmp_path / "none", *key, *reach(org), ok=False)
    assert "nothing was uploaded" in bad.text and "published" not in bad.text


def test_upload_checks_first(org, tmp_path):
    trust = ("-t", org.agent / "ssl")
    good, stranger = signed(org, tmp_path), signed(org, tmp_path, "Stranger", "tis-strange")
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad.wapt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"print(", b"exec("))
    # No server answers there: what is refused is refused here.
    nowhere = ("--server", "https://127.0.0.1:1", "--server-fingerprint", "0" * 64, "--server-password-file", org.base / "admin.pw")
    for file in (stranger, tmp_path / "bad.wapt", tmp_path / "Developer", tmp_path / "none"):
        p = org.get("upload-package", "--json", *trust, *nowhere, file, ok=False)
        (told,) = json.loads(p.stdout)["result"]
        assert told["server"] is None and told["code"] in ("refused", "invalid", "not_found"), told
    # Without trust set up, who signed is only told; the server judges.
    assert "Stranger" in org.get("upload-package", "-c", "/dev/null", *reach(org), stranger, ok=False).text
    # Two servers: one that is not who it should be. Each is told.
    p = org.get("upload-package", "--json", *trust, *reach(org), "--server", org.url, "--server-fingerprint", "1" * 64, good, ok=False)
    assert p.returncode == 3 and [t["code"] for t in json.loads(p.stdout)["result"]] == ["ok", "refused"]
    wrong = ("--server-fingerprint", "1" * 64) * 2
    assert "given 3 times" in org.get("upload-package", *trust, *reach(org), *wrong, *("--server", org.url) * 3, good, ok=False).text
