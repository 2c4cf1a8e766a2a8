"""What does not fit a schema becomes that version's error."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from chargepoint.csms.face import CallRefused
from chargepoint.csms.schema import Schemas

WRONG_16: list[tuple[str, Any, str]] = [
    ("Reset", {}, "OccurenceConstraintViolation"),
    ("Reset", {"type": "Cold"}, "PropertyConstraintViolation"),
    ("Reset", {"type": 1}, "TypeConstraintViolation"),
    ("Reset", {"type": "Hard", "now": True}, "FormationViolation"),
    ("Reset", [], "FormationViolation"),
    ("ChangeConfiguration", {"key": "k" * 51, "value": "1"}, "PropertyConstraintViolation"),
    ("SendLocalList", {"listVersion": True, "updateType": "Full"}, "TypeConstraintViolation"),
    ("Fly", {}, "NotImplemented"),
    ("ResetResponse", {}, "NotImplemented"),
    ("../v201/schemas/ResetRequest", {}, "NotImplemented"),
]
WRONG_201: list[tuple[str, Any, str]] = [
    ("Reset", {}, "OccurrenceConstraintViolation"),
    ("Reset", {"type": "OnIdle", "now": True}, "FormatViolation"),
    ("Reset", {"type": "OnIdle", "evseId": "1"}, "TypeConstraintViolation"),
    ("GetVariables", {"getVariableData": []}, "OccurrenceConstraintViolation"),
    ("RemoteStartTransaction", {}, "NotImplemented"),
]


@pytest.mark.parametrize(("action", "payload", "code"), WRONG_16)
def test_code_of_a_wrong_call_in_1_6(action: str, payload: Any, code: str) -> None:
    with pytest.raises(CallRefused) as refused:
        Schemas("ocpp1.6").call(action, payload)
    assert refused.value.code == code


@pytest.mark.parametrize(("action", "payload", "code"), WRONG_201)
def test_code_of_a_wrong_call_in_2_0_1(action: str, payload: Any, code: str) -> None:
    with pytest.raises(CallRefused) as refused:
        Schemas("ocpp2.0.1").call(action, payload)
    assert refused.value.code == code


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("action", ["Fly", "clearcache", "ClearCacheRequest", "ClearCacheResponse", "", "../ClearCache", "A" * 5000])
def test_an_action_nobody_knows(version: str, action: str) -> None:
    with pytest.raises(CallRefused) as refused:
        Schemas(version).call(action, {})
    assert refused.value.code == "NotImplemented"


def test_a_null_payload_is_an_empty_one() -> None:
    assert Schemas("ocpp1.6").call("ClearCache", None) == {}


@pytest.mark.parametrize(
    "time",
    [
        *("2024-05-01T10:00:00.123456Z", "2024-05-01T10:00:00+00:00", "2024-05-01T10:00:00", "2024-05-01T12:00:00.1234567+02:00"),
        *("2024-05-01T10:00:00.123456+00:00Z", "2024-05-01t10:00:00z"),
    ],
)
def test_times_as_csms_write_them(time: str) -> None:
    answer = {"status": "Accepted", "currentTime": time, "interval": 300}
    assert Schemas("ocpp1.6").answer("BootNotification", answer) == answer


def test_a_talkative_answer_is_taken() -> None:
    answer = {"transactionId": 7.0, "idTagInfo": {"status": "Accepted", "expiryDate": None, "color": "red"}, "more": []}
    taken = Schemas("ocpp1.6").answer("StartTransaction", answer)
    assert taken == {"transactionId": 7, "idTagInfo": {"status": "Accepted", "color": "red"}, "more": []}


ACCEPTED = {"status": "Accepted"}
MISFITS: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("ocpp1.6", "StatusNotification", [], {}),
    ("ocpp1.6", "StartTransaction", {"transactionId": "7", "idTagInfo": ACCEPTED}, {"transactionId": 7, "idTagInfo": ACCEPTED}),
    ("ocpp1.6", "Authorize", {"idTagInfo": {**ACCEPTED, "expiryDate": ""}}, {"idTagInfo": ACCEPTED}),
    ("ocpp1.6", "StopTransaction", {"idTagInfo": {}}, {}),
    ("ocpp1.6", "StopTransaction", {"idTagInfo": {"status": "fine", "parentIdTag": "p" * 30}}, {}),
    ("ocpp2.0.1", "TransactionEvent", {"totalCost": "1.25", "chargingPriority": "high"}, {"totalCost": 1.25}),
    ("ocpp2.0.1", "TransactionEvent", {"idTokenInfo": {**ACCEPTED, "groupIdToken": {"idToken": "G"}}}, {"idTokenInfo": ACCEPTED}),
    ("ocpp2.0.1", "Authorize", {"idTokenInfo": {**ACCEPTED, "evseId": ["1", 2]}}, {"idTokenInfo": {**ACCEPTED, "evseId": [1, 2]}}),
]
NONE: list[Any] = [
    *({}, {"transactionId": 1}, "Accepted", ["Accepted"]),
    *({"transactionId": number, "idTagInfo": ACCEPTED} for number in ("seven", "\u0667", "1" * 30, True)),
]


@pytest.mark.parametrize(("version", "action", "answer", "taken"), MISFITS)
def test_an_answer_is_read_as_far_as_it_can_be(version: str, action: str, answer: Any, taken: Any) -> None:
    assert Schemas(version).answer(action, answer) == taken


@pytest.mark.parametrize("answer", NONE)
def test_an_answer_that_lacks_something_is_none(answer: Any) -> None:
    with pytest.raises(CallRefused):
        Schemas("ocpp1.6").answer("StartTransaction", answer)


def test_an_answer_of_nothing_but_misfits_is_none() -> None:
    with pytest.raises(CallRefused):
        Schemas("ocpp2.0.1").answer("Authorize", {"idTokenInfo": {**ACCEPTED, "evseId": ["1"] * 1000}})


def test_the_ocpp_package_itself_is_not_imported() -> None:
    code = "from chargepoint.csms.schema import Schemas; import sys; Schemas('ocpp1.6').call('Reset', {'type': 'Hard'}); print('ocpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
