#!/bin/bash
# The packaged install: a machine of Debian's smallest base, booted with systemd in a container, gets server and console from their packages
# and the agent from an enrolment kit; takes the place of WAPT 1.8, enrols, installs, by its users' self-service too, survives a kill, is
# upgraded, by itself too and back, and has nothing left of them at the end; then Ansible does it. The root is kept in the user's cache,
# and never written to: the machine is a layer over it, in memory. Needs root, and Debian's mirror the first time.
#   tests/deb.sh [DIRECTORY-OF-PACKAGES]
set -euo pipefail
cd "$(dirname "$0")/.."
debs=$(cd "${1:-build-deb}" && pwd)
EXPOSURE_MAX=2.0 # of waptservice, as systemd-analyze says it
tmp=$(mktemp -d) nspawn='' leader=''

find_leader() { leader=$(ps -o pid= --ppid "$nspawn" | head -1 | tr -d ' '); }
stop_machine() { # its first process too where it never came up: it would outlive nspawn
    [ -n "$leader" ] || find_leader
    [ -z "$leader" ] || kill -RTMIN+4 "$leader" 2>/dev/null || true
    for _ in $(seq 150); do kill -0 "$nspawn" 2>/dev/null || return 0; sleep 0.2; done
    [ -z "$leader" ] || kill -9 "$leader" 2>/dev/null || true
    kill -9 "$nspawn" 2>/dev/null || true
}
clean() {
    trap - EXIT
    if [ -n "$nspawn" ]; then
        stop_machine; wait "$nspawn" 2>/dev/null || true
        # Empty control groups of the machine, and what nspawn keeps for its mounts; those of another run are not empty.
        find /sys/fs/cgroup/*"$own_cgroup"/payload /sys/fs/cgroup"$own_cgroup"/payload /sys/fs/cgroup/*"$own_cgroup"/supervisor \
            -depth -type d -exec rmdir {} + 2>/dev/null || true
        rmdir "/run/systemd/nspawn/propagate/wapt-deb-$$" 2>/dev/null || true
    fi
    rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM
own_cgroup=$(sed -n 's/^0:://p' /proc/self/cgroup | sed 's|^/$||')
fail() { echo "FAILED: $*" >&2; [ ! -s "$tmp/log" ] || tail -40 "$tmp/log" >&2; exit 1; }

# --- the root: the base and what the packages need ---
names=$(for p in agent server console; do dpkg-deb -f "$debs"/wapt-$p\_*.deb Depends; done |
    tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -v '^wapt-' | sort -u | tr '\n' ' ')
include=$(echo systemd systemd-sysv dbus ansible-core python3-apt python3-cffi-backend $names | tr ' ' ',')
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=${XDG_CACHE_HOME:-$HOME/.cache}/wapt-deb/$suite-$(echo "$include" | sha256sum | cut -c1-16)
if [ ! -d "$root" ]; then
    echo "making a root of $suite, some minutes"
    rm -rf "$root.new"; mkdir -p "$root.new"
    debootstrap --variant=minbase --include="$include" "$suite" "$root.new" http://deb.debian.org/debian >"$tmp/log" 2>&1 || fail "debootstrap"
    rm -rf "$root.new"/var/cache/apt/archives/*.deb "$root.new"/var/lib/apt/lists/*
    mv "$root.new" "$root"
fi

# --- the machine ---
systemd-nspawn -q -D "$root" --volatile=overlay --register=no --keep-unit --private-network --machine="wapt-deb-$$" --console=pipe -b \
    >"$tmp/console" 2>&1 </dev/null & nspawn=$!
on() { nsenter -t "$leader" -m -u -i -n -p -r -w -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
sh_on() { on sh -euc "$1"; }
await() { for _ in $(seq 500); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done; return 1; }
has_started() {
    find_leader
    [ -n "$leader" ] && on systemctl is-system-running | grep -qE 'running|degraded'
}
await has_started || { cat "$tmp/console" >&2; fail "the machine does not start"; }
passed=0
check() { # TEXT COMMAND...
    if "${@:2}" >"$tmp/log" 2>&1; then passed=$((passed + 1)); echo "ok: $1"
    else on journalctl -b --no-pager -u 'wapt*' 2>/dev/null | tail -30 >>"$tmp/log"; fail "$1"; fi
}
# Every file and directory; what dpkg, apt, systemd and the logs write for themselves left out.
files() {
    on find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache/apt -o -path /root -o -path /var/tmp \) \
        -prune -o -print | LC_ALL=C sort
}
show() { on systemctl show --property="$2" --value "$1"; }
is_active() { [ "$(show "$1" ActiveState)" = active ]; }
is_inactive() { [ "$(show "$1" ActiveState)" = inactive ]; }
status() { on wapt-get status --json | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin)["result"]; print(r["uuid"], r["enrolled_at"])'; }
is_enrolled() { [ "$(status | cut -d' ' -f2)" -gt 0 ]; }
# The same packages under a higher version, on the machine.
raise() {
    rm -rf "$tmp/higher" "$(outside /root/debs)"; mkdir "$tmp/higher"
    for p in agent server console; do
        dpkg-deb -R "$debs"/wapt-$p\_*.deb "$tmp/tree"
        sed -i 's/^Version: .*/&+'"$1"/ "$tmp/tree/DEBIAN/control"
        dpkg-deb -b -Znone "$tmp/tree" "$tmp/higher/wapt-$p.deb" >/dev/null; rm -rf "$tmp/tree"
    done
    cp -r "$tmp/higher" "$(outside /root/debs)"
}
outside() { echo "/proc/$leader/root$1"; }

