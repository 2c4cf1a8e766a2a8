"""What control says, as events of the sessions: plugs, contactor, faults; and how a session meets its car again after a restart of either process.

A lost edge is never guessed from a state: edges are counted, and the number of the last one is kept with what it changed. Must not know permits or
transactions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import partial

from chargepoint.clock import Clock
from chargepoint.link.messages import Edge, EdgeKind, EvseState
from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.fault import CATALOGUE, Clears, Effect
from chargepoint.model.idtoken import NOBODY
from chargepoint.model.pilot import PilotState
from chargepoint.model.session import Event, Point, SessionRow, State
from chargepoint.model.stamp import Stamp
from chargepoint.station.hardware import Hardware
from chargepoint.station.sessions import Sessions, Start, Variables
from chargepoint.station.transactions import Cause
from chargepoint.store.db import Db
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

MARK = "control.edges"
CARS = (PilotState.B, PilotState.C, PilotState.D)
CAR_STOPPED = "car"
"""Control's word for an opening because the car opened S2."""
LOOKED_AWAY = "control looked away"
NO_OFFER = "0"
"""Control's word for X1."""
SAME_CAR_WITHIN_S = 10.0
"""Control looked away (it started anew, or stood still) for so long at most, for the car it finds then to count as the one before."""
PRESS_COUNTS_S = 5.0
"""A press told later, as after a restart of this process, means nothing any more."""
WITHOUT_CAR = (State.DETACHED, State.CABLE_LEFT)
FAULT_REASONS = {
    "emergency_stop": StopReason.EMERGENCY_STOP,
    "residual_current": StopReason.GROUND_FAULT,
    "over_current": StopReason.OVERCURRENT_FAULT,
}
"""Faults that were meant to stop a session, and have a word of ReasonEnumType; the others end it as Other."""
POWER_QUALITY = ("over_voltage", "under_voltage", "phase_loss")
"""Faults of the supply that suspend a session."""


def ends_session(fault: str) -> bool:
    """Whether a fault ends the session: it stops charging, and either does not go while this car stays or was meant to stop it. Others suspend."""
    row = CATALOGUE.get(fault)
    if row is None or row.effect in (Effect.LIMIT, Effect.TELL_ONLY):
        return False
    return row.clears is not Clears.CAUSE_GONE or fault in FAULT_REASONS


def _opened_because(row: SessionRow, why: str) -> tuple[Trigger, StopReason]:
    """What ends a transaction whose end is that of its energy (3.67 ReasonEnumType, 3.82 TriggerReasonEnumType): the car stopped, a fault did
    (E06.FR.16), or the CSMS refused the token and nothing, or nothing more, is delivered. why: control's word."""
    if row.satisfied:
        return Trigger.CHARGING_STATE_CHANGED, StopReason.STOPPED_BY_EV
    if why in CATALOGUE:
        return Trigger.ABNORMAL_CONDITION, StopReason.POWER_QUALITY if why in POWER_QUALITY else FAULT_REASONS.get(why, StopReason.OTHER)
    if row.no_energy and row.allowed_wh is None:
        return Trigger.DEAUTHORIZED, StopReason.DE_AUTHORIZED
    if row.no_energy:
        return Trigger.ENERGY_LIMIT_REACHED, StopReason.ENERGY_LIMIT_REACHED
    return Trigger.CHARGING_STATE_CHANGED, StopReason.OTHER


