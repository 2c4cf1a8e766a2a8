"""Guards asked once a turn, and what a new fault does at once: the permit ends, the contactor rests, the breaker is tripped, a latched one is kept.
Must not know outputs or the table.
"""

from __future__ import annotations

from chargepoint.control import faults, guard
from chargepoint.control.allowance import Allowance
from chargepoint.control.faults import Faults
from chargepoint.control.power_path import PowerPath
from chargepoint.control.reclose import Rest
from chargepoint.control.record import Record
from chargepoint.control.retention import Retention
from chargepoint.control.second_look import SecondLook
from chargepoint.control.supply import Supply
from chargepoint.control.voice import Voice
from chargepoint.control.watch import Watch
from chargepoint.link.messages import EdgeKind
from chargepoint.model.pilot import PilotState


class Judge:
    """Keeps the faults of one EVSE true."""

    __slots__ = ("_allowance", "_faults", "_path", "_record", "_rest", "_retention", "_second_look", "_supply", "_voice", "_watch")

    def __init__(
        self,
        watch: Watch,
        active: Faults,
        second_look: SecondLook,
        retention: Retention,
        supply: Supply,
        path: PowerPath,
        rest: Rest,
        allowance: Allowance,
        record: Record,
        voice: Voice,
    ) -> None:
        self._watch = watch
        self._faults = active
        self._second_look = second_look
        self._retention = retention
        self._supply = supply
        self._path = path
        self._rest = rest
        self._allowance = allowance
        self._record = record
        self._voice = voice

    def step(self, now: float) -> None:
        """One turn."""
        watch = self._watch
        guard.suspect(watch)
        self._second_look.step(now)
        self._retention.look(now)
        self._supply.step(now)
        welded = self._faults.causes & faults.WELDED
        changed = self._faults.step(guard.causes(watch), now, watch.pilot is PilotState.A)
        if self._faults.causes & faults.WELDED & ~welded:
            self._path.trip(now)
        if changed:
            self._follow(changed, now)

    def clear(self, name: str) -> None:
        """Somebody who may has cleared this fault; its cause has been looked at."""
        self._faults.clear(name)
        self._voice.edge(self._watch.now, EdgeKind.FAULT_CLEARED, name)
        self._keep_latched()

    def _follow(self, changed: int, now: float) -> None:
        raised = changed & self._faults.active
        for name in self._faults.names(changed):
            self._voice.edge(now, EdgeKind.FAULT_RAISED if raised & faults.bit(name) else EdgeKind.FAULT_CLEARED, name)
        if raised & faults.OPENS:
            self._allowance.end(self._faults.leading(faults.OPENS))
            self._rest.blame(now)
        if changed & faults.LATCHING:
            self._keep_latched()

    def _keep_latched(self) -> None:
        self._record.latched(self._faults.names(self._faults.active & faults.LATCHING))
