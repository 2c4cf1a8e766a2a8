"""What the driver does, from the first sign to the free connector: applies the table of sessions, and keeps every step with the facts that follow.

First written, then done: a change of a row is kept in one database transaction with its facts before anybody acts on it. Must not know who may charge
(authorization), how an event is found (edges, driver, remote_control), nor how a session outlives a power cut (recovery).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol
from uuid import uuid4

from chargepoint.clock import Clock
from chargepoint.model.facts import ChargingState, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.sample import Reading
from chargepoint.model.session import (
    OCCUPANCY,
    START_16,
    STOP_16,
    TRANSITIONS,
    UNTOLD,
    Event,
    Point,
    Power,
    SessionRow,
    Stand,
    State,
    begins,
    begins_signed,
    charging_state,
    ends,
    holds,
    with_car,
)
from chargepoint.settings import Evse
from chargepoint.station.hardware import Hardware
from chargepoint.station.machine import Table
from chargepoint.station.transactions import Cause, Transactions
from chargepoint.store.db import Db
from chargepoint.store.sessions import Sessions as Store

log = logging.getLogger(__name__)

TABLE = Table(State, TRANSITIONS)
OCPP_16 = "ocpp1.6"
ENDED_WITHIN_S = 12.0
LOOK_EVERY_S = 0.2


class Variables(Protocol):
    """The device model, as far as sessions need it."""

    def boolean(self, key: str) -> bool: ...

    def integer(self, key: str) -> int: ...

    def listed(self, key: str) -> list[str]: ...


class Start(NamedTuple):
    """Somebody may charge. floating: the token was shown at a reader for all; remote: by the CSMS, with its remote_start_id if it has one."""

    token: IdToken
    group: IdToken | None = None
    floating: bool = False
    remote: bool = False
    remote_start_id: int | None = None


class Sessions:
    """evses: by their ids; rows: the session at each. act: called with an EVSE after each kept change, and each second with True, to permit, lock
    and tell what holds then. operative: whether an EVSE may be used (2.0.1 G03)."""

    def __init__(
        self,
        clock: Clock,
        db: Db,
        variables: Variables,
        hardware: Hardware,
        transactions: Transactions,
        evses: Sequence[Evse],
        version: Callable[[], str],
    ) -> None:
        self.rows: dict[int, SessionRow] = {}
        self.ending: list[SessionRow] = []
        self.act: Callable[[int, bool], None] = lambda evse, renew: None
        self.operative: Callable[[int], bool] = lambda evse: True
        self.store: Store[SessionRow] = Store(db, SessionRow, lambda row: row.last)
        self._clock = clock
        self._db = db
        self._variables = variables
        self._hardware = hardware
        self._transactions = transactions
        self.evses = {evse.id: evse for evse in evses}
        self._version = version

    # what others ask

    def row(self, evse: int) -> SessionRow | None:
        """The session at an EVSE."""
        return self.rows.get(evse)

    def at(self, evse: int) -> list[SessionRow]:
        """The session at an EVSE, and those whose transaction still ends there."""
        return [row for row in (*self.ending, *self.rows.values()) if row.evse == evse]

    def tethered(self, evse: int) -> bool:
        """Whether the cable is part of the station."""
        return self.evses[evse].connectors[0].startswith("c")

    def power(self, evse: int) -> Power | None:
        """What control says of the power path, None while it is not there."""
        state = self._hardware.state(evse)
        return None if state is None else Power(state.closed, self._hardware.offers_steadily(evse))

    def charging_state(self, row: SessionRow) -> ChargingState:
        """The charging state to tell now."""
        return charging_state(row, self.power(row.evse), self._clock.boot_s())

    def running(self) -> Iterator[tuple[str, SessionRow]]:
        """Ids of the transactions that run now, each with its session."""
        for row in (*self.ending, *self.rows.values()):
            if row.running is not None:
                yield row.running.id, row

    def find(self, transaction: str) -> SessionRow | None:
        """The session of a running transaction."""
        return next((row for id, row in self.running() if id == transaction), None)

    def busy(self, evse: int | None = None) -> bool:
        """Whether somebody is authorized or a transaction runs (at one EVSE)."""
        rows = [row for row in (*self.ending, *self.rows.values()) if evse in (None, row.evse)]
        return any(row.authorized or row.running is not None for row in rows)

    def goes_on(self, evse: int) -> bool:
        """Whether a transaction runs at an EVSE whose end is not near."""
        row = self.rows.get(evse)
        return row is not None and row.running is not None and row.ending is None

    def ends_near(self) -> int:
        """How many transactions are over, their end not written yet: it waits for the meter's last reading."""
        return sum(row.ending is not None for _, row in self.running())

    def place(self, transaction: str) -> int | None:
        """The EVSE of a running transaction whose end is not near."""
        row = self.find(transaction)
        return None if row is None or row.ending is not None else row.evse

    # what happens

    def start(self, evse: int, start: Start) -> SessionRow | None:
        """Somebody may charge at this EVSE. Returns the session, or None when that means nothing there now."""
        row = self.rows.get(evse) or self.new(evse)
        if TABLE.step(row.state, Event.AUTHORIZED) is None:
            return None
        trigger = Trigger.REMOTE_START if start.remote else Trigger.AUTHORIZED
        with self.writing(row):
            row.token, row.group, row.floating = start.token, start.group, start.floating and not (row.plugged or row.occupied)
            row.remote_start_id, row.unsaid_token = start.remote_start_id, True
            row.authorized_at, row.offered_at = self._clock.boot_s(), 0.0
            row.stop_reason, row.hold, row.no_energy, row.allowed_wh, row.signed = None, False, False, None, False
            self.step(row, Event.AUTHORIZED, Cause(trigger, self._clock.stamp()))
        self.act(evse, False)
        return row

    def stop(self, row: SessionRow, cause: Cause, *, hold: bool = False) -> None:
        """The authorization of a session is over. hold: the plug stays locked until its owner shows the token (E05.FR.11). Where there is none, a
        running transaction is told of it (F03.FR.02)."""
        with self.writing(row):
            if TABLE.step(row.state, Event.DEAUTHORIZED) is None:
                self._transactions.update(row, cause, self.charging_state(row))
            else:
                row.stop_reason, row.hold = cause.reason, hold and row.owned
                self.step(row, Event.DEAUTHORIZED, cause)
                if row.state is State.CABLE_LEFT and self.tethered(row.evse):
                    self.step(row, Event.GONE, cause)
        self.act(row.evse, False)

    def bay(self, row: SessionRow, occupied: bool, cause: Cause) -> None:
        """The sensor of its bay sees a car, or no longer sees one. Where that ends the transaction the authorization is over with it, so that no
        energy flows untold. row: one that has not begun, too."""
        over = not occupied and Point.PARKING_BAY_OCCUPANCY in row.stop and row.running is not None and row.ending is None
        with self.writing(row):
            row.floating = False
            self.step(row, Event.DETECTED if occupied else Event.DEPARTED, cause)
        if over and row.authorized:
            self.stop(row, cause)
        self.act(row.evse, False)

    def release(self, row: SessionRow) -> None:
        """A plug that was held may be taken."""
        with self.writing(row):
            row.hold = False
        self.act(row.evse, False)

    async def end(self, trigger: Trigger, reason: StopReason, evse: int | None = None) -> None:
        """Ends every running transaction (of one EVSE), whatever TxStopPoint says, and waits until the ends are written: some 10 s at most."""
        cause = Cause(trigger, self._clock.stamp(), reason)
        for row in [row for row in self.rows.values() if evse in (None, row.evse)]:
            self.stop(row, cause)
            with self.writing(row):
                row.stop_reason = reason
                self._transactions.will_end(row, cause)
                self.end_if_settled(row)
        until = self._clock.boot_s() + ENDED_WITHIN_S
        while any(evse in (None, row.evse) for _, row in self.running()) and self._clock.boot_s() < until:
            await self._clock.sleep(LOOK_EVERY_S)
            self._end_settled()

    def answered(self, fact: TransactionFact, info: IdTokenInfo | None) -> None:
        """What the CSMS said of the token in a fact: acts on the session only if that transaction still runs (E05, C15)."""
        row = self.find(fact.transaction)
        if row is None or info is None or row.ending is not None or fact.id_token is None or not row.authorized:
            return
        if info.status is AuthorizationStatus.ACCEPTED:
            self._learn_group(row, info.group)
            return
        log.warning("EVSE %d: the CSMS says of the token: %s", row.evse, info.status.value)
        if self._variables.boolean("TxCtrlr.StopTxOnInvalidId"):
            self.stop(row, Cause(Trigger.DEAUTHORIZED, self._clock.stamp(), StopReason.DE_AUTHORIZED), hold=True)
        else:
            self._limit_energy(row)

    def sampled(self, evse: int, trigger: Trigger, readings: tuple[Reading, ...]) -> bool:
        """Measured values for the running transaction at this EVSE; False when there is none to tell them in."""
        row = self.rows.get(evse)
        if row is None or row.running is None or row.ending is not None:
            return False
        with self.writing(row):
            self._transactions.update(row, Cause(trigger, self._clock.stamp()), self.charging_state(row), readings)
        return True

    def signed(self, evse: int) -> None:
        """The meter has signed: a transaction that waits for it begins (E01.FR.04), for a car that control sees now."""
        row = self.rows.get(evse)
        if row is not None and begins_signed(row) and self._seen(row) and self._variables.boolean("SampledDataCtrlr.SignReadings"):
            with self.writing(row):
                row.signed = True
                self._transactions.begin(row, Cause(Trigger.SIGNED_DATA_RECEIVED, self._clock.stamp()), self.charging_state(row))
            self.act(evse, False)

    def resumed(self, row: SessionRow) -> None:
        """The car of a session that a power cut interrupted is still there. Joins the open database transaction."""
        row.interrupted = False
        self._transactions.resumed(row)

    def trigger(self, evse: int | None, connector: int | None) -> bool:
        """A TransactionEvent on the CSMS's order, for each running transaction (F06.FR.07). False when none runs."""
        rows = [row for row in self.rows.values() if row.running is not None and row.ending is None and evse in (None, row.evse)]
        for row in rows:
            with self.writing(row):
                self._transactions.trigger(row, self.charging_state(row))
        return bool(rows)

    def tick(self) -> None:
        """Each second: what time does to a session, then what it may do in the next one."""
        self._end_settled()
        for row in list(self.rows.values()):
            self._time_out(row)
            self.retell(row)
        for evse in self.evses:
            self.act(evse, True)

    def retell(self, row: SessionRow) -> None:
        """Tells the charging state when it has changed without an event of the table (E02.FR.13)."""
        power = self.power(row.evse)
        if power is not None and power.offered and not row.offered_at:
            row.offered_at = self._clock.boot_s()
        running = row.running
        if running is not None and row.ending is None and running.told is not self.charging_state(row):
            with self.writing(row):
                self._transactions.update(row, Cause(Trigger.CHARGING_STATE_CHANGED, self._clock.stamp()), self.charging_state(row))

    # the table and the row

    def new(self, evse: int) -> SessionRow:
        """A session that has not begun: not yet among the rows."""
        now = self._clock.stamp()
        start, stop = self._points()
        return SessionRow(id=str(uuid4()), evse=evse, connector=1, began=now, alive=now, start=start, stop=stop)

    def step(self, row: SessionRow, event: Event, cause: Cause) -> None:
        """Applies one event of the table. Belongs inside `writing`."""
        before, target = row.stand, TABLE.step(row.state, event)
        after = Stand(target or row.state, OCCUPANCY.get(event, row.occupied))
        if target is None and after == before:
            return
        if row.running is not None and row.ending is None:
            after = with_car(before, after, row.stop)
        row.state, row.occupied = after
        log.info("EVSE %d: %s -> %s (%s)", row.evse, before.state.value, after.state.value, event.value)
        if after.state is not State.CLOSED:
            self.rows[row.evse] = row
        elif self.rows.get(row.evse) is row:
            del self.rows[row.evse]
        self._follow(row, before, after, cause)
        if after == Stand(State.CLOSED, occupied=True):
            self._park(row.evse)

    def _park(self, evse: int) -> None:
        """A session is over, and its car still in the bay: the next one begins there, without a transaction before something happens."""
        row = self.rows[evse] = self.new(evse)
        row.state, row.occupied = State.PARKED, True
        with self.writing(row):
            pass

    def end_if_settled(self, row: SessionRow) -> None:
        """Tells the end that waits, once the last watt-hour is known. Belongs inside `writing`."""
        if row.ending is None:
            return
        if self._transactions.settled(row, self._may_flow(row)):
            self._end(row)
        elif row.state is State.CLOSED and row not in self.ending:
            self.ending.append(row)

    @contextmanager
    def writing(self, row: SessionRow) -> Iterator[None]:
        """What happens inside is kept together with the row, or the process ends."""
        with self._db.transaction():
            yield
            row.alive = self._clock.stamp()
            row.open = row.state is not State.CLOSED or row.running is not None
            self.store.save(row)

    def _points(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self._version() == OCPP_16:
            return START_16, STOP_16
        return tuple(self._variables.listed("TxCtrlr.TxStartPoint")), tuple(self._variables.listed("TxCtrlr.TxStopPoint"))

    def _follow(self, row: SessionRow, before: Stand, after: Stand, cause: Cause) -> None:
        """The transaction, as far as it follows from the step."""
        if (row.running is None or row.ending is not None) and self._begins(row, before, after):
            for waiting in [other for other in (*self.ending, row) if other.evse == row.evse and other.ending is not None]:
                self._end(waiting)
            self._transactions.begin(row, cause, self.charging_state(row))
        elif row.running is None or row.ending is not None:
            self.end_if_settled(row)
        elif ends(before, after, row.stop):
            self._transactions.will_end(row, cause)
            self.end_if_settled(row)
        elif (before.state, after.state) not in UNTOLD:
            self._transactions.update(row, cause, self.charging_state(row))

    def _begins(self, row: SessionRow, before: Stand, after: Stand) -> bool:
        """A cable or a parked car alone begins no transaction at an inoperative EVSE; one left out so begins once somebody is authorized. And so does
        the next one of a car that has not moved."""
        if not (row.authorized or self.operative(row.evse)):
            return False
        anew = not row.last or Point.AUTHORIZED in after.points - before.points
        return begins(before, after, row.start) or (anew and holds(after, row.start))

    def _end(self, row: SessionRow) -> None:
        self._transactions.end(row, self.charging_state(row))
        row.signed = False
        if row in self.ending:
            self.ending.remove(row)
            row.open = False
            self.store.save(row)

    def _end_settled(self) -> None:
        for row in [row for row in (*self.ending, *self.rows.values()) if row.ending is not None]:
            if self._transactions.settled(row, self._may_flow(row)):
                with self.writing(row):
                    self._end(row)

    def _may_flow(self, row: SessionRow) -> bool:
        power = self.power(row.evse)
        return power is not None and power.closed and self._seen(row)

    def _seen(self, row: SessionRow) -> bool:
        """Whether the control that is there has told of this session's car."""
        return self._hardware.present and row.control_start == self._hardware.start

    def _time_out(self, row: SessionRow) -> None:
        """EVConnectionTimeOut: nobody came (E03.FR.05, C01.FR.26), or a tethered cable is not plugged in again (E10.FR.02); in 1.6 that waits (4.10).
        There a car that nobody is authorized for has its time: the next driver's card shall not mean its cable (4.9 B6, errata 3.20)."""
        in_16 = self._version() == OCPP_16
        since = {
            State.AUTHORIZED: row.authorized_at,
            State.DETACHED: row.detached_at if self.tethered(row.evse) and not in_16 else None,
            State.PLUGGED: row.plugged_at if in_16 else None,
        }.get(row.state)
        if since is None or self._clock.boot_s() < since + self._variables.integer("TxCtrlr.EVConnectionTimeOut"):
            return
        with self.writing(row):
            row.stop_reason = StopReason.TIMEOUT
            self.step(row, Event.TIMED_OUT, Cause(Trigger.EV_CONNECT_TIMEOUT, self._clock.stamp(), row.stop_reason))
        self.act(row.evse, False)

    def _learn_group(self, row: SessionRow, group: IdToken | None) -> None:
        if group is not None and group != row.group:
            with self.writing(row):
                row.group = group

    def _limit_energy(self, row: SessionRow) -> None:
        """StopTxOnInvalidId false: the transaction goes on without energy, or with what MaxEnergyOnInvalidId leaves of it (E05.FR.02, E05.FR.03)."""
        most_wh = self._variables.integer("TxCtrlr.MaxEnergyOnInvalidId")
        begin_wh = row.running.begin_wh if row.running is not None else None
        with self.writing(row):
            row.no_energy = True
            row.allowed_wh = begin_wh + most_wh if most_wh > 0 and begin_wh is not None else None
        self.act(row.evse, False)
