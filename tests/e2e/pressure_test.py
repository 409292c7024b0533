"""Bounds: what is full costs only what goes there; nothing is lost, nobody hangs."""

import socket
import time

from kouan_harness import (TEST_SHARDS, Server, WireClosed, WireError, encode_command, one_shard,
                           run_tests)
from provincial import (add, add_many, drain, entries, event, in_one_case, info, ledger, many_wires,
                        pipeline, plain_files, read_group, release, two_way_files)

# All messages here are of one case, and so in one log, in their order.
add, add_many, event = map(in_one_case, (add, add_many, event))

MEMORY = 32 * 1024 * 1024


def is_id(reply):
    return isinstance(reply, bytes)


def padded(number, size, message_type="FAST"):
    """An event of about `size` bytes, cheaply made."""
    head = b'{"messageType":"%s","messageId":"%d","keys":{"order":"1"},"note":"' % (
        message_type.encode(), number)
    return head + b"x" * (size - len(head) - 2) + b'"}'


def ids_of(items):
    return [ident for ident, _ in items]


def publish(wire, bodies):
    return pipeline(wire, [("XADD", "in", "*", "body", body) for body in bodies])


def wait_until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def parked(wire):
    return int(info(wire)["parked"])


# ---- a full destination ---------------------------------------------------------------------------


def test_who_never_consumed_waits():
    with Server(files=two_way_files("backlog_max: 16", publish_wait="150ms")) as server, \
            server.wire() as wire:
        assert all(map(is_id, add_many(wire, range(16), "SLOW")))
        before = time.monotonic()
        reply = add(wire, 17, "SLOW")
        assert reply.word == "TRYAGAIN" and "slow" in str(reply), reply
        assert 0.14 < time.monotonic() - before < 2
        # Those behind it on the same connection wait, too, each for its own time.
        assert [r.word if isinstance(r, WireError) else "ok" for r in pipeline(wire, [
            ("XADD", "in", "*", "body", event(18, "SLOW")),
            ("XADD", "in", "*", "body", event(19, "FAST")),
            ("XADD", "in", "*", "body", event(20, "SLOW"))])] == ["TRYAGAIN", "ok", "TRYAGAIN"]
        assert ledger(wire)["gap"] == 0
        assert ledger(wire)["intake"][0]["refused"]["try_again"] == 3


def test_who_consumed_is_told_at_once():
    with Server(files=two_way_files("backlog_max: 16", publish_wait="20s")) as server, \
            server.wire() as wire:
        assert read_group(wire, destination="fast") == []
        read_group(wire, "COUNT", 1, destination="fast")
        add_many(wire, range(16), "SLOW")
        wire.call("XACK", "fast", "fast", "1-1")
        before = time.monotonic()
        assert add(wire, 17, "SLOW").word == "TRYAGAIN"
        assert time.monotonic() - before < 2


def test_a_waiting_publisher_goes_on():
    with Server(files=two_way_files("backlog_max: 16", publish_wait="20s")) as server, \
            server.wire() as writer, server.wire() as other, server.wire() as reader:
        add_many(writer, range(16), "SLOW")
        for n in range(16, 40):
            writer.command("XADD", "in", "*", "body", event(n, "SLOW"))
        other.command("XADD", "in", "*", "body", event(100, "SLOW"))
        writer.expect_silence(0.05)
        other.expect_silence(0.05)
        seen = []
        while len(seen) < 41:
            got = read_group(reader, "COUNT", 3, destination="slow")
            seen += [f[b"body"] for _, f in got]
            if got:
                reader.call("XACK", "slow", "slow", *ids_of(got))
        assert all(is_id(writer.read()) for _ in range(24)) and is_id(other.read())
        seen.remove(event(100, "SLOW"))
        assert seen == [event(n, "SLOW") for n in range(40)]  # in the order of one connection
        assert ledger(reader)["gap"] == 0