class Edges:
    """usable: whether somebody waiting for a car elsewhere may find it at this EVSE; give_up: ends a session whose car a power cut lost. on_button: a
    button was pressed; buttons: the EVSEs that have one; on_bay: told each state first, as a car comes before its cable."""

    def __init__(
        self,
        clock: Clock,
        db: Db,
        variables: Variables,
        hardware: Hardware,
        sessions: Sessions,
        usable: Callable[[int], bool],
        give_up: Callable[[SessionRow], None],
    ) -> None:
        self.on_button: Callable[[int], None] = lambda evse: None
        self.buttons: Collection[int] = ()
        self.on_bay: Callable[[EvseState], None] = lambda state: None
        self._clock = clock
        self._db = db
        self._values = Values(db)
        self._variables = variables
        self._hardware = hardware
        self._sessions = sessions
        self._usable = usable
        self._give_up = give_up
        self._kept: tuple[int, int] = self._values.get(MARK, tuple[int, int]) or (0, 0)
        self._heard = self._kept
        self._looked: dict[int, float] = {}
        hardware.hear_edge = self.hear_edge
        hardware.hear_state = self.hear_state

    def acknowledged(self) -> tuple[int, int]:
        """Control's start and the number of its last edge written down, for the link's hello."""
        return self._kept

    def hear_edge(self, edge: Edge) -> None:
        """One edge, once; returns when it is written down: over a power cut, after which control counts anew, only what is more than a count of
        offers that were taken away."""
        start = self._hardware.start
        if self._heard[0] == start and edge.number <= self._heard[1]:
            return
        self._heard = (start, edge.number)
        change = self._change(edge)
        if change is None:
            return
        with self._db.transaction(durable=edge.kind is not EdgeKind.OFFERED):
            change()
            self._values.set(MARK, self._heard)
        self._kept = self._heard
        self._sessions.act(edge.evse, False)

    def hear_state(self, state: EvseState, news: bool) -> None:
        """A state; every edge before it has been heard. One that says nothing new is left to the turn of the second, unless the session is at odds
        with it."""
        self.on_bay(state)
        amended = self._amend(state)
        self._looked[state.evse] = state.at
        if not (news or amended):
            return
        row = self._sessions.row(state.evse)
        if row is not None:
            self._sessions.retell(row)
        self._sessions.act(state.evse, False)

    def _amend(self, state: EvseState) -> bool:
        """What no edge told, because control or this process looked away. Whether there was anything."""
        row = self._sessions.row(state.evse)
        if row is None or row.state in (State.PARKED, State.AUTHORIZED):
            if state.pilot not in CARS or not state.plug_in:
                return False
            self._plugged(state.evse, state.plug_in, state.since_plug_in or state.at)
        elif row.plugged and (row.control_start != self._hardware.start or (state.plug_in and state.plug_in != row.plug_in)):
            self._meet_again(row, state)
        elif row.state in WITHOUT_CAR and not state.cable and state.pilot == PilotState.A and not self._sessions.tethered(row.evse):
            self._apply(row, Event.GONE, self._left(self._clock.stamp_at(state.at)))
        else:
            return False
        return True

    def _change(self, edge: Edge) -> Callable[[], None] | None:
        """What an edge changes; None for the many that change nothing here, so that nothing is written for them."""
        row = self._sessions.row(edge.evse)
        at = self._clock.stamp_at(edge.at)
        match edge.kind:
            case EdgeKind.PLUGGED:
                return partial(self._plugged, edge.evse, edge.plug_in, edge.at)
            case EdgeKind.UNPLUGGED if row is not None and row.plugged:
                return partial(self._unplugged, row, at)
            case EdgeKind.CLOSED if row is not None:
                return partial(self._closed, row, at)
            case EdgeKind.OFFERED if row is not None and row.plugged and row.authorized and edge.value == NO_OFFER:
                return partial(self._interrupted, row)
            case EdgeKind.OPENED:
                return partial(self._opened, edge.evse, at, edge.value)
            case EdgeKind.BUTTON_PRESSED if self._clock.boot_s() - edge.at < PRESS_COUNTS_S:
                return partial(self.on_button, edge.evse)
            case EdgeKind.FAULT_RAISED if row is not None and row.authorized and ends_session(edge.value):
                return partial(self._failed, row, edge.value, at)
            case _:
                return None

    def _plugged(self, evse: int, plug_in: int, at: float) -> None:
        row = self._sessions.row(evse)
        if row is not None and row.plugged:
            if row.plug_in == plug_in and row.control_start == self._hardware.start:
                return
            if self._same_car(row, at):
                self._adopt(row, plug_in, at)
                return
            self._apply(row, Event.GONE, self._left(self._clock.stamp_at(at)))
        elif row is not None and row.state is State.CABLE_LEFT and not row.hold:
            self._apply(row, Event.GONE, self._left(self._clock.stamp_at(at)))
        row = self._sessions.row(evse) or self.waiting_elsewhere(evse) or self._sessions.new(evse)
        with self._sessions.writing(row):
            row.plug_in, row.control_start, row.plugged_at, row.floating = plug_in, self._hardware.start, at, False
            row.offered_at = 0.0
            self._sessions.step(row, Event.PLUGGED, Cause(Trigger.CABLE_PLUGGED_IN, self._clock.stamp_at(at)))
        if row.state is State.PLUGGED and evse not in self.buttons and not self._variables.boolean("AuthCtrlr.Enabled"):
            self._sessions.start(evse, Start(NOBODY))

    def _unplugged(self, row: SessionRow, at: Stamp) -> None:
        """The pilot is back in A: the car's end came out, or the whole cable did (a tethered one has no other end)."""
        state = self._hardware.state(row.evse)
        tethered = self._sessions.tethered(row.evse)
        with self._sessions.writing(row):
            row.detached_at = at.boot_s
            if row.authorized and not self._variables.boolean("TxCtrlr.StopTxOnEVSideDisconnect"):
                event = Event.DETACHED
            elif tethered or (state is not None and not state.cable):
                event = Event.GONE
            else:
                kept = row.authorized and row.owned and not self._variables.boolean("OCPPCommCtrlr.UnlockOnEVSideDisconnect")
                row.hold = row.hold or kept
                event = Event.LEFT
            self._sessions.step(row, event, self._left(at))

    def _closed(self, row: SessionRow, at: Stamp) -> None:
        with self._sessions.writing(row):
            row.charged, row.satisfied, row.wake_rung = True, False, 0
            self._sessions.step(row, Event.CLOSED, Cause(Trigger.CHARGING_STATE_CHANGED, at))
            if row.running is not None and not row.running.closed_at:
                row.running.closed_at = at.boot_s

    def _interrupted(self, row: SessionRow) -> None:
        with self._sessions.writing(row):
            row.interruptions += 1

    def _opened(self, evse: int, at: Stamp, why: str) -> None:
        for row in self._sessions.at(evse):
            with self._sessions.writing(row):
                row.opened_at = at.boot_s
                row.satisfied = why == CAR_STOPPED
                if row.running is not None and row.running.closed_at:
                    row.running.charged_s += max(0.0, at.boot_s - row.running.closed_at)
                    row.running.closed_at = 0.0
                trigger, reason = _opened_because(row, why)
                ends = Point.ENERGY_TRANSFER in row.stop
                self._sessions.step(row, Event.OPENED, Cause(trigger if ends else Trigger.CHARGING_STATE_CHANGED, at, reason))

    def _failed(self, row: SessionRow, fault: str, at: Stamp) -> None:
        log.warning("EVSE %d: the session ends: %s", row.evse, CATALOGUE[fault].sentence)
        self._sessions.stop(row, Cause(Trigger.ABNORMAL_CONDITION, at, FAULT_REASONS.get(fault, StopReason.OTHER)))

    def _meet_again(self, row: SessionRow, state: EvseState) -> None:
        """Control looked away while a car was plugged in, and says what it finds."""
        at = self._clock.stamp_at(state.at)
        if state.pilot == PilotState.A and row.interrupted:
            self._give_up(row)
        elif state.pilot == PilotState.A:
            self._unplugged(row, at)
        elif state.pilot in CARS and state.plug_in:
            self._plugged(row.evse, state.plug_in, state.at)
            if row.state in (State.CHARGING, State.STOPPING) and not state.closed:
                self._opened(row.evse, at, LOOKED_AWAY)

    def _same_car(self, row: SessionRow, at: float) -> bool:
        """A new number without an unplugged car in between: control looked away, and found a car when it looked again."""
        looked = self._looked.get(row.evse)
        if looked is None:
            return row.control_start != self._hardware.start
        return row.interrupted or at - looked < SAME_CAR_WITHIN_S

    def _adopt(self, row: SessionRow, plug_in: int, at: float) -> None:
        """The session goes on. A control that started anew began with an open contactor, whose opening nobody told."""
        log.info("EVSE %d: control looked away and found the same car", row.evse)
        anew = row.control_start != self._hardware.start
        with self._sessions.writing(row):
            if row.interrupted:
                self._sessions.resumed(row)
            row.plug_in, row.control_start = plug_in, self._hardware.start
        if anew and row.state in (State.CHARGING, State.STOPPING):
            self._opened(row.evse, self._clock.stamp_at(at), LOOKED_AWAY)

    def waiting_elsewhere(self, evse: int) -> SessionRow | None:
        """The one session authorized at a reader for all that waits for its car at another EVSE: the car has come here."""
        waiting = [row for row in self._sessions.rows.values() if row.floating and row.state is State.AUTHORIZED]
        if len(waiting) != 1 or not self._usable(evse):
            return None
        row = waiting[0]
        former = row.evse
        del self._sessions.rows[former]
        row.evse = evse
        self._sessions.rows[evse] = row
        self._sessions.act(former, False)
        return row

    def _apply(self, row: SessionRow, event: Event, cause: Cause) -> None:
        with self._sessions.writing(row):
            self._sessions.step(row, event, cause)

    def _left(self, at: Stamp) -> Cause:
        return Cause(Trigger.EV_COMMUNICATION_LOST, at, StopReason.EV_DISCONNECTED)
