"""After a mistake: messages of the journal are decided once more, by the rules that run, and go where
they have not been: `kouan reroute`, whatever happens in between."""

import subprocess
import tempfile

from kouan_harness import WireError, kouan_command, run_kouan, run_tests
from provincial import (ONE_CASE, add, add_many, drain, ledger, log_of, number_of, read_group, two_way_files)
from reloaded import Reloaded

SHARDS = (1, 2)
FIELDS = "fields: [message_id, cause, first_id, verdict, generation, rule]"
WRONG = "id,message_type,to,action\nerror,ORDER,slow,\nchecked,CHECKED,slow,hold\nother,OTHER,slow,\n"
RIGHT = ("id,message_type,to,action\nright,ORDER,fast,\nchecked,CHECKED,fast,\nother,OTHER,slow,\n")


def some_files(rules=WRONG, slow="", fast="", **options):
    files = two_way_files(slow=", ".join(filter(None, [FIELDS, slow])),
                          fast=", ".join(filter(None, [FIELDS, fast])), **options)
    return {**files, "rules.csv": rules}


def send(wire, count, kind="ORDER", first=0):
    """Ids, of as many cases."""
    return [add(wire, f"{kind}-{number}", kind, keys={"order": f"{kind}-{number}"}).decode()
            for number in range(first, first + count)]


def reroute(server, *words, returncode=0):
    done = run_kouan("reroute", "-c", server.config, *words, seconds=60)
    assert done.returncode == returncode, done
    return done.stdout + done.stderr


def books(wire):
    """{destination: its account}; there is no gap."""
    value = ledger(wire)
    assert value["gap"] == 0, value
    return {outlet["destination"]: outlet for outlet in value["outlets"]}


def in_order(got):
    return [ident for ident, _ in got] == sorted((ident for ident, _ in got), key=number_of)


def test_what_a_wrong_rule_sent_goes_where_it_should_have_gone():
    for shards in SHARDS:
        with Reloaded(some_files(), shards=shards) as server, server.wire() as wire:
            ids, _ = send(wire, 60), send(wire, 5, "OTHER")
            before = drain(wire, "slow", "slow")
            wire.call("XACK", "slow", "slow", *[ident for ident, _ in before[:20]])
            server.reload_well(rules_csv=RIGHT)
            text = reroute(server, "--from", "slow", "--dry-run")
            assert "65 messages are decided anew, by generation 2; 60 of them go" in text, text
            assert "60  slow -> fast  by rule rules/right\n" in text, text
            assert "5  have been wherever they go now, and stay\n" in text, text
            assert drain(wire, "fast", "fast") == [], "a dry run changes nothing"
            text = reroute(server, "--from", "slow")
            assert "60 messages were rerouted, by generation 2\n" in text, text
            got = drain(wire, "fast", "fast")
            assert {e[b"first_id"].decode() for _, e in got} == set(ids) and len(got) == 60, got
            assert {(e[b"cause"], e[b"generation"], e[b"rule"], e[b"verdict"])
                    for _, e in got} == {(b"rerouted", b"2", b"rules/right", b"fresh")}, got
            assert in_order(got)
            for ident, entry in got:  # in the log of its case
                assert log_of(ident) == log_of(entry[b"first_id"].decode())
            # Where they had been they stay, acknowledged or not.
            assert wire.call("XPENDING", "slow", "slow")[0] == 45
            # Once; and a sender that repeats itself gets the first receipt.
            text = reroute(server, "--from", "slow")
            assert "0 of them go where they have not been\n" in text, text
            assert "60  were rerouted under this generation already\n" in text, text
            assert add(wire, "ORDER-7", keys={"order": "ORDER-7"}).decode() == ids[7]
            assert drain(wire, "fast", "fast") == [], "nothing twice"
            accounts = books(wire)
            assert accounts["fast"]["routed"] == 60 and accounts["slow"]["routed"] == 65, accounts
            assert sum(one["received"] for one in ledger(wire)["intake"]) == 66
            traced = run_kouan("trace", "-c", server.config, ids[0]).stdout
            new = next(ident for ident, e in got if e[b"first_id"].decode() == ids[0]).decode()
            assert f"goes on as    {new} (rerouted)" in traced, traced
            assert f", of {ids[0]}" in run_kouan("trace", "-c", server.config, new).stdout
            audited = run_kouan("audit", "replay", "-c", server.config)
            assert audited.returncode == 0 and "all decisions are identical" in audited.stdout, audited


