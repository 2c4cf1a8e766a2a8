"""The socket's lock: the station's wish within control's bounds."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.lock import TRIES
from chargepoint.control.orders import Orders
from chargepoint.control.retention import DARK_S, FRESH_S, UNHEARD_S
from chargepoint.link.messages import LockWish, Order, OrderAnswer, OrderKind, Sample
from chargepoint.model.pilot import PilotState as P
from tests.control.fakes import FIGURES, Bench, FakeLock


def wish(bench: Bench, locked: bool) -> None:
    bench.evse.wish_lock(LockWish(1, locked))


def carries(bench: Bench, *amps: float | None, age_s: float = 0.0, good: bool = True) -> None:
    current_a = (*amps, None, None, None)[:3]
    bench.evse.sample(Sample(1, bench.clock.now - age_s, good, current_a, (None, None, None)), bench.clock.now)


def held(bench: Bench) -> None:
    """Plugged, locked by the station's wish, no permit."""
    bench.settle()
    wish(bench, True)
    bench.plug()
    assert bench.wire.locked


def unlock(bench: Bench) -> tuple[Orders, list[OrderAnswer]]:
    answers: list[OrderAnswer] = []
    orders = Orders({1: bench.evse}, answers.append)
    orders.take(Order(1, OrderKind.UNLOCK, 1), bench.clock.now)
    return orders, answers


def answered(bench: Bench, orders: Orders, answers: list[OrderAnswer]) -> OrderAnswer:
    def step() -> bool:
        orders.step(bench.clock.now)
        return bool(answers)

    bench.until(step, 12.0)
    return answers[0]


def test_the_lock_is_verified_at_plug_in_before_anything_is_offered() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.lock_jams = True
    bench.plug()
    bench.renewing = True
    bench.seconds(3.0)
    assert not bench.evse.watch.pwm
    assert "lock_failed" in bench.evse.faults.names()


def test_a_jammed_bolt_gets_all_its_tries_again_when_the_plug_went() -> None:
    bench = Bench()
    held(bench)
    lock = bench.evse.lock
    assert lock is not None
    port = lock._port
    assert isinstance(port, FakeLock)
    bench.wire.lock_jams = True
    wish(bench, False)
    bench.seconds(2.0)
    assert lock.tries == TRIES and bench.evse.watch.unlock_failed
    port.drives.clear()
    bench.wire.ohms, bench.wire.car_v = math.inf, 12.0
    bench.seconds(2.0)
    assert port.drives == [False] * TRIES


def test_the_wish_outlives_the_lease() -> None:
    bench = Bench()
    bench.charge()
    wish(bench, True)
    bench.renewing = False
    bench.seconds(40.0)
    assert not bench.evse.lease.in_force(bench.clock.now)
    assert not bench.wire.coil and bench.wire.locked
    wish(bench, False)
    bench.until(lambda: not bench.wire.locked, 0.2)


def test_at_the_start_the_bolt_stays_as_it_is_until_the_station_has_said_its_wish() -> None:
    bench = Bench()
    bench.wire.locked = True
    bench.plug()
    bench.seconds(UNHEARD_S - 1.0)
    assert bench.wire.locked
    wish(bench, True)
    bench.seconds(10.0)
    assert bench.wire.locked
    wish(bench, False)
    bench.until(lambda: not bench.wire.locked, 0.2)


def test_nobody_waits_for_a_station_that_never_comes() -> None:
    bench = Bench()
    bench.wire.locked = True
    bench.plug()
    bench.until(lambda: not bench.wire.locked, UNHEARD_S + 0.1)


def test_at_the_start_the_bolt_moves_only_after_the_pilot_was_read() -> None:
    bench = Bench()
    bench.wire.locked = bench.wire.adc_lost = True
    wish(bench, False)
    bench.seconds(40.0)
    assert bench.wire.locked
    bench.wire.adc_lost = False
    bench.until(lambda: not bench.wire.locked, 2.0)


def test_at_the_start_the_bolt_moves_only_after_the_mirror_contact_was_read() -> None:
    bench = Bench()
    bench.wire.locked, bench.wire.mirror = True, False
    wish(bench, False)
    bench.seconds(1.0)
    assert bench.wire.locked


