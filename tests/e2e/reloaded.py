"""A server whose files change."""

import pathlib
import re

from kouan_harness import Server, Wire


class Reloaded(Server):
    """A server whose files change."""

    def __init__(self, files, **more):
        first = next(iter(files))
        if "sync:" not in files[first]:
            files = {**files, first: files[first].rstrip("\n") + "\nsync: commit\n"}
        super().__init__(files=files, **more)
        self.config = self.folder / first
        self.journal = pathlib.Path(more.get("journal") or self.folder / "kouan-journal")

    def control(self):
        return Wire(f"unix:{self.journal}/control.sock", seconds=30)

    def write(self, **texts):
        """Files anew: config=..., or by name with `__` for a slash and `_csv` for the suffix."""
        for name, text in texts.items():
            path = self.config if name == "config" else self.folder / name.replace("__", "/").replace(
                "_csv", ".csv")
            if name == "config" and "sync:" not in text:
                text = text.rstrip("\n") + "\nsync: commit\n"
            path.write_text(text)
            path.chmod(0o600)

    def reload(self, *words):
        """(word, text) of the control socket's answer."""
        with self.control() as wire:
            reply = wire.call("KOUAN", *(words or ("RELOAD",)))
        assert isinstance(reply, list), reply
        return reply[0].decode(), reply[1].decode()

    def reload_well(self, **texts):
        self.write(**texts)
        word, text = self.reload()
        assert word == "ok", (word, text)
        return int(re.match(r"generation (\d+) decides now", text).group(1)), text

    def history(self):
        """[(number, what)]"""
        _, text = self.reload("CONFIG", "HISTORY")
        return [(int(line.split()[0]), line.split("  ", 3)[3]) for line in text.splitlines()]
