"""Worlds of their own, side by side, each with a few EVSEs and no authorization: round after round, and then their timings. Must not know what a
round does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bench.own_world import own_world
from bench.table import Figure
from tests.world import World

EVSES = 3
PATIENCE_S = 60.0
"""Of who asks a world: how fast a coil goes off is read from its timings."""
SAY_EACH = 50
Round = Callable[[World, int, Random], Awaitable[None]]


class Seen(NamedTuple):
    """Every opening, and every violation, that the worlds saw."""

    openings: list[dict[str, Any]]
    violations: list[dict[str, Any]]


async def side_by_side(directory: Path, worlds: int, rounds: int, a_round: Round, seed: int) -> Seen:
    """rounds: of each world. Raises AssertionError when a round does."""
    directory.mkdir()
    shares = await asyncio.gather(*(_world(directory / str(number), rounds, a_round, Random(seed + number)) for number in range(worlds)))
    seen = Seen([row for share in shares for row in share.openings], [row for share in shares for row in share.violations])
    for violation in seen.violations:
        print(f"    violation: {violation}", flush=True)
    return seen


def violated(seen: Seen) -> Figure:
    """What no world may see, as a row of the table."""
    return Figure("violations seen by the worlds", str(len(seen.violations)), "0", not seen.violations)


async def _world(directory: Path, rounds: int, a_round: Round, random: Random) -> Seen:
    async with own_world(directory, evses=EVSES, more='[ocpp2.variables]\n"AuthCtrlr.Enabled" = false\n') as world:
        await world.delete("timings")
        for number in range(rounds):
            await a_round(world, number, random)
            if (number + 1) % SAY_EACH == 0:
                print(f"    world {directory.name}: {number + 1} of {rounds} rounds", flush=True)
        return Seen(await world.get("timings?each=1"), await world.get("violations"))