sh_on 'useradd --create-home --home-dir /tmp/kim kim; echo kim:blue-Heron-17 | chpasswd' # a user of the machine
files >"$tmp/before"
mkdir "$(outside /root/debs)" && cp "$debs"/wapt-{agent,server,console}_*.deb "$(outside /root/debs)" && cp -r examples "$(outside /root)"

# --- over from WAPT's own agent: a package of that name, with its files, and scripts that clean up after it ---
uuid_18=4c4c4544-0031-3010-8051-cafe00c0ffee
mkdir -p "$tmp/tis/DEBIAN" "$tmp/tis/opt/wapt/lib" "$tmp/tis/usr/bin" "$tmp/tis/usr/lib/systemd/system"
printf 'Package: tis-waptagent\nVersion: 1.8.2.7373\nArchitecture: all\nMaintainer: test\nDescription: test\n' >"$tmp/tis/DEBIAN/control"
printf '#!/bin/sh\nsystemctl daemon-reload; systemctl enable waptservice; systemctl start waptservice\n' >"$tmp/tis/DEBIAN/postinst"
printf '#!/bin/sh\nsystemctl stop waptservice; systemctl disable waptservice\n' >"$tmp/tis/DEBIAN/prerm"
printf '#!/bin/sh\nrm -rf /opt/wapt\n' >"$tmp/tis/DEBIAN/postrm"
printf '#!/bin/sh\nexec sleep 100000\n' >"$tmp/tis/opt/wapt/waptservice.sh"
printf '#!/bin/sh\necho 1.8\n' >"$tmp/tis/opt/wapt/wapt-get.sh"
ln -s /opt/wapt/wapt-get.sh "$tmp/tis/usr/bin/wapt-get"
printf '[Unit]\nDescription=WAPT 1.8\n[Service]\nExecStart=/opt/wapt/waptservice.sh\n[Install]\nWantedBy=multi-user.target\n' \
    >"$tmp/tis/usr/lib/systemd/system/waptservice.service"
