#!/usr/bin/env python3
"""What lines of the configuration are worth: `kouan-bench run` with and without them, in turns.

    python3 perf/options.py PAIRS "SCENARIO [OPTION]..." LINES [LINES]...
    python3 perf/options.py 6 "wire --messages 300000" "turn_wait: 100us" "zero_copy_send: 16KiB; block: 64KiB"

LINES stand in for the configuration's own end, `;` between two. The runs go A B C, C B A, ... where A has
none of them. Of each figure: the median of A, and for the others their median, the median of the ratios to
A of the same turn, the lowest and the highest of these, and in how many of them it was below A.
BUILD (default `build`) says where the programs are; FOLDER, where the servers' directories are made.
"""
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / os.environ.get("BUILD", "build")
FIGURES = ("messages_per_second", "process_cpu_ns_per_message", "latency_us.p50", "latency_us.p99")

# Called as kouan is: `serve -c FILE ...`.
WRAPPER = """#!/bin/sh
printf '%s\\n' "$KOUAN_OPTION_LINES" | tr ';' '\\n' | sed 's/^ *//' >> "$3"
exec {kouan} "$@"
"""


def run_once(wrapper, arguments, lines):
    environment = {**os.environ, "KOUAN_OPTION_LINES": lines}
    command = [BUILD / "kouan-bench", "run", *arguments, "--pairs", "1", "--kouan", wrapper, "--json",
               "--folder", os.environ.get("FOLDER", "/tmp")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"with `{lines}`: {result.stderr}")
    return json.loads(result.stdout)


def figure(run, name):
    for part in name.split("."):
        run = run[part]
    return run


def show(runs, lines):
    for name in FIGURES:
        before = [figure(run, name) for run in runs[""]]
        print(f"{name}: {statistics.median(before):.0f} without")
        for line in lines:
            after = [figure(run, name) for run in runs[line]]
            ratios = sorted(b / a for a, b in zip(before, after))
            below = sum(ratio < 1 for ratio in ratios)
            print(f"  {line:40} {statistics.median(after):9.0f}  ratio {statistics.median(ratios):.3f}"
                  f" [{ratios[0]:.3f}, {ratios[-1]:.3f}], below in {below} of {len(ratios)}")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    pairs, arguments, lines = int(sys.argv[1]), shlex.split(sys.argv[2]), sys.argv[3:]
    order = ["", *lines]
    runs = {line: [] for line in order}
    with tempfile.TemporaryDirectory() as folder:
        wrapper = pathlib.Path(folder) / "kouan"
        wrapper.write_text(WRAPPER.format(kouan=shlex.quote(str(BUILD / "kouan"))))
        wrapper.chmod(0o755)
        for turn in range(pairs):
            for line in order if turn % 2 == 0 else reversed(order):
                runs[line].append(run_once(wrapper, arguments, line))
    show(runs, lines)


if __name__ == "__main__":
    main()
