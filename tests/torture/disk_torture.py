"""Disks that fill up, and disks that fail.

  full     the file system has no room for the next segment: messages get TRYAGAIN, consumers go on,
           their acknowledgements too, and all goes on by itself when there is room again
  starved  the device under the file system loses its room (a sparse image on a tmpfs that is full), so
           that writes fail: the server says so and ends; no receipt after the first failure; when the
           device has room again, every receipt is there
  short    writes end early (RLIMIT_FSIZE set on the running server): the same

    disk_torture.py [full] [starved] [short] [--seed S]          (root)
"""

import argparse
import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time

from torture_disk import Disk, Tmpfs, must_be_root, run
from torture_load import Load
from torture_peer import Peer, receipts_again
from torture_server import Kouan

CONFIG = """
sync: commit
memory: 32MiB
segment: 4MiB
block: 64KiB
retain_time: 1h
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


def make_server(folder, journal):
    (folder / "kouan.yaml").write_text(CONFIG.format(journal=journal))
    return Kouan(folder, GROUPS)


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


def full(folder, state):
    disk = Disk(folder / "disk", size_bytes=200 * MIB)
    try:
        kouan = make_server(folder, disk.mount / "journal")
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
    """The common course of a failing disk: it breaks, the server ends with 1; mended, all is there."""
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
        peer = Peer(kouan.address)
        for publisher, known in enumerate(receipts):
            wrong = receipts_again(peer, publisher, known)
            if wrong:
                raise AssertionError(f"of {len(known)} receipts of publisher {publisher} {len(wrong)} "
                                     f"are not there: {wrong[:5]}\n{kouan.tail()}")
        peer.close()
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.check()
        return f"{sum(map(len, receipts))} receipts looked for, all there; {verdict}\n    {last_words}"
    finally:
        load.kill()
        kouan.end()


def starved(folder, state):
    tmpfs = Tmpfs(folder / "tmpfs", 160 * MIB)
    try:
        disk = Disk(tmpfs.folder / "disk", size_bytes=512 * MIB)
        try:
            kouan = make_server(folder, disk.mount / "journal")
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


def short(folder, state):
    kouan = make_server(folder, folder / "journal")

    def break_disk(server):
        """Somewhere within a segment, at a page."""
        limit = (state.randrange(4 * MIB - 4096) // 4096 + 1) * 4096
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    return fails(folder, state, break_disk, lambda: None, kouan)


SCENARIOS = {"full": full, "starved": starved, "short": short}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    arguments = parser.parse_args()
    must_be_root("disk torture")
    failed = False
    for name in arguments.scenarios:
        print(f"disk torture, {name}: seed {arguments.seed}", flush=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-disk-"))
        try:
            print(SCENARIOS[name](folder, random.Random(arguments.seed)), flush=True)
        except AssertionError as problem:
            print(f"FAILED {name} (seed {arguments.seed})\n{problem}")
            failed = True
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
