"""What a server's repository gives to whom: files with all that HTTP has for them, and a machine's own package to that machine alone."""
import hashlib
import json
import os
import sqlite3
import ssl
import subprocess

import pytest
from conftest import BIN, PATIENCE, run, until
from nginx import Nginx
from test_server_hostile import Server, put
from tuf import DEPLOYER, PUBLISHER, STRANGER, Repository, package, signer


def client_certificate(srv, base, name, *more):
    """As the server's authority issues them; by its key, which only the server has."""
    private = srv.dir / "private"
    key, csr, crt, ext = (base / f"{name}{s}" for s in (".key", ".csr", ".crt", ".ext"))
    ext.write_text("extendedKeyUsage=critical,clientAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:false\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", csr],
                   check=True, capture_output=True)
    ca = more or ("-CA", private / "authority.crt", "-CAkey", private / "authority.pem")
    subprocess.run(["openssl", "x509", "-req", "-in", csr, *ca, "-set_serial", f"0x{os.urandom(8).hex()}", "-days", "2", "-extfile", ext, "-out", crt],
                   check=True, capture_output=True)
    return crt, key


def host_package(org, uuid):
    """A package of the machine's own."""
    out = org.base / "host-packages"
    out.mkdir(exist_ok=True)
    run(BIN / "waptconsole", "host-package", uuid, "--depends", "nothing", "-k", org.cert("Deployer"), "-w", org.base / "pw", "-o", out)
    return (out / f"{uuid}.wapt").read_bytes()


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-repository", "fronts = 1\nupload_keep_free_mib = 1")
    s.certificates = {name: client_certificate(s, org.base, name) for name in ("machine-one", "machine-two")}
    s.own = host_package(org, "machine-one")
    status, text = put(s, s.token(), s.own, host="machine-one")
    assert status == 200, text
    yield s
    assert s.died() == 0
    s.stop()


