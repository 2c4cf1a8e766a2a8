"""Temperature sensors on I2C: LM75, TMP102, MCP9808. Must not know what a temperature means for charging.

Slow: read by a thread of control, never inside a turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hal.errors import DeviceLost
from hal.i2c import Bus, read_message, write_message
from hal.ports import Now

SHORTEST_INTERVAL_S = 0.5
"""Reading an LM75 aborts its conversion of 300 ms: polled faster it never finishes one."""
COLDEST_C, HOTTEST_C = -55.0, 150.0
"""What these chips can measure; anything else is a broken line."""


class Kind(NamedTuple):
    """A chip: the register of its temperature and how its word reads in degrees Celsius."""

    register: int
    celsius: Callable[[int], float]


def signed(word: int, bits: int) -> int:
    """Two's complement of so many bits."""
    return word - (1 << bits) if word & 1 << (bits - 1) else word


KINDS = {
    "lm75": Kind(0, lambda word: signed(word >> 7, 9) * 0.5),
    "tmp102": Kind(0, lambda word: signed(word >> 4, 12) * 0.0625),
    "mcp9808": Kind(5, lambda word: signed(word & 0x1FFF, 13) * 0.0625),
}


class Thermometer:
    """One sensor. Polled faster than its conversion, it answers what it said last."""

    def __init__(self, kind: Kind, address: int, bus: Bus, device: str, now: Now) -> None:
        self._kind = kind
        self._bus = bus
        self._device = device
        self._now = now
        self._answer = read_message(address, 2)
        self._messages = (write_message(address, bytes((kind.register,))), self._answer)
        self._last: tuple[float, float] | None = None

    def read_c(self) -> float:
        """Degrees Celsius. Raises DeviceLost."""
        now = self._now()
        if self._last is not None and now - self._last[0] < SHORTEST_INTERVAL_S:
            return self._last[1]
        self._last = None
        self._bus.transfer(self._device, *self._messages)
        value = self._kind.celsius(int.from_bytes(bytes(self._answer), "big"))
        if not COLDEST_C <= value <= HOTTEST_C:
            raise DeviceLost(self._device, f"reads {value} degrees Celsius, which the sensor cannot measure")
        self._last = (now, value)
        return value
