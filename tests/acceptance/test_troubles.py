"""Devices that go and come back, lines full of garbage, a CSMS that answers nonsense, and the guards: a reason, and recovery without restart."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import OTHER_CARD, World

OPENING_FAULTS = ["diode", "cp_short", "rcd_trip", "emergency_stop", "lock_feedback_lost"]
CLEARED_BY_PERSON = {"rcd_trip": "residual_current"}


@pytest.mark.parametrize("fault", ["meter_offline", "meter_garbage", "meter_nan"])
async def test_meter_off_the_bus_and_back(world: World, fault: str) -> None:
    await world.up("ocpp2.0.1")
    await world.charge()
    await world.post("evse/1/fault", {"fault": fault})
    state = await world.until(lambda s: "meter" in str(s["station"]["connectors"][0]).lower())
    assert state["evses"][0]["contactor"] == "closed"
    await world.delete(f"evse/1/fault/{fault}")
    await world.until(lambda s: "meter" not in str(s["station"]["connectors"][0]).lower())
    await world.swipe()
    await world.told(lambda csms: bool(csms.book.transactions) and csms.book.transactions[0].ended)
    assert world.csms.book.transactions[0].registers[-1][1] == pytest.approx((await world.evse())["energy_wh"], abs=1.0)


async def test_reader_unplugged_and_back(world: World) -> None:
    await world.up("ocpp2.0.1")
    await world.post("evse/1/fault", {"fault": "reader_offline"})
    await asyncio.sleep(3)
    await world.delete("evse/1/fault/reader_offline")
    await world.plug_in()
    await asyncio.sleep(3)
    await world.swipe()
    await world.contactor("closed")


async def test_text_cards(world: World) -> None:
    world.csms.book.set_card("member-17", "Accepted")
    await world.up("ocpp2.0.1")
    await world.plug_in()
    await world.swipe("member-17")
    await world.contactor("closed")
    await world.told(lambda csms: bool(csms.book.transactions) and csms.book.transactions[0].token == "member-17")


@pytest.mark.parametrize("fault", OPENING_FAULTS)
async def test_fault_opens_and_recovers(world: World, fault: str) -> None:
    await world.up("ocpp1.6")
    await world.charge()
    await world.post("evse/1/fault", {"fault": fault})
    await world.contactor("open", seconds=3)
    await asyncio.sleep(2)
    assert (await world.evse())["contactor"] == "open"
    await world.delete(f"evse/1/fault/{fault}")
    await asyncio.sleep(1)
    if fault in CLEARED_BY_PERSON:
        await world.post("evse/1/clear", {"fault": CLEARED_BY_PERSON[fault]})
    await world.unplug()
    await world.status("Available")
    await world.plug_in()
    await world.swipe(OTHER_CARD)
    await world.contactor("closed")


async def test_weld_is_found_and_never_closed_again(world: World) -> None:
    await world.up("ocpp1.6")
    await world.charge()
    await world.post("evse/1/fault", {"fault": "contactor_weld"})
    await world.swipe()
    await world.status("Faulted")
    cycles = (await world.evse())["cycles"]["coil"]
    await world.unplug()
    await asyncio.sleep(1)
    await world.plug_in()
    await world.swipe()
    await asyncio.sleep(3)
    assert (await world.evse())["cycles"]["coil"] == cycles
    await world.delete("evse/1/fault/contactor_weld")
    await asyncio.sleep(1)
    await world.post("evse/1/clear", {"fault": "contactor_welded"})


@pytest.mark.parametrize("fault", ["pp_open", "pp_short", "lock_jam", "emergency_stop"])
async def test_guard_keeps_it_open(world: World, fault: str) -> None:
    await world.up("ocpp1.6")
    await world.post("evse/1/fault", {"fault": fault})
    await world.plug_in()
    await world.swipe()
    await asyncio.sleep(5)
    evse = await world.evse()
    assert evse["contactor"] == "open"
    assert evse["cycles"]["coil"] == 0


@pytest.mark.parametrize("cable_a", [13, 20])
async def test_cable_caps_the_offer(world: World, cable_a: int) -> None:
    await world.up("ocpp1.6")
    await world.charge(cable_a=cable_a)
    await world.until(lambda s: s["evses"][0]["current_a"][0] > 5)
    evse = await world.evse()
    assert evse["pilot"]["duty_percent"] * 0.6 <= cable_a + 0.05
    assert evse["pilot"]["duty_percent"] * 0.6 >= cable_a - 0.5


@pytest.mark.parametrize("nonsense", ["", "[]", "[2]", "{}", '[3,"1",null]', '[2,"x","NoSuchAction",{}]', '[2,"y","Reset",7]', "\x00\xff", "[4,5]"])
async def test_nonsense_from_the_csms(world: World, nonsense: str) -> None:
    await world.up("ocpp1.6")
    await world.csms.send_text("CP001", nonsense)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    world.csms.book.violations.clear()  # answers to a CALL this CSMS does not know of as sent


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_hard_reset_and_soft_reset(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    kinds = ("Hard", "Soft") if version == "ocpp1.6" else ("Immediate", "Immediate")
    answer = await world.csms.send("CP001", "Reset", {"type": kinds[0]})
    assert answer["status"] == "Accepted"
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.told(lambda csms: len(csms.book.station("CP001").boots) == 2)
    assert world.csms.book.transactions[0].reason in ("HardReset", "ImmediateReset")
    await world.unplug()
    await world.status("Available")
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 2)
    control = (await world.get("state"))["station"]["pids"]["control"]
    await world.csms.send("CP001", "Reset", {"type": kinds[1]})
    await world.told(lambda csms: len(csms.book.station("CP001").boots) == 3)
    state = await world.until(lambda s: s["station"] is not None)
    assert state["station"]["pids"]["control"] == control
    if version == "ocpp2.0.1":
        assert [boot.get("reason") for boot in world.csms.book.station("CP001").boots] == ["PowerUp", "RemoteReset", "RemoteReset"]
