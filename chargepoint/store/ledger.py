"""Every fact of every transaction, in its chain: written with the fact, followed by thinning and archive, read wherever it lies.

Facts are in the outbox's own table until the end of their transaction is told, and in the archive then. Must not know delivery nor people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from chargepoint.model.facts import EventKind, TransactionFact
from chargepoint.store.archive import Archive, Edges
from chargepoint.store.chain import Gap, Head, Stored, Thinned, encode, fact_of, gap_of, link, seal, sealed, seed
from chargepoint.store.chain_walk import Verdict, judge
from chargepoint.store.chains import Chain, Chains
from chargepoint.store.db import Db
from chargepoint.store.packed import Unreadable

FACT, LIGHT, COPY, LINK = 0, 1, 2, 3
"""Values of `light`: a fact, one that may be thinned out, a copy that is told again, a link of the chain that is no fact."""
WAITS, TOLD, GIVEN_UP, FOR_NOBODY, UNREADABLE = 0, 1, 2, 3, 4
"""Values of `told`."""
THINNED_AT_ONCE = 512
LONGEST, NO_PLACE = 1 << 62, -1
COLUMNS = "id, n, link, CAST(light AS INTEGER), fact, beside"


class Ledger:
    """Joins the open transaction wherever it writes."""

    def __init__(self, db: Db) -> None:
        self.archive = Archive(db)
        self._chains = Chains(db)
        self._heads: dict[str, Head] = db.remembered("heads")
        self._db = db

    # what is written

    def append(self, id: int, fact: TransactionFact, *, light: bool) -> None:
        """Puts a fact into the outbox's table under an id, as the next of its transaction's chain."""
        content, beside = sealed(fact)
        self._put(id, fact.transaction, LIGHT if light else FACT, encode(content), beside, new=fact.kind is EventKind.STARTED)

    def close(self, transaction: str, up_to: int) -> None:
        """A transaction whose facts nobody waits for any more goes into the archive. up_to: id of its last fact. One that was over before there were
        chains goes for good: no session names it."""
        rows = self._hot("id <= ? AND txn = ?", up_to, transaction)
        if any(row[3] == LINK for row in rows):
            rows = self._hot("txn = ?", transaction)
        if not rows:
            return
        self._heads.pop(transaction, None)
        self._db.execute("DELETE FROM transaction_facts WHERE id BETWEEN ? AND ? AND txn = ? AND light != 2", (rows[0][0], rows[-1][0], transaction))
        if any(row[1] for row in rows):
            self.archive.add(transaction, [_unchained(row) if not row[1] else _stored(row) for row in rows])

    def thin(self, next_id: Callable[[], int], wall_s: float, least: int) -> int:
        """Drops every second of the oldest intermediate values that wait, and says so in their chains; how many. next_id: for the links; least: where
        fewer would go, none does."""
        rows = self._db.execute(
            "SELECT id, txn FROM transaction_facts WHERE light = 1 AND told = 0 ORDER BY id LIMIT ?", (THINNED_AT_ONCE,)
        ).fetchall()
        doomed: dict[str, set[int]] = {}
        if len(rows[1::2]) < least:
            return 0
        for id, transaction in rows[1::2]:
            doomed.setdefault(transaction, set()).add(id)
        places = self._chains.of(doomed.keys())
        for transaction, ids in doomed.items():
            self._thin_one(transaction, ids, places.get(transaction), next_id(), wall_s)
        return sum(map(len, doomed.values()))

    # what is read

    def entries(self, chain: Chain) -> list[Stored]:
        """A chain in order. Raises Unreadable."""
        return self.archive.entries(chain.transaction) or [_stored(row) for row in self._hot_of(chain)]

    def edges(self, chain: Chain) -> Edges | None:
        """The first and the last fact, None when there are none. Raises Unreadable."""
        found = self.archive.edges(chain.transaction)
        if found is not None:
            return found
        facts = [_stored(row) for row in self._hot_of(chain) if row[3] < COPY]
        if not facts:
            return None
        named = next((fact.beside for fact in facts if fact.beside is not None), None)
        return Edges(facts[0]._replace(beside=named), facts[-1])

    def verdict(self, chain: Chain) -> Verdict:
        """Whether a chain holds."""
        try:
            return judge(chain.transaction, self.entries(chain), chain.head)
        except Unreadable as error:
            return Verdict(0, 0, 0, str(error))

    def transactions(self) -> Iterator[str]:
        """Those whose chains are here."""
        yield from self.archive.transactions()
        yield from (str(row[0]) for row in self._db.execute("SELECT DISTINCT txn FROM transaction_facts WHERE n > 0 AND light != 2"))

    def waits(self, chain: Chain) -> bool:
        """Whether somebody still waits for its facts: it is not in the archive."""
        return not self.archive.holds(chain.transaction)

    def tokens(self, transaction: str) -> list[bytes]:
        """What lies beside the facts that are not in the archive."""
        rows = self._db.execute("SELECT beside FROM transaction_facts WHERE txn = ? AND beside IS NOT NULL", (transaction,))
        return [bytes(row[0]) for row in rows]

    # the table

    def _put(self, id: int, transaction: str, light: int, content: bytes, beside: bytes | None, *, new: bool = False) -> Head:
        before = Head(0, seed(transaction)) if new else self._head(transaction)
        n = before.n + 1
        now = Head(n, link(before.link, n, content))
        told = FOR_NOBODY if light == LINK else WAITS
        self._db.execute(
            "INSERT INTO transaction_facts (id, txn, light, told, fact, n, link, beside) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (id, transaction, light, told, content, now.n, now.link, beside),
        )
        self._heads[transaction] = now
        self._chains.grown(id, transaction, now, content)
        return now

    def _head(self, transaction: str) -> Head:
        """Where a chain ends: near the end of the table."""
        if (head := self._heads.get(transaction)) is not None:
            return head
        row = self._db.execute(
            "SELECT n, link FROM transaction_facts WHERE txn = ? AND light != 2 ORDER BY id DESC LIMIT 1", (transaction,)
        ).fetchone()
        known = row is not None and isinstance(row[0], int) and 0 < row[0] < LONGEST and isinstance(row[1], bytes)
        return Head(*row) if known else Head(0, seed(transaction))

    def _thin_one(self, transaction: str, ids: set[int], place: tuple[int, Chain] | None, link_id: int, wall_s: float) -> None:
        rows = self._hot("txn = ?", transaction) if place is None else self._hot_of(place[1])
        kept: list[Any] = []
        for row in rows:
            if row[0] in ids and not row[1]:
                self._db.execute("DELETE FROM transaction_facts WHERE id = ?", (row[0],))
            elif row[0] in ids:
                self._leave_gap(_gap_for(row, kept, transaction), row, kept)
            elif row[3] == LINK and (gap := gap_of(row[4])) is not None:
                self._leave_gap(gap, row, kept)
            else:
                kept.append(row)
        self._heads.pop(transaction, None)
        gaps = [gap for row in kept if row[3] == LINK and (gap := gap_of(row[4])) is not None]
        head = self._put(link_id, transaction, LINK, encode(Thinned(seal(gaps), len(ids), wall_s)), None)
        if place is not None:
            session, chain = place
            self._chains.moved(session, msgspec.structs.replace(chain, last=link_id, n=head.n, link=head.link))

    def _leave_gap(self, gap: Gap, row: Any, kept: list[Any]) -> None:
        """A gap in the place of a row, together with one that ends where it begins."""
        former = gap_of(kept[-1][4]) if kept and kept[-1][3] == LINK else None
        if former is not None and former.last + 1 == gap.first:
            gap = Gap(former.first, gap.last, former.before, gap.after)
            self._db.execute("DELETE FROM transaction_facts WHERE id = ?", (kept.pop()[0],))
        now = (gap.first, gap.after, LINK, encode(gap), None)
        if now != row[1:]:
            self._db.execute("UPDATE transaction_facts SET n = ?, link = ?, light = ?, fact = ?, beside = ?, told = 3 WHERE id = ?", (*now, row[0]))
        kept.append((row[0], *now))

    def _hot_of(self, chain: Chain) -> list[Any]:
        return self._hot("id BETWEEN ? AND ? AND txn = ?", chain.first, chain.last, chain.transaction)

    def _hot(self, where: str, *args: Any) -> list[Any]:
        return self._db.execute(f"SELECT {COLUMNS} FROM transaction_facts WHERE {where} AND light != 2 ORDER BY id", args).fetchall()


def _stored(row: Any) -> Stored:
    """As it lies there; in a damaged row there may be a text or nothing where a number or bytes belong."""
    n = row[1] if isinstance(row[1], int) else NO_PLACE if row[1] else 0
    return Stored(n, _bytes(row[4]), _bytes(row[2] or b""), None if row[5] is None else _bytes(row[5]))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _unchained(row: Any) -> Stored:
    """A fact from before there were chains: its token may be taken from beside it too."""
    fact = fact_of(row[4])
    if fact is None:
        return Stored(0, _bytes(row[4]), b"", None)
    content, beside = sealed(fact)
    return Stored(0, encode(content), b"", beside)


def _gap_for(row: Any, kept: list[Any], transaction: str) -> Gap:
    """The gap that a row leaves."""
    before = kept[-1][2] if kept and kept[-1][1] else seed(transaction)
    return Gap(row[1], row[1], before, row[2])
