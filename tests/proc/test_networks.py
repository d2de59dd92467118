"""What the agent does in a bad network: a machine in a network namespace of its own, all else in another one - server, name
service, a relay that cuts, slows and resets, and a liar. Both namespaces live as long as a process that holds them."""
import contextlib
import ctypes
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from local_program import Local
from conftest import BIN, PATIENCE, Organisation, environment, run, until
from cryptography import x509
from hostile import Hostile, Relay, certificate

NAME = "wapt.test"
MACHINE, SERVER, RELAY, PROXY, LIAR = (f"10.77.0.{n}" for n in (10, 100, 2, 3, 66))
CLONE_NEWNET = 0x40000000


class Namespace:
    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)  # it ends with us
        own = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own, "the namespace is there")
        self.ip("link", "set", "lo", "up")

    def words(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]

    def ip(self, *argv):
        subprocess.run([*self.words(), "ip", *argv], check=True)

    def do(self, work):
        """What a thread inside does; its sockets and threads stay there."""
        result = []

        def inside():
            with open(f"/proc/{self.holder.pid}/ns/net", "rb") as ns:
                assert ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            result.append(work())
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return result[0]

    def end(self):
        self.holder.kill()
        self.holder.wait()


class Names:
    """A name service that tells what it is told to: an address, or how to be of no use."""

    def __init__(self):
        self.answer, self.asked = RELAY, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((SERVER, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, who = self.socket.recvfrom(512)
            except OSError:
                return
            self.asked += 1
            name = question[12:question.index(0, 12) + 5]
            wants_v4 = name[-4:-2] == b"\0\1"
            head = question[:2] + b"\x81\x80\0\1"
            if self.answer == "silence":
                continue
            if self.answer == "garbage":
                reply = question[:2] + b"\x81\x80\0\1\xff\xff\0\0\0\0" + name + b"\xc0\x0c" * 200
            elif wants_v4:
                reply = head + b"\0\1\0\0\0\0" + name + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.answer)
            else:
                reply = head + b"\0\0\0\0\0\0" + name
            self.socket.sendto(reply, who)


class Network(Organisation):
    ADDRESS, NAMES, SEEN_BY_AGENTS = SERVER, f"{NAME},{SERVER}", NAME
    OPTIONS = ""
    world = machine = resolv = None

    @classmethod
    def inside(cls, program):
        if program != "waptservice":
            return cls.world.words()
        # Names are asked for in the world, without a file of this machine's being changed.
        return [*cls.machine.words(), "unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(cls.resolv)]

    def new_agent(self, base):
        ini = super().new_agent(base)
        ini.write_text(ini.read_text().replace("[global]", "[global]\ntimeout = 10"))
        return ini

    def says(self):
        start = (self.base / "agent.log").stat().st_size
        return lambda: (self.base / "agent.log").read_bytes()[start:].decode()

    def connected(self, said):
        until(lambda: "state=welcome" in said(), "the machine is connected")

    def data(self, *argv):
        return json.loads(self.get(*argv, "--json").stdout)["result"]


@pytest.fixture(scope="module")
def net():
    assert os.geteuid() == 0, "these tests need root"
    with tempfile.TemporaryDirectory(prefix="wapt-proc-") as d, contextlib.ExitStack() as stack:
        base = pathlib.Path(d)
        base.chmod(0o755)
        Network.resolv = base / "resolv.conf"
        Network.resolv.write_text(f"nameserver {SERVER}\noptions timeout:1 attempts:1\n")
        world, machine = Network.world, Network.machine = Namespace(), Namespace()
        stack.callback(world.end)
        stack.callback(machine.end)
        world.ip("link", "add", "wire", "type", "veth", "peer", "name", "eth0", "netns", str(machine.holder.pid))
        for address in (SERVER, RELAY, PROXY, LIAR):
            world.ip("addr", "add", f"{address}/24", "dev", "wire")
        world.ip("link", "set", "wire", "up")
        machine.ip("addr", "add", f"{MACHINE}/24", "dev", "eth0")
        machine.ip("link", "set", "eth0", "up")
        names = world.do(Names)
        stack.callback(names.socket.close)
        org = Network(base)
        stack.callback(org.stop)
        org.names, org.relay = names, world.do(lambda: Relay((RELAY, org.port), (SERVER, org.port)))
        stack.callback(org.relay.listener.close)
        org.marker = base / "done"
        org.console("upload", org.package("net-good", "1", "Developer", org.marker))
        said = org.says()
        org.get("register", "--token-file", org.token("--uses", "1", "--valid", "1h"))
        org.connected(said)
        org.get("update")
        yield org


def order(net, *argv):
    return subprocess.Popen([*net.inside("waptconsole"), str(BIN / "waptconsole"), "action", *argv, "--hosts", net.uuid, "-k", str(net.cert("Deployer")), "-w", str(net.base / "pw"),
                             "--timeout", f"{PATIENCE}s", "--server", net.url, "--server-fingerprint", net.server_fp, "--password-file", str(net.base / "admin.pw")],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, env=environment())


def test_f1c_nothing_listens(net):
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = pathlib.Path(f"/proc/{net.machine.holder.pid}/net/{table}").read_text().splitlines()[1:]
        assert [r for r in rows if r.split()[3] == ("0A" if "tcp" in table else "07")] == [], table


def proxy_of(net):
    """The server itself, but for what the test changes: by its own key, where the name service then points."""
    proxy = net.world.do(lambda: Hostile(net.base / "server/private/tls.crt", net.base / "server/private/tls.pem", real=net.port, at=(PROXY, net.port)))
    proxy.real_host, net.names.answer = SERVER, PROXY
    return proxy


def test_the_wire_is_cut(net):
    """Whoever is at the machine works on; what became of it is told once, when the wire is whole again."""
    net.get("install", "net-good")
    assert net.marker.read_text() == "1"
    said = net.says()
    net.world.ip("link", "set", "wire", "down")
    try:
        for command in (["status"], ["list"], ["search", "net"], ["tasks"], ["list-upgrade"], ["show", "net-good"], ["remove", "net-good"], ["audit"]):
            net.get(*command)
        assert net.data("list") == []
        net.marker.unlink()
        net.get("install", "net-good")  # from the cache
        assert net.marker.read_text() == "1"
        proxy = proxy_of(net)
        net.relay.drop()
    finally:
        net.world.ip("link", "set", "wire", "up")
    try:
        net.connected(said)
        until(lambda: any(b"wapt-status" in h[3] for h in proxy.heard), "it tells")
        until(lambda: net.data("status")["running_task"] == 0, "nothing runs")
        net.get("update-status")  # whatever was to follow comes before this
        assert sum(b"wapt-status" in h[3] for h in proxy.heard) == 2
    finally:
        said = net.says()
        net.names.answer = RELAY
        proxy.hang_up()
        proxy.stop()
    net.connected(said)


def test_an_answer_is_reset(net):
    """The server has the result, the machine does not know: it tells again; the script has run once, and once is what people see."""
    net.console("upload", net.package("net-once", "1", "Developer", net.marker))
    net.get("update")
    told, said = [], net.says()

    def report(handler, body):
        told.append(body)
        if b"wapt-action-result" in body and sum(b"wapt-action-result" in t for t in told) == 1:
            handler.reply = lambda *args, **kw: Relay.reset(handler.request)
            handler.close_connection = True
        handler.pass_on(body)
    asked = order(net, "install", "net-once")
    proxy = proxy_of(net)  # for what connects from now on; the push channel stays where it is
    proxy.answers["/agent/v1/report"] = report
    try:
        out, _ = asked.communicate(timeout=2 * PATIENCE)
        assert asked.returncode == 0 and "done" in out, out
        until(lambda: sum(b"wapt-action-result" in t for t in told) == 2, "it tells again")
        assert net.marker.read_text() == "1" and said().count("action.accepted") == 1 and said().count("kind=install") == 2
    finally:
        net.names.answer = RELAY
        proxy.stop()
        net.marker.unlink(missing_ok=True)


def test_an_order_waits_for_the_machine(net):
    said = net.says()
    net.relay.resets = True
    net.relay.drop()
    until(lambda: "state=closed" in said(), "the machine is alone")
    asked = order(net, "remove", "net-once")
    time.sleep(1)
    net.relay.resets = False
    out, _ = asked.communicate(timeout=2 * PATIENCE)
    assert asked.returncode == 0, out + said()


class InTheWorld(Local):
    def ask(self, *argv, **more):
        return self.org.world.do(lambda: super(InTheWorld, self).ask(*argv, **more))


class Ear:
    """Hears what is broadcast in a namespace: from whom, to which address, for which card."""

    def __init__(self, namespace, port=9):
        self.socket = namespace.do(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.socket.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
        self.socket.settimeout(90)
        self.socket.bind(("", port))

    def hear(self):
        data, told, _, (source, _port) = self.socket.recvmsg(2048, 64)
        assert len(data) == 102 and data[:6] == b"\xff" * 6 and data[6:] == data[6:12] * 16
        return source, socket.inet_ntoa(told[0][2][8:12]), data[6:12].hex(":")

    def hears(self, count):
        return sorted(self.hear() for _ in range(count))

    def hears_nothing(self):
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(2048)


def test_a_machine_is_woken(net):
    """A machine that is off is woken by the one of its network that is there, and by the server, which is in it too: each card, and nothing else."""
    ini = Organisation.new_agent(net, net.base / "sleeper")
    ini.write_text(ini.read_text(encoding="utf-8").replace(net.agents_url, net.url), encoding="utf-8")
    run(*net.world.words(), BIN / "wapt-get", "-c", ini, "register", "--token-file", net.token("--uses", "1"))
    (sleeper,) = [h for h in net.hosts() if h["uuid"] != net.uuid]
    says = json.loads(run(*net.world.words(), BIN / "wapt-get", "-c", ini, "inventory", "--json").stdout)["result"]
    (card,) = [c["mac"] for c in says["host_info"]["networking"]]
    assert not sleeper["reachable"]
    with contextlib.ExitStack() as stack:
        near, far, echo = (Ear(*at) for at in ((net.world,), (net.machine,), (net.machine, 7)))
        for ear in (near, far, echo):
            stack.callback(ear.socket.close)
        by_server = [(SERVER, "10.77.0.255", card), (SERVER, "255.255.255.255", card)]
        by_both = sorted([(MACHINE, "10.77.0.255", card), *by_server])
        signed = ("-k", net.cert("Deployer"), "-w", net.base / "pw", "--timeout", f"{PATIENCE}s")
        own, done = json.loads(net.console("action", "wake", "--hosts", sleeper["uuid"], *signed, "--json").stdout)["result"]
        assert (done["uuid"], done["state"]) == (net.uuid, "done")
        assert (own["uuid"], own["state"], own["id"]) == (sleeper["uuid"], "done", "") and "10.77.0.0/24" in own["message"]
        assert (near.hears(3), far.hears(3), echo.hears(2)) == (by_both, by_both, by_server)
        page = InTheWorld(net, "wakes")  # and from a page: who wakes whom is shown first
        page.open()
        page.login()
        assert page.unlock().status == 200
        shown = page.ask("POST", "/local/prepare", {"what": "wake", "hosts": [sleeper["uuid"]]}).json
        labels = {line["label"]: line["value"] for line in shown["lines"]}
        assert "1 network card" in labels.values() and labels["The server itself"] == "1 machine" and shown["count"] == 1 and shown["signs"]
        told = page.ask("POST", "/local/commit", {"id": shown["id"]}).json
        assert (told["machines"], told["count"], told["server"]) == (1, 1, 1)
        assert (near.hears(3), far.hears(3), echo.hears(2)) == (by_both, by_both, by_server)
        # Nobody else is near the one that is there: the server wakes it alone, and nothing is signed.
        shown = page.ask("POST", "/local/prepare", {"what": "wake", "hosts": [net.uuid]}).json
        assert not shown["signs"] and shown["needs"] == "none"
        assert page.ask("POST", "/local/keys/lock", {}).status == 200
        told = page.ask("POST", "/local/commit", {"id": shown["id"]}).json
        assert told["server"] == 1 and "batch" not in told
        alone = far.hears(2)
        assert [(a, b) for a, b, _ in alone] == [(a, b) for a, b, _ in by_server] and alone[0][2] != card
        shown = net.console("action", "wake", "--hosts", net.uuid)
        assert "woken by the server itself" in shown.text and far.hears(2) == alone
        page.stop()
        for ear in (near, echo):
            ear.hears(4)
        for ear in (near, far, echo):
            ear.hears_nothing()


@pytest.mark.parametrize("lie, why", [(LIAR, "certificate"), ("silence", ""), ("garbage", "")],
                         ids=["other-server", "silence", "garbage"])
def test_the_name_service_lies(net, lie, why):
    """To nobody's server but the one whose certificate the machine knows is a word said."""
    said = net.says()
    liar = net.world.do(lambda: Hostile(*certificate(net.base, f"liar-{lie}", 99, x509.DNSName(NAME)), real=net.port, at=(LIAR, net.port)))
    net.names.answer = lie
    try:
        net.get("status")
        got = net.get("update-status", ok=None)
        assert got.returncode != 0 and why in got.text, got.text
        got = net.get("update", ok=None)
        assert got.returncode != 0 and why in got.text, got.text
        net.get("list")
        until(lambda: lie != LIAR or liar.broken, "somebody came, and went")
        assert liar.heard == []
    finally:
        net.names.answer = RELAY
        liar.stop()
    net.get("update-status")
    net.get("update")


def large(net, name):
    src = net.base / "src" / name
    (src / "WAPT").mkdir(parents=True)
    (src / "WAPT/control").write_text(f"package : {name}\nversion : 1\narchitecture : all\nsection : base\npriority : optional\nmaintainer : d\ndescription : d\n")
    (src / "setup.py").write_text("def install():\n    pass\n")
    (src / "data").write_bytes(os.urandom(4 << 20))
    net.console("upload", net.build(src, "Developer"))
    net.get("update")


def test_a_download_is_cut(net):
    """What came before the cut is not fetched again."""
    large(net, "net-large")
    first, net.relay.cut_at = len(net.relay.carried), 3 << 20
    assert net.get("install", "net-large", ok=None).returncode != 0 and net.relay.cut_at is None, "it was cut"
    net.get("install", "net-large")
    carried = net.relay.carried[first:]
    assert 4 << 20 < sum(carried) < 5 << 20 and max(carried) < 4 << 20, carried


def test_a_slow_server(net):
    """Whoever asks the machine something has the answer while the download still runs."""
    large(net, "net-slow")
    net.relay.rate = 1 << 15  # bytes a second: a minute and more, but it may go on faster before
    slow = subprocess.Popen([str(BIN / "wapt-get"), "-c", str(net.ini), "install", "net-slow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: net.data("status")["running_task"] != 0, "it runs")
        for command in ("status", "list", "tasks", "list-upgrade", "search"):
            net.get(command)
        assert slow.poll() is None, "it still runs"
    finally:
        net.relay.rate = None
    assert slow.wait(60) == 0


def test_connections_are_reset(net):
    """Each attempt ends at once; it comes back by itself."""
    said = net.says()
    net.relay.resets, before = True, net.relay.connections
    net.relay.drop()
    until(lambda: net.relay.connections >= before + 4 and said().count("state=closed") >= 3, "it tries again and again")
    net.relay.resets = False
    net.connected(said)
