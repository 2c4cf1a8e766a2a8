"""A peak detector: a precision rectifier that charges a capacitor quickly and lets it empty slowly towards 0 V. Must not know what it hears.

The held voltage is worked out in closed form. A detector knows one polarity: of a steady -12 V the positive detector sees nothing, so it empties
to 0 V, and the negative one does so at a steady +12 V.
"""

from __future__ import annotations

from math import exp

PERIOD_S = 0.001
"""The pilot's period: 1 kHz (IEC 61851-1 Table A.2)."""


class PeakDetector:
    """sign: +1 holds the positive peak, -1 the negative one. Time constants in seconds."""

    __slots__ = ("_droop", "_peak", "_since", "_start", "fall_s", "rise_s", "sign")

    def __init__(self, sign: int, rise_s: float, fall_s: float) -> None:
        self.sign = sign
        self.rise_s = rise_s
        self.fall_s = fall_s
        self._peak = 0.0
        self._start = 0.0
        self._since = 0.0
        self._droop = 1.0

    def hear(self, now: float, volts: float, share: float) -> None:
        """From now on the input reaches `volts` during `share` of each period (0.0 to 1.0)."""
        self._start = self._magnitude(now)
        self._since = now
        self._peak = max(0.0, self.sign * volts) if share > 0.0 else 0.0
        self._droop = 1.0 - (1.0 - share) ** 2 * PERIOD_S / (2.0 * self.fall_s)

    def volts(self, now: float) -> float:
        """What the capacitor holds at the moment, averaged over a period (between two plateaus it droops)."""
        return self.sign * self._magnitude(now) * self._droop

    def _magnitude(self, now: float) -> float:
        passed = now - self._since
        if self._start < self._peak:
            return self._peak - (self._peak - self._start) * exp(-passed / self.rise_s)
        if self._start == self._peak:
            return self._peak
        return max(self._peak, self._start * exp(-passed / self.fall_s))
