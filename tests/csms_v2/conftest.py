"""A 2.0.1 face over a wire of paper: what it sends is held to the schemas, what it hears goes to handlers that only note it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from chargepoint.clock import Clock
from chargepoint.csms.face import Heard, StationView
from chargepoint.csms.rpc import Outcome, Result, Urgency
from chargepoint.csms.schema import Schemas
from chargepoint.csms.v2.face import build
from chargepoint.model.orders import Answer
from chargepoint.model.questions import Registration
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse, Settings, Station
from sim.csms import schemas

PROTOCOL = "ocpp2.0.1"
WALL_S = 1_714_557_600.0  # 2024-05-01T10:00:00Z


class PaperClock(Clock):
    def wall_s(self) -> float:
        return WALL_S + 60


class PaperWire:
    """Stands for Rpc."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any], Urgency]] = []
        self.answers: list[Outcome | dict[str, Any]] = []

    async def call(self, action: str, payload: dict[str, Any], urgency: Urgency) -> Outcome:
        plain = msgspec.json.decode(msgspec.json.encode(payload))
        assert schemas.complaint(PROTOCOL, action, plain) is None
        self.sent.append((action, plain, urgency))
        answer = self.answers.pop(0) if self.answers else {}
        if not isinstance(answer, dict):
            return answer
        assert schemas.complaint(PROTOCOL, action, answer, answer=True) is None
        return Result(answer)


@dataclass
class Backend:
    registration: Registration | None = Registration.ACCEPTED
    connection: int = 1

    @property
    def accepted(self) -> bool:
        return self.registration is Registration.ACCEPTED


class Notes:
    def note(self, transaction: str) -> str | None:
        return None


@dataclass
class Variables:
    values: dict[str, str] = field(default_factory=dict)

    def text(self, key: str) -> str:
        return self.values[key]

    def integer(self, key: str) -> int:
        return int(self.values[key])

    def boolean(self, key: str) -> bool:
        return self.values[key] == "true"

    def get(self, key: str, attribute: str = "Actual") -> tuple[str, str | None]:
        return ("Accepted", self.values[key]) if key in self.values else ("UnknownVariable", None)

    def set(self, key: str, value: str, attribute: str = "Actual") -> str:
        raise NotImplementedError


class Bench:
    """The face with all around it."""

    def __init__(self) -> None:
        self.wire, self.backend, self.variables = PaperWire(), Backend(), Variables()
        self.orders: list[Any] = []
        self.handlers: dict[type, Callable[[Any], Awaitable[Answer]]] = {}
        station = Station(vendor="V", model="M" * 30, serial_number="S1")
        self.view = StationView(
            handlers=self.handlers,
            variables=self.variables,
            settings=Settings(station=station, evse=(Evse(id=1), Evse(id=2))),
            clock=PaperClock(),
            wall_of=lambda at: at.wall_s,
            notes=Notes(),
            backend=self.backend,
            firmware_version="0.1.0",
        )
        self.face = build(self.view, self.wire)
        self.schemas = Schemas(PROTOCOL)

    def takes(self, order: type, answer: Answer) -> None:
        async def handler(given: Any) -> Answer:
            self.orders.append(given)
            return answer

        self.handlers[order] = handler

    async def hear(self, action: str, payload: dict[str, Any]) -> Heard:
        """As rpc does: the payload is held to its schema first; the answer to its own."""
        heard = await self.face.hear(action, self.schemas.call(action, payload))
        plain = msgspec.json.decode(msgspec.json.encode(heard.payload))
        assert schemas.complaint(PROTOCOL, action, plain, answer=True) is None
        return Heard(plain, heard.then)

    @property
    def last(self) -> dict[str, Any]:
        return self.wire.sent[-1][1]


def stamp(seconds: float = 0.0) -> Stamp:
    return Stamp(1, 100.0 + seconds, WALL_S + seconds, True)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def at() -> Callable[[float], Stamp]:
    return stamp
