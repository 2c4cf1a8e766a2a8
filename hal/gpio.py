"""Everything on plain lines: contactor, residual-current monitor, lock, lamp, emergency stop, feed. The only place that knows gpiozero.

Must not know when a line is to be driven. Drivers hold the pin objects: the loop reads them 200 times a second.
"""

from __future__ import annotations

import sys
from typing import Any

from gpiozero import GPIOZeroError, InputDevice, OutputDevice

from hal import spec
from hal.errors import BoardError, DeviceLost
from hal.gpio_chip import choose_lgpio_directory, gpio_chip, require_pins
from hal.ports import LampPattern, Now


def lgpio_factory() -> Any:
    """gpiozero's lgpio factory, and no fallback. Raises BoardError."""
    require_pins()
    choose_lgpio_directory()
    from gpiozero.pins.lgpio import LGPIOFactory

    try:
        return LGPIOFactory(chip=gpio_chip())
    except line_errors() as error:
        raise BoardError(f"GPIO: lgpio cannot open the chip: {error}") from error


def line_errors() -> tuple[type[Exception], ...]:
    """What a line may raise; lgpio's own error counts once a factory has loaded lgpio."""
    lgpio = sys.modules.get("lgpio")
    return (OSError, GPIOZeroError) if lgpio is None else (OSError, GPIOZeroError, lgpio.error)


class OutputLine:
    """A driven line."""

    def __init__(self, device: OutputDevice, name: str, active: bool) -> None:
        self._pin = device.pin
        self._active = active
        self._name = name
        self._on: bool | None = False

    def set(self, on: bool) -> None:
        """Drives the line; writing it off is never left out. Raises DeviceLost."""
        if on and self._on:
            return
        self._on = None
        try:
            self._pin.state = on is self._active
        except line_errors() as error:
            raise DeviceLost(self._name, str(error)) from error
        self._on = on

    def stands(self) -> bool:
        """The level read back from the line: whether it stands at on. Raises DeviceLost."""
        try:
            return bool(self._pin.state) is self._active
        except line_errors() as error:
            raise DeviceLost(self._name, str(error)) from error

    def on(self) -> bool:
        """What it is driven to; a line whose last write failed counts as on."""
        return self._on is not False


class InputLine:
    """A read line."""

    def __init__(self, device: InputDevice, name: str, active: bool) -> None:
        self._pin = device.pin
        self._active = active
        self._name = name

    def active(self) -> bool:
        """Raises DeviceLost."""
        try:
            return bool(self._pin.state) is self._active
        except line_errors() as error:
            raise DeviceLost(self._name, str(error)) from error


def _closed(device: InputDevice) -> str:
    try:
        device.close()
    except line_errors() as error:
        return str(error)
    return ""


class Pins:
    """The lines of a board, on the one factory its file names."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._taken: dict[int, str] = {}
        self._inputs: list[InputDevice] = []
        self._outputs: list[tuple[OutputDevice, spec.Output, str]] = []

    def output(self, line: spec.Output, name: str) -> OutputLine:
        """Claims the line, not acting. Raises BoardError."""
        active = line.active == "high"
        self._take(line.pin, name)
        self._pull(name, line)
        device = self._claim(name, OutputDevice, line.pin, active_high=active, initial_value=False)
        self._outputs.append((device, line, name))
        return OutputLine(device, name, active)

    def input(self, line: spec.Input, name: str) -> InputLine:
        """Claims the line. Raises BoardError."""
        pulls: dict[str, bool | None] = {"up": True, "down": False, "none": None}
        pull = pulls[line.pull]
        self._take(line.pin, name)
        device = self._claim(name, InputDevice, line.pin, pull_up=pull, active_state=True if pull is None else None)
        self._inputs.append(device)
        return InputLine(device, name, line.active == "high")

    def close(self) -> None:
        """Takes every output back and releases every line, each output pulled to its reset level. Raises BoardError, every line tried."""
        failures = [self._released(*output) for output in reversed(self._outputs)]
        failures += [_closed(device) for device in self._inputs]
        self._outputs.clear()
        self._inputs.clear()
        self._taken.clear()
        if any(failures):
            raise BoardError("; ".join(filter(None, failures)))

    def _released(self, device: OutputDevice, line: spec.Output, name: str) -> str:
        try:
            device.off()
            device.close()
            self._pull(name, line)
        except BoardError as error:
            return str(error)
        except line_errors() as error:
            return f"{name}: {error}"
        return ""

    def _take(self, pin: int, name: str) -> None:
        if pin in self._taken:
            raise BoardError(f"{name}: GPIO {pin} is already the line of {self._taken[pin]}")
        self._taken[pin] = name

    def _pull(self, name: str, line: spec.Output) -> None:
        """lgpio switches a line's pull off when it claims or closes it, which would leave it floating once we are gone."""
        try:
            pin = self._factory.pin(line.pin)
            pin.function = "input"
            pin.pull = "floating" if line.reset_pull == "none" else line.reset_pull
        except line_errors() as error:
            raise BoardError(f"{name}: GPIO {line.pin} cannot be pulled {line.reset_pull}: {error}") from error

    def _claim(self, name: str, kind: Any, pin: int, **options: Any) -> Any:
        try:
            return kind(pin, pin_factory=self._factory, **options)
        except line_errors() as error:
            raise BoardError(f"{name}: GPIO {pin} cannot be claimed: {error}") from error


