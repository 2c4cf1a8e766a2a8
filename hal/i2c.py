"""I2C buses: the only place that knows smbus2. Must not know chips."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable
from typing import Any

from smbus2 import SMBus, i2c_msg

from hal.backend import I2cBus
from hal.errors import DeviceLost

I2C_RETRIES = 0x0701
I2C_TIMEOUT = 0x0702
TIMEOUT_10MS = 2
"""A held bus blocks the caller for so long, in units of 10 ms, instead of a second."""

BUS_LIVES = frozenset((errno.EREMOTEIO, errno.ENXIO, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EIO))
"""Errors of a transfer after which the adapter itself is still good."""


def open_smbus(number: int) -> I2cBus:
    """Opens /dev/i2c-N with a timeout of 20 ms and no retries. Raises OSError."""
    bus = SMBus(number)
    assert bus.fd is not None  # a bus opened by number has one
    fcntl.ioctl(bus.fd, I2C_TIMEOUT, TIMEOUT_10MS)
    fcntl.ioctl(bus.fd, I2C_RETRIES, 0)
    opened: I2cBus = bus
    return opened


class Bus:
    """A bus that opens itself at need. Used by one thread."""

    def __init__(self, number: int, opener: Callable[[int], I2cBus]) -> None:
        self.number = number
        self._opener = opener
        self._bus: I2cBus | None = None

    def transfer(self, device: str, *messages: Any) -> None:
        """One combined transfer. Raises DeviceLost; an adapter that went away is opened anew at the next call."""
        try:
            if self._bus is None:
                self._bus = self._opener(self.number)
            self._bus.i2c_rdwr(*messages)
        except OSError as error:
            if error.errno not in BUS_LIVES:
                self.close()
            raise DeviceLost(device, f"I2C bus {self.number}: {error}") from error

    def close(self) -> None:
        if self._bus is not None:
            self._bus.close()
            self._bus = None


def write_message(address: int, data: bytes) -> Any:
    """A write of a combined transfer."""
    return i2c_msg.write(address, data)


def read_message(address: int, length: int) -> Any:
    """A read of a combined transfer; bytes(message) holds the answer afterwards."""
    return i2c_msg.read(address, length)
