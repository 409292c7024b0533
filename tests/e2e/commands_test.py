"""Commands beyond reading and publishing: moving groups, claiming what is idle, removing consumers,
transactions."""

import time

from kouan_harness import Server, WireError, encode_command, one_shard, run_tests
from provincial import (ONE_CASE, add, add_many, event, files, ledger, login, pipeline, plain_files,
                        read_group)

DEAD = ("[{name: all, groups: [all], deliveries_max: 2, dead_letter: grave}, "
        "{name: grave, groups: [grave]}]")


def group_of(wire, destination="all", group="all"):
    """The ledger's account of one group."""
    outlet = next(o for o in ledger(wire)["outlets"] if o["destination"] == destination)
    return next(g for g in outlet["groups"] if g["group"] == group)


# ---- XAUTOCLAIM -----------------------------------------------------------------------------------


def test_xautoclaim_walks_by_its_cursor():
    with Server(files=plain_files()) as server, server.wire() as wire:
        ids = add_many(wire, range(25), **ONE_CASE)
        read_group(wire, "COUNT", 20, consumer="dead")
        cursor, claimed, rounds = "0-0", [], 0
        while cursor != b"0-0":
            cursor, some, gone = wire.call("XAUTOCLAIM", "all", "all", "heir", 0, cursor, "COUNT", 6)
            claimed += [ident for ident, _ in some]
            rounds += 1
            assert gone == [] and len(some) <= 6
        assert claimed == ids[:20] and rounds == 4
        assert wire.call("XPENDING", "all", "all")[3] == [[b"heir", b"20"]]
        # Nothing is idle for an hour; ten times COUNT are looked at in one go.
        cursor, some, _ = wire.call("XAUTOCLAIM", "all", "all", "heir", 3600000, "-", "COUNT", 1)
        assert some == [] and cursor == ids[10]


def test_xautoclaim_gives_up_what_is_exhausted():
    with Server(files=plain_files(destinations=DEAD)) as server, server.wire() as wire:
        ids = add_many(wire, range(3), **ONE_CASE)
        read_group(wire, "COUNT", 2)
        assert wire.call("XACK", "all", "all", ids[1]) == 1
        cursor, claimed, gone = wire.call("XAUTOCLAIM", "all", "all", "heir", 0, 0)
        assert [ident for ident, _ in claimed] == [ids[0]] and gone == []
        read_group(wire, consumer="heir")
        # JUSTID counts no delivery, and gives nothing up.
        assert wire.call("XAUTOCLAIM", "all", "all", "heir", 0, 0, "JUSTID") == [
            b"0-0", [ids[0], ids[2]], []]
        cursor, claimed, gone = wire.call("XAUTOCLAIM", "all", "all", "heir", 0, 0)
        assert [ident for ident, _ in claimed] == [ids[2]] and gone == [ids[0]]
        assert len(read_group(wire, "BLOCK", 2000, destination="grave")) == 1
        assert group_of(wire)["dead_lettered"] == 1 and ledger(wire)["gap"] == 0


# ---- XGROUP ---------------------------------------------------------------------------------------


def test_setid_passes_by_and_goes_back():
    with Server(files=plain_files()) as server, server.wire() as wire:
        assert wire.call("XGROUP", "CREATE", "all", "keeps", "0") == "OK"  # nothing leaves
        ids = add_many(wire, range(10), **ONE_CASE)
        assert wire.call("XGROUP", "SETID", "all", "all", ids[3]) == "OK"
        account = group_of(wire)
        assert account["skipped"] == 4 and account["backlog"] == 6
        got = [ident for ident, _ in read_group(wire, "COUNT", 2)]
        assert got == ids[4:6]
        refused = wire.call("XGROUP", "SETID", "all", "all", ids[4])
        assert isinstance(refused, WireError) and str(refused).startswith("ERR 1 messages"), refused
        assert wire.call("XACK", "all", "all", *got) == 2
        assert wire.call("XGROUP", "SETID", "all", "all", ids[4]) == "OK"
        assert [ident for ident, _ in read_group(wire)] == ids[5:]
        info = wire.call("XINFO", "GROUPS", "all")[0]
        assert info[-1] == 0, info  # lag
        assert ledger(wire)["gap"] == 0


