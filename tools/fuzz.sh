#!/bin/bash
# Fuzzes every target for FUZZ_SECONDS (else 60) with libFuzzer and the sanitizers, on top of its corpus. Finds stay in build-fuzz/finds/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
test -f build-fuzz/build.ninja || meson setup build-fuzz --native-file fuzz/clang.ini >/dev/null
ninja -C build-fuzz fuzz-targets
passed=0 failed=0
for target in build-fuzz/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=${target##*/fuzz_}
    finds=build-fuzz/finds/$name
    mkdir -p "$finds"
    echo "== $name, $seconds s"
    if "$target" -max_total_time="$seconds" -artifact_prefix="$finds/" "$finds" "fuzz/corpus/$name" 2>"$finds.log"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); tail -30 "$finds.log"; echo "FAILED: $name"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
