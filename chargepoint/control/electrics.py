"""Amperes and duty, volts and state, ohms and cable: the figures of IEC 61851-1 as tables. Must not know time, cars or outputs.

M marks a figure taken from general knowledge of the standard, to be checked against its text.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

from chargepoint.model.pilot import PilotState

MINIMUM_A = 6.0
"""IEC 61851-1 Table A.7: no duty says less; a lower limit is a pause (X1)."""
MAXIMUM_A = 80.0
GAP_FROM_A, GAP_TO_A = 51.0, 52.501
"""IEC 61851-1 Table A.7: 85 % is the end of the lower line and says 51 A; the upper line begins above 52.5 A. No duty says a current between."""
X1 = 1.0
"""The duty of steady +12 V: no offer."""
DARK = 0.0
"""The duty of steady -12 V: state F."""

STILL_V = 0.25
"""A reading is still when it differs by at most so much from the one before."""
HYSTERESIS_V = 0.3
"""How far beyond its band a level still counts as the state that was there."""
DIODE_V = -10.0
"""The low plateau of a car with a diode lies at or below this while PWM is on (nominal -12 V)."""
DARK_V = -6.0
"""A low peak at or below this says that the generator gives its negative half."""
LEVELS: tuple[tuple[PilotState, float, float], ...] = (
    (PilotState.A, 10.5, 13.5),
    (PilotState.B, 7.5, 10.5),
    (PilotState.C, 4.5, 7.5),
    (PilotState.D, 1.5, 4.5),
    (PilotState.E, -6.0, 1.5),
    (PilotState.F, -13.5, -6.0),
)
"""Mid-points between the nominal levels of IEC 61851-1 Table A.4 (12, 9, 6, 3, 0, -12 V), for the high plateau."""

_TOPS = {state: high + HYSTERESIS_V for state, _, high in LEVELS}

PLUG_OHM = 4500.0
"""Below this a plug is in the socket. M"""
CABLES: tuple[tuple[float, float, float], ...] = (
    (63.0, 80.0, 140.0),
    (32.0, 164.0, 308.0),
    (20.0, 400.0, 936.0),
    (13.0, 1100.0, 2460.0),
)
"""IEC 61851-1 Table B.2: amperes, ohms from, to; between the windows there is no rating, never a guess upward. M"""
HYSTERESIS_OHM = 0.05
"""How far beyond its window, as a share of its ends, a resistor still counts as the cable that was there: warmth, not another cable. M"""


class Says(StrEnum):
    """What a duty tells the car."""

    NOT_AVAILABLE = "F"
    NOT_ALLOWED = "not allowed"
    DIGITAL = "digital communication"
    CURRENT = "current"
    NO_OFFER = "X1"


class Stretch(NamedTuple):
    """A stretch of duties in percent, from above `above` up to and with `to`; the current is (percent - less) * per_percent, `least` to `most`."""

    above: float
    to: float
    says: Says
    per_percent: float = 0.0
    less: float = 0.0
    least: float = 0.0
    most: float = 0.0


DUTIES: tuple[Stretch, ...] = (
    Stretch(-math.inf, 0.0, Says.NOT_AVAILABLE),
    Stretch(0.0, 2.9999, Says.NOT_ALLOWED),
    Stretch(2.9999, 7.0, Says.DIGITAL),
    Stretch(7.0, 7.9999, Says.NOT_ALLOWED),
    Stretch(7.9999, 85.0, Says.CURRENT, 0.6, 0.0, MINIMUM_A, GAP_FROM_A),
    Stretch(85.0, 97.0, Says.CURRENT, 2.5, 64.0, GAP_FROM_A, MAXIMUM_A),
    Stretch(97.0, 99.9999, Says.NOT_ALLOWED),
    Stretch(99.9999, math.inf, Says.NO_OFFER),
)
"""IEC 61851-1 Table A.7. Percent are rounded to 0.0001 before they are looked up; 3, 8 and 100 belong to the stretch they begin."""
DIGITAL = 0.05
"""The duty that asks a car to talk before it is told a current (IEC 61851-1 Table A.7); kept for a later high-level communication."""


def signalled(limit_a: float) -> float:
    """The highest current a duty can say that is not above the limit, 0 when there is none."""
    if not limit_a >= MINIMUM_A:
        return 0.0
    if GAP_FROM_A < limit_a < GAP_TO_A:
        return GAP_FROM_A
    return min(limit_a, MAXIMUM_A)


def duty(current_a: float) -> float:
    """The duty (0.0 to 1.0) that offers this current; X1 below 6 A. IEC 61851-1 Table A.7."""
    offered_a = signalled(current_a)
    if offered_a == 0.0:
        return X1
    return offered_a / 60.0 if offered_a <= GAP_FROM_A else (offered_a / 2.5 + 64.0) / 100.0


def stretch_of(fraction: float) -> Stretch:
    """What a duty (0.0 to 1.0) says."""
    percent = round(fraction * 100.0, 4)
    return next((stretch for stretch in DUTIES if stretch.above < percent <= stretch.to), DUTIES[1])


def amps(fraction: float) -> float:
    """The current a duty offers, 0 for none (X1, F, digital communication and what is not allowed). IEC 61851-1 Table A.7."""
    stretch = stretch_of(fraction)
    if stretch.says is not Says.CURRENT:
        return 0.0
    return min(max((round(fraction * 100.0, 4) - stretch.less) * stretch.per_percent, stretch.least), stretch.most)


def top_of(state: PilotState) -> float:
    """The highest volts at which a state holds; infinite for none."""
    return _TOPS.get(state, math.inf)


def state_of(high_v: float, low_v: float, former: PilotState) -> PilotState:
    """The state a still high plateau shows; the former one holds HYSTERESIS_V beyond its band. A peak detector cannot show F's -12 V:
    0 V with a dark low peak is F."""
    for state, low, high in LEVELS:
        if state is former and low - HYSTERESIS_V < high_v <= high + HYSTERESIS_V:
            return _dark(state, low_v)
    for state, low, high in LEVELS:
        if low < high_v <= high:
            return _dark(state, low_v)
    return PilotState.IMPLAUSIBLE


def _dark(state: PilotState, low_v: float) -> PilotState:
    return PilotState.F if state is PilotState.E and low_v <= DARK_V else state


def cable_a(ohms: float, former: float | None = None) -> float | None:
    """The rating of a cable by its coding resistor, in amperes; the former one holds HYSTERESIS_OHM beyond its window. None: no plug, or no
    resistor of the table."""
    for rating, low, high in CABLES:
        if rating == former and low * (1 - HYSTERESIS_OHM) <= ohms <= high * (1 + HYSTERESIS_OHM):
            return rating
    return next((rating for rating, low, high in CABLES if low <= ohms <= high), None)


def plug_present(ohms: float) -> bool:
    """Whether a plug is in the socket; a reading that is no number is none."""
    return not math.isnan(ohms) and ohms < PLUG_OHM
