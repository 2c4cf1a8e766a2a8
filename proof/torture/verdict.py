"""World, store and CSMS compared after a death: energy, order, what is missing, what is there twice, and the word for the connector.

Must not know how it died.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from proof.torture.plan import Phase, Plan, Victim
from proof.torture.promise import AGAIN
from proof.torture.report import Case
from sim.csms.book import Transaction
from tests.world import World

WITHIN_WH = 1.0
"""Of each transaction: 1.6 tells whole watt-hours, and a meter shows tenths."""
FREE = "Available"
PATIENCE_S = 45.0
"""An end waits half a minute for a meter that starts slowly."""
SETTLED_LOOKS = 10
"""Looks in a row that find the connector free: before the line was up again the CSMS may have known it free from before the car came."""


class Before(NamedTuple):
    """How things stood before the case. heard: transactions in the CSMS's book; repeats: messages it had heard again."""

    energy_wh: float
    heard: int
    repeats: int
    violations: int

    @classmethod
    async def of(cls, world: World) -> Before:
        book = world.csms.book
        energy_wh = (await world.evse())["energy_wh"]
        return cls(energy_wh, len(book.transactions), _repeats(world), len(book.violations))


def _repeats(world: World) -> int:
    return sum(transaction.repeats for transaction in world.csms.book.transactions)


async def judge(world: World, before: Before, plan: Plan, case: Case) -> None:
    """Everything is told and the connector is free again: fills in the case."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            looks = 0
            while looks < SETTLED_LOOKS:
                free = _word(world) == FREE and all(transaction.ended for transaction in world.csms.book.transactions)
                looks = looks + 1 if free else 0
                await asyncio.sleep(0.05)
    new = world.csms.book.transactions[before.heard :]
    delivered = (await world.evse())["energy_wh"] - before.energy_wh
    billed = sum(transaction.registers[-1][1] - transaction.registers[0][1] for transaction in new if transaction.registers)
    case.energy_error_wh = abs(delivered - billed)
    case.lost = sum(missing(transaction, world.version) for transaction in new)
    case.doubled = _repeats(world) - before.repeats
    case.wrong += _wrong(world, before, plan, case, new)
    case.wrong += [f"the world saw: {seen}" for seen in await world.get("violations")]


def _wrong(world: World, before: Before, plan: Plan, case: Case, new: list[Transaction]) -> Iterator[str]:
    if case.energy_error_wh > WITHIN_WH * max(1, len(new)):
        yield f"{case.energy_error_wh:.1f} Wh between the world's meter and what was told"
    if case.lost:
        yield f"{case.lost} facts never came: {[(one.id, one.seqs, one.ended) for one in new]}"
    if case.doubled > allowed(plan, case.cut):
        yield f"{case.doubled} messages came twice"
    if (word := _word(world)) != FREE:
        yield f"the CSMS takes the connector for {word}"
    yield from (f"the CSMS saw: {seen}" for seen in world.csms.book.violations[before.violations :])


def allowed(plan: Plan, cut: int) -> int:
    """Messages that may come twice: the one that was not answered when something died, each whose answer the network cut off, and after a power
    cut, as before each start, the last ones answered."""
    return 1 + cut + AGAIN * ((plan.victim is Victim.POWER) + (plan.phase is Phase.START))


def missing(transaction: Transaction, version: str) -> int:
    """Facts of a transaction that never came; 1.6 does not number them, so only the end shows."""
    gaps = 0 if version == "ocpp1.6" else len(set(range(max(transaction.seqs, default=-1) + 1)) - set(transaction.seqs))
    return gaps + (not transaction.ended)


def _word(world: World) -> str:
    """The connector's status as the CSMS last heard it."""
    place = "1" if world.version == "ocpp1.6" else "1/1"
    return world.csms.book.station("CP001").statuses.get(place, "never told")
