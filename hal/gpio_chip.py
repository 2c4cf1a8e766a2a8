"""The GPIO character device of a Raspberry Pi, and lgpio's working directory. Must not know lines or libraries."""

from __future__ import annotations

import os

from hal.errors import BoardError


def gpio_chip() -> int:
    """The chip of the header's lines: 4 on a Pi 5 with an older kernel, else 0."""
    return 4 if os.path.exists("/dev/gpiochip4") else 0


def choose_lgpio_directory() -> None:
    """lgpio leaves a FIFO in its working directory: not in ours."""
    os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY", "/tmp").split(":")[0])


def require_pins() -> None:
    """Raises BoardError when this machine has no GPIO character device."""
    if not os.path.exists(f"/dev/gpiochip{gpio_chip()}"):
        raise BoardError("GPIO: /dev/gpiochip0 is missing; the board file names lgpio, which needs it")
