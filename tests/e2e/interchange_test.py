"""EDIFACT interchanges of several messages: each goes its own way, all of them or none."""

import functools
import json

from kouan_harness import Server, WireError, encode_command, run_tests
from provincial import (drain, entries, event, files, in_one_case, interchange, interchange_files,
                        info, ledger, login, message, number_of, pipeline, read_group)

# All messages here are of one case, and so in one log, in their order.
message = functools.partial(message, document=1)
event = in_one_case(event)

UNA = b"UNA:+.? '"


def is_id(reply):
    return isinstance(reply, bytes)


def is_told(reply):
    return isinstance(reply, WireError) and reply.word == "TRYAGAIN"


def add(wire, body, *options):
    return wire.call("XADD", "in", *options, "*", "body", body)


def intake(wire):
    book = ledger(wire)
    assert book["gap"] == 0, book
    return book["intake"][0]


def balance(wire):
    """(received, accepted, replay, refused, undecided) of the one account there is."""
    account = intake(wire)
    return (account["received"], account["accepted"], account["replay"],
            sum(account["refused"].values()), account["undecided"])


# ---- accepted ---------------------------------------------------------------------------------------


def test_each_message_goes_its_own_way():
    parts = [message("CUSDEC", 1), message("CUSRES", 2), message("CUSCAR", 3), message("CUSDEC", 4)]
    body = interchange("R1", *parts)
    with Server(files=interchange_files()) as server, server.wire() as wire:
        receipt = add(wire, body)
        assert is_id(receipt), receipt
        customs, port = drain(wire, "customs", "customs"), drain(wire, "port", "port")
        assert [f[b"part"] for _, f in customs] == [b"1/4", b"3/4", b"4/4"], customs
        assert [f[b"part"] for _, f in port] == [b"2/4", b"3/4"], port
        assert customs[0][0] == receipt and customs[1][0] == port[1][0]
        ids = [number_of(i) for i in (customs[0][0], port[0][0], customs[1][0], customs[2][0])]
        for log in {ident[1] & 0xFF for ident in ids}:
            of_log = [ident for ident in ids if ident[1] & 0xFF == log]
            assert of_log == sorted(set(of_log)), ids
        for _, fields in customs + port:
            part = int(fields[b"part"].split(b"/")[0])
            assert fields[b"body"] == parts[part - 1], fields  # as it stands in the interchange
            assert fields[b"envelope"] == body[:body.index(b"'", 9) + 1], fields
            assert fields[b"sender"] == b"SENDER" and fields[b"verdict"] == b"fresh", fields
            assert fields[b"message_id"] == b"SENDER+R1+%d" % part, fields
        assert balance(wire) == (4, 4, 0, 0, 0)
        assert ledger(wire)["intake"][0]["received_bytes"] == len(body)


def test_one_message_keeps_its_envelope():
    body = interchange("R1", message("CUSDEC", 1))
    with Server(files=interchange_files()) as server, server.wire() as wire:
        receipt = add(wire, body)
        ((ident, fields),) = drain(wire, "customs", "customs")
        assert ident == receipt and fields[b"body"] == body
        assert fields[b"part"] == fields[b"envelope"] == b"", fields
        assert balance(wire) == (1, 1, 0, 0, 0)


def test_groups_and_several_interchanges():
    one, two, three = (message("CUSDEC", n) for n in (1, 2, 3))
    unb = b"UNB+UNOC:3+SENDER+RECEIVER+260101:1200+%s'"
    ung = b"UNG+CUSDEC+S+R+260101:1200+%d+UN+D:96B'"
    body = (UNA + unb % b"R1" + b"\r\n" + ung % 1 + one + b"UNE+1+1'" + ung % 2 + two + b"UNE+1+2'" +
            b"UNZ+2+R1'\n" + unb % b"R2" + three + b"UNZ+1+R2'")
    with Server(files=interchange_files()) as server, server.wire() as wire:
        assert is_id(add(wire, body))
        got = [fields for _, fields in drain(wire, "customs", "customs")]
        assert [f[b"body"] for f in got] == [one, two, three]
        assert [f[b"envelope"] for f in got] == [
            UNA + unb % b"R1" + ung % 1, UNA + unb % b"R1" + ung % 2, UNA + unb % b"R2"], got
        assert [f[b"message_id"] for f in got] == [
            b"SENDER+R1+1", b"SENDER+R1+2", b"SENDER+R2+3"], got


