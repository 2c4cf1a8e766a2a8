"""Every fault of the simulator through its control API, with a firmware that stands still: what its name says is what the wire shows, until it goes.

What only a moving firmware shows (buses, meters, readers, the lock's strokes) is in the campaign and in the tests of the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sim.api_bodies import ALL_FAULTS
from sim.csms.server import Csms
from tests.world import World

Evse = dict[str, Any]
Sees = Callable[[Evse], bool]
ON_THE_WIRE: dict[str, Sees] = {
    "diode": lambda evse: evse["pilot"]["state"] == "C2" and evse["pilot"]["low_v"] > -10.0,
    "cp_short": lambda evse: evse["pilot"]["state"] == "E",
    "cp_open": lambda evse: evse["pilot"]["state"] == "A" and evse["current_a"] != [0.0] * 3,
    "pilot_spike": lambda evse: evse["pilot"]["high_v"] > 11.0,
    "pilot_offset": lambda evse: 6.9 < evse["pilot"]["high_v"] < 7.1,
    "pwm_stuck": lambda evse: evse["pilot"]["duty_percent"] == 20.0,
    "pwm_lost": lambda evse: evse["pilot"]["state"] == "C1",
    "contactor_stuck_open": lambda evse: evse["coil"] and evse["contacts"] == [False] * 3 and evse["mirror"] == "closed",
    "relay_supply_lost": lambda evse: not evse["relay_supply"] and not evse["coil"] and evse["contactor"] == "open",
    "mirror_stuck_closed": lambda evse: evse["mirror"] == "closed" and evse["contacts"] == [True] * 3,
    "contactor_l23_stuck_open": lambda evse: evse["contacts"] == [True, False, False] and evse["phases_connected"] == 1,
    "over_current": lambda evse: evse["current_a"][0] > 40.0,
    "under_voltage": lambda evse: evse["outlet_v"] == [190.0] * 3,
    "over_voltage": lambda evse: evse["outlet_v"] == [265.0] * 3,
    "phase_loss": lambda evse: evse["outlet_v"] == [0.0, 230.0, 230.0],
    "pe_loss": lambda evse: evse["pilot"]["state"] == "A",
    "rcd_trip": lambda evse: evse["rcd"]["leak_ma"] == 30.0 and evse["rcd"]["tripped"] and not evse["coil"],
    "rcd_stuck_tripped": lambda evse: evse["rcd"]["tripped"] and evse["rcd"]["leak_ma"] == 0.0,
    "over_temperature": lambda evse: evse["temperatures_c"]["inside"] == 85.0,
    "temperature_jump": lambda evse: evse["temperatures_c"]["inside"] > 70.0,
    "lock_feedback_lost": lambda evse: (evse["lock"], evse["lock_feedback"]) == ("locked", "unlocked"),
    "pp_open": lambda evse: evse["pp_ohm"] is None,
    "pp_short": lambda evse: evse["pp_ohm"] == 0.0,
    "pp_change": lambda evse: evse["pp_ohm"] == 1500.0,
}
OPEN_COIL: dict[str, Sees] = {
    "contactor_weld": lambda evse: evse["contacts"] == [True, False, False] and evse["mirror"] == "open",
    "contactor_l23_weld": lambda evse: evse["contacts"] == [False, True, True] and evse["mirror"] == "open",
    "mirror_stuck_open": lambda evse: evse["contacts"] == [False] * 3 and evse["mirror"] == "open",
}
"""Seen while the coil has no current."""
VALUES = {"pwm_stuck": {"value": 20.0}, "pilot_spike": {"for_ms": 400.0}, "over_current": {"value": 45.0}}


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[World]:
    """A car charges; then the firmware stands still, and its outputs with it."""
    csms = Csms()
    world = World(tmp_path, csms, await csms.start("127.0.0.1", 0))
    try:
        await world.up("ocpp1.6", board='[board.sim]\nrelay_supply = "none"')
        await world.charge(s2_open_s=None)
        await world.until(lambda s: s["evses"][0]["current_a"][0] > 31)
        async with world.standing_still("station", "control"):
            yield world
    finally:
        await world.down()
        await csms.stop()


async def seen(world: World, fault: str, sees: Sees) -> None:
    await world.post("evse/1/fault", {"fault": fault, **VALUES.get(fault, {})})
    try:
        await world.until(lambda s: sees(s["evses"][0]), 3.0)
    except AssertionError as never:
        raise AssertionError(f"{fault}: {never}") from None
    await world.delete(f"evse/1/fault/{fault}")


def undone(state: dict[str, Any]) -> bool:
    evse = state["evses"][0]
    whole = evse["contacts"] == [True] * 3 and evse["current_a"][0] > 31 and evse["mirror"] == "open" and not evse["rcd"]["tripped"]
    return whole and evse["pilot"]["state"] == "C2" and evse["pp_ohm"] == 220.0 and not evse["faults"]


async def test_each_fault_shows_on_the_wire_and_goes(still: World) -> None:
    for fault, sees in ON_THE_WIRE.items():
        await seen(still, fault, sees)
        await still.until(undone, 5.0)
    await still.post("evse/1/fault", {"fault": "relay_supply_lost"})
    for fault, sees in OPEN_COIL.items():
        await seen(still, fault, sees)
        await still.until(lambda s: s["evses"][0]["mirror"] == "closed", 3.0)
    await still.delete("evse/1/fault/relay_supply_lost")
    await still.until(undone, 5.0)
    for fault in sorted(set(ALL_FAULTS) - ON_THE_WIRE.keys() - OPEN_COIL.keys() - {"adc_reset"}):
        await still.post("evse/1/fault", {"fault": fault})
        assert (await still.evse())["faults"] == [fault]
        await still.delete(f"evse/1/fault/{fault}")
    await still.until(undone, 5.0)
