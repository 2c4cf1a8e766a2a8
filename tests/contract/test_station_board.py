"""What the station may rely on of any meter and reader: the drivers on the simulated ones, whose registers were written from the makers' tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hal import board as boards
from hal import spec
from hal.errors import DeviceLost
from hal.ports import Meter, TokenReader
from sim.meters import Meters
from sim.readers import Readers

SEEN = {
    "voltage_v": (230.0, 231.0, 229.0),
    "current_a": (16.0, 15.0, 14.0),
    "power_w": (3680.0, 3465.0, 3206.0),
    "energy_wh": 12340.0,
    "frequency_hz": 50.0,
    "answering": True,
    "faults": [],
}


class StationWorld:
    """Simulated meters of each map, one per EVSE, and the readers of the simulated board."""

    def __init__(self, directory: Path) -> None:
        self.seen = dict(SEEN)
        serial, tcp = spec.Serial(port="sim:meter1"), spec.Tcp(host="sim:meter2")
        rows = [
            spec.Meter(map="sdm630", serial=serial),
            spec.Meter(map="abb_b23", tcp=tcp),
            spec.Meter(map="sdm72dm_v2", tcp=spec.Tcp(host="sim:meter3")),
        ]
        self.meters = Meters(list(enumerate(rows, 1)), directory, self.meter_of)
        self.rows = rows
        self.board = _board(rows)
        self.readers = Readers(self.board.reader, [1, 2, 3], directory, powered=_yes, listening=_yes, on_change=lambda *a, **k: None)
        self.names: dict[str, str] = {}
        self._directory = directory

    async def meter_of(self, evse: int) -> dict[str, Any]:
        return self.seen

    def resolve(self, port: str) -> str:
        name = port.removeprefix("sim:")
        return self.names.get(name, str(self._directory / name))


def _yes(*_: object) -> bool:
    return True


def _board(rows: list[spec.Meter]) -> spec.Board:
    sim = boards.load("sim", None)
    evses = tuple(msgspec.structs.replace(evse, meter=row) for evse, row in zip(sim.evse, rows, strict=False))
    readers = (
        spec.Reader(kind="pn532", serial=spec.Serial(port="sim:pn532", baud=115200)),
        spec.Reader(kind="text", serial=spec.Serial(port="sim:text")),
    )
    return msgspec.structs.replace(sim, evse=evses, reader=readers)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[StationWorld]:
    made = StationWorld(tmp_path)
    made.names = await made.meters.start()
    await made.readers.start()
    yield made
    await made.readers.stop()
    await made.meters.stop()


@pytest.fixture
async def opened(world: StationWorld, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr("sim.rig.client.resolve", world.resolve)
    board = boards.open_station(world.board, [1, 2, 3], time.monotonic)
    yield board
    for meter in board.meters.values():
        await meter.close()
    for reader, _ in board.readers:
        await reader.close()


async def presented(reader: TokenReader) -> str:
    async with asyncio.timeout(10.0):
        return (await reader.next()).value


@pytest.mark.parametrize("evse", [1, 2, 3])
async def test_each_map_reads_what_its_maker_documents(opened: Any, evse: int) -> None:
    meter: Meter = opened.meters[evse]
    reading = await meter.read()
    assert reading.energy_wh == pytest.approx(12340.0, abs=10.0)
    assert reading.power_w == pytest.approx(10351.0, abs=0.1)
    assert reading.voltage_v == pytest.approx(SEEN["voltage_v"], abs=0.1)
    assert reading.current_a == pytest.approx(SEEN["current_a"], abs=0.01)
    assert reading.power_phase_w == pytest.approx(SEEN["power_w"], abs=0.1)
    assert reading.frequency_hz == pytest.approx(50.0, abs=0.01)
    assert reading.export_wh == 0.0
    assert reading.meter_id.isdecimal()


@pytest.mark.parametrize("evse", [1, 2])
async def test_faults_of_a_meter_come_and_go(world: StationWorld, opened: Any, evse: int) -> None:
    meter: Meter = opened.meters[evse]
    first = await meter.read()
    for fault in ("meter_offline", "meter_garbage"):
        world.seen = SEEN | {"faults": [fault]}
        await asyncio.sleep(0.1)
        with pytest.raises(DeviceLost):
            await meter.read()
        world.seen = SEEN
        async with asyncio.timeout(10.0):
            while not await answers(meter):
                await asyncio.sleep(0.1)
    world.seen = SEEN | {"faults": ["meter_nan"]}
    await asyncio.sleep(0.1)
    assert (await meter.read()).energy_wh is None
    world.seen = SEEN
    await asyncio.sleep(0.1)
    assert (await meter.read()).meter_id == first.meter_id


async def answers(meter: Meter) -> bool:
    try:
        await meter.read()
    except DeviceLost:
        return False
    return True


async def test_swipes_come_in_order_and_twice_counts_twice(world: StationWorld, opened: Any) -> None:
    (cards, _), (texts, _) = opened.readers
    heard = [asyncio.create_task(presented(reader)) for reader in (cards, texts)]
    for uid in ("04a1b2c3", "ALICE-01"):
        world.readers.swipe(uid, None)
    assert [await task for task in heard] == ["04A1B2C3", "ALICE-01"]
    for uid in ("04A1B2C3", "04A1B2C3", "04112233445566", "04A1B2C3"):
        world.readers.swipe(uid, None)
    assert [await presented(cards) for _ in range(4)] == ["04A1B2C3", "04A1B2C3", "04112233445566", "04A1B2C3"]


async def test_a_reader_unplugged_and_back(world: StationWorld, opened: Any) -> None:
    for number, (reader, _) in enumerate(opened.readers):
        uid = ("04A1B2C3", "ALICE-01")[number]
        waiting = asyncio.create_task(presented(reader))
        async with asyncio.timeout(10.0):
            while not reader.healthy():
                await asyncio.sleep(0.02)
        world.readers.set_offline(1, True)
        with pytest.raises(DeviceLost):
            await waiting
        world.readers.set_offline(1, False)
        world.readers.swipe(uid, None)
        assert await presented(reader) == uid
