"""Old records: what memory no longer holds is read back from the journal's files, in order and
whole, for every command that shows messages; and who reads new ones goes on."""

import socket
import threading
import time

from kouan_harness import Server, WireError, encode_command, run_tests
from provincial import (ONE_LOG, entries, info, ledger, many_wires, pipeline, read_group, release,
                        two_way_files)

MEMORY = 32 * 1024 * 1024
SIZE = 16 * 1024
COUNT = 2 * MEMORY // SIZE + 500  # twice what memory holds, and more


def old_files(slow="", fast="", more="", **options):
    """As two_way_files, with the least memory and a journal on disk."""
    return two_way_files(slow, fast, more, **{
        "sync": "commit", "memory": MEMORY, "segment": "8MiB", "block": "256KiB",
        "recall_memory": "8MiB", **options})


def body_of(number, message_type="SLOW", case=None):
    """A message of about SIZE bytes that only this number has; of one case if not told which."""
    keys = b'"keys":{"order":"%d"},' % (1 if case is None else case)
    head = b'{"messageType":"%s","messageId":"%d",%s"note":"%08x' % (
        message_type.encode(), number, keys, number * 2654435761 % 2**32)
    return head + b"x" * (SIZE - len(head) - 2) + b'"}'


def publish(wire, numbers, message_type="SLOW", cases=None):
    ids, numbers = [], list(numbers)
    for start in range(0, len(numbers), 100):
        ids += pipeline(wire, [
            ("XADD", "in", "*", "body", body_of(n, message_type, n % cases if cases else None))
            for n in numbers[start:start + 100]])
    assert all(isinstance(ident, bytes) for ident in ids), ids[-1]
    return ids


def push_out(wire):
    """Publishes so much elsewhere that memory holds nothing of what was before."""
    publish(wire, range(10**6, 10**6 + COUNT), "FAST")


def check(got, ids, numbers, message_type="SLOW"):
    """These messages, in this order, byte for byte."""
    assert [ident for ident, _ in got] == ids, (len(got), len(ids))
    for (_, fields), number in zip(got, numbers):
        assert fields[b"body"] == body_of(number, message_type), number


def read_on(wire, group, consumer="c", count=100):
    return entries(wire.call("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "BLOCK", 5000,
                             "STREAMS", group, ">"))


def read_all(wire, group, count, consumer="c"):
    """Reads and acknowledges until so many came; replies may have fewer than COUNT."""
    got = []
    while len(got) < count:
        some = read_on(wire, group, consumer)
        assert some, f"{len(got)} of {count}"
        got += some
        assert wire.call("XACK", group, group, *[i for i, _ in some]) == len(some)
    return got


def items_of(reply):
    return [(ident, dict(zip(fields[::2], fields[1::2]))) for ident, fields in reply]


def wait_until(condition):
    while not condition():  # the test's own deadline ends it
        time.sleep(0.01)


def was_read_back(wire):
    assert int(info(wire, "recall")["recall_read_bytes"]) > 0
    assert int(info(wire, "recall")["recall_failures"]) == 0
    assert ledger(wire)["gap"] == 0


# ---- groups ---------------------------------------------------------------------------------------


def test_a_lagging_group_gets_everything_in_order():
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(COUNT))
        check(read_all(wire, "slow", COUNT), ids, range(COUNT))
        assert read_group(wire, destination="slow") == []
        was_read_back(wire)
        assert int(info(wire, "recall")["recall_read_bytes"]) > MEMORY
        assert int(info(wire, "recall")["recall_reads"]) < COUNT / 8, "each by itself"


def test_live_and_lagging_groups_side_by_side():
    """One group is behind by twice the memory while both go on growing."""
    with Server(files=old_files()) as server, server.wire() as wire, server.wire() as live, \
            server.wire() as lagging:
        ids = {"SLOW": publish(wire, range(COUNT)), "FAST": []}
        got = {"SLOW": [], "FAST": []}

        def consume(of, message_type):
            group = message_type.lower()
            while len(got[message_type]) < COUNT:
                got[message_type] += read_all(of, group, 1)

        readers = [threading.Thread(target=consume, args=arguments)
                   for arguments in ((live, "FAST"), (lagging, "SLOW"))]
        for reader in readers:
            reader.start()
        for start in range(0, COUNT, 100):
            ids["FAST"] += publish(wire, range(start, min(start + 100, COUNT)), "FAST")
        for reader in readers:
            reader.join()
        check(got["SLOW"], ids["SLOW"], range(COUNT))
        check(got["FAST"], ids["FAST"], range(COUNT), "FAST")
        was_read_back(wire)


