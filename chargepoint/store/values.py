"""Small values by name. Must not know what they mean."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from chargepoint.store.db import Db
from chargepoint.store.packed import NO_VALUE

T = TypeVar("T")


class Values:
    """name -> msgpack. One page per write, so keep them small."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def get(self, name: str, type_: type[T]) -> T | None:
        """The value, or None when there is none (or one of another shape, left by another version)."""
        row = self._db.execute('SELECT value FROM "values" WHERE name = ?', (name,)).fetchone()
        if row is None:
            return None
        try:
            return msgspec.msgpack.decode(row[0], type=type_)
        except NO_VALUE:
            return None

    def set(self, name: str, value: Any, *, durable: bool = True) -> None:
        """Keeps any value msgspec can encode; joins the open transaction. Raises StoreError."""
        with self._db.transaction(durable=durable):
            self._db.execute('INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)', (name, msgspec.msgpack.encode(value)))

    def remove(self, name: str) -> None:
        with self._db.transaction():
            self._db.execute('DELETE FROM "values" WHERE name = ?', (name,))
