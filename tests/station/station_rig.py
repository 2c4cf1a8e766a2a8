"""A whole station core over a fake control, fake meters and a fake CSMS, with a clock moved by hand. Must not know what a test expects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.csms.v16 import configuration
from chargepoint.link.messages import (
    VERSION,
    Acknowledge,
    Edge,
    EdgeKind,
    EvseState,
    Hello,
    LampWish,
    LockWish,
    Order,
    OrderAnswer,
    OrderKind,
    Permit,
)
from chargepoint.model.facts import Fact, StatusFact, TransactionFact
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.questions import Authorize, AuthorizeAnswer, Question, QuestionAnswer, Registration, Unreachable
from chargepoint.model.sample import Context, MeterSample, Purpose, Quality, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.model.vehicle import Vehicle
from chargepoint.settings import Evse, Settings, Station
from chargepoint.settings import Vehicles as Cars
from chargepoint.station.authorization import Authorization
from chargepoint.station.backend import Backend
from chargepoint.station.bays import Bays
from chargepoint.station.connectors import Connectors
from chargepoint.station.driver import Driver
from chargepoint.station.edges import Edges
from chargepoint.station.hardware import Hardware
from chargepoint.station.lamps import Lamps
from chargepoint.station.offer import Offer
from chargepoint.station.recovery import Recovery, start_delay
from chargepoint.station.remote_control import Message, RemoteControl
from chargepoint.station.sessions import Sessions
from chargepoint.station.smart_charging import Limits
from chargepoint.station.transactions import Transactions
from chargepoint.station.variables import build
from chargepoint.station.vehicles import Vehicles
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.orphans import Orphans
from chargepoint.store.outbox import Outbox
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables

CARD = "04A1B2C3"
OTHER = "04D4E5F6"


FIRST_METER = "meter-a"


class FakeMeters:
    """A register per EVSE that moves when a test says so. silent: it does not answer."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.energy_wh: dict[int, float] = {}
        self.current_a: dict[int, tuple[float, float, float]] = {}
        self.silent: set[int] = set()
        self.meter_id = FIRST_METER
        self.collected: list[tuple[Context, Stamp | None]] = []
        self._heard: dict[int, float] = {}

    def latest(self, evse: int) -> MeterSample | None:
        quality = Quality.LOST if evse in self.silent else Quality.GOOD
        return MeterSample(
            self._clock.stamp(),
            quality,
            self.energy_wh.get(evse, 0.0),
            current_a=self.current_a.get(evse, (0.0, 0.0, 0.0)),
            meter_id=self.meter_id,
        )

    def register_wh(self, evse: int) -> float | None:
        """The last value heard of the first meter."""
        wh = self.energy_wh.get(evse, 0.0)
        if evse not in self.silent and self.meter_id == FIRST_METER:
            self._heard[evse] = max(wh, self._heard.get(evse, 0.0))
        return self._heard.get(evse)

    def readings(self, evse: int, purpose: Purpose, context: Context) -> tuple[Reading, ...]:
        value = SampledValue(self.energy_wh.get(evse, 0.0), "Energy.Active.Import.Register", context, "Wh")
        return (Reading(self._clock.stamp(), purpose, (value,)),)

    def begin(self, evse: int, transaction: str) -> None: ...

    def collect(self, evse: int, transaction: str, context: Context, at: Stamp | None = None) -> None:
        self.collected.append((context, at))

    def end(self, evse: int, transaction: str) -> tuple[Reading, ...]:
        return ()


