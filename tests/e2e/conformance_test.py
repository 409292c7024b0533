"""The same commands to a real redis-server and to Kouan: the same replies, shape by shape and word
by word, in RESP2 and RESP3, after masking ids and times. What differs on purpose is listed below,
each with its reason."""

import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from kouan_harness import (Server, Skip, Wire, WireError, WirePush, WireSet, WireText, die_with_parent,
                           run_tests)
from provincial import event, plain_files

CONFIG = {"kouan.yaml": plain_files()["kouan.yaml"].replace("{name: in}", "{name: all}")}


class Redis:
    """A redis-server of the test's own: loopback, a free port, nothing on disk."""

    def __init__(self):
        if shutil.which("redis-server") is None:
            raise Skip("redis-server is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder = tempfile.mkdtemp(prefix="kouan-redis-")
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
             "--appendonly", "no", "--dir", self.folder, "--daemonize", "no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent)

    def __enter__(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                with Wire(self.address) as wire:
                    assert wire.call("PING") == "PONG"
                return self
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.01)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- scripts --------------------------------------------------------------------------------------
# Words are divided by blanks. $1 is the id of the first XADD of the script, and so on; B is an
# event as body. The stream is called `all`, and has the group `all`, as Kouan's default.

SCRIPTS = {
    "reading": """
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XLEN all
        XREADGROUP GROUP all a COUNT 1 STREAMS all >
        XREADGROUP GROUP all a COUNT 1 STREAMS all 0
        XREADGROUP GROUP all b STREAMS all >
        XREADGROUP GROUP all b STREAMS all >
        XREADGROUP GROUP all b BLOCK 1 STREAMS all >
        XREADGROUP GROUP all b STREAMS all 0
        XREADGROUP GROUP all b STREAMS all $2
        XREADGROUP GROUP all b STREAMS all $3
        XREADGROUP GROUP all b COUNT -5 STREAMS all 0
        XREADGROUP GROUP all nobody STREAMS all 0
        XREADGROUP NOACK GROUP all a STREAMS all >
        XREADGROUP COUNT 3 GROUP all a STREAMS all >
        XREADGROUP GROUP none a STREAMS all >
        XREADGROUP GROUP all a STREAMS none >
        XREADGROUP GROUP all a STREAMS all
        XREADGROUP GROUP all a STREAMS all > 1
        XREADGROUP GROUP all a STREAMS all $
        XREADGROUP GROUP all a STREAMS all +
        XREADGROUP GROUP all a STREAMS all -
        XREADGROUP GROUP all a STREAMS all 1-1-1
        XREADGROUP GROUP all a STREAMS all 1-
        XREADGROUP GROUP all a STREAMS all -1
        XREADGROUP GROUP all a STREAMS all abc
        XREADGROUP GROUP all a COUNT x STREAMS all >
        XREADGROUP GROUP all a COUNT STREAMS all >
        XREADGROUP GROUP all a BLOCK x STREAMS all >
        XREADGROUP GROUP all a BLOCK -1 STREAMS all >
        XREADGROUP GROUP all a WHAT STREAMS all >
        XREADGROUP GROUP all a COUNT 1 all >
        XREADGROUP GROUP all
        XREADGROUP
        """,
    "several": """
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XGROUP CREATE all two 0
        XREADGROUP GROUP all a COUNT 1 STREAMS all all > >
        XREADGROUP GROUP all a COUNT 1 STREAMS all all 0 >
        XREADGROUP GROUP all a STREAMS all all all 0 > $1
        XREADGROUP GROUP all a STREAMS all all > >
        XREADGROUP GROUP all a STREAMS all all > 0
        XREADGROUP GROUP all nobody STREAMS all all 0 0
        XREADGROUP GROUP all a BLOCK 1 STREAMS all all > >
        XREADGROUP GROUP two a NOACK COUNT 2 STREAMS all all > >
        XREADGROUP GROUP two a STREAMS all all 0 >
        XREADGROUP GROUP all a STREAMS all none > >
        XREADGROUP GROUP all a STREAMS none all > >
        XREADGROUP GROUP all a STREAMS all none x >
        XREADGROUP GROUP all a STREAMS all none > x
        XREADGROUP GROUP all a STREAMS all all > x
        XREADGROUP GROUP none a STREAMS all all > >
        XREADGROUP GROUP all a STREAMS all all > $
        """,
    "ranging": """
        XRANGE all - +
        XREAD STREAMS all 0
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XRANGE all - +
        XRANGE all - + COUNT 2
        XRANGE all - + COUNT 0
        XRANGE all - + COUNT -3
        XRANGE all - + COUNT 1 COUNT 2
        XRANGE all $2 $2
        XRANGE all ($1 +
        XRANGE all - ($3
        XRANGE all ($1 ($3
        XRANGE all $3 $1
        XRANGE all + -
        XRANGE all - (0-0
        XRANGE all - (1-1
        XRANGE all (18446744073709551615-18446744073709551615 +
        XRANGE all x +
        XRANGE all - x
        XRANGE all - + COUNT x
        XRANGE all - + COUNT
        XRANGE all - + WHAT 3
        XRANGE none - +
        XRANGE none - + COUNT 0
        XRANGE all -
        XREVRANGE all + -
        XREVRANGE all + - COUNT 1
        XREVRANGE all $2 $1
        XREVRANGE all ($3 ($1
        XREVRANGE all - +
        XREVRANGE all x -
        XREVRANGE none + -
        XREVRANGE all +
        XREAD STREAMS all 0
        XREAD STREAMS all $1
        XREAD STREAMS all $3
        XREAD STREAMS all $
        XREAD BLOCK 1 STREAMS all $
        XREAD BLOCK 1 STREAMS all $3
        XREAD COUNT 1 STREAMS all 0-0
        XREAD COUNT 0 STREAMS all 0
        XREAD COUNT -1 STREAMS all 0
        XREAD COUNT 1 BLOCK 0 STREAMS all none 0 0
        XREAD STREAMS none all $ $2
        XREAD STREAMS all none $ 0
        XREAD STREAMS none 0
        XREAD STREAMS all >
        XREAD STREAMS all x
        XREAD STREAMS all -
        XREAD STREAMS all all 0 >
        XREAD COUNT x STREAMS all 0
        XREAD BLOCK x STREAMS all 0
        XREAD BLOCK -1 STREAMS all 0
        XREAD WHAT STREAMS all 0
        XREAD GROUP all a STREAMS all 0
        XREAD NOACK STREAMS all 0
        XREAD STREAMS all 0 0
        XREAD STREAMS all
        XREAD COUNT 1 all 0
        XREADGROUP GROUP all a STREAMS all >
        XACK all all $1
        XRANGE all $2 +
        """,
    "acknowledging": """
        XADD all * body B
        XADD all * body B
        XREADGROUP GROUP all a STREAMS all >
        XACK all all $1 $1 1-1
        XACK all all $1
        XACK all none $2
        XACK none all $2
        XACK all all x
        XACK all all $2 x
        XACK all all 00$2
        XACK all all
        XACK all
        xack ALL all $2
        """,
    "pending": """
        XPENDING all all
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XREADGROUP GROUP all b COUNT 1 STREAMS all >
        XREADGROUP GROUP all a STREAMS all >
        XPENDING all all
        XPENDING all all - + 10
        XPENDING all all - + 2
        XPENDING all all - + 0
        XPENDING all all - + -1
        XPENDING all all - + 10 a
        XPENDING all all - + 10 nobody
        XPENDING all all $2 $3 10
        XPENDING all all ($1 + 10
        XPENDING all all ($1 ($3 10
        XPENDING all all IDLE 1000000 - + 10
        XPENDING all all IDLE 0 - + 10 b
        XPENDING all all IDLE -5 - + 10
        XPENDING all all (18446744073709551615-18446744073709551615 + 10
        XPENDING all all - (0-0 10
        XPENDING all all (- + 10
        XPENDING all all x + 10
        XPENDING all all - x 10
        XPENDING all all - + x
        XPENDING all all IDLE x - + 10
        XPENDING all all IDLE 5
        XPENDING all all -
        XPENDING all all - +
        XPENDING all all - + 10 a b
        XPENDING all none
        XPENDING none all
        XPENDING none all - + 10
        XPENDING all
        XACK all all $1 $2 $3
        XPENDING all all
        XPENDING all all - + 10
        """,
    "claiming": """
        XADD all * body B
        XADD all * body B
        XREADGROUP GROUP all a STREAMS all >
        XCLAIM all all b 0 $1
        XCLAIM all all b 0 $1 $2 1-1
        XCLAIM all all b 1000000 $1
        XCLAIM all all b -5 $1
        XCLAIM all all c 0 $1 JUSTID
        XCLAIM all all c 0 $1 $1 JUSTID
        XCLAIM all all c 0 $1 IDLE 5000 RETRYCOUNT 9 JUSTID
        XPENDING all all - + 10
        XCLAIM all all c 1000000 1-1 JUSTID
        XCLAIM all all c 0 $1 TIME 1000 JUSTID
        XCLAIM all all c 0 $1 LASTID 1-1 JUSTID
        XCLAIM all all c 0 $1 IDLE x
        XCLAIM all all c 0 $1 IDLE -1 JUSTID
        XCLAIM all all c 0 $1 TIME x
        XCLAIM all all c 0 $1 TIME -1 JUSTID
        XCLAIM all all c 0 $1 RETRYCOUNT x
        XCLAIM all all c 0 $1 RETRYCOUNT -1
        XCLAIM all all c 0 $1 WHAT
        XCLAIM all all c 0 $1 IDLE
        XCLAIM all all c x $1
        XCLAIM all all c 0 x
        XCLAIM all all c 0 $1 x
        XCLAIM all none c 0 $1
        XCLAIM none all c 0 $1
        XCLAIM all all c 0
        """,
    "autoclaiming": """
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XAUTOCLAIM all all b 0 0
        XREADGROUP GROUP all a STREAMS all >
        XAUTOCLAIM all all b 0 0
        XAUTOCLAIM all all b 0 - COUNT 2
        XAUTOCLAIM all all b 0 ($1 COUNT 1 JUSTID
        XAUTOCLAIM all all b 0 + COUNT 1
        XAUTOCLAIM all all b 1000000 0
        XAUTOCLAIM all all b 1000000 0 COUNT 1
        XAUTOCLAIM all all b -5 $3 JUSTID
        XPENDING all all - + 10
        XAUTOCLAIM all all b 0 0 COUNT 0
        XAUTOCLAIM all all b 0 0 COUNT x
        XAUTOCLAIM all all b 0 0 COUNT -1
        XAUTOCLAIM all all b 0 0 COUNT 9223372036854775807
        XAUTOCLAIM all all b 0 0 COUNT
        XAUTOCLAIM all all b 0 0 WHAT
        XAUTOCLAIM all all b x 0
        XAUTOCLAIM all all b 0 x
        XAUTOCLAIM all all b 0 (18446744073709551615-18446744073709551615
        XAUTOCLAIM none all b 0 0
        XAUTOCLAIM all none b 0 0
        XAUTOCLAIM all all b 0
        XACK all all $1 $2 $3
        XAUTOCLAIM all all b 0 0
        """,
    "moving": """
        XADD all * body B
        XADD all * body B
        XADD all * body B
        XGROUP SETID all all $1
        XREADGROUP GROUP all a COUNT 1 STREAMS all >
        XGROUP SETID all all $
        XREADGROUP GROUP all a STREAMS all >
        XACK all all $2
        XADD all * body B
        XGROUP SETID all all $4
        XREADGROUP GROUP all a STREAMS all >
        XGROUP SETID all all - ENTRIESREAD 0
        XGROUP SETID all all x
        XGROUP SETID all none 0
        XGROUP SETID none none 0
        XGROUP SETID all all 0 ENTRIESREAD x
        XGROUP SETID all all 0 ENTRIESREAD -2
        XGROUP SETID all all 0 ENTRIESREAD
        XGROUP SETID all all 0 WHAT 5
        XGROUP SETID all all 0 MKSTREAM
        XGROUP SETID all all
        XGROUP CREATE all one 0 ENTRIESREAD x
        XGROUP CREATE all one 0 ENTRIESREAD -2
        XGROUP CREATE all one 0 ENTRIESREAD
        """,
    "consumers": """
        XADD all * body B
        XGROUP CREATECONSUMER all all a
        XGROUP CREATECONSUMER all all a
        XGROUP CREATECONSUMER all none a
        XGROUP CREATECONSUMER none all a
        XGROUP CREATECONSUMER all all
        XGROUP CREATECONSUMER all all a b
        XGROUP CREATECONSUMER all all b
        XINFO CONSUMERS all all
        XGROUP DELCONSUMER all all nobody
        XGROUP DELCONSUMER all all a
        XGROUP DELCONSUMER all none a
        XGROUP DELCONSUMER none all a
        XGROUP DELCONSUMER all all
        XINFO CONSUMERS all all
        XREADGROUP GROUP all c STREAMS all >
        XACK all all $1
        XGROUP DELCONSUMER all all c
        XGROUP DELCONSUMER all all b
        XINFO CONSUMERS all all
        XGROUP HELP x
        XINFO HELP x
        """,
    "groups": """
        XADD all * body B
        XADD all * body B
        XGROUP CREATE all all 0
        XGROUP CREATE all one $1
        XGROUP CREATE all now $ MKSTREAM
        XGROUP create all again 0 mkstream entriesread 5
        XGROUP CREATE all bad x
        XGROUP CREATE all bad -
        XGROUP CREATE all bad 0 WHAT
        XGROUP CREATE all bad
        XGROUP CREATE none bad 0
        XGROUP CREATE
        XGROUP
        XGROUP WHAT all g
        XGROUP DESTROY all bad
        XGROUP DESTROY all
        XGROUP DESTROY none all
        XGROUP CREATE all gone $
        XGROUP DESTROY all gone
        XREADGROUP GROUP gone a STREAMS all >
        XREADGROUP GROUP one a STREAMS all >
        XREADGROUP GROUP now a STREAMS all >
        XREADGROUP GROUP again a STREAMS all >
        XINFO STREAM none
        XINFO GROUPS none
        XINFO CONSUMERS none all
        XINFO CONSUMERS all none
        XINFO CONSUMERS all
        XINFO GROUPS all all
        XINFO WHAT all
        XINFO
        XLEN none
        XLEN
        XLEN all all
        """,
    "describing": """
        XINFO STREAM all
        XADD all * body B
        XADD all * body B
        XREADGROUP GROUP all a COUNT 1 STREAMS all >
        XINFO STREAM all
        XINFO GROUPS all
        XINFO CONSUMERS all all
        XACK all all $1
        XINFO GROUPS all
        XREADGROUP GROUP all b STREAMS all >
        XINFO GROUPS all
        XINFO CONSUMERS all all
        XGROUP CREATE all now $
        XGROUP CREATE all first 0
        XINFO GROUPS all
        """,
    "transactions": """
        XADD all * body B
        MULTI
        XADD all * body B
        XLEN all
        XREADGROUP GROUP all a COUNT 1 STREAMS all >
        XREADGROUP GROUP all nobody BLOCK 0 STREAMS all >
        XREADGROUP GROUP all nobody BLOCK 0 STREAMS all >
        XACK all none 1-1
        XINFO GROUPS none
        PING a b
        ECHO hello
        SELECT 99
        EXEC
        MULTI
        MULTI
        XADD all * body B
        EXEC
        XLEN all
        EXEC
        DISCARD
        MULTI
        NOSUCH a
        PING
        EXEC
        MULTI
        ECHO
        PING
        EXEC
        MULTI
        PING
        DISCARD
        EXEC
        MULTI
        ECHO
        DISCARD
        MULTI
        WATCH a
        UNWATCH
        EXEC
        MULTI
        EXEC
        UNWATCH
        WATCH
        MULTI x
        MULTI
        DISCARD x
        EXEC
        MULTI
        RESET
        EXEC
        """,
    "adding": """
        XADD all * body
        XADD all * body B body
        XADD all *
        XADD all
        XADD
        xadd all * body B
        XADD all NOMKSTREAM * body B
        """,
    "differing": """
        XADD all * body B
        XADD all 9999999999999-1 body B
        XADD all * text B
        XADD all * body B more B
        XADD all MAXLEN 1000 * body B
        XADD none * body B
        XGROUP CREATE new g 0 MKSTREAM
        XREADGROUP GROUP all d COUNT 1 STREAMS all >
        XGROUP DELCONSUMER all all d
        XGROUP SETID all all 0
        XGROUP HELP
        XGROUP DESTROY all all
        XCLAIM all all a 0 $1 FORCE JUSTID
        XINFO STREAM all FULL
        XREAD STREAMS all +
        XRANGE all - +
        SELECT 5
        WATCH x
        XDEL all $1
        XTRIM all MAXLEN 0
        CLIENT NO-TOUCH on
        GET x
        """,
    "keys": """
        XADD all * body B
        EXISTS all
        EXISTS all all none
        EXISTS
        TYPE all
        TYPE none
        TYPE
        TTL all
        TTL none
        PTTL all
        SCAN 0
        SCAN 0 MATCH a*
        SCAN 0 MATCH b*
        SCAN 0 COUNT 100 TYPE stream MATCH [a-b]l?
        SCAN 0 TYPE string
        SCAN x
        SCAN 0 COUNT 0
        SCAN 0 COUNT x
        SCAN 0 COUNT
        SCAN 0 WHAT x
        SCAN
        KEYS *
        KEYS a[^l]l
        KEYS \\all
        KEYS
        DBSIZE
        DBSIZE x
        MEMORY USAGE none
        MEMORY USAGE
        MEMORY USAGE all SAMPLES x
        MEMORY USAGE all WHAT 0
        MEMORY WHAT
        TIME x
        XDEL all
        XTRIM all
        XTRIM all MAXLEN
        """,
    "connection": """
        PING
        PING hello
        PING a b
        ECHO x
        ECHO
        SELECT 0
        SELECT x
        SELECT 99
        CLIENT SETNAME joe
        CLIENT GETNAME
        CLIENT SETNAME
        CLIENT GETNAME x
        CLIENT WHAT
        CLIENT NO-EVICT on
        CLIENT NO-EVICT x
        CLIENT NO-EVICT
        CLIENT REPLY ON
        CLIENT REPLY x
        CLIENT MAINT_NOTIFICATIONS ON
        CLIENT
        AUTH pass
        AUTH
        AUTH a b c
        NOSUCH
        NOSUCH one two
        CONFIG GET save
        CONFIG GET appendonly
        CONFIG GET no-such-option
        CONFIG GET
        CONFIG WHAT
        CONFIG
        COMMAND WHAT
        HELLO 9
        HELLO x
        HELLO 2 WHAT
        HELLO 3 AUTH
        RESET
        PING
        QUIT
        """,
}

# (Script, command) -> why Kouan answers otherwise. A difference that is not listed fails, and so
# does an entry that makes none.
KNOWN = {
    ("reading", "XREADGROUP GROUP all a STREAMS all > 1"):
        "Redis 7.2's wording, which names the command and `>`; Debian's 7.0 speaks of XREAD",
    ("pending", "XPENDING all all - + 10 a b"):
        "Redis passes over words behind the consumer",
    ("describing", "XINFO STREAM all"):
        "there is no radix tree: its keys and nodes are 0",
    ("describing", "XINFO CONSUMERS all all"):
        "`inactive` came with Redis 7.2",
    ("describing", "XINFO GROUPS all"):
        "entries-read and lag are always known; what all groups have acknowledged is gone, so that a "
        "later group does not find it",
    ("differing", "XADD all 9999999999999-1 body B"):
        "Kouan gives the ids",
    ("differing", "XADD all * text B"):
        "a message is its body; everything else is read from it",
    ("differing", "XADD all * body B more B"):
        "a message is its body; everything else is read from it",
    ("differing", "XADD all MAXLEN 1000 * body B"):
        "retention is configured, and no matter of who publishes",
    ("differing", "XADD none * body B"):
        "channels are configured; a mistyped one is an error",
    ("differing", "XGROUP CREATE new g 0 MKSTREAM"):
        "destinations are configured; a mistyped one is an error",
    ("differing", "XGROUP DESTROY all all"):
        "a group of the configuration stays",
    ("differing", "XGROUP DELCONSUMER all all d"):
        "Redis drops what is pending at the consumer; what was accepted is not dropped here",
    ("differing", "XGROUP SETID all all 0"):
        "what is pending would be delivered twice at once",
    ("differing", "XGROUP HELP"):
        "it describes Kouan's",
    ("consumers", "XINFO CONSUMERS all all"):
        "`inactive` came with Redis 7.2",
    ("differing", "XCLAIM all all a 0 $1 FORCE JUSTID"):
        "what was not delivered cannot be pending: FORCE does nothing",
    ("differing", "XINFO STREAM all FULL"):
        "not offered: GROUPS and CONSUMERS say as much",
    ("differing", "XREAD STREAMS all +"):
        "`+` came with Redis 7.4",
    ("differing", "XRANGE all - +"):
        "only what XADD accepted is there",
    ("ranging", "XREAD STREAMS all 0 0"):
        "Redis 7.4's wording, which names the command and `+`",
    ("differing", "SELECT 5"):
        "there is one database",
    ("differing", "XDEL all $1"):
        "a message goes when all groups have acknowledged it",
    ("differing", "XTRIM all MAXLEN 0"):
        "retention is configured",
    ("differing", "CLIENT NO-TOUCH on"):
        "it came with Redis 7.2",
    ("differing", "WATCH x"):
        "EXEC is not atomic, and nothing could be watched",
    ("differing", "GET x"):
        "Kouan keeps no keys",
}
# Redis sorts consumers and groups by name; Kouan lists them in the order in which they came.
UNORDERED = ("XPENDING all all", "XINFO GROUPS all", "XINFO CONSUMERS all all")


def mask(value, ids):
    """Ids become $ and their number; texts and sets say what they are."""
    if isinstance(value, (WireSet, WirePush)):
        return (type(value).__name__, [mask(item, ids) for item in value])
    if isinstance(value, list):
        return [mask(item, ids) for item in value]
    if isinstance(value, dict):
        return {mask(key, ids): mask(item, ids) for key, item in value.items()}
    if isinstance(value, WireText):
        return ("text", bytes(value))
    if isinstance(value, bytes) and value in ids:
        return f"${ids.index(value) + 1}"
    return value


def mask_times(command, reply):
    """Idle times, to the second; and what has no order is sorted."""
    if command.startswith("XPENDING all all ") and isinstance(reply, list):
        return [[row[0], row[1], row[2] // 1000, row[3]] for row in reply]
    if command == "XINFO CONSUMERS all all":
        reply = [item if isinstance(item, dict) else dict(zip(item[::2], item[1::2]))
                 for item in reply]
        for item in reply:
            item.update((name, item[name] // 1000) for name in (b"idle", b"inactive")
                        if name in item)
    if command in UNORDERED and isinstance(reply, list):
        reply = [sorted(item, key=repr) if isinstance(item, list) else item for item in reply]
        return sorted(reply, key=repr) if command.startswith("XINFO") else reply
    return reply


def expand(script):
    return [line.split() for line in script.strip().splitlines()]


def run_script(address, protocol, script):
    """[(command, masked reply)]."""
    ids, replies = [], []
    with Wire(address, protocol) as wire:
        for words in expand(script):
            number = len(ids) + 1
            sent = [event(number) if word == "B" else
                    re.sub(rb"\$(\d)", lambda m: ids[int(m[1]) - 1], word.encode())
                    for word in words]
            reply = wire.call(*sent)
            if words[0].upper() == "XADD" and isinstance(reply, bytes):
                ids.append(reply)
                time.sleep(0.002)  # within one millisecond ids of several logs rise in each only
            if words[0] == "EXEC" and isinstance(reply, list):
                ids += [item for item in reply if isinstance(item, bytes) and b"-" in item]
            command = " ".join(words)
            replies.append((command, mask_times(command, mask(reply, ids))))
    return replies


# What is new to a group comes from one log after the other, not in the order of ids.
ORDERED = {"several", "moving"}


def compare(name, shards=None):
    unseen = {key for key in KNOWN if key[0] == name}
    wrong = []
    with Redis() as redis, Server(files=CONFIG, shards=shards) as one, \
            Server(files=CONFIG, shards=shards) as two:
        for protocol, kouan in ((2, one), (3, two)):
            with Wire(redis.address) as wire:
                wire.call("FLUSHALL")
                wire.call("XGROUP", "CREATE", "all", "all", "0", "MKSTREAM")
            theirs = run_script(redis.address, protocol, SCRIPTS[name])
            ours = run_script(kouan.address, protocol, SCRIPTS[name])
            for (command, their), (_, our) in zip(theirs, ours, strict=True):
                if repr(their) == repr(our):
                    continue
                unseen.discard((name, command))
                if (name, command) not in KNOWN:
                    wrong.append(f"RESP{protocol} {command}\n    redis {their!r}\n    kouan {our!r}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert not unseen, f"these make no difference: {unseen}"


for _name in SCRIPTS:
    globals()[f"test_{_name}"] = lambda name=_name: compare(name)
    if _name not in ORDERED:
        globals()[f"test_{_name}_of_several_shards"] = lambda name=_name: compare(name, 3)


if __name__ == "__main__":
    run_tests()
