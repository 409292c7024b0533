"""Disks that fill up, and disks that fail.

  full     the file system has no room for the next segment: messages get TRYAGAIN, consumers go on,
           their acknowledgements too, and all goes on by itself when there is room again
  starved  the device under the file system loses its room (a sparse image on a tmpfs that is
           full), so that writes fail: the server says so and ends; no receipt after the first
           failure; when the device has room again, every receipt is there
  short    writes end early (RLIMIT_FSIZE set on the running server): the same
  locked   the file system finds an error and takes no more writes (ext4, remounted read-only): the
           same; a start on it is refused
  spare    the same with a spare folder: the server goes on in it, and does so after kill -9, while
           nothing can be written to the disk that it left; a start that does not name the spare
           folder is refused
  start    too little room for a start, from none at all on: refused with the reason, or well;
           whatever was begun, the next start with room has every receipt

    disk_torture.py [full] [starved] [short] [locked] [spare] [start] [--seed S] [--shards N]  (root)
"""

import argparse
import collections
import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time

from torture_disk import Disk, Tmpfs, must_be_root, run
from torture_load import Load
from torture_peer import Peer, parse_id, publication, receipts_again
from torture_server import Kouan, WireClosed, add_shards, shards_of

CONFIG = """
sync: commit
memory: 32MiB
segment: 4MiB
block: 64KiB
retain_time: 1h
journal_size: 1GiB
window_span: 1h
journal: {journal}
message_max: 64KiB
channels: [{{name: in}}]
destinations:
  - {{name: all, groups: [quick, lazy]}}
unroutable: all
"""
GROUPS = {("all", "quick"): "q", ("all", "lazy"): "l"}
MIB = 1 << 20


def make_server(folder, journal, shards, more=""):
    (folder / "kouan.yaml").write_text(CONFIG.format(journal=journal) + more)
    return Kouan(folder, GROUPS, shards)


