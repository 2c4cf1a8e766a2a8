"""Whether the CSMS may clear a residual-current trip: where the owner allows it, and once a day. Must not know the link, nor how a fault is cleared.

A day is 24 h in which control has run, by CLOCK_BOOTTIME: a wall clock that jumps, or a board that knows no time, makes it no more often, and what is
left outlives restarts.
"""

from __future__ import annotations

from chargepoint.control.memory import REMOTE_REST_S
from chargepoint.control.record import Record

CLEARABLE = "residual_current"
SAVE_EVERY_S = 600.0
"""How much of the rest a restart may count twice."""


class RemoteClearing:
    """allowed: the owner's setting. record: keeps what is left of the rest."""

    __slots__ = ("_allowed", "_counted_at", "_record")

    def __init__(self, record: Record, now: float, *, allowed: bool) -> None:
        self._record = record
        self._allowed = allowed
        self._counted_at = now

    def why_not(self, name: str, now: float) -> str:
        """Why the CSMS may not clear this fault now, or nothing."""
        if name != CLEARABLE:
            return "only a person on site clears it"
        if not self._allowed:
            return "the settings do not let the CSMS clear it"
        left_s = self._left_s(now)
        return f"the CSMS has cleared it within a day; again after {left_s / 3600.0:.1f} h of operation" if left_s > 0.0 else ""

    def use(self, now: float) -> None:
        """The CSMS clears it now."""
        self._counted_at = now
        self._record.remote_rest(REMOTE_REST_S)

    def step(self, now: float) -> None:
        """Now and then: writes down what is left."""
        left_s = self._left_s(now)
        if self._record.kept.remote_rest_s > 0.0 and (left_s == 0.0 or now - self._counted_at >= SAVE_EVERY_S):
            self._counted_at = now
            self._record.remote_rest(left_s)

    def _left_s(self, now: float) -> float:
        return max(0.0, self._record.kept.remote_rest_s - (now - self._counted_at))
