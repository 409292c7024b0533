"""Several shards: their threads and logs, how connections are spread, start and stop."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import threading
import time

from kouan_harness import (Server, WireClosed, encode_command, make_folder, run_kouan,
                           run_tests)
from provincial import add_many, event, many_wires, plain_files


def thread_names(server):
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()
    return sorted((task / "comm").read_text().strip() for task in tasks)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def clients_of_shards(wire):
    """How many connections each shard has, by its number."""
    lines = re.findall(r"shard_(\d+):clients=(\d+)", wire.call("INFO", "shards").decode())
    assert [int(number) for number, _ in lines] == list(range(len(lines)))
    return [int(clients) for _, clients in lines]


def journal_files(folder, number):
    return sorted(path.name for path in (folder / number).glob("0*.segment"))


def test_each_shard_is_a_thread_and_connections_are_spread():
    for listen in "127.0.0.1:0", "unix":
        with Server(files=plain_files(), listen=listen, shards=3) as server:
            assert {"kouan-1", "kouan-2"} <= set(thread_names(server)), thread_names(server)
            with many_wires(server, 6) as wires:
                assert all(wire.call("PING") == "PONG" for wire in wires)
                assert all(clients_of_shards(wire) == [2] * 3 for wire in wires)
                wires[4].close()
                wait_until(lambda: sorted(clients_of_shards(wires[1])) == [1, 2, 2])
                with server.wire() as another:  # has the place of the one that left
                    assert another.call("PING") == "PONG"
                    assert clients_of_shards(wires[1]) == [2] * 3


def processors_of_threads(server):
    """Of the shards' threads, by name: what each may run on."""
    allowed = {}
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if task.name == str(server.process.pid) or re.fullmatch(r"kouan-\d+", name):
            allowed[name] = os.sched_getaffinity(int(task.name))
    return allowed


def test_pinned_threads_stay_on_processors_of_their_own():
    everywhere = os.sched_getaffinity(0)
    for pin in "none", "auto":
        files = plain_files()
        files[next(iter(files))] += f"\npin: {pin}\n"
        with Server(files=files, shards=2) as server:
            allowed = processors_of_threads(server)
            assert set(allowed) == {"kouan", "kouan-1"}, allowed
            for number, name in enumerate(["kouan", "kouan-1"]):
                own = {sorted(everywhere)[number % len(everywhere)]}
                assert allowed[name] == (own if pin == "auto" else everywhere), allowed


def answers(server):
    """Is there room for one connection more?"""
    with server.wire() as wire:
        try:
            return wire.call("PING") == "PONG"
        except (WireClosed, ConnectionError):
            return False


def test_a_connection_too_many_is_closed():
    files = plain_files()
    name = next(iter(files))
    files[name] += "\nconnections_max: 32\n"
    with Server(files=files, shards=2) as server, many_wires(server, 32) as wires:
        assert all(wire.call("PING") == "PONG" for wire in wires)
        with server.wire() as late:
            late.expect_closed()
        wires[0].close()
        wait_until(lambda: answers(server))  # its shard has to see first that it left


def test_a_journal_keeps_its_number_of_shards():
    folder = make_folder(plain_files())
    journal = folder / "journal"
    try:
        with Server(files=plain_files(), journal=journal, shards=2) as server:
            with many_wires(server, 2) as wires:
                for n, wire in enumerate(wires):
                    assert wire.call("XGROUP", "CREATE", "all", f"group-{n}", "$") == "OK"
        files = {number: journal_files(journal, number) for number in ("00", "01")}
        assert any(files.values()), files
        for shards in 1, 3, 4:
            process = run_kouan("serve", "-c", folder / "kouan.yaml", "--journal", journal,
                                "--listen", "127.0.0.1:0", "--shards", shards)
            assert process.returncode == 1, (process.returncode, process.stderr)
            assert "number of shards that wrote it" in process.stderr, process.stderr
        with Server(files=plain_files(), journal=journal, shards=2) as server:
            server.wait_for_log(r"recovered in .* [12] of [12] segments|recovered in .* groups")
            with server.wire() as wire:
                assert wire.call("XGROUP", "DESTROY", "all", "group-0") == 1
    finally:
        shutil.rmtree(folder)


def test_the_tools_read_all_logs():
    folder = make_folder(plain_files())
    journal = folder / "journal"
    try:
        with Server(files=plain_files(), journal=journal, shards=2) as server:
            with many_wires(server, 2) as wires:
                for n, wire in enumerate(wires):
                    assert wire.call("XGROUP", "CREATE", "all", f"group-{n}", "$") == "OK"
        assert all(journal_files(journal, number) for number in ("00", "01"))
        for what in "info", "verify":
            said = run_kouan("journal", what, journal)
            assert said.returncode == 0, said.stderr
            assert re.findall(r"^log (..)$", said.stdout, re.MULTILINE) == ["00", "01"]
            said = run_kouan("journal", what, journal, "--json")
            assert [json.loads(line)["log"] for line in said.stdout.splitlines()] == [0, 1]
        said = run_kouan("journal", "show", journal, "--json")
        groups = [json.loads(line).get("group") for line in said.stdout.splitlines()]
        assert {"group-0", "group-1"} <= set(groups), said.stdout
        assert run_kouan("journal", "export", journal).returncode == 0
        assert run_kouan("trace", "--journal", journal, "1-1").returncode == 1
        damaged = journal / "01" / journal_files(journal, "01")[0]
        content = bytearray(damaged.read_bytes())
        content[4096 + 200] ^= 1
        damaged.write_bytes(content)
        assert run_kouan("journal", "verify", journal).returncode == 1
        said = run_kouan("journal", "repair", journal, folder / "repaired")
        assert said.returncode == 1 and "nothing is lost" in said.stdout.split("log 01")[0]
        with Server(files=plain_files(), journal=folder / "repaired", shards=2) as server:
            server.wait_for_log("recovered in")
    finally:
        shutil.rmtree(folder)


