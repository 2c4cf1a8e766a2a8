"""Session rows: what a session was when last written, and where the chains of its transactions end. Must not know what a session is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from chargepoint.store.chains import Chains
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db

KEPT = 100
COLUMNS = 'SELECT id, evse, "row" FROM sessions'
CLOSE = 'UPDATE sessions SET "open" = 0 WHERE id = ?'


class Row(Protocol):
    """What a session row offers, whatever else it holds: a unique id, its EVSE, and whether it is still open."""

    @property
    def id(self) -> str: ...

    @property
    def evse(self) -> int: ...

    @property
    def open(self) -> bool: ...


R = TypeVar("R", bound=Row)


class Sessions(Generic[R]):
    """Rows of one msgspec Struct type. Ended ones stay as long as the facts of their transactions; of those that never had one, the last 100.
    transaction: the id of a row's last transaction, "" for none."""

    def __init__(self, db: Db, type_: type[R], transaction: Callable[[R], str] = lambda row: "") -> None:
        self._db = db
        self._chains = Chains(db)
        self._damaged = Damaged(db)
        self._transaction = transaction
        self._decoder: msgspec.msgpack.Decoder[R] = msgspec.msgpack.Decoder(type_)

    def save(self, row: R) -> None:
        """Writes a row over its former self; joins the open transaction. Raises StoreError."""
        blob = msgspec.msgpack.encode(row)
        with self._db.transaction():
            chains = self._chains.follow(row.id, self._transaction(row))
            values = (row.evse, row.open, blob, chains, row.id)
            if not self._db.execute('UPDATE sessions SET evse = ?, "open" = ?, "row" = ?, chains = ? WHERE id = ?', values).rowcount:
                self._db.execute('INSERT INTO sessions (evse, "open", "row", chains, id) VALUES (?, ?, ?, ?, ?)', values)
            self._chains.saved(row.id, chains, open=row.open)
            if not row.open:
                self._prune()

    def open_rows(self) -> list[R]:
        """Sessions not ended, oldest first, as far as they can be read."""
        rows = self._db.execute(f'{COLUMNS} WHERE "open" != 0 ORDER BY number').fetchall()
        return [row for id, evse, content in rows if (row := self._row(id, evse, content, CLOSE)) is not None]

    def last(self, n: int) -> list[R]:
        """The n sessions begun last, newest first."""
        return self._read("ORDER BY number DESC LIMIT ?", n)

    def get(self, id: str) -> R | None:
        rows = self._read("WHERE id = ?", id)
        return rows[0] if rows else None

    def _read(self, where: str, *args: Any) -> list[R]:
        found = self._db.execute(f"{COLUMNS} {where}", args).fetchall()
        return [row for columns in found if (row := self._row(*columns)) is not None]

    def _row(self, id: str, evse: int, content: Any, drop: str | None = None) -> R | None:
        """A row whose bytes are no session of this id and EVSE is set aside, and stays where it is for its chains' sake."""
        row = self._damaged.read("sessions", id, content, self._decoder, drop)
        if row is None or (row.id, row.evse) == (id, evse):
            return row
        with self._db.transaction():
            self._damaged.put("sessions", id, content, "it is the row of another session")
            if drop is not None:
                self._db.execute(drop, (id,))
        return None

    def _prune(self) -> None:
        self._db.execute('DELETE FROM sessions WHERE "open" = 0 AND chains IS NULL AND number <= (SELECT MAX(number) FROM sessions) - ?', (KEPT,))
