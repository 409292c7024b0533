"""A small province for end-to-end tests: its configuration, and messages in three dialects."""

import contextlib
import functools
import json
import time

from kouan_harness import TEST_SHARDS, encode_command

CUSTOMS_RULES = """id,message_type,customs_office,role,to,action,note
declare,CUSDEC|ORDER|CEB311,51*,,customs,deliver,Guangzhou
hold-shenzhen,ORDER,5304,,customs,hold,checked by hand
no-tobacco,TOBACCO,,,,reject,not by this channel
elsewhere,ORDER,!51*|5304,,customs|port,deliver,
"""
RECEIPT_RULES = """id,message_type,to
receipt,RECEIPT,@receiver
"""
CONFIG = """
channels:
  - name: in
destinations:
  - name: customs
    groups: [customs]
    fields: [origin, message_type, verdict, rule, keys]
  - name: port
    groups: [port]
  - name: trader
    groups: [trader]
    fields: [cause, first_id]
  - name: nansha
    groups: [nansha]
tables: [rules/customs.csv, rules/receipts.csv]
participants:
  - name: nansha
    secret_file: secrets/nansha
    roles: [eport]
    ids: ["DXPENT*", "4403180896"]
    publish: [in]
    consume: [nansha]
  - name: huangpu
    secret_file: secrets/huangpu
    roles: [eport]
    ids: ["HP*"]
    publish: [in]
  - name: customs
    secret_file: secrets/customs
    roles: [agency]
    consume: [customs, port, trader]
    create_groups: yes
  - name: root
    secret_file: secrets/root
    operate: yes
"""
NAMES = ["nansha", "huangpu", "customs", "root"]


def files(config=CONFIG, **more):
    """The folder of files that Server wants."""
    secrets = {f"secrets/{name}": secret(name) + "\n" for name in NAMES}
    return {"kouan.yaml": config, "rules/customs.csv": CUSTOMS_RULES,
            "rules/receipts.csv": RECEIPT_RULES, **secrets, **more}


def secret(name):
    return f"secret-of-{name}-0123456789"


def login(server, name, protocol=2):
    wire = server.wire(protocol=2)
    if protocol == 3:
        reply = wire.call("HELLO", 3, "AUTH", name, secret(name))
        assert isinstance(reply, dict), reply
    else:
        assert wire.call("AUTH", name, secret(name)) == "OK"
    return wire


def event(number, message_type="ORDER", **members):
    """The canonical JSON event, as bytes."""
    value = {"messageType": message_type, "messageId": f"m-{number}",
             "keys": {"order": f"o-{number}"}, **members}
    return json.dumps(value, ensure_ascii=False).encode()


# Members of messages that all lie in one log, in their order; with two shards, or three, in that of
# the second, while the first connection is the first shard's.
ONE_CASE = {"keys": {"order": "1"}}
ONE_LOG = "01" if TEST_SHARDS > 1 else "00"


def in_one_case(send):
    """event, add or add_many, for messages of one case."""
    return functools.partial(send, **ONE_CASE)


def number_of(ident):
    """An id as two numbers, to sort by."""
    return tuple(map(int, ident.split(b"-")))


def log_of(ident):
    """Whose it is."""
    return number_of(ident if isinstance(ident, bytes) else ident.encode())[1] & 0xFF


def entries(reply):
    """[(id, {name: value})] of an XREADGROUP reply in either protocol; [] for none."""
    if reply is None:
        return []
    (_, items), = reply.items() if isinstance(reply, dict) else reply
    result = []
    for ident, fields in items:
        result.append((ident, dict(zip(fields[::2], fields[1::2]))))
    return result


SMALL = {"memory": "32MiB", "segment": "4MiB", "journal_size": "2GiB",
         "hold_bytes_max": "1MiB", "window_entries": 65536}  # starts quickly


def plain_files(destinations="[{name: all, groups: [all]}]", **options):
    """Everything goes to the first destination; no participants. Options as in the configuration."""
    first = destinations.split("name: ", 1)[1].split(",")[0].split("}")[0]
    lines = [f"{name}: {value}" for name, value in (SMALL | options).items()]
    lines += ["channels: [{name: in}]", f"destinations: {destinations}", f"unroutable: {first}"]
    return {"kouan.yaml": "\n".join(lines) + "\n"}


def two_way_files(slow="", fast="", more="", **options):
    """Messages of the type SLOW go to `slow`, of FAST to `fast`, of BOTH to both; no participants.
    `slow` and `fast` are more options of theirs, `more` is further destinations."""
    lines = [f"{name}: {value}" for name, value in (SMALL | options).items()]
    lines += ["channels: [{name: in}]", "destinations:",
              f"  - {{name: slow, groups: [slow]{', ' if slow else ''}{slow}}}",
              f"  - {{name: fast, groups: [fast]{', ' if fast else ''}{fast}}}", more,
              "tables: [rules.csv]"]
    rules = "id,message_type,to\nslow,SLOW,slow\nfast,FAST,fast\nboth,BOTH,slow|fast\n"
    return {"kouan.yaml": "\n".join(lines) + "\n", "rules.csv": rules}


