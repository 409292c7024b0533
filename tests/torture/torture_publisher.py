"""A publisher: sends what `make(publisher, number)` makes, `window` of them unanswered at most.
When the connection ends it sends what had neither receipt nor error once more, in order. An answer
TRYAGAIN is no receipt: the message goes again when all before it are answered; its case may be out
of order then."""

import collections
import pathlib
import pickle
import time

from torture_peer import CASES, Lost, die_with_parent, parse_id, peer_when_there

MESSAGES_MAX = 4000000  # of each


class Receipts:
    """By number; 0: none yet. Shared with the parent, which may look at any time."""

    def __init__(self, context):
        self.items = context.RawArray("Q", MESSAGES_MAX)
        self.begun = context.RawValue("Q", 0)
        self.count = context.RawValue("Q", 0)

    def __len__(self):
        return self.begun.value

    def known(self, last):
        """{number: receipt} of the last ones."""
        end = self.begun.value
        return {number: self.items[number] for number in range(max(0, end - last), end)
                if self.items[number]}


class Publisher:
    def __init__(self, name, address, number, receipts, make, window, rate, stop_new, stop_all):
        self.name = name
        self.address, self.number, self.receipts, self.make = address, number, receipts, make
        self.window, self.rate = window, rate
        self.stop_new, self.stop_all = stop_new, stop_all
        self.unanswered = set()
        self.resent, self.errors = 0, []
        self.try_again = collections.Counter()  # by its text
        self.overtaken = set()  # cases whose order this publisher itself may have changed
        self.paced = time.monotonic()
        self.peer = None

    def run(self, folder):
        """Until `stop_new`; then until all is answered, or `stop_all`."""
        while not self.stop_all.is_set():
            try:
                if self.peer is None and not self._connect():
                    break
                if not self._turn():
                    break
            except Lost:
                self.peer.close()
                self.peer = None
        result = {"resent": self.resent, "try_again": self.try_again, "errors": self.errors,
                  "unanswered": len(self.unanswered), "overtaken": self.overtaken}
        pathlib.Path(folder, f"{self.name}-{self.number}").write_bytes(pickle.dumps(result))

    def _first_unanswered(self):
        return min(self.unanswered, default=len(self.receipts))

    def _connect(self):
        self.peer = peer_when_there(self.address, self.stop_all)
        self.cursor = self._first_unanswered()  # the next one to be sent on this connection
        self.awaited = []                       # numbers whose replies are due, in order
        self.barred = False                     # by a TRYAGAIN: nothing goes until all are in
        return self.peer is not None

    def _turn(self):
        """Sends what may go, and takes what came. False when all is done."""
        batch = self._batch()
        if batch:
            self.peer.send(b"".join(batch))
            self._keep_pace(len(batch))
        if self.awaited:
            self._take_replies()
            return True
        if not self.barred:
            return False  # nothing more to send, nothing awaited
        self.barred, self.cursor = False, self._first_unanswered()
        time.sleep(0.01)
        return True

    def _batch(self):
        batch = []
        while not self.barred and len(self.awaited) < self.window:
            if self.cursor == len(self.receipts):
                if self.stop_new.is_set() or self.cursor == MESSAGES_MAX:
                    break
                self.receipts.begun.value = self.cursor + 1
                self.unanswered.add(self.cursor)
            elif self.cursor not in self.unanswered:
                self.cursor += 1
                continue
            else:
                self.resent += 1
            batch.append(self.make(self.number, self.cursor))
            self.awaited.append(self.cursor)
            self.cursor += 1
        return batch

    def _keep_pace(self, count):
        if self.rate:
            self.paced = max(self.paced + count / self.rate, time.monotonic() - 0.1)
            time.sleep(max(0.0, self.paced - time.monotonic()))

    def _take_replies(self):
        taken = 0
        for number in self.awaited:
            reply = self.peer.read() if taken == 0 else self.peer.reader.gets()
            if reply is False:
                break
            taken += 1
            self._take(number, reply)
        del self.awaited[:taken]

    def _take(self, number, reply):
        if not isinstance(reply, Exception):
            self.receipts.items[number] = parse_id(reply)
            self.receipts.count.value += 1
            self.unanswered.discard(number)
        elif str(reply).startswith("TRYAGAIN"):
            self.try_again[str(reply)] += 1
            self.overtaken.add(number % CASES)
            self.barred = True
        else:
            self.errors.append((number, str(reply)))
            self.unanswered.discard(number)


def publish(folder, *arguments):
    die_with_parent()
    Publisher(*arguments).run(folder)
