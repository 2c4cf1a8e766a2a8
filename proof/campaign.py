"""Runs the fault campaign: which cells, in which worlds, and what was seen. Must not know how a cell is tried or printed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from proof.cell import Cell, try_cell
from proof.expectations import ROWS, Row
from proof.place import Place, State
from proof.worlds import in_lanes, places

LANES = 4
"""EVSEs side by side in the world of the faults that keep to their own EVSE."""
QUICK = (State.B2, State.C2)
VENTILATED = "ventilation = true"
Say = Callable[[Cell], None]
Work = deque[tuple[Row, State]]


def selected(only: Sequence[str], quick: bool) -> list[tuple[Row, State]]:
    """The cells to try. only: faults, all if none is given. Raises KeyError for a fault that is not in the table."""
    rows = [row for row in ROWS if not only or row.fault in only]
    unknown = set(only) - {row.fault for row in rows}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return [(row, state) for row in rows for state in (QUICK if quick else State)]


async def run(cells: Sequence[tuple[Row, State]], say: Say) -> list[Cell]:
    """Tries the cells: those that keep to their EVSE side by side in one world, the others one by one in another. One that failed is tried once more
    by itself, unless the world saw a violation: a busy machine may make a meter or a reader silent."""
    done: dict[tuple[str, State], Cell] = {}

    async def one(place: Place, work: tuple[Row, State]) -> None:
        cell = await try_cell(place, *work)
        former = done.get((cell.fault, cell.state))
        cell.first = "; ".join([*former.wrong, former.slow]).strip("; ") if former else ""
        done[cell.fault, cell.state] = cell
        say(cell)

    async def world(lanes: int, work: Work) -> None:
        if work:
            async with places(min(lanes, len(work)), evse=VENTILATED) as them:
                await in_lanes(them, work, one)

    together = deque(work for work in cells if not work[0].alone)
    alone = deque(work for work in cells if work[0].alone)
    await asyncio.gather(world(LANES, together), world(1, alone))
    failed = [key for key, cell in done.items() if not cell.passed and not cell.violations]
    await world(1, deque((row, state) for row, state in cells if (row.fault, state) in failed))
    return [done[row.fault, state] for row, state in cells]
