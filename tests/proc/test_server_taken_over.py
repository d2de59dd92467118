"""Each of the server's processes as somebody has it who has taken it over, by what it reads: the kernel still keeps it to its own files."""
import errno
import os
import socket

import pytest
from conftest import until
from inject import AT_FDCWD, OPENAT, RENAMEAT, UNLINKAT, taken_over
from test_server_hostile import Server

CLOSE, SOCKET, CONNECT, LISTEN = 3, 41, 42, 50
FOLDERS = ("trusted", "repo/incoming", "repo/wapt", "repo/wapt-host", "db", "private", ".")
# All else writes nothing at all.
WRITES = {"scan": {"repo/incoming", "repo/wapt", "repo/wapt-host"}, "trust": {"trusted"}, "front": {"repo/incoming"}, "store": {"db"}}


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-taken")
    yield s
    s.stop()


def test_what_each_process_writes(srv):
    wrong = []
    for role, pids in srv.children().items():
        with taken_over(pids[0]) as t:
            for folder in FOLDERS:
                path = srv.dir / folder / f"by-{role}"
                fd = t.call(OPENAT, AT_FDCWD, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                if (fd >= 0) != (folder in WRITES.get(role, ())):
                    wrong.append(f"{role} {folder}: {fd}")
                if fd >= 0:
                    assert path.stat().st_size == 0
                    assert t.call(UNLINKAT, AT_FDCWD, path, 0) == 0
    assert not wrong, "\n".join(wrong)
    srv.lives()


def test_who_reads_packages_adds_no_signer(srv, org):
    """A taken-over scan has the certificate in its own folder, and gets it to no other; nor does it take a trusted one away."""
    own = srv.dir / "repo/incoming/mine.crt"
    own.write_bytes(org.cert("Stranger").read_bytes())
    trusted = sorted((srv.dir / "trusted").iterdir())
    (scan,) = srv.children()["scan"]
    with taken_over(scan) as t:
        for number, arguments in ((RENAMEAT, (AT_FDCWD, own, AT_FDCWD, srv.dir / "trusted/mine.crt")), (265, (AT_FDCWD, own, AT_FDCWD, srv.dir / "trusted/mine.crt", 0)),
                                  (266, (own, AT_FDCWD, srv.dir / "trusted/mine.crt")), (OPENAT, (AT_FDCWD, trusted[0], os.O_WRONLY)),
                                  (OPENAT, (AT_FDCWD, trusted[0], os.O_RDONLY | os.O_TRUNC)), (UNLINKAT, (AT_FDCWD, trusted[0], 0)),
                                  (RENAMEAT, (AT_FDCWD, trusted[0], AT_FDCWD, srv.dir / "repo/incoming/theirs.crt"))):
            assert -t.call(number, *arguments) in (errno.EACCES, errno.EPERM, errno.EXDEV, errno.EROFS), number
        assert t.call(OPENAT, AT_FDCWD, trusted[0], os.O_RDONLY) >= 0  # it judges by them
    assert sorted((srv.dir / "trusted").iterdir()) == trusted
    own.unlink()
    # By its own way it is still added, and shown.
    token = srv.token()
    pem = org.cert("Stranger").read_text()
    status, answer, _ = srv.call("POST", "/api/v1/signers", {"certificate": pem}, token=token)
    assert status == 200, answer
    assert len(list((srv.dir / "trusted").iterdir())) == len(trusted) + 1
    assert srv.call("DELETE", f"/api/v1/signers/{org.fingerprint(org.cert('Stranger'))}", token=token)[0] == 200
    until(lambda: sorted((srv.dir / "trusted").iterdir()) == trusted, "it is gone")


def test_who_wakes_machines_sends_datagrams_and_nothing_else(srv):
    """A taken-over wake process connects to nobody, whatever it asks for."""
    (wake,) = srv.children()["wake"]
    stream, datagram, raw = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
    with taken_over(wake) as t:
        for family, kind in ((socket.AF_INET, stream), (socket.AF_INET, raw), (socket.AF_INET6, stream), (socket.AF_INET6, datagram), (socket.AF_UNIX, stream),
                             (socket.AF_UNIX, datagram), (socket.AF_PACKET, raw), (socket.AF_PACKET, datagram)):
            assert t.call(SOCKET, family, kind, 0) == -errno.EPERM, (family, kind)
        fd = t.call(SOCKET, socket.AF_INET, datagram, 0)
        assert fd >= 0 and t.call(LISTEN, fd, 1) == t.call(CONNECT, fd, "", 16) == -errno.EPERM
        assert t.call(CLOSE, fd) == 0
        assert t.call(OPENAT, AT_FDCWD, "/etc/passwd", os.O_RDONLY) < 0
    srv.lives()
