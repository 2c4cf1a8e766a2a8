"""The OpenAPI document says what the API does: every route is in it, every body is taken as it says, and the state has the shape it gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from sim import api, api_answers, openapi
from sim.api import Call
from tests.sim_world.test_world_api import Outside, outside

CALLS = api.calls()
DOCUMENT = openapi.document(CALLS)
TAKES = [call for call in CALLS if call.body is not None]
NAMES = [f"{call.method} {call.path}" for call in TAKES]


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Outside]:
    made = await outside(tmp_path)
    yield made
    await made.http.close()
    await made.world.stop()


def schema_of(path: str, method: str, part: str) -> dict[str, Any]:
    operation = DOCUMENT["paths"][path][method]
    content = operation["requestBody"] if part == "body" else operation["responses"]["200"]
    return {**content["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}


async def test_every_route_is_described_and_nothing_else(it: Outside) -> None:
    app = api.application(it.world)
    there = {(route.method.lower(), resource.canonical) for resource in app.router.resources() for route in resource if route.method != "HEAD"}
    described = {(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert {(method, path) for method, path in there if path.startswith("/api")} == described
    assert await it.get("openapi.json") == DOCUMENT


async def test_the_state_has_the_shape_it_says(it: Outside) -> None:
    await it.http.post("/api/evse/1/plug-in", json={})
    state = await it.get("state")
    msgspec.convert(state, api_answers.State, strict=True)
    jsonschema.validate(state, schema_of("/api/state", "get", "answer"))


@pytest.mark.parametrize("call", TAKES, ids=NAMES)
async def test_a_body_is_judged_as_the_document_says(it: Outside, call: Call) -> None:
    """A field that is not described is refused by both."""
    path = call.path.replace("{evse}", "1")
    schema = schema_of(f"/api{call.path}", call.method.lower(), "body")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"no_such_field": 1}, schema)
    assert await it.status(call.method, path.lstrip("/"), {"no_such_field": 1}) == 400
