"""The way out over several shards: what readers see is one log. Writers of three shards at once; what
`kouan serve` says to one reader must be whole, once, and in the order of the ids."""

import itertools
import threading
import time

from kouan_harness import Server, WireError, run_tests
from provincial import add, event, entries, ledger, many_wires, plain_files, read_group

def serve(destinations="[{name: all, groups: [all]}]", **options):
    return Server(files=plain_files(destinations, **options), shards=3)


def key(ident):
    return tuple(map(int, ident.split(b"-")))


def ids_of(items):
    return [ident for ident, _ in items]


def fill(server, count, wires=6):
    """So many messages by several connections, which lie on all shards; their ids, sorted."""
    with many_wires(server, wires) as writers:
        ids = [add(writers[n % wires], n) for n in range(count)]
    assert len({key(i)[1] & 255 for i in ids}) == 3, "one log alone shows nothing"
    return sorted(ids, key=key)


class Writers:
    """Some connections that publish until they are told to stop."""

    def __init__(self, server, count=4):
        self.stop, self.ids, self.threads = threading.Event(), [[] for _ in range(count)], []
        for n in range(count):
            self.threads.append(threading.Thread(target=self.write, args=(server, n)))

    def write(self, server, n):
        with server.wire() as wire:
            for number in itertools.count():
                if self.stop.is_set():
                    return
                self.ids[n].append(add(wire, f"{n}-{number}"))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def all(self):
        return sorted((i for ids in self.ids for i in ids), key=key)


# ---- by id ----------------------------------------------------------------------------------------


def test_ranges_are_of_all_logs():
    with serve() as server:
        ids = fill(server, 60)
        with server.wire() as two, server.wire(protocol=3) as three:
            for wire in two, three:
                assert wire.call("XLEN", "all") == 60
                assert ids_of(wire.call("XRANGE", "all", "-", "+")) == ids
                assert ids_of(wire.call("XREVRANGE", "all", "+", "-")) == ids[::-1]
                assert ids_of(wire.call("XREVRANGE", "all", "+", "-", "COUNT", 7)) == ids[:-8:-1]
                got, start = [], b"-"
                while page := ids_of(wire.call("XRANGE", "all", start, "+", "COUNT", 7)):
                    got += page
                    start = b"(" + page[-1]
                assert got == ids
            reply = two.call("XREAD", "COUNT", 13, "STREAMS", "all", ids[4])
            assert ids_of(entries(reply)) == ids[5:18]
            assert ids_of(entries(two.call("XREAD", "STREAMS", "all", "+"))) == ids[-1:]
            assert two.call("XREAD", "STREAMS", "all", "$") is None


def test_what_has_a_receipt_is_shown_to_all():
    with serve() as server, many_wires(server, 3) as wires:
        for n in range(200):
            ident = add(wires[n % 3], n)
            reader = wires[(n + 1) % 3]
            assert reader.call("XRANGE", "all", ident, ident)[0][0] == ident
            assert reader.call("XREVRANGE", "all", "+", "-", "COUNT", 1)[0][0] == ident


def test_who_goes_on_from_the_last_id_misses_nothing():
    with serve(memory="256MiB", journal_size="8GiB") as server, many_wires(server, 3) as readers:
        with Writers(server) as writers:
            seen = [[] for _ in readers]
            end = time.monotonic() + 3
            while time.monotonic() < end:
                for reader, got in zip(readers, seen):
                    reply = reader.call("XREAD", "COUNT", 50, "BLOCK", 1000, "STREAMS", "all",
                                        got[-1] if got else "0")
                    got += ids_of(entries(reply))
        written = writers.all()
        for reader, got in zip(readers, seen):
            while reply := reader.call("XREAD", "STREAMS", "all", got[-1]):
                got += ids_of(entries(reply))
            assert got == written and len(written) > 100


def test_a_range_while_others_write_is_a_beginning():
    with serve(memory="256MiB", journal_size="8GiB") as server, server.wire() as reader:
        with Writers(server) as writers:
            shown = [ids_of(reader.call("XRANGE", "all", "-", "+", "COUNT", 100000))
                     for _ in range(20)]
        written = writers.all()
        for ids in shown:
            assert ids == written[:len(ids)]


# ---- groups ---------------------------------------------------------------------------------------


