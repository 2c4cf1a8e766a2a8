"""The lease: what the station allows, bound to one plug-in, until it ends by itself. Must not know the pilot's volts or the outputs.

A permit that is late, replayed, for another plug-in, further ahead than 30 s, infinite or no number is void as a whole.
"""

from __future__ import annotations

import math

from chargepoint.control.electrics import MINIMUM_A
from chargepoint.control.offer import Offer
from chargepoint.link.messages import Permit

AHEAD_S = 30.0
"""No permit reaches further."""
HELD_S = 5.0
"""How long a permit of the peer before may still keep a contactor closed; it closes none."""
NOTHING: tuple[float, float | None] = (0.0, None)
"""Limit and wish of no permit."""


class Lease:
    """At most one permit in force. limit_a: what nobody may exceed; wish_a: what comfort would rather have, None: the same. keeps_floor: the
    owner's setting that such a wish never pauses. single: limit and wish are those for one phase."""

    __slots__ = ("_fresh", "_keeps_floor", "_newest", "_one", "_three", "limit_a", "single", "until", "wish_a")

    def __init__(self, keeps_floor: bool = False) -> None:
        self._keeps_floor = keeps_floor
        self._one = self._three = NOTHING
        self.single = False
        self.limit_a, self.wish_a = NOTHING
        self.until = 0.0
        self._newest = 0.0
        self._fresh = False

    def take(self, permit: Permit, now: float, plug_in: int, barred: str = "") -> str:
        """Takes a permit, or says why it is void. plug_in: the present one, 0 for none; barred: why none can be in force now. A permit is used
        up when it has been seen, also one that is void."""
        numbers = (permit.limit_a, permit.until, permit.wish_a, permit.limit_1p_a, permit.wish_1p_a)
        if not all(number is None or math.isfinite(number) for number in numbers):
            return "not a number"
        if plug_in == 0 or permit.plug_in != plug_in:
            return "another plug-in"
        if permit.until <= now:
            return "late"
        if permit.until > now + AHEAD_S:
            return "too far ahead"
        if permit.until <= self._newest:
            return "replayed"
        self._newest = permit.until
        if barred:
            return barred
        self.until = permit.until
        self._three = (permit.limit_a, permit.wish_a)
        self._one = self._three if permit.limit_1p_a is None else (permit.limit_1p_a, permit.wish_1p_a)
        self.choose(self.single)
        self._fresh = True
        return ""

    def choose(self, single: bool) -> None:
        """Whether it is to be for one phase or for three."""
        self.single = single
        self.limit_a, self.wish_a = self._one if single else self._three

    def in_force(self, now: float) -> bool:
        """Whether current may be offered at all: a permit is running and says at least 6 A."""
        return now < self.until and self.limit_a >= MINIMUM_A and (self.wish_a is None or self._keeps_floor or self.wish_a >= MINIMUM_A)

    @property
    def wish(self) -> Offer | None:
        """What comfort would have offered instead of limit_a; with the floor kept, 6 A at least."""
        if self.wish_a is None:
            return None
        return Offer(MINIMUM_A, "floor") if self.wish_a < MINIMUM_A and self._keeps_floor else Offer(self.wish_a, "permit")

    def may_close(self, now: float) -> bool:
        """Whether the contactor may be closed by it: in force, and from the present peer."""
        return self._fresh and self.in_force(now)

    def hold(self, now: float) -> None:
        """A newer peer is there: what the one before allowed closes nothing any more and ends soon."""
        self._fresh = False
        self.until = min(self.until, now + HELD_S)

    def void(self) -> bool:
        """Ends it now. Answers whether there was one. The same permit does not come back: replayed ones stay void."""
        was = self.until > 0.0
        self.until = 0.0
        self._one = self._three = NOTHING
        self.choose(self.single)
        self._fresh = False
        return was
