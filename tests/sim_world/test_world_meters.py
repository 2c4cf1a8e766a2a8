"""The meters on real lines, read by a Modbus master; their faults as they show there."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from hal import meter_map, spec
from hal.modbus_line import ModbusLine, place_of
from hal.modbus_meter import ModbusMeter
from sim import meters as sim_meters
from sim.meters import FRESH_S, Meters

ROOT = Path(__file__).parents[2]
ROWS = [
    (1, spec.Meter(map="sdm630", serial=spec.Serial(port="sim:meter1"))),
    (2, spec.Meter(map="abb_b23", tcp=spec.Tcp(host="sim:meter2"))),
]
VOLTS, AMPS, WATTS, WH = [230.0, 231.0, 232.0], [16.0, 15.0, 14.0], [3680.0, 3465.0, 3248.0], 12345.6


class Bus:
    """Both meters, what they measure, and a master on each line."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {"voltage_v": VOLTS, "current_a": AMPS, "power_w": WATTS, "energy_wh": WH, "frequency_hz": 50.0}
        self.faults: list[str] = []
        self.answering = True
        self.serial: AsyncModbusSerialClient
        self.tcp: AsyncModbusTcpClient

    async def meter(self, evse: int) -> dict[str, Any]:
        return {**self.seen, "faults": self.faults, "answering": self.answering}

    async def with_fault(self, *faults: str) -> None:
        self.faults = list(faults)
        await asyncio.sleep(2 * FRESH_S)

    async def eastron(self, address: int, count: int = 1) -> list[float]:
        answer = await self.serial.read_input_registers(address, count=2 * count, device_id=1)
        values = self.serial.convert_from_registers(answer.registers, self.serial.DATATYPE.FLOAT32)
        return list(values) if isinstance(values, list) else [float(str(values))]

    async def abb(self, address: int, count: int, kind: Any) -> Any:
        answer = await self.tcp.read_holding_registers(address, count=count, device_id=1)
        return self.tcp.convert_from_registers(answer.registers, kind)

    async def energies(self) -> tuple[float, float]:
        return (await self.eastron(0x48))[0] * 1000, await self.abb(0x5000, 4, self.tcp.DATATYPE.UINT64) * 10


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    bus = Bus()
    meters = Meters(ROWS, tmp_path, bus.meter)
    names = await meters.start()
    host, port = names["meter2"].split(":")
    bus.serial = AsyncModbusSerialClient(names["meter1"], baudrate=9600, timeout=0.3, retries=0)
    bus.tcp = AsyncModbusTcpClient(host, port=int(port), timeout=0.3, retries=0)
    assert await bus.serial.connect() and await bus.tcp.connect()
    yield bus
    bus.serial.close()
    bus.tcp.close()
    await meters.stop()


async def test_live_values(bus: Bus) -> None:
    assert await bus.eastron(0x00, 9) == pytest.approx([*VOLTS, *AMPS, *WATTS])
    assert await bus.eastron(0x34) == pytest.approx([sum(WATTS)])
    assert await bus.abb(0x5B00, 6, bus.tcp.DATATYPE.UINT32) == [2300, 2310, 2320]
    assert await bus.abb(0x5B14, 2, bus.tcp.DATATYPE.INT32) == 100 * sum(WATTS)
    assert await bus.abb(0x5B2C, 1, bus.tcp.DATATYPE.UINT16) == 5000
    assert await bus.energies() == (pytest.approx(WH, abs=0.01), 12340)
    bus.seen["energy_wh"] += 50
    await asyncio.sleep(2 * FRESH_S)
    assert await bus.energies() == (pytest.approx(WH + 50, abs=0.01), 12390)


@pytest.mark.parametrize("fault", ["meter_offline", "meter_garbage"])
async def test_silence_and_garbage(bus: Bus, fault: str) -> None:
    await bus.with_fault(fault)
    with pytest.raises(ModbusException):
        await bus.eastron(0x48)
    with pytest.raises(ModbusException):
        await bus.abb(0x5000, 4, bus.tcp.DATATYPE.UINT64)
    await bus.with_fault()
    await bus.energies()


async def test_silent_while_without_voltage(bus: Bus) -> None:
    bus.answering = False
    await bus.with_fault()
    with pytest.raises(ModbusException):
        await bus.eastron(0x48)


async def test_not_a_number(bus: Bus) -> None:
    await bus.with_fault("meter_nan")
    assert math.isnan((await bus.eastron(0x48))[0])
    assert await bus.abb(0x5000, 4, bus.tcp.DATATYPE.UINT64) == 2**64 - 1
    assert await bus.abb(0x5B14, 2, bus.tcp.DATATYPE.INT32) == 2**31 - 1


async def test_frozen(bus: Bus) -> None:
    await bus.energies()
    await bus.with_fault("meter_frozen")
    before = await bus.energies()
    bus.seen["energy_wh"] += 1000
    await asyncio.sleep(2 * FRESH_S)
    assert await bus.energies() == before
    await bus.with_fault()
    assert (await bus.energies())[1] == before[1] + 1000


async def test_another_meter(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim_meters, "SWAP_S", 0.2)
    serial = await bus.abb(0x8900, 2, bus.tcp.DATATYPE.UINT32)
    await bus.with_fault("meter_swapped")
    with pytest.raises(ModbusException):
        await bus.abb(0x8900, 2, bus.tcp.DATATYPE.UINT32)
    with pytest.raises(ModbusException):
        await bus.eastron(0x48)
    assert await bus.abb(0x8900, 2, bus.tcp.DATATYPE.UINT32) != serial
    other = await bus.energies()
    assert other[0] != pytest.approx(WH, abs=100)
    bus.seen["energy_wh"] += 100
    await asyncio.sleep(2 * FRESH_S)
    assert (await bus.energies())[1] == other[1] + 100


async def test_registers_that_are_not_there(bus: Bus) -> None:
    answer = await bus.serial.read_input_registers(0x2000, count=2, device_id=1)
    assert answer.isError()


async def test_a_meter_that_signs_is_read_as_it_signed(tmp_path: Path) -> None:
    """Through the driver and the shipped register map, on a line."""
    bus = Bus()
    meters = Meters([(1, spec.Meter(map="sim_ocmf", tcp=spec.Tcp(host="sim:meter1")))], tmp_path, bus.meter)
    host, _, port = (await meters.start())["meter1"].rpartition(":")
    wiring = spec.Meter(map="sim_ocmf", tcp=spec.Tcp(host=host, port=int(port)))
    table = meter_map.load(ROOT / "config" / "meters" / "sim_ocmf.toml")
    driver = ModbusMeter(ModbusLine(place_of(wiring), 0.4, lambda name: name, time.monotonic), table, wiring, "meter", time.monotonic)
    try:
        reading = await driver.read()
        signed = [await driver.signature() for _ in range(3)]
    finally:
        await driver.close()
        await meters.stop()
    assert driver.signs and reading.energy_wh == pytest.approx(WH, rel=1e-6)
    for signature in signed:
        prefix, payload, made = signature.data.decode().split("|")
        key = serialization.load_der_public_key(signature.public_key)
        assert isinstance(key, ec.EllipticCurvePublicKey) and (prefix, signature.encoding, signature.method) == ("OCMF", "OCMF", "")
        key.verify(bytes.fromhex(json.loads(made)["SD"]), payload.encode(), ec.ECDSA(hashes.SHA256()))
        assert json.loads(payload)["RD"][0]["RV"] == pytest.approx(WH / 1000, abs=1e-3)
