"""One EVSE of a world, its driver and its car: brought to each state of a session and back. Must not know faults or what is expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, NamedTuple

from proof.timeline import Event, Met, Timeline, coil_off
from tests.world import World

PATIENCE_S = 30.0
"""For what is no measurement: a contactor rests 10 s after a fault, and a busy machine takes its time."""
STOPS_WITHIN_S = 9.0
FREE_S = 6.0
CAR: dict[str, Any] = {"delay_s": 0.2, "follow_s": 0.2, "max_current_a": 16}


class State(StrEnum):
    """A state of pilot and session in which something happens."""

    A = "A"
    B1 = "B, no permit"
    B2 = "B, offered"
    C2 = "C, charging"
    C1 = "C, withdrawn"
    AFTER = "B, after the session"
    D2 = "D, charging"
    E = "E, charging before"
    F = "F, charging before"


class Ground(NamedTuple):
    """The fault that makes a state of the pilot which no car makes, and the firmware's word for it."""

    fault: str
    word: str
    details: dict[str, Any]


GROUNDS: dict[State, Ground] = {State.E: Ground("cp_short", "pilot_short", {}), State.F: Ground("pwm_stuck", "pilot_lost", {"value": 0.0})}


class Missed(Exception):
    """What was to happen did not; the message says what."""


class Place:
    """An EVSE and the card of its driver."""

    def __init__(self, world: World, timeline: Timeline, number: int) -> None:
        self.world, self.timeline, self.number = world, timeline, number
        self.card = f"04A1B2D{number}"
        world.csms.book.set_card(self.card, "Accepted")

    # what is seen

    def mark(self) -> int:
        return self.timeline.mark(self.number)

    def first(self, mark: int, met: Met) -> Event | None:
        return self.timeline.first(self.number, mark, met)

    async def wait(self, mark: int, met: Met, seconds: float) -> Event | None:
        return await self.timeline.wait(self.number, mark, met, seconds)

    async def evse(self) -> dict[str, Any]:
        return await self.world.evse(self.number)

    async def faults(self) -> list[str]:
        """The firmware's words for what is wrong here."""
        state = await self.world.until(lambda s: bool(s["station"]["connectors"]))
        return list(state["station"]["connectors"][self.number - 1]["faults"])

    async def until(self, what: str, met: Callable[[dict[str, Any], dict[str, Any]], bool], seconds: float) -> None:
        """Waits until wire and connector of this EVSE are so. Raises Missed."""
        at = self.number - 1
        try:
            await self.world.until(lambda s: met(s["evses"][at], s["station"]["connectors"][at]), seconds)
        except AssertionError:
            raise Missed(f"{what}: not within {seconds:g} s") from None

    async def violations(self) -> list[dict[str, Any]]:
        return [seen for seen in await self.world.get("violations") if seen["evse"] == self.number]

    # what people and cars do

    async def act(self, what: str, **body: Any) -> None:
        await self.world.post(f"evse/{self.number}/{what}", body)

    async def plug_in(self, **ev: Any) -> None:
        await self.act("plug-in", ev={**CAR, **ev})

    async def swipe(self) -> None:
        await self.world.swipe(self.card, self.number)

    async def unplug(self) -> None:
        await self.act("unplug")

    async def pilot(self, word: str, seconds: float = PATIENCE_S) -> None:
        await self.until(f"pilot {word}", lambda evse, _: evse["pilot"]["state"] == word, seconds)

    async def charging(self, seconds: float = PATIENCE_S) -> None:
        await self.until("charging", lambda evse, _: evse["contactor"] == "closed" and evse["coil"] and max(evse["current_a"]) > 1, seconds)

    async def opened(self, seconds: float = STOPS_WITHIN_S) -> None:
        await self.until("contactor open", lambda evse, _: evse["contactor"] == "open" and not evse["coil"], seconds)

    async def free(self) -> None:
        await self.until("free", _is_free, PATIENCE_S)

    async def clean(self) -> None:
        """Takes away the simulator's faults, the cable, and a permission nobody uses, until the connector is free. Raises Missed."""
        for fault in (await self.evse())["faults"]:
            await self.world.delete(f"evse/{self.number}/fault/{fault}")
        await self.unplug()
        try:
            await self.until("free", _is_free, FREE_S)
        except Missed:
            await self.swipe()
            await self.free()

    async def charge(self, **ev: Any) -> None:
        await self.plug_in(**ev)
        await self.swipe()
        await self.charging()

    async def lay_ground(self, state: State) -> None:
        """Charging, then the pilot in E or F, and known as that. The opening has been heard when this ends: events may lag behind the state."""
        ground = GROUNDS[state]
        await self.charge()
        mark = self.mark()
        await self.act("fault", fault=ground.fault, **ground.details)
        await self.pilot(state.name)
        if await self.wait(mark, coil_off, STOPS_WITHIN_S) is None:
            raise Missed(f"coil off in {state.name}: not within {STOPS_WITHIN_S:g} s")
        await self.until(ground.word, lambda _, connector: ground.word in connector["faults"], PATIENCE_S)

    async def lift_ground(self, state: State) -> None:
        """What made E or F goes; nothing in the other states."""
        if state in GROUNDS:
            await self.world.delete(f"evse/{self.number}/fault/{GROUNDS[state].fault}")

    async def reach(self, state: State) -> None:
        """From a free connector into a state. Raises Missed."""
        await self.free()
        await _WAYS[state](self)


def _is_free(evse: dict[str, Any], connector: dict[str, Any]) -> bool:
    return not evse["plugged"] and connector["status"] == "Available"


async def _nobody(place: Place) -> None:
    await place.until("nothing tested", lambda evse, _: not evse["rcd"]["testing"], 5.0)


async def _waiting(place: Place) -> None:
    await place.plug_in()
    await place.pilot("B1")
    await place.until("Preparing", lambda _, connector: connector["status"] == "Preparing", PATIENCE_S)


async def _offered(place: Place) -> None:
    await place.plug_in(ready=False)
    await place.swipe()
    await place.pilot("B2")


async def _charging(place: Place) -> None:
    await place.charge()


async def _withdrawn(place: Place) -> None:
    await place.charge(s2_open_s=None)
    await place.swipe()
    await place.pilot("C1")


async def _after(place: Place) -> None:
    await place.charge()
    await place.swipe()
    await place.opened()
    await place.until("Finishing", lambda _, connector: connector["status"] == "Finishing", 15.0)


async def _ventilated(place: Place) -> None:
    await place.charge(ventilation=True)


async def _shorted(place: Place) -> None:
    await place.lay_ground(State.E)


async def _dark(place: Place) -> None:
    await place.lay_ground(State.F)


_WAYS: dict[State, Callable[[Place], Awaitable[None]]] = {
    State.A: _nobody,
    State.B1: _waiting,
    State.B2: _offered,
    State.C2: _charging,
    State.C1: _withdrawn,
    State.AFTER: _after,
    State.D2: _ventilated,
    State.E: _shorted,
    State.F: _dark,
}
