"""The server that is tortured, and what can be asked of it from outside."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from kouan_harness import Wire, WireClosed, WireError, die_with_parent, kouan_command  # noqa: E402

SHARDS = (1, 2, 3)


def add_shards(parser):
    parser.add_argument("--shards", type=int, choices=SHARDS,
                        help="threads and logs of the server; without it, the seed says")


def shards_of(arguments):
    return arguments.shards or random.Random(f"shards/{arguments.seed}").choice(SHARDS)


class Kouan:
    """One life after the other, on the journal of one folder with its kouan.yaml."""

    def __init__(self, folder, groups, shards):
        self.folder, self.groups, self.shards = pathlib.Path(folder), groups, shards
        self.address = f"unix:{folder}/kouan.sock"
        self.log = open(self.folder / "log", "ab")
        self.process = None

    def start(self, environment=None):
        self.process = subprocess.Popen(
            kouan_command() + ["serve", "-c", str(self.folder / "kouan.yaml"), "--listen",
                               self.address, "--shards", str(self.shards)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)

    def wait_until_up(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended by itself ({self.process.returncode}):\n"
                                     f"{self.tail()}")
            try:
                with Wire(self.address) as wire:
                    if wire.call("PING") == "PONG":
                        return
            except (OSError, WireClosed):
                # Closed: for some ms the ring of a server that was killed keeps its sockets open.
                time.sleep(0.002)
        raise AssertionError(f"the server did not come up:\n{self.tail()}")

    def kill(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended by itself ({self.process.returncode}):\n"
                                 f"{self.tail()}")
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30) != 0:
            raise AssertionError(f"the server's exit code is {self.process.returncode}:\n"
                                 f"{self.tail()}")

    def wait_until_ended(self, seconds=20):
        """Its exit code, when it is expected to end by itself."""
        return self.process.wait(seconds)

    def end(self):
        """Whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tail(self):
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-30:])

    def call(self, *words):
        with Wire(self.address) as wire:
            reply = wire.call(*words)
        if isinstance(reply, WireError):
            raise AssertionError(f"{words}: {reply}")
        return reply

    def is_drained(self):
        """No group has anything pending or to come."""
        try:
            for destination in {destination for destination, _ in self.groups}:
                for group in self.call("XINFO", "GROUPS", destination):
                    facts = dict(zip(group[::2], group[1::2]))
                    if facts[b"pending"] or facts[b"lag"]:
                        return False
            return True
        except (OSError, WireClosed):
            return False

    def ledger(self):
        """The books."""
        return json.loads(self.run("ledger", "--connect", self.address, "--json"))

    def info(self):
        """INFO as {name: text}."""
        text = self.call("INFO").decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def verify(self, journal=None):
        """`kouan journal verify`, while no server runs: all is as it was written, or torn."""
        return self.run("journal", "verify", str(journal or self.folder / "journal"))

    def run(self, *arguments):
        result = subprocess.run(kouan_command() + list(arguments), capture_output=True, text=True,
                                timeout=60, check=False)
        if result.returncode != 0:
            raise AssertionError(f"kouan {' '.join(arguments)}: exit code {result.returncode}\n"
                                 f"{result.stdout}{result.stderr}")
        return result.stdout
