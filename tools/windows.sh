#!/bin/bash
# Builds the programs for Windows, once their libraries are there: tools/windows.sh BUILD-DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$(tools/mingw-deps.sh)
# Other libraries: all is built anew.
[ "$(cat "$1/wapt-deps" 2>/dev/null)" = "$deps" ] || rm -rf "$1"
[ -f "$1/build.ninja" ] || { meson setup "$1" --cross-file tools/mingw-x86_64.ini --cross-file "$deps/paths.ini" -Dwerror=true >/dev/null; echo "$deps" >"$1/wapt-deps"; }
ninja -C "$1"
