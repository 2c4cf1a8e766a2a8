"""Each kind of fact in the words of 2.0.1, and what the face makes of the answer."""

from __future__ import annotations

import pytest

from chargepoint.csms.face import Lost, NoWords, Refused, Told
from chargepoint.csms.rpc import Gone, Refusal, TimedOut, Urgency
from chargepoint.model.facts import (
    DELIVERY,
    ChargingState,
    EventKind,
    MeterFact,
    MonitorFact,
    SecurityFact,
    StatusFact,
    StopReason,
    TransactionFact,
    Trigger,
)
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue, Signed

TIME = "2024-05-01T10:00:00.000Z"


def energy(at, value=1234.5, **more):
    sampled = SampledValue(value, "Energy.Active.Import.Register", Context.TRANSACTION_BEGIN, "Wh", **more)
    return Reading(at(), Purpose.BEGIN, (sampled,))


async def test_a_word_for_each_kind_of_fact():
    from chargepoint.csms.v2.face import SAYS

    assert set(SAYS) == set(DELIVERY)


async def test_started(bench, at):
    fact = TransactionFact(
        transaction="T1",
        seq=0,
        kind=EventKind.STARTED,
        trigger=Trigger.CABLE_PLUGGED_IN,
        at=at(),
        evse=1,
        connector=2,
        charging_state=ChargingState.EV_CONNECTED,
        said_evse=True,
        reservation_id=5,
        readings=(energy(at), Reading(at(), Purpose.BEGIN, ())),
        register_wh=1234.5,
        cable_max_current_a=32,
    )
    assert await bench.face.speak(fact, False) == Told()
    assert bench.wire.sent[0][2] is Urgency.TRANSACTION
    sampled = {"value": 1234.5, "measurand": "Energy.Active.Import.Register", "context": "Transaction.Begin", "location": "Outlet"}
    assert bench.last == {
        "eventType": "Started",
        "timestamp": TIME,
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "cableMaxCurrent": 32,
        "reservationId": 5,
        "transactionInfo": {"transactionId": "T1", "chargingState": "EVConnected"},
        "evse": {"id": 1, "connectorId": 2},
        "meterValue": [{"timestamp": TIME, "sampledValue": [{**sampled, "unitOfMeasure": {"unit": "Wh"}}]}],
    }


async def test_authorized_while_offline(bench, at):
    token = IdToken("AB12", "ISO14443")
    fact = TransactionFact("T1", 1, EventKind.UPDATED, Trigger.REMOTE_START, at(), 1, 1, id_token=token, remote_start_id=9, phases_used=3)
    bench.wire.answers = [
        {
            "totalCost": 1.5,
            "idTokenInfo": {"status": "Invalid"},
            "updatedPersonalMessage": {"format": "UTF8", "content": "1.50 EUR"},
        }
    ]
    told = await bench.face.speak(fact, True)
    assert told == Told(info=IdTokenInfo(AuthorizationStatus.INVALID), total_cost=1.5, message="1.50 EUR")
    assert bench.last == {
        "eventType": "Updated",
        "timestamp": TIME,
        "triggerReason": "RemoteStart",
        "seqNo": 1,
        "offline": True,
        "numberOfPhasesUsed": 3,
        "transactionInfo": {"transactionId": "T1", "remoteStartId": 9},
        "idToken": {"idToken": "AB12", "type": "ISO14443"},
    }


async def test_ended(bench, at):
    stopped = {"stopped_reason": StopReason.EV_DISCONNECTED, "time_charging_s": 60, "charging_state": ChargingState.IDLE}
    fact = TransactionFact("T1", 7, EventKind.ENDED, Trigger.EV_DEPARTED, at(0.0004), 1, 1, **stopped)
    await bench.face.speak(fact, False)
    assert bench.last["transactionInfo"] == {
        "transactionId": "T1",
        "chargingState": "Idle",
        "timeSpentCharging": 60,
        "stoppedReason": "EVDisconnected",
    }
    assert bench.last["timestamp"] == TIME and "offline" not in bench.last and "evse" not in bench.last


@pytest.mark.parametrize("trigger", list(Trigger))
async def test_every_trigger(bench, at, trigger):
    await bench.face.speak(TransactionFact("T1", 1, EventKind.UPDATED, trigger, at(), 1, 1), False)
    assert bench.last["triggerReason"] == trigger


@pytest.mark.parametrize("reason", list(StopReason))
async def test_every_reason(bench, at, reason):
    await bench.face.speak(TransactionFact("T1", 1, EventKind.ENDED, Trigger.TRIGGER, at(), 1, 1, stopped_reason=reason), False)
    assert bench.last["transactionInfo"]["stoppedReason"] == reason


