"""What the database was told since its last commit, so that it can be told again: after a kill, after a power cut, or in another database.

A round is what one commit will keep. Its statements stand in memory, those since the last mark also in the tail, all before in the mark. The database
says which round it holds (`ROUND`), so that none is told twice. Must not know what the statements mean.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from chargepoint.store.mark import OWNER_BYTES, ROOM, Mark
from chargepoint.store.packed import NO_VALUE
from chargepoint.store.tail import Tail

log = logging.getLogger(__name__)

Statement = tuple[str, Sequence[Any]]
ROUND = "db.round"
"""Name of the small value (owner, number of the last round that was kept)."""
MOST = 2000
"""Statements in a round."""
ARRAY = struct.Struct(">BI")
ARRAY_32 = 0xDD
"""MessagePack's array of so many elements, which follow."""
STORED, CHECKSUM = struct.Struct("<3sHH"), struct.Struct(">I")
STORED_BYTES = STORED.size + CHECKSUM.size
"""What zlib adds to bytes that it does not compress."""
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[tuple[str, list[Any]]])


class Redo:
    """owner: of the mark. unsynced: how many calls of `keep` a power cut would take."""

    def __init__(self, mark: Mark, tail: Tail, owner: bytes, last: int) -> None:
        self.unsynced = 0
        self.broken: str | None = None
        self._mark = mark
        self._tail = tail
        self._owner = owner
        self._round = last + 1
        self._number = 0
        self._gap = False
        self._kept: list[bytes] = []
        self._since: list[bytes] = []

    def left(self) -> Iterator[Statement]:
        """What a run before this one kept and did not commit."""
        for number, payload in enumerate(self._mark.read(self._owner, self._round), 1):
            self._number = number
            yield from _decoder.decode(zlib.decompress(payload))
        for payload in self._tail.read(self._owner, self._round, self._number):
            yield from _decoder.decode(payload)

    def reserve(self) -> None:
        try:
            self._mark.reserve()
        except OSError as error:
            self._say(error)

    @property
    def value(self) -> tuple[bytes, int]:
        """What the database is to say of itself once it holds this round."""
        return self._owner, self._round

    @property
    def empty(self) -> bool:
        """Whether nothing of this round was kept yet."""
        return not self._kept

    @property
    def full(self) -> bool:
        return len(self._kept) >= MOST

    def statements(self) -> list[Statement]:
        """Those of this round that were kept."""
        return list(_decoder.decode(_listed(self._kept)))

    def keep(self, statements: Iterable[Statement], *, sync: bool) -> bool:
        """Over a kill of the process, once this returns; sync: over a power cut too, with all before. False: neither tail nor mark took it."""
        new = [_encode(statement) for statement in statements]
        self._kept += new
        self._since += new
        self.unsynced += 1
        if sync:
            return self.mark()
        try:
            self._tail.add(self._owner, self._round, self._number, _listed(new))
        except OSError as error:
            self._say(error)
            return self.mark()
        return True

    def note(self, statements: Iterable[Statement], *, sync: bool) -> None:
        """The database is in memory: what it was told is written here as long as it can be, for the next run. Nothing after a gap."""
        if self._gap:
            return
        self._gap = not self.keep(statements, sync=False)
        self.forget()
        if sync and not self._gap and not self.mark():
            self._gap = len(self._since) > MOST

    def mark(self) -> bool:
        """Keeps over a power cut what was kept so far. False: it cannot be written, or has no room in this round."""
        if not self.unsynced:
            return True
        payload = _packed(_listed(self._since))
        if not self._mark.fits(len(payload)):
            return False
        try:
            self._mark.write(self._owner, self._round, self._number, payload)
        except OSError as error:
            self._say(error)
            return False
        self._number += 1
        self._marked()
        self.broken = None
        return True

    def begin(self) -> None:
        """The database holds the round."""
        self.forget()
        self._round += 1
        self._number = 0
        self._gap = False
        self._mark.begin()
        self._marked()

    def forget(self) -> None:
        """The database was told all of it."""
        self._kept.clear()

    def close(self) -> None:
        self._mark.close()
        self._tail.close()

    def _marked(self) -> None:
        self._since.clear()
        self.unsynced = 0
        self._tail.begin()

    def _say(self, error: OSError) -> None:
        """Each trouble once."""
        if self.broken != str(error):
            log.error("the mark cannot be written: %s", error)
        self.broken = str(error)


def next_round(known: tuple[bytes, int] | None, found: tuple[bytes, int] | None) -> tuple[bytes, int]:
    """Owner of the mark, and the last round that the database holds. known: as the database says; found: what the mark was last written for, where
    the database is not to be trusted."""
    if found is not None and (known is None or (found[0] == known[0] and found[1] > known[1])):
        return found[0], found[1] - 1
    return known or (os.urandom(OWNER_BYTES), 0)


def round_of(value: Any) -> tuple[bytes, int] | None:
    """Owner of the mark, and the last round, as the database says it. None: it cannot be read, and the mark is taken for what it says of itself."""
    try:
        return msgspec.msgpack.decode(value, type=tuple[bytes, int])
    except NO_VALUE as error:
        log.error("which round the database holds cannot be read (%s): the mark's is taken for the next", error)
        return None


def _listed(encoded: Sequence[bytes]) -> bytes:
    return ARRAY.pack(ARRAY_32, len(encoded)) + b"".join(encoded)


def _packed(content: bytes) -> bytes:
    """Compressed where that saves a page. Else in zlib's form for what is not (RFC 1950, 2.2; RFC 1951, 3.2.4): zlib itself would clear its working
    memory first, which takes longer than all else of a record."""
    if len(content) + STORED_BYTES > ROOM:
        return zlib.compress(content, 6)
    return STORED.pack(b"\x78\x01\x01", len(content), len(content) ^ 0xFFFF) + content + CHECKSUM.pack(zlib.adler32(content))
