"""Thousands of openings under load: a car goes, or stops taking energy, while the station runs, stands still or was just killed.

Must not know how figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from bench.empty_loop import EmptyLoop, Late
from bench.parts import STRESS
from bench.side_by_side import EVSES, PATIENCE_S, side_by_side, violated
from bench.table import Figure, at_most, percentile
from tests.world import World

WORLDS = 3
CAUSES = {"unplug": "unplug", "s2_open": "C to B"}
STATION = ("KILL", "STOP", None)
COIL_OFF_MS = 40
CONTACTS_OPEN_MS = 100
"""IEC 61851-1 Table A.6, sequences 2.2 and 8.1."""
APART_S = 0.1


async def openings(directory: Path, rounds: int, seed: int = 1) -> list[Figure]:
    """rounds: of each cause, at least. Raises AssertionError when a contactor stays closed."""
    stress = [subprocess.Popen(["nice", sys.executable, "-c", STRESS]) for _ in range(os.cpu_count() or 1)]
    beside = await EmptyLoop.start()
    try:
        seen = await side_by_side(directory, WORLDS, 2 * ceil(rounds / (WORLDS * EVSES)), _round, seed)
    finally:
        late = await beside.end()
        for process in stress:
            process.kill()
            process.wait()
    return [*_figures(seen.openings, late), violated(seen)]


def _figures(each: list[dict[str, Any]], late: Late) -> list[Figure]:
    figures = []
    for cause, name in CAUSES.items():
        rows = [row for row in each if row["cause"] == cause]
        coil = [row["coil_ms"] for row in rows]
        contacts = [row["contacts_ms"] for row in rows]
        figures += [
            Figure(f"{name}, n={len(rows)}, to the coil off: p50 / p99", f"{percentile(coil, 0.5):.1f} / {percentile(coil, 0.99):.1f} ms"),
            at_most(f"{name}, to the coil off: p99.9", percentile(coil, 0.999), COIL_OFF_MS, "ms", 1),
            Figure(f"{name}, to the coil off: max", f"{max(coil):.1f} ms"),
            at_most(f"{name}, to the contacts open: max", max(contacts), CONTACTS_OPEN_MS, "ms", 1),
        ]
    beside = " / ".join(f"{us / 1000:.1f}" for us in (late.p50_us, late.p99_us, late.p999_us, late.max_us))
    return [*figures, Figure("an empty loop of the same priority beside it, late: p50 / p99 / p99.9 / max", f"{beside} ms")]


async def _round(world: World, number: int, random: Random) -> None:
    """All cars charge; one after the other goes or stops, half of them each; all end unplugged."""
    evses = list(range(1, EVSES + 1))
    for evse in evses:
        await world.plug_in(evse, delay_s=0.1, follow_s=0.1)
    await world.until(lambda s: all(evse["current_a"][0] > 1 for evse in s["evses"]), PATIENCE_S)
    how = random.choice(STATION)
    if how:
        await world.post("kill", {"process": "station", "signal": how})
    random.shuffle(evses)
    for evse in evses:
        await asyncio.sleep(random.uniform(0.0, APART_S))
        if (number + evse) % 2:
            await world.unplug(evse)
        else:
            await world.post(f"evse/{evse}/ev", {"ready": False})
    await world.until(lambda s: all(evse["contactor"] == "open" for evse in s["evses"]), PATIENCE_S)
    if how == "STOP":
        await world.post("kill", {"process": "station", "signal": "CONT"})
    for evse in evses:
        if not (number + evse) % 2:
            await world.unplug(evse)
    await world.until(lambda s: all(each["status"] == "Available" for each in s["station"]["connectors"]), PATIENCE_S)
