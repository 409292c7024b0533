"""What publishers and consumers remember, compared: with each other, and with the books."""

import collections

from torture_operator import is_rejected
from torture_peer import CASES, PARTS_MAX, id_log, id_ms, part_case, part_count
from torture_publisher import MESSAGES_MAX

COMPLAINTS_MAX = 40


class Verdict:
    def __init__(self, load, drained):
        self.problems = [] if drained else ["not everything was acknowledged in time"]
        self.window_ms = load.window_ms
        self.published = [load.read(f"publisher-{n}") for n in range(load.publisher_count)]
        self.known = [receipts.known(MESSAGES_MAX) for receipts in load.receipts]
        self.twins = {number: load.read(f"twin-{number}") for number in load.twin_receipts}
        self.twins_known = {number: receipts.known(MESSAGES_MAX)
                            for number, receipts in load.twin_receipts.items()}
        self.event_publishers = load.event_publishers
        self.receipts = sum(map(len, [*self.known, *self.twins_known.values()]))
        self.messages = sum(1 if publisher in self.event_publishers else part_count(number)
                            for publisher, known in enumerate(self.known)
                            for number in known | self.twins_known.get(publisher, {}))
        self.deliveries = self.again = 0
        self.logs = collections.Counter()  # receipts, by the log that their record lies in
        for known in self.known:
            self.logs.update(map(id_log, known.values()))
        self.seconds = {}  # id -> message, of records after the first
        for number, publisher in enumerate(self.published):
            self._judge_publisher(f"publisher {number}", publisher)
        for number, publisher in self.twins.items():
            self._judge_publisher(f"twin {number}", publisher)
        self.operator = load.read("operator") if load.holds_at else None
        self.holds_at = load.holds_at
        if load.holds_at:
            self._judge_operator(self.operator)
        for (destination, group), kinds in load.groups.items():
            members = [load.read(f"consumer-{destination}-{group}-{n}") for n in range(len(kinds))]
            if None in members:
                self._complain(f"{destination}/{group}: a consumer hangs")
            else:
                self._judge_group(f"{destination}/{group}", members)
                if destination == load.holds_at:
                    self._judge_released(f"{destination}/{group}", members)

    def _complain(self, text):
        if len(self.problems) < COMPLAINTS_MAX:
            self.problems.append(text)

    def _judge_publisher(self, name, publisher):
        if publisher is None:
            self._complain(f"{name} hangs")
            return
        for error in publisher["errors"]:
            self._complain(f"{name}: {error}")
        if publisher["unanswered"]:
            self._complain(f"{name}: {publisher['unanswered']} are without an answer: "
                           f"{dict(publisher['try_again'])}")

    def _judge_operator(self, operator):
        if operator is None:
            self._complain("the operator hangs")
            return
        for error in operator["errors"]:
            self._complain(f"operator: {error}")
        if operator["unanswered"]:
            self._complain(f"operator: {operator['unanswered']} messages are without an answer")
        for number, receipt in enumerate(operator["receipts"]):
            held = sorted(operator["held"].get(number, ()))
            if receipt not in held:
                self._complain(f"operator: message {number} has receipt {receipt}, and was held "
                               f"as {held}")
            for first, second in zip(held, held[1:]):
                self._judge_apart("operator", number, first, second)

    # ---- a group ----

    def _judge_group(self, name, members):
        for member in members:
            self.again += member["again"]
            for error in member["errors"]:
                self._complain(f"{name}: {error}")
        for publisher, known in enumerate(self.known):
            memories = [member["memory"][publisher] for member in members]
            records = collections.defaultdict(set)
            firsts = self._firsts(name, publisher, memories, records)
            self.deliveries += len(firsts)
            for member in members:
                self._judge_seconds(name, publisher, member["seconds"], firsts, records)
            is_of_events = publisher in self.event_publishers
            judge = self._judge_receipts if is_of_events else self._judge_interchanges
            judge(name, publisher, known, records)
            judge(name, publisher, self.twins_known.get(publisher, {}), records)
            if is_of_events and publisher not in self.twins:
                self._judge_order(name, publisher, firsts)
            self._judge_settled(name, publisher, memories)

    def _firsts(self, name, publisher, memories, out_records):
        """{number: (when it was first seen, its record)}"""
        firsts = {}
        for memory in memories:
            for number, record in enumerate(memory.ids):
                if record == 0:
                    continue
                out_records[number].add(record)
                seen = memory.seen[number], record
                other = firsts.get(number)
                if other is not None and other[1] != record:
                    self._note_second(name, (publisher, number), *sorted((record, other[1])))
                firsts[number] = seen if other is None else min(seen, other)
        return firsts

    def _judge_seconds(self, name, publisher, seconds, firsts, records):
        for record, message in seconds.items():
            if message[0] == publisher:
                first = firsts[message[1]][1]
                records[message[1]].add(record)
                self._note_second(name, message, *sorted((first, record)))

    def _note_second(self, name, message, first, second):
        """Two records of a message are right only where dedupe may have forgotten the first: its
        time is no longer than the wall clock's."""
        self.seconds[second] = message
        self._judge_apart(name, message, first, second)

    def _judge_apart(self, name, message, first, second):
        apart_ms = id_ms(second) - id_ms(first)
        if self.window_ms is None or apart_ms < self.window_ms:
            self._complain(f"{name}: message {message} has two records, {apart_ms} ms apart")

    def _judge_released(self, name, members):
        """Each record that was held and released came as one; none that was rejected did."""
        publisher, came = len(self.known), collections.defaultdict(set)
        for member in members:
            for number, record in enumerate(member["memory"][publisher].ids):
                if record != 0:
                    came[number].add(record)
            for record, message in member["seconds"].items():
                if message[0] == publisher:
                    came[message[1]].add(record)
        for number, held in (self.operator["held"] if self.operator else {}).items():
            if len(came[number]) != (0 if is_rejected(number) else len(held)):
                self._complain(f"{name}: message {(publisher, number)}, which was held as {held}, "
                               f"came as {came[number]}")

    def _judge_receipts(self, name, publisher, known, records):
        for number, receipt in known.items():
            found = records.get(number)
            if found is None:
                self._complain(f"{name}: message {(publisher, number)} has a receipt, and never "
                               "came")
            elif receipt not in found:
                self._complain(f"{name}: message {(publisher, number)} came as {found}, its "
                               f"receipt is {receipt}")

    def _judge_interchanges(self, name, publisher, known, records):
        """All its messages came, those of a case in their order, unless twins sent them; the receipt
        is the first's."""
        for number, receipt in known.items():
            first = number * PARTS_MAX
            found = [records.get(part, set()) for part in range(first, first + part_count(number))]
            if not all(found):
                self._complain(f"{name}: interchange {(publisher, number)} has a receipt, and came "
                               f"in part: {found}")
            elif receipt not in found[0]:
                self._complain(f"{name}: interchange {(publisher, number)} came as {found}, its "
                               f"receipt is {receipt}")
            elif publisher not in self.twins and not is_in_order(number, map(min, found)):
                self._complain(f"{name}: interchange {(publisher, number)} is out of order: "
                               f"{found}")

    def _judge_order(self, name, publisher, firsts):
        """Of a case each is seen after those before it."""
        overtaken = self.published[publisher]["overtaken"] if self.published[publisher] else ()
        last = {}
        for number in sorted(firsts):
            case = number % CASES
            seen = firsts[number][0]
            if case in last and seen < last[case][0] and case not in overtaken:
                self._complain(f"{name}: message {(publisher, number)} came before {last[case][1]}")
            last[case] = seen, number

    def _judge_settled(self, name, publisher, memories):
        """What one has settled comes to no other on a connection made later."""
        for memory in memories:
            for other in memories:
                if other is memory:
                    continue
                for number, settled in enumerate(memory.settled[:len(other.ids)]):
                    if (settled and other.connected[number] > settled and
                            other.ids[number] == memory.ids[number]):
                        self._complain(f"{name}: message {(publisher, number)} was settled, and "
                                       "came to another consumer")

    # ---- the books ----

    def judge_books(self, ledger, groups):
        """`ledger`: what `kouan ledger --json` says when all is drained; every message had its
        receipt."""
        total = self.messages + len(self.seconds)
        held_by_number = self.operator["held"] if self.operator else {}
        held = sum(map(len, held_by_number.values()))
        rejected = sum(len(records) for number, records in held_by_number.items()
                       if is_rejected(number))
        for account in ledger["intake"]:
            refused = sum(account["refused"].values())
            if account["received"] != account["accepted"] + account["replay"] + refused:
                self._complain(f"books: received is not accepted + replay + refused: {account}")
        accepted = sum(each["accepted"] for each in ledger["intake"])
        self._compare("accepted", accepted, total + held)
        for outlet in ledger["outlets"]:
            offered, destination = total, outlet["destination"]
            if destination == self.holds_at:
                self._compare("rejected of what was held", outlet["hold_rejected"], rejected)
                self._compare("released", outlet["released"], held - rejected)
                offered += held - rejected
            self._compare(f"offered to {destination}", outlet["offered"], offered)
            for group in outlet["groups"]:
                if (destination, group["group"]) in groups:
                    self._compare(f"acknowledged by {destination}/{group['group']}",
                                  group["acknowledged"], offered)
        self.judge_gaps(ledger)

    def judge_logs(self, count):
        """Each log has had its share, or it was not tortured."""
        if set(self.logs) != set(range(count)):
            self._complain(f"of {count} logs these have records: {dict(self.logs)}")

    def judge_gaps(self, ledger):
        for text in gaps(ledger):
            self._complain(text)

    def _compare(self, what, books, expected):
        if books != expected:
            self._complain(f"books: {what}: {books}, it should be {expected}")

    def __str__(self):
        tries = collections.Counter()
        publishers = list(filter(None, [*self.published, *self.twins.values()]))
        for publisher in publishers:
            tries.update(publisher["try_again"])
        resent = sum(publisher["resent"] for publisher in publishers)
        text = (f"{self.receipts} receipts for {self.messages} messages, {resent} sent again, "
                f"{self.deliveries} deliveries, {self.again} repeated, {len(self.seconds)} second "
                f"records after the window; in {len(self.logs)} logs")
        if self.operator:
            text += f", {len(self.operator['receipts'])} held and decided upon"
        return text + "".join(f"\n    {count} times {reason}" for reason, count in tries.items())

    def check(self):
        if self.problems:
            raise AssertionError("\n".join(self.problems))


def is_in_order(number, records):
    """Whether the messages of interchange `number` were written so that each case's are in order."""
    last = {}
    for part, record in enumerate(records):
        case = part_case(number, part)
        if record < last.get(case, 0):
            return False
        last[case] = record
    return True


def gaps(ledger):
    """Whatever does not balance, in words."""
    found = []
    if ledger["gap"] != 0:
        found.append(f"books: the gap is {ledger['gap']}")
    for account in ledger["intake"]:
        if account["gap"] != 0:
            found.append(f"books: {account}")
    for outlet in ledger["outlets"]:
        for each in [outlet, *outlet["groups"]]:
            if each["gap"] != 0:
                found.append(f"books of {outlet['destination']}: {each}")
    return found
