"""How late the loop's turns are, as a histogram of fixed size. Must not know what a turn does."""

from __future__ import annotations

FINE_US, FINE = 10, 500
"""Up to 5 ms in steps of 10 us."""
COARSE_US, COARSE = 1000, 500
"""Beyond, up to half a second, in steps of 1 ms."""


class Lateness:
    """periods: turns served; missed: whole periods not served; max_us: the worst."""

    __slots__ = ("_counts", "max_us", "missed", "periods")

    def __init__(self) -> None:
        self._counts = [0] * (FINE + COARSE)
        self.periods = 0
        self.missed = 0
        self.max_us = 0

    def add(self, late_s: float) -> None:
        """One turn began so late."""
        late_us = int(late_s * 1e6)
        self.periods += 1
        if late_us > self.max_us:
            self.max_us = late_us
        place = late_us // FINE_US if late_us < FINE * FINE_US else FINE + min(COARSE - 1, (late_us - FINE * FINE_US) // COARSE_US)
        self._counts[place if place > 0 else 0] += 1

    def percentiles_us(self, *shares: float) -> list[int]:
        """The lateness not exceeded by each share of the turns (ascending), as the upper end of its step."""
        found: list[int] = []
        passed = 0
        for place, count in enumerate(self._counts):
            passed += count
            while len(found) < len(shares) and passed and passed >= shares[len(found)] * self.periods:
                found.append(self._upper_us(place))
        return found or [0] * len(shares)

    def _upper_us(self, place: int) -> int:
        upper = (place + 1) * FINE_US if place < FINE else FINE * FINE_US + (place - FINE + 1) * COARSE_US
        return min(upper, self.max_us)
