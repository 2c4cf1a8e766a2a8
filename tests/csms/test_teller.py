"""Transaction facts in order, attempts and waits, offline, states only the latest; against the real outbox, by a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargepoint.csms.face import Face, Heard, Lost, NoWords, Payload, Refused, Spoken, Told
from chargepoint.csms.rpc import Result, Rpc, Urgency, unspoken
from chargepoint.csms.teller import Teller
from chargepoint.model.facts import Delivery, EventKind, Fact, MeterFact, SecurityFact, StatusFact, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdTokenInfo
from chargepoint.model.questions import Question, QuestionAnswer, Registration, Unreachable
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from tests.csms.conftest import Variables
from tests.simclock import SimulatedClock

AT = Stamp(1, 5.0, 1_704_067_200.0, True)
INVALID = IdTokenInfo(AuthorizationStatus.INVALID)


def event(seq: int, kind: EventKind = EventKind.UPDATED, transaction: str = "t1", connection: int = 1) -> TransactionFact:
    return TransactionFact(transaction, seq, kind, Trigger.CHARGING_STATE_CHANGED, AT, 1, 1, connection=connection)


def status(word: str, connector: int = 1) -> StatusFact:
    return StatusFact(1, connector, word, AT)


def meter() -> MeterFact:
    value = SampledValue(1.0, "Voltage", Context.SAMPLE_CLOCK, "V")
    return MeterFact(1, 1, Reading(AT, Purpose.ALIGNED, (value,)))


class ScriptedFace:
    """Answers as told; keeps what it was given."""

    subprotocol = "ocpp1.6"

    def __init__(self) -> None:
        self.given: list[tuple[Fact, bool]] = []
        self.script: dict[type, list[Spoken | asyncio.Event]] = {}
        self.fails: Callable[[Fact], Exception | None] = lambda fact: None

    async def ask(self, question: Question) -> QuestionAnswer:
        return Unreachable("not asked")

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        self.given.append((fact, offline))
        failure = self.fails(fact)
        if failure is not None:
            raise failure
        lines = self.script.get(type(fact), [])
        answer = lines.pop(0) if lines else Told()
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return Told()
        return answer

    async def hear(self, action: str, payload: Payload) -> Heard:
        return Heard({})

    async def report(self, request_id: int, parts: Any) -> None:
        return None

    def of(self, kind: type) -> list[Any]:
        return [fact for fact, _ in self.given if isinstance(fact, kind)]


class Backend:
    def __init__(self) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.registration: Registration | None = None
        self.connection = 0
        self.number = 0

    @property
    def accepted(self) -> bool:
        return self.registration is Registration.ACCEPTED

    def change(self, accepted: bool, registration: Registration | None = None) -> None:
        self.registration = Registration.ACCEPTED if accepted else registration
        self.number += accepted
        self.connection = self.number if accepted else 0
        for callback in self.on_change:
            callback()


class Bench:
    def __init__(self, db: Db) -> None:
        self.clock, self.variables, self.backend, self.face = SimulatedClock(), Variables(), Backend(), ScriptedFace()
        self.outbox = Outbox(db)
        self.answers: list[tuple[int, IdTokenInfo | None]] = []
        self.present: list[StatusFact] = []
        self.line_up = True
        self.teller = Teller(
            self.outbox,
            self.backend,
            self._face,
            self.variables,
            self.clock,
            lambda fact, info: self.answers.append((fact.seq, info)),
            lambda: self.present,
        )
        self.task = asyncio.create_task(self.teller.run())

    def _face(self) -> Face | None:
        return self.face if self.line_up else None

    async def online(self) -> None:
        self.line_up = True
        self.backend.change(True)
        await self.settle()

    async def offline(self) -> None:
        self.line_up = False
        self.backend.change(False)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await self.clock.settle()

    async def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.outbox.append(fact)
        await self.settle()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    db = Db(tmp_path / "station.db")
    made = Bench(db)
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    db.close()


async def test_facts_are_told_in_order_and_once(bench: Bench) -> None:
    facts = [event(seq, EventKind.STARTED if seq == 0 else EventKind.UPDATED) for seq in range(100)]
    await bench.tell(*facts)
    assert bench.face.given == []
    await bench.online()
    assert [fact.seq for fact in bench.face.of(TransactionFact)] == list(range(100))
    assert bench.outbox.waiting() == 0
    await bench.offline()
    await bench.online()
    assert len(bench.face.given) == 100


async def test_offline_is_told_by_the_number_of_the_connection(bench: Bench) -> None:
    await bench.online()
    await bench.tell(event(0, EventKind.STARTED, connection=1))
    await bench.offline()
    await bench.tell(event(1, connection=0), event(2, connection=1))
    await bench.online()
    await bench.tell(event(3, connection=2))
    assert [offline for _, offline in bench.face.given] == [False, True, True, False]


async def test_the_note_and_the_answer_are_kept_and_given_on(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [Told(note="4711", info=INVALID)]
    await bench.online()
    await bench.tell(event(0, EventKind.STARTED), event(1))
    assert bench.outbox.note("t1") == "4711" and bench.answers == [(0, INVALID), (1, None)]


async def test_a_fact_without_words_counts_as_told(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [NoWords()]
    await bench.online()
    await bench.tell(event(0))
    assert bench.outbox.waiting() == 0 and bench.answers == []


async def test_a_refusal_is_tried_again_after_interval_times_tries_and_then_given_up(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [Refused("CALLERROR")] * 3
    await bench.online()
    await bench.tell(event(0, EventKind.STARTED), event(1))
    told = bench.face.of(TransactionFact)
    for seconds, tries in ((59, 1), (2, 2), (117, 2), (3, 3)):
        await bench.clock.advance(seconds)
        await bench.settle()
        told = [fact.seq for fact in bench.face.of(TransactionFact) if fact.seq == 0]
        assert len(told) == tries
    assert [fact.seq for fact in bench.face.of(TransactionFact)] == [0, 0, 0, 1]
    assert bench.outbox.given_up() == 1 and bench.outbox.waiting() == 0


SILENT, ERROR = Refused("no answer", timed_out=True), Refused("CALLERROR")


@pytest.mark.parametrize(
    ("attempts", "interval", "answers", "tries_at", "given_up"),
    [
        (1, 60, [ERROR], {0: 1}, True),
        (1, 0, [SILENT], {0: 1}, True),
        (2, 60, [SILENT, ERROR], {0: 1, 59: 1, 61: 2}, True),
        (3, 60, [ERROR, SILENT], {0: 1, 61: 2, 179: 2, 182: 3}, False),
        (3, 0, [ERROR, SILENT], {0: 3}, False),
        (3, 0, [ERROR, SILENT, ERROR], {0: 3}, True),
        (5, 10, [ERROR, ERROR, ERROR, SILENT, SILENT], {0: 1, 11: 2, 32: 3, 63: 4, 104: 5}, True),
    ],
)
async def test_attempts_and_interval_in_all_their_combinations(
    bench: Bench, attempts: int, interval: int, answers: list[Spoken], tries_at: dict[int, int], given_up: bool
) -> None:
    """A silence and a CALLERROR are one attempt each (1.6 3.7.1, 9.1.31, 9.1.32; 2.0.1 E13)."""
    bench.variables.values["OCPPCommCtrlr.MessageAttempts[TransactionEvent]"] = str(attempts)
    bench.variables.values["OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"] = str(interval)
    bench.face.script[TransactionFact] = list(answers)
    await bench.online()
    await bench.tell(event(0))
    passed = 0
    for second, tries in tries_at.items():
        await bench.clock.advance(second - passed if second > passed else 0.001)
        passed = max(passed, second)
        await bench.settle()
        assert len(bench.face.given) == tries, f"after {second} s"
    assert bench.outbox.waiting() == 0 and bench.outbox.given_up() == given_up


@pytest.mark.parametrize("attempts", [1, 3])
async def test_losses_between_attempts_count_for_nothing(bench: Bench, attempts: int) -> None:
    bench.variables.values["OCPPCommCtrlr.MessageAttempts[TransactionEvent]"] = str(attempts)
    bench.variables.values["OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"] = "0"
    bench.face.script[TransactionFact] = [answer for _ in range(attempts) for answer in (Lost(), Lost(), ERROR)]
    await bench.tell(event(0))
    for _ in range(2 * attempts + 1):
        assert bench.outbox.waiting() == 1
        await bench.offline()
        await bench.online()
        await bench.clock.advance(0.001)
        await bench.settle()
    assert bench.outbox.given_up() == 1 and len(bench.face.given) == 3 * attempts


async def test_a_lost_connection_is_no_attempt(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [Lost()] * 10
    await bench.online()
    await bench.tell(event(0))
    for _ in range(9):
        await bench.offline()
        await bench.online()
    assert bench.outbox.waiting() == 1
    await bench.offline()
    await bench.online()
    assert bench.outbox.waiting() == 0 and bench.outbox.given_up() == 0


async def test_attempts_outlive_a_restart(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [Refused("x")] * 3
    bench.variables.values["OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"] = "0"
    bench.outbox.attempted(bench.outbox.append(event(0)))
    await bench.online()
    await bench.clock.advance(1)
    await bench.settle()
    assert len(bench.face.given) == 2 and bench.outbox.given_up() == 1


async def test_a_refusal_waits_over_a_reconnection_a_silence_does_not(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [Refused("CALLERROR")]
    await bench.online()
    await bench.tell(event(0))
    await bench.offline()
    await bench.online()
    assert len(bench.face.given) == 1
    await bench.clock.advance(61)
    await bench.settle()
    assert bench.outbox.waiting() == 0
    bench.face.script[TransactionFact] = [Refused("no answer", timed_out=True)]
    await bench.tell(event(1))
    await bench.offline()
    await bench.online()
    assert bench.outbox.waiting() == 0


async def test_no_delivery_waits_for_another(bench: Bench) -> None:
    bench.face.script[TransactionFact] = [asyncio.Event()]
    await bench.online()
    await bench.tell(event(0), status("Charging"), SecurityFact("StartupOfTheDevice", AT), meter())
    assert {type(fact) for fact, _ in bench.face.given} == {TransactionFact, StatusFact, SecurityFact, MeterFact}
    assert bench.outbox.waiting() == 1


ANSWER_S, LIVE_S = 0.9, 2.0
"""What the CSMS takes for each answer; within what a status is told while thousands of messages wait."""


class SlowWire:
    """A connection of paper whose other end takes its time for each answer. sent: (action, when)."""

    def __init__(self, subprotocol: str, clock: SimulatedClock) -> None:
        self.sent: list[tuple[str, float]] = []
        self.clock = clock
        self.rpc = Rpc(subprotocol, self._send, clock, lambda: 30.0, lambda work: None)

    async def _send(self, frame: bytes) -> None:
        _, id_, action, _ = msgspec.json.decode(frame)
        self.sent.append((action, self.clock.boot_s()))
        self.clock.call_later(ANSWER_S, lambda: self.rpc.receive(msgspec.json.encode([3, id_, {}])))


class FaceOnWire(ScriptedFace):
    """Says facts as both versions do: by the calls of one connection, each with its urgency."""

    def __init__(self, rpc: Rpc, action: str) -> None:
        super().__init__()
        self.rpc, self.action = rpc, action

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        self.given.append((fact, offline))
        live = isinstance(fact, StatusFact)
        outcome = await self.rpc.call("StatusNotification" if live else self.action, {}, Urgency.STATE if live else Urgency.TRANSACTION)
        return Told() if isinstance(outcome, Result) else unspoken(outcome)


@pytest.mark.parametrize(("subprotocol", "action"), [("ocpp1.6", "MeterValues"), ("ocpp2.0.1", "TransactionEvent")])
async def test_a_status_is_told_live_while_a_long_replay_goes_on(bench: Bench, subprotocol: str, action: str) -> None:
    wire = SlowWire(subprotocol, bench.clock)
    bench.face = FaceOnWire(wire.rpc, action)
    calls = asyncio.create_task(wire.rpc.run())
    for seq in range(300):
        bench.outbox.append(event(seq))
    await bench.online()
    for number in range(12):
        await bench.clock.advance(5.0 + 0.13 * number)
        happened_s = bench.clock.boot_s()
        await bench.tell(status("Charging" if number % 2 else "SuspendedEV"))
        await bench.clock.advance(LIVE_S)
        assert not bench.outbox.waits(Delivery.STATE), "told and answered"
        since = [what for what, at in wire.sent if at >= happened_s]
        assert since.index("StatusNotification") == 0, "it waits for the one message that is under way and no other"
    assert bench.outbox.waiting() > 100, "and the replay goes on"
    assert [fact.seq for fact in bench.face.of(TransactionFact)] == list(range(len(bench.face.of(TransactionFact))))
    calls.cancel()
    await asyncio.gather(calls, return_exceptions=True)


async def test_guaranteed_facts_are_tried_for_ever_but_not_where_unknown(bench: Bench) -> None:
    bench.face.script[SecurityFact] = [Refused("x")] * 20
    await bench.online()
    await bench.tell(SecurityFact("SettingSystemTime", AT))
    for _ in range(21):
        await bench.clock.advance(601)
        await bench.settle()
    assert bench.outbox.waiting() == 0 and bench.outbox.given_up() == 0 and len(bench.face.given) == 21
    bench.face.script[SecurityFact] = [Refused("NotImplemented", unknown=True)]
    await bench.tell(SecurityFact("SettingSystemTime", AT))
    assert bench.outbox.waiting() == 0 and bench.outbox.given_up() == 1


async def test_perishable_facts_perish_offline(bench: Bench) -> None:
    await bench.tell(meter())
    await bench.online()
    assert bench.face.given == []
    await bench.offline()
    bench.variables.values["OCPPCommCtrlr.QueueAllMessages"] = "true"
    await bench.tell(meter())
    await bench.online()
    assert len(bench.face.of(MeterFact)) == 1


async def test_while_pending_only_what_the_csms_ordered_is_told(bench: Bench) -> None:
    """2.0.1 B02.FR.02, 1.6 4.2."""
    bench.present = [status("Available"), status("Charging", 2)]
    bench.backend.change(False, Registration.PENDING)
    await bench.tell(event(0), status("Available"), meter(), SecurityFact("StartupOfTheDevice", AT))
    assert bench.face.given == []
    await bench.tell(msgspec.structs.replace(status("Available"), ordered=True), msgspec.structs.replace(meter(), ordered=True))
    assert [type(fact) for fact, _ in bench.face.given] == [StatusFact, MeterFact]
    await bench.online()
    assert [fact.status for fact in bench.face.of(StatusFact)] == ["Available", "Available", "Charging"], "all of them once it is accepted"
    assert len(bench.face.of(MeterFact)) == 1 and len(bench.face.of(TransactionFact)) == 1


@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.ACCEPTED])
async def test_what_was_ordered_before_the_boot_was_answered_is_told_after_it(bench: Bench, registration: Registration) -> None:
    """2.0.1 B01.FR.08, F06.FR.10."""
    bench.backend.change(False)
    await bench.tell(msgspec.structs.replace(status("Available"), ordered=True), msgspec.structs.replace(meter(), ordered=True), meter())
    assert bench.face.given == []
    bench.backend.change(registration is Registration.ACCEPTED, registration)
    await bench.settle()
    assert [type(fact) for fact, _ in bench.face.given] == [StatusFact, MeterFact]


@pytest.mark.parametrize("line_up", [True, False])
async def test_what_was_ordered_is_not_told_to_who_refuses_or_comes_later(bench: Bench, line_up: bool) -> None:
    bench.backend.change(False)
    await bench.tell(msgspec.structs.replace(meter(), ordered=True))
    bench.line_up = line_up
    bench.backend.change(False, Registration.REJECTED if line_up else None)
    await bench.settle()
    await bench.online()
    assert bench.face.of(MeterFact) == []


async def test_states_are_told_after_a_registration_from_what_is_true_now(bench: Bench) -> None:
    bench.present = [status("Available"), status("Faulted", 2)]
    await bench.tell(status("Preparing"), status("Available"))
    bench.backend.change(False)
    await bench.online()
    assert bench.face.of(StatusFact) == bench.present


async def test_a_short_absence_tells_only_what_changed(bench: Bench) -> None:
    bench.present = [status("Available"), status("Available", 2)]
    await bench.online()
    bench.face.given.clear()
    await bench.offline()
    await bench.tell(status("Preparing"), status("Charging"), status("Preparing", 2), status("Available", 2))
    await bench.clock.advance(30)
    await bench.online()
    assert bench.face.of(StatusFact) == [status("Charging")]


async def test_a_long_absence_tells_every_state(bench: Bench) -> None:
    bench.present = [status("Available"), status("Available", 2)]
    await bench.online()
    bench.face.given.clear()
    await bench.offline()
    await bench.clock.advance(61)
    await bench.online()
    assert bench.face.of(StatusFact) == bench.present


async def test_online_every_state_is_told_even_the_same_again(bench: Bench) -> None:
    await bench.online()
    await bench.tell(status("Available"))
    await bench.tell(status("Available"))
    assert len(bench.face.of(StatusFact)) == 2


async def test_a_state_that_is_refused_gives_way_to_a_newer_one(bench: Bench) -> None:
    bench.face.script[StatusFact] = [Refused("x")]
    await bench.online()
    await bench.tell(status("Preparing"))
    await bench.tell(status("Charging"))
    await bench.clock.advance(11)
    await bench.settle()
    assert [fact.status for fact in bench.face.of(StatusFact)] == ["Preparing", "Charging"]


async def test_a_fact_that_cannot_be_worded_does_not_dam_up_the_rest(bench: Bench) -> None:
    bench.face.fails = lambda fact: ValueError("no such connector") if isinstance(fact, TransactionFact) and fact.seq == 0 else None
    bench.variables.values["OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"] = "0"
    await bench.online()
    await bench.tell(event(0), event(1))
    await bench.clock.advance(1)
    await bench.settle()
    assert bench.outbox.given_up() == 1 and bench.outbox.waiting() == 0
