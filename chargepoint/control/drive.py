"""What the table says, written out: the pilot's generator, the contactor's coil, and what follows an opening or a closing. Must not know why."""

from __future__ import annotations

from chargepoint.control.generator import Generator
from chargepoint.control.machine import Cause, Outputs
from chargepoint.control.offer import NO_OFFER, Offer
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import DRAWING
from chargepoint.control.power_path import PowerPath
from chargepoint.control.reclose import Rest
from chargepoint.control.record import Record
from chargepoint.control.selftest import Residual
from chargepoint.control.supply import Supply
from chargepoint.control.voice import Voice
from chargepoint.control.wake import Wake
from chargepoint.control.watch import Watch
from chargepoint.link.messages import EdgeKind
from chargepoint.model.pilot import PilotState


class Drive:
    """Opens first, then the pilot, then closes."""

    __slots__ = ("_generator", "_path", "_phases", "_record", "_residual", "_rest", "_supply", "_voice", "_wake", "_watch")

    def __init__(
        self,
        watch: Watch,
        generator: Generator,
        path: PowerPath,
        rest: Rest,
        phases: Phases,
        supply: Supply,
        residual: Residual,
        wake: Wake,
        record: Record,
        voice: Voice,
    ) -> None:
        self._watch = watch
        self._generator = generator
        self._path = path
        self._rest = rest
        self._phases = phases
        self._supply = supply
        self._residual = residual
        self._wake = wake
        self._record = record
        self._voice = voice

    def open(self, cause: Cause, why: str, now: float, *, withdrawn: bool, failed: bool) -> None:
        """Coil off, and how long it rests. withdrawn: the offer had ended before; failed: the contacts did not follow the coil, which is counted
        elsewhere."""
        if self._watch.pilot in DRAWING and self._supply.loaded(now):
            self._record.opened_under_load()
        self._path.switch(False, why, now)
        self._phases.opened(under_load=cause is Cause.CAR_TIME_OVER)
        if self._watch.pilot is PilotState.A:
            self._rest.over()
        else:
            self._rest.begin(cause, withdrawn, failed, now)

    def write(self, outputs: Outputs, offer: Offer, now: float) -> None:
        """The pilot, then the coil on."""
        dark = self._wake.dark and not (outputs.pwm or outputs.coil)
        if self._generator.signal(offer if outputs.pwm else NO_OFFER, now, dark=dark):
            amps = self._generator.offer.amps
            self._supply.over.offered(now, amps)
            self._voice.edge(now, EdgeKind.OFFERED, f"{amps:.2f}".rstrip("0").rstrip("."))
        if outputs.coil and not self._watch.coil:
            self._residual.supplied = True
            self._record.closed()
            self._path.switch(True, "", now)
            self._phases.closed()
