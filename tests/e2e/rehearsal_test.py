"""A candidate is tried by the messages of the journal before it decides: `kouan reload --rehearse`,
and `--apply` of what was rehearsed."""

import json
import re
import select

from kouan_harness import Wire, WireError, run_kouan, run_tests
from provincial import CONFIG, event, files, login, two_way_files
from reloaded import Reloaded

SHARDS = (1, 2)
RULES = """id,message_type,customs_office,to,action
bonded,BONDED,5141,slow,
general,GENERAL,,slow|fast,
checked,CHECKED,,fast,hold
"""


def some_files(rules=RULES, **options):
    return {**two_way_files(**options), "rules.csv": rules}


def send(wire, kind, count, first=0, **members):
    """Ids of so many of one type."""
    return [wire.call("XADD", "in", "*", "body", event(f"{kind}-{number}", kind, **members,
                                                        keys={"order": f"{kind}-{number}"})).decode()
            for number in range(first, first + count)]


def rehearse(server, *words):
    word, text = server.reload("RELOAD", "REHEARSE", *words)
    return word, text


def counts(text):
    """(messages, elsewhere, unroutable, refused, read otherwise)"""
    first = re.search(r"^(\d+) messages? \(.*\), decided by both", text, re.M)
    second = re.search(r"^(\d+) of them would go elsewhere; newly unroutable: (\d+); "
                       r"newly refused: (\d+)$", text, re.M)
    third = re.search(r"^(\d+) would be read otherwise$", text, re.M)
    assert first and second and third, text
    return tuple(map(int, (*first.groups(), *second.groups(), *third.groups())))


def ways(text):
    """{line: (count, ids)}"""
    found = re.findall(r"^ +(\d+)  (\S.*)\n +as ((?:\d+-\d+ ?)+)$", text, re.M)
    return {line: (int(count), ids.split()) for count, line, ids in found}


def test_a_rule_moved_says_how_many_from_where_to_where_and_which():
    for shards in SHARDS:
        with Reloaded(some_files(), shards=shards) as server, server.wire() as wire:
            bonded = send(wire, "BONDED", 5, customsOffice="5141")
            general, checked = send(wire, "GENERAL", 2), send(wire, "CHECKED", 3)
            server.write(rules_csv="id,message_type,customs_office,to,action\n"
                                   "bonded,BONDED,5141,fast,\n"
                                   "general,GENERAL,,slow|fast,\n"
                                   "seen,CHECKED,,fast,\n")
            word, text = rehearse(server, "LAST", 1000)
            assert word == "ok" and re.match(r"candidate [0-9a-f]{12} beside generation 1; nothing "
                                             r"has changed\n", text), text
            assert "rule rules/bonded changed: to: slow -> fast" in text, text
            assert counts(text) == (10, 8, 0, 0, 0), text
            lines = ways(text)
            assert set(lines) == {"slow -> fast  by rule rules/bonded",
                                  "fast (held) -> fast  by rule rules/checked -> rules/seen"}, text
            count, ids = lines["slow -> fast  by rule rules/bonded"]
            assert count == 5 and set(ids) <= set(bonded) and len(set(ids)) == 3, text
            count, ids = lines["fast (held) -> fast  by rule rules/checked -> rules/seen"]
            assert count == 3 and set(ids) == set(checked), text
            assert not set(general) & set(re.findall(r"\d+-\d+", text))
            # Nothing has changed, and each of them can be traced.
            assert server.history() == [(1, "start")]
            assert wire.call("XLEN", "fast") == 2
            traced = run_kouan("trace", "-c", server.config, ids[0])
            assert traced.returncode == 0 and ids[0] in traced.stdout, traced


