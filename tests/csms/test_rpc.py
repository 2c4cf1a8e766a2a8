"""One call in flight, by urgency; every end is an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import msgspec
import pytest

from chargepoint.csms.face import CallRefused, Heard, Payload, Unanswered
from chargepoint.csms.rpc import Gone, Outcome, Refusal, Result, Rpc, TimedOut, Urgency
from tests.simclock import SimulatedClock

TIME = {"currentTime": "2024-05-01T10:00:00Z"}


class Wire:
    """An Rpc with paper for a connection."""

    def __init__(self, subprotocol: str) -> None:
        self.clock = SimulatedClock()
        self.sent: list[list[Any]] = []
        self.broken = False
        self.followed: set[asyncio.Future[None]] = set()
        self.rpc = Rpc(subprotocol, self._send, self.clock, lambda: 30.0, self._follow)
        self.invalid: list[str] = []
        self.rpc.on_invalid = self.invalid.append
        self.task = asyncio.create_task(self.rpc.run())

    async def _send(self, frame: bytes) -> None:
        if self.broken:
            raise ConnectionError("cable cut")
        self.sent.append(msgspec.json.decode(frame))

    def _follow(self, work: Awaitable[None]) -> None:
        self.followed.add(asyncio.ensure_future(work))

    def call(self, action: str, urgency: Urgency = Urgency.QUESTION, payload: Payload | None = None) -> asyncio.Task[Outcome]:
        return asyncio.create_task(self.rpc.call(action, payload or {}, urgency))

    async def receive(self, message: Any) -> None:
        self.rpc.receive(message if isinstance(message, str | bytes) else msgspec.json.encode(message))
        await self.clock.settle()

    async def answer(self, payload: Payload) -> None:
        await self.receive([3, self.sent[-1][1], payload])

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    made = Wire(request.param)
    yield made
    await made.stop()


@pytest.fixture
async def wire16() -> AsyncIterator[Wire]:
    made = Wire("ocpp1.6")
    yield made
    await made.stop()


async def test_a_call_and_its_answer(wire: Wire) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    kind, id_, action, payload = wire.sent[0]
    assert (kind, action, payload) == (2, "Heartbeat", {}) and 0 < len(id_) <= 36
    await wire.answer(TIME)
    assert await asked == Result(TIME)


async def test_one_call_is_in_flight_and_the_next_goes_by_urgency(wire: Wire) -> None:
    order = [Urgency.TRANSACTION, Urgency.HEARTBEAT, Urgency.REPORT, Urgency.STATE, Urgency.BOOT, Urgency.QUESTION, Urgency.GUARANTEED]
    asked = [wire.call("Heartbeat", urgency, {"n": int(urgency)}) for urgency in order]
    await wire.clock.settle()
    for count in range(1, len(order) + 1):
        assert len(wire.sent) == count
        await wire.answer(TIME)
    assert [message[3]["n"] for message in wire.sent] == [0, 1, 2, 3, 4, 5, 6]
    assert all(isinstance(outcome, Result) for outcome in await asyncio.gather(*asked))


async def test_none_starves(wire: Wire) -> None:
    first = wire.call("Heartbeat", Urgency.TRANSACTION)
    late = wire.call("Heartbeat", Urgency.HEARTBEAT, {"late": 1})
    await wire.clock.advance(11)
    urgent = wire.call("Heartbeat", Urgency.BOOT)
    await wire.clock.settle()
    await wire.answer(TIME)
    assert wire.sent[-1][3] == {"late": 1}
    for task in (first, late, urgent):
        task.cancel()


async def test_what_was_answered_holds_before_what_is_asked_next(wire: Wire) -> None:
    """Answer and call in one read of the socket: the asker has acted on the answer when the call is heard."""
    order: list[str] = []

    async def hear(action: str, payload: Payload) -> Heard:
        order.append("heard")
        return Heard({})

    async def ask() -> None:
        await wire.rpc.call("Heartbeat", {}, Urgency.BOOT)
        order.append("taken")

    wire.rpc.hear = hear
    asking = asyncio.create_task(ask())
    await wire.clock.settle()
    wire.rpc.receive(msgspec.json.encode([3, wire.sent[-1][1], TIME]))
    await wire.receive([2, "1", "ClearCache", {}])
    await asking
    assert order == ["taken", "heard"]


async def test_message_ids_are_never_used_twice(wire: Wire) -> None:
    for _ in range(20):
        asked = wire.call("Heartbeat")
        await wire.clock.settle()
        await wire.answer(TIME)
        await asked
    assert len({message[1] for message in wire.sent}) == 20


async def test_a_refusal_is_an_answer(wire: Wire) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.receive([4, wire.sent[-1][1], "InternalError", "database gone", {}])
    assert await asked == Refusal("InternalError", "database gone")


async def test_silence_ends_at_the_message_timeout_and_a_late_answer_is_only_logged(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.advance(29.9)
    assert not asked.done()
    await wire.clock.advance(0.2)
    assert await asked == TimedOut(30.0)
    await wire.receive([3, wire.sent[-1][1], TIME])
    assert "late or twice" in caplog.text
    following = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.answer(TIME)
    assert await following == Result(TIME)


async def test_the_wait_begins_with_the_sending(wire: Wire) -> None:
    first, second = wire.call("Heartbeat"), wire.call("Heartbeat")
    await wire.clock.advance(29)
    await wire.answer(TIME)
    await wire.clock.advance(29)
    assert isinstance(await first, Result) and not second.done()
    second.cancel()


async def test_duplicate_and_unknown_answers_are_only_logged(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.answer(TIME)
    await wire.receive([3, wire.sent[-1][1], TIME])
    await wire.receive([4, "never-sent", "InternalError", "", {}])
    assert isinstance(await asked, Result)
    assert "late or twice" in caplog.text and "never sent" in caplog.text


@pytest.mark.parametrize("payload", [{}, {"currentTime": 5}, [], "ok", {"currentTime": "soon"}])
async def test_an_answer_that_does_not_fit_is_a_refusal(wire: Wire, payload: Any) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.receive([3, wire.sent[-1][1], payload])
    assert isinstance(await asked, Refusal)


@pytest.mark.parametrize("rest", [[], ["x"], [5, 6], ["InternalError", None, None], ["InternalError", "a", {}, "more"]])
async def test_a_maimed_callerror_still_ends_the_call(wire: Wire, rest: list[Any]) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.receive([4, wire.sent[-1][1], *rest])
    assert isinstance(await asked, Refusal)


async def test_a_maimed_callresult_still_ends_the_call(wire: Wire) -> None:
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.receive([3, wire.sent[-1][1]])
    assert isinstance(await asked, Refusal)


@pytest.mark.parametrize("rest", [[], [None], [[]], [{}, "more"]])
async def test_an_answer_that_says_nothing_answers_what_asks_for_nothing(wire: Wire, rest: list[Any]) -> None:
    asked = wire.call("StatusNotification")
    await wire.clock.settle()
    await wire.receive([3, wire.sent[-1][1], *rest])
    assert isinstance(await asked, Result)


async def test_the_loss_of_the_connection_ends_every_call(wire: Wire) -> None:
    asked = [wire.call("Heartbeat") for _ in range(3)]
    await wire.clock.settle()
    wire.rpc.gone("network down")
    assert await asyncio.gather(*asked) == [Gone("network down")] * 3
    assert await wire.rpc.call("Heartbeat", {}, Urgency.BOOT) == Gone("network down")


async def test_a_failing_send_is_a_loss(wire: Wire) -> None:
    wire.broken = True
    assert await wire.call("Heartbeat") == Gone("cable cut")


async def test_who_no_longer_asks_leaves_the_call_in_flight(wire: Wire) -> None:
    asked = wire.call("Heartbeat")
    waiting = wire.call("Heartbeat", payload={"n": 2})
    await wire.clock.settle()
    asked.cancel()
    waiting.cancel()
    third = wire.call("Heartbeat", payload={"n": 3})
    await wire.clock.settle()
    assert len(wire.sent) == 1
    await wire.answer(TIME)
    assert wire.sent[-1][3] == {"n": 3}
    await wire.answer(TIME)
    assert isinstance(await third, Result)


async def test_a_call_of_the_csms_is_answered_while_ours_is_open_and_in_order(wire: Wire) -> None:
    gate = asyncio.Event()

    async def hear(action: str, payload: Payload) -> Heard:
        if not gate.is_set():
            await gate.wait()
        return Heard({"status": action})

    wire.rpc.hear = hear
    ours = wire.call("Heartbeat")
    await wire.clock.settle()
    for number in range(3):
        await wire.receive([2, f"theirs-{number}", "ClearCache", {}])
    assert len(wire.sent) == 1
    gate.set()
    await wire.clock.settle()
    assert [message[:2] for message in wire.sent[1:]] == [[3, "theirs-0"], [3, "theirs-1"], [3, "theirs-2"]]
    await wire.receive([3, wire.sent[0][1], TIME])
    assert await ours == Result(TIME)


async def test_what_follows_an_answer_runs_after_it(wire: Wire) -> None:
    seen: list[int] = []

    async def then() -> None:
        seen.append(len(wire.sent))

    async def hear(action: str, payload: Payload) -> Heard:
        return Heard({"status": "Accepted"}, then)

    wire.rpc.hear = hear
    await wire.receive([2, "1", "ClearCache", {}])
    assert seen == [1] and wire.sent == [[3, "1", {"status": "Accepted"}]]


async def test_refused_unanswered_and_failed_calls(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    ends: list[Exception] = [CallRefused("NotSupported", "x" * 300), Unanswered("rejected"), RuntimeError("bug")]

    async def hear(action: str, payload: Payload) -> Heard:
        raise ends.pop(0)

    wire.rpc.hear = hear
    for number in range(3):
        await wire.receive([2, str(number), "ClearCache", {}])
    assert [message[:3] for message in wire.sent] == [[4, "0", "NotSupported"], [4, "2", "InternalError"]]
    assert len(wire.sent[0][3]) == 255 and "bug" in caplog.text


async def test_where_nothing_is_answered_nothing_is_refused_either(wire: Wire) -> None:
    """1.6 4.2, of a rejected station: a call that nobody knows, one that does not fit, and one that is none."""

    async def hear(action: str, payload: Payload) -> Heard:
        raise Unanswered(action)

    wire.rpc.hear, wire.rpc.silent = hear, lambda: True
    for frame in ([2, "1", "NoSuchAction", {}], [2, "2", "Reset", {"type": "Later"}], [2, "3"], [9, "4"]):
        await wire.receive(frame)
    assert wire.sent == []
    wire.rpc.silent = lambda: False
    await wire.receive([2, "5", "NoSuchAction", {}])
    assert [message[:3] for message in wire.sent] == [[4, "5", "NotImplemented"]]


async def test_an_answer_that_cannot_be_encoded_is_an_internal_error(wire: Wire) -> None:
    async def hear(action: str, payload: Payload) -> Heard:
        return Heard({"status": object()})

    wire.rpc.hear = hear
    await wire.receive([2, "1", "ClearCache", {}])
    assert wire.sent[0][:3] == [4, "1", "InternalError"]


NONSENSE: list[Any] = [
    "",
    "hello",
    "{",
    "[2,",
    b"\xff\xfe[2]",
    b'[2,"\xff","ClearCache",{}]',
    "null",
    "true",
    "{}",
    "[]",
    "[[]]",
    '[{"a":1}]',
    "[2]",
    "[9]",
    '["2",null,"ClearCache",{}]',
    "[" * 5000,
    "[3]",
    "[4]",
    "[3,null,{}]",
    "[1e999]",
]
"""No message id to be read."""
WITH_ID: list[tuple[Any, str, str]] = [
    ([2, "a", "ClearCache"], "FormationViolation", "RpcFrameworkError"),
    ([2, "a", 5, {}], "FormationViolation", "RpcFrameworkError"),
    ([2, "a", "ClearCache", {}, {}], "FormationViolation", "RpcFrameworkError"),
    ([2, "a" * 37, "ClearCache", {}], "FormationViolation", "RpcFrameworkError"),
    ([2, "a", "ClearCache", "x"], "FormationViolation", "FormatViolation"),
    ([2, "a", "Nonsense", {}], "NotImplemented", "NotImplemented"),
    ([2, "a", "", {}], "NotImplemented", "NotImplemented"),
]


@pytest.mark.parametrize("id_", [17, 1.5, None, True, "", [], {"a": 1}, -1], ids=repr)
async def test_a_call_whose_id_is_no_text(wire: Wire, id_: Any, caplog: pytest.LogCaptureFixture) -> None:
    """2.0.1 part 4, 4.2.3: a CALLERROR for the id -1. 1.6 has no such id: a line in the log."""
    await wire.receive([2, id_, "ClearCache", {}])
    unreadable = wire.rpc.schemas.dialect.unreadable_id
    assert [message[:3] for message in wire.sent] == ([] if unreadable is None else [[4, "-1", "RpcFrameworkError"]])
    shown = msgspec.json.encode(id_).decode()
    problem = f"a message id is a text of 1 to 36 characters; it is {shown}"
    assert wire.invalid == [problem] and problem in caplog.text
    assert all(message[3] == problem for message in wire.sent)


async def test_an_answer_whose_id_is_no_text(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """It is never answered; the call it may have been meant for waits on."""
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.receive([3, 17, TIME])
    await wire.receive([4, 18, "GenericError", "", {}])
    await wire.receive([3])
    assert [text.split()[-1] for text in wire.invalid] == ["17", "18", "missing"] and "its message id is 17" in caplog.text
    await wire.receive([4, "-1", "FormatViolation", "", {}])
    await wire.receive([4, -1, "FormatViolation", "", {}])
    assert len(wire.invalid) == 3 and caplog.text.count("could not read a message of ours") == 2 and len(wire.sent) == 1
    await wire.answer(TIME)
    assert isinstance(await asked, Result)


async def test_a_message_that_is_not_valid_is_told_of(wire: Wire) -> None:
    """2.0.1 part 4, 4.1.7: an action nobody knows, a payload that does not fit, and an answer that does not."""

    async def hear(action: str, payload: Payload) -> Heard:
        return Heard({"status": "Accepted"})

    wire.rpc.hear = hear
    await wire.receive([2, "1", "NoSuchAction", {}])
    await wire.receive([2, "2", "Reset", {"type": "Later"}])
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.answer({})
    assert isinstance(await asked, Refusal)
    assert [problem.split(":")[0] for problem in wire.invalid] == ["NoSuchAction", "Reset", "the answer to Heartbeat"]
    await wire.receive([2, "3", "ClearCache", {}])
    await wire.receive([4, "-1", "GenericError", "", {}])
    assert len(wire.invalid) == 3


@pytest.mark.parametrize("frame", NONSENSE)
async def test_nonsense_without_an_id_never_kills(wire: Wire, frame: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await wire.receive(frame)
    assert caplog.records
    assert all(message[:3] in ([4, "-1", "RpcFrameworkError"], [4, "-1", "MessageTypeNotSupported"]) for message in wire.sent)
    if wire.rpc.schemas.dialect.unreadable_id is None:
        assert wire.sent == []
    asked = wire.call("Heartbeat")
    await wire.clock.settle()
    await wire.answer(TIME)
    assert await asked == Result(TIME)


@pytest.mark.parametrize(("message", "code16", "code201"), WITH_ID)
async def test_nonsense_with_an_id_is_answered(wire: Wire, message: Any, code16: str, code201: str) -> None:
    async def hear(action: str, payload: Payload) -> Heard:
        raise AssertionError("nonsense was heard")

    wire.rpc.hear = hear
    await wire.receive(message)
    code = code16 if wire.rpc.schemas.dialect.folder == "v16" else code201
    assert [sent[:3] for sent in wire.sent] == [[4, message[1], code]]


async def test_an_unknown_message_type_is_ignored_in_1_6_and_refused_in_2_0_1(wire: Wire) -> None:
    await wire.receive([6, "a", "NotifyPeriodicEventStream", {}])
    expected = [] if wire.rpc.schemas.dialect.folder == "v16" else [[4, "a", "MessageTypeNotSupported"]]
    assert [sent[:3] for sent in wire.sent] == expected


async def test_the_same_id_twice_while_it_is_answered(wire: Wire) -> None:
    gate = asyncio.Event()

    async def hear(action: str, payload: Payload) -> Heard:
        await gate.wait()
        return Heard({"status": "Accepted"})

    wire.rpc.hear = hear
    await wire.receive([2, "a", "ClearCache", {}])
    await wire.receive([2, "a", "ClearCache", {}])
    assert wire.sent[0][0] == 4
    gate.set()
    await wire.clock.settle()
    assert [message[0] for message in wire.sent] == [4, 3]


async def test_a_flood_of_calls_is_bounded(wire16: Wire) -> None:
    gate = asyncio.Event()

    async def hear(action: str, payload: Payload) -> Heard:
        await gate.wait()
        return Heard({"status": "Accepted"})

    wire16.rpc.hear = hear
    for number in range(400):
        wire16.rpc.receive(msgspec.json.encode([2, str(number), "ClearCache", {}]))
    await wire16.clock.settle()
    refused = [message for message in wire16.sent if message[0] == 4]
    assert refused and all(message[2] == "GenericError" for message in refused)
    gate.set()
    async with asyncio.timeout(5):
        while len(wire16.sent) < 400:
            await asyncio.sleep(0)
