"""What a car's coming and going means to the parts: a new number, an empty slate, no permit of the one before. Must not know how a pilot is read."""

from __future__ import annotations

from chargepoint.control.allowance import Allowance
from chargepoint.control.arrival import Arrival
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.reclose import Rest
from chargepoint.control.retention import Retention
from chargepoint.control.selftest import Residual
from chargepoint.control.supply import Supply
from chargepoint.control.voice import Voice
from chargepoint.control.wake import Wake
from chargepoint.control.watch import Watch
from chargepoint.link.messages import EdgeKind
from chargepoint.model.pilot import PLUGGED, PilotState

UNSEEN = "control did not look"


class PlugIn:
    """Follows the confirmed pilot."""

    __slots__ = ("_allowance", "_arrival", "_filter", "_phases", "_residual", "_rest", "_retention", "_supply", "_voice", "_wake", "_watch")

    def __init__(
        self,
        watch: Watch,
        voice: Voice,
        allowance: Allowance,
        arrival: Arrival,
        pilot: PilotFilter,
        rest: Rest,
        phases: Phases,
        supply: Supply,
        residual: Residual,
        retention: Retention,
        wake: Wake,
    ) -> None:
        self._watch = watch
        self._voice = voice
        self._allowance = allowance
        self._arrival = arrival
        self._filter = pilot
        self._rest = rest
        self._phases = phases
        self._supply = supply
        self._residual = residual
        self._retention = retention
        self._wake = wake

    def shows(self, pilot: PilotState, now: float) -> None:
        """The pilot's new state."""
        if pilot is PilotState.A:
            self._allowance.end("unplugged")
            self._voice.unplug(now)
            self._unplugged(now)
        elif pilot in PLUGGED:
            self._arrival.shows(pilot)
            if not self._voice.plugged:
                self._arrival.plugged(now)
                self._voice.plug_in(now)
        elif pilot is not PilotState.IMPLAUSIBLE:
            self._allowance.end(f"pilot in {pilot.value}")
        self._voice.edge(now, EdgeKind.PILOT_CHANGED, pilot.value)

    def start_over(self) -> None:
        """Nothing is known of what is plugged in."""
        self._filter.restart()
        self._wake.end(UNSEEN)
        self._voice.forget()
        self._phases.start_over()
        self._arrival.start_over()
        self._retention.start_over()

    def _unplugged(self, now: float) -> None:
        self._arrival.unplugged()
        self._watch.tries = self._watch.fault_openings = 0
        self._rest.over()
        self._supply.unplugged()
        self._phases.start_over()
        self._residual.unplugged(now)
