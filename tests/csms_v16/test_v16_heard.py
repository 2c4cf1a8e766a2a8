"""What 1.6 hears: CALL to order, answer to CALLRESULT."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargepoint.csms.face import CallRefused, Unanswered
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import (
    SAMPLED_VALUES,
    Answer,
    ChangeAvailability,
    ClearCache,
    DataTransfer,
    GetLocalListVersion,
    ListEntry,
    RemoteStart,
    RemoteStop,
    Reset,
    ResetKind,
    SendLocalList,
    Trigger,
    Unlock,
)
from chargepoint.model.questions import Registration
from chargepoint.store.db import Db
from tests.csms_v16.conftest import Bench, with_factory

ACCEPTED = {"status": "Accepted"}
ORDERS: list[tuple[str, dict[str, Any], Any, str, dict[str, Any]]] = [
    ("Reset", {"type": "Hard"}, Reset(ResetKind.HARD), "Accepted", {"status": "Accepted"}),
    ("Reset", {"type": "Soft"}, Reset(ResetKind.SOFT), "Scheduled", {"status": "Accepted"}),
    ("Reset", {"type": "Soft"}, Reset(ResetKind.SOFT), "Rejected", {"status": "Rejected"}),
    ("ClearCache", {}, ClearCache(), "Rejected", {"status": "Rejected"}),
    (
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
        ChangeAvailability(False, flat=True),
        "Scheduled",
        {"status": "Scheduled"},
    ),
    ("ChangeAvailability", {"connectorId": 3, "type": "Operative"}, ChangeAvailability(True, 7, 1, flat=True), "Accepted", {"status": "Accepted"}),
    ("ChangeAvailability", {"connectorId": 4, "type": "Operative"}, None, "", {"status": "Rejected"}),
    (
        "RemoteStartTransaction",
        {"connectorId": 2, "idTag": "AB"},
        RemoteStart(IdToken("AB", "Central"), evse=1, connector=2),
        "Accepted",
        {"status": "Accepted"},
    ),
    ("RemoteStartTransaction", {"idTag": "AB"}, RemoteStart(IdToken("AB", "Central")), "Rejected", {"status": "Rejected"}),
    ("RemoteStartTransaction", {"connectorId": 0, "idTag": "AB"}, None, "", {"status": "Rejected"}),
    ("RemoteStartTransaction", {"connectorId": -1, "idTag": "AB"}, None, "", {"status": "Rejected"}),
    ("UnlockConnector", {"connectorId": 1}, Unlock(1, 1, stop_transaction=True), "Unlocked", {"status": "Unlocked"}),
    ("UnlockConnector", {"connectorId": 3}, Unlock(7, 1, stop_transaction=True), "UnlockFailed", {"status": "UnlockFailed"}),
    ("UnlockConnector", {"connectorId": 3}, Unlock(7, 1, stop_transaction=True), "OngoingAuthorizedTransaction", {"status": "UnlockFailed"}),
    ("UnlockConnector", {"connectorId": 2}, None, "", {"status": "NotSupported"}),
    ("UnlockConnector", {"connectorId": 0}, None, "", {"status": "NotSupported"}),
    ("UnlockConnector", {"connectorId": 9}, None, "", {"status": "NotSupported"}),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, Trigger("Heartbeat"), "Accepted", {"status": "Accepted"}),
    (
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 0},
        Trigger("StatusNotification", 0, 0),
        "Accepted",
        {"status": "Accepted"},
    ),
    ("TriggerMessage", {"requestedMessage": "StatusNotification"}, Trigger("StatusNotification"), "Accepted", {"status": "Accepted"}),
    ("TriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 0}, Trigger("Heartbeat"), "Accepted", {"status": "Accepted"}),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 2}, Trigger(SAMPLED_VALUES, 1, 2), "Rejected", {"status": "Rejected"}),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 5}, None, "", {"status": "Rejected"}),
    ("TriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 5}, Trigger("Heartbeat"), "Accepted", {"status": "Accepted"}),
    (
        "TriggerMessage",
        {"requestedMessage": "DiagnosticsStatusNotification"},
        Trigger("LogStatusNotification"),
        "NotImplemented",
        {"status": "NotImplemented"},
    ),
    ("DataTransfer", {"vendorId": "v", "messageId": "m"}, DataTransfer("v", "m"), "UnknownVendorId", {"status": "UnknownVendorId"}),
    (
        "SendLocalList",
        {
            "listVersion": 3,
            "updateType": "Differential",
            "localAuthorizationList": [{"idTag": "A", "idTagInfo": {"status": "Blocked"}}, {"idTag": "B"}],
        },
        SendLocalList(3, False, (ListEntry(IdToken("A"), IdTokenInfo(AuthorizationStatus.BLOCKED)), ListEntry(IdToken("B"), None))),
        "VersionMismatch",
        {"status": "VersionMismatch"},
    ),
    ("SendLocalList", {"listVersion": 3, "updateType": "Full"}, SendLocalList(3, True, ()), "Accepted", {"status": "Accepted"}),
    (
        "SendLocalList",
        {"listVersion": 3, "updateType": "Full", "localAuthorizationList": [{"idTag": "A"}]},
        None,
        "",
        {"status": "Failed"},
    ),
    ("SendLocalList", {"listVersion": -1, "updateType": "Full"}, None, "", {"status": "Failed"}),
]


@pytest.mark.parametrize(("action", "payload", "order", "status", "expected"), ORDERS)
async def test_orders(bench: Bench, action: str, payload: dict[str, Any], order: Any, status: str, expected: dict[str, Any]) -> None:
    bench.dm.push("LocalAuthListCtrlr.Entries", 1)
    if order is not None:
        bench.takes(type(order), Answer(status))
    assert await bench.hear(action, payload) == expected
    assert bench.orders == ([order] if order is not None else [])


async def test_what_follows_goes_along(bench: Bench) -> None:
    async def then() -> None:
        return None

    bench.takes(Reset, Answer("Accepted", then=then))
    assert (await bench.heard("Reset", {"type": "Hard"})).then is then


async def test_the_charging_profile_of_a_remote_start_is_kept_as_it_came(bench: Bench) -> None:
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}]},
    }
    bench.takes(RemoteStart, Answer("Accepted"))
    await bench.hear("RemoteStartTransaction", {"idTag": "A", "chargingProfile": profile})
    assert bench.orders[0].profile == profile


async def test_remote_stop_by_the_number_the_csms_gave(bench: Bench) -> None:
    bench.takes(RemoteStop, Answer("Accepted"))
    bench.running, bench.notes.kept = ["t1", "t2"], {"t0": "7", "t1": "8", "t2": "9"}
    assert await bench.hear("RemoteStopTransaction", {"transactionId": 8}) == {"status": "Accepted"}
    assert bench.orders == [RemoteStop("t1")]


async def test_one_number_for_every_transaction_means_the_youngest_that_runs(bench: Bench) -> None:
    bench.takes(RemoteStop, Answer("Accepted"))
    bench.running, bench.notes.kept = ["t2", "t3"], {"t1": "1", "t2": "1", "t3": "1", "t4": "1"}
    await bench.hear("RemoteStopTransaction", {"transactionId": 1})
    assert bench.orders == [RemoteStop("t3")]


async def test_remote_stop_of_a_number_nobody_has(bench: Bench) -> None:
    bench.running, bench.notes.kept = ["t1"], {"t1": "8"}
    heard = asyncio.create_task(bench.hear("RemoteStopTransaction", {"transactionId": 5}))
    await bench.clock.advance(1)
    assert await heard == {"status": "Rejected"}


async def test_remote_stop_right_behind_the_start(bench: Bench) -> None:
    bench.takes(RemoteStop, Answer("Accepted"))
    bench.running = ["t1"]
    heard = asyncio.create_task(bench.hear("RemoteStopTransaction", {"transactionId": 5}))
    await bench.clock.settle()
    bench.notes.kept["t1"] = "5"
    await bench.clock.advance(1)
    assert await heard == {"status": "Accepted"}


async def test_local_list_version(bench: Bench) -> None:
    bench.takes(GetLocalListVersion, Answer("Accepted", data=12))
    assert await bench.hear("GetLocalListVersion", {}) == {"listVersion": 0}, "5.10: it is empty"
    bench.dm.push("LocalAuthListCtrlr.Entries", 1)
    assert await bench.hear("GetLocalListVersion", {}) == {"listVersion": 12}


async def test_an_empty_list_takes_an_update_of_any_version(bench: Bench) -> None:
    """5.10: its version is told as 0, whatever it was emptied with; so the update is the whole list."""
    bench.takes(SendLocalList, Answer("Accepted"))
    entries = [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B"}]
    assert await bench.hear("SendLocalList", {"listVersion": 1, "updateType": "Differential", "localAuthorizationList": entries}) == ACCEPTED
    assert bench.orders == [SendLocalList(1, True, (ListEntry(IdToken("A"), IdTokenInfo(AuthorizationStatus.ACCEPTED)),))]


async def test_a_disabled_local_list(bench: Bench) -> None:
    bench.dm.set("LocalAuthListCtrlr.Enabled", "false")
    assert await bench.hear("GetLocalListVersion", {}) == {"listVersion": -1}
    assert await bench.hear("SendLocalList", {"listVersion": 3, "updateType": "Full"}) == {"status": "NotSupported"}


async def test_data_transfer_gives_data_back(bench: Bench) -> None:
    bench.takes(DataTransfer, Answer("Accepted", data="pong"))
    assert await bench.hear("DataTransfer", {"vendorId": "v", "data": "ping"}) == {"status": "Accepted", "data": "pong"}


@pytest.mark.parametrize("action", ["ReserveNow", "UpdateFirmware", "BootNotification", "GetDiagnostics"])
async def test_known_but_not_offered_is_not_supported(bench: Bench, action: str) -> None:
    with pytest.raises(CallRefused, match="NotSupported"):
        await bench.face.hear(action, {})


async def test_no_handler_is_not_supported(bench: Bench) -> None:
    with pytest.raises(CallRefused, match="NotSupported"):
        await bench.hear("ClearCache", {})


async def test_a_profile_left_out_switches_its_calls_off(db: Db) -> None:
    bench = Bench(db, with_factory(SupportedFeatureProfiles="Core"))
    for action, payload in (("TriggerMessage", {"requestedMessage": "Heartbeat"}), ("GetLocalListVersion", {})):
        with pytest.raises(CallRefused, match="NotSupported"):
            await bench.hear(action, payload)
    assert not bench.dm.boolean("LocalAuthListCtrlr.Available")


@pytest.mark.parametrize("registration", [None, Registration.PENDING])
async def test_before_acceptance_nothing_is_started_or_stopped(bench: Bench, registration: Registration | None) -> None:
    bench.backend.registration = registration
    assert await bench.hear("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Rejected"}
    assert await bench.hear("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Rejected"}
    assert (await bench.hear("GetConfiguration", {"key": ["HeartbeatInterval"]}))["configurationKey"]


async def test_a_rejected_station_answers_nothing(bench: Bench) -> None:
    assert not bench.wire.silent()
    bench.backend.registration = Registration.REJECTED
    assert bench.wire.silent()
    with pytest.raises(Unanswered):
        await bench.hear("GetConfiguration", {})
