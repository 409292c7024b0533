"""The command line against a real server: what each command prints, and the code it ends with."""

import base64
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from kouan_harness import (TEST_SHARDS, Server, die_with_parent, kouan_command, make_folder, run_kouan,
                           run_tests)
from provincial import (CONFIG, CUSTOMS_RULES, ONE_CASE, drain, entries, event, files, interchange,
                        interchange_files, login, message, secret)

OK, INVALID, USAGE, UNREACHABLE = 0, 1, 2, 3
COMMANDS = ["serve", "check", "config", "explain", "rules", "profile", "send", "tail", "hold", "rejects", "ledger", "health",
            "journal", "trace", "reload", "reroute", "rollback", "audit", "version", "help"]
NOBODY = "127.0.0.1:1"  # nobody listens at tcpmux here


def kouan(*arguments, code=OK, **more):
    """Runs a command, insists on its exit code, returns the result."""
    result = run_kouan(*arguments, **more)
    assert result.returncode == code, (arguments, result)
    return result


def said(*arguments, **more):
    return kouan(*arguments, **more).stdout


def as_operator(server, folder=None):
    return ["--connect", server.address, "--auth", "root", "--secret-file",
            str((folder or server.folder) / "secrets/root")]


def as_participant(server, name):
    return ["--connect", server.address, "--auth", name, "--secret-file",
            str(server.folder / "secrets" / name)]


def start(*arguments, stdin=subprocess.DEVNULL):
    return subprocess.Popen(
        kouan_command() + [str(argument) for argument in arguments], stdin=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)


class Folder:
    """Files for commands that need no server."""

    def __init__(self, contents):
        self.path = make_folder(contents)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


# ---- help and usage --------------------------------------------------------------------------------


def test_every_command_has_help():
    overview = said("--help")
    for command in COMMANDS:
        assert f"\n  {command} " in overview, command
        text = said(command, "--help")
        assert text.startswith(f"usage: kouan {command} [OPTIONS]"), text
        assert "-h, --help" in text
        assert said("help", command) == text
        assert said(command, "-h") == text
    assert said("version") == said("--version")
    assert said("version").startswith("kouan 0.")


def test_usage_errors():
    assert "did you mean `check`?" in kouan("chekc", code=USAGE).stderr
    assert kouan(code=USAGE).stderr.startswith("usage: kouan COMMAND")
    assert "did you mean `--connect`?" in kouan("health", "--conect", "x", code=USAGE).stderr
    assert "no option `-x`" in kouan("health", "-x", code=USAGE).stderr
    assert "`--connect` wants a value" in kouan("health", "--connect", code=USAGE).stderr
    assert "`--json` takes no value" in kouan("health", "--json=1", code=USAGE).stderr
    assert "`b` is one argument too many" in kouan("tail", "a", "b", code=USAGE).stderr
    assert "something is missing" in kouan("send", code=USAGE).stderr
    for window in ["0", "4097", "x", "-1"]:
        assert "from 1 to 4096" in kouan("send", "--window", window, "-", code=USAGE).stderr
    assert "go together" in kouan("health", "--auth", "a", code=USAGE).stderr
    assert "exclude each other" in kouan("tail", "--json", "--body-only", "a", code=USAGE).stderr
    assert "--no-ack wants --group" in kouan("tail", "--no-ack", "a", code=USAGE).stderr
    assert "is not list, release or reject" in kouan("hold", "lst", code=USAGE).stderr
    assert "which one?" in kouan("hold", "release", code=USAGE).stderr
    assert "from 1 to 1000" in kouan("hold", "list", "0", code=USAGE).stderr
    assert "N is a number" in kouan("rejects", "x", code=USAGE).stderr
    kouan("ledger", "--watch=0", code=USAGE)
    kouan("serve", "--test-delay", "x", code=USAGE)
    for shards in "0", "65", "x":
        assert "N from 1 to 64" in kouan("serve", "--shards", shards, code=USAGE).stderr


def test_addresses():
    for address in ["", "7400", "::1:7400", "host:", "host:0", "host:65536", "[]:1", ":7400"]:
        if address:
            assert "is no address" in kouan("health", "--connect", address, code=USAGE).stderr
    for address in [NOBODY, "[::1]:1", "localhost:1", "unix:/nowhere/kouan.sock"]:
        text = kouan("health", "--connect", address, code=UNREACHABLE).stderr
        assert text.startswith(f"kouan health: cannot reach {address}: "), text
        assert text.endswith("is `kouan serve` running?\n") and text.count("\n") == 1, text
    with Server(listen="unix") as server:
        assert said("health", "--connect", server.address) == "all well\n"
        os.environ["KOUAN_CONNECT"] = server.address
        assert said("health") == "all well\n"
        kouan("health", "--connect", NOBODY, code=UNREACHABLE)
    with Server(listen="[::1]:0") as server:
        assert said("health", "--connect", server.address) == "all well\n"


def test_every_client_command_says_unreachable():
    for command in [["send", "/dev/null"], ["tail", "all"], ["hold", "list"], ["hold", "reject", "1-1"],
                    ["rejects"], ["ledger"], ["ledger", "--watch"], ["health"]]:
        result = kouan(*command, "--connect", NOBODY, code=UNREACHABLE)
        assert "cannot reach" in result.stderr and result.stdout == "", result


def test_help_codes():
    text = said("help")
    for code in ["C101", "C140", "P101", "R101", "L101", "REJECTED", "TRYAGAIN", "MALFORMED"]:
        assert f"\n  {code} " in text, code
        assert said("help", code).startswith(f"{code}: "), code
    assert said("help", "c104") == said("help", "C104")
    assert said("help", "CONFLICT").count("CONFLICT: ") == 2  # two refusals have this word
    assert "did you mean `MALFORMED`?" in kouan("help", "malforme", code=INVALID).stderr
    assert "did you mean" not in kouan("help", "xyzzyxyzzy", code=INVALID).stderr


# ---- check -----------------------------------------------------------------------------------------


def test_check():
    assert said("check").startswith("ok: ")
    assert said("check").endswith(" profiles, 0 tables with 0 rules, 1 destination, 0 participants\n")
    with Folder(files()) as folder:
        text = said("check", "-c", folder / "kouan.yaml")
        assert text.endswith(" profiles, 2 tables with 5 rules, 4 destinations, 4 participants\n"), text
        value = json.loads(said("check", "--json", "--profiles", "-c", folder / "kouan.yaml"))
        assert value["ok"] and value["errors"] == 0 and value["rules"] == 5, value
        assert len(value["profile_list"]) == value["profiles"] > 5
        assert value["profile_list"][0].keys() >= {"name", "family", "format", "description"}
        # Paths are relative to the configuration's folder, wherever one stands.
        assert said("check", "-c", "kouan.yaml", cwd=folder) == text


def test_check_lists_profiles():
    text = said("check", "--profiles")
    assert text.startswith("event  event, JSON"), text
    assert "recognised by root *, if no other knows it" in text, text
    assert "recognised by root CEB303Message, CEB303, CEB311Message, CEB311, namespace http" in text, text
    own = "profile: own\nfamily: own\nformat: xml\nrecognise: { root: Own }\nfields: { message_type: name() }\n"
    settings = "profiles: own.yaml\nchannels: [{name: in}]\ndestinations: [{name: all}]\nunroutable: all\n"
    with Folder({"own.yaml": own, "kouan.yaml": settings}) as folder:  # without a description
        text = said("check", "--profiles", "-c", folder / "kouan.yaml")
        assert text.startswith("own  own, XML, own\n    recognised by root Own\n\nok: 1 profile, "), text


