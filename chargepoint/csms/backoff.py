"""How long to wait before the next attempt to connect (OCPP 2.0.1 part 4, 5.3; used by 1.6 too). Must not know connections or clocks."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom
from typing import NamedTuple

_RANDOM = SystemRandom()


class BackOffFigures(NamedTuple):
    """RetryBackOffWaitMinimum and RetryBackOffRandomRange in seconds, RetryBackOffRepeatTimes."""

    wait_minimum_s: float
    random_range_s: float
    repeat_times: int


class BackOff:
    """The waits after one loss of the connection: minimum plus jitter, then each time twice the former plus new jitter, repeat_times times;
    then the last one, unchanged."""

    def __init__(self, figures: Callable[[], BackOffFigures], jitter: Callable[[], float] = _RANDOM.random) -> None:
        self._figures, self._jitter = figures, jitter
        self._last_s: float | None = None
        self._doubled = 0

    def next_s(self) -> float:
        """Seconds until the next attempt."""
        minimum_s, range_s, repeat_times = self._figures()
        if self._last_s is None:
            self._last_s = minimum_s + self._jitter() * range_s
        elif self._doubled < repeat_times:
            self._doubled += 1
            self._last_s = 2 * self._last_s + self._jitter() * range_s
        return self._last_s

    def reset(self) -> None:
        """The connection stands: the next loss starts from the minimum."""
        self._last_s, self._doubled = None, 0
