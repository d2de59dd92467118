#!/bin/bash
# Libraries of the Windows programs: Debian's source packages, built for x86_64 with mingw-w64, static. Prints the folder that holds them.
#   tools/mingw-deps.sh [--where]     --where: only say which folder it would be
#
# What is built is pinned by the SHA-256 of its .dsc in mingw-sources.txt, and the .dsc pins the rest. Releases take old versions away: each
# library has its lines in order of preference, and the first that can be had is built. Nothing outside that list ever is.
# The folder lies in the user's cache and is named after this script, the list and the compiler: it is made once, whole or not at all.
# The system's apt is left as it is: indexes and downloads have an own configuration.
set -euo pipefail
cd "$(dirname "$0")"
unset CC CXX AR RANLIB CFLAGS CPPFLAGS CXXFLAGS LDFLAGS # what the caller builds for itself
host=x86_64-w64-mingw32
cc=$host-gcc
command -v $cc >/dev/null || { echo "mingw-deps: $cc is missing: tools/deps.sh installs it" >&2; exit 1; }
stamp=$( { cat mingw-deps.sh mingw-sources.txt mingw-toolchain.cmake; $cc --version; } | sha256sum | cut -c1-16)
cache=${WAPT_MINGW_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wapt-mingw}
prefix=$cache/$stamp
[ "${1:-}" != --where ] || { echo "$prefix"; exit 0; }
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # two builds at once would do the same work twice
[ ! -e "$prefix/done" ] || { echo "$prefix"; exit 0; }

rm -rf "$prefix"
mkdir -p "$prefix"/{bin,include,lib/pkgconfig}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
toolchain=$PWD/mingw-toolchain.cmake
list=$PWD/mingw-sources.txt
started=$SECONDS
say() { echo "mingw-deps: $*" >&2; }

private_apt() {
    mkdir -p "$work"/apt/{lists,cache/archives}/partial
    local key="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" suite
    for suite in bookworm bookworm-updates trixie; do
        echo "deb-src $key http://deb.debian.org/debian $suite main"
    done >"$work/apt/sources.list"
    for suite in bookworm-security trixie-security; do
        echo "deb-src $key http://deb.debian.org/debian-security $suite main"
    done >>"$work/apt/sources.list"
    cat >"$work/apt/apt.conf" <<END
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "3";
END
    export APT_CONFIG=$work/apt/apt.conf
    apt-get -q=2 update >&2
}

# fetch NAME: the sources of the first version of the list that can be had, unpacked in $work/NAME.
fetch() {
    local name version digest dsc down=$work/down/$1
    mkdir -p "$down"
    while read -r name version digest; do
        [ "$name" = "$1" ] || continue
        dsc="$down/${name}_${version#*:}.dsc"
        (cd "$down" && apt-get -q=2 source --only-source --download-only "$name=$version" </dev/null >log 2>&1) || { say "$name $version cannot be had"; continue; }
        echo "$digest  $dsc" | sha256sum --check --status || { say "$dsc has not the digest that mingw-sources.txt names"; exit 1; }
        # dpkg-source checks each file against the .dsc.
        dpkg-source --no-check -x "$dsc" "$work/$name" >"$down/log" 2>&1 || { cat "$down/log" >&2; exit 1; }
        say "$name $version"
        return 0
    done <"$list"
    say "no version of $1 in mingw-sources.txt can be had any more: look for a newer one, read its changes, add its line"
    cat "$down/log" >&2
    exit 1
}

