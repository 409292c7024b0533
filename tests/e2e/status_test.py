"""Cases: what `kouan status` and KOUAN STATUS say of them, to whom, and what is left after kill -9."""

import json
import random
import re
import shutil
import threading
import time

from kouan_harness import (Server, WireBroken, WireClosed, WireError, encode_command, make_folder, run_kouan,
                           run_tests)
from provincial import SMALL, login, secret
from reloaded import Reloaded

CONFIG = """
channels: [{name: in}]
destinations: [{name: all, groups: [all]}]
unroutable: all
participants:
  - {name: trader, secret_file: secrets/trader, roles: [enterprise], publish: in}
  - {name: rival, secret_file: secrets/rival, roles: [enterprise], publish: in}
  - {name: customs, secret_file: secrets/customs, roles: [customs], publish: in}
  - {name: root, secret_file: secrets/root, operate: yes}
"""
NAMES = ("trader", "rival", "customs", "root")


def case_files(config=CONFIG, **options):
    lines = [f"{name}: {value}" for name, value in (SMALL | {"cases": 1000} | options).items()]
    secrets = {f"secrets/{name}": secret(name) + "\n" for name in NAMES}
    return {"kouan.yaml": "\n".join(lines) + "\n" + config, **secrets}


def open_files(**options):
    return case_files("channels: [{name: in}]\ndestinations: [{name: all, groups: [all]}]\nunroutable: all\n",
                      **options)


def message(number, message_type, status=None, sent_at=None, function="original", **keys):
    value = {"messageType": message_type, "messageId": f"m-{number}", "function": function, "keys": keys}
    if status is not None:
        value["status"] = status
    if sent_at is not None:
        value["sentAt"] = sent_at
    return json.dumps(value).encode()


def send(wire, *arguments, **members):
    reply = wire.call("XADD", "in", "*", "body", message(*arguments, **members))
    assert isinstance(reply, bytes), reply
    return reply.decode()


