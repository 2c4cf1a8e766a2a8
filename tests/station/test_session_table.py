"""The table of sessions cell by cell, and the pure function from it to where a transaction begins and ends."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from chargepoint.model.connector import Phase
from chargepoint.model.facts import ChargingState
from chargepoint.model.session import (
    PHASES,
    POINTS,
    START_16,
    STARTING_S,
    STOP_16,
    TRANSITIONS,
    Event,
    Point,
    Power,
    Running,
    SessionRow,
    Stand,
    State,
    awaits_signature,
    begins,
    begins_signed,
    charging_state,
    ends,
    phase,
)
from chargepoint.model.stamp import Stamp
from chargepoint.station.sessions import TABLE

ROWS = {(row.source, row.event): row.target for row in TRANSITIONS}
NOW = Stamp(1, 1000.0, 0.0, True)


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_cell(state: State, event: Event) -> None:
    assert TABLE.step(state, event) is ROWS.get((state, event))


def test_no_cell_is_said_twice() -> None:
    assert len(ROWS) == len(TRANSITIONS)


def test_every_state_can_be_reached_and_left() -> None:
    assert {row.target for row in TRANSITIONS} | {State.IDLE} == set(State)
    assert {row.source for row in TRANSITIONS} | {State.CLOSED} == set(State)


def test_every_state_says_what_holds() -> None:
    assert set(POINTS) == set(State)
    assert set(PHASES) | {State.READY} == set(State)
    for points in POINTS.values():
        assert (Point.POWER_PATH_CLOSED in points) == ({Point.EV_CONNECTED, Point.AUTHORIZED} <= points)


PLUG_FIRST = (State.IDLE, State.PLUGGED, State.READY, State.CHARGING, State.READY, State.CHARGING, State.STOPPING, State.FINISHING, State.CLOSED)
TOKEN_FIRST = (State.IDLE, State.AUTHORIZED, State.READY, State.CHARGING, State.CABLE_LEFT, State.CLOSED)


@pytest.mark.parametrize(
    ("path", "start", "stop", "begun", "ended"),
    [
        (PLUG_FIRST, ("EVConnected",), ("EVConnected",), [1], [8]),
        (PLUG_FIRST, ("Authorized",), ("Authorized",), [2], [6]),
        (PLUG_FIRST, ("PowerPathClosed",), ("PowerPathClosed",), [2], [6]),
        (PLUG_FIRST, ("EnergyTransfer",), ("EnergyTransfer",), [3, 5], [4, 6]),
        (PLUG_FIRST, ("EVConnected", "Authorized"), ("EVConnected",), [1], [8]),
        (PLUG_FIRST, ("DataSigned",), ("EVConnected",), [], []),
        (PLUG_FIRST, ("EVConnected",), ("ParkingBayOccupancy",), [1], [8]),
        (PLUG_FIRST, START_16, STOP_16, [2], [6]),
        (TOKEN_FIRST, ("Authorized",), ("Authorized",), [1], [4]),
        (TOKEN_FIRST, ("EVConnected",), ("EVConnected",), [2], [4]),
        (TOKEN_FIRST, START_16, STOP_16, [2], [4]),
        ((State.IDLE, State.AUTHORIZED, State.CLOSED), ("Authorized",), ("EVConnected",), [1], [2]),
        ((State.READY, State.DETACHED, State.READY), START_16, STOP_16, [2], []),
    ],
)
def test_where_a_transaction_begins_and_ends(
    path: tuple[State, ...], start: tuple[str, ...], stop: tuple[str, ...], begun: list[int], ended: list[int]
) -> None:
    running, found_begun, found_ended = False, [], []
    for step, (before, after) in enumerate(pairwise(path), 1):
        if not running and begins(Stand(before), Stand(after), start):
            running = True
            found_begun.append(step)
        elif running and ends(Stand(before), Stand(after), stop):
            running = False
            found_ended.append(step)
    assert (found_begun, found_ended) == (begun, ended)


def row(state: State, **more: object) -> SessionRow:
    made = SessionRow(id="s", evse=1, connector=1, began=NOW, alive=NOW, start=(), stop=(), state=state)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(("state", "point"), list(product(State, Point)))
def test_what_the_meter_signs_counts_where_energy_may_flow(state: State, point: Point) -> None:
    ready = Point.POWER_PATH_CLOSED in POINTS[state]
    session = row(state, start=(Point.DATA_SIGNED, point))
    assert begins_signed(session) is ready and awaits_signature(session) is (ready and point is not Point.ENERGY_TRANSFER)
    assert not begins_signed(row(state, start=(point,))) or point is Point.DATA_SIGNED
    for more in ({"running": Running(id="t", began=NOW)}, {"signed": True}):
        later = row(state, start=(Point.DATA_SIGNED,), **more)
        assert not begins_signed(later) and not awaits_signature(later)


OFFERED, WITHHELD, FLOWING = Power(False, True), Power(False, False), Power(True, True)
LATER = 1000.0 + STARTING_S
FRESH = Running(id="t", began=NOW)
RESUMED = Running(id="t", began=Stamp(NOW.boot - 1, 500.0, 0.0, False), told=ChargingState.CHARGING)


@pytest.mark.parametrize(
    ("session", "power", "now", "told"),
    [
        (row(State.AUTHORIZED), WITHHELD, LATER, ChargingState.IDLE),
        (row(State.PLUGGED), WITHHELD, LATER, ChargingState.EV_CONNECTED),
        (row(State.READY, authorized_at=1000.0), OFFERED, 1000.0, ChargingState.EV_CONNECTED),
        (row(State.READY, authorized_at=1000.0), OFFERED, LATER, ChargingState.SUSPENDED_EV),
        (row(State.READY, authorized_at=1000.0), WITHHELD, LATER, ChargingState.SUSPENDED_EVSE),
        (row(State.READY, authorized_at=990.0, opened_at=1000.0), OFFERED, 1000.0, ChargingState.SUSPENDED_EV),
        (row(State.READY, authorized_at=1000.0, no_energy=True), OFFERED, LATER, ChargingState.SUSPENDED_EVSE),
        (row(State.READY, authorized_at=1000.0, no_energy=True), WITHHELD, 1001.0, ChargingState.SUSPENDED_EVSE),
        (row(State.READY), None, LATER, ChargingState.EV_CONNECTED),
        (row(State.READY, running=RESUMED, authorized_at=1000.0), WITHHELD, 1000.0, ChargingState.SUSPENDED_EVSE),
        (row(State.READY, running=RESUMED, authorized_at=1000.0), OFFERED, 1000.0, ChargingState.SUSPENDED_EV),
        (row(State.READY, running=RESUMED, authorized_at=1000.0, interrupted=True), None, 1000.0, ChargingState.SUSPENDED_EVSE),
        (row(State.READY, running=FRESH, authorized_at=1000.0), WITHHELD, 1000.0, ChargingState.EV_CONNECTED),
        (row(State.CHARGING), FLOWING, LATER, ChargingState.CHARGING),
        (row(State.STOPPING), FLOWING, LATER, ChargingState.CHARGING),
        (row(State.FINISHING), WITHHELD, LATER, ChargingState.EV_CONNECTED),
        (row(State.DETACHED), WITHHELD, LATER, ChargingState.IDLE),
        (row(State.CABLE_LEFT), WITHHELD, LATER, ChargingState.IDLE),
    ],
)
def test_charging_state(session: SessionRow, power: Power | None, now: float, told: ChargingState) -> None:
    assert charging_state(session, power, now) is told


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_phase(state: State) -> None:
    assert phase(row(state), OFFERED, LATER) in Phase