def test_a_large_one_among_small_ones():
    """More parts than a batch has room for beside others; order holds throughout."""
    with Server(files=interchange_files("fields: [message_id]")) as server, server.wire() as wire:
        bodies, expected = [], []
        for n in range(20):
            count = 1 + n * 97 % 256
            bodies.append(interchange(f"R{n}", *(message("CUSDEC", k) for k in range(count))))
            expected += [b"SENDER+R%d+%d" % (n, k) for k in range(count)]
        receipts = pipeline(wire, [("XADD", "in", "*", "body", body) for body in bodies])
        assert all(map(is_id, receipts)), receipts
        got = drain(wire, "customs", "customs")
        assert [f[b"message_id"] for _, f in got] == expected
        first = {f[b"message_id"]: i for i, f in got}
        assert receipts == [first[b"SENDER+R%d+0" % n] for n in range(20)]
        assert balance(wire) == (len(expected), len(expected), 0, 0, 0)


def test_few_commits_at_once():
    """The first of what one turn brings waits for no more room among the commits than there is."""
    with Server(files=interchange_files("fields: [part]", publications_max=64)) as server, \
            server.wire() as wire:
        bodies = [interchange(f"R{n}", *(message("CUSDEC", k) for k in range(256)))
                  for n in range(12)]
        assert all(map(is_id, pipeline(wire, [("XADD", "in", "*", "body", b) for b in bodies])))
        parts = [f[b"part"] for _, f in drain(wire, "customs", "customs")]
        assert parts == [b"%d/256" % (k + 1) for k in range(256)] * 12


# ---- again --------------------------------------------------------------------------------------------


def test_replays():
    parts = [message("CUSDEC", n) for n in range(5)]
    with Server(files=interchange_files()) as server, server.wire() as wire:
        receipt = add(wire, interchange("R1", *parts[:3]))
        assert pipeline(wire, [("XADD", "in", "*", "body", interchange("R1", *parts[:3]))] * 3) == \
            [receipt] * 3
        assert balance(wire) == (12, 3, 9, 0, 0)
        # What came before is a replay message by message; the rest is new.
        assert add(wire, interchange("R1", *parts)) == receipt
        assert balance(wire) == (17, 5, 12, 0, 0)
        later = add(wire, interchange("R1", parts[4], parts[3]))
        got = drain(wire, "customs", "customs")
        assert [f[b"body"] for _, f in got] == parts
        assert later == got[4][0]
        # The same message in another interchange is another message: its envelope is.
        assert number_of(add(wire, interchange("R2", *parts[:2]))) > number_of(later)
        # The first message alone has other bytes under the same id.
        add(wire, interchange("R1", parts[0]))
        got = drain(wire, "customs", "customs")
        assert [f[b"verdict"] for _, f in got] == [b"fresh", b"fresh", b"conflict"], got
        assert balance(wire) == (22, 8, 14, 0, 0)


def test_equal_messages_in_one_interchange():
    one, two = message("CUSDEC", 1), message("CUSDEC", 2)
    with Server(files=interchange_files()) as server, server.wire() as wire:
        receipt = add(wire, interchange("R1", one, two, one, two, two))
        assert is_id(receipt)
        got = drain(wire, "customs", "customs")
        assert [f[b"part"] for _, f in got] == [b"1/5", b"2/5"] and got[0][0] == receipt
        assert balance(wire) == (5, 2, 3, 0, 0)


def test_other_bytes_under_one_id():
    one, other = message("CUSDEC", 1), message("CUSDEC", 1, b"FTX+AAA+++other'")
    changed = message("CUSDEC", 1, function=4)
    with Server(files=interchange_files()) as server, server.wire() as wire:
        assert is_id(add(wire, interchange("R1", one, other, changed)))
        got = drain(wire, "customs", "customs")
        assert [f[b"verdict"] for _, f in got] == [b"fresh", b"conflict", b"amendment"], got
        assert [f[b"body"] for _, f in got] == [one, other, changed]


def test_given_ids():
    parts = [message("CUSDEC", n) for n in range(3)]
    with Server(files=interchange_files()) as server, server.wire() as wire:
        first = add(wire, interchange("R1", *parts), "IDMP", "p", "1")
        assert is_id(first)
        assert add(wire, interchange("R1", *parts), "IDMP", "p", "1") == first
        assert add(wire, interchange("R1", *parts), "IDMP", "p", "2") != first
        assert balance(wire) == (9, 6, 3, 0, 0)
        add(wire, interchange("R1", parts[0]), "IDMP", "p", "1")  # other bytes under a given id
        got = drain(wire, "customs", "customs")
        assert [f[b"verdict"] for _, f in got] == [b"fresh"] * 6 + [b"conflict"], got


