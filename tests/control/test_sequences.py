"""One EVSE through the sequences of IEC 61851-1 Annex A, turn by turn, on a wire that behaves as a real front end."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.arrival import START_X1_S
from chargepoint.control.decision import CAR_TIME_S
from chargepoint.control.machine import Phase
from chargepoint.control.power_path import RECLOSE_S
from chargepoint.link.messages import LockWish
from chargepoint.model.pilot import PilotState as P
from tests.control.fakes import FIGURES, Bench


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


def test_sequence_8_the_car_opens_s2() -> None:
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
def test_sequence_9_and_10_the_offer_is_withdrawn(limit_a: float) -> None:
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


def test_a_car_that_stops_in_its_time_is_not_cut_off() -> None:
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


def test_a_tethered_cable_has_no_lock_and_no_proximity() -> None:
    bench = Bench(FIGURES._replace(socket=False))
    bench.settle()
    bench.plug(ohms=math.inf)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed)
    state = bench.evse.state(bench.clock.now)
    assert (state.locked, state.cable, state.cable_a) == (None, False, None)


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


def test_each_plug_in_has_a_number_of_its_own() -> None:
    bench = Bench()
    bench.settle()
    numbers = []
    for _ in range(3):
        bench.plug()
        numbers.append(bench.evse.state(bench.clock.now).plug_in)
        bench.plug(12.0, math.inf)
        assert bench.evse.state(bench.clock.now).plug_in == 0
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert Bench().evse.voice.number != Bench().evse.voice.number


def test_another_car_within_the_lease_is_not_closed_by_the_permit_of_the_one_before() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    old = bench.evse.voice.number
    bench.plug(12.0, math.inf)
    bench.plug(car_v=6.0)
    assert bench.permit(plug_in=old, until=bench.clock.now + 20.0) == "another plug-in"
    bench.wire.writes.clear()
    bench.seconds(16.0)
    assert "coil on" not in bench.wire.writes


def test_a_permit_of_the_peer_before_keeps_but_does_not_close() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.permit()
    bench.until(lambda: bench.evse.watch.pwm)
    bench.evse.lease.hold(bench.clock.now)
    bench.wire.car_v = 6.0
    bench.seconds(4.0)
    assert "coil on" not in bench.wire.writes
    bench.permit(until=bench.clock.now + 16.0)
    bench.until(lambda: bench.wire.coil, 1.0)


def test_a_new_peer_interrupts_nothing_that_it_renews() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.evse.lease.hold(bench.clock.now)
    bench.seconds(4.0)
    bench.permit(until=bench.clock.now + 20.0)
    bench.seconds(10.0)
    assert bench.evse.watch.closed
    assert bench.ear.kinds() == []


def test_the_offer_follows_the_permit_down_at_once_and_up_after_five_seconds() -> None:
    bench = Bench()
    bench.charge()
    bench.limit_a = 10.0
    bench.turns(2)
    assert bench.evse.generator.offer.amps == 10.0
    bench.limit_a = 20.0
    bench.seconds(4.9)
    assert bench.evse.generator.offer.amps == 10.0
    bench.seconds(0.2)
    assert bench.evse.generator.offer.amps == 20.0


@pytest.mark.parametrize(
    ("ohms", "limit_a", "rating_a", "offered_a", "by"),
    [
        (220.0, 80.0, 63.0, 32.0, "cable"),
        (100.0, 80.0, 20.0, 20.0, "rating"),
        (100.0, 80.0, 80.0, 63.0, "cable"),
        (680.0, 16.0, 32.0, 16.0, "permit"),
    ],
)
def test_control_takes_the_least(ohms: float, limit_a: float, rating_a: float, offered_a: float, by: str) -> None:
    bench = Bench(FIGURES._replace(rating_a=rating_a))
    bench.limit_a = limit_a
    bench.settle()
    bench.plug(ohms=ohms)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    assert bench.evse.generator.offer == (offered_a, by)


def test_the_lock_follows_the_wish_and_holds_a_plug_only() -> None:
    bench = Bench()
    bench.settle()
    bench.evse.wish_lock(LockWish(1, True))
    bench.seconds(1.0)
    assert not bench.wire.locked, "no plug, nothing to hold"
    bench.plug()
    assert bench.wire.locked
    bench.evse.wish_lock(LockWish(1, False))
    bench.seconds(0.5)
    assert not bench.wire.locked


def test_the_lock_does_not_move_while_the_contactor_is_closed() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(5.0)
    assert bench.wire.coil and bench.wire.locked
    bench.until(lambda: not bench.wire.locked)
    assert not bench.wire.coil
    assert bench.evse.path.proven_open()


def test_at_a_without_a_wish_it_unlocks() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.plug(12.0, 220.0)
    bench.seconds(1.0)
    assert not bench.wire.locked


def test_the_ended_process_opens_in_order() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.evse.ending = True
    bench.evse.end_permit("control ends")
    bench.turns(2)
    assert bench.wire.coil and bench.wire.duty_now == 1.0
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.at_rest, 1.0)
    assert not bench.wire.locked
    assert bench.permit() == "control ends"


def test_blindness_makes_every_plug_in_new() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    old = bench.evse.voice.number
    bench.evse.blind()
    bench.turns(1)
    assert not bench.wire.coil
    bench.seconds(0.5)
    assert bench.evse.voice.number == old + 1
    bench.wire.writes.clear()
    bench.seconds(20.0)
    assert "coil on" not in bench.wire.writes


def test_the_next_car_does_not_wait_for_the_one_before() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.plug(12.0, math.inf)
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed, 1.0)


def test_a_calm_evse_is_seen_as_one() -> None:
    bench = Bench()
    bench.settle()
    assert bench.evse.calm
    bench.plug()
    bench.seconds(0.2)
    assert bench.evse.calm
    bench.permit()
    assert not bench.evse.calm
    bench.seconds(1.0)
    assert bench.evse.watch.pwm and not bench.evse.calm


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


@pytest.mark.parametrize("volts", [9.0, 6.0])
def test_sequences_2_1_and_2_2_unplugged_from_every_state_ends_the_plug_in(volts: float) -> None:
    bench = Bench()
    bench.settle()
    bench.plug(car_v=volts)
    bench.wire.car_v, bench.wire.ohms = 12.0, math.inf
    assert bench.until(lambda: not bench.evse.voice.plugged) <= 0.2
    assert bench.ear.kinds()[-2:] == ["unplugged", "pilot_changed A"]


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