def check_that_who_waits_is_read_once(bound, bodies):
    """What comes behind a waiting message is not decided before there can be room for it: beyond
    the batch in which the first found none, a wait costs a few decisions more, and not a batch."""
    count, batch = len(bodies), 256
    with Server(files=two_way_files(bound, publish_wait="20s")) as server, \
            server.wire() as writer, server.wire() as reader:
        for body in bodies:
            writer.command("XADD", "in", "*", "body", body)
        seen = waits = 0
        while seen < count:
            got = read_group(reader, "COUNT", 16, "BLOCK", 2000, destination="slow")
            assert [f[b"body"] for _, f in got] == bodies[seen:seen + len(got)]
            assert reader.call("XACK", "slow", "slow", *ids_of(got)) == len(got)
            seen += len(got)
            waits += 1
        assert all(is_id(writer.read()) for _ in range(count))
        figures = info(reader)
        assert int(figures["parked"]) > count / 4, figures
        assert int(figures["batch_messages"]) <= count + batch + 3 * waits, figures


def test_who_waits_for_entries_is_read_once():
    check_that_who_waits_is_read_once("backlog_max: 16", [event(n, "SLOW") for n in range(2000)])


def test_who_waits_for_bytes_is_read_once():
    check_that_who_waits_is_read_once("backlog_bytes_max: 1MiB",
                                      [padded(n, 2048, "SLOW") for n in range(1000)])


def test_who_waits_for_one_lets_others_go():
    """A session that waited at a full destination is not held up in what goes elsewhere."""
    with Server(files=two_way_files("backlog_max: 16", publish_wait="20s")) as server, \
            server.wire() as writer, server.wire() as reader:
        add_many(writer, range(16), "SLOW")
        writer.command("XADD", "in", "*", "body", event(16, "SLOW"))
        writer.expect_silence(0.05)
        got = read_group(reader, "COUNT", 1, destination="slow")
        assert reader.call("XACK", "slow", "slow", *ids_of(got)) == 1
        assert is_id(writer.read())
        assert reader.call("XLEN", "slow") == 16  # full, and that is where it waited last
        replies = publish(writer, [event(n, "FAST") for n in range(100, 150)])
        assert all(map(is_id, replies)) and ledger(reader)["gap"] == 0


def test_room_by_whatever_makes_it():
    """NOACK, a burial, a replay that gives back what it reserved: each lets a waiting one go on."""
    grave = "  - {name: grave, groups: [grave]}"
    slow = "backlog_max: 16, deliveries_max: 1, dead_letter: grave"
    with Server(files=two_way_files(slow, more=grave, publish_wait="20s")) as server, \
            server.wire() as writer, server.wire() as reader:
        add_many(writer, range(16), "SLOW")
        writer.command("XADD", "in", "*", "body", event(16, "SLOW"))
        writer.expect_silence(0.05)
        assert len(read_group(reader, "COUNT", 1, "NOACK", destination="slow")) == 1
        assert is_id(writer.read())
        assert len(read_group(reader, "COUNT", 1, destination="slow")) == 1
        writer.command("XADD", "in", "*", "body", event(17, "SLOW"))
        writer.expect_silence(0.05)
        assert read_group(reader, destination="slow", after="0") == []  # buried
        assert is_id(writer.read())


def test_room_that_a_replay_gives_back():
    with Server(files=two_way_files("backlog_max: 16", publish_wait="20s")) as server:
        with server.wire() as wire:
            first = add_many(wire, range(15), "SLOW")
            # In one batch: the replay has the last place until it is known for one.
            again, new = add_many(wire, [3, 15], "SLOW")
            assert again == first[3] and is_id(new) and wire.call("XLEN", "slow") == 16


def test_when_full_tryagain():
    files = two_way_files("backlog_max: 16, when_full: tryagain", publish_wait="20s")
    with Server(files=files) as server, server.wire() as wire:
        replies = add_many(wire, range(20), "SLOW")
        assert all(map(is_id, replies[:16])) and {r.word for r in replies[16:]} == {"TRYAGAIN"}


def test_when_full_dead_letter():
    grave = "  - {name: grave, groups: [grave], fields: [cause]}"
    slow = "backlog_max: 16, when_full: dead_letter, dead_letter: grave"
    with Server(files=two_way_files(slow, more=grave)) as server, server.wire() as wire:
        ids = add_many(wire, range(30), "SLOW")
        assert all(map(is_id, ids))
        assert ids_of(read_group(wire, destination="slow")) == ids[:16]
        assert ids_of(read_group(wire, destination="grave")) == ids[16:]
        outlets = {o["destination"]: o for o in ledger(wire)["outlets"]}
        assert outlets["slow"]["diverted"] == 14 and outlets["slow"]["routed"] == 30
        # What was acknowledged makes room, though the oldest is still pending.
        assert wire.call("XACK", "slow", "slow", *ids[1:16]) == 15
        ident = add(wire, 100, "SLOW")
        assert ids_of(read_group(wire, destination="slow")) == [ident]
        assert ledger(wire)["gap"] == 0


