"""Starting and stopping."""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

from kouan_harness import (TEST_OPTIONS, Server, Skip, WireClosed, WireError, connect,
                           encode_command, kouan_command, make_folder, one_shard, run_kouan,
                           run_tests)
from provincial import (ONE_CASE, add, event, files, many_wires, plain_files, read_group,
                        two_way_files)


class Load:
    """A publisher that sends without end, and counts the receipts that it got."""

    def __init__(self, wire, name):
        self.wire, self.name, self.receipts, self.problem = wire, name, 0, None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        number = 0
        try:
            while True:
                self.wire.send(b"".join(
                    encode_command("XADD", "in", "*", "body", event(f"{self.name}-{number + n}"))
                    for n in range(50)))
                number += 50
                for _ in range(50):
                    reply = self.wire.read()
                    if isinstance(reply, bytes):
                        self.receipts += 1
                    elif reply.word != "TRYAGAIN":
                        self.problem = reply
        except (WireClosed, OSError):
            pass


def ledger_row(log):
    """Of all intake, as printed at the stop: received, fresh, replay, ... gap."""
    row = next(line for line in log.splitlines() if line.startswith("all  "))
    return [int(number) for number in row.split()[1:]]


def stop_under_load(number):
    with Server(files=plain_files()) as server:
        with many_wires(server, 4) as wires, server.wire() as blocked:
            blocked.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS", "all", "0")
            loads = [Load(wire, n) for n, wire in enumerate(wires)]
            time.sleep(0.15)
            before = time.monotonic()
            server.process.send_signal(number)
            assert server.process.wait(10) == 0
            assert time.monotonic() - before < 5
            for load in loads:
                load.thread.join()
                assert load.problem is None, load.problem
        log = server.log
        server._clean_up()
        received, fresh, *_, undecided, gap = ledger_row(log)
        assert fresh == received - ledger_row(log)[5] and undecided == 0 and gap == 0, log
        assert 0 < sum(load.receipts for load in loads) <= fresh, (log, loads)
        assert re.search(r"^gap 0$", log, re.M)


def test_sigterm_under_load():
    stop_under_load(signal.SIGTERM)


def test_sigint_under_load():
    stop_under_load(signal.SIGINT)


def test_stop_while_a_pipeline_never_ends():
    """Commands that come after the stop was asked for are not begun."""
    with Server(files=plain_files(stop_time="1m")) as server, server.wire() as wire:
        def send():
            try:
                for number in range(1000000):
                    wire.command("XADD", "in", "*", "body", event(number, "FAST"))
            except OSError:
                pass
        thread = threading.Thread(target=send)
        thread.start()
        for _ in range(300):
            wire.read()
        server.process.send_signal(signal.SIGTERM)
        before = time.monotonic()
        try:
            while True:
                wire.read()
        except WireClosed:
            pass
        thread.join()
        wire.close()
        server.stop()
        assert time.monotonic() - before < 5


def test_stop_answers_what_was_received():
    """All receipts come before the end, also when the peer sends no more."""
    with Server(files=plain_files()) as server, server.wire() as wire:
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n)) for n in range(500)))
        first = wire.read()
        server.process.send_signal(signal.SIGTERM)
        receipts = 1
        try:
            while isinstance(wire.read(), bytes):
                receipts += 1
        except WireClosed:
            pass
        wire.close()
        log = server.stop()
        assert isinstance(first, bytes) and ledger_row(log)[1] == receipts, log


def test_stop_with_a_blocked_reader():
    with Server(files=plain_files()) as server, server.wire() as wire:
        wire.command("XREADGROUP", "GROUP", "all", "c", "BLOCK", 0, "STREAMS", "all", ">")
        wire.expect_silence(0.05)
        server.process.send_signal(signal.SIGTERM)
        wire.expect_closed()


def test_stop_with_waiting_publishers():
    """They are told at once, not after publish_wait."""
    with Server(files=two_way_files("backlog_max: 16", publish_wait="1h")) as server, \
            server.wire() as wire:
        wire.send(b"".join(encode_command("XADD", "in", "*", "body", event(n, "SLOW", **ONE_CASE))
                           for n in range(30)))
        assert all(isinstance(wire.read(), bytes) for _ in range(16))
        wire.expect_silence(0.05)
        before = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert {wire.read().word for _ in range(14)} == {"TRYAGAIN"}
        wire.expect_closed()
        wire.close()
        log = server.stop()
        assert time.monotonic() - before < 3 and re.search(r"^gap 0$", log, re.M)
        assert ledger_row(log)[:2] == [30, 16]


def test_stop_with_a_reader_that_stopped():
    """It does not hold up the end beyond stop_time."""
    with Server(files=plain_files(stop_time="300ms")) as server, server.wire() as wire:
        wire.call("XADD", "in", "*", "body", event(1, note="x" * 400000))
        read_group(wire)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(60):
            wire.command("XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", "0")
        time.sleep(0.1)
        before = time.monotonic()
        server.stop()
        assert 0.2 < time.monotonic() - before < 3


def test_unix_socket():
    with Server(files=plain_files(), listen="unix") as server:
        path = server.address[len("unix:"):]
        assert os.stat(path).st_mode & 0o777 == 0o660
        with server.wire() as wire, server.wire(protocol=3) as other:
            ident = add(wire, 1)
            assert [i for i, _ in read_group(other)] == [ident]
            wire.close()
            other.close()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0 and not os.path.exists(path)
        server._clean_up()


def test_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        raise Skip("this machine has no IPv6") from None
    with Server(files=plain_files(), listen="[::1]:0") as server, server.wire() as wire:
        assert server.address.startswith("[::1]:") and isinstance(add(wire, 1), bytes)
        assert b"addr=[::1]:" in wire.call("CLIENT", "LIST")


