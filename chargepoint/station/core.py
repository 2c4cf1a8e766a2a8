"""The parts of the station put together: who is told what by whom. Nothing is decided here.

Must not know boards, sockets, lines or versions; those are joined to it from outside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

from chargepoint.clock import Clock
from chargepoint.model.facts import TransactionFact
from chargepoint.model.idtoken import IdTokenInfo
from chargepoint.model.orders import SAMPLED_VALUES, Answer
from chargepoint.model.sample import Purpose
from chargepoint.model.variable import ReportItem
from chargepoint.model.vehicle import Vehicle
from chargepoint.settings import Settings
from chargepoint.station.authorization import Authorization
from chargepoint.station.availability import Availability
from chargepoint.station.backend import Backend, F
from chargepoint.station.bays import Bays
from chargepoint.station.connectors import Connectors
from chargepoint.station.data_transfer import DataTransfers
from chargepoint.station.device_data import DeviceData
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.driver import Driver
from chargepoint.station.edges import Edges
from chargepoint.station.fault_clearing import FaultClearing
from chargepoint.station.hardware import Hardware
from chargepoint.station.lamps import Lamps
from chargepoint.station.local_list import LocalList
from chargepoint.station.metering import Metering
from chargepoint.station.monitoring import Monitoring
from chargepoint.station.network_profiles import NetworkProfiles
from chargepoint.station.offer import Offer
from chargepoint.station.phases import Phases
from chargepoint.station.provisioning import Provisioning
from chargepoint.station.recovery import Recovery, start_delay
from chargepoint.station.registers import Registers
from chargepoint.station.remote_control import Message, RemoteControl
from chargepoint.station.reset import Resets
from chargepoint.station.retention import Retention
from chargepoint.station.sampling import Sampling
from chargepoint.station.security import Security
from chargepoint.station.sessions import OCPP_16, Sessions
from chargepoint.station.smart_charging import Limits
from chargepoint.station.storage import Storage
from chargepoint.station.transactions import Transactions
from chargepoint.station.vehicles import Vehicles
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.orphans import Orphans
from chargepoint.store.outbox import Outbox
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from hal.ports import Meter

MINIMUM_STATUS = "Ocpp16Ctrlr.MinimumStatusDuration"
MOST_METER_VALUES = "Ocpp16Ctrlr.StopTransactionMaxMeterValues"
SendReport = Callable[[int, Sequence[ReportItem]], Awaitable[None]]
Handler = Callable[[Any], Awaitable[Answer]]


@dataclass(frozen=True)
class Ground(Generic[F]):
    """What the parts stand on, made by the process. backend: of a caller who knows what a face is. send_report: tells the CSMS the parts of a report.
    restart: ends the process with a code. random: a number between 0 and its argument. cars: the vehicles the settings name."""

    settings: Settings
    clock: Clock
    db: Db
    boots: Boots
    model: DeviceModel
    outbox: Outbox
    backend: Backend[F]
    meters: Mapping[int, Meter]
    send_report: SendReport
    restart: Callable[[int], None]
    random: Callable[[float], float]
    cars: Mapping[str, Vehicle]


class Core:
    """The parts by their names, made in the order in which they need each other; what a part is told by a later one is joined where that is made."""

    def __init__(self, ground: Ground[F]) -> None:
        self.settings = ground.settings
        self.clock = ground.clock
        self.db = ground.db
        self.model = ground.model
        self.outbox = ground.outbox
        self.backend = ground.backend
        self._values = Values(ground.db)
        self._boots = ground.boots
        self.hardware = Hardware(ground.clock, ground.settings.control.lease_s)
        self.security = Security(ground.clock, ground.db, ground.outbox.append)
        self.outbox.wall_s = ground.clock.wall_s
        self.retention = Retention(ground.clock, ground.db, ground.boots, ground.outbox, self.security, ground.settings.ledger)
        self.storage = Storage(ground.clock, ground.db, self.security)
        self.availability = Availability(ground.settings.evse, ground.model, self._values)
        self._measure(ground)
        self._charge()
        self._offer(ground)
        self._admit()
        self._manage(ground)
        self._remote()
        self.handlers = self._handlers(ground.send_report)

    def begin(self) -> None:
        """Takes up what was open, before control is connected."""
        for row in self.sessions.store.open_rows():
            if row.running is not None and row.running.register_wh is not None:
                self.metering.told(row.evse, row.running.meter_id, row.running.register_wh, row.alive)
        self.recovery.recover()
        if self.db.was_corrupt or self.storage.damaged.count():
            self.recovery.end_orphans()
        self.connectors.report_all()

    def second(self) -> None:
        """The turn of each second."""
        self.storage.tick()
        self.sampling.tick()
        self.metering.tick()
        self.sessions.tick()
        self.connectors.report(0)
        self.retention.tick()
        for evse in self.settings.evse:
            if self.hardware.state(evse.id) is not None:
                self.monitoring.faults(evse.id, self.connectors.faults(evse.id))

    def answered(self, fact: TransactionFact, info: IdTokenInfo | None) -> None:
        """What the CSMS said of the token in a transaction's fact."""
        if fact.id_token is not None and info is not None:
            self.authorization.learn(fact.id_token, info)
        self.sessions.answered(fact, info)

    def usable(self, evse: int) -> bool:
        """Whether a new session may begin at an EVSE."""
        return self.connectors.usable(evse) and not self.resets.pending(evse)

    def may_begin(self) -> bool:
        """Whether new transactions are allowed at all."""
        return self.backend.may_begin(self.model.boolean("TxCtrlr.TxBeforeAcceptedEnabled"))

    def _measure(self, ground: Ground[F]) -> None:
        """Meters, and what is sampled of them."""
        clock, evses, outbox = self.clock, self.settings.evse, self.outbox
        registers = Registers(clock, self.db, ground.boots, self.settings.station.mark_s)
        self.metering = Metering(clock, evses, self.model, registers, ground.meters, self.hardware.sample, self._device_fault)
        self.sampling = Sampling(clock, self.db, evses, self.model, self.metering, outbox.append)
        self.sampling.most = lambda: self.model.integer(MOST_METER_VALUES)
        self.metering.offered_a = lambda evse: state.offered_a if (state := self.hardware.state(evse)) is not None else 0.0
        self.metering.closed = lambda evse: state.closed if (state := self.hardware.state(evse)) is not None else True
        self.metering.every_phase = lambda: self.backend.subprotocol != OCPP_16
        self.metering.either_kind = lambda: self.backend.subprotocol == OCPP_16

    def _charge(self) -> None:
        """Sessions, the transactions told of them, and what each connector is told as."""
        clock, evses, backend, append = self.clock, self.settings.evse, self.backend, self.outbox.append
        self.transactions = Transactions(clock, append, self.sampling, lambda: backend.connection)
        self.transactions.in_memory = lambda: self.db.in_memory
        self.transactions.cable_a = lambda evse: state.cable_a if (state := self.hardware.state(evse)) is not None else None
        self.sessions = Sessions(clock, self.db, self.model, self.hardware, self.transactions, evses, lambda: backend.subprotocol)
        self.sessions.operative = lambda evse: self.availability.operative(evse, 1)
        resume = self.settings.station.after_power_loss == "resume"
        self.recovery = Recovery(clock, self.sessions, self.transactions, self._boots, Orphans(self.db), resume=resume)
        self.storage.mend = self.recovery.end_orphans
        self.connectors = Connectors(clock, self.sessions, self.hardware, evses, self.availability.operative, append, self.availability.show)
        self.connectors.least_s = lambda: self.model.integer(MINIMUM_STATUS) if backend.subprotocol == OCPP_16 else 0
        self.monitoring = Monitoring(clock, self.db, append)
        self._join_sessions()

    def _join_sessions(self) -> None:
        """What sessions tell those that were made before them."""
        self.availability.running = self.sessions.busy
        self.availability.on_change.append(self.connectors.report_all)
        self.sampling.tell = self.sessions.sampled
        self.sampling.place = self.sessions.place
        self.metering.on_signed = self.sessions.signed
        self.metering.held = lambda evse: any(row.running is not None for row in self.sessions.at(evse))

    def _offer(self, ground: Ground[F]) -> None:
        """How much, on how many phases, from when on, and how the lamp shows it."""
        clock, sessions, hardware, evses = self.clock, self.sessions, self.hardware, self.settings.evse
        not_before = start_delay(clock, self._values, float(self.settings.station.start_delay_max_s), ground.random)
        self.limits = Limits(evses)
        self.lamps = Lamps(clock, self.model, hardware.lamp)
        self.offer = Offer(clock, sessions, hardware, self.limits, self.metering, self.connectors, self.lamps, lambda: not_before)
        self.vehicles = Vehicles(clock, sessions, hardware, self.settings, ground.cars)
        self.phases = self.offer.phases = Phases(clock, evses, sessions, self.limits, self.vehicles.of)
        sessions.act = self.offer.act
        self.lamps.again = lambda evse: self.offer.act(evse, False)

    def _admit(self) -> None:
        """What a driver does at the charge point, and whether he may."""
        clock, backend, sessions = self.clock, self.backend, self.sessions
        ids = [evse.id for evse in self.settings.evse]
        self.authorization = Authorization(clock, self.model, Tokens(self.db), backend)
        self.authorization.on_list_conflict = self.connectors.list_conflict
        self.driver = Driver(clock, sessions, self.authorization, ids, self.usable, self.may_begin, lambda: backend.subprotocol)
        self.driver.on_refused = self.lamps.refused
        self.edges = Edges(clock, self.db, self.model, self.hardware, sessions, self.usable, self.recovery.give_up)
        self.edges.on_button = self.driver.press
        self.bays = Bays(clock, self.model, sessions, self.edges.waiting_elsewhere)
        self.edges.on_bay = self.bays.hear

    def _manage(self, ground: Ground[F]) -> None:
        """Which CSMS, what it is told at a boot, and when the station starts anew."""
        backend, ids = self.backend, tuple(evse.id for evse in self.settings.evse)
        self.network_profiles = NetworkProfiles(self.settings.csms, self.model, self._values)
        self.network_profiles.on_slot = backend.use
        backend.use(self.network_profiles.csms, False)
        self.provisioning = Provisioning(self.clock, self.model, self._values, ground.boots, backend, self.security)
        self.resets = Resets(
            self.clock,
            self.model,
            ids,
            self.sessions,
            self.provisioning.reasons,
            self.outbox.waiting,
            lambda: backend.accepted,
            self.hardware.order,
            ground.restart,
            self._values,
            lambda: self.hardware.start,
        )

    def _remote(self) -> None:
        """What a CSMS does in a driver's place, and what it may have told again."""
        self.remote_control = RemoteControl(
            self.clock,
            self.model,
            self.sessions,
            self.driver,
            self.connectors,
            self.hardware,
            self.settings.evse,
            self.usable,
            lambda: self.backend.registration,
            self._messages(),
            self.outbox.waiting_for,
        )

    def _messages(self) -> dict[str, Message]:
        return {
            "BootNotification": Message(
                self.provisioning.trigger_boot, False, lambda evse: self.backend.may_order_boot, unready="this station is accepted already"
            ),
            "Heartbeat": Message(self.provisioning.trigger_heartbeat, placed=False),
            "StatusNotification": Message(self.connectors.repeat),
            "MeterValues": self._sampled(Purpose.ALIGNED),
            SAMPLED_VALUES: self._sampled(Purpose.UPDATED),
            "TransactionEvent": Message(self.sessions.trigger),
        }

    def _sampled(self, purpose: Purpose) -> Message:
        return Message(partial(self.sampling.trigger, purpose), ready=partial(self.sampling.can_trigger, purpose))

    def _handlers(self, send_report: SendReport) -> dict[type, Handler]:
        """Who takes which order of a CSMS."""
        clearing = FaultClearing([evse.id for evse in self.settings.evse], self.model, self.hardware, self.connectors.faults)
        return merged(
            self.authorization.orders(),
            self.availability.orders(),
            self.remote_control.orders(),
            self.resets.orders(),
            self.network_profiles.orders(),
            LocalList(self.db, Tokens(self.db), self.model).orders(),
            DeviceData(self.model, send_report, clearing.acts()).orders(),
            DataTransfers().orders(),
        )

    def _device_fault(self, evse: int, name: str, present: bool) -> None:
        self.connectors.fault(evse, name, present)


def merged(*blocks: Mapping[type, Handler]) -> dict[type, Handler]:
    """One handler per order type. Raises ValueError when two blocks take the same."""
    handlers: dict[type, Handler] = {}
    for block in blocks:
        twice = handlers.keys() & block.keys()
        if twice:
            raise ValueError(f"two blocks take {twice}")
        handlers.update(block)
    return handlers
