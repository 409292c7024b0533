"""A journal with a spare folder: it goes on there when its disk fails, and says so until somebody
has seen to it. What needs a disk that fails needs root, for a loop device, and is skipped without."""

import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from kouan_harness import (TEST_SHARDS, Server, Skip, WireClosed, make_folder, one_shard, run_kouan,
                           run_tests, serve_command)
from provincial import (ONE_LOG, add, add_many, event, in_one_case, info, ledger, pipeline,
                        plain_files, read_group, two_way_files)

# All messages here are of one case, and so in one log, in their order.
spread = add_many
add, add_many, event = map(in_one_case, (add, add_many, event))

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "torture"))

from torture_disk import Disk  # noqa: E402

MIB = 1 << 20


@contextlib.contextmanager
def new_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-spare-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class House:
    """A journal on a disk that can be locked as by an error, and a spare folder on another."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kouan-spare-"))
        self.spare = self.folder / "spare"
        try:
            self.disk = Disk(self.folder / "disk", size_bytes=120 * MIB,
                             options="errors=remount-ro")
        except (AssertionError, OSError) as problem:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise Skip(f"a disk of its own needs root: {problem}") from None
        self.journal = self.disk.mount / "journal"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def lock(self):
        """Nothing can be written to it any more."""
        name = pathlib.Path(self.disk.device).name
        pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("by the test")

    def files(self, make=plain_files, spare=None, **options):
        return make(sync="commit", journal=self.journal, journal_spare=spare or self.spare,
                    **options)

    def names(self, folder):
        return sorted(path.name for path in (folder / ONE_LOG).iterdir())

    def first_number(self):
        """What was given up is below it; 0: nothing was yet."""
        return max((int(name[:16], 16) for name in self.names(self.spare)
                    if name.endswith(".first")), default=0)


def is_id(reply):
    return isinstance(reply, bytes)


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def refused_start(files):
    """The last words of a server that does not start."""
    folder = make_folder(files)
    try:
        said = subprocess.run(
            serve_command("-c", folder / next(iter(files)), "--listen", "127.0.0.1:0"),
            capture_output=True, text=True, timeout=20)
        assert said.returncode == 1, said
        return said.stderr.splitlines()[-1]
    finally:
        shutil.rmtree(folder)


def is_all_durable(journal):
    return journal["durable_position"] == journal["end_position"]


# ---- a disk that fails ----------------------------------------------------------------------------


def test_it_goes_on_in_the_spare_folder():
    """Receipts go on; after kill -9, on the locked disk still, all is there, and once."""
    with House() as house:
        with Server(files=house.files()) as server, server.wire() as wire:
            assert f"spare folder {house.spare}" in server.log
            ids = add_many(wire, range(100))
            read_group(wire, "COUNT", 10)
            assert wire.call("XACK", "all", "all", *ids[:5]) == 5
            assert wire.call("KOUAN", "HEALTH")[0] == 0 and info(wire)["has_moved"] == "0"
            house.lock()
            ids += add_many(wire, range(100, 300))
            assert all(map(is_id, ids)), ids
            server.wait_for_log(r"ALARM: .*/journal/0.: cannot .*: Read-only file system; the "
                                f"journal goes on in its spare folder {house.spare}, and")
            sick, text = wire.call("KOUAN", "HEALTH")
            assert sick > 0 and b"it goes on in its spare folder" in text, text
            assert b"Read-only file system" in text, text
            journal = info(wire)
            if TEST_SHARDS < 2:  # INFO adds several up
                assert journal["has_moved"] == "1" and journal["journal"] == f"{house.spare}/00"
                wait_until(lambda: is_all_durable(info(wire)))  # the block after idle time, too
            assert wire.call("XACK", "all", "all", ids[6]) == 1
            server.kill()
        for _ in range(2):
            with Server(files=house.files()) as server, server.wire() as wire:
                assert add_many(wire, range(300)) == ids  # replays
                assert [i for i, _ in read_group(wire, "COUNT", 400)] == [ids[5], *ids[7:]]
                assert ledger(wire)["gap"] == 0 and wire.call("KOUAN", "HEALTH")[0] > 0
                server.kill()


def test_several_logs_go_on_in_it():
    """Each when a write of its own fails; a start takes all of them there."""
    with House() as house:
        with Server(files=house.files(), shards=2) as server, server.wire() as wire:
            ids = spread(wire, range(100))
            house.lock()
            ids += spread(wire, range(100, 300))
            assert all(map(is_id, ids)) and len(set(ids)) == 300, ids
            server.wait_for_log("goes on in its spare folder")
            server.kill()
        for _ in range(2):
            with Server(files=house.files(), shards=2) as server, server.wire() as wire:
                assert spread(wire, range(300)) == ids
                server.kill()


def test_what_is_in_both_folders_is_one_journal():
    """For the tools and for `repair`; a start without the option is refused."""
    with House() as house:
        with Server(files=house.files()) as server, server.wire() as wire:
            ids = add_many(wire, range(20))
            house.lock()
            ids += add_many(wire, range(20, 40))
            shown = run_kouan("journal", "show", house.journal)
            assert shown.returncode == 0 and all(i.decode() in shown.stdout for i in ids), shown
        assert "1 segment" in run_kouan("journal", "verify", house.journal).stdout
        told = run_kouan("journal", "info", house.journal).stdout
        assert f"{house.spare}: a write failed, and the log went on there" in told, told
        assert run_kouan("trace", "--journal", house.journal, ids[30].decode()).returncode == 0
        assert run_kouan("audit", "replay", house.journal).returncode == 0
        without = plain_files(sync="commit", journal=house.journal)
        assert f"its log went on in {house.spare}: start with `journal_spare: {house.spare}`" in \
            refused_start(without)
        whole = house.folder / "whole"
        mended = run_kouan("journal", "repair", house.journal, whole)
        assert mended.returncode == 0, mended
        with Server(files=plain_files(sync="commit", journal=whole)) as server, \
                server.wire() as wire:
            assert add_many(wire, range(40)) == ids
            assert [i for i, _ in read_group(wire, "COUNT", 100)] == ids


def test_what_the_spare_folder_has_can_be_saved_when_the_disk_is_lost():
    with House() as house:
        with Server(files=house.files()) as server, server.wire() as wire:
            ids = add_many(wire, range(20))
            read_group(wire, "COUNT", 3)
            assert wire.call("XACK", "all", "all", *ids[:3]) == 3
            house.lock()
            ids += add_many(wire, range(20, 40))
        house.disk.close()
        assert "has the end of one: bring its disk back" in refused_start(house.files())
        whole = house.folder / "whole"
        saved = run_kouan("journal", "repair", house.spare, whole)
        assert saved.returncode == 0, saved
        with Server(files=plain_files(sync="commit", journal=whole)) as server, \
                server.wire() as wire:
            assert add_many(wire, range(40)) == ids
            assert [i for i, _ in read_group(wire, "COUNT", 100)] == ids[3:]


def check_that_a_second_failure_ends_it(shards):
    """The spare folder's disk has no room for a segment."""
    with House() as house, House() as other:
        files = house.files(spare=other.disk.mount / "spare")
        with Server(files=files, shards=shards) as server:
            got = []
            with open(other.disk.mount / "ballast", "wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"1" * MIB)
                    file.flush()
            with server.wire() as wire:
                add_many(wire, range(20))
                house.lock()
                with contextlib.suppress(WireClosed, OSError):
                    for n in range(20, 10000):
                        got.append(add(wire, n))
            assert server.process.wait(15) == 1 and len(got) < 9980, len(got)
            server.wait_for_log("kouan serve: .*/spare/0.: cannot make the segment in the spare "
                                "folder .*No space left on device.* had no receipt yet gets none")
            server.kill()


def test_a_second_failure_ends_it():
    check_that_a_second_failure_ends_it(shards=None)


def test_a_second_failure_of_one_log_ends_all():
    """Whatever the others are about, which have lost the same disk."""
    for _ in range(4):
        check_that_a_second_failure_ends_it(shards=3)


def test_old_segments_are_given_up_though_they_cannot_be_removed():
    """The log goes round in the spare folder until nothing of it is in the old one; that still has
    all its files, and none of them comes back."""
    one_shard("it follows one log by INFO, which adds several up")
    def padded(number):
        return event(number, "FAST", pad="x" * 40000)

    with House() as house:
        files = house.files(two_way_files, segment="4MiB", journal_size="32MiB", block="64KiB",
                            message_max="64KiB", retain_time="0s", window_span="1s")
        with Server(files=files) as server, server.wire() as wire:
            stuck = add_many(wire, range(5000, 5005), "SLOW")

            def fill(first, count):
                for n in range(first, first + count, 25):
                    ids = pipeline(wire, [("XADD", "in", "*", "body", padded(i))
                                          for i in range(n, n + 25)])
                    assert all(map(is_id, ids)), ids
                    assert [i for i, _ in read_group(wire, "COUNT", 25, destination="fast")] == ids
                    assert wire.call("XACK", "fast", "fast", *ids) == 25

            fill(0, 250)
            house.lock()
            kept = house.names(house.journal)
            fill(250, 250)
            wait_until(house.first_number)
            server.kill()
        assert house.names(house.journal) == kept
        with Server(files=files) as server, server.wire() as wire:
            assert int(info(wire)["oldest_segment"]) >= house.first_number() > 0
            fill(500, 800)
            first_left = min(name for name in house.names(house.spare) if name.endswith("segment"))
            wait_until(lambda: int(info(wire)["oldest_segment"]) > int(first_left[:16], 16))
            server.kill()
        with Server(files=files) as server, server.wire() as wire:
            assert [i for i, _ in read_group(wire, "COUNT", 10, destination="slow")] == stuck
            assert read_group(wire, destination="fast") == [] and ledger(wire)["gap"] == 0
            assert house.names(house.journal) == kept
        assert run_kouan("journal", "verify", house.journal).returncode == 0


# ---- what goes together ---------------------------------------------------------------------------


def test_what_a_configuration_may_not_say():
    with new_folder() as folder:
        def check(**options):
            (folder / "kouan.yaml").write_text(plain_files(**options)["kouan.yaml"])
            result = run_kouan("check", "-c", folder / "kouan.yaml")
            return result.returncode, result.stdout + result.stderr

        assert check(sync="commit", journal="a", journal_spare="b/../c")[0] == 0
        for spare in ["a", "./x/../a/", "a/b", "..", folder / "a", folder]:
            code, said = check(sync="commit", journal="a", journal_spare=spare)
            assert code == 1 and "C104" in said and "one is within the other" in said, (spare, said)
        code, said = check(sync="memory", journal_spare="b")
        assert code == 0 and "does nothing with `sync: memory`" in said, said


def test_a_spare_folder_is_of_one_journal():
    with new_folder() as folder:
        def files(name, spare="spare"):
            return plain_files(sync="commit", journal=folder / name, journal_spare=folder / spare)

        with Server(files=files("one")) as server, server.wire() as wire:
            ids = add_many(wire, range(3))
            assert "another server has it open" in refused_start(files("one", "other"))
        assert "is the spare folder of one: bring its disk back" in refused_start(files("two"))
        with Server(files=files("two", "other")):
            pass
        (folder / "two" / "spare").unlink()
        assert "it belongs to another journal" in refused_start(files("two"))
        shutil.rmtree(folder / "spare")
        assert "may hold the end of the log" in refused_start(files("one"))
        (folder / "one" / "spare").unlink()
        with Server(files=files("one")) as server, server.wire() as wire:
            assert add_many(wire, range(3)) == ids
        with Server(files=plain_files(sync="commit", journal=folder / "one")) as server, \
                server.wire() as wire:  # it was never used
            assert add_many(wire, range(3)) == ids


if __name__ == "__main__":
    run_tests()
