#!/bin/sh
# How many instructions each stage of a message takes, by callgrind: the same on every machine and under any
# load, so what a change does to them can be seen where times only flutter. Counts what the micro-benches do
# and nothing around it.
#   sh perf/callgrind.sh [BUILD] [NAME...]            the families of `kouan-bench micro`; without a name all
#   FUNCTIONS=12 sh perf/callgrind.sh BUILD NAME      also the functions in which they are, of each case
# Wants `valgrind` (Debian's package of that name).
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# -eq 0 ] || shift
turns=${TURNS:-20}
command -v valgrind >/dev/null || {
    echo "callgrind: install valgrind" >&2
    exit 1
}
folder=$(mktemp -d "${TMPDIR:-/tmp}/kouan-callgrind.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Instructions an item in each function itself. The line after `calls=` is what a callee took.
tell_functions() {
    awk -v items="$2" '/^fn=/ { name = substr($0, 4) }
        /^calls=/ { getline; next }
        /^[-+*0-9]/ { own[name] += $2 }
        END { for (name in own) printf("%54.1f %s\n", own[name] / items, name) }' "$1" | sort -rn
}

# One dump of counts is written at the end of each case, in their order.
valgrind --tool=callgrind --toggle-collect=micro_run_turns --dump-after=micro_run_turns \
    --compress-strings=no --callgrind-out-file="$folder/counts" \
    "$build/kouan-bench" micro --smoke --rounds 1 --turns "$turns" --json "$@" \
    > "$folder/cases" 2> "$folder/log" || {
    cat "$folder/log" >&2
    exit 1
}
awk '/^ *"(family|case|item_bytes|items)": / {
        key = $1
        gsub(/[":]/, "", key)
        sub(/^[^:]*: /, "")
        sub(/,$/, "")
        gsub(/"/, "")
        values[key] = $0
        if (key == "items")
            print values["family"] ";" values["case"] ";" values["item_bytes"] ";" values["items"]
    }' "$folder/cases" > "$folder/list"

printf '%-8s %-32s %7s %12s %9s\n' bench case bytes instructions 'per byte'
number=0
while IFS=';' read -r family name bytes items; do
    number=$((number + 1))
    total=$(sed -n 's/^totals: //p' "$folder/counts.$number")
    awk -v family="$family" -v name="$name" -v bytes="$bytes" -v items="$items" -v total="$total" 'BEGIN {
        size = ""; per_byte = ""
        if (bytes > 0) {
            size = sprintf("%.0f", bytes)
            per_byte = sprintf("%.2f", total / items / bytes)
        }
        printf("%-8s %-32s %7s %12.1f %9s\n", family, name, size, total / items, per_byte)
    }'
    [ -z "${FUNCTIONS:-}" ] || tell_functions "$folder/counts.$number" "$items" | head -n "$FUNCTIONS"
done < "$folder/list"
