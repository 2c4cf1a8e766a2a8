"""An ADS1115 on its I2C bus: registers, single conversions and the time they take. Must not know what its inputs mean.

Register map of the data sheet: 0 conversion, 1 configuration, 2 and 3 the comparator's thresholds, 16 bit each, high byte first.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.plant.timeline import Timeline

RESET_CONFIG = 0x8583
OS = 0x8000
CONTINUOUS_OFF = 0x0100
FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
RATES_SPS = (8, 16, 32, 64, 128, 250, 475, 860)
SUPPLY_V = 3.3
WAKE_S = 25e-6

Input = Callable[[float], float]
"""Volts at an input at the moment."""


class Ads1115:
    """inputs: AIN0 to AIN3. base_s: how long a conversion at 860 SPS takes; each lasts up to 10 % more or less."""

    def __init__(self, timeline: Timeline, inputs: tuple[Input, Input, Input, Input], base_s: float, random: Random) -> None:
        self._timeline = timeline
        self._inputs = inputs
        self._base_s = base_s
        self._random = random
        self.frozen = False
        self.lost = False
        self._run = 0
        self.reset()

    def reset(self) -> None:
        """The registers as after power-up; a running conversion is lost."""
        self._pointer = 0
        self._registers = [0, RESET_CONFIG & ~OS, 0x8000, 0x7FFF]
        self._done_at = 0.0
        self._run += 1
        self._result: int | None = None

    def write(self, data: bytes) -> bool:
        """One write transfer. Returns whether it is acknowledged."""
        if self.lost or not data:
            return not self.lost
        self._pointer = data[0] & 3
        if len(data) >= 3 and self._pointer:
            self._store(self._pointer, data[1] << 8 | data[2])
        return True

    def read(self, length: int) -> bytes | None:
        """One read transfer, from the register last pointed to; None: not acknowledged."""
        if self.lost:
            return None
        self._take()
        value = self._registers[self._pointer]
        if self._pointer == 1:
            value = self._configuration()
        elif self._pointer == 0 and not self._registers[1] & CONTINUOUS_OFF and not self.frozen:
            value = self._code(self._timeline.now)
        return (value & 0xFFFF).to_bytes(2, "big")[:length].ljust(length, b"\xff")

    def _configuration(self) -> int:
        idle = self._timeline.now >= self._done_at and self._registers[1] & CONTINUOUS_OFF
        return self._registers[1] | (OS if idle else 0)

    def _store(self, register: int, value: int) -> None:
        start = register == 1 and value & OS and value & CONTINUOUS_OFF
        self._registers[register] = value & ~OS if register == 1 else value
        if start and self._timeline.now >= self._done_at:
            self._start()

    def _start(self) -> None:
        """The result is the mean of the input over the conversion, taken at its middle and shown at its end."""
        rate = RATES_SPS[self._registers[1] >> 5 & 7]
        lasts = (self._base_s * 860 / rate) * self._random.uniform(0.9, 1.1)
        begins = self._timeline.now + WAKE_S
        self._take()
        self._done_at = begins + lasts
        self._run += 1
        run = self._run
        self._timeline.at(begins + lasts / 2, lambda: self._integrate(run), wakes=False)

    def _integrate(self, run: int) -> None:
        if run == self._run and not self.frozen:
            self._result = self._code(self._timeline.now)

    def _take(self) -> None:
        """A result that is ready goes to the register."""
        if self._result is not None and self._timeline.now >= self._done_at:
            self._registers[0], self._result = self._result, None

    def _code(self, now: float) -> int:
        config = self._registers[1]
        mux = config >> 12 & 7
        if mux >= 4:
            volts = self._at(mux - 4, now)
        else:
            plus, minus = ((0, 1), (0, 3), (1, 3), (2, 3))[mux]
            volts = self._at(plus, now) - self._at(minus, now)
        return max(-32768, min(32767, round(volts / FULL_SCALE_V[config >> 9 & 7] * 32768)))

    def _at(self, channel: int, now: float) -> float:
        return max(-0.3, min(SUPPLY_V + 0.3, self._inputs[channel](now)))
