"""The way in over several shards: whichever shard a connection lands on, identities are known to all,
and what belongs to one case goes to one log, in order."""

import json
import random
import tempfile
import time

from kouan_harness import Server, WireError, encode_command, run_tests
from provincial import (add, add_many, event, info, interchange, interchange_files, many_wires, message,
                        plain_files, pipeline, read_group, two_way_files)

SHARDS = ["--shards", "2"]
TOLD = "[{name: all, groups: [all], fields: [verdict]}]"


def log_of(ident):
    return int(ident.split(b"-")[1]) & 0xFF


def number_of(ident):
    return tuple(map(int, ident.split(b"-")))


def take_all(wires, destination="all", wanted=None, seconds=20):
    """What the group has, by whichever connection it comes, acknowledged: {id: fields}."""
    taken, until = {}, time.monotonic() + seconds
    while True:
        news = 0
        for wire in wires:
            for ident, fields in read_group(wire, "COUNT", 500, destination=destination):
                assert ident not in taken, ident
                taken[ident] = fields
                news += wire.call("XACK", destination, destination, ident)
        if news == 0 and (wanted is None or len(taken) >= wanted or time.monotonic() > until):
            return taken


def check_gaps(wires):
    for wire in wires:
        book = json.loads(wire.call("KOUAN", "LEDGER", "JSON"))
        assert book["gap"] == 0, book


def cases(numbers):
    return [("XADD", "in", "*", "body", event(n, keys={"order": f"case-{n % 23}"})) for n in numbers]


# ---- identities -------------------------------------------------------------------------------------


def test_a_message_is_one_over_all_connections():
    """Four connections send the same, each in an order of its own, all at once."""
    with Server(files=plain_files(), arguments=SHARDS) as server, many_wires(server, 4) as wires:
        orders = [random.Random(seed).sample(range(800), 800) for seed in range(4)]
        for wire, order in zip(wires, orders):
            wire.send(b"".join(encode_command(*command) for command in cases(order)))
        receipts = [dict(zip(order, [wire.read() for _ in order]))
                    for wire, order in zip(wires, orders)]
        for number in range(800):
            got = {receipt[number] for receipt in receipts}
            assert len(got) == 1 and isinstance(got.pop(), bytes), (number, receipts[0][number])
        assert {log_of(ident) for ident in receipts[0].values()} == {0, 1}
        assert set(take_all(wires)) == set(receipts[0].values())
        check_gaps(wires)


def encode(command):
    from kouan_harness import encode_command
    return encode_command(*command)


def test_verdicts_over_connections():
    with Server(files=plain_files(TOLD), arguments=SHARDS) as server, many_wires(server, 4) as wires:
        for number in range(40):
            ids = []
            for turn, members in enumerate([{}, {"note": "other"}, {"function": "change"}]):
                # Another body may have another key, and another log.
                members = {"keys": {"order": f"{number}-{turn % 2}"}, **members}
                got = {add(wire, number, **members) for wire in wires}
                assert len(got) == 1, (number, members, got)
                ids.append(got.pop())
            assert len(set(ids)) == 3, ids
        verdicts = [f[b"verdict"] for f in take_all(wires).values()]
        assert sorted(verdicts) == [b"amendment"] * 40 + [b"conflict"] * 40 + [b"fresh"] * 40
        check_gaps(wires)


def test_a_case_stays_in_one_log_and_in_order():
    with Server(files=plain_files(), arguments=SHARDS) as server, many_wires(server, 4) as wires:
        ids = pipeline(wires[0], cases(range(3000)))
        assert all(isinstance(ident, bytes) for ident in ids), ids
        for case in range(23):
            of_case = ids[case::23]
            assert len({log_of(ident) for ident in of_case}) == 1
            assert [number_of(i) for i in of_case] == sorted(number_of(i) for i in of_case)
        assert {log_of(ident) for ident in ids} == {0, 1}
        assert set(take_all(wires)) == set(ids)
        check_gaps(wires)


def test_large_messages_for_another_log():
    """So large that few are decided at a time: those behind go on when the other shard has them."""
    note = "x" * 200_000
    with Server(files=plain_files(memory="64MiB", sync="memory"), arguments=SHARDS) as server, \
            many_wires(server, 2) as wires:
        for wire in wires:  # one of the two is of the other shard
            for first in range(0, 200, 20):
                numbers = [f"{first + n}-{wires.index(wire)}" for n in range(20)]
                ids = add_many(wire, numbers, keys={"order": "one"}, note=note)
                assert all(isinstance(ident, bytes) for ident in ids), ids
                assert set(take_all([wire])) == set(ids)
        check_gaps(wires)


