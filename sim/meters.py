"""The energy meters of one simulated charge point: Modbus servers that answer from the wire's live values. Must not know OCPP or sessions.

A meter with a serial line sits behind a pseudo-terminal, one with TCP on a port of its own. Faults act where they act in the field: an
offline meter is silent, garbage is on the line, a frozen one repeats its last values, a swapped one is another meter.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hal import spec
from sim.line import Line
from sim.meter_registers import LAYOUTS, Block, Values

PREFIX = "sim:"
FRESH_S = 0.05
SERIAL = 20240001
SWAPPED_SERIAL = 99887766
SWAPPED_WH = 4321000.0
SWAP_S = 2.0
"""While one meter is taken off and another put on, the line is silent; not for so long that it would count as lost."""
MeterOf = Callable[[int], Awaitable[dict[str, Any]]]
"""Live values of an EVSE's meter: voltage_v, current_a, power_w (three each), energy_wh, frequency_hz, answering, faults (words)."""


class Register:
    """What one meter shows: the wire's values, through its faults."""

    def __init__(self, evse: int, meter_of: MeterOf) -> None:
        self.evse = evse
        self.faults: frozenset[str] = frozenset()
        self.answering = True
        self._meter_of = meter_of
        self._values: Values | None = None
        self._asked = 0.0
        self._back_on_line = 0.0
        self._swapped_at_wh: float | None = None
        self._dice = random.Random(evse)

    @property
    def silent(self) -> bool:
        return not self.answering or "meter_offline" in self.faults or time.monotonic() < self._back_on_line

    async def refresh(self) -> None:
        """Asks the wire, unless it was asked just now: one scan of several requests sees one moment."""
        if time.monotonic() - self._asked < FRESH_S:
            return
        found = await self._meter_of(self.evse)
        self._asked = time.monotonic()
        self.answering = bool(found.get("answering", True))
        before, self.faults = self.faults, frozenset(found.get("faults", ()))
        if "meter_swapped" in before ^ self.faults:
            self._back_on_line = time.monotonic() + SWAP_S
        if "meter_frozen" not in before & self.faults or self._values is None:
            self._values = self._seen(found)

    def _seen(self, found: dict[str, Any]) -> Values:
        serial, energy_wh = SERIAL + self.evse, float(found["energy_wh"])
        if "meter_swapped" in self.faults:
            if self._swapped_at_wh is None:
                self._swapped_at_wh = energy_wh
            serial, energy_wh = SWAPPED_SERIAL + self.evse, SWAPPED_WH + energy_wh - self._swapped_at_wh
        else:
            self._swapped_at_wh = None
        voltage_v, current_a, power_w = (_three(found[name]) for name in ("voltage_v", "current_a", "power_w"))
        return Values(voltage_v, current_a, power_w, energy_wh, float(found["frequency_hz"]), serial)

    def words(self, block: Block) -> list[int]:
        values = self._values
        if values is None:
            return [0] * block.size
        return block.words(None if "meter_nan" in self.faults else values, values.serial)

    def on_line(self, data: bytes) -> bytes:
        """What of an answer reaches the line."""
        if self.silent:
            return b""
        if "meter_garbage" in self.faults:
            return bytes(self._dice.randrange(256) for _ in data)
        return data


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def device(unit: int, layout: Sequence[Block], register: Register) -> SimDevice:
    """A Modbus device whose registers are written with live values before each answer."""

    async def action(function: int, start: int, address: int, count: int, registers: list[int], new: list[int] | list[bool] | None) -> None:
        await register.refresh()
        for block in layout:
            if block.function == function and block.address <= address < block.address + block.size:
                registers[block.address - start : block.address - start + block.size] = register.words(block)

    def blocks(function: int) -> list[SimData]:
        found = [SimData(block.address, values=[0] * block.size, datatype=DataType.REGISTERS) for block in layout if block.function == function]
        return found or [SimData(0xFFFE, values=[0], datatype=DataType.REGISTERS)]

    unused = [SimData(0xFFFE, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(unit, simdata=(unused, unused, blocks(3), blocks(4)), action=action)


class TcpMeter:
    """A meter on 127.0.0.1."""

    def __init__(self, row: spec.Meter, register: Register) -> None:
        self._row, self._register = row, register
        self.address = ""
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        framer = FramerType.RTU if self._row.tcp and self._row.tcp.framer == "rtu" else FramerType.SOCKET
        made = device(self._row.unit, LAYOUTS[self._row.map], self._register)
        port = _free_port()
        self._server = ModbusTcpServer(made, framer=framer, address=("127.0.0.1", port), trace_packet=self._trace)
        await self._server.serve_forever(background=True)
        self.address = f"127.0.0.1:{port}"

    def _trace(self, sending: bool, data: bytes) -> bytes:
        return self._register.on_line(data) if sending else data

    async def stop(self) -> None:
        if self._server:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated


class SerialMeter:
    """A meter on a serial line: a pseudo-terminal for the firmware, one for the Modbus server, and the wire between them."""

    def __init__(self, row: spec.Meter, register: Register, link: Path) -> None:
        self._row, self._register = row, register
        self.address = str(link)
        self.line = Line(link, self._from_firmware)
        self._far = Line(link.with_name(link.name + ".device"), self._from_device)
        self._server: ModbusSerialServer | None = None

    async def start(self) -> None:
        self.line.open()
        self._far.open()
        made = device(self._row.unit, LAYOUTS[self._row.map], self._register)
        baud = self._row.serial.baud if self._row.serial else 9600
        self._server = ModbusSerialServer(made, framer=FramerType.RTU, port=str(self._far.link), baudrate=baud)
        await self._server.serve_forever(background=True)

    def _from_firmware(self, data: bytes) -> None:
        self._far.write(data)

    def _from_device(self, data: bytes) -> None:
        if sent := self._register.on_line(data):
            self.line.write(sent)

    async def stop(self) -> None:
        if self._server:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated
        await asyncio.sleep(0)
        self.line.close()
        self._far.close()


class Meters:
    """All meters of a charge point. rows: (EVSE id, board row)."""

    def __init__(self, rows: Sequence[tuple[int, spec.Meter]], directory: Path, meter_of: MeterOf) -> None:
        self._meters: dict[str, TcpMeter | SerialMeter] = {}
        for evse, row in rows:
            register = Register(evse, meter_of)
            if row.tcp and row.tcp.host.startswith(PREFIX):
                self._meters[row.tcp.host.removeprefix(PREFIX)] = TcpMeter(row, register)
            elif row.serial and row.serial.port.startswith(PREFIX):
                name = row.serial.port.removeprefix(PREFIX)
                self._meters[name] = SerialMeter(row, register, directory / name)

    async def start(self) -> dict[str, str]:
        """Starts them. Returns what the names on the board stand for: a path, or host:port."""
        for meter in self._meters.values():
            await meter.start()
        return {name: meter.address for name, meter in self._meters.items()}

    async def stop(self) -> None:
        for meter in self._meters.values():
            await meter.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
