"""A consumer: reads a group under its own name, acknowledges, and counts an entry as settled only
when the reply to XACK was read. A lazy one leaves some entries pending, the oldest of which it
settles when it has many: their records must be carried along when their segments go."""

import array
import pathlib
import pickle
import random
import time

from torture_peer import (BODY, Lost, die_with_parent, encode_command, parse_id,
                          peer_when_there)

COUNTS = (5, 50, 200, 500)  # asked for at once
LEFT_MAX = 1000    # entries that a lazy one leaves at most
LEFT_SHARE = 0.02  # of those that come
ANSWERED_MAX = 1 << 20  # that each tells of


class Answered:
    """The last ids whose XACK was answered. Shared with the parent, which may look at any time."""

    def __init__(self, context):
        self.ids = context.RawArray("Q", ANSWERED_MAX)
        self.count = context.RawValue("Q", 0)

    def add(self, record):
        self.ids[self.count.value % ANSWERED_MAX] = record
        self.count.value += 1

    def known(self):
        return set(self.ids[:min(self.count.value, ANSWERED_MAX)])


class Memory:
    """Of one publisher's messages, by their number; 0: not yet."""

    def __init__(self):
        self.ids = array.array("Q")         # of the first record
        self.seen = array.array("Q")        # monotonic ns of the first delivery
        self.settled = array.array("Q")     # when the reply to XACK was there
        self.connected = array.array("Q")   # since when was the connection of its last delivery

    def reach(self, number):
        while number >= len(self.ids):
            for column in (self.ids, self.seen, self.settled, self.connected):
                column.frombytes(bytes(8 * 65536))


class Consumer:
    def __init__(self, address, destination, group, name, publishers, seed, lazy, answered,
                 stop_all):
        self.address, self.destination, self.group, self.name = address, destination, group, name
        self.lazy, self.answered, self.stop_all = lazy, answered, stop_all
        self.state = random.Random(f"{seed}/{destination}/{group}/{name}")
        self.memory = [Memory() for _ in range(publishers)]
        self.seconds = {}  # id -> (publisher, number), of further records of a message
        self.again, self.left, self.errors = 0, 0, []
        self.peer = None

    def run(self, folder):
        while not self.stop_all.is_set():
            try:
                if self.peer is None:
                    self.peer = peer_when_there(self.address, self.stop_all)
                    self.left = 0  # the server has forgotten who had what
                if self.peer is None:
                    break
                self._turn()
            except Lost:
                self.peer.close()
                self.peer = None
        result = {"memory": self.memory, "seconds": self.seconds, "again": self.again,
                  "errors": self.errors}
        name = f"consumer-{self.destination}-{self.group}-{self.name}"
        pathlib.Path(folder, name).write_bytes(pickle.dumps(result))

    def _turn(self):
        self.peer.send(encode_command("XREADGROUP", "GROUP", self.group, self.name, "COUNT",
                                      self.state.choice(COUNTS), "BLOCK", 100, "STREAMS",
                                      self.destination, ">"))
        reply = self.peer.read()
        if isinstance(reply, Exception):
            self._complain(str(reply))
            time.sleep(0.01)
        elif not reply:
            self._settle_own()
        else:
            entries = self._note(reply[0][1])
            if self.lazy:
                kept = [entry for entry in entries if self.state.random() > LEFT_SHARE]
                self.left += len(entries) - len(kept)
                entries = kept
            self._acknowledge(entries)
            if self.left > LEFT_MAX:
                self._settle_own()

    def _complain(self, text):
        if len(self.errors) < 20:
            self.errors.append(text)

    def _note(self, entries):
        """[(name, publisher, number)] of what came."""
        now, noted = time.monotonic_ns(), []
        for place, (name, fields) in enumerate(entries):
            match = BODY.search(fields[1])
            if match is None:  # a message of the script's own
                noted.append((name, None, 0))
                continue
            publisher, number = int(match[1]), int(match[2])
            noted.append((name, publisher, number))
            record, memory = parse_id(name), self.memory[publisher]
            memory.reach(number)
            first = memory.ids[number]
            if first == 0:
                memory.ids[number] = record
                memory.seen[number] = now + place
            elif first != record:
                self.seconds[record] = publisher, number
                continue
            elif memory.settled[number]:
                self._complain(f"{name}, message {(publisher, number)}, was settled, and is "
                               "delivered again")
            else:
                self.again += 1
            memory.connected[number] = self.peer.since_ns
        return noted

    def _acknowledge(self, entries):
        if not entries:
            return
        self.peer.send(encode_command("XACK", self.destination, self.group,
                                      *(name for name, _, _ in entries)))
        reply = self.peer.read()
        if isinstance(reply, Exception):
            self._complain(str(reply))
            return
        now = time.monotonic_ns()
        for name, publisher, number in entries:
            self.answered.add(parse_id(name))
            if publisher is not None and self.memory[publisher].ids[number] == parse_id(name):
                self.memory[publisher].settled[number] = now

    def _settle_own(self):
        self.peer.send(encode_command("XREADGROUP", "GROUP", self.group, self.name, "COUNT", 500,
                                      "STREAMS", self.destination, "0"))
        reply = self.peer.read()
        if isinstance(reply, Exception):
            self._complain(str(reply))
        elif reply:
            self._acknowledge(self._note(reply[0][1]))
            self.left = max(0, self.left - len(reply[0][1]))


def consume(folder, *arguments):
    die_with_parent()
    Consumer(*arguments).run(folder)
