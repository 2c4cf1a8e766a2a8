"""What the central system asks (chapter 5): availability, configuration, data, remote start and stop, unlocking, triggered messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.matching import ABSENT, check, present
from tests.conformance.driver.messages import SILENCE
from tests.conformance.driver.states16 import connector_told

SHARED: dict[str, Any] = {"evses": 2, "keys": {"MeterValueSampleInterval": 0}}
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


async def change(lab: Lab, connector: int, type_: str) -> str:
    answer = await lab.csms.call("ChangeAvailability", {"connectorId": connector, "type": type_})
    return str(answer["status"])


@pytest.mark.covers("5.2", "5.2 connector 0", "6.7", "6.8", "7.3", "7.4")
async def test_change_availability(shared_booted: Lab) -> None:
    """One connector, all of them by connector 0, one of those alone, the same again, and one that is not there; each change is told."""
    lab = shared_booted
    assert await change(lab, 2, "Inoperative") == "Accepted"
    await connector_told(lab, "Unavailable", 2)
    assert await change(lab, 2, "Inoperative") == "Accepted"
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 2}) == REJECTED
    assert await change(lab, 0, "Inoperative") == "Accepted"
    await connector_told(lab, "Unavailable", 0)
    await connector_told(lab, "Unavailable", 1)
    await lab.charger.plug_in(1)
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.no_more("StartTransaction")
    await lab.charger.unplug(1)
    assert await change(lab, 1, "Operative") == "Accepted"
    for connector in (0, 1):
        await connector_told(lab, "Available", connector)
    await lab.csms.no_more("StatusNotification", {"connectorId": 2}, for_s=0.3)
    assert await change(lab, 0, "Operative") == "Accepted"
    await connector_told(lab, "Available", 2)
    assert await change(lab, 3, "Inoperative") == "Rejected"


@pytest.mark.covers("5.2 scheduled")
async def test_connector_0_waits_for_every_transaction(shared_booted: Lab) -> None:
    """With one transaction running the change of the whole is scheduled; free connectors change at once."""
    lab = shared_booted
    await states16.charging(lab)
    assert await change(lab, 0, "Inoperative") == "Scheduled"
    await connector_told(lab, "Unavailable", 2)
    await states16.stopped(lab, remote=True)
    await connector_told(lab, "Unavailable", 1)
    await lab.charger.unplug()
    assert await change(lab, 0, "Operative") == "Accepted"
    await connector_told(lab, "Available", 1)
    await connector_told(lab, "Available", 2)
    lab.sessions.clear()


@pytest.mark.covers("5.3", "5.3 at once", "6.9", "6.10", "7.22")
async def test_change_configuration(shared_booted: Lab) -> None:
    """NotSupported: no such key. Every key that can be changed takes the value it has, and at once: none needs a reboot."""
    lab = shared_booted
    assert await states16.set_key(lab, "NoSuchKey", "1") == "NotSupported"
    for key in (await lab.csms.call("GetConfiguration"))["configurationKey"]:
        if not key["readonly"] and key["key"] != "SecurityProfile":  # the whitepaper's: it may only be raised
            assert await states16.set_key(lab, key["key"], key["value"]) == "Accepted", key


REQUIRED = {
    *("AuthorizeRemoteTxRequests", "ClockAlignedDataInterval", "ConnectionTimeOut", "ConnectorPhaseRotation", "GetConfigurationMaxKeys"),
    *("HeartbeatInterval", "LocalAuthorizeOffline", "LocalPreAuthorize", "MeterValuesAlignedData", "MeterValuesSampledData"),
    *("MeterValueSampleInterval", "NumberOfConnectors", "ResetRetries", "StopTransactionOnInvalidId", "StopTxnAlignedData"),
    *("StopTxnSampledData", "SupportedFeatureProfiles", "TransactionMessageAttempts", "TransactionMessageRetryInterval"),
    *("UnlockConnectorOnEVSideDisconnect", "LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"),
}


@pytest.mark.covers("5.8", "6.23", "6.24", "7.29")
async def test_get_configuration(shared_booted: Lab) -> None:
    """Without keys, or with an empty list, all keys; else those asked for, known and unknown apart."""
    lab = shared_booted
    for payload in ({}, {"key": []}):
        answer = await lab.csms.call("GetConfiguration", payload)
        told = {key["key"] for key in answer["configurationKey"]}
        assert told >= REQUIRED, REQUIRED - told
        assert not answer.get("unknownKey")
        assert len(told) == len(answer["configurationKey"])
    answer = await lab.csms.call("GetConfiguration", {"key": ["HeartbeatInterval", "NoSuchKey", "numberofconnectors"]})
    assert [key["key"] for key in answer["configurationKey"]] == ["HeartbeatInterval", "NumberOfConnectors"]
    assert answer["unknownKey"] == ["NoSuchKey"]


@pytest.mark.covers("3.12", "4.3", "5.6", "6.15", "6.16", "7.23")
async def test_data_transfer(shared_booted: Lab) -> None:
    """No vendor is known here: UnknownVendorId, and no data."""
    for payload in ({"vendorId": "com.example"}, {"vendorId": "com.example", "messageId": "One", "data": "x" * 5000}):
        answer = await shared_booted.csms.call("DataTransfer", payload)
        check({"status": "UnknownVendorId", "data": ABSENT}, answer)


@pytest.mark.covers("5.11", "6.33", "6.34", "7.39")
async def test_remote_start(shared_booted: Lab) -> None:
    """Before the cable and after it, with the idTag and the connector it names."""
    lab = shared_booted
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 2}) == ACCEPTED
    await connector_told(lab, "Preparing", 2)
    await lab.charger.plug_in(2)
    check({"connectorId": 2, "idTag": VALID.uid}, await lab.csms.expect("StartTransaction"))
    await lab.charger.contactor("closed", 2)
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 2}) == REJECTED, "it charges"
    await lab.charger.unplug(2)
    await connector_told(lab, "Available", 2)
    await states16.charging(lab, remote=True)
    await states16.stopped(lab, remote=True)
    await states16.available(lab)


@pytest.mark.covers("5.11 connector")
async def test_remote_start_needs_a_connector(shared_booted: Lab) -> None:
    """Without connectorId the charge point chooses; 0 and one that is not there are rejected."""
    lab = shared_booted
    for wrong in (0, 3):
        assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": wrong}) == REJECTED
    await lab.charger.plug_in(2)
    await connector_told(lab, "Preparing", 2)
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid}) == ACCEPTED
    check({"connectorId": 2}, await lab.csms.expect("StartTransaction"))
    await lab.charger.contactor("closed", 2)
    await lab.charger.unplug(2)
    await connector_told(lab, "Available", 2)


@pytest.mark.covers("5.11 ConnectionTimeOut", "ConnectionTimeOut")
async def test_remote_start_without_a_car(shared_booted: Lab) -> None:
    """No car comes: the connector is free again after ConnectionTimeOut."""
    lab = shared_booted
    async with states16.keys(lab, ConnectionTimeOut=1):
        assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 1}) == ACCEPTED
        await connector_told(lab, "Preparing")
        await connector_told(lab, "Available")
        await lab.csms.no_more("StartTransaction", for_s=0)


@pytest.mark.covers("5.11 profile")
async def test_remote_start_with_a_charging_profile(shared_booted: Lab) -> None:
    """Without smart charging the profile is ignored, not refused."""
    lab = shared_booted
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}]}
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}
    payload = {"idTag": VALID.uid, "connectorId": 1, "chargingProfile": {**profile, "chargingSchedule": schedule}}
    await states16.preparing(lab)
    assert await lab.csms.call("RemoteStartTransaction", payload) == ACCEPTED
    await lab.charger.contactor("closed")
    await lab.charger.unplug()
    await connector_told(lab, "Available")
    lab.sessions.clear()


@pytest.mark.covers("5.12", "4.10 unlocks", "6.35", "6.36", "7.36 Remote")
async def test_remote_stop(shared_booted: Lab) -> None:
    """The running transaction ends with Remote and its plug is unlocked; any other number is rejected."""
    lab = shared_booted
    await states16.charging(lab)
    number = int(lab.session.transaction or 0)
    assert await lab.csms.call("RemoteStopTransaction", {"transactionId": number + 1}) == REJECTED
    assert await lab.csms.call("RemoteStopTransaction", {"transactionId": number}) == ACCEPTED
    check({"reason": "Remote", "idTag": ABSENT}, await lab.csms.expect("StopTransaction", {"transactionId": number}))
    await lab.charger.until(lambda state: state["evses"][0]["lock"] == "unlocked")
    assert await lab.csms.call("RemoteStopTransaction", {"transactionId": number}) == REJECTED, "it is over"
    await states16.available(lab)


@pytest.mark.covers("5.18", "6.53", "6.54", "7.46", "7.36 UnlockCommand")
async def test_unlock_connector(shared_booted: Lab) -> None:
    """Free, plugged, and charging: the transaction is ended first, with UnlockCommand. NotSupported: no such connector."""
    lab = shared_booted
    for unknown in (3, 99):
        assert await lab.csms.call("UnlockConnector", {"connectorId": unknown}) == {"status": "NotSupported"}
    assert await lab.csms.call("UnlockConnector", {"connectorId": 2}) == {"status": "Unlocked"}
    await states16.charging(lab)
    assert await lab.csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
    await lab.csms.expect("StopTransaction", {"reason": "UnlockCommand"})
    await lab.charger.until(lambda state: state["evses"][0]["lock"] == "unlocked" and state["evses"][0]["contactor"] == "open")
    await states16.available(lab)


@pytest.mark.covers("5.18 failed", "7.46")
async def test_unlock_fails(lab: Lab) -> None:
    """UnlockFailed: the bolt does not move."""
    await lab.up()
    await states16.charging(lab)
    await lab.charger.fault("lock_stuck_locked")
    assert await lab.csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}
    await lab.csms.expect("StopTransaction", {"reason": "UnlockCommand"})


@pytest.mark.covers("5.18 no lock", "7.46")
async def test_nothing_to_unlock(lab: Lab) -> None:
    """NotSupported: a cable of the charge point's own."""
    await lab.up(connectors=["cType2"])
    assert await lab.csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "NotSupported"}


