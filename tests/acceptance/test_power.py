"""Power that goes and returns, processes that are asked to end, and what holds afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.world import OTHER_CARD, World


async def power_cut(world: World, *, car_stays: bool = True) -> None:
    await world.post("power", {"state": "off", "how": "cut"})
    await world.contactor("open", seconds=1)
    if not car_stays:
        await world.unplug()
    await world.post("power", {"state": "on"})
    await world.registered("accepted")


async def test_resume_with_the_same_car_and_end_with_none(world: World) -> None:
    await world.up("ocpp2.0.1", station='after_power_loss = "resume"')
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await power_cut(world)
    await world.contactor("closed")
    await asyncio.sleep(1)
    assert not world.csms.book.transactions[0].ended
    await power_cut(world, car_stays=False)
    await world.told(lambda csms: csms.book.transactions[0].ended)
    assert world.csms.book.transactions[0].reason == "PowerLoss"
    assert (await world.evse())["contactor"] == "open"
    assert world.csms.book.transactions[0].registers[-1][1] == pytest.approx((await world.evse())["energy_wh"], abs=1.0)
    await world.all_told()
    assert len(world.csms.book.transactions) == 1


async def test_ended_with_another_meter(world: World) -> None:
    await world.up("ocpp1.6")
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await asyncio.sleep(2)
    last = (await world.evse())["energy_wh"]
    await world.post("power", {"state": "off", "how": "cut"})
    await world.post("evse/1/fault", {"fault": "meter_swapped"})
    await world.post("power", {"state": "on"})
    await world.told(lambda csms: csms.book.transactions[0].ended, 60)
    told = world.csms.book.transactions[0]
    assert told.reason == "PowerLoss"
    assert 0 <= told.registers[-1][1] - told.registers[0][1] <= last + 1.0
    assert (await world.evse())["contactor"] == "open"
    await world.unplug()
    await world.status("Available")
    await world.charge()
    await asyncio.sleep(2)
    await world.swipe()
    await world.told(lambda csms: len(csms.book.transactions) == 2 and csms.book.transactions[1].ended)


async def test_asked_to_end_under_load(world: World) -> None:
    await world.up("ocpp2.0.1")
    await world.charge(s2_open_s=1.5)
    await world.until(lambda s: s["evses"][0]["current_a"][0] > 5)
    cycles = (await world.evse())["cycles"]
    pid = (await world.get("state"))["station"]["pids"]["station"]
    await world.post("kill", {"process": "station", "signal": "TERM"})
    await world.until(lambda s: s["station"]["pids"]["station"] != pid and s["station"]["registration"] == "accepted")
    await asyncio.sleep(1)
    assert (await world.evse())["cycles"] == cycles
    await world.post("kill", {"process": "control", "signal": "TERM"})
    await world.contactor("open", seconds=8)
    assert (await world.evse())["cycles"]["under_load"] == 0
    await world.contactor("closed")
    await world.until(lambda s: s["evses"][0]["current_a"][0] > 5)
    await world.post("power", {"state": "off", "how": "shutdown"})
    await world.until(lambda s: s["power"] == "off")
    evse = await world.evse()
    assert (evse["contactor"], evse["lock"], evse["cycles"]["under_load"]) == ("open", "unlocked", 0)
    await world.post("power", {"state": "on"})
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.all_told()


async def test_a_used_directory_and_the_end_within_two_seconds(world: World) -> None:
    await world.up("ocpp1.6")
    await world.charge()
    await world.until(lambda s: s["evses"][0]["energy_wh"] > 5)
    await world.post("power", {"state": "off"})
    energy = (await world.evse())["energy_wh"]
    assert energy > 1
    await world.post("power", {"state": "on"})
    before = asyncio.get_running_loop().time()
    await world.down()
    assert asyncio.get_running_loop().time() - before < 2.0
    assert not [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and str(world.directory) in _environment(entry)]
    await world.up("ocpp1.6")
    evse = await world.evse()
    assert not evse["plugged"]
    assert evse["energy_wh"] >= energy
    await world.told(lambda csms: bool(csms.book.transactions) and csms.book.transactions[0].ended)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 2)


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


async def test_residual_current_test_that_fails(world: World) -> None:
    await world.up("ocpp1.6")
    await world.charge()
    await world.post("evse/1/fault", {"fault": "rcd_stuck"})
    await asyncio.sleep(1)
    assert (await world.evse())["contactor"] == "closed"
    await world.unplug()
    await world.contactor("open")
    await world.until(lambda s: s["station"]["connectors"][0]["faults"] != [])
    cycles = (await world.evse())["cycles"]["coil"]
    await world.plug_in()
    await world.swipe(OTHER_CARD)
    await asyncio.sleep(3)
    assert (await world.evse())["cycles"]["coil"] == cycles
    await world.status("Faulted")
