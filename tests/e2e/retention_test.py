"""Which segments of the journal go, and what is carried on from them before."""

import contextlib
import pathlib
import re
import shutil
import tempfile
import time

from kouan_harness import Server, run_tests
from provincial import (ONE_LOG, add, add_many, in_one_case, info, ledger, pipeline, read_group, release,
                        two_way_files)

# All messages here are of one case, and so in one log, in their order.
add, add_many = map(in_one_case, (add, add_many))

MIB = 1024 * 1024
SIZE = 40_000  # of a message that only fills the journal


@contextlib.contextmanager
def journal_folder():
    folder = tempfile.mkdtemp(prefix="kouan-journal-")
    try:
        yield pathlib.Path(folder) / "journal"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def files(journal, **options):
    """Small segments; all that is not needed goes as soon as it may."""
    options = {"sync": "commit", "journal": journal, "segment": "4MiB", "journal_size": "32MiB",
               "block": "64KiB", "message_max": "64KiB", "retain_time": "0s", "window_span": "1s",
               **options}
    return two_way_files(**options)


def padded(number, message_type="FAST"):
    head = b'{"messageType":"%s","messageId":"%d","keys":{"order":"1"},"note":"' % (
        message_type.encode(), number)
    return head + b"x" * (SIZE - len(head) - 2) + b'"}'


def fill(wire, first, count):
    """So many messages to `fast`, read and acknowledged as they come."""
    for n in range(first, first + count, 25):
        ids = pipeline(wire, [("XADD", "in", "*", "body", padded(i)) for i in range(n, n + 25)])
        assert all(isinstance(ident, bytes) for ident in ids), ids
        read = read_group(wire, "COUNT", 100, destination="fast")
        assert [ident for ident, _ in read] == ids
        assert wire.call("XACK", "fast", "fast", *ids) == 25


def segments(journal):
    return sorted(path for path in (journal / ONE_LOG).glob("*.segment"))


def numbers(journal):
    return [int(path.stem, 16) for path in segments(journal) if "spare" not in path.name]


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_needed_is_carried_on():
    """A few stuck messages, traffic that goes round the journal several times, a crash."""
    with journal_folder() as journal:
        with Server(files=files(journal)) as server, server.wire() as wire:
            stuck = add_many(wire, range(1000, 1008), "SLOW")
            first = read_group(wire, "COUNT", 5, destination="slow")
            assert wire.call("XACK", "slow", "slow", stuck[1], stuck[3]) == 2
            for n in range(4):  # 120 MB
                fill(wire, n * 750, 750)
                assert sum(path.stat().st_size for path in segments(journal)) <= 36 * MIB
            wait_until(lambda: numbers(journal)[0] > 20)
            assert read_group(wire, destination="slow", after="0") == \
                [first[0], first[2], first[4]]
            assert int(info(wire)["copied_forward"]) >= 6
            bodies = dict(first) | dict(read_group(wire, destination="slow"))
            assert ledger(wire)["gap"] == 0
            server.kill()
        left = [stuck[0], stuck[2], *stuck[4:]]
        for _ in range(2):  # a start that nobody reads from, then one that is read from
            with Server(files=files(journal)) as server, server.wire() as wire:
                assert ledger(wire)["gap"] == 0
        with Server(files=files(journal)) as server, server.wire() as wire:
            assert read_group(wire, destination="slow") == [(i, bodies[i]) for i in left]
            assert read_group(wire, destination="fast") == []
            assert wire.call("XACK", "slow", "slow", *left) == len(left)
            assert ledger(wire)["gap"] == 0
        with Server(files=files(journal)) as server, server.wire() as wire:
            assert read_group(wire, destination="slow") == []


def test_what_is_held_is_carried_on():
    rules = "id,message_type,to,action,note\nhold,SLOW,slow,hold,why not\nfast,FAST,fast,deliver,\n"
    with journal_folder() as journal:
        settings = files(journal) | {"rules.csv": rules}
        with Server(files=settings) as server, server.wire() as wire:
            held = add_many(wire, range(3), "SLOW")
            fill(wire, 0, 1500)
            wait_until(lambda: numbers(journal)[0] > 8)
            assert release(wire, held[1]) == 1
            released, = read_group(wire, destination="slow")
            assert b'"m-1"' in released[1][b"body"]
            server.kill()
        with Server(files=settings) as server, server.wire() as wire:
            assert read_group(wire, destination="slow") == [released]
            assert wire.call("KOUAN", "RELEASE", held[1]) == 0
            assert release(wire, held[2]) == 1
            again, = read_group(wire, destination="slow")
            assert b'"m-2"' in again[1][b"body"] and ledger(wire)["gap"] == 0


