"""Peers that are hostile, broken or slow: each is ended or bounded, and others are served."""

import os
import resource
import socket
import struct
import time

from kouan_harness import TEST_SHARDS, Server, WireClosed, connect, encode_command, run_tests
from provincial import (add, add_many, entries, event, files, info, ledger, login, many_wires,
                        plain_files, read_group)


def read_all(peer):
    """What comes until the end of the connection."""
    data = b""
    try:
        while piece := peer.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def wait_until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def connected(wire):
    return int(info(wire)["connected_clients"])


# ---- what is not RESP -----------------------------------------------------------------------------


def test_browsers_are_ended():
    with Server(files=plain_files()) as server, server.wire() as wire:
        for request in (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        b"post / HTTP/1.1\r\n", b"Host: localhost:7400\r\n\r\n"):
            with connect(server.address) as peer:
                peer.sendall(request + encode_command("XADD", "in", "*", "body", event(1)))
                assert read_all(peer) == b""
        with connect(server.address) as peer:  # GET is an unknown command; Host: ends it
            peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"unknown command 'GET'" in read_all(peer)
        assert wire.call("XLEN", "all") == 0


def test_garbage():
    errors = {
        b"*1\r\n:5\r\n": b"Protocol error: expected '$', got ':'",
        b"*x\r\n": b"Protocol error: invalid multibulk length",
        b"*99999999\r\n": b"Protocol error: invalid multibulk length",
        b"*18446744073709551616\r\n": b"Protocol error: invalid multibulk length",
        b"*2\r\n$4\r\nECHO\r\n$99999999\r\n": b"Protocol error: invalid bulk length",
        b"*2\r\n$4\r\nECHO\r\n$-1\r\n": b"Protocol error: invalid bulk length",
        b"*1\r\n$4\r\nPINGxx": b"Protocol error",
        b"'unbalanced\r\n": b"Protocol error: unbalanced quotes in request",
        b"x" * 70000: b"Protocol error: too big inline request",
    }
    with Server(files=plain_files()) as server:
        for garbage, expected in errors.items():
            with connect(server.address) as peer:
                peer.sendall(b"PING\r\n" + garbage)
                reply = read_all(peer)
                assert reply.startswith(b"+PONG\r\n-ERR ") and expected in reply, (garbage, reply)
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        import random
        rng = random.Random(seed)
        for _ in range(100):
            with connect(server.address) as peer:
                try:
                    peer.sendall(rng.choice([b"", b"*", b"*3\r\n$", b"\r\n"]) +
                                 rng.randbytes(rng.randrange(3000)))
                    peer.shutdown(socket.SHUT_WR)
                except OSError:
                    continue
                read_all(peer)
        with server.wire() as wire:
            assert is_well(wire)


def is_well(wire):
    return wire.call("PING") == "PONG" and ledger(wire)["gap"] == 0


def test_inline_commands_and_empty_lines():
    with Server(files=plain_files()) as server, server.wire() as wire:
        wire.send(b"\r\n\nPING\r\n  ECHO  'a b' \nECHO \"\\x41\\n\"\r\n*0\r\n*-1\r\nPING\r\n")
        assert [wire.read() for _ in range(4)] == ["PONG", b"a b", b"A\n", "PONG"]


# ---- slow ones ------------------------------------------------------------------------------------


def test_half_commands_are_ended():
    with Server(files=plain_files(half_command_time="200ms")) as server, server.wire() as wire:
        halves = [b"*", b"*2\r\n$4\r\nECHO\r\n$5000\r\nabc", b"PIN", b"*1\r\n$4\r\nPING\r",
                  encode_command("XADD", "in", "*", "body", b"x" * 300000)[:-1]]
        peers = [connect(server.address) for _ in halves]
        for peer, half in zip(peers, halves):
            peer.sendall(half)
        started = time.monotonic()
        for peer in peers:
            assert read_all(peer) == b""
            peer.close()
        assert 0.15 < time.monotonic() - started < 3
        assert int(info(wire)["aborted_half_command"]) == len(halves)


def test_byte_by_byte_beside_fast_ones():
    with Server(files=plain_files()) as server, server.wire() as fast, \
            many_wires(server, 20) as slow:
        commands = [encode_command("XADD", "in", "*", "body", event(n)) for n in range(20)]
        number = 100
        for at in range(max(map(len, commands))):
            for wire, command in zip(slow, commands):
                if at < len(command):
                    wire.send(command[at:at + 1])
            if at % 20 == 0:
                add_many(fast, range(number, number + 100))
                number += 100
        assert all(isinstance(wire.read(), bytes) for wire in slow)
        assert fast.call("XLEN", "all") == number - 100 + 20


def test_a_large_command_in_pieces():
    body = event(1, note="x" * 400000)
    command = encode_command("XADD", "in", "*", "body", body)
    with Server(files=plain_files(large_carries=2)) as server, many_wires(server, 5) as wires:
        # More of them than there are carries: they take turns as they end.
        for start in range(0, len(command), 70001):
            for wire in wires[:2]:
                wire.send(command[start:start + 70001])
        assert wires[0].read() == wires[1].read()
        for wire in wires:
            wire.send(command)
        assert len({wire.read() for wire in wires}) == 1
        (_, fields), = read_group(wires[0])
        assert fields[b"body"] == body


# ---- many -----------------------------------------------------------------------------------------


