"""The way out: groups, consumers, pending entries, claims, dead letters."""

import time

from kouan_harness import Server, WireError, encode_command, one_shard, run_tests
from provincial import (ONE_CASE, add, add_many, entries, event, ledger, many_wires, number_of,
                        plain_files, read_group)


def ids_of(items):
    return [ident for ident, _ in items]


def group_of(wire, destination="all", group="all"):
    """The ledger's account of one group."""
    outlet = next(o for o in ledger(wire)["outlets"] if o["destination"] == destination)
    return next(g for g in outlet["groups"] if g["group"] == group)


# ---- XREADGROUP -----------------------------------------------------------------------------------


def test_shapes_in_both_protocols():
    with Server() as server, server.wire() as two, server.wire(protocol=3) as three:
        first, second = add(two, 1), add(two, 2)
        body = [b"body", event(1), b"profile", b"json-event", b"message_type", b"ORDER",
                b"keys", b"order:o-1", b"origin", b"everyone", b"verdict", b"fresh"]
        got = two.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 1, "STREAMS", "all", ">")
        assert got[0][0] == b"all" and got[0][1][0][0] == first, got
        fields = got[0][1][0][1]
        assert fields[::2] == body[::2] and fields[:2] == body[:2], fields
        got = three.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 1, "STREAMS", "all", ">")
        assert isinstance(got, dict) and list(got) == [b"all"] and got[b"all"][0][0] == second
        for wire in two, three:
            assert wire.call("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">") is None
        two.command("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">")
        three.command("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">")
        assert two.socket.recv(100) == b"*-1\r\n" and three.socket.recv(100) == b"_\r\n"


def test_count_and_own_pending():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(10), **ONE_CASE)
        assert ids_of(read_group(wire, "COUNT", 4, consumer="a")) == ids[:4]
        assert ids_of(read_group(wire, "COUNT", 0, consumer="b")) == ids[4:]
        # Its own pending ones, after an id, as often as it asks.
        assert ids_of(read_group(wire, consumer="a", after="0")) == ids[:4]
        assert ids_of(read_group(wire, consumer="a", after=ids[1])) == ids[2:4]
        assert ids_of(read_group(wire, "COUNT", 2, consumer="b", after="0-0")) == ids[4:6]
        assert read_group(wire, consumer="nobody", after="0") == []
        assert wire.call("XREADGROUP", "GROUP", "all", "x", "STREAMS", "all", "0") == [[b"all", []]]
        assert wire.call("XACK", "all", "all", *ids[:2]) == 2
        assert ids_of(read_group(wire, consumer="a", after="0")) == ids[2:4]


def test_block_is_woken_by_a_publisher():
    for protocol in (2, 3):
        with Server(files=plain_files()) as server, server.wire(protocol) as reader, server.wire() as writer:
            reader.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS", "all", ">")
            reader.expect_silence(0.05)
            ident = add(writer, 1)
            assert ids_of(entries(reader.read())) == [ident]
            reader.expect_silence(0.05)  # once


def test_block_times_out():
    with Server(files=plain_files()) as server, server.wire() as wire:
        before = time.monotonic()
        assert wire.call("XREADGROUP", "GROUP", "all", "c", "BLOCK", 60, "STREAMS", "all",
                         ">") is None
        assert 0.055 <= time.monotonic() - before < 2
        # What comes behind a blocking command waits for it, and its reply comes behind.
        wire.send(encode_command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 30, "STREAMS", "all",
                                 ">") + encode_command("PING"))
        assert wire.read() is None and wire.read() == "PONG"


def test_block_serves_those_who_came_first():
    one_shard("each serves its own readers in the order in which they came")
    with Server(files=plain_files()) as server, server.wire() as writer, \
            many_wires(server, 4) as readers:
        for n, reader in enumerate(readers):
            reader.command("XREADGROUP", "GROUP", "all", f"c{n}", "COUNT", 1, "BLOCK", 0, "STREAMS",
                           "all", ">")
            while b"cmd=XREADGROUP" not in writer.call("CLIENT", "LIST").split(b"\n")[n + 1]:
                pass
        readers[1].close()  # one leaves: the others are served all the same
        while writer.call("CLIENT", "LIST").count(b"\n") != 4:
            pass
        for n in (0, 2, 3):
            ident = add(writer, n)
            assert ids_of(entries(readers[n].read())) == [ident]
        assert writer.call("XPENDING", "all", "all")[0] == 3


def test_noack():
    with Server(files=plain_files()) as server, server.wire() as wire, server.wire() as blocked:
        ids = add_many(wire, range(3))
        assert set(ids_of(read_group(wire, "NOACK"))) == set(ids)
        assert wire.call("XPENDING", "all", "all")[0] == 0 and wire.call("XLEN", "all") == 0
        blocked.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "NOACK", "STREAMS", "all",
                        ">")
        blocked.expect_silence(0.05)
        ident = add(wire, 4)
        assert ids_of(entries(blocked.read())) == [ident]
        assert wire.call("XPENDING", "all", "all")[0] == 0
        assert group_of(wire)["acknowledged"] == 4


