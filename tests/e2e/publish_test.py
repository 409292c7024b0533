"""The way in: verdicts, receipts, refusals, rights, order."""

import socket

from kouan_harness import Server, WireError, encode_command, run_tests
from provincial import ONE_CASE, entries, event, files, login, plain_files


def is_id(reply):
    return isinstance(reply, bytes) and reply.count(b"-") == 1 and reply.replace(b"-", b"").isdigit()


def test_verdicts():
    with Server() as server, server.wire() as wire:
        first = wire.call("XADD", "in", "*", "body", event(1))
        assert is_id(first), first
        assert wire.call("XADD", "in", "*", "body", event(1)) == first  # a replay: the first's receipt
        conflict = wire.call("XADD", "in", "*", "body", event(1, note="other"))
        amendment = wire.call("XADD", "in", "*", "body", event(1, function="change"))
        assert len({first, conflict, amendment}) == 3
        assert wire.call("XADD", "in", "*", "body", event(1, note="other")) == conflict
        assert wire.call("XADD", "in", "*", "body", event(1, function="change")) == amendment
        got = entries(wire.call("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">"))
        assert [f[b"verdict"] for _, f in got] == [b"fresh", b"conflict", b"amendment"], got
        assert [i for i, _ in got] == [first, conflict, amendment]


def test_replays_in_one_pipeline():
    with Server() as server, server.wire() as wire:
        bodies = [event(n % 7) for n in range(2000)]
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", b) for b in bodies))
        ids = [wire.read() for _ in bodies]
        for n, ident in enumerate(ids):
            assert ident == ids[n % 7], n
        assert wire.call("XLEN", "all") == 7


def test_given_ids():
    with Server() as server, server.wire() as wire:
        first = wire.call("XADD", "in", "IDMP", "p", "1", "*", "body", event(1))
        assert wire.call("XADD", "in", "IDMP", "p", "1", "*", "body", event(1)) == first
        # The given id overrides the body's own: other ids are other messages.
        assert wire.call("XADD", "in", "IDMP", "p", "2", "*", "body", event(1)) != first
        assert wire.call("XADD", "in", "IDMP", "q", "1", "*", "body", event(1)) != first
        assert wire.call("XADD", "in", "*", "body", event(1)) != first
        assert wire.call("XLEN", "all") == 4


def test_unknown_dialects_are_read_or_refused():
    unknown = [b"<note>x</note>", b'{"kind":1}', b"UNB+UNOA:1+A+B+240611:0900+1'UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNZ+1+1'"]
    with Server() as server, server.wire() as wire:
        assert all(is_id(wire.call("XADD", "in", "*", "body", body)) for body in unknown)
        reply = wire.call("XADD", "in", "*", "body", b"<note>x</nope>")
        assert str(reply).startswith("REJECTED MALFORMED at byte"), reply
    plain = "channels: [{name: in}]\ndestinations: [{name: all}]\nunroutable: all\nprofiles: known\n"
    with Server(files={"kouan.yaml": plain}) as server, server.wire() as wire:
        for body in unknown:
            reply = wire.call("XADD", "in", "*", "body", body)
            assert str(reply).startswith("REJECTED UNKNOWNPROFILE"), (body, reply)
        assert is_id(wire.call("XADD", "in", "*", "body", event(1)))


def test_refusals_say_why_and_where():
    with Server() as server, server.wire() as wire:
        cases = [
            (b'{"messageType":', "REJECTED TRUNCATED at byte 15"),
            (b'{"messageType":"A",}', "REJECTED MALFORMED at byte 19"),
            (b"<CEB311Message xmlns='urn:ceb'/>", "REJECTED UNKNOWNPROFILE"),
            (b"<!DOCTYPE x><x/>", "REJECTED DOCTYPE at byte 0"),
            (b"", "REJECTED EMPTY"),
            (b"hello", "REJECTED UNKNOWNFORMAT at byte 0"),
        ]
        for body, expected in cases:
            reply = wire.call("XADD", "in", "*", "body", body)
            assert isinstance(reply, WireError) and str(reply).startswith(expected), (body, reply)
        rejects = wire.call("KOUAN", "REJECTS", 100)
        assert len(rejects) == len(cases)
        newest = dict(zip(rejects[0][::2], rejects[0][1::2]))
        assert newest[b"body"] == b"hello" and b"UNKNOWNFORMAT" in newest[b"reason"], newest


def test_too_big():
    with Server(files={"kouan.yaml": "message_max: 4KiB\nchannels:\n  - name: in\ndestinations:\n"
                       "  - name: all\n    groups: [all]\nunroutable: all\n"}) as server:
        with server.wire() as wire:
            reply = wire.call("XADD", "in", "*", "body", event(1, note="x" * 5000))
            assert reply.word == "TOOBIG", reply
            assert is_id(wire.call("XADD", "in", "*", "body", event(1, note="x" * 3500)))
            assert b'"too_big":1' in wire.call("KOUAN", "LEDGER", "JSON")
        with server.wire() as wire:  # beyond what a frame may be: the connection ends
            wire.command("XADD", "in", "*", "body", b"x" * 70000)
            assert "invalid bulk length" in str(wire.read())
            wire.expect_closed()


def test_commands_that_are_wrong():
    with Server() as server, server.wire() as wire:
        for arguments, expected in [
            (("XADD", "in", "*", "body"), "ERR wrong number of arguments for 'xadd' command"),
            (("XADD", "in", "*", "text", "x"), "ERR the field must be called body"),
            (("XADD", "in", "1-1", "body", "x"), "ERR Kouan gives the ids"),
            (("XADD", "in", "*", "body", "x", "y", "z"), "ERR XADD takes exactly one field"),
            (("XADD", "in", "MAXLEN", "5", "*", "body", "x"), "ERR Kouan does not trim"),
            (("XADD", "nowhere", "*", "body", "x"), "ERR no such channel"),
        ]:
            reply = wire.call(*arguments)
            assert isinstance(reply, WireError) and str(reply).startswith(expected), reply


def test_rules_decide():
    with Server(files=files()) as server:
        with login(server, "nansha") as wire:
            send = lambda *a, **k: wire.call("XADD", "in", "*", "body", event(*a, **k))
            one = send(1, customsOffice="5141")
            two = send(2, customsOffice="5320")
            assert is_id(one) and is_id(two)
            assert send(3, customsOffice="5141", message_type="TOBACCO").word == "REJECTED"
            unroutable = send(4, message_type="NOTHING")
            assert unroutable.word == "UNROUTABLE" and "NOTHING" in str(unroutable), unroutable
            receipt = send(5, message_type="RECEIPT", receiver="DXPENT0001")
            assert is_id(receipt)
            denied = send(6, customsOffice="5141", sender="HP01")
            assert denied.word == "NOPERM" and "HP01" in str(denied), denied
            assert is_id(send(7, customsOffice="5141", sender="DXPENT77"))
            got = entries(wire.call("XREADGROUP", "GROUP", "nansha", "c", "STREAMS", "nansha", ">"))
            assert [i for i, _ in got] == [receipt]
        with login(server, "customs") as wire:
            read = lambda d: entries(wire.call("XREADGROUP", "GROUP", d, "c", "STREAMS", d, ">"))
            got = read("customs")
            assert [i for i, _ in got][:2] == [one, two] and len(got) == 3
            assert got[0][1][b"rule"] == b"customs/declare", got[0]
            assert got[1][1][b"rule"] == b"customs/elsewhere", got[1]
            assert got[0][1][b"origin"] == b"nansha" and got[0][1][b"keys"] == b"order:o-1"
            assert [i for i, _ in read("port")] == [two]


def test_rights():
    with Server(files=files()) as server:
        with server.wire() as wire:
            assert wire.call("XADD", "in", "*", "body", event(1)).word == "NOAUTH"
            assert wire.call("PING").word == "NOAUTH"
            assert wire.call("AUTH", "nansha", "wrong").word == "WRONGPASS"
            assert wire.call("AUTH", "nobody", "wrong") == wire.call("AUTH", "nansha", "wrong")
        with login(server, "nansha") as wire:
            denied = wire.call("XREADGROUP", "GROUP", "customs", "c", "STREAMS", "customs", ">")
            assert denied.word == "NOPERM"
            unknown = wire.call("XREADGROUP", "GROUP", "customs", "c", "STREAMS", "nowhere", ">")
            assert denied == unknown  # names cannot be probed
            assert wire.call("XADD", "other", "*", "body", event(1)).word == "NOPERM"
            assert wire.call("KOUAN", "LEDGER").word == "NOPERM"
            assert wire.call("XGROUP", "CREATE", "nansha", "more", "$").word == "NOPERM"
            assert wire.call("CLIENT", "LIST").word == "NOPERM"
        with login(server, "customs") as wire:
            assert wire.call("XADD", "in", "*", "body", event(1)).word == "NOPERM"
            assert wire.call("XGROUP", "CREATE", "customs", "more", "$") == "OK"
        with login(server, "root", protocol=3) as wire:
            assert b"gap 0" in wire.call("KOUAN", "LEDGER")


def test_scopes_keep_ids_apart():
    with Server(files=files()) as server, login(server, "nansha") as one, \
            login(server, "huangpu") as two:
        first = one.call("XADD", "in", "*", "body", event(1, customsOffice="5141"))
        second = two.call("XADD", "in", "*", "body", event(1, customsOffice="5141"))
        assert is_id(first) and is_id(second) and first != second


def test_holds():
    with Server(files=files()) as server, login(server, "nansha") as wire, \
            login(server, "root") as root, login(server, "customs") as customs:
        held = [wire.call("XADD", "in", "*", "body", event(n, customsOffice="5304"))
                for n in range(3)]
        assert all(map(is_id, held))
        # An id that is held is known: a repeat gets the same receipt.
        assert wire.call("XADD", "in", "*", "body", event(0, customsOffice="5304")) == held[0]
        read = lambda: entries(customs.call("XREADGROUP", "GROUP", "customs", "c",
                                            "STREAMS", "customs", ">"))
        assert read() == []
        listed = [dict(zip(h[::2], h[1::2])) for h in root.call("KOUAN", "HOLDS", 10)]
        assert [h[b"id"] for h in listed] == held and listed[0][b"destination"] == b"customs"
        assert root.call("KOUAN", "RELEASE", held[1]) == 1
        assert root.call("KOUAN", "RELEASE", held[1]) == 0
        assert root.call("KOUAN", "REJECT", held[2]) == 1
        root.call("PING")
        got = read() or read()
        assert len(got) == 1 and got[0][1][b"body"] == event(1, customsOffice="5304"), got
        assert got[0][0] != held[1]  # a record of its own, later than all before it
        ledger = root.call("KOUAN", "LEDGER", "JSON")
        assert b'"held":1,"released":1,"hold_rejected":1' in ledger and b'"gap":0}\n' in ledger


def test_other_dialects():
    cusdec = (b"UNB+UNOC:3+4403180896+CUSTOMS+261123:0800+77'UNH+1+CUSDEC:D:96B:UN'"
              b"BGM+929+DOC-1+9'LOC+22+5141'UNT+4+1'UNZ+1+77'")
    with Server() as server, server.wire() as wire:
        first = wire.call("XADD", "in", "*", "body", cusdec)
        assert is_id(first), first
        assert wire.call("XADD", "in", "*", "body", cusdec) == first
        (_, fields), = entries(wire.call("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">"))
        assert fields[b"message_type"] == b"CUSDEC" and fields[b"body"] == cusdec, fields


def test_ids_rise_and_bodies_are_unaltered():
    with Server() as server, server.wire() as wire:
        bodies = [event(n, note="中文" * (n % 50) + "\t \\ é", **ONE_CASE) for n in range(500)]
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", b) for b in bodies))
        ids = [wire.read() for _ in bodies]
        keys = [tuple(map(int, i.split(b"-"))) for i in ids]
        assert keys == sorted(set(keys))
        got = []
        while len(got) < len(bodies):
            got += entries(wire.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 100,
                                     "STREAMS", "all", ">"))
        assert [i for i, _ in got] == ids
        assert [f[b"body"] for _, f in got] == bodies


def test_a_client_that_leaves_at_once():
    """What was sent is kept, reply or not; a resend is answered with the first receipt."""
    with Server() as server:
        with server.wire() as wire:
            wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n))
                               for n in range(300)))
        with server.wire() as wire:
            wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n))
                               for n in range(300)))
            ids = [wire.read() for _ in range(300)]
            assert all(map(is_id, ids)) and wire.call("XLEN", "all") == 300


def test_a_client_that_stops_sending_gets_its_replies():
    with Server() as server, server.wire() as wire:
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n)) for n in range(500)))
        wire.socket.shutdown(socket.SHUT_WR)
        assert all(is_id(wire.read()) for _ in range(500))
        wire.expect_closed()


def orders(count):
    order = "<Order><OrderHead><orderNo>{}</orderNo><ebpCode>P</ebpCode></OrderHead></Order>"
    return ('<CEB311Message guid="g-%d" xmlns="http://www.chinaport.gov.cn/ceb">' % count
            + "".join(order.format(n) for n in range(count)) + "</CEB311Message>").encode()


def test_entries_of_a_message_are_bounded():
    for entries_max in (2, 256, 1000):
        files = plain_files(**({} if entries_max == 256 else {"entries_max": entries_max}))
        with Server(files=files) as server, server.wire() as wire:
            refusal = wire.call("XADD", "in", "*", "body", orders(entries_max + 1))
            assert str(refusal).startswith("REJECTED TOOMANYENTRIES"), refusal
            assert isinstance(wire.call("XADD", "in", "*", "body", orders(entries_max)), bytes)


if __name__ == "__main__":
    run_tests()
