"""The real hardware of this machine, as a backend. Must not know what the lines are wired to.

Imports nothing heavy by itself: safe outputs load it after control has died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hal.gpio_chip import choose_lgpio_directory, gpio_chip
from hal.pwm import SysfsChip

if TYPE_CHECKING:
    from hal.backend import I2cBus, PwmChip


def pin_factory() -> Any:
    """The lgpio factory of gpiozero and no other, whatever GPIOZERO_PIN_FACTORY says. Raises BoardError."""
    from hal.gpio import lgpio_factory

    return lgpio_factory()


def i2c_bus(number: int) -> I2cBus:
    """Raises OSError."""
    from hal.i2c import open_smbus

    return open_smbus(number)


def pwm_chip(name: str) -> PwmChip:
    """Raises BoardError."""
    return SysfsChip(name)


def resolve(port: str) -> str:
    """A real port is its own name."""
    return port


def set_output(pin: int, level: bool) -> None:
    """Claims the line with the level. Raises OSError, also when a living process holds the line."""
    choose_lgpio_directory()
    import lgpio

    try:
        handle = lgpio.gpiochip_open(gpio_chip())
        lgpio.gpio_claim_output(handle, pin, int(level))
    except lgpio.error as error:
        raise OSError(f"GPIO {pin}: {error}") from error