def ask(srv, path, certificate=None, method="GET", headers=()):
    """Status, header lines by their name, body."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    return talk(srv.connect(context=context), path, method, headers)


def talk(sock, path, method="GET", headers=()):
    out = b""
    with sock as s:
        s.settimeout(PATIENCE)
        s.sendall("\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]).encode())
        while piece := s.recv(65536):
            out += piece
    head, _, body = out.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body


def test_host_packages_are_their_machines_alone(srv):
    one, two = srv.certificates["machine-one"], srv.certificates["machine-two"]
    status, head, body = ask(srv, "/wapt-host/machine-one.wapt", one)
    assert (status, body) == (200, srv.own) and head["cache-control"] == "private, no-cache"
    assert ask(srv, "/wapt-host/machine-one.wapt", one, headers=[f"If-None-Match: {head['etag']}"])[0] == 304
    # One's own that is not there is not found; others' look alike, whether they are there or not.
    assert ask(srv, "/wapt-host/machine-two.wapt", two)[0] == 404
    denied = {ask(srv, f"/wapt-host/{name}", certificate)[::2] for certificate in (two, None)
              for name in ("machine-one.wapt", "machine-none.wapt", "machine-one", "x/machine-two.wapt", "a.wapt")}
    assert len(denied) == 1 and denied.pop()[0] == 403
    for path in ("/wapt-host/", "/wapt-host/Packages", "/wapt-host/%2e%2e/wapt-host/machine-one.wapt", "/wapt/../wapt-host/machine-one.wapt"):
        assert ask(srv, path, two)[0] in (400, 403, 404), path
    # Headers that a proxy would set mean nothing from somebody else.
    pem = one[0].read_text().replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")
    for secret in ("", "0" * 64):
        forged = [f"X-Wapt-Client-Cert: {pem}", f"X-Wapt-Proxy: {secret}", "X-Wapt-Host: machine-one", "X-Real-IP: 10.9.9.9", "X-Ssl-Client-Verify: SUCCESS"]
        assert ask(srv, "/wapt-host/machine-one.wapt", headers=forged)[0] == 403
        assert ask(srv, "/auth/host-package", headers=forged)[0] == 403
    assert "10.9.9.9" not in srv.log()


def test_certificates_that_do_not_count(srv, org):
    other = org.base / "other-authority"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout", f"{other}.pem",
                    "-out", f"{other}.crt"], check=True, capture_output=True)
    crt, key = client_certificate(srv, org.base, "machine-three", "-CA", f"{other}.crt", "-CAkey", f"{other}.pem")
    with pytest.raises((ssl.SSLError, OSError, IndexError)):
        ask(srv, "/wapt-host/machine-three.wapt", (crt, key))


def test_people_fetch_and_delete_them(srv, org):
    token = srv.token()
    status, body, _ = srv.call("GET", "/api/v1/host-packages/machine-one", token=token)
    assert (status, body) == (200, srv.own)
    assert srv.call("GET", "/api/v1/host-packages/machine-none", token=token)[0] == 404
    assert srv.call("GET", "/api/v1/host-packages/machine-one")[0] == 401
    # Who changes one says which: a change that somebody else made meanwhile is not lost.
    first, second, third = (host_package(org, "machine-gone") for _ in range(3))
    named = "?replaces=" + hashlib.sha256(first).hexdigest()
    assert put(srv, token, first, "?replaces=gone", host="machine-gone")[0] == 400
    assert put(srv, token, first, named, host="machine-gone")[0] == 409  # there is none
    assert put(srv, token, first, "?replaces=none", host="machine-gone")[0] == 200
    assert put(srv, token, second, named, host="machine-gone")[0] == 200
    status, text = put(srv, token, third, named, host="machine-gone")
    assert status == 409 and '"exists"' in text and "changed it meanwhile" in text
    assert put(srv, token, third, "?replaces=none", host="machine-gone")[0] == 409
    assert srv.call("GET", "/api/v1/host-packages/machine-gone", token=token)[1] == second
    assert srv.call("DELETE", "/api/v1/host-packages/machine-gone", token=token)[0] == 200
    assert srv.call("DELETE", "/api/v1/host-packages/machine-gone", token=token)[0] == 404


def test_a_machine_keeps_its_groups_when_the_end_was_not_heard(srv, org):
    """The store dies when the repository has the package and the database does not know it yet: whoever asks again is told what the machine is in."""
    token, data = srv.token(), host_package(org, "machine-again")
    assert put(srv, token, data, host="machine-again")[0] == 200
    db = sqlite3.connect(srv.dir / "db/waptserver.sqlite", timeout=PATIENCE)
    names = db.execute("SELECT names FROM memberships WHERE uuid = 'machine-again'").fetchall()
    assert names == [("nothing",)]
    with db:
        db.execute("DELETE FROM memberships WHERE uuid = 'machine-again'")
        db.execute("UPDATE uploads SET state = 'open' WHERE host = 'machine-again'")
    (upload,) = db.execute("SELECT id FROM uploads WHERE host = 'machine-again'").fetchone()
    assert srv.call("POST", f"/api/v1/uploads/{upload}/finish", token=token)[0] == 200
    assert db.execute("SELECT names FROM memberships WHERE uuid = 'machine-again'").fetchall() == names


def test_files_and_how_long_they_may_be_kept(srv, org):
    package = org.package("kept-files", "1", "Developer", org.base / "kept")
    data, name = package.read_bytes(), "kept-files_1.wapt"
    assert put(srv, srv.token(), data)[0] == 200
    status, head, body = ask(srv, f"/wapt/{name}")
    assert (status, body, head["cache-control"], head["accept-ranges"]) == (200, data, "no-cache", "bytes")
    tag, modified = head["etag"], head["last-modified"]
    for headers, expected in (((f"If-None-Match: {tag}",), 304), ((f'If-None-Match: "x", W/{tag}',), 304), (("If-None-Match: *",), 304),
                              ((f"If-Modified-Since: {modified}",), 304), (('If-None-Match: "x"', f"If-Modified-Since: {modified}"), 200),
                              (("Range: bytes=5-9",), 206), (("Range: bytes=5-9", f"If-Range: {tag}"), 206), (("Range: bytes=5-9", 'If-Range: "x"'), 200),
                              ((f"Range: bytes={len(data)}-",), 416), (("Range: bytes=-5",), 206), (("Range: lines=1-2",), 200)):
        assert ask(srv, f"/wapt/{name}", headers=headers)[0] == expected, headers
    assert ask(srv, f"/wapt/{name}", headers=["Range: bytes=5-9"])[2] == data[5:10]
    status, seen, body = ask(srv, f"/wapt/{name}", method="HEAD")
    assert (status, body, seen["content-length"], seen["etag"]) == (200, b"", str(len(data)), tag)
    # What is replaced at any time is asked for each time; what never is may be kept for good.
    wapt = srv.dir / "repo/wapt"
    for file, cache in (("Packages", "no-cache"), ("7.root.json", "public, max-age=31536000, immutable"), ("7.published.json", "public, max-age=31536000, immutable"),
                        ("7.Packages", "public, max-age=31536000, immutable"), ("root.json", "no-cache"), ("timestamp.json", "no-cache"), ("x.root.json", "no-cache"),
                        ("icons/a.png", "public, max-age=86400")):
        if not (wapt / file).exists():
            (wapt / file).parent.mkdir(exist_ok=True)
            (wapt / file).write_text("{}")
            os.chown(wapt / file, (wapt / "Packages").stat().st_uid, -1)
        assert ask(srv, f"/wapt/{file}")[1]["cache-control"] == cache, file
        if file != "Packages":
            (wapt / file).unlink()
    assert ask(srv, "/wapt/8.root.json")[1]["cache-control"] == "no-store"  # it may come at any time


def test_packages_are_listed(srv, org):
    token = srv.token()
    for version in ("1", "2", "10"):
        assert put(srv, token, org.package("listed-one", version, "Developer", org.base / "listed").read_bytes())[0] == 200
    assert put(srv, token, org.package("listed-two", "1", "Developer", org.base / "listed").read_bytes())[0] == 200

    def names(query):
        status, body, _ = srv.call("GET", f"/api/v1/packages?{query}", token=token)
        assert status == 200, body
        answer = json.loads(body)
        return answer["total"], [f"{p['package']} {p['version']}" for p in answer["packages"]]

    assert names("search=LISTED") == (4, ["listed-one 10", "listed-one 2", "listed-one 1", "listed-two 1"])
    walked, after = [], ""
    while True:  # page by page, by size: the same as at once
        page = json.loads(srv.call("GET", f"/api/v1/packages?search=listed&sort=-size&limit=1{after}", token=token)[1])
        walked += [p["file"] for p in page["packages"]]
        if "next" not in page:
            break
        after = f"&after={page['next']}"
    whole = json.loads(srv.call("GET", "/api/v1/packages?search=listed&sort=-size", token=token)[1])
    assert walked == [p["file"] for p in whole["packages"]] and len(walked) == 4 and page["total"] == 4
    assert srv.call("GET", f"/api/v1/packages?sort=size{after}", token=token)[0] == 400  # a place of another order
    assert names("search=listed%20one&newest=1") == (1, ["listed-one 10"])
    assert names("search=listed&sort=-package&limit=1&offset=1") == (4, ["listed-one 1"])
    assert names("package=listed-two&signer=Developer") == (1, ["listed-two 1"])
    assert names("search=listed&section=group") == (0, []) and names("search=listed&maturity=DEV") == (0, [])
    assert names(f"search=listed-two&signer={org.fingerprint(org.cert('Developer'))}")[0] == 1
    assert srv.call("GET", "/api/v1/packages?sort=color", token=token)[0] == 400
    status, body, _ = srv.call("GET", "/api/v1/packages?search=listed&format=csv", token=token)
    assert status == 200 and len(body.splitlines()) == 5, body
    (two,) = json.loads(srv.call("GET", "/api/v1/packages?package=listed-two", token=token)[1])["packages"]
    assert two["size"] == (srv.dir / "repo/wapt" / two["file"]).stat().st_size and "signature" not in two
    assert srv.call("DELETE", f"/api/v1/packages/{two['file']}", token=token)[0] == 200
    assert names("package=listed-two") == (0, [])


def test_trusted_signers(srv, org):
    token = srv.token()
    package = org.package("of-a-stranger", "1", "Stranger", org.base / "stranger").read_bytes()
    assert put(srv, token, package)[0] == 403
    stranger = org.cert("Stranger").read_text()
    fingerprint = org.fingerprint(org.cert("Stranger"))
    assert srv.call("POST", "/api/v1/signers", {"certificate": "x"}, token=token)[0] == 400
    assert srv.call("POST", "/api/v1/signers", {"certificate": stranger}, token=token)[0] == 200
    assert srv.call("POST", "/api/v1/signers", {"certificate": stranger}, token=token)[0] == 409
    listed = json.loads(srv.call("GET", "/api/v1/signers", token=token)[1])["signers"]
    assert {s["name"] for s in listed} == {"Authority", "Stranger"} and fingerprint in {s["fingerprint"] for s in listed}
    assert put(srv, token, package)[0] == 200
    assert srv.call("DELETE", f"/api/v1/signers/{fingerprint}", token=token)[0] == 200
    assert srv.call("DELETE", f"/api/v1/signers/{fingerprint}", token=token)[0] == 404
    assert put(srv, token, org.package("of-a-stranger", "2", "Stranger", org.base / "stranger").read_bytes())[0] == 403
    journal = srv.call("GET", "/api/v1/journal", token=token)[1].decode()
    assert journal.count("signer.added") == 1 and journal.count("signer.removed") == 1


def test_the_root_says_whose_packages_come_in(org):
    """Where the repository has a root, it says who may sign which packages; being trusted on the server counts no more."""
    r = Repository()
    r.signers = [signer(PUBLISHER, prefixes=["good-"], sections=["base", "group"]), signer(DEPLOYER, prefixes=["grp-"], code=False, publish=False)]
    root = Server(org, "server-rooted", "fronts = 1\nupload_keep_free_mib = 1")
    try:
        token = root.token()
        status, text, _ = root.call("PUT", "/api/v1/repository/root", r.root(version=1), token=token)
        assert status == 200, text
        trusted = org.package("good-trusted", "1", "Developer", org.base / "rooted").read_bytes()
        for data, expected in ((package(PUBLISHER, package="good-one", version="1"), 200), (package(PUBLISHER, package="bad-one", version="1"), 403),
                               (package(PUBLISHER, package="good-two", version="1", section="restricted"), 403), (trusted, 403),
                               (package(DEPLOYER, files={}, package="grp-one", version="1", section="group"), 200),
                               (package(STRANGER, package="good-three", version="1"), 403)):
            status, text = put(root, token, data)
            assert status == expected, (status, text)
        assert root.incoming() == [] and len(root.published()) == 2
    finally:
        root.stop()


def test_agents_of_wapt_18(srv, org):
    """What WAPT 1.8's agent does at an update: HEAD and GET of the index, a package with a range, its own package, whose path it may be refused."""
    assert put(srv, srv.token(), org.package("for-old-agents", "1", "Developer", org.base / "old").read_bytes())[0] == 200
    agent = ["User-Agent: wapt/1.8.2", "Cache-Control: no-cache", "Pragma: no-cache"]
    status, head, body = ask(srv, "/wapt/Packages", method="HEAD", headers=agent)
    assert (status, body) == (200, b"") and head["last-modified"].endswith(" GMT")
    status, again, body = ask(srv, "/wapt/Packages", headers=agent)
    assert status == 200 and again["last-modified"] == head["last-modified"] and body[:2] == b"PK" and len(body) == int(head["content-length"])
    assert ask(srv, "/wapt/for-old-agents_1.wapt", headers=[*agent, "Range: bytes=100-"])[0] == 206
    assert ask(srv, "/wapt-host/Packages", headers=agent)[0] == 403
    assert ask(srv, "/wapt-host/machine-one.wapt", headers=agent)[0] == 403  # it has no certificate of ours
    opened = Server(org, "server-opened", "fronts = 1\nupload_keep_free_mib = 1\nhost_packages = open")
    try:
        assert put(opened, opened.token(), srv.own, host="machine-one")[0] == 200
        assert ask(opened, "/wapt-host/machine-one.wapt", headers=agent)[2] == srv.own
        assert ask(opened, "/wapt-host/machine-none.wapt", headers=agent)[0] == 404
        assert ask(opened, "/wapt-host/", headers=agent)[0] == 403
    finally:
        opened.stop()


