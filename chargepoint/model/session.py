"""What the driver does, as a table: session states and transitions; and where in them a transaction begins and ends.

Pure values and functions. Must not know stores, messages or hardware, nor how an event is found. A session runs from the first sign of a driver to
the free connector; a transaction is what a CSMS is told of it, none, one or several per session (2.0.1 part 2, E01, E06).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

import msgspec

from chargepoint.model.connector import Phase
from chargepoint.model.facts import ChargingState, StopReason, Trigger
from chargepoint.model.idtoken import IdToken, IdTokenType
from chargepoint.model.stamp import Stamp


class State(StrEnum):
    """IDLE: no session. PARKED: a car in the bay, neither plugged in nor authorized. PLUGGED: a car, nobody authorized. AUTHORIZED: somebody
    authorized, no car yet. READY: both, contactor open. CHARGING: contactor closed. STOPPING: authorization over, contactor still closed. FINISHING:
    authorization over, car still there. DETACHED: the car's end is unplugged, the authorization stays. CABLE_LEFT: no car and no authorization, the
    plug still in the socket. CLOSED: over."""

    IDLE = "idle"
    PARKED = "parked"
    PLUGGED = "plugged"
    AUTHORIZED = "authorized"
    READY = "ready"
    CHARGING = "charging"
    STOPPING = "stopping"
    FINISHING = "finishing"
    DETACHED = "detached"
    CABLE_LEFT = "cable_left"
    CLOSED = "closed"


class Event(StrEnum):
    """PLUGGED: the pilot left A. AUTHORIZED, DEAUTHORIZED: somebody may charge, no longer may. CLOSED, OPENED: the contactor, proven. DETACHED: the
    car's end came out, the authorization stays (StopTxOnEVSideDisconnect false). LEFT: it came out and nothing goes on, the plug is still in the
    socket. GONE: car and cable are gone. TIMED_OUT: no car within EVConnectionTimeOut; 1.6: a car, and nobody authorized
    within ConnectionTimeOut. DETECTED, DEPARTED: the bay sensor sees a car, no longer
    sees one."""

    PLUGGED = "plugged"
    AUTHORIZED = "authorized"
    DEAUTHORIZED = "deauthorized"
    CLOSED = "closed"
    OPENED = "opened"
    DETACHED = "detached"
    LEFT = "left"
    GONE = "gone"
    TIMED_OUT = "timed_out"
    DETECTED = "detected"
    DEPARTED = "departed"


class Transition(NamedTuple):
    source: State
    event: Event
    target: State


_S, _E = State, Event

TRANSITIONS: tuple[Transition, ...] = (
    Transition(_S.IDLE, _E.PLUGGED, _S.PLUGGED),
    Transition(_S.IDLE, _E.AUTHORIZED, _S.AUTHORIZED),
    Transition(_S.IDLE, _E.DETECTED, _S.PARKED),
    Transition(_S.PARKED, _E.PLUGGED, _S.PLUGGED),
    Transition(_S.PARKED, _E.AUTHORIZED, _S.AUTHORIZED),
    Transition(_S.PARKED, _E.DEPARTED, _S.CLOSED),
    Transition(_S.PLUGGED, _E.AUTHORIZED, _S.READY),
    Transition(_S.PLUGGED, _E.TIMED_OUT, _S.FINISHING),
    Transition(_S.PLUGGED, _E.LEFT, _S.CLOSED),
    Transition(_S.PLUGGED, _E.GONE, _S.CLOSED),
    Transition(_S.AUTHORIZED, _E.PLUGGED, _S.READY),
    Transition(_S.AUTHORIZED, _E.DEAUTHORIZED, _S.CLOSED),
    Transition(_S.AUTHORIZED, _E.TIMED_OUT, _S.CLOSED),
    Transition(_S.READY, _E.CLOSED, _S.CHARGING),
    Transition(_S.READY, _E.DEAUTHORIZED, _S.FINISHING),
    Transition(_S.READY, _E.DETACHED, _S.DETACHED),
    Transition(_S.READY, _E.LEFT, _S.CABLE_LEFT),
    Transition(_S.READY, _E.GONE, _S.CLOSED),
    Transition(_S.CHARGING, _E.OPENED, _S.READY),
    Transition(_S.CHARGING, _E.DEAUTHORIZED, _S.STOPPING),
    Transition(_S.CHARGING, _E.DETACHED, _S.DETACHED),
    Transition(_S.CHARGING, _E.LEFT, _S.CABLE_LEFT),
    Transition(_S.CHARGING, _E.GONE, _S.CLOSED),
    Transition(_S.STOPPING, _E.OPENED, _S.FINISHING),
    Transition(_S.STOPPING, _E.LEFT, _S.CABLE_LEFT),
    Transition(_S.STOPPING, _E.GONE, _S.CLOSED),
    Transition(_S.FINISHING, _E.AUTHORIZED, _S.READY),
    Transition(_S.FINISHING, _E.CLOSED, _S.STOPPING),
    Transition(_S.FINISHING, _E.LEFT, _S.CABLE_LEFT),
    Transition(_S.FINISHING, _E.GONE, _S.CLOSED),
    Transition(_S.DETACHED, _E.PLUGGED, _S.READY),
    Transition(_S.DETACHED, _E.DEAUTHORIZED, _S.CABLE_LEFT),
    Transition(_S.DETACHED, _E.TIMED_OUT, _S.CLOSED),
    Transition(_S.DETACHED, _E.GONE, _S.CLOSED),
    Transition(_S.CABLE_LEFT, _E.PLUGGED, _S.FINISHING),
    Transition(_S.CABLE_LEFT, _E.GONE, _S.CLOSED),
)


class Point(StrEnum):
    """The steps a transaction may begin or end at (2.0.1 part 2, 2.6.6 TxStartStopPoint values)."""

    PARKING_BAY_OCCUPANCY = "ParkingBayOccupancy"
    EV_CONNECTED = "EVConnected"
    AUTHORIZED = "Authorized"
    DATA_SIGNED = "DataSigned"
    POWER_PATH_CLOSED = "PowerPathClosed"
    ENERGY_TRANSFER = "EnergyTransfer"


_P = Point

POINTS: dict[State, frozenset[Point]] = {
    State.IDLE: frozenset(),
    State.PARKED: frozenset(),
    State.PLUGGED: frozenset({_P.EV_CONNECTED}),
    State.AUTHORIZED: frozenset({_P.AUTHORIZED}),
    State.READY: frozenset({_P.EV_CONNECTED, _P.AUTHORIZED, _P.POWER_PATH_CLOSED}),
    State.CHARGING: frozenset({_P.EV_CONNECTED, _P.AUTHORIZED, _P.POWER_PATH_CLOSED, _P.ENERGY_TRANSFER}),
    State.STOPPING: frozenset({_P.EV_CONNECTED}),
    State.FINISHING: frozenset({_P.EV_CONNECTED}),
    State.DETACHED: frozenset({_P.AUTHORIZED}),
    State.CABLE_LEFT: frozenset(),
    State.CLOSED: frozenset(),
}
"""What holds in each state, whatever the bay. PowerPathClosed is EVConnected and Authorized, whatever the contactor does (2.6.6.1)."""


class Stand(NamedTuple):
    """Where a session stands. occupied: its bay's sensor sees a car, which it may or may not do in any state."""

    state: State
    occupied: bool = False

    @property
    def points(self) -> frozenset[Point]:
        """What holds."""
        return POINTS[self.state] | {Point.PARKING_BAY_OCCUPANCY} if self.occupied else POINTS[self.state]