def test_a_lost_pilot_does_not_keep_the_plug() -> None:
    bench = Bench()
    held(bench)
    bench.wire.adc_lost = True
    bench.seconds(1.0)
    assert bench.evse.watch.pilot is P.IMPLAUSIBLE
    wish(bench, False)
    bench.until(lambda: not bench.wire.locked, 0.2)


def test_it_opens_100_ms_after_the_mirror_contact_and_not_before() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    bench.until(bench.wire.mirror_closed)
    assert 0.1 <= bench.until(lambda: not bench.wire.locked) <= 0.12


@pytest.mark.parametrize("amps", [(1.1,), (0.2, 16.0), (None, None, 1.01)])
def test_a_phase_that_carries_current_keeps_the_plug(amps: tuple[float | None, ...]) -> None:
    bench = Bench()
    held(bench)
    carries(bench, *amps)
    wish(bench, False)
    bench.seconds(1.0)
    assert bench.wire.locked
    carries(bench, 0.9, 0.0, 0.0)
    bench.until(lambda: not bench.wire.locked, 0.1)


def test_a_meter_that_has_gone_silent_does_not_keep_the_plug() -> None:
    bench = Bench()
    held(bench)
    carries(bench, 16.0)
    wish(bench, False)
    assert bench.until(lambda: not bench.wire.locked) == pytest.approx(FRESH_S, abs=0.1)


@pytest.mark.parametrize(
    ("amps", "age_s", "good"),
    [((16.0,), FRESH_S + 0.1, True), ((16.0,), -1.0, True), ((16.0,), 0.0, False), ((math.nan,), 0.0, True), ((math.inf,), 0.0, True)],
)
def test_what_is_no_value_of_now_keeps_nothing(amps: tuple[float], age_s: float, good: bool) -> None:
    bench = Bench()
    held(bench)
    carries(bench, *amps, age_s=age_s, good=good)
    wish(bench, False)
    bench.until(lambda: not bench.wire.locked, 0.1)


def test_in_e_it_opens_as_soon_as_the_bounds_hold() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    wish(bench, False)
    bench.wire.car_v = 0.0
    bench.until(lambda: not bench.wire.coil)
    assert bench.until(lambda: not bench.wire.locked) <= 0.2


def test_in_f_it_opens_after_five_seconds() -> None:
    bench = Bench()
    held(bench)
    bench.wire.car_v, bench.wire.dark = 0.0, True
    bench.until(lambda: bench.evse.watch.pilot is P.F)
    wish(bench, False)
    assert bench.until(lambda: not bench.wire.locked) == pytest.approx(DARK_S, abs=0.02)


def test_a_welded_contactor_keeps_the_plug_and_unlocking_says_so() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.mirror = False
    bench.renewing = False
    bench.wire.car_v = 9.0
    bench.seconds(1.0)
    assert "contactor_welded" in bench.evse.faults.names()
    assert answered(bench, *unlock(bench)) == OrderAnswer(1, False, "the contactor is not proven open")
    bench.wire.mirror = None
    bench.seconds(1.0)
    assert answered(bench, *unlock(bench)) == OrderAnswer(1, False, "the contactor is not proven open")
    assert bench.wire.locked


def test_unlocking_under_current_is_refused_with_the_truth() -> None:
    bench = Bench()
    held(bench)
    orders, answers = unlock(bench)

    def step() -> bool:
        carries(bench, 16.0)
        orders.step(bench.clock.now)
        return bool(answers)

    bench.until(step, 9.0)
    assert answers == [OrderAnswer(1, False, "current flows")]
    assert bench.wire.locked


def test_unlocking_a_plug_that_is_only_held() -> None:
    bench = Bench()
    held(bench)
    assert answered(bench, *unlock(bench)) == OrderAnswer(1, True)
    assert not bench.wire.locked


def test_a_tethered_cable_has_no_lock_to_wait_for() -> None:
    bench = Bench(FIGURES._replace(socket=False))
    bench.settle()
    wish(bench, True)
    bench.plug(ohms=math.inf)
    assert bench.evse.retention.verified(bench.clock.now) and bench.evse.retention.released and bench.evse.retention.rests
    assert not bench.wire.locked