chmod 755 "$tmp"/tis/DEBIAN/p* "$tmp"/tis/opt/wapt/*.sh
dpkg-deb -b -Znone "$tmp/tis" "$(outside /root/tis.deb)" >/dev/null
check "WAPT 1.8 is there" sh_on 'dpkg -i /root/tis.deb; systemctl is-active waptservice; test "$(wapt-get)" = 1.8
    mkdir -p /opt/wapt/ssl /opt/wapt/db; mkdir -m 700 /opt/wapt/private'
mkdir "$tmp/18"
/usr/bin/python3 - "$tmp/18/waptdb.sqlite" tests/vectors/moving/20200415.sql $uuid_18 <<'.'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(open(sys.argv[2], encoding="utf-8").read())
db.execute("insert into wapt_localstatus (package_uuid, package, version, architecture, section, priority, install_date, install_status, uninstall_key, setuppy)"
           " values ('u-1', 'test-old', '1-1', 'all', 'base', 'optional', '2020-05-01T10:00:00', 'OK', '[]', 'def install():\n    pass\n')")
db.execute("insert into wapt_params (name, value, ptype) values ('uuid', ?, 'str')", (sys.argv[3],))
db.commit()
.
openssl genrsa -traditional -out "$tmp/18/$uuid_18.pem" 2048 2>/dev/null
openssl req -x509 -key "$tmp/18/$uuid_18.pem" -subj /CN=signer -days 100 -out "$tmp/18/signer.crt" 2>/dev/null
install -m 600 "$tmp/18/waptdb.sqlite" "$(outside /opt/wapt/db/)"
install -m 600 "$tmp/18/$uuid_18.pem" "$(outside /opt/wapt/private/)"
install -m 644 "$tmp/18/signer.crt" "$(outside /opt/wapt/ssl/)"
printf '[global]\r\nwapt_server=\r\nwaptservice_port=8088\r\nrepo_url=https://127.0.0.1:1/wapt\r\n' >"$(outside /opt/wapt/wapt-get.ini)"
check "this agent takes its place" sh_on 'dpkg -i /root/debs/wapt-agent_*.deb; systemctl is-active waptservice; ! grep -qsa "waptservice[.]sh" /proc/[0-9]*/cmdline
    test -f /lib/systemd/system/waptservice.service; grep -q "waptservice manager" /lib/systemd/system/waptservice.service; systemctl is-enabled waptservice
    ! dpkg-query -W -f "\${Status}" tis-waptagent 2>/dev/null | grep " installed"; ! dpkg-divert --list | grep wapt; ! test -e /opt/wapt.taken-over'
knows_it() { sh_on "wapt-get status --json | grep $uuid_18; wapt-get list --json | grep test-old | grep OK; test -s /opt/wapt/private/$uuid_18.pem; test -s /opt/wapt/ssl/signer.crt"; }
check "with its identity, key, certificates and packages" await knows_it
check "what it is told of the old configuration is in the journal" sh_on 'journalctl -b -u waptservice | grep "waptservice_port"'
check "the old package's purge takes nothing away" sh_on 'dpkg -P tis-waptagent || true; test -s /opt/wapt/wapt-get.ini; wapt-get status'
check "and this one's all" sh_on 'dpkg -P wapt-agent; ! test -e /opt/wapt; systemctl daemon-reload; rm /root/tis.deb'
same_files() { files >"$tmp/after"; diff "$tmp/before" "$tmp/after"; }
check "nothing is left of either" same_files

check "the packages install" sh_on 'dpkg -i /root/debs/*.deb'
check "what scripts use is compiled" sh_on 'ls /usr/lib/wapt/__pycache__/wapt_runner.*.pyc /usr/lib/wapt/setuphelpers/__pycache__/*.pyc'
check "the agent waits for its configuration" is_inactive waptservice
check "it is enabled" on systemctl is-enabled waptservice waptserver
check "accounts" on getent passwd wapt wapt-agent
check "the group of self-service" on getent group waptselfservice
check "keys are made" sh_on 'cd /root; wapt-get create-keycert --base-dir keys --common-name Authority --ca --no-private-key-passwd
    wapt-get create-keycert --base-dir keys --common-name Deployer --code-signing --no-private-key-passwd --ca-cert keys/Authority.crt --ca-key keys/Authority.pem'
check "the server is set up and ready" sh_on 'cd /root; echo correct-horse-battery >admin.pw
    waptserver setup --dir /var/lib/waptserver --name localhost,127.0.0.1 --bind 127.0.0.1 --port 8443 --admin-password-file admin.pw
    cp keys/Authority.crt /var/lib/waptserver/trusted/
    systemctl start waptserver; systemctl is-active waptserver'

# --- one file and one command: the kit installs the agent and enrols ---
server_sha256=$(openssl x509 -in "$(outside /var/lib/waptserver/private/tls.crt)" -noout -fingerprint -sha256 | sed 's/.*=//')
check "an enrolment kit with the agent in it" sh_on "cd /root; mkdir trusted; cp keys/Authority.crt trusted/
    printf '[global]\nrepo_url = https://127.0.0.1:8443/wapt\nagent_upgrade_timeout = 40\n' >base.ini
    waptconsole kit --server https://127.0.0.1:8443 --server-fingerprint $server_sha256 --password-file admin.pw --trusted trusted --agent-config base.ini \
        --agent debs/wapt-agent_*.deb -o wapt-kit.sh
    test \"\$(stat -c %a wapt-kit.sh)\" = 600"
