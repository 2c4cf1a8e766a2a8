"""Block G, availability, of OCPP 2.0.1 part 6, 2.8: EVSEs, connectors and the station made inoperative and operative while nothing runs.

Each EVSE has two connectors, so that the levels are different things. Every case leaves the station operative for the next one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab

SHARED = {"evses": 2, "connectors": ["cType2", "cType2"]}


@pytest_asyncio.fixture(loop_scope="session")
async def lab(shared_booted: Lab) -> AsyncIterator[Lab]:
    """Idle and operative, before and after, with nothing left to tell."""
    yield shared_booted
    for place in ((), (1,), (1, 1)):
        assert await states.change_availability(shared_booted, "Operative", *place) == "Accepted"
    await shown(shared_booted, "Available", "ChargingStation", "EVSE@1", "Connector@1:1")
    await shared_booted.charger.all_told()


async def operative_again(lab: Lab, *place: int) -> None:
    """Operative; each connector that this changes is told as Available (G03.FR.07, G04.FR.08)."""
    assert await states.change_availability(lab, "Operative", *place) == "Accepted"
    if len(place) == 2:
        await states.connector_told(lab, "Available", *place)
    elif place:
        await states.connectors_of(lab, place[0], "Available")
    else:
        await states.connectors_told(lab, "Available")


async def no_more_told(lab: Lab) -> None:
    await lab.csms.no_more("StatusNotification", for_s=0.7)


async def all_have_been_told(lab: Lab, word: str, *place: int) -> None:
    """Whatever was asked again, the CSMS's last word of each connector is right."""
    told = {(it.payload["evseId"], it.payload["connectorId"]): it.payload["connectorStatus"] for it in lab.csms.calls("StatusNotification")}
    asked = [(evse, connector) for evse in (1, 2) for connector in (1, 2) if (evse, connector)[: len(place)] == place]
    assert [told.get(one) for one in asked] == [word] * len(asked), told


async def shown(lab: Lab, word: str, *components: str) -> None:
    """The device model says the same (N07.FR.19)."""
    for component in components:
        assert await lab.get(f"{component}.AvailabilityState") == word


async def test_TC_G_03_CS(lab: Lab) -> None:
    """An EVSE made inoperative: all its connectors become Unavailable, and no other."""
    await states.unavailable(lab, lab.evse)
    await no_more_told(lab)
    await shown(lab, "Unavailable", "EVSE@1", "Connector@1:1", "Connector@1:2")
    await shown(lab, "Available", "EVSE@2")


async def test_TC_G_04_CS(lab: Lab) -> None:
    """An EVSE made operative again: all its connectors are Available."""
    await states.unavailable(lab, lab.evse)
    await operative_again(lab, lab.evse)
    await no_more_told(lab)
    await shown(lab, "Available", "EVSE@1", "Connector@1:1", "Connector@1:2")


async def test_TC_G_05_CS(lab: Lab) -> None:
    """The station made inoperative: every connector becomes Unavailable."""
    await states.unavailable(lab)
    await shown(lab, "Unavailable", "ChargingStation", "EVSE@1", "EVSE@2", "Connector@2:2")


async def test_TC_G_06_CS(lab: Lab) -> None:
    """The station made operative again: every connector is Available."""
    await states.unavailable(lab)
    await operative_again(lab)
    await shown(lab, "Available", "ChargingStation", "EVSE@1", "EVSE@2", "Connector@2:2")


async def test_TC_G_07_CS(lab: Lab) -> None:
    """A connector made inoperative: it alone becomes Unavailable."""
    await states.unavailable(lab, lab.evse, lab.connector)
    await no_more_told(lab)
    await shown(lab, "Unavailable", "Connector@1:1")
    await shown(lab, "Available", "Connector@1:2", "EVSE@1")


async def test_TC_G_08_CS(lab: Lab) -> None:
    """A connector made operative again."""
    await states.unavailable(lab, lab.evse, lab.connector)
    await operative_again(lab, lab.evse, lab.connector)
    await shown(lab, "Available", "Connector@1:1")


async def test_TC_G_09_CS(lab: Lab) -> None:
    """An operative EVSE made operative: accepted, and nothing changes."""
    assert await states.change_availability(lab, "Operative", lab.evse) == "Accepted"
    await no_more_told(lab)


async def test_TC_G_10_CS(lab: Lab) -> None:
    """An inoperative EVSE made inoperative: accepted, and nothing changes."""
    await states.unavailable(lab, lab.evse)
    assert await states.change_availability(lab, "Inoperative", lab.evse) == "Accepted"
    await no_more_told(lab)
    await all_have_been_told(lab, "Unavailable", lab.evse)


async def test_TC_G_12_CS(lab: Lab) -> None:
    """An operative station made operative: accepted, and nothing changes."""
    assert await states.change_availability(lab, "Operative") == "Accepted"
    await no_more_told(lab)
    await shown(lab, "Available", "ChargingStation", "EVSE@1", "EVSE@2")


async def test_TC_G_13_CS(lab: Lab) -> None:
    """An inoperative station made inoperative: accepted, and every connector has been told as Unavailable."""
    await states.unavailable(lab)
    assert await states.change_availability(lab, "Inoperative") == "Accepted"
    await no_more_told(lab)
    await all_have_been_told(lab, "Unavailable")
    await shown(lab, "Unavailable", "ChargingStation")


async def test_TC_G_15_CS(lab: Lab) -> None:
    """An operative connector made operative: accepted, and nothing changes."""
    assert await states.change_availability(lab, "Operative", lab.evse, lab.connector) == "Accepted"
    await no_more_told(lab)


async def test_TC_G_16_CS(lab: Lab) -> None:
    """An inoperative connector made inoperative: accepted, and nothing changes."""
    await states.unavailable(lab, lab.evse, lab.connector)
    assert await states.change_availability(lab, "Inoperative", lab.evse, lab.connector) == "Accepted"
    await no_more_told(lab)
    await all_have_been_told(lab, "Unavailable", lab.evse, lab.connector)
