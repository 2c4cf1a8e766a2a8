"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: reset of the station and of an EVSE."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, check
from tests.conformance.driver.states import (
    STARTED_BY_BOOT,
    connector_told,
    connectors_told,
    energy_transfer_started,
    ev_connected_post_session,
    ev_connected_pre_session,
    ev_disconnected,
    stop_authorized,
    transaction_event,
    unavailable,
)

STOP_POINTS = ("Authorized", "PowerPathClosed", "EnergyTransfer", "EVConnected")
ENDED_BY_RESET = {
    "eventType": "Ended",
    "triggerReason": "ResetCommand",
    "transactionInfo": {"chargingState": "EVConnected", "stoppedReason": "ImmediateReset"},
    "idToken": ABSENT,
}


async def reset(lab: Lab, kind: str, status: str, **more: Any) -> None:
    check({"status": status}, await lab.csms.call("Reset", {"type": kind, **more}))


async def rebooted(lab: Lab, reason: str) -> None:
    check({"reason": reason}, await lab.csms.expect("BootNotification", within=30))


async def end_session(lab: Lab) -> bool:
    """Walks on until the transaction has ended; whether the car is still there."""
    await stop_authorized(lab)
    if lab.session.transaction:
        await ev_connected_post_session(lab)
    if lab.session.transaction:
        await ev_disconnected(lab)
    assert lab.session.transaction is None
    return lab.session.connected


async def test_TC_B_20_CS(lab: Lab) -> None:
    """Reset OnIdle without a transaction: accepted, the station boots and tells its connectors."""
    await lab.up(evses=2)
    await reset(lab, "OnIdle", "Accepted")
    await rebooted(lab, "RemoteReset")
    await connectors_told(lab)


@pytest.mark.parametrize("stop_point", STOP_POINTS)
async def test_TC_B_21_CS(lab: Lab, stop_point: str) -> None:
    """Reset OnIdle with a transaction: scheduled, done when the transaction has ended."""
    await lab.up(evses=2, variables={"TxCtrlr.TxStopPoint": stop_point})
    await energy_transfer_started(lab)
    await reset(lab, "OnIdle", "Scheduled")
    there = await end_session(lab)
    await rebooted(lab, "ScheduledReset")
    await connector_told(lab, "Occupied" if there else "Available", 1)
    await connector_told(lab, "Available", 2)
    await lab.csms.expect("SecurityEventNotification", {"type": STARTED_BY_BOOT})


async def test_TC_B_22_CS(lab: Lab) -> None:
    """Reset Immediate with a transaction: it is ended first, then the station boots."""
    await lab.up(evses=2)
    await energy_transfer_started(lab)
    await reset(lab, "Immediate", "Accepted")
    await transaction_event(lab, ENDED_BY_RESET)
    await rebooted(lab, "RemoteReset")
    await connector_told(lab, "Occupied", 1)
    await connector_told(lab, "Available", 2)


async def test_TC_B_23_CS(lab: Lab) -> None:
    """A connector that is Unavailable is so after a reset; the others are Available."""
    await lab.up(evses=2)
    await unavailable(lab, lab.evse, lab.connector)
    await reset(lab, "OnIdle", "Accepted")
    await rebooted(lab, "RemoteReset")
    await connector_told(lab, "Unavailable", 1)
    await connector_told(lab, "Available", 2)


async def test_TC_B_41_CS(lab: Lab) -> None:
    """Reset OnIdle with transactions at two EVSEs: done when both have ended."""
    await lab.up(evses=2)
    await energy_transfer_started(lab)
    await ev_disconnected_soon(lab)
    lab.evse = 2
    there = await end_session(lab)
    await rebooted(lab, "ScheduledReset")
    await connector_told(lab, "Available", 1)
    await connector_told(lab, "Occupied" if there else "Available", 2)


async def ev_disconnected_soon(lab: Lab) -> None:
    """The second EVSE charges too, the reset is ordered, and the session of the first is over."""
    lab.evse = 2
    await energy_transfer_started(lab)
    lab.evse = 1
    await reset(lab, "OnIdle", "Scheduled")
    await ev_disconnected(lab)
    await lab.csms.no_more("BootNotification", for_s=2)


async def test_TC_B_25_CS(lab: Lab) -> None:
    """Reset of an EVSE without a transaction: accepted, the station goes on."""
    await lab.up(evses=2)
    await reset(lab, "OnIdle", "Accepted", evseId=lab.evse)
    await lab.csms.no_more("BootNotification", for_s=2)
    await energy_transfer_started(lab)


async def test_TC_B_26_CS(lab: Lab) -> None:
    """Reset OnIdle of an EVSE with a transaction: scheduled; the transaction goes on to its own end."""
    await lab.up(evses=2)
    await energy_transfer_started(lab)
    await reset(lab, "OnIdle", "Scheduled", evseId=lab.evse)
    await ev_disconnected(lab)
    await lab.csms.no_more("BootNotification", for_s=2)


async def test_TC_B_27_CS(lab: Lab) -> None:
    """Reset Immediate of an EVSE with a transaction: that one is ended, the other EVSE charges on."""
    await lab.up(evses=2)
    await energy_transfer_started(lab)
    lab.evse = 2
    await energy_transfer_started(lab)
    lab.evse = 1
    await reset(lab, "Immediate", "Accepted", evseId=lab.evse)
    await transaction_event(lab, ENDED_BY_RESET)
    await lab.csms.no_more("BootNotification", for_s=2)
    await lab.csms.no_more("TransactionEvent", {"eventType": "Ended"}, for_s=0)


async def test_TC_B_28_CS(lab: Lab) -> None:
    """An EVSE that cannot be reset alone: rejected."""
    await lab.up(evses=2, variables={"EVSE@1.AllowReset": False})
    await reset(lab, "OnIdle", "Rejected", evseId=lab.evse)


async def test_TC_B_29_CS(lab: Lab) -> None:
    """An EVSE that cannot be reset alone, with a transaction: rejected, the transaction goes on."""
    await lab.up(evses=2, variables={"EVSE@1.AllowReset": False})
    await ev_connected_pre_session(lab)
    await energy_transfer_started(lab)
    await reset(lab, "OnIdle", "Rejected", evseId=lab.evse)
    await lab.csms.no_more("TransactionEvent", {"eventType": "Ended"})
