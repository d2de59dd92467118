"""What people type and read: French, WAPT's options and commands, exit statuses, terminals."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import termios
import unicodedata

import pytest
from conftest import BIN, LIB, environment, run, until

FRENCH = {"LANG": "fr_FR.UTF-8"}  # need not be installed


def talk(org, *argv, lang="fr_FR.UTF-8", **env):
    """wapt-get in a language: status, stdout, stderr."""
    full = dict(environment(), LANG=lang, **env)
    p = subprocess.run([BIN / "wapt-get", "-c", str(org.ini), *map(str, argv)], capture_output=True, text=True, timeout=120, env=full,
                       stdin=subprocess.DEVNULL, check=False)
    return p.returncode, p.stdout, p.stderr


def result(org, *argv, ok=True):
    return json.loads(org.get(*argv, "--json", ok=ok).stdout)["result"]


@pytest.fixture(scope="module")
def words(org):
    for version in ("1", "2"):
        org.console("upload", org.package("word-one", version, "Developer", org.base / "word"))
    org.get("update")
    return org


@pytest.fixture(scope="module")
def others(words):
    """Certificates among which the packages' signer is not."""
    (words.base / "others").mkdir()
    (words.base / "others/x.crt").write_bytes(words.cert("Stranger").read_bytes())
    return words.base / "others"


def test_french(words):
    status, out, err = talk(words, "plan", "install", "word-none")
    assert status == 12 and "aucun paquet des dépôts ne porte ce nom" in out and "ne peut pas être obtenu" in err, (status, out, err)
    status, out, err = talk(words, "search", "word")
    assert status == 0 and out.startswith("paquet"), out
    status, out, err = talk(words, "instal")
    assert status == 2 and "commande inconnue 'instal' : vouliez-vous dire 'install' ?" in err
    status, out, err = talk(words, "help", "install")
    assert status == 0 and "Utilisation : wapt-get install" in out
    assert talk(words, "-L", "en", "instal")[2].startswith("wapt-get: unknown command")
    assert talk(words, "-L", "fr", "instal", lang="C")[2].startswith("wapt-get: commande inconnue")
    assert talk(words, "instal", lang="C.UTF-8", LANGUAGE="fr")[2].startswith("wapt-get: commande inconnue")
    assert talk(words, "instal", lang="C", LANGUAGE="fr")[2].startswith("wapt-get: unknown command")


def test_json_has_one_language(words):
    for argv in (("search", "word"), ("install", "word-none"), ("plan", "install", "word-none"), ("verify", "/none"), ("instal",), ("plan", "install", "word-one")):
        french, english = (talk(words, *argv, "--json", lang=lang)[:2] for lang in ("fr_FR.UTF-8", "C"))
        assert french == english, argv


def test_the_service_answers_in_the_language_of_who_asks_whatever_its_own_is(words):
    words.ini.write_text(words.ini.read_text().replace("[global]\n", "[global]\nlanguage = fr\n", 1))
    words.restart_agent()
    try:
        for lang, says in (("fr_FR.UTF-8", "aucun paquet des dépôts"), ("C", "no package of the repositories")):
            status, out, err = talk(words, "install", "word-none", lang=lang)
            assert status == 12 and says in err, (status, out, err)
        answer = json.loads(words.get("install", "word-none", "--json", ok=False).stdout)
        assert answer["code"] == "not_found"
    finally:
        words.ini.write_text(words.ini.read_text().replace("language = fr\n", ""))
        words.restart_agent()


def test_what_a_search_shows(words):
    def versions(*argv):
        return [r["version"] for r in result(words, "search", "word", *argv) if r["package"] == "word-one"]
    assert versions() == ["1", "2"] and versions("-n") == ["2"]
    assert versions("-s", "base") == ["1", "2"] and versions("--sections", "group,host") == []
    assert versions("--maturity", "DEV") == ["1", "2"]  # the packages name none
    assert versions("-u", "-n", "-s", "ALL") == ["2"]


def test_options_of_wapt(words):
    words.get("remove", "word-one", ok=None)
    (words.base / "word").unlink(missing_ok=True)
    planned = result(words, "-d", "install", "word-one")
    assert [s["package"] for s in planned["steps"]] == ["word-one"] and not (words.base / "word").exists()
    assert words.get("-D", "list", ok=False).returncode == 19
    words.get("-S", "list")
    words.get("-l", "debug", "-y", "list")
    assert words.get("-l", "loud", "list", ok=False).returncode == 2
    words.get("-u", "-t", "5", "install", "word-one", "-p", '{"a": [1]}')
    assert (words.base / "word").read_text() == "2"
    assert result(words, "show-params", "word-one") == {"word-one": {"a": [1]}}
    assert set(result(words, "check-upgrades")) >= {"upgrades"}
    assert result(words, "upgradedb")["database_version"] >= 5
    words.get("remove", "-d", "word-one")
    assert [r["package"] for r in result(words, "list", "word")] == ["word-one"]


