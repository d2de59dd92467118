#!/bin/bash
# The Windows programs under wine: unit tests of layers 0 to 3, the vectors, and tests/windows.sh with whole programs.
#   tests/wine-run.sh BUILD-DIRECTORY
# A test that can't be started, a 32-bit program (wine here has nothing to run it, and says nothing), a test that ends without the line that
# counts what it ran: each is a failure. Ends with "N passed, N failed", and how many cases skipped themselves: wine can't make links.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
passed=0 failed=0 skipped=0
export WINEARCH=win64 WINEDEBUG=-all DISPLAY='' WINEDLLOVERRIDES='mscoree=;mshtml='
unset XDG_RUNTIME_DIR WAYLAND_DISPLAY
for tool in wine wineserver file timeout; do
    command -v $tool >/dev/null || { echo "wine-run: $tool is missing: tools/deps.sh installs it"; echo "0 passed, 1 failed"; exit 1; }
done
# A prefix takes half a minute to make, and a second to copy.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/wapt-wine
template=$cache/$(wine --version | tr -c 'A-Za-z0-9.\n' _)
work=$(mktemp -d)
export WINEPREFIX=$work/prefix
finish() { timeout 60 wineserver -k; timeout 60 wineserver -w; rm -rf "$work"; }
trap finish EXIT
if [ ! -e "$template/done" ]; then
    mkdir -p "$cache" && rm -rf "$template"
    timeout 300 wineboot -i </dev/null >/dev/null 2>&1 && timeout 60 wineserver -w
    cp -r "$WINEPREFIX" "$template" && touch "$template/done"
    rm -rf "$WINEPREFIX"
fi
cp -r "$template" "$WINEPREFIX"
# What the first call starts keeps its output open for ever: let that be nobody's.
wineserver -p && timeout 120 wine wineboot </dev/null >/dev/null 2>&1

# Program, arguments: its output, through a pipe (a file confuses wine), and its status.
run() {
    file -b "$1" | grep -q '^PE32+ executable.*x86-64' || { echo "not a 64-bit program of Windows: $1"; return 1; }
    timeout "${limit:-300}" wine "$@" </dev/null 2>&1 | cat
    return "${PIPESTATUS[0]}"
}
judge() { # NAME STATUS LINE-THAT-MUST-BE-THERE FILE
    if [ "$2" = 0 ] && grep -aqE "$3" "$4"; then passed=$((passed + 1)); echo "ok: $1"
    else failed=$((failed + 1)); tail -30 "$4"; echo "FAILED: $1 (status $2)"; fi
}
export -f run

for exe in "$build"/tests/unit/*/test_*.exe; do
    run "$exe" >"$work/out"; status=$?
    judge "$(basename "$exe" .exe)" $status '\[  PASSED  \] [1-9][0-9]* test' "$work/out"
    n=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$work/out"); skipped=$((skipped + ${n:-0}))
done
[ $passed -ge 30 ] || { failed=$((failed + 1)); echo "FAILED: fewer programs of tests than there are"; }
for folder in tests/vectors tests/vectors/made; do
    limit=900 run "$build/tests/vectors_check/wapt-vectors.exe" $folder >"$work/out"; status=$?
    grep -a 'cases' "$work/out" | tail -1
    judge "$folder" $status '^[1-9][0-9]* files, [1-9][0-9]* cases, .* 0 failed' "$work/out"
done
tests/windows.sh "$build" "$work" >"$work/out" 2>&1; status=$?
judge "whole programs" $status '^all of it$' "$work/out"
[ $skipped -le 2 ] || { failed=$((failed + 1)); echo "FAILED: more cases skipped than the two of links"; }
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
