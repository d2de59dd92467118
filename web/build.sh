#!/bin/sh
# Checks the pages' types and bundles them: one script, one style sheet. Nothing is written into the source tree.
#   web/build.sh SOURCE WORK OUT DEPFILE    WORK keeps node_modules, as the lock file says; they are fetched again only when it has changed
set -eu
source=$(cd "$1" && pwd)
mkdir -p "$2" "$3"
work=$(cd "$2" && pwd) out=$(cd "$3" && pwd)
case $4 in /*) depfile=$4 ;; *) depfile=$PWD/$4 ;; esac
cd "$work"
for link in src tests; do ln -sfn "$source/$link" "$link"; done
cp "$source/package.json" "$source/package-lock.json" "$source/tsconfig.json" "$source/bundle.mjs" .
if ! cmp -s package-lock.json installed.json; then
    npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
    cp package-lock.json installed.json
fi
node_modules/.bin/tsc --project .
exec node bundle.mjs "$source" "$out" "$depfile"
