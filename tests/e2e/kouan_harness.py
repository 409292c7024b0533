"""What every end-to-end test stands on. Python 3 with its standard library, nothing else.

    from kouan_harness import Server, Skip, Wire, run_tests

    def test_ping():
        with Server() as server, server.wire() as wire:
            assert wire.call("PING") == "PONG"

    def test_own_config():
        with Server(files={"kouan.yaml": "channels: ...", "secret": "s3cret"}) as server:
            ...

    if __name__ == "__main__":
        run_tests()

Server   starts `kouan serve` as a child on a port that the kernel chooses (or on a Unix socket:
         listen="unix"), waits for its line `listening on ADDRESS`, keeps what it prints (`log`,
         `wait_for_log`), and at the end of the `with` stops it by SIGTERM: exit code 0 within
         STOP_SECONDS, or the test fails. If the body of the `with` fails, its log is printed.
         Without `files` it runs on the embedded defaults; else they are written into a folder of
         its own (server.folder), and the first of them is the configuration. Its journal lies in
         that folder, too, unless the configuration says otherwise, or `journal` does, which is
         kept at the end.
Wire     a raw connection: sends any bytes, reads one reply, strictly. Replies become:
             simple string  str          integer  int       null  None      double  float
             bulk string    bytes        boolean  bool      map   dict      array   list
             error          WireError (returned, not raised; str(error) is its text)
             set, push      WireSet, WirePush (lists)       verbatim  WireText (bytes)
         Attributes are stepped over. A map with keys that cannot be hashed becomes a list of pairs.
         What is not RESP raises WireBroken, the end of the connection WireClosed, silence a timeout.
Skip     raised by a test that cannot run here; counted apart.
run_tests runs the functions named test_* of the main module (or those whose names contain one of
         the command line's words), each in a process of its own with a deadline; prints `ok NAME`,
         `FAIL NAME` or `skip NAME: REASON` for each and `N passed, N failed, N skipped` at the
         end; exits with 1 if any failed, or if none was chosen.

Environment: KOUAN, the program (default: build/kouan of this repository), with arguments if need
be; KOUAN_TEST_SECONDS, a test's deadline (default 60); KOUAN_TEST_DELAY, `N:SEED`: each server's
claims and commits wait up to N turns at random; KOUAN_TEST_SHARDS, `N`: each server has so many
shards, if the test does not say; KOUAN_TEST_SYNC, `memory`: servers with a configuration of their
own run without a disk; KOUAN_TEST_OPTIONS, `turn_wait: 1ms;...`: lines for those configurations.

Tests hold for any number of shards. What a test bounds (a backlog, the journal) is divided among
the logs; so that one log has what the test says, all that is divided so is multiplied in the
configuration (`for_each_log`). What must lie in one log, in order, shares an order key
(`ONE_CASE` in provincial.py). What is of one shard by nature says so: `one_shard(REASON)`.
"""

import ctypes
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 15
WIRE_SECONDS = 10
LINE_BYTES_MAX = 64 * 1024
TEST_DELAY = os.environ.get("KOUAN_TEST_DELAY", "")
TEST_SHARDS = int(os.environ.get("KOUAN_TEST_SHARDS") or 0)
TEST_OPTIONS = os.environ.get("KOUAN_TEST_OPTIONS", "")
TEST_SYNC = os.environ.get("KOUAN_TEST_SYNC", "commit")
TEST_SECONDS = int(os.environ.get("KOUAN_TEST_SECONDS", "60"))


class Skip(Exception):
    """This test cannot run here; the text says why."""


def one_shard(reason):
    """This test is of one shard by nature; with more by KOUAN_TEST_SHARDS it is skipped."""
    if TEST_SHARDS > 1:
        raise Skip(f"of one shard: {reason}")


# ---- Programs -------------------------------------------------------------------------------------


def kouan_command():
    """The program under test and its first arguments; a test without it is skipped."""
    command = shlex.split(os.environ.get("KOUAN", str(TOP / "build" / "kouan")))
    if shutil.which(command[0]) is None:
        raise Skip(f"{command[0]} is not built")
    return command


