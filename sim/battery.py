"""A car's battery: its content, its state of charge, what it takes, and when that changes. Must not know the pilot or the mains.

What it takes changes only at whole percents, so between two of them the current is constant and the energy exact.
"""

from __future__ import annotations

from itertools import pairwise
from math import floor, inf

from sim.ev import Curve, Ev

A_LITTLE = 1e-6


class Battery:
    """The battery of a car with those properties, as full as they say. It fills `ev.speed` times faster than the energy that comes in."""

    def __init__(self, ev: Ev) -> None:
        self.ev = ev
        self.energy_wh = ev.energy_wh
        if ev.soc_percent is not None and ev.capacity_wh is not None:
            self.energy_wh = ev.capacity_wh * ev.soc_percent / 100.0

    @property
    def soc_percent(self) -> float | None:
        """State of charge; None: a battery without end, or without content, has none."""
        return None if not self.ev.capacity_wh else 100.0 * self.energy_wh / self.ev.capacity_wh

    @property
    def full(self) -> bool:
        """Whether the car has what it wants."""
        return self.ev.capacity_wh is not None and self.energy_wh >= self._wanted_wh(self.ev.capacity_wh) - A_LITTLE

    def take(self, wh: float) -> None:
        """So much energy came in."""
        self.energy_wh += wh * self.ev.speed

    def most_a(self) -> float:
        """Amperes per phase it takes now; inf: whatever comes."""
        soc = self.soc_percent
        return inf if soc is None or not self.ev.curve else on_curve(self.ev.curve, floor(soc + A_LITTLE))

    def until_change_wh(self) -> float | None:
        """What has to come in until it takes another current or is full; None: nothing will change."""
        capacity, soc = self.ev.capacity_wh, self.soc_percent
        if capacity is None:
            return None
        ahead = [self._wanted_wh(capacity)]
        if self.ev.curve and soc is not None:
            ahead.append(capacity * (floor(soc + A_LITTLE) + 1) / 100.0)
        return max(0.0, min(ahead) - self.energy_wh) / self.ev.speed

    def _wanted_wh(self, capacity_wh: float) -> float:
        return capacity_wh * self.ev.target_percent / 100.0


def on_curve(curve: Curve, soc_percent: float) -> float:
    """The amperes of a curve at a state of charge: straight lines between its points, its ends beyond them."""
    if soc_percent <= curve[0][0]:
        return curve[0][1]
    for (low, low_a), (high, high_a) in pairwise(curve):
        if soc_percent <= high:
            return low_a + (high_a - low_a) * (soc_percent - low) / (high - low)
    return curve[-1][1]
