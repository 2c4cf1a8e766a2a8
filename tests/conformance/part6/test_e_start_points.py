"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: where a transaction starts, each value of TxStartPoint alone."""

from __future__ import annotations

from tests.conformance.driver import states
from tests.conformance.driver.charger import BAY_SENSORS, METER_THAT_SIGNS
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check, present

SIGNED = {"encodingMethod": "OCMF", "publicKey": present, "signedMeterData": bool, "signingMethod": present}


def starts_at(point: str) -> Payload:
    """The configuration state. StopPoint EVConnected: nothing ends before the case does."""
    return {"TxCtrlr.TxStartPoint": point, "TxCtrlr.TxStopPoint": "EVConnected", "AuthCtrlr.Enabled": True, "AuthCtrlr.LocalPreAuthorize": False}


def its_transaction(lab: Lab, first: Payload | None) -> None:
    """All events so far are of the one transaction that `first` started."""
    assert first is not None
    events = [it.payload for it in lab.csms.calls("TransactionEvent")]
    assert first == events[0], events
    check({"eventType": "Started", "seqNo": 0}, first)
    assert {it["transactionInfo"]["transactionId"] for it in events} == {first["transactionInfo"]["transactionId"]}
    assert [it["eventType"] for it in events[1:]] == ["Updated"] * (len(events) - 1)


async def test_TC_E_01_CS(lab: Lab) -> None:
    """PowerPathClosed: authorized alone starts nothing; with the car, the transaction starts."""
    await lab.up(variables=starts_at("PowerPathClosed"))
    assert await states.authorized(lab, remote=False) is None
    await lab.csms.no_more("TransactionEvent")
    first = await states.ev_connected_pre_session(lab)
    check({"eventType": "Started", "idToken": lab.token.id_token}, first)
    await states.energy_transfer_started(lab)
    its_transaction(lab, first)


async def test_TC_E_02_CS(lab: Lab) -> None:
    """EnergyTransfer: the transaction starts with the energy."""
    await lab.up(variables=starts_at("EnergyTransfer"))
    assert await states.authorized(lab) is None
    await lab.charger.plug_in(lab.evse, lab.connector)
    await states.connector_told(lab, "Occupied")
    first = await lab.csms.expect("TransactionEvent")
    check(
        {
            "eventType": "Started",
            "triggerReason": {"ChargingStateChanged", "Authorized"},
            "idToken": lab.token.id_token,
            "evse": {"id": lab.evse, "connectorId": lab.connector},
            "transactionInfo": {"chargingState": "Charging"},
        },
        first,
    )
    await lab.charger.contactor("closed", lab.evse)
    its_transaction(lab, first)


async def test_TC_E_09_CS(lab: Lab) -> None:
    """EVConnected: the transaction starts with the plug, before anybody is authorized."""
    await lab.up(variables=starts_at("EVConnected"))
    first = await states.ev_connected_pre_session(lab)
    check(
        {
            "eventType": "Started",
            "triggerReason": {"CablePluggedIn", "ChargingStateChanged"},
            "evse": {"id": lab.evse, "connectorId": lab.connector},
            "transactionInfo": {"chargingState": "EVConnected"},
        },
        first,
    )
    check({"eventType": "Updated"}, await states.authorized(lab))
    await states.energy_transfer_started(lab)
    its_transaction(lab, first)


async def test_TC_E_10_CS(lab: Lab) -> None:
    """Authorized: the transaction starts with the card, before there is a car."""
    await lab.up(variables=starts_at("Authorized"))
    first = await states.authorized(lab, remote=False, asks=True)
    check({"eventType": "Started", "triggerReason": "Authorized", "idToken": lab.token.id_token}, first)
    check({"eventType": "Updated"}, await states.ev_connected_pre_session(lab))
    await states.energy_transfer_started(lab)
    its_transaction(lab, first)


async def test_TC_E_11_CS(lab: Lab) -> None:
    """DataSigned: the transaction starts with what the meter has signed, and charges then."""
    await lab.up(tables=METER_THAT_SIGNS, variables={**starts_at("DataSigned"), "SampledDataCtrlr.SignReadings": True})
    assert await states.authorized(lab) is None
    await lab.charger.plug_in(lab.evse, lab.connector)
    await states.connector_told(lab, "Occupied")
    first = await states.transaction_event(lab)
    check(
        {
            "eventType": "Started",
            "triggerReason": "SignedDataReceived",
            "idToken": lab.token.id_token,
            "evse": {"id": lab.evse, "connectorId": lab.connector},
            "meterValue": [{"sampledValue": [{"context": "Transaction.Begin", "signedMeterValue": SIGNED}]}],
        },
        first,
    )
    event = await states.transaction_event(lab, {"triggerReason": "ChargingStateChanged"})
    check({"eventType": "Updated", "transactionInfo": {"chargingState": "Charging"}}, event)
    await lab.charger.contactor("closed", lab.evse)
    its_transaction(lab, first)


async def test_TC_E_12_CS(lab: Lab) -> None:
    """ParkingBayOccupancy: the transaction starts with the car in its bay; with the erratum of 2024-11 it then goes on to the energy."""
    await lab.up(tables=BAY_SENSORS, variables=starts_at("ParkingBayOccupancy"))
    first = await states.parking_bay_occupied(lab)
    check({"eventType": "Started", "triggerReason": "EVDetected", "idToken": ABSENT, "transactionInfo": {"chargingState": "Idle"}}, first)
    check({"eventType": "Updated", "idToken": lab.token.id_token}, await states.authorized(lab))
    event = await states.ev_connected_pre_session(lab)
    check({"eventType": "Updated", "evse": {"id": lab.evse, "connectorId": lab.connector}}, event)
    await states.energy_transfer_started(lab)
    its_transaction(lab, first)


async def test_TC_E_13_CS(lab: Lab) -> None:
    """Authorized: the transaction starts with RequestStartTransaction, and says so."""
    await lab.up(variables=starts_at("Authorized"))
    first = await states.authorized(lab, remote=True)
    remote = {"triggerReason": "RemoteStart", "idToken": lab.token.id_token, "transactionInfo": {"remoteStartId": present}}
    check({"eventType": "Started", **remote}, first)
    check({"eventType": "Updated", "triggerReason": {"CablePluggedIn", "ChargingStateChanged"}}, await states.ev_connected_pre_session(lab))
    await states.energy_transfer_started(lab)
    its_transaction(lab, first)