def test_retention_is_not_shorter_than_the_window():
    """As long as there is any room, the journal keeps what dedupe compares with."""
    with journal_folder() as journal:
        with Server(files=files(journal, window_span="1h")) as server, server.wire() as wire:
            old = add(wire, 0, "SLOW")
            fill(wire, 0, 250)  # 10 MB
            time.sleep(1.5)
            assert numbers(journal)[0] == 0 and add(wire, 0, "SLOW") == old
            assert "window_span" not in server.log
            # And when there is none, that is said, and traffic goes on.
            fill(wire, 1000, 1000)
            server.wait_for_log("so dedupe forgets messages after .* raise journal_size")
            sick, text = wire.call("KOUAN", "HEALTH")
            assert sick > 0 and b"dedupe has forgotten messages before window_span" in text, text
            assert numbers(journal)[0] > 0 and len(numbers(journal)) <= 8


def test_retain_time():
    with journal_folder() as journal:
        with Server(files=files(journal, retain_time="2s")) as server, server.wire() as wire:
            fill(wire, 0, 400)  # 16 MB
            begun = time.monotonic()
            assert numbers(journal)[0] == 0
            wait_until(lambda: numbers(journal)[0] > 0)  # though nothing comes any more
            assert time.monotonic() - begun > 1
            assert "forgets" not in server.log and wire.call("KOUAN", "HEALTH")[0] == 0


def test_a_stuck_group_and_a_full_journal():
    """journal_size holds what the stuck group needs, and what others send goes round it: only who
    sends to the stuck one is told so, and why; before that the server warns."""
    with journal_folder() as journal:
        slow = "backlog_bytes_max: 8MiB, when_full: tryagain"
        settings = two_way_files(slow, sync="commit", journal=journal, segment="4MiB",
                                 journal_size="32MiB", block="64KiB", message_max="64KiB",
                                 retain_time="0s", window_span="1s")
        with Server(files=settings) as server, server.wire() as wire:
            kept, refused = fill_until_refused(wire, server)
            assert refused.word == "TRYAGAIN" and "destination slow is full" in str(refused)
            fill(wire, 10_000, 3000)  # 120 MB
            wait_until(lambda: numbers(journal)[0] > 20)
            sick, text = wire.call("KOUAN", "HEALTH")
            assert sick > 0 and re.search(rb"^(shard \d: )?slow: ", text, re.MULTILINE), text
            assert publish_slow(wire, len(kept)) == refused
            server.kill()
        with Server(files=settings) as server, server.wire() as wire:
            assert publish_slow(wire, len(kept)) == refused
            got = []
            while len(got) < len(kept):
                read = read_group(wire, "COUNT", 50, destination="slow")
                got += [ident for ident, _ in read]
                assert wire.call("XACK", "slow", "slow", *(i for i, _ in read)) == len(read) > 0
            assert got == kept and isinstance(publish_slow(wire, len(kept)), bytes)
            assert len(read_group(wire, destination="slow")) == 1
            fill(wire, 20_000, 500)
            wait_until(lambda: wire.call("KOUAN", "HEALTH")[0] == 0)
            assert ledger(wire)["gap"] == 0


def publish_slow(wire, number):
    return wire.call("XADD", "in", "*", "body", padded(number, "SLOW"))


def fill_until_refused(wire, server):
    """To `slow`, which nobody reads. The ids, and what was said in the end."""
    kept = []
    while True:
        reply = publish_slow(wire, len(kept))
        if not isinstance(reply, bytes):
            server.wait_for_log("destination slow is .* full.*its slowest group is slow")
            return kept, reply
        kept.append(reply)


def test_what_is_given_up_by_name_stays_so():
    """Where destinations are full and drop, or bury, that is in the journal, too."""
    with journal_folder() as journal:
        settings = two_way_files("backlog_max: 16, when_full: drop_oldest",
                                 "backlog_max: 16, when_full: dead_letter, dead_letter: grave",
                                 "  - {name: grave, groups: [grave], fields: [cause]}", sync="commit",
                                 journal=journal, segment="4MiB", journal_size="64MiB")
        with Server(files=settings) as server, server.wire() as wire:
            slow = [add(wire, n, "SLOW") for n in range(40)]
            fast = add_many(wire, range(100, 140), "FAST")
            books = ledger(wire)["outlets"]
            server.kill()
        for _ in range(2):
            with Server(files=settings) as server, server.wire() as wire:
                got = [i for i, _ in read_group(wire, "COUNT", 99, destination="slow")]
                assert got == slow[24:], [slow.index(i) for i in got]
                assert [i for i, _ in read_group(wire, "COUNT", 99, destination="fast")] == fast[:16]
                assert [i for i, _ in read_group(wire, "COUNT", 99, destination="grave")] == fast[16:]
                assert [outlet["groups"][0]["dropped"] for outlet in ledger(wire)["outlets"]] == \
                    [outlet["groups"][0]["dropped"] for outlet in books]
                assert ledger(wire)["gap"] == 0
                server.kill()


if __name__ == "__main__":
    run_tests()
