"""Worlds to gather evidence in, and lanes: each EVSE takes the next piece of work until none is left. Must not know what the work is."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from proof.place import Place
from proof.timeline import Timeline
from sim.csms.server import Csms
from tests.world import World

W = TypeVar("W")
VERSION = "ocpp2.0.1"


@contextlib.asynccontextmanager
async def places(evses: int, *, connector: str = "sType2", evse: str = "", more: str = "", version: str = VERSION) -> AsyncIterator[list[Place]]:
    """The EVSEs of a fresh world, its firmware running. evse: more lines of each [[evse]]; more: further tables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        csms, timeline = Csms(), Timeline()
        world = World(Path(directory), csms, await csms.start("127.0.0.1", 0))
        try:
            await world.up(version, evses=evses, connector=connector, evse=evse, more=more)
            await timeline.start(world.url)
            yield [Place(world, timeline, number) for number in range(1, evses + 1)]
        finally:
            await timeline.stop()
            await world.down()
            await csms.stop()


async def in_lanes(lanes: list[Place], work: deque[W], do: Callable[[Place, W], Awaitable[None]]) -> None:
    """Every lane takes work until there is none."""

    async def lane(place: Place) -> None:
        while work:
            await do(place, work.popleft())

    async with asyncio.TaskGroup() as group:
        for place in lanes:
            group.create_task(lane(place))
