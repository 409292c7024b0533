#!/usr/bin/env python3
"""What a group that is far behind takes from those that are not: fills a journal with messages that the group `late` never
read, then lets a day of events through, again and again, in turns with and without `late` reading as fast as it can from
the files. Prints the rate of each day, the median ratio and its interval (sign test), and how much `late` read meanwhile.

    python3 perf/behind.py [BUILD] [PAIRS] [FILL] [MESSAGES]

The server has the first processor, all clients share the others, so that the server is what is short. FOLDER is where
the journal is made (default: here); it is removed again."""

import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CONFIG = """\
memory: 128MiB
journal_size: 32GiB
channels: [{name: in}]
destinations:
  - name: all
    groups: [all, late]
    backlog_max: 16777216
unroutable: all
"""
READ = b"*10\r\n" + b"".join(
    b"$%d\r\n%s\r\n" % (len(word), word)
    for word in (b"XREADGROUP", b"GROUP", b"late", b"reader", b"COUNT", b"1000", b"NOACK", b"STREAMS",
                 b"all", b">"))


class Server:
    def __init__(self, build, folder, processors):
        path = os.path.join(folder, "kouan.yaml")
        with open(path, "w") as file:
            file.write(CONFIG)
        self.process = subprocess.Popen(
            ["taskset", "-c", str(processors[0]), f"{build}/kouan", "serve", "-c", path, "--listen",
             "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            if line.startswith("listening on "):
                self.address = line.split()[2]
                break
        else:
            sys.exit(f"{said}behind: kouan did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)))

    def info(self, name):
        with self.connect() as wire:
            wire.sendall(b"*1\r\n$4\r\nINFO\r\n")
            text = b""
            while not text.endswith(b"\r\n") or len(text) < 100:
                text += wire.recv(1 << 20)
        found = re.search(rb"^%s:(\d+)" % name.encode(), text, re.M)
        return int(found.group(1)) if found else None

    def lag(self):
        with self.connect() as wire:
            wire.sendall(b"*3\r\n$5\r\nXINFO\r\n$6\r\nGROUPS\r\n$3\r\nall\r\n")
            time.sleep(0.2)
            text = wire.recv(1 << 16)
        return int(re.search(rb"late\r\n.*?lag\r\n:(\d+)", text, re.S).group(1))


class LateReader(threading.Thread):
    """Reads until it is told to stop; never looks at what it read."""

    def __init__(self, server):
        super().__init__()
        self.wire = server.connect()
        self.bytes, self.stopping = 0, False

    def run(self):
        memory = bytearray(1 << 20)
        while not self.stopping:
            self.wire.sendall(READ)
            last = b""
            while True:
                count = self.wire.recv_into(memory)
                if count == 0:
                    return
                self.bytes += count
                last = bytes(memory[max(0, count - 2):count])
                # A reply ends a moment after its last piece; what comes later is counted then.
                if last == b"\r\n" and not self.more():
                    break

    def more(self):
        self.wire.settimeout(0.001)
        try:
            return bool(self.wire.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return False
        finally:
            self.wire.settimeout(None)

    def stop(self):
        self.stopping = True
        self.join()
        self.wire.close()


def day(build, server, processors, messages, seed):
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, processors[1:])), f"{build}/kouan-bench", "day", "--rules",
         "none", "--mix", "events", "--messages", str(messages), "--seed", str(seed), "--connect",
         server.address], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"behind: {done.stdout}{done.stderr}")
    return int(re.search(r"rate: ([\d,]+)", done.stdout).group(1).replace(",", ""))


def interval(ratios):
    """The widest but one pair of order statistics, and how sure it is that the median lies between."""
    ordered, count = sorted(ratios), len(ratios)
    drop = 1 if count >= 8 else 0
    outside = 2 * sum(math.comb(count, k) for k in range(drop + 1)) / 2 ** count
    return ordered[drop], ordered[-1 - drop], 1 - outside


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    pairs, fill, messages = (int(sys.argv[k]) if len(sys.argv) > k else default
                             for k, default in ((2, 10), (3, 3000000), (4, 400000)))
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        sys.exit("behind: this needs two processors")
    folder = tempfile.mkdtemp(prefix="kouan-behind.", dir=os.environ.get("FOLDER", "."))
    server = Server(build, folder, processors)
    os.sched_setaffinity(0, processors[1:])
    try:
        print(f"filled with {fill} messages at {day(build, server, processors, fill, 1)}/s")
        ratios, seed = [], 2
        for pair in range(pairs):
            rates = {}
            for reads in ((False, True), (True, False))[pair % 2]:
                late = LateReader(server) if reads else None
                began = time.monotonic()
                if late:
                    late.start()
                rates[reads] = day(build, server, processors, messages, seed)
                if late:
                    late.stop()
                    read = late.bytes / (time.monotonic() - began) / 1e6
                seed += 1
            ratios.append(rates[True] / rates[False])
            print(f"alone {rates[False]}/s, beside late {rates[True]}/s: {ratios[-1]:.3f}; "
                  f"late read {read:.1f} MB/s", flush=True)
        low, high, sure = interval(ratios)
        print(f"median {statistics.median(ratios):.3f} ({low:.3f} to {high:.3f}, {100 * sure:.0f} %); "
              f"late is {server.lag()} messages behind at the end")
    finally:
        server.process.terminate()
        server.process.wait()
        shutil.rmtree(folder)


main()
