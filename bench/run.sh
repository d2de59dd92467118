#!/bin/bash
# Measures against the physical limit, in one run, and writes build/bench.json. As root: it starts a server and an agent.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
ninja -C "$build" bench/bench_idle_connection bench/bench_repository bench/bench_kept bench/bench_limits bench/bench_fleet bench/aged/waptservice bench/aged/waptserver bench/bench_away >/dev/null
exec /usr/bin/python3 bench/run.py "$build"