def test_too_long_is_cancelled(words):
    src = words.base / "src/word-slow"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text("package: word-slow\nversion: 1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: x\n"
                                      "description: test\ntarget_os: all\n", encoding="utf-8")
    (src / "setup.py").write_text("import time\n\n\ndef install():\n    time.sleep(300)\n", encoding="utf-8")
    words.console("upload", words.build(src, "Developer"))
    words.get("update")
    waits = words.start("word-slow", "wapt-get", "-c", words.ini, "-t", "1", "install", "word-slow")
    until(lambda: result(words, "status")["running_task"] != 0, "the task runs")
    assert waits.poll() is None
    waits.kill()  # no minute here: that it ends what it waits for is looked at below
    waits.wait()
    assert words.get("-t", "0", "install", "word-slow", ok=False).returncode == 2
    words.get("cancel")
    until(lambda: result(words, "status")["running_task"] == 0, "the task is cancelled")


def test_the_servers_certificate_is_compared(words):
    ini = words.base / "pinned/wapt-get.ini"
    ini.parent.mkdir()
    ini.write_text(f"[global]\nwapt_server = {words.url}\n")

    def pin(*argv, ok=True):
        return run(BIN / "wapt-get", "-c", ini, *argv, ok=ok)
    assert pin("get-server-certificate", ok=False).returncode == 2  # nobody to ask
    assert pin("get-server-certificate", "--server-fingerprint", "00" * 32, ok=False).returncode == 4
    assert not (ini.parent / "ssl").exists()
    got = json.loads(pin("get-server-certificate", "--server-fingerprint", words.server_fp, "--json").stdout)["result"]
    assert got["fingerprint"] == words.server_fp
    assert words.fingerprint(got["file"]) == words.server_fp
    assert "verify_cert" not in ini.read_text()
    pin("enable-check-certificate", "--yes")
    assert f"verify_cert = {got['file']}" in ini.read_text() or f"verify_cert={got['file']}" in ini.read_text(), ini.read_text()
    assert pin("get-server-certificate", "--server", "https://127.0.0.1:1", "--yes", ok=False).returncode == 7
    assert pin("get-server-certificate", "--server", "http://127.0.0.1:1", "--yes", ok=False).returncode == 11


def test_console_fetches_and_forgets(words, others):
    out = words.base / "fetched"
    out.mkdir()
    (got,) = json.loads(words.console("download", "word-one", "-o", out, "-t", words.agent / "ssl", "--json").stdout)["result"]
    assert got["code"] == "ok" and re.fullmatch(r"word-one_2.*\.wapt", got["file"].split("/")[-1])
    run(BIN / "wapt-get", "verify", "-t", words.agent / "ssl", got["file"])
    assert words.console("download", "word-one(=1)", "-o", out, "-t", words.agent / "ssl").returncode == 0
    assert words.console("download", "word-none", "-o", out, ok=False).returncode == 12
    for file in out.iterdir():
        file.unlink()
    assert words.console("download", "word-one", "-o", out, "-t", others, ok=False).returncode == 4
    assert list(out.iterdir()) == []  # what is not good does not stay
    assert words.console("forget-host", "no-such-machine", "--yes", ok=False).returncode != 0


