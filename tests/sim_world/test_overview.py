"""All charge points in a few words each, and what was charged as the wire saw it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from sim import api_answers
from sim.sessions import Sessions
from tests.sim_world.test_world_api import Outside, outside


async def next_tiles(answer: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while not (line := (await answer.content.readline()).decode()).startswith("data: "):
            pass
    found = json.loads(line.removeprefix("data: "))
    msgspec.convert(found, list[api_answers.Tile], strict=True)
    return list(found)


async def test_first_all_tiles_then_those_that_changed(tmp_path: Path) -> None:
    it = await outside(tmp_path, stations=3)
    try:
        async with it.http.get("/api/overview") as answer:
            first = await next_tiles(answer)
            assert [(tile["station"], tile["identity"], tile["power"], tile["answers"]) for tile in first] == [
                (number, f"CP9-{number}", "off", False) for number in (1, 2, 3)
            ]
            assert [[evse["evse"] for evse in tile["evses"]] for tile in first] == [[1, 2]] * 3
            assert await it.status("POST", "stations/2/evse/1/plug-in") == 200
            assert await it.status("POST", "stations/2/evse/2/fault", {"fault": "diode"}) == 200
            changed: dict[str, Any] = {"evses": [{}, {}]}
            while not changed["evses"][1].get("faults"):
                [changed] = await next_tiles(answer)
            assert (changed["station"], changed["evses"][0]["car"], changed["evses"][1]["car"]) == (2, True, False)
            assert changed["evses"][1]["faults"] == ["diode"]
    finally:
        await it.http.close()
        await it.world.stop()


async def test_a_plug_that_comes_and_goes_is_a_session(tmp_path: Path) -> None:
    it = await outside(tmp_path)
    try:
        assert await it.get("sessions") == []
        await it.status("POST", "evse/2/plug-in")
        [running] = await sessions_when(it, lambda rows: len(rows) == 1)
        assert (running["number"], running["evse"], running["ended"], running["energy_wh"]) == (1, 2, None, 0)
        await it.status("POST", "evse/2/unplug")
        [ended] = await sessions_when(it, lambda rows: rows[0]["ended"] is not None)
        assert ended["ended"] >= ended["began"]
    finally:
        await it.http.close()
        await it.world.stop()


async def sessions_when(it: Outside, met: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while not met(rows := await it.get("sessions")):
            await asyncio.sleep(0.05)
    return list(rows)


def test_energy_and_cards_of_sessions() -> None:
    book = Sessions()
    book.card("04EA", None)
    book.plugged(1, 1000.0)
    book.plugged(2, 0.0)
    book.card("04BB", 1)
    book.unplugged(1, 1250.5)
    book.card("04CC", None)
    rows = book.listed({1: 9999.0, 2: 30.0})
    assert [(row["evse"], row["cards"], row["energy_wh"], row["ended"] is None) for row in rows] == [
        (2, ["04CC"], 30.0, True),
        (1, ["04EA", "04BB"], 250.5, False),
    ]