def test_a_machine_that_is_not_registered(org):
    """It has no certificate to show: it updates all the same, and says what it lacks. One that is registered gets its own package (test_tuf_orders)."""
    ini = org.new_agent(org.base / "unregistered")
    ini.write_text(ini.read_text().replace("[global]\n", f"[global]\nverify_cert = {org.base}/server/private/tls.crt\nuuid = machine-unregistered\n"))
    p = run(BIN / "wapt-get", "-c", ini, "update")
    assert "stays as it was" in p.text, p.text


# --- behind nginx ---

@pytest.fixture(scope="module")
def behind(org):
    s = Server(org, "server-nginx", "fronts = 1\nupload_keep_free_mib = 1\nproxy_addresses = 127.0.0.1\naccel_redirect = /wapt-files/\nmax_connections_per_address = 64")
    s.one, s.two = (client_certificate(s, org.base, f"behind-{n}") for n in ("one", "two"))
    s.own = host_package(org, "behind-one")
    assert put(s, s.token(), s.own, host="behind-one")[0] == 200
    s.package = org.package("behind-nginx", "1", "Developer", org.base / "behind").read_bytes()
    assert put(s, s.token(), s.package)[0] == 200
    yield s
    assert s.died() == 0
    s.stop()


@pytest.mark.parametrize("way", ("accel", "auth"))
def test_nginx(behind, org, way):
    srv = behind
    nginx = Nginx(srv, org.base, way, talk)
    try:
        # Public files are nginx's own; what is not for anybody is not there.
        assert nginx.ask("/wapt/behind-nginx_1.wapt")[2] == srv.package
        assert nginx.ask("/wapt/behind-nginx_1.wapt", headers=["Range: bytes=5-9"])[::2] == (206, srv.package[5:10])
        assert nginx.ask("/wapt/Packages", method="HEAD")[0] == 200
        for path in ("/wapt/.Packages.state", "/wapt/", "/wapt-files/wapt-host/behind-one.wapt", "/wapt-files/", "/wapt-auth", "/incoming/", "/api/v1/hosts", "/ping",
                     "/wapt/../incoming/", "/wapt-files/../private/authority.pem"):
            assert nginx.ask(path, srv.one)[0] in (400, 403, 404), path
        # A machine's own.
        status, head, body = nginx.ask("/wapt-host/behind-one.wapt", srv.one)
        assert (status, body) == (200, srv.own), (status, head)
        assert nginx.ask("/wapt-host/behind-one.wapt", srv.one, headers=["Range: bytes=5-9"])[::2] == (206, srv.own[5:10])
        assert nginx.ask("/wapt-host/behind-two.wapt", srv.two)[0] == 404
        for certificate in (None, srv.two):
            assert {nginx.ask(f"/wapt-host/{name}.wapt", certificate)[0] for name in ("behind-one", "behind-none")} == {403}
        # Forged: what the client says in the proxy's headers is replaced.
        pem = srv.one[0].read_text().replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")
        secret = (srv.dir / "private/proxy.secret").read_text()
        forged = [f"X-Wapt-Client-Cert: {pem}", f"X-Wapt-Proxy: {secret}", "X-Wapt-Host: behind-one", "X-Real-IP: 10.9.9.9", "X-Accel-Redirect: /wapt-files/x"]
        for certificate in (None, srv.two):
            assert nginx.ask("/wapt-host/behind-one.wapt", certificate, headers=forged)[0] == 403
            for path in ("/wapt-host/behind-two.wapt/../behind-one.wapt", "/wapt/%2e%2e/wapt-host/behind-one.wapt", "/wapt-host/behind-two.wapt%2f..%2fbehind-one.wapt"):
                assert nginx.ask(path, certificate, headers=forged)[0] in (400, 403, 404), path
        assert "10.9.9.9" not in srv.log()
    finally:
        nginx.stop()


