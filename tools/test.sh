#!/bin/bash
# Every test but the campaigns. Each stage adds to the counts; a stage that cannot run, or does not come to its end, is a failure, never a skip.
# Ends with "N passed, N failed" (and the number skipped, when any was), and with a status that tells the truth.
#   tools/test.sh BUILD-DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
log=$build/test-logs; rm -rf "$log"; mkdir -p "$log"
asan=$build-asan
# Most tests wait more than they work: two for each processor keep it busy.
together=$((2 * $(nproc)))

# --- what a stage says: its counts are of its own process, and told to ours at its end ---

passed=0 failed=0 skipped=0
bad() { failed=$((failed + 1)); echo "FAILED: $1"; }
number() { printf '%s\n' "$2" | grep -oE "(^|[^0-9])[0-9]+ $1" | grep -oE '[0-9]+' | tail -1; }

# One check: its status is the answer.
one() { # NAME WORD...
    local out; out=$(mktemp -p "$log" one.XXXXXX)
    if "${@:2}" >"$out" 2>&1; then passed=$((passed + 1)); echo "ok: $1"; else tail -40 "$out"; bad "$1"; fi
}

# Meson's tests. "Timeout" and "Unexpected Pass" are failures as well.
meson_tests() { # NAME BUILD-DIRECTORY FACTOR [MORE...]
    local out=$log/meson-$1.txt status=0 before=$failed ok
    of() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$out" | tail -1; } # nothing where meson has not come so far
    meson test -C "$2" --num-processes "$together" --no-rebuild --print-errorlogs --timeout-multiplier "$3" "${@:4}" >"$out" 2>&1 || status=$?
    ok=$(of Ok); ok=${ok:-0}
    # A case that leaves itself out is in the program's own words alone.
    skipped=$((skipped + $(of Skipped) + $(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/+ \1/p' "$2/meson-logs/testlog.txt") + 0))
    passed=$((passed + ok)) failed=$((failed + $(of Fail) + $(of 'Unexpected Pass') + $(of Timeout) + 0))
    if [ "$failed" = "$before" ] && { [ "$status" != 0 ] || [ "$ok" = 0 ]; }; then failed=$((failed + 1)); fi
    [ "$failed" = "$before" ] && echo "ok: $ok tests" || { tail -60 "$out"; echo "FAILED, see $out"; }
}

# What pytest says last counts; what a program under test says does not.
pytests() { # NAME WORD... that run pytest
    local out=$log/pytest-$1.txt status=0 before=$failed last p f e s
    "${@:2}" >"$out" 2>&1 || status=$?
    last=$(tail -1 "$out" | grep -E ' in [0-9.]+s') || last=""
    p=$(number passed "$last") f=$(number failed "$last") e=$(number error "$last") s=$(number skipped "$last")
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0}))
    if [ "$failed" = "$before" ] && { [ "$status" != 0 ] || [ "${p:-0}" = 0 ]; }; then failed=$((failed + 1)); fi
    [ "$failed" = "$before" ] && echo "ok: $p tests" || { tail -80 "$out"; echo "FAILED, see $out"; }
}
# Files of tests side by side, each with its own organisation.
side_by_side() { WAPT_TEST_BIN=$PWD/$build/bin /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$together" --dist loadfile "$@"; }

# --- the stages ---

architecture() {
    echo "== architecture"
    one "layers, includes and sizes of files" /usr/bin/python3 tools/arch_check.py
    one "every C file as clang-format writes it" sh -c 'find src tests fuzz bench -name "*.[ch]" | xargs clang-format --dry-run -Werror'
    one "every text is translated" tools/texts.sh check
    one "links in the documents" /usr/bin/python3 tools/docs_check.py
}
units() {
    echo "== units and vectors"
    # A corpus is fed to what the sanitizers watch, and long ways in which memory runs out are gone there: here the same would say less.
    meson_tests plain "$build" 2 --no-suite fuzz --no-suite watched
}
sanitizers() {
    echo "== the same and every fuzz target's corpus, with the address and undefined-behaviour sanitizers"
    # Programs that none of these tests starts are not made.
    tools/asan.sh "$asan" meson-test-prereq >"$log/asan-build.txt" 2>&1 || { tail -30 "$log/asan-build.txt"; bad "the sanitizers' build"; return; }
    ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 meson_tests asan "$asan" 6 --no-suite once
}
helpers() { echo "== setuphelpers and the scripts' side"; pytests python side_by_side tests/python; }
programs() { echo "== whole programs, and the attacks of the security target on them"; pytests proc side_by_side tests/proc; }
pages() { echo "== the console's pages"; pytests web side_by_side tests/web; }
directories() { echo "== real directories: a domain controller, OpenLDAP, a joined machine"; pytests domain tests/domain/run.sh "$build"; }
demonstration() { echo "== the demonstration"; one "make run" tools/demo/run.sh "$build" --once; }

# The programs' accounts are the machine's: with a new /etc/passwd the copies would go that tests have laid over it in namespaces of their own.
for name in wapt wapt-agent; do
    id "$name" >/dev/null 2>&1 || useradd --system --no-create-home "$name"
done

# --- lanes side by side: where one waits, or has come to its last file, another works ---

lane() { # STAGE...
    local stage
    for stage; do
        (
            "$stage" >"$log/$stage.said" 2>&1
            echo "$passed $failed $skipped" >"$log/$stage.counts"
        )
        flock "$log" sh -c 'echo; cat "$1"' sh "$log/$stage.said" # whole, not line by line among another's
    done
}
stages=()
set -m # each lane is a process group, which can be stopped
start() { stages+=("$@"); lane "$@" </dev/null & }
trap 'for pid in $(jobs -p); do kill -INT -- "-$pid"; done; wait; exit 130' INT TERM
start architecture units sanitizers
start programs helpers pages
start directories demonstration
wait

for stage in "${stages[@]}"; do
    if read -r p f s <"$log/$stage.counts" 2>/dev/null && [ -n "${s:-}" ]; then
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    else bad "$stage did not come to its end"; fi
done
echo
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
