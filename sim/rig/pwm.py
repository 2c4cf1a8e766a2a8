"""A kernel PWM chip as its sysfs directory shows it: export, period, duty_cycle, enable, polarity. Must not know what hangs on a channel.

Rules of the kernel: times in ns; a duty above the period, or a period below the duty, is EINVAL; polarity only while disabled; a channel keeps
running when its process dies.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EBUSY, EINVAL, ENODEV, ENOENT

Act = Callable[[float], None]


class Channel:
    """One exported channel."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self.period = 0
        self.duty = 0
        self.enabled = False
        self.inversed = False

    def write(self, name: str, text: str) -> int:
        """Returns 0 or an errno."""
        if name == "polarity":
            return self._polarity(text)
        if name not in ("period", "duty_cycle", "enable"):
            return ENOENT
        if not text.isdigit():
            return EINVAL
        was = self.enabled
        error = {"period": self._period, "duty_cycle": self._duty, "enable": self._enable}[name](int(text))
        if not error and (was or self.enabled):
            self._act(self._level())
        return error

    def read(self, name: str) -> str | None:
        values = {
            "period": str(self.period),
            "duty_cycle": str(self.duty),
            "enable": str(int(self.enabled)),
            "polarity": "inversed" if self.inversed else "normal",
        }
        return values.get(name)

    def _period(self, value: int) -> int:
        if value < max(1, self.duty):
            return EINVAL
        self.period = value
        return 0

    def _duty(self, value: int) -> int:
        if value > self.period:
            return EINVAL
        self.duty = value
        return 0

    def _enable(self, value: int) -> int:
        if value > 1 or (value and not self.period):
            return EINVAL
        self.enabled = bool(value)
        return 0

    def _polarity(self, text: str) -> int:
        if text not in ("normal", "inversed"):
            return EINVAL
        if self.enabled:
            return EBUSY
        self.inversed = text == "inversed"
        return 0

    def _level(self) -> float:
        """The share of the time that the pin is high; a disabled channel holds it low."""
        if not self.enabled:
            return 0.0
        share = self.duty / self.period
        return 1.0 - share if self.inversed else share


class PwmChip:
    """channels: what each channel drives, called with the share of the time its pin is high. A channel that was never enabled since the power
    came is left to the board's resistor, which holds it high."""

    def __init__(self, channels: dict[int, Act]) -> None:
        self._acts = channels
        self._exported: dict[int, Channel] = {}

    def reset(self) -> None:
        """As after power-up."""
        self._exported.clear()

    def write(self, attribute: str, text: str) -> int:
        """Returns 0 or an errno."""
        text = text.strip()
        if attribute in ("export", "unexport"):
            return self._export(text, attribute == "export")
        channel, name = self._find(attribute)
        return channel.write(name, text) if channel is not None else ENOENT

    def read(self, attribute: str) -> str | None:
        if attribute == "npwm":
            return str(max(self._acts, default=-1) + 1)
        channel, name = self._find(attribute)
        return channel.read(name) if channel is not None else None

    def _export(self, text: str, on: bool) -> int:
        number = int(text) if text.isdigit() else -1
        if number not in self._acts:
            return ENODEV
        if (number in self._exported) == on:
            return EBUSY if on else EINVAL
        if on:
            self._exported[number] = Channel(self._acts[number])
        else:
            del self._exported[number]
            self._acts[number](0.0)
        return 0

    def _find(self, attribute: str) -> tuple[Channel | None, str]:
        directory, _, name = attribute.partition("/")
        number = directory.removeprefix("pwm")
        return (self._exported.get(int(number)) if number.isdigit() else None), name
