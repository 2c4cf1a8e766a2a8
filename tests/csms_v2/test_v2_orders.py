"""Each order as the 2.0.1 face hears it: good and bad payloads, and its answer."""

from __future__ import annotations

import pytest

from chargepoint.csms.face import CallRefused
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.network import NetworkProfile
from chargepoint.model.orders import (
    Answer,
    ChangeAvailability,
    ClearCache,
    DataTransfer,
    GetBaseReport,
    GetLocalListVersion,
    GetReport,
    GetTransactionStatus,
    GetVariable,
    GetVariables,
    ListEntry,
    RemoteStart,
    RemoteStop,
    Reset,
    ResetKind,
    SendLocalList,
    SetNetworkProfile,
    SetVariable,
    SetVariables,
    Trigger,
    Unlock,
)
from chargepoint.model.questions import Registration

TOKEN = {"idToken": "AB12", "type": "ISO14443"}
COMPONENT = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power", "instance": ""}}
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}]}],
}
SIMPLE = [
    ("Reset", {"type": "OnIdle"}, Reset(ResetKind.ON_IDLE), "Scheduled"),
    ("Reset", {"type": "Immediate", "evseId": 2}, Reset(ResetKind.IMMEDIATE, 2), "Accepted"),
    ("ChangeAvailability", {"operationalStatus": "Inoperative"}, ChangeAvailability(False), "Accepted"),
    (
        "ChangeAvailability",
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 2}},
        ChangeAvailability(True, 1, 2),
        "Scheduled",
    ),
    ("ClearCache", {}, ClearCache(), "Rejected"),
    ("UnlockConnector", {"evseId": 1, "connectorId": 1}, Unlock(1, 1), "OngoingAuthorizedTransaction"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, Trigger("Heartbeat"), "Accepted"),
    (
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
        Trigger("StatusNotification", 1, 1),
        "NotImplemented",
    ),
    ("RequestStopTransaction", {"transactionId": "T1"}, RemoteStop("T1"), "Rejected"),
    ("GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"}, GetBaseReport(4, "FullInventory"), "Accepted"),
    (
        "GetReport",
        {"requestId": 4, "componentCriteria": ["Problem"], "componentVariable": [COMPONENT, {"component": {"name": "EVSE"}}]},
        GetReport(4, ("Problem",), (("EVSE", None, 1, None, "Power", None), ("EVSE", None, None, None, None, None))),
        "EmptyResultSet",
    ),
    ("DataTransfer", {"vendorId": "v", "messageId": "m", "data": {"a": 1}}, DataTransfer("v", "m", {"a": 1}), "UnknownVendorId"),
]


@pytest.mark.parametrize(("action", "payload", "order", "status"), SIMPLE)
async def test_order_and_status(bench, action, payload, order, status):
    async def then() -> None: ...

    bench.takes(type(order), Answer(status, "TxInProgress", "s" * 600, then))
    heard = await bench.hear(action, payload)
    assert bench.orders == [order]
    assert heard.payload == {"status": status, "statusInfo": {"reasonCode": "TxInProgress", "additionalInfo": "s" * 512}}
    assert heard.then is then


@pytest.mark.parametrize(("action", "payload", "order", "status"), SIMPLE)
async def test_without_a_handler(bench, action, payload, order, status):
    with pytest.raises(CallRefused) as refused:
        await bench.hear(action, payload)
    assert refused.value.code == "NotSupported"


async def test_every_known_order_is_heard(bench):
    from chargepoint.csms.v2.face import HEARS

    assert all(bench.schemas.knows(action) for action in HEARS)
    for action, code in (("ReserveNow", "NotSupported"), ("BootNotification", "NotSupported")):
        with pytest.raises(CallRefused) as refused:
            await bench.face.hear(action, {})
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Reset", {"type": "Hard"}, "PropertyConstraintViolation"),
        ("Reset", {}, "OccurrenceConstraintViolation"),
        ("Reset", {"type": "OnIdle", "evseId": "1"}, "TypeConstraintViolation"),
        ("Reset", {"type": "OnIdle", "more": 1}, "FormatViolation"),
        ("GetVariables", {"getVariableData": []}, "OccurrenceConstraintViolation"),
        ("SetVariables", {"setVariableData": [{"attributeValue": "1"}]}, "OccurrenceConstraintViolation"),
        ("RequestStartTransaction", {"idToken": TOKEN}, "OccurrenceConstraintViolation"),
        ("UnlockConnector", {"evseId": 1}, "OccurrenceConstraintViolation"),
        ("MakeTea", {}, "NotImplemented"),
    ],
)
async def test_bad_payloads(bench, action, payload, code):
    with pytest.raises(CallRefused) as refused:
        await bench.hear(action, payload)
    assert refused.value.code == code


