"""An operator: publishes messages that a rule holds, looks at what is held, and releases it or
rejects it, by the message's number; the newest stay held for a while, so that their records must be
carried along when their segments go."""

import pathlib
import pickle
import time

from torture_peer import (BODY, Lost, die_with_parent, encode_command, parse_id, peer_when_there,
                          publication)

AT_ONCE = 20    # messages published in a turn
KEPT = 300      # that stay held
TURN_SECONDS = 0.05


def is_rejected(number):
    return number % 3 == 0


class Operator:
    """`number`: as a publisher's."""

    def __init__(self, address, number, stop_new, stop_all):
        self.address, self.number = address, number
        self.stop_new, self.stop_all = stop_new, stop_all
        self.receipts = []    # by number
        self.unanswered = []  # numbers, in order
        self.held = {}        # {number: its records that were held}
        self.decided = set()  # records whose release or rejection was answered
        self.errors = []
        self.peer = None

    def run(self, folder):
        """Until `stop_new`; then until nothing is held, or `stop_all`."""
        while not self.stop_all.is_set():
            try:
                if self.peer is None:
                    self.peer = peer_when_there(self.address, self.stop_all)
                if self.peer is None:
                    break
                is_last = self.stop_new.is_set()
                self._publish(0 if is_last else AT_ONCE)
                if self._decide(0 if is_last else KEPT) == 0 and is_last and not self.unanswered:
                    break
                time.sleep(TURN_SECONDS)
            except Lost:
                self.peer.close()
                self.peer = None
        result = {"receipts": self.receipts, "errors": self.errors, "held": self.held,
                  "unanswered": len(self.unanswered)}
        pathlib.Path(folder, "operator").write_bytes(pickle.dumps(result))

    def _complain(self, text):
        if len(self.errors) < 20:
            self.errors.append(text)

    def _publish(self, count):
        """New ones, behind those that got no answer."""
        first = len(self.receipts)
        self.receipts += [0] * count
        self.unanswered += range(first, first + count)
        awaited = list(self.unanswered)
        self.peer.send(b"".join(publication(self.number, number, b"HELD") for number in awaited))
        for number in awaited:
            reply = self.peer.read()
            if not isinstance(reply, Exception):
                self.receipts[number] = parse_id(reply)
                self.unanswered.remove(number)
            elif not str(reply).startswith("TRYAGAIN"):
                self._complain(str(reply))

    def _decide(self, kept):
        """All but `kept` of what is held; how many those were."""
        self.peer.send(encode_command("KOUAN", "HOLDS", 1000))
        held = [dict(zip(each[::2], each[1::2])) for each in self.peer.read()]
        due = held[:max(0, len(held) - kept)]
        numbers = [int(BODY.search(each[b"body"])[2]) for each in due]
        records = [parse_id(each[b"id"]) for each in due]
        for number, record in zip(numbers, records):
            self.held.setdefault(number, set()).add(record)
            if record in self.decided:
                self._complain(f"message {number} was decided upon, and is held again: {record}")
        self.peer.send(b"".join(
            encode_command("KOUAN", "REJECT" if is_rejected(number) else "RELEASE", each[b"id"])
            for number, each in zip(numbers, due)))
        for number, record in zip(numbers, records):
            reply = self.peer.read()
            if reply == 1:
                self.decided.add(record)
            elif not str(reply).startswith("TRYAGAIN"):
                self._complain(f"message {number}: {reply}")
        return len(due)


def operate(folder, *arguments):
    die_with_parent()
    Operator(*arguments).run(folder)