def test_check_reports_all_errors():
    config = CONFIG.replace("groups: [customs]", "gruops: [customs]").replace(
        "publish: [in]\n    consume", "publish: [inn]\n    consume")
    rules = CUSTOMS_RULES.replace("|CEB311,51*", "|CEB311,110")
    with Folder({**files(config), "rules/customs.csv": rules}) as folder:
        result = kouan("check", "-c", folder / "kouan.yaml", code=INVALID)
        lines = result.stdout.splitlines()
        assert any(line.endswith("kouan.yaml:6:5: error[C102]: unknown key `gruops`")
                   for line in lines), lines
        assert "  hint: did you mean `groups`?" in lines, lines
        assert any("error[C106]" in line and "`inn`" in line for line in lines), lines
        assert any("customs.csv:2:" in line and "error[R1" in line for line in lines), lines
        assert lines[-1] == "3 errors, 0 warnings", lines
        value = json.loads(said("check", "--json", "-c", folder / "kouan.yaml", code=INVALID))
        assert not value["ok"] and value["errors"] == 3 == len(value["diagnostics"]), value
        for code in [item["code"] for item in value["diagnostics"]]:
            kouan("help", code)
        served = kouan("serve", "-c", folder / "kouan.yaml", code=INVALID)
        assert "error[C102]" in served.stderr and "nothing was started" in served.stderr
    text = said("check", "-c", "/nowhere.yaml", code=INVALID)
    assert "/nowhere.yaml: error[C107]" in text and text.endswith("1 error, 0 warnings\n"), text


def test_config_diff():
    changed = CUSTOMS_RULES.replace("declare,", "declared,")
    assert changed != CUSTOMS_RULES
    with Folder(files()) as before, Folder({**files(), "rules/customs.csv": changed}) as after:
        old, new = before / "kouan.yaml", after / "kouan.yaml"
        text = said("config", "diff", old, new)
        assert text.startswith("  rule customs/declare removed\n  rule customs/declared added: "), text
        assert text.endswith("\n2 changes\n"), text
        against = said("check", "-c", new, "--against", old)
        assert against.startswith("ok: ") and against.endswith(text), against
        value = json.loads(said("check", "-c", new, "--against", old, "--json"))
        assert value["ok"] and value["changes"] == json.loads(said("config", "diff", "--json", old, new)), value
        assert [change["how"] for change in value["changes"]] == ["removed", "added"], value
        (after / "kouan.yaml").write_text("nonsense: 1\n")
        result = kouan("config", "diff", old, new, code=INVALID)
        assert "error[C102]" in result.stderr and result.stdout == "", result
        assert "error[C102]" in said("check", "-c", old, "--against", new, code=INVALID)


# ---- explain ---------------------------------------------------------------------------------------


def explain(folder, *bodies, arguments=(), code=OK):
    """The JSON of `explain` on bodies."""
    paths = []
    for number, body in enumerate(bodies):
        path = folder / f"body-{number}"
        path.write_bytes(body)
        paths.append(path)
    return json.loads(said("explain", "--json", *arguments, *paths, code=code))


def test_explain_defaults():
    body = event(1, sender="A", goodsCode=["8517", "8518"], keys={"order": ["o1", "o2"]})
    with Folder({"body": body}) as folder:
        text = said("explain", folder / "body")
        lines = [line.split() for line in text.splitlines()]
        assert ["profile", "event", "(JSON,", "family", "event)"] in lines, text
        assert ["identity", "by", "id", "m-1"] in [line[:4] for line in lines], text
        assert ["goods_code", "8517", "8518"] in lines, text
        assert any(line[-2:] == ["order:o1", "order:o2"] for line in lines), text
        assert ["deliver", "all"] in lines, text
        piped = said("explain", "-", input=body.decode())
        assert piped == text.replace(str(folder / "body"), "(stdin)")
        (value,) = explain(folder, body)
        assert value["accepted"] and value["deliver"] == ["all"] and value["hold"] == [], value
        assert value["identity"] == {"by": "id", "id": "m-1", "supersedes": False}, value
        values = [item["value"] for item in value["fields"]["goods_code"]]
        assert values == ["8517", "8518"], value


def test_explain_rules():
    with Folder(files()) as folder:
        arguments = ["-c", folder / "kouan.yaml"]
        body = event(1, sender="HP7", customsOffice=["5101", "5304"], receiver="4403180896")
        (value,) = explain(folder, body, arguments=arguments)
        assert value["participant"] == "huangpu", value  # whose address the sender is
        customs, receipts = value["tables"]
        assert customs["matched"]["id"] == "declare" and customs["matched"]["line"] == 2, customs
        assert customs["matched"]["to"] == ["customs"], customs
        # `elsewhere` does not hold: its negation fails on either office.
        assert [rule["id"] for rule in customs["beaten"]] == ["hold-shenzhen"], customs
        assert receipts["matched"] is None and receipts["beaten"] == [], receipts
        assert value["deliver"] == ["customs"] and value["hold"] == [], value

        (held,) = explain(folder, event(2, customsOffice="5304"), arguments=arguments)
        assert held["hold"] == ["customs"] and held["deliver"] == [], held
        (receipt,) = explain(folder, event(3, "RECEIPT", receiver="DXPENT1"), arguments=arguments)
        assert receipt["tables"][1]["matched"]["to"] == ["@receiver"], receipt
        assert receipt["deliver"] == ["nansha"], receipt

        text = said("explain", *arguments, folder / "body-0")
        assert "customs           no rule of its 4 holds\n" in text, text
        assert "receipt (line 2)  deliver @receiver\n" in text, text
        assert "participant   anonymous  (nobody; --participant NAME names one)\n" in text, text
        (folder / "body-0").write_bytes(body)
        text = said("explain", *arguments, folder / "body-0")
        assert "declare (line 2)  deliver customs  # Guangzhou\n" in text, text
        assert "beats hold-shenzhen (line 3)\n" in text, text
        assert "participant   huangpu  (by the sender's address)\n" in text, text
        assert "no rule of its 1 holds\n" in text, text


def test_rules_test():
    examples = ("message: order.json\nparticipant: nansha\ndeliver: customs\nrules: customs/declare\n"
                "---\nmessage: order.json\ndeliver: port\n")
    with Folder({**files("rule_tests: [rules/customs.test.yaml]\n" + CONFIG),
                 "rules/customs.test.yaml": examples,
                 "rules/order.json": event(1, customsOffice="5101")}) as folder:
        config, tests = folder / "kouan.yaml", folder / "rules/customs.test.yaml"
        wrong = f"{tests}:7:10: error[T105]: deliver: the message goes to customs, not port\n"
        for arguments in (["-c", config], ["-c", config, tests]):
            result = kouan("rules", "test", *arguments, code=INVALID)
            assert result.stderr.startswith(wrong), result.stderr
            assert result.stdout == "1 example as expected, 1 not\n", result.stdout
        assert wrong in said("check", "-c", config, code=INVALID)
        served = kouan("serve", "-c", config, code=INVALID)
        assert wrong in served.stderr and "nothing was started" in served.stderr, served.stderr
        tests.write_text(examples.replace("deliver: port", "deliver: customs"))
        assert said("rules", "test", "-c", config) == "2 examples as expected, 0 not\n"
        assert said("check", "-c", config).startswith("ok: ")