def test_several_listeners():
    folder = make_folder({})
    files_here = plain_files(listen=f"[127.0.0.1:0, 'unix:{folder}/a.sock']")
    config = make_folder(files_here)
    try:
        process = subprocess.Popen(kouan_command() + ["serve", "-c", str(config / "kouan.yaml")],
                                   stderr=subprocess.PIPE, text=True)
        addresses = []
        while len(addresses) < 2:
            line = process.stderr.readline()
            assert line, "it ended"
            addresses += re.findall(r"listening on (\S+)", line)
        for address in addresses:
            with connect(address) as peer:
                peer.sendall(b"PING\r\n")
                assert peer.recv(100) == b"+PONG\r\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        process.stderr.close()
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(config)


# Small segments have a word to say about the default pending_max.
QUIET = {"defaults": "{pending_max: 10000}"}


def refused(*arguments, config=None):
    """What `serve` prints when it does not start."""
    folder = make_folder(config or plain_files(**QUIET))
    try:
        result = run_kouan("serve", "-c", folder / "kouan.yaml", *arguments, seconds=10)
    finally:
        shutil.rmtree(folder)
    assert result.returncode == 1, (result.returncode, result.stderr)
    return result.stderr


def test_beyond_loopback():
    assert "plaintext: yes" in refused("--listen", "0.0.0.0:0")
    assert "plaintext: yes" in refused("--listen", "*:0")
    assert "plaintext: yes" in refused(config=plain_files(listen='["0.0.0.0:7400"]'))
    with Server(files=plain_files(plaintext="yes"), listen="0.0.0.0:0") as server:
        with connect(f"127.0.0.1:{server.port}") as peer:
            peer.sendall(b"PING\r\n")
            assert peer.recv(100) == b"+PONG\r\n"


def test_address_in_use():
    with Server(files=plain_files()) as server:
        said = refused("--listen", server.address)
        assert f"{server.address} is in use" in said and said.count("\n") == 1, said
        # One of two: the other is given back.
        config = plain_files(listen=f"['127.0.0.1:0', '{server.address}']", **QUIET)
        said = refused(config=config)
        assert f"{server.address} is in use" in said and said.count("\n") == 1, said
        with server.wire() as wire:
            assert wire.call("PING") == "PONG"


def test_nonsense_to_listen_at():
    for address in ("127.0.0.1", "127.0.0.1:99999", "unix:", "unix:/no/such/folder/x.sock",
                    "256.0.0.1:1", "[::1:7"):
        said = refused("--listen", address)
        assert said.count("\n") == 1 and said.startswith("kouan serve: "), said


def test_secrets_must_be_secret():
    assert "C108" in refused(config={**files(), "secrets/root": "short"})
    inline = files()["kouan.yaml"].replace("secret_file: secrets/root", "secret: " + "x" * 24)
    assert "C108" in refused(config=files(inline))


def test_segments_are_open_files():
    """Each segment of the journal stays open: where the limit on files is below what journal_size
    allows, the journal grows to what the limit allows, and the start says so."""
    one_shard("more of them have more open files of their own")
    few = plain_files(sync="commit", connections_max=16, journal_size="512MiB")
    many = plain_files(sync="commit", connections_max=16, journal_size="8GiB")
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, 1000))
    with Server(files=few) as server:
        assert "the limit on open files" not in server.log, server.log
    with Server(files=many) as server:
        told = server.wait_for_log(r"open files, (\d+), .* have (\d+) segments, .* journal_size (\d+)")
        assert list(map(int, told.groups())) == [1000, 1000 - 16 - 512, 2048], told.group(0)


def test_io_uring_forbidden():
    """As under a container's seccomp profile: one line that says what to do, and exit code 1."""
    if shutil.which("strace") is None:
        raise Skip("strace is not installed")
    folder = make_folder(plain_files(**QUIET))
    trace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=io_uring_setup",
             "-e", "inject=io_uring_setup:error=EPERM"]
    try:
        if subprocess.run([*trace, "true"], capture_output=True, check=False).returncode != 0:
            raise Skip("strace may not trace here")
        result = subprocess.run([*trace, *kouan_command(), "serve", "-c", folder / "kouan.yaml"],
                                capture_output=True, text=True, timeout=20, check=False,
                                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})  # no ptrace
    finally:
        shutil.rmtree(folder)
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if not line.startswith("strace:")]
    assert len(lines) == 1 and "io_uring" in lines[0], result.stderr


RING_OPTIONS = {"turn_wait": "300us", "submission_poll": "5ms", "busy_poll": "20us",
                "zero_copy_send": "1KiB"}


def ring_options(wire):
    info = wire.call("INFO", "server").decode()
    return re.search(r"ring_options:(\S+)", info).group(1)


def test_options_of_the_ring():
    """Each is in effect, or the start says at its place why not; messages go through all the same."""
    with Server(files=plain_files()) as server, server.wire() as wire:
        assert TEST_OPTIONS or ring_options(wire) == "none"
    with Server(files=plain_files(turn_completions=4, **RING_OPTIONS)) as server, \
            server.wire() as wire:
        granted = ring_options(wire).split(",")
        for name in RING_OPTIONS:
            warned = f"warning[C113]: `{name}`" in server.log
            assert (name in granted) != warned, (granted, server.log)
        ids = [add(wire, n) for n in range(50)]
        assert [ident for ident, _ in read_group(wire, "COUNT", 50)] == ids


if __name__ == "__main__":
    run_tests()
