"""The pilot's state by stillness: a falling level is the peak detector emptying, not a state. Must not know permits or outputs.

A turn is still when its high peak differs by at most STILL_V from the one before.
"""

from __future__ import annotations

from chargepoint.control.electrics import DIODE_V, STILL_V, state_of
from chargepoint.model.pilot import PilotState

LEAVE_TURNS = 2
"""Still turns in another level that end C or D."""
ENTER_TURNS = 20
"""Still turns in C or D that begin it, and that allow closing when every low plateau meanwhile was a diode's."""
OTHER_TURNS = 5
"""Still turns for every other change."""
LOST_TURNS = 10
"""Turns without a still one in its own level that end C or D."""
VAGUE_TURNS = 60
"""The same for the other states, where nothing is live: longer than the detector's longest fall (12 V to 0 V with 40 ms)."""

DRAWING = frozenset((PilotState.C, PilotState.D))


class PilotFilter:
    """state: what stands still, IMPLAUSIBLE until something does. closable_turns: still turns in C or D in a row, PWM on and the diode seen."""

    __slots__ = ("_candidate", "_last_v", "_turns", "_unconfirmed", "closable_turns", "state")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Nothing is known any more."""
        self.state = PilotState.IMPLAUSIBLE
        self.closable_turns = 0
        self._last_v: float | None = None
        self._candidate: PilotState | None = None
        self._turns = 0
        self._unconfirmed = 1

    @property
    def settled(self) -> bool:
        """Whether the last turn was still, and in the state that stands."""
        return self._unconfirmed == 0 and self.state is not PilotState.IMPLAUSIBLE

    @property
    def closable(self) -> bool:
        """Whether C or D has stood still long enough, with a diode, for closing."""
        return self.closable_turns >= ENTER_TURNS

    def step(self, high_v: float | None, low_v: float, pwm: bool) -> PilotState:
        """One turn. high_v None: nothing was read. low_v: the low peak last read; pwm: whether PWM has been on long enough to judge it."""
        last_v, self._last_v = self._last_v, high_v
        if high_v is None or last_v is None or not abs(high_v - last_v) <= STILL_V:
            self.closable_turns = 0
            self._not_still()
            return self.state
        level = state_of(high_v, low_v, self.state)
        self.closable_turns = self.closable_turns + 1 if level in DRAWING and pwm and low_v <= DIODE_V else 0
        if level is self.state and level is not PilotState.IMPLAUSIBLE:
            self._candidate, self._turns, self._unconfirmed = None, 0, 0
        else:
            self._elsewhere(level)
        return self.state

    def _elsewhere(self, level: PilotState) -> None:
        """A still turn in another level. Out of C or D the turns add up whichever level they show."""
        leaving = self.state in DRAWING
        self._turns = self._turns + 1 if level is self._candidate or leaving else 1
        self._candidate = level
        if self._turns >= self._needed(level, leaving):
            self.state, self._candidate, self._turns, self._unconfirmed = level, None, 0, 0
        else:
            self._count_unconfirmed()

    def _needed(self, level: PilotState, leaving: bool) -> int:
        if leaving:
            return LEAVE_TURNS
        return ENTER_TURNS if level in DRAWING else OTHER_TURNS

    def _not_still(self) -> None:
        if self.state not in DRAWING:
            self._candidate, self._turns = None, 0
        self._count_unconfirmed()

    def _count_unconfirmed(self) -> None:
        self._unconfirmed += 1
        if self._unconfirmed >= (LOST_TURNS if self.state in DRAWING else VAGUE_TURNS):
            self.state, self._candidate, self._turns, self._unconfirmed = PilotState.IMPLAUSIBLE, None, 0, 0