async def test_remote_start(bench):
    bench.takes(RemoteStart, Answer("Accepted", extra={"transaction": "T1"}))
    payload = {"idToken": TOKEN, "remoteStartId": 3, "evseId": 1, "groupIdToken": {"idToken": "G", "type": "Central"}, "chargingProfile": PROFILE}
    heard = await bench.hear("RequestStartTransaction", payload)
    assert heard.payload == {"status": "Accepted", "transactionId": "T1"}
    assert bench.orders == [RemoteStart(IdToken("AB12"), 3, 1, None, IdToken("G", "Central"), PROFILE)]


@pytest.mark.parametrize("registration", [None, Registration.PENDING])
async def test_before_acceptance(bench, registration):
    """B02.FR.05, B02.FR.01."""
    bench.backend.registration = registration
    bench.takes(RemoteStart, Answer("Accepted"))
    bench.takes(RemoteStop, Answer("Accepted"))
    bench.takes(ClearCache, Answer("Accepted"))
    for action, payload in (
        ("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 3}),
        ("RequestStopTransaction", {"transactionId": "T1"}),
    ):
        heard = await bench.hear(action, payload)
        assert heard.payload["status"] == "Rejected" and heard.payload["statusInfo"]["reasonCode"] == "CSNotAccepted"
    assert (await bench.hear("ClearCache", {})).payload == {"status": "Accepted"}
    assert bench.orders == [ClearCache()]


async def test_after_rejection(bench):
    """B03.FR.08."""
    bench.backend.registration = Registration.REJECTED
    bench.takes(ClearCache, Answer("Accepted"))
    with pytest.raises(CallRefused) as refused:
        await bench.hear("ClearCache", {})
    assert refused.value.code == "SecurityError" and not bench.orders


async def test_get_variables(bench):
    name = ("EVSE", None), ("Power", None)
    asked = (GetVariable(*name, "Actual", 1), GetVariable(("X", "i"), ("Y", "j"), "Target", 1, 2), GetVariable(("X", None), ("Z", None)))
    bench.takes(
        GetVariables,
        Answer("Accepted", data=[(asked[0], "Accepted", "11"), (asked[1], "Accepted", None), (asked[2], "UnknownVariable", None)]),
    )
    wanted = {"component": {"name": "X", "instance": "i", "evse": {"id": 1, "connectorId": 2}}, "variable": {"name": "Y", "instance": "j"}}
    last = {"component": {"name": "X"}, "variable": {"name": "Z"}}
    heard = await bench.hear("GetVariables", {"getVariableData": [COMPONENT, {**wanted, "attributeType": "Target"}, last]})
    assert bench.orders == [GetVariables(asked)]
    assert heard.payload["getVariableResult"] == [
        {
            "attributeStatus": "Accepted",
            "attributeType": "Actual",
            "attributeValue": "11",
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": "Power"},
        },
        {"attributeStatus": "Accepted", "attributeType": "Target", "attributeValue": "", **wanted},
        {"attributeStatus": "UnknownVariable", "attributeType": "Actual", **last},
    ]


async def test_set_variables(bench):
    asked = SetVariable(("AuthCtrlr", None), ("Enabled", None), "true")
    bench.takes(SetVariables, Answer("Accepted", data=[(asked, "RebootRequired", None, None)]))
    data = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}}
    heard = await bench.hear("SetVariables", {"setVariableData": [{**data, "attributeValue": "true"}]})
    assert bench.orders == [SetVariables((asked,))]
    assert heard.payload == {"setVariableResult": [{"attributeStatus": "RebootRequired", "attributeType": "Actual", **data}]}


