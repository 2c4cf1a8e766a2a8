"""The main job through the control API alone, in both versions: every way to start, every way to end, and the energy told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.world import KNOWN_CARD, OTHER_CARD, UNKNOWN_CARD, World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
STOP_REASONS = {"swipe": ("Local", None), "remote": ("Remote",), "unplug": ("EVDisconnected",)}
METER_STEP_WH = 1.0


async def plug_then_swipe(world: World) -> None:
    await world.plug_in(1)
    await asyncio.sleep(0.5)
    assert (await world.evse())["contactor"] == "open"
    await world.swipe()


async def swipe_then_plug(world: World) -> None:
    await world.swipe()
    await asyncio.sleep(1.0)
    await world.plug_in(1)


async def remote_start(world: World) -> None:
    await world.plug_in(1)
    action, payload = "RemoteStartTransaction", {"idTag": KNOWN_CARD, "connectorId": 1}
    if world.version == "ocpp2.0.1":
        action = "RequestStartTransaction"
        payload = {"idToken": {"idToken": KNOWN_CARD, "type": "ISO14443"}, "remoteStartId": 7, "evseId": 1}
    assert (await world.csms.send("CP001", action, payload))["status"] == "Accepted"


async def end_by_swipe(world: World) -> None:
    await world.swipe()


async def end_by_remote(world: World) -> None:
    running = next(t for t in world.csms.book.transactions if not t.ended)
    if world.version == "ocpp2.0.1":
        answer = await world.csms.send("CP001", "RequestStopTransaction", {"transactionId": running.id})
    else:
        answer = await world.csms.send("CP001", "RemoteStopTransaction", {"transactionId": int(running.id)})
    assert answer["status"] == "Accepted"


async def end_by_unplug(world: World) -> None:
    await world.unplug(1)


STARTS = {"plug_then_swipe": plug_then_swipe, "swipe_then_plug": swipe_then_plug, "remote_start": remote_start}
ENDS = {"swipe": end_by_swipe, "remote": end_by_remote, "unplug": end_by_unplug}


def register(transaction: Any, which: int) -> float:
    return float(transaction.registers[which][1])


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_start_with_every_end(world: World, version: str) -> None:
    await world.up(version)
    for number, (start, end) in enumerate([(s, e) for s in STARTS for e in ENDS], 1):
        before = (await world.evse())["energy_wh"]
        await STARTS[start](world)
        await world.contactor("closed")
        await world.until(lambda s: s["evses"][0]["current_a"][0] > 10)
        await world.told(lambda csms, n=number: len(csms.book.transactions) == n)
        await asyncio.sleep(1.0)
        await ENDS[end](world)
        await world.contactor("open")
        transaction = world.csms.book.transactions[-1]
        await world.told(lambda csms, t=transaction: t.ended)
        after = (await world.evse())["energy_wh"]
        assert transaction.reason in STOP_REASONS[end], (start, end)
        assert transaction.token == KNOWN_CARD
        assert register(transaction, 0) == pytest.approx(before, abs=METER_STEP_WH)
        assert register(transaction, -1) == pytest.approx(after, abs=METER_STEP_WH)
        if end != "unplug":
            await world.unplug(1)
        await world.status("Available")
        await world.all_told()
        await world.judged()
    assert len(world.csms.book.transactions) == 9


@pytest.mark.parametrize("version", VERSIONS)
async def test_unknown_card_never_closes(world: World, version: str) -> None:
    await world.up(version)
    await world.plug_in(1)
    await world.swipe(UNKNOWN_CARD)
    await asyncio.sleep(4)
    state = await world.get("state")
    assert state["evses"][0]["contactor"] == "open"
    assert state["evses"][0]["cycles"]["coil"] == 0
    await world.swipe()
    await world.contactor("closed")
    await world.swipe(OTHER_CARD)
    await asyncio.sleep(2)
    assert (await world.evse())["contactor"] == "closed"
    await world.swipe(UNKNOWN_CARD)
    await asyncio.sleep(2)
    assert (await world.evse())["contactor"] == "closed"


@pytest.mark.parametrize("version", VERSIONS)
async def test_two_evses_side_by_side(world: World, version: str) -> None:
    await world.up(version, evses=2)
    await world.plug_in(1)
    await world.swipe()
    await world.contactor("closed", 1)
    await world.plug_in(2)
    await world.swipe(OTHER_CARD)
    await world.contactor("closed", 2)
    await asyncio.sleep(1.5)
    await world.unplug(1)
    await world.contactor("open", 1)
    assert (await world.evse(2))["contactor"] == "closed"
    await world.unplug(2)
    await world.contactor("open", 2)
    await world.told(lambda csms: sum(t.ended for t in csms.book.transactions) == 2)
    await world.all_told()
    assert {t.token for t in world.csms.book.transactions} == {KNOWN_CARD, OTHER_CARD}


@pytest.mark.parametrize("version", VERSIONS)
async def test_car_pauses_and_goes_on(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.post("evse/1/ev", {"ready": False})
    await world.contactor("open")
    await world.status("SuspendedEV")
    await world.post("evse/1/ev", {"ready": True})
    await world.contactor("closed")
    await world.status("Charging")
    assert len(world.csms.book.transactions) == 1
