"""What was seen of the car since it came, and until when it is shown X1 first. Must not know permits or outputs."""

from __future__ import annotations

from chargepoint.control.pilot_filter import DRAWING
from chargepoint.control.power_path import RECLOSE_S
from chargepoint.model.pilot import PilotState

START_X1_S = RECLOSE_S
"""A car found at the start sees X1 first: 3 s at least, and the contactor may have been closed until just now."""


class Arrival:
    """x1_until: no offer before. simplified: the car has shown no state B since it came."""

    __slots__ = ("_seen_a", "_seen_b", "simplified", "x1_until")

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Nothing is known of what is plugged in."""
        self._seen_a = False
        self._seen_b = False
        self.simplified = True
        self.x1_until = 0.0

    def unplugged(self) -> None:
        """The next car is seen coming."""
        self._seen_a = self._seen_b = True
        self.simplified = True
        self.x1_until = 0.0

    def plugged(self, now: float) -> None:
        """The pilot left A, or the first look found a car."""
        self.x1_until = 0.0 if self._seen_a else now + START_X1_S

    def shows(self, pilot: PilotState) -> None:
        """The pilot's new state."""
        if pilot is PilotState.B:
            self._seen_b, self.simplified = True, False

    def early(self, pilot: PilotState, now: float) -> bool:
        """Whether X1 is still to be shown: the time is not over, or a car found drawing has not come by B yet."""
        return now < self.x1_until or (pilot in DRAWING and not self._seen_b)
