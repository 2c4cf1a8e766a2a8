"""Steps that wake a car: carried out within control's own bounds, and never a reason to close."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.machine import Phase
from chargepoint.control.wake import LONGEST_S, SHORTEST_S, X1_AFTER_F_S
from chargepoint.link.messages import Order, OrderAnswer, OrderKind, WakeKind
from chargepoint.model.pilot import PilotState as P
from tests.control.fakes import TURN_S, Bench
from tests.control.test_orders import Desk

X1, F = WakeKind.X1_BREAK, WakeKind.STATE_F


def asleep() -> Bench:
    """Offered, and the car stays in B."""
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.seconds(1.0)
    bench.ear.edges.clear()
    bench.wire.writes.clear()
    return bench


def order(bench: Bench, kind: WakeKind | None, seconds: float) -> Desk:
    desk = Desk(bench)
    desk.orders.take(Order(1, OrderKind.WAKE, 1, wake=kind, seconds=seconds), bench.clock.now)
    desk.orders.step(bench.clock.now)
    return desk


def go(bench: Bench, desk: Desk, seconds: float) -> None:
    for _ in range(round(seconds / TURN_S)):
        desk.orders.step(bench.clock.now)
        bench.turns(1)


def answered(bench: Bench, desk: Desk, within_s: float) -> float:
    begun = bench.clock.now
    while not desk.answers:
        assert bench.clock.now - begun < within_s
        go(bench, desk, TURN_S)
    return bench.clock.now - begun


def test_a_break_takes_the_offer_away_and_makes_it_again() -> None:
    bench = asleep()
    desk = order(bench, X1, 4.0)
    go(bench, desk, 0.1)
    state = bench.evse.state(bench.clock.now)
    assert (state.waking, state.offered_a, state.permit, state.pilot) == (True, 0.0, True, "B")
    assert bench.wire.duty_now == 1.0
    assert answered(bench, desk, 5.0) == pytest.approx(3.9, abs=0.05)
    assert desk.answers == [OrderAnswer(1, True)]
    bench.until(lambda: bench.evse.watch.pwm, 0.1)
    assert bench.ear.kinds() == ["offered 0", "offered 16"]
    bench.wire.car_v = 6.0
    assert bench.until(lambda: bench.evse.watch.closed, 3.0) < 3.0, "sequence 4: 3 s from C"


def test_state_f_is_shown_then_x1_then_the_offer() -> None:
    bench = asleep()
    desk = order(bench, F, 4.0)
    go(bench, desk, 0.1)
    assert bench.wire.duty_now == 0.0
    go(bench, desk, 3.0)
    assert bench.evse.watch.pilot is P.F
    assert bench.evse.faults.names() == (), "a state F of our own is no fault"
    took_s = 3.1 + answered(bench, desk, 5.0)
    assert took_s == pytest.approx(4.0 + X1_AFTER_F_S, abs=0.05)
    assert desk.answers == [OrderAnswer(1, True)]
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    assert [write for write in bench.wire.writes if write.startswith("duty")] == ["duty 0.0000", "duty 1.0000", f"duty {16 / 60:.4f}"]
    assert bench.evse.faults.names() == ()
    assert "plugged" not in bench.ear.kinds(), "the same car"
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed, 3.0)


def test_a_state_f_that_nobody_ordered_stays_a_fault() -> None:
    bench = asleep()
    desk = order(bench, F, 3.0)
    answered(bench, desk, 8.0)
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    bench.seconds(1.0)
    bench.wire.car_v = bench.wire.diode_v = -12.0
    bench.seconds(1.0)
    assert "pilot_lost" in bench.evse.faults.names()


def test_a_car_that_wakes_in_the_break_is_offered_early() -> None:
    bench = asleep()
    desk = order(bench, X1, 60.0)
    go(bench, desk, 1.0)
    bench.wire.car_v = 6.0
    assert answered(bench, desk, 4.0) + 1.0 == pytest.approx(SHORTEST_S, abs=0.05)
    assert desk.answers == [OrderAnswer(1, True)]
    bench.until(lambda: bench.evse.watch.closed, 3.0)


@pytest.mark.parametrize("kind", [X1, F])
@pytest.mark.parametrize("how", ["unplug", "fault", "reset", "end"])
def test_what_ends_a_step(kind: WakeKind, how: str) -> None:
    bench = asleep()
    desk = order(bench, kind, 4.0)
    go(bench, desk, 1.0)
    if how == "unplug":
        bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
    elif how == "fault":
        bench.emergency = True
    elif how == "reset":
        bench.evse.resetting = True
    else:
        bench.evse.ending = True
    if how == "unplug" and kind is F:
        answered(bench, desk, 8.0)
    else:
        answered(bench, desk, 1.0)
    assert not desk.answers[0].done
    go(bench, desk, 0.2)
    assert bench.evse.phase is Phase.REST
    assert bench.wire.duty_now == 1.0 and not bench.evse.watch.pwm
    assert "coil on" not in bench.wire.writes


def test_the_end_of_the_permit_ends_a_break() -> None:
    bench = asleep()
    desk = order(bench, X1, 10.0)
    go(bench, desk, 1.0)
    bench.renewing = False
    bench.permit(0.0)
    answered(bench, desk, 0.1)
    assert desk.answers == [OrderAnswer(1, False, "no permit is in force")]
    go(bench, desk, 1.0)
    assert bench.wire.duty_now == 1.0


def test_a_control_that_did_not_look_begins_anew() -> None:
    bench = asleep()
    desk = order(bench, F, 4.0)
    go(bench, desk, 1.0)
    bench.evse.blind()
    bench.turns(1)
    answered(bench, desk, 0.1)
    assert desk.answers == [OrderAnswer(1, False, "control did not look")]
    assert bench.wire.duty_now == 1.0


@pytest.mark.parametrize("seconds", [0.0, -1.0, 2.9, 61.0, math.inf, math.nan])
def test_no_break_but_of_a_bounded_length(seconds: float) -> None:
    bench = asleep()
    assert order(bench, X1, seconds).answers == [OrderAnswer(1, False, "x1_break lasts 3 to 60 s")]
    assert bench.wire.writes == []


def test_state_f_is_short() -> None:
    assert order(asleep(), F, LONGEST_S[F] + 0.1).answers == [OrderAnswer(1, False, "state_f lasts 3 to 4 s")]


def test_one_step_at_a_time() -> None:
    bench = asleep()
    desk = order(bench, X1, 5.0)
    desk.orders.take(Order(2, OrderKind.WAKE, 1, wake=F, seconds=3.0), bench.clock.now)
    go(bench, desk, 0.1)
    assert desk.answers == [OrderAnswer(2, False, "another step runs")]
    assert bench.wire.duty_now == 1.0


def test_an_order_without_a_step() -> None:
    assert order(asleep(), None, 4.0).answers == [OrderAnswer(1, False, "no step is named")]


def test_not_while_a_car_charges() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.writes.clear()
    assert order(bench, X1, 4.0).answers == [OrderAnswer(1, False, "pilot in C")]
    bench.seconds(0.1)
    assert bench.wire.writes == [] and bench.wire.coil


def test_not_before_the_contactor_is_proven_open() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.watch.pilot is P.B)
    assert order(bench, F, 4.0).answers == [OrderAnswer(1, False, "the contactor is not proven open")]


def test_not_with_a_fault_a_test_or_no_permit() -> None:
    bench = asleep()
    bench.evse.residual.due_at = bench.clock.now
    assert order(bench, X1, 4.0).answers == [OrderAnswer(1, False, "a self-test runs")]
    bench.seconds(1.0)
    bench.emergency = True
    bench.seconds(0.1)
    assert order(bench, X1, 4.0).answers == [OrderAnswer(1, False, "emergency_stop")]
    bench = Bench()
    bench.settle()
    bench.plug()
    assert order(bench, X1, 4.0).answers == [OrderAnswer(1, False, "no permit is in force")]


def test_no_self_test_in_state_f() -> None:
    bench = asleep()
    desk = order(bench, F, 4.0)
    go(bench, desk, 1.0)
    bench.evse.residual.due_at = bench.clock.now
    go(bench, desk, 2.5)
    assert "test on" not in bench.wire.writes
    go(bench, desk, 2.0)
    assert bench.wire.writes.index("duty 1.0000") < bench.wire.writes.index("test on")


def test_the_plug_stays_held_in_a_step() -> None:
    for kind in (X1, F):
        bench = asleep()
        bench.evse.retention.wished = True
        desk = order(bench, kind, 4.0)
        answered(bench, desk, 8.0)
        assert bench.wire.locked
        assert bench.evse.lock is not None and bench.evse.lock.feedback
