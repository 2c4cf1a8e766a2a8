"""Ten outlets on one board charge with a sample each second while the CSMS takes its time: order kept, nothing lost, the contactor unmoved by it."""

from __future__ import annotations

import asyncio

import pytest

from bench.slow_csms import BOARD, SAMPLED, out_of_order
from tests.world import World

OUTLETS = 10
BUSY_S = 8
ANSWER_S = 5.0
OFFERED = ("B2", "C2")


@pytest.mark.alone
async def test_a_slow_csms_moves_neither_the_order_nor_the_contactor(world: World) -> None:
    await world.up("ocpp2.0.1", evses=OUTLETS, name=BOARD, more=SAMPLED)
    for outlet in range(1, OUTLETS + 1):
        await world.plug_in(outlet)
        await world.swipe()
        await world.until(lambda s, at=outlet - 1: s["evses"][at]["pilot"]["state"] in OFFERED)  # type: ignore[misc]  # a bound place
    await world.until(lambda s: all(evse["contactor"] == "closed" for evse in s["evses"]))
    world.csms.misbehave("slow", count=None, seconds=ANSWER_S)
    await asyncio.sleep(BUSY_S)
    await world.unplug(3)
    await world.contactor("open", 3)
    state = await world.until(lambda s: s["station"]["connectors"][2]["status"] == "Available")
    assert state["station"]["facts_waiting"] > OUTLETS
    assert [evse["contactor"] for evse in state["evses"]].count("closed") == OUTLETS - 1
    world.csms.mischief.clear()
    await world.all_told()
    assert out_of_order(world.csms) == (0, 0)
    assert len(world.csms.book.transactions) == OUTLETS
    (ended,) = [one for one in world.csms.book.transactions if one.ended]
    assert ended.evse == 3
