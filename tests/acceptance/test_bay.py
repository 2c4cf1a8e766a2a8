"""A charger with sensors in its parking bays (OCPP 2.0.1 E01 S1, E06 S1)."""

from __future__ import annotations

from tests.world import World

PARKED = """
[ocpp2.variables]
"TxCtrlr.TxStartPoint" = "ParkingBayOccupancy,EVConnected"
"TxCtrlr.TxStopPoint" = "ParkingBayOccupancy"
"""


async def test_a_transaction_lasts_from_the_arrival_to_the_departure(world: World) -> None:
    await world.up("ocpp2.0.1", board="[board.sim]\nbay_sensor = true", more=PARKED)
    await world.until(lambda s: s["station"]["connectors"][0]["reason"] == "free")
    await world.post("evse/1/bay", {"occupied": True})
    state = await world.until(lambda s: s["station"]["connectors"][0]["reason"] == "car_in_bay")
    transaction = state["station"]["connectors"][0]["transaction"]
    assert transaction and state["evses"][0]["bay"] == "occupied" and state["station"]["connectors"][0]["status"] == "Available"
    await world.post("evse/1/plug-in", {"ev": {"delay_s": 0.2, "s2_open_s": 0.2}})
    await world.status("Preparing")
    await world.swipe()
    await world.status("Charging")
    await world.swipe()
    await world.status("Finishing")
    await world.post("kill", {"process": "station"})
    await world.until(lambda s: s["evses"][0]["contactor"] == "open")
    await world.unplug()
    await world.status("Available")
    assert (await world.get("state"))["station"]["connectors"][0]["transaction"] == transaction
    await world.post("evse/1/bay", {"occupied": False})
    await world.until(lambda s: s["station"]["connectors"][0]["transaction"] is None)
