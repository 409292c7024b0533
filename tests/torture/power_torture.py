"""Power cuts: the journal lies on an ext4 of its own, in a file on tmpfs. Under load the server is
stopped (SIGSTOP), the file is copied as it is, and the server goes on. The copy is what a disk
would hold after the power went: it is mounted, a server recovers from it. Every receipt that a
publisher had by then must be there: the message sent again gets the same receipt. No message whose
XACK was answered by then may be delivered again.

    power_torture.py [--cuts N] [--seed S] [--shards N]          (root)
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from torture_disk import Disk, must_be_root
from torture_load import Load
from torture_peer import Peer, delivered_again, receipts_again
from torture_server import Kouan, add_shards, shards_of

CONFIG = """
sync: commit
memory: 32MiB
segment: 4MiB
block: 64KiB
retain_time: 10s
journal_size: 256MiB
window_span: 1h
journal: {journal}
message_max: 64KiB
channels: [{{name: in}}]
destinations:
  - {{name: all, groups: [quick, lazy]}}
unroutable: all
"""
GROUPS = {("all", "quick"): "q", ("all", "lazy"): "l"}
IMAGE_BYTES = 512 << 20
LOOKED_AT = 2000  # the last receipts of each publisher, at each cut


def make_server(folder, name, journal, shards):
    home = folder / name
    home.mkdir()
    (home / "kouan.yaml").write_text(CONFIG.format(journal=journal))
    return Kouan(home, GROUPS, shards)


def judge(folder, number, image, shards, receipts, acknowledged):
    """A server on the copy answers every receipt again, and delivers nothing that was settled. How
    many of each were looked for, and how much was delivered."""
    disk = Disk(folder / f"cut-{number}", image=image)
    kouan = make_server(folder, f"after-{number}", disk.mount / "journal", shards)
    try:
        kouan.start()
        kouan.wait_until_up()
        peer = Peer(kouan.address)
        for publisher, known in enumerate(receipts):
            wrong = receipts_again(peer, publisher, known)
            if wrong:
                raise AssertionError(
                    f"cut {number}: of {len(known)} receipts of publisher {publisher} "
                    f"{len(wrong)} are not there: {wrong[:5]}\n{kouan.tail()}")
        delivered = 0
        for pair, settled in acknowledged.items():
            count, wrong = delivered_again(peer, *pair, settled)
            delivered += count
            if wrong:
                raise AssertionError(f"cut {number}: {len(wrong)} that {pair} had acknowledged "
                                     f"come again: {wrong[:5]}\n{kouan.tail()}")
        gap = kouan.ledger()["gap"]
        if gap:
            raise AssertionError(f"cut {number}: the books have a gap of {gap}\n{kouan.tail()}")
        peer.close()
        kouan.stop()
        if any(receipts):  # else nothing may have been written yet
            kouan.verify(disk.mount / "journal")
        return collections.Counter(receipts=sum(map(len, receipts)), delivered=delivered,
                                   acknowledged=sum(map(len, acknowledged.values())))
    finally:
        kouan.end()
        disk.close()
        shutil.rmtree(folder / f"after-{number}")


def cut(folder, number, disk, kouan, load):
    """The image as it is this moment, and what the publishers know of it."""
    image = folder / "copy.img"
    os.kill(kouan.process.pid, signal.SIGSTOP)
    receipts = [each.known(LOOKED_AT) for each in load.receipts]
    acknowledged = load.acknowledged()
    try:
        disk.copy(image)
    finally:
        os.kill(kouan.process.pid, signal.SIGCONT)
    return judge(folder, number, image, kouan.shards, receipts, acknowledged)


def torture(cuts, seed, shards, folder):
    state = random.Random(seed)
    disk = Disk(folder / "disk", size_bytes=IMAGE_BYTES)
    kouan = make_server(folder, "server", disk.mount / "journal", shards)
    load = Load(kouan.address, folder, seed, publishers=2, groups=GROUPS, rate=4000)
    looked_for = collections.Counter()
    try:
        kouan.start()
        kouan.wait_until_up()
        load.start()
        for number in range(cuts):
            time.sleep(0.05 + state.random() * 0.4)
            looked_for += cut(folder, number, disk, kouan, load)
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.judge_logs(shards)
        verdict.check()
        if not all(looked_for[what] for what in ("receipts", "acknowledged", "delivered")):
            raise AssertionError(f"nothing was tried: {looked_for}")
        print(f"{cuts} power cuts: {looked_for['receipts']} receipts looked for, all there; of "
              f"{looked_for['acknowledged']} acknowledgements none undone, "
              f"{looked_for['delivered']} others delivered\n{verdict}")
    finally:
        load.kill()
        kouan.end()
        disk.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    add_shards(parser)
    arguments = parser.parse_args()
    must_be_root("power torture")
    shards = shards_of(arguments)
    print(f"power torture: seed {arguments.seed}, {arguments.cuts} cuts, {shards} shards",
          flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-power-", dir="/dev/shm"))
    try:
        torture(arguments.cuts, arguments.seed, shards, folder)
    except AssertionError as problem:
        print(f"FAILED (seed {arguments.seed})\n{problem}")
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
