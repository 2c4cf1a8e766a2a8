"""Block G, availability, of OCPP 2.0.1 part 6, 2.8: connector statuses, and what outlives a restart."""

from __future__ import annotations

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, one_of

MONITORED = {"trigger": "Delta"}
HARD_WIRED = {"trigger": "Alerting", "eventNotificationType": "HardWiredNotification"}


async def test_TC_G_01_CS(lab: Lab) -> None:
    """A connector that gets a cable is told as Occupied."""
    await lab.up()
    await states.ev_connected_pre_session(lab)


async def test_TC_G_02_CS(lab: Lab) -> None:
    """A connector that loses its cable is told as Available."""
    await lab.up()
    await states.ev_connected_pre_session(lab)
    await lab.charger.unplug(lab.evse, lab.connector)
    await states.connector_told(lab, "Available")


async def test_TC_G_18_CS(lab: Lab) -> None:
    """An inoperative EVSE is still so after the power was off."""
    await lab.up(evses=2)
    await states.unavailable(lab)
    assert await states.change_availability(lab, "Operative") == "Accepted"
    await states.connectors_told(lab)
    await states.unavailable(lab, lab.evse)
    await lab.charger.power_cycle()
    await back(lab, {1: "Unavailable", 2: "Available"})


async def test_TC_G_19_CS(lab: Lab) -> None:
    """An inoperative connector is still so after a reset."""
    await lab.up(evses=2, connectors=["cType2", "cType2"])
    await states.unavailable(lab, lab.evse, lab.connector)
    await states.booting(lab)
    await lab.csms.expect("BootNotification")
    await states.connector_told(lab, "Unavailable")
    for evse, connector in ((1, 2), (2, 1), (2, 2)):
        await states.connector_told(lab, "Available", evse, connector)
    await lab.csms.expect("SecurityEventNotification", {"type": states.STARTED_BY_BOOT})


async def test_TC_G_21_CS(lab: Lab) -> None:
    """An inoperative station is still so after a reset."""
    await lab.up(evses=2)
    await states.unavailable(lab)
    await states.booting(lab)
    await back(lab, {1: "Unavailable", 2: "Unavailable"})
    assert await lab.get("ChargingStation.AvailabilityState") == "Unavailable"


async def back(lab: Lab, words: dict[int, str]) -> None:
    """The station comes back and tells its connectors as these, by EVSE, and its start."""
    await lab.csms.expect("BootNotification")
    for evse, word in words.items():
        await states.connector_told(lab, word, evse, 1)
    await lab.csms.expect("SecurityEventNotification", {"type": states.STARTED_BY_BOOT})


async def test_TC_G_20_CS(lab: Lab) -> None:
    """A plug that cannot be locked: nothing is charged and the lock's problem is told. Of the triggers part 2, 3.32 gives Delta to a monitor and
    Alerting to a hard-wired notification."""
    await lab.up(connectors=["sType2"])
    await lab.charger.fault("lock_jam", lab.evse)
    await states.ev_connected_pre_session(lab)
    await lab.charger.swipe(lab.token.uid, lab.evse)
    await lab.csms.expect("NotifyEvent", lambda told: lock_problem(told["eventData"][0], lab.evse))
    state = await lab.charger.state()
    assert state["evses"][0]["contactor"] == "open" and state["evses"][0]["cycles"]["coil"] == 0
    assert not lab.csms.calls("TransactionEvent", {"transactionInfo": {"chargingState": "Charging"}})


def lock_problem(event: Payload, evse: int) -> bool:
    place = one_of(ABSENT, {"id": evse})
    lock = {"component": {"name": "ConnectorPlugRetentionLock", "evse": place}, "variable": {"name": "Problem"}, "actualValue": "true"}
    return one_of({**lock, **MONITORED}, {**lock, **HARD_WIRED})(event)
