"""Questions of the 2.0.1 face, and what it makes of the answers."""

from __future__ import annotations

import dataclasses

import pytest

from chargepoint.csms.rpc import Gone, Refusal, TimedOut, Urgency
from chargepoint.csms.v2.face import build
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
from chargepoint.settings import Settings, Station


async def test_boot(bench):
    bench.wire.answers = [{"status": "Pending", "interval": 7, "currentTime": "2024-05-01T10:00:00.123456+00:00"}]
    assert await bench.face.ask(Boot(BootReason.POWER_UP)) == BootAnswer(Registration.PENDING, 7, 1_714_557_600.123456)
    station = {"vendorName": "V", "model": "M" * 20, "serialNumber": "S1", "firmwareVersion": "0.1.0"}
    assert bench.wire.sent == [("BootNotification", {"chargingStation": station, "reason": "PowerUp"}, Urgency.BOOT)]


@pytest.mark.parametrize("modem", [{"iccid": "89490200001234567890"}, {"imsi": "262011234567890"}, {"iccid": "1", "imsi": "2"}])
async def test_boot_says_the_sim_card_where_it_is_known(bench, modem):
    bench.wire.answers = [{"status": "Accepted", "interval": 7, "currentTime": "2024-05-01T10:00:00Z"}]
    view = dataclasses.replace(bench.view, settings=Settings(station=Station(**modem)))
    await build(view, bench.wire).ask(Boot(BootReason.POWER_UP))
    assert bench.last["chargingStation"]["modem"] == modem


async def test_heartbeat(bench):
    bench.wire.answers = [{"currentTime": "2024-05-01T10:00:00"}]
    assert await bench.face.ask(Heartbeat()) == HeartbeatAnswer(1_714_557_600.0)
    assert bench.wire.sent == [("Heartbeat", {}, Urgency.HEARTBEAT)]


async def test_authorize(bench):
    group = {"idToken": "G", "type": "Central"}
    info = {
        "status": "Blocked",
        "cacheExpiryDateTime": "2024-05-01T10:00:00Z",
        "groupIdToken": group,
        "chargingPriority": 3,
        "language1": "de",
        "evseId": [1, 2],
        "personalMessage": {"format": "UTF8", "content": "Hallo"},
    }
    bench.wire.answers = [{"idTokenInfo": info}, {"idTokenInfo": {"status": "Accepted"}}]
    answer = await bench.face.ask(Authorize(IdToken("AB12", "ISO14443", (("x", "vin"),))))
    told = IdTokenInfo(AuthorizationStatus.BLOCKED, 1_714_557_600.0, IdToken("G", "Central"), 3, "de", (1, 2), "Hallo")
    assert answer == AuthorizeAnswer(told)
    assert bench.last == {"idToken": {"idToken": "AB12", "type": "ISO14443", "additionalInfo": [{"additionalIdToken": "x", "type": "vin"}]}}
    assert await bench.face.ask(Authorize(IdToken("AB12"))) == AuthorizeAnswer(IdTokenInfo(AuthorizationStatus.ACCEPTED))
    assert bench.last == {"idToken": {"idToken": "AB12", "type": "ISO14443"}}


async def test_data_transfer(bench):
    bench.wire.answers = [{"status": "Accepted", "data": {"a": 1}}, {"status": "UnknownVendorId"}]
    assert await bench.face.ask(TransferData("org.example", "m", "d")) == TransferAnswer("Accepted", "{'a': 1}")
    assert bench.last == {"vendorId": "org.example", "messageId": "m", "data": "d"}
    assert await bench.face.ask(TransferData("org.example")) == TransferAnswer("UnknownVendorId")
    assert bench.last == {"vendorId": "org.example"}


async def test_no_answer(bench):
    bench.wire.answers = [Refusal("InternalError", "no"), TimedOut(30.0), Gone("closed")]
    answers = [await bench.face.ask(Heartbeat()) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Unreachable] * 3
    assert answers[0].reason == "InternalError: no"
