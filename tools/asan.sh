#!/bin/sh
# The build with the address and undefined-behaviour sanitizers: tools/asan.sh BUILD-DIRECTORY TARGET...
# Compiled to be tested: half the time of -O2 -g, and warnings are the other builds' affair.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
[ -f "$build/build.ninja" ] ||
    CC_LD=lld meson setup "$build" -Db_sanitize=address,undefined -Doptimization=1 -Ddebug=true -Dwerror=false -Dc_args="-g1 -w"
ninja -C "$build" "$@"
