"""Ten EVSEs of one board charge with a sample each second, and the CSMS takes five seconds for each answer. Must not know how figures are
printed.
"""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.own_world import own_world
from bench.processes import pss_mib
from bench.table import Figure, at_most, percentile
from sim.csms.server import Csms
from tests.world import World

EVSES = 10
BOARD = "sim_ten"
OPEN_MS = 100
"""Contacts open after the car went: IEC 61851-1 Table A.6, sequence 2.2."""
ANSWER_S = 5.0
LOOK_EVERY_S = 0.25
TOLD_S = 300.0
"""What waits is told within this once the CSMS is quick again, on a busy machine too; the cars charge on meanwhile."""
SAMPLED = '[ocpp2.variables]\n"SampledDataCtrlr.TxUpdatedInterval" = 1\n"AuthCtrlr.LocalPreAuthorize" = true\n'


async def slow_csms(directory: Path, seconds: float) -> list[Figure]:
    """A world of its own. Unplugs one car while the CSMS is slow, then lets it be quick again and reads what it was told."""
    async with own_world(directory, evses=EVSES, name=BOARD, more=SAMPLED) as world:
        for evse in range(1, EVSES + 1):
            await world.charge(evse)
        await world.all_told()
        figures = await _loaded(world, world.csms, seconds)
        await world.judged()
    return figures


async def _loaded(world: World, csms: Csms, seconds: float) -> list[Figure]:
    pid = (await world.get("state"))["station"]["pids"]["station"]
    quiet = await _unplugged(world)
    await world.charge(EVSES)
    await world.all_told()
    csms.misbehave("slow", count=None, seconds=ANSWER_S)
    pages = await _looked(world, seconds / 4)
    early = pss_mib(pid)
    pages += await _looked(world, 3 * seconds / 4)
    late, waiting = pss_mib(pid), (await world.until(lambda s: s["station"] is not None))["station"]["facts_waiting"]
    meanwhile = await _unplugged(world)
    csms.mischief.clear()
    await world.until(lambda s: s["station"]["facts_waiting"] == 0, TOLD_S)
    gaps, repeats = out_of_order(csms)
    return [
        Figure(f"EVSEs sampled each second, for {seconds:.0f} s; messages waiting then", f"{EVSES}; {waiting}"),
        at_most("status page: p50", percentile(pages, 0.5), 50, "ms", 1),
        at_most("status page: p99", percentile(pages, 0.99), 200, "ms", 1),
        Figure("PSS of the station after a quarter / at the end", f"{early:.1f} / {late:.1f} MiB"),
        at_most("PSS grows in between by", late - early, 1, "MiB", 1),
        Figure("unplugging, before / meanwhile, to the coil off", f"{quiet['max_ms']:.1f} / {meanwhile['max_ms']:.1f} ms"),
        at_most("unplugging meanwhile, to the contacts open", meanwhile["contacts_p999_ms"], OPEN_MS, "ms", 1),
        Figure("messages out of order or missing, told twice", f"{gaps}, {repeats}", "0, 0", not gaps and not repeats),
    ]


async def _unplugged(world: World) -> dict[str, Any]:
    """How soon the last EVSE opened."""
    await world.delete("timings")
    await world.unplug(EVSES)
    await world.contactor("open", EVSES)
    (row,) = [row for row in await world.get("timings") if row["cause"] == "unplug"]
    return dict(row)


async def _looked(world: World, seconds: float) -> list[float]:
    """Milliseconds of each look at the station's state; one it does not answer in time costs that time."""
    until, taken = time.monotonic() + seconds, []
    while time.monotonic() < until:
        began = time.monotonic()
        await world.get("state")
        taken.append(1000 * (time.monotonic() - began))
        await asyncio.sleep(LOOK_EVERY_S)
    return taken


def out_of_order(csms: Csms) -> tuple[int, int]:
    """Steps that do not follow the one before, and steps told again, over all transactions."""
    told: dict[str, list[int]] = {}
    for event in csms.book.calls("CP001", "TransactionEvent"):
        told.setdefault(event["transactionInfo"]["transactionId"], []).append(event["seqNo"])
    steps = [after - before for numbers in told.values() for before, after in pairwise(numbers)]
    return sum(step != 1 for step in steps), sum(len(numbers) - len(set(numbers)) for numbers in told.values())
