"""Memory of the station over a thousand sessions: ten EVSEs of one board, all at once, again and again, with a sample each second. Must not know how
figures are printed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bench.own_world import own_world
from bench.processes import pss_mib
from bench.slow_csms import BOARD, EVSES
from bench.table import Figure, at_most
from tests.world import World

WARM = 0.25
"""The share of the rounds after which every part was used and every cache has its size."""
CHARGING_S, ROUND_S = 2.0, 120.0
LEAST_ROUNDS = 4
GROWTH_MIB = 3.0
"""Over 1,000 sessions."""
UNASKED = '[ocpp2.variables]\n"SampledDataCtrlr.TxUpdatedInterval" = 1\n"AuthCtrlr.Enabled" = false\n'
"""Plugging in begins: cards at ten EVSEs would be shown one after the other."""


async def memory(directory: Path, sessions: int) -> list[Figure]:
    """A world of its own. sessions: that are counted, once those before them have warmed it up."""
    async with own_world(directory, evses=EVSES, name=BOARD, more=UNASKED) as world:
        figures = await _charged(world, max(LEAST_ROUNDS, round(sessions / (1 - WARM) / EVSES)))
        await world.judged()
    return figures


async def _charged(world: World, rounds: int) -> list[Figure]:
    pids = (await world.get("state"))["station"]["pids"]
    station, control = [], []
    for _ in range(rounds):
        await _round(world)
        station.append(pss_mib(pids["station"]))
        control.append(pss_mib(pids["control"]))
    warm = max(1, int(rounds * WARM))
    told = sum(transaction.ended for transaction in world.csms.book.transactions)
    after = f"after {EVSES} / {warm * EVSES} / {rounds * EVSES} sessions"
    return [
        Figure("sessions told to their end", f"{told}", f"{rounds * EVSES}", told == rounds * EVSES),
        Figure(f"PSS of the station {after}", _three(station, warm)),
        Figure(f"PSS of control {after}", _three(control, warm)),
        at_most(f"PSS of the station grows over the last {(rounds - warm) * EVSES} sessions by", station[-1] - station[warm - 1], GROWTH_MIB, "MiB"),
    ]


async def _round(world: World) -> None:
    """A session at each EVSE."""
    for evse in range(1, EVSES + 1):
        await world.plug_in(evse, delay_s=0.1)
    await world.until(lambda s: _all(s, "session", "charging"), ROUND_S)
    await asyncio.sleep(CHARGING_S)
    for evse in range(1, EVSES + 1):
        await world.unplug(evse)
    await world.until(lambda s: _all(s, "session", "idle") and s["station"]["facts_waiting"] == 0, ROUND_S)


def _all(state: dict[str, Any], name: str, word: str) -> bool:
    return state["station"] is not None and all(connector[name] == word for connector in state["station"]["connectors"])


def _three(values: list[float], warm: int) -> str:
    return f"{values[0]:.1f} / {values[warm - 1]:.1f} / {values[-1]:.1f} MiB"
