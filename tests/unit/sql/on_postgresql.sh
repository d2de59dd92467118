#!/bin/sh
# on_postgresql.sh INITDB PROGRAM...: runs each test program with $WA_TEST_PG_URL naming a throw-away PostgreSQL, which
# listens on a Unix socket in a temporary directory only, and is stopped and removed at the end; it stops too when this script is killed.
set -eu
bin=$(dirname "$(readlink -f "$1")") # where the rest of it is
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/wapt-pg.XXXXXX")
as="" own="" server=""
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    as="runuser -u postgres --" own="--reuid postgres --regid postgres --init-groups"
    chown postgres "$dir"
fi
cleanup()
{
    [ -z "$server" ] || { kill -QUIT "$server" && wait "$server"; } || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
here=$PWD
cd / # where the other user may be
$as "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
# shellcheck disable=SC2086
setpriv $own --pdeathsig QUIT "$bin/postgres" -D "$dir/data" -c listen_addresses= -c unix_socket_directories="$dir" \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off >"$dir/log.server" 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do
    kill -0 "$server" || { cat "$dir/log.server"; exit 1; }
    sleep 0.1
done
WA_TEST_PG_URL="postgresql:///postgres?host=$dir&user=postgres"
export WA_TEST_PG_URL
cd "$here"
for program in "$@"; do
    "$program"
done
