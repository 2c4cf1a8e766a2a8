"""The breaker before the contactor, and its shunt trip, which releases it; closed again only by hand. Must not know why it is tripped."""

from __future__ import annotations

from collections.abc import Callable

from sim.plant.timeline import Due, Timeline

RELEASES_S = 0.02
"""The shunt trip needs its voltage for so long."""


class Breaker:
    """`on_change` is called when it opened or was closed."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._due: Due | None = None
        self.closed = True
        self.on_change: Callable[[], None] = lambda: None

    def trip(self, on: bool) -> None:
        """Voltage at the shunt trip, or none."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if on:
            self._due = self._timeline.after(RELEASES_S, self._release)

    def turn(self, closed: bool) -> bool:
        """By hand, or released. Returns whether it moved."""
        moved = closed is not self.closed
        self.closed = closed
        if moved:
            self.on_change()
        return moved

    def _release(self) -> None:
        self.turn(False)