async def test_values(bench, at):
    values = (
        SampledValue(230.12345, "Voltage", Context.SAMPLE_CLOCK, "V", phase="L1-N"),
        SampledValue(10.0, "Energy.Active.Import.Register", Context.TRANSACTION_END, "Wh", signed=Signed("T0NNRg==", "OCMF", public_key="a2V5")),
    )
    await bench.face.speak(MeterFact(2, 1, Reading(at(), Purpose.ALIGNED, values)), False)
    assert bench.wire.sent[0][0] == "MeterValues" and bench.last["evseId"] == 2
    voltage, signed = bench.last["meterValue"][0]["sampledValue"]
    assert voltage["value"] == 230.123 and voltage["phase"] == "L1-N" and voltage["unitOfMeasure"] == {"unit": "V"}
    assert signed["signedMeterValue"] == {"signedMeterData": "T0NNRg==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "a2V5"}
    assert await bench.face.speak(MeterFact(2, 1, Reading(at(), Purpose.ALIGNED, ())), False) == NoWords()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("Available", "Available"),
        ("Preparing", "Occupied"),
        ("Charging", "Occupied"),
        ("SuspendedEV", "Occupied"),
        ("SuspendedEVSE", "Occupied"),
        ("Finishing", "Occupied"),
        ("Reserved", "Reserved"),
        ("Unavailable", "Unavailable"),
        ("Faulted", "Faulted"),
    ],
)
async def test_status(bench, at, word, told):
    await bench.face.speak(StatusFact(1, 2, word, at()), False)
    assert bench.wire.sent == [("StatusNotification", {"timestamp": TIME, "connectorStatus": told, "evseId": 1, "connectorId": 2}, Urgency.STATE)]


async def test_statuses_that_are_one_word_are_told_once(bench, at):
    async def speak(word, connector=1, **more):
        return type(await bench.face.speak(StatusFact(1, connector, word, at(), **more), False))

    assert await speak("Available") is Told
    assert await speak("Preparing") is Told
    assert await speak("Charging") is NoWords
    assert await speak("Charging", connector=2) is Told
    assert await speak("Charging") is Told, "the very same again was asked for"
    bench.wire.answers = [Gone("lost")]
    assert await speak("Faulted", error_code="GroundFailure") is Lost
    assert await speak("Faulted", error_code="OtherError") is Told
    assert await speak("Faulted", error_code="GroundFailure") is NoWords
    assert await speak("Available") is Told


async def test_occupied_begins_and_ends_with_the_cable(bench, at):
    for word, vacant, told in (("Preparing", True, "Available"), ("Preparing", False, "Occupied"), ("SuspendedEV", True, "Available")):
        await bench.face.speak(StatusFact(1, 1, word, at(), vacant=vacant), False)
        assert bench.wire.sent[-1][1]["connectorStatus"] == told
    await bench.face.speak(StatusFact(1, 1, "Faulted", at(), vacant=True), False)
    assert bench.wire.sent[-1][1]["connectorStatus"] == "Faulted"


async def test_the_station_itself_has_no_status(bench, at):
    assert await bench.face.speak(StatusFact(0, 0, "Available", at()), False) == NoWords()
    assert not bench.wire.sent


async def test_security_event(bench, at):
    await bench.face.speak(SecurityFact("StartupOfTheDevice", at(), "i" * 300), False)
    assert bench.wire.sent[0][::2] == ("SecurityEventNotification", Urgency.GUARANTEED)
    assert bench.last == {"type": "StartupOfTheDevice", "timestamp": TIME, "techInfo": "i" * 255}


async def test_notify_event(bench, at):
    fact = MonitorFact("ConnectorPlugRetentionLock", "Problem", "true", at(), 2, 1, 1, "CX001", "The socket did not lock the plug.")
    await bench.face.speak(fact, True)
    first = bench.last
    await bench.face.speak(fact, True)
    assert first == bench.last
    [event] = first.pop("eventData")
    assert first == {"generatedAt": "2024-05-01T10:01:00.000Z", "seqNo": 0, "tbc": False}
    assert event.pop("eventId") >= 0
    assert event == {
        "timestamp": TIME,
        "trigger": "Alerting",
        "actualValue": "true",
        "techCode": "CX001",
        "techInfo": "The socket did not lock the plug.",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"},
        "eventNotificationType": "HardWiredNotification",
    }
    await bench.face.speak(MonitorFact("ChargingStation", "Problem", "false", at(), 2, cleared=True), False)
    assert bench.last["eventData"][0]["cleared"] is True
    assert bench.last["eventData"][0]["component"] == {"name": "ChargingStation"}


async def test_what_the_wire_says(bench, at):
    fact = SecurityFact("SettingSystemTime", at())
    bench.wire.answers = [Refusal("NotSupported", "no"), Refusal("InternalError"), TimedOut(5.0), Gone("closed")]
    assert [await bench.face.speak(fact, False) for _ in range(4)] == [
        Refused("NotSupported: no", unknown=True),
        Refused("InternalError"),
        Refused("no answer within 5 s", timed_out=True),
        Lost("closed"),
    ]
