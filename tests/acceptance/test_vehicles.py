"""Cars that sleep: woken by a step of their ladder, or left alone after all of them, and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.world import World

QUICK = """\
name = "Quick"
[wake]
after_s = 5
steps = [{ do = "x1_break", seconds = 3 }, { do = "state_f", seconds = 3 }]
"""


def quick(directory: Path) -> None:
    """A ladder that is climbed in seconds."""
    (directory / "vehicles").mkdir()
    (directory / "vehicles" / "quick.toml").write_text(QUICK)


def wake(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state["station"]["connectors"][0]["wake"]
    return found


async def test_a_break_of_the_offer_wakes_a_car(world: World) -> None:
    quick(world.directory)
    await world.up("ocpp2.0.1", evse='vehicle = "quick"')
    await world.plug_in(sleeps_after_s=0.0, wakes_by="x1_break", wake_s=2.0)
    await world.swipe()
    await world.until(lambda s: s["evses"][0]["pilot"]["state"] == "B2")
    await world.contactor("closed")
    await world.status("Charging")
    state = await world.until(lambda s: wake(s) == {"doing": "", "steps": 1, "interruptions": 1})
    assert state["station"]["connectors"][0]["vehicle"] == "Quick"
    await world.logged("the car is awake after 1 steps")
    await world.unplug()
    await world.told(lambda csms: csms.book.transactions and csms.book.transactions[0].ended)
    assert len(world.csms.book.transactions) == 1


async def test_state_f_wakes_a_car_and_is_no_fault(world: World) -> None:
    quick(world.directory)
    await world.up("ocpp1.6", more='[vehicles.tokens]\n04A1B2C3 = "quick"')
    await world.plug_in(sleeps_after_s=0.0, wakes_by="f", wake_s=2.0)
    await world.swipe()
    await world.until(lambda s: s["evses"][0]["pilot"]["state"] == "F")
    state = await world.contactor("closed")
    assert wake(state)["steps"] == 2
    assert state["station"]["connectors"][0]["faults"] == []
    assert state["evses"][0]["lock"] == "locked"
    await world.status("Charging")
    assert {told["errorCode"] for told in world.csms.book.calls("CP001", "StatusNotification")} == {"NoError"}


async def test_a_car_that_nothing_wakes_is_left_alone(world: World) -> None:
    quick(world.directory)
    await world.up("ocpp2.0.1", evse='vehicle = "quick"')
    await world.plug_in(sleeps_after_s=0.0)
    await world.swipe()
    state = await world.until(lambda s: s["station"]["connectors"][0]["reason"] == "car_sleeps", 60.0)
    assert wake(state) == {"doing": "given_up", "steps": 2, "interruptions": 2}
    assert "unplug it" in state["station"]["connectors"][0]["sentence"]
    assert state["evses"][0]["cycles"]["coil"] == 0
    await world.logged("left alone")
    await world.status("SuspendedEV")
    await world.unplug()
    await world.charge()
    state = await world.until(lambda s: s["station"]["connectors"][0]["status"] == "Charging")
    assert wake(state) == {"doing": "", "steps": 0, "interruptions": 0}
