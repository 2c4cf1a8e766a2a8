"""Orders at their limits: how long each is waited for, what refuses one, and what the answer says."""

from __future__ import annotations

import itertools

import pytest

from chargepoint.control.machine import Phase
from chargepoint.control.orders import Orders
from chargepoint.link.messages import LockWish, Order, OrderAnswer, OrderKind, WakeKind
from tests.control.fakes import FIGURES, TURN_S, Bench
from tests.control.test_orders import Desk


def seconds_to_answer(bench: Bench, order: Order, within_s: float = 75.0) -> tuple[float, OrderAnswer]:
    answers: list[OrderAnswer] = []
    orders = Orders({1: bench.evse}, answers.append)
    begun = bench.clock.now
    orders.take(order, begun)
    assert orders.running
    while not answers:
        assert bench.clock.now - begun < within_s
        orders.step(bench.clock.now)
        bench.turns(1)
    assert not orders.running and len(answers) == 1
    return bench.clock.now - TURN_S - begun, answers[0]


def plugged(**figures: object) -> Bench:
    bench = Bench(FIGURES._replace(**figures))
    bench.settle()
    bench.plug()
    return bench


def test_an_order_for_an_evse_that_is_not_there_is_answered_at_once() -> None:
    answers: list[OrderAnswer] = []
    orders = Orders({}, answers.append)
    orders.take(Order(5, OrderKind.UNLOCK, 3), 0.0)
    assert answers == [OrderAnswer(5, False, "there is no EVSE 3")] and not orders.running


def test_a_bolt_that_may_not_move_for_eight_seconds_is_answered_with_the_reason() -> None:
    bench = plugged()
    bench.evse.wish_lock(LockWish(1, True))
    bench.seconds(1.0)

    answers: list[OrderAnswer] = []
    orders = Orders({1: bench.evse}, answers.append)
    begun = bench.clock.now
    orders.take(Order(5, OrderKind.UNLOCK, 1), begun)
    for turn in itertools.count():
        bench.wire.mirror = turn % 10 != 0
        bench.turns(1)
        orders.step(bench.clock.now)
        if answers:
            break
    assert answers == [OrderAnswer(5, False, "the contactor is not proven open")]
    assert bench.evse.faults.names() == ()
    assert bench.clock.now - begun == pytest.approx(8.0, abs=2 * TURN_S)


@pytest.mark.parametrize(
    ("what", "text"),
    [("permit", "a permit is in force"), ("weld", "the contactor is not proven open"), ("jam", "the lock did not open"), ("", "")],
)
def test_what_an_unlocking_says(what: str, text: str) -> None:
    bench = plugged()
    bench.evse.wish_lock(LockWish(1, True))
    bench.seconds(1.0)
    assert bench.wire.locked
    if what == "permit":
        bench.permit()
    elif what == "weld":
        bench.wire.mirror = False
        bench.seconds(1.0)
    elif what == "jam":
        bench.wire.lock_jams = True
    _, answer = seconds_to_answer(bench, Order(5, OrderKind.UNLOCK, 1))
    assert answer == OrderAnswer(5, not text, text)
    assert bench.wire.locked is bool(text)
    assert bench.evse.retention.wished is (what == "permit")


def test_a_jammed_bolt_gets_its_tries_anew_with_an_order() -> None:
    bench = plugged()
    bench.evse.wish_lock(LockWish(1, True))
    bench.seconds(1.0)
    bench.wire.lock_jams = True
    bench.evse.wish_lock(LockWish(1, False))
    bench.seconds(2.0)
    lock = bench.evse.lock
    assert lock is not None and bench.evse.watch.unlock_failed
    bench.wire.lock_jams = False
    assert seconds_to_answer(bench, Order(5, OrderKind.UNLOCK, 1))[1].done


@pytest.mark.parametrize(("extra_s", "taken_s"), [(0.0, 9.0), (60.0, 69.0)])
def test_an_order_is_waited_for_nine_seconds_and_as_long_as_it_lasts_itself(extra_s: float, taken_s: float) -> None:
    bench = Bench()
    bench.wire.mirror = False
    bench.turn_s = 0.05
    bench.settle()
    order = Order(5, OrderKind.SELF_TEST, 1, seconds=extra_s)
    answers: list[OrderAnswer] = []
    orders = Orders({1: bench.evse}, answers.append)
    begun = bench.clock.now
    orders.take(order, begun)
    while not answers:
        orders.step(bench.clock.now)
        bench.turns(1)
    assert answers == [OrderAnswer(5, False, "it took too long")]
    assert bench.clock.now - begun == pytest.approx(taken_s + 0.05, abs=0.06)


