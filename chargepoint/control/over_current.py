"""Does the car draw more than it was offered? Judged by the meter's samples against what was really signalled. Must not know the meter."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from chargepoint.control.lasting import STALE_S, Lasting

FOLLOW_S = 6.0
"""A car may follow a lower offer so late (IEC 61851-1 Table A.6: 5 s, and the meter's own delay), so the highest offer of this time counts. M"""
TOLERANCE_A, TOLERANCE = 0.5, 1.1
LONGER_THAN_S = 7.0
PHASES = 3


class OverCurrent:
    """More than (offer + 0.5 A) * 1.1 for longer than 7 s, on each phase alone."""

    __slots__ = ("_offers", "_phases")

    def __init__(self) -> None:
        self._offers: deque[tuple[float, float]] = deque([(0.0, 0.0)])
        self._phases = tuple(Lasting(LONGER_THAN_S) for _ in range(PHASES))

    @property
    def found(self) -> bool:
        """Whether a phase has carried too much for too long."""
        return any(phase.holds for phase in self._phases)

    def offered(self, now: float, amps: float) -> None:
        """The signalled current changed."""
        self._offers.append((now, amps))
        while len(self._offers) > 1 and self._offers[1][0] < now - FOLLOW_S - STALE_S:
            self._offers.popleft()

    def take(self, at: float, current_a: Sequence[float | None]) -> None:
        """A sample measured at `at`, amperes per phase; None: no value."""
        limit_a = (self._highest(at) + TOLERANCE_A) * TOLERANCE
        for phase, amps in zip(self._phases, current_a, strict=True):
            phase.take(at, None if amps is None else amps > limit_a)

    def reset(self) -> None:
        """Nothing is too much (any more)."""
        for phase in self._phases:
            phase.reset()

    def _highest(self, at: float) -> float:
        """The highest offer that stood at any moment of the FOLLOW_S before `at`."""
        highest = standing = 0.0
        for since, amps in self._offers:
            if since > at:
                break
            if since <= at - FOLLOW_S:
                standing = amps
            else:
                highest = max(highest, amps)
        return max(highest, standing)