def message(kind, number, *segments, function=9, document=None):
    """An EDIFACT message UNH to UNT of a type, as bytes; `number` is its reference. Those on one
    document are of one case."""
    middle = [b"BGM+929+D%s+%d'" % (str(document or number).encode(), function), *segments]
    head = b"UNH+%s+%s:D:96B:UN'" % (str(number).encode(), kind.encode())
    return b"".join([head, *middle, b"UNT+%d+%s'" % (len(middle) + 2, str(number).encode())])


def interchange(reference, *messages, sender="SENDER"):
    """An EDIFACT interchange of these messages, with UNA, as bytes."""
    reference = reference.encode()
    return b"".join([b"UNA:+.? 'UNB+UNOC:3+%s+RECEIVER+260101:1200+%s'" % (sender.encode(), reference),
                     *messages, b"UNZ+%d+%s'" % (len(messages), reference)])


def interchange_files(customs="fields: [part, envelope, sender, verdict, message_id]", port="",
                      more="", profiles=None, **options):
    """CUSDEC, and JSON events, go to `customs`, CUSRES to `port`, CUSCAR to both; PAXLST is held at
    customs, TAXCON rejected, CUSREP unroutable; no participants. The arguments as in
    two_way_files; `profiles` is YAML for some of one's own, which may know more types."""
    lines = [f"{name}: {value}" for name, value in (SMALL | options).items()]
    lines += ["channels: [{name: in, profiles: [event, 'edifact-cus*', 'own-*']}]", "destinations:",
              f"  - {{name: customs, groups: [customs]{', ' if customs else ''}{customs}}}",
              f"  - {{name: port, groups: [port], fields: [part, envelope, sender, verdict, "
              f"message_id]{', ' if port else ''}{port}}}", more, "tables: [rules.csv]",
              "profiles: [own.yaml, shipped]"]
    rules = ("id,message_type,to,action,note\ncustoms,CUSDEC|CUSCAR|ORDER,customs,,\n"
             "hold,PAXLST,customs,hold,\nno,TAXCON,,reject,not here\n")
    port_rules = "id,message_type,to\nport,CUSRES|CUSCAR,port\n"
    return {"kouan.yaml": "\n".join(lines).replace("[rules.csv]", "[rules.csv, port.csv]") + "\n",
            "rules.csv": rules, "port.csv": port_rules,
            "own.yaml": (profiles + "---\n" if profiles else "") + OWN_PROFILE}


OWN_PROFILE = """profile: own-edifact
family: own
format: edifact
recognise: { type: [PAXLST, TAXCON, CUSREP] }
fields:
  message_type: UNH/2/1
  message_id: { join: [UNB/2/1, UNB/5, UNH/1] }
  sender: UNB/2/1
"""


@contextlib.contextmanager
def many_wires(server, count):
    """So many connections, closed at the end."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.wire()) for _ in range(count)]


def add(wire, number, message_type="ORDER", **members):
    return wire.call("XADD", "in", "*", "body", event(number, message_type, **members))


def pipeline(wire, commands):
    """Sends all, then reads as many replies."""
    commands = list(commands)
    wire.send(b"".join(encode_command(*c) for c in commands))
    return [wire.read() for _ in commands]


def add_many(wire, numbers, message_type="ORDER", **members):
    return pipeline(wire, [("XADD", "in", "*", "body", event(n, message_type, **members))
                           for n in numbers])


def read_group(wire, *options, destination="all", group=None, consumer="c", after=">"):
    """XREADGROUP, as entries()."""
    return entries(wire.call("XREADGROUP", "GROUP", group or destination, consumer, *options,
                             "STREAMS", destination, after))


def ledger(wire):
    return json.loads(wire.call("KOUAN", "LEDGER", "JSON"))


def info(wire, section="everything"):
    """{name: text} of INFO."""
    lines = wire.call("INFO", section).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def release(wire, ident, seconds=20):
    """Releases a held message; while the log makes room, again."""
    deadline = time.monotonic() + seconds
    while True:
        reply = wire.call("KOUAN", "RELEASE", ident)
        if getattr(reply, "word", None) != "TRYAGAIN" or time.monotonic() > deadline:
            return reply
        time.sleep(0.02)


def drain(wire, destination, group):
    """All entries that are new, reply by reply."""
    got = []
    while more := entries(wire.call("XREADGROUP", "GROUP", group, "c", "STREAMS", destination,
                                    ">")):
        got += more
    return got
