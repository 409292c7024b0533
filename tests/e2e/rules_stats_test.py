"""How often each rule was hit, over shards and over reloads; and what the tables alone say."""

import json
import re

from kouan_harness import Server, WireError, run_kouan, run_tests
from provincial import event, plain_files

RULES = """id,message_type,customs_office,to,action
near,ORDER,5141,fast,
far,ORDER,53*,slow,
closed,TOBACCO,,fast,reject
dead,ORDER,5141,slow,
rest,,,slow,
"""
SECOND = "id,message_type,to\nall-orders,ORDER,slow\n"


def rule_files(rules=RULES):
    config = ("sync: commit\nchannels: [{name: in}]\ndestinations: [{name: fast}, {name: slow}]\n"
              "tables: [rules.csv, second.csv]\n")
    return {"kouan.yaml": config, "rules.csv": rules, "second.csv": SECOND}


def publish(server, first, count, **members):
    """Over several connections, so that several shards count."""
    for number in range(first, first + count):
        with server.wire() as wire:
            wire.call("XADD", "in", "*", "body", event(number, **members))


def stats(server, *arguments):
    result = run_kouan("rules", "stats", "-c", server.folder / "kouan.yaml", "--json", *arguments)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def hits(server):
    return {f"{rule['table']}/{rule['id']}": rule["hits"] for rule in stats(server)["rules"]}


def test_hits_are_those_of_all_shards():
    for shards in (1, 2):
        with Server(files=rule_files(), shards=shards) as server:
            publish(server, 0, 6, customsOffice="5141")
            publish(server, 0, 3, customsOffice="5141")  # again: replays
            publish(server, 10, 2, customsOffice="5301")
            with server.wire() as wire:
                for _ in range(2):
                    reply = wire.call("XADD", "in", "*", "body", event(20, "TOBACCO"))
                    assert isinstance(reply, WireError) and reply.word == "REJECTED", reply
            assert hits(server) == {"rules/near": 6, "rules/far": 2, "rules/closed": 2, "rules/dead": 0,
                                    "rules/rest": 0, "second/all-orders": 8}
            near = stats(server)["rules"][0]
            assert near["file"].endswith("rules.csv") and near["line"] == 2, near
            assert near["since_ms"] <= near["last_ms"], near


def test_a_choice_of_rules():
    with Server(files=rule_files()) as server:
        publish(server, 0, 3, customsOffice="5141")
        publish(server, 10, 1, customsOffice="5301")
        names = lambda *words: [rule["id"] for rule in stats(server, *words)["rules"]]
        assert names("--never") == ["closed", "dead", "rest"]
        assert names("--top", 2) == ["all-orders", "near"]
        assert names("--table", "rules", "--top", "1") == ["near"]
        assert stats(server, "--top", 2)["left_out"] == 4
        missing = run_kouan("rules", "stats", "-c", server.folder / "kouan.yaml", "--table", "nowhere")
        assert missing.returncode == 1 and "there is no table nowhere" in missing.stderr, missing


def test_a_rule_that_stays_the_same_goes_on_and_another_begins():
    for shards in (1, 2):
        with Server(files=rule_files(), shards=shards) as server:
            publish(server, 0, 4, customsOffice="5141")
            publish(server, 10, 3, customsOffice="5301")
            before = stats(server)["rules"]
            moved = RULES.replace("far,ORDER,53*,slow,\n", "") + "far,ORDER,53*|52*,slow,\nnew,,,slow,\n"
            (server.folder / "rules.csv").write_text(moved)
            reloaded = run_kouan("reload", "-c", server.folder / "kouan.yaml")
            assert reloaded.returncode == 0, reloaded
            assert hits(server) == {"rules/near": 4, "rules/closed": 0, "rules/dead": 0, "rules/rest": 0,
                                    "rules/far": 0, "rules/new": 0, "second/all-orders": 7}
            after = {rule["id"]: rule for rule in stats(server)["rules"]}
            assert after["near"]["since_ms"] == before[0]["since_ms"]
            assert after["near"]["last_ms"] == before[0]["last_ms"]
            assert after["far"]["since_ms"] > before[1]["since_ms"]
            publish(server, 20, 2, customsOffice="5141")
            publish(server, 30, 1, customsOffice="5301")
            assert hits(server)["rules/near"] == 6
            assert hits(server)["rules/rest"] == 1
            assert run_kouan("rollback", "-c", server.folder / "kouan.yaml").returncode == 0
            assert hits(server)["rules/near"] == 6
            assert hits(server)["rules/far"] == 0


def test_lines_for_people():
    with Server(files=rule_files()) as server:
        publish(server, 0, 3, customsOffice="5141")
        result = run_kouan("rules", "stats", "-c", server.folder / "kouan.yaml")
        lines = result.stdout.splitlines()
        assert lines[0] == ("generation 1: 6 rules in 2 tables, 4 never hit; 1 never decides, "
                            "1 partly overlapped"), lines
        utc = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        assert re.fullmatch(rf" {{11}}3  last   {utc}  rules/near  \S*rules\.csv:2", lines[1]), lines
        assert re.fullmatch(rf" {{11}}0  since  {utc}  rules/far  \S*rules\.csv:3", lines[2]), lines
        assert re.fullmatch(r" {14}never decides: an earlier rule takes all that it would, "
                            r"rules/near  \S*rules\.csv:2", lines[5]), lines


def test_a_reply_that_is_too_small_counts_what_it_leaves_out():
    rows = "".join(f"rule-{number:05}-{'x' * 50},T{number},slow\n" for number in range(20000))
    with Server(files=rule_files("id,message_type,to\n" + rows)) as server:
        told = stats(server)
        assert 0 < len(told["rules"]) and len(told["rules"]) + told["left_out"] == 20001
        assert told["left_out"] > 0


def test_a_configuration_that_does_not_run():
    with Server(files=rule_files()) as server:
        path = server.folder / "kouan.yaml"
        result = run_kouan("rules", "stats", path)
        assert result.returncode == 0, result
        lines = result.stdout.splitlines()
        assert lines[0] == "6 rules in 2 tables; 1 never decides, 1 partly overlapped"
        assert re.fullmatch(r"rules/dead  \S*rules\.csv:5", lines[1])
        assert "never decides" in lines[2] and re.search(r"rules/near  \S*rules\.csv:2$", lines[2])
        assert "3 earlier rules take a part of it, first rules/near" in lines[4]
        found = json.loads(run_kouan("rules", "stats", "--json", path).stdout)["rules"]
        assert [rule["id"] for rule in found] == ["dead", "rest"]
        assert found[0]["shadowed_by"] == {"id": "near", "line": 2} and "hits" not in found[0]
        assert found[1]["overlapped_by"] == {"id": "near", "line": 2}
        assert found[1]["overlap_count"] == 3 and found[1]["has_all_overlaps"]
        assert run_kouan("rules", "stats", "--never", path).returncode == 2
        path.write_text("bogus: 1\n")
        assert run_kouan("rules", "stats", path).returncode == 1


def test_only_by_the_control_socket():
    with Server(files=plain_files()) as server, server.wire() as wire:
        reply = wire.call("KOUAN", "RULES", "STATS")
        assert isinstance(reply, WireError) and reply.word == "NOPERM", reply
        reply = wire.call("KOUAN", "RULES", "STATS", "TOP", "x")
        assert isinstance(reply, WireError) and reply.word == "ERR", reply


if __name__ == "__main__":
    run_tests()
