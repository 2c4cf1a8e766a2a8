"""The ADS1115 driver on a chip that behaves as the data sheet says, spoken to with smbus2's own messages."""

from __future__ import annotations

import ctypes
import errno
import math
import types
from typing import Any

import pytest

from hal import spec
from hal.errors import BoardError, DeviceLost
from hal.i2c import Bus, open_smbus
from hal.pilot import Ads1115
from hal.ports import Channel

WIRING = spec.Adc(
    bus=10,
    high=spec.Linear(input=0, gain=8.0, offset_v=-13.2),
    low=spec.Linear(input=1, gain=8.0, offset_v=-13.2),
    proximity=spec.Divider(input=2, pull_up_ohm=1000.0, supply_v=3.3),
)
RESET = 0x8583
RANGES = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256)


class FakeAds1115:
    """Registers, pointer, single-shot conversions that end when told; one address on a bus of its own."""

    def __init__(self, address: int = 0x48) -> None:
        self.address = address
        self.inputs = [0.0, 0.0, 0.0, 0.0]
        self.config = RESET
        self.result = 0
        self.pointer = 0
        self.instant = True
        self.error: int | None = None
        self.transfers: list[int] = []
        self.closed = 0

    def i2c_rdwr(self, *messages: Any) -> None:
        self.transfers.append(len(messages))
        if self.error is not None:
            raise OSError(self.error, "bus")
        for message in messages:
            assert message.addr == self.address
            if message.flags & 1:
                word = self.config if self.pointer == 1 else self.result & 0xFFFF
                ctypes.memmove(message.buf, word.to_bytes(2, "big"), message.len)
            else:
                self._write(bytes(message))

    def _write(self, data: bytes) -> None:
        self.pointer = data[0]
        if len(data) == 3:
            self.config = int.from_bytes(data[1:], "big") & 0x7FFF
            if self.instant:
                self.convert()

    def convert(self) -> None:
        full_scale = RANGES[self.config >> 9 & 7]
        self.result = round(self.inputs[(self.config >> 12 & 7) - 4] / full_scale * 32768)
        self.config |= 0x8000

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def chip() -> FakeAds1115:
    return FakeAds1115()


@pytest.fixture
def adc(chip: FakeAds1115) -> Ads1115:
    return Ads1115(WIRING, Bus(10, lambda number: chip), "EVSE 1 pilot ADC")


def converted(adc: Ads1115, channel: Channel) -> float:
    adc.start(channel)
    return adc.finish()


@pytest.mark.parametrize("pilot_v", [12.0, 9.0, 6.0, 3.0, 0.0, -12.0])
@pytest.mark.parametrize(("channel", "number"), [(Channel.HIGH, 0), (Channel.LOW, 1)])
def test_volts_on_the_pilot(adc: Ads1115, chip: FakeAds1115, channel: Channel, number: int, pilot_v: float) -> None:
    chip.inputs[number] = (pilot_v + 13.2) / 8.0
    assert converted(adc, channel) == pytest.approx(pilot_v, abs=0.001)


@pytest.mark.parametrize("ohm", [100.0, 220.0, 680.0, 1500.0, 4700.0])
def test_proximity_ohms(adc: Ads1115, chip: FakeAds1115, ohm: float) -> None:
    chip.inputs[2] = 3.3 * ohm / (ohm + 1000.0)
    assert converted(adc, Channel.PROXIMITY) == pytest.approx(ohm, rel=0.01)


