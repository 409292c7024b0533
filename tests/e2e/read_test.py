"""Reading without a group, and from several destinations at once."""

from kouan_harness import TEST_SHARDS, Server, WireError, one_shard, run_tests
from provincial import (ONE_CASE, add, add_many, files, ledger, login, plain_files, read_group,
                        two_way_files)


def by_destination(reply):
    """{name: [id]} of a reply in either protocol; {} for none."""
    pairs = reply.items() if isinstance(reply, dict) else (reply or [])
    return {name: [ident for ident, _ in items] for name, items in pairs}


def test_xread_sees_what_comes_and_takes_nothing():
    for protocol in (2, 3):
        with Server(files=plain_files()) as server, server.wire(protocol) as reader, \
                server.wire() as other, server.wire() as writer:
            first = add(writer, 1)
            for wire in (reader, other):
                wire.command("XREAD", "BLOCK", 0, "STREAMS", "all", "$")
                wire.expect_silence(0.05)
            second = add(writer, 2)
            assert by_destination(reader.read()) == {b"all": [second]}
            assert by_destination(other.read()) == {b"all": [second]}
            assert by_destination(reader.call("XREAD", "STREAMS", "all", "+")) == {b"all": [second]}
            assert by_destination(reader.call("XREAD", "COUNT", 1, "STREAMS", "all", 0)) == {
                b"all": [first]}
            assert reader.call("XREAD", "BLOCK", 20, "STREAMS", "all", second) is None
            assert [i for i, _ in read_group(writer)] == [first, second]  # all are still new
            assert writer.call("XACK", "all", "all", first, second) == 2
            assert reader.call("XRANGE", "all", "-", "+") == []
            assert reader.call("XREAD", "STREAMS", "all", "+") is None


def test_a_blocked_xread_sees_what_is_read_with_noack():
    """What its group takes at once has been there."""
    one_shard("who waits at another than the log's looks when it is told, and that is gone then")
    with Server(files=plain_files()) as server, server.wire() as watcher, server.wire() as eater, \
            server.wire() as writer:
        eater.command("XREADGROUP", "GROUP", "all", "c", "NOACK", "BLOCK", 0, "STREAMS", "all", ">")
        eater.expect_silence(0.05)
        watcher.command("XREAD", "BLOCK", 0, "STREAMS", "all", "$")
        watcher.expect_silence(0.05)
        ident = add(writer, 1)
        assert by_destination(watcher.read()) == by_destination(eater.read()) == {b"all": [ident]}
        assert writer.call("XLEN", "all") == 0 and ledger(writer)["gap"] == 0


def test_several_destinations_wake_a_reader():
    with Server(files=two_way_files()) as server, server.wire(protocol=3) as reader, \
            server.wire() as writer:
        assert reader.call("XGROUP", "CREATE", "slow", "g", "$") == "OK"
        assert reader.call("XGROUP", "CREATE", "fast", "g", "$") == "OK"
        for command in (("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "slow", "fast",
                         ">", ">"),
                        ("XREAD", "BLOCK", 0, "STREAMS", "slow", "fast", "$", "$")):
            for number, kind in enumerate(("SLOW", "FAST", "BOTH")):
                reader.command(*command)
                reader.expect_silence(0.05)
                ident = add(writer, f"{command[0]}-{number}", kind)
                both = {b"slow": [ident], b"fast": [ident]}
                wanted = both if kind == "BOTH" else {kind.lower().encode(): [ident]}
                assert by_destination(reader.read()) == wanted
        # It stands in no line any more.
        add(writer, "more", "BOTH")
        reader.expect_silence(0.05)
        assert ledger(writer)["gap"] == 0