check "the machine has no agent" sh_on 'dpkg -P wapt-agent; systemctl daemon-reload; ! test -e /opt/wapt; ! command -v wapt-get'
check "only root can use the kit" sh_on 'cp /root/wapt-kit.sh /tmp/kim/; chown kim /tmp/kim/wapt-kit.sh; ! runuser -u kim -- sh /tmp/kim/wapt-kit.sh 2>/tmp/kim/said
    grep "only root" /tmp/kim/said; rm /tmp/kim/wapt-kit.sh; ! command -v wapt-get'
check "sh wapt-kit.sh installs and enrols" sh_on 'cd /; sh /root/wapt-kit.sh; systemctl is-active waptservice; systemctl is-enabled waptservice'
check "it has registered by itself" await is_enrolled
check "the token is gone" await sh_on '! test -e /opt/wapt/private/enrolment-token'
check "its files have the rights that they have without a kit" sh_on 'stat -c "%a %n" /opt/wapt /opt/wapt/ssl /opt/wapt/private /opt/wapt/wapt-get.ini /opt/wapt/ssl/*.crt >/tmp/kim/rights
    for right in "755 /opt/wapt" "755 /opt/wapt/ssl" "700 /opt/wapt/private" "644 /opt/wapt/wapt-get.ini"; do grep -x "$right" /tmp/kim/rights; done; grep "^644 .*crt" /tmp/kim/rights'
check "nothing of the kit is left but the kit" sh_on 'test -z "$(find /tmp -name agent.deb -o -name wapt.kit)"; rm /root/wapt-kit.sh'
check "a package is installed as root" sh_on 'cd /root; mkdir out; wapt-get build-package examples/demo-config -k keys/Deployer.crt -o out
    waptconsole upload --server https://127.0.0.1:8443 --password-file admin.pw --verify-cert /var/lib/waptserver/private/tls.crt out/*.wapt
    wapt-get update; wapt-get install demo-config; test -f /etc/wapt-demo.conf'

# --- the self-service of somebody who is no administrator but may use it ---
check "it is in the menu" sh_on 'grep -x "Exec=waptselfservice" /usr/share/applications/waptselfservice.desktop; command -v waptselfservice; test -f /usr/share/man/man1/waptselfservice.1.gz'
check "and starts for a user" sh_on 'usermod -aG waptselfservice kim
    systemd-run --quiet --unit=self --uid=kim --setenv=HOME=/tmp/kim waptselfservice --no-browser --link-file /tmp/kim/link'
