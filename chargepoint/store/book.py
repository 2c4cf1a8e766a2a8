"""The ledger as a whole: is every transaction there, does each chain hold, and which may go. Must not know delivery.

Transactions are numbered from 1 without gaps; those that were pruned are remembered as ranges of numbers, bound together by a link of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

import msgspec

from chargepoint.model.stamp import Stamp
from chargepoint.store.boots import Boots
from chargepoint.store.chain import fact_of
from chargepoint.store.chain_walk import Verdict
from chargepoint.store.chains import Chain, Chains, Session
from chargepoint.store.db import Db
from chargepoint.store.ledger import Ledger
from chargepoint.store.packed import Unreadable
from chargepoint.store.values import Values

PRUNED = "ledger.pruned"
LOOKED_AT = 1000
"""Sessions looked at in one step of pruning."""
MOST = 10_000_000
"""More transactions than one charger can have had."""
AT_ONCE = 8
"""Sessions pruned in one step."""


class Pruned(msgspec.Struct, frozen=True, array_like=True):
    """What has gone for good. ranges: numbers of transactions; link: of numbers and heads, in the order they went; last_at: when the youngest of
    them ended, seconds since 1970."""

    ranges: tuple[tuple[int, int], ...] = ()
    link: bytes = b""
    last_at: float = 0.0

    @property
    def count(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)


class Judged(NamedTuple):
    """A session's chains, each with its verdict. wrong: what does not hold of the session itself."""

    session: Session
    chains: tuple[tuple[Chain, Verdict], ...]
    wrong: str | None


class Book:
    """Over the same store as the ledger."""

    def __init__(self, db: Db) -> None:
        self.ledger = Ledger(db)
        self.chains = Chains(db)
        self._db = db
        self._values = Values(db)

    def pruned(self) -> Pruned:
        return self._values.get(PRUNED, Pruned) or Pruned()

    def judge(self, session: Session) -> Judged:
        """Whether a session's chains hold."""
        if session.chains is None:
            return Judged(session, (), "what it says of its transactions cannot be read")
        return Judged(session, tuple((chain, self.ledger.verdict(chain)) for chain in session.chains), None)

    def whole(self) -> Iterator[str]:
        """What is wrong with the ledger as a whole: transactions that are missing, there twice, or of no session."""
        numbers: dict[int, str] = {}
        for session in self.chains.all():
            for chain in session.chains or ():
                if chain.number in numbers:
                    yield f"number {chain.number} is given to two transactions: {numbers[chain.number]} and {chain.transaction}"
                numbers[chain.number] = chain.transaction
        last_number = self.chains.last_number()
        if last_number > MOST or self.pruned().count > MOST:
            yield "how many transactions there were, and which are pruned, cannot be: what the store says of it is damaged"
            return
        gone = {number for first, last in self.pruned().ranges for number in range(first, last + 1)}
        missing = set(range(1, last_number + 1)) - numbers.keys() - gone
        yield from (f"transaction number {number} is missing" for number in sorted(missing))
        yield from (f"transaction number {number} is there, but was pruned" for number in sorted(numbers.keys() & gone))
        yield from (
            f"transaction number {number} was never given out" for number in sorted(numbers.keys() - gone) if number > self.chains.last_number()
        )
        orphans = set(self.ledger.transactions()) - set(numbers.values())
        yield from (f"transaction {transaction} belongs to no session" for transaction in sorted(orphans))

    def prune(self, boots: Boots, before_s: float, now_s: float = math.inf) -> int:
        """Takes the oldest sessions that ended before a time (seconds since 1970) and were told whole, a few at once; how many. now_s: a
        later time is that of a clock that was wrong."""
        old = list(islice(self._old(boots, before_s, now_s), AT_ONCE))
        if old:
            with self._db.transaction():
                for session, ended_s in old:
                    self._drop(session, ended_s)
        return len(old)

    def _old(self, boots: Boots, before_s: float, now_s: float) -> Iterator[tuple[Session, float]]:
        """Past those that cannot go yet, as far as one step looks."""
        for session in self.chains.page(limit=LOOKED_AT):
            ended_s = self._ended_s(session, boots, now_s)
            if ended_s is not None and ended_s >= before_s:
                return
            if ended_s is not None:
                yield session, ended_s

    def used_bytes(self) -> int:
        """What the whole store holds; the file itself never shrinks."""
        pages, free, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size)

    def _ended_s(self, session: Session, boots: Boots, now_s: float) -> float | None:
        """When it ended, at the latest; None when it goes on, somebody waits for it, or it cannot be read or is dated ahead, so that nobody knows."""
        if session.open or not session.chains or any(self.ledger.waits(chain) for chain in session.chains):
            return None
        try:
            edges = [self.ledger.edges(chain) for chain in session.chains]
        except Unreadable:
            return None
        stamps = [at for edge in edges if edge is not None and (at := _at(edge.last.content)) is not None]
        return max((wall_s for at in stamps for wall_s in boots.walls_of(at) if wall_s <= now_s), default=None)

    def _drop(self, session: Session, ended_s: float) -> None:
        pruned = self.pruned()
        for chain in session.chains or ():
            self.ledger.archive.drop(chain.transaction)
            mark = sha256(pruned.link + chain.number.to_bytes(8, "big") + chain.link).digest()
            pruned = Pruned(_with(pruned.ranges, chain.number), mark, max(pruned.last_at, ended_s))
        self._values.set(PRUNED, pruned)
        self._db.execute("DELETE FROM sessions WHERE number = ?", (session.number,))


def _at(content: bytes) -> Stamp | None:
    fact = fact_of(content)
    return None if fact is None else fact.at


def _with(ranges: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
    """Ranges with one number more, in order and joined."""
    found: list[tuple[int, int]] = []
    for first, last in sorted((*ranges, (number, number))):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)