def test_what_no_rule_takes_any_more_is_unroutable_and_what_one_rejects_is_refused():
    with Reloaded(some_files()) as server, server.wire() as wire:
        send(wire, "BONDED", 4, customsOffice="5141")
        send(wire, "GENERAL", 3)
        narrowed = "id,message_type,customs_office,to,action\nbonded,BONDED,9999,slow,\n" \
                   "general,GENERAL,,,reject\n"
        server.write(rules_csv=narrowed)
        _, text = rehearse(server)
        assert counts(text) == (7, 7, 4, 7, 0), text
        assert {line: count for line, (count, _) in ways(text).items()} == {
            "slow -> refused: UNROUTABLE  by rule rules/bonded -> none": 4,
            "slow, fast -> refused: REJECTED  by rule rules/general": 3}, text
        server.write(config=server.config.read_text() + "unroutable: fast\n")
        _, text = rehearse(server)
        assert counts(text) == (7, 7, 4, 3, 0), text
        assert "slow -> fast (unroutable)  by rule rules/bonded -> none" in ways(text), text


OWN = """profile: own
family: own
format: json
recognise: { key: messageType }
fields:
  message_type: { path: messageType, required: true }
  message_id: messageId
  customs_office: %s
keys:
  order: keys/order
"""


def test_a_profile_that_reads_differently():
    settings = some_files()
    settings["kouan.yaml"] += "profiles: [own.yaml]\n"
    with Reloaded({**settings, "own.yaml": OWN % "customsOffice"}) as server, server.wire() as wire:
        both = send(wire, "BONDED", 3, customsOffice="5141", exitOffice="5141")
        other = send(wire, "GENERAL", 4, customsOffice="5141", exitOffice="5165")
        send(wire, "GENERAL", 2, first=4)
        (server.folder / "own.yaml").write_text(OWN % "exitOffice")
        _, text = rehearse(server)
        assert counts(text) == (9, 0, 0, 0, 4), text
        (line, (count, ids)), = ways(text).items()
        assert line == "by profile own: customs_office" and count == 4 and set(ids) <= set(other), text
        assert not set(ids) & set(both)
        renamed = (OWN % "customsOffice").replace("profile: own", "profile: renamed")
        (server.folder / "own.yaml").write_text(renamed)
        _, text = rehearse(server)
        assert counts(text) == (9, 0, 0, 0, 9) and "by profile own -> renamed" in ways(text), text
        (server.folder / "own.yaml").write_text(OWN.replace("messageId", "keys/order") %
                                                "customsOffice")
        _, text = rehearse(server)
        assert "by profile own: message_id, identity" in ways(text), text


def test_rights_that_are_taken_away():
    with Reloaded(files()) as server:
        with login(server, "nansha") as nansha, login(server, "huangpu") as huangpu:
            for number in range(3):
                nansha.call("XADD", "in", "*", "body", event(number, "ORDER", customsOffice="5141"))
            huangpu.call("XADD", "in", "*", "body",
                         event(9, "ORDER", customsOffice="5141", sender="HP1"))
        changed = CONFIG.replace('    ids: ["HP*"]\n', '    ids: ["XX*"]\n').replace(
            '    ids: ["DXPENT*", "4403180896"]\n    publish: [in]\n', '')
        server.write(config=changed)
        _, text = rehearse(server)
        assert counts(text) == (4, 4, 0, 4, 0), text
        assert {line: count for line, (count, _) in ways(text).items()} == {
            "customs -> refused: NOPERM  participant nansha may not publish to in": 3,
            "customs -> refused: NOPERM  by none of the rules": 1}, text


def test_only_the_last_messages_are_looked_at():
    for shards in SHARDS:
        with Reloaded(some_files(), shards=shards) as server, server.wire() as wire:
            send(wire, "BONDED", 50, customsOffice="5141")
            last = send(wire, "GENERAL", 30)
            server.write(rules_csv=RULES.replace("5141,slow", "5141,fast").replace("slow|fast", "fast"))
            _, text = rehearse(server, "LAST", 20)
            assert counts(text) == (20, 20, 0, 0, 0), text
            (count, ids), = ways(text).values()
            assert count == 20 and set(ids) <= set(last[10:]), text
            _, text = rehearse(server, "LAST", 33)
            assert sorted(count for count, _ in ways(text).values()) == [3, 30], text


