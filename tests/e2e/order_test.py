"""`order: case`: the entries of a case go to one consumer at a time, and others overtake."""

from kouan_harness import Server, run_tests
from provincial import add, ledger, plain_files, read_group

CASE = "[{name: all, groups: [{name: all, order: case}]}]"
DEAD = ("[{name: all, groups: [{name: all, order: case}], deliveries_max: 1, dead_letter: grave}, "
        "{name: grave, groups: [grave]}]")


def add_to(wire, case, number):
    return add(wire, number, keys={"order": case})


def take(wire, consumer, count=100, *options):
    return [ident for ident, _ in read_group(wire, "COUNT", count, *options, consumer=consumer)]


def test_a_case_stays_at_its_consumer():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire:
        a1, a2, b1, a3 = (add_to(wire, case, n) for n, case in enumerate(("A", "A", "B", "A")))
        assert take(wire, "x", 1) == [a1]
        assert take(wire, "y") == [b1]  # and nothing of A
        group = dict(wire.call("XINFO", "GROUPS", "all")[0][i:i + 2] for i in range(0, 12, 2))
        assert group[b"lag"] == 2 and group[b"pending"] == 2 and group[b"entries-read"] == 2
        assert group[b"last-delivered-id"] == b1
        assert wire.call("KOUAN", "GROUPS", "all") == [
            [b"name", b"all", b"order", b"case", b"passed-over", 2, b"cases", 2]]
        assert take(wire, "x", 1) == [a2]
        assert wire.call("XACK", "all", "all", a1) == 1
        assert take(wire, "y") == []  # a2 is pending at x
        assert wire.call("XACK", "all", "all", a2) == 1
        assert take(wire, "y") == [a3]  # free, and y's now
        assert wire.call("XLEN", "all") == 2  # b1 and a3, and what lay before is gone
        assert wire.call("XACK", "all", "all", a3, b1) == 2 and wire.call("XLEN", "all") == 0
        assert ledger(wire)["gap"] == 0


def test_a_reader_is_woken_only_by_what_is_for_it():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire, server.wire() as x, \
            server.wire() as y:
        a1 = add_to(wire, "A", 1)
        assert take(x, "x") == [a1]
        y.command("XREADGROUP", "GROUP", "all", "y", "BLOCK", 0, "STREAMS", "all", ">")
        y.expect_silence(0.05)
        a2 = add_to(wire, "A", 2)
        y.expect_silence(0.1)
        assert take(x, "x", 1) == [a2]
        a3 = add_to(wire, "A", 3)
        y.expect_silence(0.1)
        assert wire.call("XACK", "all", "all", a1, a2) == 2  # now A is free
        assert [ident for ident, _ in y.read()[0][1]] == [a3]


def test_who_blocks_later_is_served_before_who_may_not():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire, server.wire() as x, \
            server.wire() as y:
        assert take(wire, "x") == [] and add_to(wire, "A", 1)
        assert len(take(wire, "x")) == 1
        y.command("XREADGROUP", "GROUP", "all", "y", "BLOCK", 0, "STREAMS", "all", ">")
        y.expect_silence(0.05)
        x.command("XREADGROUP", "GROUP", "all", "x", "BLOCK", 0, "STREAMS", "all", ">")
        x.expect_silence(0.05)
        a2 = add_to(wire, "A", 2)
        assert [ident for ident, _ in x.read()[0][1]] == [a2]
        b1 = add_to(wire, "B", 3)
        assert [ident for ident, _ in y.read()[0][1]] == [b1]


def test_a_claim_takes_the_case_along():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire, server.wire() as heir:
        a1, a2, a3 = (add_to(wire, "A", n) for n in range(3))
        assert take(wire, "dead", 1) == [a1]
        heir.command("XREADGROUP", "GROUP", "all", "heir", "COUNT", 1, "BLOCK", 0, "STREAMS", "all",
                     ">")
        heir.expect_silence(0.1)
        assert wire.call("XAUTOCLAIM", "all", "all", "heir", 0, 0, "JUSTID")[1] == [a1]
        assert [ident for ident, _ in heir.read()[0][1]] == [a2]  # woken by the claim
        assert take(wire, "dead") == []
        assert wire.call("XGROUP", "DELCONSUMER", "all", "all", "dead") == 0
        assert take(wire, "heir") == [a3]
        # Of several, the last claim says where the case is.
        assert wire.call("XCLAIM", "all", "all", "third", 0, a2, "JUSTID") == [a2]
        a4 = add_to(wire, "A", 9)
        assert take(wire, "heir") == []
        assert wire.call("XACK", "all", "all", a2) == 1
        assert take(wire, "heir") == []  # it is still the third's
        assert wire.call("XGROUP", "DELCONSUMER", "all", "all", "third") == 0
        assert take(wire, "heir") == [a4]
        assert ledger(wire)["gap"] == 0


def test_noack_and_dead_letters_let_go_of_their_case():
    with Server(files=plain_files(DEAD)) as server, server.wire() as wire:
        a1, a2, a3 = (add_to(wire, "A", n) for n in range(3))
        assert take(wire, "x", 1, "NOACK") == [a1]
        assert take(wire, "y", 1) == [a2]
        assert take(wire, "x", 1, "NOACK") == []
        assert read_group(wire, consumer="y", after="0") == []  # it went to the dead letter
        assert take(wire, "x", 1) == [a3]
        assert len(read_group(wire, "BLOCK", 1000, destination="grave")) == 1
        assert ledger(wire)["gap"] == 0


def test_setid_forgets_what_was_passed_over():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire:
        ids = [add_to(wire, "AB"[n % 2], n) for n in range(6)]
        assert take(wire, "x", 1) == [ids[0]]
        assert take(wire, "y") == [ids[1], ids[3], ids[5]]
        assert wire.call("XACK", "all", "all", ids[0], ids[1], ids[3], ids[5]) == 4
        assert wire.call("XGROUP", "SETID", "all", "all", ids[2]) == "OK"
        assert take(wire, "z") == [ids[4]]  # 2 is skipped; 3 and 5 are gone, no group needs them
        assert ledger(wire)["gap"] == 0


def test_without_keys_to_anyone():
    with Server(files=plain_files(CASE)) as server, server.wire() as wire:
        ids = [add(wire, n, keys={}) for n in range(4)]
        assert take(wire, "x", 1) == ids[:1] and take(wire, "y", 2) == ids[1:3]
        assert take(wire, "x") == ids[3:]


if __name__ == "__main__":
    run_tests()
