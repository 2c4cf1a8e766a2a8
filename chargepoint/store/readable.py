"""Rows of the outbox as facts. One that cannot be read keeps its place in its chain and is told to nobody. Must not know who asks, nor order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from chargepoint.model.facts import Fact, TransactionFact
from chargepoint.model.idtoken import IdToken
from chargepoint.store.chain import DIGESTED, restored
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.ledger import COPY, UNREADABLE
from chargepoint.store.packed import Unreadable, value_of

TRANSACTIONS, GUARANTEED = "transaction_facts", "guaranteed_facts"
_decoder: msgspec.msgpack.Decoder[Fact] = msgspec.msgpack.Decoder(Fact)


class Lost(NamedTuple):
    """A row that is no fact, and why."""

    id: int
    content: object
    why: str


class Readable:
    """Joins the open transaction wherever it writes."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def fact(self, id: int, transaction: str | None, content: bytes, beside: bytes | None) -> Fact | Lost:
        """The fact of a row; transaction: None of a guaranteed one. Tokens that are not those it was written with are left out, and set aside."""
        try:
            fact = value_of(content, _decoder)
        except Unreadable as error:
            return Lost(id, content, str(error))
        if transaction is None and not isinstance(fact, TransactionFact):
            return fact
        if transaction is None or not isinstance(fact, TransactionFact) or fact.transaction != transaction:
            return Lost(id, content, "it is no fact of this row")
        if min(fact.seq, fact.evse, fact.connector) < 0:
            return Lost(id, content, "a number in it cannot be")
        return self._named(id, fact, beside)

    def set_aside(self, table: str, lost: Iterable[Lost]) -> None:
        """Keeps what cannot be read out of the way of the rest."""
        for id, content, why in lost:
            self._damaged.put(table, id, content, why)
            if table == TRANSACTIONS:
                self._db.execute("UPDATE transaction_facts SET told = ? WHERE id = ? AND light != ?", (UNREADABLE, id, COPY))
                self._db.execute("DELETE FROM transaction_facts WHERE id = ? AND light = ?", (id, COPY))
            else:
                self._db.execute(f"DELETE FROM {table} WHERE id = ?", (id,))

    def _named(self, id: int, fact: TransactionFact, beside: bytes | None) -> TransactionFact:
        if beside is None:
            return msgspec.structs.replace(fact, id_token=_shown(fact.id_token), group=_shown(fact.group)) if _digested(fact) else fact
        try:
            return restored(fact, beside)
        except Unreadable as error:
            with self._db.transaction():
                self._damaged.put("transaction_facts.beside", id, beside, str(error))
            return msgspec.structs.replace(fact, id_token=None, group=None)


def _digested(fact: TransactionFact) -> bool:
    return _shown(fact.id_token) is not fact.id_token or _shown(fact.group) is not fact.group


def _shown(token: IdToken | None) -> IdToken | None:
    """A digest whose token is gone is told to nobody."""
    return None if token is not None and token.value.startswith(DIGESTED) else token