START_16 = (Point.POWER_PATH_CLOSED,)
STOP_16 = (Point.AUTHORIZED,)
"""OCPP 1.6 has no such choice: a transaction begins when a car is there and somebody authorized, and ends with the authorization, which the unplugged
car ends or not by StopTransactionOnEVSideDisconnect (1.6 3.6, 4.10, 9.1.23)."""


def begins(before: Stand, after: Stand, start: Collection[str]) -> bool:
    """Whether a transaction begins with this step: one of its start points has come to hold."""
    return bool((after.points - before.points) & set(start))


def holds(stand: Stand, start: Collection[str]) -> bool:
    """Whether one of its start points holds."""
    return bool(stand.points & set(start))


def ends(before: Stand, after: Stand, stop: Collection[str]) -> bool:
    """Whether a running transaction ends with this step: one of its stop points no longer holds. The end of the session ends it in any case."""
    return after.state is State.CLOSED or bool((before.points - after.points) & set(stop))


def with_car(before: Stand, after: Stand, stop: Collection[str]) -> Stand:
    """Where a session with a running transaction comes to stand: what would be over, but for the car that is still in its bay, goes on with that car
    as long as no stop point ends its transaction (E06.FR.01)."""
    parked = Stand(State.PARKED, after.occupied)
    return parked if after.state is State.CLOSED and after.occupied and not ends(before, parked, stop) else after