def test_several_consumers_share_a_group():
    with Server(files=plain_files()) as server, server.wire() as writer, \
            many_wires(server, 5) as readers:
        got = []
        for round_number in range(40):
            add_many(writer, range(round_number * 25, round_number * 25 + 25))
            for n, reader in enumerate(readers):
                got += ids_of(read_group(reader, "COUNT", 5, consumer=f"c{n}"))
        assert len(got) == 1000 and len(set(got)) == 1000
        assert [int(c[1]) for c in writer.call("XPENDING", "all", "all")[3]] == [200] * 5


def test_several_groups_each_get_all():
    with Server(files=plain_files("[{name: all, groups: [one, two, three]}]")) as server, \
            server.wire() as wire:
        ids = add_many(wire, range(300))
        for group in ("one", "two", "three"):
            assert set(ids_of(read_group(wire, group=group))) == set(ids)
        assert wire.call("XACK", "all", "one", *ids) == 300
        assert wire.call("XACK", "all", "two", *ids) == 300
        assert wire.call("XLEN", "all") == 300  # three still has them
        in_order = sorted(ids, key=number_of)
        assert ids_of(read_group(wire, group="three", after="0")) == in_order
        assert wire.call("XACK", "all", "three", *ids) == 300
        assert wire.call("XLEN", "all") == 0 and ledger(wire)["gap"] == 0


def test_what_one_reply_has_one_xack_takes():
    with Server(files=plain_files()) as server, server.wire() as wire:
        add_many(wire, range(3000))
        total = 0
        while got := ids_of(read_group(wire)):
            assert wire.call("XACK", "all", "all", *got) == len(got)
            total += len(got)
        assert total == 3000


def test_wrong_reads():
    with Server(files=plain_files()) as server, server.wire() as wire:
        unbalanced = ("ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>'"
                      " must be specified.")
        for arguments, expected in [
            ("GROUP all c STREAMS all", "ERR wrong number of arguments for 'xreadgroup' command"),
            ("GROUP all c STREAMS all > 1", unbalanced),
            ("GROUP all c STREAMS all $", "ERR The $ ID is meaningless in the context of XREADGROUP"),
            ("GROUP all c STREAMS all x", "ERR Invalid stream ID specified as stream command"),
            ("GROUP all c COUNT x STREAMS all >", "ERR value is not an integer or out of range"),
            ("GROUP all c BLOCK x STREAMS all >", "ERR timeout is not an integer or out of range"),
            ("GROUP all c BLOCK -1 STREAMS all >", "ERR timeout is negative"),
            ("GROUP none c STREAMS all >", "NOGROUP No such key 'all' or consumer group 'none' in "
             "XREADGROUP with GROUP option"),
            ("GROUP all c STREAMS none >", "NOGROUP No such key 'none'"),
        ]:
            reply = wire.call("XREADGROUP", *arguments.split(" "))
            assert isinstance(reply, WireError) and str(reply).startswith(expected), reply


# ---- XACK, XPENDING -------------------------------------------------------------------------------


