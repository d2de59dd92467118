#!/bin/sh
# Installs the Debian packages that building and testing need, those only that are missing.
#   tools/deps.sh [windows|deb]   what make test-windows, or make deb and tests/deb.sh, need more
set -eu
packages="build-essential clang lld clang-format libclang-rt-14-dev meson ninja-build pkg-config curl openssl procps iproute2 util-linux
libuv1-dev libssl-dev libcurl4-openssl-dev node-llhttp libwslay-dev libjansson-dev zlib1g-dev libdeflate-dev libexpat1-dev libsqlite3-dev libpq-dev
libseccomp-dev libp11-dev softhsm2 libassuan-dev libgpg-error-dev pinentry-tty pinentry-curses libpam0g-dev libpam-modules libargon2-dev libcrypt-dev libkrb5-dev libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-cryptography python3-websockets python3-jsonschema python3-passlib scdoc gettext
haproxy postgresql slapd ldap-utils samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba sssd-ad adcli libnss-sss libpam-sss krb5-user krb5-kdc krb5-admin-server python3-gssapi faketime
zsh fish dpkg-dev rpm msitools wixl python3-pefile gcc-mingw-w64-x86-64 gcovr file locales nginx-light tinyproxy-bin chromium"
# Debian's Node.js, unless there is another one already.
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"
[ "${1:-}" != windows ] || packages="$packages mingw-w64-x86-64-dev cmake tcl perl wine wine64"
[ "${1:-}" != deb ] || packages="$packages debhelper debootstrap systemd-container"
missing=""
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "install these packages first, as root: apt-get install$missing" >&2; exit 1; }
    sudo=sudo
else
    sudo=""
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update
# shellcheck disable=SC2086
$sudo apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends $missing >/dev/null
