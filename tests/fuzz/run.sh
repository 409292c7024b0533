#!/bin/bash
# Runs each fuzzer for a while, from its kept seeds, two at a time.   usage: tests/fuzz/run.sh FOLDER SECONDS NAME...
# FUZZ_SEED makes a run repeatable; without it each run goes another way.
set -u
folder=$1 seconds=$2
shift 2

fuzz() {
    local name=$1 status=0
    mkdir -p "$folder/corpus/$name"
    "$folder/${name}_fuzz" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
        -artifact_prefix="$folder/$name-" -print_final_stats=1 -close_fd_mask=0 \
        "$folder/corpus/$name" "tests/data/fuzz/$name" > "$folder/$name.log" 2>&1 || status=1
    echo "$status" > "$folder/$name.status"
}

running=0
for name in "$@"; do
    if [ "$running" -ge 2 ]; then
        wait -n
        running=$((running - 1))
    fi
    fuzz "$name" &
    running=$((running + 1))
done
wait

status=0
for name in "$@"; do
    echo "fuzz $name for $seconds s"
    if [ "$(cat "$folder/$name.status")" != 0 ]; then
        echo "FINDING in $name:"
        tail -30 "$folder/$name.log"
        status=1
    fi
    grep -E 'stat::number_of_executed_units|stat::new_units_added' "$folder/$name.log" || true
done
exit $status