async def trigger(lab: Lab, message: str, connector: int | None = None) -> str:
    """The answer must come before what was asked for."""
    count = len(lab.csms.messages)
    payload = {"requestedMessage": message} | ({} if connector is None else {"connectorId": connector})
    answer = await lab.csms.call("TriggerMessage", payload)
    came = [it for it in lab.csms.messages[count:] if it.incoming and (it.kind == "result" or it.action == message)]
    assert came[0].kind == "result", came
    return str(answer["status"])


@pytest.mark.covers("5.17", "5.17 StatusNotification", "6.51", "6.52", "7.32", "7.44")
async def test_trigger_status_notification(shared_booted: Lab) -> None:
    """Of the charge point itself, of one connector, of all; rejected for one that is not there."""
    lab = shared_booted
    for connectors, asked in (([0], 0), ([2], 2), ([0, 1, 2], None)):
        assert await trigger(lab, "StatusNotification", asked) == "Accepted"
        told = [(await lab.csms.expect("StatusNotification"))["connectorId"] for _ in connectors]
        assert told == connectors
        await lab.csms.no_more("StatusNotification", for_s=0.3)
    assert await trigger(lab, "StatusNotification", 3) == "Rejected"


@pytest.mark.covers("5.17 MeterValues", "6.31", "6.32", "7.30", "7.33", "7.34", "7.35", "7.43", "7.45", "3.16.3")
async def test_trigger_meter_values(shared_booted: Lab) -> None:
    """The latest of all measurands of MeterValuesSampledData, of every phase, of one connector or all, the running transaction named."""
    lab = shared_booted
    async with states16.keys(lab, MeterValuesSampledData="Energy.Active.Import.Register,Voltage,Current.Import,Power.Active.Import"):
        assert await trigger(lab, "MeterValues", 2) == "Accepted"
        check({"connectorId": 2, "transactionId": ABSENT}, await lab.csms.expect("MeterValues"))
        await states16.charging(lab)
        assert await trigger(lab, "MeterValues") == "Accepted"
        told = await lab.csms.expect("MeterValues", {"connectorId": 1, "transactionId": int(lab.session.transaction or 0)})
        await lab.csms.expect("MeterValues", {"connectorId": 2, "transactionId": ABSENT})
        values = told["meterValue"][0]["sampledValue"]
        assert {value["context"] for value in values} == {"Trigger"}
        units = {value.get("measurand"): value["unit"] for value in values}
        wanted = {"Energy.Active.Import.Register": "Wh", "Voltage": "V", "Current.Import": "A", "Power.Active.Import": "W"}
        assert units == wanted
        for measurand, phases in (("Voltage", 3), ("Current.Import", 3)):
            assert len({value["phase"] for value in values if value["measurand"] == measurand}) == phases
        check({"location": "Outlet", "value": present}, values[0])
        await states16.stopped(lab, remote=True)
        await states16.available(lab)