def test_setid_of_a_configured_group_is_an_operators():
    with Server(files=files()) as server, login(server, "customs") as wire, \
            login(server, "root") as root:
        refused = wire.call("XGROUP", "SETID", "customs", "customs", "$")
        assert isinstance(refused, WireError) and refused.word == "NOPERM", refused
        assert wire.call("XGROUP", "CREATE", "customs", "mine", "$") == "OK"
        assert wire.call("XGROUP", "SETID", "customs", "mine", "0") == "OK"
        assert root.call("XGROUP", "SETID", "customs", "customs", "$") == "OK"
        # What it may not consume looks like what does not exist.
        for name in ("nansha", "nowhere"):
            for subcommand in (["SETID", name, "g", "0"], ["CREATECONSUMER", name, "g", "c"],
                               ["DELCONSUMER", name, "g", "c"]):
                refused = wire.call("XGROUP", *subcommand)
                assert str(refused) == "NOPERM this participant may not consume that destination"


def test_a_consumer_with_pending_messages_stays():
    with Server(files=plain_files()) as server, server.wire() as wire, server.wire() as blocked:
        ids = add_many(wire, range(3), **ONE_CASE)
        read_group(wire, consumer="dead")
        refused = wire.call("XGROUP", "DELCONSUMER", "all", "all", "dead")
        assert isinstance(refused, WireError) and str(refused).startswith("ERR 3 messages"), refused
        assert wire.call("XAUTOCLAIM", "all", "all", "heir", 0, 0, "JUSTID")[1] == ids
        assert wire.call("XGROUP", "DELCONSUMER", "all", "all", "dead") == 0
        names = lambda: [row[1] for row in wire.call("XINFO", "CONSUMERS", "all", "all")]
        assert names() == [b"heir"]
        # Its place is taken again, and the pending ones of others stay with their owners.
        assert wire.call("XGROUP", "CREATECONSUMER", "all", "all", "new") == 1
        assert names() == [b"new", b"heir"]
        assert wire.call("XPENDING", "all", "all")[3] == [[b"heir", b"3"]]
        # One whose reader is blocked is made anew at once.
        blocked.command("XREADGROUP", "GROUP", "all", "waits", "BLOCK", 0, "STREAMS", "all", ">")
        blocked.expect_silence(0.05)
        assert wire.call("XGROUP", "DELCONSUMER", "all", "all", "waits") == 0
        assert wire.call("XGROUP", "CREATECONSUMER", "all", "all", "other") == 1
        ident = add(wire, 9)
        assert blocked.read()[0][1][0][0] == ident
        assert [b"waits", b"1"] in wire.call("XPENDING", "all", "all")[3]


# ---- MULTI and EXEC -------------------------------------------------------------------------------


def test_transaction_of_publications():
    """What redis-py's pipeline() sends; more than may be without a reply at once."""
    options = {"publications_per_connection": 8, "transaction_max": "256KiB"}
    with Server(files=plain_files(**options)) as server, server.wire() as wire:
        commands = [("MULTI",), *(("XADD", "in", "*", "body", event(n)) for n in range(100)),
                    ("XLEN", "all"), ("XADD", "in", "*", "body", event(7)), ("EXEC",), ("PING",)]
        replies = pipeline(wire, commands)
        assert replies[0] == "OK" and replies[1:103] == ["QUEUED"] * 102
        ids = replies[103][:100]
        assert replies[103][100] == 100  # XLEN saw what came before it
        assert replies[103][101] == ids[7]  # a repeat gets its first receipt
        assert replies[104] == "PONG"
        assert {ident for ident, _ in read_group(wire)} == set(ids)
        assert ledger(wire)["gap"] == 0


def test_errors_in_a_transaction_stop_nothing():
    with Server(files=plain_files()) as server, server.wire() as wire:
        replies = pipeline(wire, [("MULTI",), ("XADD", "in", "*", "body", "no json"),
                                  ("XADD", "nowhere", "*", "body", event(1)),
                                  ("XADD", "in", "*", "body", event(2)), ("EXEC",)])
        bad, nowhere, ident = replies[-1]
        assert bad.word == "REJECTED" and nowhere.word == "ERR"
        assert [i for i, _ in read_group(wire)] == [ident]


def test_a_transaction_runs_when_its_publications_are_parked():
    """It waits for room in the middle of EXEC; the array is whole when there is some."""
    destination = "[{name: all, groups: [all], backlog_max: 16}]"
    with Server(files=plain_files(destination)) as server, server.wire() as wire, \
            server.wire() as reader:
        commands = [("MULTI",), *(("XADD", "in", "*", "body", event(n, **ONE_CASE)) for n in range(24)),
                    ("PING",), ("EXEC",), ("PING", "after")]
        wire.send(b"".join(encode_command(*c) for c in commands))
        for _ in range(26):
            wire.read()
        got = []
        while len(got) < 24:
            some = [i for i, _ in read_group(reader, "BLOCK", 1000)]
            got += some
            assert reader.call("XACK", "all", "all", *some) == len(some)
        assert wire.read() == [*got, "PONG"] and wire.read() == b"after"


