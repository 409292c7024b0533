#!/bin/sh
# A flame graph of the server while a scenario runs through it: where its time goes, as one SVG.
#   sh perf/flame.sh [FILE.svg [BUILD [SCENARIO [run options: --seconds 10 ...]]]]     (flame.svg build wire)
# Samples the CPU clock, so it needs no hardware counters; wants `perf` (Debian: linux-perf).
set -eu
cd "$(dirname "$0")/.."
svg=${1:-flame.svg} build=${2:-build} scenario=${3:-wire}
[ $# -lt 3 ] || shift 3
command -v perf >/dev/null || {
    echo "flame: install linux-perf" >&2
    exit 1
}
data=$(mktemp "${TMPDIR:-/tmp}/kouan-flame.XXXXXX")
bench=
stop() {
    [ -z "$bench" ] || kill "$bench" 2>/dev/null || :
    rm -f "$data"
}
trap stop EXIT
trap 'exit 130' INT TERM

"$build/kouan-bench" run "$scenario" --pairs 1 "$@" &
bench=$!
server=
until [ -n "$server" ]; do
    kill -0 "$bench" 2>/dev/null || exit 1
    server=$(pgrep -P "$bench" -x kouan || :)
    sleep 0.1
done
sleep "${FLAME_AFTER:-2}" # past the generator's preparations and the warm-up
perf record -e cpu-clock -F 1999 -g -p "$server" -o "$data" -- sleep "${FLAME_SECONDS:-3}" >/dev/null 2>&1 || :
wait "$bench"
bench=
perf script -i "$data" 2>/dev/null |
    python3 perf/flame_graph.py "kouan serve, $scenario $* ($(git rev-parse --short HEAD 2>/dev/null || echo '?'))" \
        > "$svg"
echo "$svg"