def test_repeats_and_older_generations():
    """What was released is no message that came; one that an older generation decided is compared
    with what the present one would do, by the names of then."""
    with Reloaded(some_files()) as server, server.wire() as wire, server.control() as control:
        held, = send(wire, "CHECKED", 1)
        assert control.call("KOUAN", "RELEASE", held) is not None
        server.reload_well(rules_csv=RULES.replace("5141,slow", "5141,fast"))
        send(wire, "BONDED", 2, customsOffice="5141")
        server.write(rules_csv=RULES)
        _, text = rehearse(server)
        assert counts(text) == (3, 2, 0, 0, 0), text
        assert list(ways(text)) == ["fast -> slow  by rule rules/bonded"], text


def test_what_is_wrong_or_nothing_new_is_not_rehearsed():
    with Reloaded(some_files()) as server, server.wire() as wire:
        send(wire, "GENERAL", 1)
        word, text = rehearse(server)
        assert word == "unchanged" and text.startswith(
            "nothing is new: the files are those of generation 1\n"), text
        server.write(rules_csv="id,message_type,to\nx,ORDER,nowhere\n")
        word, text = rehearse(server)
        assert word == "refused" and "rules.csv:2:9: error" in text, text
        assert text.endswith("nothing has changed\n"), text
        word, text = server.reload("RELOAD", "APPLY")
        assert word == "refused" and "no candidate was rehearsed" in text, text
        assert server.history() == [(1, "start")]


def test_apply_takes_what_was_rehearsed_and_nothing_else():
    moved = RULES.replace("5141,slow", "5141,fast")
    with Reloaded(some_files()) as server, server.wire() as wire:
        send(wire, "BONDED", 1, customsOffice="5141")
        server.write(rules_csv=moved)
        _, text = rehearse(server)
        digest = re.match(r"candidate ([0-9a-f]{12}) ", text).group(1)
        assert f"\nto have it decide: kouan reload --apply {digest}\n" in text, text
        server.write(rules_csv=moved + "more,MORE,,fast,\n")  # meanwhile
        for words in ("APPLY",), ("APPLY", digest):
            word, text = server.reload("RELOAD", *words)
            assert word == "refused" and f"have changed since {digest} was rehearsed" in text, text
        server.write(rules_csv=RULES)  # as what runs: it is not what was rehearsed either
        assert server.reload("RELOAD", "APPLY")[0] == "refused"
        server.write(rules_csv=moved)
        word, text = server.reload("RELOAD", "APPLY", "0123456789ab")
        assert word == "refused" and f"rehearsed last is {digest}, not 0123456789ab" in text, text
        word, text = server.reload("RELOAD", "APPLY", digest)
        assert word == "ok" and text.startswith("generation 2 decides now, in place of 1\n"), text
        (_, first), (_, second) = server.history()
        assert first == "start" and second.startswith("reload by uid "), second
        # It was beside generation 1.
        word, text = server.reload("RELOAD", "APPLY", digest)
        assert word == "refused" and "since generation 2 decides" in text, text


def test_secrets_that_changed_meanwhile_stop_it():
    with Reloaded(files()) as server:
        server.write(config=CONFIG + "unroutable: port\n")
        assert rehearse(server)[0] == "ok"
        server.write(secrets__nansha="another-secret-0123456789\n")
        word, text = server.reload("RELOAD", "APPLY")
        assert word == "refused" and text.startswith("the files of secrets have changed since "), text


