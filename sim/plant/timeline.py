"""Time of the world: what is due happens at its own moment, however late it is looked at. Must not know what is due, or a clock.

All moments are seconds of one monotonic clock. `advance` runs the due calls in order, each with `now` at its exact moment, so the physics is
the same whether it is looked at every millisecond or once a second.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Due:
    """A call to come. `cancel` may be called at any time."""

    __slots__ = ("call", "moment", "order")

    def __init__(self, moment: float, order: int, call: Callable[[], None]) -> None:
        self.moment = moment
        self.order = order
        self.call: Callable[[], None] | None = call

    def __lt__(self, other: Due) -> bool:
        return (self.moment, self.order) < (other.moment, other.order)

    def cancel(self) -> None:
        self.call = None


class Timeline:
    """The queue of what is due, and the moment up to which the world has been worked out."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._queue: list[Due] = []
        self._alarms: list[Due] = []
        self._count = count()

    def at(self, moment: float, call: Callable[[], None], wakes: bool = True) -> Due:
        """Calls at the moment (when it is past, at the next `advance`). wakes False: nobody outside sees it happen, so `next_due` leaves it out."""
        due = Due(max(moment, self.now), next(self._count), call)
        heapq.heappush(self._queue, due)
        if wakes:
            heapq.heappush(self._alarms, due)
        return due

    def after(self, seconds: float, call: Callable[[], None]) -> Due:
        return self.at(self.now + seconds, call)

    def next_due(self) -> float | None:
        """The moment of the next call that somebody may see, None when nothing is to come."""
        alarms = self._alarms
        while alarms and alarms[0].call is None:
            heapq.heappop(alarms)
        return alarms[0].moment if alarms else None

    def advance(self, to: float) -> None:
        """Works the world out up to the moment `to`."""
        queue = self._queue
        while queue and queue[0].moment <= to:
            due = heapq.heappop(queue)
            call, due.call = due.call, None
            if call is not None:
                self.now = due.moment
                call()
        if to > self.now:
            self.now = to