def serve_command(*arguments):
    """Of a server that a test starts by itself."""
    shards = ["--shards", str(TEST_SHARDS)] if TEST_SHARDS else []
    return kouan_command() + ["serve", *map(str, arguments), *shards]


def run_kouan(*arguments, input=None, seconds=30, cwd=None):
    """Runs one command to its end; the result has returncode, stdout and stderr (text)."""
    return subprocess.run(
        kouan_command() + [str(argument) for argument in arguments],
        input=input, capture_output=True, text=True, timeout=seconds, cwd=cwd, check=False)


def make_folder(files):
    """A new temporary folder with these files: {"a/name": text or bytes}. The caller removes it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-e2e-"))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
    return folder


def die_with_parent():
    """Runs in a child: SIGKILL when its parent ends, however that ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def with_sync(files):
    """The first of the files is a configuration."""
    name, text = next(iter(files.items()))
    if isinstance(text, str) and not re.search(r"^sync:", text, re.MULTILINE):
        files = {**files, name: text.rstrip("\n") + f"\nsync: {TEST_SYNC}\n"}
    return files


# Bounds of which each log has a part (docs/configuration.md).
OF_LOGS = ("memory", "journal_size", "recall_memory", "window_entries", "holds_max",
           "hold_bytes_max", "pending_max", "backlog_max", "backlog_bytes_max", "retain_bytes")


def for_each_log(files, shards):
    """Multiplies in the configuration, the first of the files, what is divided among logs."""
    name, text = next(iter(files.items()))
    if isinstance(text, str):
        more = lambda match: f"{match[1]}{int(match[2]) * shards}"
        files = {**files, name: re.sub(r"\b((?:%s): *)(\d+)" % "|".join(OF_LOGS), more, text)}
    return files


def with_options(files):
    """Those of KOUAN_TEST_OPTIONS that the test does not say, into the first of the files."""
    name, text = next(iter(files.items()))
    if isinstance(text, str):
        lines = [line for line in TEST_OPTIONS.split(";")
                 if not re.search(rf"^{line.split(':')[0].strip()}:", text, re.MULTILINE)]
        files = {**files, name: "\n".join([text.rstrip("\n"), *lines, ""])}
    return files


class Server:
    """`kouan serve`; see the top of the file."""

    def __init__(self, files=None, listen="127.0.0.1:0", arguments=(), environment=None,
                 journal=None, shards=None):
        if files and TEST_SHARDS > 1 and not shards and "--shards" not in arguments:
            files = for_each_log(files, TEST_SHARDS)
        if files and TEST_OPTIONS:
            files = with_options(files)
        self.folder = make_folder(with_sync(files) if files else {})
        self.address = None
        self.lines = []
        self._news = threading.Condition()
        self._ended = False
        if listen == "unix":
            listen = f"unix:{self.folder}/kouan.sock"
        command = kouan_command() + ["serve"]
        if files:
            command += ["-c", str(self.folder / next(iter(files)))]
        if journal or not files:
            command += ["--journal", str(journal or self.folder / "journal")]
        command += ["--listen", listen, *map(str, arguments)]
        if TEST_DELAY:
            command += ["--test-delay", TEST_DELAY]
        if (shards or TEST_SHARDS) and "--shards" not in arguments:
            command += ["--shards", str(shards or TEST_SHARDS)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.address = self.wait_for_log(r"listening on (\S+)", START_SECONDS).group(1)
        except BaseException:
            self.kill()
            self._report()
            raise

    def _read_log(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def log(self):
        with self._news:
            return "\n".join(self.lines)

    def wait_for_log(self, pattern, seconds=30):
        """The match of a regular expression in the first line that has one, past or to come."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    match = re.search(pattern, line)
                    if match:
                        return match
                seen = len(self.lines)
                if self._ended:
                    raise AssertionError(f"the server ended without a line like {pattern!r}")
                if not self._news.wait(deadline - time.monotonic()) and seen == len(self.lines):
                    raise AssertionError(f"no line like {pattern!r} within {seconds} s")

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def wire(self, protocol=2, seconds=WIRE_SECONDS):
        return Wire(self.address, protocol, seconds)

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM; exit code 0 in time. Returns the whole log. Once is enough."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self._report()
            raise AssertionError(f"the server did not stop within {seconds} s") from None
        self._clean_up()
        if code != 0:
            self._report()
            raise AssertionError(f"the server's exit code is {code}")
        return self.log

    def kill(self):
        """SIGKILL, for tests of what a crash leaves behind; stop() must not follow."""
        self.process.kill()
        self.process.wait()
        self._clean_up()

    def _clean_up(self):
        self._reader.join(5)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _report(self):
        print(f"---- the server's log\n{self.log}\n----", flush=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.returncode is not None:
            return
        if kind is None:
            self.stop()
        else:
            self.kill()
            self._report()


# ---- The wire -------------------------------------------------------------------------------------


class WireError(Exception):
    """An error reply. `word` is its first word, the stable part."""

    @property
    def word(self):
        return str(self).split(" ", 1)[0]

    def __eq__(self, other):
        return isinstance(other, WireError) and str(self) == str(other)

    __hash__ = Exception.__hash__


class WireBroken(Exception):
    """The peer sent what is not RESP."""


class WireClosed(Exception):
    """The peer closed the connection."""


class WireSet(list):
    pass


class WirePush(list):
    pass


class WireText(bytes):
    pass


def encode_command(*arguments):
    """The bytes of a command: an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        value = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(value), value))
    return b"".join(parts)


