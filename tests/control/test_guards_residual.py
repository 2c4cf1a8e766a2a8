"""The residual-current monitor: its trip in every state, its test, and what is kept."""

from __future__ import annotations

import math

from tests.control.fakes import FIGURES, TURN_S, Bench
from tests.control.seen import active, never_on, opens_within


def test_a_residual_current_opens_in_the_turn_and_latches() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.trip = True
    opens_within(bench, 2 * TURN_S)
    assert active(bench) == ("residual_current",)
    assert bench.kept == [("residual_current",)]
    bench.wire.trip = False
    bench.plug(12.0, math.inf)
    bench.seconds(3.0)
    bench.plug()
    bench.wire.car_v = 6.0
    never_on(bench)
    assert active(bench) == ("residual_current",)
    assert bench.permit(until=bench.clock.now + 20.0) == "residual_current"


def test_a_pulse_of_less_than_a_millisecond_is_no_trip() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.trip = True

    def gone(until: float) -> None:
        bench.wire.trip = False

    bench.clock.on_sleep = gone
    bench.seconds(1.0)
    assert bench.wire.coil
    assert active(bench) == ()


def test_the_self_test_runs_at_the_start_and_after_each_session() -> None:
    bench = Bench()
    bench.settle()
    assert bench.wire.writes == ["test on", "test off"]
    bench.plug()
    bench.plug(12.0, math.inf)
    assert bench.wire.writes.count("test on") == 1, "nothing was supplied"
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.plug(12.0, math.inf)
    bench.seconds(0.5)
    assert bench.wire.writes.count("test on") == 2


def test_an_overdue_test_runs_at_x1_before_the_next_closing_and_opens_nothing() -> None:
    bench = Bench()
    bench.charge()
    bench.evse.residual.due_at = bench.clock.now
    bench.seconds(5.0)
    assert bench.wire.coil
    bench.wire.car_v = 9.0
    bench.wire.writes.clear()
    bench.until(lambda: bench.evse.watch.testing, 1.0)
    assert not bench.evse.watch.pwm
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    assert bench.wire.writes[:2] == ["coil off", "duty 1.0000"]


def test_a_monitor_that_does_not_answer_bars_closing() -> None:
    bench = Bench()
    bench.wire.trip_answers = False
    bench.settle()
    assert active(bench) == ("residual_test_failed",)
    bench.plug()
    bench.renewing = True
    bench.seconds(1.0)
    bench.wire.car_v = 6.0
    never_on(bench)
    assert not bench.evse.watch.pwm


def test_a_monitor_that_stays_tripped_fails_its_test_and_is_a_trip() -> None:
    bench = Bench()
    bench.turns(25)
    bench.wire.trip = True
    bench.seconds(0.5)
    assert set(active(bench)) == {"residual_current", "residual_test_failed"}


def test_no_closing_during_a_test() -> None:
    bench = Bench(FIGURES._replace(test_pulse_s=3.0, test_trip_s=4.0))
    bench.plug()
    bench.renewing = True
    bench.wire.car_v = 6.0
    while bench.evse.watch.testing or bench.clock.now < 1000.3:
        bench.turns(1)
        assert not bench.wire.coil and not bench.evse.watch.pwm
