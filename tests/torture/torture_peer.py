"""What publishers and consumers of the torture stand on: connections, ids, and the messages, which
are the same bytes whenever they are asked for.

Needs python3-hiredis for its parser; the scripts are skipped without it.
"""

import pathlib
import re
import socket
import sys
import time

try:
    import hiredis
except ImportError:
    print("skipped: python3-hiredis is not installed")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from kouan_harness import connect, die_with_parent, encode_command  # noqa: E402

CASES = 64  # of each publisher: message N is of case N % CASES
PADS = tuple(b"x" * size for size in (0, 0, 40, 200, 200, 200, 700, 3000))
LARGE = b"x" * 40000  # of one in LARGE_EVERY: it fills most of a block
LARGE_EVERY = 199
BODY = re.compile(rb'"messageId":"p(\d+)-(\d+)"')
PARTS_MAX = 8  # messages of an interchange
PART_CASES = 3  # that they belong to
SEQ_BITS = 20
LOG_BITS = 2


class Lost(Exception):
    """The connection ended."""


class Peer:
    """A connection with hiredis's parser."""

    def __init__(self, address):
        self.socket = connect(address, seconds=5)
        self.reader = hiredis.Reader()
        self.since_ns = time.monotonic_ns()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Lost(str(error)) from None

    def read(self, seconds=None):
        """The next reply; None after `seconds` without one."""
        while True:
            reply = self.reader.gets()
            if reply is not False:
                return reply
            self.socket.settimeout(seconds)
            try:
                data = self.socket.recv(1 << 18)
            except socket.timeout:
                return None
            except OSError as error:
                raise Lost(str(error)) from None
            if not data:
                raise Lost("closed")
            self.reader.feed(data)

    def close(self):
        self.socket.close()


def peer_when_there(address, stop):
    """Connects, as soon as somebody listens; None when there is no more use in it."""
    while True:
        try:
            return Peer(address)
        except OSError:
            if stop.is_set():
                return None
            time.sleep(0.005)


def parse_id(text):
    """One number, in the order of ids, for up to four logs and a million messages a millisecond."""
    ms, seq = map(int, text.split(b"-"))
    count, log = seq >> 8, seq & 255
    assert count < 1 << SEQ_BITS and log < 1 << LOG_BITS, text
    return ((ms << SEQ_BITS) + count << LOG_BITS) + log


def id_ms(number):
    return number >> SEQ_BITS + LOG_BITS


def id_log(number):
    return number & (1 << LOG_BITS) - 1


def event(publisher, number, kind=b"ORDER"):
    pad = LARGE if number % LARGE_EVERY == 0 else PADS[number * 2654435761 >> 7 & 7]
    return (b'{"messageType":"%s","messageId":"p%d-%d",'
            b'"keys":{"order":"case-%d-%d"},"pad":"%s"}' %
            (kind, publisher, number, publisher, number % CASES, pad))


def publication(publisher, number, kind=b"ORDER"):
    """The command that sends it."""
    return publish_command(event(publisher, number, kind))


def publish_command(body):
    return (b"*5\r\n$4\r\nXADD\r\n$2\r\nin\r\n$1\r\n*\r\n$4\r\nbody\r\n$%d\r\n%s\r\n" %
            (len(body), body))


def part_count(number):
    """Messages of interchange `number`."""
    return 1 + number % PARTS_MAX


def part_case(number, part):
    return number * PART_CASES + part % PART_CASES


def interchange(publisher, number):
    """The command that sends an EDIFACT interchange. Its messages are told apart, as a publisher's,
    by number * PARTS_MAX + their place, which they carry in their free text. Those of one case
    have one document number; the cases may lie in several logs."""
    parts = b"".join(
        b"""UNH+%d+CUSDEC:D:96B:UN'BGM+929+D%d+9'FTX+AAA+++"messageId":"p%d-%d"'UNT+4+%d'""" %
        (part + 1, part_case(number, part), publisher, number * PARTS_MAX + part, part + 1)
        for part in range(part_count(number)))
    body = (b"UNA:+.? 'UNB+UNOC:3+P%d+RECEIVER+260101:1200+%d'%sUNZ+%d+%d'" %
            (publisher, number, parts, part_count(number), number))
    return publish_command(body)


def receipts_again(peer, publisher, known):
    """Sends again what has these receipts, {number: receipt}; [(number, receipt, what it got)]
    where that is another answer."""
    wrong = []
    numbers = list(known)
    for first in range(0, len(numbers), 200):
        some = numbers[first:first + 200]
        peer.send(b"".join(publication(publisher, number) for number in some))
        for number in some:
            reply = peer.read()
            if isinstance(reply, Exception) or parse_id(reply) != known[number]:
                wrong.append((number, known[number], str(reply)))
    return wrong


def delivered_again(peer, destination, group, settled):
    """Takes all that the group still gets, and acknowledges it; (how much that was, which ids of it
    are in `settled`)."""
    count, wrong = 0, []
    while True:
        peer.send(encode_command("XREADGROUP", "GROUP", group, "after", "COUNT", 500, "STREAMS",
                                 destination, ">"))
        reply = peer.read()
        if isinstance(reply, Exception):
            raise AssertionError(f"{destination}/{group}: {reply}")
        if not reply:
            return count, wrong
        names = [name for name, _ in reply[0][1]]
        count += len(names)
        wrong += [name.decode() for name in names if parse_id(name) in settled]
        peer.send(encode_command("XACK", destination, group, *names))
        if peer.read() != len(names):
            raise AssertionError(f"{destination}/{group}: not all {len(names)} were pending")


__all__ = ["BODY", "CASES", "PARTS_MAX", "Lost", "Peer", "delivered_again", "die_with_parent",
           "encode_command", "event", "id_log", "id_ms", "interchange", "parse_id", "part_case",
           "part_count", "peer_when_there", "publication", "receipts_again"]
