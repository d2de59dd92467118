#!/bin/bash
# On the demonstration's machine: installs what is built, then runs each command of docs/tutorial.md as it stands.
set -euo pipefail
build=$1 here=$2
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
meson install -C "$build" --no-rebuild --quiet
mkdir -p /srv/tutorial && cd /srv/tutorial
awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$here/docs/tutorial.md" > commands
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
set -x
# shellcheck disable=SC1091
. ./commands
set +x
[ "$(cat /etc/hello)" = hello ]
[ "$(wapt-get list --json | /usr/bin/python3 -c 'import json, sys; print([p["package"] for p in json.load(sys.stdin)["result"] if p["package"] == "test-hello"])')" = "['test-hello']" ]
echo "the tutorial is true"
