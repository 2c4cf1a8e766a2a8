"""A serial line of the world: a pseudo-terminal behind a symlink that can vanish and come back under another name. Must not know devices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

CHUNK = 4096


class Line:
    """The device's end of a serial line. `on_bytes` gets what the firmware writes. The symlink is what the firmware opens."""

    def __init__(self, link: Path, on_bytes: Callable[[bytes], None]) -> None:
        self.link = link
        self.name = ""
        self._on_bytes = on_bytes
        self._master: int | None = None
        self._slave: int | None = None

    @property
    def plugged(self) -> bool:
        """Whether the line exists."""
        return self._master is not None

    def open(self) -> None:
        """The line appears, under another name than before. The world keeps the far end open too, so that the line survives its reader."""
        if self.plugged:
            return
        before = self.name
        pair = os.openpty()
        if os.ttyname(pair[1]) == before:
            same, pair = pair, os.openpty()
            for descriptor in same:
                os.close(descriptor)
        self._take(*pair)
        temporary = self.link.with_name(self.link.name + ".new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.name)
        temporary.replace(self.link)

    def _take(self, master: int, slave: int) -> None:
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._master, self._slave, self.name = master, slave, os.ttyname(slave)
        asyncio.get_running_loop().add_reader(master, self._readable)

    def close(self) -> None:
        """The line vanishes, as an adapter pulled out: readers get an end of file, the symlink is gone."""
        if self._master is None or self._slave is None:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = None

    def write(self, data: bytes) -> None:
        """Towards the firmware. What does not fit because nobody reads is lost, as on a real line."""
        if self._master is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, data)

    def _readable(self) -> None:
        if self._master is None:
            return
        with contextlib.suppress(BlockingIOError):
            if data := os.read(self._master, CHUNK):
                self._on_bytes(data)