def test_sample_configuration():
    config = pathlib.Path(__file__).resolve().parents[2] / "docs/sample/kouan.yaml"
    text = said("check", "-c", config)
    assert text.startswith("ok: ") and "warning" not in text, text
    assert "  list @trade_modes: 11 values, version 2026-11\n" in text, text
    value = json.loads(said("check", "-c", config, "--json"))
    assert {"name": "hs_chapters", "values": 96, "version": "2022"} in value["lists"], value
    assert said("rules", "test", "-c", config) == "5 examples as expected, 0 not\n"
    with Folder({"body": event(1, customsOffice="5141", tradeMode="1210")}) as folder:
        text = said("explain", "-c", config, "--at", "2026-12-01", folder / "body")
        assert "airport-after (line 3)  deliver inspection-others  from 2026-12-01  @e_commerce_modes 2026-11\n" in text, text


def test_explain_at_a_time():
    rules = ("id,valid_from,valid_to,to\nold,,2026-12-01,customs\n"
             "new,2026-12-01,2027-01-01T08:30+08:00,port\nrest,,,port\n")
    with Folder({**files(), "rules/customs.csv": rules, "body": event(1)}) as folder:
        def explained(at):
            return said("explain", "-c", folder / "kouan.yaml", "--at", at, folder / "body")
        text = explained("2026-11-30T23:59:59+08:00")
        assert "old (line 2)  deliver customs  until 2026-12-01\n" in text, text
        assert "beats rest (line 4)\n" in text, text
        text = explained("2026-12-01")
        assert ("new (line 3)  deliver port  from 2026-12-01"
                "  until 2027-01-01T08:30:00+08:00\n") in text, text
        assert "rest (line 4)  deliver port\n" in explained("2027-01-01T08:30+08:00")
        (value,) = explain(folder, event(1), arguments=["-c", folder / "kouan.yaml", "--at", "2026-12-25"])
        matched = value["tables"][0]["matched"]
        assert matched["valid_from"] == "2026-12-01", matched
        assert matched["valid_to"] == "2027-01-01T08:30:00+08:00", matched
        result = kouan("explain", "--at", "tomorrow", folder / "body", code=INVALID)
        assert "`tomorrow` is no time; write 2026-12-01" in result.stderr, result.stderr


def test_explain_counts_beaten_rules():
    rules = "id,message_type,to\n" + "".join(f"r{n},ORDER*,customs\n" for n in range(12))
    with Folder({**files(), "rules/customs.csv": rules}) as folder:
        arguments = ["-c", folder / "kouan.yaml"]
        (value,) = explain(folder, event(1), arguments=arguments)
        table = value["tables"][0]
        assert table["matched"]["id"] == "r0" and table["beaten_count"] == 11, table
        assert [rule["id"] for rule in table["beaten"]] == ["r1", "r2", "r3", "r4", "r5"], table
        assert " r5 (line 7) and 6 more\n" in said("explain", *arguments, folder / "body-0")


def test_explain_refusals():
    with Folder(files()) as folder:
        arguments = ["-c", folder / "kouan.yaml"]
        bodies = [event(1, "TOBACCO"), event(1, "NOTHING"), b"hello", b'{"messageType":1',
                  event(1, sender="HP1", customsOffice="5101"), b"x" * 600 * 1024]
        values = explain(folder, *bodies, arguments=[*arguments, "--participant", "nansha"],
                         code=INVALID)
        words = [value["refused"]["word"] for value in values]
        assert words == ["REJECTED", "UNROUTABLE", "REJECTED", "REJECTED", "NOPERM", "TOOBIG"], words
        assert values[0]["refused"]["reason"] == "rule no-tobacco rejects it: not by this channel"
        assert values[2]["refused"]["fault"] == "UNKNOWNFORMAT"
        assert values[3]["refused"]["offset"] == 16
        assert "HP1" in values[4]["refused"]["reason"]
        (value,) = explain(folder, event(1), arguments=[*arguments, "--participant", "customs"],
                           code=INVALID)
        assert "customs may not publish to the channel in" in value["refused"]["reason"], value
        assert "did you mean `nansha`?" in kouan(
            "explain", *arguments, "--participant", "nanhsa", folder / "body-0", code=INVALID).stderr
        assert "no channel `out`" in kouan(
            "explain", *arguments, "--channel", "out", folder / "body-0", code=INVALID).stderr
        kouan("explain", "-c", folder / "body-0", folder / "body-0", code=INVALID)


EDIFACT_PROFILE = '''
profile: notices
family: notices
format: edifact
recognise: { type: CUSRES }
fields: { message_type: UNH/2/1 }
'''


def test_explain_warns_of_wrong_counts():
    body = b"UNB+UNOA:1+A+B++R1'UNH+M1+CUSRES:D:96B:UN'UNT+3+M1'UNZ+1+R2'"
    with Folder({"body": body}) as folder:
        lines = [line.split() for line in said("explain", folder / "body").splitlines()]
        assert ["warning", "at", "byte", str(body.index(b"3+M1")) + ":", "UNT", "0074"] in [
            line[:6] for line in lines], lines
        assert ["deliver", "all"] in lines, lines
        (value,) = explain(folder, body)
        assert value["accepted"] and value["warning_count"] == 2, value
        assert value["warnings"][1] == {"offset": body.index(b"R2"), "found": "R2", "expected": "R1",
                                        "what": "UNZ 0020 is not the reference of UNB"}, value


def test_explain_warns_of_a_missing_unz():
    body = b"UNB+UNOA:1+A+B++R1'UNH+M1+CUSRES:D:96B:UN'UNT+2+M1'\n"
    with Folder({"body": body}) as folder:
        lines = [" ".join(line.split()) for line in said("explain", folder / "body").splitlines()]
        assert f"warning at byte {len(body)}: the interchange has no UNZ" in lines, lines
        (value,) = explain(folder, body)
        assert value["accepted"] and value["warnings"] == [
            {"offset": len(body), "what": "the interchange has no UNZ", "found": "",
             "expected": ""}], value


def test_strict_profile_refuses_wrong_counts():
    good = b"UNB+UNOA:1+A+B++R1'UNH+M1+CUSRES:D:96B:UN'UNT+2+M1'UNZ+1+R1'"
    bad = good.replace(b"UNT+2", b"UNT+7")
    configuration = files()["kouan.yaml"]
    with Folder({**files(), "kouan.yaml": "profiles: [notices.yaml, shipped]\n" + configuration,
                 "notices.yaml": EDIFACT_PROFILE + "strict: true\n"}) as folder:
        arguments = ["-c", folder / "kouan.yaml", "--participant", "nansha"]
        good_value, bad_value = explain(folder, good, bad, arguments=arguments, code=INVALID)
        assert good_value["profile"] == "notices" and "warnings" not in good_value, good_value
        assert bad_value["refused"]["fault"] == "ENVELOPE", bad_value
        assert bad_value["refused"]["offset"] == bad.index(b"7+M1"), bad_value


