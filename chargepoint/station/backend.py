"""A CSMS as seen from here: unreachable, connected, pending, rejected, accepted, as a table. Must not know lines or messages.

For authorization all but accepted is offline. Each time acceptance begins the connection gets a new number, counted over restarts, so that a fact
tells later whether it was written on the connection it goes out on (2.0.1 part 2, E04.FR.03, E11.FR.07).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from chargepoint.model.questions import Boot, Heartbeat, Question, QuestionAnswer, Registration, Unreachable
from chargepoint.station.machine import Table
from chargepoint.store.values import Values

log = logging.getLogger(__name__)


class State(StrEnum):
    """CONNECTED: a line, and no answer to a BootNotification of this start yet."""

    UNREACHABLE = "unreachable"
    CONNECTED = "connected"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class Event(StrEnum):
    """UP_AGAIN: the line is up to a CSMS that has accepted this start of the station already: no BootNotification is due (1.6 4.2, 2.0.1 B01)."""

    UP = "up"
    UP_AGAIN = "up_again"
    DOWN = "down"
    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class Transition(NamedTuple):
    source: State
    event: Event
    target: State


TRANSITIONS: tuple[Transition, ...] = (
    Transition(State.UNREACHABLE, Event.UP, State.CONNECTED),
    Transition(State.UNREACHABLE, Event.UP_AGAIN, State.ACCEPTED),
    *(Transition(state, Event.DOWN, State.UNREACHABLE) for state in (State.CONNECTED, State.PENDING, State.REJECTED, State.ACCEPTED)),
    *(
        Transition(source, event, target)
        for source in (State.CONNECTED, State.PENDING, State.REJECTED, State.ACCEPTED)
        for event, target in ((Event.ACCEPTED, State.ACCEPTED), (Event.PENDING, State.PENDING), (Event.REJECTED, State.REJECTED))
    ),
)

TABLE = Table(State, TRANSITIONS)
CONNECTION = "backend.connection"
ACCEPTED_BY = "backend.accepted_by"
SUBPROTOCOL = "backend.subprotocol"
ASKED_AGAIN = "ocpp1.6"
"""The version whose CSMS may order a BootNotification from a station it has accepted."""


class Face(Protocol):
    """One version of OCPP on one line, as far as the station needs it."""

    @property
    def subprotocol(self) -> str: ...

    async def ask(self, question: Question) -> QuestionAnswer: ...


F = TypeVar("F", bound=Face)


class Backend(Generic[F]):
    """csms: url and identity of the CSMS in use; change_csms: told the key of CSMS and version at each line that comes up. on_change: called after
    every change of state."""

    def __init__(self, values: Values, csms: str, offered: tuple[str, ...], change_csms: Callable[[str], object]) -> None:
        self.face: F | None = None
        self.state = State.UNREACHABLE
        self.on_change: list[Callable[[], None]] = []
        self._values = values
        self._csms = csms
        self._change_csms = change_csms
        self._subprotocol = values.get(SUBPROTOCOL, str) or (offered[0] if offered else "")
        self._number = values.get(CONNECTION, int) or 0
        self._registered_as: str | None = None
        self._answered_here = False

    @property
    def exists(self) -> bool:
        """Whether a CSMS is configured at all; without one the station works alone."""
        return bool(self._csms)

    @property
    def accepted(self) -> bool:
        return self.state is State.ACCEPTED

    @property
    def connection(self) -> int:
        """Number of the present accepted connection, 0: none."""
        return self._number if self.accepted else 0

    @property
    def registration(self) -> Registration | None:
        """The CSMS's word on this line, None: none yet."""
        words = {State.PENDING: Registration.PENDING, State.REJECTED: Registration.REJECTED, State.ACCEPTED: Registration.ACCEPTED}
        return words.get(self.state)

    @property
    def may_order_boot(self) -> bool:
        """Whether the CSMS may order a BootNotification: until it has accepted one (F06.FR.17), in 1.6 until it has on this line, for behind a line
        that is new may be a CSMS that was restarted and knows nothing of this station (errata 3.35)."""
        return not self.accepted or (self._subprotocol == ASKED_AGAIN and not self._answered_here)

    @property
    def subprotocol(self) -> str:
        """The version spoken now, or last, or (never yet) most wanted."""
        return self._subprotocol

    @property
    def ever_accepted(self) -> bool:
        """Whether this CSMS has accepted this station once, in whatever start."""
        return self._values.get(ACCEPTED_BY, str) == self._csms

    def may_begin(self, before_accepted: bool) -> bool:
        """Whether new transactions are allowed: after the first acceptance, or by TxBeforeAcceptedEnabled, or where there is no CSMS (B02.FR.03)."""
        refused = self.state in (State.PENDING, State.REJECTED)
        return before_accepted or not self.exists or (self.ever_accepted and not refused)

    def use(self, csms: str, switched: bool) -> None:
        """The CSMS that is dialled now. switched: by another network profile than before, so that a BootNotification is due (B10.FR.10)."""
        self._csms = csms
        if switched:
            self._registered_as = None

    def line_up(self, face: F) -> None:
        """The line is up and a version agreed."""
        key = f"{self._csms} {face.subprotocol}"
        self.face = face
        if face.subprotocol != self._subprotocol:
            self._subprotocol = face.subprotocol
            self._values.set(SUBPROTOCOL, face.subprotocol)
        self._change_csms(key)
        self._answered_here = False
        again = self._registered_as == key
        self._registered_as = key if again else None
        self._step(Event.UP_AGAIN if again else Event.UP)

    def line_down(self, reason: str) -> None:
        """The line is gone. reason is a sentence for the log."""
        self.face = None
        log.info("the CSMS is not connected: %s", reason)
        self._step(Event.DOWN)

    def registered(self, answer: Registration) -> None:
        """The CSMS answered a BootNotification."""
        if self.face is None:
            return
        self._answered_here = True
        if answer is Registration.ACCEPTED:
            self._registered_as = f"{self._csms} {self.face.subprotocol}"
            if not self.ever_accepted:
                self._values.set(ACCEPTED_BY, self._csms)
        self._step(Event[answer.name])

    async def ask(self, question: Question) -> QuestionAnswer:
        """Asks the CSMS. Before acceptance only a BootNotification goes out, and while pending what the CSMS ordered; all else is `Unreachable`
        (B02.FR.02)."""
        if self.face is None:
            return Unreachable("not connected")
        ordered = self.state is State.PENDING and isinstance(question, Heartbeat) and question.ordered
        if not self.accepted and not isinstance(question, Boot) and not ordered:
            return Unreachable(f"not accepted ({self.state.value})")
        return await self.face.ask(question)

    def _step(self, event: Event) -> None:
        before, after = self.state, TABLE.step(self.state, event)
        if after is None or after is before:
            return
        if after is State.ACCEPTED:
            self._number += 1
            self._values.set(CONNECTION, self._number, durable=False)  # a fact that carries it takes it along
        self.state = after
        log.info("CSMS: %s", after.value)
        for callback in self.on_change:
            callback()
