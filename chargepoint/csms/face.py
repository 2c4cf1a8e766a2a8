"""What a version of OCPP is to the rest: a face that words facts, questions and reports, and hears orders. Must not know any version's messages.

A face is made by `chargepoint.csms.v16.face.build(view, rpc)` or `chargepoint.csms.v2.face.build(view, rpc)`; only the one in use is imported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from chargepoint.clock import Clock
from chargepoint.model.facts import Fact
from chargepoint.model.idtoken import IdTokenInfo
from chargepoint.model.orders import Answer
from chargepoint.model.questions import Question, QuestionAnswer, Registration
from chargepoint.model.stamp import Stamp
from chargepoint.model.variable import ReportItem as ReportItem
from chargepoint.settings import Settings

Payload = dict[str, Any]
Handler = Callable[[Any], Awaitable[Answer]]


class Told(msgspec.Struct, frozen=True):
    """The CSMS took the fact. note: kept by the outbox for the fact's transaction (1.6: its transactionId); info: what it said of the token;
    total_cost and message: 2.x, what it said of the price and to the driver."""

    note: str | None = None
    info: IdTokenInfo | None = None
    total_cost: float | None = None
    message: str | None = None


class NoWords(msgspec.Struct, frozen=True):
    """This version has no message for the fact: it counts as told."""


class Refused(msgspec.Struct, frozen=True):
    """A CALLERROR, an answer that is none, or a timeout: an attempt is used. reason: for the log and for the given-up fact; timed_out: it was
    silence; unknown: this CSMS does not have the message at all (NotImplemented, NotSupported)."""

    reason: str
    timed_out: bool = False
    unknown: bool = False


class Lost(msgspec.Struct, frozen=True):
    """The connection went before the answer: no attempt is used."""

    reason: str = "connection lost"


Spoken = Told | NoWords | Refused | Lost


@dataclass(frozen=True)
class Heard:
    """The answer to a CALL, and what follows once it has been sent."""

    payload: Payload
    then: Callable[[], Awaitable[None]] | None = None


class CallRefused(Exception):
    """A CALL answered by CALLERROR. code: a word of OCPP-J 1.6 table 7 or 2.0.1 part 4 table 8; description: at most 255 characters."""

    def __init__(self, code: str, description: str = "", details: Payload | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.details = details or {}


class Unanswered(Exception):
    """A CALL that gets no answer at all (1.6 4.2: a station that was rejected)."""


class Face(Protocol):
    """One version of OCPP, spoken over one connection."""

    subprotocol: str

    async def ask(self, question: Question) -> QuestionAnswer:
        """Asks the CSMS; `Unreachable` when there is no answer."""

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        """Tells one fact. offline: it was written under another connection than the present one, or none."""

    async def hear(self, action: str, payload: Payload) -> Heard:
        """Answers a CALL whose payload fits its schema. Raises CallRefused or Unanswered."""

    async def report(self, request_id: int, parts: Sequence[ReportItem]) -> None:
        """Sends a report in as many parts as needed (2.x NotifyReport); 1.6 has none."""


class Variables(Protocol):
    """The device model, as far as faces, line and teller need it. Keys are in the settings' notation or `model.variable.Key`."""

    def text(self, key: str) -> str: ...

    def integer(self, key: str) -> int: ...

    def boolean(self, key: str) -> bool: ...

    def get(self, key: str, attribute: str = "Actual") -> tuple[str, str | None]: ...

    def set(self, key: str, value: str, attribute: str = "Actual") -> str: ...

    def writable(self, key: str) -> bool: ...


class BackendView(Protocol):
    """The CSMS as seen from the station. connection: number of the present accepted connection, 0: none."""

    @property
    def registration(self) -> Registration | None: ...

    @property
    def accepted(self) -> bool: ...

    @property
    def connection(self) -> int: ...


class Notes(Protocol):
    """What the outbox keeps per transaction for this CSMS."""

    def note(self, transaction: str) -> str | None: ...


class Place(NamedTuple):
    """A connector: EVSE id, connector id within it (from 1). (0, 0) is the station."""

    evse: int
    connector: int


class Numbering:
    """1.6's connectorId: the connectors of all EVSEs in their order, from 1; 0 is the station."""

    def __init__(self, settings: Settings) -> None:
        self.places: tuple[Place, ...] = tuple(Place(evse.id, number) for evse in settings.evse for number in range(1, len(evse.connectors) + 1))

    def number(self, evse: int, connector: int) -> int:
        """The connectorId of a connector; connector 0 of an EVSE stands for its first. Raises ValueError for an unknown one."""
        if evse == 0:
            return 0
        return self.places.index(Place(evse, connector or 1)) + 1

    def place(self, number: int) -> Place | None:
        """The connector of a connectorId, (0, 0) for 0, None for an unknown one."""
        if number == 0:
            return Place(0, 0)
        return self.places[number - 1] if 0 < number <= len(self.places) else None


def _none_running() -> Iterable[str]:
    return ()


def _no_meter() -> tuple[str, str]:
    return "", ""


@dataclass(frozen=True)
class StationView:
    """All a face may look at. handlers: one per order type; wall_of: UTC seconds of a fact's stamp (store.boots); running: ids of the
    transactions that run now, oldest first; firmware_version: as the nameplate says it, the package's when the settings give none; main_meter: its
    type and serial number, each empty where it is not known."""

    handlers: Mapping[type, Handler]
    variables: Variables
    settings: Settings
    clock: Clock
    wall_of: Callable[[Stamp], float]
    notes: Notes
    backend: BackendView
    running: Callable[[], Iterable[str]] = _none_running
    firmware_version: str = ""
    main_meter: Callable[[], tuple[str, str]] = _no_meter
    numbering: Numbering = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbering", Numbering(self.settings))

    async def obey(self, order: Any) -> Answer:
        """Gives an order to its handler. Raises CallRefused NotSupported when no block of this station takes it."""
        handler = self.handlers.get(type(order))
        if handler is None:
            raise CallRefused("NotSupported", f"{type(order).__name__} is not supported by this station")
        return await handler(order)
