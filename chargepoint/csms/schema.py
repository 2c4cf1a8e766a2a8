"""The message schemas that lie inside the installed `ocpp` package, compiled when first needed; what does not fit becomes the OCPP-J error
of that version. Must not import `ocpp` (it costs 5 MiB), nor know what a message is for.

Schemas("ocpp1.6" | "ocpp2.0.1").call(action, payload) / .answer(action, payload); both return the payload or raise CallRefused.
Calls are held to the letter (OCPP-J 1.6 errata 3.2). Answers may carry more than the schema knows, null where a field is left
out and 300.0 for 300: a transaction told to a talkative CSMS is told.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from chargepoint.csms.face import CallRefused, Payload
from chargepoint.model.stamp import from_rfc3339

Check = Callable[[Any], Any]


class Dialect(NamedTuple):
    """Where a version's schemas lie, and its words for what is wrong (OCPP-J 1.6 table 7, misspelt as errata 5.1 keeps it; 2.0.1 part 4 table 8).
    unreadable_id: the message id of a CALLERROR for a frame whose id cannot be read (2.0.1 part 4 4.2.3), None: such a frame is dropped."""

    folder: str
    request_suffix: str
    occurrence: str
    format: str
    unreadable: str
    unknown_type: str | None
    unreadable_id: str | None


DIALECTS: dict[str, Dialect] = {
    "ocpp1.6": Dialect("v16", "", "OccurenceConstraintViolation", "FormationViolation", "FormationViolation", None, None),
    "ocpp2.0.1": Dialect("v201", "Request", "OccurrenceConstraintViolation", "FormatViolation", "RpcFrameworkError", "MessageTypeNotSupported", "-1"),
}
MOST_NUMBER = (1 << 63) - 1
OCCURRENCE_RULES = frozenset({"required", "minItems", "maxItems"})


def _schema_folder(name: str) -> Path:
    found = importlib.util.find_spec("ocpp")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the ocpp package, which holds the message schemas, is not installed")
    return Path(found.submodule_search_locations[0], name, "schemas")


def _is_date_time(text: Any) -> bool:
    if not isinstance(text, str):
        return True
    try:
        from_rfc3339(text)
    except ValueError:
        return False
    return True


def _without(schema: Any, *words: str) -> Any:
    """A copy of a schema without some of its rules."""
    if isinstance(schema, dict):
        return {key: _without(value, *words) for key, value in schema.items() if key not in words or isinstance(value, dict)}
    return [_without(item, *words) for item in schema] if isinstance(schema, list) else schema


def _bounded(schema: Any) -> Any:
    """A copy of a schema in which every number has a limit: JSON has none, the store keeps 64 bits (OCPP 2.0.1 part 2, 2.1.4: integers have 32)."""
    if isinstance(schema, dict):
        limits = {"minimum": -MOST_NUMBER, "maximum": MOST_NUMBER} if schema.get("type") in ("integer", "number") else {}
        return limits | {key: _bounded(value) for key, value in schema.items()}
    return [_bounded(item) for item in schema] if isinstance(schema, list) else schema


def _mended(value: Any) -> Any:
    """Without nulls, and with whole numbers written as 300.0 as such."""
    if isinstance(value, dict):
        return {key: _mended(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_mended(inner) for inner in value] if isinstance(value, list) else value


class Schemas:
    """The schemas of one version."""

    def __init__(self, subprotocol: str) -> None:
        self.dialect = DIALECTS[subprotocol]
        self._folder = _schema_folder(self.dialect.folder)
        self._checks: dict[tuple[str, bool], Check] = {}
        stems = [file.stem for file in self._folder.glob(f"*{self.dialect.request_suffix}.json")]
        self._known = frozenset(stem.removesuffix(self.dialect.request_suffix) for stem in stems if not stem.endswith("Response"))

    def knows(self, action: str) -> bool:
        """Whether the version has this message."""
        return action in self._known

    def call(self, action: str, payload: Any) -> Payload:
        """A CALL's payload. Raises CallRefused."""
        if not self.knows(action):
            raise CallRefused("NotImplemented", f"{action[:50]} is not known")
        return self._fit(action, {} if payload is None else payload, call=True)

    def answer(self, action: str, payload: Any) -> Payload:
        """A CALLRESULT's payload. Raises CallRefused (for the log; an answer is not answered)."""
        found = {} if payload is None else payload
        try:
            return self._fit(action, found, call=False)
        except CallRefused:
            return self._fit(action, _mended(found), call=False)

    def _fit(self, action: str, payload: Any, *, call: bool) -> Payload:
        from fastjsonschema import JsonSchemaValueException

        if not isinstance(payload, dict):
            raise CallRefused(self.dialect.format, "the payload is no JSON object")
        try:
            self._check(action, call)(payload)
        except JsonSchemaValueException as problem:
            raise CallRefused(self._code(problem.rule), problem.message[:255]) from None
        return payload

    def _code(self, rule: str | None) -> str:
        if rule in OCCURRENCE_RULES:
            return self.dialect.occurrence
        if rule == "type":
            return "TypeConstraintViolation"
        return self.dialect.format if rule == "additionalProperties" else "PropertyConstraintViolation"

    def _check(self, action: str, call: bool) -> Check:
        check = self._checks.get((action, call))
        if check is None:
            check = self._checks[action, call] = self._compile(action, call)
        return check

    def _compile(self, action: str, call: bool) -> Check:
        import fastjsonschema

        text = self._file(action, call).read_text(encoding="utf-8-sig")
        rules = ("multipleOf", "default") if call else ("multipleOf", "default", "additionalProperties")  # 0.1 has no exact multiples
        schema = _bounded(_without(msgspec.json.decode(text), *rules))
        check: Check = fastjsonschema.compile(schema, formats={"date-time": _is_date_time}, use_default=False)
        return check

    def _file(self, action: str, call: bool) -> Path:
        return self._folder / f"{action}{self.dialect.request_suffix if call else 'Response'}.json"
