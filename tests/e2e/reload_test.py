"""Another configuration while messages run through: by SIGHUP, by `kouan reload`, by redis-cli on the
control socket; what is wrong changes nothing; rollback and history."""

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import threading
import time

from kouan_harness import (Skip, WireError, die_with_parent, make_folder, run_kouan, run_tests,
                           serve_command)
from provincial import CONFIG, SMALL, entries, event, files, login, secret, two_way_files
from reloaded import Reloaded

SHARDS = (1, 2)
ON_DISK = {"sync": "commit"}  # whatever the run says: without files there is no store


def take(wire, group, destination=None, count=100):
    reply = wire.call("XREADGROUP", "GROUP", group, "c", "COUNT", count, "STREAMS",
                      destination or group, ">")
    return entries(reply)


def rules(*lines):
    return "id,message_type,to\n" + "\n".join(lines) + "\n"


FIELDS = "fields: [generation, rule]"
OLD_RULES, NEW_RULES = rules("one,ORDER,slow"), rules("zero,OTHER,fast", "two,ORDER,fast")


def movable_files(**options):
    return {**two_way_files(slow=FIELDS, fast=FIELDS, **options), "rules.csv": OLD_RULES}


def test_rules_change_for_messages_that_come_afterwards():
    for shards in SHARDS:
        with Reloaded(movable_files(), shards=shards) as server, server.wire() as wire:
            for number in range(20):
                wire.call("XADD", "in", "*", "body", event(number))
            generation, text = server.reload_well(rules_csv=NEW_RULES)
            assert generation == 2 and "rule rules/two added" in text, text
            for number in range(20, 40):
                wire.call("XADD", "in", "*", "body", event(number))
            before, after = take(wire, "slow"), take(wire, "fast")
            assert {(e[b"generation"], e[b"rule"]) for _, e in before} == {(b"1", b"rules/one")}
            assert {(e[b"generation"], e[b"rule"]) for _, e in after} == {(b"2", b"rules/two")}
            assert len(before) == len(after) == 20
            with server.wire() as another:  # what came before is a replay still
                assert isinstance(another.call("XADD", "in", "*", "body", event(3)), bytes)
            assert take(wire, "slow") == take(wire, "fast") == []


def test_nothing_new_makes_no_generation():
    with Reloaded(movable_files()) as server:
        word, text = server.reload()
        assert word == "unchanged" and text.startswith("generation 1 goes on: nothing is new\n")
        assert server.history() == [(1, "start")]


INVALID = {
    "an unknown key": ("bogus: 1\n", r"kouan\.yaml:\d+:1: error\[C102\]"),
    "no YAML": ("\tx: [\n", r"kouan\.yaml:\d+:\d+: error\[C101\]"),
    "a list that is not there": ("lists: {offices: nowhere.txt}\n", r"error\[C\d+\]"),
    "an unknown destination": ("unroutable: nowhere\n", r"error\[C106\]"),
    "a value out of its range": ("message_max: 1\n", r"error\[C104\]"),
}


def test_what_is_wrong_changes_nothing_and_is_told_with_its_place():
    with Reloaded(movable_files()) as server, server.wire() as wire:
        good = server.config.read_text()
        for name, (line, pattern) in INVALID.items():
            server.write(config=good + line)
            word, text = server.reload()
            assert word == "refused" and re.search(pattern, text), (name, text)
            assert text.endswith("nothing has changed\n"), text
        server.write(config=good, rules_csv="id,message_type,to\nx,ORDER,nowhere\ny,ORDER,slo\n")
        word, text = server.reload()
        assert word == "refused" and "rules.csv:2:9: error" in text and "rules.csv:3:9: error" in text, text
        wire.call("XADD", "in", "*", "body", event(1))
        (_, entry), = take(wire, "slow")
        assert entry[b"generation"] == b"1"
        assert server.history() == [(1, "start")]
        assert [path.name for path in (server.journal / "generations").glob("*.manifest")] == [
            "1.manifest"]


