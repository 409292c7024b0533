"""kouan-bench run, sweep, compare: every scenario through Kouan, each run verified, nothing left behind."""

import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from kouan_harness import TOP, run_tests

BENCH = os.environ.get("KOUAN_BENCH", str(TOP / "build/kouan-bench"))
KOUAN = shlex.split(os.environ.get("KOUAN", str(TOP / "build/kouan")))
SCENARIOS = [
    "wire", "durable", "full", "documents", "national-day", "connections", "fan-out",
    "slow-consumer", "far-behind", "reload", "window", "rules",
]
FIGURES = [
    "seconds", "messages", "messages_per_second", "cpu_ns_per_message",
    "process_cpu_ns_per_message", "latency_us",
]


def bench(*arguments):
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True)


def run(scenario, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        done = bench("run", scenario, "--smoke", "--json", "--folder", folder, "--kouan", KOUAN[0],
                     *arguments)
        assert done.returncode == 0, done.stderr
        assert os.listdir(folder) == []
    return json.loads(done.stdout)


def check(result):
    for figure in FIGURES:
        assert figure in result, figure
    assert result["messages"] >= 1000 and result["messages_per_second"] > 0
    assert list(result["latency_us"]) == ["p50", "p99", "p999", "max"]
    assert 0 < result["latency_us"]["p50"] <= result["latency_us"]["max"]


def run_alone(scenario):
    result = run(scenario)
    assert result["scenario"] == scenario
    for key in ["machine", "kernel", "commit", "load", "settings"]:
        assert key in result, key
    check(result)
    for point in result.get("points", []):
        check(point)


# A test each, and so a deadline each: together they take long under a sanitizer.
for name in SCENARIOS:
    globals()["test_" + name.replace("-", "_")] = functools.partial(run_alone, name)


def test_beside_redis():
    if shutil.which("redis-server") is None:
        return
    for scenario in ["full", "wire", "slow-consumer"]:
        result = run(scenario, "--against", "redis,redis-everysec")
        assert list(result["peers"]) == ["redis", "redis-everysec"]
        for peer in result["peers"].values():
            check(peer)
            assert peer["durability"]
            ratio = peer["ratio"]["messages_per_second"]
            assert ratio["low"] <= ratio["median"] <= ratio["high"]
            assert ratio["median"] > 0


def test_beside_a_group_far_behind():
    result = run("far-behind")
    assert list(result["peers"]) == ["read-far"]
    assert result["peers"]["read-far"]["far_bytes_per_second"] > 0
    assert "far_bytes_per_second" not in result
    done = bench("run", "far-behind", "--smoke", "--against", "redis")
    assert done.returncode == 2 and "Kouan beside itself" in done.stderr, done.stderr


def test_beside_reloads():
    result = run("reload", "--shards", 2)
    reloaded, = result["peers"].values()
    assert reloaded["reloads_taken"] > 0 and reloaded["reloads_refused"] > 0, reloaded
    assert reloaded["ratio"]["p99"]["median"] > 0 and "reloads_taken" not in result
    for words in (("--against", "redis"), ("--sync", "memory")):
        assert bench("run", "reload", "--smoke", *words).returncode == 2, words


def test_at_a_rate():
    result = run("wire", "--rate", 20000, "--consumers", 2, "--connections", 3)
    assert result["messages_per_second"] < 22000
    assert result["settings"]["rate"] == 20000 and result["settings"]["consumers"] == 2


def test_unix_sockets():
    against = ["--against", "redis"] if shutil.which("redis-server") else []
    assert run("full", "--unix", *against)["settings"]["unix"] is True
    refused = bench("run", "wire", "--unix", "--against", "null")
    assert refused.returncode == 2 and "null has no Unix sockets" in refused.stderr


def test_many_connections():
    for in_flight in [256, 300]:
        run("wire", "--in-flight", in_flight, "--connections", 1)
    result = run("connections", "--connections", 300, "--in-flight", 1)
    assert "points" not in result and result["settings"]["connections"] == 300


def test_text():
    done = bench("run", "fan-out", "--smoke", "--kouan", KOUAN[0])
    assert done.returncode == 0, done.stderr
    assert "1 destinations" in done.stdout and "2 destinations" in done.stdout
    assert "sync: memory" in done.stdout


def test_a_server_that_does_not_start():
    with tempfile.TemporaryDirectory() as folder:
        done = bench("run", "wire", "--smoke", "--folder", folder, "--kouan", "false")
        assert done.returncode == 3 and "`false` did not start" in done.stderr, done.stderr
        assert os.listdir(folder) == []


def test_ctrl_c_ends_what_was_started():
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [BENCH, "run", "durable", "--seconds", "600", "--rate", "1000", "--folder", folder,
             "--kouan", KOUAN[0]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not any(os.path.exists(os.path.join(folder, name, "log"))
                      for name in os.listdir(folder)):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130, process.returncode
        assert os.listdir(folder) == []


def test_sweep():
    with tempfile.TemporaryDirectory() as folder:
        done = bench("sweep", "wire", "--smoke", "--json", "--folder", folder, "--kouan", KOUAN[0])
        assert done.returncode == 0, done.stderr
        assert os.listdir(folder) == []
    result = json.loads(done.stdout)
    check(result)
    assert "machine" in result and "knee" in result
    assert [point["load_percent"] for point in result["points"]] == [10, 25, 50, 75, 90, 95]
    capacity = result["messages_per_second"]
    for point in result["points"]:
        check(point)
        asked = capacity * point["load_percent"] / 100
        assert abs(point["settings"]["rate"] - asked) <= 1
        assert point["messages_per_second"] < 1.1 * asked
    if result["knee"] is not None:
        assert result["knee"]["load_percent"] in [10, 25, 50, 75, 90, 95]


def test_compare():
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ["old.json", "new.json", "other.json"]]
        results = [run("fan-out"), run("fan-out", "--in-flight", 200), run("wire")]
        results[1]["machine"] = "another"
        results[1]["points"][0]["messages_per_second"] = (
            2 * results[0]["points"][0]["messages_per_second"])
        for path, result in zip(paths, results):
            with open(path, "w") as file:
                json.dump(result, file)
        done = bench("compare", paths[0], paths[1])
        assert done.returncode == 0, done.stderr
        assert "another machine" in done.stdout and "another setting: in_flight 1024, now 200" in done.stdout
        rows = [line.split() for line in done.stdout.splitlines()]
        rates = [row for row in rows if row[:1] == ["messages_per_second"]]
        assert len(rates) == 2 and rates[0][3] == "+100.0", rates
        assert bench("compare", paths[0], paths[2]).returncode == 2
        assert bench("compare", paths[0], "/no/such/file").returncode == 2
        with open(paths[2], "w") as file:
            file.write("{}")
        wrong = bench("compare", paths[0], paths[2])
        assert wrong.returncode == 2 and "not a result" in wrong.stderr
    assert bench("compare").returncode == 2
    assert bench("compare", "--help").returncode == 0


def test_usage():
    unknown = bench("run", "wires")
    assert unknown.returncode == 2 and "national-day" in unknown.stderr
    peer = bench("run", "wire", "--against", "kafka")
    assert peer.returncode == 2 and "redis-everysec" in peer.stderr
    assert bench("run", "full", "--size", "300").returncode == 2
    assert bench("run", "full", "--connections", "100").returncode == 2
    assert bench("run", "wire", "durable").returncode == 2
    assert bench("run", "wire", "--folder", "/no/such/folder").returncode == 3
    for arguments in [["run", "--help"], ["run", "wire", "--help"]]:
        done = bench(*arguments)
        assert done.returncode == 0 and "--against" in done.stdout and "national-day" in done.stdout
    missing = subprocess.run([BENCH, "run", "wire", "--against", "redis"], capture_output=True,
                             text=True, env={"PATH": "/nonexistent"})
    assert missing.returncode == 2 and "apt-get install redis-server" in missing.stderr


if __name__ == "__main__":
    run_tests()