check "with a link for him alone" await sh_on 'test "$(stat -c "%U %a" /tmp/kim/link)" = "kim 600"'
shop() { # who removes and installs a package in the page; nobody but him is answered
    on runuser -u "${1:-kim}" -- python3 -c '
import json, re, sys, time, urllib.error, urllib.request
base, ticket = re.match(r"(http://127[.0-9]+:[0-9]+)/#answer=[0-9a-f]+&ticket=([0-9a-f]+)", sys.argv[1]).groups()
def ask(path, body, token=None):
    more = {"Authorization": "Bearer " + token} if token else {}
    try:
        return json.load(urllib.request.urlopen(urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json", **more}), timeout=60))
    except urllib.error.HTTPError as e:
        return json.load(e)
token = ask("/local/session", {"ticket": ticket})["token"]
def entry():
    return next(p for p in ask("/local/catalogue", {}, token)["packages"] if p["package"] == "demo-config")
assert entry()["may_remove"], entry()
assert ask("/local/do", {"op": "remove", "packages": ["demo-config"], "password": "not his"}, token)["error"]["code"]
for op in ("remove", "install"):
    task = ask("/local/do", {"op": op, "packages": ["demo-config"], "password": "blue-Heron-17"}, token)["task"]
    until = time.monotonic() + 90
    while not (ended := [t for t in ask("/local/tasks", {}, token) if t["id"] == task and t["state"] == "done"]) and time.monotonic() < until:
        time.sleep(0.1)
    assert ended and ended[0]["code"] == "ok", ended
    print(op, "done")
' "$(sh_on 'cat /tmp/kim/link')"
}
nobody_else() { ! shop nobody; }
check "another user is not answered" nobody_else
check "he removes and installs a package with his own password" shop
check "which is there" sh_on 'test -f /etc/wapt-demo.conf; systemctl is-active self'
check "and it ends" sh_on 'systemctl stop self; ! test -e /tmp/kim/link || rm /tmp/kim/link'

before=$(show waptservice MainPID) state=$(status)
restarted() { [ "$(show waptservice MainPID)" != "$before" ] && is_active waptservice; }
sh_on "kill -9 $before"
check "killed, it is started again" await restarted
check "and answers" await sh_on 'wapt-get list | grep demo-config'

# The watchdog, with a shorter time: one that stands still is ended, and the next one works.
check "a short watchdog" sh_on 'mkdir -p /run/systemd/system/waptservice.service.d
    printf "[Service]\nWatchdogSec=4\n" >/run/systemd/system/waptservice.service.d/test.conf
    systemctl daemon-reload; systemctl restart waptservice'
before=$(show waptservice MainPID); sh_on "kill -STOP $before"
check "one that stands still is replaced" await restarted
check "by the watchdog" await sh_on 'journalctl -b -u waptservice | grep -i "watchdog timeout"'
sh_on 'rm -r /run/systemd/system/waptservice.service.d; systemctl daemon-reload; systemctl restart waptservice'

# The launcher killed: nothing of it is left, and both begin again.
launchers() { on systemctl list-units --plain --no-legend --state=active 'wapt-launcher@*' | cut -d' ' -f1; }
has_one_launcher() { [ "$(launchers | wc -l)" = 1 ]; }
check "one launcher" await has_one_launcher
before=$(show waptservice MainPID)
on systemctl kill --signal=KILL "$(launchers)"
check "without its launcher it begins again" await restarted
check "with another" await has_one_launcher
check "a second connection is none" on python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.settimeout(20)
s.connect("/run/wapt/launcher.sock")
assert s.recv(1) == b""'
check "nobody but the service is given a launcher, though root" sh_on 'systemctl stop waptservice; ! test -e /run/wapt/launcher.sock; python3 -c "
import os, socket
ours, theirs = socket.socketpair()
if os.fork() == 0:
    os.dup2(theirs.fileno(), 3)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=\"1\")
    os.execv(\"/usr/bin/waptservice\", [\"waptservice\", \"launcher\"])
assert os.wait()[1] != 0" 2>&1 | grep "is not waptservice.service"; systemctl start waptservice'
check "it works again" await sh_on 'wapt-get list | grep demo-config'

on systemd-analyze security --no-pager waptservice | sed -n 's/^→ //p'
exposure=$(on systemd-analyze security --no-pager waptservice | sed -n 's/.*level for waptservice.service: \([0-9.]*\).*/\1/p')
check "waptservice is exposed to $exposure, at most $EXPOSURE_MAX" awk "BEGIN { exit !(\"$exposure\" != \"\" && $exposure <= $EXPOSURE_MAX) }"

raise 1
before=$(show waptservice InvocationID)
upgraded() { [ "$(show waptservice InvocationID)" != "$before" ] && is_active waptservice && is_active waptserver; }
is_kept() { [ "$(status)" = "$state" ]; }
check "a higher version takes over" sh_on 'dpkg -i /root/debs/*.deb; dpkg-query -W wapt-agent | grep +1'
check "the services run it" await upgraded
check "registration and identity are kept" await is_kept
check "and what is installed" sh_on 'wapt-get list | grep demo-config; wapt-get remove demo-config; ! test -e /etc/wapt-demo.conf'

raise 2
before=$(show waptservice InvocationID)
check "a package of the agent's own upgrades it" sh_on 'mkdir -p /root/self/WAPT; cd /root
    printf "package: self\nversion: 1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: test\ndescription: test\n" >self/WAPT/control
    printf "from setuphelpers import *\nuninstallkey = []\ndef install():\n    print(run(\"dpkg -i /root/debs/wapt-agent.deb\"))\n" >self/setup.py
    rm -rf out; mkdir out; wapt-get build-package self -k keys/Deployer.crt -o out
    waptconsole upload --server https://127.0.0.1:8443 --password-file admin.pw --verify-cert /var/lib/waptserver/private/tls.crt out/*.wapt
    wapt-get update; wapt-get install self || true # which loses its connection; the service says what became of it
    dpkg-query -W wapt-agent | grep +2; dpkg --audit'
check "which is not cut, and then runs it" await upgraded
check "and is installed" sh_on 'wapt-get list --json | grep "\"self\"" | grep OK'

# --- configuration, health, parts that are switched off ---
check "a changed configuration is reloaded" sh_on 'sed -i "s/^agent_upgrade_timeout.*/agent_upgrade_timeout = 41/" /opt/wapt/wapt-get.ini; systemctl reload waptservice
    journalctl -b -u waptservice | grep config.reloaded; systemctl is-active waptservice'
check "a wrong one is not, and is told" sh_on 'cp /opt/wapt/wapt-get.ini /root/good.ini; echo "timeout = never" >>/opt/wapt/wapt-get.ini
    ! systemctl reload waptservice; systemctl is-active waptservice; journalctl -b -u waptservice | grep "timeout.*never"
    cp /root/good.ini /opt/wapt/wapt-get.ini; rm /root/good.ini; systemctl reload waptservice'
healthy() { (on wapt-get check --json || true) | /usr/bin/python3 -c '
import json, sys
bad = [r for r in json.load(sys.stdin)["result"] if r["state"] == "error" or r["check"] in ("units", "service", "server", "clock", "registration", "database") and r["state"] != "good"]
print(bad)
sys.exit(bool(bad))'; }
check "all is well" await healthy
check "the log is bounded" sh_on 'systemctl show waptservice --property=LogRateLimitBurst --value | grep -x 1000
    systemctl show --property=LogRateLimitBurst --value "$(systemctl list-units --plain --no-legend "wapt-launcher@*" | cut -d" " -f1)" | grep -x 1000'
check "without the service root's wapt-get works" sh_on 'systemctl stop waptservice; systemctl mask waptservice; wapt-get update; wapt-get list | grep self
    wapt-get check | grep "^warning.*masked"'
check "and the service again, when it is switched on" sh_on 'systemctl unmask waptservice; systemctl start waptservice; systemctl is-active waptservice'

# --- the agent replaces itself ---
# A package of WAPT's with the agent's Debian package; CHANGE is done to the tree of that.
version_of_agent() { on dpkg-query --show --showformat '${Version}' wapt-agent; }
upgrade_package() { # NUMBER [CHANGE]
    dpkg-deb -R "$debs"/wapt-agent_*.deb "$tmp/tree"
    sed -i 's/^Version: .*/&+'"$1"/ "$tmp/tree/DEBIAN/control"
    (cd "$tmp/tree" && eval "${2:-:}")
    sh_on 'rm -rf /root/up; mkdir -p /root/up/WAPT'
    dpkg-deb -b -Znone "$tmp/tree" "$(outside /root/up)/wapt-agent_$1.deb" >/dev/null; rm -rf "$tmp/tree"
    sh_on 'cd /root; printf "package: test-waptupgrade\nversion: '"$1"'\narchitecture: all\nsection: base\npriority: optional\nmaintainer: test\ndescription: test\n" >up/WAPT/control
    printf "from setuphelpers import *\nuninstallkey = []\ndef install():\n    WAPT.upgrade_agent()\n" >up/setup.py
    rm -rf out; mkdir out; wapt-get build-package up -k keys/Deployer.crt -o out
    waptconsole upload --server https://127.0.0.1:8443 --password-file admin.pw --verify-cert /var/lib/waptserver/private/tls.crt out/*.wapt
    wapt-get update'
}
outcome() { on wapt-get status --json | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin)["result"]; print(r["agent_upgrade"]["outcome"], r["agent_upgrade"]["to"].rpartition("+")[2], r["connected"], r["uuid"], r["enrolled_at"])'; }
ended_as() { [ "$(outcome)" = "$1 $2 True $state" ]; } # OUTCOME NUMBER: and it is connected again, and who it was
row_of_upgrade() { on wapt-get list --json | /usr/bin/python3 -c 'import json,sys; print(*(r["install_status"] for r in json.load(sys.stdin)["result"] if r["package"] == "test-waptupgrade"))'; }
is_row() { [ "$(row_of_upgrade)" = "$1" ]; }
is_tidy() { sh_on '! test -e /opt/wapt/private/upgrade' && ! on dpkg --audit | grep .; }

upgrade_package 3
check "who may sign packages may not replace the agent" sh_on 'wapt-get install test-waptupgrade 2>&1 | grep "\[actions\] signers"; ! test -e /opt/wapt/private/upgrade/state'
signer=$(openssl x509 -in "$(outside /root/keys/Deployer.crt)" -noout -fingerprint -sha256 | sed 's/.*=//')
sh_on "printf '[actions]\nsigners = $signer\n' >>/opt/wapt/wapt-get.ini; systemctl restart waptservice"
check "it is connected" await sh_on 'wapt-get status --json | grep "\"connected\": *true"'
check "who may give orders may" sh_on 'wapt-get install test-waptupgrade || true'
check "a newer version takes over and is kept" await ended_as upgraded 3
check "as dpkg says" test "$(version_of_agent | sed 's/.*+//')" = 3
check "the package counts as installed" await is_row OK
check "nothing is left of the upgrade" await is_tidy
older() { upgrade_package 2 && sh_on 'wapt-get install --force "test-waptupgrade(=2)" 2>&1 | grep "is no newer one"'; }
check "a version that was never here, an older one, is refused" older

upgrade_package 4 'printf "#!/bin/sh\nexit 1\n" >usr/bin/waptservice'
sh_on 'wapt-get install test-waptupgrade || true'
check "a version that does not start gives way to the one before" await ended_as returned 4
check "which is installed" test "$(version_of_agent | sed 's/.*+//')" = 3
check "the package says so" await is_row ERROR
check "nothing is left of it" await is_tidy
check "it is not tried again by itself" sh_on 'wapt-get install test-waptupgrade 2>&1 | grep "did not work here before"'

upgrade_package 5 'cat >usr/bin/waptservice <<"."
#!/usr/bin/python3
import sqlite3
c = sqlite3.connect("/opt/wapt/db/waptagent.sqlite")
c.executescript("DROP TABLE installed; DROP TABLE params; PRAGMA user_version = 99;")
raise SystemExit(1)
.'
sh_on 'wapt-get install test-waptupgrade || true'
check "a version that changes the database and then fails gives way" await ended_as returned 5
check "with the database as it was" await is_row ERROR
check "and the version" test "$(version_of_agent | sed 's/.*+//')" = 3

upgrade_package 6 'sed -i "2i [ \"\$1\" != configure ] || sleep 8" DEBIAN/postinst'
sh_on 'wapt-get install test-waptupgrade || true'
is_installing() { sh_on 'grep saved /opt/wapt/private/upgrade/state'; }
check "it is being installed" await is_installing
on systemctl kill --signal=KILL wapt-upgrade
check "killed in the middle it goes on, as after a power cut" await ended_as upgraded 6
check "to the end" await is_tidy

# A power cut in the middle, before the new version is there: the next boot goes on. The unit is one of multi-user.target's.
upgrade_package 7 'sed -i "2i [ \"\$1\" != configure ] || sleep 8" DEBIAN/postinst'
sh_on 'wapt-get install test-waptupgrade || true'
check "it is being installed again" await is_installing
sh_on 'systemctl mask --runtime wapt-upgrade; systemctl kill --signal=KILL wapt-upgrade || true; sleep 1; systemctl start waptservice; sleep 1'
check "until then the service does not start" is_inactive waptservice
check "it is wanted at boot" on test -L /etc/systemd/system/multi-user.target.wants/wapt-upgrade.service
sh_on 'systemctl unmask --runtime wapt-upgrade; systemctl start multi-user.target'
check "the boot goes on" await ended_as upgraded 7

# Without systemd the launcher starts it, and it starts the service again.
sh_on 'systemctl stop waptservice; (setsid /usr/bin/waptservice run </dev/null >/root/run.log 2>&1 &)'
check "it runs without a unit" await sh_on 'wapt-get status --json | grep "\"connected\": *true"'
check "where the units are not its own" is_inactive waptservice
upgrade_package 8
sh_on 'wapt-get install test-waptupgrade || true'
check "a newer version takes over there too" await ended_as upgraded 8
check "without a unit" is_inactive waptservice
upgrade_package 9 'printf "#!/bin/sh\nexit 1\n" >usr/bin/waptservice'
sh_on 'wapt-get install test-waptupgrade || true'
check "and gives way" await ended_as returned 9
check "to the version before" test "$(version_of_agent | sed 's/.*+//')" = 8
stop_alone() { sh_on 'for p in /proc/[0-9]*; do ! tr "\0" " " <$p/cmdline 2>/dev/null | grep -q "^[^ ]*waptservice run " || kill "${p#/proc/}"; done; rm -f /root/run.log'; }
check "it ends" stop_alone

check "removed" sh_on 'dpkg -r wapt-agent wapt-server wapt-console'
runs_nothing() { ! ps --no-headers -o cmd --ppid "$leader" | grep -i wapt; }
check "nothing runs" await runs_nothing
check "data stays until the purge" on test -f /opt/wapt/wapt-get.ini -a -d /var/lib/waptserver
check "purged" sh_on 'dpkg -P wapt-agent wapt-server wapt-console; systemctl daemon-reload; ! test -e /run/wapt'
check "nothing is left" same_files

# --- by Ansible ---
cp -r packaging/ansible "$(outside /root)"
play() { sh_on "cd /root/ansible; ansible-playbook -i inventory -e @vars.yml site.yml"; }
recap() { play >"$tmp/play" 2>&1 || { cat "$tmp/play"; return 1; }; cat "$tmp/play"; grep -E '^localhost .*unreachable=0 .*failed=0' "$tmp/play"; }
changes() { recap >/dev/null; grep -B1 '^changed' "$tmp/play"; [ "$(sed -n 's/^localhost .* changed=\([0-9]*\) .*/\1/p' "$tmp/play")" = "$1" ]; }
cat >"$(outside /root/ansible/inventory)" <<'.'
[wapt_server]
localhost ansible_connection=local
[wapt_agent]
localhost
.
cat >"$(outside /root/ansible/vars.yml)" <<.
wapt_server_deb: $(cd "$(outside /root/debs)/.." && ls debs/wapt-server*.deb | sed 's|^|/root/|')
wapt_agent_deb: $(cd "$(outside /root/debs)/.." && ls debs/wapt-agent*.deb | sed 's|^|/root/|')
wapt_server_names: [localhost, 127.0.0.1]
wapt_server_bind: 127.0.0.1
wapt_server_port: 8443
wapt_server_admin_password: correct-horse-battery
wapt_server_trusted: [/root/keys/Authority.crt]
wapt_agent_server: https://localhost:8443
wapt_agent_trusted: [/root/keys/Authority.crt]
wapt_agent_signers: [$(echo "$signer" | tr -d :)]
.
check "the roles for Ansible are well formed" sh_on "cd /root/ansible; ansible-playbook -i inventory -e @vars.yml site.yml --syntax-check"
check "server and agent by Ansible" recap
check "both run, and the machine has registered" sh_on 'systemctl is-active waptserver waptservice; systemctl is-enabled waptserver waptservice; waptserver check >/dev/null || test $? = 3'
check "it is registered" await is_enrolled
check "with nothing left of password and token" sh_on '! test -e /opt/wapt/private/enrolment-token; test -z "$(find /tmp /var/tmp -name "wapt-*" -type f -newer /root/ansible/vars.yml)"'
check "a second run changes nothing" changes 0
printf 'wapt_server_options: {wol_port: "9"}\nwapt_agent_options: {waptupdate_task_period: "90m"}\n' >>"$(outside /root/ansible/vars.yml)"
before=$(show waptserver MainPID)
check "other options change both" recap
check "where they belong" sh_on 'grep -x "wol_port = 9" /var/lib/waptserver/waptserver.ini; grep -x "waptupdate_task_period = 90m" /opt/wapt/wapt-get.ini; systemctl is-active waptserver waptservice'
check "and start the server anew" test "$(show waptserver MainPID)" != "$before"
check "it goes as it came" sh_on 'dpkg -P wapt-agent wapt-server; rm -r /var/cache/wapt; systemctl daemon-reload; ! test -e /run/wapt'
check "and leaves nothing" same_files
echo "$passed passed"