def test_several_consumers_share_what_is_old():
    """Those of one group, each blocked or busy in turn, get every message once."""
    consumers = 5
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(COUNT))
        got, lock = {}, threading.Lock()

        def consume(name):
            with server.wire() as own:
                while len(got) < COUNT:
                    some = entries(own.call("XREADGROUP", "GROUP", "slow", name, "COUNT", 7,
                                            "BLOCK", 200, "STREAMS", "slow", ">"))
                    with lock:
                        for ident, fields in some:
                            assert ident not in got
                            got[ident] = fields[b"body"]
                    if some:
                        own.call("XACK", "slow", "slow", *[i for i, _ in some])

        readers = [threading.Thread(target=consume, args=(f"c{n}",)) for n in range(consumers)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        assert [got[ident] for ident in ids] == [body_of(n) for n in range(COUNT)]
        was_read_back(wire)


def test_by_case_the_order_of_old_entries_holds():
    cases = 30
    files = old_files()
    files["kouan.yaml"] = files["kouan.yaml"].replace("[slow]", "[{name: slow, order: case}]")
    with Server(files=files) as server, server.wire() as wire, server.wire() as two:
        publish(wire, range(COUNT), cases=cases)
        seen, owners = {}, ((wire, "one"), (two, "two"))
        total = 0
        while total < COUNT:
            for of, name in owners:
                some = read_on(of, "slow", name, 40)
                for ident, fields in some:
                    number = int(fields[b"body"].split(b'"messageId":"')[1].split(b'"')[0])
                    assert seen.get(number % cases, -1) < number, "overtaken"
                    seen[number % cases] = number
                total += len(some)
                if some:
                    of.call("XACK", "slow", "slow", *[i for i, _ in some])
        was_read_back(wire)


def test_a_blocked_reader_is_served_with_what_is_old():
    """It stands at pending_max; an acknowledgement lets it go on, to a record on disk."""
    with Server(files=old_files("pending_max: 2")) as server, server.wire() as wire, \
            server.wire() as reader:
        ids = publish(wire, range(6))
        push_out(wire)
        check(read_on(wire, "slow"), ids[:2], range(2))
        reader.send(encode_command("XREADGROUP", "GROUP", "slow", "other", "COUNT", 1, "BLOCK",
                                   5000, "STREAMS", "slow", ">"))
        reader.expect_silence()
        assert wire.call("XACK", "slow", "slow", ids[0]) == 1
        check(entries(reader.read()), ids[2:3], [2])
        was_read_back(wire)


def test_several_destinations_in_one_read():
    with Server(files=old_files()) as server, server.wire() as wire:
        slow = publish(wire, range(50))
        publish(wire, range(3, COUNT), "FAST")
        assert wire.call("XGROUP", "CREATE", "slow", "both", "0") == "OK"
        assert wire.call("XGROUP", "CREATE", "fast", "both", "$") == "OK"
        fast = publish(wire, range(3), "FAST")
        got = {b"slow": [], b"fast": []}
        while len(got[b"slow"]) < 50 or len(got[b"fast"]) < 3:
            for name, items in wire.call("XREADGROUP", "GROUP", "both", "c", "STREAMS", "slow",
                                         "fast", ">", ">"):
                got[name] += items_of(items)
        check(got[b"slow"], slow, range(50))
        check(got[b"fast"], fast, range(3), "FAST")
        was_read_back(wire)


# ---- what is pending ------------------------------------------------------------------------------


def test_own_pending_entries_again():
    with Server(files=old_files("pending_max: 1000")) as server, server.wire() as wire:
        ids = publish(wire, range(200))
        while len(read_group(wire, destination="slow")) > 0:
            pass
        push_out(wire)
        got, after = [], "0"
        while some := read_group(wire, "COUNT", 30, destination="slow", after=after):
            got += some
            after = some[-1][0]
        check(got, ids, range(200))
        was_read_back(wire)


def test_claims():
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(60))
        got = []
        while len(got) < 60:
            got += read_on(wire, "slow", "dead")
        push_out(wire)
        some = ids[50:0:-10]
        check(items_of(wire.call("XCLAIM", "slow", "slow", "heir", 0, *some, "1-1")), some,
              range(50, 0, -10))
        assert wire.call("XCLAIM", "slow", "slow", "heir", 0, *some, "JUSTID") == some
        cursor, got = "0-0", []
        while True:
            cursor, items, gone = wire.call("XAUTOCLAIM", "slow", "slow", "heir", 0, cursor)
            assert gone == []
            got += items_of(items)
            if cursor == b"0-0":
                break
        check(got, ids, range(60))
        assert wire.call("XPENDING", "slow", "slow")[3] == [[b"heir", b"60"]]
        was_read_back(wire)


