"""The 1 kHz pilot generator on a kernel PWM channel, through sysfs. Must not know amperes or states.

Software PWM is useless for a pilot (1 us of jitter is 0.06 A), so there is no other driver.
"""

from __future__ import annotations

import os
import select

from hal.backend import PwmChip
from hal.errors import BoardError, DeviceLost
from hal.ports import Now

PERIOD_NS = 1_000_000
"""1 kHz, IEC 61851-1 Table A.2."""
CLASS = "/sys/class/pwm"
EXPORT_PATIENCE_S = 0.5
"""udev gives the group its rights a moment after the export."""


class SysfsChip:
    """A chip under /sys/class/pwm, found by the name of its device (the number changes between kernels). Descriptors stay open."""

    def __init__(self, name: str, root: str = CLASS) -> None:
        self._path = find_chip(name, root)
        self._open: dict[tuple[str, int], int] = {}

    def write(self, attribute: str, text: str) -> None:
        """One write from the file's start. Raises OSError."""
        os.pwrite(self._descriptor(attribute, os.O_WRONLY), f"{text}\n".encode(), 0)

    def read(self, attribute: str) -> str:
        """The first word of the file. Raises OSError."""
        text = os.pread(self._descriptor(attribute, os.O_RDONLY), 64, 0)
        return text.split(maxsplit=1)[0].decode() if text.strip() else ""

    def close(self) -> None:
        """Closes the descriptors; the PWM goes on."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _descriptor(self, attribute: str, mode: int) -> int:
        descriptor = self._open.get((attribute, mode))
        if descriptor is None:
            descriptor = os.open(os.path.join(self._path, attribute), mode | os.O_CLOEXEC)
            self._open[attribute, mode] = descriptor
        return descriptor


def find_chip(name: str, root: str = CLASS) -> str:
    """The directory of the chip whose device has the name. Raises BoardError."""
    chips = sorted(entry for entry in _listed(root) if entry.startswith("pwmchip"))
    devices = {os.path.basename(os.path.realpath(os.path.join(root, chip, "device"))): chip for chip in chips}
    if name not in devices:
        raise BoardError(f"PWM {name}: no such chip under {root} (there: {', '.join(devices) or 'none'}); is the pwm overlay loaded?")
    return os.path.join(root, devices[name])


def _listed(root: str) -> list[str]:
    return os.listdir(root) if os.path.isdir(root) else []


class KernelPwm:
    """One channel as a pilot generator. Opening it leads to X1: steady +12 V, duty == period, enabled."""

    def __init__(self, chip: PwmChip, channel: int, device: str, now: Now) -> None:
        self._chip = chip
        self._channel = channel
        self._device = device
        self._now = now
        self._period = f"pwm{channel}/period"
        self._duty = f"pwm{channel}/duty_cycle"
        self._enable = f"pwm{channel}/enable"
        self._ready = False
        self.set_duty(1.0)

    def set_duty(self, fraction: float) -> None:
        """Writes the duty, 0.0 to 1.0, with the PWM enabled. Raises DeviceLost; ValueError outside the range."""
        if not 0.0 <= fraction <= 1.0:
            raise ValueError(f"{self._device}: duty {fraction} is not between 0 and 1")
        try:
            if not self._ready:
                prepare(self._chip, self._channel, self._now)
            self._chip.write(self._duty, str(round(fraction * PERIOD_NS)))
            if not self._ready:
                self._chip.write(self._enable, "1")
                self._ready = True
        except OSError as error:
            raise self._lost(f"cannot be written: {error}") from error

    def duty(self) -> float:
        """The generator's duty, 0.0 to 1.0: duty_cycle / period, and only while it is enabled. Raises DeviceLost."""
        try:
            enabled = self._chip.read(self._enable)
            period = int(self._chip.read(self._period))
            duty = int(self._chip.read(self._duty))
        except (OSError, ValueError) as error:
            raise self._lost(f"cannot be read: {error}") from error
        if enabled != "1" or period != PERIOD_NS:
            raise self._lost(f"was changed by somebody else: enable {enabled}, period {period} ns")
        return duty / period

    def _lost(self, what: str) -> DeviceLost:
        self._ready = False
        return DeviceLost(self._device, what)


def prepare(chip: PwmChip, channel: int, now: Now) -> None:
    """Exports the channel and sets polarity and period, the duty never above the period meanwhile. Raises OSError."""
    until = now() + EXPORT_PATIENCE_S
    _export(chip, channel)
    while True:
        try:
            _shape(chip, f"pwm{channel}")
            return
        except (PermissionError, FileNotFoundError):
            if now() >= until:
                raise
            select.select([], [], [], 0.01)


def to_x1(chip: PwmChip, channel: int, now: Now) -> None:
    """Steady +12 V, whatever was before. Raises OSError."""
    prepare(chip, channel, now)
    chip.write(f"pwm{channel}/duty_cycle", str(PERIOD_NS))
    chip.write(f"pwm{channel}/enable", "1")


def _export(chip: PwmChip, channel: int) -> None:
    try:
        chip.read(f"pwm{channel}/enable")
    except FileNotFoundError:
        chip.write("export", str(channel))


def _shape(chip: PwmChip, name: str) -> None:
    if chip.read(f"{name}/polarity") != "normal":
        chip.write(f"{name}/enable", "0")  # the kernel changes the polarity of a resting channel only
        chip.write(f"{name}/polarity", "normal")
    period = int(chip.read(f"{name}/period"))
    if period == PERIOD_NS:
        return
    if int(chip.read(f"{name}/duty_cycle")) > PERIOD_NS:
        chip.write(f"{name}/duty_cycle", str(PERIOD_NS))
    chip.write(f"{name}/period", str(PERIOD_NS))
