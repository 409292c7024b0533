"""kouan-bench durable: runs through all its loads, verifies each, and leaves nothing behind."""

import json
import os
import shlex
import subprocess
import tempfile

from kouan_harness import TOP, run_tests

BENCH = os.environ.get("KOUAN_BENCH", str(TOP / "build/kouan-bench"))
KOUAN = shlex.split(os.environ.get("KOUAN", str(TOP / "build/kouan")))


def durable(*arguments):
    return subprocess.run([BENCH, "durable", *map(str, arguments)], capture_output=True, text=True)


def test_every_load():
    with tempfile.TemporaryDirectory() as folder:
        done = durable("--smoke", "--json", "--folder", folder, "--kouan", KOUAN[0])
        assert done.returncode == 0, done.stderr
        assert os.listdir(folder) == []
    points = json.loads(done.stdout)["points"]
    journal = [point for point in points if point["name"] == "kouan, sync: commit"]
    assert [point["percent"] for point in journal] == [0, 1, 50, 90]
    assert journal[0]["receipt_ns"]["count"] == 2000
    assert all(point["receipt_ns"]["count"] > 0 for point in points)
    assert all(point["rate"] > 0 for point in journal[1:])
    assert any(point["name"].startswith("redis, appendfsync") for point in points)
    assert any(point["name"].startswith("disk, 4 KiB") for point in points)


def test_a_server_that_does_not_start():
    with tempfile.TemporaryDirectory() as folder:
        done = durable("--smoke", "--folder", folder, "--kouan", "false")
        assert done.returncode == 3 and "`false` did not start" in done.stderr, done.stderr
        assert os.listdir(folder) == []


def test_usage():
    assert durable("--pairs", "0").returncode == 2
    assert durable("--folder", "/no/such/folder").returncode == 3


if __name__ == "__main__":
    run_tests()
