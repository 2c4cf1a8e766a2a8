"""A residual-current trip cleared from afar: refused while it lasts, done once, and then a matter for a person again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

ALLOWED = "[control]\ncsms_clears_residual_current = true"
TRIP = "residual_current"
RCD: dict[str, Any] = {"component": {"name": "RCD", "evse": {"id": 1}}, "variable": {"name": "Tripped"}}


async def clear(world: World) -> tuple[str, str]:
    """The status, and the reason where the version has a place for it."""
    if world.version == "ocpp1.6":
        answer = await world.csms.send("CP001", "ChangeConfiguration", {"key": "ClearResidualCurrent", "value": "1"})
        return answer["status"], ""
    answer = await world.csms.send("CP001", "SetVariables", {"setVariableData": [{**RCD, "attributeValue": "false"}]})
    (result,) = answer["setVariableResult"]
    return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("additionalInfo", "")


async def trip(world: World) -> None:
    await world.post("evse/1/fault", {"fault": "rcd_trip"})
    await world.contactor("open")
    await world.until(lambda s: TRIP in s["station"]["connectors"][0]["faults"])


async def ended(world: World) -> None:
    await world.delete("evse/1/fault/rcd_trip")
    await world.until(lambda s: not s["evses"][0]["rcd"]["tripped"])


async def reset(world: World) -> None:
    before = (await world.get("state"))["station"]["pids"]
    await world.csms.send("CP001", "Reset", {"type": "Hard" if world.version == "ocpp1.6" else "Immediate"})
    await world.until(lambda s: s["station"]["pids"]["station"] not in (None, before["station"]) and s["station"]["registration"] == "accepted")


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp1.6"])
async def test_the_csms_clears_a_trip_once_a_day(world: World, version: str) -> None:
    await world.up(version, control=ALLOWED)
    await world.charge()
    await trip(world)
    status, why = await clear(world)
    assert status == "Rejected" and why in ("its cause lasts", "")
    await ended(world)
    await reset(world)
    await world.until(lambda s: s["station"]["connectors"][0]["faults"] == [TRIP])
    assert (await clear(world))[0] == "Accepted"
    await world.until(lambda s: not s["station"]["connectors"][0]["faults"])
    await world.unplug()
    await world.status("Available")
    await world.charge()
    await trip(world)
    await ended(world)
    status, why = await clear(world)
    assert status == "Rejected" and (version == "ocpp1.6" or "within a day" in why)
    await world.logged("the CSMS has cleared it within a day")
    await world.post("evse/1/clear", {"fault": TRIP})
    await world.until(lambda s: not s["station"]["connectors"][0]["faults"])


async def test_the_csms_reads_of_a_trip_and_cannot_clear_it_unless_it_may(world: World) -> None:
    await world.up("ocpp2.0.1")
    await world.charge()
    await trip(world)
    await ended(world)
    (result,) = (await world.csms.send("CP001", "GetVariables", {"getVariableData": [RCD]}))["getVariableResult"]
    assert (result["attributeStatus"], result["attributeValue"]) == ("Accepted", "true")
    assert (await clear(world))[0] == "Rejected"
    assert TRIP in (await world.get("state"))["station"]["connectors"][0]["faults"]
