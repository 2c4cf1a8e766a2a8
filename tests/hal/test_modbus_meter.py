"""Meters over real Modbus servers: TCP, and RTU over a pair of pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hal import meter_map, modbus_line, spec
from hal.errors import DeviceLost
from hal.files import find
from hal.meter_map import Block, Map
from hal.modbus_line import ModbusLine
from hal.modbus_meter import ModbusMeter

Now = Callable[[], float]
SDM = {
    "voltage_v": [230.0, 231.0, 229.5],
    "current_a": [16.0, 15.5, 0.0],
    "power_phase_w": [3680.0, 3580.5, 0.0],
    "power_w": [7260.5],
    "frequency_hz": [50.0],
    "energy_wh": [12.5],  # as the meter counts: kWh
    "export_wh": [0.25],
}


def table(name: str) -> Map:
    """The map as shipped, with a pause that keeps the tests short."""
    return msgspec.structs.replace(meter_map.load(find(name, "meters", None)), pause_ms=5.0)


def words(kind: str, number: float) -> list[int]:
    data = struct.pack(">f", number) if kind == "f32" else int(number).to_bytes(meter_map.WORDS[kind] * 2, "big", signed=number < 0)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


class FakeMeter:
    """A meter's registers behind a server; can refuse, be silent, and answer few registers only."""

    def __init__(self, shape: Map, values: dict[str, list[float]], serial: int = 1234567, unit: int = 1) -> None:
        self.shape = shape
        self.serial = serial
        self.unit = unit
        self.most = 125
        self.requests: list[tuple[int, int]] = []
        self.memory: dict[int, int] = {}
        self.silent = False
        for name, numbers in values.items():
            self.set(name, numbers)

    def set(self, name: str, numbers: list[float]) -> None:
        value = getattr(self.shape.value, name)
        for address, number in zip(value.at, numbers, strict=True):
            self.put(address, words(value.type, number))

    def put(self, address: int, registers: list[int]) -> None:
        self.memory.update(enumerate(registers, address))

    def device(self) -> SimDevice:
        assert self.shape.serial is not None
        blocks = [*self.shape.block, meter_map.Block(start=self.shape.serial.at, count=2)]
        data = [SimData(block.start, values=[0] * block.count, datatype=DataType.REGISTERS) for block in sorted(blocks, key=lambda b: b.start)]
        return SimDevice(self.unit, data, action=self.action)

    async def action(self, fc: int, start: int, address: int, count: int, registers: list[int], set_values: Any) -> ExcCodes | None:
        assert self.shape.serial is not None
        self.requests.append((address, count))
        if count > self.most:
            return ExcCodes.ILLEGAL_ADDRESS
        self.put(self.shape.serial.at, words("u32", self.serial))
        for offset in range(count):
            registers[address - start + offset] = self.memory.get(address + offset, 0)
        return None

    def trace(self, sending: bool, data: bytes) -> bytes:
        return b"" if sending and self.silent else data


async def tcp_server(fake: FakeMeter, port: int = 0) -> tuple[ModbusTcpServer, int]:
    server = ModbusTcpServer(fake.device(), address=("127.0.0.1", port), trace_packet=fake.trace)
    await server.serve_forever(background=True)
    return server, server.transport.sockets[0].getsockname()[1]


def meter_on(port: int, shape: Map, now: Now, **wiring: Any) -> ModbusMeter:
    place = spec.Tcp(host="127.0.0.1", port=port)
    line = ModbusLine(place, 0.2, lambda name: name, now)
    return ModbusMeter(line, shape, spec.Meter(map="x", tcp=place, **wiring), "EVSE 1 meter", now)


@pytest.fixture
def fake() -> FakeMeter:
    return FakeMeter(table("sdm630"), SDM)


@pytest.fixture
async def server(fake: FakeMeter) -> AsyncIterator[int]:
    made, port = await tcp_server(fake)
    yield port
    await made.shutdown()