@pytest.mark.covers("5.17 Heartbeat", "5.17 BootNotification", "5.17 not implemented")
async def test_trigger_other_messages(shared_booted: Lab) -> None:
    """Heartbeat and BootNotification come, whatever connector is named; what this charge point never sends is not implemented."""
    lab = shared_booted
    assert await trigger(lab, "Heartbeat") == "Accepted"
    await lab.csms.expect("Heartbeat")
    assert await trigger(lab, "Heartbeat", 1) == "Accepted"
    await lab.csms.expect("Heartbeat")
    status = await trigger(lab, "BootNotification")
    assert status in ("Accepted", "Rejected"), "errata 3.40"
    if status == "Accepted":
        await lab.csms.expect("BootNotification")
        await lab.charger.registered()
    for message in ("DiagnosticsStatusNotification", "FirmwareStatusNotification"):
        assert await trigger(lab, message) == "NotImplemented"


@pytest.mark.covers("5.14", "5.14 soft", "6.39", "6.40", "7.36 SoftReset", "7.41", "7.42", "5.2 persistent")
async def test_soft_reset(lab: Lab) -> None:
    """The transaction ends and is told before the restart; what was made unavailable stays so."""
    await lab.up(evses=2)
    assert await change(lab, 2, "Inoperative") == "Accepted"
    await connector_told(lab, "Unavailable", 2)
    await states16.charging(lab)
    assert await lab.csms.call("Reset", {"type": "Soft"}) == ACCEPTED
    await lab.csms.expect("StopTransaction", {"transactionId": int(lab.session.transaction or 0), "reason": "SoftReset"})
    await lab.csms.expect("BootNotification", within=30)
    await connector_told(lab, "Unavailable", 2)
    order = [it.action for it in lab.csms.calls() if it.action in ("StopTransaction", "BootNotification")]
    assert order == ["BootNotification", "StopTransaction", "BootNotification"]


