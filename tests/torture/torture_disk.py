"""Small disks of one's own: an ext4 in a file, through a loop device. Needs root."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

SKIPPED = 77  # exit code
COPY_TRIES = 20


def must_be_root(what):
    """Says why not and exits with SKIPPED, where loop devices are not to be had."""
    if os.geteuid() != 0:
        reason = "it needs root, for loop devices and mounts"
    elif not os.path.exists("/dev/loop-control"):
        reason = "there are no loop devices here"
    else:
        for number in (signal.SIGTERM, signal.SIGHUP):  # mounts are undone then, too
            signal.signal(number, lambda *_: sys.exit(1))
        return
    print(f"skip {what}: {reason}")
    sys.exit(SKIPPED)


def run(*words):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {result.stderr.strip()}")
    return result.stdout.strip()


class Disk:
    """A mounted image: a new one of `size_bytes`, or one that is there. `mount` is its folder."""

    def __init__(self, folder, size_bytes=0, image=None, options="rw"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.mount = self.folder / "mount"
        self.mount.mkdir()
        self.image = image or self.folder / "disk.img"
        self.device = None
        if image is None:
            with open(self.image, "wb") as file:
                file.truncate(size_bytes)
            run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0",
                self.image)
        try:
            self.device = run("losetup", "--find", "--show", self.image)
            run("mount", "-o", options, self.device, self.mount)
        except AssertionError:
            self.close()
            raise

    def remount(self):
        """After a failure: its journal is replayed, and what was only in memory is gone."""
        run("umount", self.mount)
        run("mount", self.device, self.mount)

    def copy(self, to):
        """The image as it is: what has reached the device. Of one moment: what the file system
        itself or the last writes in flight still change begins it anew."""
        for _ in range(COPY_TRIES):
            before = os.stat(self.image).st_mtime_ns
            run("cp", "--sparse=always", self.image, to)
            if os.stat(self.image).st_mtime_ns == before:
                return
        raise AssertionError(f"{self.image} does not come to rest")

    def close(self):
        if os.path.ismount(self.mount):
            run("umount", "-l", self.mount)
        if self.device:
            run("losetup", "--detach", self.device)
            self.device = None
        shutil.rmtree(self.folder, ignore_errors=True)


class Tmpfs:
    """A tmpfs of a size that can be changed."""

    def __init__(self, folder, size_bytes):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", self.folder)
        (self.folder / "page").write_bytes(b"1")  # never empty: a size of 0 were no limit

    def leave(self, size_bytes):
        """Room for so much more."""
        status = os.statvfs(self.folder)
        taken = (status.f_blocks - status.f_bfree) * status.f_frsize
        self.resize(taken + size_bytes)

    def resize(self, size_bytes):
        run("mount", "-o", f"remount,size={size_bytes}", self.folder)

    def close(self):
        if os.path.ismount(self.folder):
            run("umount", "-l", self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
