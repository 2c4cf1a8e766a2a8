"""Holds payloads to the official schema files, as the `ocpp` package ships them. Must not know who sent a payload."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

FILES = {"ocpp1.6": ("ocpp.v16", ""), "ocpp2.0.1": ("ocpp.v201", "Request")}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
"""Times of a station: UTC with Z, at most three decimals (2.0.1 part 2, 3.2.2: more than three should be avoided)."""

_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or TIME.fullmatch(value) is not None


@cache
def _validator(version: str, action: str, answer: bool) -> jsonschema.Draft7Validator | None:
    package, request = FILES[version]
    file = files(package) / "schemas" / f"{action}{'Response' if answer else request}.json"
    if not action.isalnum() or not file.is_file():
        return None
    return jsonschema.Draft7Validator(_without_multiples(json.loads(file.read_text(encoding="utf-8-sig"))), format_checker=_formats)


def _without_multiples(node: Any) -> Any:
    """A binary fraction does not divide evenly by 0.1, which is how the schemas say: one decimal."""
    if isinstance(node, dict):
        return {name: _without_multiples(value) for name, value in node.items() if name != "multipleOf"}
    return [_without_multiples(item) for item in node] if isinstance(node, list) else node


def known(version: str, action: str) -> bool:
    return _validator(version, action, False) is not None


def complaints(version: str, action: str, payload: Any, *, answer: bool = False) -> list[str]:
    """What is wrong with a payload, one sentence each."""
    validator = _validator(version, action, answer)
    if validator is None:
        return [f"{version} has no {action}"]
    return [f"{error.message[:200]} at {'/'.join(map(str, error.path)) or 'top'}" for error in validator.iter_errors(payload)]


def broken(version: str, action: str, payload: Any) -> set[str]:
    """The schema's rules (JSON schema keywords) that a CALL's payload breaks."""
    validator = _validator(version, action, False)
    return set() if validator is None else {str(error.validator) for error in validator.iter_errors(payload)}
