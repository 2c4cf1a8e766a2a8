"""What the meter's samples say of the power path: too much current, volts outside their window, current without command, silence.

Must not know the meter's line, nor what follows. A value that is not finite is no value; a sample that is old, repeated, from the future or frozen is
none. Keeps the watch's verdicts of the meter true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from chargepoint.control.figures import Figures
from chargepoint.control.lasting import STALE_S, Lasting
from chargepoint.control.over_current import OverCurrent
from chargepoint.control.watch import Watch
from chargepoint.link.messages import Sample

LOWEST_V, HIGHEST_V = 207.0, 253.0
"""230 V +-10 %. M"""
RETURN_V = 2.0
"""A voltage that has left its window is back when it is so far inside."""
LOST_V = 115.0
"""A phase below half its voltage is lost, not low."""
VOLTAGE_S = 3.0
"""Outside for longer than this: longer than a motor takes to start."""
SETTLES_S = 1.0
"""A sample tells of what the contactor did so long before."""
WELD_A, WELD_V = 1.0, 50.0
WELD_SAMPLES = 2
FROZEN_S = 60.0
LOAD_A = 6.0
"""Under so much load, over all phases, some register moves within FROZEN_S: a register of 10 Wh does after 26 s."""
COMES_S = 3.0
"""The station renews its permit every second; one that has not come for so long does not come."""

Values = tuple[float | None, ...]


class Supply:
    """The samples of one EVSE's meter, judged."""

    __slots__ = (
        "_after",
        "_carrying",
        "_changed_at",
        "_figures",
        "_heard_at",
        "_high",
        "_last_at",
        "_loaded",
        "_lost",
        "_low",
        "_permit_at",
        "_registers",
        "_watch",
        "over",
    )

    def __init__(self, figures: Figures, watch: Watch) -> None:
        self._figures = figures
        self._watch = watch
        self._after = figures.meter == "after"
        self._low, self._high, self._lost = (tuple(Lasting(VOLTAGE_S) for _ in range(figures.phases)) for _ in range(3))
        self._registers: tuple[object, ...] = ()
        self._changed_at = -math.inf
        self._last_at = 0.0
        self._heard_at = watch.now
        self._permit_at = -math.inf
        self._carrying = 0
        self._loaded = False
        self.over = OverCurrent()

    def take(self, sample: Sample, now: float) -> None:
        """A sample of the station."""
        if not sample.good or not now - STALE_S <= sample.at <= now or sample.at <= self._last_at:
            return
        amps, volts = _finite(sample.current_a), _finite(sample.voltage_v)
        if self._frozen(sample.at, (amps, volts, sample.energy_wh, sample.power_w), amps):
            return
        self._last_at = self._heard_at = sample.at
        self._watch.meter_silent = self._watch.meter_long_silent = False
        self._loaded = _above(amps, WELD_A)
        self.over.take(sample.at, amps)
        self._judge_volts(sample.at, volts)
        self._look_for_weld(sample.at, amps, volts)

    def loaded(self, now: float) -> bool:
        """Whether the last sample, if there is one of now, told of more than an ampere."""
        return self._loaded and now - self._last_at <= STALE_S

    def permitted(self, now: float) -> None:
        """A permit has come. The time without one does not count as silence: the lease decided."""
        missing_since = self._permit_at + COMES_S
        if now > missing_since:
            self._heard_at = min(now, self._heard_at + now - max(self._heard_at, missing_since))
        self._permit_at = now

    def step(self, now: float) -> None:
        """Once a turn: the meter's silence, and verdicts that no sample confirms any more."""
        watch = self._watch
        watch.over_current = watch.coil and self.over.found
        if watch.current_uncommanded and now - self._last_at > STALE_S:
            watch.current_uncommanded = False
        if not self._figures.meter:
            return
        if self._after and not watch.coil:
            self._heard_at = now  # it has no supply; what it was found to be stands until it is heard again, or the car has gone
            return
        silent_s = min(now, self._permit_at + COMES_S) - self._heard_at
        watch.meter_silent = 0.0 < self._figures.meter_limit_s <= silent_s
        watch.meter_long_silent = 0.0 < self._figures.meter_withdraw_s <= silent_s

    def unplugged(self) -> None:
        """The next car is another one; a meter that has no supply now is judged anew with it."""
        self.over.reset()
        if self._after:
            for judged in (*self._low, *self._high, *self._lost):
                judged.reset()
            self._tell_volts()
            self._watch.meter_silent = self._watch.meter_long_silent = False

    def _frozen(self, at: float, registers: tuple[object, ...], amps: Values) -> bool:
        """Whether every register has stood still under load for too long."""
        loaded = self._watch.coil and sum(abs(one) for one in amps if one is not None) >= LOAD_A
        if registers != self._registers:
            self._registers, self._changed_at = registers, at
        return loaded and at - max(self._changed_at, self._watch.coil_since) >= FROZEN_S

    def _judge_volts(self, at: float, volts: Values) -> None:
        """Before the contactor the meter sees the mains; behind it only while it is closed."""
        if self._after and (not self._watch.coil or at < self._watch.coil_since + SETTLES_S):
            return
        seen = 1 if self._after and self._watch.l23_open else self._figures.phases
        for phase, value in enumerate(volts[:seen]):
            low, high, lost = self._low[phase], self._high[phase], self._lost[phase]
            gone = None if value is None else value < LOST_V
            lost.take(at, gone)
            low.take(at, None if value is None else not gone and value < LOWEST_V + RETURN_V * low.holds)
            high.take(at, None if value is None else value > HIGHEST_V - RETURN_V * high.holds)
        self._tell_volts()

    def _tell_volts(self) -> None:
        watch = self._watch
        watch.under_voltage = any(phase.holds for phase in self._low)
        watch.over_voltage = any(phase.holds for phase in self._high)
        watch.phase_loss = any(phase.holds for phase in self._lost)

    def _look_for_weld(self, at: float, amps: Values, volts: Values) -> None:
        """Current though nothing is commanded, or volts where only a closed contactor leads. Of current a register must have moved since the opening:
        a frozen meter goes on telling that of before. One behind the open contactor cannot, it has no supply."""
        watch = self._watch
        moved_s = min(at, self._changed_at) - watch.coil_since
        if watch.coil or at - watch.coil_since < SETTLES_S:
            self._carrying = 0
        elif (moved_s >= SETTLES_S and _above(amps, WELD_A)) or (self._after and _above(volts, WELD_V)):
            self._carrying += 1
        elif any(value is not None for value in amps):
            self._carrying = 0
        watch.current_uncommanded = self._carrying >= WELD_SAMPLES


def _finite(values: Sequence[float | None]) -> Values:
    return tuple(value if value is not None and math.isfinite(value) else None for value in values)


def _above(values: Values, limit: float) -> bool:
    return any(value is not None and value > limit for value in values)
