"""CALL, CALLRESULT and CALLERROR over one connection (OCPP-J 1.6 chapter 4, 2.0.1 part 4 chapter 4). Must not know sockets or messages.

    rpc = Rpc(subprotocol, send, clock, timeout_s, follow)    send: async, one text frame as bytes, raises ConnectionError
    rpc.hear = face.hear                                      who answers the CSMS's CALLs
    rpc.silent                                                whether they are not even refused (a version sets it)
    rpc.on_invalid                                            told what is wrong with each message that is not valid (2.0.1 part 4, 4.1.7)
    task: rpc.run()                                           sends our calls and answers theirs, until cancelled
    rpc.receive(frame)                                        each frame that came in
    rpc.gone(reason)                                          the connection went: every call ends with Gone

One CALL of ours is in flight at a time; waiting ones go by urgency. A refusal, a timeout and a loss are answers, not exceptions.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Any
from uuid import uuid4

import msgspec

from chargepoint.clock import Clock
from chargepoint.csms.face import CallRefused, Heard, Lost, Payload, Refused, Unanswered
from chargepoint.csms.schema import Schemas
from chargepoint.model.questions import Unreachable

log = logging.getLogger("csms.rpc")

CALL, CALLRESULT, CALLERROR = 2, 3, 4
ID_CHARACTERS = 36  # OCPP-J 1.6 table 3, 2.0.1 part 4 table 4
UNREADABLE = "-1"  # stands for a message id that cannot be read (2.0.1 part 4, 4.2.3)
PATIENCE_S = 10.0  # a call that has waited so long goes first, whatever its urgency
BACKLOG = 256  # CALLs of the CSMS waiting for their answer
REMEMBERED = 64  # calls of ours remembered after their end, to name a late answer


class Urgency(IntEnum):
    """In which order waiting calls go out."""

    BOOT = 0
    QUESTION = 1
    STATE = 2
    TRANSACTION = 3
    GUARANTEED = 4
    REPORT = 5
    HEARTBEAT = 6


class Result(msgspec.Struct, frozen=True):
    """The CSMS's CALLRESULT; payload fits its schema."""

    payload: Payload


class Refusal(msgspec.Struct, frozen=True):
    """A CALLERROR, or a CALLRESULT that does not fit its schema."""

    code: str
    description: str = ""


class TimedOut(msgspec.Struct, frozen=True):
    """No answer within the message timeout."""

    after_s: float


class Gone(msgspec.Struct, frozen=True):
    """The connection went before the answer came."""

    reason: str


Outcome = Result | Refusal | TimedOut | Gone


def reason_of(outcome: Refusal | TimedOut | Gone) -> str:
    """A sentence for the log."""
    if isinstance(outcome, Refusal):
        return f"{outcome.code}: {outcome.description}" if outcome.description else outcome.code
    return f"no answer within {outcome.after_s:g} s" if isinstance(outcome, TimedOut) else outcome.reason


def unspoken(outcome: Refusal | TimedOut | Gone) -> Refused | Lost:
    """What an outcome other than a result means for a fact."""
    if isinstance(outcome, Gone):
        return Lost(outcome.reason)
    unknown = isinstance(outcome, Refusal) and outcome.code in ("NotImplemented", "NotSupported")
    return Refused(reason_of(outcome), timed_out=isinstance(outcome, TimedOut), unknown=unknown)


def unreachable(outcome: Refusal | TimedOut | Gone) -> Unreachable:
    """What an outcome other than a result means for a question."""
    return Unreachable(reason_of(outcome))


def _shown(found: list[Any]) -> str:
    """A message id as it stood in its frame, or that there was none."""
    return f"{msgspec.json.encode(found[0]).decode():.60}" if found else "missing"


def _cannot_read(message: list[Any]) -> bool:
    """Whether it is what is said to a message that could not be read (2.0.1 part 4, 4.2.3); some CSMSs write the id as a number."""
    return message[0] == CALLERROR and message[1:2] in ([UNREADABLE], [int(UNREADABLE)])