def test_count_is_exact_and_nothing_comes_twice():
    with serve() as server:
        ids = fill(server, 100)
        with many_wires(server, 4) as readers:
            got = []
            for n in range(33):
                page = ids_of(read_group(readers[n % 4], "COUNT", 3, consumer=f"c{n % 4}"))
                assert len(page) == 3
                got += page
            got += ids_of(read_group(readers[0], "COUNT", 3, consumer="c0"))
            assert sorted(got, key=key) == ids
            assert read_group(readers[1]) == []
            assert readers[0].call("XPENDING", "all", "all")[0] == 100
            assert readers[1].call("XACK", "all", "all", *ids) == 100
            assert readers[1].call("XACK", "all", "all", *ids) == 0
            assert readers[2].call("XPENDING", "all", "all") == [0, None, None, None]
            assert readers[3].call("XLEN", "all") == 0 and ledger(readers[0])["gap"] == 0


def test_each_log_is_read_as_often_as_another():
    with serve() as server:
        fill(server, 300)
        with server.wire() as reader:
            logs = [0, 0, 0]
            for _ in range(60):
                for ident in ids_of(read_group(reader, "COUNT", 2)):
                    logs[key(ident)[1] & 255] += 1
            assert sum(logs) == 120 and min(logs) >= 30, logs


def test_pipelined_acknowledgements_are_answered_in_order():
    with serve() as server:
        fill(server, 90)
        with server.wire() as wire:
            got = ids_of(read_group(wire, "COUNT", 90))
            for ident in got:
                wire.command("XACK", "all", "all", ident)
            wire.command("XACK", "all", "all", *got)
            wire.command("XACK", "all", "all", "nonsense")
            wire.command("PING")
            assert [wire.read() for _ in got] == [1] * 90
            assert wire.read() == 0 and isinstance(wire.read(), WireError)
            assert wire.read() == "PONG"


def test_history_is_in_the_order_of_ids():
    with serve() as server:
        ids = fill(server, 50)
        with server.wire() as wire, server.wire(protocol=3) as three:
            assert len(read_group(wire)) == 50
            got, after = [], b"0"
            while page := ids_of(entries(three.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 7,
                                                    "STREAMS", "all", after))):
                got += page
                after = page[-1]
            assert got == ids
            counts = {row[0]: row[3] for row in wire.call("XPENDING", "all", "all", "-", "+", 100)}
            assert [counts[i] for i in ids] == [2] * 50, "what was not shown was not delivered"


def test_a_history_without_entries_is_its_end():
    once = "[{name: all, groups: [all], deliveries_max: 1, dead_letter: dead}, {name: dead}]"
    with serve(once) as server:
        fill(server, 50)
        with server.wire() as wire:
            assert len(read_group(wire)) == 50
            # Each page is given up as it is looked at; what lies behind it counts as well.
            while read_group(wire, "COUNT", 7, after="0"):
                pass
            assert wire.call("XPENDING", "all", "all")[0] == 0


def test_pending_entries_page_by_page():
    with serve() as server:
        ids = fill(server, 40)
        with server.wire() as wire:
            for n in range(40):
                assert len(read_group(wire, "COUNT", 1, consumer=f"c{n % 3}")) == 1
            summary = wire.call("XPENDING", "all", "all")
            assert summary[:3] == [40, ids[0], ids[-1]]
            assert sum(int(count) for _, count in summary[3]) == 40 and len(summary[3]) == 3
            got, start = [], b"-"
            while page := wire.call("XPENDING", "all", "all", start, "+", 7):
                got += [row[0] for row in page]
                start = b"(" + page[-1][0]
            assert got == ids
            mine = wire.call("XPENDING", "all", "all", "-", "+", 100, "c1")
            assert len(mine) == int(dict(summary[3])[b"c1"])


def test_autoclaim_neither_skips_nor_repeats():
    with serve() as server:
        ids = fill(server, 50)
        with server.wire() as wire:
            assert len(read_group(wire, consumer="dead")) == 50
            for options in ["COUNT", 7], ["COUNT", 7, "JUSTID"], ["COUNT", 50]:
                got, cursor = [], b"0-0"
                while True:
                    cursor, page, _ = wire.call("XAUTOCLAIM", "all", "all", "live", 0, cursor,
                                                *options)
                    got += page if "JUSTID" in options else ids_of(page)
                    assert len(page) <= options[1]
                    if cursor == b"0-0":
                        break
                    assert cursor in ids and key(cursor) > key(got[-1])
                assert got == ids
            assert wire.call("XPENDING", "all", "all")[3] == [[b"live", b"50"]]


def test_claims_are_shown_in_the_order_of_the_command():
    with serve() as server:
        ids = fill(server, 30)
        with server.wire() as wire:
            read_group(wire, consumer="dead")
            wanted = ids[::-2] + [b"1-1", b"5-7"] + ids[1:4]
            expected = [i for n, i in enumerate(wanted) if i in ids]
            got = wire.call("XCLAIM", "all", "all", "live", 0, *wanted, "JUSTID")
            assert got == expected
            assert ids_of(wire.call("XCLAIM", "all", "all", "live", 0, *ids)) == ids
            assert wire.call("XCLAIM", "all", "all", "live", 0, "1-1", "9-2") == []
            assert isinstance(wire.call("XCLAIM", "all", "all", "live", 0, *ids, "NONSENSE"),
                              WireError)


