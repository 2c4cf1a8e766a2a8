"""What a disk may hold after a cut: the files as last synced, and of what was written since then whatever a disk could leave.

A disk keeps sectors: of each, any version it had since the last sync of its file may be the one that is left, whatever is left of its neighbours, and
the size of a file is kept apart from what is in it. Names change apart from contents: a new name, a rename or a removal may be lost until the
directory is synced, in order. Must not know what the files mean.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from proof.torture.trace import Operation

SECTOR, PAGE = 512, 4096
Image = dict[str, bytes]
"""Contents by name."""


class Cut(StrEnum):
    """What a disk leaves of the writes since the last sync. SYNCED: none. ALL: all. PREFIX: the first ones. SUBSET: some, each whole. TORN: the first
    ones, and a part of the next. SECTORS, PAGES: each sector or page on its own."""

    SYNCED = "synced only"
    ALL = "all written"
    PREFIX = "the first writes"
    SUBSET = "some writes"
    TORN = "a torn write"
    SECTORS = "sectors at random"
    PAGES = "pages at random"


@dataclass
class Held:
    """One file: as synced, as the processes see it, and the changes between the two."""

    durable: bytes = b""
    seen: bytearray = field(default_factory=bytearray)
    changes: list[Operation] = field(default_factory=list)

    def sync(self) -> None:
        self.durable, self.changes = bytes(self.seen), []


class Disk:
    """files: what the disk held at first."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._durable_names: dict[str, Held] = {name: Held(bytes(data), bytearray(data)) for name, data in (files or {}).items()}
        self._names = dict(self._durable_names)
        self._renamings: list[Operation] = []
        self._born: dict[int, Held] = {}

    def apply(self, operation: Operation) -> None:
        """The next operation of the trace."""
        match operation.what:
            case "W" | "T":
                held = self._names.get(operation.path)
                if held is not None:
                    held.changes.append(operation)
                    change(held.seen, operation)
            case "S":
                self._sync(operation.path)
            case "C" | "R" | "U":
                if operation.what == "C":
                    self._born[id(operation)] = Held()
                self._renamings.append(operation)
                self._name(self._names, operation)

    def files(self) -> Image:
        """As the processes see them."""
        return {name: bytes(held.seen) for name, held in self._names.items()}

    def image(self, cut: Cut, chance: random.Random) -> Image:
        """What a cut now may leave. `chance` alone decides among what the cut allows."""
        kept = len(self._renamings) if cut is Cut.ALL else 0 if cut is Cut.SYNCED else chance.randint(0, len(self._renamings))
        names = dict(self._durable_names)
        for operation in self._renamings[:kept]:
            self._name(names, operation)
        return {name: LEFT[cut](held, chance) for name, held in sorted(names.items(), key=lambda item: item[0])}

    def _sync(self, path: str) -> None:
        held = self._names.get(path)
        if held is not None:
            held.sync()
        else:  # a directory; there is one
            self._durable_names, self._renamings = dict(self._names), []
            self._born.clear()

    def _name(self, names: dict[str, Held], operation: Operation) -> None:
        if operation.what == "C":
            names[operation.path] = self._born[id(operation)]
        elif (held := names.pop(operation.path, None)) is not None and operation.what == "R":
            names[operation.other] = held


def change(content: bytearray, operation: Operation) -> None:
    """One write or truncation."""
    size = operation.offset + (len(operation.data) if operation.what == "W" else 0)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if operation.what == "T":
        del content[operation.offset :]
    else:
        content[operation.offset : size] = operation.data


def _through(held: Held, changes: list[Operation]) -> bytes:
    content = bytearray(held.durable)
    for operation in changes:
        change(content, operation)
    return bytes(content)


def _prefix(held: Held, chance: random.Random) -> bytes:
    return _through(held, held.changes[: chance.randint(0, len(held.changes))])


def _subset(held: Held, chance: random.Random) -> bytes:
    share = chance.random()
    return _through(held, [operation for operation in held.changes if chance.random() < share])


def _torn(held: Held, chance: random.Random) -> bytes:
    if not held.changes:
        return held.durable
    number = chance.randrange(len(held.changes))
    torn = held.changes[number]
    unit = chance.choice((SECTOR, PAGE))
    end = (torn.offset // unit + chance.randint(0, 1 + len(torn.data) // unit)) * unit
    part = [torn._replace(data=torn.data[: max(0, end - torn.offset)])] if torn.what == "W" else []
    return _through(held, [*held.changes[:number], *part])


def _units(unit: int) -> Callable[[Held, random.Random], bytes]:
    def left(held: Held, chance: random.Random) -> bytes:
        """Of each unit one of its versions, within one of the sizes the file had."""
        versions: dict[int, int] = {}
        count = len(held.changes)
        sizes, content = [len(held.durable)], bytearray(held.durable)
        for number, operation in enumerate(held.changes):
            sizes.append(_size(sizes[-1], operation))
            if operation.what == "W":
                for start, end in _clips(operation, unit):
                    version = versions.setdefault(start // unit, chance.randint(0, count))
                    if number < version:
                        change(content, operation._replace(offset=start, data=operation.data[start - operation.offset : end - operation.offset]))
        size = sizes[chance.randint(0, count)]
        return bytes(content[:size]).ljust(size, b"\0")

    return left


def _size(before: int, operation: Operation) -> int:
    return operation.offset if operation.what == "T" else max(before, operation.offset + len(operation.data))


def _clips(operation: Operation, unit: int) -> Iterator[tuple[int, int]]:
    """The parts of a write that lie in one unit each."""
    start, end = operation.offset, operation.offset + len(operation.data)
    while start < end:
        stop = min(end, (start // unit + 1) * unit)
        yield start, stop
        start = stop


LEFT: dict[Cut, Callable[[Held, random.Random], bytes]] = {
    Cut.SYNCED: lambda held, chance: held.durable,
    Cut.ALL: lambda held, chance: bytes(held.seen),
    Cut.PREFIX: _prefix,
    Cut.SUBSET: _subset,
    Cut.TORN: _torn,
    Cut.SECTORS: _units(SECTOR),
    Cut.PAGES: _units(PAGE),
}
