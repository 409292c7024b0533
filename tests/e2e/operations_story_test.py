"""What docs/operations.md tells is run, block by block, and its outputs are what the document says.

Its blocks with a language are the story, those without are not run:

  ```csv NAME      a file of the operator's (without a name: a part of one). The first time it is shown it has to be as the sample
                   has it (docs/sample/office-5141); afterwards the operator edits it to be so.
  ```console       lines that begin with `$ ` are given to a shell, in the sample's folder; below
                   each stands what it prints.

What is another in each run, as times and ports, only has to look alike (UNLIKE). Ids and digests are
names: one of the document has to stand for one and the same of the run wherever it stands (NAMES).
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading

from kouan_harness import (TEST_DELAY, TOP, die_with_parent, kouan_command, one_shard, run_tests)

DOCUMENT = TOP / "docs" / "operations.md"
SAMPLE = TOP / "docs" / "sample" / "office-5141"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
NAMES = re.compile(r"\b(?:\d{13}-\d+|[0-9a-f]{12}|[0-9a-f]{32})\b")
UNLIKE = [(re.compile(pattern), mask) for pattern, mask in (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "UTC"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME"),
    (r"\b[\d,]+\.\d (m?s)\b", r"N \1"),
    (r"\([\d,]+/s\)", "(N/s)"),
    (r"\b(pid|uid|position) \d+", r"\1 N"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"))]


def mask(text):
    for pattern, instead in UNLIKE:
        text = pattern.sub(instead, text)
    return text


class Names:
    """Which of the run an id or a digest of the document stands for."""

    def __init__(self):
        self.real, self.told = {}, {}

    def bind(self, told, real):
        """The names of two texts that are alike but for them. False: one stands for two."""
        return all(self.real.setdefault(one, other) == other and
                   self.told.setdefault(other, one) == one
                   for one, other in zip(NAMES.findall(told), NAMES.findall(real)))

    def translate(self, command):
        return NAMES.sub(lambda match: self.real.get(match[0], match[0]), command)


class Story:
    """An operator's folder, the server that runs by it, and what was said so far."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="kouan-story-"))
        self.folder = self.top / "office-5141"
        shutil.copytree(SAMPLE, self.folder)
        program = self.top / "kouan"
        program.write_text(f"#!/bin/sh\nexec {shlex.join(kouan_command())} \"$@\"\n")
        program.chmod(0o700)
        self.environment = {**os.environ, "PATH": f"{self.top}:{os.environ['PATH']}"}
        self.server, self.shown, self.names = None, set(), Names()

    def close(self):
        if self.server is not None:
            self.server.terminate()
            assert self.server.wait(30) == 0
        shutil.rmtree(self.top)

    def show_file(self, name, text):
        path = self.folder / name
        if name not in self.shown:
            assert path.read_text() == text, f"{name} is shown otherwise than it is in the sample"
            self.shown.add(name)
        path.write_text(text)

    def run(self, command, told):
        command = self.names.translate(command)
        said = self.serve(command, told) if command.startswith("kouan serve ") else subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False).stdout
        assert mask(NAMES.sub("NAME", said)) == mask(NAMES.sub("NAME", told)), (
            f"$ {command}\nsays\n{said}\nand not, as the document has it,\n{told}")
        assert self.names.bind(told, said), f"$ {command}\nnames others in\n{said}"

    def serve(self, command, told):
        """It goes on; what it says first, as many lines as the document shows."""
        delay = f" --test-delay {TEST_DELAY}" if TEST_DELAY else ""
        self.server = subprocess.Popen(
            ["bash", "-c", f"exec {command} --listen 127.0.0.1:0{delay}"], cwd=self.folder,
            env=self.environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        said = "".join(self.server.stdout.readline() for _ in told.splitlines())
        self.environment["KOUAN_CONNECT"] = re.search(r"listening on (\S+)", said).group(1)
        threading.Thread(target=self.server.stdout.read, daemon=True).start()
        return said


def test_the_story_is_as_it_is_told():
    one_shard("the document shows a server of one")
    story = Story()
    count = 0
    try:
        for language, name, text in BLOCK.findall(DOCUMENT.read_text()):
            if name:
                story.show_file(name, text)
            if language != "console":
                continue
            for part in text.removeprefix("$ ").split("\n$ "):
                command, _, told = part.partition("\n")
                story.run(command, told if told == "" or told.endswith("\n") else told + "\n")
                count += 1
    finally:
        story.close()
    for word in ("rules test", "check", "--against", "--rehearse --last", "--apply", "rules stats",
                 "reroute", "config show", "config history", "config diff", "explain", "trace", "rollback"):
        assert re.search(rf"^\$ .*kouan .*{word}", DOCUMENT.read_text(), re.M), word
    assert count >= 20, count


if __name__ == "__main__":
    run_tests()