def test_when_full_drop_oldest():
    slow = "backlog_max: 16, when_full: drop_oldest"
    with Server(files=two_way_files(slow)) as server, server.wire() as wire:
        ids = add_many(wire, range(16), "SLOW")
        assert ids_of(read_group(wire, "COUNT", 4, destination="slow")) == ids[:4]
        assert wire.call("XACK", "slow", "slow", ids[1]) == 1
        ids += add_many(wire, range(16, 22), "SLOW")
        assert all(map(is_id, ids)) and wire.call("XLEN", "slow") == 16
        # 0, 2 and 3 were pending, 4 and 5 had not been read.
        assert wire.call("XACK", "slow", "slow", ids[0], ids[3]) == 0
        assert ids_of(read_group(wire, "COUNT", 100, destination="slow")) == ids[6:]
        account = ledger(wire)
        group = {o["destination"]: o for o in account["outlets"]}["slow"]["groups"][0]
        assert (group["dropped"], group["acknowledged"], group["pending"]) == (5, 1, 16)
        assert account["gap"] == 0


def test_a_warning_well_before():
    with Server(files=two_way_files("backlog_max: 100, when_full: tryagain")) as server, \
            server.wire() as wire:
        ids = add_many(wire, range(79), "SLOW")
        assert wire.call("PING") == "PONG" and "% full" not in server.log
        ids += add_many(wire, range(79, 95), "SLOW")
        line = server.wait_for_log("slow is .* % full").string
        assert "of 100 messages (backlog_max)" in line and "slowest group is slow" in line
        assert "TRYAGAIN" in line
        read_group(wire, "COUNT", 100, destination="slow")
        assert wire.call("XACK", "slow", "slow", *ids[:30]) == 30
        add_many(wire, range(100, 125), "SLOW")  # 65, then 90: it was never at its ease
        assert server.log.count("% full") == 1
        assert wire.call("XACK", "slow", "slow", *ids[30:]) == 65
        add_many(wire, range(200, 265), "SLOW")
        deadline = time.monotonic() + 10
        while server.log.count("% full") < 2:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.01)


def test_several_full_ones_with_one_dead_letter():
    """The record has fewer destinations than the message had, and another size."""
    more = "".join(f"  - {{name: full{n}, groups: [g], backlog_max: 16, when_full: dead_letter, "
                   "dead_letter: grave}\n" for n in range(8)) + "  - {name: grave, groups: [grave]}"
    files = two_way_files(more=more, message_max="64KiB")
    files["rules.csv"] += "many,MANY," + "|".join(f"full{n}" for n in range(8)) + "|grave\n"
    with Server(files=files) as server, server.wire() as wire:
        ids = add_many(wire, range(40), "MANY")
        assert all(map(is_id, ids))
        assert ids_of(read_group(wire, destination="grave")) == ids
        assert ids_of(read_group(wire, destination="full3", group="g")) == ids[:16]
        assert ledger(wire)["gap"] == 0


def test_one_connection_publishes_and_consumes():
    """It never waits for itself."""
    with Server(files=two_way_files("backlog_max: 32", publish_wait="20s")) as server, \
            server.wire() as wire:
        read_group(wire, destination="slow")
        to_send, done = [event(n, "SLOW") for n in range(300)], []
        while len(done) < 300:
            replies = publish(wire, to_send)
            to_send = [body for body, r in zip(to_send, replies) if not is_id(r)]
            assert {r.word for r in replies if not is_id(r)} <= {"TRYAGAIN"}
            got = read_group(wire, "COUNT", 20, destination="slow")
            assert got and wire.call("XACK", "slow", "slow", *ids_of(got)) == len(got)
            done += [f[b"body"] for _, f in got]
        assert sorted(done) == sorted(event(n, "SLOW") for n in range(300))
        assert ledger(wire)["gap"] == 0


# ---- memory goes round ----------------------------------------------------------------------------