def test_xack():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(5))
        assert wire.call("XACK", "all", "all", ids[0]) == 0  # not delivered yet
        read_group(wire, "COUNT", 4)
        assert wire.call("XACK", "all", "all", ids[1], ids[1], "1-1", ids[3]) == 2
        assert wire.call("XACK", "all", "all", ids[1]) == 0
        assert wire.call("XACK", "all", "none", ids[0]) == 0
        assert wire.call("XACK", "none", "all", ids[0]) == 0
        assert wire.call("XACK", "all", "all", ids[0], "x").word == "ERR"
        assert wire.call("XLEN", "all") == 5  # the first is pending, all after it are kept
        assert wire.call("XACK", "all", "all", ids[0]) == 1
        assert wire.call("XLEN", "all") == 3
        assert wire.call("XPENDING", "all", "all")[0] == 1
        assert group_of(wire) | {"gap": 0} == group_of(wire)


def test_xpending():
    with Server(files=plain_files()) as server, server.wire() as wire:
        assert wire.call("XPENDING", "all", "all") == [0, None, None, None]
        ids = add_many(wire, range(6), **ONE_CASE)
        read_group(wire, "COUNT", 4, consumer="a")
        read_group(wire, "COUNT", 2, consumer="b")
        assert wire.call("XPENDING", "all", "all") == [6, ids[0], ids[5],
                                                       [[b"a", b"4"], [b"b", b"2"]]]
        ask = lambda *arguments: wire.call("XPENDING", "all", "all", *arguments)
        ranged = lambda *arguments: [row[0] for row in ask(*arguments)]
        rows = ask("-", "+", 10)
        assert [row[0] for row in rows] == ids
        assert [row[1] for row in rows] == [b"a"] * 4 + [b"b"] * 2
        assert all(0 <= row[2] < 5000 and row[3] == 1 for row in rows)
        assert ranged("-", "+", 3) == ids[:3] and ranged("-", "+", 0) == []
        assert ranged("-", "+", 10, "b") == ids[4:] and ranged("-", "+", 10, "nobody") == []
        assert ranged(ids[1], ids[3], 10) == ids[1:4]
        assert ranged(b"(" + ids[1], b"(" + ids[3], 10) == ids[2:3]
        milliseconds = ids[0].split(b"-")[0]
        assert ranged(milliseconds, milliseconds, 10) == [
            i for i in ids if i.startswith(milliseconds + b"-")]
        assert ranged("IDLE", 60000, "-", "+", 10) == []
        time.sleep(0.03)
        read_group(wire, "COUNT", 1, consumer="a", after="0")  # delivered again: young again
        rows = ask("IDLE", 25, "-", "+", 10)
        assert [row[0] for row in rows] == ids[1:]
        assert ask("-", "+", 1)[0][3] == 2


def test_ends_of_ranges():
    largest = b"18446744073709551615"
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(2))
        read_group(wire)
        ask = lambda *arguments: wire.call("XPENDING", "all", "all", *arguments)
        assert len(ask("0", largest, 10)) == 2
        # One past the largest sequence is the next millisecond's first.
        milliseconds = b"%d" % (int(ids[0].split(b"-")[0]) - 1)
        assert len(ask(b"(" + milliseconds + b"-" + largest, "+", 10)) == 2
        assert ask(b"(" + largest + b"-" + largest, "+", 10) == WireError(
            "ERR invalid start ID for the interval")
        assert ask("-", "(0-0", 10) == WireError("ERR invalid end ID for the interval")


# ---- XCLAIM ---------------------------------------------------------------------------------------


