"""The transaction facts that wait, as far as they are in memory: what was just written, or read, is not read again. Must not know tables."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from chargepoint.model.facts import Fact

MOST = 64


class Known(NamedTuple):
    """A fact that waits. copy: one told again, that is no part of its chain."""

    id: int
    fact: Fact
    attempts: int
    copy: bool


class Ahead:
    """The oldest that wait, in order."""

    def __init__(self) -> None:
        self._facts: deque[Known] = deque()
        self._all = False

    def forget(self, *, none_waits: bool = False) -> None:
        """Something else has changed what waits."""
        self._facts.clear()
        self._all = none_waits

    def read(self, facts: Sequence[Known], *, all: bool) -> None:
        """These are the oldest that wait. all: and no others wait."""
        self._facts = deque(facts[:MOST])
        self._all = all and len(facts) <= MOST

    def add(self, id: int, fact: Fact) -> None:
        """One more waits, behind all others."""
        self._all = self._all and len(self._facts) < MOST
        if self._all:
            self._facts.append(Known(id, fact, 0, False))

    def some(self, n: int) -> list[Known] | None:
        """The n oldest; None when that is not known here."""
        return list(islice(self._facts, n)) if self._all or len(self._facts) >= n else None

    def first(self, id: int) -> Known | None:
        """The oldest, when it is this one."""
        return self._facts[0] if self._facts and self._facts[0].id == id else None

    def passed(self, id: int) -> bool:
        """One is told, or given up. Whether it was the oldest; otherwise it is not known any more which they are."""
        if self.first(id) is None:
            self.forget()
            return False
        self._facts.popleft()
        return True
