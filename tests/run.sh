#!/bin/bash
# Runs every test of one build, and ends with one line that counts them.   usage: tests/run.sh BUILD
# Criterion programs, fuzz targets over their corpora, and the end-to-end tests in Python.
set -u
cd "$(dirname "$0")/.."
build=$1
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

for script in tests/e2e/*_test.py; do
    [ -e "$script" ] || continue
    out=$build/tests/$(basename "$script").out
    /usr/bin/python3 "$script" "$build" > "$out" 2>&1
    status=$?
    cat "$out" >> "$log"
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
    read -r ran _ bad _ skips _ <<< "${line//,/}"
    passed=$((passed + ${ran:-0})) failed=$((failed + ${bad:-0})) skipped=$((skipped + ${skips:-0}))
    if [ "$status" != 0 ] || [ -z "$line" ]; then
        [ "${bad:-0}" != 0 ] || failed=$((failed + 1))
        note_failure "$script" "$out"
    fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
