"""What stands where the hardware stands: `hal.hardware`, or the module a board file names. Must not know drivers.

A backend is a module with the functions of `Backend`; the drivers above it are the same for all.
"""

from __future__ import annotations

from typing import Any, Protocol


class I2cBus(Protocol):
    """smbus2's part that the drivers use. Raises OSError as smbus2 does."""

    def i2c_rdwr(self, *i2c_msgs: Any) -> None:
        """One combined transfer of smbus2 i2c_msg objects."""

    def close(self) -> None: ...


class PwmChip(Protocol):
    """A PWM chip by its sysfs files: "export", "pwm0/period", "pwm0/duty_cycle" (nanoseconds), "pwm0/polarity", "pwm0/enable".
    Raises OSError as the kernel does."""

    def write(self, attribute: str, text: str) -> None: ...

    def read(self, attribute: str) -> str: ...


class Backend(Protocol):
    """The functions of a backend module."""

    def pin_factory(self) -> Any:
        """A gpiozero pin factory. Raises BoardError."""

    def i2c_bus(self, number: int) -> I2cBus:
        """Opens a bus. Raises OSError."""

    def pwm_chip(self, name: str) -> PwmChip:
        """The chip whose device has this name. Raises BoardError when there is none."""

    def resolve(self, port: str) -> str:
        """The path or host behind a port as the board file writes it. Raises OSError when it is not there now."""

    def set_output(self, pin: int, level: bool) -> None:
        """Drives a line, whoever drove it before; for safe outputs. Raises OSError."""