def test_no_plug_is_infinite_and_a_short_is_zero(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.inputs[2] = 3.3005
    assert converted(adc, Channel.PROXIMITY) == math.inf
    chip.inputs[2] = -0.001
    assert converted(adc, Channel.PROXIMITY) == 0.0


def test_one_transfer_per_act(adc: Ads1115, chip: FakeAds1115) -> None:
    converted(adc, Channel.HIGH)
    assert chip.transfers == [1, 4]


def test_the_config_word_is_the_data_sheets(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.instant = False
    adc.start(Channel.HIGH)
    assert chip.config == 0xC3E3 & 0x7FFF


def test_a_conversion_that_is_not_done_is_lost(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.instant = False
    adc.start(Channel.HIGH)
    with pytest.raises(DeviceLost, match="not done"):
        adc.finish()


def test_a_conversion_started_over_one_that_was_not_done_is_not_believed(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.instant = False
    adc.start(Channel.HIGH)
    with pytest.raises(DeviceLost, match="not done"):
        adc.finish()
    chip.instant = True
    adc.start(Channel.LOW)
    with pytest.raises(DeviceLost, match="started over"):
        adc.finish()
    adc.start(Channel.LOW)
    adc.finish()


@pytest.mark.parametrize("bit", [5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
def test_each_bit_of_input_gain_mode_and_rate_is_checked(adc: Ads1115, chip: FakeAds1115, bit: int) -> None:
    adc.start(Channel.HIGH)
    chip.config ^= 1 << bit
    with pytest.raises(DeviceLost, match="reads back"):
        adc.finish()


def test_a_chip_that_was_reset_is_found_out(adc: Ads1115, chip: FakeAds1115) -> None:
    adc.start(Channel.LOW)
    chip.config = RESET
    with pytest.raises(DeviceLost, match="0x8583"):
        adc.finish()


def test_nothing_is_finished_twice(adc: Ads1115, chip: FakeAds1115) -> None:
    converted(adc, Channel.HIGH)
    with pytest.raises(DeviceLost, match="no conversion was started"):
        adc.finish()


@pytest.mark.parametrize(("number", "closes"), [(errno.EREMOTEIO, 0), (errno.ETIMEDOUT, 0), (errno.ENODEV, 1)])
def test_a_bus_error_is_a_loss_and_the_next_call_recovers(adc: Ads1115, chip: FakeAds1115, number: int, closes: int) -> None:
    adc.start(Channel.HIGH)
    chip.error = number
    with pytest.raises(DeviceLost, match="I2C bus 10"):
        adc.finish()
    assert chip.closed == closes
    chip.error = None
    assert converted(adc, Channel.HIGH) == pytest.approx(-13.2)


def test_a_failed_start_starts_nothing(adc: Ads1115, chip: FakeAds1115) -> None:
    adc.start(Channel.HIGH)
    chip.error = errno.ETIMEDOUT
    with pytest.raises(DeviceLost):
        adc.start(Channel.LOW)
    chip.error = None
    with pytest.raises(DeviceLost, match="no conversion was started"):
        adc.finish()


def test_a_bus_that_cannot_be_opened_is_a_loss() -> None:
    def opener(number: int) -> FakeAds1115:
        raise FileNotFoundError(errno.ENOENT, "no such file", f"/dev/i2c-{number}")

    with pytest.raises(DeviceLost, match="/dev/i2c-10"):
        Ads1115(WIRING, Bus(10, opener), "EVSE 1 pilot ADC").start(Channel.HIGH)


def test_a_range_the_chip_has_not_is_refused() -> None:
    wiring = spec.Adc(bus=1, full_scale_v=5.0, high=WIRING.high, low=WIRING.low)
    with pytest.raises(BoardError, match="no range of 5"):
        Ads1115(wiring, Bus(1, lambda number: FakeAds1115()), "ADC")


def test_a_real_bus_is_held_for_20_ms_and_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """ioctl I2C_TIMEOUT counts in 10 ms, I2C_RETRIES in tries (linux/i2c-dev.h)."""
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr("hal.i2c.SMBus", lambda number: types.SimpleNamespace(fd=100 + number))
    monkeypatch.setattr("fcntl.ioctl", lambda fd, request, value: asked.append((fd, request, value)))
    open_smbus(3)
    assert asked == [(103, 0x0702, 2), (103, 0x0701, 0)]


def test_a_chip_that_answers_the_same_for_every_input_is_lost(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.inputs = [2.4, 2.4, 2.4, 0.0]
    for channel in [Channel.HIGH, Channel.LOW] * 5 + [Channel.PROXIMITY]:
        converted(adc, channel)
    for channel in (Channel.HIGH, Channel.PROXIMITY):
        with pytest.raises(DeviceLost, match="every input"):
            converted(adc, channel)
    chip.inputs[1] = 2.5
    assert converted(adc, Channel.LOW) == pytest.approx(6.8, abs=0.01)
    assert converted(adc, Channel.HIGH) == pytest.approx(6.0, abs=0.01)


def test_one_input_may_stand_still(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.inputs[0] = 2.4
    assert [converted(adc, Channel.HIGH) for _ in range(50)] == [pytest.approx(6.0, abs=0.01)] * 50


def test_inputs_at_the_end_of_the_range_are_not_frozen(adc: Ads1115, chip: FakeAds1115) -> None:
    chip.inputs = [4.0958749] * 4
    for _ in range(10):
        converted(adc, Channel.HIGH)
        converted(adc, Channel.LOW)
