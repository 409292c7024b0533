"""kouan-bench run against nats-server, JetStream and the null router: the real servers, every message verified
as far as each protocol allows, and nothing left behind."""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time

from kouan_harness import TOP, run_tests

BENCH = os.environ.get("KOUAN_BENCH", str(TOP / "build/kouan-bench"))
KOUAN = shlex.split(os.environ.get("KOUAN", str(TOP / "build/kouan")))
PEERS = ["nats", "jetstream", "null"]


def start(folder, *arguments, **settings):
    return subprocess.Popen([BENCH, "run", *map(str, arguments), "--folder", folder, "--kouan", KOUAN[0]],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)


def run(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        process = start(folder, *arguments, "--smoke", "--json")
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        assert os.listdir(folder) == []
    return json.loads(out)["peers"]


def processes_in(folder):
    """Those whose command line names a file of the folder, or that work in it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline").read()
            log = os.readlink(f"/proc/{pid}/fd/1")
        except OSError:
            continue
        if folder in words or log.startswith(folder):
            found.append(int(pid))
    return found


def test_each_peer():
    """Two destinations, and of ten messages one is a repeat: JetStream has to answer it with the number of its
    first and to deliver it to nobody, the others keep or pass on what they get."""
    peers = run("full", "--against", ",".join(PEERS))
    assert list(peers) == PEERS
    for peer in peers.values():
        assert peer["messages"] >= 1000 and peer["messages_per_second"] > 0
        assert peer["process_cpu_ns_per_message"] > 0
        assert 0 < peer["latency_us"]["p50"] <= peer["latency_us"]["max"]
        assert 0 < peer["delivery_latency_us"]["p50"]
    assert "not kept" in peers["nats"]["durability"]
    assert "not when on disk" in peers["jetstream"]["durability"]
    assert "not acknowledged" in peers["null"]["durability"]


def test_several_consumers_at_a_rate():
    peers = run("wire", "--rate", 20000, "--consumers", 3, "--connections", 4, "--against", ",".join(PEERS))
    for peer in peers.values():
        assert peer["messages_per_second"] < 22000


def test_what_libnats_cannot_do():
    with tempfile.TemporaryDirectory() as folder:
        process = start(folder, "connections", "--connections", 100, "--smoke", "--against", "nats")
        _, errors = process.communicate()
        assert process.returncode != 0 and "at most 64 that publish" in errors, errors
        assert os.listdir(folder) == []


def test_a_program_that_is_missing():
    with tempfile.TemporaryDirectory() as folder:
        for peer in ["nats", "jetstream"]:
            process = start(folder, "wire", "--smoke", "--against", peer,
                            env={**os.environ, "PATH": folder})
            _, errors = process.communicate()
            assert process.returncode != 0, peer
            assert "there is no nats-server here: apt-get install nats-server" in errors, errors


def test_servers_die_with_the_bench():
    with tempfile.TemporaryDirectory() as folder:
        process = start(folder, "wire", "--seconds", 600, "--against", ",".join(PEERS))
        deadline = time.monotonic() + 60
        # kouan, nats-server twice, the null router, and the bench itself
        while len(processes_in(folder)) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(processes_in(folder)) == 5, processes_in(folder)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        while processes_in(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes_in(folder) == []


if __name__ == "__main__":
    run_tests()
