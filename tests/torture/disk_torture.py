"""Disks that fill up, and disks that fail.

  full     the file system has no room for the next segment: messages get TRYAGAIN, consumers go on,
           and all goes on by itself when there is room again
  starved  the device under the file system loses its room (a sparse image on a tmpfs that is full), so
           that writes fail: the server says so and ends; no receipt after the first failure; when the
           device has room again, every receipt is there
  short    writes end early (RLIMIT_FSIZE set on the running server): the same

    disk_torture.py [full] [starved] [short] [--seed S]          (root)
"""

import argparse
import os
import pathlib
import random
import resource
import shutil
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
retain_time: 5s
window_span: 5s
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


def full(folder, state):
    disk = Disk(folder / "disk", size_bytes=200 * MIB)
    kouan = make_server(folder, disk.mount / "journal")
    load = Load(kouan.address, folder, 0, publishers=2, groups=GROUPS)
    ballast = disk.mount / "ballast"
    try:
        kouan.start()
        kouan.wait_until_up()
        load.start()
        wait_for("the first receipts", lambda: load.receipt_count() > 1000, 20)
        for turn in range(3):
            time.sleep(state.random())
            with open(ballast, "wb") as file:
                try:
                    while True:
                        file.write(b"\1" * MIB)
                        file.flush()
                except OSError:
                    pass
            stalled = [0]

            def stands_still():
                before = stalled[0]
                stalled[0] = load.receipt_count()
                time.sleep(0.5)
                return load.receipt_count() == stalled[0] and before == stalled[0]

            wait_for("receipts end when the disk is full", stands_still, 60)
            if kouan.process.poll() is not None:
                raise AssertionError(f"the server ended on a full disk:\n{kouan.tail()}")
            wait_for("consumers go on", kouan.is_drained, 20)
            ballast.unlink()
            wait_for("receipts go on", lambda: load.receipt_count() > stalled[0] + 1000, 30)
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.check()
        return f"3 times full: {verdict}"
    finally:
        load.kill()
        kouan.end()
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
    disk = Disk(tmpfs.folder / "disk", size_bytes=512 * MIB)
    kouan = make_server(folder, disk.mount / "journal")

    def break_disk(_):
        run("fallocate", "--dig-holes", disk.image)  # what was written with zeros ahead loses its room
        with open(tmpfs.folder / "ballast", "wb") as file:
            try:
                while True:
                    file.write(b"\1" * MIB)
                    file.flush()
            except OSError:
                pass

    def mend_disk():
        tmpfs.resize(1024 * MIB)
        (tmpfs.folder / "ballast").unlink()
        disk.remount()

    try:
        return fails(folder, state, break_disk, mend_disk, kouan)
    finally:
        kouan.end()
        disk.close()
        tmpfs.close()


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
