"""Generated frames, valid, invalid and hostile, each with what may come back for it. Must not know how they travel.

What is right is read from the official schemas and the tables of OCPP-J (1.6: 4.2.3; 2.0.1 part 4: 4.2.3, 4.3, 4.4), not from a station.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.conformance.driver import schemas
from tests.conformance.driver.judge import LONGEST_ID
from tests.conformance.driver.matching import Payload

V16 = "ocpp1.6"
UNREADABLE_ID = "-1"
VALID: dict[str, list[tuple[str, Payload]]] = {
    V16: [
        ("GetLocalListVersion", {}),
        ("GetConfiguration", {"key": ["HeartbeatInterval"]}),
        ("DataTransfer", {"vendorId": "x", "data": "y"}),
        ("ChangeConfiguration", {"key": "NoSuchKey", "value": "1"}),
        ("RemoteStopTransaction", {"transactionId": 987654}),
        ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
        ("UnlockConnector", {"connectorId": 99}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
    ],
    "ocpp2.0.1": [
        ("GetLocalListVersion", {}),
        ("GetVariables", {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]}),
        ("SetVariables", {"setVariableData": [{"attributeValue": "1", "component": {"name": "No"}, "variable": {"name": "No"}}]}),
        ("DataTransfer", {"vendorId": "x", "data": {"y": [1, None]}}),
        ("GetTransactionStatus", {"transactionId": "nobody"}),
        ("RequestStopTransaction", {"transactionId": "nobody"}),
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
    ],
}
"""Calls that change nothing that matters; they are sent as they are, and maimed."""
OCCURRENCE, FORMAT = {"required", "minItems", "maxItems"}, {"additionalProperties"}
CODES: dict[str, dict[str, set[str]]] = {
    V16: {
        "occurrence": {"OccurenceConstraintViolation", "ProtocolError"},
        "format": {"FormationViolation"},
        "frame": {"FormationViolation"},
    },
    "ocpp2.0.1": {
        "occurrence": {"OccurrenceConstraintViolation", "ProtocolError"},
        "format": {"FormatViolation", "ProtocolError"},
        "frame": {"RpcFrameworkError"},
    },
}
RESULT = "result"
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())
"""Whether 1.0 is an integer is answered differently by the drafts of JSON Schema."""
SIMPLE = st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=60)
JSON = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5), max_leaves=12)


@dataclass(frozen=True)
class Frame:
    """id_: of the answer (None: there is none). allowed: codes of a CALLERROR, and `result` for a CALLRESULT."""

    content: bytes
    id_: str | None
    allowed: frozenset[str] = frozenset()


def frame(message: Any, id_: str | None, allowed: set[str] | frozenset[str] = frozenset()) -> Frame:
    return Frame(json.dumps(message).encode(), id_, frozenset(allowed))


def right(version: str, action: str, payload: Any) -> set[str]:
    """What may be answered to a known action with this payload: every rule it breaks may be the one that is named."""
    codes = CODES[version]
    if not isinstance(payload, dict):
        return codes["format"] if payload is not None else {RESULT} | codes["occurrence"]
    broken = schemas.broken(version, action, payload)
    named: set[str] = set()
    for rule in broken:
        if rule in OCCURRENCE:
            named |= codes["occurrence"]
        elif rule in FORMAT:
            named |= codes["format"]
        else:
            named |= {"TypeConstraintViolation"} if rule == "type" else {"PropertyConstraintViolation"}
    return named or {RESULT}


def valid(version: str) -> st.SearchStrategy[Frame]:
    """Calls as they should be, with message ids of many kinds."""

    def made(call: tuple[str, Payload], number: int) -> Frame:
        id_ = f"{number}{_id()}"[:LONGEST_ID]
        return frame([2, id_, *call], id_, right(version, *call))

    return st.builds(made, st.sampled_from(VALID[version]), st.integers(0, 10**9))


def maimed(version: str) -> st.SearchStrategy[Frame]:
    """The same with a field too many, too few or of another kind."""

    @st.composite
    def made(draw: st.DrawFn) -> Frame:
        action, payload = draw(st.sampled_from(VALID[version]))
        payload = json.loads(json.dumps(payload))
        how = draw(st.sampled_from(("too much", "too little", "another kind", "anything")))
        if how == "too much":
            payload[draw(st.text(min_size=1, max_size=20))] = draw(JSON)
        elif how == "anything":
            payload = draw(JSON)
        elif payload:
            name = draw(st.sampled_from(sorted(payload)))
            payload = {key: value for key, value in payload.items() if key != name}
            if how == "another kind":
                payload[name] = draw(JSON)
        id_ = _id()
        return frame([2, id_, action, payload], id_, right(version, action, payload))

    return made()


def others(version: str) -> st.SearchStrategy[Frame]:
    """Unknown actions, and answers to what nobody asked."""
    unknown = st.text(max_size=30).filter(lambda action: not schemas.known(version, action))
    words = st.tuples(unknown, JSON).map(lambda it: _with_id(lambda id_: frame([2, id_, *it], id_, {"NotImplemented"})))
    results = JSON.map(lambda payload: frame([3, _id(), payload], None))
    errors = st.lists(JSON, max_size=4).map(lambda rest: frame([4, _id(), *rest], None))
    return words | results | errors


def nonsense(version: str) -> st.SearchStrategy[Frame]:
    """What is no message."""
    codes = CODES[version]["frame"]
    unread: tuple[str | None, set[str]] = (None, set()) if version == V16 else (UNREADABLE_ID, codes)
    ids = st.integers() | st.none() | st.just("") | st.booleans()
    no_id = ids.map(lambda id_: frame([2, id_, "ClearCache", {}], *unread))
    long_id = st.text("abcdef0123456789", min_size=40, max_size=300).map(
        lambda more: _with_id(lambda id_: frame([2, id_ + more, "X", {}], id_ + more, codes))
    )
    short = st.sampled_from(([], ["ClearCache"], ["ClearCache", {}, {}], [5, {}])).map(
        lambda rest: _with_id(lambda id_: frame([2, id_, *rest], id_, codes))
    )
    kinds = st.integers().filter(lambda kind: kind not in (2, 3, 4)) | st.none() | st.text(max_size=5) | FLOATS
    kind = kinds.map(lambda it: _with_id(lambda id_: _of_kind(version, it, id_)))
    values = JSON.filter(lambda value: not isinstance(value, list)).map(lambda value: frame(value, *unread))
    raw = st.binary(max_size=200).filter(_no_json).map(lambda content: Frame(content, unread[0], frozenset(unread[1])))
    cut = valid(version).map(lambda whole: Frame(whole.content[:-1], unread[0], frozenset(unread[1])))
    deep = st.integers(2_000, 60_000).map(lambda depth: Frame(b"[" * depth, unread[0], frozenset(unread[1])))
    large = st.integers(50_000, 300_000).map(
        lambda size: _with_id(lambda id_: frame([2, id_, "GetLocalListVersion", {"x": "y" * size}], id_, CODES[version]["format"]))
    )
    return st.one_of(no_id, long_id, short, kind, values, raw, cut, st.one_of(raw, values, deep, large))


def _of_kind(version: str, kind: Any, id_: str) -> Frame:
    return frame([kind, id_, "ClearCache", {}], *((None, set()) if version == V16 else (id_, {"MessageTypeNotSupported"})))


def _with_id(make: Any) -> Frame:
    made: Frame = make(_id())
    return made


def _id() -> str:
    return str(uuid.uuid4())


def _no_json(content: bytes) -> bool:
    try:
        return not isinstance(json.loads(content), list)
    except (ValueError, RecursionError):
        return True


def frames(version: str, count: int) -> list[Frame]:
    """So many of all kinds; the same kinds in each run, with new message ids."""
    made: list[Frame] = []

    @seed(20_01)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.sampled_from((valid(version), maimed(version), others(version), nonsense(version))).flatmap(lambda kind: kind))
    def collect(one: Frame) -> None:
        made.append(one)

    collect()
    return made
