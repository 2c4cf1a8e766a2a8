"""Facts whose attempts are used up: given up, not gone. Kept with the CSMS's last answer until somebody has them told again, or for as long as facts
are kept. Must not know why a fact was given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from chargepoint.model.facts import is_intermediate
from chargepoint.store.chain import fact_of
from chargepoint.store.db import Db
from chargepoint.store.ledger import COPY

NOT_TOLD_AGAIN = "id NOT IN (SELECT n FROM transaction_facts WHERE light = 2)"
OLD = f"SELECT id FROM given_up WHERE at < ? AND {NOT_TOLD_AGAIN} ORDER BY id LIMIT ?"
FROM = f"SELECT id, fact FROM given_up WHERE id > ? AND {NOT_TOLD_AGAIN} ORDER BY id LIMIT ?"
LOOKED_AT = 400
"""Rows looked at in one step."""


class GivenUpFact(NamedTuple):
    """transaction: None of a guaranteed fact; at: when it was given up, seconds since 1970, None when nobody knows."""

    id: int
    transaction: str | None
    seq: int | None
    answer: str
    at: float | None


class GivenUp:
    """Every call that writes joins the open transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._looked: dict[str, int] = db.remembered("given_up")

    def count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM given_up").fetchone()[0])

    def add(self, table: str, id: int, answer: str, at: float) -> None:
        """A fact of the outbox's table."""
        if table == "transaction_facts":
            note = "(SELECT note FROM notes WHERE notes.txn = transaction_facts.txn)"
            columns = f"fact, ?, txn, beside, {note}, ?"
        else:
            columns = "fact, ?, NULL, NULL, NULL, ?"
        self._db.execute(f"INSERT INTO given_up (fact, answer, txn, beside, note, at) SELECT {columns} FROM {table} WHERE id = ?", (answer, at, id))

    def untold(self, transaction: str | None) -> list[int]:
        """Ids of those (of one transaction) that are not just being told again."""
        waiting = {row[0] for row in self._db.execute("SELECT n FROM transaction_facts WHERE light = 2")}
        return [item.id for item in self.list(transaction) if item.id not in waiting]

    def tell_again(self, id: int, next_id: Callable[[], int]) -> None:
        """Puts it among those that wait: of a transaction's fact a copy, that is no part of the chain, under the next id."""
        transaction, blob, beside, note = self._db.execute("SELECT txn, fact, beside, note FROM given_up WHERE id = ?", (id,)).fetchone()
        fact = fact_of(blob)
        if fact is None:
            self._db.execute("INSERT INTO guaranteed_facts (fact) VALUES (?)", (blob,))
            self._db.execute("DELETE FROM given_up WHERE id = ?", (id,))
            return
        values = (next_id(), transaction or fact.transaction, COPY, blob, id, beside)
        self._db.execute("INSERT INTO transaction_facts (id, txn, light, fact, n, beside) VALUES (?, ?, ?, ?, ?, ?)", values)
        if note is not None:
            self._db.execute("INSERT OR IGNORE INTO notes (txn, note) VALUES (?, ?)", (fact.transaction, note))

    def copy_leaves(self, number: int, answer: str | None, at: float) -> None:
        """A copy was told, or (answer) given up once more. A note lives while anything of its transaction is in the outbox."""
        transaction, id = self._db.execute("SELECT txn, n FROM transaction_facts WHERE id = ?", (number,)).fetchone()
        self._db.execute("DELETE FROM transaction_facts WHERE id = ?", (number,))
        if answer is None:
            self._db.execute("DELETE FROM given_up WHERE id = ?", (id,))
        else:
            self._db.execute("UPDATE given_up SET answer = ?, at = ? WHERE id = ?", (answer, at, id))
            self._looked.clear()
        if self._db.execute("SELECT 1 FROM transaction_facts WHERE txn = ? LIMIT 1", (transaction,)).fetchone() is None:
            self._db.execute("DELETE FROM notes WHERE txn = ?", (transaction,))

    def old(self, before_s: float) -> bool:
        """Whether there are any to prune."""
        return self._db.execute(OLD, (before_s, 1)).fetchone() is not None

    def prune(self, before_s: float, most: int) -> int:
        """Forgets the oldest that were given up before a time and are not just told again; how many."""
        old = [row[0] for row in self._db.execute(OLD, (before_s, most))]
        for id in old:
            self._db.execute("DELETE FROM given_up WHERE id = ?", (id,))
        return len(old)

    def date(self, since_s: float, now_s: float) -> None:
        """Those that were given up at a time before one count as given up now: the clock was not known then."""
        if self._db.execute("SELECT 1 FROM given_up WHERE at < ? LIMIT 1", (since_s,)).fetchone() is not None:
            self._db.execute("UPDATE given_up SET at = ? WHERE at < ?", (now_s, since_s))

    def give_way(self, least: int) -> int | None:
        """Forgets the oldest that a full store can spare: all but a transaction's begin, end and other events. How many; None once all were looked
        at. least: where fewer would go, none does."""
        after = self._looked.get("up_to", 0)
        rows = self._db.execute(FROM, (after, LOOKED_AT)).fetchall()
        spare = [(id,) for id, content in rows if (fact := fact_of(content)) is None or is_intermediate(fact)]
        whole = len(rows) == LOOKED_AT
        if len(spare) < least and not whole:
            return None
        self._looked["up_to"] = rows[-1][0]
        if len(spare) < least:
            return 0
        self._db.execute_many("DELETE FROM given_up WHERE id = ?", spare)
        return len(spare)

    def list(self, transaction: str | None = None) -> Iterator[GivenUpFact]:
        """Those of one transaction, or all, in order."""
        rows = self._db.execute("SELECT id, txn, fact, answer, at FROM given_up WHERE ? IN (txn, '') ORDER BY id", (transaction or "",))
        for id, txn, content, answer, at in rows:
            fact = fact_of(content)
            yield GivenUpFact(id, txn, None if fact is None else fact.seq, str(answer), at if isinstance(at, float) else None)
