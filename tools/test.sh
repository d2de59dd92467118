#!/bin/bash
# Every test but the campaigns. Each stage adds to the counts; a stage that cannot run is a failure, never a skip.
# Ends with "N passed, N failed" (and the number skipped, when any was), and with a status that tells the truth.
#   tools/test.sh BUILD-DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
log=$build/test-logs; mkdir -p "$log"
passed=0 failed=0 skipped=0
stage() { printf '\n== %s\n' "$1"; }
number() { sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p;s/^\([0-9][0-9]*\) $1.*/\1/p" "$2" | tail -1; }

# One check: its status is the answer.
one() {
    if "${@:2}" >"$log/one.txt" 2>&1; then passed=$((passed + 1)); echo "ok: $1"
    else failed=$((failed + 1)); tail -40 "$log/one.txt"; echo "FAILED: $1"; fi
}

# Most tests wait more than they work: two for each processor keep it busy.
together=$((2 * $(nproc)))

# Meson's tests. "Timeout" and "Unexpected Pass" are failures as well.
meson_tests() { # NAME BUILD-DIRECTORY FACTOR [MORE...]
    local out=$log/meson-$1.txt before=$failed status=0
    meson test -C "$2" --num-processes "$together" --no-rebuild --print-errorlogs --timeout-multiplier "$3" "${@:4}" 2>&1 | tee "$out" | grep -E 'FAIL|TIMEOUT|ERROR' ; status=${PIPESTATUS[0]}
    local ok fail unexpected timeout skip
    ok=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$out") fail=$(sed -n 's/^Fail: *\([0-9]*\).*/\1/p' "$out")
    unexpected=$(sed -n 's/^Unexpected Pass: *\([0-9]*\).*/\1/p' "$out") timeout=$(sed -n 's/^Timeout: *\([0-9]*\).*/\1/p' "$out")
    skip=$(sed -n 's/^Skipped: *\([0-9]*\).*/\1/p' "$out")
    passed=$((passed + ${ok:-0})) failed=$((failed + ${fail:-0} + ${unexpected:-0} + ${timeout:-0})) skipped=$((skipped + ${skip:-0}))
    if [ "$status" != 0 ] && [ $failed = $before ] || [ "${ok:-0}" = 0 ]; then failed=$((failed + 1)); fi
    [ $failed = $before ] && echo "ok: ${ok:-0} tests" || { echo "FAILED, see $out"; tail -60 "$out"; }
}

# Files of tests side by side, each with its own organisation.
side_by_side() { WAPT_TEST_BIN=$PWD/$build/bin /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$together" --dist loadfile "$1"; }
# A name, and what runs pytest.
pytests() {
    local out=$log/pytest-$1.txt before=$failed status=0 p f e s
    "${@:2}" >"$out" 2>&1 || status=$?
    p=$(number passed "$out") f=$(number failed "$out") e=$(number error "$out") s=$(number skipped "$out")
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0}))
    if [ "$status" != 0 ] && [ $failed = $before ]; then failed=$((failed + 1)); fi
    [ $failed = $before ] && echo "ok: ${p:-0} tests" || { tail -80 "$out"; echo "FAILED, see $out"; }
}

stage "architecture"
one "layers, includes and sizes of files" /usr/bin/python3 tools/arch_check.py
one "every C file as clang-format writes it" sh -c 'find src tests fuzz bench -name "*.[ch]" | xargs clang-format --dry-run -Werror'
one "every text is translated" tools/texts.sh check
one "links in the documents" /usr/bin/python3 tools/docs_check.py
stage "units and vectors"
# A corpus is fed to what the sanitizers watch, below: here the same bytes would say less.
meson_tests plain "$build" 1 --no-suite fuzz
for d in tests/vectors tests/vectors/made; do "$build/tests/vectors_check/wapt-vectors" $d | grep -v '^  differs'; done
stage "the same and every fuzz target's corpus, with the address and undefined-behaviour sanitizers"
asan=$build-asan
# Programs that none of these tests starts are not made.
tools/asan.sh "$asan" meson-test-prereq >"$log/asan-build.txt" 2>&1 || { tail -30 "$log/asan-build.txt"; failed=$((failed + 1)); echo "FAILED: the sanitizers' build"; }
ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 meson_tests asan "$asan" 4 --no-suite once
stage "setuphelpers and the scripts' side"
pytests python side_by_side tests/python
stage "whole programs, and the attacks of the security target on them"
pytests proc side_by_side tests/proc
stage "the console's pages"
pytests web side_by_side tests/web
stage "real directories: a domain controller, OpenLDAP, a joined machine"
pytests domain tests/domain/run.sh "$build"
stage "the demonstration"
one "make run" tools/demo/run.sh "$build" --once

echo
[ $skipped = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
