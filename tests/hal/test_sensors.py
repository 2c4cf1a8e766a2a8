"""Temperature sensors: words of their data sheets, losses, and the interval that lets a conversion finish."""

from __future__ import annotations

import ctypes
import errno
from typing import Any

import pytest

from hal.errors import DeviceLost
from hal.i2c import Bus
from hal.sensors import KINDS, Thermometer


class FakeSensor:
    """A chip with one register that matters."""

    def __init__(self, address: int, register: int) -> None:
        self.address, self.register = address, register
        self.word = 0
        self.error: int | None = None
        self.reads = 0

    def i2c_rdwr(self, *messages: Any) -> None:
        if self.error is not None:
            raise OSError(self.error, "bus")
        write, read = messages
        assert (write.addr, read.addr, bytes(write)) == (self.address, self.address, bytes((self.register,)))
        self.reads += 1
        ctypes.memmove(read.buf, self.word.to_bytes(2, "big"), 2)

    def close(self) -> None:
        pass


def sensor(kind: str, clock: Any) -> tuple[FakeSensor, Thermometer]:
    chip = FakeSensor(0x49, KINDS[kind].register)
    return chip, Thermometer(KINDS[kind], 0x49, Bus(1, lambda number: chip), "EVSE 1 thermometer", clock)


@pytest.mark.parametrize(
    ("kind", "word", "celsius"),
    [
        ("lm75", 0x1900, 25.0),
        ("lm75", 0x1980, 25.5),
        ("lm75", 0xE700, -25.0),
        ("lm75", 0x4B00, 75.0),
        ("tmp102", 0x1900, 25.0),
        ("tmp102", 0x1910, 25.0625),
        ("tmp102", 0xE700, -25.0),
        ("mcp9808", 0xC190, 25.0),
        ("mcp9808", 0x0194, 25.25),
        ("mcp9808", 0x1E70, -25.0),
    ],
)
def test_a_word_is_a_temperature(kind: str, word: int, celsius: float, clock: Any) -> None:
    chip, thermometer = sensor(kind, clock)
    chip.word = word
    assert thermometer.read_c() == celsius


def test_a_conversion_is_left_its_time(clock: Any) -> None:
    chip, thermometer = sensor("lm75", clock)
    chip.word = 0x1900
    for _ in range(5):
        assert thermometer.read_c() == 25.0
        clock.pass_s(0.1)
    assert chip.reads == 1
    clock.pass_s(0.1)
    thermometer.read_c()
    assert chip.reads == 2


def test_a_loss_and_a_recovery(clock: Any) -> None:
    chip, thermometer = sensor("lm75", clock)
    chip.word, chip.error = 0x1900, errno.EREMOTEIO
    with pytest.raises(DeviceLost, match="EVSE 1 thermometer"):
        thermometer.read_c()
    chip.error = None
    assert thermometer.read_c() == 25.0


def test_what_no_sensor_measures_is_a_loss(clock: Any) -> None:
    chip, thermometer = sensor("lm75", clock)
    chip.word = 0x8000
    with pytest.raises(DeviceLost, match="cannot measure"):
        thermometer.read_c()