def flow(wire, total_bytes, size=200 * 1024, first=0, reads=True):
    """So many bytes through `fast`, half of them read and acknowledged one by one."""
    number = first
    while (number - first) * size < total_bytes:
        replies = publish(wire, [padded(number + n, size) for n in range(20)])
        assert all(map(is_id, replies)), replies
        number += 20
        while reads and (got := read_group(wire, destination="fast")):
            assert wire.call("XACK", "fast", "fast", *ids_of(got)) == len(got)
    return number


def test_a_dead_group_costs_only_its_own():
    slow = f"backlog_max: 64, backlog_bytes_max: {4 << 20}"
    files = two_way_files(slow, publish_wait="100ms", sync="memory")
    with Server(files=files) as server, server.wire() as wire, server.wire() as stuck:
        bodies = [padded(n, 1000 * (1 + n % 60), "SLOW") for n in range(64)]
        ids = publish(wire, bodies)
        assert all(map(is_id, ids))
        for n in range(200):  # one that goes on trying
            stuck.command("XADD", "in", "*", "body", event(1000 + n, "SLOW"))
        flow(wire, 5 * MEMORY)
        assert int(info(wire)["copied_forward"]) > 64 * 2
        got = []
        while more := read_group(wire, destination="slow"):
            got += more
        assert got == [(i, {b"body": b}) for i, b in zip(ids, bodies)]
        flow(wire, 2 * MEMORY, first=100000)  # now they are pending
        got = []
        while more := read_group(wire, destination="slow", after=got[-1][0] if got else "0"):
            got += more
        assert got == [(i, {b"body": b}) for i, b in zip(ids, bodies)]
        assert wire.call("XACK", "slow", "slow", *ids) == 64
        assert ledger(wire)["gap"] == 0


def test_an_old_pending_entry_among_acknowledged_ones():
    with Server(files=two_way_files()) as server, server.wire() as wire:
        bodies = [padded(n, 2000 + n % 5000, "SLOW") for n in range(600)]
        ids = publish(wire, bodies)
        items = []
        while len(items) < 600:
            items += read_group(wire, destination="slow")
        kept = {0, 7, 8, 150, 151, 333, 599}
        settled = [ident for n, ident in enumerate(ids) if n not in kept]
        assert wire.call("XACK", "slow", "slow", *settled) == len(settled)
        flow(wire, 4 * MEMORY)
        stream = wire.call("XINFO", "STREAM", "slow")
        stream = dict(zip(stream[::2], stream[1::2]))
        assert stream[b"first-entry"] == [ids[0], [b"body", bodies[0]]]
        assert stream[b"last-entry"] == [ids[599], [b"body", bodies[599]]]
        got = []
        while more := read_group(wire, destination="slow", after=got[-1][0] if got else "0"):
            got += more
        assert got == [(ids[n], {b"body": bodies[n]}) for n in sorted(kept)]
        # What every group had acknowledged went when its memory was wanted; a new group finds the rest.
        assert wire.call("XGROUP", "CREATE", "slow", "late", "0") == "OK"
        items = []
        while more := read_group(wire, destination="slow", group="late"):
            items += more
        assert [f[b"body"] for _, f in items] == [bodies[n] for n in sorted(kept)]
        assert wire.call("XACK", "slow", "slow", *(ids[n] for n in kept)) == 7
        for start in range(0, 600, 300):
            wire.call("XACK", "slow", "late", *ids[start:start + 300])
        assert wire.call("XLEN", "slow") == 0 and ledger(wire)["gap"] == 0


def test_a_backlog_of_the_largest_messages():
    """Records of more than half a block waste the rest; there is room for others all the same."""
    files = two_way_files(fast="backlog_bytes_max: 64KiB", publish_wait=0, sync="memory")
    with Server(files=files) as server, server.wire() as wire:
        bodies = [padded(n, 512 * 1024, "SLOW") for n in range(40)]
        replies = [publish(wire, [body])[0] for body in bodies]
        accepted = sum(map(is_id, replies))
        assert 10 < accepted < 40 and {r.word for r in replies[accepted:]} == {"TRYAGAIN"}
        flow(wire, 2 * MEMORY, size=3000)
        for body in bodies[:accepted]:
            (_, fields), = read_group(wire, "COUNT", 1, destination="slow")
            assert fields[b"body"] == body


