"""A world of its own beside that of the other parts. Must not know what is measured in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sim.csms.server import Csms
from tests.world import World


@asynccontextmanager
async def own_world(directory: Path, *, evses: int, more: str, name: str = "sim") -> AsyncIterator[World]:
    """Running, and connected to a CSMS of its own (`world.csms`). directory: is made; more: further tables of the settings; name: the board's."""
    directory.mkdir()
    csms = Csms()
    world = World(directory, csms, await csms.start("127.0.0.1", 0))
    try:
        await world.up("ocpp2.0.1", evses=evses, name=name, more=more)
        yield world
    finally:
        await world.down()
        await csms.stop()