def test_groups_are_on_all_shards():
    with serve() as server, server.wire() as wire:
        ids = fill(server, 30)
        assert wire.call("XGROUP", "CREATE", "all", "more", "0") == "OK"
        assert wire.call("XGROUP", "CREATE", "all", "more", "0").word == "BUSYGROUP"
        assert wire.call("XGROUP", "CREATECONSUMER", "all", "more", "a") == 1
        assert wire.call("XGROUP", "CREATECONSUMER", "all", "more", "a") == 0
        got = entries(wire.call("XREADGROUP", "GROUP", "more", "b", "STREAMS", "all", ">"))
        assert sorted(ids_of(got), key=key) == ids
        rows = [dict(zip(row[::2], row[1::2])) for row in wire.call("XINFO", "GROUPS", "all")]
        more = next(row for row in rows if row[b"name"] == b"more")
        assert more[b"pending"] == 30 and more[b"lag"] == 0 and more[b"consumers"] == 2
        assert more[b"last-delivered-id"] == ids[-1]
        rows = wire.call("XINFO", "CONSUMERS", "all", "more")
        assert sorted((row[1], row[3]) for row in rows) == [(b"a", 0), (b"b", 30)]
        row = wire.call("XINFO", "STREAM", "all")
        stream = dict(zip(row[::2], row[1::2]))
        assert stream[b"length"] == 30 and stream[b"groups"] == 2
        assert stream[b"first-entry"][0] == ids[0] and stream[b"last-entry"][0] == ids[-1]
        assert wire.call("XGROUP", "DELCONSUMER", "all", "more", "b").word == "ERR"
        assert wire.call("XACK", "all", "more", *ids) == 30
        assert wire.call("XGROUP", "SETID", "all", "more", "0") == "OK"
        assert wire.call("XGROUP", "DESTROY", "all", "more") == 1
        assert wire.call("XGROUP", "DESTROY", "all", "more") == 0


def test_what_none_may_do_unless_all_can():
    with serve() as server, server.wire() as wire:
        ids = fill(server, 30)
        assert len(read_group(wire)) == 30
        late = {key(i)[1] & 255: i for i in ids}  # the last of each log
        stays = late[key(ids[-1])[1] & 255]
        assert wire.call("XACK", "all", "all", *[i for i in ids if i != stays]) == 29
        refused = wire.call("XGROUP", "SETID", "all", "all", "0")
        assert str(refused).startswith("ERR 1 messages behind that id are pending"), refused
        assert read_group(wire) == [], "no log went back"
        fill(server, 60)  # of which the first are replays
        assert len(read_group(wire)) == 30
        pending = wire.call("XPENDING", "all", "all")[0]
        refused = wire.call("XGROUP", "DELCONSUMER", "all", "all", "c")
        assert str(refused).startswith(f"ERR {pending} messages are pending"), refused
        assert wire.call("XINFO", "CONSUMERS", "all", "all")[0][1] == b"c"


# ---- waiting --------------------------------------------------------------------------------------


def test_blocked_readers_are_served_from_every_log():
    with serve() as server, many_wires(server, 3) as readers, many_wires(server, 3) as writers:
        for n, (reader, writer) in enumerate(itertools.product(readers, writers)):
            reader.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS", "all", ">")
            reader.expect_silence(0.02)
            ident = add(writer, n)
            assert ids_of(entries(reader.read())) == [ident]
        for n, (reader, writer) in enumerate(itertools.product(readers, writers), 100):
            reader.command("XREAD", "BLOCK", 0, "STREAMS", "all", "$")
            reader.expect_silence(0.02)
            ident = add(writer, n)
            assert ids_of(entries(reader.read())) == [ident]


def test_many_blocked_readers_take_each_message_once():
    with serve() as server, many_wires(server, 12) as readers, many_wires(server, 3) as writers:
        for n, reader in enumerate(readers):
            reader.command("XREADGROUP", "GROUP", "all", f"c{n}", "COUNT", 1, "BLOCK", 0, "STREAMS",
                           "all", ">")
        time.sleep(0.1)
        ids = [add(writers[n % 3], n) for n in range(12)]
        got = [ids_of(entries(reader.read())) for reader in readers]
        assert all(len(one) == 1 for one in got)
        assert sorted(one[0] for one in got) == sorted(ids)


