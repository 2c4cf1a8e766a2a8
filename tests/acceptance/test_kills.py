"""Processes die, hang and stop: charging goes on where it may, and the contactor opens where it must."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
COIL_OFF_S = 0.15
LOST_CONTROL = ("control_killed", "control_stopped", "loop_hung")
"""A hung control is killed soon after by its supervisor; on a busy machine either may come first."""


@pytest.mark.parametrize("version", VERSIONS)
async def test_station_killed_while_charging(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    before = (await world.evse())["cycles"]
    for _ in range(3):
        pid = (await world.get("state"))["station"]["pids"]["station"]
        await world.post("kill", {"process": "station", "signal": "KILL"})
        await world.until(lambda s, old=pid: s["station"]["pids"]["station"] != old and s["station"]["registration"] == "accepted")
    await asyncio.sleep(2)
    assert (await world.evse())["cycles"] == before
    assert (await world.evse())["contactor"] == "closed"
    await world.swipe()
    await world.contactor("open")
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.all_told()
    assert len(world.csms.book.transactions) == 1
    assert world.csms.book.transactions[0].registers[-1][1] == pytest.approx((await world.evse())["energy_wh"], abs=1.0)


async def test_control_killed_while_charging(world: World) -> None:
    await world.up("ocpp2.0.1")
    await world.charge()
    await world.post("kill", {"process": "control", "signal": "KILL"})
    await world.contactor("open")
    await world.contactor("closed")
    assert len(world.csms.book.transactions) == 1
    assert not world.csms.book.transactions[0].ended


@pytest.mark.parametrize("how", ["KILL", "STOP", "HANG"])
async def test_fed_supply_drops_the_coil(world: World, how: str) -> None:
    await world.up("ocpp2.0.1")
    await world.charge()
    await world.post("kill", {"process": "control", "signal": how})
    await world.until(lambda s: not s["evses"][0]["relay_supply"] or s["evses"][0]["contactor"] == "open", 5)
    await world.contactor("open", seconds=5)
    rows = [row for row in await world.get("timings") if row["cause"] in LOST_CONTROL]
    assert rows
    assert rows[0]["max_ms"] <= 1000 * COIL_OFF_S
    if how != "KILL":
        await world.post("kill", {"process": "control", "signal": "CONT"})
    await world.contactor("closed")


async def test_lines_that_fall_back_when_released(world: World) -> None:
    await world.up("ocpp2.0.1", board='accept_software_only = true\n[board.sim]\non_release = "input"\nrelay_supply = "none"')
    await world.charge()
    await world.post("kill", {"process": "control", "signal": "KILL"})
    await world.contactor("open", seconds=5)
    rows = [row for row in await world.get("timings") if row["cause"] == "control_killed"]
    assert rows[0]["max_ms"] <= 1000 * COIL_OFF_S


async def test_safe_outputs_after_death(world: World) -> None:
    await world.up("ocpp2.0.1", board='accept_software_only = true\n[board.sim]\non_release = "keep"\nrelay_supply = "none"')
    await world.charge()
    await world.post("kill", {"process": "control", "signal": "KILL"})
    await world.contactor("open", seconds=5)


@pytest.mark.parametrize("station", ["healthy", "STOP", "KILL"])
@pytest.mark.parametrize("skips_b", [False, True])
async def test_another_car_within_the_lease(world: World, station: str, skips_b: bool) -> None:
    await world.up("ocpp2.0.1")
    await world.charge()
    coil = (await world.evse())["cycles"]["coil"]
    if station != "healthy":
        await world.post("kill", {"process": "station", "signal": station})
    await world.unplug()
    await world.plug_in(1, skips_b=skips_b)
    await asyncio.sleep(4)
    evse = await world.evse()
    assert evse["contactor"] == "open"
    assert evse["cycles"]["coil"] == coil
    if station == "STOP":
        await world.post("kill", {"process": "station", "signal": "CONT"})
    await world.told(lambda csms: bool(csms.book.transactions) and csms.book.transactions[0].ended)
    assert (await world.evse())["contactor"] == "open"


async def test_silent_station_ends_the_lease(world: World) -> None:
    await world.up("ocpp2.0.1", control="[control]\nlease_s = 5")
    await world.charge()
    await world.post("kill", {"process": "station", "signal": "STOP"})
    await world.contactor("open", seconds=20)
    await world.post("kill", {"process": "station", "signal": "CONT"})
    await world.contactor("closed")


async def test_unplug_under_load(world: World) -> None:
    await world.up("ocpp2.0.1")
    for number in range(12):
        await world.charge(delay_s=0.1)
        await world.until(lambda s: s["evses"][0]["current_a"][0] > 1)
        stopped = number % 3 == 0
        if stopped:
            await world.post("kill", {"process": "station", "signal": "STOP"})
        await world.unplug()
        await world.contactor("open", seconds=2)
        if stopped:
            await world.post("kill", {"process": "station", "signal": "CONT"})
        await world.status("Available")
    rows = {row["cause"]: row for row in await world.get("timings")}
    assert rows["unplug"]["count"] == 12
    await world.all_told()
