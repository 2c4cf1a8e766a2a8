"""The numbers beside a fact that say how far it is told: of which a damaged row holds something else, said, kept and set right. Must not know facts.

A fact that can be read is not lost for them: what its neighbours show decides, and where they show nothing it is told, rather twice than never.
"""

from __future__ import annotations

from typing import NamedTuple

from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.readable import GUARANTEED, TRANSACTIONS

OTHER = """EXISTS (SELECT 1 FROM transaction_facts AS other
    WHERE other.id > transaction_facts.id AND other.txn = transaction_facts.txn AND other.told IN (1, 2) AND other.light IN (0, 1))"""


class Column(NamedTuple):
    """sound: what holds of each of its values; instead: what stands in the place of another."""

    table: str
    name: str
    sound: str
    instead: str


COLUMNS = (
    Column(TRANSACTIONS, "light", "light IN (0, 1, 2, 3)", "CASE WHEN told = 3 THEN 3 WHEN link IS NULL AND n IS NOT NULL THEN 2 ELSE 0 END"),
    Column(TRANSACTIONS, "told", "told IN (0, 1, 2, 3, 4)", f"CASE WHEN light = 3 THEN 3 WHEN light != 2 AND {OTHER} THEN 1 ELSE 0 END"),
    Column(TRANSACTIONS, "attempts", "typeof(attempts) = 'integer' AND attempts >= 0", "0"),
    Column(GUARANTEED, "attempts", "typeof(attempts) = 'integer' AND attempts >= 0", "0"),
)


class Soundness:
    """Of the outbox's tables."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def set_right(self) -> None:
        """Once, before anything is told."""
        for table in (TRANSACTIONS, GUARANTEED):
            columns = [column for column in COLUMNS if column.table == table]
            sound = " AND ".join(f"({column.sound})" for column in columns)
            wrong = self._db.execute(f"SELECT id FROM {table} WHERE ({sound}) IS NOT TRUE ORDER BY id DESC").fetchall()
            for (id,) in wrong:
                for column in columns:
                    self._mend(column, id)

    def _mend(self, column: Column, id: int) -> None:
        table, name = column.table, column.name
        row = self._db.execute(f"SELECT {name} FROM {table} WHERE id = ? AND ({column.sound}) IS NOT TRUE", (id,)).fetchone()
        if row is not None:
            with self._db.transaction():
                self._damaged.put(f"{table}.{name}", id, row[0], "it says nothing of how far the fact is told")
                self._db.execute(f"UPDATE {table} SET {name} = {column.instead} WHERE id = ?", (id,))
