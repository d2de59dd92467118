#!/bin/sh
# Builds the Debian package that demo-deb installs, from the folder `tree`, beside setup.py.
# Run it before `wapt-get build-package`. The same sources give the same bytes.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/tree" "$work/tree"
# dpkg-deb takes permissions as they are, and those of a checkout depend on who made it.
chmod -R u=rwX,go=rX "$work/tree"
chmod 755 "$work/tree/usr/bin/wapt-demo-hello"
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH
find "$work/tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$work/tree" "$here/wapt-demo-hello_1.0_all.deb"
