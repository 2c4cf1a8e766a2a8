"""How long the contactor rests after it was opened, by what opened it. Must not know why it may close again.

M marks a figure taken from general practice, to be checked against the contactor's data sheet.
"""

from __future__ import annotations

from chargepoint.control.machine import Cause
from chargepoint.control.power_path import RECLOSE_S, PowerPath
from chargepoint.control.watch import Watch

AFTER_FAULT_S = 10.0
"""A fault that comes and goes is not to move the contactor each time. M"""
UNDER_LOAD_S = 10.0
"""The contacts have broken the car's current: they cool. M"""
FAULTS = frozenset({Cause.FAULT, Cause.PILOT, Cause.SUSPECT})
RESTS_S: dict[Cause, float] = {
    Cause.FAULT: AFTER_FAULT_S,
    Cause.PILOT: AFTER_FAULT_S,
    Cause.SUSPECT: AFTER_FAULT_S,
    Cause.CAR_TIME_OVER: UNDER_LOAD_S,
}
"""After every other cause RECLOSE_S."""


class Rest:
    """Keeps the power path's reclose_at and the watch's fault_openings true. at_x1: the car sees no offer until the rest is over."""

    __slots__ = ("_blamed", "_path", "_watch", "at_x1")

    def __init__(self, path: PowerPath, watch: Watch) -> None:
        self._path = path
        self._watch = watch
        self._blamed = False
        self.at_x1 = False

    def begin(self, cause: Cause, withdrawn: bool, failed: bool, now: float) -> None:
        """The coil went off. withdrawn: the offer had ended before; failed: the contacts had not followed the coil, which has tries of its own."""
        self.at_x1 = withdrawn or failed or cause is not Cause.CAR
        self._blamed = False
        self._path.reclose_at = now + (RECLOSE_S if failed else RESTS_S.get(cause, RECLOSE_S))
        if not failed and cause in FAULTS:
            self.blame(now)

    def blame(self, now: float) -> None:
        """A fault opened, or is found while the contactor rests: a level that falls passes by others before it has its name."""
        if self._watch.coil or self._blamed or now >= self._path.reclose_at:
            return
        self._blamed = self.at_x1 = True
        self._path.reclose_at = now + AFTER_FAULT_S
        self._watch.fault_openings += 1

    def over(self) -> None:
        """The next car is another one."""
        self._path.reclose_at = 0.0
        self.at_x1 = False
