"""The residual-current monitor in every state: a trip is never blanked, an overdue test bars a closing and opens none."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from chargepoint.control.machine import Phase
from chargepoint.control.selftest import EVERY_S
from chargepoint.link.messages import OrderKind
from chargepoint.model.pilot import PilotState
from tests.control.fakes import FIGURES, Bench
from tests.control.test_orders import Desk


def alone(bench: Bench) -> None:
    bench.settle()


def waiting(bench: Bench) -> None:
    bench.settle()
    bench.plug()


def offered(bench: Bench) -> None:
    waiting(bench)
    bench.renewing = True
    bench.until(lambda: bench.evse.phase is Phase.OFFER)


def just_closed(bench: Bench) -> None:
    offered(bench)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil)


def supplied(bench: Bench) -> None:
    bench.charge()


def withdrawn(bench: Bench) -> None:
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.until(lambda: bench.evse.phase is Phase.WITHDRAW)


def shorted(bench: Bench) -> None:
    bench.settle()
    bench.wire.car_v = 0.0
    bench.until(lambda: bench.evse.watch.pilot is PilotState.E)


STATES: list[Callable[[Bench], None]] = [alone, waiting, offered, just_closed, supplied, withdrawn, shorted]


@pytest.mark.parametrize("state", STATES)
def test_a_trip_counts_in_every_state(state: Callable[[Bench], None]) -> None:
    bench = Bench(FIGURES._replace(d_allowed=True))
    state(bench)
    bench.wire.trip = True
    bench.turns(2)
    assert not bench.wire.coil and "residual_current" in bench.evse.faults.names() and bench.kept[-1] == ("residual_current",)
    bench.wire.trip = False
    bench.plug(12.0, math.inf)
    bench.seconds(3.0)
    Desk(bench).give(OrderKind.RESET_EVSE)
    assert "residual_current" in bench.evse.faults.names(), "neither unplugging nor a reset clears it"


@pytest.mark.parametrize("state", STATES)
def test_one_read_is_no_trip_in_any_state(state: Callable[[Bench], None]) -> None:
    bench = Bench()
    state(bench)
    coil = bench.wire.coil

    def gone(until: float) -> None:
        bench.wire.trip = False

    bench.wire.trip = True
    bench.clock.on_sleep = gone
    bench.turns(4)
    assert "residual_current" not in bench.evse.faults.names() and bench.wire.coil is coil


@pytest.mark.parametrize("state", [just_closed, supplied, withdrawn])
def test_an_overdue_test_opens_nothing(state: Callable[[Bench], None]) -> None:
    bench = Bench()
    state(bench)
    bench.evse.residual.due_at = bench.clock.now
    bench.wire.writes.clear()
    bench.seconds(2.0)
    assert bench.wire.coil and not [write for write in bench.wire.writes if write.startswith(("coil", "test"))]


@pytest.mark.parametrize("state", [alone, waiting, offered, shorted])
def test_an_overdue_test_runs_before_the_next_closing(state: Callable[[Bench], None]) -> None:
    bench = Bench()
    state(bench)
    bench.wire.writes.clear()
    bench.evse.residual.due_at = bench.clock.now
    bench.wire.car_v, bench.wire.ohms = 6.0, 220.0
    bench.renewing = True
    bench.seconds(8.0)
    written = [write for write in bench.wire.writes if write.startswith(("coil on", "test"))]
    assert written[:2] == ["test on", "test off"]


def test_the_test_is_repeated_after_a_day() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.writes.clear()
    bench.clock.now += EVERY_S - 10.0
    bench.seconds(5.0)
    assert bench.wire.writes.count("test on") == 0
    bench.seconds(6.0)
    assert bench.wire.writes.count("test on") == 1
