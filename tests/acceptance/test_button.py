"""A charger with a start button instead of cards (OCPP 2.0.1 C02): a press begins, the next one ends."""

from __future__ import annotations

from tests.world import World

NO_CARDS = """
[ocpp2.variables]
"AuthCtrlr.Enabled" = false
"""


async def test_a_press_begins_and_the_next_one_ends(world: World) -> None:
    await world.up("ocpp2.0.1", board="[board.sim]\nstart_button = true", more=NO_CARDS)
    await world.post("evse/1/plug-in", {"ev": {"delay_s": 0.2, "s2_open_s": 0.2}})
    await world.until(lambda s: s["station"]["connectors"][0]["reason"] == "button_awaited")
    await world.post("evse/1/button")
    await world.status("Charging")
    await world.post("evse/1/button")
    await world.status("Finishing")
    await world.until(lambda s: s["evses"][0]["contactor"] == "open")
    await world.unplug()
    await world.status("Available")


async def test_without_a_button_plugging_in_begins(world: World) -> None:
    await world.up("ocpp2.0.1", more=NO_CARDS)
    await world.post("evse/1/plug-in", {"ev": {"delay_s": 0.2}})
    await world.status("Charging")
