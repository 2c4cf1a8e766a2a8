"""The pilot's state by stillness: a falling level is the peak detector emptying, not a state. Must not know permits or outputs.

A turn is still when its high peak differs by at most STILL_V from the one before. The figures are those of a turn of TURN_S: a longer one may drift
as much further, and as much fewer of them may pass without a still one, so that nothing takes longer to be seen lost.
"""

from __future__ import annotations

from chargepoint.control.electrics import DIODE_V, STILL_V, state_of, top_of
from chargepoint.model.pilot import PilotState

TURN_S = 0.005
LEAVE_TURNS = 2
"""Still turns in another level that end C or D."""
ENTER_TURNS = 20
"""Still turns in C or D that begin it, and that allow closing when every low plateau meanwhile was a diode's."""
OTHER_TURNS = 5
"""Still turns for every other change."""
LOST_TURNS = 10
"""Turns in a row without a still one that end C or D. A fall from above is the detector emptying after a spike and not counted: a real change
upwards would stand still there."""
UNCONFIRMED_TURNS = 16
"""Turns without a still one in its own level that end C or D, whatever they were: 80 ms."""
VAGUE_TURNS = 60
"""The same for the other states, where nothing is live: longer than the detector's longest fall (12 V to 0 V with 40 ms)."""

DRAWING = frozenset((PilotState.C, PilotState.D))


class PilotFilter:
    """turn_s: how long a turn takes. state: what stands still, IMPLAUSIBLE until something does. closable_turns: still turns in C or D in a row,
    PWM on and the diode seen."""

    __slots__ = (
        "_anchor_v",
        "_candidate",
        "_last_v",
        "_lost_turns",
        "_still_v",
        "_turns",
        "_unconfirmed",
        "_unconfirmed_turns",
        "_unsteady",
        "_vague_turns",
        "closable_turns",
        "state",
    )

    def __init__(self, turn_s: float = TURN_S) -> None:
        longer = max(1.0, turn_s / TURN_S)
        self._still_v = STILL_V * longer
        self._lost_turns = int(LOST_TURNS / longer)
        self._unconfirmed_turns = int(UNCONFIRMED_TURNS / longer)
        self._vague_turns = int(VAGUE_TURNS / longer)
        self.restart()

    def restart(self) -> None:
        """Nothing is known any more."""
        self.state = PilotState.IMPLAUSIBLE
        self.closable_turns = 0
        self._last_v: float | None = None
        self._candidate: PilotState | None = None
        self._turns = 0
        self._anchor_v = 0.0
        self._unsteady = 0
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
        if high_v is None or last_v is None or not abs(high_v - last_v) <= self._still_v:
            self.closable_turns = 0
            emptying = high_v is not None and last_v is not None and top_of(self.state) < high_v < last_v
            self._not_still(emptying)
            return self.state
        level = state_of(high_v, low_v, self.state)
        self.closable_turns = self.closable_turns + 1 if level in DRAWING and pwm and low_v <= DIODE_V else 0
        if level is self.state and level is not PilotState.IMPLAUSIBLE:
            self._candidate, self._turns, self._unsteady, self._unconfirmed = None, 0, 0, 0
        else:
            self._elsewhere(level, high_v, last_v)
        return self.state

    def _elsewhere(self, level: PilotState, high_v: float, last_v: float) -> None:
        """A still turn in another level. Out of C or D the turns add up whichever level they show, as long as they do not drift down from
        above: the peak detector begins and ends its fall slowly."""
        leaving = self.state in DRAWING
        drifts = leaving and high_v > top_of(self.state) and abs(high_v - self._anchor_v) > self._still_v
        if self._turns == 0 or drifts:
            self._turns, self._anchor_v = 0, last_v
        self._turns = self._turns + 1 if level is self._candidate or leaving else 1
        self._candidate = level
        self._unsteady = 0
        if self._turns >= self._needed(level, leaving):
            self._become(level)
        else:
            self._count_unconfirmed()

    def _needed(self, level: PilotState, leaving: bool) -> int:
        if leaving:
            return LEAVE_TURNS
        return ENTER_TURNS if level in DRAWING else OTHER_TURNS

    def _not_still(self, emptying: bool) -> None:
        self._candidate, self._turns = None, 0
        self._unsteady += not emptying
        if self.state in DRAWING and self._unsteady >= self._lost_turns:
            self._become(PilotState.IMPLAUSIBLE)
        else:
            self._count_unconfirmed()

    def _count_unconfirmed(self) -> None:
        self._unconfirmed += 1
        if self._unconfirmed >= (self._unconfirmed_turns if self.state in DRAWING else self._vague_turns):
            self._become(PilotState.IMPLAUSIBLE)

    def _become(self, state: PilotState) -> None:
        self.state, self._candidate, self._turns, self._unsteady, self._unconfirmed = state, None, 0, 0, 0
