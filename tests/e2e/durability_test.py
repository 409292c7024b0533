"""What a receipt is worth: it is on disk, whatever ends the process, or it was not given."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from kouan_harness import (Server, Skip, WireClosed, WireError, encode_command, make_folder,
                           one_shard, run_tests, serve_command)
from provincial import (ONE_LOG, add, add_many, event, in_one_case, info, ledger, pipeline, plain_files,
                        read_group)

# All messages here are of one case, and so in one log, in their order.
add, add_many, event = map(in_one_case, (add, add_many, event))


class Journal:
    """A folder for a journal that outlives its servers."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-durability-"))
        self.path = self.folder / "journal"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, files=None, **more):
        return Server(files=files or plain_files(sync="commit"), journal=self.path, **more)

    def bytes(self):
        return b"".join(path.read_bytes() for path in sorted(self.path.glob(f"{ONE_LOG}/*.segment")))


def is_id(reply):
    return isinstance(reply, bytes)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


# ---- what ends the process ------------------------------------------------------------------------


def test_a_receipt_is_on_disk():
    with Journal() as journal:
        server = journal.server()
        with server.wire() as wire:
            ids = add_many(wire, range(300))
            assert all(map(is_id, ids))
            figures = info(wire, "journal")
            assert int(figures["writes"]) > 0 and int(figures["write_last_us"]) > 0, figures
            server.process.kill()
        server.kill()
        content = journal.bytes()
        assert all(event(n) in content for n in range(300))
        with journal.server() as server, server.wire() as wire:
            assert read_group(wire, "COUNT", 300) == [
                (ident, {b"body": event(n)}) for n, ident in enumerate(ids)]
            assert add_many(wire, range(300)) == ids  # replays still
            assert ledger(wire)["gap"] == 0


def test_an_acknowledgement_is_on_disk():
    """Deliveries are not: what was pending comes once more, first and in order."""
    with Journal() as journal:
        server = journal.server()
        with server.wire() as wire:
            ids = add_many(wire, range(100))
            read_group(wire, "COUNT", 60)
            settled = ids[:60:2]
            assert pipeline(wire, [("XACK", "all", "all", i) for i in settled]) == [1] * 30
            assert wire.call("XGROUP", "CREATE", "all", "late", ids[89]) == "OK"
            server.process.kill()
        server.kill()
        with journal.server() as server, server.wire() as wire:
            left = [i for i in ids if i not in settled]
            assert [i for i, _ in read_group(wire, "COUNT", 100)] == left
            assert [i for i, _ in read_group(wire, "COUNT", 100, group="late")] == ids[90:]
            account = ledger(wire)["outlets"][0]["groups"][0]
            assert account["acknowledged"] == 30 and account["pending"] == 70
            assert ledger(wire)["gap"] == 0


def test_a_dead_letter_and_what_it_settles_are_one():
    with Journal() as journal:
        dead = ("[{name: all, groups: [all], deliveries_max: 1, dead_letter: grave}, "
                "{name: grave, groups: [grave]}]")
        files = plain_files(dead, sync="commit")
        server = journal.server(files)
        with server.wire() as wire:
            ident = add(wire, 1)
            read_group(wire)
            assert read_group(wire, after="0") == []
            (buried, _), = read_group(wire, "BLOCK", 5000, destination="grave")
            server.process.kill()
        server.kill()
        with journal.server(files) as server, server.wire() as wire:
            assert read_group(wire) == []
            (again, fields), = read_group(wire, destination="grave")
            assert again == buried != ident and fields[b"body"] == event(1)
            assert ledger(wire)["gap"] == 0


def test_a_stop_writes_all():
    with Journal() as journal:
        with journal.server() as server, server.wire() as wire:
            ids = add_many(wire, range(50))
            read_group(wire, "COUNT", 50, "NOACK")
        with journal.server() as server, server.wire() as wire:
            assert read_group(wire, "COUNT", 50) == [] and add(wire, 7) == ids[7]
            account = ledger(wire)
            assert account["gap"] == 0 and account["outlets"][0]["groups"][0]["acknowledged"] == 50


