"""Ten connectors charge with a sample each second while the CSMS takes five seconds for each answer: order kept, nothing lost, the rest unmoved."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chargepoint.csms.face import Face, Heard, Payload, Spoken, Told
from chargepoint.csms.teller import Teller
from chargepoint.model.facts import Delivery, Fact, StatusFact, TransactionFact, Trigger
from chargepoint.model.questions import Question, QuestionAnswer, Unreachable
from chargepoint.model.sample import Context, Purpose
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import Rig

CARDS = [f"04A1B2{number:02X}" for number in range(10)]
EVSES = tuple(Evse(id=number + 1) for number in range(10))
ANSWER_S, MINUTE = 5.0, 60


class SlowFace:
    """One call at a time, each answered after `seconds`."""

    subprotocol = "ocpp2.0.1"

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock, self.seconds, self.told = clock, ANSWER_S, list[Fact]()
        self._one = asyncio.Lock()

    async def ask(self, question: Question) -> QuestionAnswer:
        return Unreachable("not asked")

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        async with self._one:
            await self.clock.sleep(self.seconds)
            self.told.append(fact)
        return Told()

    async def hear(self, action: str, payload: Payload) -> Heard:
        return Heard({})

    async def report(self, request_id: int, parts: Any) -> None:
        return None


class Slow(Rig):
    """A station of ten EVSEs and what empties its outbox."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.face = SlowFace(self.clock)
        face: Face = self.face
        self.teller = Teller(self.outbox, self.backend, lambda: face, self.dm, self.clock, lambda fact, info: None, list)

    async def sampled(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.seconds()
            for evse in (evse.id for evse in EVSES):
                self.sessions.sampled(evse, Trigger.METER_VALUE_PERIODIC, self.meters.readings(evse, Purpose.UPDATED, Context.SAMPLE_PERIODIC))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Slow]:
    made = Slow(SimulatedClock(), tmp_path / "station.db", evses=EVSES)
    made.online()
    made.accept(*CARDS)
    for evse, card in zip(EVSES, CARDS, strict=True):
        made.control.plug(evse.id)
        await made.swipe(card, evse.id)
        made.control.close(evse.id)
    telling = asyncio.create_task(made.teller.run())
    yield made
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


async def test_order_is_kept_and_nothing_is_lost(rig: Slow) -> None:
    await rig.sampled(MINUTE)
    assert rig.outbox.waiting() >= 10 * MINUTE - MINUTE / ANSWER_S
    assert rig.backend.accepted and all(rig.connectors.status(evse.id) == "Charging" for evse in EVSES)
    rig.control.unplug(3)
    await rig.seconds(3)
    assert rig.connectors.status(3) == "Available" and not rig.control.states[3].closed
    rig.face.seconds = 0.0
    while rig.outbox.waits(Delivery.TRANSACTION):
        await rig.clock.advance(ANSWER_S)
    told = [fact for fact in rig.face.told if isinstance(fact, TransactionFact)]
    assert told == rig.transaction_facts(), "each once, in the order in which it happened"
    each: dict[str, list[int]] = defaultdict(list)
    for fact in told:
        each[fact.transaction].append(fact.seq)
    assert len(each) == 10 and all(numbers == list(range(len(numbers))) for numbers in each.values())


async def test_a_status_does_not_wait_behind_the_samples(rig: Slow) -> None:
    await rig.sampled(MINUTE)
    assert rig.outbox.waiting() > 500
    before = len(rig.face.told)
    rig.control.fault(10, "over_temperature")
    rig.control.clear(10, "over_temperature")
    rig.control.fault(10, "over_temperature")
    await rig.seconds(2 * MINUTE)
    told = [fact.status for fact in rig.face.told[before:] if isinstance(fact, StatusFact) and fact.evse == 10]
    assert told == ["Faulted"], "only the latest"
