"""IEC 61851-1 Tables A.4, A.7 and B.2 as control knows them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint.control import electrics
from chargepoint.model.pilot import PilotState as P


@pytest.mark.parametrize(
    ("current_a", "percent"),
    [(6, 10.0), (10, 16.667), (13, 21.667), (16, 26.667), (20, 33.333), (32, 53.333), (51, 85.0), (52.6, 85.04), (63, 89.2), (80, 96.0)],
)
def test_duty_of_the_table(current_a: float, percent: float) -> None:
    assert electrics.duty(current_a) * 100 == pytest.approx(percent, abs=0.001)


@pytest.mark.parametrize(
    ("percent", "current_a"),
    [(0, 0), (2.9, 0), (5, 0), (7.5, 0), (8, 6), (9.9, 6), (10, 6), (53.333, 32), (85, 51), (86, 55), (96, 80), (97, 80), (97.1, 0), (100, 0)],
)
def test_current_of_a_duty(percent: float, current_a: float) -> None:
    assert electrics.amps(percent / 100) == pytest.approx(current_a, abs=0.01)


@pytest.mark.parametrize("limit_a", [-5.0, 0.0, 5.999, -math.inf, math.nan])
def test_below_six_amperes_there_is_no_offer(limit_a: float) -> None:
    assert electrics.signalled(limit_a) == 0.0
    assert electrics.duty(limit_a) == electrics.X1


@pytest.mark.parametrize(("limit_a", "signalled_a"), [(51.01, 51.0), (52.49, 51.0), (52.5, 51.0), (52.51, 52.51), (500.0, 80.0)])
def test_no_duty_says_an_ampere_of_the_gap(limit_a: float, signalled_a: float) -> None:
    assert electrics.signalled(limit_a) == signalled_a


@given(st.floats(min_value=-10.0, max_value=200.0))
def test_what_is_signalled_is_never_above_the_limit(limit_a: float) -> None:
    read_back = electrics.amps(electrics.duty(limit_a))
    assert read_back <= max(limit_a, 0.0) + 0.001
    assert read_back == pytest.approx(electrics.signalled(limit_a), abs=0.001)


@pytest.mark.parametrize(
    ("volts", "state"), [(12.0, P.A), (9.0, P.B), (6.0, P.C), (3.0, P.D), (0.0, P.E), (-12.0, P.F), (14.0, P.IMPLAUSIBLE), (-14.0, P.IMPLAUSIBLE)]
)
def test_levels(volts: float, state: P) -> None:
    assert electrics.state_of(volts, 0.0, P.IMPLAUSIBLE) is state


def test_a_state_holds_a_little_beyond_its_band() -> None:
    assert electrics.state_of(7.7, -12.0, P.C) is P.C
    assert electrics.state_of(7.7, -12.0, P.B) is P.B
    assert electrics.state_of(7.9, -12.0, P.C) is P.B
    assert electrics.state_of(7.3, -12.0, P.B) is P.B
    assert electrics.state_of(7.1, -12.0, P.B) is P.C


@pytest.mark.parametrize(("former", "volts", "state"), [(P.A, 9.56, P.B), (P.C, 8.36, P.B), (P.B, 6.53, P.C), (P.D, 5.48, P.C), (P.C, 3.25, P.D)])
def test_every_acceptance_window_is_seen_from_its_neighbour(former: P, volts: float, state: P) -> None:
    assert electrics.state_of(volts, -12.0, former) is state


def test_what_is_not_held_is_decided_by_the_middle() -> None:
    assert electrics.state_of(7.7, -12.0, P.A) is P.B


def test_a_peak_detector_shows_f_as_no_high_and_a_dark_low_peak() -> None:
    assert electrics.state_of(0.0, -12.0, P.E) is P.F
    assert electrics.state_of(0.0, -12.0, P.A) is P.F
    assert electrics.state_of(0.0, -1.0, P.A) is P.E


def test_no_number_is_no_state() -> None:
    assert electrics.state_of(math.nan, 0.0, P.A) is P.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("ohms", "rating_a"),
    [
        (1500, 13),
        (680, 20),
        (220, 32),
        (100, 63),
        (1000, None),
        (350, None),
        (150, None),
        (60, None),
        (0, None),
        (3000, None),
        (math.inf, None),
        (math.nan, None),
    ],
)
def test_cable_coding(ohms: float, rating_a: float | None) -> None:
    assert electrics.cable_a(ohms) == rating_a


def test_a_plug_is_there_when_its_resistor_can_be_read() -> None:
    assert electrics.plug_present(0.0)
    assert electrics.plug_present(3000.0)
    assert not electrics.plug_present(math.inf)
    assert not electrics.plug_present(math.nan)


@pytest.mark.parametrize(
    ("percent", "says"),
    [
        (0.0, "F"),
        (1.0, "not allowed"),
        (3.0, "digital communication"),
        (5.0, "digital communication"),
        (7.0, "digital communication"),
        (7.5, "not allowed"),
        (8.0, "current"),
        (97.0, "current"),
        (98.0, "not allowed"),
        (100.0, "X1"),
    ],
)
def test_what_a_duty_says(percent: float, says: str) -> None:
    assert electrics.stretch_of(percent / 100).says == says


def test_every_duty_says_one_thing_and_the_digital_one_no_current() -> None:
    assert [stretch.to for stretch in electrics.DUTIES[:-1]] == [stretch.above for stretch in electrics.DUTIES[1:]]
    assert electrics.stretch_of(electrics.DIGITAL).says is electrics.Says.DIGITAL
    assert electrics.amps(electrics.DIGITAL) == electrics.amps(math.nan) == 0.0


@pytest.mark.parametrize(
    ("ohms", "former", "rating_a"),
    [
        (312.0, None, None),
        (312.0, 32.0, 32.0),
        (312.0, 20.0, None),
        (324.0, 32.0, None),
        (157.0, 32.0, 32.0),
        (140.0, 32.0, 63.0),
        (math.nan, 32.0, None),
    ],
)
def test_a_cable_stays_what_it_was_a_little_beyond_its_window(ohms: float, former: float | None, rating_a: float | None) -> None:
    assert electrics.cable_a(ohms, former) == rating_a
