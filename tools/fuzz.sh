#!/bin/bash
# Fuzzes every target for FUZZ_SECONDS (else 60) with libFuzzer and the sanitizers, on top of its corpus; FUZZ_TARGETS
# names some of them only. Ends by itself, with a table. What grows the corpus stays in build-fuzz/grown/<target>/, what
# fails in build-fuzz/finds/<target>-*: put that, once the bug is fixed, into fuzz/corpus/<target>/.
# Exit status: 0 only when each target ran to the end without a finding.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
log=build-fuzz/fuzz.log table=build-fuzz/fuzz.table
test -f build-fuzz/build.ninja || meson setup build-fuzz --native-file fuzz/clang.ini >/dev/null
ninja -C build-fuzz fuzz-targets
mkdir -p build-fuzz/finds build-fuzz/tmp
export TMPDIR=$PWD/build-fuzz/tmp # what a target writes is there, as with the units
: >"$table"
passed=0 failed=0

# The last value of a final statistic of libFuzzer, 0 when it did not come to that.
stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -1 | grep . || echo 0; }

for source in fuzz/*.c; do
    name=$(basename "$source" .c)
    [ "$name" = replay ] && continue
    case " ${FUZZ_TARGETS:-$name} " in *" $name "*) ;; *) continue ;; esac
    grown=build-fuzz/grown/$name
    mkdir -p "$grown"
    echo "== $name, $seconds s"
    status=0
    # The outer limit is for a target that no longer listens to the inner ones.
    timeout -k 10 $((seconds + 300)) "build-fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=30 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build-fuzz/finds/$name-" \
        "$grown" "fuzz/corpus/$name" >"$log" 2>&1 || status=$?
    found=$(find build-fuzz/finds -name "$name-*" -newer "$table" | wc -l)
    if [ $status = 0 ] && [ "$found" = 0 ]; then
        passed=$((passed + 1)) verdict=ok
    else
        failed=$((failed + 1)) verdict="FAILED ($status)"
        tail -40 "$log"
    fi
    printf '%-22s %12s %10s %9s  %s\n' "$name" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
        "$found" "$verdict" >>"$table"
done
printf '\n%-22s %12s %10s %9s  %s\n' target executions "a second" findings verdict
cat "$table"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
