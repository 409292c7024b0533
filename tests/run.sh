#!/bin/bash
# Runs every test of one build, and ends with one line that counts them.   usage: tests/run.sh BUILD
# Criterion programs, fuzz targets over their corpora, and the end-to-end tests in Python.
set -u
cd "$(dirname "$0")/.."
build=$1
here=$(realpath "$build")
export TMPDIR
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/kouan-test.XXXXXX") # also what a failed test leaves goes with it
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
log=$build/test.log
passed=0 failed=0 skipped=0
: > "$log"

# ---- several at once, counted in their order -----------------------------------------------------

running=0 counters=() names=() outs=()

# start AT_ONCE COUNTER NAME OUT COMMAND...   The last line of OUT tells the command's exit status.
start() {
    local at_once=$1 counter=$2 name=$3 out=$4
    shift 4
    counters+=("$counter") names+=("$name") outs+=("$out")
    while [ "$running" -ge "$at_once" ]; do
        wait -n
        running=$((running - 1))
    done
    { "$@" > "$out" 2>&1; echo "exit status $?" >> "$out"; } &
    running=$((running + 1))
}

count_all() {
    local i
    wait
    for i in "${!outs[@]}"; do
        "${counters[$i]}" "${names[$i]}" "${outs[$i]}"
        cat "${outs[$i]}" >> "$log"
    done
    running=0 counters=() names=() outs=()
}

ended_well() {
    tail -1 "$1" | grep -q '^exit status 0$'
}

# add NAME OUT PASSED FAILED SKIPPED
add() {
    local bad=$4
    if [ "$bad" = 0 ] && ! ended_well "$2"; then bad=1; fi
    passed=$((passed + $3)) failed=$((failed + bad)) skipped=$((skipped + $5))
    if [ "$bad" != 0 ]; then
        echo "FAILED $1"
        tail -40 "$2" | sed 's/^/    /'
    fi
}

# ---- Criterion programs: each runs its own tests side by side, but for the last of them ----------

count_criterion() {
    local line ran bad crashed
    line=$(grep -a 'Synthesis' "$2" | tail -1 | sed 's/\x1b\[[0-9;]*m//g')
    ran=$(sed -n 's/.*Passing: \([0-9]*\).*/\1/p' <<< "$line")
    bad=$(sed -n 's/.*Failing: \([0-9]*\).*/\1/p' <<< "$line")
    crashed=$(sed -n 's/.*Crashing: \([0-9]*\).*/\1/p' <<< "$line")
    add "$1" "$2" "${ran:-0}" $((${bad:-0} + ${crashed:-0})) "$(grep -ac '\[SKIP\]' "$2")"
}

for program in "$build"/tests/{core,routes,io,bench}/*_test; do
    [ -x "$program" ] || continue
    start 2 count_criterion "$program" "$program.out" "$program"
done
count_all

# ---- fuzz targets over what is kept of their inputs ----------------------------------------------

count_replay() {
    if ended_well "$2"; then add "$1" "$2" 1 0 0; else add "$1" "$2" 0 1 0; fi
}

for program in "$build"/tests/fuzz/*_replay; do
    [ -x "$program" ] || continue
    name=$(basename "$program" _replay)
    start 2 count_replay "$program" "$program.out" "$program" "tests/data/fuzz/$name"
done
count_all

# ---- end to end ----------------------------------------------------------------------------------

# Each runs in several ways (E2E_MODES chooses): plain, as it is; delayed, with claims and commits
# that wait random turns; shards, with two of them; crossing, with two of them those few that tell
# most of what goes from one to another. They wait more than they work, so several run at once; the
# long scripts, which are the large ones, first.
count_script() {
    local line ran=0 bad=0 skips=0
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -1)
    [ -z "$line" ] || read -r ran _ bad _ skips _ <<< "${line//,/}"
    add "$1" "$2" "$ran" "$bad" "$skips"
}

for mode in ${E2E_MODES:-plain delayed crossing}; do
    for script in $(ls -S tests/e2e/*_test.py); do
        delay="" shards=""
        if [ "$mode" != plain ]; then # once is enough for what has no server, or says how many shards
            case $script in *harness* | *bench_peers* | *flame*) continue ;; esac
        fi
        case $mode:$script in
        delayed:*) delay="6:$((RANDOM + 1))" ;;
        shards:*/shards*_test.py | shards:*/errands_test.py) continue ;;
        shards:*) shards=2 ;;
        crossing:*/consume_test.py | crossing:*/order_test.py | crossing:*/publish_test.py) shards=2 ;;
        crossing:*) continue ;;
        esac
        start 4 count_script "$script ($mode${delay:+ $delay})" "$build/tests/$(basename "$script").$mode.out" \
            env KOUAN="'$here/kouan'" KOUAN_BENCH="$here/kouan-bench" KOUAN_TEST_DELAY="$delay" \
            KOUAN_TEST_SHARDS="$shards" /usr/bin/python3 "$script"
    done
done
count_all

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
