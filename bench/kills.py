"""Control dies, stands still or hangs at random moments in all states: how fast is every coil off, and does anything close without a new permit?

Must not know how figures are printed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

from bench.side_by_side import EVSES, PATIENCE_S, side_by_side, violated
from bench.table import Figure, at_most
from tests.world import World

WORLDS = 2
HOW = {"KILL": "control_killed", "STOP": "control_stopped", "HANG": "loop_hung"}
COIL_OFF_MS = 150
SETTLE_S = 1.5
"""The greatest time a car is given to reach any state before control is hurt."""
ALONE_S = 2.0
"""How long a control that is back is watched without a station."""


async def kills(directory: Path, rounds: int, seed: int = 1) -> list[Figure]:
    """Raises AssertionError when a coil stays on, or when one goes on without a station."""
    seen = await side_by_side(directory, WORLDS, rounds // WORLDS, _round, seed)
    each = seen.openings
    coils = sum(row["cause"] in HOW.values() for row in each)
    figures = [Figure("KILL, STOP and HANG of control at random moments; with coils on", f"{WORLDS * (rounds // WORLDS)}; {coils} coils")]
    for how, cause in HOW.items():
        taken = [float(row["coil_ms"]) for row in each if row["cause"] == cause]
        figures.append(at_most(f"{how}, n={len(taken)}: to the coil off, max", max(taken, default=0.0), COIL_OFF_MS, "ms", 1))
    return [*figures, violated(seen)]


async def _round(world: World, number: int, random: Random) -> None:
    """Some cars come, go or charge; control is hurt, in a third of the rounds while the station stands still; it comes back, and so do the cars."""
    for evse in range(1, EVSES + 1):
        state = (await world.evse(evse))["plugged"]
        if state and random.random() < 0.3:
            await world.unplug(evse)
        elif not state and random.random() < 0.8:
            await world.plug_in(evse, delay_s=0.1, ready=random.random() < 0.8)
    if random.random() < 0.5:
        await _someone_charges(world)
    await asyncio.sleep(random.uniform(0.0, SETTLE_S))
    former = (await world.until(_runs))["station"]["pids"]["control"]
    alone = random.random() < 1 / 3
    if alone:
        await world.post("kill", {"process": "station", "signal": "STOP"})
    how = random.choice(list(HOW))
    await world.post("kill", {"process": "control", "signal": how})
    await world.until(lambda s: not any(evse["coil"] and evse["relay_supply"] for evse in s["evses"]), PATIENCE_S)
    await world.until(lambda s: not any(any(evse["contacts"]) for evse in s["evses"]), PATIENCE_S)
    if alone:
        await _watched_alone(world)
        await world.post("kill", {"process": "station", "signal": "CONT"})
    await world.until(lambda s: _runs(s) and s["station"]["pids"]["control"] != former, PATIENCE_S)


def _runs(state: dict[str, Any]) -> bool:
    """Whether control turns."""
    return state["station"] is not None and bool(state["station"]["pids"]["control"]) and all(evse["relay_supply"] for evse in state["evses"])


async def _someone_charges(world: World) -> None:
    """Waits for a closed contactor, if a car is there that would take energy."""
    state = await world.get("state")
    if any(evse["ev"] and evse["ev"]["ready"] for evse in state["evses"]):
        await world.until(lambda s: any(evse["contactor"] == "closed" for evse in s["evses"]), PATIENCE_S)


async def _watched_alone(world: World) -> None:
    until = asyncio.get_running_loop().time() + ALONE_S
    while asyncio.get_running_loop().time() < until:
        state = await world.get("state")
        assert not any(any(evse["contacts"]) for evse in state["evses"]), state["evses"]
        await asyncio.sleep(0.1)