def test_explain_an_interchange():
    good = [message("CUSDEC", 1, b"LOC+22+5141'"), message("CUSCAR", 2), message("CUSDEC", 3)]
    with Folder(interchange_files()) as folder:
        arguments = ["-c", folder / "kouan.yaml"]
        body = interchange("R1", *good)
        (value,) = explain(folder, body, arguments=arguments)
        assert value["accepted"] and "deliver" not in value and "profile" not in value, value
        assert [m["number"] for m in value["messages"]] == [1, 2, 3], value
        for part, read in zip(good, value["messages"]):
            assert body[read["offset"]:read["offset"] + read["bytes"]] == part, read
            assert read["accepted"] and read["identity"]["by"] == "id", read
        one, two, _ = value["messages"]
        assert one["fields"]["customs_office"] == [{"entry": 0, "value": "5141"}], one
        assert one["profile"] == "edifact-cusdec" and one["deliver"] == ["customs"], one
        assert two["profile"] == "edifact-cuscar" and two["deliver"] == ["customs", "port"], two
        assert two["tables"][1]["matched"]["id"] == "port", two
        text = said("explain", *arguments, folder / "body-0")
        lines = [line.split() for line in text.splitlines()]
        assert [line[1:4] for line in lines if line[0] == "message"] == [
            [n, "of", "3"] for n in "123"], text
        assert [line[1:] for line in lines if line[0] == "deliver"] == [
            ["customs"], ["customs,", "port"], ["customs"]], text

        body = interchange("R1", good[0], message("TAXCON", 2), message("XXXXXX", 3))
        (value,) = explain(folder, body, arguments=arguments, code=INVALID)
        one, two, three = value["messages"]
        assert not value["accepted"] and one["accepted"] and one["deliver"] == ["customs"], value
        assert value["refused"]["reason"] == two["refused"]["reason"], value
        assert two["refused"]["reason"].endswith("not here (message 2 of 3, UNH 2)"), value
        assert three["refused"]["fault"] == "UNKNOWNPROFILE", value
        assert three["refused"]["offset"] == body.index(b"UNH+3"), value
        text = said("explain", *arguments, folder / "body-0", code=INVALID)
        assert "looks like    EDIFACT  XXXXXX D.96B UN\n" in text, text
        assert text.splitlines()[-1].startswith("  all refused   REJECTED rule no rejects it"), text


ENVELOPE_PROFILE = '''
profile: envelope
family: envelope
format: xml
recognise: { root: Envelope }
open: { path: Data, required: %s }
fields: { message_type: Kind }
'''


def test_explain_opens_a_payload():
    inside = base64.b64encode(event(1, "ORDER", customsOffice="5101", keys={"order": ["o1"]}))
    good = b"<Envelope><Kind>T</Kind><Data>" + inside + b"</Data></Envelope>"
    bad = good.replace(inside, b"*" + inside)
    configuration = "profiles: [envelope.yaml, shipped]\n" + files()["kouan.yaml"]
    rules = "id,payload_profile,customs_office,to\nopened,event,5101,customs\nany,,,customs\n"
    with Folder({**files(), "kouan.yaml": configuration, "rules/customs.csv": rules,
                 "envelope.yaml": ENVELOPE_PROFILE % "false"}) as folder:
        arguments = ["-c", folder / "kouan.yaml", "--participant", "nansha"]
        opened, closed = explain(folder, good, bad, arguments=arguments)
        assert opened["payload"] == {"opened": True, "profile": "event", "format": "JSON",
                                     "entries": 0}, opened
        assert opened["profile"] == "envelope", opened
        assert opened["tables"][0]["matched"]["id"] == "opened", opened
        assert closed["payload"] == {"opened": False, "reason": "PAYLOAD", "offset": bad.index(b"*"),
                                     "what": "no digit of base64"}, closed
        assert closed["tables"][0]["matched"]["id"] == "any", closed
        text = said("explain", *arguments, folder / "body-0", folder / "body-1")
        assert "  payload       event  (JSON)\n" in text, text
        assert f"  payload       stays closed: PAYLOAD at byte {bad.index(b'*')}: " in text, text

        (folder / "envelope.yaml").write_text(ENVELOPE_PROFILE % "true")
        (refused,) = explain(folder, bad, arguments=arguments, code=INVALID)
        assert refused["refused"]["fault"] == "PAYLOAD", refused
        assert refused["refused"]["offset"] == bad.index(b"*"), refused


def test_explain_points_at_the_byte():
    body = '{"messageType":"报关单","messageId":x}'.encode()
    with Folder({"body": body}) as folder:
        lines = said("explain", folder / "body", code=INVALID).splitlines()
        at = body.index(b"x}")
        assert f"REJECTED MALFORMED at byte {at}: " in lines[-3], lines
        shown = lines[-2][:lines[-2].index("x}")]
        columns = len(shown) + sum(character > "\u2e80" for character in shown)
        assert lines[-1] == " " * columns + "^", lines
        (folder / "body").write_bytes(b'{"a":"' + b"y" * 300 + b'" x' + b"z" * 300)
        lines = said("explain", folder / "body", code=INVALID).splitlines()
        assert lines[-2].startswith(" " * 16 + "...yyy") and lines[-2].endswith("zzz..."), lines
        assert lines[-2][len(lines[-1]) - 1] == "x", lines


def test_explain_output_is_safe():
    body = event(1, sender="\u202egnp.exe \x7f\u009b31m", note="\ufeff")
    with Folder({"body": body, "bad": b'{"a":"\x1b[2J\xff'}) as folder:
        text = said("explain", folder / "body", folder / "bad", code=INVALID)
        assert not set(text) & set("\u202e\x1b\x7f\u009b\ufeff"), text
        assert "\\xE2\\x80\\xAEgnp.exe" in text, text
        json.loads(said("explain", "--json", folder / "body", folder / "bad", code=INVALID))


def test_explain_unreadable():
    with Folder({"body": event(1)}) as folder:
        result = kouan("explain", folder / "none", folder / "body", folder, code=INVALID)
        assert "cannot open" in result.stderr and "No such file" in result.stderr, result
        assert "Is a directory" in result.stderr, result
        assert "deliver       all" in result.stdout, result
        result = kouan("explain", "--json", folder / "none", folder / "body", code=INVALID)
        assert len(json.loads(result.stdout)) == 1


# ---- send ------------------------------------------------------------------------------------------


ARRIVAL = """<?xml version="1.0" encoding="UTF-8"?>
<wh:Report xmlns:wh="urn:nansha:warehouse:%d">
  <wh:Header id="NS-%d"><wh:From>NSWH07</wh:From></wh:Header>
  <wh:Consignment><wh:BILL_NO>COSU6371204410</wh:BILL_NO><wh:Box>1</wh:Box></wh:Consignment>
  <wh:Consignment><wh:BILL_NO>COSU6371204455</wh:BILL_NO></wh:Consignment>
</wh:Report>
"""


def test_profile_from_samples():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for n in (1, 2):
            (folder / f"{n}.xml").write_text(ARRIVAL % (n, n))
        draft = kouan("profile", "draft", "--name", "nansha", folder / "1.xml", folder / "2.xml")
        for line in ["profile: nansha", "  root: Report", '  namespace: "urn:nansha:warehouse:*"',
                     "entries: Consignment", "  message_id: Header/@id  # NS-1",
                     "  sender: Header/From  # NSWH07",
                     "  bill: Consignment/BILL_NO  # COSU6371204410", "#   Consignment/Box  # 1"]:
            assert line in draft.stdout.splitlines(), (line, draft.stdout)
        assert "1.xml: type Report, id NS-1, 2 entries, 2 keys" in draft.stderr
        profile, examples = folder / "nansha.yaml", folder / "nansha.expect.yaml"
        profile.write_text(draft.stdout)
        missing = kouan("profile", "test", profile, code=INVALID)
        assert "hint: `kouan profile expect" in missing.stderr
        expect = kouan("profile", "expect", profile, folder / "1.xml", folder / "2.xml")
        assert '- { bill: "COSU6371204455" }' in expect.stdout, expect
        examples.write_text(expect.stdout)
        for path in (profile, examples):
            good = kouan("profile", "test", path)
            assert good.stdout == "2 examples as expected, 0 not\n", good
        examples.write_text(expect.stdout.replace("NSWH07", "NSWH7", 1))
        bad = kouan("profile", "test", profile, code=INVALID)
        assert bad.stdout == "1 example as expected, 1 not\n", bad
        assert re.search(r"nansha\.expect\.yaml:6:\d+: error\[P115\]: `sender` is NSWH07, not NSWH7",
                         bad.stderr), bad


