"""How sessions outlive the process and the power. Must not know edges: whose car is plugged in now is found out there.

The process alone restarted: every session goes on from its row. The power was cut (another boot of the board): a session is closed with the time the
station was last known alive, or goes on, as the settings say, and then only for a car that control finds plugged in at its first look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

import msgspec

from chargepoint.clock import Clock
from chargepoint.model.facts import StopReason, TransactionFact, Trigger
from chargepoint.model.session import Running, SessionRow, State
from chargepoint.station.sessions import Sessions
from chargepoint.station.transactions import Cause, Transactions
from chargepoint.store.boots import Boots
from chargepoint.store.orphans import Orphans
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

METER_WITHIN_S = 30.0
"""How long a meter may take after a start before the stored register is told."""
DELAY = "station.start_delay"
GOES_ON = {
    State.PARKED: State.PARKED,
    State.PLUGGED: State.PLUGGED,
    State.READY: State.READY,
    State.CHARGING: State.READY,
    State.FINISHING: State.FINISHING,
}
"""What a session goes on as after a power cut; the others end: nobody waits for a car over a power cut."""


class Delay(msgspec.Struct, frozen=True):
    """The first offer of a boot comes no earlier than until (boot clock's time)."""

    boot: int
    until: float


def start_delay(clock: Clock, values: Values, most_s: float, random: Callable[[float], float]) -> float:
    """Boot clock's time of the first offer: a random wait after power has returned, drawn once per boot. random: a number up to its argument."""
    if most_s <= 0:
        return 0.0
    kept = values.get(DELAY, Delay)
    if kept is None or kept.boot != clock.boot:
        kept = Delay(clock.boot, clock.boot_s() + random(most_s))
        values.set(DELAY, kept)
    return kept.until


class Recovery:
    """resume: [station] after_power_loss."""

    def __init__(self, clock: Clock, sessions: Sessions, transactions: Transactions, boots: Boots, orphans: Orphans, *, resume: bool) -> None:
        self._clock = clock
        self._sessions = sessions
        self._transactions = transactions
        self._boots = boots
        self._orphans = orphans
        self._resume = resume

    def recover(self) -> None:
        """Takes up every session that was open. To be called once, before control is connected."""
        for row in self._sessions.store.open_rows():
            if row.evse in self._sessions.rows or row.evse not in self._sessions.evses:
                log.error("EVSE %d: a session ends, as it cannot be one of this EVSE", row.evse)
                self.give_up(row)
            elif row.alive.boot == self._clock.boot:
                self._go_on(row)
            else:
                self._after_power_cut(row)

    def end_orphans(self) -> None:
        """Every transaction that nobody goes on with, because its session or its end cannot be read, ends with what is known of it."""
        for session, first, last in self._orphans.found({id for id, _ in self._sessions.running()}):
            log.error("EVSE %d: transaction %s ends, as what it was to go on with cannot be read", last.evse, last.transaction)
            row = SessionRow(
                id=session or str(uuid4()),
                evse=last.evse,
                connector=last.connector,
                began=first.at,
                alive=last.at,
                start=(),
                stop=(),
                state=State.CLOSED,
                charged=True,
                running=_running(first, last),
                last=last.transaction,
            )
            with self._sessions.writing(row):
                cause = Cause(Trigger.ABNORMAL_CONDITION, last.at, StopReason.OTHER)
                self._transactions.will_end(row, cause, within_s=METER_WITHIN_S, patient=True)
                self._sessions.end_if_settled(row)

    def give_up(self, row: SessionRow) -> None:
        """The car of an interrupted session was not there at control's first look: it ends as the power cut left it."""
        with self._sessions.writing(row):
            self._close(row)

    def _go_on(self, row: SessionRow) -> None:
        log.info("EVSE %d: session goes on (%s)", row.evse, row.state.value)
        if row.ending is not None:  # this process has read no meter yet
            row.ending.until, row.ending.patient = max(row.ending.until, self._clock.boot_s() + METER_WITHIN_S), True
        if row.state is State.CLOSED:
            self._sessions.ending.append(row)
        else:
            self._sessions.rows[row.evse] = row

    def _after_power_cut(self, row: SessionRow) -> None:
        row.alive = self._boots.later(row.alive)
        self._count_charging(row)
        if row.state in GOES_ON and self._resume and row.ending is None:
            log.warning("EVSE %d: a power cut interrupted the session; it goes on if the car is still there", row.evse)
            if not row.interrupted:
                self._transactions.interrupted(row)
            row.state, row.interrupted, row.control_start = GOES_ON[row.state], True, 0
            self._new_clock(row)
            self._sessions.rows[row.evse] = row
            self._sessions.store.save(row)
            return
        log.warning("EVSE %d: a power cut interrupted the session; it ends", row.evse)
        with self._sessions.writing(row):
            self._close(row)

    def _close(self, row: SessionRow) -> None:
        """Ended when last known alive, with the register the meter gives now."""
        cause = Cause(Trigger.ABNORMAL_CONDITION, row.alive, StopReason.POWER_LOSS)
        if row.ending is not None:
            cause = Cause(row.ending.trigger, row.ending.at, row.ending.reason, row.ending.token)
            row.ending = None
        row.stop_reason = cause.reason
        row.state = State.CLOSED
        row.opened_at = row.offered_at = 0.0
        if self._sessions.rows.get(row.evse) is row:
            del self._sessions.rows[row.evse]
        self._transactions.will_end(row, cause, within_s=METER_WITHIN_S, patient=True)
        self._sessions.end_if_settled(row)

    def _new_clock(self, row: SessionRow) -> None:
        """Times of the former boot's clock mean nothing in this one."""
        now = self._clock.boot_s()
        row.plugged_at = row.authorized_at = now
        row.detached_at = row.offered_at = row.opened_at = 0.0

    def _count_charging(self, row: SessionRow) -> None:
        running = row.running
        if running is not None and running.closed_at:
            running.charged_s += max(0.0, row.alive.boot_s - running.closed_at)
            running.closed_at = 0.0


def _running(first: TransactionFact, last: TransactionFact) -> Running:
    """As far as its facts say."""
    return Running(
        id=last.transaction,
        began=first.at,
        seq=last.seq + 1,
        told=last.charging_state,
        said_evse=True,
        begin_wh=first.register_wh,
        register_wh=last.register_wh,
        last_at=last.at,
    )
