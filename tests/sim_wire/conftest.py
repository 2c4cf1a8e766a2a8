"""A simulated board without sockets, whose time is advanced by hand."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from chargepoint.settings import BoardSim, Evse
from hal import board as hal_board
from hal.files import packaged_config
from sim.plant.timeline import Timeline
from sim.rig.board import Board

CONTROL = 1
PERIOD_NS = 1_000_000
TURN_S = 0.005


class Pin:
    """Pins of EVSE 1 and of the board, as config/boards/sim.toml has them."""

    feed, stop, coil, mirror, trip, test, lock, unlock, feedback = 16, 26, 101, 102, 103, 104, 105, 106, 107
    coil_l23, mirror_l23, shunt_trip = 111, 112, 113


class Wire:
    """EVSE 1 of a board, driven as the firmware would: by pins, PWM and I2C."""

    pin = Pin

    def __init__(self, board: Board, events: list[tuple[str, dict[str, Any]]]) -> None:
        self.board = board
        self.timeline = board.timeline
        self.events = events
        self.plant = board.plants[min(board.plants)]
        self.feeding = True
        self._fed = False
        self.start()

    def start(self, owner: int = CONTROL) -> None:
        """Power on, pins claimed, pilot at X1."""
        self.board.power(True)
        self.claim(owner)
        for attribute, text in (("export", "0"), ("pwm0/period", str(PERIOD_NS)), ("pwm0/duty_cycle", str(PERIOD_NS)), ("pwm0/enable", "1")):
            assert self.board.pwm_write("sim.pwm", attribute, text) == 0

    def claim(self, owner: int = CONTROL) -> None:
        for pin in (Pin.feed, Pin.coil, Pin.coil_l23, Pin.shunt_trip, Pin.test, Pin.lock, Pin.unlock):
            if pin in self.board.wiring.outputs:
                assert self.board.claim(owner, pin, False) == 0

    def run(self, seconds: float) -> None:
        """Lets time pass, feeding the relay supply each turn."""
        end = self.timeline.now + seconds
        while self.timeline.now < end:
            if self.feeding:
                self._fed = not self._fed
                self.board.write(CONTROL, Pin.feed, self._fed)
            self.timeline.advance(min(end, self.timeline.now + TURN_S))

    def offer(self, amps: float) -> None:
        """PWM for so many amperes; 0 is X1."""
        self.duty(amps / 60.0 if amps else 1.0)

    def duty(self, fraction: float) -> None:
        assert self.board.pwm_write("sim.pwm", "pwm0/duty_cycle", str(round(fraction * PERIOD_NS))) == 0

    def set(self, pin: int, on: bool = True) -> None:
        self.board.write(CONTROL, pin, on)

    def turn_lock(self, locked: bool = True) -> None:
        pin = Pin.lock if locked else Pin.unlock
        self.set(pin)
        self.run(0.3)
        self.set(pin, False)

    def read_v(self, channel: int) -> float:
        """One conversion of the ADC, as volts at its input."""
        config = 0xC3E3 | channel << 12
        assert self.board.i2c(10, [(0x48, 0, bytes([1, config >> 8, config & 0xFF]))])[0] == 0
        self.run(0.002)
        error, _, data = self.board.i2c(10, [(0x48, 0, b"\1"), (0x48, 2, b""), (0x48, 0, b"\0"), (0x48, 2, b"")])
        assert error == 0 and data[0] & 0x80
        return int.from_bytes(data[2:4], "big", signed=True) * 4.096 / 32768

    def peaks_v(self) -> tuple[float, float]:
        return self.read_v(0) * 8.0 - 13.2, self.read_v(1) * 8.0 - 13.2

    def supply_up(self) -> bool:
        return self.board.supply.up

    def word(self) -> str:
        return self.plant.pilot.wire.word

    def charge(self, amps: float = 16.0, **ev: Any) -> None:
        """A car, locked, offered, in C and drawing."""
        self.plant.plug_in(1, {"delay_s": 0.1, "follow_s": 0.1, **ev})
        self.turn_lock()
        self.offer(amps)
        self.run(0.3)
        self.set(Pin.coil)
        self.run(0.3)

    def rules(self) -> list[str]:
        return [violation["rule"] for violation in self.plant.judge.violations]

    def causes(self) -> dict[str, float]:
        return {reaction.cause: reaction.coil_ms for reaction in self.plant.timings.reactions}


MakeWire = Callable[..., Wire]


@pytest.fixture
def make_wire() -> MakeWire:
    """Makes a wire with figures of [board.sim] and settings of [[evse]]."""

    def make(evse: dict[str, Any] | None = None, count: int = 1, **figures: Any) -> Wire:
        events: list[tuple[str, dict[str, Any]]] = []
        sim = msgspec.convert(figures, BoardSim)
        wired = hal_board.load("sim", packaged_config())
        evses = [msgspec.convert({"id": number + 1, **(evse or {})}, Evse) for number in range(count)]
        board = Board(Timeline(100.0), wired, evses, sim, packaged_config(), lambda number, kind, values: events.append((kind, values)), Random(1))
        return Wire(board, events)

    return make


@pytest.fixture
def wire(make_wire: MakeWire) -> Wire:
    return make_wire()