def test_a_reader_that_leaves_takes_nothing_with_it():
    with serve() as server, server.wire() as writer, server.wire() as last:
        with many_wires(server, 6) as readers:
            for reader in readers:
                reader.command("XREADGROUP", "GROUP", "all", "c", "COUNT", 1, "BLOCK", 0, "STREAMS",
                               "all", ">")
                reader.expect_silence(0.01)
        last.command("XREADGROUP", "GROUP", "all", "last", "COUNT", 9, "BLOCK", 0, "STREAMS", "all",
                     ">")
        time.sleep(0.1)
        got = []
        for n in range(9):
            ident = add(writer, n)
            got += ids_of(entries(last.read()))
            assert got[-1] == ident
            last.command("XREADGROUP", "GROUP", "all", "last", "BLOCK", 0, "STREAMS", "all", ">")


def test_time_out():
    with serve() as server, many_wires(server, 3) as wires:
        for wire in wires:
            wire.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 30, "STREAMS", "all", ">")
            wire.command("XREAD", "BLOCK", 30, "STREAMS", "all", "$")
            wire.command("PING")
            assert [wire.read() for _ in range(3)] == [None, None, "PONG"]


def test_a_group_that_goes_tells_who_waits():
    with serve() as server, server.wire() as wire, many_wires(server, 3) as readers:
        wire.call("XGROUP", "CREATE", "all", "brief", "$")
        for reader in readers:
            reader.command("XREADGROUP", "GROUP", "brief", "c", "BLOCK", 0, "STREAMS", "all", ">")
            reader.expect_silence(0.02)
        assert wire.call("XGROUP", "DESTROY", "all", "brief") == 1
        for reader in readers:
            assert reader.read().word == "NOGROUP"


def test_consumers_of_all_shards_under_load():
    with serve(memory="256MiB", journal_size="8GiB") as server:
        got, stop = [[] for _ in range(4)], threading.Event()

        def consume(n):
            with server.wire() as wire:
                while not stop.is_set() or got[n][-1:] != [None]:
                    reply = wire.call("XREADGROUP", "GROUP", "all", f"c{n}", "COUNT", 20, "BLOCK",
                                      50, "STREAMS", "all", ">")
                    ids = ids_of(entries(reply))
                    if got[n][-1:] == [None]:
                        got[n].pop()
                    got[n] += ids or [None]
                    if ids:
                        assert wire.call("XACK", "all", "all", *ids) == len(ids)

        consumers = [threading.Thread(target=consume, args=(n,)) for n in range(4)]
        for consumer in consumers:
            consumer.start()
        with Writers(server) as writers:
            time.sleep(3)
        stop.set()
        for consumer in consumers:
            consumer.join()
        taken = sorted((i for one in got for i in one if i is not None), key=key)
        assert taken == writers.all() and len(taken) > 100
        with server.wire() as wire:
            account = ledger(wire)
            assert account["gap"] == 0 and wire.call("XLEN", "all") == 0


# ---- the rest -------------------------------------------------------------------------------------


def test_transactions():
    with serve() as server, server.wire() as wire:
        ids = fill(server, 12)
        wire.call("MULTI")
        for words in (["XLEN", "all"], ["XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS",
                                        "all", ">"],
                      ["XACK", "all", "all", *ids], ["XPENDING", "all", "all"], ["XLEN", "all"],
                      ["XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS", "all", ">"]):
            assert wire.call(*words) == "QUEUED"
        length, taken, acknowledged, pending, left, nothing = wire.call("EXEC")
        assert length == 12 and sorted(ids_of(entries(taken)), key=key) == ids
        assert acknowledged == 12 and pending[0] == 0 and left == 0 and nothing is None


def test_reports_add_up():
    with serve() as server, server.wire() as wire:
        fill(server, 30)
        info = dict(line.split(":", 1) for line in wire.call("INFO").decode().split("\r\n")
                    if ":" in line)
        assert info["ledger_gap"] == "0" and int(info["batch_messages"]) == 30
        account = ledger(wire)
        assert account["gap"] == 0 and sum(row["received"] for row in account["intake"]) == 30
        counters = {(row[0], row[1]): row[2] for row in wire.call("KOUAN", "COUNTERS")}
        assert counters[b"intake", b"received"] == 30 and counters[b"all", b"routed"] == 30
        assert b"30" in wire.call("KOUAN", "LEDGER")
        assert wire.call("MEMORY", "USAGE", "all") > 30 * len(event(1))
        assert wire.call("KOUAN", "HEALTH")[0] == 3, "no consumer yet, at any shard"
        with many_wires(server, 5):
            lines = wire.call("CLIENT", "LIST").split(b"\n")
            assert len(lines) == 7 and lines[-1] == b""


if __name__ == "__main__":
    run_tests()