class _Pending:
    """A call of ours from the asking to its end."""

    def __init__(self, action: str, payload: msgspec.Raw, urgency: Urgency, since: float) -> None:
        self.action, self.payload, self.urgency, self.since = action, payload, urgency, since
        self.id = ""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.taken = asyncio.Event()

    def end(self, outcome: Outcome) -> None:
        """The first end counts. The asker goes on before the next call is chosen, so that what it asks next is among them."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
        self.ended.set()

    def rank(self, now: float) -> tuple[int, float]:
        return (-1 if now - self.since > PATIENCE_S else self.urgency, self.since)


class Rpc:
    """The two directions of one connection."""

    def __init__(
        self,
        subprotocol: str,
        send: Callable[[bytes], Awaitable[None]],
        clock: Clock,
        timeout_s: Callable[[], float],
        follow: Callable[[Awaitable[None]], None],
    ) -> None:
        self.schemas = Schemas(subprotocol)
        self.hear: Callable[[str, Payload], Awaitable[Heard]] | None = None
        self.silent: Callable[[], bool] = lambda: False
        self.on_invalid: Callable[[str], None] = lambda problem: None
        self._send, self._clock, self._timeout_s, self._follow = send, clock, timeout_s, follow
        self._dialect = self.schemas.dialect
        self._waiting: list[_Pending] = []
        self._work = asyncio.Event()
        self._open: _Pending | None = None
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._latest: _Pending | None = None
        self._heard: asyncio.Queue[tuple[str, str, Any, _Pending | None]] = asyncio.Queue(BACKLOG)
        self._being_answered: set[str] = set()
        self._answered = asyncio.Event()
        self._gone: str | None = None

    async def call(self, action: str, payload: Payload, urgency: Urgency) -> Outcome:
        """Sends a CALL when its turn comes and waits for its end. The message id is new for every call, retries too."""
        if self._gone is not None:
            return Gone(self._gone)
        pending = _Pending(action, msgspec.Raw(msgspec.json.encode(payload)), urgency, self._clock.boot_s())
        self._waiting.append(pending)
        self._work.set()
        try:
            return await pending.outcome
        except asyncio.CancelledError:  # once sent it stays in flight until its end, asker or not
            if pending in self._waiting:
                self._waiting.remove(pending)
            raise
        finally:  # runs when the asker has done what follows from the outcome and waits for something else
            asyncio.get_running_loop().call_soon(pending.taken.set)

    async def run(self) -> None:
        """Sends our calls and answers the CSMS's, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_calls())
            tasks.create_task(self._answer_calls())

    async def answered(self) -> None:
        """Waits until every call of the CSMS that came has its answer."""
        while self._being_answered and self._gone is None:
            self._answered.clear()
            await self._answered.wait()

    def gone(self, reason: str) -> None:
        """Ends every call: the connection went."""
        self._gone = reason
        self._answered.set()
        for pending in [*self._waiting, *([self._open] if self._open else [])]:
            pending.end(Gone(reason))
        self._waiting.clear()

    def receive(self, frame: bytes | str) -> None:
        """Takes one frame. Nonsense is answered as the version says, or dropped with a log line; it never raises."""
        log.debug("<- %s", frame)
        try:
            message = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            self._nonsense(UNREADABLE, f"no JSON: {problem}", frame, self._dialect.unreadable)
            return
        if not isinstance(message, list) or not message:
            self._nonsense(UNREADABLE, "no message array", frame, self._dialect.unreadable)
            return
        self._sort(message, frame)

    def _sort(self, message: list[Any], frame: bytes | str) -> None:
        kind = message[0] if type(message[0]) is int else None
        id_ = message[1] if len(message) > 1 and isinstance(message[1], str) and message[1] else UNREADABLE
        if kind == CALL:
            self._take_call(id_, message, frame)
        elif kind in (CALLRESULT, CALLERROR) and id_ == UNREADABLE and not _cannot_read(message):
            self._nonsense(id_, f"an answer to no call of ours: its message id is {_shown(message[1:2])}", frame, None)
        elif kind == CALLRESULT:
            self._take_result(id_, message)
        elif kind == CALLERROR:
            self._take_error(id_, message)
        else:
            self._nonsense(id_, f"message type {message[0]!r:.20} is not known", frame, self._dialect.unknown_type)

    def _take_call(self, id_: str, message: list[Any], frame: bytes | str) -> None:
        if len(message) != 4 or not isinstance(message[2], str):
            self._nonsense(id_, "a CALL has a message id, an action and a payload", frame, self._dialect.unreadable)
        elif id_ == UNREADABLE or len(id_) > ID_CHARACTERS:
            problem = f"a message id is a text of 1 to {ID_CHARACTERS} characters; it is {_shown(message[1:2])}"
            self._nonsense(id_, problem, frame, self._dialect.unreadable)
        elif id_ in self._being_answered:
            self._nonsense(id_, "a call with this message id is being answered", frame, self._dialect.unreadable)
        elif self._heard.full():
            log.warning("a call of the CSMS turned away: %d are waiting for their answer: %.200s", BACKLOG, frame)
            self._follow(self._refuse(id_, CallRefused("GenericError", "too many calls are waiting for their answer")))
        else:
            self._being_answered.add(id_)
            self._heard.put_nowait((id_, message[2], message[3], self._latest))

    def _take_result(self, id_: str, message: list[Any]) -> None:
        pending = self._match(id_, "CALLRESULT")
        if pending is None:
            return
        try:
            pending.end(Result(self.schemas.answer(pending.action, message[2] if len(message) > 2 else None)))
        except CallRefused as problem:
            log.warning("the CSMS's answer to %s does not fit its schema: %s", pending.action, problem.description)
            self.on_invalid(f"the answer to {pending.action}: {problem.description}")
            pending.end(Refusal(problem.code, f"answer does not fit its schema: {problem.description}"))

    def _take_error(self, id_: str, message: list[Any]) -> None:
        code, description = (item if isinstance(item, str) else "" for item in [*message[2:4], "", ""][:2])
        if id_ == UNREADABLE:
            log.warning("the CSMS could not read a message of ours: %s %s", code, description)
            return
        pending = self._match(id_, "CALLERROR")
        if pending is not None:
            pending.end(Refusal(code or "GenericError", description))

    def _match(self, id_: str, kind: str) -> _Pending | None:
        if self._open is not None and self._open.id == id_ and not self._open.ended.is_set():
            self._latest = self._open
            return self._open
        if id_ in self._ended or (self._open is not None and self._open.id == id_):
            log.warning("%s for %s came late or twice, ignored (message id %s)", kind, self._ended.get(id_, "a call"), id_)
        else:
            log.warning("%s for a message never sent, ignored (message id %.40s)", kind, id_)
        return None

    def _nonsense(self, id_: str, problem: str, frame: bytes | str, code: str | None) -> None:
        """Answered where the version has an error for it (2.0.1 part 4 4.2.3, 4.4) and, in both, where the message id could be read."""
        log.warning("nonsense from the CSMS: %s: %.200s", problem, frame)
        self.on_invalid(problem)
        answer_id = self._dialect.unreadable_id if id_ == UNREADABLE else id_
        if code is not None and answer_id is not None:
            self._follow(self._refuse(answer_id, CallRefused(code, problem)))

    async def _send_calls(self) -> None:
        while True:
            await self._work.wait()
            pending = self._next()
            if pending is None:
                self._work.clear()
            else:
                await self._converse(pending)

    def _next(self) -> _Pending | None:
        if not self._waiting:
            return None
        now = self._clock.boot_s()
        pending = min(self._waiting, key=lambda waiting: waiting.rank(now))
        self._waiting.remove(pending)
        return pending

    async def _converse(self, pending: _Pending) -> None:
        """One CALL from its sending to its end."""
        pending.id = str(uuid4())
        self._open = pending
        after_s = self._timeout_s()
        timer = self._clock.call_later(after_s, lambda: pending.end(TimedOut(after_s)))
        try:
            await self._write([CALL, pending.id, pending.action, pending.payload])
            await pending.ended.wait()
        except ConnectionError as problem:
            pending.end(Gone(str(problem) or "connection lost"))
        finally:
            timer.cancel()
            self._open = None
            self._remember(pending)

    def _remember(self, pending: _Pending) -> None:
        self._ended[pending.id] = pending.action
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    async def _answer_calls(self) -> None:
        while True:
            id_, action, payload, before = await self._heard.get()
            try:
                if before is not None:  # what the CSMS answered before it called holds already
                    await before.taken.wait()
                await self._answer(id_, action, payload)
            finally:
                self._being_answered.discard(id_)
                self._answered.set()

    async def _answer(self, id_: str, action: str, payload: Any) -> None:
        try:
            answer, then = await self._listen(action, payload)
        except CallRefused as refusal:
            log.warning("%.50s of the CSMS refused: %s", action, refusal)
            await self._refuse(id_, refusal)
        except Unanswered:
            log.warning("%s of the CSMS not answered: it has rejected this station", action)
        else:
            await self._send_quietly([CALLRESULT, id_, answer])
            if then is not None:
                self._follow(then())

    async def _listen(self, action: str, payload: Any) -> tuple[msgspec.Raw, Callable[[], Awaitable[None]] | None]:
        if self.hear is None:
            raise CallRefused("InternalError", "the station is not ready")
        try:
            heard = await self.hear(action, self._valid(action, payload))
            return msgspec.Raw(msgspec.json.encode(heard.payload)), heard.then
        except (CallRefused, Unanswered):
            raise
        except Exception:  # a fault of ours in one block: the CSMS learns of it, the line lives on
            log.exception("%.50s of the CSMS failed", action)
            raise CallRefused("InternalError", f"{action:.50} failed") from None

    def _valid(self, action: str, payload: Any) -> Payload:
        try:
            return self.schemas.call(action, payload)
        except CallRefused as refusal:
            self.on_invalid(f"{action:.50}: {refusal.description}")
            raise

    async def _refuse(self, id_: str, refusal: CallRefused) -> None:
        if not self.silent():
            await self._send_quietly([CALLERROR, id_, refusal.code, refusal.description[:255], refusal.details])

    async def _send_quietly(self, message: list[Any]) -> None:
        """An answer that finds no connection is nobody's loss: the line knows."""
        try:
            await self._write(message)
        except ConnectionError as problem:
            log.info("an answer could not be sent: %s", problem)

    async def _write(self, message: list[Any]) -> None:
        frame = msgspec.json.encode(message)
        log.debug("-> %s", frame)
        await self._send(frame)