def test_profile_from_json_and_edifact():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "a.json").write_text(
            '{"docNo":"D-1","items":[{"container_no":"CSNU6231870"},{"container_no":"CSNU6231885"}]}')
        (folder / "a.edi").write_text(
            "UNB+UNOA:2+SHIP+PORT+200101:1200+77'UNH+1+COPRAR:D:95B:UN'BGM+45+L1+9'TDT+20+V12'"
            "EQD+CN+CSNU6231870'EQD+CN+CSNU6231885'UNT+6+1'UNZ+1+77'")
        draft = kouan("profile", "draft", "--name", "boxes", folder / "a.json")
        assert "entries: items\n" in draft.stdout, draft
        assert "  container: items/container_no  # CSNU6231870\n" in draft.stdout, draft
        assert "  message_type: { constant: boxes }\n" in draft.stdout, draft
        draft = kouan("profile", "draft", folder / "a.edi")
        assert "entries: EQD\n" in draft.stdout, draft
        assert "  voyage: TDT/2  # V12\n" in draft.stdout and "2 entries, 4 keys" in draft.stderr, draft


def test_profile_from_the_page():
    """docs/profiles.md: what its first message is drafted to, and what the draft then reads."""
    page = (pathlib.Path(__file__).parents[2] / "docs/profiles.md").read_text()
    message = re.search(r"```xml\n(.*?)```", page, re.S)[1]
    report = re.search(r"^samples/arrival-1\.xml: .*\n", page, re.M)[0]
    examples = re.search(r"\$ cat arrival\.expect\.yaml\n(.*?)```", page, re.S)[1]
    mistake = re.search(r"^arrival\.expect\.yaml:.*\n", page, re.M)[0]
    with Folder({"samples/arrival-1.xml": message}) as folder:
        draft = kouan("profile", "draft", "samples/arrival-1.xml", cwd=folder)
        assert draft.stderr == report, draft
        (folder / "arrival.yaml").write_text(draft.stdout)
        expect = said("profile", "expect", "arrival.yaml", "samples/arrival-1.xml", cwd=folder)
        assert expect == examples, expect
        (folder / "arrival.expect.yaml").write_text(expect.replace("NSWH07", "NSWH7"))
        assert kouan("profile", "test", "arrival.yaml", code=INVALID, cwd=folder).stderr == mistake


def test_profile_from_samples_in_other_character_sets():
    text = '<?xml version="1.0" encoding="%s"?><Notice><BillNo>COSU1</BillNo><Port>\u6df1\u5733</Port></Notice>'
    edifact = "UNB+UNOA:2+A+B+200101:1200+7'UNH+1+COPRAR:D:95B:UN'BGM+45+L1+9'UNT+3+1'UNZ+1+7'"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, charset in [("GB2312", "gb2312"), ("UTF-16", "utf-16"), ("Big5", "big5"), ("UTF-8", "utf-8-sig")]:
            (folder / "a.xml").write_bytes((text % name).encode(charset))
            draft = kouan("profile", "draft", folder / "a.xml")
            assert "  bill: BillNo  # COSU1\n" in draft.stdout and "\u6df1\u5733\n" in draft.stdout, (name, draft)
            assert draft.stderr.endswith("a.xml: type Notice, id (none), 1 key\n"), (name, draft)
        (folder / "a.json").write_bytes('{"blNo":"COSU1","port":"\u6df1\u5733"}'.encode("utf-16"))
        assert "  bill: blNo  # COSU1\n" in said("profile", "draft", folder / "a.json")
        (folder / "a.edi").write_bytes(edifact.encode("utf-16"))
        assert "  client_seq: BGM/2/1  # L1\n" in said("profile", "draft", folder / "a.edi")
        (folder / "a.xml").write_bytes((text % "GB2312").encode("gb2312").replace(b"\xdb", b"\x20"))
        assert "does not fit the character set" in kouan("profile", "draft", folder / "a.xml", code=INVALID).stderr


def test_profile_without_entries():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "one.json").write_text('{"container_no":"CSNU6231870"}')
        draft = kouan("profile", "draft", "--name", "one", folder / "one.json")
        assert draft.stderr.endswith("one.json: type one, id (none), 1 key\n"), draft
        (folder / "one.yaml").write_text(draft.stdout)
        expect = said("profile", "expect", folder / "one.yaml", folder / "one.json")
        assert expect.endswith('keys:\n  container: "CSNU6231870"\n'), expect
        (folder / "one.expect.yaml").write_text(expect)
        assert said("profile", "test", folder / "one.yaml") == "1 example as expected, 0 not\n"


