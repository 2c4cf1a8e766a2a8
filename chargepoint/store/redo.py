"""What the database was told since its last commit, so that it can be told again: after a kill, after a power cut, or in another database.

A round is what one commit will keep. Its statements stand in memory, those since the last mark also in the tail, all before in the mark. The database
says which round it holds (`ROUND`), so that none is told twice. Must not know what the statements mean.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from chargepoint.store.mark import Mark
from chargepoint.store.tail import Tail

log = logging.getLogger(__name__)

Statement = tuple[str, Sequence[Any]]
ROUND = "db.round"
"""Name of the small value (owner, number of the last round that was kept)."""
MOST = 2000
"""Statements in a round."""
_decoder = msgspec.msgpack.Decoder(list[tuple[str, list[Any]]])


class Redo:
    """owner: of the mark. statements: those of this round that were kept; unsynced: how many calls of `keep` a power cut would take."""

    def __init__(self, mark: Mark, tail: Tail, owner: bytes, last: int) -> None:
        self.statements: list[Statement] = []
        self.unsynced = 0
        self.broken: str | None = None
        self._mark = mark
        self._tail = tail
        self._owner = owner
        self._round = last + 1
        self._number = 0
        self._gap = False
        self._since: list[Statement] = []

    def left(self) -> Iterator[Statement]:
        """What a run before this one kept and did not commit."""
        for number, payload in enumerate(self._mark.read(self._owner, self._round), 1):
            self._number = number
            yield from _decoder.decode(zlib.decompress(payload))
        for payload in self._tail.read(self._owner, self._round, self._number):
            yield from _decoder.decode(payload)

    def reserve(self) -> None:
        """Makes room for the mark while there is some."""
        try:
            self._mark.reserve()
        except OSError as error:
            self._say(error)

    @property
    def value(self) -> tuple[bytes, int]:
        """What the database is to say of itself once it holds this round."""
        return self._owner, self._round

    @property
    def full(self) -> bool:
        return len(self.statements) >= MOST

    def keep(self, statements: Iterable[Statement]) -> bool:
        """Over a kill of the process, once this returns; over a power cut from the next mark or commit on. False: neither tail nor mark took it."""
        new = list(statements)
        self.statements += new
        self._since += new
        self.unsynced += 1
        try:
            self._tail.add(self._owner, self._round, self._number, msgspec.msgpack.encode(new))
        except OSError as error:
            self._say(error)
            return self.mark()
        return True

    def note(self, statements: Iterable[Statement], *, sync: bool) -> None:
        """The database is in memory: what it was told is written here as long as it can be, for the next run. Nothing after a gap."""
        if self._gap:
            return
        self._gap = not self.keep(statements)
        self.statements.clear()
        if sync and not self._gap and not self.mark():
            self._gap = len(self._since) > MOST

    def mark(self) -> bool:
        """Keeps over a power cut what was kept so far. False: it cannot be written, or has no room in this round."""
        if not self.unsynced:
            return True
        payload = zlib.compress(msgspec.msgpack.encode(self._since), 6)
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
        self.statements.clear()
        self._round += 1
        self._number = 0
        self._gap = False
        self._mark.begin()
        self._marked()

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