def connect(address, seconds=WIRE_SECONDS):
    """A socket to `127.0.0.1:7400`, `[::1]:7400` or `unix:/path`."""
    if address.startswith("unix:"):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(seconds)
        peer.connect(address[len("unix:"):])
        return peer
    host, port = address.rsplit(":", 1)
    peer = socket.create_connection((host.strip("[]"), int(port)), seconds)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


class Wire:
    """One raw RESP connection; see the top of the file."""

    def __init__(self, address, protocol=2, seconds=WIRE_SECONDS):
        self.socket = connect(address, seconds)
        self._have = bytearray()
        self._start = 0
        if protocol == 3:
            hello = self.call("HELLO", 3)
            assert isinstance(hello, dict) and hello[b"proto"] == 3, f"HELLO 3 says {hello!r}"

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise WireClosed("the connection ended") from None

    def command(self, *arguments):
        """Sends a command without waiting for its reply."""
        self.send(encode_command(*arguments))

    def call(self, *arguments):
        self.command(*arguments)
        return self.read()

    def read(self):
        """The next reply."""
        while True:
            item = self._read_item()
            if item is not _ATTRIBUTE:
                return item

    def expect_closed(self):
        """Nothing more comes, and the connection ends."""
        if len(self._have) > self._start:
            raise AssertionError(f"more came: {bytes(self._have[self._start:])[:200]!r}")
        try:
            data = self.socket.recv(4096)
        except ConnectionResetError:
            return
        if data:
            raise AssertionError(f"more came: {data[:200]!r}")

    def expect_silence(self, seconds=0.2):
        """Nothing comes for so long."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self._fill()
        except TimeoutError:
            return
        finally:
            self.socket.settimeout(before)
        raise AssertionError(f"this came: {bytes(self._have[self._start:])[:200]!r}")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _fill(self):
        try:
            data = self.socket.recv(256 * 1024)
        except ConnectionResetError:
            data = b""
        if not data:
            raise WireClosed("the connection ended")
        del self._have[:self._start]
        self._start = 0
        self._have += data

    def _read_line(self):
        searched = 0
        while True:
            end = self._have.find(b"\r\n", self._start + searched)
            if end >= 0:
                line = bytes(self._have[self._start:end])
                self._start = end + 2
                if b"\n" in line or b"\r" in line or not line:
                    raise WireBroken(f"a broken line: {line[:200]!r}")
                return line
            searched = max(0, len(self._have) - self._start - 1)
            if searched > LINE_BYTES_MAX:
                raise WireBroken("a line without an end")
            self._fill()

    def _read_body(self, size):
        while len(self._have) - self._start < size + 2:
            self._fill()
        body = bytes(self._have[self._start:self._start + size])
        end = bytes(self._have[self._start + size:self._start + size + 2])
        if end != b"\r\n":
            raise WireBroken(f"{size} bytes are followed by {end!r}")
        self._start += size + 2
        return body

    def _read_item(self):
        line = self._read_line()
        mark, rest = line[:1], line[1:]
        if mark == b"+":
            return rest.decode()
        if mark == b"-":
            return WireError(rest.decode())
        if mark == b":":
            return parse_integer(rest)
        if mark == b"_" and not rest:
            return None
        if mark == b"#" and rest in (b"t", b"f"):
            return rest == b"t"
        if mark == b",":
            return float(rest)
        if mark == b"(":
            return parse_integer(rest)
        if mark in b"$*" and rest == b"-1":
            return None
        if mark in b"$!=*~>%|" and (count := parse_integer(rest)) >= 0:
            return self._read_sized(mark, count)
        raise WireBroken(f"not RESP: {line[:200]!r}")

    def _read_sized(self, mark, count):
        if mark == b"$":
            return self._read_body(count)
        if mark == b"!":
            return WireError(self._read_body(count).decode())
        if mark == b"=":
            return WireText(self._read_body(count)[4:])
        if mark in b"%|":
            pairs = [(self.read(), self.read()) for _ in range(count)]
            if mark == b"|":
                return _ATTRIBUTE
            try:
                return dict(pairs)
            except TypeError:
                return pairs
        kind = {b"*": list, b"~": WireSet, b">": WirePush}[mark]
        return kind(self.read() for _ in range(count))


_ATTRIBUTE = object()


def parse_integer(text):
    if not re.fullmatch(rb"0|-?[1-9][0-9]*", text):
        raise WireBroken(f"not a number: {text[:200]!r}")
    return int(text)


# ---- The runner -----------------------------------------------------------------------------------

PASSED, FAILED, SKIPPED = 0, 1, 2


def run_tests():
    names = vars(sys.modules["__main__"])
    tests = [(name, run) for name, run in names.items()
             if name.startswith("test_") and callable(run)]
    words = sys.argv[1:]
    chosen = [(name, run) for name, run in tests
              if not words or any(word in name for word in words)]
    counts = [0, 0, 0]
    for name, run in chosen:
        outcome, reason = run_isolated(run)
        counts[outcome] += 1
        print({PASSED: f"ok {name}", FAILED: f"FAIL {name}{reason}",
               SKIPPED: f"skip {name}{reason}"}[outcome], flush=True)
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    sys.exit(1 if counts[FAILED] or not chosen else 0)


def run_isolated(run):
    """(outcome, reason) of one test, in a process group of its own that is ended with it."""
    reasons, reason_end = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        die_with_parent()
        os.close(reasons)
        os._exit(run_here(run, reason_end))
    os.close(reason_end)
    outcome, reason = wait_with_deadline(child, reasons)
    os.close(reasons)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return outcome, reason


def run_here(run, reason_end):
    """In the test's process: an outcome as exit code, and a reason through the pipe."""
    outcome = PASSED
    try:
        run()
    except Skip as skip:
        os.write(reason_end, f": {skip}".encode())
        outcome = SKIPPED
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        outcome = FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    return outcome


def wait_with_deadline(child, reasons):
    deadline = time.monotonic() + TEST_SECONDS
    pid, status = os.waitpid(child, os.WNOHANG)
    while pid == 0:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return FAILED, f": not done after {TEST_SECONDS} s"
        time.sleep(0.005)
        pid, status = os.waitpid(child, os.WNOHANG)
    if os.WIFSIGNALED(status):
        return FAILED, f": ended by signal {os.WTERMSIG(status)}"
    if os.WEXITSTATUS(status) == SKIPPED:
        os.set_blocking(reasons, False)
        return SKIPPED, os.read(reasons, 4096).decode()
    return (PASSED if os.WEXITSTATUS(status) == 0 else FAILED), ""
