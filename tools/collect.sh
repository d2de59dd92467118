#!/bin/sh
# Puts links to every program of a build directory into its bin/.
set -eu
build=$(cd "$1" && pwd)
mkdir -p "$build/bin"
for p in wapt-get wapt-fetch wapt-kerberos wapt-repo wapt-scanpackages wapt-signpackages waptservice waptserver waptconsole waptexit waptselfservice; do
    # Copies, not links: a program finds its sister by its own path.
    cp -f "$build/src/cmd/$p" "$build/bin/.$p.new"
    mv -f "$build/bin/.$p.new" "$build/bin/$p"
done
