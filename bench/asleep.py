"""The turn of a second of one session: the same work at once again, and after the process slept. What the machine's caches are worth.

Must not know how figures are printed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Figure, percentile
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, Rig

ASLEEP_S = 0.5


async def asleep(directory: Path, looks: int) -> list[Figure]:
    """In this process: a station's sessions over a fake control, with one car that charges."""
    directory.mkdir()
    rig = Rig(SimulatedClock(), directory / "station.db")
    rig.online()
    rig.accept(CARD)
    await rig.charge()
    after, again = [], []
    for _ in range(looks):
        await asyncio.sleep(ASLEEP_S)
        after.append(_spent_us(rig.sessions.tick))
        again.append(_spent_us(rig.sessions.tick))
    rig.db.close()
    return [
        Figure(f"CPU of the turn of a second, after {ASLEEP_S:g} s asleep, n={looks}: median", f"{percentile(after, 0.5):.0f} us"),
        Figure("the same turn at once again", f"{percentile(again, 0.5):.0f} us"),
    ]


def _spent_us(work: Callable[[], None]) -> float:
    before = time.thread_time()
    work()
    return 1e6 * (time.thread_time() - before)