def test_who_consumes_does_not_wait_for_itself():
    """Whichever log has what it consumes."""
    files = two_way_files("backlog_max: 32", publish_wait="30s")
    with Server(files=files, arguments=SHARDS) as server, many_wires(server, 2) as wires:
        for turn, wire in enumerate(wires):
            read_group(wire, destination="slow")
            numbers = range(100 * turn, 100 * turn + 20)
            replies = add_many(wire, numbers, "SLOW", keys={"order": "one"})
            assert [is_told(r) for r in replies] == [False] * 16 + [True] * 4, replies
            taken = read_group(wire, destination="slow")
            assert wire.call("XACK", "slow", "slow", *(i for i, _ in taken)) == len(taken) == 16


def is_told(reply):
    return isinstance(reply, WireError) and reply.word == "TRYAGAIN"


# ---- interchanges -----------------------------------------------------------------------------------


def test_interchanges_over_connections():
    """Their messages go to several logs; all or nothing, and each is known wherever it comes again."""
    with Server(files=interchange_files(), arguments=SHARDS) as server, \
            many_wires(server, 4) as wires:
        for number in range(30):
            parts = [message("CUSDEC", f"{number}{i}") for i in range(1 + number % 7)]
            body = interchange(f"R{number}", *parts)
            receipts = {wire.call("XADD", "in", "*", "body", body) for wire in wires}
            assert len(receipts) == 1 and isinstance(receipts.pop(), bytes)
        wanted = sum(1 + number % 7 for number in range(30))
        assert len(take_all(wires, "customs", wanted)) == wanted
        refused = wires[1].call("XADD", "in", "*", "body", interchange(
            "X", message("CUSDEC", 1), message("TAXCON", 2)))
        assert isinstance(refused, WireError), refused
        assert take_all(wires, "customs") == {}
        twins = interchange("T", message("CUSDEC", 1), message("CUSDEC", 1))
        first = wires[0].call("XADD", "in", "*", "body", twins)
        assert isinstance(first, bytes) and wires[1].call("XADD", "in", "*", "body", twins) == first
        check_gaps(wires)


def test_conflicts_that_are_refused():
    """None of an interchange is written, in whichever logs its messages would be."""
    profile = ("profile: own-strict\nfamily: own\nformat: edifact\nrecognise: { type: CUSDEC }\n"
               "conflict: refuse\nfields:\n  message_type: UNH/2/1\n"
               "  message_id: { join: [UNB/5, UNH/1] }\nkeys:\n  entry: UNH/1\n")
    parts = [message("CUSDEC", n) for n in range(40)]
    other = message("CUSDEC", 7, b"FTX+AAA+++other'")
    with Server(files=interchange_files(profiles=profile), arguments=SHARDS) as server, \
            many_wires(server, 4) as wires:
        for at, wire in enumerate(wires):
            assert isinstance(wire.call("XADD", "in", "*", "body",
                                        interchange("R1", *parts[at:at + 10])), bytes)
        for wire in wires:
            refused = wire.call("XADD", "in", "*", "body", interchange("R1", *parts[20:], other))
            assert refused.word == "CONFLICT" and "(message 21 of 21, UNH 7)" in str(refused)
            twins = interchange("R1", *parts[20:30], parts[20], other)
            refused = wire.call("XADD", "in", "*", "body", twins)
            assert refused.word == "CONFLICT" and "(message 12 of 12, UNH 7)" in str(refused)
        taken = take_all(wires, "customs", 13)
        assert sorted(f[b"message_id"] for f in taken.values()) == sorted(
            b"R1+%d" % n for n in range(13)), taken
        assert {log_of(ident) for ident in taken} == {0, 1}
        assert isinstance(wires[2].call("XADD", "in", "*", "body",
                                        interchange("R1", *parts[13:], *parts[:5])), bytes)
        assert len(take_all(wires, "customs", 27)) == 27
        check_gaps(wires)


def test_the_largest_interchanges():
    with Server(files=interchange_files(), arguments=SHARDS) as server, \
            many_wires(server, 4) as wires:
        bodies = [interchange(f"R{n}", *(message("CUSDEC", k) for k in range(256)))
                  for n in range(6)]
        receipts = [pipeline(wire, (("XADD", "in", "*", "body", body) for body in bodies))
                    for wire in wires]
        assert all(receipt == receipts[0] for receipt in receipts), receipts
        taken = take_all(wires, "customs", 6 * 256)
        assert len(taken) == 6 * 256 and {log_of(ident) for ident in taken} == {0, 1}
        check_gaps(wires)


