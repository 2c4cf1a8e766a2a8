"""The table of IEC 61851-1 asked once a turn: what it looks at gathered, what it says carried out, and why in words. Must not know the rules: they
stand in `machine`.
"""

from __future__ import annotations

from chargepoint.control import faults
from chargepoint.control.allowance import Allowance
from chargepoint.control.caps import Caps
from chargepoint.control.clearance import Clearance
from chargepoint.control.drive import Drive
from chargepoint.control.faults import Faults
from chargepoint.control.machine import OUTPUTS, Cause, Inputs, Phase, step
from chargepoint.control.phases import Phases
from chargepoint.control.power_path import PowerPath
from chargepoint.control.watch import Watch

CAR_TIME_S = 6.0
"""IEC 61851-1 sequence 10.2: a car that does not stop after the offer ended is cut off under load."""


class Decision:
    """phase: where the table is."""

    __slots__ = ("_active", "_allowance", "_caps", "_clearance", "_drive", "_path", "_phases", "_since", "_watch", "_withdrawn_by", "phase")

    def __init__(
        self,
        watch: Watch,
        active: Faults,
        allowance: Allowance,
        caps: Caps,
        clearance: Clearance,
        path: PowerPath,
        phases: Phases,
        drive: Drive,
    ) -> None:
        self._watch = watch
        self._active = active
        self._allowance = allowance
        self._caps = caps
        self._clearance = clearance
        self._path = path
        self._phases = phases
        self._drive = drive
        self.phase = Phase.REST
        self._since = watch.now
        self._withdrawn_by = ""

    def step(self, now: float, *, halted: bool, fed: bool) -> None:
        """One turn. halted: control ends, or the EVSE is reset; fed: the relay supply."""
        watch = self._watch
        failed = self._path.failed() or self._phases.failed()
        offer = self._caps.offer(now) if self._clearance.offers(now, halted=halted, fed=fed) else self._caps.none()
        inputs = Inputs(
            pilot=watch.pilot,
            opening=bool(self._active.active & faults.OPENS) or bool(failed) or not fed,
            suspect=watch.suspect_since > 0.0,
            offer=offer.amps > 0.0,
            ready=offer.amps > 0.0 and self._clearance.closes(now),
            car_time_over=self.phase is Phase.WITHDRAW and now - self._since >= CAR_TIME_S,
            d_allowed=watch.d_allowed,
        )
        phase, cause = step(self.phase, inputs)
        why = failed or self._word(cause)
        if watch.coil and not OUTPUTS[phase].coil:
            self._drive.open(cause, why, now, withdrawn=self.phase is Phase.WITHDRAW, failed=bool(failed))
        if phase is not self.phase:
            self.phase, self._since = phase, now
        self._drive.write(OUTPUTS[phase], offer, now)

    def _word(self, cause: Cause) -> str:
        """Why it opens: the fault's name where a fault is the cause."""
        if cause is Cause.FAULT:
            return self._active.leading(faults.OPENS) or "relay supply not fed"
        if cause is Cause.WITHDRAWN:
            self._withdrawn_by = self._active.leading(faults.WITHDRAWS) or self._allowance.ended_by or "withdrawn"
        if self.phase is Phase.WITHDRAW and cause is Cause.CAR:
            return self._withdrawn_by
        return cause.value
