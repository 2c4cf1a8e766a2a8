"""Every fault of the world on a charging car: who opens, who does not, what is told, and how it ends.

Several EVSEs at once, since a fault is its own EVSE's. What an emergency stop and a few others do is in test_troubles.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.world import World

OPEN_WITHIN_S = 1.0
AFTER_THE_CAR_S = 8.0
MEASURED_WITHIN_S = 60.0
MEASURED = ("over_current", "over_voltage", "under_voltage", "phase_loss")
"""Seen by the meter's samples only."""

Lane = dict[str, str | None]
"""Faults of one EVSE in their order, each with the firmware's word, where it has one."""
OPENED_AT_ONCE: list[Lane] = [
    {"cp_open": None, "pilot_noise": "pilot_implausible"},
    {"pe_loss": "protective_earth_lost", "pwm_lost": "pilot_lost"},
    {"adc_lost": "pilot_lost", "adc_frozen": "pilot_lost"},
    {"i2c_stuck": "pilot_lost", "rcd_stuck_tripped": "residual_current"},
]
OPENED_BY_THE_CAR: list[Lane] = [
    {"over_temperature": "over_temperature", "pp_open": "proximity_changed"},
    {"pp_short": "proximity_changed", "pp_change": "proximity_changed"},
    {"over_current": "over_current", "over_voltage": "over_voltage"},
    {"under_voltage": "under_voltage", "phase_loss": "phase_loss"},
]
NOT_CLOSED_AGAIN: list[Lane] = [
    {"contactor_stuck_open": "contactor_stuck_open"},
    {"relay_supply_lost": "contactor_stuck_open"},
    {"mirror_stuck_closed": "contactor_stuck_open"},
]
NOT_OPENED: list[Lane] = [{"coil_stuck_on": "contactor_welded"}, {"mirror_stuck_open": "contactor_welded"}]
TOLERATED: Lane = {
    "pilot_spike": None,
    "adc_reset": None,
    "rcd_stuck": None,
    "lock_jam": None,
    "lock_stuck_locked": None,
    "meter_offline": "meter_lost",
    "reader_offline": "reader_lost",
    "temperature_sensor_lost": "temperature_sensor_lost",
}
BY_PERSON = ("rcd_stuck_tripped", "coil_stuck_on", "mirror_stuck_open")


class Place:
    """One EVSE of a world, with a car that charges before each fault."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number

    async def charge(self) -> None:
        await self.world.plug_in(self.number)
        await self.world.swipe(evse=self.number)
        await self.world.contactor("closed", self.number)
        await self.world.until(lambda s: s["evses"][self.number - 1]["current_a"][0] > 1)

    async def lay(self, fault: str) -> None:
        await self.world.post(f"evse/{self.number}/fault", {"fault": fault})

    async def told(self, word: str | None) -> None:
        if word is not None:
            await self.world.until(lambda s: word in s["station"]["connectors"][self.number - 1]["faults"], 15)

    async def opened(self, seconds: float = OPEN_WITHIN_S) -> None:
        await self.world.contactor("open", self.number, seconds)

    async def cycles(self, kind: str) -> int:
        return int((await self.world.evse(self.number))["cycles"][kind])

    async def over(self, fault: str) -> None:
        await self.world.delete(f"evse/{self.number}/fault/{fault}")
        await asyncio.sleep(0.5)
        if fault in BY_PERSON:
            await self.world.post(f"evse/{self.number}/clear", {"fault": fault})
        await self.world.unplug(self.number)
        await self.world.status("Available", self.number)


Course = Callable[[Place, str, str | None], Awaitable[None]]


async def run(world: World, lanes: list[Lane], course: Course) -> None:
    await world.up("ocpp1.6", evses=len(lanes))

    async def lane(number: int, faults: Lane) -> None:
        place = Place(world, number)
        for fault, word in faults.items():
            await place.charge()
            await course(place, fault, word)
            assert await world.get("violations") == [], fault

    await asyncio.gather(*(lane(number, faults) for number, faults in enumerate(lanes, 1)))


async def test_opened_at_once(world: World) -> None:
    async def course(place: Place, fault: str, word: str | None) -> None:
        await place.lay(fault)
        await place.opened()
        await place.told(word)
        await asyncio.sleep(0.5)
        assert not (await world.evse(place.number))["coil"], fault
        await place.over(fault)

    await run(world, OPENED_AT_ONCE, course)


async def test_withdrawn_and_opened_when_the_car_has_stopped(world: World) -> None:
    async def course(place: Place, fault: str, word: str | None) -> None:
        await place.lay(fault)
        await place.opened(MEASURED_WITHIN_S if fault in MEASURED else AFTER_THE_CAR_S)
        await place.told(word)
        await place.over(fault)
        assert await place.cycles("under_load") == 0, fault

    await run(world, OPENED_BY_THE_CAR, course)


async def test_a_contactor_that_does_not_stay_closed(world: World) -> None:
    async def course(place: Place, fault: str, word: str | None) -> None:
        await place.lay(fault)
        await place.opened()
        await place.told(word)
        cycles = await place.cycles("coil")
        await asyncio.sleep(6)
        assert await place.cycles("coil") == cycles, fault
        await place.over(fault)
        await place.charge()

    await run(world, NOT_CLOSED_AGAIN, course)


async def test_a_contactor_that_does_not_open(world: World) -> None:
    async def course(place: Place, fault: str, word: str | None) -> None:
        await place.lay(fault)
        await asyncio.sleep(0.5)
        await world.swipe(evse=place.number)
        await place.told(word)
        await world.unplug(place.number)
        await asyncio.sleep(1)
        assert (await world.evse(place.number))["lock"] == "locked", fault
        await place.over(fault)
        await place.charge()

    await run(world, NOT_OPENED, course)


async def test_charging_goes_on(world: World) -> None:
    await world.up("ocpp1.6")
    place = Place(world, 1)
    await place.charge()
    cycles = (await world.evse())["cycles"]
    for fault, word in TOLERATED.items():
        await place.lay(fault)
        await place.told(word)
        await asyncio.sleep(0.5)
        evse = await world.evse()
        assert (evse["contactor"], evse["cycles"]) == ("closed", cycles), fault
        await world.delete(f"evse/1/fault/{fault}")
    await world.until(lambda s: s["evses"][0]["current_a"][0] > 30 and not s["station"]["connectors"][0]["faults"])
