"""Unplugging under load, many times, with the station stalled for a third of them: does the contactor open every time, and how fast?"""

from __future__ import annotations

from bench.table import Figure, at_most
from tests.world import World

OPEN_WITHIN_S = 2.0


async def unplugs(world: World, rounds: int) -> list[Figure]:
    """Raises AssertionError when the contactor stays closed, or the world saw a violation."""
    await world.delete("timings")
    for number in range(rounds):
        stalled = number % 3 == 0
        await world.charge(delay_s=0.1, follow_s=0.1)
        await world.until(lambda s: s["evses"][0]["current_a"][0] > 1)
        if stalled:
            await world.post("kill", {"process": "station", "signal": "STOP"})
        await world.unplug()
        await world.contactor("open", seconds=OPEN_WITHIN_S)
        if stalled:
            await world.post("kill", {"process": "station", "signal": "CONT"})
        await world.status("Available")
    await world.judged()
    (row,) = [row for row in await world.get("timings") if row["cause"] == "unplug"]
    return [
        Figure("unplugged under load, contactor opened", f"{rounds} of {row['count']}", "every time", rounds == row["count"]),
        at_most("to the coil off: p99", row["p99_ms"], 30, "ms", 1),
        at_most("to the coil off: p99.9", row["p999_ms"], 40, "ms", 1),
        Figure("to the contacts open: p99.9", f"{row['contacts_p999_ms']:.1f} ms"),
    ]
