#!/bin/bash
# make run: a whole small organisation on this machine - authority, two people, server, an enrolled agent - in namespaces of its own.
#
# Nothing outside the folder demo/ changes: the demonstration's machine is an overlay of this one (mount, process and host name
# namespaces), in which the programs are installed as on any machine and the agent really installs things as root. The network is this
# machine's, so that its browser reaches the console: the server listens on 127.0.0.1 alone, the agent nowhere.
# Usage: run.sh BUILD-DIRECTORY [--once]
set -euo pipefail
build=$(cd "$1" && pwd); shift
here=$(cd "$(dirname "$0")/../.." && pwd)
demo=${WAPT_DEMO_DIR:-$here/demo}
[ "$(id -u)" = 0 ] || exec sudo -E "$0" "$build" "$@"
mkdir -p "$demo"
cd "$demo"
exec unshare --mount --pid --uts --ipc --fork --kill-child --propagation private \
    "$here/tools/demo/machine.sh" "$build" "$here" "$demo" "$here/tools/demo/organisation.sh" "$@"
