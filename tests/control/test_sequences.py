"""One EVSE through the sequences of IEC 61851-1 Annex A, turn by turn, on a wire that behaves as a real front end."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.arrival import START_X1_S
from chargepoint.control.decision import CAR_TIME_S
from chargepoint.control.figures import Figures
from chargepoint.control.machine import Phase
from chargepoint.control.power_path import RECLOSE_S
from chargepoint.model.pilot import PilotState as P
from tests.control.fakes import FIGURES, Bench

VENTILATED = FIGURES._replace(d_allowed=True)


def offered(figures: Figures = FIGURES) -> Bench:
    """Plugged, permitted, in B with PWM."""
    bench = Bench(figures)
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    return bench


def test_it_starts_at_x1_and_open() -> None:
    bench = Bench()
    bench.settle()
    state = bench.evse.state(bench.clock.now)
    assert (state.pilot, state.pwm, state.closed, state.offered_a, state.plug_in, state.faults) == ("A", False, False, 0.0, 0, ())
    assert "coil on" not in bench.wire.writes
    assert bench.wire.duty_now == 1.0


def test_plugged_without_a_permit_stays_at_x1() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.wire.car_v = 6.0
    bench.seconds(10.0)
    assert bench.evse.phase is Phase.REST
    assert not bench.wire.coil
    assert "coil on" not in bench.wire.writes


def test_sequence_3_and_4_plugged_permitted_closed() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    assert bench.ear.kinds()[-2:] == ["plugged", "pilot_changed B"]
    bench.permit()
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    assert bench.wire.locked, "no offer before the lock is verified"
    assert bench.wire.duty_now == pytest.approx(16 / 60)
    bench.wire.car_v = 6.0
    took_s = bench.until(lambda: bench.evse.watch.closed, 3.0)
    assert took_s < 3.0
    state = bench.evse.state(bench.clock.now)
    assert (state.offered_a, state.offer_limit_by, state.cable_a, state.locked, state.permit) == (16.0, "permit", 32.0, True, True)
    assert bench.ear.kinds()[-3:] == ["offered 16", "pilot_changed C", "closed"]


def test_sequence_2_2_unplug_under_load() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
    assert bench.until(lambda: not bench.wire.coil) <= 0.03
    bench.seconds(0.1)
    assert not bench.evse.lease.in_force(bench.clock.now)
    assert bench.ear.kinds() == ["unplugged", "pilot_changed A", "permit_ended unplugged", "offered 0", "opened unplugged"]


def test_sequence_8_1_the_car_opens_s2() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 9.0
    assert bench.until(lambda: not bench.wire.coil) <= 0.03
    bench.seconds(0.1)
    assert bench.evse.phase is Phase.OFFER, "the offer stays"
    assert bench.ear.kinds() == ["pilot_changed B", "opened car"]


def test_a_car_that_comes_back_early_waits_at_x1() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    opened_at = bench.clock.now
    bench.wire.car_v = 6.0
    bench.until(lambda: not bench.evse.watch.pwm, 1.0)
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.watch.pwm, 6.0)
    assert bench.clock.now - opened_at >= RECLOSE_S, "one break of the offer, not one per second"
    bench.wire.car_v = 6.0
    assert bench.until(lambda: bench.wire.coil) <= 3.0, "sequence 4 starts with the PWM"


@pytest.mark.parametrize("limit_a", [0.0, 5.9])
def test_sequences_9_2_and_10_2_the_offer_is_withdrawn_and_the_car_does_not_stop(limit_a: float) -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(limit_a)
    bench.until(lambda: not bench.evse.watch.pwm, 0.1)
    withdrawn_at = bench.clock.now
    assert bench.evse.phase is Phase.WITHDRAW and bench.wire.coil
    bench.until(lambda: not bench.wire.coil, 7.0)
    assert CAR_TIME_S <= bench.clock.now - withdrawn_at <= CAR_TIME_S + 0.02
    bench.seconds(0.1)
    assert bench.ear.kinds() == ["permit_ended withdrawn", "offered 0", "opened car did not stop"]


def test_sequences_8_2_and_10_1_a_car_that_stops_in_its_time_is_not_cut_off() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(2.0)
    assert bench.wire.coil
    bench.wire.car_v = 9.0
    assert bench.until(lambda: not bench.wire.coil) <= 0.03
    bench.seconds(0.1)
    assert bench.ear.kinds()[-1] == "opened withdrawn"


def test_a_lapsed_lease_withdraws() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.until(lambda: not bench.evse.watch.pwm, 15.1)
    assert "permit_ended lapsed" in bench.ear.kinds()
    bench.until(lambda: not bench.wire.coil, CAR_TIME_S + 0.1)


def test_a_permit_back_within_the_cars_time_closes_again_only_after_opening() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(1.0)
    bench.renewing = True
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil, 1.0)
    assert bench.until(lambda: bench.evse.watch.pwm) == pytest.approx(RECLOSE_S, abs=0.02)


def test_sequence_1_2_from_a_to_c_without_b_is_allowed() -> None:
    bench = Bench()
    bench.settle()
    bench.plug(car_v=6.0)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.closed, 3.0)


def test_d_is_refused_without_ventilation() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.car_v = 3.0
    bench.seconds(10.0)
    assert "coil on" not in bench.wire.writes
    assert bench.evse.faults.names() == ("ventilation",)


def test_d_is_served_with_ventilation() -> None:
    bench = Bench(FIGURES._replace(d_allowed=True))
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.car_v = 3.0
    bench.until(lambda: bench.evse.watch.closed, 3.0)
    assert bench.evse.watch.pilot is P.D


def test_a_car_that_asks_for_ventilation_in_mid_charge_is_opened() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v = 3.0
    bench.until(lambda: not bench.wire.coil, 0.3)


def test_a_car_found_in_c_at_the_start_must_come_by_b() -> None:
    bench = Bench()
    bench.plug(car_v=6.0)
    bench.renewing = True
    bench.seconds(15.0)
    assert not bench.evse.watch.pwm
    assert "coil on" not in bench.wire.writes
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed, 3.0)


def test_a_car_found_in_b_at_the_start_sees_x1_first() -> None:
    bench = Bench()
    bench.plug()
    bench.renewing = True
    begun = bench.clock.now
    bench.until(lambda: bench.evse.watch.pwm)
    assert bench.clock.now - begun >= START_X1_S - 0.5


def test_sequence_1_2_with_the_cap_a_car_without_b_gets_10_a_until_it_shows_b() -> None:
    bench = Bench(FIGURES._replace(caps_simplified=True))
    bench.settle()
    bench.plug(car_v=6.0)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.closed, 3.0)
    assert bench.evse.generator.offer == (10.0, "no state B")
    bench.wire.car_v = 9.0
    bench.seconds(8.0)
    assert bench.evse.generator.offer == (16.0, "permit")


def test_sequence_1_1_with_the_cap_a_car_that_came_by_b_is_not_capped() -> None:
    bench = Bench(FIGURES._replace(caps_simplified=True))
    bench.charge()
    assert bench.evse.generator.offer == (16.0, "permit")


@pytest.mark.parametrize(("car_v", "dark", "pilot"), [(0.0, False, P.E), (0.0, True, P.F)])
@pytest.mark.parametrize("back_v", [9.0, 6.0])
def test_sequences_11_and_12_e_and_f_open_and_the_car_is_served_again(car_v: float, dark: bool, pilot: P, back_v: float) -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v, bench.wire.dark = car_v, dark
    assert bench.until(lambda: not bench.wire.coil) <= 0.1
    bench.until(lambda: bench.evse.watch.pilot is pilot, 1.0)
    bench.seconds(2.0)
    assert not bench.evse.watch.pwm and not bench.evse.lease.in_force(bench.clock.now)
    number = bench.evse.voice.number
    bench.wire.car_v, bench.wire.dark = back_v, False
    bench.until(lambda: bench.evse.watch.pwm, 40.0)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil, 3.0)
    assert bench.evse.voice.number == number and bench.evse.faults.names() == ()


@pytest.mark.parametrize("volts", [9.0, 6.0, 3.0])
def test_sequences_2_1_and_2_2_unplugged_without_an_offer_ends_the_plug_in(volts: float) -> None:
    bench = Bench()
    bench.settle()
    bench.plug(car_v=volts)
    bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
    assert bench.until(lambda: not bench.evse.voice.plugged) <= 0.2
    assert bench.ear.kinds()[-2:] == ["unplugged", "pilot_changed A"]


def test_sequence_2_1_unplugged_in_b2_ends_the_offer_within_100_ms() -> None:
    bench = offered()
    bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
    assert bench.until(lambda: not bench.evse.watch.pwm) <= 0.1
    assert not bench.evse.lease.in_force(bench.clock.now)
    bench.until(lambda: not bench.wire.locked, 1.0)


def test_sequence_2_2_unplugged_in_c1_and_in_d2_opens_within_100_ms() -> None:
    withdrawn = Bench()
    withdrawn.charge()
    withdrawn.renewing = False
    withdrawn.permit(0.0)
    withdrawn.until(lambda: not withdrawn.evse.watch.pwm, 0.1)
    ventilated = offered(VENTILATED)
    ventilated.wire.car_v = 3.0
    ventilated.until(lambda: ventilated.evse.watch.closed, 3.0)
    for bench in (withdrawn, ventilated):
        bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
        assert bench.until(lambda bench=bench: not bench.wire.coil) <= 0.03  # type: ignore[misc]  # bound here
        assert not bench.evse.lease.in_force(bench.clock.now)


@pytest.mark.parametrize("volts", [6.0, 3.0])
def test_sequence_4_from_the_cars_s2_to_closed_contacts_within_3_s(volts: float) -> None:
    bench = offered(VENTILATED)
    bench.wire.car_v = volts
    assert bench.until(lambda: bench.evse.watch.closed) <= 3.0


def test_sequence_3_a_car_that_waits_in_c1_is_served_within_3_s_of_the_offer() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.wire.car_v = 6.0
    bench.seconds(5.0)
    assert "coil on" not in bench.wire.writes
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    assert bench.until(lambda: bench.evse.watch.closed) <= 3.0


def test_sequences_8_1_and_8_2_from_d_to_b_opens_within_100_ms() -> None:
    for withdrawn in (False, True):
        bench = offered(VENTILATED)
        bench.wire.car_v = 3.0
        bench.until(lambda bench=bench: bench.evse.watch.closed, 3.0)  # type: ignore[misc]  # bound here
        if withdrawn:
            bench.renewing = False
            bench.permit(0.0)
            bench.seconds(1.0)
        bench.wire.car_v = 9.0
        assert bench.until(lambda bench=bench: not bench.wire.coil) <= 0.03  # type: ignore[misc]  # bound here
        assert bench.evse.watch.pwm is not withdrawn


@pytest.mark.parametrize("limit_a", [0.0, 5.9])
def test_sequence_9_1_the_offer_ends_in_b_at_once_and_is_back_at_once(limit_a: float) -> None:
    bench = offered()
    bench.renewing = False
    bench.permit(limit_a)
    assert bench.until(lambda: not bench.evse.watch.pwm) <= 0.1
    assert bench.wire.duty_now == 1.0 and "coil on" not in bench.wire.writes
    bench.renewing = True
    assert bench.until(lambda: bench.evse.watch.pwm) <= 0.1


@pytest.mark.parametrize(("d_allowed", "opens"), [(False, True), (True, False)])
def test_d_in_mid_charge_opens_within_3_s_where_it_is_refused(d_allowed: bool, opens: bool) -> None:
    bench = Bench(FIGURES._replace(d_allowed=d_allowed))
    bench.charge()
    bench.wire.car_v = 3.0
    bench.seconds(3.0)
    assert bench.wire.coil is not opens
    bench.wire.car_v = 6.0
    bench.seconds(1.0)
    assert bench.wire.coil is not opens, "no closing from one fault to the next"


@pytest.mark.parametrize(("car_v", "dark"), [(0.0, False), (0.0, True)])
def test_table_a_5_after_e_or_f_x1_stays_for_300_ms_at_least(car_v: float, dark: bool) -> None:
    bench = Bench()
    bench.charge()
    bench.wire.car_v, bench.wire.dark = car_v, dark
    bench.until(lambda: not bench.evse.watch.pwm, 0.5)
    bench.wire.car_v, bench.wire.dark = 9.0, False
    assert bench.until(lambda: bench.evse.watch.pwm, 40.0) >= 0.3


def test_sequence_1_1_the_cable_first_into_the_car_or_into_the_socket() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.ohms = 220.0
    bench.seconds(5.0)
    assert bench.evse.state(bench.clock.now).cable and not bench.evse.voice.plugged
    bench.plug()
    bench.permit()
    bench.until(lambda: bench.evse.watch.pwm, 1.0)


def test_sequence_6_the_duty_follows_a_new_limit_within_10_s() -> None:
    bench = Bench()
    bench.charge()
    for limit_a in (20.0, 32.0, 8.0, 9.0):
        bench.limit_a = limit_a
        assert bench.until(lambda wanted_a=limit_a: bench.evse.generator.offer.amps == wanted_a, 10.0) <= 5.1  # type: ignore[misc]  # bound here
