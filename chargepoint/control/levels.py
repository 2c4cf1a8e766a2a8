"""What the ADC shows of pilot and cable in a turn, kept in the watch and the cable. Must not know permits, phases or outputs."""

from __future__ import annotations

from collections.abc import Callable

from chargepoint.clock import Clock
from chargepoint.control.cable import Cable
from chargepoint.control.figures import Figures
from chargepoint.control.front_end import FrontEnd
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState
from hal.ports import Channel, PilotAdc

PWM_SETTLES_S = 0.02


class Levels:
    """shows: told of each new state of the pilot, and when."""

    __slots__ = ("_cable", "_clock", "_filter", "_front_end", "_shows", "_watch")

    def __init__(
        self,
        adc: PilotAdc,
        figures: Figures,
        clock: Clock,
        watch: Watch,
        cable: Cable,
        filter: PilotFilter,
        shows: Callable[[PilotState, float], None],
    ) -> None:
        self._front_end = FrontEnd(adc, figures.socket, clock, figures.convert_s)
        self._clock = clock
        self._watch = watch
        self._cable = cable
        self._filter = filter
        self._shows = shows

    @property
    def ready_at(self) -> float:
        """When the conversion in hand is done."""
        return self._front_end.ready_at

    def read_high(self, now: float) -> float:
        """The high peak of this turn. Answers what time it is then: a held bus takes its own."""
        high_v = self._front_end.finish_high(now)
        if high_v is None:
            now = self._watch.now = self._clock.boot_s()
        self._take_high(high_v, now)
        return now

    def read_other(self, now: float) -> bool:
        """The channel of the second half. Answers whether it was the low peak."""
        low_v, ohms = self._front_end.finish_other(now)
        if ohms is not None:
            self._cable.read(ohms)
        if low_v is not None:
            self._watch.now = now
        self._watch.read_low(low_v, now)
        return low_v is not None

    def read_calm(self, now: float) -> None:
        """Whichever channel a calm turn converted; one that was not read says nothing."""
        channel, value = self._front_end.finish_any(now)
        if channel is Channel.HIGH:
            self._take_high(value, now)
        elif channel is Channel.LOW:
            self._watch.read_low(value, now)
        elif channel is Channel.PROXIMITY:
            self._cable.read(value)

    def start_high(self, now: float) -> None:
        self._front_end.start_high(now)

    def start_other(self, now: float) -> None:
        """Low peak or proximity contact, the low peak first while it is in doubt."""
        self._front_end.start_other(now, self._watch.coil, self._watch.suspect_since > 0.0)

    def start_calm(self, now: float) -> None:
        self._front_end.start_calm(now)

    def _take_high(self, high_v: float | None, now: float) -> None:
        """One turn of the filter; None: the peak was not read."""
        watch = self._watch
        if high_v is not None:
            watch.high_v, watch.high_at = high_v, now
        pilot = self._filter.step(high_v, watch.low_v, watch.pwm and now - watch.pwm_since >= PWM_SETTLES_S)
        if pilot is not watch.pilot:
            watch.pilot, watch.pilot_since = pilot, now
            self._shows(pilot, now)
