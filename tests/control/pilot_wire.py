"""A wire whose pilot is the simulator's: the generator behind its 1 kOhm, the car's resistors and diode, peak detectors, the ADC's moment, noise."""

from __future__ import annotations

from random import Random

from hal.ports import Channel
from sim.plant.pilot import Load, Pilot, car_ohm
from sim.plant.timeline import Timeline
from tests.control.fakes import StillClock, Wire

RISE_S, FALL_S = 0.001, 0.04
NOISE_V = 0.03
SAMPLED_S = 0.0006
"""From the start of a conversion to its middle."""
LOADS = {12.0: None, 9.0: Load(car_ohm(False, False), True), 6.0: Load(car_ohm(True, False), True), 3.0: Load(car_ohm(True, True), True)}


class PilotWire(Wire):
    """`car_v` takes the nominal levels 12, 9, 6 and 3 V; what else happens to the pilot is done to `pilot` and told by `settle`."""

    def __init__(self, clock: StillClock) -> None:
        self.timeline = Timeline(clock.now)
        self.pilot = Pilot(self.timeline, RISE_S, FALL_S)
        self.pilot.powered = True
        self._random = Random(1)
        self._volts = 0.0
        super().__init__(clock)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "car_v":
            self.pilot.load = LOADS[float(value)]  # type: ignore[arg-type]  # a level
            self.settle()

    def settle(self) -> None:
        self.timeline.advance(self.clock.now)
        self.pilot.settle()

    def for_a_while(self, after_s: float, lasts_s: float, **values: object) -> None:
        """The pilot's attributes are so for a while, then as they were."""
        former = {name: getattr(self.pilot, name) for name in values}
        self.timeline.at(self.clock.now + after_s, lambda: self._put(values))
        self.timeline.at(self.clock.now + after_s + lasts_s, lambda: self._put(former))

    def _put(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            setattr(self.pilot, name, value)
        self.pilot.settle()

    def set_duty(self, fraction: float) -> None:
        super().set_duty(fraction)
        self.timeline.advance(self.clock.now)
        self.pilot.duty = fraction
        self.pilot.settle()

    def start(self, channel: Channel) -> None:
        super().start(channel)
        self.timeline.at(self.clock.now + SAMPLED_S, lambda: self._sample(channel))

    def finish(self) -> float:
        proximity = self._converting is Channel.PROXIMITY
        value = super().finish()
        self.timeline.advance(self.clock.now)
        return value if proximity else self._volts

    def _sample(self, channel: Channel) -> None:
        detector = self.pilot.high if channel is Channel.HIGH else self.pilot.low
        self._volts = detector.volts(self.timeline.now) + self._random.gauss(0.0, NOISE_V)