def test_xclaim():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(4), **ONE_CASE)
        read_group(wire, "COUNT", 3, consumer="dead")
        claim = lambda *arguments: wire.call("XCLAIM", "all", "all", "heir", *arguments)
        pending = lambda: {row[0]: row[1:] for row in wire.call("XPENDING", "all", "all", "-", "+",
                                                                10)}
        assert claim(60000, *ids) == []  # too young
        got = claim(0, ids[0], "1-1", ids[3])  # no such id, not delivered
        assert [i for i, _ in got] == [ids[0]]
        assert got[0][1][:2] == [b"body", event(0, **ONE_CASE)]
        assert pending()[ids[0]][0] == b"heir" and pending()[ids[0]][2] == 2
        assert claim(0, ids[1], "JUSTID") == [ids[1]]
        assert pending()[ids[1]][0] == b"heir" and pending()[ids[1]][2] == 1
        assert claim(0, ids[2], "RETRYCOUNT", 7, "IDLE", 5000, "JUSTID") == [ids[2]]
        assert pending()[ids[2]][2] == 7 and 5000 <= pending()[ids[2]][1] < 10000
        then = int(time.time() * 1000) - 90000
        claim(0, ids[2], "TIME", then, "JUSTID")
        assert 89000 <= pending()[ids[2]][1] < 99000
        assert claim(60000, *ids[:3], "JUSTID") == [ids[2]]
        assert [i for i, _ in read_group(wire, consumer="heir", after="0")] == ids[:3]
        assert wire.call("XPENDING", "all", "all")[3] == [[b"heir", b"3"]]


def test_what_a_dead_connection_had_is_claimable():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(50))
        with server.wire() as dies:
            assert len(read_group(dies, consumer="dead")) == 50
        assert wire.call("XPENDING", "all", "all")[3] == [[b"dead", b"50"]]
        got = wire.call("XCLAIM", "all", "all", "heir", 0, *ids)
        assert [i for i, _ in got] == ids
        assert [f[1] for _, f in got] == [event(n) for n in range(50)]
        assert wire.call("XACK", "all", "all", *ids) == 50 and ledger(wire)["gap"] == 0


# ---- XGROUP, XLEN, XINFO --------------------------------------------------------------------------


def test_create_groups():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(5), **ONE_CASE)
        create = lambda *arguments: wire.call("XGROUP", "CREATE", *arguments)
        assert create("all", "new", "$") == "OK"
        assert create("all", "first", "0") == "OK"
        assert create("all", "third", ids[2], "MKSTREAM") == "OK"
        assert create("all", "new", "0") == WireError("BUSYGROUP Consumer Group name already exists")
        assert create("none", "g", "$").word == "ERR"
        assert create("none", "g", "$", "MKSTREAM").word == "ERR"
        assert create("all", "bad", "x") == WireError(
            "ERR Invalid stream ID specified as stream command argument")
        assert read_group(wire, group="new") == []
        assert ids_of(read_group(wire, group="first")) == ids
        assert ids_of(read_group(wire, group="third")) == ids[3:]
        later = add(wire, 6)
        for group in ("new", "first", "third"):
            assert ids_of(read_group(wire, group=group)) == [later]
        assert ledger(wire)["gap"] == 0


def test_destroy_groups():
    with Server(files=plain_files("[{name: all}]")) as server, server.wire() as wire, \
            server.wire() as blocked:
        for n in range(5):
            assert wire.call("XGROUP", "CREATE", "all", "g", "0") == "OK"
            add_many(wire, range(100 * n, 100 * n + 100))
            assert len(read_group(wire, "COUNT", 30, group="g")) == 30
            assert wire.call("XGROUP", "CREATE", "all", "h", "$") == "OK"
            blocked.command("XREADGROUP", "GROUP", "h", "c", "BLOCK", 0, "STREAMS", "all", ">")
            blocked.expect_silence(0.03)
            assert wire.call("XGROUP", "DESTROY", "all", "h") == 1
            assert blocked.read().word == "NOGROUP"
            assert len(read_group(wire, group="g")) == 70
            assert wire.call("XGROUP", "DESTROY", "all", "g") == 1
            assert wire.call("XLEN", "all") == 0 and ledger(wire)["gap"] == 0
        assert isinstance(add(wire, 1000), bytes) and wire.call("XLEN", "all") == 1


def test_names_that_are_no_text():
    with Server(files=plain_files()) as server, server.wire() as wire:
        for _ in range(3):
            assert isinstance(wire.call("XGROUP", "CREATE", "all", b"a\0b", "$"), WireError)
            assert isinstance(wire.call("XGROUP", "CREATE", "all", "x" * 256, "$"), WireError)
            reply = wire.call("XREADGROUP", "GROUP", "all", b"a\0b", "STREAMS", "all", ">")
            assert reply is None or isinstance(reply, WireError)
        assert len(wire.call("XINFO", "GROUPS", "all")) <= 2
        assert len(wire.call("XINFO", "CONSUMERS", "all", "all")) <= 1


