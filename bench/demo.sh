#!/bin/sh
# The demo: `kouan serve` with bench/demo/ and fresh secrets, a generated provincial day through it,
# the checker's word as exit code. Called by `make demo` from the top folder:
#   sh bench/demo.sh BUILD          DEMO_MESSAGES=200000 sh bench/demo.sh BUILD --json ...
# KOUAN_BENCH names another kouan-bench (one with a sanitizer).
set -eu
build=${1:-build}
[ $# -eq 0 ] || shift
bench=${KOUAN_BENCH:-$build/kouan-bench}
messages=${DEMO_MESSAGES:-1000000}

directory=$(mktemp -d "${TMPDIR:-/tmp}/kouan-demo.XXXXXX")
server=
client=
stop() {
    trap - EXIT INT TERM
    for process in $client $server; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    rm -rf "$directory"
}
trap 'stop' EXIT
trap 'stop; exit 130' INT TERM

cp -R bench/demo/. "$directory"
mkdir -m 700 "$directory/secrets"
for name in nansha huangpu shenzhen-bay zhuhai-gongbei shantou zhanjiang \
            customs inspection port trader operator; do
    (umask 077; od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$directory/secrets/$name")
done

: > "$directory/log"
"$build/kouan" serve -c "$directory/kouan.yaml" --listen 127.0.0.1:0 \
    > "$directory/log" 2>&1 &
server=$!
address=
tries=0
while [ -z "$address" ]; do
    address=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$directory/log" | head -n 1)
    [ -n "$address" ] && break
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$directory/log" >&2
        echo 'demo: kouan did not start' >&2
        exit 1
    fi
    sleep 0.1
done
echo "kouan (process $server) listens on $address; six e-ports publish $messages messages,
each with a receipt when it is on disk"

code=0
"$bench" day --connect "$address" --secrets "$directory/secrets" \
    --messages "$messages" --server-pid "$server" --ledger "$@" &
client=$!
wait "$client" || code=$?
client=
if ! kill -0 "$server" 2>/dev/null; then
    cat "$directory/log" >&2
    echo 'demo: kouan ended by itself' >&2
    code=1
fi
exit "$code"
