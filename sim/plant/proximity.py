"""The proximity contact: the cable's coding resistor at its pull-up. Must not know the pilot."""

from __future__ import annotations

from math import inf

CODING_OHM = {13.0: 1500.0, 20.0: 680.0, 32.0: 220.0, 63.0: 100.0}
"""IEC 61851-1 Table B.2; 100 Ω also stands for 70 A on one phase."""


def coding_ohm(cable_a: float) -> float:
    """The resistor of a cable with the rating: that of the next lower rating where there is none of its own."""
    return CODING_OHM[max((rating for rating in CODING_OHM if rating <= cable_a), default=13.0)]


def rating_a(ohm: float) -> float:
    """The rating that a resistor stands for; 0 where it is none (IEC 61851-1 Table B.2's windows, widest reading)."""
    windows = ((80.0, 140.0, 63.0), (140.0, 330.0, 32.0), (330.0, 1000.0, 20.0), (1000.0, 2460.0, 13.0))
    return next((rating for low, high, rating in windows if low <= ohm < high), 0.0)


def divider_v(ohm: float, pull_up_ohm: float, supply_v: float) -> float:
    """Volts at the ADC."""
    return supply_v if ohm == inf else supply_v * ohm / (ohm + pull_up_ohm)
