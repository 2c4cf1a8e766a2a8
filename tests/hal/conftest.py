"""What the tests of the drivers share: a clock moved by hand, and pseudo-terminals that vanish and come back behind one name."""

from __future__ import annotations

import asyncio
import os
import pty
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class HandClock:
    """Monotonic seconds that move by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


class Line:
    """A serial line: a symlink to a pseudo-terminal; the test holds the master. Its two ends are plain bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master = -1
        self._slave = -1
        self.heard = b""
        self.on_bytes: Callable[[bytes], None] | None = None

    def appear(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def vanish(self) -> None:
        if self.master < 0:
            return
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self._slave)
        self.master = -1
        self.path.unlink(missing_ok=True)

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def _readable(self) -> None:
        data = os.read(self.master, 4096)
        self.heard += data
        if self.on_bytes is not None:
            self.on_bytes(data)


@pytest.fixture
async def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path / "line")
    made.appear()
    yield made
    made.vanish()


@pytest.fixture
def now() -> Callable[[], float]:
    return time.monotonic