def wait_for(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def fill(path):
    """Takes all room that there is."""
    with contextlib.suppress(OSError), open(path, "wb") as file:
        for size in (MIB, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\1" * size)
                    file.flush()


class Standstill:
    """Called again and again: whether the count has been the same for a second."""

    def __init__(self, count):
        self.count, self.last, self.since = count, None, 0.0

    def __call__(self):
        now, count = time.monotonic(), self.count()
        if count != self.last:
            self.last, self.since = count, now
        return now - self.since > 1


def fill_once(kouan, load, ballast):
    """Full: no receipt, but every acknowledgement; then there is room again."""
    fill(ballast)
    wait_for("receipts end when the disk is full", Standstill(load.receipt_count), 60)
    if kouan.process.poll() is not None:
        raise AssertionError(f"the server ended on a full disk:\n{kouan.tail()}")
    stalled = load.receipt_count()
    wait_for("consumers go on", lambda: kouan.is_drained() and all(
        len(settled) == load.receipt_count() for settled in load.acknowledged().values()), 30)
    health = kouan.call("KOUAN", "HEALTH")
    if b"journal: no room" not in health[1]:
        raise AssertionError(f"health does not tell of a full disk: {health}")
    if load.receipt_count() != stalled:
        raise AssertionError(f"{load.receipt_count() - stalled} receipts while the disk is full")
    ballast.unlink()
    wait_for("receipts go on", lambda: load.receipt_count() > stalled + 1000, 30)


def full(folder, state, shards):
    disk = Disk(folder / "disk", size_bytes=200 * MIB)
    try:
        kouan = make_server(folder, disk.mount / "journal", shards)
        load = Load(kouan.address, folder, 0, publishers=2, groups=GROUPS, rate=3000)
        try:
            kouan.start()
            kouan.wait_until_up()
            load.start()
            wait_for("the first receipts", lambda: load.receipt_count() > 1000, 20)
            for _ in range(3):
                time.sleep(state.random())
                fill_once(kouan, load, disk.mount / "ballast")
            verdict = load.finish(kouan.is_drained)
            kouan.stop()
            verdict.check()
            kouan.verify(disk.mount / "journal")
            return f"3 times full: {verdict}"
        finally:
            load.kill()
            kouan.end()
    finally:
        disk.close()


def fails(folder, state, break_disk, mend_disk, kouan):
    """The course of a failing disk: it breaks, the server ends with 1; mended, all is there."""
    load = Load(kouan.address, folder, 0, publishers=2, groups=GROUPS)
    try:
        kouan.start()
        kouan.wait_until_up()
        load.start()
        wait_for("the first receipts", lambda: load.receipt_count() > 1000, 20)
        time.sleep(state.random() * 0.5)
        break_disk(kouan)
        code = kouan.wait_until_ended(60)
        if code != 1:
            raise AssertionError(f"the exit code is {code}, not 1:\n{kouan.tail()}")
        last_words = kouan.tail().splitlines()[-1]
        if "kouan serve: " not in last_words or "had no receipt yet gets none" not in last_words:
            raise AssertionError(f"it does not say why it ended:\n{kouan.tail()}")
        time.sleep(0.2)
        receipts = [each.known(3000) for each in load.receipts]
        mend_disk()
        kouan.start()
        kouan.wait_until_up()
        look_for(kouan, receipts)
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.check()
        return (f"{sum(map(len, receipts))} receipts looked for, all there; {verdict}\n"
                f"    {last_words}")
    finally:
        load.kill()
        kouan.end()


def look_for(kouan, receipts):
    peer = Peer(kouan.address)
    for publisher, known in enumerate(receipts):
        wrong = receipts_again(peer, publisher, known)
        if wrong:
            raise AssertionError(f"of {len(known)} receipts of publisher {publisher} {len(wrong)} "
                                 f"are not there: {wrong[:5]}\n{kouan.tail()}")
    peer.close()


def starved(folder, state, shards):
    tmpfs = Tmpfs(folder / "tmpfs", 160 * MIB)
    try:
        disk = Disk(tmpfs.folder / "disk", size_bytes=512 * MIB)
        try:
            kouan = make_server(folder, disk.mount / "journal", shards)
            return fails(folder, state, lambda server: starve(server, tmpfs, disk),
                         lambda: feed(tmpfs, disk), kouan)
        finally:
            disk.close()
    finally:
        tmpfs.close()


def starve(server, tmpfs, disk):
    """What was written with zeros ahead loses its room, and all that is left is taken. Meanwhile
    nothing may be written, or it would be punched out, too."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        run("sync", "--file-system", disk.mount)
        run("fallocate", "--dig-holes", disk.image)
        fill(tmpfs.folder / "ballast")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def feed(tmpfs, disk):
    tmpfs.resize(1024 * MIB)
    (tmpfs.folder / "ballast").unlink()
    disk.remount()


def short(folder, state, shards):
    kouan = make_server(folder, folder / "journal", shards)

    def break_disk(server):
        """Somewhere within a segment, at a page."""
        limit = (state.randrange(4 * MIB - 4096) // 4096 + 1) * 4096
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    return fails(folder, state, break_disk, lambda: None, kouan)


def locked(folder, state, shards):
    disk = Disk(folder / "disk", size_bytes=200 * MIB, options="errors=remount-ro")
    kouan = make_server(folder, disk.mount / "journal", shards)

    def mend_disk():
        last_words = begin(kouan)
        if last_words is None or "Read-only file system" not in last_words:
            raise AssertionError(f"a start on what cannot be written: {last_words}")
        disk.remount()

    try:
        return fails(folder, state, lambda _: lock(disk), mend_disk, kouan)
    finally:
        disk.close()


def lock(disk):
    name = pathlib.Path(disk.device).name
    pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("by the torture")


# ---- the spare folder ----


def spare(folder, state, shards):
    disk = Disk(folder / "disk", size_bytes=200 * MIB, options="errors=remount-ro")
    journal, option = disk.mount / "journal", f"journal_spare: {folder}/spare\n"
    kouan = make_server(folder, journal, shards, option)
    load = Load(kouan.address, folder, 0, publishers=2, groups=GROUPS)
    try:
        kouan.start()
        kouan.wait_until_up()
        load.start()
        wait_for("the first receipts", lambda: load.receipt_count() > 1000, 20)
        time.sleep(state.random() * 0.5)
        lock(disk)
        wait_for("the spare folder", lambda: kouan.info()["has_moved"] == str(shards), 20)
        for _ in range(3):
            go_on(kouan, load, state)
        receipts = [each.known(3000) for each in load.receipts]
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.check()
        kouan.verify(journal)
        (folder / "kouan.yaml").write_text(CONFIG.format(journal=journal))
        last_words = begin(kouan)
        if last_words is None or f"start with `journal_spare: {folder}/spare`" not in last_words:
            raise AssertionError(f"a start without the spare folder: {last_words}")
        disk.remount()
        (folder / "kouan.yaml").write_text(CONFIG.format(journal=journal) + option)
        kouan.start()
        kouan.wait_until_up()
        look_for(kouan, receipts)
        return f"{sum(map(len, receipts))} receipts looked for, all there; {verdict}"
    finally:
        load.kill()
        kouan.end()
        disk.close()


def go_on(kouan, load, state):
    """In the spare folder, and after kill -9."""
    known = load.receipt_count()
    wait_for("receipts go on", lambda: load.receipt_count() > known + 2000, 30)
    health = kouan.call("KOUAN", "HEALTH")
    if b"goes on in its spare folder" not in health[1]:
        raise AssertionError(f"health does not tell of the spare folder: {health}")
    time.sleep(state.random() * 0.2)
    kouan.kill()
    kouan.start()
    kouan.wait_until_up()


# ---- starts ----


def begin(kouan):
    """Starts it. None if it is up, its last words if it refuses: a reason, and exit code 1."""
    kouan.start()
    while kouan.process.poll() is None:
        with contextlib.suppress(OSError, WireClosed):
            kouan.call("PING")
            return None
        time.sleep(0.005)
    last_words = kouan.tail().splitlines()[-1]
    if kouan.process.returncode != 1 or not last_words.startswith("kouan serve: "):
        raise AssertionError(f"a start ends with {kouan.process.returncode}:\n{kouan.tail()}")
    return last_words


def publish(kouan, first, count):
    """{number: receipt}"""
    peer = Peer(kouan.address)
    peer.send(b"".join(publication(0, number) for number in range(first, first + count)))
    receipts = {number: parse_id(peer.read()) for number in range(first, first + count)}
    peer.close()
    return receipts


class ShortOfRoom:
    """Starts on a tmpfs with some pages left; then one with room, which must find everything. Each
    has another configuration, so that a generation is to be stored, too."""

    def __init__(self, folder, tmpfs, shards):
        self.folder, self.tmpfs = folder, tmpfs
        self.kouan = Kouan(folder, GROUPS, shards)
        self.turn, self.journal, self.receipts = 0, None, {}
        self.ends = collections.Counter()  # by the reason

    def anew(self):
        """On a new journal."""
        if self.journal is not None:
            shutil.rmtree(self.journal, ignore_errors=True)
        self.journal = self.tmpfs.folder / f"journal-{self.turn}"
        self.receipts = {}

    def try_with(self, pages):
        self._configure()
        for spare in self.journal.glob("*/spare-*"):  # one that goes at the start makes much room
            spare.unlink()
        self.tmpfs.leave(pages * 4096)
        last_words = begin(self.kouan)
        self.kouan.end()
        self.ends[last_words and self._reason(last_words)] += 1
        self.tmpfs.resize(256 * MIB)
        self._configure()
        last_words = begin(self.kouan)
        if last_words:
            raise AssertionError(f"with room again: {last_words}")
        look_for(self.kouan, [self.receipts])
        self.receipts.update(publish(self.kouan, len(self.receipts), 100))
        self.kouan.kill()

    def _configure(self):
        self.turn += 1
        config = CONFIG.format(journal=self.journal) + f"# {self.turn}\n"
        (self.folder / "kouan.yaml").write_text(config)

    def _reason(self, last_words):
        return re.sub(r"[0-9a-f]{16,}|\d+", "N", last_words).replace(str(self.tmpfs.folder), "")


def start(folder, state, shards):
    tmpfs = Tmpfs(folder / "tmpfs", 256 * MIB)
    try:
        starts = ShortOfRoom(folder, tmpfs, shards)
        try:
            for pages in (0, 1, 2, 4, 7, 11):
                starts.anew()
                starts.try_with(pages)
            for pages in (0, 2, 3, 5, 9, *(state.randrange(10, 1200) for _ in range(4))):
                starts.try_with(pages)
            return "".join(f"{count} starts: {reason or 'well'}\n"
                           for reason, count in starts.ends.most_common())
        finally:
            starts.kouan.end()
    finally:
        tmpfs.close()


SCENARIOS = {"full": full, "starved": starved, "short": short, "locked": locked, "spare": spare,
             "start": start}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    add_shards(parser)
    arguments = parser.parse_args()
    must_be_root("disk torture")
    shards = shards_of(arguments)
    failed = False
    for name in arguments.scenarios:
        print(f"disk torture, {name}: seed {arguments.seed}, {shards} shards", flush=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-disk-"))
        try:
            print(SCENARIOS[name](folder, random.Random(arguments.seed), shards), flush=True)
        except AssertionError as problem:
            print(f"FAILED {name} (seed {arguments.seed})\n{problem}")
            failed = True
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