@pytest.fixture
async def meter(fake: FakeMeter, server: int, now: Now) -> AsyncIterator[ModbusMeter]:
    made = meter_on(server, fake.shape, now)
    yield made
    await made.close()


async def test_a_reading_in_our_units(meter: ModbusMeter, now: Now) -> None:
    before = now()
    reading = await meter.read()
    assert before <= reading.at <= now()
    assert reading._replace(at=0.0) == (
        0.0,
        12500.0,
        7260.5,
        (16.0, 15.5, 0.0),
        (230.0, 231.0, 229.5),
        (3680.0, 3580.5, 0.0),
        50.0,
        250.0,
        "1234567",
    )


@pytest.mark.parametrize("name", ["sdm630", "sdm72dm_v2"])
async def test_whole_blocks_are_read(name: str, now: Now) -> None:
    fake = FakeMeter(table(name), SDM)
    server, port = await tcp_server(fake)
    meter = meter_on(port, fake.shape, now)
    await meter.read()
    assert fake.requests == [(0x0000, 18), (0x0034, 2), (0x0046, 6), (0xFC00, 2)]
    await meter.close()
    await server.shutdown()


async def test_abb_integers_and_its_marks_of_absence(now: Now) -> None:
    fake = FakeMeter(table("abb_b23"), {"energy_wh": [1234], "voltage_v": [2304, 0, 0], "current_a": [1601, 0, 0], "power_w": [-368000]})
    fake.put(0x5004, [0xFFFF] * 4)
    fake.put(0x5B02, [0xFFFF] * 4)
    fake.put(0x5B18, [0x7FFF, 0xFFFF])
    fake.put(0x5B2C, [5001])
    server, port = await tcp_server(fake)
    meter = meter_on(port, fake.shape, now)
    reading = await meter.read()
    assert (reading.energy_wh, reading.export_wh) == (12340.0, None)
    assert reading.voltage_v == (pytest.approx(230.4), None, None)
    assert reading.current_a[0] == pytest.approx(16.01)
    assert reading.power_w == pytest.approx(-3680.0)
    assert reading.power_phase_w == (0.0, None, 0.0)
    assert reading.frequency_hz == pytest.approx(50.01)
    await meter.close()
    await server.shutdown()


async def test_no_number_is_no_value(meter: ModbusMeter, fake: FakeMeter) -> None:
    fake.put(0x0048, [0x7FC0, 0x0000])
    fake.put(0x0006, [0x7F80, 0x0000])
    reading = await meter.read()
    assert reading.energy_wh is None
    assert reading.current_a == (None, 15.5, 0.0)


async def test_frequency_told_tenfold_is_set_right(meter: ModbusMeter, fake: FakeMeter) -> None:
    fake.set("frequency_hz", [499.8])
    assert (await meter.read()).frequency_hz == pytest.approx(49.98)


async def test_a_meter_wired_upside_down(fake: FakeMeter, server: int, now: Now) -> None:
    meter = meter_on(server, fake.shape, now, invert=True)
    reading = await meter.read()
    assert (reading.energy_wh, reading.export_wh) == (250.0, 12500.0)
    assert (reading.power_w, reading.power_phase_w[0]) == (-7260.5, -3680.0)
    await meter.close()


async def test_a_meter_that_answers_few_registers_is_read_slowly_from_then_on(meter: ModbusMeter, fake: FakeMeter) -> None:
    fake.most = 10
    assert (await meter.read()).energy_wh == 12500.0
    fake.requests.clear()
    await meter.read()
    assert fake.requests == [(0x0000, 10), (0x000A, 8), (0x0034, 2), (0x0046, 6)]


async def test_a_refusal_is_a_loss(meter: ModbusMeter, fake: FakeMeter) -> None:
    fake.most = 0
    with pytest.raises(DeviceLost, match="refuses registers 0x0000"):
        await meter.read()


