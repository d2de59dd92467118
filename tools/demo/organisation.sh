#!/bin/bash
# The organisation itself, on the demonstration's machine. Ends 0 only if the machine really reached the wanted state.
set -euo pipefail
build=$1 here=$2 demo=$3; shift 3
once=no; [ "${1:-}" = --once ] && once=yes
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
org=/srv/organisation; rm -rf $org; mkdir -p $org; cd $org; umask 022
step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
pids=()
stop() { trap - EXIT; for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait 2>/dev/null || true; }
trap stop EXIT
trap 'exit 130' INT TERM
await() { local end=$((SECONDS + 90)); while [ $SECONDS -lt $end ]; do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "demo: '$*' did not come true" >&2; return 1; }
fp() { openssl x509 -in "$1" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-Z a-z; }

# A port of the machine's that nobody else is given before the server listens there: held until this ends, by one who does not listen.
coproc holder { exec /usr/bin/python3 -c 'import signal, socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); signal.pause()'; }
pids+=("$!")
read -r port <&"${holder[0]}"
url=https://127.0.0.1:$port

step "programs"
meson install -C "$build" --no-rebuild --quiet
wapt-get --version

step "people and their keys (they stay on the administrators' side)"
(umask 077; for f in authority developer deployer claire bruno admin; do openssl rand -hex 12 > $f.pw; done)
wapt-get create-keycert --base-dir keys --common-name Authority --ca --private-key-passwd authority.pw
wapt-get create-keycert --base-dir keys --common-name Developer --code-signing --private-key-passwd developer.pw \
    --ca-cert keys/Authority.crt --ca-key keys/Authority.pem --ca-key-passwd-file authority.pw
wapt-get create-keycert --base-dir keys --common-name Deployer --private-key-passwd deployer.pw \
    --ca-cert keys/Authority.crt --ca-key keys/Authority.pem --ca-key-passwd-file authority.pw
for name in Claire Bruno; do wapt-get create-keycert --base-dir keys --common-name $name --private-key-passwd ${name,,}.pw; done

step "server"
useradd --system --no-create-home wapt 2>/dev/null || true
waptserver setup --dir $org/server --name localhost,127.0.0.1 --bind 127.0.0.1 --port "$port" --admin-password-file admin.pw
cp keys/Authority.crt server/trusted/
waptserver run --config $org/server/waptserver.ini > server.log 2>&1 & pids+=($!)
await curl -skf "$url/ping"
serverfp=$(fp server/private/tls.crt)

step "root of the repository: who may sign what and order what; Claire and Bruno must both sign it"
mkdir root
wapt-repo root init root --administrator keys/Claire.crt --administrator keys/Bruno.crt --threshold 2 --timestamp-key server/private/timestamp.pub
wapt-repo root add-signer root keys/Developer.crt --sections base --prefixes '*' --code --publish
wapt-repo root add-signer root keys/Deployer.crt --sections group,host --prefixes '*' --actions '*' --groups '*' --units '*'
wapt-repo root sign root -k keys/Claire.crt -w claire.pw --yes
wapt-repo root sign root -k keys/Bruno.crt -w bruno.pw --yes
wapt-repo root show root

step "agent: gets the authority and that root from its administrator, and believes nothing else"
useradd --system --no-create-home wapt-agent 2>/dev/null || true
id alice >/dev/null 2>&1 || useradd --create-home --shell /bin/bash alice
mkdir -p /opt/wapt/ssl && cp keys/Authority.crt /opt/wapt/ssl/
cp root/root.json /opt/wapt/
printf '[global]\nwapt_server = %s\n' "$url" > /opt/wapt/wapt-get.ini
waptservice run > agent.log 2>&1 & pids+=($!)
await test -S /opt/wapt/run/waptservice.sock
(umask 077; waptserver enrol-token --config $org/server/waptserver.ini --uses 1 --valid 1h > token)
wapt-get register --token-file token; rm token

step "packages: built, signed by the Developer, published"
cp -r "$here/examples" examples
(cd examples/demo-deb && ./build.sh)
mkdir -p out
for e in demo-deb demo-config demo-session demo-portable; do
    wapt-get build-package examples/$e -k keys/Developer.crt -w developer.pw -o out