def test_replays_get_their_first_receipt_after_a_restart():
    """By whichever connection they come, and whichever log and window they belong to."""
    folder = make_folder(plain_files())
    journal = folder / "journal"
    try:
        receipts = []
        for end in "stop", "kill", "stop":
            with Server(files=plain_files(), journal=journal, shards=3) as server:
                with many_wires(server, 3) as wires:
                    for turn in range(3):
                        first = len(receipts) if turn == 0 else 0
                        got = add_many(wires[turn], range(first, first + 200))
                        assert all(isinstance(receipt, bytes) for receipt in got), got
                        if turn == 0:
                            assert not set(got) & set(receipts)
                            receipts += got
                        else:
                            assert got == receipts[:200]
                if end == "kill":
                    server.kill()
        logs = {int(receipt.split(b"-")[1]) % 256 for receipt in receipts}
        assert logs == {0, 1, 2}, "messages of many keys lie in all logs"
        for receipt in receipts[0], receipts[-1]:
            said = run_kouan("trace", "--journal", journal, receipt.decode())
            assert said.returncode == 0 and receipt.decode() in said.stdout, said.stderr
        said = run_kouan("journal", "export", journal)
        assert said.stderr.startswith("600 messages"), said.stderr
        assert run_kouan("audit", "replay", journal, "-q").returncode == 0
        assert run_kouan("journal", "verify", journal, "-q").returncode == 0
    finally:
        shutil.rmtree(folder)


def test_after_a_kill_who_reads_without_a_group_sees_what_was_seen_before():
    folder = make_folder({})
    try:
        with Server(files=plain_files(), journal=folder / "journal", shards=4) as server, \
                server.wire() as wire:
            receipts = add_many(wire, range(100))
            before = wire.call("XRANGE", "all", "-", "+")
            assert [ident for ident, _ in before] == sorted(
                receipts, key=lambda receipt: [int(part) for part in receipt.split(b"-")])
            server.kill()
        with Server(files=plain_files(), journal=folder / "journal", shards=4) as server, \
                server.wire() as wire:
            assert wire.call("XRANGE", "all", "-", "+") == before
            (_, after), = wire.call("XREAD", "STREAMS", "all", "0")
            assert after == before
    finally:
        shutil.rmtree(folder)


def test_what_had_a_receipt_before_the_stop_is_kept():
    folder = make_folder(plain_files())
    journal = folder / "journal"
    receipts = {}
    try:
        with Server(files=plain_files(), journal=journal, shards=4) as server:
            with many_wires(server, 8) as wires:
                threads = [threading.Thread(target=publish_on, args=(wire, n, receipts))
                           for n, wire in enumerate(wires)]
                for thread in threads:
                    thread.start()
                time.sleep(0.5)
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(15) == 0
                for thread in threads:
                    thread.join()
            server.kill()
        assert len(receipts) > 100
        with Server(files=plain_files(), journal=journal, shards=4) as server:
            with server.wire() as wire:
                names = sorted(receipts)
                assert add_many(wire, names) == [receipts[name] for name in names]
    finally:
        shutil.rmtree(folder)


def publish_on(wire, number, receipts):
    """Until the server ends it."""
    try:
        for first in range(0, 1000000, 20):
            names = [f"{number}-{first + n}" for n in range(20)]
            wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(name))
                               for name in names))
            for name in names:
                receipt = wire.read()
                if isinstance(receipt, bytes):
                    receipts[name] = receipt
    except (WireClosed, OSError):
        pass


def change_groups(name, count):
    """Commands that each write to a log."""
    return [("XGROUP", "CREATE" if n % 2 == 0 else "DESTROY", "all", name, *["$"][:1 - n % 2])
            for n in range(count)]


def test_the_failure_of_one_log_ends_all():
    with Server(files=plain_files(), shards=2) as server, many_wires(server, 4) as wires:
        assert wires[1].call("XGROUP", "CREATE", "all", "first", "$") == "OK"
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            for command in change_groups("group", 10000):
                wires[1].call(*command)
        except (WireClosed, OSError):
            pass
        assert server.process.wait(15) == 1
        lines = [line for line in server.log.splitlines() if line.startswith("kouan serve: ")]
        server.kill()
        assert len(lines) == 1 and ".segment" in lines[0] and "the server ends" in lines[0], lines


def test_stops_under_load():
    for number in signal.SIGTERM, signal.SIGINT:
        with Server(files=plain_files(), shards=4) as server, many_wires(server, 8) as wires:
            for n, wire in enumerate(wires):
                commands = change_groups(f"group-{n}", 200)
                wire.send(b"".join(encode_command(*command) for command in commands))
            server.process.send_signal(number)
            assert server.process.wait(10) == 0
            assert "stopped" in server.log


def test_is_told_to_stop_again_and_again():
    """Also while it closes, shard by shard."""
    for _ in range(5):
        server = Server(files=plain_files(sync="commit"), shards=3)
        with server.wire() as wire:
            add_many(wire, range(50))
        while server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
        server.stop()



if __name__ == "__main__":
    run_tests()