@pytest.mark.parametrize(
    ("fault", "done", "text"),
    [
        ("a fault of the future", True, "it is not active"),
        ("contactor_welded", True, "it is not active"),
        ("emergency_stop", False, "it clears by itself: "),
    ],
)
def test_what_clearing_a_fault_says(fault: str, done: bool, text: str) -> None:
    bench = Bench()
    bench.settle()
    bench.emergency = True
    bench.seconds(0.1)
    answer = Desk(bench).give(OrderKind.CLEAR_FAULT, fault)
    assert answer.done is done
    assert answer.text.startswith(text) and (len(answer.text) > len(text)) is text.endswith(": ")


def test_a_weld_is_not_cleared_while_it_lasts() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.mirror = False
    bench.seconds(1.0)
    assert Desk(bench).give(OrderKind.CLEAR_FAULT, "contactor_welded").text == "its cause lasts"
    bench.wire.mirror = None
    bench.seconds(1.0)
    assert Desk(bench).give(OrderKind.CLEAR_FAULT, "contactor_welded") == OrderAnswer(1, True, "")
    assert bench.ear.kinds()[-1] == "fault_cleared contactor_welded"
    assert bench.ear.edges[-1].at == pytest.approx(bench.clock.now, abs=TURN_S)
    assert bench.kept[-1] == ()


def test_a_trip_that_lasts_is_not_tested() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.trip = True
    bench.seconds(0.1)
    desk = Desk(bench)
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current").text == "its cause lasts"
    assert desk.give(OrderKind.SELF_TEST) == OrderAnswer(1, False, "the residual-current monitor is tripped")


def test_a_monitor_that_fails_its_test_keeps_its_trip() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.trip = True
    bench.seconds(0.1)
    bench.wire.trip = bench.wire.trip_answers = False
    bench.seconds(0.1)
    desk = Desk(bench)
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current") == OrderAnswer(1, False, "the residual-current test failed")
    assert "residual_current" in bench.evse.faults.names()
    assert desk.give(OrderKind.SELF_TEST) == OrderAnswer(1, False, "the residual-current test failed")
    bench.wire.trip_answers = True
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_test_failed") == OrderAnswer(1, True, "")
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current") == OrderAnswer(1, True, "")


@pytest.mark.parametrize("fault", ["residual_current", "residual_test_failed"])
def test_where_a_test_has_failed_the_csms_is_told_who_clears_it(fault: str) -> None:
    bench = Bench(FIGURES._replace(csms_clears=True), latched=("residual_current", "residual_test_failed"))
    bench.settle()
    answer = Desk(bench).give(OrderKind.CLEAR_FAULT, fault, in_person=False)
    assert answer == OrderAnswer(1, False, "the residual-current test has failed; only a person on site clears that")


def test_a_self_test_under_load_is_refused_and_at_rest_is_done() -> None:
    bench = Bench()
    bench.charge()
    assert Desk(bench).give(OrderKind.SELF_TEST) == OrderAnswer(1, False, "the contactor is closed")
    bench = plugged()
    bench.wire.writes.clear()
    assert Desk(bench).give(OrderKind.SELF_TEST) == OrderAnswer(1, True, "")
    assert bench.wire.writes == ["test on", "test off"]


def test_a_reset_is_done_when_the_contactor_is_proven_open_and_a_test_follows() -> None:
    bench = Bench()
    bench.charge()
    number = bench.evse.voice.number
    desk = Desk(bench)
    desk.begin(OrderKind.RESET_EVSE)
    desk.orders.step(bench.clock.now)
    assert bench.permit() == "reset" and bench.evse.lease.until == 0.0
    bench.wire.car_v = 9.0
    begun = bench.clock.now
    while not desk.answers:
        bench.turns(1)
        desk.orders.step(bench.clock.now)
    assert desk.answers == [OrderAnswer(1, True, "")]
    assert bench.evse.phase is Phase.REST and not bench.evse.resetting
    assert 0.1 <= bench.clock.now - begun < 0.3
    assert "permit_ended reset" in bench.ear.kinds()
    bench.wire.writes.clear()
    bench.seconds(1.0)
    assert "test on" in bench.wire.writes
    assert bench.evse.voice.number == number + 1


@pytest.mark.parametrize(("testing", "text"), [(True, "a self-test runs"), (False, "pilot in A")])
def test_what_a_wake_order_says(testing: bool, text: str) -> None:
    bench = Bench()
    bench.settle()
    if testing:
        bench.evse.residual.due_at = bench.evse.watch.now
    _, answer = seconds_to_answer(bench, Order(5, OrderKind.WAKE, 1, wake=WakeKind.X1_BREAK, seconds=3.0))
    assert answer == OrderAnswer(5, False, text)