def test_retained_without_a_group():
    with Server(files=plain_files("[{name: all, retain_bytes: 100KiB}]")) as server, \
            server.wire() as wire:
        bodies = [padded(n, 10000) for n in range(50)]
        ids = publish(wire, bodies)
        account = ledger(wire)["outlets"][0]
        kept = wire.call("XLEN", "all")
        assert kept == account["retained"] and account["unclaimed"] == 50 - kept and 8 <= kept <= 10
        assert wire.call("XGROUP", "CREATE", "all", "late", "0") == "OK"
        assert ids_of(read_group(wire, group="late")) == ids[-kept:]
        assert wire.call("XACK", "all", "late", *ids[-kept:]) == kept
        assert ledger(wire)["gap"] == 0


def test_retained_is_dropped_with_its_block():
    with Server(files=plain_files("[{name: all, retain_bytes: 1GiB}]", sync="memory")) as server, \
            server.wire() as wire:
        number = flow(wire, 3 * MEMORY, reads=False)
        account = ledger(wire)["outlets"][0]
        assert 0 < account["retained"] < number and ledger(wire)["gap"] == 0
        assert account["retained"] + account["unclaimed"] == number
        assert wire.call("XGROUP", "CREATE", "all", "late", "0") == "OK"
        (_, fields), = read_group(wire, "COUNT", 1, group="late")
        first = int(fields[b"body"].split(b'"messageId":"')[1].split(b'"')[0])
        assert fields[b"body"] == padded(first, 200 * 1024) and ledger(wire)["gap"] == 0


def test_the_window_forgets_with_the_log():
    with Server(files=two_way_files(sync="memory")) as server, server.wire() as wire:
        first = add(wire, 1, "FAST")
        read_group(wire, "NOACK", destination="fast")
        assert add(wire, 1, "FAST") == first
        flow(wire, 2 * MEMORY)
        again = add(wire, 1, "FAST")
        assert is_id(again) and again != first
        assert int(info(wire)["window_forgotten"]) > 0
    with Server(files=plain_files(window_entries=2048)) as server, server.wire() as wire:
        first = add(wire, 0)
        add_many(wire, range(1, 2100 * max(TEST_SHARDS, 1)))  # each has a part of the window
        assert add(wire, 0) != first and int(info(wire)["window_evicted_for_room"]) > 0


def test_many_burials_beside_publications():
    """What Kouan emits leaves room for what is published in the same turn."""
    destinations = ("[{name: all, groups: [all], deliveries_max: 1, dead_letter: grave}, "
                    "{name: grave, groups: [grave]}]")
    files = plain_files(destinations, publications_max=64, publications_per_connection=64)
    with Server(files=files) as server, server.wire() as wire:
        ids = add_many(wire, range(400))
        while read_group(wire):
            pass
        replies = pipeline(wire, [("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", "0")] +
                           [("XADD", "in", "*", "body", event(1000 + n)) for n in range(60)])
        assert all(map(is_id, replies[1:]))
        while read_group(wire, after="0"):
            pass
        got = []
        while more := read_group(wire, "BLOCK", 100, destination="grave"):
            got += more
        assert len(got) == 400 and len(ids) == 400 and ledger(wire)["gap"] == 0


def test_releasing_while_the_log_goes_round():
    files = two_way_files(hold_bytes_max="4MiB")
    files["rules.csv"] = "id,message_type,to,action\nhold,HOLD,slow,hold\nfast,FAST,fast,\n"
    with Server(files=files) as server, server.wire() as wire:
        held = publish(wire, [padded(n, 30000, "HOLD") for n in range(120)])
        number = flow(wire, 2 * MEMORY)
        for n, ident in enumerate(held):
            assert release(wire, ident) == 1, n
            number = flow(wire, 500000, first=number)
        got = []
        while more := read_group(wire, destination="slow"):
            got += more
        assert [f[b"body"] for _, f in got] == [padded(n, 30000, "HOLD") for n in range(120)]
        assert ledger(wire)["gap"] == 0


# ---- replies --------------------------------------------------------------------------------------


def test_replies_in_order():
    with Server() as server, server.wire() as wire:
        commands, expected = [], []
        for n in range(400):
            commands += [("XADD", "in", "*", "body", event(n)), ("PING", str(n)),
                         ("XADD", "in", "*", "body", b"<"), ("NO", "SUCH"),
                         ("XACK", "all", "all", "1-1"), ("ECHO", f"e{n}")]
            expected += [is_id, str(n).encode(), "REJECTED", "ERR", 0, f"e{n}".encode()]
        for reply, wanted in zip(pipeline(wire, commands), expected):
            if callable(wanted):
                assert wanted(reply), reply
            elif isinstance(reply, WireError):
                assert reply.word == wanted, reply
            else:
                assert reply == wanted, (reply, wanted)
        assert wire.call("XLEN", "all") == 400


