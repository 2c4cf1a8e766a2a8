"""Each worry of control: found, opened or barred in time, named, and cleared as the catalogue says."""

from __future__ import annotations

import math

import pytest

from chargepoint.control import faults, guard
from chargepoint.control.decision import CAR_TIME_S
from chargepoint.control.machine import Phase
from chargepoint.link.messages import Sample
from chargepoint.model.fault import CATALOGUE
from hal.ports import LampPattern
from tests.control.fakes import FIGURES, TURN_S, Bench


def opens_within(bench: Bench, seconds: float) -> None:
    begun = bench.clock.now
    bench.until(lambda: not bench.wire.coil, seconds)
    assert bench.clock.now - begun <= seconds + 1e-6


def active(bench: Bench) -> tuple[str, ...]:
    return bench.evse.faults.names()


def never_on(bench: Bench, seconds: float = 8.0) -> None:
    bench.wire.writes.clear()
    bench.seconds(seconds)
    assert "coil on" not in bench.wire.writes


def test_every_guard_has_its_row_in_the_catalogue() -> None:
    assert set(guard.NAMES) <= set(CATALOGUE)


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


def test_a_level_that_no_car_makes() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 14.5
    opens_within(bench, 0.06)
    bench.seconds(0.4)
    assert active(bench) == ("pilot_implausible",)


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


def test_the_emergency_stop_opens_and_goes_with_its_cause() -> None:
    bench = Bench()
    bench.charge()
    bench.emergency = True
    opens_within(bench, 2 * TURN_S)
    assert active(bench) == ("emergency_stop",)
    bench.seconds(5.0)
    assert active(bench) == ("emergency_stop",)
    bench.emergency = False
    bench.seconds(faults.HOLD_S + 0.1)
    assert active(bench) == ()


def test_a_weld_is_found_150_ms_after_opening_and_keeps_the_lock() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.mirror = False
    bench.wire.car_v = 9.0
    opens_within(bench, 0.03)
    bench.seconds(0.14)
    assert active(bench) == ()
    bench.seconds(0.03)
    assert active(bench) == ("contactor_welded",)
    assert bench.kept == [("contactor_welded",)]
    assert bench.evse.watch.closed, "never proven open"
    bench.plug(12.0, math.inf)
    bench.seconds(5.0)
    assert bench.wire.locked
    assert active(bench) == ("contactor_welded",)


def test_a_mirror_contact_that_opens_by_itself_is_a_weld_too() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.mirror = False
    bench.seconds(0.2)
    assert active(bench) == ("contactor_welded",)


def test_a_contactor_that_does_not_close_has_three_tries() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.mirror = True
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil)
    closed_at = bench.clock.now
    bench.until(lambda: not bench.wire.coil)
    assert 0.145 <= bench.clock.now - closed_at <= 0.16
    bench.seconds(30.0)
    assert bench.wire.writes.count("coil on") == 3
    assert active(bench) == ("contactor_stuck_open",)
    bench.plug(12.0, math.inf)
    assert active(bench) == ()


def test_a_contactor_that_drops_out_is_switched_off() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.mirror = True
    opens_within(bench, 0.04)
    bench.seconds(0.1)
    assert "opened contactor dropped out" in bench.ear.kinds()


def test_a_relay_supply_that_is_not_fed_opens() -> None:
    bench = Bench()
    bench.charge()
    bench.evse.fed = False
    opens_within(bench, TURN_S)
    never_on(bench)


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


def test_a_lock_that_does_not_open_is_told() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.wire.lock_jams = True
    bench.plug(12.0, 220.0)
    bench.seconds(2.0)
    assert active(bench) == ("unlock_failed",)
    bench.wire.locked = False
    bench.seconds(faults.HOLD_S + 0.1)
    assert active(bench) == ()


def test_a_bolt_that_was_jammed_is_tried_again_once_the_plug_has_gone() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.wire.lock_jams = True
    bench.plug(12.0, 220.0)
    bench.seconds(2.0)
    assert active(bench) == ("unlock_failed",)
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


def hot(bench: Bench, celsius: float) -> None:
    bench.evse.temperature = (bench.clock.now, celsius)
    bench.seconds(0.2)


@pytest.mark.parametrize(("celsius", "offered_a"), [(30.0, 16.0), (65.0, 16.0), (72.5, 16.0), (77.0, 11.2), (79.5, 6.87)])
def test_heat_derates(celsius: float, offered_a: float) -> None:
    bench = Bench()
    bench.charge()
    hot(bench, celsius)
    assert bench.evse.generator.offer.amps == pytest.approx(offered_a, abs=0.01)
    assert bench.evse.generator.offer.by == ("heat" if offered_a < 16.0 else "permit")


def test_too_hot_withdraws_until_it_has_cooled_by_five_kelvin() -> None:
    bench = Bench()
    bench.charge()
    hot(bench, 80.0)
    assert active(bench) == ("over_temperature",)
    assert bench.evse.phase is Phase.WITHDRAW
    hot(bench, 76.0)
    bench.seconds(2.0)
    assert active(bench) == ("over_temperature",)
    hot(bench, 74.5)
    bench.seconds(2.0)
    assert active(bench) == ()


def test_a_lost_sensor_is_six_amperes() -> None:
    bench = Bench()
    bench.evse.watch.thermometer = True
    bench.evse.temperature = (bench.clock.now, 30.0)
    bench.charge()
    hot(bench, 30.0)
    assert bench.evse.generator.offer.amps == 16.0
    bench.seconds(guard.SENSOR_S)
    assert active(bench) == ("temperature_sensor_lost",)
    assert bench.evse.generator.offer == (6.0, "heat")


def draw(bench: Bench, amps: float | None, seconds: float, good: bool = True) -> None:
    for _ in range(round(seconds)):
        bench.evse.sample(Sample(1, bench.clock.now, good, (None, amps, 0.0), (230.0, 230.0, 230.0)), bench.clock.now)
        bench.seconds(1.0)


def test_too_much_current_for_seven_seconds_withdraws() -> None:
    bench = Bench()
    bench.charge()
    draw(bench, 18.0, 20)
    assert active(bench) == ()
    draw(bench, 18.3, 7)
    assert active(bench) == ()
    draw(bench, 18.3, 2)
    assert active(bench) == ("over_current",)
    assert bench.evse.phase is Phase.WITHDRAW


def test_a_lower_offer_gives_the_car_its_time() -> None:
    bench = Bench()
    bench.charge()
    draw(bench, 16.0, 3)
    bench.limit_a = 6.0
    draw(bench, 16.0, 13)
    assert active(bench) == ()
    draw(bench, 16.0, 3)
    assert active(bench) == ("over_current",)


@pytest.mark.parametrize(("amps", "good"), [(math.nan, True), (math.inf, True), (None, True), (40.0, False)])
def test_what_is_no_value_says_nothing(amps: float | None, good: bool) -> None:
    bench = Bench()
    bench.charge()
    draw(bench, amps, 12, good)
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


@pytest.mark.parametrize("name", ["residual_current", "contactor_welded", "residual_test_failed"])
def test_a_latched_fault_outlives_a_start(name: str) -> None:
    bench = Bench(latched=(name,))
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.seconds(6.0)
    bench.wire.car_v = 6.0
    never_on(bench)
    assert name in active(bench)


def test_the_lamp_shows_faults_over_what_the_station_wishes() -> None:
    bench = Bench()
    bench.settle()
    assert bench.wire.lamp is LampPattern.READY
    bench.emergency = True
    bench.seconds(0.3)
    assert bench.wire.lamp is LampPattern.FAULT
