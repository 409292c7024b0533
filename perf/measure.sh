#!/bin/sh
# Measures what the report shows, and keeps it: perf/results/MACHINE/TIME-COMMIT-WHAT.json.
#   sh perf/measure.sh MACHINE [BUILD [WHAT...]]      all of it, or some: the names below
#   SECONDS_EACH=2 PAIRS=3 FOLDER=/var/lib sh perf/measure.sh my-machine build wire durable
# FOLDER lies on the disk to be measured. Take a machine that does nothing else: CPU of the machine and rates
# are worth little on another, the ratios and the CPU of the processes still something.
set -eu
cd "$(dirname "$0")/.."
machine=${1:?usage: perf/measure.sh MACHINE [BUILD [WHAT...]]} build=${2:-build}
shift
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- micro wire durable full documents sweep-durable fan-out connections window shards national-day
seconds=${SECONDS_EACH:-5} pairs=${PAIRS:-6} folder=${FOLDER:-/tmp}
results=perf/results/$machine
mkdir -p "$results"

# The options of one of them, after `kouan-bench`.
options_of() {
    common="--seconds $seconds --folder $folder"
    case $1 in
    micro) echo "micro" ;;
    wire) echo "run wire $common --pairs $pairs --against redis,nats,jetstream,null" ;;
    durable | full | documents) echo "run $1 $common --pairs $pairs --against redis,jetstream" ;;
    connections) echo "run connections $common --pairs 1 --against redis" ;;
    sweep-*) echo "sweep ${1#sweep-} $common --pairs 1" ;;
    national-day) echo "run national-day --folder $folder --pairs 1" ;;
    *) echo "run $1 $common --pairs 1" ;;
    esac
}

for what in "$@"; do
    name=$(date -u +%Y%m%d-%H%M)-$(git rev-parse --short HEAD)-$what
    echo "$name: kouan-bench $(options_of "$what")"
    # shellcheck disable=SC2046
    "$build/kouan-bench" $(options_of "$what") --json > "$results/$name.part"
    mv "$results/$name.part" "$results/$name.json"
done
