"""Judges payloads by the schema files inside the `ocpp` package. Must not know who sent them.

The limits by `multipleOf` are left out: a binary fraction does not divide evenly, and the schemas mean one decimal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import fastjsonschema

PROTOCOLS = {"ocpp1.6": ("ocpp.v16", "{}.json", "{}Response.json"), "ocpp2.0.1": ("ocpp.v201", "{}Request.json", "{}Response.json")}

Check = Callable[[Any], Any]


def known(protocol: str, action: str) -> bool:
    """Whether the version has such a message at all."""
    return _compiled(protocol, action, False) is not None


def complaint(protocol: str, action: str, payload: Any, *, answer: bool = False) -> str | None:
    """What is wrong with the payload of a request or of an answer; None: nothing."""
    check = _compiled(protocol, action, answer)
    if check is None:
        return f"{protocol} has no {action}"
    try:
        check(payload)
    except fastjsonschema.JsonSchemaValueException as refused:
        return str(refused.message)
    return None


def schema(protocol: str, action: str, *, answer: bool = False) -> dict[str, Any] | None:
    """The official schema of a request or an answer; None: the version has no such message."""
    package, request, response = PROTOCOLS[protocol]
    file = files(package) / "schemas" / (response if answer else request).format(action)
    if not action.isalnum() or not file.is_file():
        return None
    found: dict[str, Any] = _without_multiples(json.loads(file.read_text(encoding="utf-8-sig")))
    return found


@cache
def _compiled(protocol: str, action: str, answer: bool) -> Check | None:
    found = schema(protocol, action, answer=answer)
    return None if found is None else fastjsonschema.compile(found, formats={"date-time": _is_text, "uri": _is_text}, use_default=False)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _without_multiples(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_multiples(value) for key, value in node.items() if key != "multipleOf"}
    return [_without_multiples(item) for item in node] if isinstance(node, list) else node
