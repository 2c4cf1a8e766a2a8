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
from proof.torture.older import layout_of
from proof.torture.trace import Operation
from proof.torture.workload import OLDER_AFTER
from tests.world import ROOT

STAGES = 4
SAID = "said"
START, OPEN = (f'{{"what":"{word}"'.encode() for word in ("start", "open"))


@dataclass(frozen=True)
class Recording:
    """A workload as it was written. openings: first and last operation of each opening of the store; migration: of the one that finds an older
    layout, None when there is none; aside: those that made it older, in whose midst nothing is cut."""

    version: str
    operations: tuple[Operation, ...]
    openings: tuple[tuple[int, int], ...]
    migration: tuple[int, int] | None = None
    aside: range = range(0)


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
        layout, aside = layout_of(seed), range(0)
        for stage in range(STAGES):
            _run(environment, "proof.torture.workload", str(root), version, seed, str(stage))
            if layout is not None and stage == OLDER_AFTER:
                before = len(trace.read(path / "trace"))
                _run(environment, "proof.torture.older", str(root), str(layout))
                aside = range(before, len(trace.read(path / "trace")))
        operations = trace.read(path / "trace")
        disk = Disk()
        for operation in operations:
            disk.apply(operation)
        if any((root / name).read_bytes() != content for name, content in disk.files().items()):
            raise trace.Unseen("the files are not what the trace makes of them")
    openings = tuple(_openings(operations))
    return Recording(version, tuple(operations), openings, openings[OLDER_AFTER + 1] if aside else None, aside)


def _run(environment: dict[str, str], module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], env=environment, check=True, cwd=ROOT)


def _openings(operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    start = 0
    for number, operation in enumerate(operations):
        if operation.path == SAID and operation.data.startswith(START):
            start = number
        if operation.path == SAID and operation.data.startswith(OPEN):
            yield start, number