def test_ids_rules_and_the_last_ones():
    with Reloaded(some_files()) as server, server.wire() as wire:
        ids = send(wire, 10)
        server.reload_well(rules_csv=RIGHT)
        assert "2 messages were rerouted" in reroute(server, ids[3], ids[5])
        assert {e[b"first_id"].decode() for _, e in drain(wire, "fast", "fast")} == {ids[3], ids[5]}
        # An id of the new record is as good as that of the first.
        new = wire.call("XRANGE", "fast", "-", "+")[0][0].decode()
        assert "1  were rerouted under this generation already" in reroute(server, new)
        assert "0 of them go" in reroute(server, "--from", "slow", "--rule", "rules/other")
        assert "2 messages were rerouted" in reroute(server, "--from", "slow", "--last", 2)
        assert {e[b"first_id"].decode() for _, e in drain(wire, "fast", "fast")} == set(ids[8:])
        since = reroute(server, "--from", "slow", "--since", ids[6], "--rule", "rules/error")
        assert "messages were rerouted" in since, since
        assert "1  stay: their first record is not in the journal" in reroute(server, "17-0")
        assert "there is no destination nowhere" in reroute(server, "--from", "nowhere",
                                                            returncode=1)
        assert "name messages by their ids" in reroute(server, returncode=2)
        assert "--last and --rule are of --from" in reroute(server, ids[0], "--last", 3,
                                                            returncode=2)


def test_what_the_rules_refuse_now_stays_and_is_told():
    with Reloaded(some_files()) as server, server.wire() as wire:
        ids = send(wire, 4)
        server.reload_well(rules_csv="id,message_type,to,action\nno,ORDER,,reject\n")
        text = reroute(server, "--from", "slow")
        assert "4  would be refused now, and stay\n" in text, text
        assert "4  slow -> refused: REJECTED  by rule no\n" in text and ids[3] in text, text
        assert wire.call("XLEN", "slow") == 4 and wire.call("XLEN", "fast") == 0
        books(wire)


def test_what_was_held_goes_on_by_the_new_rules():
    for shards in SHARDS:
        with Reloaded(some_files(), shards=shards) as server, server.wire() as wire:
            ids = send(wire, 6, "CHECKED")
            assert wire.call("KOUAN", "REJECT", ids[0]) == 1
            assert len(wire.call("KOUAN", "HOLDS")) == 5
            server.reload_well(rules_csv=RIGHT)
            text = reroute(server, "--from", "slow")
            assert "5  slow (held) -> fast  by rule rules/checked\n" in text, text
            assert "1  nowhere -> fast  by rule rules/checked\n" in text, text
            got = drain(wire, "fast", "fast")
            assert {e[b"first_id"].decode() for _, e in got} == set(ids) and len(got) == 6
            assert wire.call("KOUAN", "HOLDS") == [], "their holds are at an end"
            books(wire)
            # Held by other rules, then let go by third ones, to where they were held.
            more = send(wire, 3, first=100)
            server.reload_well(rules_csv=RIGHT.replace("ORDER,fast,", "ORDER,slow,hold"))
            held = send(wire, 3, first=200)
            assert "6 of them go" not in reroute(server, *more, "--dry-run")
            server.reload_well(rules_csv=WRONG)
            assert "3  slow (held) -> slow  by rule rules/error" in reroute(server, *held)
            assert wire.call("KOUAN", "HOLDS") == []
            got = drain(wire, "slow", "slow")
            assert {e[b"first_id"].decode() for _, e in got if e[b"first_id"]} == set(held), got
            books(wire)


def test_what_stands_in_a_dead_letter_goes_where_it_was_given_up():
    for shards in SHARDS:
        dead = some_files(rules=WRONG, slow="deliveries_max: 1, dead_letter: grave",
                          more="  - {name: grave, groups: [grave]}")
        with Reloaded(dead, shards=shards) as server, server.wire() as wire:
            ids = send(wire, 3)
            assert len(drain(wire, "slow", "slow")) == 3
            assert read_group(wire, destination="slow", after="0") == [], "once more is too often"
            grave = []
            while len(grave) < 3:
                grave += read_group(wire, "BLOCK", 20000, destination="grave")
            text = reroute(server, "--from", "grave")
            assert "3  grave -> slow  by rule rules/error" in text, text
            got = drain(wire, "slow", "slow")
            assert {e[b"first_id"].decode() for _, e in got} == set(ids), got
            assert wire.call("XPENDING", "grave", "grave")[0] == 3
            assert "3  were rerouted under this generation already" in reroute(server, "--from",
                                                                               "grave")
            books(wire)


