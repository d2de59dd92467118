"""The repository and the assignments in the real console: shown, reviewed, signed."""
import functools
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import zipfile

import pages
import pytest
from conftest import BIN, organisation, run  # of tests/proc
from seat import Seat


def build(o, name, more, who="Developer"):
    src = o.base / "src" / f"{name}-web"
    (src / "WAPT").mkdir(parents=True)
    control = dict({"package": name, "version": "1.0-1", "architecture": "all", "section": "base", "priority": "optional", "maintainer": who,
                    "description": "a package of the tests", "target_os": "all"}, **more)
    (src / "WAPT/control").write_text("".join(f"{k:18}: {v}\n" for k, v in control.items()), encoding="utf-8")
    return o.build(src, who)


def packages(o):
    rows = json.loads(o.console("packages", "--json").stdout)["result"]
    return {f"{p['package']} {p['version']} {p['maturity']}": p["signer"] for p in rows}


class Store(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def store(o):
    """Somebody else's repository over https; what of waptconsole.ini names it."""
    base = o.base / "store"
    (base / "wapt").mkdir(parents=True)
    (base / "trusted").mkdir()
    shutil.copy(o.cert("Stranger"), base / "trusted")
    for name, more in (("tis-tool", {"depends": "tis-lib"}), ("tis-lib", {})):
        shutil.copy(build(o, name, more, who="Stranger"), base / "wapt")
    run(BIN / "wapt-scanpackages", base / "wapt")
    crt, key = base / "tls.crt", base / "tls.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", crt], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Store, directory=base))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, (f"[store]\nrepo_url = https://127.0.0.1:{server.server_port}/wapt\nserver_fingerprint = {o.fingerprint(crt)}\n"
                    f"public_certs_dir = {base}/trusted\n[away]\nrepo_url = https://127.0.0.1:9/wapt\npublic_certs_dir = {base}/trusted\n")


@pytest.fixture(scope="module")
def played():
    with organisation() as o:
        made = [build(o, "web-tool", {"maturity": "DEV"}), build(o, "web-needing", {"depends": "web-tool(>=1)"}), build(o, "web-plain", {}),
                build(o, "web-group", {"section": "group", "depends": "web-plain"})]
        o.console("upload", *made, "--trusted", o.agent / "ssl")
        dropped = [build(o, "web-dropped", {}), build(o, "web-foreign", {}, who="Stranger")]
        server, config = store(o)
        seat = Seat(o, "seat", "--keys-dir", o.base / "keys", config=config)

        def own():
            out = o.base / "own"
            out.mkdir(exist_ok=True)
            (row,) = json.loads(o.console("download", o.uuid, "--trusted", o.agent / "ssl", "-o", out, "--json").stdout)["result"]
            text = zipfile.ZipFile(row["file"]).read("WAPT/control").decode()
            return {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in text.splitlines())}

        def joins(group):
            """The machine is in this group, and has told what it goes by."""
            o.console("assign", "--hosts", o.uuid, "--add-depends", group, "--trusted", o.agent / "ssl", "--yes", "-k", o.cert("Developer"), "-w", o.base / "pw")
            for what in ("update", "update-status"):
                o.get(what)
            return o.hosts()[0]["held"]
        run(BIN / "wapt-get", "-c", o.ini, "update")
        (host,) = o.hosts()
        try:
            return pages.play("repository.mjs", {"own": own, "joins": joins, "yes": seat.yes, "packages": lambda: packages(o)}, link=seat.link, files=[str(d) for d in dropped],
                              password=(o.base / "admin.pw").read_text().strip(), keyPassword=(o.base / "pw").read_text().strip(), name=host["name"], tool="web-tool")
        finally:
            seat.end()
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("name", pages.scenarios("repository.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
