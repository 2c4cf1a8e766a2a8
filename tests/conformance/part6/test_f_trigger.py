"""Block F, remote control, of OCPP 2.0.1 part 6, 2.7: messages sent because the CSMS asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check, one_of
from tests.conformance.driver.values import triggered

SHARED = {"evses": 2}
TRIGGERED = [{"sampledValue": [{"context": "Trigger"}]}]


async def trigger(lab: Lab, message: str, status: str = "Accepted", **place: Any) -> None:
    """Asks for a message; fails when the answer is another. place: `evse={"id": 1}`."""
    check({"status": status}, await lab.csms.call("TriggerMessage", {"requestedMessage": message, **place}))


async def transaction_told(lab: Lab, evse: Payload | Any) -> None:
    """What a triggered TransactionEvent says of a transaction that charges."""
    where = {"triggerReason": "Trigger", "transactionInfo": {"chargingState": "Charging"}, "meterValue": TRIGGERED, "evse": evse}
    check({"eventType": "Updated"}, await states.transaction_event(lab, where))


async def test_TC_F_11_CS(shared_booted: Lab) -> None:
    """MeterValues of one EVSE."""
    lab = shared_booted
    await triggered(lab, evse={"id": lab.evse})
    await lab.csms.expect("MeterValues", {"evseId": lab.evse, "meterValue": TRIGGERED})
    await lab.csms.no_more("MeterValues")


async def test_TC_F_12_CS(shared_booted: Lab) -> None:
    """MeterValues of all EVSEs."""
    lab = shared_booted
    await triggered(lab)
    for evse in (1, 2):
        await lab.csms.expect("MeterValues", {"evseId": evse, "meterValue": TRIGGERED})


async def test_TC_F_13_CS(lab: Lab) -> None:
    """TransactionEvent of one EVSE."""
    await lab.up()
    await states.energy_transfer_started(lab)
    await trigger(lab, "TransactionEvent", evse={"id": lab.evse})
    await transaction_told(lab, one_of(ABSENT, {"id": lab.evse}))


async def test_TC_F_14_CS(lab: Lab) -> None:
    """TransactionEvent of all EVSEs."""
    await lab.up(evses=2)
    for evse in (1, 2):
        await states.energy_transfer_started(lab, evse=evse)
    await trigger(lab, "TransactionEvent")
    for evse in (1, 2):
        await transaction_told(lab, {"id": evse})


async def test_TC_F_20_CS(shared_booted: Lab) -> None:
    """A Heartbeat."""
    await trigger(shared_booted, "Heartbeat")
    await shared_booted.csms.expect("Heartbeat")


async def test_TC_F_23_CS(shared_booted: Lab) -> None:
    """StatusNotification of an available connector."""
    lab = shared_booted
    await trigger(lab, "StatusNotification", evse={"id": lab.evse, "connectorId": lab.connector})
    await states.connector_told(lab, "Available")


async def test_TC_F_24_CS(lab: Lab) -> None:
    """StatusNotification of an occupied connector."""
    await lab.up()
    await states.ev_connected_pre_session(lab)
    lab.csms.forget()
    await trigger(lab, "StatusNotification", evse={"id": lab.evse, "connectorId": lab.connector})
    await states.connector_told(lab, "Occupied")


async def test_TC_F_26_CS(shared_booted: Lab) -> None:
    """No BootNotification once one was accepted."""
    await trigger(shared_booted, "BootNotification", "Rejected")
    await shared_booted.csms.no_more("BootNotification")


@pytest.mark.parametrize("message", ["LogStatusNotification", "FirmwareStatusNotification"])
async def test_what_is_not_offered_is_not_implemented(shared_booted: Lab, message: str) -> None:
    """Why TC_F_15_CS to TC_F_19_CS cannot apply."""
    await trigger(shared_booted, message, "NotImplemented")


async def test_TC_F_27_CS(shared_booted: Lab) -> None:
    """SignCombinedCertificate is not implemented."""
    await trigger(shared_booted, "SignCombinedCertificate", "NotImplemented")
