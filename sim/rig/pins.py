"""Pins of the simulated board for gpiozero: a factory of its own kind, without edge detection or software PWM. Must not know what a pin is for.

Inputs are read as a bank, as the SoC's level register holds them: one request gives all of them, and other pins read within FRESH_S are taken
from the same bank. A pin read a second time always asks anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import ref

from gpiozero.exc import GPIOPinInUse, PinInvalidFunction, PinInvalidPin, PinInvalidPull, PinSetInput
from gpiozero.pins import Factory, Pin, PinInfo

from sim.rig.protocol import PIN, PIN_LEVEL

if TYPE_CHECKING:
    from sim.rig.client import Connection

FRESH_S = 1e-3
PULLS = ("floating", "up", "down")


class Bank:
    """The levels of all inputs, as last read."""

    def __init__(self, connection: Connection) -> None:
        self._ask = connection.ask
        pins = connection.ask(b"M")
        self._index = {int.from_bytes(pins[at : at + 2], "little"): at // 2 for at in range(0, len(pins), 2)}
        self._levels = b""
        self._at = 0.0
        self._seen: set[int] = set()

    def __contains__(self, pin: int) -> bool:
        return pin in self._index

    def level(self, pin: int) -> bool:
        now = time.monotonic()
        if pin in self._seen or now - self._at > FRESH_S:
            self._levels = self._ask(b"R")
            self._at = now
            self._seen.clear()
        self._seen.add(pin)
        return bool(self._levels[self._index[pin]])


class RigPin(Pin):  # type: ignore[misc]  # gpiozero has no types
    """One pin. As on the board it is an input until it is made an output."""

    def __init__(self, factory: RigFactory, number: int) -> None:
        super().__init__()
        self._connection = factory.connection
        self._bank = factory.bank
        self._number = number
        self._output: bool | None = None
        self._pull = "floating"

    def __repr__(self) -> str:
        return f"GPIO{self._number}"

    def close(self) -> None:
        """Lets the pin go: it becomes an input."""
        held, self._output = self._output is not None, None
        if held and not self._connection.closed:
            self._connection.check(PIN.pack(b"L", self._number), f"pin {self._number}")

    def output_with_state(self, state: bool) -> None:
        """Raises OSError (EBUSY: another process drives the pin)."""
        self._connection.check(PIN_LEVEL.pack(b"C", self._number, bool(state)), f"pin {self._number}")
        self._output = bool(state)

    def input_with_pull(self, pull: str) -> None:
        self._set_function("input")
        self._set_pull(pull)

    def _get_info(self) -> Any:
        return PinInfo(self._number, f"GPIO{self._number}", frozenset({self._number, f"GPIO{self._number}"}), "", 1, 1, {"gpio"})

    def _get_function(self) -> str:
        return "input" if self._output is None else "output"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"pin {self._number} cannot be {value!r}")
        if value == "input":
            self.close()
        elif self._output is None:
            self.output_with_state(self._get_state())

    def _get_state(self) -> bool:
        if self._output is not None:
            return self._output
        if self._number in self._bank:
            return self._bank.level(self._number)
        return bool(self._connection.ask(PIN.pack(b"O", self._number))[0])

    def _set_state(self, value: bool) -> None:
        if self._output is None:
            raise PinSetInput(f"pin {self._number} is an input")
        self._output = bool(value)
        self._connection.send(PIN_LEVEL.pack(b"W", self._number, self._output))

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if value not in PULLS:
            raise PinInvalidPull(f"pin {self._number} has no pull {value!r}")
        self._pull = value


class RigFactory(Factory):  # type: ignore[misc]  # gpiozero has no types
    """The board's pins, by their numbers."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.bank = Bank(connection)
        self._pins: dict[int, RigPin] = {}
        self._taken: dict[int, ref[object]] = {}

    def close(self) -> None:
        """Lets go of every pin."""
        for pin in self._pins.values():
            pin.close()
        self.connection.close()

    def reserve_pins(self, requester: object, *names: object) -> None:
        """Raises GPIOPinInUse when another device of this process has the pin."""
        for number in map(_number, names):
            holder = self._taken[number]() if number in self._taken else None
            if holder not in (None, requester):
                raise GPIOPinInUse(f"pin {number} is already in use by {holder!r}")
            self._taken[number] = ref(requester)

    def release_pins(self, reserver: object, *names: object) -> None:
        for number in map(_number, names):
            if number in self._taken and self._taken[number]() in (None, reserver):
                del self._taken[number]

    def release_all(self, reserver: object) -> None:
        self.release_pins(reserver, *tuple(self._taken))

    def pin(self, name: object) -> RigPin:
        number = _number(name)
        if number not in self._pins:
            self._pins[number] = RigPin(self, number)
        return self._pins[number]

    def ticks(self) -> float:
        return time.monotonic()

    def ticks_diff(self, later: float, earlier: float) -> float:
        return later - earlier


def _number(name: object) -> int:
    """A pin's number from 27 or "GPIO27". Raises PinInvalidPin."""
    text = str(name).removeprefix("GPIO")
    if not text.isdigit():
        raise PinInvalidPin(f"{name!r} is not a pin of the simulated board")
    return int(text)