async def test_silence_is_a_loss_and_the_answer_after_it_a_recovery(meter: ModbusMeter, fake: FakeMeter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "hal")
    await meter.read()
    fake.silent = True
    for _ in range(5):
        with pytest.raises(DeviceLost, match="EVSE 1 meter"):
            await meter.read()
    fake.silent = False
    assert (await meter.read()).energy_wh == 12500.0
    told = [record.levelname for record in caplog.records if record.name.startswith("hal")]
    assert told == ["INFO", "WARNING", "INFO"]


async def test_a_line_that_was_noisy_once_does_not_make_the_meter_slow(meter: ModbusMeter, fake: FakeMeter) -> None:
    await meter.read()
    fake.silent = True
    with pytest.raises(DeviceLost):
        await meter.read()
    fake.silent = False
    await meter.read()
    fake.requests.clear()
    await meter.read()
    assert fake.requests[0] == (0x0000, 18)


async def test_zeros_after_power_up_are_not_believed_at_once(meter: ModbusMeter, fake: FakeMeter) -> None:
    memory, fake.memory = fake.memory, {}
    for _ in range(3):
        with pytest.raises(DeviceLost, match="zeros"):
            await meter.read()
    assert (await meter.read()).energy_wh == 0.0
    fake.memory = memory
    assert (await meter.read()).energy_wh == 12500.0


async def test_a_swapped_meter_shows_by_its_number(meter: ModbusMeter, fake: FakeMeter) -> None:
    assert (await meter.read()).meter_id == "1234567"
    assert meter.type == "Eastron SDM630"
    fake.serial = 7654321
    fake.set("energy_wh", [0.5])
    assert (await meter.read()).meter_id == "7654321"


async def test_nobody_listens_then_somebody_does(fake: FakeMeter, now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_line, "BACK_OFF_S", (0.0,))
    server, port = await tcp_server(fake)
    await server.shutdown()
    meter = meter_on(port, fake.shape, now)
    with pytest.raises(DeviceLost, match="cannot be opened"):
        await meter.read()
    server, _ = await tcp_server(fake, port)
    assert (await meter.read()).energy_wh == 12500.0
    await server.shutdown()
    with pytest.raises(DeviceLost):
        await meter.read()
    server, _ = await tcp_server(fake, port)
    assert (await meter.read()).energy_wh == 12500.0
    await meter.close()
    await server.shutdown()


