"""The harness itself: its wire against a real redis-server and against bad peers, its server and
its runner with stand-ins for the program."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

import kouan_harness
from kouan_harness import (Server, Skip, Wire, WireBroken, WireClosed, WireError, WirePush, WireSet,
                           WireText, encode_command, run_tests)

# What stands in for the program: prints an address, answers PONG to anything, stops as told.
STAND_IN = """
import os, signal, socket, sys
peer = socket.create_server(("127.0.0.1", 0))
def stop(*_):
    print("stopping", flush=True)
    os._exit(int(os.environ.get("STAND_IN_CODE", "0")))
signal.signal(signal.SIGTERM, stop if "STAND_IN_DEAF" not in os.environ else signal.SIG_IGN)
if "STAND_IN_MUTE" in os.environ:
    sys.exit("cannot start")
print("arguments", *sys.argv[1:], flush=True)
print("listening on 127.0.0.1:%d" % peer.getsockname()[1], file=sys.stderr, flush=True)
while True:
    client = peer.accept()[0]
    client.recv(4096)
    client.sendall(b"+PONG\\r\\n")
"""


def use_stand_in():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-stand-in-"))
    (folder / "stand_in.py").write_text(STAND_IN)
    os.environ["KOUAN"] = f"{sys.executable} {folder}/stand_in.py"
    return folder


def expect(kind, run, text=""):
    try:
        run()
    except kind as error:
        assert text in str(error), error
        return
    raise AssertionError(f"no {kind.__name__}")


def peer_that_sends(data):
    """A Wire to a peer that sends these bytes, in two halves, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client = listener.accept()[0]
        for half in (data[:len(data) // 2], data[len(data) // 2:]):
            client.sendall(half)
            time.sleep(0.02)
        client.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return Wire("127.0.0.1:%d" % listener.getsockname()[1])


def test_wire_reads_every_type():
    data = (b"+OK\r\n-ERR no\r\n:-12\r\n$4\r\na\r\nb\r\n$0\r\n\r\n$-1\r\n*-1\r\n_\r\n#t\r\n#f\r\n,1.5\r\n"
            b",-inf\r\n(123456789012345678901\r\n!5\r\nERR x\r\n=7\r\ntxt:abc\r\n*2\r\n:1\r\n*0\r\n"
            b"%1\r\n$1\r\nk\r\n~1\r\n:1\r\n>1\r\n+m\r\n|1\r\n+a\r\n+b\r\n:7\r\n")
    wire = peer_that_sends(data)
    expected = ["OK", WireError("ERR no"), -12, b"a\r\nb", b"", None, None, None, True, False, 1.5,
                float("-inf"), 123456789012345678901, WireError("ERR x"), b"abc", [1, []],
                {b"k": [1]}, ["m"], 7]
    got = [wire.read() for _ in expected]
    assert got == expected, got
    assert got[1].word == "ERR" and isinstance(got[14], WireText)
    assert isinstance(got[16][b"k"], WireSet) and isinstance(got[17], WirePush)
    wire.expect_closed()
    expect(WireClosed, wire.read)


def test_wire_refuses_what_is_not_resp():
    for data in (b"HTTP/1.1 400\r\n", b":1x\r\n", b":+1\r\n", b"$1\r\nabc", b"+a\nb\r\n", b"\r\n",
                 b"$-2\r\n", b"#x\r\n", b"_1\r\n", b"%-1\r\n"):
        expect(WireBroken, peer_that_sends(data).read)
    expect(WireClosed, peer_that_sends(b"$5\r\nab").read)
    expect(AssertionError, peer_that_sends(b"+OK\r\n").expect_closed, "more came")
    expect(AssertionError, peer_that_sends(b"+OK\r\n").expect_silence, "this came")


def test_wire_beside_redis():
    if shutil.which("redis-server") is None:
        raise Skip("no redis-server here")
    folder = tempfile.mkdtemp(prefix="kouan-redis-")
    path = f"{folder}/socket"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL, preexec_fn=kouan_harness.die_with_parent)
    with socket.socket(socket.AF_UNIX) as knock:
        while knock.connect_ex(path) != 0:  # it listens a moment after its socket is there
            assert server.poll() is None
            time.sleep(0.01)
    with Wire(f"unix:{path}") as two, Wire(f"unix:{path}", protocol=3) as three:
        assert two.call("PING") == "PONG"
        assert two.call("ECHO", b"\x00\r\n") == b"\x00\r\n"
        assert two.call("GET", "none") is None and three.call("GET", "none") is None
        assert two.call("NOPE").word == "ERR"
        two.call("HSET", "h", "a", 1)
        assert two.call("HGETALL", "h") == [b"a", b"1"]
        assert three.call("HGETALL", "h") == {b"a": b"1"}
        assert isinstance(three.call("INFO"), WireText)
        two.send(encode_command("PING") * 3)
        assert [two.read() for _ in range(3)] == ["PONG"] * 3
        two.expect_silence(0.05)
        two.call("QUIT")
        two.expect_closed()
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


def test_server_starts_and_stops():
    stand_in = use_stand_in()
    files = {"kouan.yaml": "channels: []\n", "sub/secret": b"\xff"}
    with Server(files=files, arguments=["--verbose"]) as server, server.wire() as wire:
        folder = server.folder
        assert (folder / "sub" / "secret").read_bytes() == b"\xff"
        assert wire.call("PING") == "PONG"
        assert server.port == int(server.address.split(":")[1])
        said = server.wait_for_log("arguments (.*)").group(1)
        assert said == f"serve -c {folder}/kouan.yaml --listen 127.0.0.1:0 --verbose", said
    assert "stopping" in server.log and not folder.exists()
    shutil.rmtree(stand_in)


def test_server_that_misbehaves_fails_the_test():
    stand_in = use_stand_in()
    expect(AssertionError, lambda: Server(environment={"STAND_IN_MUTE": "1"}), "ended without")
    server = Server(environment={"STAND_IN_CODE": "3"})
    expect(AssertionError, server.stop, "exit code is 3")
    server = Server(environment={"STAND_IN_DEAF": "1"})
    expect(AssertionError, lambda: server.stop(0.2), "did not stop")
    server = Server()
    server.process.kill()
    expect(AssertionError, server.stop, "exit code is -9")
    shutil.rmtree(stand_in)


def test_runner_counts_and_isolates():
    script = textwrap.dedent("""
        import os, time
        from kouan_harness import Skip, run_tests
        state = []
        def test_good(): state.append(1)
        def test_alone(): assert state == []
        def test_bad(): assert 1 == 2
        def test_skipped(): raise Skip("not here")
        def test_killed(): os.kill(os.getpid(), 9)
        def test_slow(): time.sleep(30)
        run_tests()
        """)
    environment = {**os.environ, "KOUAN_TEST_SECONDS": "1",
                   "PYTHONPATH": str(pathlib.Path(__file__).parent)}
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()

        def run(*words):
            return subprocess.run([sys.executable, file.name, *words], env=environment, text=True,
                                  capture_output=True, check=False)
        whole, some, none = run(), run("good", "alone"), run("nothing")
    lines = [line for line in whole.stdout.splitlines()
             if line.startswith(("ok ", "FAIL ", "skip ")) or "passed" in line]
    assert lines == ["ok test_good", "ok test_alone", "FAIL test_bad", "skip test_skipped: not here",
                     "FAIL test_killed: ended by signal 9", "FAIL test_slow: not done after 1 s",
                     "2 passed, 3 failed, 1 skipped"], whole.stdout
    assert "assert 1 == 2" in whole.stdout and whole.returncode == 1
    assert some.returncode == 0 and some.stdout.endswith("2 passed, 0 failed, 0 skipped\n")
    assert none.returncode == 1


if __name__ == "__main__":
    run_tests()
