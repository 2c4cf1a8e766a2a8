"""Does the car draw more than it was offered? Judged by the meter's samples against what was really signalled. Must not know the meter."""

from __future__ import annotations

import math
from collections import deque

from chargepoint.link.messages import Sample

FOLLOW_S = 6.0
"""A car may follow a lower offer so late (IEC 61851-1 Table A.6: 5 s, and the meter's own delay), so the highest offer of this time counts. M"""
TOLERANCE_A, TOLERANCE = 0.5, 1.1
LONGER_THAN_S = 7.0
STALE_S = 3.0


class OverCurrent:
    """found: more than (offer + 0.5 A) * 1.1 on a phase for longer than 7 s."""

    __slots__ = ("_last_at", "_offers", "_since", "found")

    def __init__(self) -> None:
        self._offers: deque[tuple[float, float]] = deque([(0.0, 0.0)])
        self._last_at = 0.0
        self._since: float | None = None
        self.found = False

    def offered(self, now: float, amps: float) -> None:
        """The signalled current changed."""
        self._offers.append((now, amps))
        while len(self._offers) > 1 and self._offers[1][0] < now - FOLLOW_S - STALE_S:
            self._offers.popleft()

    def take(self, sample: Sample, now: float) -> None:
        """A sample from the station. One that is not good, stale, repeated or from the future says nothing."""
        if not sample.good or not now - STALE_S <= sample.at <= now or sample.at <= self._last_at:
            return
        self._last_at = sample.at
        limit_a = (self._highest(sample.at) + TOLERANCE_A) * TOLERANCE
        if not any(amps is not None and math.isfinite(amps) and amps > limit_a for amps in sample.current_a):
            self.reset()
        elif self._since is None:
            self._since = sample.at
        elif sample.at - self._since > LONGER_THAN_S:
            self.found = True

    def reset(self) -> None:
        """Nothing is too much (any more)."""
        self._since = None
        self.found = False

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
