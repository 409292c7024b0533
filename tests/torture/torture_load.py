"""Load that outlives its server: publishers and consumers, each a process of its own, which connect
again whenever the connection ends, and remember everything that they were told.

    load = Load(address, folder, seed, publishers=2, groups=GROUPS)
    load.start()
    ...                         # the server may die, and come back, as often as it likes
    verdict = load.finish(is_drained)   # publishers resend what is unanswered; consumers drain
    verdict.check()             # what they remember, compared

`groups` is {(destination, group): kinds}, a letter for each consumer: "q" acknowledges at once, "l"
is lazy. With `holds_at`, a destination, an operator publishes what is held there, and decides upon
it. The last `interchanges` of the publishers send EDIFACT interchanges of several messages. Those
named in `twins` have a twin each, which sends the same messages over a connection of its own at the
same time: each must come to be one record all the same.
"""

import multiprocessing
import pathlib
import pickle
import time

from torture_consumer import Answered, consume
from torture_operator import operate
from torture_peer import interchange, publication
from torture_publisher import Receipts, publish
from torture_verdict import Verdict

SETTLE_SECONDS = 60  # for the end: all resent, all delivered, all acknowledged


class Load:
    """`window_ms`: how long dedupe remembers; None: longer than this lasts."""

    def __init__(self, address, folder, seed, publishers, groups, window=256, rate=0,
                 window_ms=None, holds_at=None, interchanges=0, twins=()):
        context = multiprocessing.get_context("fork")
        self.folder, self.publisher_count, self.groups = folder, publishers, groups
        self.event_publishers = range(publishers - interchanges)
        self.window_ms, self.holds_at = window_ms, holds_at
        self.stop_new, self.stop_all = context.Event(), context.Event()
        self.receipts = [Receipts(context) for _ in range(publishers)]
        self.twin_receipts = {number: Receipts(context) for number in twins}
        self.publishers = [
            context.Process(target=publish, args=(
                folder, name, address, number, receipts,
                publication if number in self.event_publishers else interchange,
                window, rate, self.stop_new, self.stop_all))
            for name, all_receipts in (("publisher", enumerate(self.receipts)),
                                       ("twin", self.twin_receipts.items()))
            for number, receipts in all_receipts]
        if holds_at:
            self.publishers.append(context.Process(target=operate, args=(
                folder, address, publishers, self.stop_new, self.stop_all)))
        self.answered = {pair: [Answered(context) for _ in kinds] for pair, kinds in groups.items()}
        self.consumers = [
            context.Process(target=consume, args=(folder, address, destination, group, str(number),
                                                  publishers + bool(holds_at), seed, kind == "l",
                                                  self.answered[destination, group][number],
                                                  self.stop_all))
            for (destination, group), kinds in groups.items() for number, kind in enumerate(kinds)]

    def start(self):
        for process in self.publishers + self.consumers:
            process.start()

    def receipt_count(self):
        return sum(receipts.count.value for receipts in self.receipts)

    def acknowledged(self):
        """{(destination, group): ids whose XACK was answered}"""
        return {pair: set().union(*(each.known() for each in members))
                for pair, members in self.answered.items()}

    def finish(self, is_drained):
        """`is_drained()` says whether every group has acknowledged everything."""
        deadline = time.monotonic() + SETTLE_SECONDS
        self.stop_new.set()
        for process in self.publishers:
            process.join(max(0.1, deadline - time.monotonic()))
        while time.monotonic() < deadline and not is_drained():
            time.sleep(0.05)
        drained = is_drained()
        self.stop_all.set()
        for process in self.publishers + self.consumers:
            process.join(20)
            if process.is_alive():
                process.kill()
                process.join()
        return Verdict(self, drained)

    def kill(self):
        for process in self.publishers + self.consumers:
            if process.is_alive():
                process.kill()
                process.join()

    def read(self, name):
        """What a process remembers; None if it had to be killed."""
        path = pathlib.Path(self.folder, name)
        return pickle.loads(path.read_bytes()) if path.exists() else None