done
wapt-get build-package examples/demo-group -k keys/Deployer.crt -w deployer.pw -o out
console="--server $url --server-fingerprint $serverfp --password-file admin.pw"
waptconsole upload $console out/*.wapt
waptconsole publish $console --root root/root.json --send-root root/root.json -k keys/Developer.crt -w developer.pw --yes
wapt-get verify --trusted keys out/*.wapt

step "assignment: the group to this machine, by a signed host package"
uuid=$(wapt-get status --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["result"]["uuid"])')
await sh -c "waptconsole hosts $console --json | grep -q '\"reachable\": *true'"
waptconsole host-package "$uuid" --depends demo-group -k keys/Deployer.crt -w deployer.pw -o out --upload $console
waptconsole hosts $console

step "push: the Deployer orders an upgrade, the machine carries it out"
waptconsole action upgrade --hosts "$uuid" $console -k keys/Deployer.crt -w deployer.pw
step "what is installed now"
wapt-get list
setpriv --reuid alice --regid alice --init-groups env HOME=/home/alice wapt-get session-setup ALL
wapt-get audit

step "is it true?"
ok=yes
check() { if "$@" >/dev/null 2>&1; then echo "yes: $*"; else echo "NO:  $*"; ok=no; fi; }
check dpkg-query -W wapt-demo-hello
check test -x /usr/bin/wapt-demo-hello
check test -f /etc/wapt-demo.conf
check test -L /usr/local/bin/wapt-demo-tool
check test -f /home/alice/.config/wapt-demo/settings.ini
echo "# altered" >> /etc/wapt-demo.conf
check sh -c '! wapt-get audit demo-config'
check wapt-get install --force demo-config
check wapt-get audit demo-config
[ $ok = yes ] || { echo; echo "demo: the machine did not reach the wanted state; logs: $org/server.log and $org/agent.log" >&2; tail -20 agent.log server.log >&2; exit 1; }
echo; echo "The machine reached the wanted state."

# The console belongs to whoever sits at the browser: the kernel says so of each connection.
person=${SUDO_USER:-root}
home=$(getent passwd "$person" | cut -d: -f6)
install -d -m 700 -o "$person" $org/administrator
cp keys/Authority.crt keys/Deployer.crt keys/Deployer.pem $org/administrator/
printf '[global]\nwapt_server = %s\nserver_fingerprint = %s\nusername = admin\npersonal_certificate_path = %s\n' \
    "$url" "$serverfp" $org/administrator/Deployer.crt > $org/administrator/waptconsole.ini
chown -R "$person" $org/administrator
as_person() { setpriv --reuid "$person" --regid "$(id -g "$person")" --init-groups env HOME="$home" "$@"; }
open_console() { as_person waptconsole open --no-browser --config $org/administrator/waptconsole.ini "$@"; }

step "console: the pages of the administrator's own workstation"
answers() { # a browser's way: the link's ticket for a token, then a login, then the machines
    local link origin token
    link=$(cat $org/administrator/link) origin=${link%%/\#*}
    ask() { as_person curl -sSf "$@"; }
    ask "$origin/" | grep -q '<script' || return 1
    token=$(ask "$origin/local/session" -H 'Content-Type: application/json' -d "{\"ticket\":\"${link##*=}\"}" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
    ask "$origin/local/login" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "{\"user\":\"admin\",\"password\":\"$(cat admin.pw)\"}" >/dev/null
    ask "$origin/api/v1/hosts" -H "Authorization: Bearer $token" | grep -q "$uuid"
}
if [ $once = yes ]; then
    open_console --link-file $org/administrator/link > console.log 2>&1 & pids+=($!)
    await test -s $org/administrator/link
    answers || { echo "demo: the console does not show the machine" >&2; cat console.log >&2; exit 1; }
    echo "The console shows the machine."
    exit 0
fi
trap 'echo; echo "The demonstration has ended."; exit 0' INT TERM
cat <<T
Open the link below in this machine's browser (it works once, within a minute; log in as admin).
  password of admin: $(cat admin.pw)
  password of the Deployer's key, for what is signed: $(cat deployer.pw)
Signing for many machines, and what is for good, is confirmed here, in this terminal. Ctrl-C ends the demonstration.

Or from another terminal:
  $demo/enter     # a root shell on the demonstration's machine; then there:
  wapt-get search; wapt-get remove demo-portable; wapt-get tasks
  cd $org; waptconsole action remove demo-portable --hosts $uuid $console -k keys/Deployer.crt -w deployer.pw

T
# It ends when nobody has used it for a while, or when its link was missed: the next key gives another one.
while true; do
    open_console --idle 2h || true
    read -r -p "The console has ended. Enter opens it again, Ctrl-C ends the demonstration. " _ || break
done
wait