def test_profile_of_an_interchange():
    """Each message of several is an example of its own."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "two.edi").write_text(
            "UNB+UNOA:2+SHIP+PORT+200101:1200+77'UNH+1+COPRAR:D:95B:UN'BGM+45+L1+9'UNT+3+1'"
            "UNH+2+COARRI:D:95B:UN'BGM+45+L2+9'UNT+3+2'UNZ+2+77'")
        draft = kouan("profile", "draft", "--name", "two", folder / "two.edi")
        assert "type: [COPRAR, COARRI]\n" in draft.stdout, draft
        assert "type COPRAR, id SHIP+77+1" in draft.stderr and "id SHIP+77+2" in draft.stderr, draft
        (folder / "two.yaml").write_text(draft.stdout)
        expect = kouan("profile", "expect", folder / "two.yaml", folder / "two.edi")
        assert "part: 2\n" in expect.stdout and 'client_seq: "L2"' in expect.stdout, expect
        (folder / "two.expect.yaml").write_text(expect.stdout)
        good = kouan("profile", "test", folder / "two.yaml")
        assert good.stdout == "2 examples as expected, 0 not\n", good
        (folder / "two.expect.yaml").write_text(expect.stdout.replace("part: 2", "part: 1"))
        kouan("profile", "test", folder / "two.yaml", code=INVALID)
        (folder / "two.expect.yaml").write_text(expect.stdout.replace("part: 2", "part: two"))
        wrong = kouan("profile", "test", folder / "two.yaml", code=INVALID)
        assert "error[P105]: expected the number of a message" in wrong.stderr, wrong


def test_profile_errors():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "broken.xml").write_text("<a>\n<b></a>")
        (folder / "a.json").write_text('{"a":1}')
        (folder / "a.xml").write_text("<a/>")
        (folder / "text").write_text("hello")
        broken = kouan("profile", "draft", folder / "broken.xml", code=INVALID)
        assert "broken.xml:2:6: not well-formed XML" in broken.stderr, broken
        mixed = kouan("profile", "draft", folder / "a.xml", folder / "a.json", code=INVALID)
        assert "of another format" in mixed.stderr, mixed
        text = kouan("profile", "draft", folder / "text", code=INVALID)
        assert "neither XML, JSON nor EDIFACT" in text.stderr, text
        kouan("profile", "draft", code=USAGE)
        kouan("profile", "paint", "x", code=USAGE)
        kouan("profile", "show", "nosuch", code=INVALID)


def test_profile_show():
    listed = kouan("profile", "show")
    assert re.search(r"^event +the canonical JSON event$", listed.stdout, re.M)
    shown = kouan("profile", "show", "ceb-payment")
    assert shown.stdout.startswith("profile: ceb-payment\n"), shown
    assert "---" not in shown.stdout and "ceb-collection" not in shown.stdout
    with tempfile.TemporaryDirectory() as folder:
        both = pathlib.Path(folder) / "kouan.yaml"
        (pathlib.Path(folder) / "dxp.yaml").write_text(said("profile", "show", "dxp-response", "dxp-message"))
        both.write_text("profiles: [dxp.yaml, shipped]\nchannels: [{name: in}]\ndestinations: [{name: all}]\n")
        assert "warning" not in kouan("check", "-c", both).stderr  # they replace the shipped ones


def test_send():
    with Server() as server, Folder({"a": event(1), "b": event(2), "bad": b"{"}) as folder:
        connect = ["--connect", server.address]
        text = said("send", *connect, folder / "a", folder / "b")
        (a, a_id), (b, b_id) = [line.rsplit(" ", 1) for line in text.splitlines()]
        assert (a, b) == (str(folder / "a"), str(folder / "b")) and a_id < b_id, text
        result = kouan("send", *connect, folder / "a", folder / "bad", folder / "none", code=INVALID)
        lines = result.stdout.splitlines()
        assert lines[0] == f"{folder}/a {a_id}", lines  # a repeat: the first's receipt
        assert lines[1].startswith(f"{folder}/bad error REJECTED TRUNCATED at byte 1"), lines
        assert lines[2] == f"{folder}/none error No such file or directory", lines
        assert result.stderr.startswith("1 accepted, 2 refused in "), result
        assert said("send", *connect, "-", input=event(1).decode()) == f"(stdin) {a_id}\n"
        assert said("send", *connect, "-q", folder / "a") == ""
        assert "no such channel" in said("send", *connect, "--channel", "x", folder / "a", code=INVALID)


def test_send_lines():
    lines = [event(n, **ONE_CASE).decode() for n in range(3000)]
    text = "\n".join(lines[:1000]) + "\n\n" + "\r\n".join(lines[1000:])
    with Server() as server, Folder({"lines": text}) as folder:
        connect = ["--connect", server.address]
        for window in [1, 7, 4096]:
            out = said("send", *connect, "--lines", "--window", window, folder / "lines")
            sent = out.splitlines()
            assert len(sent) == 3000
            assert sent[999].startswith(f"{folder}/lines:1000 "), sent[999]
            assert sent[1000].startswith(f"{folder}/lines:1002 "), sent[1000]
        with server.wire() as wire:
            assert wire.call("XLEN", "all") == 3000
            got = drain(wire, "all", "all")
            assert [fields[b"body"].decode() for _, fields in got] == lines
        out = said("send", *connect, "--lines", "--json", "-", input=text)
        values = [json.loads(line) for line in out.splitlines()]
        assert values[1000]["line"] == 1002 and values[1000]["id"] == sent[1000].split()[1]
        assert values[-1]["accepted"] == 3000 and values[-1]["complete"], values[-1]


def test_send_does_not_wait_for_more():
    """What a slow pipe has given is sent at once, also to a server that is another by then."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-cli-"))
    address = f"unix:{folder}/kouan.sock"
    first = Server(listen=address)
    sender = start("send", "--connect", address, "--lines", "--retries", 50, "-",
                   stdin=subprocess.PIPE)
    lines = [event(n).decode() + "\n" for n in range(6)]
    for n in range(0, 6, 2):  # a line, and the first half of another
        sender.stdin.write(lines[n] + lines[n + 1][:20])
        sender.stdin.flush()
        assert sender.stdout.readline().startswith(f"(stdin):{n + 1} ")
        sender.stdin.write(lines[n + 1][20:])
        sender.stdin.flush()
        assert sender.stdout.readline().startswith(f"(stdin):{n + 2} ")
    first.kill()
    pathlib.Path(address[len("unix:"):]).unlink(missing_ok=True)
    with Server(listen=address):
        # It learns of the end only by writing.
        out, err = sender.communicate(event(7).decode(), timeout=20)
        assert sender.returncode == OK, (sender.returncode, err)
        assert out.splitlines()[-1].startswith("(stdin):7 "), out
    shutil.rmtree(folder)


def test_send_large_bodies():
    bodies = {f"f{n:02}": event(n, note="x" * 400_000) for n in range(40)}
    with Server() as server, Folder(bodies) as folder:
        paths = [folder / name for name in bodies]
        assert len(said("send", "--connect", server.address, *paths).splitlines()) == 40
        (folder / "huge").write_bytes(event(99, note="x" * 600_000))
        text = said("send", "--connect", server.address, folder / "huge", paths[0], code=INVALID)
        assert " error TOOBIG " in text.splitlines()[0], text
        assert " error " not in text.splitlines()[1], text


def test_send_rights():
    with Server(files()) as server, Folder({"a": event(1, customsOffice="5101")}) as folder:
        assert "NOAUTH" in said("send", "--connect", server.address, folder / "a", code=INVALID)
        said("send", *as_participant(server, "nansha"), folder / "a")
        assert " error NOPERM " in said("send", *as_participant(server, "customs"), folder / "a",
                                        code=INVALID)
        wrong = ["--connect", server.address, "--auth", "nansha", "--secret-file"]
        result = kouan("send", *wrong, server.folder / "secrets/customs", folder / "a", code=INVALID)
        assert "WRONGPASS" in result.stderr and result.stdout == "", result
        result = kouan("send", *wrong, folder / "none", folder / "a", code=INVALID)
        assert f"cannot read {folder}/none" in result.stderr, result
        result = kouan("health", "--connect", server.address, code=INVALID)
        assert "NOAUTH" in result.stderr and "--auth NAME --secret-file FILE" in result.stderr


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_send_across_a_restart():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-cli-"))
    address = f"unix:{folder}/kouan.sock"
    count = 4000
    first = Server(listen=address)
    sender = start("send", "--connect", address, "--lines", "--retries", 50, "-",
                   stdin=subprocess.PIPE)
    # A pipe holds fewer lines than there are, so that the server ends in the midst of them.
    feeder = os.fork()
    if feeder == 0:
        sender.stdout.close()
        for n in range(count):
            sender.stdin.write(event(n, **ONE_CASE).decode() + "\n")
            if n % 100 == 99:
                sender.stdin.flush()
                time.sleep(0.02)
        sender.stdin.close()
        os._exit(0)
    sender.stdin.close()
    sender.stdin = None
    with first.wire() as wire:
        wait_for(lambda: wire.call("XLEN", "all") > 300)
    first.kill()
    pathlib.Path(address[len("unix:"):]).unlink(missing_ok=True)
    second = Server(listen=address)
    with second:
        out, err = sender.communicate(timeout=40)
        assert sender.returncode == OK, (err, out[-500:])
        lines = out.splitlines()
        assert [line.split()[0] for line in lines] == [f"(stdin):{n + 1}" for n in range(count)]
        assert "lost the connection" in err, err
        assert f"{count:,} accepted, 0 refused" in err, err
        # Whatever has its receipt from the second server is there, once, in order.
        with second.wire() as wire:
            got = drain(wire, "all", "all")
        bodies = [fields[b"body"] for _, fields in got]
        assert 0 < len(bodies) < count
        assert bodies == [event(n, **ONE_CASE) for n in range(count - len(bodies), count)]
        assert [ident.decode() for ident, _ in got] == [line.split()[1]
                                                        for line in lines[-len(bodies):]]
    shutil.rmtree(folder)


def test_send_gives_up():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-cli-"))
    address = f"unix:{folder}/kouan.sock"
    server = Server(listen=address)
    sender = start("send", "--connect", address, "--lines", "--retries", 1, "-",
                   stdin=subprocess.PIPE)
    sender.stdin.write(event(1).decode() + "\n")
    sender.stdin.flush()
    with server.wire() as wire:
        wait_for(lambda: wire.call("XLEN", "all") == 1)
    server.kill()
    out, err = sender.communicate(event(2).decode() + "\n", timeout=20)
    assert sender.returncode == UNREACHABLE, (out, err)
    assert "gave up; " in err and "without a receipt" in err, err
    shutil.rmtree(folder)


