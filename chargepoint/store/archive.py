"""Transactions whose end was told, out of the outbox's way: a few rows each, the intermediate facts packed together. Must not know delivery.

Part 0 holds the first entry of the chain and the last fact, which say what was charged, and beside them the tokens of all; the further parts hold
what is between, compressed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chargepoint.store.chain import Stored, fact_of
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.packed import Unreadable, opened, packed, sealed, unpacked

PART = 256
"""Entries of a part: some 75 kB before they are compressed."""
CHECK_BYTES = 4
"""So much of each link stays, to say where a chain breaks; the head is whole."""
Entry = tuple[int, int, bytes, bytes]
"""(place, number in the chain, content, first bytes of the link)."""
Tokens = dict[int, bytes]


class Edges(NamedTuple):
    """The first and the last fact of a transaction, as they are stored."""

    first: Stored
    last: Stored


class Archive:
    """The table `ledger`."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def put(self, transaction: str, entries: Sequence[Stored]) -> None:
        """Keeps a whole chain, in order; joins the open transaction."""
        edges, between = _split(entries)
        tokens = {place: entry.beside for place, entry in enumerate(entries) if entry.beside is not None}
        self._insert(transaction, 0, packed(edges), packed(tokens) if tokens else None)
        for part, at in enumerate(range(0, len(between), PART), 1):
            self._insert(transaction, part, sealed(zlib.compress(packed(between[at : at + PART]))), None)

    def add(self, transaction: str, entries: Sequence[Stored]) -> None:
        """As `put`, after what is here already of it, though that was over: a damaged row may have said so."""
        if self.holds(transaction):
            entries = [*self._taken(transaction), *entries]
        self.put(transaction, entries)

    def holds(self, transaction: str) -> bool:
        found = self._db.execute("SELECT 1 FROM ledger WHERE txn = ? LIMIT 1", (transaction,))
        return found.fetchone() is not None

    def entries(self, transaction: str) -> list[Stored]:
        """The chain in order, empty when it is not here. Raises Unreadable."""
        rows = self._db.execute("SELECT part, facts, beside FROM ledger WHERE txn = ? ORDER BY part", (transaction,)).fetchall()
        if not rows:
            return []
        if [row[0] for row in rows] != list(range(len(rows))):
            raise Unreadable("parts of it are missing")
        tokens = _tokens(rows[0][2])
        found = sorted(entry for part, blob, _ in rows for entry in _part(part, blob))
        if not tokens.keys() <= {place for place, *_ in found}:
            raise Unreadable("there are tokens of no fact")
        return [Stored(n, content, check, tokens.get(place)) for place, n, content, check in found]

    def edges(self, transaction: str) -> Edges | None:
        """The first and the last fact; None when it is not here. Raises Unreadable."""
        row = self._db.execute("SELECT facts, beside FROM ledger WHERE txn = ? AND part = 0", (transaction,)).fetchone()
        if row is None:
            return None
        tokens = _tokens(row[1])
        first, *more = sorted(_part(0, row[0]))
        last = more[-1] if more else first
        named = next((tokens[place] for place in sorted(tokens)), None)
        return Edges(Stored(first[1], first[2], first[3], named), Stored(last[1], last[2], last[3], tokens.get(last[0])))

    def drop(self, transaction: str) -> None:
        """Joins the open transaction."""
        self._db.execute("DELETE FROM ledger WHERE txn = ?", (transaction,))

    def transactions(self) -> Iterator[str]:
        return (str(row[0]) for row in self._db.execute("SELECT DISTINCT txn FROM ledger"))

    def erase(self, transaction: str) -> None:
        """The tokens of a transaction; joins the open transaction."""
        self._db.execute("UPDATE ledger SET beside = NULL WHERE txn = ? AND part = 0", (transaction,))

    def tokens(self, transaction: str) -> list[bytes]:
        """What lies beside its facts. Raises Unreadable."""
        row = self._db.execute("SELECT beside FROM ledger WHERE txn = ? AND part = 0", (transaction,)).fetchone()
        return [] if row is None else list(_tokens(row[0]).values())

    def _taken(self, transaction: str) -> list[Stored]:
        try:
            return self.entries(transaction)
        except Unreadable as error:
            for part, blob in self._db.execute("SELECT part, facts FROM ledger WHERE txn = ?", (transaction,)).fetchall():
                self._damaged.put("ledger", f"{part} of {transaction}", blob, str(error))
            return []
        finally:
            self.drop(transaction)

    def _insert(self, transaction: str, part: int, facts: bytes, beside: bytes | None) -> None:
        self._db.execute("INSERT INTO ledger (txn, part, facts, beside) VALUES (?, ?, ?, ?)", (transaction, part, facts, beside))


def _split(entries: Sequence[Stored]) -> tuple[list[Entry], list[Entry]]:
    """(first entry and last fact, the others)."""
    numbered = [(place, entry.n, entry.content, entry.link[:CHECK_BYTES]) for place, entry in enumerate(entries)]
    last = next(place for place in reversed(range(len(entries))) if place == 0 or fact_of(entries[place].content) is not None)
    edges = [entry for entry in numbered if entry[0] in (0, last)]
    return edges, [entry for entry in numbered if entry[0] not in (0, last)]


def _part(part: int, blob: bytes) -> list[Entry]:
    try:
        return unpacked(zlib.decompress(opened(blob)) if part else blob, list[Entry])
    except (Unreadable, zlib.error) as error:
        raise Unreadable(f"part {part} of it cannot be read: {error}") from None


def _tokens(blob: bytes | None) -> Tokens:
    if blob is None:
        return {}
    try:
        return unpacked(blob, Tokens)
    except Unreadable as error:
        raise Unreadable(f"the tokens beside its facts cannot be read: {error}") from None
