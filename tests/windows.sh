#!/bin/bash
# A packager's day on Windows: certificate and key, a package built, shown, verified, signed again, damaged; names with spaces and letters of
# the world; what the agent alone can do. Called by wine-run.sh, whose run() it uses.
#   tests/windows.sh BUILD-DIRECTORY WORK-DIRECTORY
set -uo pipefail
build=$1 day="$2/Jour été"
mkdir -p "$day" && cd "$day" || exit 1
fail() { echo "FAILED: $*"; cat out; exit 1; }
get() { run "$build/src/cmd/wapt-get.exe" "$@" >out; }
good() { get "$@" || fail "$@"; }
bad() { ! get "$@" || fail "expected a refusal: $*"; }
says() { grep -aqF -- "$1" out || fail "does not say '$1'"; }

good --version
good create-keycert --common-name Anna --base-dir 'clés' --code-signing --no-private-key-passwd
crt=$(find 'clés' -name '*.crt') && [ -f "$crt" ] || fail "no certificate"
mkdir -p 'src/WAPT' trusted && cp "$crt" trusted/
printf 'package: tis-a\nversion: 1.0-1\narchitecture: all\nsection: base\nmaturity: PROD\ndescription: é\nmaintainer: Anna\n' >src/WAPT/control
printf 'def install():\n    pass\n' >src/setup.py
printf 'content\n' >'src/fichier é.txt'
good build-package src --certificate "${crt//\//\\}"
package=$(find . -name '*.wapt'); [ -f "$package" ] || fail "no package"
good show "$package"; says tis-a; says 'é'
good verify --trusted trusted "$package"; says Anna
good verify --trusted "Z:${PWD//\//\\}\\trusted" ".\\$(basename "$package")"
good sign-package --certificate "$crt" "$package"
good verify --trusted trusted "$package"
mkdir 'dépôt' && cp "$package" 'dépôt/'
run "$build/src/cmd/wapt-scanpackages.exe" 'dépôt' >out && [ -f 'dépôt/Packages' ] || fail wapt-scanpackages
good verify --trusted trusted 'dépôt/Packages'
good plan install tis-a --repository 'dépôt' --trusted trusted; says tis-a
bad plan install tis-none --repository 'dépôt' --trusted trusted; says tis-none
mkdir nobody
bad verify --trusted nobody "$package"
/usr/bin/python3 - "$package" <<'END' # the same package with one byte changed, and one with a name that leads out
import sys, zipfile
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open("broken.wapt", "wb").write(data)
for name, member in (("device", "con.txt"), ("stream", "a:b"), ("up", "../x"), ("back", "a\\b")):
    with zipfile.ZipFile(name + ".wapt", "w") as out, zipfile.ZipFile(sys.argv[1]) as source:
        for entry in source.infolist():
            out.writestr(entry, source.read(entry))
        out.writestr(member, "x")
END
for hostile in broken device stream up back; do bad verify --trusted trusted $hostile.wapt; done
bad verify --trusted trusted 'nothing here.wapt'; says 'does not exist'
bad update; says 'the agent does not run'
echo all of it
