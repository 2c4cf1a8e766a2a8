"""Whether a transaction's chain holds, and where it does not. Pure. Must not know where facts lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chargepoint.model.facts import TransactionFact
from chargepoint.store.chain import Entry, Gap, Head, Stored, Thinned, beside_of, decoded, digest, encode, link, seal, seed
from chargepoint.store.packed import NO_VALUE


class Verdict(NamedTuple):
    """links: numbers accounted for; thinned: facts gone by thinning; unchained: facts older than the chain; wrong: what does not hold, with its
    place, None when all does."""

    links: int
    thinned: int
    unchained: int
    wrong: str | None


class Walk:
    """Follows a chain entry by entry; the first thing that does not hold ends it."""

    def __init__(self, transaction: str) -> None:
        self.links = self.unchained = self.thinned = 0
        self._link = seed(transaction)
        self._gaps: list[Gap] = []
        self._seal: bytes | None = None

    def step(self, entry: Stored) -> str | None:
        """What is wrong with the entry that comes next, None when nothing is."""
        try:
            content = decoded(entry.content)
        except NO_VALUE as error:
            return f"entry {self.links + 1} cannot be read: {error}"
        if entry.n == 0:
            self.unchained += 1
            return None if not self.links else f"a fact without a number follows entry {self.links}"
        if entry.n != self.links + 1:
            return self._misplaced(entry.n)
        wrong = self._gap(content) if isinstance(content, Gap) else self._entry(content, entry)
        if wrong is None and entry.link != self._link[: len(entry.link)]:
            return f"entry {entry.n}{_named(content)} was changed, or is not the one that was written"
        return wrong

    def end(self, head: Head) -> str | None:
        """Whether the chain ends where the session's row says."""
        if self.links < head.n:
            return f"entries {self.links + 1} to {head.n} are missing at the end"
        if self.links > head.n:
            return f"entries {head.n + 1} to {self.links} follow the end that the session names"
        if self._link != head.link:
            return f"entry {head.n} is not the end that the session names"
        if (seal(self._gaps) if self._gaps else None) != self._seal:
            return f"what is gone ({', '.join(f'{gap.first} to {gap.last}' for gap in self._gaps) or 'nothing'}) is not what was thinned out"
        return None

    def _misplaced(self, n: int) -> str:
        if n > self.links + 1:
            return f"entries {self.links + 1} to {n - 1} are missing"
        return f"entry {n} stands after entry {self.links}"

    def _gap(self, gap: Gap) -> str | None:
        if gap.first != self.links + 1 or gap.last < gap.first or gap.before != self._link:
            return f"the gap at entry {self.links + 1} does not follow what is before it"
        self.links, self._link = gap.last, gap.after
        self.thinned += gap.last - gap.first + 1
        self._gaps.append(gap)
        return None

    def _entry(self, content: Entry, entry: Stored) -> str | None:
        self.links, self._link = entry.n, link(self._link, entry.n, entry.content)
        if isinstance(content, Thinned):
            self._seal = content.seal  # the last one vouches for all gaps: older gaps may have grown since
            return None
        if not isinstance(content, TransactionFact):
            return f"entry {entry.n} is no fact of a transaction"
        return _beside_wrong(entry, content)


def _named(content: Entry) -> str:
    return f" (seq {content.seq})" if isinstance(content, TransactionFact) else ""


def _beside_wrong(entry: Stored, fact: TransactionFact) -> str | None:
    """Tokens that lie beside a fact are those it was written with."""
    if entry.beside is None:
        return None
    try:
        beside = beside_of(entry.beside)
    except NO_VALUE as error:
        return f"the tokens beside entry {entry.n}{_named(fact)} cannot be read: {error}"
    if encode(beside) != entry.beside:  # a name of a value that nobody knows is read over
        return f"the tokens beside entry {entry.n}{_named(fact)} were changed"
    for token, written in ((beside.token, fact.id_token), (beside.group, fact.group)):
        if token is not None and digest(beside.salt, token) != written:
            return f"a token beside entry {entry.n}{_named(fact)} is not the one that was written"
    return None


def judge(transaction: str, entries: Iterable[Stored], head: Head) -> Verdict:
    """Whether a chain holds from its beginning to the head its session names."""
    walk = Walk(transaction)
    wrong = next((text for entry in entries if (text := walk.step(entry)) is not None), None)
    if wrong is None:
        wrong = walk.end(head)
    return Verdict(walk.links, walk.thinned, walk.unchained, wrong)
