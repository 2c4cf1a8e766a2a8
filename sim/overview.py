"""Every charge point of a world in a few words each, for the page of all of them. Must not know HTTP, nor how a state comes about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

LOOK_S = 1.0
"""Between two looks at all charge points."""


class Looked(Protocol):
    """A charge point, as far as it is looked at."""

    number: int

    @property
    def identity(self) -> str: ...

    async def state(self) -> dict[str, Any]: ...


async def tiles(sites: Sequence[Looked]) -> AsyncIterator[list[dict[str, Any]]]:
    """First all tiles, then those that have changed; an empty list when none has. A charge point that does not answer holds none of the others up."""
    last: dict[int, dict[str, Any]] = {}
    while True:
        found = await asyncio.gather(*(_tile(site) for site in sites))
        yield [tile for tile in found if tile != last.get(tile["station"])]
        last = {tile["station"]: tile for tile in found}
        await asyncio.sleep(LOOK_S)


async def _tile(site: Looked) -> dict[str, Any]:
    state = await site.state()
    firmware = state["station"] or {}
    told = firmware.get("connectors", [])
    return {
        "station": site.number,
        "identity": site.identity,
        "power": state["power"],
        "network": state["network"],
        "answers": state["station"] is not None,
        "connected": bool(firmware.get("connected")),
        "ocpp": firmware.get("ocpp"),
        "evses": [_evse(wire, [row for row in told if row["evse"] == wire["id"]]) for wire in state["evses"]],
    }


def _evse(wire: dict[str, Any], told: list[dict[str, Any]]) -> dict[str, Any]:
    first = told[0] if told else {}
    return {
        "evse": wire["id"],
        "status": first.get("status"),
        "reason": first.get("sentence", first.get("reason")),
        "car": wire["ev"] is not None,
        "contactor": wire["contactor"],
        "power_kw": round(wire["power_w"] / 1000, 1),
        "energy_kwh": round(wire["energy_wh"] / 1000, 2),
        "lamp": next((colour for colour, lit in wire["lamp"].items() if lit), None),
        "faults": wire["faults"],
    }
