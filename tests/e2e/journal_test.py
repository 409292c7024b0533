"""The commands that look into a journal, beside a running server and after it: journal info, verify,
show, export, repair; trace; audit replay, seal, prove, check."""

import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import threading

from kouan_harness import Server, encode_command, run_kouan, run_tests
from provincial import (CONFIG, CUSTOMS_RULES, event, files, interchange, log_of, login, message,
                        number_of, plain_files, secret)

OK, INVALID, USAGE, UNREACHABLE = 0, 1, 2, 3
PAGE = 4096


class House:
    """A journal that outlives its servers."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-journal-"))
        self.journal = self.folder / "journal"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, journal=None, config=CONFIG):
        rules = {"rules/customs.csv": CUSTOMS_RULES + "parts,CUSDEC,,,port,deliver,\n"}
        return Server(files(f"sync: commit\njournal: {journal or self.journal}\n" + config, **rules))


def kouan(*arguments, code=OK):
    result = run_kouan(*arguments)
    assert result.returncode == code, (arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout + result.stderr


def info_of(journal):
    """What is said of the log that has gone furthest; and of all together."""
    logs = [json.loads(line) for line in kouan("journal", "info", journal, "--json").splitlines()]
    furthest = max(logs, key=lambda log: number_of(log["last_id"].encode()))
    most = {name: max(log[name] for log in logs) for name in ("held", "generation", "incarnation",
                                                               "first_segment")}
    return furthest | most | {"segments": sum(log["segments"] for log in logs)}


def lines(*arguments):
    return [json.loads(line) for line in kouan(*arguments).splitlines() if line.startswith("{")]


def publish(wire, number, office="5101", **members):
    reply = wire.call("XADD", "in", "*", "body",
                      event(number, customsOffice=office, **members))
    assert isinstance(reply, bytes), reply
    return reply.decode()


def take(wire, destination, count, consumer="c1"):
    reply = wire.call("XREADGROUP", "GROUP", destination, consumer, "COUNT", count, "STREAMS",
                      destination, ">")
    return [entry[0].decode() for entry in reply[0][1]]


def fill(server):
    """Ids: two acknowledged, one pending, one held, one that waits at two destinations."""
    with login(server, "nansha") as sender, login(server, "customs") as reader:
        ids = [publish(sender, i) for i in range(3)]
        ids.append(publish(sender, 3, office="5304"))  # held at customs
        ids.append(publish(sender, 4, office="5299"))  # to customs and port
        assert take(reader, "customs", 3) == ids[:3]
        assert reader.call("XACK", "customs", "customs", *ids[:2]) == 2
    return ids


def story(journal, what, *arguments):
    return json.loads(kouan("trace", "--journal", journal, "--json", what, *arguments))


def stands(told):
    return {(group["destination"], group["group"]): group["stand"] for group in told["groups"]}


# ---- beside a running server -----------------------------------------------------------------------


def test_beside_a_running_server():
    with House() as house, house.server() as server:
        ids = fill(server)
        text = kouan("journal", "info", house.journal)
        assert f"has it open: process {server.process.pid}" in text, text
        assert re.search(r"customs/customs\s+2 waiting or pending", text), text
        info = info_of(house.journal)
        assert info["held"] and info["last_id"] == ids[4] and info["generation"] == 1
        assert "all is as it was written" in kouan("journal", "verify", house.journal)
        shown = lines("journal", "show", house.journal, "--json", "--messages", "--bodies")
        assert [record["id"] for record in shown] == ids
        assert shown[0]["participant"] == "nansha" and shown[0]["channel"] == "in"
        assert shown[0]["rules"] == ["customs/declare"]
        assert shown[0]["destinations"] == ["customs"] and shown[0]["held"] == []
        assert json.loads(shown[0]["body"])["messageId"] == "m-0"
        assert shown[3]["held"] == ["customs"] and shown[3]["destinations"] == []
        assert shown[4]["held"] == [] and shown[4]["destinations"] == ["customs", "port"]
        assert "settled  customs/customs  2 acknowledged" in kouan("journal", "show", house.journal)


def test_trace():
    with House() as house, house.server() as server:
        ids = fill(server)
        text = kouan("trace", "--journal", house.journal, ids[0])
        for wanted in ["from nansha by channel in", "event ORDER", "order:o-0", "fresh",
                       "by generation 1: customs/declare", "goes to       customs",
                       "customs/customs acknowledged 20"]:
            assert wanted in text, (wanted, text)
        told = story(house.journal, "order:o-2")
        assert [one["message"]["id"] for one in told] == [ids[2]]
        assert stands(told[0]) == {("customs", "customs"): "open"}
        assert "consumer" not in told[0]["groups"][0]

        key = house.folder / "secret"
        key.write_text(secret("customs"))
        ask = ["--connect", server.address, "--auth", "customs", "--secret-file", key]
        pending = story(house.journal, ids[2], *ask)[0]["groups"][0]
        assert pending["consumer"] == "c1" and pending["deliveries"] == 1
        text = kouan("trace", "--journal", house.journal, ids[3], *ask)
        assert "held at       customs, still" in text
        text = kouan("trace", "--journal", house.journal, ids[4], *ask)
        assert "port/port     waiting, not delivered" in text, text

        with login(server, "root") as root:
            assert root.call("KOUAN", "RELEASE", ids[3]) == 1
        held, released = story(house.journal, ids[3])
        assert [event["event"] for event in held["events"]] == ["released", "repeated"] or \
            [event["event"] for event in held["events"]] == ["repeated", "released"]
        assert released["message"]["first_id"] == ids[3]
        assert released["message"]["cause"] == "released"
        assert stands(released) == {("customs", "customs"): "open"}


def test_while_it_grows():
    with House() as house:
        with Server(plain_files(sync="commit", journal=house.journal, segment="4MiB",
                                message_max="64KiB")) as server:
            rounds, failures = 60, []

            def pump():
                with server.wire() as wire:
                    for start in range(0, rounds * 100, 100):
                        for number in range(start, start + 100):
                            wire.send(encode_command("XADD", "in", "*", "body",
                                                     event(number, pad="x" * 2000)))
                        failures.extend(reply for reply in (wire.read() for _ in range(100))
                                        if not isinstance(reply, bytes))

            with server.wire() as wire:
                wire.call("XADD", "in", "*", "body", event("first"))
            thread = threading.Thread(target=pump)
            thread.start()
            while thread.is_alive():
                text = kouan("journal", "verify", house.journal)
                assert "a server writes on" in text, text
                kouan("journal", "info", house.journal)
            thread.join()
            assert failures == []
            shown = lines("journal", "show", house.journal, "--messages", "--json")
            assert len(shown) == rounds * 100 + 1
            assert len({record["id"] for record in shown}) == rounds * 100 + 1
            assert info_of(house.journal)["segments"] > 2


def test_what_retention_leaves():
    """One message is never acknowledged: it is carried on while its neighbours go."""
    with House() as house:
        with Server(plain_files(sync="commit", journal=house.journal, segment="4MiB",
                                journal_size="32MiB", message_max="64KiB", retain_time="0",
                                window_span="1", recall_memory="32MiB")) as server:
            with server.wire(seconds=30) as wire:
                old = wire.call("XADD", "in", "*", "body", event("old")).decode()
                assert take(wire, "all", 1) == [old]
                for start in range(0, 20000, 100):
                    for number in range(start, start + 100):
                        wire.send(encode_command("XADD", "in", "*", "body",
                                                 event(number, pad="x" * 2000)))
                    replies = [wire.read() for _ in range(100)]
                    assert all(isinstance(reply, bytes) for reply in replies), replies
                    assert wire.call("XACK", "all", "all", *take(wire, "all", 100)) == 100
            assert "all is as it was written" in kouan("journal", "verify", house.journal)
            info = info_of(house.journal)
            assert info["first_segment"] > 0, info
            told, = story(house.journal, "order:o-old")
            assert told["message"]["id"] == old and told["message"]["copied"]
            assert stands(told) == {("all", "all"): "open"}
            out = kouan("journal", "export", house.journal, "-o", house.folder / "out", "--key",
                        "order:o-old")
            assert "1 messages of" in out, out
            assert "decisions are identical" in kouan("audit", "replay", house.journal)
            assert "no message in" in kouan("trace", "--journal", house.journal, "order:o-1",
                                            code=INVALID)


# ---- after it ---------------------------------------------------------------------------------------


def test_restarts_export_and_replay():
    with House() as house:
        with house.server() as server:
            ids = fill(server)
            with login(server, "nansha") as sender:
                parts = [message("CUSDEC", 1), message("CUSDEC", 2)]
                part = sender.call("XADD", "in", "*", "body", interchange("I1", *parts, sender="DXPENT1"))
                assert isinstance(part, bytes), part
                assert isinstance(sender.call("XADD", "in", "IDMP", "p", "given-1", "*", "body",
                                              event(77, customsOffice="5101")), bytes)
        other = CONFIG.replace("  - name: port\n", "  - name: quay\n    groups: [quay]\n  - name: port\n")
        with house.server(config=other) as server, login(server, "nansha") as sender:
            later = publish(sender, 50)
            assert later > ids[4]
        assert "all is as it was written" in kouan("journal", "verify", house.journal)
        info = info_of(house.journal)
        assert not info["held"] and info["incarnation"] == 2 and info["generation"] == 2, info
        shown = lines("journal", "show", house.journal, "--json", "--messages")
        shown.sort(key=lambda record: number_of(record["id"].encode()))  # one log after the other
        assert shown[4]["destinations"] == ["customs", "port"]  # by the names of its own generation
        assert len(shown) == 9

        out = house.folder / "out"
        text = kouan("journal", "export", house.journal, "-o", out, "--key", "order:o-1")
        assert "1 messages" in text
        assert json.loads((out / f"{ids[1]}.body").read_bytes())["messageId"] == "m-1"

        stream = run_kouan("journal", "export", house.journal, "--participant", "nansha").stdout
        exported = []
        while stream:
            line, stream = stream.split("\n", 1)
            size = json.loads(line)["bytes"]
            assert stream[size] == "\n"
            exported.append(stream[:size])
            stream = stream[size + 1:]
        assert len(exported) == 9
        assert event(2, customsOffice="5101").decode() in exported
        parts = [each for each in exported if each.startswith("UNA")]
        assert len(parts) == 2 and all(each.endswith("'") for each in parts), exported

        text = kouan("audit", "replay", house.journal)
        count = lambda what: sum(map(int, re.findall(rf"(\d+) {what}", text)))  # of each log
        assert count("messages? replayed under") == 9, text
        assert text.count("all decisions are identical") == text.count(" replayed under "), text
        assert count("ha(?:ve|s) an identity that is not their own") == 1, text


def test_replay_knows_when_rules_were_valid():
    """The record says in which period it was decided, though the rules of others are in the tables."""
    rules = ("id,valid_from,valid_to,to\nold,,2001-01-01,port\nwas,2001-01-01,2020-01-01,port\n"
             "now,2020-01-01,2999-01-01,customs\nwill,2999-01-01,,port\n")
    with House() as house:
        text = f"sync: commit\njournal: {house.journal}\n" + CONFIG
        with Server(files(text, **{"rules/customs.csv": rules})) as server:
            with login(server, "nansha") as sender:
                publish(sender, 1)
        shown, = lines("journal", "show", house.journal, "--json", "--messages")
        assert shown["destinations"] == ["customs"] and shown["rules"] == ["customs/now"], shown
        assert "1 messages replayed under 1 generations: all decisions are identical" in \
            kouan("audit", "replay", house.journal)


def test_seal_and_prove():
    with House() as house:
        with house.server() as server:
            ids = fill(server)
        key, other = house.folder / "key", house.folder / "other"
        key.write_text("a key of sixteen bytes or more\n")
        other.write_text("another key of sixteen bytes\n")
        assert "still being written" in kouan("audit", "prove", "--journal", house.journal, ids[0],
                                              code=INVALID)
        with house.server() as server:
            with login(server, "nansha") as sender:
                publish(sender, 60)
            text = kouan("audit", "seal", house.journal, "--key-file", key)
            assert re.search(r"segment \d+ sealed", text), text
            assert " 0 are new" in kouan("audit", "seal", house.journal, "--key-file", key, "--check")
            assert "another key" in kouan("audit", "seal", house.journal, "--key-file", other,
                                          code=INVALID)
            proof = house.folder / "proof.json"
            kouan("audit", "prove", "--journal", house.journal, ids[0], "-o", proof)
            text = kouan("audit", "check", proof, "--key-file", key, "--body",
                         house.folder / "body")
            assert "proved: in segment" in text and "nansha -> customs" in text, text
            assert "customs/declare" in text
            assert json.loads((house.folder / "body").read_bytes())["messageId"] == "m-0"
        changed = json.loads(proof.read_text())
        changed["message"]["index"] += 1
        proof.write_text(json.dumps(changed))
        assert "NOT PROVED" in kouan("audit", "check", proof, "--key-file", key, code=INVALID)
        with house.server():
            pass  # a server starts on a journal with seals in it


def damage(journal, message_id):
    """Flips a byte of the block that holds this message; its position."""
    shown = lines("journal", "show", journal, "--json", "--id", message_id)
    position = shown[0]["position"]
    info = info_of(journal)
    size = info["segment_bytes"]
    path = journal / f"{log_of(message_id):02x}" / f"{position // size:016x}.segment"
    with open(path, "r+b") as file:
        file.seek(position % size + 100)
        byte = file.read(1)[0]
        file.seek(position % size + 100)
        file.write(bytes([byte ^ 1]))
    return position


def test_damage_and_repair():
    with House() as house:
        with house.server() as server:
            ids = fill(server)
        before = lines("journal", "show", house.journal, "--json", "--messages")
        position = damage(house.journal, ids[1])
        text = kouan("journal", "verify", house.journal, code=INVALID)
        assert "damaged" in text and "may be lost" in text, text
        place, = (line for line in map(json.loads, kouan(
            "journal", "verify", house.journal, "--json", code=INVALID).splitlines()) if "from" in line)
        assert place["from"] <= position < place["to"]
        assert "cannot be read" in kouan("trace", "--journal", house.journal, ids[3], code=INVALID)

        refused = None
        try:
            house.server().kill()
        except AssertionError as error:
            refused = error
        assert refused is not None, "a server started on a damaged journal"

        copy = house.folder / "copy"
        text = kouan("journal", "repair", house.journal, copy, code=INVALID)
        assert "lost: messages with ids between" in text, text
        assert "is there already" in kouan("journal", "repair", house.journal, copy, code=INVALID)
        assert "all is as it was written" in kouan("journal", "verify", copy)
        kept = [record["id"] for record in lines("journal", "show", copy, "--json", "--messages")]
        assert ids[1] not in kept and ids[3] in kept
        assert {record["id"] for record in before} - set(kept) == \
            {record["id"] for record in before if log_of(record["id"]) == log_of(ids[1]) and
             place["from"] <= record["position"] < place["to"]}
        with house.server(copy) as server, login(server, "nansha") as sender:
            with login(server, "customs") as reader:
                assert take(reader, "port", 10) == [ids[4]]
            assert publish(sender, 70) > ids[4]


def test_killed():
    with House() as house:
        server = house.server()
        ids = fill(server)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.kill()
        assert "all is as it was written" in kouan("journal", "verify", house.journal)
        assert not info_of(house.journal)["held"]
        assert stands(story(house.journal, ids[1])[0]) == {("customs", "customs"): "acknowledged"}
        copy = house.folder / "copy"
        assert "nothing is lost" in kouan("journal", "repair", house.journal, copy)
        with house.server(copy) as server, login(server, "customs") as reader:
            assert take(reader, "customs", 10) == [ids[2], ids[4]]  # none that was acknowledged


# ---- what is said when it cannot be ----------------------------------------------------------------


def test_errors():
    with House() as house:
        nowhere = house.folder / "nowhere"
        for command in ["info", "verify", "show", "export"]:
            assert f"there is no folder {nowhere}" in kouan("journal", command, nowhere, code=INVALID)
        assert "is not a journal" in kouan("journal", "info", house.folder, code=INVALID)
        assert "there is no folder" in kouan("trace", "--journal", nowhere, "1-1", code=INVALID)
        assert "did you mean `verify`?" in kouan("journal", "verfy", code=USAGE)
        assert "did you mean `replay`?" in kouan("audit", "repaly", code=USAGE)
        assert "something is missing" in kouan("journal", "repair", nowhere, code=USAGE)
        assert "neither an id" in kouan("trace", "what", code=USAGE)
        with house.server() as server:
            assert "nothing was written" in kouan("journal", "info", house.journal, code=INVALID)
            ids = fill(server)
            assert "no message in" in kouan("trace", "--journal", house.journal, "1-1", code=INVALID)
            assert "no message in" in kouan("trace", "--journal", house.journal, "order:none",
                                            code=INVALID)
            assert "no message with the id 1-1" in kouan("journal", "show", house.journal, "--id",
                                                         "1-1", code=INVALID)
            assert "a server has it open" in kouan("journal", "repair", house.journal,
                                                   house.folder / "copy", code=INVALID)
            assert not os.path.exists(house.folder / "copy")
            assert ids[0] in kouan("journal", "show", "-c", server.folder / "kouan.yaml", "--id",
                                   ids[0])


if __name__ == "__main__":
    run_tests()
