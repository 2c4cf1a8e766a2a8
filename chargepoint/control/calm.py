"""Whether an EVSE is calm: nothing is closed, offered, permitted, tested or moved, so that its turns may be longer. Must not know how long."""

from __future__ import annotations

from chargepoint.control import guard
from chargepoint.control.cable import Cable
from chargepoint.control.faults import Faults
from chargepoint.control.lock import SocketLock
from chargepoint.control.machine import Phase
from chargepoint.control.permit import Lease
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.retention import Retention
from chargepoint.control.selftest import Residual
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState

PILOTS = (PilotState.A, PilotState.B)


class Calm:
    """Looks at the parts of one EVSE."""

    __slots__ = ("_cable", "_faults", "_filter", "_lease", "_lock", "_phases", "_residual", "_retention", "_seen", "_watch")

    def __init__(
        self,
        watch: Watch,
        active: Faults,
        lease: Lease,
        filter: PilotFilter,
        phases: Phases,
        residual: Residual,
        retention: Retention,
        cable: Cable,
        lock: SocketLock | None,
    ) -> None:
        self._watch = watch
        self._faults = active
        self._lease = lease
        self._filter = filter
        self._phases = phases
        self._residual = residual
        self._retention = retention
        self._cable = cable
        self._lock = lock
        self._seen: tuple[object, ...] = ()

    def holds(self, phase: Phase) -> bool:
        """Nothing acts, and the pilot stands still where nobody charges. phase: where the table is."""
        watch = self._watch
        at_rest = phase is Phase.REST and not watch.coil and watch.mirror_closed and not watch.testing and not watch.tripped
        at_rest = at_rest and self._phases.rests and self._retention.rests
        return at_rest and watch.pilot in PILOTS and self._filter.settled and self._lease.until == 0.0 and not self._waiting

    def news(self) -> bool:
        """Whether something reads otherwise than when this was last asked."""
        watch = self._watch
        feedback = self._lock.feedback if self._lock is not None else None
        seen = (watch.mirror_closed, watch.tripped, watch.emergency, feedback, self._cable.present, self._faults.active)
        before, self._seen = self._seen, seen
        return seen != before

    @property
    def _waiting(self) -> bool:
        """Something is due soon."""
        watch = self._watch
        cable = watch.cable_missing_since > 0.0 and not guard.proximity_missing(watch)
        return watch.now >= self._residual.due_at or watch.suspect_since > 0.0 or cable
