"""What the sensors of the parking bays see, as events of the sessions, and in the device model (2.0.1 part 2, E01 S1, E06 S1; appendix 3.2.7).

A car may stand in its bay long before and after its cable is plugged in, and the sensor may see it in any state. Must not know what a transaction is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from chargepoint.clock import Clock
from chargepoint.link.messages import EvseState
from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.session import SessionRow, State
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.sessions import Sessions
from chargepoint.station.transactions import Cause

COMPONENT = "BayOccupancySensor"


class Bays:
    """evses: those with a sensor; elsewhere: the session that waits for its car at another EVSE, if the car that has come can be that one."""

    def __init__(self, clock: Clock, model: DeviceModel, sessions: Sessions, elsewhere: Callable[[int], SessionRow | None]) -> None:
        self.evses: Collection[int] = ()
        self._clock = clock
        self._model = model
        self._sessions = sessions
        self._elsewhere = elsewhere

    def hear(self, state: EvseState) -> None:
        """A state of control: of a bay whose sensor is not known to see anything, nothing follows; one without a sensor is never occupied."""
        occupied = state.bay if state.evse in self.evses else False
        if occupied is None:
            return
        if state.evse in self.evses:
            self._model.push(f"{COMPONENT}@{state.evse}.Active", occupied)
        row = self._sessions.row(state.evse)
        if row is not None and row.state is State.PARKED and row.interrupted:
            with self._sessions.writing(row):
                self._sessions.resumed(row)
        if (row is not None and row.occupied) != occupied:
            trigger = Trigger.EV_DETECTED if occupied else Trigger.EV_DEPARTED
            row = row or self._elsewhere(state.evse) or self._sessions.new(state.evse)
            self._sessions.bay(row, occupied, Cause(trigger, self._clock.stamp_at(state.at), StopReason.LOCAL))