def test_a_destroyed_group_ends_a_read_of_several():
    with Server(files=two_way_files()) as server, server.wire() as reader, server.wire() as writer:
        for name in ("slow", "fast"):
            assert writer.call("XGROUP", "CREATE", name, "g", "$") == "OK"
        reader.command("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "slow", "fast", ">",
                       ">")
        reader.expect_silence(0.05)
        assert writer.call("XGROUP", "DESTROY", "fast", "g") == 1
        assert reader.read().word == "NOGROUP"
        add(writer, 1, "SLOW")
        assert reader.call("PING") == "PONG"
        # A connection that ends leaves all its lines.
        with server.wire() as other:
            other.command("XREAD", "BLOCK", 0, "STREAMS", "slow", "fast", "$", "$")
            other.expect_silence(0.05)
        assert add(writer, 2, "BOTH") and writer.call("PING") == "PONG"


def test_count_and_reply_max_bound_each_and_all():
    with Server(files=two_way_files(reply_max="64KiB")) as server, server.wire() as wire:
        ids = add_many(wire, range(40), "BOTH", note="x" * 4000, **ONE_CASE)
        got = by_destination(wire.call("XREAD", "COUNT", 3, "STREAMS", "slow", "fast", 0, ids[9]))
        assert got == {b"slow": ids[:3], b"fast": ids[10:13]}
        # What one destination fills is not followed by another that would look empty.
        got = by_destination(wire.call("XREAD", "STREAMS", "slow", "fast", 0, 0))
        assert list(got) == [b"slow"] and got[b"slow"] == ids[:len(got[b"slow"])]
        assert 15 <= len(got[b"slow"]) <= 17
        page = [ident for ident, _ in wire.call("XREVRANGE", "fast", "+", "-", "COUNT", 1000)]
        assert page == ids[::-1][:len(page)] and 15 <= len(page) <= 17
        assert wire.call("XGROUP", "CREATE", "slow", "fast", 0) == "OK"
        read_group(wire, "COUNT", 2, destination="fast")
        read_group(wire, "COUNT", 20, destination="slow", group="fast")
        got = by_destination(wire.call("XREADGROUP", "GROUP", "fast", "c", "STREAMS", "slow", "fast",
                                       0, 0))
        # Of several logs each has its own bound.
        assert list(got) == [b"slow"] or (TEST_SHARDS > 1 and all(got.values())), got
        reply = wire.call("XREADGROUP", "GROUP", "fast", "c", "STREAMS", "fast", "slow", 0, 0)
        assert list(by_destination(reply)) == [b"fast", b"slow"]


def test_too_many_destinations_are_an_error():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ident = add(wire, 1)
        reply = wire.call("XREAD", "STREAMS", *["all"] * 16, *["0"] * 16)
        assert [(name, items[0][0]) for name, items in reply] == [(b"all", ident)] * 16
        reply = wire.call("XREAD", "STREAMS", *["all"] * 17, *["0"] * 17)
        assert str(reply) == "ERR one read takes at most 16 destinations here"


def test_rights():
    with Server(files=files()) as server, login(server, "nansha") as wire:
        assert wire.call("XRANGE", "nansha", "-", "+") == []
        words = set()
        for name in ("customs", "nowhere"):
            words |= {str(wire.call(*command)) for command in (
                ("XRANGE", name, "-", "+"), ("XREVRANGE", name, "+", "-"),
                ("XREAD", "STREAMS", "nansha", name, 0, 0),
                ("XREAD", "BLOCK", 0, "STREAMS", name, "$"),
                ("XREADGROUP", "GROUP", "nansha", "c", "STREAMS", "nansha", name, ">", ">"))}
        assert words == {"NOPERM this participant may not consume that destination"}, words
        # The consumer of the first was not made before the second was refused.
        assert wire.call("XINFO", "CONSUMERS", "nansha", "nansha") == []


def test_a_read_of_several_is_whole_or_nothing():
    """NOGROUP of the second takes nothing from the first."""
    with Server(files=two_way_files()) as server, server.wire() as wire:
        ident = add(wire, 1, "BOTH")
        reply = wire.call("XREADGROUP", "GROUP", "slow", "c", "STREAMS", "slow", "fast", ">", ">")
        assert isinstance(reply, WireError) and "'fast'" in str(reply), reply
        assert [i for i, _ in read_group(wire, destination="slow")] == [ident]


if __name__ == "__main__":
    run_tests()
