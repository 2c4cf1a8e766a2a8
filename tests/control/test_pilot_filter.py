"""Stillness: what the peak detector shows while it empties is not a state."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from chargepoint.control.pilot_filter import ENTER_TURNS, LEAVE_TURNS, LOST_TURNS, UNCONFIRMED_TURNS, PilotFilter
from chargepoint.model.pilot import PilotState as P

TURN_S, FALL_S = 0.005, 0.04


def hold(filter_: PilotFilter, volts: float | None, turns: int, low_v: float = -12.0, pwm: bool = True) -> list[P]:
    return [filter_.step(volts, low_v, pwm) for _ in range(turns)]


def fall(filter_: PilotFilter, from_v: float, to_v: float, turns: int, low_v: float = -12.0) -> list[P]:
    return [filter_.step(to_v + (from_v - to_v) * math.exp(-turn * TURN_S / FALL_S), low_v, True) for turn in range(turns)]


def in_state(volts: float) -> PilotFilter:
    filter_ = PilotFilter()
    hold(filter_, volts, ENTER_TURNS + 1)
    return filter_


def test_nothing_is_known_at_first() -> None:
    assert PilotFilter().state is P.IMPLAUSIBLE
    assert in_state(12.0).state is P.A


def test_c_to_b_takes_two_still_turns() -> None:
    filter_ = in_state(6.0)
    assert hold(filter_, 9.0, 1 + LEAVE_TURNS) == [P.C, P.C, P.B]


def test_c_to_a_takes_two_still_turns_whichever_level_they_show() -> None:
    filter_ = in_state(6.0)
    filter_.step(10.4, -12.0, True)
    assert filter_.step(10.4, -12.0, True) is P.C
    assert filter_.step(10.6, -12.0, True) is P.A


def test_c_that_has_just_begun_is_left_by_two_still_turns_too() -> None:
    filter_ = PilotFilter(2 * TURN_S)
    hold(filter_, 7.45, 1 + ENTER_TURNS)
    assert filter_.state is P.C
    assert hold(filter_, 7.9, LEAVE_TURNS) == [P.C, P.B], "a turn twice as long is still with half a volt"


def test_into_c_takes_twenty_still_turns() -> None:
    filter_ = in_state(9.0)
    states = hold(filter_, 6.0, 1 + ENTER_TURNS)
    assert states[-2:] == [P.B, P.C]
    assert filter_.closable


@pytest.mark.parametrize("low_v", [-9.9, -5.6, 0.0])
def test_c_without_a_diode_is_a_state_but_not_closable(low_v: float) -> None:
    filter_ = in_state(9.0)
    hold(filter_, 6.0, 3 * ENTER_TURNS, low_v)
    assert filter_.state is P.C
    assert not filter_.closable


def test_one_bad_low_plateau_starts_the_count_again() -> None:
    filter_ = in_state(9.0)
    hold(filter_, 6.0, ENTER_TURNS - 1)
    filter_.step(6.0, -9.9, True)
    hold(filter_, 6.0, ENTER_TURNS - 1)
    assert not filter_.closable
    filter_.step(6.0, -12.0, True)
    assert filter_.closable


def test_c_without_pwm_is_not_closable() -> None:
    filter_ = in_state(9.0)
    hold(filter_, 6.0, 40, pwm=False)
    assert filter_.state is P.C
    assert not filter_.closable


@pytest.mark.parametrize("start_v", [12.0, 9.0])
@pytest.mark.parametrize("phase", range(8))
def test_a_fall_to_nothing_never_looks_like_c(start_v: float, phase: int) -> None:
    filter_ = in_state(start_v)
    states = [filter_.step(start_v * math.exp(-(turn + phase / 8) * TURN_S / FALL_S), -12.0 * math.exp(-turn / 8), True) for turn in range(80)]
    assert P.C not in states
    assert not filter_.closable
    assert states[-1] is P.E


@pytest.mark.parametrize("phase", range(10))
def test_a_fall_from_a_to_c_does_not_stop_in_b(phase: int) -> None:
    filter_ = in_state(12.0)
    states = [filter_.step(6.0 + 6.0 * math.exp(-(turn + phase / 10) * TURN_S / FALL_S), 0.0, False) for turn in range(60)]
    assert P.B not in states
    assert states[-1] is P.C


def test_a_short_ends_c() -> None:
    filter_ = in_state(6.0)
    states = fall(filter_, 6.0, 0.0, 2 + LOST_TURNS)
    assert states[-1] is not P.C


def test_a_short_ends_d() -> None:
    filter_ = in_state(3.0)
    states = fall(filter_, 3.0, 0.0, 1 + UNCONFIRMED_TURNS)
    assert states[-1] is not P.D


def test_ten_turns_without_a_reading_end_c() -> None:
    filter_ = in_state(6.0)
    states = hold(filter_, None, LOST_TURNS)
    assert states == [P.C] * (LOST_TURNS - 1) + [P.IMPLAUSIBLE]


def test_noise_that_never_stands_still_ends_c() -> None:
    filter_ = in_state(6.0)
    states = [filter_.step(6.3 + 0.3 * (turn % 2), -12.0, True) for turn in range(LOST_TURNS)]
    assert states[-1] is P.IMPLAUSIBLE


def test_stillness_elsewhere_and_unsteadiness_in_turn_end_c_too() -> None:
    filter_ = in_state(6.0)
    states = [filter_.step(9.0 + 0.4 * (turn // 2 % 2), -12.0, True) for turn in range(UNCONFIRMED_TURNS)]
    assert states[-1] is P.IMPLAUSIBLE


def spike(at_s: float, lasts_s: float, height_v: float) -> Callable[[float], float]:
    """The peak held on a 6 V plateau: rises with 1 ms, empties with 40 ms."""
    top_v = height_v * (1.0 - math.exp(-lasts_s / 0.001))

    def volts(now: float) -> float:
        since = now - at_s
        if since < 0.0:
            return 6.0
        if since < lasts_s:
            return 6.0 + height_v * (1.0 - math.exp(-since / 0.001))
        return 6.0 + top_v * math.exp(-(since - lasts_s) / FALL_S)

    return volts


@pytest.mark.parametrize("lasts_ms", [0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0])
@pytest.mark.parametrize("height_v", [1.0, 3.0, 6.0])
def test_one_spike_never_ends_c(lasts_ms: float, height_v: float) -> None:
    random = Random(2)
    for phase in range(50):
        filter_ = in_state(6.0)
        volts = spike(0.01 + phase * TURN_S / 50, lasts_ms / 1000.0, height_v)
        states = {filter_.step(volts(turn * TURN_S) + random.gauss(0.0, 0.03), -11.0, True) for turn in range(80)}
        assert states == {P.C}, phase


def test_thirty_millivolts_of_noise_change_nothing() -> None:
    random = Random(1)
    for volts, state in ((12.0, P.A), (9.0, P.B), (6.0, P.C), (3.0, P.D)):
        filter_ = in_state(volts)
        assert {filter_.step(volts + random.gauss(0.0, 0.03), -12.0, True) for _ in range(2000)} == {state}


def test_a_number_that_is_none_is_no_still_turn() -> None:
    filter_ = in_state(6.0)
    assert hold(filter_, math.nan, LOST_TURNS)[-1] is P.IMPLAUSIBLE


def test_settled_is_a_still_turn_in_the_state_that_stands() -> None:
    filter_ = in_state(12.0)
    assert filter_.settled
    filter_.step(11.0, 0.0, False)
    assert not filter_.settled
