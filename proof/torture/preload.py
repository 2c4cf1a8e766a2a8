"""The recorder as a library to preload: made by the C compiler of this machine, pointed at a directory, and told where to stand still.

Must not know what is written, nor what follows from it.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCE = Path(__file__).with_name("recorder.c")
LAYOUT = struct.Struct("iiiiii")
_made: list[TemporaryDirectory[str]] = []


class NoCompiler(Exception):
    """This machine has no C compiler, or it refuses the recorder; the message says what to install."""


class Where(IntEnum):
    """Where a process stands still: before an operation, in the midst of what it writes, or after it."""

    BEFORE = 0
    BETWEEN = 1
    AFTER = 2


@cache
def library() -> Path:
    """The recorder, compiled once for this process. Raises NoCompiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompiler("the torture needs a C compiler: apt-get install gcc libc6-dev")
    _made.append(TemporaryDirectory(prefix="recorder-"))
    made = Path(_made[-1].name) / "recorder.so"
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", made, SOURCE, "-ldl"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoCompiler(f"{compiler} cannot make the recorder (apt-get install libc6-dev?):\n{done.stderr}")
    return made


def environment(root: Path, *, trace: Path | None = None, point: Path | None = None) -> dict[str, str]:
    """What a process needs in its environment so that its writes under `root` are recorded."""
    given = {"TORTURE_TRACE": trace, "TORTURE_POINT": point}
    return {"LD_PRELOAD": str(library()), "TORTURE_ROOT": str(root.resolve()), **{name: str(path) for name, path in given.items() if path}}


class Point:
    """The page by which recorded processes are told where to stand still."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(LAYOUT.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), LAYOUT.size)

    def arm(self, left: int, where: Where) -> None:
        """The left-th operation from now is the one. Who stood at a former point has been killed or has gone on."""
        self._page[:] = LAYOUT.pack(left, where, 0, 0, 0, self.seen)

    @property
    def seen(self) -> int:
        """Operations so far."""
        return self._values()[5]

    @property
    def standing(self) -> int | None:
        """The process that stands at the point, None while none does."""
        _, _, at, go, pid, _ = self._values()
        return pid if at and not go else None

    def go_on(self) -> None:
        """Nobody stands any more, nor will."""
        self._page[:] = LAYOUT.pack(0, 0, 0, 1, 0, self.seen)

    def close(self) -> None:
        self.go_on()
        self._page.close()

    def _values(self) -> tuple[int, ...]:
        return LAYOUT.unpack(self._page[:])
