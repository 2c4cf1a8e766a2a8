"""The real machine's backend, as far as it can be seen without one: what is asked of lgpio, and what its errors become."""

from __future__ import annotations

import os
import sys
import types

import pytest

from hal import gpio, hardware
from hal.errors import BoardError


class LgpioError(Exception):
    pass


@pytest.fixture
def claimed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """lgpio with one chip; line 5 is held by another process."""
    seen: list[tuple[int, int, int]] = []

    def claim(handle: int, pin: int, level: int) -> int:
        if pin == 5:
            raise LgpioError("GPIO busy")
        seen.append((handle, pin, level))
        return 0

    module = types.SimpleNamespace(gpiochip_open=lambda chip: 70 + chip, gpio_claim_output=claim, error=LgpioError)
    monkeypatch.setitem(sys.modules, "lgpio", module)
    monkeypatch.setattr("os.path.exists", lambda path: path == "/dev/gpiochip0")
    monkeypatch.setenv("LG_WD", "")  # so that it is put back
    monkeypatch.delenv("LG_WD")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/chargepoint:/run/other")
    return seen


def test_a_safe_output_is_claimed_with_its_level(claimed: list[tuple[int, int, int]]) -> None:
    hardware.set_output(17, False)
    hardware.set_output(22, True)
    assert claimed == [(70, 17, 0), (70, 22, 1)]


def test_a_line_held_by_a_living_process_is_said(claimed: list[tuple[int, int, int]]) -> None:
    with pytest.raises(OSError, match="GPIO 5: GPIO busy"):
        hardware.set_output(5, False)


def test_lgpio_leaves_its_fifo_in_the_runtime_directory(claimed: list[tuple[int, int, int]]) -> None:
    hardware.set_output(17, False)
    assert os.environ["LG_WD"] == "/run/chargepoint"


def test_an_lgpio_error_of_a_line_is_a_loss(claimed: list[tuple[int, int, int]]) -> None:
    assert LgpioError in gpio.line_errors()


def test_a_port_is_its_own_name() -> None:
    assert hardware.resolve("/dev/serial0") == "/dev/serial0"


def test_a_missing_pwm_chip_is_told() -> None:
    with pytest.raises(BoardError, match="is the pwm overlay loaded"):
        hardware.pwm_chip("fe20c000.pwm")
