"""Worries of the pilot: diode, short, generator, ADC, levels that no car makes."""

from __future__ import annotations

import math

import pytest

from chargepoint.control import faults, guard
from hal.ports import Channel
from tests.control.fakes import TURN_S, Bench
from tests.control.seen import active, never_on, opens_within


def test_a_lost_diode_opens_at_once_and_is_named_later() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.diode_v = -5.6
    opens_within(bench, 0.035)
    assert active(bench) == ()
    bench.seconds(0.15)
    assert active(bench) == ("diode",)
    never_on(bench)
    bench.wire.diode_v = -12.0
    bench.seconds(3.0)
    assert active(bench) == ("diode",), "only unplugging clears it"
    bench.plug(12.0, math.inf)
    assert active(bench) == ()


@pytest.mark.parametrize("low_v", [-8.8, 0.0])
def test_without_a_diode_nothing_closes(low_v: float) -> None:
    bench = Bench()
    bench.wire.diode_v = low_v
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.seconds(1.0)
    bench.wire.car_v = 6.0
    never_on(bench)


def test_a_short_opens_at_once_and_is_called_a_short() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v, bench.wire.diode_v = 0.0, 0.0
    opens_within(bench, 0.035)
    bench.seconds(0.3)
    assert active(bench) == ("pilot_short",)
    bench.wire.car_v, bench.wire.diode_v = 9.0, -12.0
    bench.seconds(guard.VAGUE_S + faults.HOLD_S + 0.2)
    assert active(bench) == ()


def test_a_short_at_x1_opens_within_100_ms() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(1.0)
    bench.wire.car_v = 0.0
    opens_within(bench, 0.1)


def test_a_generator_without_a_negative_half_is_not_the_cars_fault() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.generator_dead = True
    opens_within(bench, 0.035)
    bench.seconds(0.15)
    assert active(bench) == ("pilot_lost",)
    never_on(bench, 3.0)


def test_a_generator_that_stays_dark_at_x1_is_lost() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.duty_now = 0.3
    bench.wire.duty_error = 1.0
    bench.seconds(1.0)
    assert active(bench) == ("pilot_lost",)


def test_steady_minus_twelve_volts_is_f_and_lost() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.duty_now, bench.wire.duty_error = 0.0, 16 / 60
    opens_within(bench, 0.1)
    bench.seconds(0.3)
    assert "pilot_lost" in active(bench)
    assert not bench.evse.lease.in_force(bench.clock.now) or bench.renewing


def test_a_duty_that_reads_back_wrong_opens() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.duty_error = 0.5
    opens_within(bench, 0.11)
    assert active(bench) == ("pilot_lost",)
    bench.wire.duty_error = None
    bench.seconds(2.0)
    assert active(bench) == ()


def test_a_pwm_that_is_gone_opens() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.pwm_lost = True
    opens_within(bench, 0.11)
    assert active(bench) == ("pilot_lost",)
    bench.wire.pwm_lost = False
    bench.seconds(2.0)
    assert active(bench) == ()


def test_an_adc_that_is_gone_opens_within_ten_turns() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.adc_lost = True
    opens_within(bench, 10 * TURN_S + TURN_S)
    bench.seconds(0.5)
    assert active(bench) == ("pilot_lost",)
    bench.wire.adc_lost = False
    bench.seconds(2.0)
    assert active(bench) == ()


def test_a_low_plateau_that_is_not_read_opens_within_ten_turns_for_it_is_no_diode() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.unread = Channel.LOW
    opens_within(bench, 10 * TURN_S + TURN_S)
    assert active(bench) == ("pilot_lost",)
    bench.wire.diode_v = 0.0
    never_on(bench)
    bench.wire.unread, bench.wire.diode_v = None, -12.0
    bench.seconds(2.0)
    assert active(bench) == ()


def test_a_low_plateau_that_was_read_before_closes_nothing() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.seconds(0.5)
    bench.wire.unread, bench.wire.diode_v, bench.wire.car_v = Channel.LOW, 0.0, 6.0
    never_on(bench, 20.0)


def test_a_cable_that_is_read_instead_and_a_late_turn_are_no_loss_of_the_low_plateau() -> None:
    bench = Bench()
    bench.charge()
    for _ in range(5):
        bench.clock.now += 0.3
        bench.seconds(1.0)
    assert bench.wire.coil and active(bench) == ()


def test_a_level_that_no_car_makes() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 14.5
    opens_within(bench, 0.06)
    bench.seconds(0.4)
    assert active(bench) == ("pilot_implausible",)
