#!/bin/bash
# make deb: Debian packages into build-deb/, from a copy of the sources. The same sources give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
[ "$(dpkg-parsechangelog -l packaging/debian/changelog -S Version | sed "s/-[^-]*$//")" = "$version" ] ||
    { echo "packaging/debian/changelog does not begin with version $version of meson.build" >&2; exit 1; }
out=$PWD/build-deb
rm -rf "$out"
mkdir -p "$out/source"
tar --create --exclude=./.git --exclude='./build*' --exclude=./demo . | tar --extract --directory "$out/source"
mv "$out/source/packaging/debian" "$out/source/debian"
cd "$out/source"
export CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}" # where there is one: debhelper gives the build another HOME
if ! dpkg-buildpackage --build=binary --no-sign >"$out/log" 2>&1; then tail -40 "$out/log" >&2; exit 1; fi
ls -1 "$out"/*.deb
