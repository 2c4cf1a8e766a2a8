"""The security log: the last thousand events (2.0.1 part 2, A04.FR.04). Must not know who writes or reads it."""

from __future__ import annotations

import msgspec

from chargepoint.model.facts import SecurityFact
from chargepoint.store.db import Db

KEPT = 1000


class SecurityLog:
    """A rolling log."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, fact: SecurityFact) -> None:
        """Joins the open transaction."""
        with self._db.transaction():
            number = self._db.execute("INSERT INTO security_log (fact) VALUES (?)", (msgspec.msgpack.encode(fact),)).lastrowid or 0
            self._db.execute("DELETE FROM security_log WHERE id <= ?", (number - KEPT,))

    def last(self, n: int) -> list[SecurityFact]:
        """The n newest, oldest of them first."""
        rows = self._db.execute("SELECT fact FROM security_log ORDER BY id DESC LIMIT ?", (n,)).fetchall()
        return [msgspec.msgpack.decode(row[0], type=SecurityFact) for row in reversed(rows)]
