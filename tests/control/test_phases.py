"""Phases 2 and 3 by a contactor of their own: when it moves, what it waits for, what it proves, and what makes it give up."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.phases import LEAST_REST_S, LOADED_REST_S, MOST_SWITCHES, OPEN_S
from chargepoint.control.power_path import RECLOSE_S
from chargepoint.link.messages import Permit, PhaseWish, Sample
from tests.control.fakes import FIGURES, TURN_S, Bench

SWITCHING = FIGURES._replace(phase_switching=True)
VOLTS = (230.0, 230.0, 230.0)


class Two(Bench):
    """A bench with a second contactor, a car that follows the offer, and a meter read each second."""

    def __init__(self, figures=SWITCHING, latched=(), phases=3):
        super().__init__(figures, latched, second=True)
        self.car_phases = 3
        self.stops = True
        self._sampled_at = 0.0
        self.wish(phases)

    def wish(self, phases, within=False, rest_s=0.0):
        self.evse.phases.wish(PhaseWish(1, phases, within, rest_s))

    def drive(self, seconds):
        """Turns, with the car in C while it is offered current and in B soon after it is not."""
        for _ in range(round(seconds / TURN_S)):
            offered = self.evse.watch.pwm
            self.wire.car_v = 6.0 if offered or not self.stops else 9.0
            self.turns(1)
            if self.clock.now - self._sampled_at >= 1.0:
                self.meter()

    def meter(self, *amps):
        self._sampled_at = self.clock.now
        flows = min(self.car_phases, self.evse.phases.connected) if self.evse.watch.closed else 0
        self.evse.sample(Sample(1, self.clock.now, True, amps or tuple(10.0 if phase < flows else 0.0 for phase in range(3)), VOLTS), self.clock.now)

    def begin(self):
        self.settle()
        self.plug()
        self.renewing = True
        self.drive(5.0)
        assert self.evse.watch.closed

    @property
    def faults(self):
        return set(self.evse.faults.names())

    @property
    def connected(self):
        return self.evse.state(self.clock.now).phases


def never_moved_wrongly(two):
    """Watches that no move happens with PWM on, or with the first contactor on or open for less than a second."""
    switch = two.second.switch

    def watched(on):
        rested = not two.wire.coil and two.clock.now - two.wire.moved_at >= OPEN_S
        assert on is two.second.coil or (rested and two.wire.duty_now == 1.0)
        switch(on)

    two.second.switch = watched


@pytest.mark.parametrize(("phases", "coil"), [(1, False), (3, True)])
def test_a_session_begins_with_the_phases_wished(phases, coil):
    two = Two(phases=phases)
    never_moved_wrongly(two)
    two.begin()
    assert (two.second.coil, two.connected, two.evse.phases.switches) == (coil, phases, 0)


def test_it_rests_open_without_a_permit_and_closes_only_after_the_first_was_open_for_a_second():
    two = Two()
    two.plug()
    two.seconds(5.0)
    assert two.second.moves == [] and two.evse.calm
    two.begin()
    opened_at = two.clock.now
    two.renewing = False
    two.evse.end_permit("over")
    two.drive(4.0)
    assert [on for _, on in two.second.moves] == [True, False]
    assert two.second.moves[-1][0] - opened_at >= OPEN_S


def test_current_is_offered_only_when_the_second_has_followed():
    two = Two()
    two.second.stuck_open = True
    two.settle()
    two.plug()
    two.renewing = True
    two.until(lambda: two.second.coil)
    two.seconds(0.1)
    assert not two.evse.watch.pwm
    two.second.stuck_open = False
    two.drive(2.0)
    assert two.evse.watch.pwm


def test_a_mirror_contact_read_before_the_move_says_nothing_of_it():
    """Welded just before it is to close: no offer in the turn that moves it."""
    two = Two()
    two.settle()
    two.plug()
    two.renewing = True
    two.until(lambda: two.evse.watch.proven_open(OPEN_S - 0.05))
    two.second.welded = True
    two.until(lambda: two.second.coil)
    assert two.wire.duty_now == 1.0 and not two.evse.watch.pwm


def test_from_three_to_one_takes_the_offer_back_rests_and_is_counted():
    two = Two()
    never_moved_wrongly(two)
    two.begin()
    two.limit_1p_a = 13.0
    two.wish(1, within=True)
    two.drive(0.1)
    state = two.evse.state(two.clock.now)
    assert not two.evse.watch.pwm and state.switching
    two.drive(LEAST_REST_S)
    assert not two.second.coil and not two.evse.watch.pwm
    two.drive(5.0)
    state = two.evse.state(two.clock.now)
    assert two.evse.watch.closed and (state.phases, state.switches, state.switching, state.offered_a) == (1, 1, False, 13.0)
    assert two.faults == set()


def test_the_same_phases_again_are_no_switch_and_need_no_rest():
    two = Two()
    two.begin()
    two.renewing = False
    two.evse.end_permit("over")
    two.drive(4.0)
    assert not two.second.coil
    two.renewing = True
    two.drive(RECLOSE_S + 1.0)
    state = two.evse.state(two.clock.now)
    assert two.evse.watch.closed and (state.phases, state.switches, state.switching) == (3, 0, False)


def test_a_car_cut_off_under_load_rests_longer():
    two = Two()
    two.begin()
    two.stops = False
    two.wish(1, within=True)
    two.drive(8.0)
    assert not two.wire.coil
    two.stops = True
    two.drive(LOADED_REST_S - 4.0)
    assert not two.evse.watch.pwm
    two.drive(8.0)
    assert two.evse.watch.closed and two.connected == 1


def test_the_station_may_wish_a_longer_rest():
    two = Two()
    two.begin()
    two.wish(1, within=True, rest_s=40.0)
    two.drive(38.0)
    assert not two.evse.watch.pwm
    two.drive(10.0)
    assert two.evse.watch.closed


@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize("figures", [FIGURES, SWITCHING], ids=["off by setting", "not for this vehicle"])
def test_a_car_that_has_drawn_gets_no_other_phases_unasked(first, figures):
    two = Two(figures, phases=first)
    two.begin()
    two.wish(4 - first, within=figures is FIGURES)
    two.drive(20.0)
    assert two.evse.watch.closed and two.connected == first
    two.evse.end_permit("a pause")
    two.drive(20.0)
    assert two.evse.watch.closed and two.connected == first, "a pause changes nothing"


def test_the_next_car_may_get_other_phases():
    two = Two(FIGURES)
    two.begin()
    two.wish(1)
    two.wire.car_v, two.wire.ohms = 12.0, math.inf
    two.seconds(2.0)
    two.plug()
    two.drive(10.0)
    assert two.evse.watch.closed and (two.connected, two.evse.phases.switches) == (1, 0)


def test_switching_ends_at_its_bound():
    two = Two()
    two.begin()
    for count in range(1, MOST_SWITCHES + 4):
        two.wish(1 if count % 2 else 3, within=True)
        two.drive(25.0)
        assert two.evse.watch.closed and two.evse.phases.switches == min(count, MOST_SWITCHES)


def test_what_was_not_proven_by_current_is_not_switched_again():
    two = Two(phases=1)
    two.car_phases = 0
    two.begin()
    two.wish(3, within=True)
    two.drive(20.0)
    assert two.connected == 1 and two.evse.watch.closed
    two.car_phases = 3
    two.drive(20.0)
    assert two.connected == 3 and two.evse.watch.closed


def test_three_phases_that_do_not_come_back_are_told_within_30_s_and_end_the_switching():
    two = Two()
    two.begin()
    two.wish(1, within=True)
    two.drive(20.0)
    two.wish(3, within=True)
    two.car_phases = 1
    two.drive(20.0)
    assert two.connected == 3 and two.faults == set()
    two.drive(25.0)
    assert two.faults == {"phases_missing"} and two.evse.watch.closed
    two.wish(1, within=True)
    two.drive(20.0)
    assert two.connected == 3 and two.evse.watch.closed
    two.wire.car_v, two.wire.ohms = 12.0, math.inf
    two.seconds(2.0)
    assert two.faults == set()


def test_a_car_of_one_phase_is_no_fault():
    two = Two()
    two.car_phases = 1
    two.begin()
    two.drive(60.0)
    assert two.faults == set()


def test_current_on_phases_that_are_off_opens_and_latches():
    two = Two(phases=1)
    two.begin()
    two.drive(2.0)
    two.meter(10.0, 10.0, 10.0)
    two.drive(0.5)
    assert two.faults == set()
    two.meter(10.0, 10.0, 10.0)
    two.turns(1)
    assert not two.wire.coil and two.faults == {"contactor_l23_welded"}
    two.drive(10.0)
    assert two.faults == {"contactor_l23_welded"} and "contactor_l23_welded" in two.kept[-1]


def test_a_welded_second_opens_what_is_closed_and_bars_the_next():
    two = Two(phases=1)
    two.begin()
    two.second.welded = True
    two.drive(0.2)
    assert not two.wire.coil and two.faults == {"contactor_l23_welded"}
    two.drive(20.0)
    assert not two.wire.coil


def test_a_second_that_does_not_open_is_found_when_it_is_to_move():
    two = Two()
    two.begin()
    two.second.welded = True
    two.wish(1, within=True)
    two.drive(5.0)
    assert two.faults == {"contactor_l23_welded"} and not two.wire.coil and two.evse.fed


def test_one_that_does_not_close_is_tried_three_times():
    two = Two()
    two.second.stuck_open = True
    two.settle()
    two.plug()
    two.renewing = True
    two.drive(10.0)
    assert two.faults == {"contactor_l23_stuck_open"} and [on for _, on in two.second.moves] == [True, False] * 3
    assert "coil on" not in two.wire.writes


def test_one_that_drops_out_under_load_opens_the_first_and_is_not_tried_again():
    two = Two()
    two.begin()
    two.second.stuck_open = True
    two.drive(0.1)
    assert not two.wire.coil and two.faults == {"contactor_l23_stuck_open"}
    assert "opened phases 2 and 3 dropped out" in two.ear.kinds()
    two.second.stuck_open = False
    two.drive(20.0)
    assert not two.wire.coil


def test_the_permit_says_what_one_phase_may_draw_and_the_settings_bound_it():
    two = Two(SWITCHING._replace(single_a=16.0), phases=1)
    two.limit_a, two.limit_1p_a = 4.0, 20.0
    two.begin()
    state = two.evse.state(two.clock.now)
    assert (state.offered_a, state.offer_limit_by) == (16.0, "single phase")
    two.limit_1p_a = 12.0
    two.drive(6.0)
    assert two.evse.state(two.clock.now).offered_a == 12.0


def test_what_one_phase_may_draw_counts_for_nothing_on_three():
    two = Two(FIGURES)
    two.begin()
    two.limit_a, two.limit_1p_a = 4.0, 20.0
    two.wish(1)
    two.drive(1.0)
    assert not two.evse.watch.pwm and not two.evse.state(two.clock.now).permit


@pytest.mark.parametrize("limit", [math.nan, math.inf])
def test_a_limit_for_one_phase_that_is_no_number_voids_the_permit(limit):
    two = Two()
    two.settle()
    two.plug()
    assert two.evse.permit(Permit(1, two.evse.voice.number, 16.0, two.clock.now + 10.0, None, limit), two.clock.now) == "not a number"


def test_a_self_test_finds_the_second_off():
    two = Two()
    two.begin()
    two.evse.end_permit("a test is due")
    two.evse.residual.due_at = two.clock.now
    two.drive(30.0)
    assert two.evse.watch.closed and two.faults == set()


@pytest.mark.parametrize(("phases", "lost"), [(1, set()), (3, {"phase_loss"})])
def test_a_meter_behind_the_contactor_misses_only_the_phases_that_are_connected(phases, lost):
    two = Two(SWITCHING._replace(meter="after"), phases=phases)
    two.begin()
    for _ in range(7):
        two.seconds(1.0)
        two.evse.sample(Sample(1, two.clock.now, True, (10.0, 0.0, 0.0), (230.0, 0.0, 0.0)), two.clock.now)
    assert two.faults == lost


def test_without_a_second_contactor_a_wish_changes_nothing():
    bench = Bench()
    bench.charge()
    bench.evse.phases.wish(PhaseWish(1, 1, True))
    bench.seconds(3.0)
    assert bench.evse.watch.closed and bench.evse.state(bench.clock.now).phases == 3
