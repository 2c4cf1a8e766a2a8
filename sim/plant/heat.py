"""Heat inside the housing, and the LM75 that reads it. Must not know what the firmware does about it."""

from __future__ import annotations

from math import exp

from sim.plant.timeline import Timeline

AMBIENT_C = 25.0
IDLE_RISE_K = 4.0
RISE_AT_63_A_K = 35.0
TAU_S = 600.0
TEMPERATURE, CONFIGURATION, HYSTERESIS, SHUTDOWN = range(4)


class Heat:
    """One time constant towards what the current heats."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._start = self._target = AMBIENT_C + IDLE_RISE_K
        self._since = timeline.now
        self.forced_c: float | None = None
        self.jump_k = 0.0

    def load(self, current_a: float) -> None:
        """The current that heats, from now on."""
        self._start, self._since = self._true_c(), self._timeline.now
        self._target = AMBIENT_C + IDLE_RISE_K + RISE_AT_63_A_K * (current_a / 63.0) ** 2

    def inside_c(self) -> float:
        """Degrees Celsius at the sensor, faults included."""
        base = self._true_c() if self.forced_c is None else self.forced_c
        return base + self.jump_k

    def _true_c(self) -> float:
        return self._target + (self._start - self._target) * exp(-(self._timeline.now - self._since) / TAU_S)


class Lm75:
    """The sensor's registers: 9 bits of half degrees, left-justified (data sheet, table 5)."""

    def __init__(self, heat: Heat) -> None:
        self._heat = heat
        self.lost = False
        self._pointer = 0
        self._configuration = 0

    def write(self, data: bytes) -> bool:
        """One write transfer. Returns whether it is acknowledged."""
        if self.lost:
            return False
        if data:
            self._pointer = data[0] & 3
        if len(data) > 1 and self._pointer == CONFIGURATION:
            self._configuration = data[1]
        return True

    def read(self, length: int) -> bytes | None:
        """One read transfer; None: not acknowledged."""
        if self.lost:
            return None
        if self._pointer == CONFIGURATION:
            return bytes([self._configuration]).ljust(length, b"\xff")[:length]
        celsius = {HYSTERESIS: 75.0, SHUTDOWN: 80.0}.get(self._pointer, self._heat.inside_c())
        halves = round(max(-128.0, min(127.5, celsius)) * 2)
        return (halves << 7 & 0xFF80).to_bytes(2, "big").ljust(length, b"\xff")[:length]