def test_sources_by_a_packages_name(words, others, tmp_path, monkeypatch):
    """edit and duplicate fetch what is no file here, with nobody logged in, and verify it as a file."""
    config = tmp_path / "waptconsole.ini"
    config.write_text(f"[global]\ndefault_sources_root = {tmp_path}/dev\npublic_certs_dir = {words.agent}/ssl\nrepo_url = {words.url}/wapt/\n"
                      f"server_fingerprint = {words.server_fp}\n", encoding="utf-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def get(*argv, ok=True):
        return run(BIN / "wapt-get", "-c", config, *argv, ok=ok)
    folder = json.loads(get("edit", "word-one", "--json").stdout)["result"]["folder"]
    assert re.search(r"^version *: 2", pathlib.Path(folder, "WAPT/control").read_text(encoding="utf-8"), re.M) and not pathlib.Path(folder, "WAPT/signature.sha256").exists()
    made = json.loads(get("duplicate", "word-one(=1)", "word-copy", "--json").stdout)["result"]
    assert (made["package"], made["version"][0]) == ("word-copy", "1")
    words.console("host-package", "4C4C4544-0000-3510-8052-B4C04F4D3700", "--depends", "word-one", "-k", words.cert("Deployer"), "-w", words.base / "pw", "-o", tmp_path, "--upload")
    assert "log in" in get("edit", "4C4C4544-0000-3510-8052-B4C04F4D3700", "word-copy", ok=False).stderr  # it is that machine's
    (tmp_path / "own").mkdir()
    words.console("download", "4C4C4544-0000-3510-8052-B4C04F4D3700", "-t", f"{words.agent}/ssl", "-o", tmp_path / "own")
    own = json.loads(get("edit", tmp_path / "own/4C4C4544-0000-3510-8052-B4C04F4D3700.wapt", "word-copy", "--json").stdout)["result"]["folder"]
    assert "depends: word-one,word-copy" in re.sub(" *: *", ": ", pathlib.Path(own, "WAPT/control").read_text(encoding="utf-8"))
    distrusting = ("--server", words.url, "-t", others)
    assert get("edit", *distrusting, "word-one", ok=False).returncode == 4
    assert get("duplicate", *distrusting, "word-one", "word-other", ok=False).returncode == 4
    assert get("edit", "word-none", ok=False).returncode == 12
    away = get("edit", "--server", "https://127.0.0.1:1", "word-one", ok=False)
    assert away.returncode == 7 and "word-one" in away.text, away.text
    unknown = get("edit", "--server-fingerprint", "00" * 32, "word-one", ok=False)
    assert unknown.returncode == 4, unknown.text
    assert not list((tmp_path / "tmp").iterdir()) and len(list((tmp_path / "dev").iterdir())) == 3


def test_sources_of_a_package(words):
    src = words.base / "src/word-sources"
    (src / "WAPT").mkdir(parents=True)
    control = "package: word-sources\nversion: 1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: x\ndescription: x\ntarget_os: all\n"
    for sources, status in (("", 12), ("sources: http://127.0.0.1:1/x.git\n", 4), ("sources: --upload-pack=x\n", 4), ("sources: file:///etc\n", 4)):
        (src / "WAPT/control").write_text(control + sources, encoding="utf-8")
        assert run(BIN / "wapt-get", "sources", src, ok=False).returncode == status, sources


def test_may_this_certificate_sign_code(words):
    def check(name, status):
        done = run(BIN / "wapt-get", "check-valid-codesigning-cert", "-k", words.cert(name), "--json", ok=None)
        answer = json.loads(done.stdout)
        assert done.returncode == status and answer["result"]["may_sign_code"] == (status == 0)
    check("Developer", 0)
    check("Deployer", 0 if "Code Signing" in subprocess.run(["openssl", "x509", "-in", str(words.cert("Deployer")), "-noout", "-text"],
                                                            capture_output=True, text=True, check=True).stdout else 4)


def on_terminal(argv, columns=80, **env):
    """What a program writes to a terminal of so many columns."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"WAPT_LIBDIR": str(LIB), "LANG": "C.UTF-8", "TERM": "xterm", **env})
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        os.execv(str(argv[0]), [str(a) for a in argv])
    text = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            got = os.read(fd, 65536)
        except OSError:
            break
        if not got:
            break
        text += got
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), text.decode()


def places(line):
    """That a line takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_a_terminal(words):
    src = words.base / "src/word-wide"
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text("package: word-wide\nversion: 1\narchitecture: all\nsection: group\npriority: optional\nmaintainer: x\n"
                                      f"description: {'東京' * 20} {'e' + chr(0x301)}{'x' * 60}\ntarget_os: all\n", encoding="utf-8")
    words.console("upload", words.build(src, "Developer"))
    words.get("update")
    for lang in ("C.UTF-8", "fr_FR.UTF-8"):
        status, text = on_terminal([BIN / "wapt-get", "-c", words.ini, "search", "word"], LANG=lang, columns=96)
        lines = re.sub(r"\x1b\[K|\r", "", text).split("\n")
        assert status == 0 and "東" in text and "…" in text and all(places(line) <= 96 for line in lines), text
    assert "東京" * 20 in words.get("search", "word").stdout  # in a pipe nothing is cut
    status, text = on_terminal([BIN / "wapt-get", "-c", words.ini, "install", "--force", "word-one"])
    assert status == 0 and re.search(r"\d+%", text), text  # progress
    for argv in (("install", "--force", "word-one"), ("search", "word")):
        piped = words.get(*argv)
        assert "\x1b" not in piped.stdout + piped.stderr and "%" not in piped.stderr, argv
    for env in ({}, {"NO_COLOR": "1"}):
        status, text = on_terminal([BIN / "wapt-get", "-c", words.ini, "plan", "install", "word-none"], **env)
        assert status == 12 and not re.search(r"\x1b\[[0-9;]*m", text), text  # no colours