@pytest.mark.parametrize(("reason", "code"), [(None, "Unspecified"), ("ReadOnly", "ReadOnly")])
async def test_why_a_variable_was_not_set(bench, reason, code):
    asked = SetVariable(("RCD", None), ("Tripped", None), "false", evse=1)
    bench.takes(SetVariables, Answer("Accepted", data=[(asked, "Rejected", reason, "its cause lasts")]))
    data = {"component": {"name": "RCD", "evse": {"id": 1}}, "variable": {"name": "Tripped"}}
    (result,) = (await bench.hear("SetVariables", {"setVariableData": [{**data, "attributeValue": "false"}]})).payload["setVariableResult"]
    assert result["attributeStatusInfo"] == {"reasonCode": code, "additionalInfo": "its cause lasts"}


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("GetVariables", {"getVariableData": [COMPONENT] * 2}),
        ("SetVariables", {"setVariableData": [{**COMPONENT, "attributeValue": "1"}] * 2}),
        ("GetReport", {"requestId": 1, "componentVariable": [COMPONENT] * 2}),
    ],
)
async def test_too_much(bench, action, payload):
    bench.variables.values[f"DeviceDataCtrlr.ItemsPerMessage[{action}]"] = "1"
    with pytest.raises(CallRefused) as refused:
        await bench.hear(action, payload)
    assert refused.value.code == "OccurrenceConstraintViolation"
    bench.variables.values = {f"DeviceDataCtrlr.BytesPerMessage[{action}]": "50"}
    with pytest.raises(CallRefused) as refused:
        await bench.hear(action, payload)
    assert refused.value.code == "FormatViolation"


@pytest.mark.parametrize(
    ("asked", "extra", "told"),
    [
        ("T1", {"ongoing": True, "messages_in_queue": False}, {"ongoingIndicator": True, "messagesInQueue": False}),
        ("T9", {"ongoing": None, "messages_in_queue": False}, {"ongoingIndicator": False, "messagesInQueue": False}),
        (None, {"ongoing": True, "messages_in_queue": True}, {"messagesInQueue": True}),
    ],
)
async def test_transaction_status(bench, asked, extra, told):
    """E14."""
    bench.takes(GetTransactionStatus, Answer("Accepted", extra=extra))
    heard = await bench.hear("GetTransactionStatus", {"transactionId": asked} if asked else {})
    assert bench.orders == [GetTransactionStatus(asked)] and heard.payload == told


async def test_local_list(bench):
    bench.takes(SendLocalList, Answer("Accepted"))
    entries = [{"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}, {"idToken": TOKEN}]
    heard = await bench.hear("SendLocalList", {"versionNumber": 3, "updateType": "Differential", "localAuthorizationList": entries})
    assert heard.payload == {"status": "Accepted"}
    listed = ListEntry(IdToken("AB12"), IdTokenInfo(AuthorizationStatus.ACCEPTED)), ListEntry(IdToken("AB12"), None)
    await bench.hear("SendLocalList", {"versionNumber": 4, "updateType": "Full"})
    assert bench.orders == [SendLocalList(3, False, listed), SendLocalList(4, True, ())]


@pytest.mark.parametrize("key", ["LocalAuthListCtrlr.ItemsPerMessage", "LocalAuthListCtrlr.BytesPerMessage"])
async def test_local_list_too_long(bench, key):
    bench.takes(SendLocalList, Answer("Accepted"))
    bench.variables.values[key] = "1"
    heard = await bench.hear("SendLocalList", {"versionNumber": 3, "updateType": "Full", "localAuthorizationList": [{"idToken": TOKEN}] * 2})
    assert heard.payload["status"] == "Failed" and heard.payload["statusInfo"]["reasonCode"] == "TooManyElements"
    assert not bench.orders


async def test_network_profile(bench):
    bench.takes(SetNetworkProfile, Answer("Rejected", "InvalidConfSlot", "the slots are 1, 2, 3"))
    vpn = {"server": "host", "user": "u", "password": "p", "key": "k", "type": "IKEv2"}
    profile = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://two/ocpp",
        "messageTimeout": 20,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
        "vpn": vpn,
    }
    heard = await bench.hear("SetNetworkProfile", {"configurationSlot": 4, "connectionData": profile})
    assert heard.payload["status"] == "Rejected" and heard.payload["statusInfo"]["reasonCode"] == "InvalidConfSlot"
    assert bench.orders == [SetNetworkProfile(4, NetworkProfile("wss://two/ocpp", 2, 20, "JSON", ("vpn",)))]


@pytest.mark.parametrize(("version", "told"), [(7, 7), (-1, 0)])
async def test_local_list_version(bench, version, told):
    bench.takes(GetLocalListVersion, Answer("Accepted", data=version))
    assert (await bench.hear("GetLocalListVersion", {})).payload == {"versionNumber": told}


async def test_data_transfer_with_data(bench):
    bench.takes(DataTransfer, Answer("Accepted", info="why", data="text"))
    heard = await bench.hear("DataTransfer", {"vendorId": "v"})
    assert heard.payload == {"status": "Accepted", "data": "text", "statusInfo": {"reasonCode": "Unspecified", "additionalInfo": "why"}}