SMALL = """
channels: [{name: in}]
destinations:
  - name: all
    groups: [all]
    backlog_max: 16
    when_full: tryagain
unroutable: all
"""


def test_send_tries_again():
    lines = "".join(event(n, **ONE_CASE).decode() + "\n" for n in range(100))
    with Server({"kouan.yaml": SMALL, "lines": lines}) as server:
        with server.wire() as wire:
            sender = start("send", "--connect", server.address, "--lines", "--retries", 30,
                           server.folder / "lines")
            bodies = []
            while len(bodies) < 100:
                reply = wire.call("XREADGROUP", "GROUP", "all", "c", "COUNT", 5, "BLOCK", 20000,
                                  "STREAMS", "all", ">")
                got = entries(reply)
                assert got, "nothing came"
                bodies += [fields[b"body"] for _, fields in got]
                wire.call("XACK", "all", "all", *[ident for ident, _ in got])
            out, err = sender.communicate(timeout=20)
            assert sender.returncode == OK, (out, err)
            assert sorted(bodies) == sorted(event(n, **ONE_CASE) for n in range(100))
        result = kouan("send", "--connect", server.address, "--lines", "--retries", 1, "-",
                       input=lines.replace("m-", "n-"), code=INVALID)
        assert "there is no room" in result.stderr and "gave up; " in result.stderr, result
        assert len(result.stdout.splitlines()) == 16, result