def test_live_traffic_is_rehearsed_while_it_comes():
    for shards in SHARDS:
        with Reloaded(some_files(), shards=shards) as server, server.wire() as wire:
            send(wire, "BONDED", 7, customsOffice="5141")
            server.write(rules_csv=RULES.replace("5141,slow", "5141,fast"))
            with server.control() as control:
                control.command("KOUAN", "RELOAD", "REHEARSE", "FOR", 5)
                sent = 0
                while not select.select([control.socket], [], [], 0)[0]:
                    send(wire, "BONDED", 10, first=100 + sent, customsOffice="5141")
                    sent += 10
                text = control.read()[1].decode()
            messages, elsewhere, *rest = counts(text)
            assert 0 < messages <= sent and elsewhere == messages and rest == [0, 0, 0], text
            word, text = rehearse(server, "LAST", 10, "FOR", 1)
            assert word == "ok" and counts(text)[0] == 10, text


def test_who_leaves_gives_it_up():
    with Reloaded(some_files()) as server, server.wire() as wire:
        send(wire, "GENERAL", 1)
        server.write(rules_csv=RULES + "more,MORE,,fast,\n")
        with server.control() as control:
            control.command("KOUAN", "RELOAD", "REHEARSE", "FOR", 300)
            control.expect_silence()
        while True:
            with server.control() as control:
                reply = control.call("KOUAN", "CONFIG", "HISTORY")
            if not isinstance(reply, WireError):
                break
            assert reply.word == "TRYAGAIN", reply
        word, text = server.reload("RELOAD", "APPLY")
        assert word == "refused" and "no candidate was rehearsed" in text, text
        # Nor does the end wait for one.
        with server.control() as control:
            control.command("KOUAN", "RELOAD", "REHEARSE", "FOR", 300)
            control.expect_silence()
            server.process.terminate()
            assert server.process.wait(60) == 0


def test_without_a_journal_there_is_nothing_to_rehearse_by():
    with Reloaded(some_files(sync="memory", control="kouan.sock")) as server:
        server.write(rules_csv=RULES + "more,MORE,,fast,\n")
        with Wire(f"unix:{server.folder}/kouan.sock") as control:
            word, text = control.call("KOUAN", "RELOAD", "REHEARSE")
            assert word == b"refused" and text.startswith(b"without a journal (`sync: commit`)"), text
            word, text = control.call("KOUAN", "RELOAD")
            assert word == b"ok", text


def test_the_command_line():
    with Reloaded(some_files()) as server, server.wire() as wire:
        send(wire, "BONDED", 3, customsOffice="5141")
        server.write(rules_csv=RULES.replace("5141,slow", "5141,fast"))

        def kouan(*words, code=0):
            result = run_kouan("reload", *words, "-c", server.config)
            assert result.returncode == code, result
            return result
        assert counts(kouan("--rehearse").stdout)[:2] == (3, 3)
        assert counts(kouan("--rehearse", "--last", "2").stdout)[:2] == (2, 2)
        text = kouan("--rehearse", "--for", "1s").stdout
        assert counts(text)[:2] == (0, 0) and " (all that came in 1 s), " in text, text
        value = json.loads(kouan("--rehearse", "--last", "2", "--json").stdout)
        assert value["result"] == "ok" and counts(value["text"])[0] == 2, value
        for words in (("--last", "2"), ("--for", "1s"), ("--rehearse", "--apply"), ("abc",),
                      ("--rehearse", "--for", "1h"), ("--rehearse", "--for", "x"),
                      ("--rehearse", "--last", "0")):
            kouan(*words, code=2)
        assert kouan("--apply").stdout.startswith("generation 2 decides now, in place of 1\n")
    with Reloaded(some_files()) as server, server.control() as control:
        for words in (("LAST",), ("LAST", 0), ("FOR", 301), ("LAST", 1000001), ("SOME", 1)):
            reply = control.call("KOUAN", "RELOAD", "REHEARSE", *words)
            assert isinstance(reply, WireError) and reply.word == "ERR", (words, reply)


if __name__ == "__main__":
    run_tests()
