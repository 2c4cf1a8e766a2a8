"""The parts of the station put together: who is told what by whom. Nothing is decided here.

Must not know boards, sockets, lines or versions; those are joined to it from outside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from chargepoint.clock import Clock
from chargepoint.model.facts import TransactionFact, Trigger
from chargepoint.model.idtoken import IdTokenInfo
from chargepoint.model.orders import SAMPLED_VALUES, Answer
from chargepoint.model.sample import Purpose, Reading
from chargepoint.model.variable import ReportItem
from chargepoint.model.vehicle import Vehicle
from chargepoint.settings import Settings
from chargepoint.station.authorization import Authorization
from chargepoint.station.availability import Availability
from chargepoint.station.backend import Backend, F
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
from chargepoint.station.sampling import Sampling
from chargepoint.station.security import Security
from chargepoint.station.sessions import OCPP_16, Sessions
from chargepoint.station.smart_charging import Limits
from chargepoint.station.transactions import Transactions
from chargepoint.station.vehicles import Vehicles
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from hal.ports import Meter

MINIMUM_STATUS = "Ocpp16Ctrlr.MinimumStatusDuration"
SendReport = Callable[[int, Sequence[ReportItem]], Awaitable[None]]


class Core:
    """backend: made by the caller, who knows what a face is. send_report: tells the CSMS the parts of a report. restart: ends the process with a
    code. random: a number between 0 and its argument. cars: the vehicles the settings name."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        db: Db,
        boots: Boots,
        model: DeviceModel,
        outbox: Outbox,
        backend: Backend[F],
        meters: Mapping[int, Meter],
        send_report: SendReport,
        restart: Callable[[int], None],
        random: Callable[[float], float],
        cars: Mapping[str, Vehicle],
    ) -> None:
        evses = settings.evse
        ids = [evse.id for evse in evses]
        values = Values(db)
        self.clock = clock
        self.settings = settings
        self.db = db
        self.model = model
        self.outbox = outbox
        self.backend = backend
        self.hardware = Hardware(clock, settings.control.lease_s)
        self.security = Security(clock, db, outbox.append)
        self.availability = Availability(evses, model, values)
        self.metering = Metering(clock, evses, model, Registers(clock, db, boots), meters, self.hardware.sample, self._device_fault)
        self.sampling = Sampling(clock, db, evses, model, self.metering, outbox.append)
        self.transactions = Transactions(clock, outbox.append, self.sampling, lambda: backend.connection)
        self.sessions = Sessions(clock, db, model, self.hardware, self.transactions, evses, lambda: backend.subprotocol)
        self.connectors = Connectors(clock, self.sessions, self.hardware, evses, self._operative, outbox.append, self.availability.show)
        self.monitoring = Monitoring(clock, db, outbox.append)
        self.limits = Limits(evses)
        self.not_before = start_delay(clock, values, float(settings.station.start_delay_max_s), random)
        self.lamps = Lamps(clock, model, self.hardware.lamp)
        self.offer = Offer(clock, self.sessions, self.hardware, self.limits, self.metering, self.connectors, self.lamps, lambda: self.not_before)
        self.authorization = Authorization(clock, model, Tokens(db), backend)
        self.driver = Driver(clock, self.sessions, self.authorization, ids, self.usable, self.may_begin, lambda: backend.subprotocol)
        self.recovery = Recovery(clock, self.sessions, self.transactions, resume=settings.station.after_power_loss == "resume")
        self.edges = Edges(clock, db, model, self.hardware, self.sessions, self.usable, self.recovery.give_up)
        self.vehicles = Vehicles(clock, self.sessions, self.hardware, settings, cars)
        self.phases = Phases(clock, evses, self.sessions, self.limits, self.vehicles.of)
        self.network_profiles = NetworkProfiles(settings.csms, model, values)
        self.provisioning = Provisioning(clock, model, values, boots, backend, self.security)
        self.resets = Resets(
            clock,
            model,
            tuple(ids),
            self.sessions,
            self.provisioning.reasons,
            outbox.waiting,
            lambda: backend.accepted,
            self.hardware.order,
            restart,
        )
        self.remote_control = RemoteControl(
            clock,
            model,
            self.sessions,
            self.driver,
            self.connectors,
            self.hardware,
            evses,
            self.usable,
            lambda: backend.registration,
            {
                "BootNotification": Message(self.provisioning.trigger_boot, placed=False),
                "Heartbeat": Message(self.provisioning.trigger_heartbeat, placed=False),
                "StatusNotification": Message(self.connectors.repeat),
                "MeterValues": self._values(Purpose.ALIGNED),
                SAMPLED_VALUES: self._values(Purpose.UPDATED),
                "TransactionEvent": Message(self.sessions.trigger),
            },
            outbox.waiting_for,
        )
        self.handlers = merged(
            self.authorization.orders(),
            self.availability.orders(),
            self.remote_control.orders(),
            self.resets.orders(),
            self.network_profiles.orders(),
            LocalList(db, Tokens(db), model).orders(),
            DeviceData(model, send_report, FaultClearing(ids, model, self.hardware, self.connectors.faults).acts()).orders(),
            DataTransfers().orders(),
        )
        self._join()

    def begin(self) -> None:
        """Takes up what was open, before control is connected."""
        self.recovery.recover()
        self.connectors.report_all()

    def second(self) -> None:
        """The turn of each second."""
        self.sampling.tick()
        self.sessions.tick()
        self.connectors.report(0)
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

    def _join(self) -> None:
        self.backend.use(self.network_profiles.csms, False)
        self.network_profiles.on_slot = self.backend.use
        self.sessions.act = self.offer.act
        self.sessions.operative = lambda evse: self.availability.operative(evse, 1)
        self.lamps.again = lambda evse: self.offer.act(evse, False)
        self.driver.on_refused = self.lamps.refused
        self.edges.on_button = self.driver.press
        self.offer.phases = self.phases
        self.sampling.tell = self._sampled
        self.sampling.place = self.sessions.place
        self.availability.running = self.sessions.busy
        self.availability.on_change.append(self.connectors.report_all)
        self.authorization.on_list_conflict = self.connectors.list_conflict
        self.connectors.least_s = lambda: self.model.integer(MINIMUM_STATUS) if self.backend.subprotocol == OCPP_16 else 0
        self.metering.offered_a = lambda evse: state.offered_a if (state := self.hardware.state(evse)) is not None else 0.0
        self.metering.closed = lambda evse: state.closed if (state := self.hardware.state(evse)) is not None else True
        self.transactions.cable_a = lambda evse: state.cable_a if (state := self.hardware.state(evse)) is not None else None
        self.metering.on_signed = self.sessions.signed
        self.metering.every_phase = lambda: self.backend.subprotocol != OCPP_16
        self.metering.held = lambda evse: any(row.running is not None for row in self.sessions.at(evse))

    def _values(self, purpose: Purpose) -> Message:
        return Message(partial(self.sampling.trigger, purpose), ready=partial(self.sampling.can_trigger, purpose))

    def _sampled(self, evse: int, trigger: Trigger, readings: tuple[Reading, ...]) -> bool:
        return self.sessions.sampled(evse, trigger, readings)

    def _device_fault(self, evse: int, name: str, present: bool) -> None:
        self.connectors.fault(evse, name, present)

    def _operative(self, evse: int | None, connector: int | None) -> bool:
        return self.availability.operative(evse, connector)


def merged(*blocks: Mapping[type, Callable[[Any], Awaitable[Answer]]]) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
    """One handler per order type. Raises ValueError when two blocks take the same."""
    handlers: dict[type, Callable[[Any], Awaitable[Answer]]] = {}
    for block in blocks:
        twice = handlers.keys() & block.keys()
        if twice:
            raise ValueError(f"two blocks take {twice}")
        handlers.update(block)
    return handlers
