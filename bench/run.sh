#!/bin/bash
# Measures against the physical limit, in one run, and writes build/bench.json: rows of name, value, unit, limit, ratio, budget, better.
# The limit of verifying a package is sha256 over what inflating it gives; of starting a program, starting /bin/true.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
exec /usr/bin/python3 bench/run.py "$build"