def test_transactions_are_bounded():
    one_shard("each has its own queues for transactions")
    options = {"transactions": 1, "transaction_max": "4KiB"}
    with Server(files=plain_files(**options)) as server, server.wire() as one, server.wire() as two:
        assert one.call("MULTI") == "OK" and two.call("MULTI") == "OK"
        assert one.call("PING") == "QUEUED"
        assert two.call("PING").word == "TRYAGAIN"
        assert two.call("EXEC").word == "EXECABORT"
        assert one.call("ECHO", "x" * 5000).word == "TOOBIG"
        assert one.call("EXEC").word == "EXECABORT" and one.call("PING") == "PONG"
        # The queue is free again; and it is given back by an end of the connection.
        assert pipeline(two, [("MULTI",), ("PING",), ("EXEC",)])[-1] == ["PONG"]
        assert pipeline(two, [("MULTI",), ("PING",)]) == ["OK", "QUEUED"]
        two.close()
        deadline = time.monotonic() + 10
        while pipeline(one, [("MULTI",), ("PING",), ("EXEC",)])[-1] != ["PONG"]:
            assert time.monotonic() < deadline


def test_an_open_transaction_is_given_as_long_as_a_half_command():
    with Server(files=plain_files(half_command_time="100ms")) as server, server.wire() as wire:
        assert pipeline(wire, [("MULTI",), ("PING",)]) == ["OK", "QUEUED"]
        wire.expect_closed()


def test_transactions_want_a_participant():
    with Server(files=files()) as server, server.wire() as wire:
        assert wire.call("MULTI").word == "NOAUTH"
        with login(server, "nansha") as known:
            replies = pipeline(known, [("MULTI",), ("XLEN", "customs"), ("XLEN", "nowhere"),
                                       ("XADD", "in", "*", "body", event(1)), ("EXEC",)])
            assert str(replies[-1][0]) == str(replies[-1][1]) and replies[-1][0].word == "NOPERM"


# ---- keys -----------------------------------------------------------------------------------------


def scan_all(wire, *options):
    """(names, how many calls)."""
    names, cursor, calls = [], b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, some = wire.call("SCAN", cursor, *options)
        names += some
        calls += 1
    return names, calls


def test_names_are_keys():
    with Server(files=files()) as server, login(server, "nansha") as nansha, \
            login(server, "customs") as customs, login(server, "root") as root:
        assert scan_all(nansha)[0] == nansha.call("KEYS", "*") == [b"nansha", b"in"]
        assert scan_all(customs, "COUNT", 1) == ([b"customs", b"port", b"trader"], 5)
        names = [b"customs", b"port", b"trader", b"nansha", b"in"]
        assert scan_all(root)[0] == names and root.call("DBSIZE") == 5
        assert root.call("KEYS", "*a*") == [b"trader", b"nansha"]
        # What is not its own is not there.
        for name in ("customs", "nowhere"):
            assert nansha.call("EXISTS", name) == 0 and nansha.call("TYPE", name) == "none"
            assert nansha.call("TTL", name) == -2 and nansha.call("MEMORY", "USAGE", name) is None
        assert nansha.call("EXISTS", "in", "nansha") == 2 and customs.call("EXISTS", "in") == 0
        assert nansha.call("DBSIZE") == 2
        assert nansha.call("MEMORY", "USAGE", "nansha") == 0
        add(nansha, 1)  # to customs and port
        assert [root.call("MEMORY", "USAGE", name, "SAMPLES", 0) > len(event(1))
                for name in ("customs", "port", "nansha")] == [True, True, False]


def test_time():
    with Server(files=plain_files()) as server, server.wire() as wire:
        before = time.time()
        seconds, microseconds = (int(part) for part in wire.call("TIME"))
        assert before - 1 < seconds + microseconds / 1e6 < time.time() + 1 and microseconds < 10**6


def test_help():
    with Server(files=plain_files()) as server, server.wire() as wire:
        for command in ("XGROUP", "XINFO", "CLIENT", "COMMAND", "CONFIG", "KOUAN"):
            lines = wire.call(command, "HELP")
            assert lines[0] == f"{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
            assert lines[-2:] == ["HELP", "    Prints this help."] and len(lines) % 2 == 1


if __name__ == "__main__":
    run_tests()
