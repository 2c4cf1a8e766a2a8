"""The pilot's electrics: the ±12 V generator behind 1 kΩ, what hangs on the wire, and what a peak detector hears of it.

Must not know who drives the generator or how a car decides; it is told loads and duties.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sim.plant.detector import PeakDetector
from sim.plant.timeline import Timeline

SUPPLY_V = 12.0
SOURCE_OHM = 1000.0
DIODE_V = 0.7
R2_OHM = 2740.0
"""The car's resistor of state B; 1.3 kΩ beside it makes state C, 270 Ω state D (IEC 61851-1 Table A.3)."""
R3_OHM = 1300.0
R3_VENTILATED_OHM = 270.0

BORDERS = ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-6.0, "E"))
"""Mid-points between the nominal levels of IEC 61851-1 Table A.4; below the last one is F."""


class Load(NamedTuple):
    """What hangs on the pilot at the car's end."""

    ohm: float
    diode: bool


class Wire(NamedTuple):
    """The truth on the wire: volts of the high and the low plateau (equal when steady), the generator's duty 0.0 to 1.0, and the state's word:
    A, B1, B2, C1, C2, D1, D2, E or F (1 without PWM, 2 with)."""

    high_v: float
    low_v: float
    duty: float
    word: str

    @property
    def letter(self) -> str:
        return self.word[0]


def beside(a_ohm: float, b_ohm: float) -> float:
    """Two resistors in parallel."""
    return a_ohm * b_ohm / (a_ohm + b_ohm)


def car_ohm(s2_closed: bool, ventilation: bool) -> float:
    """The car's resistance to earth."""
    if not s2_closed:
        return R2_OHM
    return beside(R2_OHM, R3_VENTILATED_OHM if ventilation else R3_OHM)


def level(source_v: float, load: Load | None, short_ohm: float | None) -> float:
    """The plateau on the wire for one plateau of the generator."""
    source_ohm = SOURCE_OHM
    if short_ohm is not None:
        source_v = source_v * short_ohm / (source_ohm + short_ohm)
        source_ohm = beside(source_ohm, short_ohm) if short_ohm else 0.0
    if load is None:
        return source_v
    drop = DIODE_V if load.diode else 0.0
    if load.diode and source_v <= drop:
        return source_v
    return drop + (source_v - drop) * load.ohm / (source_ohm + load.ohm)


def word(high_v: float, pwm: bool) -> str:
    """The state's word for a high plateau."""
    letter = next((letter for border, letter in BORDERS if high_v > border), "F")
    return letter + ("2" if pwm else "1") if letter in "BCD" else letter


class Pilot:
    """One EVSE's pilot. `on_change` is called with the former wire whenever the wire changes."""

    def __init__(self, timeline: Timeline, rise_s: float, fall_s: float) -> None:
        self._timeline = timeline
        self.high = PeakDetector(+1, rise_s, fall_s)
        self.low = PeakDetector(-1, rise_s, fall_s)
        self.on_change: Callable[[Wire], None] = lambda former: None
        self.powered = False
        self.duty = 1.0
        self.pwm_lost = False
        self.stuck_duty: float | None = None
        self.load: Load | None = None
        self.short_ohm: float | None = None
        self.cut = False
        self.offset_v = 0.0
        self.spike_v = 0.0
        self.noise_v = 0.0
        self.rails_v = (SUPPLY_V, -SUPPLY_V)
        self.wire = Wire(0.0, 0.0, 0.0, "E")

    def generated(self) -> float:
        """The duty that really leaves the generator."""
        if self.stuck_duty is not None:
            return self.stuck_duty
        return 1.0 if self.pwm_lost else self.duty

    def settle(self) -> None:
        """Works the wire out anew after something about it changed."""
        wire = self._work_out()
        if wire == self.wire:
            return
        former, self.wire = self.wire, wire
        now = self._timeline.now
        pwm = self.powered and 0.0 < wire.duty < 1.0
        self.high.hear(now, wire.high_v, wire.duty if pwm else 1.0)
        self.low.hear(now, wire.low_v, 1.0 - wire.duty if pwm else 1.0)
        self.on_change(former)

    def at_car(self) -> tuple[float, float]:
        """What the car sees: the volts of the high plateau, and the duty; (0, 0) when the wire to it is cut or the board is off."""
        if self.cut or not self.powered:
            return 0.0, 0.0
        return self.wire.high_v, self.wire.duty

    def _work_out(self) -> Wire:
        if not self.powered:
            return Wire(0.0, 0.0, 0.0, "E")
        load = None if self.cut else self.load
        duty = self.generated()
        shift = self.offset_v + self.spike_v
        high, low = (level(rail_v, load, self.short_ohm) + shift for rail_v in self.rails_v)
        if duty >= 1.0:
            low = high
        elif duty <= 0.0:
            high = low
        return Wire(high, low, duty, word(high, 0.0 < duty < 1.0))