def test_first_group_of_a_destination():
    """Without a group the last are kept; what its first group passes over is `unclaimed`."""
    with Server(files=plain_files("[{name: all}]")) as server, server.wire() as wire:
        ids = add_many(wire, range(10), **ONE_CASE)
        assert wire.call("XLEN", "all") == 10 and ledger(wire)["outlets"][0]["retained"] == 10
        assert wire.call("XGROUP", "CREATE", "all", "late", ids[6]) == "OK"
        assert ids_of(read_group(wire, group="late")) == ids[7:]
        account = ledger(wire)["outlets"][0]
        assert account["unclaimed"] == 7 and account["offered"] == 3 and account["retained"] == 0
        assert ledger(wire)["gap"] == 0 and wire.call("XLEN", "all") == 3


def test_first_group_while_messages_are_on_their_way():
    files = plain_files("[{name: all, backlog_max: 16}]", publications_per_connection=4096)
    with Server(files=files) as server, server.wire() as writer, server.wire() as wire:
        writer.send(b"".join(encode_command("XADD", "in", "*", "body", event(n))
                             for n in range(3000)))
        deadline = time.monotonic() + 10
        while (reply := wire.call("XGROUP", "CREATE", "all", "g", "0")) != "OK":
            assert reply.word == "TRYAGAIN" and time.monotonic() < deadline, reply
        wire.call("PING")
        total = 0
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (
                group_of(wire, group="g")["backlog"] > 0 or ledger(wire)["intake"][0]["undecided"]):
            got = ids_of(read_group(wire, group="g"))
            total += wire.call("XACK", "all", "g", *got) if got else 0
        assert ledger(wire)["gap"] == 0


def test_xinfo():
    with Server(files=plain_files()) as server, server.wire() as wire, server.wire(protocol=3) as three:
        ids = add_many(wire, range(5), **ONE_CASE)
        read_group(wire, "COUNT", 2, consumer="a")
        read_group(wire, "COUNT", 1, consumer="b")
        read_group(wire, consumer="idler", after="0")
        stream = three.call("XINFO", "STREAM", "all")
        assert stream[b"length"] == 5 and stream[b"last-generated-id"] == ids[4]
        assert stream[b"groups"] == 1 and stream[b"entries-added"] == 5
        assert stream[b"first-entry"][0] == ids[0] and stream[b"last-entry"][0] == ids[4]
        group, = three.call("XINFO", "GROUPS", "all")
        assert group == {b"name": b"all", b"consumers": 3, b"pending": 3,
                         b"last-delivered-id": ids[2], b"entries-read": 3, b"lag": 2}
        flat, = wire.call("XINFO", "GROUPS", "all")
        assert dict(zip(flat[::2], flat[1::2])) == group
        consumers = {c[b"name"]: c for c in three.call("XINFO", "CONSUMERS", "all", "all")}
        assert {n: c[b"pending"] for n, c in consumers.items()} == {b"a": 2, b"b": 1, b"idler": 0}
        assert consumers[b"idler"][b"inactive"] == -1 and 0 <= consumers[b"a"][b"idle"] < 5000
        wire.call("XGROUP", "CREATE", "all", "late", "$")
        late = three.call("XINFO", "GROUPS", "all")[1]
        assert late[b"last-delivered-id"] == ids[4] and late[b"entries-read"] == 5
        for kind in ("STREAM", "GROUPS"):
            assert wire.call("XINFO", kind, "none") == WireError("ERR no such key")
        assert wire.call("XINFO", "CONSUMERS", "all", "none") == WireError(
            "NOGROUP No such consumer group 'none' for key name 'all'")


# ---- dead letters ---------------------------------------------------------------------------------

DEAD = ("[{name: all, groups: [all], deliveries_max: 2, dead_letter: grave, fields: [cause]}, "
        "{name: grave, groups: [grave], fields: [cause, first_id]}]")


