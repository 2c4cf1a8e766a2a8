"""Permits, what was seen of a car, the pace of an offer and the pilot's stillness, each on both sides of each limit."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.allowance import Allowance
from chargepoint.control.arrival import Arrival
from chargepoint.control.offer import Least, Manner, Offer
from chargepoint.control.permit import Lease
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.voice import Voice
from chargepoint.link.messages import EdgeKind, Permit
from chargepoint.model.pilot import PilotState
from tests.control.fakes import Ear

A, B, C, D, E, F, LOST = PilotState


def permit(
    until: float = 20.0, limit_a: float = 16.0, wish_a: float | None = None, one: float | None = None, wish_one: float | None = None
) -> Permit:
    return Permit(1, 7, limit_a, until, wish_a, one, wish_one)


# permits --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "why"), [(10.0, "late"), (10.1, ""), (40.0, ""), (40.1, "too far ahead"), (math.nan, "not a number"), (math.inf, "not a number")]
)
def test_a_permit_is_of_the_next_thirty_seconds(until: float, why: str) -> None:
    lease = Lease()
    assert lease.take(permit(until), 10.0, 7) == why
    assert (lease.until, lease.limit_a) == ((until, 16.0) if not why else (0.0, 0.0))


@pytest.mark.parametrize(
    "message",
    [permit(limit_a=math.nan), permit(wish_a=math.inf), permit(one=math.nan), permit(one=16.0, wish_one=math.nan)],
)
def test_a_permit_with_one_number_that_is_none_is_void_as_a_whole(message: Permit) -> None:
    lease = Lease()
    assert lease.take(message, 10.0, 7) == "not a number"
    assert not lease.in_force(10.0)


@pytest.mark.parametrize(("plug_in", "why"), [(7, ""), (8, "another plug-in"), (0, "another plug-in")])
def test_a_permit_is_of_one_plug_in(plug_in: int, why: str) -> None:
    assert Lease().take(permit(), 10.0, plug_in) == why
    assert Lease().take(Permit(1, 0, 16.0, 20.0), 10.0, 0) == "another plug-in"


def test_a_permit_that_was_seen_is_used_up_also_one_that_was_barred() -> None:
    lease = Lease()
    assert lease.take(permit(20.0), 10.0, 7, "diode") == "diode"
    assert lease.take(permit(20.0), 10.0, 7) == "replayed"
    assert lease.take(permit(19.9), 10.0, 7) == "replayed"
    assert lease.take(permit(20.1), 10.0, 7) == ""
    assert lease.void() and not lease.void()
    assert (lease.until, lease.limit_a, lease.wish_a) == (0.0, 0.0, None)
    assert lease.take(permit(20.1), 10.0, 7) == "replayed"


@pytest.mark.parametrize(
    ("limit_a", "wish_a", "keeps_floor", "in_force", "wish"),
    [
        (6.0, None, False, True, None),
        (5.9, None, True, False, None),
        (16.0, 6.0, False, True, Offer(6.0, "permit")),
        (16.0, 5.9, False, False, Offer(5.9, "permit")),
        (16.0, 5.9, True, True, Offer(6.0, "floor")),
        (16.0, 6.0, True, True, Offer(6.0, "permit")),
        (16.0, 0.0, True, True, Offer(6.0, "floor")),
    ],
)
def test_what_a_permit_allows_and_wishes(limit_a: float, wish_a: float | None, keeps_floor: bool, in_force: bool, wish: Offer | None) -> None:
    lease = Lease(keeps_floor)
    assert lease.wish is None and not lease.may_close(0.0)
    lease.take(permit(20.0, limit_a, wish_a), 10.0, 7)
    assert lease.in_force(19.9) is lease.may_close(19.9) is in_force
    assert not lease.in_force(20.0)
    assert lease.wish == wish


def test_a_permit_may_say_another_limit_for_one_phase() -> None:
    lease = Lease()
    assert not lease.single
    lease.take(permit(20.0, 16.0, 14.0, 10.0, 9.0), 10.0, 7)
    assert (lease.limit_a, lease.wish_a) == (16.0, 14.0)
    lease.choose(True)
    assert (lease.single, lease.limit_a, lease.wish_a) == (True, 10.0, 9.0)
    lease.take(permit(21.0, 16.0, 14.0), 10.0, 7)
    assert (lease.limit_a, lease.wish_a) == (16.0, 14.0), "the same where it says none"
    lease.choose(False)
    assert (lease.single, lease.limit_a) == (False, 16.0)


def test_what_the_peer_before_allowed_ends_within_five_seconds_and_closes_nothing() -> None:
    lease = Lease()
    lease.take(permit(20.0), 10.0, 7)
    lease.hold(10.0)
    assert lease.until == 15.0 and lease.in_force(14.9) and not lease.may_close(14.9)
    lease.hold(12.0)
    assert lease.until == 15.0, "no longer than it was"
    lease.take(permit(21.0), 12.0, 7)
    assert lease.may_close(12.0)


def test_the_end_of_a_permit_is_told_once_with_its_reason() -> None:
    ear = Ear()
    voice = Voice(1, ear)
    voice.plug_in(1.0)
    number = voice.number
    allowance = Allowance(voice, False)
    ear.edges.clear()
    assert (allowance.permitted, allowance.ended_by) == (False, "")
    allowance.end("unplugged")
    assert allowance.ended_by == "", "there was none"
    for until, act in ((20.0, None), (30.0, "diode"), (40.0, "less")):
        assert allowance.take(Permit(1, number, 16.0, until), until - 10.0, "") == ""
        allowance.step(until - 9.0)
        assert allowance.permitted and allowance.ended_by == ""
        if act == "less":
            assert allowance.take(Permit(1, number, 0.0, until + 1.0), until - 8.0, "") == ""
        elif act:
            allowance.end(act)
        for now in (until, until + 0.1):
            allowance.step(now)
        assert not allowance.permitted
    told = [(edge.at, edge.kind, edge.value) for edge in ear.edges]
    assert told == [(20.0, EdgeKind.PERMIT_ENDED, "lapsed"), (30.0, EdgeKind.PERMIT_ENDED, "diode"), (40.0, EdgeKind.PERMIT_ENDED, "withdrawn")]
    voice.forget()
    assert allowance.take(Permit(1, number, 16.0, 60.0), 50.0, "") == "another plug-in"


# what was seen of a car -----------------------------------------------------------------------------------------------------------------------


def test_a_car_found_at_the_start_sees_x1_first_and_comes_by_b() -> None:
    arrival = Arrival()
    assert not arrival.early(A, 0.0) and arrival.simplified
    arrival.plugged(10.0)
    assert arrival.x1_until == 15.0
    assert arrival.early(B, 14.9) and not arrival.early(B, 15.0)
    assert arrival.early(C, 20.0) and arrival.early(D, 20.0), "it has not come by B"
    arrival.shows(C)
    assert arrival.early(C, 20.0) and arrival.simplified
    arrival.shows(B)
    assert not arrival.early(C, 20.0) and not arrival.simplified
    arrival.start_over()
    assert arrival.early(C, 20.0) and arrival.simplified and arrival.x1_until == 0.0


def test_a_car_that_was_seen_coming_waits_for_nothing() -> None:
    arrival = Arrival()
    arrival.plugged(10.0)
    arrival.shows(B)
    arrival.unplugged()
    assert arrival.x1_until == 0.0 and arrival.simplified
    arrival.plugged(20.0)
    assert arrival.x1_until == 0.0 and not arrival.early(C, 20.0)


# the pace of an offer -------------------------------------------------------------------------------------------------------------------------


def course(least: Least, *turns: tuple[float, float, float | None]) -> list[float]:
    """Offers at (time, cap, wish)."""
    return [least.of(now, [Offer(cap, "cap")], None if wish is None else Offer(wish, "wish")).amps for now, cap, wish in turns]


def test_an_offer_changes_every_five_seconds_and_falls_below_a_cap_at_once() -> None:
    assert course(Least(), (0.0, 10.0, None), (4.9, 16.0, None), (5.0, 16.0, None), (6.0, 12.0, None), (10.9, 16.0, None), (11.0, 16.0, None)) == [
        10.0,
        10.0,
        16.0,
        12.0,
        12.0,
        16.0,
    ]


def test_a_wish_is_in_no_hurry_and_never_above_the_cap() -> None:
    assert course(Least(), (0.0, 16.0, 20.0), (1.0, 16.0, 10.0), (5.0, 16.0, 10.0), (6.0, 8.0, 10.0), (7.0, 8.0, 9.0)) == [16.0, 16.0, 10.0, 8.0, 8.0]


def test_nothing_is_at_once_and_so_is_the_first_offer_after_it() -> None:
    assert course(Least(), (0.0, 16.0, None), (1.0, 5.0, None), (1.1, 10.0, None), (1.2, 16.0, None)) == [16.0, 0.0, 10.0, 10.0]


def test_of_equals_the_first_wins_and_a_new_name_is_told_without_a_change() -> None:
    least = Least()
    assert least.of(0.0, [Offer(16.0, "a"), Offer(16.0, "b")]) == Offer(16.0, "a")
    assert least.of(5.0, [Offer(16.0, "b"), Offer(16.0, "a")]) == Offer(16.0, "b")
    assert least.of(5.1, [Offer(20.0, "a")]) == Offer(20.0, "a"), "the duty has not changed for five seconds"
    assert least.none() == Offer(0.0, "")
    assert least.of(5.2, [Offer(10.0, "a")]).amps == 10.0


@pytest.mark.parametrize(
    ("closed_s", "amps", "by"), [(None, 6.0, "soft start"), (0.0, 6.0, "soft start"), (29.9, 6.0, "soft start"), (30.0, 16.0, "cap")]
)
def test_soft_start_lasts_its_time_from_the_closing(closed_s: float | None, amps: float, by: str) -> None:
    assert Least(Manner(soft_start_s=30.0)).of(0.0, [Offer(16.0, "cap")], None, closed_s) == Offer(amps, by)
    assert Least(Manner(soft_start_s=30.0)).of(0.0, [Offer(6.0, "cap")], None, closed_s) == Offer(6.0, "cap")
    assert Least().of(0.0, [Offer(16.0, "cap")], None, closed_s) == Offer(16.0, "cap")


def test_a_ramp_goes_up_in_its_steps_and_names_itself() -> None:
    least = Least(Manner(ramp_a_per_s=0.5))
    offers = [least.of(now, [Offer(12.0, "cap")]) for now in (0.0, 5.0, 10.0, 15.0)]
    assert offers == [Offer(6.0, "ramp"), Offer(8.5, "ramp"), Offer(11.0, "ramp"), Offer(12.0, "cap")]
    assert least.of(16.0, [Offer(7.0, "cap")]) == Offer(7.0, "cap")


def test_a_ramp_crosses_what_no_duty_can_say() -> None:
    least = Least(Manner(ramp_a_per_s=0.1))
    least._offer = Offer(51.0, "ramp")
    assert least.of(5.0, [Offer(60.0, "cap")]) == Offer(52.501, "ramp")


# the pilot's stillness ------------------------------------------------------------------------------------------------------------------------


def hold(pilot: PilotFilter, volts: float | None, turns: int, low_v: float = -12.0, pwm: bool = True) -> list[PilotState]:
    return [pilot.step(volts, low_v, pwm) for _ in range(turns)]


def standing(volts: float) -> PilotFilter:
    pilot = PilotFilter()
    hold(pilot, volts, 40)
    return pilot


@pytest.mark.parametrize(("volts", "turns"), [(12.0, 5), (9.0, 5), (6.0, 20), (3.0, 20), (0.0, 5)])
def test_how_many_still_turns_begin_a_state(volts: float, turns: int) -> None:
    found = hold(PilotFilter(), volts, turns + 1)
    assert found[turns - 1] is LOST and found[turns] is not LOST


@pytest.mark.parametrize(
    ("from_v", "to_v", "turns"), [(6.0, 9.0, 2), (6.0, 12.0, 2), (3.0, 9.0, 2), (6.0, 3.0, 2), (9.0, 12.0, 5), (12.0, 9.0, 5), (9.0, 6.0, 20)]
)
def test_how_many_still_turns_change_a_state(from_v: float, to_v: float, turns: int) -> None:
    pilot = standing(from_v)
    before = pilot.state
    found = hold(pilot, to_v, turns + 1)
    assert found[turns - 1] is before and found[turns] is not before


@pytest.mark.parametrize(("volts", "turns"), [(6.0, 10), (3.0, 10), (9.0, 60), (12.0, 60)])
def test_how_many_turns_without_a_reading_lose_a_state(volts: float, turns: int) -> None:
    pilot = standing(volts)
    found = hold(pilot, None, turns)
    assert found[turns - 2] is not LOST and found[turns - 1] is LOST


def test_a_peak_that_empties_from_above_is_waited_for_sixteen_turns() -> None:
    pilot = standing(6.0)
    found = [pilot.step(12.0 - 0.26 * turn, -12.0, True) for turn in range(16)]
    assert found[14] is C and found[15] is LOST


@pytest.mark.parametrize(("longer", "closed", "open"), [(1.0, 10, 60), (2.0, 5, 30), (0.5, 10, 60)])
def test_longer_turns_are_fewer(longer: float, closed: int, open: int) -> None:
    for volts, turns in ((6.0, closed), (9.0, open)):
        pilot = PilotFilter(0.005 * longer)
        hold(pilot, volts, 40)
        found = hold(pilot, None, turns)
        assert found[turns - 1] is LOST and LOST not in found[: turns - 1]


@pytest.mark.parametrize(("longer", "drift_v", "still"), [(1.0, 0.25, True), (1.0, 0.26, False), (2.0, 0.5, True), (2.0, 0.51, False)])
def test_a_turn_is_still_within_a_quarter_volt_and_more_where_it_is_longer(longer: float, drift_v: float, still: bool) -> None:
    pilot = PilotFilter(0.005 * longer)
    hold(pilot, 9.0, 10)
    assert pilot.settled
    pilot.step(9.0 + drift_v, -12.0, True)
    assert pilot.settled is still


@pytest.mark.parametrize(("low_v", "pwm", "closable"), [(-10.0, True, True), (-9.9, True, False), (-12.0, False, False)])
def test_closing_needs_twenty_still_turns_in_c_with_a_diode(low_v: float, pwm: bool, closable: bool) -> None:
    pilot = PilotFilter()
    hold(pilot, 6.0, 20, low_v, pwm)
    assert not pilot.closable and pilot.closable_turns == (19 if closable else 0)
    hold(pilot, 6.0, 1, low_v, pwm)
    assert pilot.closable is closable
    pilot.step(9.0, low_v, pwm)
    assert not pilot.closable and pilot.closable_turns == 0


def test_a_level_that_creeps_out_of_c_is_left_in_its_second_still_turn() -> None:
    pilot = standing(7.4)
    assert [pilot.step(volts, -12.0, True) for volts in (7.6, 7.79, 7.85, 7.86)] == [C, C, C, B]
    pilot = standing(7.4)
    assert [pilot.step(volts, -12.0, True) for volts in (7.6, 7.79, 7.85, 7.79, 7.85, 7.86)] == [C, C, C, C, C, B], "back in between"


def test_a_restart_forgets_everything() -> None:
    pilot = standing(6.0)
    assert pilot.settled and pilot.closable
    pilot.restart()
    assert (pilot.state, pilot.settled, pilot.closable_turns) == (LOST, False, 0)
    found = hold(pilot, 6.0, 21)
    assert found[19] is LOST and found[20] is C