# ---- refused --------------------------------------------------------------------------------------------


def test_refused_whole():
    good = [message("CUSDEC", 1), message("CUSRES", 2)]
    with Server(files=interchange_files()) as server, server.wire() as wire:
        refused = 0
        for bad, expected in [
            (message("XXXXXX", 7), "REJECTED UNKNOWNPROFILE at byte {}: "),
            (message("TAXCON", 7), "REJECTED rule no rejects it: not here "),
            (message("CUSREP", 7), "UNROUTABLE no rule gives this CUSREP a destination "),
            (b"UNH+7+CUSDEC:D:96B:UN'BGM+929+" + b"9" * 1100 + b"'UNT+3+7'",
             "REJECTED VALUETOOLONG at byte {}: "),
        ]:
            body = interchange("R1", *good, bad, *good)
            expected = expected.format(body.index(b"9999") if b"9999" in body else body.index(bad))
            reply = add(wire, body)
            assert isinstance(reply, WireError) and str(reply).startswith(expected), reply
            assert str(reply).endswith(" (message 3 of 5, UNH 7)"), reply
            refused += 5
            assert balance(wire) == (refused, 0, 0, refused, 0)
            newest = wire.call("KOUAN", "REJECTS", 1)[0]
            assert dict(zip(newest[::2], newest[1::2]))[b"body"] == body[:4096]
        # The first message's fault is no other than a later one's.
        reply = add(wire, interchange("R1", message("XXXXXX", 7), *good))
        assert "UNKNOWNPROFILE" in str(reply) and "(message 1 of 3, UNH 7)" in str(reply), reply
        assert drain(wire, "customs", "customs") == drain(wire, "port", "port") == []
        # No identity was left behind.
        assert is_id(add(wire, interchange("R1", *good)))
        assert balance(wire) == (refused + 5, 2, 0, refused + 3, 0)


def test_too_many_messages():
    with Server(files=interchange_files()) as server, server.wire() as wire:
        reply = add(wire, interchange("R1", *(message("CUSDEC", n) for n in range(257))))
        assert str(reply).startswith("REJECTED TOOMANYMESSAGES"), reply
        assert is_id(add(wire, interchange("R1", *(message("CUSDEC", n) for n in range(256)))))
        assert balance(wire) == (257, 256, 0, 1, 0)


def test_in_utf_16():
    """It is read from a transcript, which has no parts that stand in the body."""
    parts = [message("CUSDEC", n) for n in range(2)]
    with Server(files=interchange_files()) as server, server.wire() as wire:
        one, two = (interchange("R1", *parts[:count]).decode().encode("utf-16") for count in (1, 2))
        assert is_id(add(wire, one))
        reply = add(wire, two)
        assert str(reply).startswith("REJECTED MANYMESSAGES at byte "), reply
        assert balance(wire) == (2, 1, 0, 1, 0)


def test_large_envelopes():
    with Server(files=interchange_files()) as server, server.wire() as wire:
        good, bad = (UNA + b"UNB+UNOC:3+SENDER+RECEIVER+260101:1200+R1+" + b"x" * size + b"'" +
                     message("CUSDEC", 1) + message("CUSDEC", 2) + b"UNZ+2+R1'"
                     for size in (900, 1000))
        reply = add(wire, bad)
        assert "VALUETOOLONG" in str(reply) and "(message 1 of 2, UNH 1)" in str(reply), reply
        assert is_id(add(wire, good))


def test_a_sender_that_is_not_its_own():
    with Server(files=files()) as server, login(server, "nansha") as wire:
        bodies = [interchange("R1", message("CUSDEC", 1, b"LOC+22+5141'"),
                              message("CUSDEC", 2, b"LOC+22+5141'"), sender=sender)
                  for sender in ("HP01", "DXPENT01")]
        reply = add(wire, bodies[0])
        assert reply.word == "NOPERM" and "(message 1 of 2, UNH 1)" in str(reply), reply
        assert is_id(add(wire, bodies[1]))


def test_refusals_are_utf8():
    """What they say of a message may be of any set, and cut amid a character."""
    bad = b"UNH+\xe9\xff+XXXXXX:D:96B:UN'BGM+1'UNT+3+1'"
    with Server(files=interchange_files()) as server, server.wire() as wire:
        reply = add(wire, interchange("R1", message("CUSDEC", 1), bad))
        assert str(reply).endswith("(message 2 of 2, UNH ??)"), reply


