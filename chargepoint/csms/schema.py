"""The message schemas that lie inside the installed `ocpp` package, compiled when first needed; what does not fit becomes the OCPP-J error
of that version. Must not import `ocpp` (it costs 5 MiB), nor know what a message is for.

Schemas("ocpp1.6" | "ocpp2.0.1").call(action, payload) / .answer(action, payload); both return the payload or raise CallRefused.
Calls are held to the letter (OCPP-J 1.6 errata 3.2). An answer is read as far as it can be: it may carry more than the schema knows, null where a
field is left out, 300.0 or "300" for 300 and [] for {}, and an optional field that does not fit is left out. A transaction told is not told again.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from chargepoint.csms.face import CallRefused, Payload
from chargepoint.model.stamp import from_rfc3339

log = logging.getLogger("csms.schema")

Check = Callable[[Any], Any]
NUMBERS = {"integer": (re.compile(r"-?[0-9]{1,19}"), int), "number": (re.compile(r"-?[0-9]{1,19}(\.[0-9]+)?"), float)}
"""How a number is written as text, by its type in a schema, and what it is then."""


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
MOST_MISFITS = 16  # an answer with more of them than this is none
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


def _read_on(payload: Payload, way: list[str], definition: Any) -> bool:
    """Makes a number of a text that stands where a number must, and else leaves out what does not fit. False: it is the payload itself."""
    if not way:
        return False
    holder: Any = payload
    for step in way[:-1]:
        holder = holder[_place(holder, step)]
    place = _place(holder, way[-1])
    written, number = NUMBERS.get(definition.get("type"), (None, None))
    value = holder[place]
    if written is not None and number is not None and isinstance(value, str) and written.fullmatch(value):
        holder[place] = number(value)
    else:
        del holder[place]
    return True


def _place(holder: Any, step: str) -> str | int:
    return int(step) if isinstance(holder, list) else step


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
        found = {} if payload is None or payload == [] else payload
        try:
            return self._fit(action, found, call=False)
        except CallRefused:
            return self._readable(action, _mended(found))

    def _fit(self, action: str, payload: Any, *, call: bool) -> Payload:
        from fastjsonschema import JsonSchemaValueException

        if not isinstance(payload, dict):
            raise CallRefused(self.dialect.format, "the payload is no JSON object")
        try:
            self._check(action, call)(payload)
        except JsonSchemaValueException as problem:
            raise CallRefused(self._code(problem.rule), problem.message[:255]) from problem
        return payload

    def _readable(self, action: str, payload: Any) -> Payload:
        """What can be read of an answer; a field that is required holds all that it is part of."""
        from fastjsonschema import JsonSchemaValueException

        for _ in range(MOST_MISFITS):
            try:
                return self._fit(action, payload, call=False)
            except CallRefused as refusal:
                problem = refusal.__cause__
                if not isinstance(problem, JsonSchemaValueException) or not _read_on(payload, problem.path[1:], problem.definition):
                    raise
                log.warning("the CSMS's answer to %s does not fit its schema, read as far as it does: %s", action, refusal.description)
        return self._fit(action, payload, call=False)

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
