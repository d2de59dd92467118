#!/bin/sh
# People and machines of real directories: a Samba domain controller, OpenLDAP, SSSD, in namespaces of their own.
# Everything that was started here ends with this command, and nothing of it is left on the machine.
#   tests/domain/run.sh BUILD-DIRECTORY [pytest's arguments]
set -eu
[ "$(id -u)" = 0 ] || { echo "these tests need root" >&2; exit 1; }
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
WAPT_TEST_BIN=$build/bin WAPT_TEST_DOMAIN=yes exec unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc --propagation private \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@"