def direct(srv, headers, source="127.0.0.1", path="/wapt-host/behind-one.wapt"):
    return talk(srv.connect(source), path, headers=headers)


def test_who_speaks_for_the_proxy(behind):
    """The secret from another address, and the address with another secret, are worth nothing; and the certificate is judged all the same."""
    srv = behind
    secret = (srv.dir / "private/proxy.secret").read_text().strip()
    assert (srv.dir / "private/proxy.conf").read_text() == f"proxy_set_header X-Wapt-Proxy {secret};\n"
    assert os.stat(srv.dir / "private/proxy.secret").st_mode & 0o77 == 0 and secret not in srv.log()
    escape = lambda crt: crt.read_text().replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")  # noqa: E731
    mine, own = f"X-Wapt-Proxy: {secret}", f"X-Wapt-Client-Cert: {escape(srv.one[0])}"
    status, head, body = direct(srv, [mine, own])
    assert (status, head["x-accel-redirect"], body) == (200, "/wapt-files/wapt-host/behind-one.wapt", b"")
    assert direct(srv, [mine, own, "X-Wapt-Host: behind-one"], path="/auth/host-package")[0] == 204
    almost = secret[:-1] + ("1" if secret[-1] == "0" else "0")
    for headers, source in (([mine], "127.0.0.1"), ([own], "127.0.0.1"), ([mine, own], "127.0.0.2"), ([f"X-Wapt-Proxy: {almost}", own], "127.0.0.1"),
                            ([f"X-Wapt-Proxy: {secret[:-1]}", own], "127.0.0.1"), ([f"X-Wapt-Proxy: x, {secret}", own], "127.0.0.1"),
                            (["X-Wapt-Proxy: ", mine, own], "127.0.0.1"), ([mine, f"X-Wapt-Client-Cert: {escape(srv.two[0])}"], "127.0.0.1")):
        assert direct(srv, headers, source)[0] == 403, (headers, source)
        assert direct(srv, [*headers, "X-Wapt-Host: behind-one"], source, "/auth/host-package")[0] == 403
    # Not of our authority, none at all, and half of one.
    for text in (escape(srv.dir / "private/tls.crt"), escape(srv.dir / "private/authority.crt"), "x", "%00", escape(srv.one[0])[:300]):
        assert direct(srv, [mine, f"X-Wapt-Client-Cert: {text}"])[0] in (400, 403), text[:40]
    # Its client's address goes into the log, if it is one.
    for said, expected in (("10.9.9.1", True), ("2001:db8::1", True), ("host.example.org", False), ("10.9.9.2 x", False)):
        assert srv.call("POST", "/api/v1/session", {"user": "nobody", "password": "x"}, headers=[mine, f"X-Real-IP: {said}"])[0] == 401
        until(lambda s=said, e=expected: (f"peer={s}" in srv.log()) == e, said)