UNTOLD = {(State.CABLE_LEFT, State.PARKED)}
"""Steps that are no news of a transaction: the car's end was out already."""
OCCUPANCY = {Event.DETECTED: True, Event.DEPARTED: False}
"""What the bay sensor's events say, in any state."""


class Ending(msgspec.Struct, omit_defaults=True):
    """An end that waits for the open contactor and a reading taken after it, so that the last watt-hour is told. until: boot clock's time at which
    it is told whatever is known; connection: number of the one it happened under; patient: a silent meter is waited for that long too (it may
    still be starting)."""

    trigger: Trigger
    reason: StopReason
    at: Stamp
    until: float
    connection: int = 0
    token: IdToken | None = None
    patient: bool = False


class Running(msgspec.Struct, omit_defaults=True):
    """The running transaction. seq: of its next fact; told: the charging state last told; register_wh: of the last reading; charged_s: seconds the
    contactor was closed, up to closed_at (boot clock's time; 0: it is open); begin_due: the readings of its begin are still to be told, as its EVSE
    was not known then; last_at: of the last fact told; phases, cable_a: phases used and rating of the cable as last told (0: not yet)."""

    id: str
    began: Stamp
    seq: int = 0
    told: ChargingState | None = None
    said_evse: bool = False
    begin_wh: float | None = None
    register_wh: float | None = None
    meter_id: str = ""
    charged_s: float = 0.0
    closed_at: float = 0.0
    begin_due: bool = False
    last_at: Stamp | None = None
    phases: int = 0
    cable_a: int = 0


class SessionRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A session as it is kept. Times in seconds are the boot clock's of boot `alive.boot`.

    start, stop: TxStartPoint and TxStopPoint as they were when the session began. occupied: its bay's sensor sees a car. plug_in and control_start:
    control's number for this plug-in, and of the start of control that gave it out. unsaid_token, remote_start_id: to be told in the next fact.
    hold: the plug stays locked until its owner shows the token. floating: authorized at a reader for all, the car may come to another EVSE.
    no_energy: authorized, but nothing is delivered above the register allowed_wh (None: at once). stop_reason: why the authorization ended. last:
    id of the last transaction. interrupted: a power cut came, and the car has not been seen since. interruptions: how often the offer was taken
    from this car; satisfied: it ended charging by itself under a standing offer, and has not asked for more; wake_rung, wake_steps: the next step
    of its ladder, and all steps taken; phases: what it is to be charged on; phase_switches: how often that has changed since it drew; signed: the
    meter has signed since car and authorization were there.
    """

    id: str
    evse: int
    connector: int
    began: Stamp
    alive: Stamp
    start: tuple[str, ...]
    stop: tuple[str, ...]
    open: bool = True
    state: State = State.IDLE
    occupied: bool = False
    plug_in: int = 0
    control_start: int = 0
    plugged_at: float = 0.0
    authorized_at: float = 0.0
    detached_at: float = 0.0
    offered_at: float = 0.0
    opened_at: float = 0.0
    token: IdToken | None = None
    group: IdToken | None = None
    unsaid_token: bool = False
    remote_start_id: int | None = None
    floating: bool = False
    hold: bool = False
    no_energy: bool = False
    allowed_wh: float | None = None
    charged: bool = False
    interrupted: bool = False
    phases: int = 3
    phase_switches: int = 0
    interruptions: int = 0
    satisfied: bool = False
    wake_rung: int = 0
    wake_steps: int = 0
    signed: bool = False
    stop_reason: StopReason | None = None
    running: Running | None = None
    ending: Ending | None = None
    last: str = ""

    @property
    def stand(self) -> Stand:
        return Stand(self.state, self.occupied)

    @property
    def authorized(self) -> bool:
        return Point.AUTHORIZED in POINTS[self.state]

    @property
    def owned(self) -> bool:
        """Whether there is a token that a held plug could wait for."""
        return self.token is not None and self.token.type != IdTokenType.NO_AUTHORIZATION

    @property
    def plugged(self) -> bool:
        return Point.EV_CONNECTED in POINTS[self.state]

    @property
    def resumed(self) -> bool:
        """Whether its transaction goes on after a power cut."""
        return self.running is not None and (self.interrupted or self.running.began.boot != self.alive.boot)


def begins_signed(row: SessionRow) -> bool:
    """Whether its transaction begins with what the meter signs next (E01.FR.04)."""
    waits = row.running is None and not row.signed and Point.POWER_PATH_CLOSED in POINTS[row.state]
    return waits and Point.DATA_SIGNED in row.start


def awaits_signature(row: SessionRow) -> bool:
    """Whether that is what its transaction waits for: no energy before, which would begin it otherwise."""
    return begins_signed(row) and Point.ENERGY_TRANSFER not in row.start


STARTING_S = 10.0
"""A car has so long to close S2 after the offer before it counts as suspended by the car."""


class Power(NamedTuple):
    """What control says of the power path. offered: amperes are signalled."""

    closed: bool
    offered: bool


def charging_state(row: SessionRow, power: Power | None, now: float) -> ChargingState:
    """ChargingStateEnumType (2.0.1 part 2, 3.16). power None: control is not there, so what was told last stays. A
    transaction that goes on after a power cut does not start anew: it waits for the station, or for its car. now: boot clock's time."""
    if not row.plugged:
        return ChargingState.IDLE
    if row.state in (State.CHARGING, State.STOPPING):
        return ChargingState.CHARGING
    if row.state is not State.READY:
        return ChargingState.EV_CONNECTED
    if power is None:
        told = (row.running and row.running.told) or ChargingState.EV_CONNECTED
        return ChargingState.SUSPENDED_EVSE if told is ChargingState.CHARGING else told  # the contactor is open in this state
    if row.no_energy and row.allowed_wh is None:  # E05.FR.02: at once
        return ChargingState.SUSPENDED_EVSE
    ready_at = max(row.plugged_at, row.authorized_at)
    if not row.resumed and row.opened_at <= ready_at and now < max(ready_at, row.offered_at) + STARTING_S:
        return ChargingState.EV_CONNECTED
    return ChargingState.SUSPENDED_EV if power.offered and not row.no_energy else ChargingState.SUSPENDED_EVSE


PHASES: dict[State, Phase] = {
    State.IDLE: Phase.FREE,
    State.PARKED: Phase.FREE,
    State.PLUGGED: Phase.PLUGGED,
    State.AUTHORIZED: Phase.PREPARING,
    State.CHARGING: Phase.CHARGING,
    State.STOPPING: Phase.FINISHING,
    State.FINISHING: Phase.FINISHING,
    State.DETACHED: Phase.SUSPENDED_EV,
    State.CABLE_LEFT: Phase.FINISHING,
    State.CLOSED: Phase.FREE,
}
"""Of every state but READY, whose phase is its charging state's. DETACHED: 1.6 4.9 wants SuspendedEV."""

READY_PHASES: dict[ChargingState, Phase] = {
    ChargingState.EV_CONNECTED: Phase.PREPARING,
    ChargingState.SUSPENDED_EV: Phase.SUSPENDED_EV,
    ChargingState.SUSPENDED_EVSE: Phase.SUSPENDED_EVSE,
    ChargingState.CHARGING: Phase.CHARGING,
    ChargingState.IDLE: Phase.PREPARING,
}


def phase(row: SessionRow | None, power: Power | None, now: float) -> Phase:
    """What a session looks like from outside."""
    if row is None:
        return Phase.FREE
    if row.state is State.READY:
        return READY_PHASES[charging_state(row, power, now)]
    return PHASES[row.state]
