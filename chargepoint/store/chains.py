"""What session rows say of the chains of their transactions: which there are, and where each ends. Must not know what a chain is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from chargepoint.store.chain import Head, begins
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.packed import Unreadable, packed, unpacked
from chargepoint.store.values import Values

LAST = "ledger.last"


class Chain(msgspec.Struct, frozen=True, array_like=True):
    """A transaction's chain. number: of the transaction in this store, from 1 without gaps; first, last: ids of its facts in the outbox (first 0:
    it has older ones without a chain); n, link: its
    head."""

    number: int
    transaction: str
    first: int
    last: int
    n: int
    link: bytes

    @property
    def head(self) -> Head:
        return Head(self.n, self.link)


class Session(NamedTuple):
    """A session that has chains. chains: None when what is written there cannot be read."""

    number: int
    id: str
    open: bool
    chains: tuple[Chain, ...] | None


class Chains:
    """The column `chains` of the table `sessions`."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._values = Values(db)
        self._damaged = Damaged(db)
        self._appended: dict[str, Any] = db.remembered("appended")
        self._said: dict[str, bytes | None] = db.remembered("chains")
        self._seen = int(db.execute("SELECT COALESCE(MAX(id), 0) FROM transaction_facts").fetchone()[0])

    def follow(self, session: str, transaction: str) -> bytes | None:
        """What a session's row is to say now that facts were appended; transaction: the one that is its own, whether it has facts or not. Belongs
        into the transaction that appends them."""
        rows = self._fresh()
        kept = self._kept(session)
        if not rows:
            return kept if isinstance(kept, bytes) else None
        if kept is not None and _read(kept) is None:
            self._damaged.put("sessions.chains", session, kept, "it does not say which transactions there are")
        chains = {chain.transaction: chain for chain in _read(kept) or ()}
        for id, txn, n, link, fact in rows:
            if txn in chains:
                chains[txn] = msgspec.structs.replace(chains[txn], last=id, n=n, link=link)
            elif txn == transaction:
                chains[txn] = Chain(self._next_number(), txn, id if begins(fact) else 0, id, n, link)
        self._appended.update(after=rows[-1][0], rows=[])
        self._db.after_commit(lambda: self._up_to(rows[-1][0]))
        return packed(list(chains.values())) if chains else None

    def grown(self, id: int, transaction: str, head: Head, content: bytes) -> None:
        """An entry was appended."""
        if "rows" in self._appended:
            self._appended["rows"].append((id, transaction, head.n, head.link, content))

    def saved(self, session: str, chains: bytes | None, *, open: bool) -> None:
        """A session's row says this of its chains now."""
        if open:
            self._said[session] = chains
        else:
            self._said.pop(session, None)

    def _fresh(self) -> Sequence[Any]:
        """The entries that were appended since the last were followed."""
        if self._appended.get("after") == self._seen:
            return list(self._appended["rows"])
        return self._db.execute(
            "SELECT id, txn, n, link, fact FROM transaction_facts WHERE id > ? AND n > 0 AND light != 2", (self._seen,)
        ).fetchall()

    def _kept(self, session: str) -> Any:
        if session in self._said:
            return self._said[session]
        found = self._db.execute("SELECT chains FROM sessions WHERE id = ?", (session,)).fetchone()
        return None if found is None else found[0]

    def page(self, *, after: int = 0, limit: int = 50) -> Iterator[Session]:
        """Sessions with chains above a number, oldest first."""
        return self._rows("number > ? ORDER BY number LIMIT ?", after, limit)

    def page_back(self, *, before: int | None = None, limit: int = 50) -> Iterator[Session]:
        """Sessions with chains below a number, newest first."""
        return self._rows("number < ? ORDER BY number DESC LIMIT ?", before if before is not None else 1 << 62, limit)

    def all(self) -> Iterator[Session]:
        """Every session with chains."""
        return (_session(row) for row in self._db.execute('SELECT number, id, "open", chains FROM sessions WHERE chains IS NOT NULL ORDER BY number'))

    def of(self, transactions: Collection[str]) -> dict[str, tuple[int, Chain]]:
        """The chains of transactions, each with the number of its session."""
        sought = set(transactions)
        found: dict[str, tuple[int, Chain]] = {}
        for session in self.page_back(limit=-1) if sought else ():
            found.update({chain.transaction: (session.number, chain) for chain in session.chains or () if chain.transaction in sought})
            if len(found) == len(sought):
                break
        return found

    def moved(self, session: int, chain: Chain) -> None:
        """A chain of a session has grown without it; joins the open transaction."""
        row = self._db.execute("SELECT chains FROM sessions WHERE number = ?", (session,)).fetchone()
        self._said.clear()
        new = [chain if one.transaction == chain.transaction else one for one in (row and _read(row[0])) or ()]
        self._db.execute("UPDATE sessions SET chains = ? WHERE number = ?", (packed(new), session))

    def last_number(self) -> int:
        """The number given out last."""
        return self._values.get(LAST, int) or 0

    def _next_number(self) -> int:
        number = self.last_number() + 1
        self._values.set(LAST, number)
        return number

    def _up_to(self, id: int) -> None:
        self._seen = max(self._seen, id)

    def _rows(self, where: str, *args: int) -> Iterator[Session]:
        return (
            _session(row) for row in self._db.execute(f'SELECT number, id, "open", chains FROM sessions WHERE chains IS NOT NULL AND {where}', args)
        )


def _session(row: Sequence[int | str | bytes]) -> Session:
    number, id, open, blob = row
    return Session(int(number), str(id), open != 0, _read(blob))


def _read(blob: object) -> tuple[Chain, ...] | None:
    if not isinstance(blob, bytes):
        return None
    try:
        return unpacked(blob, tuple[Chain, ...])
    except Unreadable:
        return None