def test_sighup_reloads_and_the_log_says_so():
    with Reloaded(movable_files()) as server, server.wire() as wire:
        server.write(rules_csv=NEW_RULES)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log(r"reload by SIGHUP: ok")
        server.wait_for_log(r"swapped in")
        wire.call("XADD", "in", "*", "body", event(1))
        assert len(take(wire, "fast")) == 1
        server.write(rules_csv="broken")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log(r"reload by SIGHUP: refused")
        assert wire.call("PING") == "PONG"


def holds_sighup(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return False
    return (int(re.search(r"SigBlk:\s*(\w+)", text).group(1), 16) >> (signal.SIGHUP - 1) & 1) == 1


def test_sighup_while_it_starts_is_heard_when_it_has_started():
    many = rules(*[f"r{number},T{number},slow" for number in range(20000)])  # it takes a while
    folder = make_folder({**movable_files(sync="commit"), "rules.csv": many})
    try:
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                serve_command("-c", folder / "kouan.yaml", "--listen", "127.0.0.1:0"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        while not holds_sighup(process.pid):
            assert process.poll() is None, process.returncode
            assert "listening" not in (folder / "log").read_text(), "it never held it back"
        process.send_signal(signal.SIGHUP)
        while "reload by SIGHUP: unchanged" not in (folder / "log").read_text():
            assert process.poll() is None, process.returncode
        process.terminate()
        assert process.wait(30) == 0
    finally:
        shutil.rmtree(folder)


def test_sighup_while_it_stops_is_nothing():
    for shards in SHARDS:
        with Reloaded(movable_files(), shards=shards) as server:
            server.process.send_signal(signal.SIGTERM)
            while server.process.poll() is None:
                server.process.send_signal(signal.SIGHUP)


def test_redis_cli_works_on_the_control_socket():
    if shutil.which("redis-cli") is None:
        raise Skip("redis-cli is not installed")
    with Reloaded(movable_files()) as server:
        path = server.journal / "control.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        server.write(rules_csv=NEW_RULES)
        out = subprocess.run(["redis-cli", "-s", path, "KOUAN", "RELOAD"], capture_output=True,
                             text=True, timeout=30, check=True).stdout
        assert out.startswith("ok\ngeneration 2 decides now"), out
        out = subprocess.run(["redis-cli", "-s", path, "KOUAN", "LEDGER"], capture_output=True,
                             text=True, timeout=30, check=True).stdout
        assert "gap 0" in out, out
    assert not path.exists()


def test_only_the_control_socket_may_reload():
    with Reloaded(files()) as server, login(server, "root") as wire:
        for words in ("RELOAD",), ("ROLLBACK",), ("CONFIG", "HISTORY"):
            reply = wire.call("KOUAN", *words)
            assert isinstance(reply, WireError) and reply.word == "NOPERM", reply
    with Reloaded(movable_files(control="none")) as server:
        assert not (server.journal / "control.sock").exists()
        assert "control by" not in server.log


def test_the_command_line():
    with Reloaded(movable_files()) as server:
        def kouan(*words, code=0):
            result = run_kouan(*words, "-c", server.config)
            assert result.returncode == code, result
            return result
        server.write(rules_csv=NEW_RULES)
        assert kouan("reload").stdout.startswith("generation 2 decides now, in place of 1\n")
        assert kouan("reload").stdout.startswith("generation 2 goes on: nothing is new\n")
        assert kouan("rollback").stdout.startswith("generation 3 decides now, in place of 2\n")
        shown = kouan("config", "show").stdout
        assert re.match(r"generation 3  \S+Z  [0-9a-f]{12}  rollback to 1 by uid \d+, pid \d+\n", shown)
        lines = kouan("config", "history").stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["1", "2", "3"] and lines[0].endswith("start")
        refused = kouan("rollback", "77", code=1)
        assert "generation 77 is not in the store" in refused.stderr, refused
        good = server.config.read_text()
        server.write(config=good + "bogus: 1\n")
        assert "C102" in kouan("reload", code=1).stderr
        assert '"result":"refused"' in kouan("reload", "--json", code=1).stdout
    assert "cannot reach" in run_kouan("reload", "--control", "/nowhere/x.sock").stderr
    assert run_kouan("rollback", "x").returncode == 2


def test_what_the_files_would_change_is_told_and_nothing_changes():
    for sync in ("commit", "memory"):
        with Reloaded(movable_files(sync=sync, control="control.sock")) as server:
            def difference(*words, code=0):
                result = run_kouan("config", "diff", "-c", server.config, *words)
                assert result.returncode == code, result
                return result
            assert difference().stdout.startswith("nothing is new: the files are those of generation 1\n")
            server.write(rules_csv=NEW_RULES)
            text = difference().stdout
            assert text.startswith("from generation 1 to the files as they are now:\n"), text
            assert "  rule rules/two added" in text and "\n3 changes\n" in text, text
            assert '"result":"ok"' in difference("--json").stdout
            server.write(rules_csv="broken")
            assert re.search(r"rules\.csv:1:\d+: error\[R\d+\]", difference(code=1).stderr)
            shown = run_kouan("config", "show", "-c", server.config).stdout
            assert shown.startswith("generation 1  ") and "reload" not in server.log, shown
            difference(server.config, code=2)


def test_a_removed_participant_is_cut_and_the_others_go_on():
    without = CONFIG.replace("""  - name: huangpu
    secret_file: secrets/huangpu
    roles: [eport]
    ids: ["HP*"]
    publish: [in]
""", "")
    assert without != CONFIG
    for shards in SHARDS:
        with Reloaded(files(), shards=shards) as server:
            gone, stays = login(server, "huangpu"), login(server, "nansha")
            gone.call("XADD", "in", "*", "body", event(1))
            _, text = server.reload_well(config=without)
            assert "participant huangpu removed" in text and "1 connection cut" in text, text
            gone.expect_closed()
            assert isinstance(stays.call("XADD", "in", "*", "body", event(2)), bytes)
            with server.wire() as wire:
                assert wire.call("AUTH", "huangpu", secret("huangpu")).word == "WRONGPASS"
            server.wait_for_log(r"of participant huangpu, is cut: it is no participant any more")
            server.write(secrets__nansha="another-secret-0123456789\n")
            word, text = server.reload()
            assert word == "ok" and re.search("participant nansha changed: .*secret", text), (word, text)
            stays.expect_closed()
            with server.wire() as wire:
                assert wire.call("AUTH", "nansha", secret("nansha")).word == "WRONGPASS"
                assert wire.call("AUTH", "nansha", "another-secret-0123456789") == "OK"
            server.reload_well(config=CONFIG)
            with login(server, "huangpu") as wire:
                assert isinstance(wire.call("XADD", "in", "*", "body", event(3)), bytes)
            with login(server, "root") as wire:
                assert b"gap 0" in wire.call("KOUAN", "LEDGER")


def test_rights_are_those_of_the_new_generation():
    narrowed = CONFIG.replace("consume: [customs, port, trader]", "consume: [port]")
    with Reloaded(files()) as server, login(server, "customs") as reader, \
            login(server, "customs") as waiter, login(server, "nansha") as sender:
        waiter.command("XREADGROUP", "GROUP", "customs", "w", "BLOCK", 0, "STREAMS", "customs", ">")
        waiter.expect_silence()
        server.reload_well(config=narrowed)
        reply = reader.call("XLEN", "customs")
        assert isinstance(reply, WireError) and reply.word == "NOPERM", reply
        assert reader.call("XLEN", "port") == 0
        waiter.expect_closed()  # what it waited for it may not have any more
        assert isinstance(sender.call("XADD", "in", "*", "body", event(1)), bytes)


def test_a_blocked_reader_of_several_shards_gets_nothing_it_may_not_have_any_more():
    narrowed = CONFIG.replace("consume: [customs, port, trader]", "consume: [port]")
    for shards in SHARDS:
        with Reloaded(files(), shards=shards) as server, login(server, "customs") as group_waiter, \
                login(server, "customs") as waiter, login(server, "customs") as stays, \
                login(server, "nansha") as sender:
            group_waiter.command("XREADGROUP", "GROUP", "customs", "w", "BLOCK", 0, "STREAMS",
                                 "customs", ">")
            waiter.command("XREAD", "BLOCK", 0, "STREAMS", "customs", "$")
            stays.command("XREAD", "BLOCK", 0, "STREAMS", "port", "$")
            for wire in group_waiter, waiter, stays:
                wire.expect_silence()
            _, text = server.reload_well(config=narrowed)
            assert "2 connections cut" in text, text
            for number in range(8):
                assert isinstance(sender.call("XADD", "in", "*", "body", event(number)), bytes)
            group_waiter.expect_closed()
            waiter.expect_closed()
            (name, _), = stays.read()
            assert name == b"port"


def test_who_had_not_said_who_it_is_stays_when_nobody_has_to_any_more():
    for shards in SHARDS:
        closed = CONFIG + "handshake_time: 2s\n"
        opened = closed.replace(CONFIG[CONFIG.index("participants:"):], "")
        with Reloaded({**files(closed), "rules/receipts.csv": "id,to\nall,port\n"},
                      shards=shards) as server, server.wire() as wire:
            assert wire.call("XLEN", "customs").word == "NOAUTH"
            server.reload_well(config=opened, rules__customs_csv="id,to\nall,customs\n")
            assert wire.call("XLEN", "customs") == 0
            time.sleep(3)  # longer than the time to say it
            assert wire.call("XLEN", "customs") == 0


def config_with(*destinations, more=""):
    lines = [f"{name}: {value}" for name, value in SMALL.items()]
    lines += ["channels: [{name: in}]", "destinations:"]
    lines += [f"  - {{name: {name}, groups: [{', '.join(groups)}], {FIELDS}}}"
              for name, *groups in destinations]
    return "\n".join([*lines, "tables: [rules.csv]", more]) + "\n"


def test_without_any_group():
    files = movable_files()
    files["kouan.yaml"] = re.sub(r", groups: \[\w+\]", "", files["kouan.yaml"])
    assert "groups" not in files["kouan.yaml"]
    with Reloaded(files) as server:
        server.reload_well(rules_csv=NEW_RULES)


def test_destinations_and_groups_come_and_go():
    first = config_with(("a", "a"), ("b", "b"))
    for shards in SHARDS:
        with Reloaded({"kouan.yaml": first, "rules.csv": rules("r,ORDER,a|b")}, shards=shards) \
                as server, server.wire() as wire:
            wire.call("XADD", "in", "*", "body", event(1))
            # In another order, one more in front, and another group.
            server.write(rules_csv=rules("r,ORDER,a|b|new"))
            _, text = server.reload_well(
                config=config_with(("new", "n1", "n2"), ("b", "b", "second"), ("a", "a")))
            assert "destination new added" in text, text
            wire.call("XADD", "in", "*", "body", event(2))
            for group, destination, numbers in (("a", "a", 2), ("b", "b", 2), ("second", "b", 1),
                                                ("n1", "new", 1), ("n2", "new", 1)):
                taken = take(wire, group, destination)
                assert len(taken) == numbers, (group, taken)
            # `new` has a backlog: it may not go; then it may.
            server.write(rules_csv=rules("r,ORDER,a|b"), config=config_with(("a", "a"), ("b", "b")))
            word, text = server.reload()
            assert word == "refused" and "destination new cannot be removed" in text, text
            assert "its group n1 has 1 messages" in text, text
            wire.call("XADD", "in", "*", "body", event(3))
            for group in "n1", "n2":  # it goes on as it was
                (ident, _), = take(wire, group, "new")
                assert wire.call("XACK", "new", group, ident) == 1
                with server.wire() as another:
                    pending = another.call("XPENDING", "new", group, "-", "+", 10)
                wire.call("XACK", "new", group, *[item[0] for item in pending])
            word, text = server.reload()
            assert word == "ok" and "destination new removed" in text, text
            assert wire.call("XADD", "in", "*", "body", event(4)) is not None
            assert wire.call("EXISTS", "new") == 0 and wire.call("EXISTS", "a") == 1
            assert set(wire.call("KEYS", "*")) == {b"a", b"b", b"in"}
            # And it may come back.
            server.write(rules_csv=rules("r,ORDER,a|b|new"),
                         config=config_with(("a", "a"), ("new", "n1"), ("b", "b")))
            word, text = server.reload()
            assert word == "ok" and "destination new added" in text, text
            wire.call("XADD", "in", "*", "body", event(5))
            assert len(take(wire, "n1", "new")) == 1
            assert b"gap 0" in wire.call("KOUAN", "LEDGER")


def test_after_a_kill_right_behind_a_reload_all_is_as_it_was():
    for shards in SHARDS:
        folder = make_folder({})
        texts = {"kouan.yaml": config_with(("a", "a"), ("b", "b")), "rules.csv": rules("r,ORDER,a")}
        changed = {"kouan.yaml": config_with(("new", "n"), ("b", "b"), ("a", "a", "late")),
                   "rules.csv": rules("s,OTHER,b", "r,ORDER,a|new")}
        try:
            server = Reloaded(texts, shards=shards, journal=folder / "journal")
            with server.wire() as wire:
                wire.call("XADD", "in", "*", "body", event(1))
                server.reload_well(config=changed["kouan.yaml"], rules_csv=changed["rules.csv"])
                for number in range(2, 12):
                    wire.call("XADD", "in", "*", "body", event(number))
            server.kill()
            with Reloaded(changed, shards=shards, journal=folder / "journal") as server, \
                    server.wire() as wire:
                assert len(take(wire, "a")) == 11 and len(take(wire, "late", "a")) == 10
                assert len(take(wire, "n", "new")) == 10
                assert isinstance(wire.call("XADD", "in", "*", "body", event(1)), bytes)
                assert take(wire, "a") == []  # it is known
                assert b"gap 0" in wire.call("KOUAN", "LEDGER")
                # The same files, but numbered as they stand: `new` is first now.
                assert [number for number, _ in server.history()] in ([1, 2, 2], [1, 2, 3])
            checked = run_kouan("journal", "verify", folder / "journal")
            assert checked.returncode == 0, checked
            replayed = run_kouan("audit", "replay", folder / "journal", seconds=60)
            assert replayed.returncode == 0, replayed
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def test_rollback_goes_to_what_is_stored():
    for shards in SHARDS:
        with Reloaded(movable_files(), shards=shards) as server, server.wire() as wire:
            server.reload_well(rules_csv=NEW_RULES)
            server.reload_well(rules_csv=rules("three,ORDER,slow|fast"))
            word, text = server.reload("ROLLBACK")
            assert word == "ok" and text.startswith("generation 4 decides now, in place of 3\n"), text
            wire.call("XADD", "in", "*", "body", event(1))
            (_, entry), = take(wire, "fast")
            assert (entry[b"generation"], entry[b"rule"]) == (b"4", b"rules/two"), entry
            word, text = server.reload("ROLLBACK", 1)
            assert word == "ok", text
            wire.call("XADD", "in", "*", "body", event(2))
            (_, entry), = take(wire, "slow")
            assert (entry[b"generation"], entry[b"rule"]) == (b"5", b"rules/one"), entry
            assert server.reload("ROLLBACK", 1)[0] == "unchanged"
            assert server.reload("ROLLBACK", 99)[0] == "refused"
            whats = [re.sub(r" by .*", "", what) for _, what in server.history()]
            assert whats == ["start", "reload", "reload", "rollback to 2", "rollback to 1"], whats


def test_a_rollback_brings_participants_back_with_their_secrets():
    without = CONFIG.split("  - name: huangpu")[0] + "  - name: customs" + \
        CONFIG.split("  - name: customs")[-1]
    with Reloaded(files()) as server:
        server.reload_well(config=without)
        with server.wire() as wire:
            assert wire.call("AUTH", "huangpu", secret("huangpu")).word == "WRONGPASS"
        assert server.reload("ROLLBACK")[0] == "ok"
        with login(server, "huangpu") as wire:
            assert isinstance(wire.call("XADD", "in", "*", "body", event(1)), bytes)
        stored = b"".join(path.read_bytes() for path in (server.journal / "generations").iterdir())
        assert b"secret-of-" not in stored


def test_what_waits_for_a_restart_is_said_and_changes_nothing():
    first = config_with(("a", "a"), more="journal: j\npin: none")
    for shards in SHARDS:
        with Reloaded({"kouan.yaml": first, "rules.csv": rules("r,ORDER,a")}, shards=shards,
                      listen="127.0.0.1:0") as server, server.wire() as wire:
            server.journal = server.folder / "j"
            changed = first.replace("segment: 4MiB", "segment: 8MiB").replace("pin: none", "pin: auto")
            changed = changed.replace("groups: [a]", "groups: [{name: a, order: case}], pending_max: 100000")
            changed = changed.replace("journal: j", "journal: elsewhere\nhandshake_time: 3s")
            _, text = server.reload_well(config=changed)
            waiting = re.findall(r"  option (\S+) changed: .*\(needs a restart\)", text)
            assert sorted(waiting) == ["handshake_time", "journal", "pin", "segment"], text
            assert "destination a: pending_max waits for a restart" in text, text
            assert "destination a: the order of a group waits for a restart" in text, text
            assert wire.call("CONFIG", "GET", "segment") == [b"segment", b"4194304"]
            assert not (server.folder / "elsewhere").exists()
            wire.call("XADD", "in", "*", "body", event(1))
            assert len(take(wire, "a")) == 1
            (_, text) = server.reload_well(rules_csv=rules("s,ORDER,a"))
            assert re.search(r"option segment changed: .*needs a restart", text), text  # until there is one
            _, text = server.reload_well(config=first)
            assert "restart" not in text, text


class Publisher(threading.Thread):
    """Publishes numbered events in a pipeline until it is told to stop; what has a receipt."""

    def __init__(self, server, prefix, window=16):
        super().__init__()
        self.wire = server.wire(seconds=60)
        self.prefix, self.window = prefix, window
        self.ended = threading.Event()
        self.receipts = {}
        self.refused = 0

    def run(self):
        number, owed = 0, []
        while not self.ended.is_set() or owed:
            while len(owed) < self.window and not self.ended.is_set():
                name = f"{self.prefix}-{number}"
                self.wire.command("XADD", "in", "*", "body", event(name))
                owed.append(name)
                number += 1
            reply = self.wire.read()
            name = owed.pop(0)
            if isinstance(reply, bytes):
                self.receipts[name] = reply
            else:
                assert reply.word == "TRYAGAIN", reply
                self.refused += 1


def check_deliveries(server, publishers, rule_of):
    """Each receipt's message came once, by the rule of the generation that its record names, where
    that sends it."""
    expected = {ident for publisher in publishers for ident in publisher.receipts.values()}
    seen = {}
    with server.wire(seconds=60) as wire:
        for destination in "slow", "fast":
            while True:
                taken = take(wire, destination, count=1000)
                if not taken:
                    break
                for ident, entry in taken:
                    assert ident not in seen, ident
                    seen[ident] = destination
                    generation = int(entry[b"generation"])
                    assert rule_of(generation) == (entry[b"rule"], destination), (generation, entry)
                wire.call("XACK", destination, destination, *[ident for ident, _ in taken])
    assert expected <= set(seen), f"{len(expected - set(seen))} of {len(expected)} are lost"
    with server.wire() as wire:
        assert b"gap 0" in wire.call("KOUAN", "LEDGER")


def reload_under_load(server, rounds, publishers=3, window=16):
    """Valid and invalid by turns; while groups are not consumed."""
    threads = [Publisher(server, f"p{number}", window) for number in range(publishers)]
    generations = {1: (b"rules/one", "slow")}
    for thread in threads:
        thread.start()
    for number in range(rounds):
        if number % 2 == 1:
            server.write(rules_csv="id,nonsense\n")
            assert server.reload()[0] == "refused"
            continue
        to = ("fast", "slow")[number // 2 % 2]
        generation, _ = server.reload_well(rules_csv=rules(f"r{number},ORDER,{to}"))
        generations[generation] = (f"rules/r{number}".encode(), to)
    for thread in threads:
        thread.ended.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return threads, generations


def test_reloads_under_load_lose_nothing_and_each_message_has_one_generation():
    rounds = int(os.environ.get("KOUAN_TEST_RELOADS", "24"))
    for shards in SHARDS:
        with Reloaded(movable_files(memory="64MiB"), shards=shards) as server:
            threads, generations = reload_under_load(server, rounds)
            assert sum(len(thread.receipts) for thread in threads) > 0
            check_deliveries(server, threads, generations.__getitem__)


def test_a_destination_that_is_full_does_not_hold_a_reload_up():
    for shards in SHARDS:
        with Reloaded({**two_way_files(slow=f"{FIELDS}, backlog_max: 64", fast=FIELDS,
                                       publish_wait="20s"), "rules.csv": OLD_RULES},
                      shards=shards) as server, server.wire(seconds=60) as wire:
            for number in range(400):  # it is full, and the rest waits
                wire.command("XADD", "in", "*", "body", event(number))
            time.sleep(0.3)
            server.reload_well(rules_csv=NEW_RULES)
            # What waited is decided by the new rules.
            replies = [wire.read() for _ in range(400)]
            assert all(isinstance(reply, bytes) for reply in replies), replies[-1]
            fast = []
            while len(fast) < 400 - 64 * shards:
                taken = take(wire, "fast", count=1000)
                assert taken, len(fast)
                fast += taken
            assert {entry[b"generation"] for _, entry in fast} == {b"2"}
            assert b"gap 0" in wire.call("KOUAN", "LEDGER")


def test_two_at_once_are_told_apart():
    many = rules(*[f"r{number},T{number},slow" for number in range(20000)])
    with Reloaded(movable_files()) as server, server.control() as first, server.control() as second:
        server.write(rules_csv=many)
        first.command("KOUAN", "RELOAD")
        second.command("KOUAN", "RELOAD")
        replies = [first.read(), second.read()]  # which of the two is heard first is not said
        done = [reply for reply in replies if isinstance(reply, list)]
        assert done and all(reply[0] in (b"ok", b"unchanged") for reply in done), replies
        assert all(reply.word == "TRYAGAIN" for reply in replies if reply not in done), replies
        assert first.call("PING") == second.call("PING") == "PONG"


def test_who_asked_may_leave():
    with Reloaded(movable_files()) as server:
        server.write(rules_csv=rules(*[f"r{number},T{number},slow" for number in range(20000)]))
        with server.control() as wire:
            wire.command("KOUAN", "RELOAD")
        server.wait_for_log(r"reload by uid \d+, pid \d+: ok", 30)
        server.wait_for_log("swapped in")
        with server.control() as wire:
            while isinstance(reply := wire.call("KOUAN", "CONFIG", "SHOW"), WireError):
                assert reply.word == "TRYAGAIN", reply
            assert reply[1].startswith(b"generation 2 "), reply


if __name__ == "__main__":
    run_tests()
