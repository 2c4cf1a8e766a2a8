"""How long the contactor rests after an opening, with the pilot at X1, and how often it is tried again."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.guard import RETRIES
from chargepoint.control.power_path import RECLOSE_S
from chargepoint.control.reclose import AFTER_FAULT_S, UNDER_LOAD_S
from tests.control.fakes import Bench


def reopened(bench: Bench) -> float:
    """Seconds from here to the next PWM; the contactor follows it within sequence 4's 3 s."""
    opened_at = bench.clock.now
    bench.until(lambda: bench.evse.watch.pwm, 60.0)
    rested_s = bench.clock.now - opened_at
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil, 3.0)
    return rested_s


def emergency(bench: Bench) -> None:
    bench.emergency = True
    bench.until(lambda: not bench.wire.coil, 0.1)
    bench.emergency = False


@pytest.mark.parametrize("car_v", [9.0, 6.0])
def test_after_a_fault_x1_for_the_whole_rest_then_pwm(car_v: float) -> None:
    bench = Bench()
    bench.charge()
    emergency(bench)
    bench.wire.car_v = car_v
    assert reopened(bench) == pytest.approx(AFTER_FAULT_S, abs=0.05)


def test_after_a_spike_that_opened_x1_for_the_whole_rest() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 0.0
    bench.until(lambda: not bench.wire.coil, 0.1)
    bench.seconds(0.2)
    bench.wire.car_v = 6.0
    assert reopened(bench) >= AFTER_FAULT_S - 0.3


def test_after_opening_under_load() -> None:
    bench = Bench()
    bench.charge()
    bench.limit_a = 0.0
    bench.until(lambda: not bench.wire.coil, 7.0)
    bench.limit_a = 16.0
    assert reopened(bench) == pytest.approx(UNDER_LOAD_S, abs=0.05)


def test_after_c_to_b_the_offer_stays_until_the_car_comes_back_early() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil, 0.1)
    opened_at = bench.clock.now
    bench.seconds(2.0)
    assert bench.evse.watch.pwm
    bench.wire.car_v = 6.0
    bench.until(lambda: not bench.evse.watch.pwm, 0.3)
    bench.until(lambda: bench.evse.watch.pwm)
    assert bench.clock.now - opened_at == pytest.approx(RECLOSE_S, abs=0.05)


def test_the_next_car_waits_for_nothing() -> None:
    bench = Bench()
    bench.charge()
    emergency(bench)
    bench.renewing = False
    bench.plug(12.0, math.inf)
    bench.seconds(2.0)
    bench.plug()
    bench.renewing = True
    assert bench.until(lambda: bench.evse.watch.pwm) <= 1.0


def test_retries_have_an_end_and_unplugging_begins_anew() -> None:
    bench = Bench()
    bench.charge()
    for _ in range(RETRIES):
        emergency(bench)
        reopened(bench)
        bench.until(lambda: bench.evse.watch.closed)
        bench.seconds(0.2)
    emergency(bench)
    bench.wire.writes.clear()
    bench.seconds(2 * AFTER_FAULT_S)
    assert bench.evse.faults.names() == ("retries_used_up",)
    assert "coil on" not in bench.wire.writes and not bench.evse.watch.pwm
    bench.renewing = False
    bench.plug(12.0, math.inf)
    bench.seconds(2.0)
    assert bench.evse.faults.names() == ()