def plain(value):
    """Of RESP2: maps stay flat lists, bytes become texts."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def as_map(flat):
    return dict(zip(flat[::2], flat[1::2]))


def status(wire, key):
    """The parts that the logs know, each a dict."""
    reply = plain(wire.call("KOUAN", "STATUS", key))
    parts = [as_map(part) for part in reply]
    for part in parts:
        part["statuses"] = [as_map(item) for item in part["statuses"]]
        part["moves"] = [as_map(item) for item in part["moves"]]
    return parts


def state(wire, key):
    """The state of a case: that of the part that reached one last."""
    parts = status(wire, key)
    return max(parts, key=lambda part: part["since_ms"])["state"] if parts else None


def in_time(minute):
    return f"2026-01-05T10:{minute:02}:00+08:00"


def test_a_declaration_is_followed_by_keys_that_are_learned():
    with Server(case_files(), shards=1) as server:
        with login(server, "trader") as trader, login(server, "customs") as customs, \
                login(server, "root") as root:
            first = send(trader, 1, "CEB311", order="SO-1", sent_at=in_time(1))
            assert status(root, "order:SO-1")[0]["state"] == ""
            send(trader, 2, "CEB621", order="SO-1", list="L-1", sent_at=in_time(2))
            send(customs, 3, "CEB622", "120", list="L-1", unified="U-1", sent_at=in_time(3))
            last = send(customs, 4, "CEB622", "800", unified="U-1", entry="E-1", sent_at=in_time(5))
            for key in ("order:SO-1", "list:L-1", "unified:U-1", "entry:E-1"):
                part, = status(root, key)
                assert part["keys"] == ["order:SO-1", "list:L-1", "unified:U-1", "entry:E-1"], part
                assert part["state"] == "released" and part["since_id"] == last, part
                assert part["first_id"] == first and part["messages"] == 4 and part["receipts"] == 0
                assert part["participants"] == ["trader", "customs"]
                assert part["records"][0] == last and len(part["records"]) == 4
                assert part["flags"] == [] and part["impossible"] == 0
                assert [(item["role"], item["status"]) for item in part["statuses"]] == [("customs", "800")]
                assert [item["to"] for item in part["moves"]] == ["submitted", "received", "released"]
            assert status(root, "order:SO-2") == []
            assert len(status(root, "SO-1")) == 1  # under any kind


def test_an_enterprise_cannot_release_its_own_goods():
    with Server(case_files(), shards=1) as server:
        with login(server, "trader") as trader, login(server, "root") as root:
            send(trader, 1, "CEB621", list="L-1")
            send(trader, 2, "CEB622", "800", list="L-1")
            part, = status(root, "list:L-1")
            assert part["state"] == "submitted" and part["flags"] == ["not-entitled"], part
            assert [(item["role"], item["status"]) for item in part["statuses"]] == [("enterprise", "800")]


def test_what_comes_late_counts_by_its_own_time():
    steps = [("CEB621", None), ("CEB622", "120"), ("CEB622", "500"), ("CEB622", "800"), ("CEB622", "899")]
    rng = random.Random(7)
    with Server(open_files(), shards=1) as server, server.wire() as wire:
        for round_number in range(20):
            order = list(enumerate(steps))
            rng.shuffle(order)
            for place, (message_type, code) in order:
                send(wire, f"{round_number}-{place}", message_type, code, list=f"L-{round_number}",
                     sent_at=in_time(place))
            part, = status(wire, f"list:L-{round_number}")
            assert part["state"] == "cleared" and part["impossible"] == 0, part
            assert [item["to"] for item in part["moves"]] == [
                "submitted", "received", "inspecting", "released", "cleared"]


def test_an_impossible_move_is_flagged_and_delivered():
    with Server(open_files(), shards=1) as server, server.wire() as wire:
        send(wire, 1, "CEB621", list="L-1", sent_at=in_time(1))
        send(wire, 2, "CEB622", "899", list="L-1", sent_at=in_time(2))
        last = send(wire, 3, "CEB622", "500", list="L-1", sent_at=in_time(3))
        part, = status(wire, "list:L-1")
        assert part["state"] == "cleared" and part["impossible"] == 1 and part["flags"] == ["impossible"]
        assert [item["fits"] for item in part["moves"]] == [1, 1, 0]
        reply = plain(wire.call("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">"))
        assert [ident for ident, _ in reply[0][1]][-1] == last


def test_receipts_of_one_message_are_of_one_case_each():
    body = """<CEB622Message xmlns="http://www.chinaport.gov.cn/ceb">
    <InventoryReturn><guid>g1</guid><copNo>C-1</copNo><returnStatus>800</returnStatus>
      <returnTime>20260105100000</returnTime></InventoryReturn>
    <InventoryReturn><guid>g2</guid><copNo>C-2</copNo><returnStatus>100</returnStatus></InventoryReturn>
    <InventoryReturn><guid>g3</guid><copNo>C-3</copNo><returnStatus>800</returnStatus></InventoryReturn>
    </CEB622Message>"""
    with Server(open_files(), shards=1) as server, server.wire() as wire:
        assert isinstance(wire.call("XADD", "in", "*", "body", body), bytes)
        assert [state(wire, f"list:C-{number}") for number in (1, 2, 3)] == [
            "released", "rejected", "released"]


def test_who_took_part_sees_a_case_and_nobody_else_but_operators():
    with Server(case_files(), shards=1) as server:
        with login(server, "trader") as trader, login(server, "rival") as rival, \
                login(server, "root") as root, login(server, "customs") as customs:
            send(trader, 1, "CEB621", list="L-1")
            assert len(status(trader, "list:L-1")) == len(status(root, "list:L-1")) == 1
            assert status(rival, "list:L-1") == status(customs, "list:L-1") == []
            send(customs, 2, "CEB622", "120", list="L-1")
            assert len(status(customs, "list:L-1")) == 1


def test_without_cases_it_says_so():
    with Server(open_files(cases=0)) as server, server.wire() as wire:
        reply = wire.call("KOUAN", "STATUS", "order:1")
        assert isinstance(reply, WireError) and "set `cases`" in str(reply), reply


def test_the_command_line():
    with Server(open_files(), shards=1) as server, server.wire() as wire:
        send(wire, 1, "CEB621", list="L-1", order="SO-1")
        send(wire, 2, "CEB622", "800", list="L-1")
        address = f"127.0.0.1:{server.port}"
        shown = run_kouan("status", "--connect", address, "order:SO-1")
        assert shown.returncode == 0, shown
        for word in ("order:SO-1  list:L-1", "state        released", "statuses     - says 800",
                     "messages     2"):
            assert word in shown.stdout, shown.stdout
        part, = json.loads(run_kouan("status", "--json", "--connect", address, "list:L-1").stdout)
        assert part["state"] == "released" and part["moves"][1]["to"] == "released"
        near = run_kouan("status", "--connect", address, "entry:L-1")
        assert near.returncode == 1 and "did you mean list:L-1?" in near.stderr, near
        unknown = run_kouan("status", "--connect", address, "order:none")
        assert unknown.returncode == 1 and "no case is known by order:none" in unknown.stderr, unknown
        assert run_kouan("status", "--connect", address, "nonsense").returncode == 2


WRONG = "life_cycle: {states: {a: [b]}, moves: []}\n"
OWN = """life_cycle:
  states: {open: [], shut: [open]}
  moves:
    - {message_type: OPEN, to: open}
    - {message_type: SHUT, to: shut}
