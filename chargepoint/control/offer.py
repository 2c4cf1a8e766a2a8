"""How much current is offered: the least of all caps, and which of them won; how it begins, grows and falls. Must not know the duty.

Down at once where safety asks; every other change at least 5 s after the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chargepoint.control.electrics import GAP_TO_A, MINIMUM_A, signalled
from chargepoint.control.guard import DERATE_FROM_C, HOT_C

RAISE_S = 5.0
"""Between two changes of the duty, except downwards for safety (IEC 61851-1 A.3: a car has 5 s to follow)."""
SIMPLIFIED_A = 10.0
"""What a car without state B may draw (IEC 61851-1 A.2.3)."""


class Offer(NamedTuple):
    """amps 0: none. by: who won the minimum."""

    amps: float
    by: str


NO_OFFER = Offer(0.0, "")


class Manner(NamedTuple):
    """How an offer begins and grows. soft_start_s: s after each closing for which it stays at 6 A; ramp_a_per_s: A per second upwards,
    taken in steps of RAISE_S. 0: not at all."""

    soft_start_s: float = 0.0
    ramp_a_per_s: float = 0.0


AT_ONCE = Manner()


def heat_cap(temperature_c: float | None, sensor_lost: bool, full_a: float) -> Offer | None:
    """What heat allows; None: anything."""
    if sensor_lost or (temperature_c is not None and temperature_c > DERATE_FROM_C):
        return Offer(heat_limit_a(temperature_c, sensor_lost, full_a), "heat")
    return None


def heat_limit_a(temperature_c: float | None, sensor_lost: bool, full_a: float) -> float:
    """Linear from the full current at 65 degrees to 6 A at 80; a lost sensor is 6 A."""
    if sensor_lost:
        return MINIMUM_A
    if temperature_c is None or temperature_c <= DERATE_FROM_C:
        return full_a
    share = min(1.0, (temperature_c - DERATE_FROM_C) / (HOT_C - DERATE_FROM_C))
    return full_a - share * (full_a - MINIMUM_A)


class Least:
    """The minimum for one EVSE, and its pace."""

    __slots__ = ("_changed_at", "_manner", "_offer")

    def __init__(self, manner: Manner = AT_ONCE) -> None:
        self._manner = manner
        self._offer = NO_OFFER
        self._changed_at = 0.0

    def of(self, now: float, caps: Sequence[Offer], wish: Offer | None = None, closed_s: float | None = None) -> Offer:
        """The offer of this turn. caps: of equals the first wins; wish: what comfort would rather have, never above a cap and in no hurry;
        closed_s: how long the contactor has been closed, None: it is open."""
        least = self._soft(min(caps, key=_amps), closed_s)
        target = wish if wish is not None and wish.amps < least.amps else least
        return self._paced(now, Offer(signalled(target.amps), target.by), Offer(signalled(least.amps), least.by))

    def none(self) -> Offer:
        """Nothing is offered; the next offer starts at once."""
        self._offer = NO_OFFER
        return NO_OFFER

    def _soft(self, least: Offer, closed_s: float | None) -> Offer:
        begins = self._manner.soft_start_s > 0.0 and (closed_s is None or closed_s < self._manner.soft_start_s)
        return Offer(MINIMUM_A, "soft start") if begins and least.amps > MINIMUM_A else least

    def _paced(self, now: float, target: Offer, cap: Offer) -> Offer:
        """cap: not exceeded for a moment."""
        former = self._offer
        if target == former:
            return former
        if target.amps == 0.0:
            return self.none()
        if former.amps == 0.0 or now - self._changed_at >= RAISE_S:
            return self._take(now, self._ramped(target))
        if cap.amps < former.amps:
            return self._take(now, cap)
        return former

    def _ramped(self, target: Offer) -> Offer:
        step_a = self._manner.ramp_a_per_s * RAISE_S
        reached_a = signalled(max(self._offer.amps + step_a, MINIMUM_A))
        if reached_a == self._offer.amps:
            reached_a = GAP_TO_A  # a step too small to cross what no duty can say
        return Offer(reached_a, "ramp") if step_a > 0.0 and reached_a < target.amps else target

    def _take(self, now: float, offer: Offer) -> Offer:
        if offer.amps != self._offer.amps:
            self._changed_at = now
        self._offer = offer
        return offer


def _amps(offer: Offer) -> float:
    return offer.amps