def test_conflicts_that_are_refused():
    profile = ("profile: own-strict\nfamily: own\nformat: edifact\nrecognise: { type: CUSDEC }\nconflict: refuse\n"
               "fields:\n  message_type: UNH/2/1\n  message_id: { join: [UNB/5, UNH/1] }\n")
    parts = [message("CUSDEC", n) for n in range(4)]
    other = message("CUSDEC", 1, b"FTX+AAA+++other'")
    with Server(files=interchange_files(profiles=profile)) as server, server.wire() as wire:
        receipt = add(wire, interchange("R1", *parts[:2]))
        reply = add(wire, interchange("R1", parts[0], other, parts[2]))
        assert reply.word == "CONFLICT" and "(message 2 of 3, UNH 1)" in str(reply), reply
        assert balance(wire) == (5, 2, 0, 3, 0)
        reply = add(wire, interchange("R2", parts[0], other, parts[1]))
        assert reply.word == "CONFLICT" and "(message 3 of 3, UNH 1)" in str(reply), reply
        # Those that follow in one pipeline find nothing of what was withdrawn.
        bodies = [[parts[2], parts[1], other], [parts[2], other], [parts[2], parts[1]]]
        replies = pipeline(wire, [("XADD", "in", "*", "body", interchange("R3", *p)) for p in bodies])
        # With several shards one whose twin was withdrawn is told to come again.
        replies = [add(wire, interchange("R3", *p)) if is_told(reply) else reply
                   for reply, p in zip(replies, bodies)]
        assert replies[0].word == "CONFLICT" and is_id(replies[1]), replies
        assert replies[2].word == "CONFLICT" and "(message 2 of 2, UNH 1)" in str(replies[2]), replies
        assert add(wire, interchange("R1", *parts)) == receipt
        got = drain(wire, "customs", "customs")
        assert [f[b"body"] for _, f in got] == [*parts[:2], parts[2], other, *parts[2:]]
        assert intake(wire)["refused"]["conflict"] == 11


# ---- room -----------------------------------------------------------------------------------------------


def test_room_for_all_or_none():
    with Server(files=interchange_files(port="backlog_max: 16", publish_wait="200ms")) as server, \
            server.wire() as wire, server.wire() as reader:
        read_group(reader, destination="port")
        bodies = [interchange(f"R{n}", message("CUSDEC", 0),
                              *(message("CUSRES", k) for k in range(1, 11))) for n in range(3)]
        assert is_id(add(wire, bodies[0]))
        reply = add(wire, bodies[1])  # who never consumed waits
        assert reply.word == "TRYAGAIN" and "port" in str(reply), reply
        assert len(drain(reader, "customs", "customs")) == 1
        assert balance(reader) == (22, 11, 0, 11, 0)
        # A waiting one goes on as soon as all of it has room.
        wire.command("XADD", "in", "*", "body", bodies[1])
        got = drain(reader, "port", "port")
        assert len(got) == 10
        reader.call("XACK", "port", "port", *(i for i, _ in got[:4]))
        reader.call("XACK", "port", "port", *(i for i, _ in got[4:]))
        assert is_id(wire.read())
        assert len(drain(reader, "port", "port")) == 10
        reply = add(reader, bodies[2])  # who consumed does not wait
        assert reply.word == "TRYAGAIN", reply
        # What can never fit is said to be so.
        reply = add(wire, interchange("R9", *(message("CUSRES", k) for k in range(17))))
        assert reply.word == "TOOBIG" and "17 messages for destination port" in str(reply), reply
        assert intake(reader)["undecided"] == 0


def test_waiting_ones_keep_their_order():
    with Server(files=interchange_files("fields: [message_id]", port="backlog_max: 16")) as server, \
            server.wire() as wire, server.wire() as reader:
        read_group(reader, destination="port")
        bodies, expected = [], []
        for n in range(40):
            count = 1 + n * 7 % 16
            bodies.append(interchange(f"R{n}", *(message("CUSRES", k) for k in range(count))))
            expected += [b"SENDER+R%d+%d" % (n, k) for k in range(count)]
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", b) for b in bodies))
        got = []
        while len(got) < len(expected):
            more = read_group(reader, "COUNT", 3, "BLOCK", 5000, destination="port")
            got += [f[b"message_id"] for _, f in more]
            reader.call("XACK", "port", "port", *(i for i, _ in more))
        assert all(is_id(wire.read()) for _ in bodies)
        assert got == expected
        assert balance(reader) == (len(expected), len(expected), 0, 0, 0)