@pytest.mark.covers("5.14 hard", "7.36 HardReset", "7.42", "5.2 persistent")
async def test_hard_reset(lab: Lab) -> None:
    """The transaction is told as ended by HardReset, before or after the restart; what was made unavailable stays so."""
    await lab.up(evses=2)
    assert await change(lab, 0, "Inoperative") == "Accepted"
    await connector_told(lab, "Unavailable", 0)
    assert await change(lab, 0, "Operative") == "Accepted"
    assert await change(lab, 2, "Inoperative") == "Accepted"
    await states16.charging(lab)
    lab.csms.forget()
    assert await lab.csms.call("Reset", {"type": "Hard"}) == ACCEPTED
    await lab.csms.expect("BootNotification", within=40)
    await lab.csms.expect("StopTransaction", {"transactionId": int(lab.session.transaction or 0), "reason": "HardReset"})
    await connector_told(lab, "Available", 0)
    await connector_told(lab, "Unavailable", 2)


@pytest.mark.covers("5.14 offline")
async def test_a_stop_that_a_reset_could_not_tell_is_queued(lab: Lab) -> None:
    """Nobody answers the StopTransaction of a reset: it is told after the restart."""
    await lab.up(variables={"OCPPCommCtrlr.MessageTimeout[Default]": 2})
    lab.csms.judge.message_timeout_s = 1.5
    await states16.charging(lab)
    lab.csms.answer("StopTransaction", SILENCE, times=1)
    assert await lab.csms.call("Reset", {"type": "Soft"}) == ACCEPTED
    await lab.csms.expect("StopTransaction")
    await lab.csms.expect("BootNotification", within=30)
    await lab.csms.expect("StopTransaction", {"transactionId": int(lab.session.transaction or 0), "reason": "SoftReset"})


@pytest.mark.covers("7.36 PowerLoss", "4.10", "6.49", "6.50")
async def test_a_power_cut_ends_the_transaction(lab: Lab) -> None:
    """The power goes while it charges: told as PowerLoss once it is back, with the last register known."""
    await lab.up(station={"after_power_loss": "end"})
    start = await states16.charging(lab)
    await lab.charger.power_cycle()
    await lab.csms.expect("BootNotification", within=30)
    stop = await lab.csms.expect("StopTransaction", {"transactionId": int(lab.session.transaction or 0), "reason": "PowerLoss"})
    assert stop["meterStop"] >= start["meterStart"] and stop["timestamp"] >= start["timestamp"]


@pytest.mark.covers("7.36 Other")
async def test_a_fault_ends_the_transaction(lab: Lab) -> None:
    """A residual current ends it; 1.6 has no word of its own for that."""
    await lab.up()
    await states16.charging(lab)
    await lab.charger.fault("rcd_trip")
    await lab.csms.expect("StopTransaction", {"reason": "Other"})
    await connector_told(lab, "Faulted", error="GroundFailure")


@pytest.mark.covers("5.3", "5.8")
async def test_keys_are_those_of_this_charge_point(shared_booted: Lab) -> None:
    """A key that is not listed is not known to any call."""
    await keys16.absent(shared_booted, "ReserveConnectorZeroSupported")
    await keys16.absent(shared_booted, "ChargeProfileMaxStackLevel")
