#!/bin/sh
# on_postgresql.sh INITDB PROGRAM...: runs each test program with $WA_TEST_PG_URL naming a throw-away PostgreSQL, which
# listens on a Unix socket in a temporary directory only, and is stopped and removed at the end.
set -eu
bin=$(dirname "$1")
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/wapt-pg.XXXXXX")
as=""
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    as="runuser -u postgres --"
    chown postgres "$dir"
fi
cleanup()
{
    $as "$bin/pg_ctl" -s -w -m immediate -D "$dir/data" stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
here=$PWD
cd / # where the other user may be
$as "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
$as "$bin/pg_ctl" -s -w -D "$dir/data" -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off -c full_page_writes=off -c synchronous_commit=off" -l "$dir/log.server" start
WA_TEST_PG_URL="postgresql:///postgres?host=$dir&user=postgres"
export WA_TEST_PG_URL
cd "$here"
for program in "$@"; do
    "$program"
done
