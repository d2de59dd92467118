"""Uploads that break off: whoever is killed, what came is gone on with; and packages of gigabytes take no memory."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
from conftest import BIN, PATIENCE, environment, until
from hostile import Relay
from test_server_hostile import Server, begin, index, put

MIB = 1 << 20


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-uploads", "fronts = 2\nupload_keep_free_mib = 1\nupload_person_mib = 4096\nupload_max_mib = 4096")
    yield s
    s.stop()


def large(org, name, size):
    """A package with a file of that many bytes which nobody can compress, and no code."""
    src = org.base / "src" / name
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text(f"package           : {name}\nversion           : 1\narchitecture      : all\nsection           : base\npriority          : optional\n"
                                      "maintainer        : x\ndescription       : large\ntarget_os         : all\n")
    (src / "setup.py").write_text("def install():\n    pass\n")
    block = os.urandom(MIB)
    with open(src / "data.bin", "wb") as f:
        for i in range(size // MIB):
            f.write(block[i:] + block[:i])
    return org.build(src, "Developer")


def console(srv, relay, *argv):
    """waptconsole, under way."""
    fingerprint = srv.org.fingerprint(srv.dir / "private/tls.crt")
    return subprocess.Popen([BIN / "waptconsole", *argv, "--server", f"https://127.0.0.1:{relay.listener.getsockname()[1]}", "--server-fingerprint", fingerprint,
                             "--password-file", srv.org.base / "admin.pw"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                            env=environment())


def arrived(srv):
    return sum(p.stat().st_size for p in (srv.dir / "repo/incoming").glob("up_*.part"))


def test_goes_on_whoever_is_killed(srv, org):
    path = large(org, "upload-goes-on", 80 * MIB)
    relay = Relay(("127.0.0.1", 0), ("127.0.0.1", srv.port))
    # The console is killed: the next one goes on.
    relay.holds_at = 20 * MIB
    p = console(srv, relay, "upload", path)
    until(lambda: arrived(srv) > 18 * MIB, "it comes in")
    p.kill()
    p.wait(PATIENCE)
    assert "upload-goes-on" not in index(srv)
    # A front is killed, and with it all of the server: the same console goes on by itself.
    relay.drop()
    relay.passed = 0
    p = console(srv, relay, "upload", path)
    until(lambda: arrived(srv) > 36 * MIB, "it goes on behind what was there")
    for pid in srv.children()["front"]:
        os.kill(pid, signal.SIGKILL)
    relay.holds_at = None
    out, _ = p.communicate(timeout=100)
    assert p.returncode == 0 and "trying again" in out, out
    assert relay.passed < path.stat().st_size, "nothing came twice"
    assert (srv.dir / "repo/wapt/upload-goes-on_1.wapt").read_bytes() == path.read_bytes()
    assert "upload-goes-on" in index(srv) and srv.incoming() == []


def test_the_scan_process_is_killed_while_it_judges(srv, org):
    data = org.package("upload-judged", "1", "Developer", org.base / "judged").read_bytes()
    token = srv.token()
    up = begin(srv, token, data)[1]
    assert srv.call("PUT", f"/api/v1/uploads/{up['id']}?offset=0", data, token=token)[0] == 200
    before = srv.died()
    (scan,) = srv.children()["scan"]
    os.kill(scan, signal.SIGSTOP)
    try:
        with srv.connect() as finishing:
            finishing.sendall(f"POST /api/v1/uploads/{up['id']}/finish HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n".encode())
            # By the list: whoever asks about one that is not judged yet waits for the scan process.
            listed = lambda: {u["id"]: u["state"] for u in json.loads(srv.call("GET", "/api/v1/uploads", token=token)[1])["uploads"]}  # noqa: E731
            until(lambda: listed()[up["id"]] == "judged", "it is being judged")
            assert json.loads(srv.call("GET", f"/api/v1/uploads/{up['id']}", token=token)[1])["state"] == "judged"
            assert srv.call("PUT", f"/api/v1/uploads/{up['id']}?offset=0", b"x", token=token)[0] == 429
            assert srv.call("DELETE", f"/api/v1/uploads/{up['id']}", token=token)[0] == 429
    finally:
        os.kill(scan, signal.SIGKILL)
    until(lambda: srv.died() > before, "the server begins anew")

    def state():
        try:
            return json.loads(srv.call("GET", f"/api/v1/uploads/{up['id']}", token=token)[1]).get("state")
        except OSError:
            return None

    until(lambda: state() == "open", "what came is there")
    assert srv.call("POST", f"/api/v1/uploads/{up['id']}/finish", token=token)[0] == 200
    assert "upload-judged" in index(srv) and hashlib.md5(data).hexdigest() in index(srv)
    # Its end is told again to who did not hear it, also when the bytes are gone.
    status, text, _ = srv.call("POST", f"/api/v1/uploads/{up['id']}/finish", token=token)
    assert (status, json.loads(text)["file"]) == (200, "upload-judged_1.wapt")


def peak(srv, role):
    """KiB of memory that its processes ever had, the largest."""
    return max(int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")))
               for pid in srv.children()[role])


def test_gigabytes_take_no_memory(srv, org):
    """More than two of them, put where uploads lie, as holes, but for the last bytes; and a member of a package, larger than all memory that judging it takes."""
    token = srv.token()
    size, tail = 2049 * MIB, b"the end"
    digest, zeros = hashlib.sha256(), bytes(MIB)
    for _ in range(size // MIB):
        digest.update(zeros)
    digest.update(tail)
    status, up = begin(srv, token, b"", name="upload-gigabytes_1.wapt", size=size + len(tail), sha256=digest.hexdigest())
    if status == 507:  # a small disk: then it is that which is told
        assert "full" in up["error"]["message"]
    else:
        path = f"/api/v1/uploads/{up['id']}"
        os.truncate(srv.dir / f"repo/incoming/up_{up['id']}.part", size)
        assert json.loads(srv.call("GET", path, token=token)[1])["offset"] == size
        assert srv.call("PUT", f"{path}?offset={size - 1}", tail, token=token)[0] == 409
        assert srv.call("PUT", f"{path}?offset={size}", tail, token=token)[0] == 200
        with srv.connect() as s:
            s.settimeout(120)
            s.sendall(f"POST {path}/finish HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n".encode())
            # Meanwhile the others are not kept waiting.
            assert srv.call("GET", "/api/v1/packages?limit=1", token=token)[0] == 200
            answer = s.recv(65536)
        assert b" 400 " in answer[:20] and b"the package is refused" in answer, answer  # it came whole, and is none
    src = large(org, "upload-window", MIB).parent.parent.parent / "src/upload-window"
    with open(src / "data.bin", "wb") as f:
        f.truncate(100 * MIB)
    (org.base / "out/Developer/upload-window_1.wapt").unlink()
    package = org.build(src, "Developer")
    assert put(srv, token, package.read_bytes())[0] == 200
    assert peak(srv, "scan") < 80 * 1024 and peak(srv, "front") < 80 * 1024, (peak(srv, "scan"), peak(srv, "front"))


def test_shares(srv):
    token = srv.token()
    what = {"name": "share_1.wapt", "sha256": hashlib.sha256(b"").hexdigest()}
    assert begin(srv, token, b"", **what, size=5000 * MIB)[0] == 413
    status, first = begin(srv, token, b"", **what, size=4000 * MIB)
    room = os.statvfs(srv.dir).f_bavail * os.statvfs(srv.dir).f_frsize
    assert status in ((200, 507) if abs(room - 4001 * MIB) < 1024 * MIB else (200,) if room > 4001 * MIB else (507,)), first  # others write too
    if status == 200:
        assert begin(srv, token, b"", **what, size=200 * MIB)[0] == 413
        assert srv.call("DELETE", f"/api/v1/uploads/{first['id']}", token=token)[0] == 200
    ids = []
    for i in range(64):
        status, up = begin(srv, token, b"", **what, size=i + 1)
        assert status == 200, up
        ids.append(up["id"])
    assert begin(srv, token, b"", **what, size=100)[0] == 413
    listed = json.loads(srv.call("GET", "/api/v1/uploads", token=token)[1])["uploads"]
    assert {u["id"] for u in listed if u["state"] == "open"} == set(ids)
    for one in ids:
        assert srv.call("DELETE", f"/api/v1/uploads/{one}", token=token)[0] == 200
    assert srv.incoming() == []


def test_nobody_goes_on_for_days(srv, org):
    token = srv.token()
    data = org.package("upload-forgotten", "1", "Developer", org.base / "forgotten").read_bytes()
    status, up = begin(srv, token, data)
    assert status == 200
    (part,) = (srv.dir / "repo/incoming").glob("up_*.part")
    old = time.time() - 8 * 86400
    os.utime(part, (old, old))
    started = srv.log().count("server.started")
    os.kill(srv.children()["store"][0], signal.SIGKILL)  # a new one looks at once
    until(lambda: srv.log().count("server.started") > started and not part.exists(), "it is removed")
    assert "upload.expired" in srv.log()
    assert srv.call("DELETE", f"/api/v1/uploads/{up['id']}", token=srv.token())[0] == 200  # its row is of today