# The log of a step is shown when it fails.
quiet() {
    "$@" >"$work/log" 2>&1 || { tail -60 "$work/log" >&2; say "failed: $*"; exit 1; }
}
by_cmake() { # FOLDER OPTION...
    local folder=$work/$1
    quiet cmake -S "$folder" -B "$folder/out" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=OFF "${@:2}"
    quiet ninja -C "$folder/out" -j2 install
}
by_hand() { # LIBRARY VERSION PC-NAME OPTION... -- FILE...: no build system of its own, or none that knows mingw
    local lib=$1 version=$2 pc=$3 options=()
    shift 3
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    mkdir -p objects
    printf '%s\0' "$@" | quiet xargs -0 -P2 -I{} sh -c "$cc $cflags \"\$@\" -c {} -o objects/\$(basename {} .c).o" sh "${options[@]}"
    $host-ar rcs "$prefix/lib/lib$lib.a" objects/*.o
    tell "$pc" "$version" "-l$lib"
}
tell() { # PC-NAME VERSION LIBS [FLAG]: how pkg-config finds it
    cat >"$prefix/lib/pkgconfig/$1.pc" <<END
Name: $1
Description: $1
Version: $2
Libs: -L$prefix/lib $3
Cflags: -isystem$prefix/include ${4:-}
END
}
cflags="-O2 -fstack-protector-strong -D_WIN32_WINNT=0x0A00"

build_openssl() {
    cd "$work/openssl"
    quiet perl ./Configure mingw64 --cross-compile-prefix=$host- --prefix="$prefix" --libdir=lib no-shared no-tests no-legacy no-engine no-module \
        no-autoload-config no-dtls no-sctp no-srp no-srtp no-psk no-ct no-ts no-comp no-idea no-camellia no-seed no-bf no-cast \
        no-rc2 no-rc4 no-md4 no-mdc2 no-whirlpool no-aria no-sm2 no-sm3 no-sm4 no-gost no-ec2m no-ssl3 no-weak-ssl-ciphers \
        -fstack-protector-strong -D_WIN32_WINNT=0x0A00
    # Where it looks for anything of its own only administrators may write.
    local dirs=(OPENSSLDIR=C:/Windows/wapt-no-openssl ENGINESDIR=C:/Windows/wapt-no-openssl MODULESDIR=C:/Windows/wapt-no-openssl)
    quiet make -j2 "${dirs[@]}" build_libs
    quiet make "${dirs[@]}" install_dev
}
build_zlib() {
    cd "$work/zlib"
    by_hand z "$(sed -n 's/^#define ZLIB_VERSION "\(.*\)"/\1/p' zlib.h)" zlib -D_LFS64_LARGEFILE=1 -- \
        adler32.c crc32.c deflate.c infback.c inffast.c inflate.c inftrees.c trees.c zutil.c compress.c uncompr.c
    cp zlib.h zconf.h "$prefix/include/"
}
build_libdeflate() {
    cd "$work/libdeflate"
    by_hand deflate "$(sed -n 's/^#define LIBDEFLATE_VERSION_STRING.*"\(.*\)"/\1/p' libdeflate.h)" libdeflate -I. -- lib/*.c lib/x86/*.c
    cp libdeflate.h "$prefix/include/"
}
build_expat() { # the options are what the configuration, which is generated elsewhere, would say
    cd "$work/expat/expat/lib"
    : >expat_config.h
    local version
    version=$(sed -n 's/^#define XML_M[A-Z]*_VERSION \([0-9]*\)$/\1/p' expat.h | paste -sd.)
    by_hand expat "$version" expat -I. -DXML_STATIC -DXML_DTD=1 -DXML_GE=1 -DXML_NS=1 -DXML_CONTEXT_BYTES=1024 -DBYTEORDER=1234 -- xmlparse.c xmlrole.c xmltok.c
    tell expat "$version" -lexpat -DXML_STATIC
    cp expat.h expat_external.h "$prefix/include/"
}
build_sqlite3() {
    cd "$work/sqlite3"
    quiet ./configure --disable-tcl --disable-readline
    quiet make sqlite3.c
    by_hand sqlite3 "$(cat VERSION)" sqlite3 -DSQLITE_THREADSAFE=1 -DSQLITE_DQS=0 -DSQLITE_OMIT_LOAD_EXTENSION \
        -DSQLITE_ENABLE_COLUMN_METADATA -- sqlite3.c
    cp sqlite3.h "$prefix/include/"
}
build_cmocka() {
    cd "$work/cmocka"
    by_hand cmocka "$(sed -n 's/^project(cmocka VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)" cmocka -D__USE_MINGW_ANSI_STDIO=1 -DHAVE_MALLOC_H \
        -DHAVE_INTTYPES_H -DHAVE_STRINGS_H -DHAVE_SIGNAL_H -DHAVE_STDIO_H -DHAVE_SETJMP_H -DHAVE_STDLIB_H -Iinclude -- src/cmocka.c
    # Its printf is C99's, as asked for above, which the compiler is told here.
    sed 's/__printf__/__gnu_printf__/' include/cmocka.h >"$prefix/include/cmocka.h"
}
build_libuv1() {
    cd "$work/libuv1"
    by_hand uv "$(sed -n 's/^AC_INIT(\[libuv\], \[\([0-9.]*\)\].*/\1/p' configure.ac)" libuv -Iinclude -Isrc -D_GNU_SOURCE -- src/*.c src/win/*.c
    tell libuv "$(sed -n 's/^AC_INIT(\[libuv\], \[\([0-9.]*\)\].*/\1/p' configure.ac)" \
        "-luv -lpsapi -luser32 -ladvapi32 -liphlpapi -luserenv -lws2_32 -ldbghelp -lole32 -luuid"
    cp -r include/uv.h include/uv "$prefix/include/"
}
build_curl() { # with its own configuration for Windows, lib/config-win32.h
    cd "$work/curl"
    local version
    version=$(sed -n 's/^#define LIBCURL_VERSION "\([0-9.]*\).*/\1/p' include/curl/curlver.h)
    by_hand curl "$version" libcurl -Ilib -Iinclude -I"$prefix/include" -DBUILDING_LIBCURL -DCURL_STATICLIB -DHTTP_ONLY -DUSE_OPENSSL -DHAVE_LIBZ \
        -DENABLE_IPV6 -DUSE_IPV6 -DUNICODE -D_UNICODE -DCURL_DISABLE_NTLM -DCURL_DISABLE_ALTSVC -DCURL_DISABLE_HSTS -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG \
        -- lib/*.c lib/v*/*.c
    tell libcurl "$version" "-lcurl -lssl -lcrypto -lz -lws2_32 -lcrypt32 -lbcrypt -ladvapi32 -lgdi32 -luser32" -DCURL_STATICLIB
    cp -r include/curl "$prefix/include/"
}

private_apt
for name in openssl zlib libdeflate expat jansson sqlite3 cmocka libuv1 curl; do fetch $name; done
for name in zlib libdeflate expat cmocka libuv1 sqlite3 openssl curl; do
    (build_$name)
    say "$name built after $((SECONDS - started)) s"
done
by_cmake jansson -DJANSSON_BUILD_DOCS=OFF -DJANSSON_EXAMPLES=OFF -DJANSSON_WITHOUT_TESTS=ON
say "all built after $((SECONDS - started)) s"
echo "[properties]
pkg_config_libdir = '$prefix/lib/pkgconfig'" >"$prefix/paths.ini"
touch "$prefix/done"
# Other versions are of no use any more: a compiler or a list that has changed does not come back.
find "$cache" -mindepth 1 -maxdepth 1 -type d ! -name "$stamp" -mtime +30 -exec rm -rf {} +
echo "$prefix"
