"""Wall clocks that jump years, both ways, under load and between two lives of the server: no
identity is forgotten early (each message sent again gets its first receipt), ids never run
backwards, no timer is stuck (a blocked read, a deadline), nothing is lost.

    clock_torture.py [--jumps N] [--seed S] [--shards N]
"""

import argparse
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import time

from torture_load import Load
from torture_peer import Peer, encode_command, id_log, id_ms, parse_id, receipts_again
from torture_server import Kouan, add_shards, shards_of

CONFIG = """
sync: commit
memory: 32MiB
segment: 4MiB
journal_size: 4GiB
block: 64KiB
journal: journal
window_span: 1h
message_max: 64KiB
channels: [{name: in}]
destinations:
  - {name: all, groups: [quick, lazy]}
unroutable: all
"""
GROUPS = {("all", "quick"): "q", ("all", "lazy"): "l"}
YEAR_SECONDS = 365 * 86400


class Clock:
    """What the shim adds to the wall clock, in a file that it maps."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8))

    def set(self, shift_seconds):
        with open(self.path, "r+b") as file:
            file.write(struct.pack("<q", shift_seconds))


def look(kouan, load, last_ids, shift_seconds):
    """One message of our own, a blocked read that ends in time, and receipts again. `last_ids`: the
    last of our own messages of each log, by its number."""
    now_ms = int((time.time() + shift_seconds) * 1000)
    peer = Peer(kouan.address)
    peer.send(encode_command("XADD", "in", "*", "body", b'{"messageType":"PING","n":"%d"}' %
                             time.monotonic_ns()))
    reply = peer.read()
    if isinstance(reply, Exception):
        raise AssertionError(f"a message after a jump: {reply}")
    record = parse_id(reply)
    last_id = last_ids.get(id_log(record), 0)
    if record <= last_id:
        raise AssertionError(f"the id {reply} is not above the last one of its log, {last_id}")
    last_ids[id_log(record)] = record
    if id_ms(record) < now_ms - 1000:
        raise AssertionError(f"the id {reply} is of another time than the server's clock, {now_ms}")
    began = time.monotonic()
    peer.send(encode_command("XREAD", "BLOCK", 50, "STREAMS", "all", "18446744073709551615-0"))
    if peer.read(seconds=5) is not None:
        raise AssertionError("a blocked read got something that cannot be there")
    if time.monotonic() - began > 4:
        raise AssertionError("a blocked read did not end in time")
    for publisher, receipts in enumerate(load.receipts):
        wrong = receipts_again(peer, publisher, receipts.known(300))
        if wrong:
            raise AssertionError(f"{len(wrong)} of 300 receipts were forgotten: {wrong[:5]}")
    peer.close()


def torture(jumps, seed, shards, folder, shim):
    state = random.Random(seed)
    clock = Clock(folder / "shift")
    (folder / "kouan.yaml").write_text(CONFIG)
    kouan = Kouan(folder, GROUPS, shards)
    environment = {"LD_PRELOAD": str(shim), "KOUAN_CLOCK_SHIM": str(clock.path)}
    load = Load(kouan.address, folder, seed, publishers=2, groups=GROUPS, rate=3000)
    last_ids = {}
    try:
        kouan.start(environment)
        kouan.wait_until_up()
        load.start()
        for jump in range(jumps):
            time.sleep(0.2 + state.random() * 0.3)
            restarts = jump % 3 == 1
            if restarts:
                kouan.kill()
            shift = state.choice((-20, -2, 0, 1, 10, 40)) * YEAR_SECONDS + state.randrange(86400)
            clock.set(shift)
            if restarts:
                kouan.start(environment)
                kouan.wait_until_up()
            look(kouan, load, last_ids, shift)
        verdict = load.finish(kouan.is_drained)
        kouan.stop()
        verdict.judge_logs(shards)
        verdict.check()
        kouan.verify()
        print(f"{jumps} jumps: {verdict}")
    finally:
        load.kill()
        kouan.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jumps", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    parser.add_argument("--shim", required=True, help="clock_shim.so")
    add_shards(parser)
    arguments = parser.parse_args()
    shards = shards_of(arguments)
    print(f"clock torture: seed {arguments.seed}, {arguments.jumps} jumps, {shards} shards",
          flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-clock-"))
    try:
        torture(arguments.jumps, arguments.seed, shards, folder,
                pathlib.Path(arguments.shim).resolve())
    except AssertionError as problem:
        print(f"FAILED (seed {arguments.seed})\n{problem}")
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
