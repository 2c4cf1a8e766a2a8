"""What must hold before current is offered, and before the contactor closes. Must not know how much, nor what is written.

While the contactor is open nothing is offered that could not be closed upon, so that sequence 4's 3 s start with the PWM (IEC 61851-1 Annex A).
"""

from __future__ import annotations

from chargepoint.control import faults
from chargepoint.control.allowance import Allowance
from chargepoint.control.arrival import Arrival
from chargepoint.control.faults import Faults
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import DRAWING, PilotFilter
from chargepoint.control.power_path import PowerPath
from chargepoint.control.reclose import Rest
from chargepoint.control.retention import Retention
from chargepoint.control.selftest import Residual
from chargepoint.control.wake import Wake
from chargepoint.control.watch import Watch


class Clearance:
    """Asks each part of the EVSE what it has against it."""

    __slots__ = ("_active", "_allowance", "_arrival", "_filter", "_path", "_phases", "_residual", "_rest", "_retention", "_wake", "_watch")

    def __init__(
        self,
        watch: Watch,
        active: Faults,
        allowance: Allowance,
        pilot: PilotFilter,
        path: PowerPath,
        rest: Rest,
        phases: Phases,
        arrival: Arrival,
        retention: Retention,
        residual: Residual,
        wake: Wake,
    ) -> None:
        self._watch = watch
        self._active = active
        self._allowance = allowance
        self._filter = pilot
        self._path = path
        self._rest = rest
        self._phases = phases
        self._arrival = arrival
        self._retention = retention
        self._residual = residual
        self._wake = wake

    def offers(self, now: float, *, halted: bool, fed: bool) -> bool:
        """Whether anything may be offered. halted: control ends, or the EVSE is reset; fed: the relay supply."""
        barred = halted or self._wake.kind or self._phases.due(now) or self._active.active & (faults.OPENS | faults.WITHDRAWS)
        return bool(self._allowance.permitted and not barred and (self._watch.coil or (not self._closing_barred(now) and fed)))

    def closes(self, now: float) -> bool:
        """Everything closing needs beyond C or D, an offer and no opening fault."""
        return (
            self._filter.closable
            and self._allowance.lease.may_close(now)
            and now >= self._path.reclose_at
            and self._path.proven_open()
            and not self._watch.tripped
            and not self._active.active & faults.BARS
        )

    def _closing_barred(self, now: float) -> bool:
        watch = self._watch
        if now < self._path.reclose_at and watch.suspect_since == 0.0 and (self._rest.at_x1 or watch.pilot in DRAWING):
            self._arrival.x1_until = self._path.reclose_at
        early = self._arrival.early(watch.pilot, now)
        barred = early or bool(self._active.active & faults.BARS & ~faults.VENTILATION)
        return barred or not self._retention.verified(now) or self._residual.due(now)
