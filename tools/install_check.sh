#!/bin/bash
# Installs into a directory of its own and looks at what came: every program runs, has its page, and its unit names it.
#   tools/install_check.sh BUILD-DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
dest=$(mktemp -d); trap 'rm -rf "$dest"' EXIT
make --no-print-directory install BUILD="$build" DESTDIR="$dest" >/dev/null
prefix=$dest$(meson introspect "$build" --buildoptions | /usr/bin/python3 -c 'import json,sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
for program in bin/wapt-get:1 bin/wapt-repo:1 bin/wapt-scanpackages:1 bin/wapt-signpackages:1 bin/waptconsole:1 bin/waptselfservice:1 bin/waptservice:8 sbin/waptserver:8; do
    path=${program%:*} section=${program#*:} name=$(basename "${program%:*}")
    "$prefix/$path" --version | grep -q "^$name [0-9]" || { echo "$path: does not say its version" >&2; exit 1; }
    test -s "$prefix/share/man/man$section/$name.$section" || { echo "$name: has no page" >&2; exit 1; }
done
test -x "$prefix/bin/wapt-fetch"
test -x "$prefix/bin/wapt-kerberos"
for unit in waptserver waptservice wapt-launcher@ wapt-register; do
    file=$prefix/lib/systemd/system/$unit.service
    start=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$file")
    test -x "$dest$start" || { echo "$file: starts '$start', which is not there" >&2; exit 1; }
done
runner=$(find "$prefix" -name wapt_runner.py)
/usr/bin/python3 -I -c "import sys; sys.path.insert(0, '$(dirname "$runner")'); import setuphelpers"
echo "installed: $(find "$dest" -type f | wc -l) files, $(du -sk "$dest" | cut -f1) KiB"
