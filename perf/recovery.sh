#!/bin/sh
# How long a start takes on a journal that a killed server left: fills one with events, all of them
# delivered and acknowledged, ends the server with kill -9, and starts it again: as it was left, and
# once more without the sidecars, so that all of it has to be read.
#   sh perf/recovery.sh [BUILD] [MESSAGES] [BYTES]
# FOLDER is where the journal is made (default: here); it is removed again.
set -eu
build=${1:-build} messages=${2:-3m} bytes=${3:-500}
scratch=$(mktemp -d "${FOLDER:-.}/kouan-recovery.XXXXXX")
server=
end() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || :
    rm -rf "$scratch"
}
trap end EXIT

cat > "$scratch/kouan.yaml" <<'CONFIG'
channels: [{name: in}]
destinations:
  - name: all
    groups: [all]
unroutable: all
CONFIG

start() {
    "$build/kouan" serve -c "$scratch/kouan.yaml" --listen 127.0.0.1:0 > "$scratch/log" 2>&1 &
    server=$!
    while ! grep -q '^listening on ' "$scratch/log"; do
        kill -0 "$server" || { cat "$scratch/log" >&2; exit 1; }
        sleep 0.05
    done
}

die() {
    kill -9 "$server"
    wait "$server" 2>/dev/null || :
    server=
}

start
"$build/kouan-bench" day --rules none --mix events --messages "$messages" --size "$bytes" \
    --connect "$(sed -n 's/^listening on //p' "$scratch/log")" > "$scratch/day" || {
    cat "$scratch/day" >&2
    exit 1
}
grep '^rate:' "$scratch/day"
for left in everything no-sidecars; do
    die
    [ $left = everything ] || find "$scratch/kouan-journal" -name '*.identities' -delete
    du -sh "$scratch/kouan-journal" | sed 's/[[:space:]].*/ of files/'
    start
    grep '^recovered' "$scratch/log"
done
