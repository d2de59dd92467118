#!/bin/bash
# How much of src/pkg, src/codec and src/crypto the unit tests, the vectors, the fuzz targets' corpora and the attacks on packages reach: lines of each folder, and the
# branches of verification (src/pkg/verify*.c, src/crypto/trust*.c) with the lines that miss one. A page for each file is in
# build-cov/coverage/. Exit status: 0 only when each folder has 95 % of its lines and verification all of its lines.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build-cov least=95
# At -O0 the compiler warns of what it does not understand, so warnings are no errors here.
test -f $build/build.ninja || meson setup $build -Db_coverage=true -Dbuildtype=debug -Dwerror=false >/dev/null
find $build -name '*.gcda' -delete
ninja -C $build -t cleandead >/dev/null # of sources that are gone nothing may be left
find $build -name '*.gcno' | while read -r notes; do test -f "${notes%.gcno}.o" || rm -f "$notes"; done
meson test -C $build --quiet --print-errorlogs --timeout-multiplier 4 --suite codec --suite crypto --suite pkg --suite vectors --suite fuzz
ninja -C $build src/cmd/wapt-get src/cmd/wapt-scanpackages >/dev/null
mkdir -p $build/bin
cp $build/src/cmd/wapt-get $build/src/cmd/wapt-scanpackages $build/bin/
WAPT_TEST_BIN=$PWD/$build/bin /usr/bin/python3 -m pytest -q -p no:cacheprovider -W ignore tests/proc/test_f2a_*.py tests/proc/test_f2b_index.py
mkdir -p $build/coverage
failed=0
# Only the libraries' own objects: programs that these tests don't need are not built anew.
report() { gcovr --root . --object-directory $build "$@" $build/src/pkg $build/src/codec $build/src/crypto; }

for folder in pkg codec crypto; do
    report --filter "src/$folder/" --html-details $build/coverage/$folder.html --txt $build/coverage/$folder.txt
    grep -E '^src/' $build/coverage/$folder.txt | awk '$4 + 0 < 100'
    line=$(grep '^TOTAL' $build/coverage/$folder.txt)
    echo "src/$folder: $(awk '{printf "%d of %d lines, %.1f %%", $3, $2, 100 * $3 / $2}' <<<"$line")"
    awk -v least=$least '{exit 100 * $3 / $2 < least}' <<<"$line" || { echo "FAILED: below $least %"; failed=1; }
done

echo "branches of verification, and the lines where one is not taken:"
verification=(--filter 'src/pkg/verify.*\.c' --filter 'src/crypto/trust.*\.c')
report "${verification[@]}" --branches | grep -E '^(src/|TOTAL)'
report "${verification[@]}" | grep -E '^TOTAL' | awk '{exit $2 != $3}' || { echo "FAILED: verification has lines that no test reaches"; failed=1; }
exit $failed
