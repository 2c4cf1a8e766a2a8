"""Applies a table of transitions, by the `transitions` library. Must not know any table.

A cell the table leaves empty is an event that means nothing in that state.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from transitions import Machine

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


logging.getLogger("transitions").setLevel(logging.ERROR)
"""It would warn of every empty cell."""


class _Subject:
    """What the library moves. Its state is set before every step and read after it."""

    state: str


class Table(Generic[S, E]):
    """The rows (source, event, target) as a function."""

    def __init__(self, states: type[S], rows: Iterable[tuple[S, E, S]]) -> None:
        self._states = states
        self._known: dict[tuple[S, E], S | None] = {}
        self._subject = _Subject()
        self._machine = Machine(
            model=self._subject,
            states=[state.value for state in states],
            transitions=[{"trigger": f"on_{event.value}", "source": source.value, "dest": target.value} for source, event, target in rows],
            initial=next(iter(states)).value,
            auto_transitions=False,
            ignore_invalid_triggers=True,
        )

    def step(self, state: S, event: E) -> S | None:
        """The state after the event, or None when the event means nothing in this state."""
        if (state, event) not in self._known:
            self._known[state, event] = self._applied(state, event)
        return self._known[state, event]

    def _applied(self, state: S, event: E) -> S | None:
        """One cell, from the library: it takes a tenth of a millisecond, and its answer is always the same."""
        self._machine.set_state(state.value, self._subject)
        trigger = getattr(self._subject, f"on_{event.value}", None)
        if trigger is None or not trigger():
            return None
        return self._states(self._subject.state)
