"""What is back after the server was killed: receipts, groups, holds, accounts; and under another
configuration, by name. Every server of a test opens the journal that the one before it left."""

import json
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

from kouan_harness import TEST_SHARDS, Server, WireError, encode_command, run_tests, serve_command
from provincial import SMALL, event, in_one_case

# All messages here are of one case, and so in one log, in their order.
event = in_one_case(event)

RULES = """id,message_type,to,action
slow,SLOW,slow,
fast,FAST,fast,
both,BOTH,slow|fast,
held,HELD,slow,hold
"""
DESTINATIONS = ["{name: slow, groups: [slow], fields: [origin, channel, profile, rule, generation]}",
                "{name: fast, groups: [fast]}"]


class House:
    """A journal that outlives its servers."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-recovery-"))
        self.journal = self.folder / "journal"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self, destinations=None, rules=RULES, more=""):
        options = {"sync": "commit", "journal": self.journal, "segment": "4MiB"} | SMALL
        lines = [f"{name}: {value}" for name, value in options.items()]
        lines += ["channels: [{name: in}]", "destinations:",
                  *(f"  - {d}" for d in destinations or DESTINATIONS), "tables: [rules.csv]", more]
        return {"kouan.yaml": "\n".join(lines) + "\n", "rules.csv": rules}

    def server(self, *arguments, **options):
        return Server(files=self.files(*arguments, **options))


def publish(wire, numbers, kind="SLOW", **members):
    numbers = list(numbers)
    for number in numbers:
        wire.send(encode_command("XADD", "in", "*", "body", event(number, kind, **members)))
    ids = [wire.read() for _ in numbers]
    assert all(isinstance(i, bytes) for i in ids), next(i for i in ids if not isinstance(i, bytes))
    return ids


def take(wire, destination="slow", count=10000, group=None, consumer="c"):
    """Ids, in their order, of what the group has not been given yet."""
    ids = []
    while True:
        reply = wire.call("XREADGROUP", "GROUP", group or destination, consumer, "COUNT", count,
                          "STREAMS", destination, ">")
        if reply is None:
            return ids
        ids += [entry[0] for entry in reply[0][1]]


def acknowledge(wire, ids, destination="slow", group=None):
    for first in range(0, len(ids), 1000):
        some = ids[first:first + 1000]
        reply = wire.call("XACK", destination, group or destination, *some)
        assert reply == len(some), (reply, len(some))


def ledger(wire):
    return json.loads(wire.call("KOUAN", "LEDGER", "JSON"))


def settle(told):
    """The ledger's terms that a restart does not change: what was delivered and not acknowledged is
    backlog again."""
    for outlet in told["outlets"]:
        for group in outlet["groups"]:
            group["backlog"] += group.pop("pending")
    assert told["gap"] == 0, told
    return told


# ---- what is back -----------------------------------------------------------------------------------


def test_receipts_of_resends_are_the_first():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(500))
            given = wire.call("XADD", "in", "IDMP", "p", "given", "*", "body", event(1000, "FAST"))
            assert isinstance(given, bytes), given
        server.kill()
        with house.server() as server, server.wire() as wire:
            before = ledger(wire)
            assert publish(wire, range(500)) == ids
            assert wire.call("XADD", "in", "IDMP", "p", "given", "*", "body",
                             event(1000, "FAST")) == given
            new = publish(wire, [5000])
            assert new[0] > ids[-1], "ids never run backwards"
            after = ledger(wire)
            assert before["intake"][0]["replay"] == 0 and before["gap"] == 0, before
            assert after["intake"][0]["replay"] == 501, after
            assert after["intake"][0]["fresh"] == 502 and after["gap"] == 0, after


def test_what_comes_after_a_long_silence_is_as_old_as_it_is():
    """The first blocks after a silence are of the time after it: dedupe remembers their messages for
    all of window_span, at the next start, too."""
    with House() as house:
        files = lambda: Server(files=house.files(more="window_span: 6\nblock: 16KiB"))
        server = files()
        with server.wire() as wire:
            publish(wire, [0])
            time.sleep(8)
            wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n, "SLOW", note="x" * 2500))
                               for n in range(1, 100)))
            ids = [wire.read() for _ in range(1, 100)]
        server.kill()
        with files() as server, server.wire() as wire:
            assert publish(wire, range(1, 100), note="x" * 2500) == ids


def test_resends_of_what_lies_in_segments_that_need_no_reading():
    count = 6000
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = []
            for first in range(0, count, 500):
                ids += publish(wire, range(first, first + 500), note="x" * 2500)
                acknowledge(wire, take(wire))
            last = publish(wire, [count])
        server.kill()
        # The server leaves sidecars out where its disk is slow; a start makes those that are missing.
        for sidecars in ["as they are", "all", "none"]:
            if sidecars == "none":
                for path in house.journal.glob("*/*.identities"):
                    path.unlink()
            server = house.server()
            told = server.wait_for_log(rf"{count + 1} identities, .* (\d+) of (\d+) segments")
            skipped, there = map(int, told.groups())
            least, most = {"as they are": (0, there - 1), "all": (2, there - 1), "none": (0, 0)}[sidecars]
            assert least <= skipped <= most, (sidecars, told.group(0))
            with server.wire() as wire:
                assert publish(wire, range(count), note="x" * 2500) == ids
                assert take(wire) == last
                assert ledger(wire)["gap"] == 0
            server.kill()


def test_exactly_the_unacknowledged_come_again_in_order():
    chosen = random.Random(4)
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(2000))
            taken = take(wire, count=500)[:1500]
            done = set(chosen.sample(taken, 900))
            acknowledge(wire, sorted(done, key=ids.index))
        server.kill()
        for _ in range(3):  # what is not acknowledged comes at every start
            server = house.server()
            with server.wire() as wire:
                assert take(wire) == [i for i in ids if i not in done]
                assert ledger(wire)["gap"] == 0
                more = chosen.sample([i for i in ids if i not in done], 100)
                acknowledge(wire, more)
                done |= set(more)
            server.kill()


def test_the_ledger_goes_on():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            publish(wire, range(300), "BOTH")
            publish(wire, range(1000, 1100), "HELD")
            refused = wire.call("XADD", "in", "*", "body", event(1, "UNKNOWN"))
            assert isinstance(refused, WireError)
            acknowledge(wire, take(wire, "fast")[:200], "fast")
            before = settle(ledger(wire))
        server.kill()
        for _ in range(2):
            server = house.server()
            with server.wire() as wire:
                told = settle(ledger(wire))
                refusals = told["intake"][0]["refused"], before["intake"][0]["refused"]
                # A refusal promises nothing: it may come into the log after the kill.
                told["intake"][0].pop("received"), told["intake"][0].pop("received_bytes")
                assert told["outlets"] == before["outlets"], (told, before)
                assert told["intake"][0]["fresh"] == 400 and sum(refusals[0].values()) <= 1
            server.kill()


def test_groups_are_as_they_were_made():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(100))
            assert wire.call("XGROUP", "CREATE", "slow", "all", "0") == "OK"
            assert wire.call("XGROUP", "CREATE", "slow", "now", "$") == "OK"
            assert wire.call("XGROUP", "CREATE", "slow", "half", ids[49]) == "OK"
            assert wire.call("XGROUP", "CREATE", "slow", "gone", "0") == "OK"
            assert wire.call("XGROUP", "CREATE", "slow", "moved", "0") == "OK"
            more = publish(wire, range(100, 120))
            assert wire.call("XGROUP", "DESTROY", "slow", "gone") == 1
            assert wire.call("XGROUP", "SETID", "slow", "moved", ids[89]) == "OK"
            acknowledge(wire, take(wire, group="half")[:60], group="half")
        server.kill()
        expected = {"slow": ids + more, "all": ids + more, "now": more, "half": (ids[50:] + more)[60:],
                    "moved": ids[90:] + more}
        with house.server() as server, server.wire() as wire:
            names = {dict(zip(g[::2], g[1::2]))[b"name"].decode()
                     for g in wire.call("XINFO", "GROUPS", "slow")}
            assert names == set(expected), names
            for name, wanted in expected.items():
                got = take(wire, group=name)
                assert got == wanted, (name, len(got), len(wanted))
            assert ledger(wire)["gap"] == 0


def test_holds():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(10), "HELD")
            assert wire.call("KOUAN", "RELEASE", ids[3]) == 1
            assert wire.call("KOUAN", "REJECT", ids[4]) == 1
            acknowledge(wire, take(wire))
        server.kill()
        server = house.server()
        with server.wire() as wire:
            held = [dict(zip(h[::2], h[1::2])) for h in wire.call("KOUAN", "HOLDS", 100)]
            assert [h[b"id"] for h in held] == ids[:3] + ids[5:]
            assert all(h[b"origin"] == b"anonymous" for h in held)
            assert take(wire) == [], "what was released was acknowledged"
            assert wire.call("KOUAN", "RELEASE", ids[0]) == 1
        server.kill()
        with house.server() as server, server.wire() as wire:
            assert len(wire.call("KOUAN", "HOLDS", 100)) == 7
            assert len(take(wire)) == 1, "a released message is not lost"
            assert ledger(wire)["gap"] == 0


def test_killed_while_it_starts():
    chosen = random.Random(9)
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(3000), note="x" * 2000)
            done = take(wire)[:1234]
            acknowledge(wire, done)
        server.kill()
        files = house.files()
        config = house.folder / "kouan.yaml"
        for name, text in files.items():
            (house.folder / name).write_text(text)
        for _ in range(12):
            process = subprocess.Popen(
                serve_command("-c", config, "--listen", "127.0.0.1:0"),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chosen.random() * 0.4)
            process.kill()
            process.wait()
        with house.server() as server, server.wire() as wire:
            assert take(wire) == ids[1234:]
            assert ledger(wire)["gap"] == 0


def test_what_a_start_tells():
    with House() as house:
        logs = max(TEST_SHARDS, 1)
        for first, count, said in [(0, 1, "1 message of .* 2 groups, 1 identity, 0 held; 0 of "
                                    f"{logs} segment"),
                                   (1, 49, "50 messages of .* 2 groups, 50 identities, 0 held; 0 of "
                                    f"{2 * logs} segments needed")]:
            server = house.server()
            with server.wire() as wire:
                publish(wire, range(first, first + count))
            server.kill()
            with house.server() as server:
                server.wait_for_log(r"recovered in [\d.]+ s: " + said)


# ---- another configuration --------------------------------------------------------------------------


def test_names_are_followed():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(20), "BOTH")
            acknowledge(wire, take(wire)[:5])
            held = publish(wire, [100], "HELD")
        server.kill()
        turned = ["{name: new, groups: [new]}", *reversed(DESTINATIONS)]
        rules = "id,message_type,to,action\nnothing,NOTHING,new,\n" + RULES.split("\n", 1)[1]
        server = house.server(turned, rules)
        with server.wire() as wire:
            reply = wire.call("XREADGROUP", "GROUP", "slow", "c", "STREAMS", "slow", ">")
            entries = [(i, dict(zip(f[::2], f[1::2]))) for i, f in reply[0][1]]
            assert [i for i, _ in entries] == ids[5:]
            for _, fields in entries:
                assert fields[b"rule"] == b"rules/both" and fields[b"generation"] == b"1", fields
                assert fields[b"origin"] == b"anonymous" and fields[b"profile"] == b"event"
            assert take(wire, "fast") == ids
            assert take(wire, "new") == []
            assert wire.call("KOUAN", "RELEASE", held[0]) == 1
            (entry,) = wire.call("XREADGROUP", "GROUP", "slow", "c", "STREAMS", "slow", ">")[0][1]
            fields = dict(zip(entry[1][::2], entry[1][1::2]))
            assert fields[b"generation"] == b"2" and fields[b"rule"] == b"rules/held", fields
            assert publish(wire, range(20), "BOTH") == ids
            assert ledger(wire)["gap"] == 0
        server.kill()
        with house.server() as server, server.wire() as wire:  # and back again
            assert take(wire, "fast") == ids
            server.wait_for_log("generation 3")


def test_the_same_configuration_is_the_same_generation():
    with House() as house:
        for _ in range(3):
            server = house.server()
            with server.wire() as wire:
                publish(wire, [time.time_ns()])
            server.wait_for_log("generation 1,")
            server.kill()


def test_a_destination_may_only_go_when_its_groups_are_done():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            publish(wire, range(7), "FAST")
        server.kill()
        rules = "id,message_type,to\nslow,SLOW,slow\n"
        for name, text in house.files(DESTINATIONS[:1], rules).items():
            (house.folder / name).write_text(text)
        refused = subprocess.run(
            serve_command("-c", house.folder / "kouan.yaml", "--listen", "127.0.0.1:0"),
            capture_output=True, text=True, timeout=30, check=False)
        assert refused.returncode == 1, refused
        assert "no destination `fast`, and the journal has 7 messages" in refused.stderr, refused.stderr
        server = house.server()
        with server.wire() as wire:
            acknowledge(wire, take(wire, "fast"), "fast")
        server.kill()
        with house.server(DESTINATIONS[:1], rules) as server, server.wire() as wire:
            publish(wire, [20])
            assert ledger(wire)["gap"] == 0


def test_a_group_that_is_no_longer_configured_goes_on():
    with House() as house:
        server = house.server()
        with server.wire() as wire:
            ids = publish(wire, range(10))
        server.kill()
        other = ["{name: slow, groups: [other]}", DESTINATIONS[1]]
        with house.server(other) as server, server.wire() as wire:
            assert take(wire, group="slow") == ids
            assert take(wire, group="other") == [], "it begins now"
            new = publish(wire, [10])
            assert take(wire, group="other") == new and take(wire, group="slow") == new


if __name__ == "__main__":
    run_tests()
