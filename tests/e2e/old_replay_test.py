"""Replays, conflicts and amendments of messages that memory no longer holds: their first is read back
from the journal before they are answered."""

import pathlib
import random
import tempfile
import threading

from kouan_harness import Server, encode_command, run_tests
from provincial import ONE_LOG, event, in_one_case

# All messages here are of one case, and so in one log, in their order.
event = in_one_case(event)

SEGMENT_BYTES = 4 * 1024 * 1024
CONFIG = """
channels: [{name: in}]
destinations: [{name: all, fields: [verdict], retain_bytes: 8MiB}]
unroutable: all
memory: 32MiB
segment: 4MiB
recall_memory: 4MiB
block: 64KiB
sync: commit
journal: journal
"""
MESSAGES = 2400
FILLING = "x" * 20000  # so that they are half as much again as the memory


def body(number, **members):
    return event(number, filling=FILLING, **members)


def publish(wire, bodies):
    """All in one pipeline; the replies."""
    def send():
        for each in bodies:
            wire.send(encode_command("XADD", "in", "*", "body", each))
    sender = threading.Thread(target=send)
    sender.start()
    replies = [wire.read() for _ in bodies]
    sender.join()
    return replies


def fill(wire):
    ids = publish(wire, [body(n) for n in range(MESSAGES)])
    assert len(set(ids)) == MESSAGES and all(isinstance(i, bytes) for i in ids), ids[:3]
    return ids


def test_old_replays_get_the_first_receipt():
    with Server(files={"kouan.yaml": CONFIG}) as server, server.wire() as wire:
        ids = fill(wire)
        assert wire.call("XADD", "in", "*", "body", body(0)) == ids[0]
        chosen = [random.Random(7).randrange(MESSAGES) for _ in range(600)]
        assert publish(wire, [body(n) for n in chosen]) == [ids[n] for n in chosen]
        # From several connections, the same ones at the same time.
        with server.wire() as second:
            numbers = list(range(100))
            results = [None, None]
            threads = [threading.Thread(target=lambda k, w: results.__setitem__(
                k, publish(w, [body(n) for n in numbers])), args=(k, w))
                for k, w in enumerate((wire, second))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert results == [ids[:100], ids[:100]]


def test_old_conflicts_and_amendments():
    with Server(files={"kouan.yaml": CONFIG}) as server, server.wire() as wire:
        ids = fill(wire)
        # Each asked before its first was read, and its replays right behind it.
        bodies = [each for n in range(50) for each in
                  (body(n, note="other"), body(n), body(n, note="other"),
                   body(n, function="change"), body(n, function="change"), body(MESSAGES + n))]
        replies = publish(wire, bodies)
        for n in range(50):
            conflict, replay, again, amendment, amended, fresh = replies[6 * n:6 * n + 6]
            assert replay == ids[n], (n, replay)
            assert conflict == again and amendment == amended, (n, conflict, again)
            assert len({conflict, amendment, fresh, *ids}) == MESSAGES + 3
        for n in range(50):
            for k, verdict in ((0, b"conflict"), (3, b"amendment"), (5, b"fresh")):
                (_, fields), = wire.call("XRANGE", "all", replies[6 * n + k], replies[6 * n + k])
                assert fields[fields.index(b"verdict") + 1] == verdict, (n, k, fields[2:])


def test_the_first_to_come_is_the_first_to_be_decided():
    """Many copies of new bodies under old ids, that come while the first copy waits for the disk."""
    with Server(files={"kouan.yaml": CONFIG}) as server, server.wire() as wire:
        fill(wire)
        with server.wire() as second:
            for n in range(60):
                copy = encode_command("XADD", "in", "*", "body", body(n * 7, note="late"))
                for _ in range(12):
                    wire.send(copy)
                    second.send(copy)
                replies = {each.read() for each in (wire, second) for _ in range(12)}
                assert len(replies) == 1 and all(isinstance(r, bytes) for r in replies), replies


def test_the_window_is_back_after_a_start():
    with tempfile.TemporaryDirectory(prefix="kouan-e2e-") as folder:
        journal = pathlib.Path(folder) / "journal"
        files = {"kouan.yaml": CONFIG.replace("journal: journal", f"journal: {journal}")}
        with Server(files=files) as server, server.wire() as wire:
            ids = fill(wire)
        segments = sorted(journal.glob(f"{ONE_LOG}/*.segment"))
        sidecars = sorted(journal.glob(f"{ONE_LOG}/*.identities"))
        # Where a segment fills before the one before it has its sidecar, it gets none.
        assert len(sidecars) > 4 and len(segments) > 8, (len(sidecars), len(segments))
        for harm in range(2):  # at the second start one is missing, and one is not as it was
            if harm:
                sidecars[1].unlink()
                content = bytearray(sidecars[3].read_bytes())
                content[5000] ^= 1
                sidecars[3].write_bytes(content)
            with Server(files=files) as server, server.wire() as wire:
                assert publish(wire, [body(n) for n in range(MESSAGES)]) == ids


def test_what_cannot_be_read_is_never_fresh():
    with Server(files={"kouan.yaml": CONFIG}) as server, server.wire() as wire:
        ids = fill(wire)
        first = min(server.folder.glob(f"journal/{ONE_LOG}/*.segment"))
        content = bytearray(first.read_bytes())
        for at in range(SEGMENT_BYTES // 4, SEGMENT_BYTES // 2, 4096):
            content[at + 100] ^= 1
        with open(first, "r+b") as file:
            file.write(content)
        per_segment = SEGMENT_BYTES // (len(body(0)) + 300)
        replies = publish(wire, [body(n) for n in range(per_segment)])
        refused = [r for r in replies if str(r).startswith("TRYAGAIN the journal cannot be read")]
        assert len(refused) > per_segment // 8, (len(refused), replies[:3])
        assert all(r == ids[n] or r in refused for n, r in enumerate(replies))
        server.wait_for_log("ALARM: the block at offset .* is not as it was written", 5)
        # All others are served as before.
        assert wire.call("XADD", "in", "*", "body", body(MESSAGES - 1)) == ids[-1]
        assert wire.call("XADD", "in", "*", "body", body(per_segment * 2)) == ids[per_segment * 2]


if __name__ == "__main__":
    run_tests()
