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

note_failure() {
    echo "FAILED $1"
    tail -40 "$2" | sed 's/^/    /'
}

for program in "$build"/tests/{core,routes,io,bench}/*_test; do
    [ -x "$program" ] || continue
    out=$program.out
    "$program" > "$out" 2>&1
    status=$?
    cat "$out" >> "$log"
    line=$(grep -a 'Synthesis' "$out" | tail -1 | sed 's/\x1b\[[0-9;]*m//g')
    ran=$(sed -n 's/.*Passing: \([0-9]*\).*/\1/p' <<< "$line")
    bad=$(sed -n 's/.*Failing: \([0-9]*\).*/\1/p' <<< "$line")
    crashed=$(sed -n 's/.*Crashing: \([0-9]*\).*/\1/p' <<< "$line")
    skips=$(grep -ac '\[SKIP\]' "$out")
    passed=$((passed + ${ran:-0})) skipped=$((skipped + skips))
    bad=$((${bad:-0} + ${crashed:-0}))
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    failed=$((failed + bad))
    [ "$bad" = 0 ] || note_failure "$program" "$out"
done

for program in "$build"/tests/fuzz/*_replay; do
    [ -x "$program" ] || continue
    name=$(basename "$program" _replay)
    out=$program.out
    if "$program" "tests/data/fuzz/$name" > "$out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        note_failure "$program" "$out"
    fi
    cat "$out" >> "$log"
done

# Each end-to-end test runs in several ways (E2E_MODES chooses): plain, as it is; delayed, with claims
# and commits that wait random turns; shards, with two of them. They wait more than they work, so
# several run at once.
run_script() {
    local script=$1 delay=$2 shards=$3 out=$4
    KOUAN="'$here/kouan'" KOUAN_BENCH="$here/kouan-bench" KOUAN_TEST_DELAY=$delay \
        KOUAN_TEST_SHARDS=$shards /usr/bin/python3 "$script" > "$out" 2>&1
    echo "exit status $?" >> "$out"
}

count_script() {
    local name=$1 out=$2 line ran=0 bad=0 skips=0
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
    [ -z "$line" ] || read -r ran _ bad _ skips _ <<< "${line//,/}"
    if [ "$bad" = 0 ] && ! tail -1 "$out" | grep -q '^exit status 0$'; then bad=1; fi
    passed=$((passed + ran)) failed=$((failed + bad)) skipped=$((skipped + skips))
    [ "$bad" = 0 ] || note_failure "$name" "$out"
    cat "$out" >> "$log"
}

scripts_at_once=4 running=0 names=() outs=()
for mode in ${E2E_MODES:-plain delayed}; do
    for script in tests/e2e/*_test.py; do
        [ -e "$script" ] || continue
        delay="" shards=""
        if [ "$mode" != plain ]; then # once is enough for what has no server, or says how many shards
            case $script in *harness* | *bench_peers* | *flame*) continue ;; esac
        fi
        case $mode:$script in
        delayed:*) delay="6:$((RANDOM + 1))" ;;
        shards:*/shards*_test.py | shards:*/errands_test.py) continue ;;
        shards:*) shards=2 ;;
        esac
        out=$build/tests/$(basename "$script").$mode.out
        names+=("$script ($mode${delay:+ $delay})") outs+=("$out")
        if [ "$running" -ge "$scripts_at_once" ]; then
            wait -n
            running=$((running - 1))
        fi
        run_script "$script" "$delay" "$shards" "$out" &
        running=$((running + 1))
    done
done
wait
for i in "${!outs[@]}"; do
    count_script "${names[$i]}" "${outs[$i]}"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
