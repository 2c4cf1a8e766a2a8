"""Sessions at ten EVSEs of one board at a time: what each costs the station where caches are warm from the one before. Must not know how figures are
printed.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bench.memory import UNASKED
from bench.own_world import own_world
from bench.parts import told_durably
from bench.processes import cpu_s, cpu_share
from bench.slow_csms import BOARD, EVSES
from bench.table import Figure, percentile
from tests.world import World

IDLE_S, CHARGING_S, OVER_S = 15.0, 7.0, 3.0


async def at_once(directory: Path, rounds: int) -> list[Figure]:
    """A world of its own. Nothing asks for the station's state meanwhile."""
    async with own_world(directory, evses=EVSES, name=BOARD, more=UNASKED) as world:
        pid = (await world.get("state"))["station"]["pids"]["station"]
        await _sessions(world)
        each = [await _round(world, pid) for _ in range(rounds)]
        await world.judged()
    return [
        Figure(f"CPU of the station for ten durable requests, {EVSES} sessions at once, n={rounds}: median", f"{percentile(each, 0.5):.1f} ms"),
        Figure("the same, least and most", f"{min(each):.1f} / {max(each):.1f} ms"),
    ]


async def _round(world: World, pid: int) -> float:
    """Milliseconds for ten durable requests, beyond idling for as long just before."""
    idle_share = await cpu_share(pid, IDLE_S)
    began, before, known = time.monotonic(), cpu_s(pid), told_durably(world)
    await _sessions(world)
    spent = 1000 * (cpu_s(pid) - before - idle_share * (time.monotonic() - began))
    return spent * 10 / (told_durably(world) - known)


async def _sessions(world: World) -> None:
    for evse in range(1, EVSES + 1):
        await world.plug_in(evse, delay_s=0.1)
    await asyncio.sleep(CHARGING_S)
    for evse in range(1, EVSES + 1):
        await world.unplug(evse)
    await asyncio.sleep(OVER_S)