def test_memory_has_no_files():
    with Journal() as journal:
        with journal.server(plain_files(sync="memory")) as server, server.wire() as wire:
            assert "sync: memory" in server.log and info(wire)["sync"] == "memory"
            assert is_id(add(wire, 1)) and not journal.path.exists()


# ---- whose it is ----------------------------------------------------------------------------------


def test_files_are_the_owners():
    with Journal() as journal:
        with journal.server() as server, server.wire() as wire:
            add(wire, 1)
            for path in [journal.path, *journal.path.rglob("*")]:
                assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_one_server_at_a_time():
    with Journal() as journal:
        with journal.server() as server, server.wire() as wire:
            folder = make_folder(plain_files(sync="commit"))
            said = subprocess.run(
                serve_command("-c", folder / "kouan.yaml", "--listen", "127.0.0.1:0", "--journal",
                              journal.path),
                capture_output=True, text=True, timeout=20)
            shutil.rmtree(folder)
            assert said.returncode == 1 and str(journal.path) in said.stderr, said
            assert is_id(add(wire, 1))


# ---- disks that fail ------------------------------------------------------------------------------


def test_a_failed_write_ends_it():
    """RLIMIT_FSIZE makes writes short, or fail: no receipt after the first."""
    with Journal() as journal:
        server = journal.server()
        got = []
        with server.wire() as wire:
            assert is_id(add(wire, 0))
            limit = 256 * 1024
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
            try:
                for n in range(1, 10000):
                    got.append(add(wire, n))
            except WireClosed:
                pass
        assert server.process.wait(15) == 1
        assert all(map(is_id, got)) and 20 < len(got) < 9999
        lines = [line for line in server.log.splitlines() if line.startswith("kouan serve: ")]
        server.kill()
        assert len(lines) == 1 and ".segment" in lines[0] and "the server ends" in lines[0], lines
        content = journal.bytes()
        assert all(event(n) in content for n in range(1, len(got) + 1))
        with journal.server() as server, server.wire() as wire:
            assert [add(wire, n) for n in range(1, len(got) + 1)] == got


class SmallDisk:
    """A file system of its own, in memory."""

    def __init__(self, size_bytes):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="kouan-disk-"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "kouan",
                           str(self.path)], capture_output=True).returncode != 0:
            self.path.rmdir()
            raise Skip("a small file system needs root")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.path)], check=False)
        self.path.rmdir()


def test_a_disk_that_gets_low():
    """Said while messages are still taken, and no longer than it is so."""
    with SmallDisk(28 << 20) as disk:
        with Server(files=plain_files(sync="commit"), journal=disk.path / "journal") as server, \
                server.wire() as wire:
            assert wire.call("KOUAN", "HEALTH")[0] == 0
            free = int(info(wire, "journal")["disk_free_bytes"])
            assert 16 << 20 <= free < 28 << 20, free
            for n in range(1000):
                assert is_id(wire.call("XADD", "in", "*", "body", event(n, pad="x" * 20000)))
                if any("MiB left" in line for line in list(server.lines)):
                    break
            server.wait_for_log("the disk of the journal .* has .* MiB left")
            sick, text = wire.call("KOUAN", "HEALTH")
            assert sick > 0 and b"are left on its disk, fewer than four segments" in text, text
            assert is_id(add(wire, 5000))
            subprocess.run(["mount", "-o", f"remount,size={64 << 20}", str(disk.path)], check=True)
            assert b"are left on its disk" not in wire.call("KOUAN", "HEALTH")[1]


