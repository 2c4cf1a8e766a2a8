"""A second contactor in a whole world: one phase while the limit is too low for three, and three for the next session."""

from __future__ import annotations

from tests.world import World

SWITCHING = "[board.sim]\nphase_switching = true"


async def test_one_phase_while_the_limit_is_too_low_for_three(world: World) -> None:
    await world.up("ocpp2.0.1", evse="phase_switching = true\nmax_power_w = 3450\nmax_current_1p_a = 13", more=SWITCHING)
    await world.charge()
    state = await world.until(lambda s: s["evses"][0]["current_a"] == [13.0, 0.0, 0.0])
    evse, told = state["evses"][0], state["station"]["connectors"][0]
    assert (evse["phases_connected"], evse["contactor_l23"]["coil"]) == (1, False)
    assert (told["phases"], told["limit_a"], told["reason"]) == (1, 13.0, "limited_by_control")


async def test_three_phases_by_the_second_contactor(world: World) -> None:
    await world.up("ocpp1.6", evse="phase_switching = true", more=SWITCHING)
    await world.charge()
    evse = (await world.until(lambda s: s["evses"][0]["power_w"] > 20000.0))["evses"][0]
    assert (evse["phases_connected"], evse["contactor_l23"]["coil"]) == (3, True)
    await world.unplug()
    await world.until(lambda s: s["evses"][0]["contactor_l23"]["mirror"] == "closed" and not s["evses"][0]["contactor_l23"]["coil"])
