"""Readings kept for the message that ends a transaction. Must not know when they are taken."""

from __future__ import annotations

import msgspec

from chargepoint.model.sample import Reading
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db

LEAST = 1
"""The first is never dropped."""
_decoder = msgspec.msgpack.Decoder(Reading)


class Collected:
    """In order of time. Above so many of a transaction every second one goes, but never the first (2.0.1 part 2, J02.FR.20; 1.6 errata 3.91)."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def add(self, transaction: str, reading: Reading, most: int) -> None:
        """Joins the open transaction; by itself not durable. most: how many are kept."""
        with self._db.transaction(durable=False):
            self._db.execute("INSERT INTO collected (txn, reading) VALUES (?, ?)", (transaction, msgspec.msgpack.encode(reading)))
            if self._count(transaction) > max(LEAST, most):
                self._thin(transaction)

    def take(self, transaction: str) -> tuple[Reading, ...]:
        """Gives them, as far as they can be read, and forgets them; joins the open transaction."""
        with self._db.transaction():
            rows = self._db.execute("SELECT id, reading FROM collected WHERE txn = ? ORDER BY id", (transaction,)).fetchall()
            found = [self._damaged.read("collected", f"{id} of {transaction}", content, _decoder) for id, content in rows]
            if rows:
                self._db.execute("DELETE FROM collected WHERE txn = ?", (transaction,))
        return tuple(reading for reading in found if reading is not None)

    def _count(self, transaction: str) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM collected WHERE txn = ?", (transaction,)).fetchone()[0])

    def _thin(self, transaction: str) -> None:
        self._db.execute(
            "DELETE FROM collected WHERE id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS n FROM collected WHERE txn = ?) "
            "WHERE n % 2 = 0)",
            (transaction,),
        )
