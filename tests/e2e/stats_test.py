"""What came by the minute: over shards, over a stop and over a kill."""

import contextlib
import json
import shutil

from kouan_harness import Server, WireError, make_folder, run_kouan, run_tests
from provincial import event

RULES = """id,message_type,customs_office,to,action
near,ORDER,5141,fast|slow,
far,ORDER,,slow,
closed,TOBACCO,,fast,reject
"""
CONFIG = ("sync: commit\nchannels: [{name: in}]\ndestinations: [{name: fast}, {name: slow}]\n"
          "tables: [rules.csv]\n")
FILES = {"kouan.yaml": CONFIG, "rules.csv": RULES}
ALL = "type,office,eport,destination,verdict"


def publish(server, first, count, **members):
    for number in range(first, first + count):
        with server.wire() as wire:
            wire.call("XADD", "in", "*", "body", event(number, **members))


def stats(server, by):
    result = run_kouan("stats", "--control", server.journal / "control.sock", "--json", "--by", by)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def by(server, columns):
    names = columns.split(",")
    return {tuple(row[name] for name in names): row["messages"]
            for row in stats(server, columns)["rows"]}


def publish_a_few(server):
    publish(server, 0, 6, customsOffice="5141")
    publish(server, 0, 3, customsOffice="5141")  # again: replays
    publish(server, 10, 2, customsOffice="5301")
    with server.wire() as wire:
        reply = wire.call("XADD", "in", "*", "body", event(20, "TOBACCO"))
        assert isinstance(reply, WireError) and reply.word == "REJECTED", reply


def check_a_few(server):
    accepted = {("ORDER", "5141", "anonymous", "fast", "fresh"): 6,
                ("ORDER", "5141", "anonymous", "slow", "fresh"): 6,
                ("ORDER", "5301", "anonymous", "slow", "fresh"): 2}
    others = {("ORDER", "5141", "anonymous", "", "replay"): 3,
              ("", "", "anonymous", "", "refused"): 1}
    found = by(server, ALL)
    assert found == (accepted | others), found
    # A message to two destinations is one message in every other sum.
    found = by(server, "verdict")
    assert found[("fresh",)] == 8, found
    assert stats(server, "type")["messages"] == 12


@contextlib.contextmanager
def journal_folder():
    folder = make_folder({})
    try:
        yield folder / "journal"
    finally:
        shutil.rmtree(folder)


class Served(Server):
    """On a journal that outlives it."""

    def __init__(self, journal, **more):
        self.journal = journal
        super().__init__(files=FILES, journal=journal, **more)


def test_figures_are_those_of_all_shards_and_outlive_a_stop():
    for shards in (1, 2):
        with journal_folder() as journal:
            with Served(journal, shards=shards) as server:
                publish_a_few(server)
                check_a_few(server)
                whole = stats(server, ALL)
                assert whole["bytes"] > 8 * 100 and whole["left_out"] == 0, whole
            with Served(journal, shards=shards) as server:
                check_a_few(server)
                publish(server, 30, 1, customsOffice="5141")
                assert by(server, "destination")[("fast",)] == 7
            with Served(journal, shards=shards) as server:
                assert by(server, "destination")[("fast",)] == 7


def test_after_a_kill_accepted_messages_come_from_the_log():
    with journal_folder() as journal:
        with Served(journal) as server:
            publish_a_few(server)
            server.kill()
        with Served(journal) as server:
            # A whole minute may have been saved in between, with all that it had.
            found = by(server, "verdict")
            assert found[("fresh",)] == 8, found
            assert by(server, "destination,verdict")[("slow", "fresh")] == 8


def test_a_damaged_file_is_told_and_left():
    with journal_folder() as journal:
        with Served(journal) as server:
            publish_a_few(server)
        path = journal / "minutes"
        path.write_text(path.read_text().replace("\t5141\t", "\tx\t5141\t", 1))
        with Served(journal) as server:
            server.wait_for_log("minutes: .*; the statistics of minutes begin with what the log has")


def test_what_is_asked_is_checked():
    with Server(files=FILES | {"kouan.yaml": CONFIG + "stats_span: 0\n"}) as server:
        result = run_kouan("stats", "-c", server.folder / "kouan.yaml")
        assert result.returncode == 1 and "stats_span" in result.stderr, result
        for wrong in (["--by", "colour"], ["--by", "type,type"], ["--since", "soon"]):
            result = run_kouan("stats", *wrong)
            assert result.returncode == 2, result
        with server.wire() as wire:
            reply = wire.call("KOUAN", "STATS")
        assert isinstance(reply, WireError) and reply.word == "NOPERM", reply


if __name__ == "__main__":
    run_tests()