def test_send_shows_progress_on_a_terminal():
    lines = "".join(event(n).decode() + "\n" for n in range(4000))
    with Server() as server, Folder({"lines": lines}) as folder:
        master, terminal = pty.openpty()
        sender = subprocess.Popen(
            kouan_command() + ["send", "-q", "--connect", server.address, "--lines", "--window", "1",
                               str(folder / "lines")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal,
            preexec_fn=die_with_parent)
        os.close(terminal)
        shown = b""
        while True:
            try:
                if not select.select([master], [], [], 20)[0]:
                    break
                piece = os.read(master, 65536)
            except OSError:  # the terminal's other end is closed
                break
            if not piece:
                break
            shown += piece
        assert sender.wait(20) == OK
        assert b"\r\x1b[K[" in shown and b" messages  " in shown and b"/s" in shown, shown[-500:]
        assert b"4,000 accepted, 0 refused" in shown.rsplit(b"\x1b[K", 1)[1], shown[-200:]


# ---- tail ------------------------------------------------------------------------------------------


def groups_of(wire, destination):
    return {dict(zip(row[::2], row[1::2]))[b"name"].decode()
            for row in wire.call("XINFO", "GROUPS", destination)}


def start_tail(server, wire, *arguments, destination="all"):
    before = groups_of(wire, destination)
    tail = start("tail", "--connect", server.address, *arguments, destination)
    wait_for(lambda: groups_of(wire, destination) > before)
    return tail


def test_tail():
    with Server() as server, server.wire() as wire:
        wire.call("XADD", "in", "*", "body", event(0))  # before it began: not shown
        tail = start_tail(server, wire, "-n", 2)
        first = wire.call("XADD", "in", "*", "body", event(1, note="通关\x1b"))
        wire.call("XADD", "in", "*", "body", event(2))
        wire.call("XADD", "in", "*", "body", event(3))
        out, err = tail.communicate(timeout=10)
        assert tail.returncode == OK, err
        lines = out.splitlines()
        assert len(lines) == 2, out
        assert lines[0].startswith(first.decode() + "  profile=event  message_type=ORDER  "
                                   "keys=order:o-1  origin=anonymous  verdict=fresh  {"), out
        assert "通关" in lines[0] and "\x1b" not in out, out
        assert groups_of(wire, "all") == {"all"}  # its own is gone
        assert wire.call("XLEN", "all") == 4  # and took nothing from the other


def test_tail_ends_well_on_a_signal():
    for number in [signal.SIGINT, signal.SIGTERM]:
        with Server() as server, server.wire() as wire:
            tail = start_tail(server, wire, "--json")
            wire.call("XADD", "in", "*", "body", event(1))
            value = json.loads(tail.stdout.readline())
            assert value["fields"]["keys"] == "order:o-1" and value["destination"] == "all", value
            assert value["body"].encode() == event(1)
            (own,) = groups_of(wire, "all") - {"all"}
            assert wire.call("XPENDING", "all", own)[0] == 0  # it leaves nothing pending
            tail.send_signal(number)
            assert tail.wait(10) == OK, tail.stderr.read()
            assert groups_of(wire, "all") == {"all"}
            assert wire.call("XLEN", "all") == 1


def test_tail_bodies():
    with Server() as server, server.wire() as wire:
        tail = start_tail(server, wire, "--body-only", "-n", 1)
        wire.call("XADD", "in", "*", "body", event(1, note="通关"))
        assert tail.communicate(timeout=10)[0].encode() == event(1, note="通关") + b"\n"
        tail = start_tail(server, wire, "--json", "-n", 1)
        order = '<?xml version="1.0" encoding="GB18030"?><CEB311Message xmlns=' \
                '"http://www.chinaport.gov.cn/ceb" guid="G1"><Order><OrderHead><note>通关</note>' \
                '</OrderHead></Order></CEB311Message>'
        wire.call("XADD", "in", "*", "body", order.encode("gb18030"))
        value = json.loads(tail.communicate(timeout=10)[0])
        assert base64.b64decode(value["body_base64"]) == order.encode("gb18030"), value


def test_tail_of_a_group():
    with Server() as server, server.wire() as wire:
        for n in range(5):
            wire.call("XADD", "in", "*", "body", event(n))
        connect = ["--connect", server.address]
        out = said("tail", *connect, "--group", "all", "-n", 2, "all")
        assert len(out.splitlines()) == 2
        assert wire.call("XPENDING", "all", "all")[0] == 0  # acknowledged
        assert wire.call("XLEN", "all") == 3
        said("tail", *connect, "--group", "all", "--consumer", "me", "--no-ack", "-n", 1, "all")
        assert wire.call("XPENDING", "all", "all")[3] == [[b"me", b"1"]]
        assert groups_of(wire, "all") == {"all"}
        text = kouan("tail", *connect, "--group", "none", "all", code=INVALID).stderr
        assert text.startswith("kouan tail: NOGROUP "), text
        text = kouan("tail", *connect, "nowhere", code=INVALID).stderr
        assert "no such destination" in text, text
        assert wire.call("XGROUP", "DESTROY", "all", "all").word == "NOPERM"


BARE = """
channels: [{name: in}]
destinations: [{name: bare}]
unroutable: bare
"""


def test_groups_that_go():
    with Server({"kouan.yaml": BARE}) as server, server.wire() as wire, server.wire() as other:

        def terms():
            value = json.loads(wire.call("KOUAN", "LEDGER", "JSON"))
            assert value["gap"] == 0, value
            return value["outlets"][0]

        for group in ["g", "h"]:
            assert wire.call("XGROUP", "CREATE", "bare", group, "0") == "OK"
        for n in range(6):
            wire.call("XADD", "in", "*", "body", event(n))
        for group in [b"g", b"h"]:
            got = entries(wire.call("XREADGROUP", "GROUP", group, "c", "COUNT", 4, "STREAMS", "bare",
                                    ">"))
            wire.call("XACK", "bare", group, got[0][0])
        assert wire.call("XLEN", "bare") == 5
        # With three pending and two waiting; the other group keeps its own.
        assert wire.call("XGROUP", "DESTROY", "bare", "g") == 1
        assert wire.call("XGROUP", "DESTROY", "bare", "g") == 0
        assert wire.call("XLEN", "bare") == 5
        assert [row["group"] for row in terms()["groups"]] == ["h"]
        # Whoever waits at it is told.
        entries(wire.call("XREADGROUP", "GROUP", "h", "c", "STREAMS", "bare", ">"))
        other.command("XREADGROUP", "GROUP", "h", "d", "BLOCK", 0, "STREAMS", "bare", ">")
        wait_for(lambda: wire.call("XINFO", "GROUPS", "bare")[0][3] == 2)  # its consumers
        assert wire.call("XGROUP", "DESTROY", "bare", "h") == 1
        assert other.read().word == "NOGROUP"
        assert other.call("PING") == "PONG"
        # Nobody needs anything now; what comes from here on is kept for want of a group.
        assert wire.call("XLEN", "bare") == 0
        wire.call("XADD", "in", "*", "body", event(7))
        assert wire.call("XLEN", "bare") == 1 and terms()["retained"] == 1
        assert wire.call("XGROUP", "CREATE", "bare", "g", "0") == "OK"
        assert terms()["retained"] == 0 and terms()["groups"][0]["backlog"] == 1


def test_tail_rights():
    with Server(files()) as server:
        text = kouan("tail", *as_participant(server, "nansha"), "nansha", code=INVALID).stderr
        assert "NOPERM" in text and "create_groups" in text, text
        text = kouan("tail", *as_participant(server, "nansha"), "customs", code=INVALID).stderr
        assert "NOPERM" in text, text
        with login(server, "nansha") as wire:
            assert wire.call("XGROUP", "DESTROY", "nansha", "nansha").word == "NOPERM"


def test_tail_when_the_server_ends():
    server = Server()
    with server.wire() as wire:
        tail = start_tail(server, wire)
    server.stop()
    assert tail.wait(10) == UNREACHABLE
    assert "lost the connection" in tail.stderr.read()


# ---- hold, rejects, ledger, health -----------------------------------------------------------------


def test_hold():
    with Server(files()) as server, login(server, "nansha") as wire:
        operator = as_operator(server)
        assert said("hold", *operator, "list") == "nothing is held\n"
        assert json.loads(said("hold", *operator, "--json", "list")) == []
        ids = [wire.call("XADD", "in", "*", "body", event(n, customsOffice="5304")).decode()
               for n in range(4)]
        lines = said("hold", *operator, "list").splitlines()
        assert [line.split()[0] for line in lines] == ids, lines
        assert "  nansha -> customs  {" in lines[0], lines
        assert len(said("hold", *operator, "list", 2).splitlines()) == 3  # and that there is more
        held = json.loads(said("hold", *operator, "--json", "list"))
        assert [item["id"] for item in held] == ids and held[0]["origin"] == "nansha", held
        assert abs(held[0]["since_ms"] / 1000 - time.time()) < 60
        assert said("hold", *operator, "release", ids[0]) == f"{ids[0]} released\n"
        assert said("hold", *operator, "reject", ids[1]) == f"{ids[1]} rejected\n"
        out = said("hold", *operator, "release", ids[0], ids[2], code=INVALID)
        assert out == f"{ids[0]} not held\n{ids[2]} released\n", out
        done = json.loads(said("hold", *operator, "--json", "reject", ids[3], ids[3], code=INVALID))
        assert [item["result"] for item in done] == ["rejected", "not held"], done
        assert "ERR" in kouan("hold", *operator, "release", "x", code=INVALID).stderr
        with login(server, "customs") as customs:
            got = entries(customs.call("XREADGROUP", "GROUP", "customs", "c", "STREAMS", "customs",
                                       ">"))
        assert [fields[b"body"] for _, fields in got] == [event(0, customsOffice="5304"),
                                                          event(2, customsOffice="5304")]
        assert "NOPERM" in kouan("hold", *as_participant(server, "nansha"), "list",
                                 code=INVALID).stderr


def test_rejects():
    with Server() as server, server.wire() as wire:
        connect = ["--connect", server.address]
        assert said("rejects", *connect) == "nothing was refused\n"
        assert json.loads(said("rejects", *connect, "--json")) == []
        for n in range(12):
            wire.call("XADD", "in", "*", "body", b'{"n":%d' % n)
        wire.call("XADD", "in", "*", "body", b"\x1b[31m\xff")
        lines = said("rejects", *connect).splitlines()
        assert len(lines) == 20 and lines[0].startswith("#13 "), lines
        assert "anonymous -> in" in lines[0] and "6 bytes" in lines[0], lines
        assert lines[1].startswith("    REJECTED UNKNOWNFORMAT at byte 0: "), lines
        lines = said("rejects", *connect, "--bodies", 2).splitlines()
        assert lines[2] == "    \\x1B[31m\\xFF" and lines[5] == '    {"n":11', lines
        values = json.loads(said("rejects", *connect, "--json", 13))
        assert [value["number"] for value in values] == list(range(13, 0, -1))
        assert values[0]["body_base64"] == "G1szMW3/" and values[-1]["body"] == '{"n":0', values
        for size, text in [(1, "/w=="), (2, "//8="), (3, "////"), (4, "/////w==")]:
            wire.call("XADD", "in", "*", "body", b"\xff" * size)
            (value,) = json.loads(said("rejects", *connect, "--json", 1))
            assert value["body_base64"] == text, value


def test_ledger():
    with Server() as server, server.wire() as wire:
        connect = ["--connect", server.address]
        for n in range(5):
            wire.call("XADD", "in", "*", "body", event(n))
        text = said("ledger", *connect)
        assert "anonymous" in text and text.endswith("gap 0\n"), text
        value = json.loads(said("ledger", *connect, "--json"))
        assert value["intake"][0]["received"] == 5 and value["gap"] == 0, value

        watch = start("ledger", *connect, "--watch=1")
        lines = []
        while not any(line.startswith("per second") for line in lines):
            for n in range(200):
                wire.call("XADD", "in", "*", "body", event(f"{len(lines)}-{n}"))
            lines.append(watch.stdout.readline())
            assert len(lines) < 200, lines
        intake = watch.stdout.readline()
        assert intake.startswith("  intake ") and " received " in intake, intake
        watch.send_signal(signal.SIGINT)
        assert watch.wait(10) == OK
        watch = start("ledger", *connect, "--watch", "--json")
        for _ in range(2):
            assert json.loads(watch.stdout.readline())["gap"] == 0
        watch.terminate()
        assert watch.wait(10) == OK


def test_health():
    with Server({"kouan.yaml": SMALL}) as server, server.wire() as wire:
        connect = ["--connect", server.address]
        assert said("health", *connect) == "all well\n"
        assert json.loads(said("health", *connect, "--json")) == {"healthy": True, "sick": []}
        for n in range(14):
            wire.call("XADD", "in", "*", "body", event(n, **ONE_CASE))
        text = said("health", *connect, code=INVALID)
        assert re.match(r"(shard 1: )?all: 87 % full", text) and text.count("\n") == 1, text
        value = json.loads(said("health", *connect, "--json", code=INVALID))
        assert not value["healthy"] and value["sick"][0]["destination"] == "all", value
        assert value["sick"][0].get("shard") == (1 if TEST_SHARDS > 1 else None), value
        assert value["sick"][0]["problem"].startswith("87 % full"), value


def test_serve_options():
    text = said("serve", "--options")
    assert "\n  message_max " in text and "\n  pending_max " in text, text
    result = kouan("serve", "--listen", "0.0.0.0:0", code=INVALID)
    assert "plaintext: yes" in result.stderr, result


if __name__ == "__main__":
    run_tests()
