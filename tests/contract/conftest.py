"""Two worlds with one face, so that one test body runs over both: the mock (gpiozero's factory and fake chips on a Pi's board file), and the
simulated board (the rig in a process of its own). Above them stand the same drivers."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import sys
import time
import types
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory

from hal import board as boards
from hal.ports import ControlBoard
from sim.rig.control import RigControl

SETTINGS = '[board]\nname = "sim"\n[[evse]]\nid = 1\n'
SIM_WORD = "CHARGEPOINT_WORLD"


class World(Protocol):
    """What a test may do to the wires, and see of them."""

    board: ControlBoard

    async def settle(self) -> None:
        """Lets contacts and bolts move."""

    async def coil(self) -> bool: ...

    async def pilot_duty(self) -> float: ...

    async def bolt_locked(self) -> bool: ...

    async def residual_current(self, tripped: bool) -> None: ...

    async def stop_button(self, pressed: bool) -> None: ...

    async def plug_32_a(self) -> None: ...

    async def adc_answers(self, answers: bool) -> None: ...


class MockChips:
    """The chips of the Pi's board file: an ADS1115 on bus 3, a TMP102 on bus 1, a PWM channel as sysfs shows it."""

    def __init__(self) -> None:
        self.volts = [(12.0 + 13.2) / 8.0, 13.2 / 8.0, 3.3]
        self.lost = False
        self.config, self.result, self.pointer = 0x8583, 0, 0
        self.files: dict[str, str] = {}

    def i2c_rdwr(self, *messages: Any) -> None:
        for message in messages:
            if message.addr == 0x48 and self.lost:
                raise OSError(errno.EREMOTEIO, "no acknowledgement")
            if message.flags & 1:
                word = 0x1900 if message.addr == 0x49 else self.config if self.pointer else self.result
                ctypes.memmove(message.buf, word.to_bytes(2, "big"), 2)
            else:
                self._written(bytes(message))

    def _written(self, data: bytes) -> None:
        self.pointer = data[0]
        if len(data) == 3:
            self.config = int.from_bytes(data[1:], "big") | 0x8000
            self.volts[1] = (13.2 - (0.0 if self.files["pwm0/duty_cycle"] == self.files["pwm0/period"] else 12.0)) / 8.0
            self.result = round(self.volts[(self.config >> 12 & 7) - 4] / 4.096 * 32768)

    def read(self, attribute: str) -> str:
        if attribute not in self.files:
            raise FileNotFoundError(attribute)
        return self.files[attribute]

    def write(self, attribute: str, text: str) -> None:
        if attribute == "export":
            self.files |= {f"pwm{text}/{name}": "0" for name in ("period", "duty_cycle", "enable")} | {f"pwm{text}/polarity": "normal"}
        self.files[attribute] = text

    def close(self) -> None:
        pass


class MockWorld:
    """Levels of the Pi's pins."""

    def __init__(self, factory: MockFactory, chips: MockChips, board: ControlBoard) -> None:
        self._factory, self._chips, self.board = factory, chips, board

    def _drive(self, pin: int, high: bool) -> None:
        mock = self._factory.pin(pin)
        mock.drive_high() if high else mock.drive_low()

    def _level(self, pin: int) -> bool:
        return bool(self._factory.pin(pin).state)

    async def settle(self) -> None:
        lock = self.board.evses[0].lock
        assert lock is not None
        until = time.monotonic() + 0.15
        while time.monotonic() < until:
            self._drive(27, self._level(17))
            if self._level(25) != self._level(16):
                self._drive(26, self._level(16))
            lock.rest()
            await asyncio.sleep(0.01)

    async def coil(self) -> bool:
        return self._level(17)

    async def pilot_duty(self) -> float:
        return int(self._chips.files["pwm0/duty_cycle"]) / int(self._chips.files["pwm0/period"]) * int(self._chips.files["pwm0/enable"])

    async def bolt_locked(self) -> bool:
        return not self._level(26)

    async def residual_current(self, tripped: bool) -> None:
        self._drive(23, tripped)

    async def stop_button(self, pressed: bool) -> None:
        self._drive(6, pressed)

    async def plug_32_a(self) -> None:
        self._chips.volts[2] = 3.3 * 220.0 / 1220.0

    async def adc_answers(self, answers: bool) -> None:
        self._chips.lost = not answers


class RigWorld:
    """The simulated board, by the world's commands."""

    def __init__(self, control: RigControl, board: ControlBoard) -> None:
        self._call, self.board = control.call, board

    async def _seen(self) -> Any:
        return (await self._call("state"))["evses"][0]

    async def settle(self) -> None:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert self.board.feed is not None
            self.board.feed.edge()
            for evse in self.board.evses:
                if evse.lock is not None:
                    evse.lock.rest()
            await asyncio.sleep(0.01)

    async def coil(self) -> bool:
        return bool((await self._seen())["coil"])

    async def pilot_duty(self) -> float:
        return float((await self._seen())["pilot"]["duty_percent"]) / 100.0

    async def bolt_locked(self) -> bool:
        return bool((await self._seen())["lock"] == "locked")

    async def residual_current(self, tripped: bool) -> None:
        await self._call("fault" if tripped else "clear", evse=1, fault="rcd_stuck_tripped")

    async def stop_button(self, pressed: bool) -> None:
        await self._call("fault" if pressed else "clear", evse=1, fault="emergency_stop")

    async def plug_32_a(self) -> None:
        await self._call("plug_in", evse=1, ev={"ready": False, "cable_a": 32})

    async def adc_answers(self, answers: bool) -> None:
        await self._call("clear" if answers else "fault", evse=1, fault="adc_lost")


@pytest.fixture(params=["mock", "rig"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    make = mock_world if request.param == "mock" else rig_world
    async for made in make(tmp_path, monkeypatch):
        yield made


async def mock_world(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    factory, chips = MockFactory(), MockChips()
    module = types.SimpleNamespace(pin_factory=lambda: factory, i2c_bus=lambda number: chips, pwm_chip=lambda name: chips)
    monkeypatch.setitem(sys.modules, "mock_backend", module)
    shipped = boards.load("raspberry_pi_ads1115", None)
    (evse,) = shipped.evse
    assert evse.lock is not None
    quick = msgspec.structs.replace(evse, lock=msgspec.structs.replace(evse.lock, pulse_ms=100.0, pause_ms=100.0))
    board = msgspec.structs.replace(shipped, backend="mock_backend", pin_factory="rig", evse=(quick,))
    opened = boards.open_control(board, [1], time.monotonic)
    made = MockWorld(factory, chips, opened)
    await made.stop_button(False)
    await made.settle()
    yield made
    opened.close()


async def rig_world(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    settings, firmware, door = directory / "chargepoint.toml", directory / "world.sock", directory / "rig.sock"
    settings.write_text(SETTINGS)
    arguments = ["--socket", str(firmware), "--control", str(door), "--config", str(settings), "--seed", "1"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "sim.rig.server", *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        control = await RigControl.connect(door)
        await control.call("power", on=True)
        monkeypatch.setitem(os.environ, SIM_WORD, str(firmware))
        opened = boards.open_control(boards.load("sim", None), [1], time.monotonic)
        yield RigWorld(control, opened)
        opened.close()
        await control.close()
    finally:
        process.terminate()
        await process.wait()
