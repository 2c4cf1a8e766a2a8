"""What a CSMS orders and asks beside starting and stopping: availability, unlock, triggered messages, configuration, reports, lists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.world import KNOWN_CARD, OTHER_CARD, World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
Payload = dict[str, Any]


async def ask(world: World, action: str, **payload: Any) -> Payload:
    return await world.csms.send("CP001", action, payload)


async def change_availability(world: World, operative: bool, evse: int | None = None, connector: int | None = None) -> str:
    """By level: the station, an EVSE, or a connector (1.6 knows no EVSEs)."""
    word = "Operative" if operative else "Inoperative"
    if world.version == "ocpp1.6":
        return str((await ask(world, "ChangeAvailability", connectorId=evse or 0, type=word))["status"])
    place = {} if evse is None else {"evse": {"id": evse} if connector is None else {"id": evse, "connectorId": connector}}
    return str((await ask(world, "ChangeAvailability", operationalStatus=word, **place))["status"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_availability_at_every_level_over_a_power_cut(world: World, version: str) -> None:
    await world.up(version, evses=2)
    assert await change_availability(world, False, 1) == "Accepted"
    await world.status("Unavailable", 1)
    assert await change_availability(world, False, 2, 1) == "Accepted"
    await world.status("Unavailable", 2)
    await world.post("power", {"state": "off"})
    await world.post("power", {"state": "on"})
    await world.registered("accepted")
    await world.status("Unavailable", 1)
    assert await change_availability(world, True, 1) == "Accepted"
    await world.status("Available", 1)
    assert await change_availability(world, False) == "Accepted"
    await world.status("Unavailable", 1)
    await world.post("kill", {"process": "station", "signal": "KILL"})
    await asyncio.sleep(1)
    await world.registered("accepted")
    await world.status("Unavailable", 1)
    await world.plug_in()
    await world.swipe()
    await asyncio.sleep(2)
    assert (await world.evse())["cycles"]["coil"] == 0
    assert await change_availability(world, True) == "Accepted"
    await world.status("Preparing", 1)
    await world.status("Available" if version == "ocpp1.6" else "Unavailable", 2)  # 1.6 5.2: connectorId 0 takes every connector along
    await world.swipe()
    await world.contactor("closed", 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_availability_waits_for_the_transaction_and_unlock_is_true(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.status("Charging")
    assert await change_availability(world, False, 1) == "Scheduled"
    await asyncio.sleep(1)
    await world.status("Charging")
    place = {"connectorId": 1} if version == "ocpp1.6" else {"evseId": 1, "connectorId": 1}
    answer = await ask(world, "UnlockConnector", **place)
    if version == "ocpp2.0.1":
        assert answer["status"] == "OngoingAuthorizedTransaction"
        assert (await world.evse())["lock"] == "locked"
        await world.swipe()
        await world.contactor("open")
        assert (await ask(world, "UnlockConnector", evseId=1, connectorId=7))["status"] == "UnknownConnector"
        answer = await ask(world, "UnlockConnector", **place)
    assert answer["status"] == "Unlocked"
    evse = await world.evse()
    assert (evse["lock"], evse["contactor"]) == ("unlocked", "open")  # what was answered is so
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.status("Unavailable")
    await world.unplug()
    assert await change_availability(world, True, 1) == "Accepted"
    await world.status("Available")
    await world.charge()
    await world.post("evse/1/fault", {"fault": "lock_stuck_locked"})
    await world.swipe()
    await world.contactor("open")
    assert (await ask(world, "UnlockConnector", **place))["status"] == "UnlockFailed"


TRIGGERED_16 = ["Heartbeat", "MeterValues", "StatusNotification"]
TRIGGERED_2 = ["Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_message_can_be_triggered(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await asyncio.sleep(1)
    for message in TRIGGERED_16 if version == "ocpp1.6" else TRIGGERED_2:
        before = len(world.csms.book.calls("CP001", message))
        place: Payload = {}
        if message != "Heartbeat":
            place = {"connectorId": 1} if version == "ocpp1.6" else {"evse": {"id": 1, "connectorId": 1}}
        assert (await ask(world, "TriggerMessage", requestedMessage=message, **place))["status"] == "Accepted", message
        await world.told(lambda csms, m=message, n=before: len(csms.book.calls("CP001", m)) > n)
    if version == "ocpp1.6":
        assert (await ask(world, "TriggerMessage", requestedMessage="StatusNotification", connectorId=9))["status"] == "Rejected"
        words = ("FirmwareStatusNotification", "DiagnosticsStatusNotification")
    else:
        assert (await ask(world, "TriggerMessage", requestedMessage="StatusNotification", evse={"id": 9}))["status"] == "Rejected"
        assert (await ask(world, "TriggerMessage", requestedMessage="BootNotification"))["status"] == "Rejected"
        words = ("FirmwareStatusNotification", "LogStatusNotification")
    for word in words:
        assert (await ask(world, "TriggerMessage", requestedMessage=word))["status"] in ("Accepted", "NotImplemented")


async def test_configuration_keys_outlive_restarts(world: World) -> None:
    await world.up("ocpp1.6", more='[ocpp16.configuration]\n"HeartbeatInterval" = 301\n"MeterValueSampleInterval" = 17')
    every = await ask(world, "GetConfiguration")
    keys = {row["key"]: row for row in every["configurationKey"]}
    assert keys["MeterValueSampleInterval"]["value"] == "17"
    for key, value in [
        ("MeterValueSampleInterval", "33"),
        ("ConnectionTimeOut", "44"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register,Voltage"),
    ]:
        assert (await ask(world, "ChangeConfiguration", key=key, value=value))["status"] == "Accepted"
    assert (await ask(world, "ChangeConfiguration", key="NumberOfConnectors", value="7"))["status"] == "Rejected"
    assert (await ask(world, "ChangeConfiguration", key="ConnectionTimeOut", value="soon"))["status"] == "Rejected"
    assert (await ask(world, "ChangeConfiguration", key="NoSuchKey", value="7"))["status"] == "NotSupported"
    await world.post("power", {"state": "off"})
    await world.post("power", {"state": "on"})
    await world.registered("accepted")
    answer = await ask(world, "GetConfiguration", key=["MeterValueSampleInterval", "ConnectionTimeOut", "MeterValuesSampledData", "NoSuchKey"])
    assert {row["key"]: row["value"] for row in answer["configurationKey"]} == {
        "MeterValueSampleInterval": "33",
        "ConnectionTimeOut": "44",
        "MeterValuesSampledData": "Energy.Active.Import.Register,Voltage",
    }
    assert answer["unknownKey"] == ["NoSuchKey"]
    await world.down()
    await world.up("ocpp1.6", more='[ocpp16.configuration]\n"MeterValueSampleInterval" = 17')
    answer = await ask(world, "GetConfiguration", key=["MeterValueSampleInterval"])
    assert answer["configurationKey"][0]["value"] == "33"


def of(component: str, variable: str, **more: Any) -> Payload:
    return {"component": {"name": component}, "variable": {"name": variable}, **more}


async def test_variables_and_reports(world: World) -> None:
    await world.up("ocpp2.0.1", more='[ocpp2.variables]\n"SampledDataCtrlr.TxUpdatedInterval" = 17')
    wanted = [
        of("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="33"),
        of("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="soon"),
        of("NoSuch", "TxUpdatedInterval", attributeValue="1"),
        of("SampledDataCtrlr", "NoSuch", attributeValue="1"),
        of("LocalAuthListCtrlr", "Entries", attributeValue="1"),
    ]
    answer = await ask(world, "SetVariables", setVariableData=wanted)
    assert [row["attributeStatus"] for row in answer["setVariableResult"]] == [
        "Accepted",
        "Rejected",
        "UnknownComponent",
        "UnknownVariable",
        "Rejected",
    ]
    await world.post("power", {"state": "off"})
    await world.post("power", {"state": "on"})
    await world.registered("accepted")
    answer = await ask(world, "GetVariables", getVariableData=[of("SampledDataCtrlr", "TxUpdatedInterval")])
    assert answer["getVariableResult"][0]["attributeValue"] == "33"
    for number, base in enumerate(["FullInventory", "ConfigurationInventory", "SummaryInventory"], 1):
        said = await ask(world, "GetBaseReport", requestId=number, reportBase=base)
        assert said["status"] in ("Accepted", "NotSupported" if base == "SummaryInventory" else "")
        if said["status"] == "Accepted":
            await world.told(lambda csms, n=number: not (csms.book.station("CP001").reports.get(str(n)) or [{"tbc": True}])[-1].get("tbc", False))
    full = world.csms.book.station("CP001").reports["1"]
    assert len(full) > 1
    assert sum(len(part["reportData"]) for part in full) > 80
    components = [{"component": {"name": "TxCtrlr"}}]
    assert (await ask(world, "GetReport", requestId=9, componentVariable=components))["status"] == "Accepted"
    await world.told(lambda csms: not (csms.book.station("CP001").reports.get("9") or [{"tbc": True}])[-1].get("tbc", False))
    data = [row for part in world.csms.book.station("CP001").reports["9"] for row in part["reportData"]]
    assert data and {row["component"]["name"] for row in data} == {"TxCtrlr"}


def entry(version: str, card: str, status: str = "Accepted") -> Payload:
    if version == "ocpp1.6":
        return {"idTag": card, "idTagInfo": {"status": status}}
    return {"idToken": {"idToken": card, "type": "ISO14443"}, "idTokenInfo": {"status": status}}


@pytest.mark.parametrize("version", VERSIONS)
async def test_local_list_and_cache(world: World, version: str) -> None:
    await world.up(version)
    number = "listVersion" if version == "ocpp1.6" else "versionNumber"

    async def send(kind: str, list_version: int, *entries: Payload) -> str:
        payload = {number: list_version, "updateType": kind, "localAuthorizationList": list(entries)}
        return str((await ask(world, "SendLocalList", **payload))["status"])

    async def version_now() -> Any:
        return (await ask(world, "GetLocalListVersion"))[number]

    assert await send("Full", 3, entry(version, "AAAA0001"), entry(version, "AAAA0002")) == "Accepted"
    assert await send("Differential", 3, entry(version, "AAAA0003")) == "VersionMismatch"
    without = {"idTag": "AAAA0001"} if version == "ocpp1.6" else {"idToken": {"idToken": "AAAA0001", "type": "ISO14443"}}
    assert await send("Differential", 4, entry(version, "AAAA0003"), without) == "Accepted"
    assert await version_now() == 4
    await world.charge()  # KNOWN_CARD comes into the cache
    await world.swipe()
    await world.contactor("open")
    await world.unplug()
    await world.status("Available")
    await world.post("power", {"state": "off"})
    await world.post("network", {"state": "down"})
    await world.post("power", {"state": "on"})
    await world.registered(None)
    for card, may in [("AAAA0001", False), ("AAAA0003", True), (KNOWN_CARD, True), (OTHER_CARD, False)]:
        await world.plug_in()
        await world.swipe(card)
        if may:
            await world.contactor("closed")
        await asyncio.sleep(1.5)
        assert (await world.evse())["contactor"] == ("closed" if may else "open"), card
        await world.unplug()
        await world.status("Available")
    await world.post("network", {"state": "up"})
    await world.registered("accepted")
    await world.all_told()
    assert await version_now() == 4
    assert (await ask(world, "ClearCache"))["status"] == "Accepted"
    await world.post("network", {"state": "down"})
    await world.plug_in()
    await world.swipe()
    await asyncio.sleep(2)
    assert (await world.evse())["contactor"] == "open"
    await world.post("network", {"state": "up"})
    await world.all_told()
