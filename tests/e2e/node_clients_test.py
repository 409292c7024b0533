"""Node's Redis clients, as npm ships them: ioredis and redis, two versions of each, in RESP2 and
RESP3, save redis 5, which itself refuses XREADGROUP in RESP3. `make test` installs them (tests/clients/install.sh); each goes through tests/clients/scenario.mjs."""

import json
import re
import shutil
import subprocess

from kouan_harness import TOP, Server, Skip, run_tests
from provincial import plain_files

CLIENTS = TOP / "build/clients"
SCENARIO_SECONDS = 50


def node_version():
    if shutil.which("node") is None:
        raise Skip("node is not installed")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"v(\d+)", said)[1])


def run_scenario(script, module, protocol):
    manifest = CLIENTS / "node_modules" / module / "package.json"
    if not manifest.exists():
        raise Skip(f"{module} is not installed: sh tests/clients/install.sh build/clients")
    version, package = node_version(), json.loads(manifest.read_text())
    needed = int(re.search(r"\d+", package["engines"]["node"])[0])
    if version < needed:
        raise Skip(f"{package['name']} {package['version']} wants Node {needed}, this is {version}")
    for name in (script, "scenario.mjs"):
        shutil.copy(TOP / "tests/clients" / name, CLIENTS / name)
    with Server(files=plain_files()) as server:
        done = subprocess.run(["node", script, module, str(protocol), str(server.port)], cwd=CLIENTS,
                              capture_output=True, text=True, timeout=SCENARIO_SECONDS)
    steps = re.findall(r"^  async (\w+)", (TOP / "tests/clients/scenario.mjs").read_text(), re.M)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^ok (\w+)$", done.stdout, re.M) == steps, done.stdout


def test_ioredis_5():
    run_scenario("ioredis.mjs", "ioredis5", 2)


def test_ioredis_6():
    run_scenario("ioredis.mjs", "ioredis6", 2)


def test_ioredis_6_in_resp3():
    run_scenario("ioredis.mjs", "ioredis6", 3)


def test_node_redis_5():
    run_scenario("node_redis.mjs", "redis5", 2)


def test_node_redis_6():
    run_scenario("node_redis.mjs", "redis6", 2)


def test_node_redis_6_in_resp3():
    run_scenario("node_redis.mjs", "redis6", 3)


if __name__ == "__main__":
    run_tests()
