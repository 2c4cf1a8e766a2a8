"""Reads what the recorder wrote: one operation after the other, as it was done. Must not know disks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEAD = struct.Struct("=c3xiQIIII")
DELETED = " (deleted)"
UNSEEN = "X"


class Unseen(Exception):
    """A file was changed in a way the recorder cannot see: the trace is not to be trusted."""


class Operation(NamedTuple):
    """what: C reate, T runcate, W rite, S ync, R ename, U nlink, M kdir. path: below the root, "" is the root itself; other: the new name. offset:
    of a write; a truncation's new size. pid: who did it."""

    what: str
    path: str
    other: str
    offset: int
    data: bytes
    pid: int


def read(path: Path) -> list[Operation]:
    """Every operation of a trace; of one that is still written, those that are whole. Raises Unseen."""
    return list(parse(path.read_bytes()))


def parse(raw: bytes) -> Iterator[Operation]:
    at = 0
    while at + HEAD.size <= len(raw):
        what, pid, offset, path, other, data, _ = HEAD.unpack_from(raw, at)
        ends = [at + HEAD.size + path, at + HEAD.size + path + other, at + HEAD.size + path + other + data]
        if ends[2] > len(raw):
            return
        name, fresh = raw[at + HEAD.size : ends[0]].decode(), raw[ends[0] : ends[1]].decode()
        if what == UNSEEN.encode():
            raise Unseen(f"{name}: a shared mapping, a link or a copy inside the kernel")
        if not name.endswith(DELETED):
            yield Operation(what.decode(), name, fresh, offset, raw[ends[1] : ends[2]], pid)
        at = ends[2]
