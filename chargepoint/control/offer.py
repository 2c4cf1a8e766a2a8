"""How much current is offered: the least of permit, cable, board, rating and heat, and which of them won. Must not know the duty.

Down at once; up at most every 5 s.
"""

from __future__ import annotations

from typing import NamedTuple

from chargepoint.control.electrics import MINIMUM_A, signalled
from chargepoint.control.guard import DERATE_FROM_C, HOT_C

RAISE_S = 5.0
"""Between two changes of the duty, except downwards (IEC 61851-1 A.3: a car has 5 s to follow)."""


class Offer(NamedTuple):
    """amps 0: none. by: who won the minimum."""

    amps: float
    by: str


NO_OFFER = Offer(0.0, "")


def heat_limit_a(temperature_c: float | None, sensor_lost: bool, full_a: float) -> float:
    """Linear from the full current at 65 degrees to 6 A at 80; a lost sensor is 6 A."""
    if sensor_lost:
        return MINIMUM_A
    if temperature_c is None or temperature_c <= DERATE_FROM_C:
        return full_a
    share = min(1.0, (temperature_c - DERATE_FROM_C) / (HOT_C - DERATE_FROM_C))
    return full_a - share * (full_a - MINIMUM_A)


class Least:
    """The minimum for one EVSE. board_a, rating_a: fixed; cable_a None: no cable limits."""

    __slots__ = ("_board_a", "_changed_at", "_offer", "_rating_a")

    def __init__(self, board_a: float, rating_a: float) -> None:
        self._board_a = board_a
        self._rating_a = rating_a
        self._offer = NO_OFFER
        self._changed_at = 0.0

    def of(self, now: float, permit_a: float, cable_a: float | None, temperature_c: float | None, sensor_lost: bool) -> Offer:
        """The offer of this turn."""
        full_a = min(self._board_a, self._rating_a)
        amps, by = permit_a, "permit"
        if cable_a is not None and cable_a < amps:
            amps, by = cable_a, "cable"
        if self._board_a < amps:
            amps, by = self._board_a, "board"
        if self._rating_a < amps:
            amps, by = self._rating_a, "rating"
        if (temperature_c is not None and temperature_c > DERATE_FROM_C) or sensor_lost:
            heat_a = heat_limit_a(temperature_c, sensor_lost, full_a)
            if heat_a < amps:
                amps, by = heat_a, "heat"
        return self._paced(now, signalled(amps), by)

    def none(self) -> Offer:
        """Nothing is offered; the next offer starts at once."""
        self._offer = NO_OFFER
        return NO_OFFER

    def _paced(self, now: float, amps: float, by: str) -> Offer:
        former = self._offer
        if amps == former.amps and by == former.by:
            return former
        if amps == 0.0:
            return self.none()
        if former.amps == 0.0 or amps < former.amps or now - self._changed_at >= RAISE_S:
            if amps != former.amps:
                self._changed_at = now
            self._offer = Offer(amps, by)
        return self._offer
