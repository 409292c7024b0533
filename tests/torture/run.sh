#!/bin/bash
# Torture: what a receipt must survive.   usage: tests/torture/run.sh BUILD short|long [NAME...]
# Every run prints its seed, which says how many shards there are, too, where all numbers are not
# tried; SEED=N repeats one. Exit code 0 if all passed; those that need root are skipped without it,
# and say so.
set -u
cd "$(dirname "$0")/../.."
build=$(realpath "$1") length=$2
shift 2
names=${*:-states kill power disk clock}
seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
export KOUAN="'$build/kouan'"
export TMPDIR
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/kouan-torture.XXXXXX")
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

count() { # short long
    if [ "$length" = long ]; then echo "$2"; else echo "$1"; fi
}

run() {
    local status=0
    echo "--- $*"
    "$@" || status=$?
    case $status in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
}

python=/usr/bin/python3
here=tests/torture
for name in $names; do
    case $name in
    states) run env KOUAN_CRASH_STATES="$(count 5000 100000)" KOUAN_CRASH_SEED="$seed" \
        "$build/tests/io/journal_crash_test" ;;
    kill) for shards in $(count "1 2" "1 2 3"); do
        run $python $here/kill_torture.py --cycles "$(count 12 100)" --seed "$seed" --shards $shards
    done ;;
    power) run $python $here/power_torture.py --cuts "$(count 5 100)" --seed "$seed" ;;
    disk) for scenario in full starved short locked spare start; do
        run $python $here/disk_torture.py $scenario --seed "$seed"
    done ;;
    clock) run $python $here/clock_torture.py --jumps "$(count 6 40)" --seed "$seed" \
        --shim "$build/$here/clock_shim.so" ;;
    *)
        echo "there is no torture called $name" >&2
        exit 2
        ;;
    esac
done
echo "torture: $passed passed, $failed failed, $skipped skipped (seed $seed)"
[ "$failed" = 0 ]