def test_dead_letters_of_what_is_old():
    with Server(files=old_files("deliveries_max: 1, dead_letter: dead",
                                more="  - {name: dead, groups: [dead], fields: [cause]}")) as server, \
            server.wire() as wire:
        ids = publish(wire, range(40))
        got = []
        while len(got) < 40:
            got += read_on(wire, "slow")
        push_out(wire)
        assert read_group(wire, "COUNT", 10, destination="slow", after="0") == []
        assert items_of(wire.call("XCLAIM", "slow", "slow", "heir", 0, *ids[:5])) == []
        cursor = "0-0"
        while cursor != b"0-0":
            cursor, items, _ = wire.call("XAUTOCLAIM", "slow", "slow", "heir", 0, cursor)
            assert items == []
        assert wire.call("XPENDING", "slow", "slow")[0] == 0
        dead = read_all(wire, "dead", 40)
        assert [fields[b"body"] for _, fields in dead] == [body_of(n) for n in range(40)]
        assert {fields[b"cause"] for _, fields in dead} == {b"dead-letter"}
        was_read_back(wire)


# ---- what is shown --------------------------------------------------------------------------------


def test_ranges_over_everything():
    with Server(files=old_files(reply_max="256KiB")) as server, server.wire() as wire:
        ids = publish(wire, range(COUNT))
        got, start = [], "-"
        while some := items_of(wire.call("XRANGE", "slow", start, "+", "COUNT", 10)):
            assert len(some) == 10 or some[-1][0] == ids[-1], "as many as were asked for"
            got += some
            start = b"(" + some[-1][0]
        check(got, ids, range(COUNT))
        check(items_of(wire.call("XREVRANGE", "slow", "+", "-", "COUNT", 5)), ids[:-6:-1],
              range(COUNT - 1, COUNT - 6, -1))
        check(items_of(wire.call("XREVRANGE", "slow", ids[9], "-")), ids[9::-1], range(9, -1, -1))
        wide = items_of(wire.call("XRANGE", "slow", "-", "+"))
        check(wide, ids[:len(wide)], range(len(wide)))
        assert len(wide) == 256 // 16 - 1, "reply_max"
        was_read_back(wire)


def test_sparse_ranges():
    """Few messages among many others: each in a block of its own."""
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = []
        for number in range(20):
            ids += publish(wire, [number])
            publish(wire, range(number * 200, number * 200 + 200), "FAST")
        check(items_of(wire.call("XRANGE", "slow", "-", "+")), ids, range(20))
        check(read_all(wire, "slow", 20), ids, range(20))
        was_read_back(wire)


def test_reading_without_a_group():
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(300))
        push_out(wire)
        got, after = [], "0"
        while reply := wire.call("XREAD", "COUNT", 40, "STREAMS", "slow", after):
            got += entries(reply)
            after = got[-1][0]
        check(got, ids, range(300))
        was_read_back(wire)


def test_first_and_last_entry():
    with Server(files=old_files()) as server, server.wire() as wire, \
            server.wire(protocol=3) as three:
        ids = publish(wire, range(3))
        push_out(wire)
        stream = three.call("XINFO", "STREAM", "slow")
        check(items_of([stream[b"first-entry"], stream[b"last-entry"]]), [ids[0], ids[2]], [0, 2])
        was_read_back(wire)


def test_commands_in_a_pipeline_and_in_a_transaction():
    """Those behind one that waits come after it; and quoted words are read once more as they came."""
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(30))
        push_out(wire)
        replies = pipeline(wire, [("PING",), ("XRANGE", "slow", "-", "+", "COUNT", 2), ("PING",),
                                  ("XADD", "in", "*", "body", body_of(77)),
                                  ("XRANGE", "slow", ids[20], ids[20]), ("PING",)])
        assert [replies[0], replies[2], replies[5]] == ["PONG"] * 3
        check(items_of(replies[1]), ids[:2], range(2))
        check(items_of(replies[4]), ids[20:21], [20])
        wire.send(b"XRANGE 'sl\\'ow' \"\\x2d\" \"+\"\r\nXRANGE \"\\x73low\" '-' \"\\x2b\" COUNT '1'\r\n")
        assert wire.read() == []
        check(items_of(wire.read()), ids[:1], [0])
        publish(wire, range(10**7, 10**7 + COUNT), "FAST")
        assert wire.call("MULTI") == "OK"
        for command in (("XREADGROUP", "GROUP", "slow", "c", "COUNT", 1, "STREAMS", "slow", ">"),
                        ("XRANGE", "slow", ids[29], ids[29]), ("PING",)):
            assert wire.call(*command) == "QUEUED"
        first, second, pong = wire.call("EXEC")
        check(entries(first), ids[:1], [0])
        check(items_of(second), ids[29:30], [29])
        assert pong == "PONG"
        was_read_back(wire)