async def test_an_end_that_comes_together_with_the_answer_is_not_forgotten(now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    class Client:
        connected = True
        ctx = SimpleNamespace(framer=SimpleNamespace(handleFrame=None))

        def __init__(self, *_: Any, **__: Any) -> None: ...

        async def connect(self) -> bool:
            return True

        async def read_holding_registers(self, *_: Any, **__: Any) -> Any:
            return await asyncio.wait_for(answered, 1.0)

    monkeypatch.setattr("hal.modbus_line.AsyncModbusTcpClient", Client)
    line = ModbusLine(spec.Tcp(host="127.0.0.1"), 0.2, lambda name: name, now)
    reading = asyncio.create_task(line.read("meter", 1, 3, Block(start=0, count=2), 0.0))
    await asyncio.sleep(0.02)
    answered.set_result(None)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_closed_line_is_not_hammered(now: Now, clock: Any) -> None:
    names: list[str] = []

    def resolve(name: str) -> str:
        names.append(name)
        raise FileNotFoundError(name)

    place = spec.Tcp(host="sim:meter2")
    meter = ModbusMeter(ModbusLine(place, 0.2, resolve, clock), table("sdm630"), spec.Meter(map="sdm630", tcp=place), "meter", clock)
    for _ in range(20):
        with pytest.raises(DeviceLost):
            await meter.read()
        clock.pass_s(1.0)
    assert 4 <= len(names) <= 8


async def test_a_resolved_host_brings_its_port(fake: FakeMeter, server: int, now: Now) -> None:
    place = spec.Tcp(host="sim:meter2")
    line = ModbusLine(place, 0.2, lambda name: f"127.0.0.1:{server}", now)
    meter = ModbusMeter(line, fake.shape, spec.Meter(map="sdm630", tcp=place), "meter", now)
    assert (await meter.read()).energy_wh == 12500.0
    await meter.close()


class SerialBus:
    """A Modbus RTU server at the far end of a line made of two pseudo-terminals."""

    def __init__(self, near: Any, far: Any) -> None:
        self.near, self.far = near, far
        near.on_bytes = lambda data: os.write(far.master, data)
        far.on_bytes = lambda data: os.write(near.master, data)
        self.server: ModbusSerialServer | None = None

    async def serve(self, *fakes: FakeMeter) -> None:
        self.server = ModbusSerialServer(
            [fake.device() for fake in fakes], port=str(self.far.path), framer=FramerType.RTU, baudrate=9600, trace_packet=fakes[0].trace
        )
        await self.server.serve_forever(background=True)

    async def end(self) -> None:
        if self.server is not None:
            await self.server.shutdown()


@pytest.fixture
async def bus(line: Any, tmp_path: Path) -> AsyncIterator[SerialBus]:
    far = type(line)(tmp_path / "far")
    far.appear()
    made = SerialBus(line, far)
    yield made
    await made.end()
    far.vanish()


def serial_meter(line: ModbusLine, place: spec.Serial, now: Now, unit: int = 1) -> ModbusMeter:
    return ModbusMeter(line, table("sdm630"), spec.Meter(map="sdm630", serial=place, unit=unit), f"EVSE {unit} meter", now)


async def test_two_meters_on_one_serial_line(bus: SerialBus, fake: FakeMeter, now: Now) -> None:
    other = FakeMeter(table("sdm630"), SDM | {"energy_wh": [99.0]}, serial=7, unit=2)
    await bus.serve(fake, other)
    place = spec.Serial(port=str(bus.near.path))
    line = ModbusLine(place, 0.4, lambda name: name, now)
    first, second = await asyncio.gather(serial_meter(line, place, now).read(), serial_meter(line, place, now, 2).read())
    assert (first.energy_wh, first.meter_id) == (12500.0, "1234567")
    assert (second.energy_wh, second.meter_id) == (99000.0, "7")
    await line.close()


async def test_garbage_on_the_line_is_a_loss_that_passes(bus: SerialBus, fake: FakeMeter, now: Now) -> None:
    await bus.serve(fake)
    place = spec.Serial(port=str(bus.near.path))
    line = ModbusLine(place, 0.2, lambda name: name, now)
    meter = serial_meter(line, place, now)
    await meter.read()
    bus.far.on_bytes = lambda data: os.write(bus.near.master, bytes(byte ^ 0x55 for byte in data))
    with pytest.raises(DeviceLost):
        await meter.read()
    bus.far.on_bytes = lambda data: os.write(bus.near.master, data)
    assert (await meter.read()).energy_wh == 12500.0
    await meter.close()


async def test_an_adapter_that_comes_back_as_another_device_is_followed(
    bus: SerialBus, fake: FakeMeter, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modbus_line, "BACK_OFF_S", (0.0,))
    await bus.serve(fake)
    place = spec.Serial(port=str(bus.near.path))
    meter = serial_meter(ModbusLine(place, 0.2, lambda name: name, now), place, now)
    await meter.read()
    bus.near.vanish()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            await meter.read()
    bus.near.appear()
    assert (await meter.read()).energy_wh == 12500.0
    await meter.close()


async def test_a_parity_the_line_cannot_have_is_a_loss_not_a_crash(line: Any, now: Now) -> None:
    place = spec.Serial(port=str(line.path), parity="E")
    meter = serial_meter(ModbusLine(place, 0.1, lambda name: name, now), place, now)
    with pytest.raises(DeviceLost):
        await meter.read()
    await meter.close()