# ---- room -------------------------------------------------------------------------------------------


def test_senders_wait_for_room_at_any_log():
    files = two_way_files(slow="backlog_max: 16", publish_wait=20000)
    with Server(files=files, arguments=SHARDS) as server, many_wires(server, 4) as wires:
        with many_wires(server, 4) as readers:
            for at, wire in enumerate(wires):
                wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(
                    n, "SLOW")) for n in range(at * 100, at * 100 + 100)))
            taken = take_all(readers, "slow", wanted=400)
            ids = [wire.read() for wire in wires for _ in range(100)]
            assert set(ids) == set(taken), [str(i) for i in ids if not isinstance(i, bytes)][:3]
            check_gaps(readers)


def test_full_without_waiting_is_try_again():
    files = two_way_files(slow="backlog_max: 16", publish_wait=0)
    with Server(files=files, arguments=SHARDS) as server, many_wires(server, 2) as wires:
        replies = add_many(wires[0], range(200), "SLOW")
        kept = [reply for reply in replies if isinstance(reply, bytes)]
        assert len(kept) == 32, len(kept)  # 16 in each log
        assert all(str(r).startswith("TRYAGAIN") for r in replies if not isinstance(r, bytes))
        assert set(take_all(wires, "slow")) == set(kept)
        check_gaps(wires)


def test_what_is_dropped_and_what_is_diverted():
    grave = "  - {name: grave, groups: [grave], fields: [cause]}"
    slow = "backlog_max: 32, when_full: dead_letter, dead_letter: grave"  # 16 in each log
    fast = "backlog_max: 32, when_full: drop_oldest"
    with Server(files=two_way_files(slow, fast, grave), arguments=SHARDS) as server, \
            many_wires(server, 4) as wires:
        ids = [ident for at, wire in enumerate(wires)
               for ident in add_many(wire, range(at * 50, at * 50 + 50), "SLOW")]
        assert all(isinstance(ident, bytes) for ident in ids), ids
        kept, diverted = take_all(wires, "slow"), take_all(wires, "grave")
        assert 0 < len(kept) <= 64 and set(kept) | set(diverted) == set(ids), len(kept)
        assert not set(kept) & set(diverted)
        ids = [ident for at, wire in enumerate(wires)
               for ident in add_many(wire, range(at * 50, at * 50 + 50), "FAST")
               if isinstance(ident, bytes)]  # else too many were on their way at once
        kept = sorted(map(number_of, take_all(wires, "fast")))
        for log in range(2):
            of_log = sorted(number_of(ident) for ident in ids if log_of(ident) == log)
            here = [number for number in kept if number[1] & 0xFF == log]
            assert here and here == of_log[-len(here):], (log, here)
        check_gaps(wires)


# ---- a kill -----------------------------------------------------------------------------------------


def test_receipts_outlive_a_kill():
    with tempfile.TemporaryDirectory() as folder:
        options = {"files": plain_files(sync="commit"), "arguments": SHARDS,
                   "journal": f"{folder}/journal"}
        server = Server(**options)
        with many_wires(server, 2) as wires:
            ids = pipeline(wires[0], cases(range(1000)))
        server.kill()
        with Server(**options) as server, many_wires(server, 4) as wires:
            for wire in wires:
                assert pipeline(wire, cases(range(1000))) == ids
            new = pipeline(wires[3], cases(range(1000, 1200)))
            assert set(take_all(wires)) == set(ids) | set(new)
            check_gaps(wires)


def test_old_receipts_are_read_back_from_whichever_log_has_them():
    """More than memory holds: the first records are on the disk only."""
    files = plain_files(sync="commit")
    text = "x" * 20000
    with Server(files=files, arguments=SHARDS) as server, many_wires(server, 4) as wires:
        ids = {}
        for first in range(0, 3000, 100):
            numbers = range(first, first + 100)
            ids.update(zip(numbers, add_many(wires[0], numbers, text=text)))
            take_all(wires)
        for wire in wires:
            for number in range(0, 200, 7):
                assert add(wire, number, text=text) == ids[number], number
        assert sum(int(info(wire)["recall_reads"]) for wire in wires) > 0
        assert take_all(wires) == {}
        check_gaps(wires)


if __name__ == "__main__":
    run_tests()
