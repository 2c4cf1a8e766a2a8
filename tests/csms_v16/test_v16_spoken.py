"""What 1.6 says of facts and questions."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from chargepoint.csms.face import Lost, NoWords, Refused, Told
from chargepoint.csms.rpc import Gone, Outcome, Refusal, TimedOut, Urgency
from chargepoint.csms.v16.face import build
from chargepoint.model.facts import EventKind, MeterFact, SecurityFact, StatusFact, StopReason, TransactionFact, Trigger
from chargepoint.model.fault import CATALOGUE
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.questions import (
    Authorize,
    AuthorizeAnswer,
    Boot,
    BootAnswer,
    BootReason,
    Heartbeat,
    HeartbeatAnswer,
    Registration,
    TransferAnswer,
    TransferData,
    Unreachable,
)
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue, Signed
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Settings, Station
from chargepoint.store.db import Db
from tests.csms_v16.conftest import SCHEMAS, Bench

AT = Stamp(1, 5.0, 1_704_067_200.25, True)
TIME = "2024-01-01T00:00:00.250Z"
STARTED = {"transactionId": 42, "idTagInfo": {"status": "Accepted", "expiryDate": "2024-05-01T10:00:00+02:00", "parentIdTag": "GROUP"}}


def event(kind: EventKind, **more: Any) -> TransactionFact:
    return TransactionFact("t1", 0, kind, more.pop("trigger", Trigger.AUTHORIZED), AT, 7, 1, **more)


def reading(purpose: Purpose, *values: SampledValue) -> Reading:
    return Reading(AT, purpose, values)


def value(number: float, measurand: str = "Energy.Active.Import.Register", unit: str = "Wh", **more: Any) -> SampledValue:
    return SampledValue(number, measurand, Context.SAMPLE_PERIODIC, unit, **more)


async def test_boot_says_the_nameplate_within_its_lengths(bench: Bench) -> None:
    bench.wire.answers = [{"status": "Pending", "currentTime": "2024-05-01T10:00:00.123456", "interval": 30}]
    assert await bench.face.ask(Boot(BootReason.POWER_UP)) == BootAnswer(Registration.PENDING, 30, 1_714_557_600.123456)
    assert bench.said == {
        "chargePointVendor": "Maker" * 4,
        "chargePointModel": "CP1",
        "chargePointSerialNumber": "S" * 25,
        "firmwareVersion": "0.1.0",
    }
    assert bench.wire.sent[-1][2] is Urgency.BOOT


async def test_boot_says_the_meter_and_the_sim_card_where_they_are_known(db: Db) -> None:
    bench = Bench(db, Settings(station=Station(vendor="V", model="M", iccid="89490200001234567890", imsi="262011234567890")))
    view = dataclasses.replace(bench.view, main_meter=lambda: ("Eastron SDM630 with more than 25 characters", "4711"))
    bench.wire.answers = [{"status": "Accepted", "currentTime": "2024-05-01T10:00:00Z", "interval": 30}]
    await build(view, bench.wire).ask(Boot(BootReason.POWER_UP))
    told = {"iccid": "89490200001234567890", "imsi": "262011234567890", "meterType": "Eastron SDM630 with more ", "meterSerialNumber": "4711"}
    assert bench.said == {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "0.1.0", **told}


async def test_heartbeat_tells_the_time(bench: Bench) -> None:
    bench.wire.answers = [{"currentTime": "2024-05-01T10:00:00Z"}]
    assert await bench.face.ask(Heartbeat()) == HeartbeatAnswer(1_714_557_600.0)


async def test_authorize(bench: Bench) -> None:
    bench.wire.answers = [{"idTagInfo": {"status": "Blocked"}}]
    answer = await bench.face.ask(Authorize(IdToken("04A1B2C3")))
    assert answer == AuthorizeAnswer(IdTokenInfo(AuthorizationStatus.BLOCKED)) and bench.said == {"idTag": "04A1B2C3"}


async def test_a_token_no_id_tag_has_room_for_is_not_asked_about(bench: Bench) -> None:
    answer = await bench.face.ask(Authorize(IdToken("x" * 21)))
    assert answer == AuthorizeAnswer(IdTokenInfo(AuthorizationStatus.INVALID)) and bench.wire.sent == []


@pytest.mark.parametrize("outcome", [Refusal("InternalError"), TimedOut(30), Gone("down")])
@pytest.mark.parametrize("question", [Boot(BootReason.POWER_UP), Heartbeat(), Authorize(IdToken("A")), TransferData("v")])
async def test_no_answer_is_unreachable(bench: Bench, question: Any, outcome: Outcome) -> None:
    bench.wire.answers = [outcome]
    assert isinstance(await bench.face.ask(question), Unreachable)


async def test_data_transfer(bench: Bench) -> None:
    bench.wire.answers = [{"status": "UnknownVendorId"}]
    assert await bench.face.ask(TransferData("com.maker", "hello", "data")) == TransferAnswer("UnknownVendorId", None)
    assert bench.said == {"vendorId": "com.maker", "messageId": "hello", "data": "data"}


async def test_start_transaction(bench: Bench) -> None:
    fact = event(EventKind.STARTED, id_token=IdToken("04A1B2C3"), register_wh=1234.9, reservation_id=5)
    told = await bench.speak(fact, STARTED)
    info = IdTokenInfo(AuthorizationStatus.ACCEPTED, 1_714_550_400.0, IdToken("GROUP", "Central"))
    assert told == Told(note="42", info=info)
    assert bench.said == {"connectorId": 3, "idTag": "04A1B2C3", "meterStart": 1234, "timestamp": TIME, "reservationId": 5}


async def test_start_without_a_token_or_a_meter(bench: Bench) -> None:
    await bench.speak(event(EventKind.STARTED), STARTED)
    assert bench.said["idTag"] == "" and bench.said["meterStart"] == 0


async def test_meter_values_of_a_transaction(bench: Bench) -> None:
    bench.notes.kept["t1"] = "42"
    values = (value(1234.9), value(50.004, "Frequency", "Hz"), value(16.0, "Current.Import", "A", phase="L1"), value(1, "Power.Import.Offered"))
    await bench.speak(event(EventKind.UPDATED, readings=(reading(Purpose.UPDATED, *values), reading(Purpose.ENDED, value(1.0)))))
    common = {"context": "Sample.Periodic", "location": "Outlet"}
    assert bench.said == {
        "connectorId": 3,
        "transactionId": 42,
        "meterValue": [
            {
                "timestamp": TIME,
                "sampledValue": [
                    {"value": "1234", "measurand": "Energy.Active.Import.Register", "unit": "Wh", **common},
                    {"value": "50.004", "measurand": "Frequency", **common},
                    {"value": "16", "measurand": "Current.Import", "unit": "A", "phase": "L1", **common},
                ],
            }
        ],
    }


async def test_an_update_without_values_has_no_words(bench: Bench) -> None:
    assert await bench.speak(event(EventKind.UPDATED, charging_state=None)) == NoWords()
    assert await bench.speak(event(EventKind.UPDATED, readings=(reading(Purpose.ENDED, value(1.0)),))) == NoWords()


async def test_stop_transaction_with_transaction_data(bench: Bench) -> None:
    bench.notes.kept["t1"] = "42"
    fact = event(
        EventKind.ENDED,
        id_token=IdToken("04A1B2C3"),
        register_wh=2000.99,
        stopped_reason=StopReason.LOCAL,
        readings=(reading(Purpose.ENDED, value(2000.99)), reading(Purpose.UPDATED, value(7)), reading(Purpose.ALIGNED_ENDED, value(1500.5))),
    )
    assert await bench.speak(fact, {"idTagInfo": {"status": "Expired"}}) == Told(info=IdTokenInfo(AuthorizationStatus.EXPIRED))
    said = bench.said
    assert [item["sampledValue"][0]["value"] for item in said.pop("transactionData")] == ["2000", "1500"]
    assert said == {"transactionId": 42, "meterStop": 2000, "timestamp": TIME, "reason": "Local", "idTag": "04A1B2C3"}


async def test_a_transaction_whose_start_was_given_up_has_id_minus_one(bench: Bench) -> None:
    assert await bench.speak(event(EventKind.ENDED, register_wh=1.0)) == Told()
    assert bench.said["transactionId"] == -1 and "idTag" not in bench.said


@pytest.mark.parametrize("reason", list(StopReason))
async def test_every_reason_has_a_word(bench: Bench, reason: StopReason) -> None:
    await bench.speak(event(EventKind.ENDED, stopped_reason=reason))
    assert bench.said["reason"]


@pytest.mark.parametrize(
    ("reason", "trigger", "word"),
    [
        (StopReason.REMOTE, Trigger.UNLOCK_COMMAND, "UnlockCommand"),
        (StopReason.IMMEDIATE_RESET, Trigger.RESET_COMMAND, "HardReset"),
        (StopReason.REBOOT, Trigger.RESET_COMMAND, "SoftReset"),
        (StopReason.REBOOT, Trigger.ABNORMAL_CONDITION, "Reboot"),
    ],
)
async def test_reasons_that_depend_on_the_trigger(bench: Bench, reason: StopReason, trigger: Trigger, word: str) -> None:
    await bench.speak(event(EventKind.ENDED, stopped_reason=reason, trigger=trigger))
    assert bench.said["reason"] == word


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Refusal("InternalError", "disk"), Refused("InternalError: disk")),
        (Refusal("NotImplemented"), Refused("NotImplemented", unknown=True)),
        (TimedOut(30), Refused("no answer within 30 s", timed_out=True)),
        (Gone("down"), Lost("down")),
    ],
)
async def test_what_is_not_told(bench: Bench, outcome: Outcome, expected: object) -> None:
    for fact in (event(EventKind.STARTED), event(EventKind.ENDED), StatusFact(1, 1, "Available", AT)):
        assert await bench.speak(fact, outcome) == expected


async def test_status_with_a_fault(bench: Bench) -> None:
    fact = StatusFact(1, 2, "Faulted", AT, error_code="GroundFailure", vendor_error_code="CX020", info="x" * 60)
    assert await bench.speak(fact) == Told()
    assert bench.said == {
        "connectorId": 2,
        "errorCode": "GroundFailure",
        "status": "Faulted",
        "timestamp": TIME,
        "info": "x" * 50,
        "vendorErrorCode": "CX020",
        "vendorId": "Maker" * 5,
    }


async def test_a_plug_that_changes_no_word_is_not_told(bench: Bench) -> None:
    assert await bench.speak(StatusFact(1, 1, "Preparing", AT, vacant=True)) == Told()
    assert await bench.speak(StatusFact(1, 1, "Preparing", AT)) == NoWords()
    assert await bench.speak(StatusFact(1, 1, "Preparing", AT, ordered=True)) == Told(), "asked for"


@pytest.mark.parametrize("code", [*sorted({row.code for row in CATALOGUE.values()}), "EmergencyStop"])
async def test_every_fault_has_an_error_code(bench: Bench, code: str) -> None:
    await bench.speak(StatusFact(1, 1, "Faulted", AT, error_code=code))
    assert bench.said["errorCode"] == (code if code != "EmergencyStop" else "OtherError")


@pytest.mark.parametrize(("word", "told"), [("Charging", "Available"), ("Faulted", "Faulted"), ("Unavailable", "Unavailable")])
async def test_the_station_itself_has_three_words(bench: Bench, word: str, told: str) -> None:
    await bench.speak(StatusFact(0, 0, word, AT))
    assert bench.said["connectorId"] == 0 and bench.said["status"] == told


async def test_meter_values_outside_transactions(bench: Bench) -> None:
    assert await bench.speak(MeterFact(7, 1, reading(Purpose.ALIGNED, value(5.0)))) == Told()
    assert bench.said["connectorId"] == 3 and "transactionId" not in bench.said


async def test_triggered_values_name_the_transaction_that_runs(bench: Bench) -> None:
    """4.7."""
    bench.notes.kept = {"t1": "8"}
    await bench.speak(MeterFact(7, 1, reading(Purpose.UPDATED, value(5.0)), "t1", ordered=True))
    assert bench.said["transactionId"] == 8
    await bench.speak(MeterFact(7, 1, reading(Purpose.UPDATED, value(5.0)), "t2", ordered=True))
    assert "transactionId" not in bench.said, "the CSMS has given it no number yet"


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("StartupOfTheDevice", "StartupOfTheDevice"),
        ("FailedToAuthenticateAtCsms", "FailedToAuthenticationAtCentralSystem"),
        ("InvalidCsmsCertificate", "InvalidCentralSystemCertificate"),
    ],
)
async def test_a_security_event_is_told_in_the_words_of_the_whitepaper(bench: Bench, type_: str, told: str) -> None:
    assert await bench.speak(SecurityFact(type_, AT, "i" * 300)) == Told()
    action, said, urgency = bench.wire.sent[-1]
    assert (action, urgency) == ("SecurityEventNotification", Urgency.GUARANTEED)
    assert said == {"type": told, "timestamp": "2024-01-01T00:00:00.250Z", "techInfo": "i" * 255}


async def test_a_central_system_without_security_events_is_not_asked_again(bench: Bench) -> None:
    fact = SecurityFact("StartupOfTheDevice", AT)
    assert await bench.speak(fact, Refusal("NotImplemented", "what is that?")) == NoWords()
    assert isinstance(await bench.speak(fact, Refusal("InternalError", "")), Refused)
    assert isinstance(await bench.speak(fact, Gone("lost")), Lost)


async def test_a_register_never_falls_in_what_is_told(bench: Bench) -> None:
    bench.notes.kept["t1"] = "1"
    await bench.speak(event(EventKind.STARTED, register_wh=1000.6), STARTED)
    start = bench.said["meterStart"]
    await bench.speak(event(EventKind.UPDATED, readings=(reading(Purpose.UPDATED, value(1000.6)),)))
    middle = int(bench.said["meterValue"][0]["sampledValue"][0]["value"])
    await bench.speak(event(EventKind.ENDED, register_wh=1000.6))
    assert start <= middle <= bench.said["meterStop"]


async def test_a_register_of_floating_point_is_what_its_sample_says(bench: Bench) -> None:
    await bench.speak(event(EventKind.STARTED, register_wh=18.9999994), STARTED)
    assert bench.said["meterStart"] == 19


async def test_no_report_in_1_6(bench: Bench) -> None:
    await bench.face.report(1, [])
    assert bench.wire.sent == [] and SCHEMAS.knows("StartTransaction")


async def test_a_signed_value_stands_beside_the_plain_one(bench: Bench) -> None:
    """OCA whitepaper "Signed meter values", 3.1.4 and 3.2.1."""
    signed = Signed("T0NNRg==", "OCMF", public_key="a2V5")
    register = SampledValue(1000.7, "Energy.Active.Import.Register", Context.TRANSACTION_END, "Wh", signed=signed)
    await bench.speak(event(EventKind.ENDED, readings=(reading(Purpose.ENDED, register),)))
    plain, blob = bench.said["transactionData"][0]["sampledValue"]
    assert "format" not in plain and plain["value"] == "1000"
    assert blob["format"] == "SignedData" and {key: blob[key] for key in ("context", "measurand", "unit")} == {
        key: plain[key] for key in ("context", "measurand", "unit")
    }
    assert json.loads(blob["value"]) == {"signedMeterData": "T0NNRg==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "a2V5"}
