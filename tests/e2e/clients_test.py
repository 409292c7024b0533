"""Clients of others, as Debian ships them: redis-cli, redis-benchmark, python3-redis with its own
parser and with python3-hiredis, and hiredis in C. (Node's: node_clients_test.py.)"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from kouan_harness import TOP, Server, Skip, encode_command, run_tests
from provincial import ONE_CASE, add, event, files, ledger, plain_files, secret


def run_tool(server, name, *arguments, input=None, check=True):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed")
    result = subprocess.run(
        [name, "-h", "127.0.0.1", "-p", str(server.port), *map(str, arguments)], input=input,
        capture_output=True, timeout=30, check=False)
    if check:
        assert result.returncode == 0, result
    return result.stdout.decode()


def cli(server, *arguments, **keywords):
    return run_tool(server, "redis-cli", *arguments, **keywords)


# ---- redis-cli ------------------------------------------------------------------------------------


def test_redis_cli():
    with Server(files=plain_files()) as server:
        assert cli(server, "PING") == "PONG\n"
        ident = cli(server, "XADD", "in", "*", "body", event(1).decode()).strip()
        assert re.fullmatch(r"\d+-\d+", ident)
        assert cli(server, "XADD", "in", "*", "body", event(1).decode()).strip() == ident
        assert "REJECTED" in cli(server, "XADD", "in", "*", "body", "<", check=False)
        got = cli(server, "XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">").splitlines()
        assert got == ["all", ident, "body", event(1).decode()], got
        assert cli(server, "XACK", "all", "all", ident) == "1\n"
        assert cli(server, "XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">") == "\n"
        assert "kouan_version" in cli(server, "INFO") and "gap 0" in cli(server, "KOUAN", "LEDGER")
        assert cli(server, "NOSUCH", check=False).startswith("ERR unknown command 'NOSUCH'")


def test_redis_cli_in_resp3():
    with Server(files=plain_files()) as server:
        ident = cli(server, "-3", "XADD", "in", "*", "body", event(1).decode()).strip()
        assert '"proto" => (integer) 3' in cli(server, "-3", "--no-raw", "HELLO", "3")
        got = cli(server, "-3", "--no-raw", "XREADGROUP", "GROUP", "all", "c", "STREAMS", "all", ">")
        assert re.match(r'1# "all" => \s+1\) 1\) "' + ident, got), got
        assert '"pending" => (integer) 1' in cli(server, "-3", "--no-raw", "XINFO", "GROUPS", "all")


def test_redis_cli_session():
    """Commands on standard input, as a person types them."""
    with Server(files=plain_files()) as server:
        said = cli(server, input=b"PING\nECHO 'a b'\nXLEN all\nCLIENT SETNAME joe\nCLIENT GETNAME\n")
        assert said.splitlines() == ["PONG", "a b", "0", "OK", "joe"], said


def test_redis_cli_pipe():
    with Server(files=plain_files()) as server:
        commands = b"".join(encode_command("XADD", "in", "*", "body", event(n))
                            for n in range(5000))
        said = cli(server, "--pipe", input=commands)
        assert "errors: 0, replies: 5000" in said, said
        assert cli(server, "XLEN", "all") == "5000\n"


def test_redis_cli_as_a_participant():
    with Server(files=files()) as server:
        login = ("--user", "nansha", "--pass", secret("nansha"), "--no-auth-warning")
        assert "NOAUTH" in cli(server, "PING", check=False)
        assert cli(server, *login, "PING") == "PONG\n"
        assert cli(server, "-3", *login, "PING") == "PONG\n"


# ---- redis-benchmark ------------------------------------------------------------------------------


def test_redis_benchmark():
    with Server(files=plain_files()) as server, server.wire() as wire:
        said = run_tool(server, "redis-benchmark", "-P", 16, "-n", 20000, "-c", 20, "-q", "-t",
                        "ping")
        assert len(re.findall(r"PING_\w+: [\d.]+ requests per second", said)) == 2, said
        said = run_tool(
            server, "redis-benchmark", "-P", 16, "-n", 10000, "-c", 20, "-q", "-r", 1000000000,
            "XADD", "in", "*", "body",
            '{"messageType":"ORDER","messageId":"__rand_int__","keys":{"order":"__rand_int__"}}')
        assert "requests per second" in said and "rror" not in said, said
        account, = ledger(wire)["intake"]
        assert account["received"] == 10000 and account["accepted"] + account["replay"] == 10000
        said = run_tool(server, "redis-benchmark", "-P", 4, "-n", 2000, "-c", 5, "-q", "-3",
                        "XREADGROUP", "GROUP", "all", "c", "COUNT", 3, "NOACK", "STREAMS", "all",
                        ">")
        assert "requests per second" in said and "rror" not in said, said


# ---- python3-redis --------------------------------------------------------------------------------


def python_redis():
    try:
        import redis
    except ImportError:
        raise Skip(f"python3-redis is not installed for {sys.executable}") from None
    return redis


def python_client(parser, port, **keywords):
    """A client with the parser of python3-redis itself, or with that of python3-hiredis."""
    redis = python_redis()
    parser_class = getattr(redis.connection, parser)
    if parser == "HiredisParser" and not redis.utils.HIREDIS_AVAILABLE:
        raise Skip("python3-hiredis is not installed")
    pool = redis.ConnectionPool(parser_class=parser_class, host="127.0.0.1", port=port, **keywords)
    return redis.Redis(connection_pool=pool)


def test_python_redis():
    check_python_redis("PythonParser")


def test_python_hiredis():
    check_python_redis("HiredisParser")


def check_python_redis(parser):
    with Server(files=plain_files()) as server:
        client = python_client(parser, server.port, client_name="joe")
        assert client.ping() and client.client_getname() in (b"joe", "joe")
        ident = client.xadd("in", {"body": event(1)})
        assert client.xadd("in", {"body": event(1)}) == ident
        (name, items), = client.xreadgroup("all", "c", {"all": ">"}, count=10)
        assert name == b"all" and items == [(ident, {b"body": event(1)})], items
        assert client.xreadgroup("all", "c", {"all": ">"}) == []
        assert client.xreadgroup("all", "c", {"all": ">"}, block=10) == []
        (_, items), = client.xreadgroup("all", "c", {"all": "0"})
        assert items[0][0] == ident
        summary = client.xpending("all", "all")
        assert summary["pending"] == 1 and summary["min"] == ident, summary
        assert summary["consumers"] == [{"name": b"c", "pending": 1}]
        row, = client.xpending_range("all", "all", "-", "+", 10)
        assert row["message_id"] == ident and row["times_delivered"] == 2
        assert client.xclaim("all", "all", "heir", 0, [ident]) == [(ident, {b"body": event(1)})]
        assert client.xclaim("all", "all", "heir", 0, [ident], justid=True) == [ident]
        cursor, items, deleted = client.xautoclaim("all", "all", "next", 0)
        assert (cursor, items, deleted) == (b"0-0", [(ident, {b"body": event(1)})], []), items
        assert client.xrange("all") == client.xrevrange("all") == [(ident, {b"body": event(1)})]
        assert client.xread({"all": 0}) == [[b"all", [(ident, {b"body": event(1)})]]]
        assert client.xinfo_stream("all")["length"] == 1
        assert client.xinfo_groups("all")[0]["name"] == b"all"
        assert [c["name"] for c in client.xinfo_consumers("all", "all")] == [b"c", b"heir", b"next"]
        assert client.xack("all", "all", ident) == 1 and client.xlen("all") == 0
        assert client.xgroup_create("all", "new", "$", mkstream=True)
        assert client.xgroup_createconsumer("all", "new", "idle") == 1
        assert client.xgroup_delconsumer("all", "new", "idle") == 0
        assert client.xgroup_setid("all", "new", "0-0")
        assert client.xgroup_destroy("all", "new") == 1
        assert client.exists("all") == 1 and client.type("all") == b"stream"
        assert b"all" in client.scan()[1] and len(client.time()) == 2
        assert client.info()["kouan_version"] and client.info("server")["redis_mode"]
        assert client.config_get("save") == {"save": ""}
        assert [c["name"] for c in client.client_list()] == ["joe"]
        assert client.command_count() > 10
        client.connection_pool.disconnect()


def test_python_redis_errors():
    redis = python_redis()
    with Server(files=files()) as server:
        for name, given in (("nansha", "wrong"), ("nobody", secret("nansha"))):
            client = redis.Redis(port=server.port, username=name, password=given)
            try:
                client.ping()
                raise AssertionError("it got in")
            except redis.exceptions.ResponseError as error:
                assert str(error).startswith("WRONGPASS"), error
            client.connection_pool.disconnect()
        client = redis.Redis(port=server.port, username="nansha", password=secret("nansha"))
        for run, kind, words in [
            (lambda: client.xadd("other", {"body": event(1)}), redis.exceptions.NoPermissionError,
             "may not publish"),
            (lambda: client.xadd("in", {"body": b"<"}), redis.exceptions.ResponseError, "REJECTED"),
            (lambda: client.xreadgroup("none", "c", {"nansha": ">"}),
             redis.exceptions.ResponseError, "NOGROUP"),
            (lambda: client.execute_command("NOSUCH"), redis.exceptions.ResponseError,
             "unknown command"),
        ]:
            try:
                run()
                raise AssertionError("it was allowed")
            except kind as error:
                assert words in str(error), error
        client.connection_pool.disconnect()
        anonymous = redis.Redis(port=server.port)
        try:
            anonymous.ping()
            raise AssertionError("it got in")
        except redis.exceptions.AuthenticationError:
            pass
        anonymous.connection_pool.disconnect()


def test_python_redis_pipelines():
    redis = python_redis()
    with Server(files=plain_files()) as server:
        client = redis.Redis(port=server.port, decode_responses=True)
        pipe = client.pipeline(transaction=False)
        for n in range(1000):
            pipe.xadd("in", {"body": event(n, **ONE_CASE)})
        pipe.xadd("in", {"body": "<"}).xlen("all").ping()
        replies = pipe.execute(raise_on_error=False)
        assert len(set(replies[:1000])) == 1000 and replies[1001:] == [1000, True]
        assert isinstance(replies[1000], redis.exceptions.ResponseError)
        got = []
        while reply := client.xreadgroup("all", "c", {"all": ">"}, count=300):
            ids = [ident for ident, _ in reply[0][1]]
            got += ids
            assert client.xack("all", "all", *ids) == len(ids)
        assert got == replies[:1000]
        client.connection_pool.disconnect()


def test_python_redis_transactions():
    """pipeline() says MULTI and EXEC unless told otherwise."""
    for parser in ("PythonParser", "HiredisParser"):
        with Server(files=plain_files()) as server:
            client = python_client(parser, server.port)
            redis = python_redis()
            pipe = client.pipeline()
            pipe.xadd("in", {"body": event(1)}).xadd("in", {"body": b"<"}).xlen("all")
            first, refusal, length = pipe.execute(raise_on_error=False)
            assert isinstance(refusal, redis.exceptions.ResponseError), refusal
            assert client.xadd("in", {"body": event(1)}) == first and length == 1
            client.connection_pool.disconnect()


def test_python_redis_on_a_unix_socket():
    redis = python_redis()
    with Server(files=plain_files(), listen="unix") as server:
        client = redis.Redis(unix_socket_path=server.address[len("unix:"):])
        with server.wire() as wire:
            ident = add(wire, 1)
        assert client.xreadgroup("all", "c", {"all": ">"}, block=1000)[0][1][0][0] == ident
        client.connection_pool.disconnect()


# ---- hiredis --------------------------------------------------------------------------------------


def test_hiredis():
    build = pathlib.Path(os.environ.get("KOUAN_BENCH", TOP / "build/kouan-bench")).parent
    program = build / "tests/clients/hiredis_client"
    with Server(files=plain_files()) as server:
        done = subprocess.run([program, str(server.port)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done
        assert re.findall(r"^ok (\w+)$", done.stdout, re.M) == [
            "publish_and_repeat", "consume_and_acknowledge", "take_over_from_a_dead_consumer",
            "errors", "pipeline"], done.stdout


if __name__ == "__main__":
    run_tests()
