#!/bin/sh
# How many instructions a message takes in a whole server, and in which functions with what they call: `kouan
# serve` under callgrind, a generated day of events through it, in memory. What a turn of the loop does is
# counted, the start is not, nor is the kernel. It serves some 20 times slower and its batches are full, so the
# counts are of the work itself and hardly move from run to run.
#   sh perf/callgrind_server.sh [BUILD] [day options: --mix mix ...]
#   MESSAGES=20000 FUNCTIONS=60 SYNC=commit SHARDS=2 CASES=65536 sh perf/callgrind_server.sh build
# Wants `valgrind` (Debian's package of that name).
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- --mix events --size 256
messages=${MESSAGES:-20000}
command -v valgrind >/dev/null || {
    echo "callgrind_server: install valgrind" >&2
    exit 1
}
folder=$(mktemp -d "${TMPDIR:-/tmp}/kouan-callgrind.XXXXXX")
server=
stop() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || : # valgrind keeps back what else would end it
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

# As without a configuration, but for `sync`.
cat > "$folder/kouan.yaml" << CONFIG
sync: ${SYNC:-memory}
shards: ${SHARDS:-1}
cases: ${CASES:-0}
channels: [{name: in}]
destinations: [{name: all, groups: [all], fields: [profile, message_type, keys, origin, verdict]}]
unroutable: all
CONFIG
: > "$folder/log"
valgrind --tool=callgrind --collect-atstart=no --toggle-collect=loop_turn --compress-strings=no \
    --callgrind-out-file="$folder/counts" \
    "$build/kouan" serve -c "$folder/kouan.yaml" --listen 127.0.0.1:0 > "$folder/log" 2>&1 &
server=$!
tries=0
until grep -q 'listening on ' "$folder/log"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
address=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$folder/log" | head -n 1)
"$build/kouan-bench" day --connect "$address" --rules none --messages "$messages" --patience 120 "$@" \
    > "$folder/day" || {
    cat "$folder/day" "$folder/log" >&2
    exit 1
}
callgrind_control --dump=all "$server" > "$folder/control" 2>&1 || {
    cat "$folder/control" >&2
    exit 1
}

# The line after `calls=` is what a callee took.
awk -v messages="$messages" -v shown="${FUNCTIONS:-40}" '
    /^fn=/ { name = substr($0, 4) }
    /^calls=/ { getline; with[name] += $2; next }
    /^[-+*0-9]/ { own[name] += $2; with[name] += $2; all += $2 }
    END {
        printf("%12.0f instructions a message, of %d\n\n%12s %12s\n", all / messages, messages, "with callees", "own")
        fflush()
        list = "sort -rn | head -n " shown
        for (name in own)
            if (name !~ /^(0x|\(below|_?main|__libc|loop_run|cli_serve)/)
                printf("%12.1f %12.1f  %s\n", with[name] / messages, own[name] / messages, name) | list
        close(list)
    }' "$folder"/counts.1