class Contactor:
    """The coil, the mirror contact, and the shunt trip of the breaker before them."""

    def __init__(self, wiring: spec.Contactor, pins: Pins, name: str) -> None:
        self._coil = pins.output(wiring.coil, f"{name} coil")
        self._mirror = pins.input(wiring.mirror, f"{name} mirror contact")
        self._shunt_trip = pins.output(wiring.shunt_trip, f"{name} shunt trip") if wiring.shunt_trip else None

    def switch(self, on: bool) -> None:
        """Drives the coil. Raises DeviceLost."""
        self._coil.set(on)

    def driven(self) -> bool:
        """Whether the coil's output stands at on, read back from the line. Raises DeviceLost."""
        return self._coil.stands()

    def trip_breaker(self, on: bool) -> None:
        """Drives the shunt trip, where there is one. Raises DeviceLost."""
        if self._shunt_trip is not None:
            self._shunt_trip.set(on)

    def mirror_closed(self) -> bool:
        """True: all main contacts are open. Raises DeviceLost."""
        return self._mirror.active()


class ResidualCurrent:
    """The residual-current monitor's trip and test lines."""

    def __init__(self, wiring: spec.Residual, pins: Pins, name: str) -> None:
        self._test = pins.output(wiring.test, f"{name} residual-current test")
        self._trip = pins.input(wiring.trip, f"{name} residual-current trip")

    def tripped(self) -> bool:
        """Raises DeviceLost."""
        return self._trip.active()

    def test(self, on: bool) -> None:
        """Raises DeviceLost."""
        self._test.set(on)


class Lock:
    """The socket's lock: one pulse per move, never both ways at once, a pause between moves for the motor's sake."""

    def __init__(self, wiring: spec.Lock, pins: Pins, name: str, now: Now) -> None:
        self._outputs = {True: pins.output(wiring.lock, f"{name} lock"), False: pins.output(wiring.unlock, f"{name} unlock")}
        self._feedback = pins.input(wiring.feedback, f"{name} lock feedback")
        self._pulse_s = wiring.pulse_ms / 1000.0
        self._pause_s = wiring.pause_ms / 1000.0
        self._now = now
        self._moving: bool | None = None
        self._wanted: bool | None = None
        self._until = 0.0
        self._free_at = 0.0

    def drive(self, locked: bool) -> None:
        """Starts the move, or remembers it until the pause after the former one is over. Raises DeviceLost."""
        if self._moving is locked:
            return
        if self._moving is not None:
            self._stop()
        self._wanted = locked
        self._begin()

    def rest(self) -> None:
        """Ends the pulse when its time is over. Raises DeviceLost."""
        if self._moving is not None and self._now() >= self._until:
            self._stop()
        if self._wanted is not None:
            self._begin()

    def locked(self) -> bool | None:
        """The feedback switch. Raises DeviceLost."""
        return self._feedback.active()

    def _begin(self) -> None:
        now = self._now()
        if self._wanted is None or now < self._free_at:
            return
        self._moving, self._wanted = self._wanted, None
        self._until = now + self._pulse_s
        self._outputs[self._moving].set(True)

    def _stop(self) -> None:
        for output in self._outputs.values():
            output.set(False)
        self._moving = None
        self._free_at = self._now() + self._pause_s


LAMP = {
    LampPattern.OFF: ("", 0.0),
    LampPattern.READY: ("green", 0.0),
    LampPattern.WAITING: ("blue", 1.0),
    LampPattern.CHARGING: ("blue", 0.0),
    LampPattern.FAULT: ("red", 0.5),
}
"""Colour and period of blinking in seconds (0: steady) of each pattern."""


class Lamp:
    """Three colours; blinks by the time it is given, each time it is shown."""

    def __init__(self, wiring: spec.Lamp, pins: Pins, name: str, now: Now) -> None:
        self._colours = {
            "green": pins.output(wiring.green, f"{name} green lamp"),
            "blue": pins.output(wiring.blue, f"{name} blue lamp"),
            "red": pins.output(wiring.red, f"{name} red lamp"),
        }
        self._now = now
        self._lit = ""

    def show(self, pattern: LampPattern) -> None:
        """Lights what the pattern says at this moment. Raises DeviceLost."""
        colour, period_s = LAMP[pattern]
        lit = "" if period_s and self._now() % period_s >= period_s / 2.0 else colour
        if lit == self._lit:
            return
        if self._lit:
            self._colours[self._lit].set(False)
        self._lit = ""
        if lit:
            self._colours[lit].set(True)
        self._lit = lit


class Feed:
    """The feed of the relay supply."""

    def __init__(self, wiring: spec.Feed, pins: Pins) -> None:
        self._line = pins.output(wiring.output, "feed")

    def edge(self) -> None:
        """One edge. Raises DeviceLost."""
        self._line.set(not self._line.on())
