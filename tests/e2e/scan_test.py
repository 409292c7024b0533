"""kouan-bench scan: the scanners agree with their oracles about whole folders of messages."""

import json
import os
import subprocess

from kouan_harness import TOP, Skip, run_tests

BENCH = os.environ.get("KOUAN_BENCH", str(TOP / "build/kouan-bench"))
CORPUS = TOP.parent / "shared/corpus"


def scan(*arguments):
    return subprocess.run([BENCH, "scan", *map(str, arguments)], capture_output=True, text=True)


def test_own_samples():
    done = scan("--time", 0, "--json", TOP / "tests/data")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["objections"] == 0
    assert {row["format"] for row in report["formats"]} == {"EDIFACT", "XML", "JSON"}
    assert all(row["files"] > 10 and row["values"] > 10 for row in report["formats"])


def test_timed():
    done = scan("--time", 1, TOP / "tests/data/ceb")
    assert done.returncode == 0, done.stderr
    assert "check GB/s" in done.stdout and "expat" in done.stdout


def test_corpus():
    if not CORPUS.is_dir():
        raise Skip("../shared/corpus is not there")
    done = scan("--time", 0, CORPUS / "edifact", CORPUS / "xml", CORPUS / "json")
    assert done.returncode == 0, done.stderr


def test_usage():
    assert scan().returncode == 2
    assert scan("--time", "soon", "x").returncode == 2
    assert "no/such/file" in scan("--time", 0, "no/such/file").stderr


if __name__ == "__main__":
    run_tests()
