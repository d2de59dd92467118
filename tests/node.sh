#!/bin/bash
# The console's pages, built by the Node.js and the npm of Debian 12 itself, whatever this machine has: byte for byte what BUILD has. As root; the packages
# (some 60 MB) come by apt into a folder of their own, where nothing of them is configured or started.
#   tests/node.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "${1:-build}" && pwd) version=18 tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
fail() { echo "FAILED: $*" >&2; exit 1; }
[ -s "$build/web/app.js" ] || fail "there are no pages in $build"

exact=$(apt-cache madison nodejs | awk -F' *[|] *' -v v="$version." 'index($2, v) == 1 { print $2; exit }')
[ -n "$exact" ] || fail "apt knows no nodejs $version"
root=$tmp/root; mkdir -p "$tmp/archives/partial" "$root/usr/bin"; : >"$tmp/status"
# As for a machine that has nothing yet, so that everything it needs comes along.
apt-get -qy -o APT::Sandbox::User=root -o Dir::State::status="$tmp/status" -o Dir::Cache::archives="$tmp/archives" -o Debug::NoLocking=1 \
    --no-install-recommends --download-only install "nodejs=$exact" npm dash coreutils diffutils >"$tmp/log" 2>&1 || { tail -5 "$tmp/log" >&2; fail "apt"; }
for d in bin sbin lib lib64; do mkdir -p "$root/usr/$d"; ln -s "usr/$d" "$root/$d"; done
for deb in "$tmp"/archives/*.deb; do dpkg-deb -x "$deb" "$root"; done
ln -sf dash "$root/usr/bin/sh"
mkdir -p "$root"/{dev,proc,tmp,work,root,etc/ssl/certs}
cp /etc/resolv.conf /etc/hosts /etc/passwd /etc/group "$root/etc"; cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
cp -r web "$root/work"
unshare -m sh -c 'mount --rbind /proc "$0/proc"; mount --rbind /dev "$0/dev"; HOME=/root exec chroot "$0" /bin/sh -euc "
    cd /work; echo \"node \$(node --version), npm \$(npm --version)\"
    sh web/build.sh web build/work build/web build/dep"' "$root"
for f in app.js app.css; do cmp "$root/work/build/web/$f" "$build/web/$f" || fail "$f is not the same"; done
echo "the same pages"
