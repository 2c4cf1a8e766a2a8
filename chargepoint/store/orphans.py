"""Transactions without an end that nobody goes on with, because what went on with them cannot be read any more. Must not know sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from chargepoint.model.facts import EventKind, TransactionFact
from chargepoint.store.chain import fact_of
from chargepoint.store.chains import Chains
from chargepoint.store.db import Db
from chargepoint.store.ledger import UNREADABLE, Ledger


class Orphan(NamedTuple):
    """first, last: of its facts that can be read; session: whose it was, None when nobody knows."""

    session: str | None
    first: TransactionFact
    last: TransactionFact


class Orphans:
    """Over the outbox's table."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._chains = Chains(db)

    def found(self, running: Collection[str]) -> list[Orphan]:
        """Those but the running ones; of which no fact at all can be read goes into the archive, as nobody can be told of it."""
        last_ids = self._db.execute("SELECT txn, MAX(id) FROM transaction_facts WHERE light < 2 GROUP BY txn").fetchall()
        ended = [transaction for transaction, id in last_ids if transaction not in running and not self._ends(id, transaction)]
        sessions = {chain.transaction: session.id for session in self._chains.all() for chain in session.chains or ()} if ended else {}
        return [orphan for transaction in ended for orphan in self._orphan(transaction, sessions.get(transaction))]

    def _ends(self, id: int, transaction: str) -> bool:
        """Whether a transaction's last fact is its end, or was told and may have been."""
        told, content = self._db.execute("SELECT told, fact FROM transaction_facts WHERE id = ?", (id,)).fetchone()
        fact = _own(content, transaction)
        return told != UNREADABLE if fact is None else fact.kind is EventKind.ENDED

    def _orphan(self, transaction: str, session: str | None) -> Iterator[Orphan]:
        rows = self._db.execute("SELECT id, fact FROM transaction_facts WHERE txn = ? AND light < 2 ORDER BY id", (transaction,)).fetchall()
        facts = [fact for _, content in rows if (fact := _own(content, transaction)) is not None]
        if facts:
            yield Orphan(session, facts[0], facts[-1])
        else:
            with self._db.transaction():
                self._ledger.close(transaction, rows[-1][0])


def _own(content: bytes, transaction: str) -> TransactionFact | None:
    """The fact of these bytes, if it is one of this transaction."""
    fact = fact_of(content)
    return fact if fact is not None and fact.transaction == transaction else None
