"""The pilot's ADC: an ADS1115 alone on its bus, one single-shot conversion at a time. Must not know states or cables.

Register layout and timing: TI data sheet SBAS444, 9.6 and 9.4.
"""

from __future__ import annotations

import math

from hal import spec
from hal.errors import BoardError, DeviceLost
from hal.i2c import Bus, read_message, write_message
from hal.ports import Channel

CONVERSION, CONFIG = b"\x00", b"\x01"
START = 0x8000
DONE = 0x8000
SINGLE_SHOT = 0x0100
COMPARATOR_OFF = 0x0003
CHECKED = 0x7FFF
"""Every bit of the config register but OS must read back as written."""
GAINS = {6.144: 0, 4.096: 1, 2.048: 2, 1.024: 3, 0.512: 4, 0.256: 5}
RATES = {8: 0, 16: 1, 32: 2, 64: 3, 128: 4, 250: 5, 475: 6, 860: 7}
COUNTS = 32768
FROZEN_AFTER = 12
"""So many conversions in a row with one and the same code, of more than one input, are no conversions: the inputs have dividers of their own."""


class Ads1115:
    """Pilot peaks and proximity of one EVSE."""

    def __init__(self, wiring: spec.Adc, bus: Bus, device: str) -> None:
        if wiring.full_scale_v not in GAINS or wiring.rate_sps not in RATES:
            raise BoardError(f"{device}: an ADS1115 has no range of {wiring.full_scale_v} V or no rate of {wiring.rate_sps} SPS")
        self._bus = bus
        self._device = device
        self._wiring = wiring
        self._volt = wiring.full_scale_v / COUNTS
        self._configs = {channel: config_word(wiring, number) for channel, number in inputs(wiring).items()}
        self._starts = {channel: write_message(wiring.address, CONFIG + word.to_bytes(2, "big")) for channel, word in self._configs.items()}
        self._config = read_message(wiring.address, 2)
        self._result = read_message(wiring.address, 2)
        self._finish = (write_message(wiring.address, CONFIG), self._config, write_message(wiring.address, CONVERSION), self._result)
        self._converting: Channel | None = None
        self._busy = False
        self._overlapped = False
        self._code = 0
        self._same = 0
        self._inputs_seen: set[Channel] = set()

    def start(self, channel: Channel) -> None:
        """Starts a single conversion: one transfer. Raises DeviceLost, KeyError for a channel that is not wired."""
        self._converting = None
        self._overlapped, self._busy = self._busy, False
        self._bus.transfer(self._device, self._starts[channel])
        self._converting = channel

    def finish(self) -> float:
        """The conversion last started: volts on the pilot, or ohms; config and result in one transfer. Raises DeviceLost, also for a conversion
        started right after one that was not done: the chip may have ignored the start (9.6.3, OS) and show the former input's value; and for a
        chip that answers the same whatever it is asked."""
        channel, self._converting = self._converting, None
        if channel is None:
            raise DeviceLost(self._device, "no conversion was started")
        self._bus.transfer(self._device, *self._finish)
        config = int.from_bytes(bytes(self._config), "big")
        if (config ^ self._configs[channel]) & CHECKED:
            raise DeviceLost(self._device, f"config reads back {config:#06x}, written was {self._configs[channel]:#06x} ({channel})")
        if not config & DONE:
            self._busy = True
            raise DeviceLost(self._device, f"the conversion ({channel}) is not done in time")
        if self._overlapped:
            raise DeviceLost(self._device, f"the conversion ({channel}) was started over one that was not done")
        code = int.from_bytes(bytes(self._result), "big", signed=True)
        if self._frozen(channel, code):
            raise DeviceLost(self._device, f"every input reads {code} all the time")
        return self._scaled(channel, code * self._volt)

    def _frozen(self, channel: Channel, code: int) -> bool:
        """Whether the code has stood still over inputs for too long; at the end of the range it says nothing."""
        if code != self._code or code >= COUNTS - 1:
            self._code, self._same = code, 0
            self._inputs_seen.clear()
        self._same += 1
        self._inputs_seen.add(channel)
        return self._same >= FROZEN_AFTER and len(self._inputs_seen) > 1

    def _scaled(self, channel: Channel, volts: float) -> float:
        if channel is Channel.PROXIMITY:
            assert self._wiring.proximity is not None  # inputs() wires the channel only then
            return ohms(self._wiring.proximity, volts)
        line = self._wiring.high if channel is Channel.HIGH else self._wiring.low
        return volts * line.gain + line.offset_v


def inputs(wiring: spec.Adc) -> dict[Channel, int]:
    """The ADC's input of each wired channel."""
    wired = {Channel.HIGH: wiring.high.input, Channel.LOW: wiring.low.input}
    if wiring.proximity is not None:
        wired[Channel.PROXIMITY] = wiring.proximity.input
    return wired


def config_word(wiring: spec.Adc, number: int) -> int:
    """The config register that starts a single-ended, single-shot conversion of the input."""
    return START | (4 + number) << 12 | GAINS[wiring.full_scale_v] << 9 | SINGLE_SHOT | RATES[wiring.rate_sps] << 5 | COMPARATOR_OFF


def ohms(divider: spec.Divider, volts: float) -> float:
    """The resistance from the proximity contact to PE; inf: open."""
    if volts >= divider.supply_v:
        return math.inf
    return max(0.0, volts) * divider.pull_up_ohm / (divider.supply_v - volts)
