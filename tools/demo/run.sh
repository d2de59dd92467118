#!/bin/bash
# make run: a whole small organisation on this machine - authority, two people, server, an enrolled agent - in namespaces of its own.
#
# Nothing outside the folder demo/ changes: the demonstration's machine is an overlay of this one (mount, network, process and host name
# namespaces), in which the agent really installs things as root. Usage: run.sh BINDIR [--once]
set -euo pipefail
bin=$(cd "$1" && pwd); shift
here=$(cd "$(dirname "$0")/../.." && pwd)
demo=${WAPT_DEMO_DIR:-$here/demo}
[ "$(id -u)" = 0 ] || exec sudo -E "$0" "$bin" "$@"
mkdir -p "$demo"
cd "$demo"
exec unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc --propagation private \
    "$here/tools/demo/machine.sh" "$bin" "$here" "$demo" "$@"
