"""Chargers built differently: a tethered cable, a meter behind the contactor."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import OTHER_CARD, World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
LAST_POLLS_WH = 10.0
"""What three phases of 16 A count in three seconds: such a meter says nothing after the contactor has opened."""


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_tethered_cable_has_no_lock(world: World, version: str) -> None:
    await world.up(version, connector="cType2")
    await world.charge()
    await world.until(lambda s: s["evses"][0]["current_a"][0] > 10)
    assert (await world.evse())["cycles"]["under_load"] == 0
    await world.swipe()
    await world.contactor("open")
    await world.unplug()
    await world.status("Available")
    await world.swipe(OTHER_CARD)
    await world.plug_in()
    await world.contactor("closed")
    await world.unplug()
    await world.told(lambda csms: len(csms.book.transactions) == 2 and all(t.ended for t in csms.book.transactions))
    where, answer = ({"connectorId": 1}, "NotSupported") if version == "ocpp1.6" else ({"evseId": 1, "connectorId": 1}, "UnlockFailed")
    assert (await world.csms.send("CP001", "UnlockConnector", where))["status"] == answer


@pytest.mark.alone
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_meter_behind_the_contactor(world: World, version: str) -> None:
    """It is silent whenever the contactor is open: no fault, and every register told is one it gave."""
    await world.up(version, evse='meter_position = "after"')
    energies = []
    for number in (1, 2):
        await world.charge()
        await world.until(lambda s: s["evses"][0]["current_a"][0] > 10)
        await asyncio.sleep(3)
        assert not (await world.get("state"))["station"]["connectors"][0]["faults"]
        await (world.swipe() if number == 1 else world.unplug())
        await world.contactor("open")
        await world.told(lambda csms, n=number: len(csms.book.transactions) == n and csms.book.transactions[-1].ended)
        energies.append((await world.evse())["energy_wh"])
        if number == 1:
            await world.unplug()
        await world.status("Available")
    first, second = world.csms.book.transactions
    assert first.registers[-1][1] == pytest.approx(energies[0], abs=LAST_POLLS_WH)
    assert first.registers[-1][1] <= second.registers[0][1] <= second.registers[-1][1]
    assert second.registers[-1][1] == pytest.approx(energies[1], abs=LAST_POLLS_WH)
    await world.all_told()
