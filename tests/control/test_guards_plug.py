"""Worries of the plug in the socket: its lock and its coding."""

from __future__ import annotations

import math

import pytest

from chargepoint.control import faults
from chargepoint.control.decision import CAR_TIME_S
from tests.control.fakes import Bench
from tests.control.seen import active, never_on, opens_within


def test_a_lock_that_jams_has_three_tries_and_nothing_is_offered() -> None:
    bench = Bench()
    bench.wire.lock_jams = True
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.seconds(2.0)
    assert active(bench) == ("lock_failed",)
    assert not bench.evse.watch.pwm
    bench.wire.car_v = 6.0
    never_on(bench)
    bench.renewing = False
    bench.plug(12.0, math.inf)
    assert active(bench) == ()


def _jammed() -> Bench:
    """After a charge the bolt does not open."""
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.wire.lock_jams = True
    bench.plug(12.0, 220.0)
    bench.seconds(2.0)
    assert active(bench) == ("unlock_failed",)
    return bench


def test_a_lock_that_does_not_open_is_told() -> None:
    bench = _jammed()
    bench.wire.locked = False
    bench.seconds(faults.HOLD_S + 0.1)
    assert active(bench) == ()


def test_a_bolt_that_was_jammed_is_tried_again_once_the_plug_has_gone() -> None:
    bench = _jammed()
    bench.wire.lock_jams = False
    bench.seconds(2.0)
    assert bench.wire.locked
    bench.plug(12.0, math.inf)
    bench.seconds(faults.HOLD_S + 2.0)
    assert not bench.wire.locked
    assert active(bench) == ()


def test_a_lock_lost_in_mid_charge_opens() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.locked = False
    bench.wire.lock_jams = True
    opens_within(bench, 0.03)
    assert active(bench)[0] == "lock_lost"


@pytest.mark.parametrize("ohms", [math.inf, 0.0, 1000.0, 3000.0])
def test_without_a_rating_there_is_no_offer(ohms: float) -> None:
    bench = Bench()
    bench.settle()
    bench.plug(ohms=ohms)
    bench.renewing = True
    bench.seconds(1.0)
    assert active(bench) == ("proximity_missing",)
    assert not bench.evse.watch.pwm
    bench.wire.ohms = 220.0
    bench.until(lambda: bench.evse.watch.pwm, 3.0)


@pytest.mark.parametrize("ohms", [680.0, 100.0, math.inf])
def test_another_coding_in_mid_charge_withdraws(ohms: float) -> None:
    bench = Bench()
    bench.charge()
    bench.wire.ohms = ohms
    bench.until(lambda: not bench.evse.watch.pwm, 1.0)
    assert "proximity_changed" in active(bench)
    begun = bench.clock.now
    bench.until(lambda: not bench.wire.coil, CAR_TIME_S + 0.1)
    assert bench.clock.now - begun >= CAR_TIME_S - 0.01
    bench.seconds(0.1)
    assert bench.ear.kinds()[-1].startswith("opened")
