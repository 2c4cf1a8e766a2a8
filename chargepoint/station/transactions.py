"""What a CSMS is told of a session: a transaction's begin, its events, its end. One final fact per TransactionEvent (2.0.1 part 2, E01 to E12).

Must not know why something happened (it is given a `Cause`), nor hardware. Every call belongs inside the database transaction that keeps the row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol
from uuid import uuid4

from chargepoint.clock import Clock
from chargepoint.model.facts import ChargingState, EventKind, Fact, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import IdToken
from chargepoint.model.sample import Context, MeterSample, Purpose, Quality, Reading
from chargepoint.model.session import Ending, Running, SessionRow
from chargepoint.model.stamp import Stamp

END_WITHIN_S = 10.0
"""How long an end waits for the contactor: the car has 6 s to open S2 (IEC 61851-1 Table A.6), the contactor and a reading come after."""
READING_WITHIN_S = 2.5
"""How long an end waits for a reading once the contactor is open: the meter is read each second."""
FALLS_WITHIN_S = 0.3
"""After control is gone: the supply of the relay holds for some 100 ms, and the contactor takes its time."""
CARRIES_A = 1.0
"""Above what a meter shows of an idle phase; a car draws 6 A or rests."""
REGISTER_STEP_WH = 1.0
"""How far a register may seem to run backwards by rounding."""


class Cause(NamedTuple):
    """Why something happens to a session, and when. reason: for an end; token: the one that ended the authorization."""

    trigger: Trigger
    at: Stamp
    reason: StopReason | None = None
    token: IdToken | None = None


def _says_state(cause: Cause, state: ChargingState) -> bool:
    """A refused token is told with the state it leaves, even one told before; while energy flows the next event says it (E05.FR.09)."""
    return cause.trigger is Trigger.DEAUTHORIZED and state is not ChargingState.CHARGING


class Meters(Protocol):
    """The meters, as far as transactions need them."""

    def latest(self, evse: int) -> MeterSample | None: ...

    def register_wh(self, evse: int) -> float | None: ...

    def readings(self, evse: int, purpose: Purpose, context: Context) -> tuple[Reading, ...]: ...

    def begin(self, evse: int, transaction: str) -> None: ...

    def collect(self, evse: int, transaction: str, context: Context, at: Stamp | None = None) -> None: ...

    def end(self, evse: int, transaction: str) -> tuple[Reading, ...]: ...


def register_of(running: Running, sample: MeterSample | None) -> tuple[float | None, bool]:
    """The import register to tell in Wh, and whether it is only the stored one: the meter is silent, another, or was reset. Never less than the
    last."""
    stored = running.register_wh
    if sample is None or sample.quality is not Quality.GOOD or sample.energy_wh is None:
        return stored, True
    if running.meter_id and sample.meter_id and sample.meter_id != running.meter_id:
        return stored, True
    if stored is not None and sample.energy_wh < stored - REGISTER_STEP_WH:
        return stored, True
    return max(sample.energy_wh, stored if stored is not None else sample.energy_wh), False


def in_order(at: Stamp, last: Stamp | None) -> Stamp:
    """A fact is never told as older than the one before it: what control saw may reach a busy station after something that happened later."""
    return last if last is not None and last.boot == at.boot and at.boot_s < last.boot_s else at


def phases_of(sample: MeterSample | None) -> int:
    """How many phases carry current; 0: none, or it is not known."""
    if sample is None or sample.quality is not Quality.GOOD:
        return 0
    return sum(current is not None and current > CARRIES_A for current in sample.current_a)


class Transactions:
    """connection: number of the present accepted connection (0: none); append: the outbox; cable_a: rating of the cable in the socket of an EVSE, A
    (None: tethered, or not known); in_memory: whether the storage fails."""

    def __init__(self, clock: Clock, append: Callable[[Fact], int], meters: Meters, connection: Callable[[], int]) -> None:
        self.cable_a: Callable[[int], float | None] = lambda evse: None
        self.in_memory: Callable[[], bool] = lambda: False
        self._clock = clock
        self._append = append
        self._meters = meters
        self._connection = connection

    def begin(self, row: SessionRow, cause: Cause, state: ChargingState) -> None:
        """A transaction starts. Its id is never used twice (E01.FR.08)."""
        running = Running(id=str(uuid4()), began=cause.at)
        row.running, row.last = running, running.id
        row.unsaid_token = row.authorized and row.token is not None
        self._meters.begin(row.evse, running.id)
        self._read(running, row.evse)
        running.begin_wh = running.register_wh
        running.begin_due = row.floating
        readings = () if row.floating else self._meters.readings(row.evse, Purpose.BEGIN, Context.TRANSACTION_BEGIN)
        self._tell(row, running, EventKind.STARTED, cause, state, readings)

    def update(self, row: SessionRow, cause: Cause, state: ChargingState, readings: tuple[Reading, ...] = ()) -> None:
        """Something happened in the running transaction. The charging state is told when it is another than the last told (E02.FR.13). Where the EVSE
        was not known at its begin, the readings of the begin go along when it becomes known (part 6, TC_J_08_CS) and when charging starts
        (E05.FR.08): the register is the same."""
        if row.running is not None:
            self._read(row.running, row.evse)
            charging, found = state is ChargingState.CHARGING, row.plugged and not row.running.said_evse and cause.trigger is not Trigger.TRIGGER
            if row.running.begin_due and (charging or found):
                row.running.begin_due = not charging
                readings = (*self._meters.readings(row.evse, Purpose.BEGIN, Context.TRANSACTION_BEGIN), *readings)
            self._tell(row, row.running, EventKind.UPDATED, cause, state, readings)

    def trigger(self, row: SessionRow, state: ChargingState) -> None:
        """What is true now, asked for by the CSMS: always with the charging state, and the latest values (F06.FR.07); and with the EVSE, so that the
        answers for all EVSEs can be told apart (part 6, TC_F_14_CS)."""
        if row.running is not None:
            row.running.told, row.running.said_evse = None, False
            readings = self._meters.readings(row.evse, Purpose.UPDATED, Context.TRIGGER)
            self.update(row, Cause(Trigger.TRIGGER, self._clock.stamp()), state, readings)

    def interrupted(self, row: SessionRow) -> None:
        """The power was cut, and the transaction is to go on: the register it had then is told at its end (ReadingContextEnumType)."""
        if row.running is not None:
            self._meters.collect(row.evse, row.running.id, Context.INTERRUPTION_BEGIN, row.alive)

    def resumed(self, row: SessionRow) -> None:
        """The car is still there after the power cut."""
        if row.running is not None:
            self._meters.collect(row.evse, row.running.id, Context.INTERRUPTION_END)

    def will_end(self, row: SessionRow, cause: Cause, *, within_s: float = END_WITHIN_S, patient: bool = False) -> None:
        """The running transaction is to end as soon as it is `settled`."""
        if row.running is not None and row.ending is None:
            reason = row.stop_reason or cause.reason or StopReason.OTHER
            row.ending = Ending(cause.trigger, reason, cause.at, self._clock.boot_s() + within_s, self._connection(), cause.token, patient)

    def settled(self, row: SessionRow, closed: bool) -> bool:
        """Whether the last watt-hour is known: the contactor is open and was read after, or cannot have mattered, or it takes too long."""
        now = self._clock.boot_s()
        if row.ending is None or now >= row.ending.until or not row.charged:
            return True
        if closed:
            return False
        if row.running is not None and row.running.closed_at > row.opened_at:  # control is gone, and the contactor falls untold
            row.opened_at = now + FALLS_WITHIN_S
        sample = self._meters.latest(row.evse)
        if sample is not None and sample.quality is Quality.GOOD and sample.at.boot == self._clock.boot and sample.at.boot_s > row.opened_at:
            return True
        return not row.ending.patient and now >= row.opened_at + READING_WITHIN_S

    def end(self, row: SessionRow, state: ChargingState) -> None:
        """Tells the end that was asked for, with what is known now."""
        running, ending = row.running, row.ending
        if running is None or ending is None:
            return
        estimated = self._read(running, row.evse)
        readings = (*self._meters.end(row.evse, running.id), *self._meters.readings(row.evse, Purpose.ENDED, Context.TRANSACTION_END))
        opened = self._clock.stamp_at(row.opened_at)
        at = opened if ending.at.boot == opened.boot and row.opened_at > ending.at.boot_s else ending.at
        cause = Cause(ending.trigger, at, ending.reason, ending.token)
        self._tell(row, running, EventKind.ENDED, cause, state, readings, estimated=estimated)
        row.running = row.ending = None

    def _read(self, running: Running, evse: int) -> bool:
        sample = self._meters.latest(evse)
        running.register_wh, estimated = register_of(running, sample)
        if sample is not None and not estimated:
            running.meter_id = sample.meter_id
        kept = self._meters.register_wh(evse)
        if kept is not None:  # the last value of this meter, which may be younger than the last one told, and is never less than it
            running.register_wh = max(kept, running.register_wh or 0.0)
        return estimated

    def _tell(
        self,
        row: SessionRow,
        running: Running,
        kind: EventKind,
        cause: Cause,
        state: ChargingState,
        readings: tuple[Reading, ...],
        *,
        estimated: bool = False,
    ) -> None:
        ended = kind is EventKind.ENDED
        say_evse, say_bay = row.plugged and not running.said_evse, not row.plugged and cause.trigger is Trigger.EV_DETECTED
        phases = phases_of(self._meters.latest(row.evse)) if state is ChargingState.CHARGING else 0
        cable_a = int(self.cable_a(row.evse) or 0) if row.plugged else 0
        token = row.token if row.unsaid_token else cause.token
        at = running.last_at = in_order(cause.at, running.last_at)
        self._append(
            TransactionFact(
                transaction=running.id,
                seq=running.seq,
                kind=kind,
                trigger=Trigger.REMOTE_START if row.remote_start_id is not None and not ended else cause.trigger,
                at=at,
                evse=row.evse,
                connector=row.connector,
                connection=row.ending.connection if ended and row.ending is not None else self._connection(),
                charging_state=state if state is not running.told or _says_state(cause, state) else None,
                said_evse=say_evse or say_bay,
                id_token=token,
                group=row.group if row.unsaid_token else None,
                remote_start_id=row.remote_start_id,
                stopped_reason=cause.reason if ended else None,
                readings=readings,
                register_wh=running.register_wh,
                phases_used=phases if phases not in (0, running.phases) else None,
                cable_max_current_a=cable_a if cable_a not in (0, running.cable_a) else None,
                time_charging_s=round(self._charged_s(running)) if ended else None,
                billing_estimated=ended and estimated,
                in_memory=self.in_memory(),
            )
        )
        running.seq += 1
        running.told = state
        running.said_evse = running.said_evse or say_evse
        running.phases, running.cable_a = phases or running.phases, cable_a or running.cable_a
        row.unsaid_token, row.remote_start_id = False, None

    def _charged_s(self, running: Running) -> float:
        return running.charged_s + (self._clock.boot_s() - running.closed_at if running.closed_at else 0.0)
