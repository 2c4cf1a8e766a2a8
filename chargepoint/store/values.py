"""Small values by name. Must not know what they mean."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db

T = TypeVar("T")


class Values:
    """name -> msgpack. One page per write, so keep them small."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def get(self, name: str, type_: type[T]) -> T | None:
        """The value, or None when there is none. One that cannot be read, or is of another shape, is set aside and taken for none."""
        row = self._db.execute('SELECT value FROM "values" WHERE name = ?', (name,)).fetchone()
        if row is None:
            return None
        return self._damaged.read("values", name, row[0], msgspec.msgpack.Decoder(type_), 'DELETE FROM "values" WHERE name = ?')

    def set(self, name: str, value: Any, *, durable: bool = True) -> None:
        """Keeps any value msgspec can encode; joins the open transaction. Raises StoreError."""
        with self._db.transaction(durable=durable):
            self._db.execute('INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)', (name, msgspec.msgpack.encode(value)))

    def remove(self, name: str) -> None:
        with self._db.transaction():
            self._db.execute('DELETE FROM "values" WHERE name = ?', (name,))
