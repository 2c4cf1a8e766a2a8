"""The security log: the last thousand events (2.0.1 part 2, A04.FR.04). Must not know who writes or reads it."""

from __future__ import annotations

import msgspec

from chargepoint.model.facts import SecurityFact
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db

KEPT = 1000
_decoder = msgspec.msgpack.Decoder(SecurityFact)


class SecurityLog:
    """A rolling log."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def add(self, fact: SecurityFact) -> None:
        """Joins the open transaction."""
        with self._db.transaction():
            number = self._db.execute("INSERT INTO security_log (fact) VALUES (?)", (msgspec.msgpack.encode(fact),)).lastrowid or 0
            self._db.execute("DELETE FROM security_log WHERE id <= ?", (number - KEPT,))

    def last(self, n: int) -> list[SecurityFact]:
        """The n newest, oldest of them first, as far as they can be read."""
        rows = self._db.execute("SELECT id, fact FROM security_log ORDER BY id DESC LIMIT ?", (n,)).fetchall()
        found = [self._damaged.read("security_log", id, content, _decoder, "DELETE FROM security_log WHERE id = ?") for id, content in reversed(rows)]
        return [fact for fact in found if fact is not None]