"""


def test_the_life_cycle_is_data_that_a_reload_changes():
    with Reloaded(open_files(), shards=1) as server, server.wire() as wire:
        send(wire, 1, "CEB621", list="L-1")
        good = server.config.read_text()
        server.write(config=good + WRONG)
        word, text = server.reload()
        assert word == "refused" and "error[C151]" in text and "no such state: `b`" in text, text
        _, text = server.reload_well(config=good + OWN)
        assert "life_cycle" in text, text
        send(wire, 2, "OPEN", list="L-2")
        send(wire, 3, "SHUT", list="L-2")
        send(wire, 4, "CEB622", "800", list="L-1")
        assert state(wire, "list:L-2") == "shut"
        assert state(wire, "list:L-1") == "submitted"  # nothing is said of a CEB622 now
        server.kill()


def everything(wire, keys):
    return {key: plain(wire.call("KOUAN", "STATUS", key)) for key in keys}


def play(wire, rng, count, numbers):
    """Random messages about a few cases, some of which turn out to be the same."""
    kinds = ("order", "payment", "waybill", "list", "unified", "entry")
    for _ in range(count):
        kind, other = rng.sample(kinds, 2)
        keys = {kind: str(rng.randrange(30))}
        if rng.random() < 0.3:
            keys[other] = str(rng.randrange(30))
        code = rng.choice(("120", "500", "800", "100", "899", None))
        send(wire, next(numbers), "CEB622" if code else "CEB621", code,
             in_time(rng.randrange(60)) if rng.random() < 0.5 else None, **keys)
    return [f"{kind}:{number}" for kind in kinds for number in range(30)]


def test_a_kill_changes_nothing():
    for shards in (1, 2):
        rng, numbers = random.Random(shards), iter(range(10**6))
        folder = make_folder({})
        try:
            for cycle in range(4):
                files = open_files()
                if cycle > 2:
                    files["kouan.yaml"] += OWN
                with Reloaded(files, journal=folder / "journal", shards=shards) as server:
                    with server.wire() as wire:
                        if cycle > 0:
                            after = everything(wire, keys)
                            for key in keys:
                                assert after[key] == before[key], (shards, cycle, key, before[key], after[key])
                        keys = play(wire, rng, 150, numbers)
                        if cycle == 2:  # what came before it is seen by the old life cycle
                            server.reload_well(config=server.config.read_text() + OWN)
                            play(wire, rng, 50, numbers)
                            send(wire, next(numbers), "OPEN", order="3")
                            assert state(wire, "order:3") is not None
                        before = everything(wire, keys)
                    assert any(before.values())
                    server.kill()
        finally:
            shutil.rmtree(folder)


# ---- snapshots ----

PAD = "x" * 20000
ROUND = {"segment": "4MiB", "memory": "32MiB", "journal_size": "32MiB", "block": "64KiB",
         "message_max": "64KiB", "retain_time": "0s", "window_span": "1s"}  # all goes as soon as it may


def filling(number, keys):
    value = {"messageType": "CEB621" if number % 3 else "CEB622", "messageId": f"f-{number}",
             "status": ("120", "500", "800")[number % 7 % 3], "keys": keys, "note": PAD}
    return json.dumps(value).encode()


def fill(wire, numbers, count, key_count=200):
    """So many large messages about a few cases, read and acknowledged as they come."""
    for _ in range(0, count, 25):
        for _ in range(25):
            number = next(numbers)
            keys = {"order": f"f{number % key_count}", "list": f"f{number % key_count}"}
            wire.send(encode_command("XADD", "in", "*", "body", filling(number, keys)))
        replies = [wire.read() for _ in range(25)]
        assert all(isinstance(reply, bytes) for reply in replies), replies
        for _, items in wire.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 1000, "STREAMS", "all", ">") or []:
            wire.call("XACK", "all", "all", *[ident for ident, _ in items])


def figure(wire, name):
    text = wire.call("INFO", "cases", "journal", "memory").decode()
    return int(re.search(rf"^{name}:(\d+)", text, re.M).group(1))


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def flood_until_killed(server, numbers, seconds):
    """Kills the server while messages come."""
    def flood():
        try:
            with server.wire() as wire:
                fill(wire, numbers, 10**6)
        except (OSError, WireClosed, WireBroken, AssertionError):
            pass
    thread = threading.Thread(target=flood)
    thread.start()
    time.sleep(seconds)
    server.process.kill()
    thread.join()
    server.kill()


FLOODED = [f"{kind}:f{number}" for kind in ("order", "list") for number in range(200)]


def check_snapshots(shards, cycles=2):
    """What a snapshot and the log behind it say is what the whole log says, after kills at any time."""
    options = ROUND | {"journal_size": "2GiB", "retain_time": "1d"}  # nothing is given up
    rng, numbers, snapshots = random.Random(shards), iter(range(10**9)), 0
    folder = make_folder({})
    files, journal = open_files(**options), folder / "journal"
    try:
        for _ in range(cycles):
            with Reloaded(files, journal=journal, shards=shards) as server:
                with server.wire() as wire:  # enough for one
                    fill(wire, numbers, 350 * shards)
                    wait_until(lambda: figure(wire, "case_snapshots_written") > 0)
                flood_until_killed(server, numbers, rng.random())
            with Reloaded(files, journal=journal, shards=shards) as server, server.wire() as wire:
                with_snapshot = everything(wire, FLOODED)
                server.kill()
            for path in journal.glob("*/cases.snapshot"):
                path.unlink()
                snapshots += 1
            with Reloaded(files, journal=journal, shards=shards) as server, server.wire() as wire:
                without = everything(wire, FLOODED)
                assert "cases.snapshot" not in server.log, server.log
                server.kill()
            for key in FLOODED:
                assert with_snapshot[key] == without[key], (key, with_snapshot[key], without[key])
            assert any(without.values())
        assert snapshots >= cycles
    finally:
        shutil.rmtree(folder)


def test_a_snapshot_and_the_log_behind_it_say_what_the_whole_log_says():
    check_snapshots(1)


def test_the_snapshots_of_two_logs_do():
    check_snapshots(2, cycles=1)


def test_a_case_outlives_the_segments_that_told_of_it():
    numbers, folder = iter(range(10**9)), make_folder({})
    journal = folder / "journal"
    try:
        with Reloaded(open_files(**ROUND), journal=journal, shards=1) as server, server.wire() as wire:
            send(wire, 1, "CEB621", list="L-1", order="SO-1")
            last = send(wire, 2, "CEB622", "800", list="L-1")
            fill(wire, numbers, 1500)
            wait_until(lambda: figure(wire, "journal_given_up") > 3)
            assert figure(wire, "case_snapshots_written") > 0
            before = everything(wire, FLOODED + ["order:SO-1"])
            server.kill()
        for cases in (1000, 5000):  # a table of another size takes it, too
            with Reloaded(open_files(cases=cases, **ROUND), journal=journal, shards=1) as server, \
                    server.wire() as wire:
                assert state(wire, "order:SO-1") == "released"
                assert status(wire, "order:SO-1")[0]["records"][0] == last
                assert everything(wire, FLOODED + ["order:SO-1"]) == before
                assert "cases.snapshot" not in server.log, server.log
                verified = run_kouan("journal", "verify", str(journal))
                assert verified.returncode == 0, verified
                server.kill()
        snapshot = journal / "00" / "cases.snapshot"
        whole = snapshot.read_bytes()
        for damaged, word in ((whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], "not as it was written"),
                              (whole[:9000], "ends too early"), (b"x" * 8192, "it is none"),
                              (None, "it is missing")):
            snapshot.unlink(missing_ok=True)
            if damaged is not None:
                snapshot.write_bytes(damaged)
            with Reloaded(open_files(**ROUND), journal=journal, shards=1) as server, server.wire() as wire:
                assert re.search(rf"cases\.snapshot: .*{word}.*; the cases are told anew", server.log), server.log
                assert status(wire, "order:SO-1") == []  # what told of it is gone
                assert any(everything(wire, FLOODED).values())
                server.kill()
    finally:
        shutil.rmtree(folder)


def test_segments_go_when_no_snapshot_can_be_written():
    """In its place is a folder: all else goes on, and it is said once."""
    numbers, folder = iter(range(10**9)), make_folder({})
    journal = folder / "journal"
    try:
        with Reloaded(open_files(**ROUND), journal=journal, shards=1) as server, server.wire() as wire:
            (journal / "00" / "cases.snapshot" / "full").mkdir(parents=True)
            fill(wire, numbers, 2000)
            wait_until(lambda: figure(wire, "journal_given_up") > 3)
            assert figure(wire, "case_snapshots_written") == 0 and figure(wire, "case_snapshots_failed") > 0
            assert len(re.findall(r"cases\.snapshot cannot be written", server.log)) == 1, server.log
            server.kill()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    run_tests()
