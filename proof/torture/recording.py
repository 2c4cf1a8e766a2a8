"""Plays the workload of a seed under the recorder, once for many images. Must not know what is judged."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from proof.torture import preload, trace
from proof.torture.disk import Disk
from proof.torture.trace import Operation
from tests.world import ROOT

STAGES = 4
SAID = "said"
START, OPEN = (f'{{"what":"{word}"'.encode() for word in ("start", "open"))


@dataclass(frozen=True)
class Recording:
    """A workload as it was written. openings: first and last operation of each opening of the store."""

    version: str
    operations: tuple[Operation, ...]
    openings: tuple[tuple[int, int], ...]


def memory() -> str | None:
    """A directory whose syncs cost nothing, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@contextmanager
def directory() -> Iterator[Path]:
    """A directory for images."""
    with tempfile.TemporaryDirectory(prefix="torture-", dir=memory()) as path:
        yield Path(path)


@lru_cache(maxsize=2)
def record(version: str, seed: str) -> Recording:
    """Plays the workload of a seed under the recorder. Raises NoCompiler, Unseen."""
    with directory() as path:
        root = path / "root"
        root.mkdir()
        environment = {**os.environ, **preload.environment(root, trace=path / "trace"), "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
        for stage in range(STAGES):
            command = [sys.executable, "-m", "proof.torture.workload", str(root), version, seed, str(stage)]
            subprocess.run(command, env=environment, check=True, cwd=ROOT)
        operations = trace.read(path / "trace")
        disk = Disk()
        for operation in operations:
            disk.apply(operation)
        if any((root / name).read_bytes() != content for name, content in disk.files().items()):
            raise trace.Unseen("the files are not what the trace makes of them")
    return Recording(version, tuple(operations), tuple(_openings(operations)))


def _openings(operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    start = 0
    for number, operation in enumerate(operations):
        if operation.path == SAID and operation.data.startswith(START):
            start = number
        if operation.path == SAID and operation.data.startswith(OPEN):
            yield start, number