def test_dead_letter_by_reading_again():
    with Server(files=plain_files(DEAD)) as server, server.wire() as wire:
        ids = add_many(wire, range(3), **ONE_CASE)
        read_group(wire)
        assert wire.call("XACK", "all", "all", ids[1]) == 1
        assert ids_of(read_group(wire, after="0")) == [ids[0], ids[2]]  # the second delivery
        assert read_group(wire, after="0") == []
        buried = read_group(wire, "BLOCK", 2000, destination="grave")
        assert [f[b"first_id"] for _, f in buried] == [ids[0], ids[2]]
        assert [f[b"cause"] for _, f in buried] == [b"dead-letter"] * 2
        assert [f[b"body"] for _, f in buried] == [event(n, **ONE_CASE) for n in (0, 2)]
        assert wire.call("XPENDING", "all", "all")[0] == 0 and wire.call("XLEN", "all") == 0
        account = group_of(wire)
        assert account["dead_lettered"] == 2 and account["acknowledged"] == 1
        assert ledger(wire)["gap"] == 0


def test_dead_letter_by_claiming():
    with Server(files=plain_files(DEAD)) as server, server.wire() as wire:
        ident = add(wire, 1)
        read_group(wire)
        # The same id three times: what this command claims it does not give up.
        got = wire.call("XCLAIM", "all", "all", "c", 0, ident, ident, ident)
        assert [i for i, _ in got] == [ident] * 3, got
        assert wire.call("XCLAIM", "all", "all", "c", 0, ident) == []
        assert wire.call("XCLAIM", "all", "all", "c", 0, ident, "JUSTID") == []
        (_, fields), = read_group(wire, "BLOCK", 2000, destination="grave")
        assert fields[b"first_id"] == ident and fields[b"body"] == event(1)
        assert ledger(wire)["gap"] == 0


def test_dead_letter_that_is_full():
    """Nothing is lost: what cannot be buried is delivered once more."""
    full = DEAD.replace("name: grave, groups: [grave]",
                        "name: grave, groups: [grave], backlog_max: 16")
    with Server(files=plain_files(full)) as server, server.wire() as wire:
        add_many(wire, range(40), **ONE_CASE)
        for _ in range(2):
            read_group(wire, after="0") or read_group(wire)
        kept = read_group(wire, after="0")
        assert len(kept) == 40 - 16
        buried = ids_of(read_group(wire, "BLOCK", 2000, destination="grave"))
        assert len(buried) == 16 and wire.call("XACK", "grave", "grave", *buried) == 16
        assert len(read_group(wire, after="0")) == 40 - 32
        assert group_of(wire)["dead_lettered"] == 32 and ledger(wire)["gap"] == 0


def test_pending_max():
    files = plain_files("[{name: all, groups: [all], pending_max: 8}]")
    with Server(files=files) as server, server.wire() as wire, server.wire() as blocked:
        ids = add_many(wire, range(20), **ONE_CASE)
        assert ids_of(read_group(wire)) == ids[:8] and read_group(wire) == []
        blocked.command("XREADGROUP", "GROUP", "all", "b", "BLOCK", 0, "STREAMS", "all", ">")
        blocked.expect_silence(0.05)
        assert wire.call("XACK", "all", "all", *ids[2:5]) == 3
        assert ids_of(entries(blocked.read())) == ids[8:11]
        assert wire.call("XPENDING", "all", "all")[0] == 8


def test_many_rounds_of_out_of_order_acknowledgements():
    files = plain_files("[{name: all, groups: [all], pending_max: 64}]")
    with Server(files=files) as server, server.wire() as wire:
        ids = add_many(wire, range(2000), **ONE_CASE)
        left, seen = set(), []
        while len(seen) < 2000:
            got = ids_of(read_group(wire, "COUNT", 50))
            seen += got
            left |= set(got)
            for ident in sorted(left, key=hash)[:40]:
                left.discard(ident)
                assert wire.call("XACK", "all", "all", ident) == 1
        assert seen == ids
        assert {row[0] for row in wire.call("XPENDING", "all", "all", "-", "+", 100)} == left


if __name__ == "__main__":
    run_tests()
