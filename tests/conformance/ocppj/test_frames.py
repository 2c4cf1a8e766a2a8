"""OCPP-J, both versions: what is no message, or a wrong one, and the error each version names for it (1.6: 4.2.3; 2.0.1 part 4: 4.2.3, 4.3, 4.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.driver import wire
from tests.conformance.driver.lab import V16, Lab
from tests.conformance.driver.matching import Payload

SHARED = {"evses": 1}
UNREADABLE: dict[str, str | bytes] = {
    "nothing": "",
    "text": "hello",
    "half a message": '[2,"1","ClearCache"',
    "two messages": '[2,"1","ClearCache",{}][2,"2","ClearCache",{}]',
    "an object": '{"2":"1"}',
    "a number": "2",
    "null": "null",
    "an empty array": "[]",
    "no UTF-8": b'[2,"\xff\xfe","ClearCache",{}]',
    "very deep": "[" * 20_000,
    "deep and closed": "[" * 5_000 + "]" * 5_000,
    "NaN": '[2,"1","ClearCache",NaN]',
    "a CALL alone": "[2]",
    "an empty id": '[2,"","ClearCache",{}]',
    "an id that is no text": '[2,17,"ClearCache",{}]',
}
"""Frames without a message id that can be read."""
ILL_FORMED: dict[str, list[Any]] = {
    "no payload": [2, "ID", "ClearCache"],
    "more than a payload": [2, "ID", "ClearCache", {}, {}],
    "no action": [2, "ID"],
    "an action that is no text": [2, "ID", 5, {}],
}
"""CALLs with a message id and without the four elements."""


@pytest.mark.parametrize("what", UNREADABLE)
async def test_a_frame_that_cannot_be_read(shared_booted: Lab, what: str) -> None:
    """2.0.1: RpcFrameworkError for the id -1; 1.6 has no words for it."""
    csms = shared_booted.csms
    if shared_booted.version == V16:
        await wire.unanswered(csms, UNREADABLE[what])
    else:
        assert await wire.error_to(csms, UNREADABLE[what], wire.UNREADABLE_ID) == "RpcFrameworkError"
        await wire.alive(csms)


@pytest.mark.parametrize("what", ILL_FORMED)
async def test_a_call_that_is_none(shared_booted: Lab, what: str) -> None:
    id_ = wire.new_id()
    frame = json.dumps([id_ if part == "ID" else part for part in ILL_FORMED[what]])
    wanted = "FormationViolation" if shared_booted.version == V16 else "RpcFrameworkError"
    assert await wire.error_to(shared_booted.csms, frame, id_) == wanted


@pytest.mark.parametrize("kind", [0, 1, 5, 6, -2, 2.5, "2", None, True, [2]], ids=repr)
async def test_an_unknown_message_type(shared_booted: Lab, kind: Any) -> None:
    """1.6: ignored; 2.0.1: MessageTypeNotSupported (4.4)."""
    id_ = wire.new_id()
    frame = json.dumps([kind, id_, "ClearCache", {}])
    if shared_booted.version == V16:
        await wire.unanswered(shared_booted.csms, frame)
    else:
        assert await wire.error_to(shared_booted.csms, frame, id_) == "MessageTypeNotSupported"


@pytest.mark.parametrize("length", [1, 36])
async def test_a_message_id_of_a_length_that_is_allowed(shared_booted: Lab, length: int) -> None:
    id_ = (wire.new_id() * 2)[:length]
    assert (await wire.answer_to(shared_booted.csms, wire.call_text(shared_booted.csms, id_), id_)).kind == "result"


@pytest.mark.parametrize("length", [37, 5000])
async def test_a_message_id_that_is_too_long(shared_booted: Lab, length: int) -> None:
    id_ = (wire.new_id() * length)[:length]
    wanted = "FormationViolation" if shared_booted.version == V16 else "RpcFrameworkError"
    assert await wire.error_to(shared_booted.csms, wire.call_text(shared_booted.csms, id_), id_) == wanted


async def test_any_text_is_a_message_id(shared_booted: Lab) -> None:
    for id_ in ("äöü ✓", 'a"b\\c', "0", "null", " "):
        assert (await wire.answer_to(shared_booted.csms, wire.call_text(shared_booted.csms, id_), id_)).kind == "result"


@pytest.mark.parametrize("action", ["Fly", "clearcache", "ClearCacheRequest", "ClearCacheResponse", "", "../ClearCache", "ÄÖÜ", "A" * 5000])
async def test_an_unknown_action(shared_booted: Lab, action: str) -> None:
    await shared_booted.csms.refused(action, {}, "NotImplemented")


@pytest.mark.parametrize("action", ["Heartbeat", "BootNotification", "StatusNotification", "MeterValues", "Authorize"])
async def test_an_action_that_goes_the_other_way(shared_booted: Lab, action: str) -> None:
    """Known, but not to a charge point."""
    payloads: dict[str, Payload] = {}
    for message in shared_booted.csms.calls(action):
        payloads[action] = message.payload
    codes = ("NotSupported",) if payloads or action == "Heartbeat" else tuple({"NotSupported", *OCCURRENCE[shared_booted.version]})
    await shared_booted.csms.refused(action, payloads.get(action, {}), *codes)


OCCURRENCE = {V16: ("OccurenceConstraintViolation", "ProtocolError"), "ocpp2.0.1": ("OccurrenceConstraintViolation", "ProtocolError")}
FORMAT = {V16: ("FormationViolation",), "ocpp2.0.1": ("FormatViolation", "ProtocolError")}
TYPE = {V16: ("TypeConstraintViolation",), "ocpp2.0.1": ("TypeConstraintViolation",)}
PROPERTY = {V16: ("PropertyConstraintViolation",), "ocpp2.0.1": ("PropertyConstraintViolation",)}
WRONG: dict[str, tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, Any]]]] = {
    "a required field is missing": (OCCURRENCE, {V16: ("ChangeAvailability", {"connectorId": 1}), "ocpp2.0.1": ("ChangeAvailability", {})}),
    "an empty list": (OCCURRENCE, {V16: ("TriggerMessage", {}), "ocpp2.0.1": ("GetVariables", {"getVariableData": []})}),
    "a number for a text": (TYPE, {V16: ("Reset", {"type": 5}), "ocpp2.0.1": ("Reset", {"type": 5})}),
    "a text for a number": (
        TYPE,
        {
            V16: ("ChangeAvailability", {"connectorId": "1", "type": "Operative"}),
            "ocpp2.0.1": ("GetBaseReport", {"requestId": "1", "reportBase": "FullInventory"}),
        },
    ),
    "null for a field": (TYPE, {V16: ("Reset", {"type": None}), "ocpp2.0.1": ("Reset", {"type": None})}),
    "an unknown word": (PROPERTY, {V16: ("Reset", {"type": "Medium"}), "ocpp2.0.1": ("Reset", {"type": "Medium"})}),
    "a text that is too long": (
        PROPERTY,
        {
            V16: ("RemoteStartTransaction", {"idTag": "x" * 21}),
            "ocpp2.0.1": ("RequestStopTransaction", {"transactionId": "x" * 37}),
        },
    ),
    "a field nobody knows": (FORMAT, {V16: ("ClearCache", {"now": True}), "ocpp2.0.1": ("ClearCache", {"now": True})}),
    "a list for a payload": (FORMAT, {V16: ("ClearCache", []), "ocpp2.0.1": ("ClearCache", [])}),
    "a text for a payload": (FORMAT, {V16: ("ClearCache", "now"), "ocpp2.0.1": ("ClearCache", "now")}),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_payload_that_does_not_fit(shared_booted: Lab, what: str) -> None:
    codes, calls = WRONG[what]
    action, payload = calls[shared_booted.version]
    id_ = wire.new_id()
    assert await wire.error_to(shared_booted.csms, json.dumps([2, id_, action, payload]), id_) in codes[shared_booted.version]


async def test_null_is_an_empty_payload(shared_booted: Lab) -> None:
    """Both notations are allowed (1.6: 4.2.1; 2.0.1 part 4: 4.1.5)."""
    id_ = wire.new_id()
    assert (await wire.answer_to(shared_booted.csms, json.dumps([2, id_, "ClearCache", None]), id_)).kind == "result"


async def test_space_and_escapes_are_json(shared_booted: Lab) -> None:
    id_ = wire.new_id()
    assert (await wire.answer_to(shared_booted.csms, f' \n[ 2 ,\t"{id_}" , "Clear\\u0043ache",{{ }}] ', id_)).kind == "result"


async def test_a_binary_frame_is_survived(shared_booted: Lab) -> None:
    """OCPP-J is text; whatever a station makes of a binary frame, it goes on."""
    csms = shared_booted.csms
    for content in (b"", b"\x00\x01\x02", bytes(range(256)) * 100):
        await csms.send_text(content, binary=True)
    await csms.reconnected()
    await wire.alive(csms)


@pytest.mark.parametrize("size", [100_000, 900_000])
async def test_a_large_message_is_answered(shared_booted: Lab, size: int) -> None:
    id_ = wire.new_id()
    message = await wire.answer_to(shared_booted.csms, json.dumps([2, id_, "DataTransfer", {"vendorId": "x", "data": "y" * size}]), id_)
    assert message.kind in ("result", "error")


async def test_an_oversized_message_costs_no_more_than_the_connection(shared_booted: Lab) -> None:
    """1009 of RFC 6455, 7.4.1; the station is back by itself and says nothing anew (2.0.1 part 4, 5.3)."""
    csms = shared_booted.csms
    attempts = len(csms.attempts)
    await csms.send_text(json.dumps([2, wire.new_id(), "DataTransfer", {"vendorId": "x", "data": "y" * (8 << 20)}]))
    await csms.until(lambda: len(csms.attempts) > attempts, "the station never came back")
    await csms.reconnected()
    await wire.alive(csms)
    assert not csms.calls("BootNotification")