def test_few_publications():
    for limit in (1, 2):
        files = plain_files(publications_per_connection=limit, publications_max=64)
        with Server(files=files) as server, server.wire() as wire:
            assert all(map(is_id, add_many(wire, range(200))))
            with many_wires(server, 100) as wires:
                for n, one in enumerate(wires):
                    one.send(b"".join(
                        encode_command("XADD", "in", "*", "body", event(1000 * n + k))
                        for k in range(20)))
                for one in wires:
                    assert all(is_id(one.read()) for _ in range(20))


def test_few_acknowledgements():
    """Neither messages nor acknowledgements use up the others' places; replies keep their order."""
    for limit in (1, 2):
        files = plain_files(publications_per_connection=limit, publications_max=64,
                            acknowledgements_max=64)
        with Server(files=files) as server, server.wire() as wire:
            ids = add_many(wire, range(500))
            assert len(read_group(wire, "COUNT", 500)) == 500
            with many_wires(server, 100) as wires:
                for n, one in enumerate(wires):
                    one.send(b"".join(
                        encode_command("XADD", "in", "*", "body", event(1000 + 5 * n + k))
                        + encode_command("XACK", "all", "all", ids[5 * n + k])
                        + encode_command("XACK", "all", "all", "no id")
                        + encode_command("XACK", "all", "none", ids[5 * n + k])
                        for k in range(5)))
                for one in wires:
                    for _ in range(5):
                        assert is_id(one.read()) and one.read() == 1
                        assert one.read().word == "ERR" and one.read() == 0
            assert wire.call("XPENDING", "all", "all")[0] == 0
            assert ledger(wire)["gap"] == 0


def test_groups_change_behind_acknowledgements():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(3))
        read_group(wire)
        assert pipeline(wire, [
            ("XACK", "all", "all", ids[0]), ("XGROUP", "CREATE", "all", "more", "0"),
            ("XACK", "all", "all", *ids), ("XGROUP", "SETID", "all", "more", "$"),
            ("XGROUP", "DESTROY", "all", "more"), ("XACK", "all", "all", ids[0]), ("PING",),
            ("MULTI",), ("XACK", "all", "all", ids[0]), ("XGROUP", "CREATE", "all", "more", "0"),
            ("XACK", "all", "all"), ("PING",), ("EXEC",)])[:-1] == [
                1, "OK", 2, "OK", 1, 0, "PONG", "OK", "QUEUED", "QUEUED",
                WireError("ERR wrong number of arguments for 'xack' command"), "QUEUED"]
        assert pipeline(wire, [
            ("MULTI",), ("XACK", "all", "all", ids[0]), ("XGROUP", "CREATE", "all", "more", "0"),
            ("XACK", "all", "all", "x"), ("PING",), ("EXEC",)])[-1] == [
                0, "OK",
                WireError("ERR Invalid stream ID specified as stream command argument"), "PONG"]


