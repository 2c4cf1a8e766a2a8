"""A board that can release the breaker before a contactor that does not open."""

from __future__ import annotations

import pytest

from tests.world import World


@pytest.mark.parametrize("fault", ["contactor_weld", "mirror_stuck_open"])
async def test_a_contactor_that_does_not_open_costs_the_breaker(world: World, fault: str) -> None:
    await world.up("ocpp2.0.1", board="[board.sim]\nshunt_trip = true")
    await world.charge()
    await world.post("evse/1/fault", {"fault": fault})
    await world.swipe()
    evse = (await world.until(lambda s: s["evses"][0]["breaker"] == "open"))["evses"][0]
    assert evse["outlet_v"] == [0.0, 0.0, 0.0]
    await world.until(lambda s: "contactor_welded" in s["station"]["connectors"][0]["faults"])
    assert (await world.evse())["lock"] == "locked"
    await world.delete(f"evse/1/fault/{fault}")
    await world.post("evse/1/breaker", {"closed": True})
    await world.until(lambda s: s["evses"][0]["mirror"] == "closed")
    await world.post("evse/1/clear", {"fault": fault})
    await world.until(lambda s: "contactor_welded" not in s["station"]["connectors"][0]["faults"])
    await world.unplug()
    await world.status("Available")
    await world.charge()
    assert (await world.evse())["breaker"] == "closed"