def raise_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(hard, max(soft, wanted))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def test_a_thousand_idle_connections():
    limit = raise_descriptors(4096)
    count = min(1000, (limit - 200) // 2)
    with Server(files=plain_files()) as server, server.wire() as wire, \
            many_wires(server, count) as idle:
        wait_until(lambda: connected(wire) == count + 1)
        turns = int(info(wire)["turns"])
        time.sleep(0.2)
        assert int(info(wire)["turns"]) - turns < 50  # nothing spins
        before = time.monotonic()
        add_many(wire, range(2000))
        assert time.monotonic() - before < 5
        for n, one in enumerate(idle[:100]):
            one.command("XREADGROUP", "GROUP", "all", f"c{n}", "COUNT", 20, "STREAMS", "all", ">")
        assert sum(len(entries(one.read())) for one in idle[:100]) == 2000
        assert is_well(wire)
    # All of them have gone at once.


def test_one_connection_too_many():
    most = 16 * max(TEST_SHARDS, 1)  # no shard has fewer
    with Server(files=plain_files(connections_max=most)) as server, server.wire() as wire:
        with many_wires(server, most - 1) as wires:
            assert all(one.call("PING") == "PONG" for one in wires)
            for _ in range(3):
                with connect(server.address) as peer:
                    assert read_all(peer) == b""
            assert wire.call("PING") == "PONG" and int(info(wire)["rejected_connections"]) == 3
        wait_until(lambda: connected(wire) == 1)
        with server.wire() as again:
            assert again.call("PING") == "PONG"


# ---- before they have said who they are -----------------------------------------------------------


def test_handshake_time():
    config = files()["kouan.yaml"] + "handshake_time: 200ms\n"
    with Server(files=files(config)) as server, login(server, "root") as root:
        with connect(server.address) as peer:
            started = time.monotonic()
            assert read_all(peer) == b"" and 0.1 < time.monotonic() - started < 3
        with server.wire() as wire:  # talking does not help
            try:
                while True:
                    wire.call("AUTH", "nansha", "wrong")
                    wire.call("RESET")
            except WireClosed:
                pass
        with login(server, "nansha") as wire:
            time.sleep(0.3)
            assert wire.call("PING") == "PONG"
            assert wire.call("RESET") == "RESET"  # nobody again, and for so long
            assert wire.call("PING").word == "NOAUTH"
            started = time.monotonic()
            wire.expect_closed()
            assert time.monotonic() - started < 3
        assert root.call("PING") == "PONG"


def test_auth_flood():
    with Server(files=files()) as server, login(server, "nansha") as wire, \
            many_wires(server, 20) as flood:
        for one in flood:
            one.send(encode_command("AUTH", "nansha", "x" * 200) * 1000)
        before = time.monotonic()
        for n in range(50):
            assert wire.call("PING") == "PONG"
        assert time.monotonic() - before < 5
        for one in flood:
            assert {one.read().word for _ in range(1000)} == {"WRONGPASS"}


# ---- leaving --------------------------------------------------------------------------------------


def test_a_half_close_gets_its_replies():
    """A client may end its side when it has sent all, and read on."""
    with Server(files=plain_files()) as server:
        for data, count in [(b"".join(encode_command("XADD", "in", "*", "body", event(n))
                                      for n in range(500)), 500),
                            (encode_command("PING") * 30, 30),
                            (encode_command("XADD", "in", "*", "body", event(1)) +
                             encode_command("XREADGROUP", "GROUP", "all", "c", "COUNT", 1,
                                            "STREAMS", "all", ">") +
                             encode_command("PING") + b"*1\r\n$4\r\nPI", 3)]:
            with server.wire() as wire:
                wire.send(data)
                wire.socket.shutdown(socket.SHUT_WR)
                for _ in range(count):
                    wire.read()
                wire.expect_closed()


def test_a_blocked_reader_that_half_closes_gets_nothing():
    """It is ended at once, and no message is given to one that will not acknowledge it."""
    with Server(files=plain_files()) as server, server.wire() as wire:
        with server.wire() as reader:
            reader.command("XREADGROUP", "GROUP", "all", "gone", "BLOCK", 0, "STREAMS", "all", ">")
            reader.expect_silence(0.05)
            reader.socket.shutdown(socket.SHUT_WR)
            time.sleep(0.05)
            add(wire, 1)
            reader.expect_closed()
        assert wire.call("XPENDING", "all", "all")[0] == 0
        assert len(read_group(wire)) == 1


def reset(wire):
    """Closes with a reset, whatever is under way."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


def test_leaving_in_the_middle():
    with Server(files=plain_files()) as server, server.wire() as wire:
        add_many(wire, range(200), note="x" * 5000)
        read_group(wire, "COUNT", 1)
        pipeline = b"".join(encode_command("XADD", "in", "*", "body", event(f"p{n}"))
                            for n in range(300))
        reads = encode_command("XREADGROUP", "GROUP", "all", "d", "STREAMS", "all", "0") * 50
        blocked = encode_command("XREADGROUP", "GROUP", "all", "b", "BLOCK", 0, "STREAMS", "all",
                                 ">")
        for data in (pipeline, pipeline[:-7], reads, pipeline + reads, blocked, blocked + pipeline[:3000],
                     blocked + pipeline,
                     encode_command("XADD", "in", "*", "body", b"x" * 200000)[:100000]):
            for leave in (reset, lambda one: one.close()):
                for wait in (0, 0.002, 0.02):
                    one = server.wire()
                    one.send(data)
                    time.sleep(wait)
                    leave(one)
        wait_until(lambda: connected(wire) == 1)
        wait_until(lambda: all(a["undecided"] == 0 for a in ledger(wire)["intake"]))
        assert is_well(wire)


def test_quit_and_what_follows():
    with Server(files=plain_files()) as server, server.wire() as wire:
        wire.send(encode_command("XADD", "in", "*", "body", event(1)) + encode_command("QUIT") +
                  encode_command("PING"))
        assert isinstance(wire.read(), bytes) and wire.read() == "OK"
        wire.expect_closed()


if __name__ == "__main__":
    run_tests()