def test_a_full_disk():
    """No room for a segment: TRYAGAIN; acknowledgements go on; room that returns is used."""
    one_shard("INFO does not say of which of several logs the journal has no room")
    with SmallDisk(20 << 20) as disk:
        with Server(files=plain_files(sync="commit"), journal=disk.path / "journal") as server, \
                server.wire() as wire, server.wire() as reader:
            def padded(number):
                return event(number, pad="x" * 20000)
            accepted, refused = [], None
            for n in range(4000):
                reply = wire.call("XADD", "in", "*", "body", padded(n))
                if not is_id(reply):
                    refused = reply
                    break
                accepted.append(reply)
            assert refused is not None and refused.word == "TRYAGAIN", refused
            server.wait_for_log("cannot make the next segment")
            sick, text = wire.call("KOUAN", "HEALTH")
            assert sick > 0 and b"no room for another segment" in text, text
            assert info(wire, "journal")["no_room_for_segment"] == "No space left on device"
            got = read_group(reader, "COUNT", 20)
            assert reader.call("XACK", "all", "all", *(i for i, _ in got)) == len(got)
            subprocess.run(["mount", "-o", f"remount,size={64 << 20}", str(disk.path)], check=True)
            wait_until(lambda: is_id(wire.call("XADD", "in", "*", "body", padded(len(accepted)))))
            server.wait_for_log("room for the journal again")
            journal = info(wire, "journal")
            assert journal["no_room_for_segment"] == "" and int(journal["writes"]) > 10
            assert journal["durable_position"] == journal["end_position"]
            assert ledger(wire)["gap"] == 0


def test_acknowledgements_make_do_with_what_a_full_disk_left_them():
    """Each by itself would be a block, and those would soon be more than is kept for them."""
    one_shard("the disk has no room for another segment of each log")
    with SmallDisk(20 << 20) as disk:
        with Server(files=plain_files(sync="commit"), journal=disk.path / "journal") as server, \
                server.wire() as wire, server.wire() as reader:
            number = 0
            while is_id(wire.call("XADD", "in", "*", "body", event(number, pad="x" * 20000))):
                number += 1
            server.wait_for_log("cannot make the next segment")
            ids = []
            while len(ids) < 400:
                ids += [ident for ident, _ in read_group(reader, "COUNT", 40)]
            before = int(info(wire, "journal")["end_position"])
            for ident in ids:
                reader.command("XACK", "all", "all", ident)
                time.sleep(0.003)
            assert [reader.read() for _ in ids] == [1] * len(ids)
            journal = info(wire, "journal")
            assert int(journal["end_position"]) - before < len(ids) * 4096 // 2
            assert journal["no_room_for_segment"] != ""


# ---- the head of a segment ------------------------------------------------------------------------


def test_groups_are_refused_when_too_little_would_be_left_for_each():
    """A quarter of a segment of 4 MiB holds what 409 groups have not acknowledged, 64 each."""
    groups = ", ".join(f"g{n}" for n in range(64))
    lines = ["sync: commit", "segment: 4MiB", "memory: 32MiB", "block: 64KiB", "message_max: 64KiB",
             "journal_size: 64MiB", "hold_bytes_max: 1MiB", "window_entries: 2048",
             "unroutable: all", "defaults: {backlog_max: 16, pending_max: 65}",
             "channels: [{name: in}]", "destinations:", "  - {name: all}",
             *(f"  - {{name: d{n}, groups: [{groups}]}}" for n in range(6))]
    with Journal() as journal:
        with journal.server({"kouan.yaml": "\n".join(lines) + "\n"}) as server, server.wire() as wire:
            for n in range(409 - 6 * 64):
                assert wire.call("XGROUP", "CREATE", "all", f"made{n}", "$") == "OK"
            refusal = wire.call("XGROUP", "CREATE", "all", "more", "$")
            assert isinstance(refusal, WireError) and "less than 64" in str(refusal), refusal
            assert wire.call("XGROUP", "DESTROY", "all", "made0") == 1
            assert wire.call("XGROUP", "CREATE", "all", "more", "$") == "OK"


if __name__ == "__main__":
    run_tests()
