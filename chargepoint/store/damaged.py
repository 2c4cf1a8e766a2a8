"""What lay in the store and cannot be read any more: set aside byte for byte for a person, out of everybody's way. Must not know what it meant."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from chargepoint.model.idtoken import TYPE_FOLLOWS
from chargepoint.store.db import Db
from chargepoint.store.packed import Unreadable, value_of

log = logging.getLogger(__name__)

T = TypeVar("T")

ERASED = "(erased)"
TELLING = 4
"""Characters of a card that stand together in other bytes by no chance."""
AT_ONCE = 30
"""Rows pruned in one step."""


class Found(NamedTuple):
    """place: the table and column; key: of the row; why: what is wrong with its bytes."""

    id: int
    place: str
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}, row {self.key}: {self.why}"


class Damaged:
    """Every call that writes joins the open transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def put(self, place: str, key: object, content: Any, why: str) -> None:
        """Keeps what lies at a place; once, however often it is met there."""
        known = self._db.execute("SELECT 1 FROM damaged WHERE place = ? AND key = ? AND content IS ?", (place, str(key), content)).fetchone()
        if known is not None:
            return
        log.error("%s, row %s cannot be read (%s): its bytes are kept", place, key, why)
        self._db.execute("INSERT INTO damaged (place, key, content, why) VALUES (?, ?, ?, ?)", (place, str(key), content, why))
        self._db.after_commit(self._count_one)

    def read(self, place: str, key: object, content: Any, decoder: msgspec.msgpack.Decoder[T], drop: str | None = None) -> T | None:
        """The value of these bytes; None when they are none, which are kept then. drop: the statement that takes its row out, by its key."""
        try:
            return value_of(content, decoder)
        except Unreadable as error:
            with self._db.transaction():
                self.put(place, key, content, str(error))
                if drop is not None:
                    self._db.execute(drop, (key,))
            return None

    def count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM damaged").fetchone()[0])

    def all(self) -> Iterator[Found]:
        """All of them, the oldest first."""
        return (Found(*row) for row in self._db.execute("SELECT id, place, key, why FROM damaged ORDER BY id"))

    def erase(self, card: str) -> None:
        """Keeps of rows that hold a card (in lower case) only where they lay."""
        for id, key, content in self._db.execute("SELECT id, key, content FROM damaged").fetchall():
            in_key = key.casefold().partition(TYPE_FOLLOWS)[0] == card
            if in_key or (len(card) >= TELLING and card.encode() in _lower(content)):
                self._db.execute("UPDATE damaged SET key = ?, content = NULL WHERE id = ?", (ERASED if in_key else key, id))

    def unsaid(self) -> list[Found]:
        """Those that nobody was told of yet."""
        return [Found(*row) for row in self._db.execute("SELECT id, place, key, why FROM damaged WHERE at IS NULL ORDER BY id")]

    def said(self, found: list[Found], at: float) -> None:
        self._db.execute_many("UPDATE damaged SET at = ? WHERE id = ?", [(at, one.id) for one in found])

    def prune(self, before_s: float) -> int:
        """Forgets the oldest of those that were said before a time (seconds since 1970), a few at once; how many."""
        old = self._db.execute("SELECT id FROM damaged WHERE at < ? ORDER BY id LIMIT ?", (before_s, AT_ONCE)).fetchall()
        if old:
            self._db.execute_many("DELETE FROM damaged WHERE id = ?", old)
        return len(old)

    def date(self, since_s: float, now_s: float) -> None:
        """Those that were said at a time before one count as said now: the clock was not known then."""
        if self._db.execute("SELECT 1 FROM damaged WHERE at < ? LIMIT 1", (since_s,)).fetchone() is not None:
            self._db.execute("UPDATE damaged SET at = ? WHERE at < ?", (now_s, since_s))

    def _count_one(self) -> None:
        self._db.set_aside += 1


def _lower(content: Any) -> bytes:
    """In a damaged row there may be anything."""
    return content.lower() if isinstance(content, bytes) else str(content).casefold().encode()