def narrow(wire):
    """What the kernel holds of unread replies becomes little."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def test_a_reader_that_pauses():
    """More replies than may be queued: they come as they are read, each whole and in order."""
    files = plain_files(output_max="1MiB", reply_max="64KiB", message_max="64KiB", block="128KiB")
    with Server(files=files) as server, server.wire() as wire, server.wire() as other:
        bodies = [padded(n, 60 * 1024) for n in range(10)]
        ids = publish(wire, bodies)
        assert ids_of(read_group(wire, "COUNT", 1)) == ids[:1]
        rounds = 300
        for n in range(rounds):  # 18 MiB of replies
            wire.command("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", "0")
            wire.command("PING", str(n))
        time.sleep(0.3)
        assert other.call("PING") == "PONG"
        for n in range(rounds):
            assert entries(wire.read()) == [(ids[0], {b"body": bodies[0]})], n
            assert wire.read() == str(n).encode()


def test_a_reader_that_stops():
    files = plain_files(stuck_send_time="300ms")
    with Server(files=files) as server, server.wire() as wire, server.wire() as other:
        publish(wire, [padded(n, 400 * 1024) for n in range(4)])
        read_group(wire, "COUNT", 1)
        narrow(wire)
        for n in range(60):
            wire.command("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", "0")
        before = time.monotonic()
        while int(info(other)["aborted_stuck_send"]) == 0:
            assert is_id(add(other, time.monotonic_ns())) and time.monotonic() < before + 5
        try:
            for _ in range(60):
                wire.read()
            raise AssertionError("it was not ended")
        except WireClosed:
            pass
        assert len(read_group(other, "COUNT", 3)) == 3


def test_readers_that_stopped_hold_all_output():
    """Others wait for a reply of theirs, and are not ended; what is short is answered at once."""
    one_shard("each has its own memory for replies, and it is filled by connections of one")
    files = plain_files(output_max="1MiB", output_chunks=16, reply_max="64KiB", block="128KiB",
                        message_max="64KiB", stuck_send_time="400ms")
    with Server(files=files) as server, server.wire() as wire, server.wire() as blocked, \
            many_wires(server, 4) as dead:
        publish(wire, [padded(n, 60 * 1024) for n in range(4)])
        for n, one in enumerate(dead):
            assert len(read_group(one, "COUNT", 1, consumer=f"d{n}")) == 1
        blocked.command("XREADGROUP", "GROUP", "all", "b", "BLOCK", 0, "STREAMS", "all", ">")
        for n, one in enumerate(dead):
            one.send(encode_command("XREADGROUP", "GROUP", "all", f"d{n}", "STREAMS", "all", "0")
                     * 300)
        wait_until(lambda: int(info(wire)["output_waiting"]) > 0)
        before = time.monotonic()
        new, = publish(wire, [padded(9, 60 * 1024)])
        assert wire.call("PING") == "PONG" and time.monotonic() - before < 0.2
        assert ids_of(entries(blocked.read())) == [new]
        assert wire.call("XACK", "all", "all", new) == 1
        assert int(info(wire)["replies_lost"]) == 0
        assert len(wire.call("XPENDING", "all", "all", "-", "+", 100)) == 4


# ---- input memory ---------------------------------------------------------------------------------


def test_waiting_publishers_of_large_messages():
    """They hold what others need to send large messages with: not all of it."""
    files = two_way_files("backlog_max: 16", publish_wait="20s", large_carries=4,
                          receive_buffers=64)
    with Server(files=files) as server, server.wire() as wire, many_wires(server, 6) as stuck:
        add_many(wire, range(16), "SLOW")
        for k, one in enumerate(stuck):
            one.send(b"".join(encode_command("XADD", "in", "*", "body",
                                             padded(100 * k + n + 1000, 30000, "SLOW"))
                              for n in range(20)))
        wait_until(lambda: parked(wire) > 0)
        before = time.monotonic()
        for n in range(10):
            assert all(map(is_id, publish(wire, [padded(5000 + 10 * n + m, 100000)
                                                 for m in range(5)])))
        assert time.monotonic() - before < 5


def test_many_waiting_publishers():
    """Together they hold at most three quarters of the receive buffers."""
    files = two_way_files("backlog_max: 16", publish_wait="20s", receive_buffers=16)
    with Server(files=files) as server, server.wire() as wire, many_wires(server, 40) as stuck:
        add_many(wire, range(16), "SLOW")
        for k, one in enumerate(stuck):
            one.send(b"".join(encode_command("XADD", "in", "*", "body", event(f"{k}-{n}", "SLOW"))
                              for n in range(50)))
        before = time.monotonic()
        for n in range(20):
            assert all(map(is_id, add_many(wire, range(100 * n, 100 * n + 100), "FAST")))
            got = read_group(wire, destination="fast")
            assert wire.call("XACK", "fast", "fast", *ids_of(got)) == 100
        assert time.monotonic() - before < 5
        assert int(info(wire)["aborted_deadline"]) == 0


def test_waiting_publishers_leave_publications_to_others():
    """However many wait, and however much stands behind them unanswered."""
    files = two_way_files("backlog_max: 16", publish_wait="1h", publications_max=64,
                          publications_per_connection=16)
    with Server(files=files) as server, server.wire() as wire, many_wires(server, 12) as stuck:
        add_many(wire, range(16), "SLOW")
        for k, one in enumerate(stuck):
            one.send(encode_command("XADD", "in", "*", "body", event(f"{k}-0", "SLOW")))
        # All wait before more comes: what comes at once is too much to wait, and gets TRYAGAIN.
        wait_until(lambda: parked(wire) == len(stuck))
        for k, one in enumerate(stuck):
            one.send(b"".join(encode_command("XADD", "in", "*", "body", event(f"{k}-{n}", "SLOW"))
                              for n in range(1, 16)))
        for n in range(20):
            assert all(map(is_id, add_many(wire, range(100 * n, 100 * n + 100), "FAST")))
            got = read_group(wire, destination="fast")
            assert wire.call("XACK", "fast", "fast", *ids_of(got)) == 100
        assert parked(wire) > 0


def test_waiting_transactions_leave_queues_to_others():
    """What EXEC publishes keeps its queue; some are left for those who publish to other places."""
    one_shard("each has its own queues, and they are taken by connections of one")
    files = two_way_files("backlog_max: 16", publish_wait="1h", transactions=4)
    with Server(files=files) as server, server.wire() as wire, many_wires(server, 6) as stuck:
        add_many(wire, range(16), "SLOW")
        told = 0
        for k, one in enumerate(stuck):
            one.send(b"".join(encode_command(*c) for c in (
                ("MULTI",), ("XADD", "in", "*", "body", event(100 + k, "SLOW")), ("EXEC",))))
            assert [one.read(), one.read()] == ["OK", "QUEUED"]
            if int(info(wire)["parked"]) + told <= k:
                told += 1
                assert one.read()[0].word == "TRYAGAIN"
        assert told == 3
        for n in range(10):
            replies = pipeline(wire, [("MULTI",), ("XADD", "in", "*", "body", event(n, "FAST")),
                                      ("EXEC",)])
            assert replies[:2] == ["OK", "QUEUED"] and is_id(replies[2][0]), replies


def test_many_waiting_publishers_and_a_slow_group():
    """One acknowledgement makes room for one; that costs no more than it should."""
    files = two_way_files("backlog_max: 16", publish_wait="20s", receive_buffers=256)
    with Server(files=files) as server, server.wire() as wire, server.wire() as reader, \
            many_wires(server, 50) as stuck:
        add_many(wire, range(16), "SLOW")
        for k, one in enumerate(stuck):
            one.send(b"".join(encode_command("XADD", "in", "*", "body", event(f"{k}-{n}", "SLOW"))
                              for n in range(200)))
        wait_until(lambda: parked(wire) >= 50 * 200)
        before = time.monotonic()
        for _ in range(100):
            (ident, _), = read_group(reader, "COUNT", 1, "BLOCK", 1000, destination="slow")
            assert reader.call("XACK", "slow", "slow", ident) == 1
            reader.call("PING")
        assert time.monotonic() - before < 4, time.monotonic() - before
        assert parked(wire) < 50 * 200 + 100 * 400, parked(wire)


ONE_DELIVERY = """publications_max: 64
acknowledgements_max: 64
channels:
  - name: in
