"""A transaction as a `with` sees it: the outer one, and those that join it. Must not know how anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager


class Turn(AbstractContextManager[None]):
    """One transaction. A generator in its place would take as long as a statement."""

    def __init__(self, begin: Callable[[bool], None], commit: Callable[[], None], roll_back: Callable[[], None], durable: bool) -> None:
        self._begin, self._commit, self._roll_back, self._durable = begin, commit, roll_back, durable

    def __enter__(self) -> None:
        self._begin(self._durable)

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        if kind is None:
            self._commit()
        else:
            self._roll_back()


class Inner(AbstractContextManager[None]):
    """Every transaction inside another."""

    def __init__(self, join: Callable[[int], None], doom: Callable[[], None]) -> None:
        self._join, self._doom = join, doom

    def __enter__(self) -> None:
        self._join(1)

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        self._join(-1)
        if kind is not None:
            self._doom()
