#!/bin/bash
# Upgrades at shutdown and sessions' set-up, on a machine that is really shut down: Debian's smallest base with the agent's package, booted with
# systemd in a container again and again. tests/deb.sh makes the root that is used, and keeps it in the user's cache. Needs root.
#   tests/exit.sh [DIRECTORY-OF-PACKAGES]
set -euo pipefail
cd "$(dirname "$0")/.."
debs=$(cd "${1:-build-deb}" && pwd)
root=$(ls -td "${XDG_CACHE_HOME:-$HOME/.cache}/wapt-deb/$(. /etc/os-release && echo "$VERSION_CODENAME")"-*[0-9a-f] 2>/dev/null | head -1)
[ -n "$root" ] || { echo "run tests/deb.sh first: it makes the root" >&2; exit 1; }

tmp=$(mktemp -d) machine='' leader='' passed=0
own_cgroup=$(sed -n 's/^0:://p' /proc/self/cgroup | sed 's|^/$||')
find_leader() { leader=$(pgrep -P "$(pgrep -P "$machine" | head -1)" | head -1); }
clean() {
    trap - EXIT
    [ -z "$leader" ] || kill -9 "$leader" 2>/dev/null || true
    [ -z "$machine" ] || { kill "$machine" 2>/dev/null; wait "$machine" 2>/dev/null; } || true
    find /sys/fs/cgroup/*"$own_cgroup"/payload /sys/fs/cgroup"$own_cgroup"/payload /sys/fs/cgroup/*"$own_cgroup"/supervisor \
        -depth -type d -exec rmdir {} + 2>/dev/null || true
    rmdir "/run/systemd/nspawn/propagate/wapt-exit-$$" 2>/dev/null || true
    umount -l "$tmp/root" 2>/dev/null || true
    umount -l "$tmp/layer" 2>/dev/null || true
    rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM
fail() { echo "FAILED: $*" >&2; tail -60 "$tmp/log" >&2 || true; tail -c 2000 "$tmp/console" >&2; exit 1; }

mkdir "$tmp/layer" "$tmp/root"
mount -t tmpfs wapt-exit "$tmp/layer"
mkdir "$tmp/layer/upper" "$tmp/layer/work"
mount -t overlay -o "lowerdir=$root,upperdir=$tmp/layer/upper,workdir=$tmp/layer/work" wapt-exit "$tmp/root"
mkfifo "$tmp/keys"
exec 7<>"$tmp/keys" # what is typed at the console

# A console that shows and takes keys, with the machine on it.
cat >"$tmp/console.py" <<'END'
import os, pty, select, sys
keys, shown = os.open(sys.argv[1], os.O_RDWR), open(sys.argv[2], 'ab', 0)
pid, console = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
while True:
    ready, _, _ = select.select([keys, console], [], [])
    try:
        if console in ready:
            shown.write(os.read(console, 65536))
        if keys in ready:
            os.write(console, os.read(keys, 1024))
    except OSError:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
boot() {
    : >"$tmp/console"
    python3 "$tmp/console.py" "$tmp/keys" "$tmp/console" systemd-nspawn -q -D "$tmp/root" --register=no --keep-unit --private-network \
        --machine="wapt-exit-$$" --console=interactive -b & machine=$!
    await has_started || fail "the machine does not start"
}
on() { nsenter -t "$leader" -m -u -i -n -p -r -w -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
sh_on() { on sh -euc "$1"; }
await() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done; return 1; }
has_started() { find_leader; [ -n "$leader" ] && on systemctl is-system-running | grep -qE 'running|degraded'; }
has_stopped() { ! kill -0 "$machine" 2>/dev/null; }
check() { # TEXT COMMAND...
    if "${@:2}" >"$tmp/log" 2>&1; then passed=$((passed + 1)); echo "ok: $1"
    else on journalctl -b --no-pager -u 'wapt*' 2>/dev/null | tail -30 >>"$tmp/log"; fail "$1"; fi
}
power_off() { # [TEXT-ON-CONSOLE KEY]: what is typed once the text is there
    sh_on 'systemctl --no-block poweroff'
    [ $# = 0 ] || { await grep -aq -- "$1" "$tmp/console" && printf %s "$2" >&7; }
    await has_stopped && wait "$machine" && machine='' leader=''
}
# The package demo in a version whose script says this.
publish() { # VERSION SCRIPT
    sh_on "mkdir -p /root/src/WAPT; cd /root
        printf 'package: demo\nversion: $1\narchitecture: all\nsection: base\npriority: optional\nmaintainer: test\ndescription: test\n' >src/WAPT/control
        printf 'from setuphelpers import *\nuninstallkey = []\ndef install():\n    $2\ndef session_setup():\n    open(\"/home/paul/set-up\", \"a\").write(user + control.version)\n' >src/setup.py
        rm -rf out; mkdir out; wapt-get build-package src -k keys/Developer.crt -o out; rm -f /srv/wapt/*.wapt; cp out/*.wapt /srv/wapt
        wapt-scanpackages /srv/wapt; wapt-get update"
}
pending() { publish "$@" && sh_on "wapt-get list-upgrade | grep 'demo(=$1)'"; }
writes() { echo "open(\"/root/installed\", \"w\").write(\"$1\")"; }
is_installed() { [ "$(cat "$tmp/root/root/installed")" = "$1" ]; }
has_row() { on wapt-get list --json | python3 -c 'import json,sys; r={p["package"]: p for p in json.load(sys.stdin)["result"]}["demo"]; print(r["version"], r["install_status"])' | tee /dev/stderr | grep -x "$1"; }
show() { on systemctl show --property="$2" --value "$1"; }

boot
mkdir "$tmp/root/root/debs" && cp "$debs"/wapt-agent_*.deb "$debs"/wapt-server_*.deb "$tmp/root/root/debs"
check "the agent's package installs" sh_on 'dpkg -i /root/debs/*.deb'
check "an upgrade at shutdown is off" sh_on 'test "$(systemctl is-enabled waptexit)" = disabled'
check "a session's set-up is on" sh_on 'systemctl --global is-enabled wapt-session-setup.service wapt-propose.path wapt-message.path; test -f /etc/xdg/autostart/wapt-session-setup.desktop'
# The repository is on the machine itself, and goes down after what needs it. No package is downloaded ahead.
check "a machine with a user, keys and a repository" sh_on 'cd /root; useradd -m -u 1000 paul; mkdir -p /srv/wapt
    wapt-get create-keycert --base-dir keys --common-name Developer --code-signing --no-private-key-passwd --key-bits 2048
    cp keys/Developer.crt /opt/wapt/ssl
    printf "[Unit]\nBefore=waptservice.service waptexit.service\n[Service]\nExecStart=/usr/bin/python3 -m http.server -d /srv -b 127.0.0.1 8080\n[Install]\nWantedBy=multi-user.target\n" >/etc/systemd/system/repository.service
    printf "[global]\nrepo_url = http://127.0.0.1:8080/wapt\nwaptupdate_task_period = 0\nwaptexit_countdown = 3\n" >/opt/wapt/wapt-get.ini
    mkdir -p /etc/systemd/system/user@.service.d # what libpam-systemd does at a login
    printf "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n" >/etc/systemd/system/user@.service.d/runtime.conf
    systemctl daemon-reload; systemctl enable --now repository; wapt-scanpackages /srv/wapt; systemctl start waptservice'
check "the agent answers" sh_on 'until wapt-get status; do sleep 0.2; done'
check "a first version is there" publish 1 "$(writes 1)"
check "it is installed" on wapt-get install demo

is_set_up() { [ "$(cat "$tmp/root/home/paul/set-up")" = "$1" ]; }
check "a login sets the session up" sh_on 'systemctl start user@1000'
check "in the user's name" await is_set_up paul1
check "and the next one does not again" sh_on 'systemctl stop user@1000; systemctl start user@1000'
sleep 2
check "once" is_set_up paul1
check "by one task, which went well" sh_on "wapt-get tasks --json | python3 -c 'import json, sys
assert [t[\"code\"] for t in json.load(sys.stdin)[\"result\"] if t[\"kind\"] == \"session-setup\"] == [\"ok\"]'"

check "a second version is pending" pending 2 "$(writes 2)"
check "an administrator wants it at shutdowns" on wapt-get add-upgrade-shutdown
check "which is a unit" sh_on 'systemctl is-enabled waptexit; systemctl is-active waptexit wapt-warn'
is_held() { on systemd-inhibit --list --no-legend | grep 'WAPT.*shutdown.*delay'; }
check "with a lock, to warn" await is_held
check "whose restart installs nothing" sh_on 'systemctl restart waptexit; systemctl stop waptexit; systemctl start waptexit'
check "nor does an upgrade of the agent" sh_on 'dpkg -i /root/debs/wapt-agent*.deb; systemctl is-active waptexit; until wapt-get status; do sleep 0.2; done'
check "it is still the first" is_installed 1
check "the machine is shut down" power_off
check "and has installed the second before" is_installed 2
check "those at work were told" grep -q T "$tmp/root/opt/wapt/run/shutdown-begins"

boot
check "the next start knows" has_row '2 OK'
check "the journal told" sh_on 'journalctl -b -1 -u waptexit | grep "1 done"'
check "a version that hangs is pending" pending 3 'import time, subprocess; subprocess.Popen(["/bin/sleep", "999"], start_new_session=True); time.sleep(999)'
check "a shutdown may be held up for 6 seconds" sh_on 'echo "pre_shutdown_timeout = 6s" >>/opt/wapt/wapt-get.ini; systemctl restart waptservice; until wapt-get status; do sleep 0.2; done'
check "the machine is shut down all the same" power_off

boot
check "the next start knows that it did not work" has_row '2 ERROR'
check "and what ended it" sh_on 'journalctl -b -1 -u waptexit | grep "The time for the upgrade is over"'
check "a good version is pending" pending 4 "$(writes 4)"
sh_on 'sed -i "s/^waptexit_countdown.*/waptexit_countdown = 600/; /^pre_shutdown/d" /opt/wapt/wapt-get.ini'
check "somebody at the console says: not now" power_off 'not now' n
check "and it is not" is_installed 2

boot
check "switched off" on wapt-get remove-upgrade-shutdown
check "without a lock" sh_on 'test "$(systemctl is-active wapt-warn)" = inactive'
check "nothing holds the machine up" power_off
check "nor installs anything" is_installed 2
echo "$passed passed"
