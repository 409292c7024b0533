"""A copy of the minute statistics in a real Redis, and all that can be wrong with that: receipts go on, each trouble
is one line, and afterwards Redis has what `kouan stats` says."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from kouan_harness import Server, Skip, Wire, WireError, run_kouan, run_tests
from provincial import event

WAIT_SECONDS = 90
ALL = "minute,type,office,eport,destination,verdict"
CONFIG = """sync: memory
control: control.sock
state: redis
redis: {{address: "127.0.0.1:{port}", {more}}}
channels: [{{name: in}}]
destinations: [{{name: fast}}, {{name: slow}}]
tables: [rules.csv]
"""
RULES = "id,message_type,customs_office,to\nnear,ORDER,5141,fast|slow\nfar,,,slow\n"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Redis:
    """redis-server, which keeps nothing on disk."""

    def __init__(self):
        self.port = free_port()
        self.process = None
        self.folder = tempfile.mkdtemp(prefix="kouan-e2e-redis-")
        if shutil.which("redis-server") is None:
            raise Skip("there is no redis-server")

    def start(self, *arguments):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder, "--enable-debug-command", "yes", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_for(self.answers, "redis-server answers")
        return self

    def answers(self):
        try:
            with self.wire() as wire:
                return wire.call("PING") is not None
        except OSError:
            return False

    def wire(self):
        return Wire(f"127.0.0.1:{self.port}")

    def call(self, *arguments):
        with self.wire() as wire:
            reply = wire.call(*arguments)
        assert not isinstance(reply, WireError), reply
        return reply

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def redis_and_kouan(more="", files=None, start=True, shards=None):
    redis = Redis()
    try:
        if start:
            redis.start()
        config = {"kouan.yaml": CONFIG.format(port=redis.port, more=more), "rules.csv": RULES}
        with Server(files=config | (files or {}), shards=shards) as server:
            yield redis, server
    finally:
        redis.close()


def wait_for(holds, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not so: {what}"
        time.sleep(0.05)


def publish(server, first, count, **members):
    with server.wire() as wire:
        for number in range(first, first + count):
            reply = wire.call("XADD", "in", "*", "body", event(number, **members))
            assert isinstance(reply, bytes), reply


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def in_redis(redis):
    """All minutes of all logs, added up."""
    rows = {}
    with redis.wire() as wire:
        for key in wire.call("KEYS", "kouan:minute:*"):
            flat = [text(item) for item in wire.call("HGETALL", key)]
            stamp = text(key).split(":")[2]
            minute = int(time.mktime(time.strptime(stamp + "UTC", "%Y%m%d%H%M%Z")) - time.timezone) * 1000
            for field, value in zip(flat[::2], flat[1::2]):
                if field in ("epoch", "version"):
                    continue
                messages, size = map(int, value.split()[:2])
                one = rows.setdefault((minute, *field.split("|")), [0, 0])
                one[0] += messages
                one[1] += size
    return rows


def in_kouan(server):
    result = run_kouan("stats", "--control", server.folder / "control.sock", "--json", "--by", ALL, "--since", "24h")
    assert result.returncode == 0, result
    return {tuple(row[name] for name in ALL.split(",")): [row["messages"], row["bytes"]]
            for row in json.loads(result.stdout)["rows"]}


def wait_until_equal(redis, server):
    expected = in_kouan(server)
    assert expected
    wait_for(lambda: in_redis(redis) == expected, "Redis has what kouan stats says")


def info(server):
    with server.wire() as wire:
        lines = wire.call("INFO", "redis").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def wait_for_state(server, state):
    wait_for(lambda: info(server)["redis_state"] == state, f"redis_state is {state}")


def go_through(break_it, line, mend_it, more="", files=None):
    """Messages before, during and after; nothing is refused, one line tells of it."""
    with redis_and_kouan(more, files) as (redis, server):
        publish(server, 0, 5, customsOffice="5141")
        wait_until_equal(redis, server)
        wait_for_state(server, "ready")
        break_it(redis)
        publish(server, 100, 20, customsOffice="5301")
        server.wait_for_log(line, WAIT_SECONDS)
        publish(server, 200, 20, customsOffice="5141")
        mend_it(redis)
        wait_until_equal(redis, server)
        publish(server, 300, 2, customsOffice="5302")
        wait_until_equal(redis, server)
        wait_for_state(server, "ready")
        assert len([one for one in server.log.splitlines() if line in one]) == 1, server.log
        assert int(info(server)["redis_errors"]) > 0 or "lost" in line
        with server.wire() as wire:
            assert b"\r\nledger_gap:0\r\n" in wire.call("INFO", "stats")


def test_what_is_there_and_how_long():
    for shards in (1, 2):
        with redis_and_kouan(shards=shards) as (redis, server):
            publish(server, 0, 10, customsOffice="5141")
            publish(server, 0, 3, customsOffice="5141")
            publish(server, 10, 10, customsOffice="5301")
            wait_until_equal(redis, server)
            keys = redis.call("KEYS", "kouan:minute:*")
            assert {text(key).split(":")[3] for key in keys} <= {str(log) for log in range(shards)}, keys
            for key in keys:
                assert 3600 < redis.call("TTL", key) <= 86400 + 3600
            assert redis.call("GET", "kouan:marker")


def test_an_older_write_changes_nothing():
    with redis_and_kouan() as (redis, server):
        publish(server, 0, 5, customsOffice="5141")
        wait_until_equal(redis, server)
        with redis.wire() as wire:
            for key in wire.call("KEYS", "kouan:minute:*"):
                wire.call("HSET", key, "epoch", "9000000000000", "version", "1")
                wire.call("PERSIST", key)
        before = in_redis(redis)
        commands = int(info(server)["redis_commands"])
        publish(server, 10, 5, customsOffice="5141")
        wait_for(lambda: int(info(server)["redis_commands"]) > commands + 6, "it writes")
        after = in_redis(redis)
        assert {row: figures for row, figures in after.items() if row in before} == before
        assert all(row[0] > max(one[0] for one in before) for row in after if row not in before)


def test_dead_at_the_start():
    with redis_and_kouan(start=False) as (redis, server):
        publish(server, 0, 20, customsOffice="5141")
        server.wait_for_log("redis .* away: Connection refused", WAIT_SECONDS)
        redis.start()
        wait_until_equal(redis, server)
        server.wait_for_log("redis .* has all that it should", WAIT_SECONDS)


def test_dead_and_restarted_empty():
    go_through(lambda redis: redis.kill(), " away: ", lambda redis: redis.start())


def test_hung():
    go_through(lambda redis: redis.process.send_signal(signal.SIGSTOP), " hangs: ",
               lambda redis: redis.process.send_signal(signal.SIGCONT))


def test_slow():
    with redis_and_kouan() as (redis, server):
        publish(server, 0, 5, customsOffice="5141")
        wait_until_equal(redis, server)
        for round_number in range(3):
            with redis.wire() as wire:
                wire.command("DEBUG", "SLEEP", "1")
                publish(server, 100 * round_number + 100, 20, customsOffice="5301")
                wire.read()
        wait_until_equal(redis, server)


def test_flushed():
    go_through(lambda redis: redis.call("FLUSHALL"), "has lost what was there", lambda redis: None)


def test_read_only():
    go_through(lambda redis: redis.call("REPLICAOF", "127.0.0.1", "1"), " refuses: ",
               lambda redis: redis.call("REPLICAOF", "NO", "ONE"))


def test_out_of_memory():
    go_through(lambda redis: redis.call("CONFIG", "SET", "maxmemory", "1"), " refuses: OOM",
               lambda redis: redis.call("CONFIG", "SET", "maxmemory", "0"))


def test_refused_by_acl():
    go_through(lambda redis: redis.call("ACL", "SETUSER", "default", "-eval"), " refuses: NOPERM",
               lambda redis: redis.call("ACL", "SETUSER", "default", "+eval"))


def test_a_wrong_password():
    more = "username: writer, password_file: redis.secret, database: 3, prefix: 'kouan:'"
    with redis_and_kouan(more, {"redis.secret": "right-password\n"}) as (redis, server):
        publish(server, 0, 5, customsOffice="5141")
        server.wait_for_log("redis .* refuses: WRONGPASS", WAIT_SECONDS)
        redis.call("ACL", "SETUSER", "writer", "on", ">right-password", "~kouan:*", "+@all")
        wait_for_state(server, "ready")
        assert redis.call("KEYS", "*") == []  # of database 0
        with redis.wire() as wire:
            wire.call("SELECT", "3")
            assert b"kouan:marker" in wire.call("KEYS", "*")


def test_what_is_configured_is_checked():
    for wrong, code in (("state: redis\n", "C104"), ("state: disk\n", "C104"),
                        ("state: redis\nredis: {port: 1}\n", "C104"),
                        ("state: redis\nredis: {address: 'nowhere'}\n", "C111"),
                        ("state: redis\nredis: {address: '127.0.0.1:1', username: me}\n", "C104")):
        folder = tempfile.mkdtemp(prefix="kouan-e2e-")
        try:
            path = os.path.join(folder, "kouan.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(wrong + "channels: [{name: in}]\ndestinations: [{name: all}]\n")
            result = run_kouan("check", "-c", path)
            assert result.returncode == 1 and code in result.stdout + result.stderr, (wrong, result)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    run_tests()
