"""The permit's watch: whether one is in force, and why the last one ended. Must not know what is offered upon it."""

from __future__ import annotations

from chargepoint.control.permit import Lease
from chargepoint.control.voice import Voice
from chargepoint.link.messages import EdgeKind, Permit


class Allowance:
    """permitted: as this turn found it; ended_by: why there is none, where that is known."""

    __slots__ = ("_voice", "ended_by", "lease", "permitted")

    def __init__(self, voice: Voice, keeps_floor: bool) -> None:
        self._voice = voice
        self.lease = Lease(keeps_floor)
        self.permitted = False
        self.ended_by = ""

    def take(self, permit: Permit, now: float, barred: str) -> str:
        """Takes a permit; answers why it is void, or nothing."""
        why = self.lease.take(permit, now, self._voice.number if self._voice.plugged else 0, barred)
        if not why and not self.lease.in_force(now):
            self.ended_by = "withdrawn"
        return why

    def step(self, now: float) -> None:
        """Once a turn."""
        permitted = self.lease.in_force(now)
        if self.permitted and not permitted:
            self.ended_by = self.ended_by or "lapsed"
            self._voice.edge(now, EdgeKind.PERMIT_ENDED, self.ended_by)
        self.permitted = permitted
        if permitted:
            self.ended_by = ""

    def end(self, why: str) -> None:
        """Takes the permit back, as when it lapses."""
        if self.lease.void():
            self.ended_by = why