class FakeCsms:
    """A face that answers about tokens. silent: it does not answer at all."""

    def __init__(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol
        self.tokens: dict[str, IdTokenInfo] = {}
        self.asked: list[str] = []
        self.silent = False

    async def ask(self, question: Question) -> QuestionAnswer:
        if self.silent or not isinstance(question, Authorize):
            return Unreachable("no answer within 30 s")
        self.asked.append(question.id_token.value)
        return AuthorizeAnswer(self.tokens.get(question.id_token.value, IdTokenInfo(AuthorizationStatus.INVALID)))


class FakeControl:
    """Control and the car, as the station's link end sees them: does what permits say, at once."""

    def __init__(self, clock: Any, evses: tuple[Evse, ...]) -> None:
        self._clock = clock
        self.hardware: Hardware | None = None
        self.start = 77
        self.permits: dict[int, Permit] = {}
        self.locks: dict[int, bool] = {}
        self.lamps: dict[int, str] = {}
        self.acknowledged = 0
        self.orders: list[tuple[OrderKind, int]] = []
        self.unlocks = True
        self.wakes: list[Order] = []
        self.refuses = ""
        self._waking: dict[int, tuple[Order, float]] = {}
        self._numbers = itertools.count(1)
        self._plug_ins = itertools.count(500)
        self.kept: list[Edge] = []
        self.states = {evse.id: self._idle(evse.id) for evse in evses}

    def _idle(self, evse: int) -> EvseState:
        return EvseState(evse, self._clock.boot_s(), 0, "A", False, False, 0.0, "", False, False, None, False, (), False, 30.0, 0.0)

    # the station's side

    def send(self, message: Any) -> bool:
        match message:
            case Permit():
                self.permits[message.evse] = message
            case LockWish():
                self.locks[message.evse] = message.locked
            case LampWish():
                self.lamps[message.evse] = message.pattern
            case Order(kind=OrderKind.WAKE):
                self.wakes.append(message)
                self._wake(message)
            case Order() if self.hardware is not None:
                self.orders.append((message.kind, message.evse))
                self.hardware.on_answer(OrderAnswer(message.id, self.unlocks, "" if self.unlocks else "the bolt does not move"))
            case Acknowledge():
                self.acknowledged = message.number
                self.kept = [edge for edge in self.kept if edge.number > message.number]
        return True

    def connect(self) -> None:
        assert self.hardware is not None
        self.hardware.on_connected(Hello(VERSION, self.start))
        for edge in list(self.kept):
            self.hardware.on_edge(edge)
        for evse in self.states:
            self.say(evse)

    def restart(self, *, same_car: bool = True) -> None:
        """Control dies and starts anew: a new number, contactors open, plugged cars get a new plug-in."""
        assert self.hardware is not None
        self.hardware.on_lost("control died")
        self.start += 1
        self._numbers = itertools.count(1)
        self.kept = []
        self.permits.clear()
        for evse, state in self.states.items():
            self.states[evse] = msgspec.structs.replace(state, closed=False, offered_a=0.0, pwm=False, permit=False, plug_in=0)
            if state.pilot in "BCD" and same_car:
                self.states[evse] = msgspec.structs.replace(self.states[evse], plug_in=next(self._plug_ins), since_plug_in=self._clock.boot_s())

    def _wake(self, order: Order) -> None:
        """A step begins, or (refuses) does not."""
        assert self.hardware is not None
        if self.refuses:
            self.hardware.on_answer(OrderAnswer(order.id, False, self.refuses))
            return
        self._waking[order.evse] = order, self._clock.boot_s() + order.seconds
        self.edge(order.evse, EdgeKind.OFFERED, "0")
        self.say(order.evse, offered_a=0.0, pwm=False, waking=True)

    def _woken(self, evse: int) -> bool:
        """Ends a step whose time is over; whether one still runs."""
        if evse not in self._waking:
            return False
        order, until = self._waking[evse]
        if self._clock.boot_s() < until:
            return True
        del self._waking[evse]
        self.say(evse, waking=False)
        if self.hardware is not None:
            self.hardware.on_answer(OrderAnswer(order.id, True))
        return False

    # the world's side

    def edge(self, evse: int, kind: EdgeKind, value: str = "", at: float | None = None) -> None:
        """at: when it happened, now unless said."""
        edge = Edge(next(self._numbers), self._clock.boot_s() if at is None else at, evse, kind, self.states[evse].plug_in, value)
        self.kept.append(edge)
        if self.hardware is not None and self.hardware.present:
            self.hardware.on_edge(edge)

    def say(self, evse: int, **changes: Any) -> None:
        self.states[evse] = msgspec.structs.replace(self.states[evse], at=self._clock.boot_s(), **changes)
        if self.hardware is not None and self.hardware.present:
            self.hardware.on_state(self.states[evse])

    def park(self, evse: int = 1) -> None:
        """A car drives into the bay."""
        self.say(evse, bay=True)

    def leave(self, evse: int = 1) -> None:
        """The bay is empty."""
        self.say(evse, bay=False)

    def plug(self, evse: int = 1, *, tell: bool = True) -> None:
        """tell: control also says its state."""
        self.states[evse] = msgspec.structs.replace(
            self.states[evse], plug_in=next(self._plug_ins), since_plug_in=self._clock.boot_s(), cable=True, cable_a=32.0
        )
        self.edge(evse, EdgeKind.PLUGGED)
        if tell:
            self.say(evse, pilot="B")

    def offer(self, evse: int = 1) -> float:
        """Signals what the permit says, as control would."""
        permit = self.permits.get(evse)
        valid = (
            not self.states[evse].faults
            and permit is not None
            and permit.plug_in == self.states[evse].plug_in
            and permit.until > self._clock.boot_s()
        )
        valid = not self._woken(evse) and valid
        amps = permit.limit_a if valid and permit is not None and permit.limit_a >= 6 else 0.0
        if amps != self.states[evse].offered_a:
            self.edge(evse, EdgeKind.OFFERED, f"{amps:g}")
            self.say(evse, offered_a=amps, pwm=amps > 0, permit=amps > 0, offer_limit_by="permit" if amps else "")
        return amps

    def close(self, evse: int = 1) -> None:
        """The car closes S2."""
        assert self.offer(evse) > 0, "nothing is offered"
        self.edge(evse, EdgeKind.CLOSED)
        self.say(evse, pilot="C", closed=True)

    def open(self, evse: int = 1, why: str = "car") -> None:
        """The car opens S2, or (why) control opens."""
        if why != "car":
            self.edge(evse, EdgeKind.OFFERED, "0")
        self.edge(evse, EdgeKind.OPENED, why)
        self.say(evse, closed=False, pilot="B", **({} if why == "car" else {"offered_a": 0.0, "pwm": False}))

    def unplug(self, evse: int = 1, *, cable: bool = False) -> None:
        """The whole cable goes, or (cable=True) the car's end only."""
        closed = self.states[evse].closed
        self.edge(evse, EdgeKind.UNPLUGGED)
        if closed:
            self.edge(evse, EdgeKind.OPENED, "unplugged")
        self.say(evse, pilot="A", plug_in=0, closed=False, offered_a=0.0, pwm=False, cable=cable, cable_a=32.0 if cable else None, since_plug_in=0.0)

    def fault(self, evse: int, name: str) -> None:
        self.edge(evse, EdgeKind.FAULT_RAISED, name)
        if self.states[evse].closed:
            self.edge(evse, EdgeKind.OFFERED, "0")
            self.edge(evse, EdgeKind.OPENED, name)
        self.say(evse, closed=False, offered_a=0.0, faults=(*self.states[evse].faults, name))

    def clear(self, evse: int, name: str) -> None:
        self.edge(evse, EdgeKind.FAULT_CLEARED, name)
        self.say(evse, faults=tuple(fault for fault in self.states[evse].faults if fault != name))


@dataclass
class Rig:
    """One start of the station. Make another on the same path for a restart."""

    clock: Any
    path: Path
    evses: tuple[Evse, ...] = (Evse(id=1),)
    version: str = "ocpp2.0.1"
    variables: dict[str, Any] = field(default_factory=dict)
    signs: tuple[int, ...] = ()
    bays: tuple[int, ...] = ()
    after_power_loss: str = "end"
    url: str = "ws://csms"
    control: Any = None
    meters: Any = None
    delay_s: float = 0.0
    cars: dict[str, Vehicle] = field(default_factory=dict)
    tokens_of: dict[str, str] = field(default_factory=dict)
    alone: bool = False

    def __post_init__(self) -> None:
        clock = self.clock
        self.db = Db(self.path, alone=self.alone)
        self.boots = Boots(self.db)
        clock.boot = self.boots.begin(clock.boot_id())
        self.values = Values(self.db)
        self.outbox = Outbox(self.db)
        self.facts: list[Fact] = []
        self.triggered: list[tuple[str, int | None, int | None]] = []
        self.has_values: Callable[[int | None], bool] = lambda evse: True
        self.tokens = Tokens(self.db)
        settings = Settings(evse=self.evses, station=Station(after_power_loss=self.after_power_loss), vehicles=Cars(tokens=self.tokens_of))  # type: ignore[arg-type]  # a test's text
        self.dm = build(Variables(self.db), settings, signs=self.signs, bays=self.bays)
        for key, value in self.variables.items():
            self.dm.push(key, value)
        self.meters = self.meters or FakeMeters(clock)
        self.backend: Backend[FakeCsms] = Backend(self.values, self.url, (self.version,), self.outbox.change_csms)
        self.csms = FakeCsms(self.version)
        self.hardware = Hardware(clock, 15.0)
        self.transactions = Transactions(clock, self.append, self.meters, lambda: self.backend.connection)
        self.transactions.cable_a = lambda evse: state.cable_a if (state := self.hardware.state(evse)) is not None else None
        self.sessions = Sessions(clock, self.db, self.dm, self.hardware, self.transactions, self.evses, lambda: self.backend.subprotocol)
        self.operative: Callable[[int | None, int | None], bool] = lambda evse, connector: True
        self.connectors = Connectors(
            clock, self.sessions, self.hardware, self.evses, lambda e, c: self.operative(e, c), self.append, lambda fact: None
        )
        not_before = start_delay(clock, self.values, self.delay_s, lambda most: most)
        configuration.declare(self.dm, settings)
        self.lamps = Lamps(clock, self.dm, self.hardware.lamp)
        self.offer = Offer(clock, self.sessions, self.hardware, Limits(self.evses), self.meters, self.connectors, self.lamps, lambda: not_before)
        self.sessions.act = self.offer.act
        self.sessions.operative = lambda evse: self.operative(evse, 1)
        self.lamps.again = lambda evse: self.offer.act(evse, False)
        self.authorization = Authorization(clock, self.dm, self.tokens, self.backend)
        may_begin = lambda: self.backend.may_begin(self.dm.boolean("TxCtrlr.TxBeforeAcceptedEnabled"))  # noqa: E731
        ids = [evse.id for evse in self.evses]
        self.driver = Driver(clock, self.sessions, self.authorization, ids, self.connectors.usable, may_begin, lambda: self.backend.subprotocol)
        self.driver.on_refused = self.lamps.refused
        resume = self.after_power_loss == "resume"
        self.recovery = Recovery(clock, self.sessions, self.transactions, self.boots, Orphans(self.db), resume=resume)
        self.edges = Edges(clock, self.db, self.dm, self.hardware, self.sessions, self.connectors.usable, self.recovery.give_up)
        self.bay_sensors = Bays(clock, self.dm, self.sessions, self.edges.waiting_elsewhere)
        self.bay_sensors.evses, self.edges.on_bay = self.bays, self.bay_sensors.hear
        self.vehicles = Vehicles(clock, self.sessions, self.hardware, settings, self.cars)
        self.remote = RemoteControl(
            clock,
            self.dm,
            self.sessions,
            self.driver,
            self.connectors,
            self.hardware,
            self.evses,
            self.connectors.usable,
            lambda: self.backend.registration,
            {name: Message(partial(self._trigger, name), placed=name == "TransactionEvent") for name in ("Heartbeat", "TransactionEvent")}
            | {
                "BootNotification": Message(partial(self._trigger, "BootNotification"), False, lambda evse: self.backend.may_order_boot),
                "StatusNotification": Message(self.connectors.repeat),
                "MeterValues": Message(partial(self._trigger, "MeterValues"), ready=lambda evse: self.has_values(evse)),
            },
            self.outbox.waiting_for,
        )
        self.recovery.recover()
        self.control = self.control or FakeControl(clock, self.evses)
        self.control.hardware = self.hardware
        self.hardware.use(self.control)
        self.control.connect()

    def _trigger(self, name: str, evse: int | None, connector: int | None) -> bool:
        self.triggered.append((name, evse, connector))
        return True

    def append(self, fact: Fact) -> int:
        self.facts.append(fact)
        return self.outbox.append(fact)

    def online(self) -> None:
        self.backend.line_up(self.csms)
        self.backend.registered(Registration.ACCEPTED)

    def offline(self) -> None:
        self.backend.line_down("a test says so")

    def crash(self) -> None:
        """The process dies: nothing is said, the file is left as it is."""
        self.control.hardware = None
        self.db.close()

    def accept(self, *cards: str, group: str | None = None) -> None:
        """The CSMS knows these cards."""
        for card in cards:
            self.csms.tokens[card] = IdTokenInfo(AuthorizationStatus.ACCEPTED, group=IdToken(group, "Central") if group else None)

    async def swipe(self, card: str = CARD, evse: int | None = None) -> None:
        await self.driver.take(IdToken(card), evse)

    async def charge(self, evse: int = 1, card: str = CARD) -> None:
        """Plug, token, contactor."""
        self.control.plug(evse)
        await self.swipe(card)
        await self.seconds(1)
        self.control.close(evse)

    async def seconds(self, count: int = 1) -> None:
        """Lets time pass as the process would: a tick each second, control following the permits."""
        for _ in range(count):
            await self.clock.advance(1.0)
            self.sessions.tick()
            for evse in self.control.states:
                if self.control.states[evse].pilot in "BCD":
                    self.control.offer(evse)
                self.control.say(evse)

    def told(self) -> list[tuple[str, str, str | None]]:
        """(event, trigger, charging state) of every transaction fact so far."""
        return [(f.kind.value, f.trigger.value, f.charging_state.value if f.charging_state else None) for f in self.transaction_facts()]

    def transaction_facts(self) -> list[TransactionFact]:
        return [fact for fact in self.facts if isinstance(fact, TransactionFact)]

    def statuses(self, evse: int = 1) -> list[str]:
        return [fact.status for fact in self.facts if isinstance(fact, StatusFact) and fact.evse == evse]

    def last(self) -> TransactionFact:
        return self.transaction_facts()[-1]
