"""Volts, amperes and the energy register of one EVSE's power path. Must not know why the contacts are closed or the car draws.

Currents are constant between two changes, so the register is exact whenever it is read.
"""

from __future__ import annotations

from math import inf

from sim.plant.timeline import Timeline

NOMINAL_V = 230.0
FREQUENCY_HZ = 50.0
Triple = tuple[float, float, float]
NONE: Triple = (0.0, 0.0, 0.0)


class Power:
    """phases: how many are wired, 1 or 3. mains: whether the supply is there."""

    def __init__(self, timeline: Timeline, phases: int) -> None:
        self._timeline = timeline
        self._phases = phases
        self._since = timeline.now
        self._energy_wh = 0.0
        self.mains = False
        self.contacts = (False, False, False)
        self.forced_v: dict[int, float] = {}
        self.current_a: Triple = NONE

    def mains_v(self) -> Triple:
        """Volts before the contactor."""
        wired = self._phases if self.mains else 0
        one, two, three = (self.forced_v.get(phase, NOMINAL_V) if phase <= wired else 0.0 for phase in (1, 2, 3))
        return one, two, three

    def outlet_v(self) -> Triple:
        """Volts after the contactor."""
        one, two, three = (volts if closed else 0.0 for volts, closed in zip(self.mains_v(), self.contacts, strict=True))
        return one, two, three

    def phase_w(self) -> Triple:
        one, two, three = (volts * amps for volts, amps in zip(self.outlet_v(), self.current_a, strict=True))
        return one, two, three

    def power_w(self) -> float:
        return sum(self.phase_w())

    def energy_wh(self) -> float:
        """The register, now."""
        return self._energy_wh + self.power_w() * (self._timeline.now - self._since) / 3600.0

    def book(self) -> float:
        """Takes the register up to now, before something about the power changes. Returns the Wh since the last booking."""
        energy_wh = self.energy_wh()
        taken_wh = energy_wh - self._energy_wh
        self._energy_wh, self._since = energy_wh, self._timeline.now
        return taken_wh

    def set_register(self, wh: float) -> None:
        self.book()
        self._energy_wh = wh

    def seconds_for(self, wh: float) -> float:
        """How long the present power takes for an amount of energy; inf without power."""
        watts = self.power_w()
        return wh * 3600.0 / watts if watts > 0.0 else inf
