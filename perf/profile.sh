#!/bin/sh
# Where the server's time goes: samples it while the demo's day runs through it.
#   sh perf/profile.sh [BUILD] [day options: --mix events ...]
# Samples the CPU clock, so it needs no hardware counters; wants `perf` (Debian: linux-perf).
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# -eq 0 ] || shift
command -v perf >/dev/null || {
    echo "profile: install linux-perf" >&2
    exit 1
}
data=$(mktemp "${TMPDIR:-/tmp}/kouan-profile.XXXXXX")
out=$(mktemp "${TMPDIR:-/tmp}/kouan-day.XXXXXX")
trap 'rm -f "$data" "$out"' EXIT

DEMO_MESSAGES=${DEMO_MESSAGES:-2000000} sh bench/demo.sh "$build" "$@" > "$out" 2>&1 &
demo=$!
server=
while [ -z "$server" ]; do
    server=$(sed -n 's/^kouan (process \([0-9]*\)).*/\1/p' "$out")
    kill -0 "$demo" 2>/dev/null || break
    sleep 0.1
done
sleep "${PROFILE_AFTER:-1}" # past the generator's preparations
perf record -e cpu-clock -F 1999 -g -p "$server" -o "$data" -- sleep "${PROFILE_SECONDS:-4}" >/dev/null 2>&1 || :
perf report -i "$data" --no-children --percent-limit 0.8 --stdio -g none 2>/dev/null | grep -E '^ +[0-9]'
wait "$demo" || :
tail -5 "$out"