destinations:
  - name: slow
    groups: [slow]
    deliveries_max: 1
    dead_letter: dead
  - name: dead
    groups: [dead]
unroutable: slow
"""


def test_more_dead_letters_in_a_turn_than_may_wait_for_their_commit():
    with Server(files={"kouan.yaml": ONE_DELIVERY}) as server, server.wire() as wire:
        ids = publish(wire, [event(n) for n in range(900)])
        assert len(drain(wire, "slow", "slow")) == 900
        # Reading them again buries them, as many as there is room for; the others are delivered
        # once more. Messages that come in the same turn are not crowded out.
        wire.send(encode_command("XREADGROUP", "GROUP", "slow", "c", "STREAMS", "slow", "0") +
                  b"".join(encode_command("XADD", "in", "*", "body", event(n))
                           for n in range(900, 1000)))
        again = entries(wire.read())
        assert 0 < len(again) < 900
        assert all(isinstance(wire.read(), bytes) for _ in range(100))
        while entries(wire.call("XREADGROUP", "GROUP", "slow", "c", "COUNT", 50, "STREAMS", "slow",
                                "0")):
            pass
        dead = 0  # the last of them are shown when they are on disk
        while dead < len(ids) and (more := read_group(wire, "BLOCK", 5000, destination="dead")):
            dead += len(more)
        assert dead == len(ids) and drain(wire, "dead", "dead") == [] and ledger(wire)["gap"] == 0


if __name__ == "__main__":
    run_tests()
