"""Payloads by the schemas of OCPP: those that fit, at their limits, and those that do not. Must not know who gets them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proof.fuzz.inputs import VALUES

FOLDERS = {"ocpp1.6": ("ocpp.v16", "{}.json", "{}Response.json"), "ocpp2.0.1": ("ocpp.v201", "{}Request.json", "{}Response.json")}
DATE_TIMES = st.sampled_from(
    ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00.123456+02:00", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-05-01")
)
WORDS = st.sampled_from(("1", "0", "true", "04A1B2C3", "ISO14443", "AuthCtrlr", "Enabled", "-1", "é", ""))
INTEGERS = st.sampled_from((0, 1, 2, -1, 60, 2**31 - 1, -(2**31), 2**40, 2**63, 10**25)) | st.integers()


@cache
def payloads(version: str, action: str, *, answer: bool = False) -> SearchStrategy[Any]:
    """Of one message."""
    package, request, response = FOLDERS[version]
    text = (files(package) / "schemas" / (response if answer else request).format(action)).read_text(encoding="utf-8-sig")
    schema = json.loads(text)
    return _of(schema, schema.get("definitions", {}))


def spoiled(payload: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """The same, with one member of another kind, or too many, at times."""

    @st.composite
    def made(draw: st.DrawFn) -> Any:
        value = draw(payload)
        if isinstance(value, dict) and draw(st.integers(0, 3)) == 0:
            keys = [*value, "customData", "x"]
            value = {**value, draw(st.sampled_from(keys)): draw(VALUES)}
        return value

    return made()


def _of(schema: dict[str, Any], named: dict[str, Any]) -> SearchStrategy[Any]:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return st.deferred(lambda: _named(name, named))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema, named)
        case "array":
            return st.lists(_of(schema.get("items", {}), named), min_size=schema.get("minItems", 0), max_size=min(3, schema.get("maxItems", 3)))
        case "string":
            return _text(schema)
        case "integer":
            return INTEGERS
        case "number":
            return INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
    return VALUES


def _named(name: str, named: dict[str, Any]) -> SearchStrategy[Any]:
    return _of(named[name], named)


def _object(schema: dict[str, Any], named: dict[str, Any]) -> SearchStrategy[Any]:
    properties = {key: inner for key, inner in schema.get("properties", {}).items() if key != "customData"}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {key: _of(inner, named) for key, inner in properties.items() if key in required},
        optional={key: _of(inner, named) for key, inner in properties.items() if key not in required},
    )


def _text(schema: dict[str, Any]) -> SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return DATE_TIMES
    most = schema.get("maxLength", 40)
    return (WORDS | st.text(max_size=min(most, 20)) | st.just("x" * min(most, 500))).map(lambda text: text[:most])
