"""kill -9 under load: the server dies at random moments and at chosen ones (while it recovers,
changes segments, copies forward, gives segments up), and is started again. At the end nothing that
had a receipt is missing, nothing whose XACK was answered came again, no message has two records
within the window, the order per case held, the books are right to the last message, and the journal
verifies.

    kill_torture.py [--cycles N] [--seed S] [--shards N]
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

from torture_load import Load
from torture_server import Kouan, WireClosed, add_shards, shards_of

# The smallest segments and memory: they change, go, and are copied forward all the time.
WINDOW_SECONDS = 4
CONFIG = f"""
sync: commit
memory: 32MiB
segment: 4MiB
journal_size: 4GiB
block: 64KiB
retain_time: 1s
window_span: {WINDOW_SECONDS}s
journal: journal
message_max: 64KiB
channels: [{{name: in}}]
destinations:
  - {{name: all, groups: [quick, lazy]}}
  - {{name: half, groups: [{{name: cases, order: case}}]}}
tables: [all.csv, half.csv]
"""
TABLES = {"all.csv": "id,message_type,to\nall,ORDER|CUSDEC,all\n",
          "half.csv": "id,message_type,to,action\nhalf,ORDER|CUSDEC,half,\nheld,HELD,half,hold\n"}
GROUPS = {("all", "quick"): "q", ("all", "lazy"): "l", ("half", "cases"): "qq"}
EVENT_SECONDS = 3.0  # how long a life waits for what it is to die of
AIM_SECONDS = 40     # and the last one, until segments have gone and records were carried along


class Lives:
    """One after the other; what each died of is counted, and what INFO said in the end."""

    KINDS = {"start": 15, "recovery": 10, "anywhere": 30, "rotation": 15, "copying": 15,
             "giving up": 15}

    def __init__(self, kouan, state):
        self.kouan, self.state = kouan, state
        self.log_folders = [kouan.folder / "journal" / f"{log:02d}" for log in range(kouan.shards)]
        self.deaths = collections.Counter()
        self.past = collections.Counter()   # of ended lives
        self.now = collections.Counter()    # of this one
        self.served_seconds = 0.0

    def be_born(self):
        """Dies while the journal is made, until it is there."""
        for _ in range(5):
            self.kouan.start()
            time.sleep(self.state.random() * 0.1)
            self.kouan.kill()
        self.kouan.start()
        self.kouan.wait_until_up()
        self.kouan.kill()

    def live(self):
        """Starts, and dies."""
        kind = self.state.choices(list(self.KINDS), list(self.KINDS.values()))[0]
        self.kouan.start()
        if kind == "start":
            time.sleep(self.state.random() * 0.12)
        elif kind == "recovery":
            kind = self._until(kind, lambda: any((folder / "last.tmp").exists()
                                                 for folder in self.log_folders))
        else:
            kind = self._serve(kind)
        self.kouan.kill()
        self.deaths[kind] += 1
        self.past.update(self.now)
        self.now.clear()

    def live_on(self):
        """Starts, and lives until all that is to be seen was seen."""
        self.kouan.start()
        self.kouan.wait_until_up()
        self._until("", lambda: self.ask() and self.given_up and self.copied_forward, AIM_SECONDS)

    def ask(self):
        """Whether INFO could be had."""
        try:
            info = self.kouan.info()
        except (OSError, WireClosed):
            return False
        for name in ("journal_given_up", "copied_forward", "journal_forgotten_early"):
            self.now[name] = int(info[name])
        return True

    @property
    def given_up(self):
        return self.past["journal_given_up"] + self.now["journal_given_up"]

    @property
    def copied_forward(self):
        return self.past["copied_forward"] + self.now["copied_forward"]

    @property
    def forgotten_early(self):
        return self.past["journal_forgotten_early"] + self.now["journal_forgotten_early"]

    def _serve(self, kind):
        self.kouan.wait_until_up()
        began = time.monotonic()
        segments = self._segments()
        if kind == "anywhere":
            time.sleep(self.state.random() ** 2 * 1.2)
        elif kind == "rotation":
            kind = self._until(kind, lambda: self._differs(segments, place=-1))
        elif kind == "giving up":
            kind = self._until(kind, lambda: self._differs(segments, place=0))
        else:
            kind = self._until(kind, lambda: self.ask() and self.now["copied_forward"] > 0)
            time.sleep(self.state.random() * 0.02)
        self.served_seconds += time.monotonic() - began
        if self.state.random() < 0.5:  # else it would die a moment later than it was to
            self.ask()
        return kind

    def _until(self, kind, has_come, seconds=EVENT_SECONDS):
        deadline = time.monotonic() + seconds
        while not has_come():
            if time.monotonic() > deadline:
                return f"{kind} (in vain)"
            time.sleep(0.0005)
        return kind

    def _segments(self):
        """Of each log."""
        return [sorted(name for name in os.listdir(folder)
                       if name.endswith(".segment") and not name.startswith("spare")) or [""]
                for folder in self.log_folders]

    def _differs(self, segments, place):
        """Whether any log has another segment in that place."""
        return any(now[place] != then[place] for now, then in zip(self._segments(), segments))

    def __str__(self):
        return ", ".join(f"{count} {kind}" for kind, count in sorted(self.deaths.items()))


def make_server(folder, shards):
    (folder / "kouan.yaml").write_text(CONFIG)
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    return Kouan(folder, GROUPS, shards)


def torture(cycles, seed, shards, folder):
    state = random.Random(seed)
    kouan = make_server(folder, shards)
    load = Load(kouan.address, folder, seed, publishers=4, interchanges=2, twins=(0, 3),
                groups=GROUPS, window_ms=WINDOW_SECONDS * 1000, holds_at="half")
    lives = Lives(kouan, state)
    load.start()
    try:
        lives.be_born()
        for _ in range(cycles):
            lives.live()
            if state.random() < 0.1 and load.receipt_count() > 0:  # else nothing may be there yet
                kouan.verify()
        speed = load.receipt_count() / lives.served_seconds
        lives.live_on()
        verdict = load.finish(kouan.is_drained)
        lives.ask()
        verdict.judge_books(kouan.ledger(), GROUPS)
        verdict.judge_logs(shards)
        kouan.stop()
        print(f"died: {lives}\n{verdict}\n{speed:.0f} receipts a second while it served; at least "
              f"{lives.given_up} segments given up, {lives.copied_forward} records copied forward")
        verdict.check()
        if not lives.given_up or not lives.copied_forward or lives.forgotten_early:
            raise AssertionError("segments must go, and records be copied forward, but none may go "
                                 f"early: {lives.forgotten_early}")
        return kouan.verify()
    finally:
        load.kill()
        kouan.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    add_shards(parser)
    parser.add_argument("--keep", action="store_true", help="keep the folder when it fails")
    arguments = parser.parse_args()
    shards = shards_of(arguments)
    print(f"kill torture: seed {arguments.seed}, {arguments.cycles} cycles, {shards} shards",
          flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-torture-"))
    try:
        verified = torture(arguments.cycles, arguments.seed, shards, folder)
    except AssertionError as problem:
        print(f"FAILED (seed {arguments.seed})\n{problem}\nfolder: {folder}")
        if not arguments.keep:
            shutil.rmtree(folder)
        sys.exit(1)
    shutil.rmtree(folder)
    print(verified.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
