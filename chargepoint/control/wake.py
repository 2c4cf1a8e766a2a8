"""One step that wakes a car: the offer is kept away for a while, or the pilot shown state F. Must not know the ladder, the session or the vehicle.

A step only ever keeps the contactor open: it takes the offer away, and what may be offered and closed afterwards is decided as always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chargepoint.control import faults
from chargepoint.link.messages import WakeKind
from chargepoint.model.pilot import PilotState

if TYPE_CHECKING:
    from chargepoint.control.evse import Evse

SHORTEST_S = 3.0
"""A car that was asked to stop sees so much X1 at least (IEC 61851-1 sequence 9: it has 3 s). M"""
LONGEST_S = {WakeKind.X1_BREAK: 60.0, WakeKind.STATE_F: 4.0}
"""A socket may let go of the plug after 5 s of state F, and nobody sees a car being changed in it."""
X1_AFTER_F_S = 3.0
"""ISO 15118-3 T_step_X1: the car is to see the charger anew before an offer. M"""
AWAKE = (PilotState.C, PilotState.D)
OWN_PILOT = {
    WakeKind.X1_BREAK: (PilotState.B, *AWAKE),
    WakeKind.STATE_F: (PilotState.B, PilotState.F, PilotState.E, PilotState.IMPLAUSIBLE),
}
"""What the pilot may show during a step: on its way to F the high peak falls through the other levels."""

Outcome = tuple[bool, str]
DONE: Outcome = (True, "")
NO_PERMIT = "no permit is in force"


class Sight(NamedTuple):
    """What a step looks at. plug_in: 0 for none; barred: what else forbids an offer (a fault, the end of control), or nothing."""

    pilot: PilotState
    plug_in: int
    proven_open: bool
    permitted: bool
    barred: str


def sight_of(evse: Evse) -> Sight:
    """What an EVSE is in, as a step looks at it."""
    fault = evse.faults.leading(faults.OPENS | faults.WITHDRAWS | faults.BARS)
    barred = "control ends" if evse.ending else "reset" if evse.resetting else fault
    number = evse.voice.number if evse.voice.plugged else 0
    return Sight(evse.watch.pilot, number, evse.path.proven_open(), evse.allowance.permitted, barred)


class Wake:
    """kind: the step that runs, None: none. outcome: how the last one ended."""

    __slots__ = ("_began", "_plug_in", "_until", "_x1_until", "kind", "outcome")

    def __init__(self) -> None:
        self.kind: WakeKind | None = None
        self.outcome: Outcome = DONE
        self._began = 0.0
        self._until = 0.0
        self._x1_until = 0.0
        self._plug_in = 0

    @property
    def dark(self) -> bool:
        """Whether the pilot is to show state F."""
        return self.kind is WakeKind.STATE_F and self._x1_until == 0.0

    def begin(self, kind: WakeKind | None, seconds: float, now: float, sight: Sight) -> str:
        """Begins a step of so many seconds, or says why not."""
        if kind is None:
            return "no step is named"
        if not SHORTEST_S <= seconds <= LONGEST_S[kind]:
            return f"{kind.value} lasts {SHORTEST_S:g} to {LONGEST_S[kind]:g} s"
        if self.kind is not None:
            return "another step runs"
        if sight.pilot is not PilotState.B or sight.plug_in == 0:
            return f"pilot in {sight.pilot.value}"
        if not sight.proven_open:
            return "the contactor is not proven open"
        if sight.barred or not sight.permitted:
            return sight.barred or NO_PERMIT
        self.kind, self._began, self._until, self._x1_until, self._plug_in = kind, now, now + seconds, 0.0, sight.plug_in
        return ""

    def step(self, now: float, sight: Sight) -> None:
        """One turn of a running step: it ends by its time, by a car that asks for energy, or by what forbids it."""
        if self.kind is None:
            return
        if why := self._stopped(self.kind, sight):
            self.end(why)
        elif sight.pilot in AWAKE and now >= self._began + SHORTEST_S:
            self._over()
        elif now >= self._until:
            self._time_over(now)

    def end(self, why: str) -> None:
        """Ends a running step before its time."""
        if self.kind is not None:
            self.kind, self.outcome = None, (False, why)

    def _time_over(self, now: float) -> None:
        """State F is followed by X1 for the car to see the charger anew."""
        if self.dark:
            self._x1_until = self._until = now + X1_AFTER_F_S
        else:
            self._over()

    def _over(self) -> None:
        self.kind, self.outcome = None, DONE

    def _stopped(self, kind: WakeKind, sight: Sight) -> str:
        """State F ends the permit itself, so that only a break depends on it."""
        if sight.plug_in != self._plug_in:
            return "unplugged"
        if sight.barred:
            return sight.barred
        if kind is WakeKind.X1_BREAK and not sight.permitted:
            return NO_PERMIT
        own = self._x1_until > 0.0 or sight.pilot in OWN_PILOT[kind]
        return "" if own else f"pilot in {sight.pilot.value}"
