"""A 1.6 face with the real device model and notes; what it sends is held to the schemas, orders go to handlers that only note them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargepoint.csms.face import Handler, Heard, Spoken, StationView
from chargepoint.csms.rpc import Outcome, Result, Urgency
from chargepoint.csms.schema import Schemas
from chargepoint.csms.v16 import configuration
from chargepoint.csms.v16.face import build
from chargepoint.model.facts import Fact
from chargepoint.model.orders import Answer
from chargepoint.model.questions import Registration
from chargepoint.settings import Evse, Ocpp2, Ocpp16, Settings, Station
from chargepoint.station import variables as station_variables
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.db import Db
from chargepoint.store.variables import Variables
from tests.simclock import SimulatedClock

SCHEMAS = Schemas("ocpp1.6")
SETTINGS = Settings(
    station=Station(vendor="Maker" * 5, model="CP1", serial_number="S" * 30),
    evse=(Evse(id=1, connectors=("sType2", "cType2")), Evse(id=7)),
)


class PaperWire:
    """Stands for Rpc: holds every payload to its schema and answers from a list."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any], Urgency]] = []
        self.answers: list[Outcome | dict[str, Any]] = []
        self.silent: Callable[[], bool] = lambda: True

    async def call(self, action: str, payload: dict[str, Any], urgency: Urgency) -> Outcome:
        plain = msgspec.json.decode(msgspec.json.encode(payload))
        SCHEMAS.call(action, plain)
        self.sent.append((action, plain, urgency))
        answer = self.answers.pop(0) if self.answers else {}
        return Result(SCHEMAS.answer(action, answer)) if isinstance(answer, dict) else answer


@dataclass
class Backend:
    registration: Registration | None = Registration.ACCEPTED
    connection: int = 1

    @property
    def accepted(self) -> bool:
        return self.registration is Registration.ACCEPTED


@dataclass
class Notes:
    kept: dict[str, str] = field(default_factory=dict)

    def note(self, transaction: str) -> str | None:
        return self.kept.get(transaction)


def device_model(db: Db, settings: Settings) -> DeviceModel:
    """As the station makes it."""
    factory = configuration.factory(settings.ocpp16.configuration)
    model = station_variables.build(Variables(db), settings, factory.variables)
    configuration.declare(model, settings)
    return model


class Bench:
    """The face with all around it."""

    def __init__(self, db: Db, settings: Settings = SETTINGS) -> None:
        self.wire, self.backend, self.notes = PaperWire(), Backend(), Notes()
        self.dm = device_model(db, settings)
        self.orders: list[Any] = []
        self.handlers: dict[type, Handler] = {}
        self.running: list[str] = []
        self.clock = SimulatedClock()
        self.view = StationView(
            handlers=self.handlers,
            variables=self.dm,
            settings=settings,
            clock=self.clock,
            wall_of=lambda at: at.wall_s,
            notes=self.notes,
            backend=self.backend,
            running=lambda: self.running,
            firmware_version="0.1.0",
        )
        self.face = build(self.view, self.wire)  # type: ignore[arg-type]  # paper for an Rpc

    def takes(self, order: type, answer: Answer) -> None:
        async def handler(given: Any) -> Answer:
            self.orders.append(given)
            return answer

        self.handlers[order] = handler

    async def speak(self, fact: Fact, *answers: Outcome | dict[str, Any]) -> Spoken:
        self.wire.answers = list(answers)
        return await self.face.speak(fact, False)

    async def hear(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """As rpc does; gives the answer's payload."""
        return (await self.heard(action, payload)).payload

    async def heard(self, action: str, payload: dict[str, Any]) -> Heard:
        heard = await self.face.hear(action, SCHEMAS.call(action, payload))
        plain = msgspec.json.decode(msgspec.json.encode(heard.payload))
        SCHEMAS.answer(action, plain)
        return Heard(plain, heard.then)

    @property
    def said(self) -> dict[str, Any]:
        """The payload last sent."""
        return self.wire.sent[-1][1]


def with_factory(**values: Any) -> Settings:
    """Settings with [ocpp16.configuration] as given."""
    return msgspec.structs.replace(SETTINGS, ocpp16=Ocpp16(configuration=values), ocpp2=Ocpp2())


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    made = Db(tmp_path / "station.db")
    yield made
    made.close()


@pytest.fixture
def bench(db: Db) -> Bench:
    return Bench(db)
