"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: what ends the authorization, and where the transaction then ends, each value of TxStopPoint."""

from __future__ import annotations

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.charger import BAY_SENSORS
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check

AUTHORIZES = {"AuthCtrlr.Enabled": True, "AuthCtrlr.DisableRemoteAuthorization": False}


async def charging(lab: Lab, stop: str, **variables: object) -> str:
    """It charges, in a transaction that stops at `stop`; returns its id."""
    await lab.up(variables={"TxCtrlr.TxStopPoint": stop, **AUTHORIZES, **variables})
    await states.energy_transfer_started(lab)
    assert lab.session.transaction is not None
    return lab.session.transaction


async def ended(lab: Lab, event: Payload | None, **info: object) -> None:
    """That was the end, for this reason, and nothing comes after."""
    check({"eventType": "Ended", "transactionInfo": info}, event)
    await lab.charger.contactor("open", lab.evse)
    await lab.csms.no_more("TransactionEvent")


async def test_TC_E_06_CS(lab: Lab) -> None:
    """Stopped by the card that started, then the cable goes out."""
    await lab.up(variables=AUTHORIZES)
    await states.energy_transfer_started(lab)
    check({"eventType": "Ended"}, await states.stop_authorized(lab, remote=False))
    await states.ev_connected_post_session(lab)
    await states.ev_disconnected(lab)
    await states.parking_bay_unoccupied(lab)
    await lab.csms.no_more("TransactionEvent")


async def test_TC_E_07_CS(lab: Lab) -> None:
    """PowerPathClosed: ends when a card stops it."""
    await charging(lab, "PowerPathClosed")
    await ended(lab, await states.stop_authorized(lab, remote=False), stoppedReason={ABSENT, "Local"})


async def test_TC_E_35_CS(lab: Lab) -> None:
    """PowerPathClosed: ends when the CSMS stops it."""
    await charging(lab, "PowerPathClosed")
    await ended(lab, await states.stop_authorized(lab, remote=True), stoppedReason="Remote")


async def test_TC_E_08_CS(lab: Lab) -> None:
    """EnergyTransfer: ends with the energy, when a card stops it."""
    await charging(lab, "EnergyTransfer")
    await ended(lab, await states.stop_authorized(lab), stoppedReason={ABSENT, "Local"})


async def test_TC_E_22_CS(lab: Lab) -> None:
    """EnergyTransfer: ends with the energy, when the car stops it."""
    await charging(lab, "EnergyTransfer")
    await lab.charger.ev_ready(False, lab.evse)
    event = await states.transaction_event(lab, {"triggerReason": "ChargingStateChanged"})
    await ended(lab, event, stoppedReason="StoppedByEV", chargingState={"EVConnected", "SuspendedEV"})


async def test_TC_E_14_CS(lab: Lab) -> None:
    """EVConnected: goes on after the card, and ends with the plug."""
    await charging(lab, "EVConnected")
    check({"eventType": "Updated"}, await states.ev_connected_post_session(lab))
    await lab.charger.unplug(lab.evse, lab.connector)
    await states.connector_told(lab, "Available")
    event = await states.transaction_event(lab, {"triggerReason": "EVCommunicationLost", "transactionInfo": {"chargingState": "Idle"}})
    await ended(lab, event, stoppedReason={ABSENT, "Local", "EVDisconnected"})


async def test_TC_E_15_CS(lab: Lab) -> None:
    """Authorized: ends when a card stops it."""
    await charging(lab, "Authorized")
    await lab.charger.swipe(lab.token.uid, lab.evse)
    await ended(lab, await states.transaction_event(lab, {"triggerReason": "StopAuthorized"}), stoppedReason="Local")


async def test_TC_E_21_CS(lab: Lab) -> None:
    """Authorized: ends when the CSMS stops it."""
    transaction = await charging(lab, "Authorized")
    check({"status": "Accepted"}, await lab.csms.call("RequestStopTransaction", {"transactionId": transaction}))
    await ended(lab, await states.transaction_event(lab, {"triggerReason": "RemoteStop"}), stoppedReason="Remote")


@pytest.mark.parametrize("remote", [False, True])
async def test_TC_E_19_CS(lab: Lab, remote: bool) -> None:
    """ParkingBayOccupancy: goes on after card and plug, and ends when the car leaves its bay."""
    await lab.up(tables=BAY_SENSORS, variables={"TxCtrlr.TxStopPoint": "ParkingBayOccupancy", **AUTHORIZES})
    await states.energy_transfer_started(lab)
    check({"eventType": "Updated"}, await states.ev_disconnected(lab, remote=remote))
    await ended(lab, await states.parking_bay_unoccupied(lab, remote=remote), stoppedReason="Remote" if remote else "Local")


@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed", "Authorized,PowerPathClosed"])
async def test_TC_E_16_CS(lab: Lab, stop: str) -> None:
    """A transaction begun offline ends when the CSMS, back, calls its token invalid."""
    rules = {"AuthCtrlr.OfflineTxForUnknownIdEnabled": True, "TxCtrlr.StopTxOnInvalidId": True}
    await lab.up(variables={"TxCtrlr.TxStopPoint": stop, **AUTHORIZES, **rules})
    await states.id_token_cached(lab)
    await states.id_token_in_local_list(lab)
    lab.csms.answer("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}}, where=lambda event: "idToken" in event)
    await states.start_offline_transaction(lab)
    event = await states.transaction_event(lab, {"idToken": lab.token.id_token})
    check({"offline": True}, event)
    event = await states.transaction_event(lab, {"eventType": "Ended"})
    check({"triggerReason": "Deauthorized"}, event)
    queued = lab.csms.pending("TransactionEvent", {"transactionInfo": {"transactionId": event["transactionInfo"]["transactionId"]}})
    assert all(it.payload["offline"] for it in queued), queued
    lab.csms.forget()
    await ended(lab, event, stoppedReason="DeAuthorized")