def test_dead_letters():
    more = "  - {name: failed, fields: [part]}"
    with Server(files=interchange_files(port="backlog_max: 16, when_full: dead_letter, "
                                        "dead_letter: failed", more=more)) as server, \
            server.wire() as wire:
        assert is_id(add(wire, interchange("R1", *(message("CUSRES", k) for k in range(20)))))
        assert len(drain(wire, "port", "port")) == 16
        outlets = {o["destination"]: o for o in ledger(wire)["outlets"]}
        assert outlets["port"]["diverted"] == 4 and outlets["failed"]["routed"] == 4, outlets
        assert balance(wire) == (20, 20, 0, 0, 0)


def test_holds():
    with Server(files=interchange_files(holds_max=16)) as server, server.wire() as wire:
        held = [message("PAXLST", n) for n in range(10)]
        assert is_id(add(wire, interchange("R1", message("CUSDEC", 99), *held)))
        assert [f[b"part"] for _, f in drain(wire, "customs", "customs")] == [b"1/11"]
        reply = add(wire, interchange("R2", message("CUSDEC", 99), *held))
        assert reply.word == "TRYAGAIN" and "held messages is full" in str(reply), reply
        reply = add(wire, interchange("R2", *(message("PAXLST", n) for n in range(17))))
        assert reply.word == "TOOBIG" and "holds_max" in str(reply), reply
        holds = [dict(zip(h[::2], h[1::2])) for h in wire.call("KOUAN", "HOLDS", 100)]
        assert [h[b"body"] for h in holds] == held
        assert wire.call("KOUAN", "RELEASE", holds[3][b"id"]) == 1
        ((_, fields),) = drain(wire, "customs", "customs")
        assert fields[b"body"] == held[3] and fields[b"part"] == b"5/11", fields
        assert fields[b"envelope"].startswith(UNA + b"UNB+"), fields
        assert ledger(wire)["gap"] == 0


# ---- losses ---------------------------------------------------------------------------------------------


def test_a_publisher_that_dies():
    """What it sent goes to its end; its resend gets the first receipt."""
    body = interchange("R1", *(message("CUSDEC", n) for n in range(50)))
    with Server(files=interchange_files("fields: [part]")) as server, server.wire() as wire:
        for _ in range(3):
            with server.wire() as other:
                other.send(encode_command("XADD", "in", "*", "body", body))
                other.send(encode_command("XADD", "in", "*", "body", body)[:-20])
        receipt = add(wire, body)
        # By whichever connection each came first: so it is not one order.
        got = sorted(drain(wire, "customs", "customs"),
                     key=lambda entry: int(entry[1][b"part"].split(b"/")[0]))
        assert [f[b"part"] for _, f in got] == [b"%d/50" % (n + 1) for n in range(50)]
        assert got[0][0] == receipt
        account = intake(wire)
        assert account["accepted"] == 50 and account["undecided"] == 0, account
        assert account["replay"] % 50 == 0, account


def test_a_publisher_that_dies_waiting():
    body = interchange("R1", *(message("CUSRES", n) for n in range(10)))
    with Server(files=interchange_files(port="backlog_max: 16")) as server, server.wire() as wire:
        assert is_id(add(wire, body))
        parked = int(info(wire)["parked"])
        with server.wire() as other:
            other.send(encode_command("XADD", "in", "*", "body", body.replace(b"R1", b"R2")))
            while int(info(wire)["parked"]) == parked:
                pass
        assert len(drain(wire, "port", "port")) == 10
        account = intake(wire)
        while account["undecided"] > 0:
            account = intake(wire)
        assert account["received"] == 20 and account["refused"]["try_again"] == 10, account


def test_replies_in_order():
    with Server(files=interchange_files()) as server, server.wire() as wire:
        bodies = []
        for n in range(60):
            bodies.append(interchange(f"R{n}", message("CUSDEC", 1), message("CUSRES", 2)))
            bodies.append(interchange(f"R{n}", message("CUSDEC", 1), message("CUSREP", 2)))
            bodies.append(event(n))
        replies = pipeline(wire, [("XADD", "in", "*", "body", body) for body in bodies])
        assert [is_id(r) or r.word for r in replies] == [True, "UNROUTABLE", True] * 60, replies
        assert balance(wire) == (300, 180, 0, 120, 0)


if __name__ == "__main__":
    run_tests()
