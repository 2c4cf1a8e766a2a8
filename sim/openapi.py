"""The control API as an OpenAPI 3.1 document, made from the table of calls. Must not know what a call does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from sim import api_answers as answers

COMPONENTS = "#/components/schemas/{name}"
STATION = {
    "name": "station",
    "in": "path",
    "required": True,
    "description": "number of the charge point, from 1",
    "schema": {"type": "integer", "minimum": 1},
}
JSON, EVENTS = "application/json", "text/event-stream"
FIXED = {
    "/api/stations": ("the charge points of this world", JSON),
    "/api/overview": ("every charge point in a few words, then those that have changed: lists of tiles", EVENTS),
    "/api/faults": ("the names of the faults, by group", JSON),
    "/api/vehicles": ("the cars that `profile` of plug-in knows", JSON),
    "/api/openapi.json": ("this document", JSON),
}


class Described(Protocol):
    """A call, as far as it is described."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def body(self) -> type[msgspec.Struct] | None: ...
    @property
    def answer(self) -> Any: ...
    @property
    def events(self) -> bool: ...


def document(calls: Iterable[Described]) -> dict[str, Any]:
    """The whole document. Every path stands for the first charge point, and for each under /api/stations/{station}."""
    table = list(calls)
    shapes = [shape for call in table for shape in (call.body, call.answer) if shape is not None]
    schemas, components = msgspec.json.schema_components([*shapes, answers.Error, list[answers.Tile]], ref_template=COMPONENTS)
    tile = schemas[-1]
    by_shape = dict(zip(map(id, shapes), schemas, strict=False))
    paths: dict[str, Any] = {path: {"get": _fixed(text, kind, tile if kind == EVENTS else {})} for path, (text, kind) in FIXED.items()}
    for call in table:
        for base in ("/api", "/api/stations/{station}"):
            paths.setdefault(base + call.path, {})[call.method.lower()] = _operation(call, base, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Control API of the simulated charge point", "version": "1", "description": "Errors are a sentence in `error`."},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(call: Described, base: str, schemas: dict[int, Any]) -> dict[str, Any]:
    answer = schemas[id(call.answer)] if call.answer is not None else {"type": "object"}
    kind = EVENTS if call.events else JSON
    made: dict[str, Any] = {
        "summary": call.text,
        "parameters": [_parameter(name) for name in re.findall(r"{(\w+)}", base + call.path)],
        "responses": {
            "200": {"description": "done", "content": {kind: {"schema": answer}}},
            "default": {"description": "not done", "content": {JSON: {"schema": {"$ref": COMPONENTS.format(name="Error")}}}},
        },
    }
    if call.method == "POST":
        made["responses"]["202"] = {"description": "done in its turn, after the acts before it"}
    if call.body is not None:
        made["requestBody"] = {"content": {JSON: {"schema": schemas[id(call.body)]}}}
    return made


def _parameter(name: str) -> dict[str, Any]:
    if name == "station":
        return STATION
    kind = "string" if name == "fault" else "integer"
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def _fixed(text: str, kind: str, schema: Any) -> dict[str, Any]:
    return {"summary": text, "responses": {"200": {"description": "done", "content": {kind: {"schema": schema}}}}}