def test_holds():
    rules = "id,message_type,to,action\nheld,HELD,slow,hold\nslow,SLOW,slow,\nfast,FAST,fast,\n"
    with Server(files=old_files(hold_bytes_max="4MiB") | {"rules.csv": rules}) as server, \
            server.wire() as wire:
        ids = publish(wire, range(20), "HELD")
        push_out(wire)
        held = wire.call("KOUAN", "HOLDS", 20)
        held = [dict(zip(h[::2], h[1::2])) for h in held]
        assert [h[b"id"] for h in held] == ids
        assert [h[b"body"] for h in held] == [body_of(n, "HELD")[:256] for n in range(20)]
        publish(wire, range(10**7, 10**7 + COUNT), "FAST")
        assert release(wire, ids[7]) == 1
        assert wire.call("KOUAN", "REJECT", ids[8]) == 1
        assert [f[b"body"] for _, f in read_all(wire, "slow", 1)] == [body_of(7, "HELD")]
        assert len(wire.call("KOUAN", "HOLDS", 100)) == 18
        was_read_back(wire)


def test_who_sends_no_more_gets_its_reply():
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(20))
        push_out(wire)
        with server.wire() as half:
            half.send(encode_command("XRANGE", "slow", "-", "+", "COUNT", 3) +
                      encode_command("PING"))
            half.socket.shutdown(socket.SHUT_WR)
            check(items_of(half.read()), ids[:3], range(3))
            assert half.read() == "PONG"
            half.expect_closed()


def test_many_share_little_memory():
    """Each wants half of what all have together; some never take what they asked for."""
    with Server(files=old_files(recall_memory="4MiB")) as server, server.wire() as wire, \
            many_wires(server, 30) as wires, many_wires(server, 5) as deaf:
        ids = publish(wire, range(1000))
        push_out(wire)
        for of in deaf:
            of.send(encode_command("XRANGE", "slow", "-", "+") * 20)
        for n, of in enumerate(wires):
            of.send(encode_command("XRANGE", "slow", ids[n * 30], "+", "COUNT", 50))
        for n, of in enumerate(wires):
            check(items_of(of.read()), ids[n * 30:n * 30 + 50], range(n * 30, n * 30 + 50))
        was_read_back(wire)


# ---- what cannot be read --------------------------------------------------------------------------


def test_a_damaged_block_is_an_error_to_who_asks_for_it():
    """It is said on stderr, once; what is around it, and everybody else, goes on."""
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(COUNT))
        first = sorted((server.folder / "kouan-journal" / ONE_LOG).glob("*.segment"))[0]
        bad = 100
        data = first.read_bytes()
        at = data.index(body_of(bad)[:60])
        with open(first, "r+b") as file:
            file.seek(at + 1000)
            file.write(b"?")
        answer = wire.call("XRANGE", "slow", ids[bad], ids[bad])
        assert isinstance(answer, WireError) and answer.word == "IOERR", answer
        assert "0000000000000000" in str(answer) and "kouan journal verify" in str(answer)
        assert wire.call("XRANGE", "slow", ids[bad], ids[bad]) == answer
        check(items_of(wire.call("XRANGE", "slow", ids[bad + 40], ids[bad + 40])),
              [ids[bad + 40]], [bad + 40])
        got = []
        while len(got) < bad - 40:
            got += read_on(wire, "slow", count=1)
        check(got, ids[:bad - 40], range(bad - 40))
        server.wait_for_log("ALARM")
        assert server.log.count("ALARM") == 1
        assert int(info(wire, "recall")["recall_failures"]) >= 2
        sick, text = wire.call("KOUAN", "HEALTH")
        assert sick > 0 and b"times a record could not be read back" in text, text
        # An operator passes it by.
        assert wire.call("XACK", "slow", "slow", *ids[:bad - 40]) == bad - 40
        assert wire.call("XGROUP", "SETID", "slow", "slow", ids[bad + 40]) == "OK"
        rest = range(bad + 41, COUNT)
        check(read_all(wire, "slow", len(rest)), ids[bad + 41:], rest)


def test_who_leaves_while_it_waits_takes_nothing():
    with Server(files=old_files()) as server, server.wire() as wire:
        ids = publish(wire, range(COUNT))
        for _ in range(50):
            with server.wire() as leaver:
                leaver.send(encode_command("XRANGE", "slow", "-", "+"))
        for _ in range(20):
            with server.wire() as leaver:
                leaver.send(encode_command("XREADGROUP", "GROUP", "slow", "gone", "COUNT", 1,
                                           "STREAMS", "slow", ">"))
        wait_until(lambda: info(wire)["connected_clients"] == "1")
        pending = wire.call("XPENDING", "slow", "slow")[0]
        rest = range(pending, COUNT)
        check(read_all(wire, "slow", len(rest)), ids[pending:], rest)
        assert ledger(wire)["gap"] == 0


if __name__ == "__main__":
    run_tests()