def test_a_full_destination_gets_the_rest_when_it_has_room():
    with Reloaded(some_files(fast="backlog_max: 64")) as server, server.wire() as wire:
        ids = [ident.decode() for ident in add_many(wire, range(100), **ONE_CASE)]
        server.reload_well(rules_csv=RIGHT)
        text = reroute(server, "--from", "slow")
        assert "64 messages were rerouted" in text, text
        assert "TRYAGAIN 36 found no room and are as they were" in text, text
        assert "36  fast is full" in text, text
        first = drain(wire, "fast", "fast")
        wire.call("XACK", "fast", "fast", *[ident for ident, _ in first])
        text = reroute(server, "--from", "slow")
        assert "64  were rerouted under this generation already" in text, text
        assert "36 messages were rerouted" in text, text
        rest = drain(wire, "fast", "fast")
        assert sorted(e[b"first_id"].decode() for _, e in first + rest) == sorted(ids)


def test_a_plan_holds_until_another_generation_decides():
    with Reloaded(some_files()) as server, server.wire() as wire:
        ids = send(wire, 2)
        server.reload_well(rules_csv=RIGHT)
        assert server.reload("REROUTE", "APPLY", "FROM", "slow")[0] == "refused"
        assert server.reload("REROUTE", "FROM", "slow")[0] == "ok"
        word, text = server.reload("REROUTE", "APPLY", "FROM", "fast")
        assert word == "refused" and "was not planned last" in text, text
        server.reload_well(rules_csv=RIGHT.replace("right", "newest"))
        assert server.reload("REROUTE", "APPLY", "FROM", "slow")[0] == "refused"
        assert server.reload("REROUTE", "ID", *ids)[0] == "ok"
        assert server.reload("REROUTE", "APPLY", "ID", *ids)[0] == "ok"
        assert wire.call("XLEN", "fast") == 2
        assert server.reload("REROUTE", "ID", *ids)[0] == "unchanged"
        for wrong in (("REROUTE",), ("REROUTE", "APPLY"), ("REROUTE", "ID"), ("REROUTE", "ID", "x"),
                      ("REROUTE", "FROM"), ("REROUTE", "FROM", "slow", "LAST"),
                      ("REROUTE", "FROM", "slow", "LAST", "0"), ("REROUTE", "TO", "slow")):
            with server.control() as control:
                assert isinstance(control.call("KOUAN", *wrong), WireError), wrong
        assert wire.call("KOUAN", "REROUTE", "ID", ids[0]).word == "NOPERM"


def test_killed_in_the_middle_none_goes_twice():
    count = 1500
    for shards in SHARDS:
        with tempfile.TemporaryDirectory() as journal:
            files = some_files()
            server = Reloaded(files, shards=shards, journal=journal)
            with server.wire() as wire:
                receipts = add_many(wire, range(count))
                assert all(isinstance(receipt, bytes) for receipt in receipts)
                server.reload_well(rules_csv=RIGHT)
                running = subprocess.Popen(
                    [*kouan_command(), "reroute", "-c", str(server.config), "--control",
                     f"{journal}/control.sock", "--from", "slow"],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                while wire.call("XLEN", "fast") == 0:
                    pass
            server.kill()
            running.communicate(timeout=60)
            with Reloaded({**files, "rules.csv": RIGHT}, shards=shards, journal=journal) as server:
                with server.wire() as wire:
                    there = wire.call("XLEN", "fast")
                    text = reroute(server, "--control", f"{journal}/control.sock", "--from", "slow")
                    assert f"{there}  were rerouted under this generation already" in text, text
                    got = drain(wire, "fast", "fast")
                    assert sorted(e[b"first_id"] for _, e in got) == sorted(receipts), len(got)
                    books(wire)
                audited = run_kouan("audit", "replay", journal)
                assert audited.returncode == 0, audited
                assert "all decisions are identical" in audited.stdout, audited


def test_whoever_asked_may_go_and_ask_again():
    count = 1500
    with Reloaded(some_files()) as server, server.wire() as wire:
        receipts = add_many(wire, range(count))
        server.reload_well(rules_csv=RIGHT)
        with server.control() as control:
            assert control.call("KOUAN", "REROUTE", "FROM", "slow")[0] == b"ok"
            control.command("KOUAN", "REROUTE", "APPLY", "FROM", "slow")
        while True:  # until the first is given up, or done
            with server.control() as control:
                reply = control.call("KOUAN", "REROUTE", "FROM", "slow")
            if not isinstance(reply, WireError):
                break
        if reply[0] == b"ok":
            reroute(server, "--from", "slow")
        got = drain(wire, "fast", "fast")
        assert sorted(e[b"first_id"] for _, e in got) == sorted(receipts)


def test_without_a_journal_there_is_nothing_to_decide():
    files = some_files(control="control.sock", sync="memory")
    with Reloaded(files) as server, server.wire() as wire:
        send(wire, 1)
        done = run_kouan("reroute", "--control", server.folder / "control.sock", "--from", "slow")
        assert done.returncode == 1 and "without a journal" in done.stderr, done


if __name__ == "__main__":
    run_tests()
