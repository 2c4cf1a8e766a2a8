"""Every guard by itself, as a table: what is read and commanded, for how long, and which causes are there. Times are on both sides of each limit."""

from __future__ import annotations

import pytest

from chargepoint.control import guard
from chargepoint.control.guard import NAMES, causes, feel, suspect
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState

A, B, C, D, E, F, LOST = PilotState
NOW = 0.0
"""Of a clock that begins at a start long ago: differences are exact."""
LONG_AGO = -1000.0


def watch_of(**values: object) -> Watch:
    """A car in C charges, all is well, everything has been so for long."""
    watch = Watch(LONG_AGO, socket=True, d_allowed=False, thermometer=True)
    watch.now = watch.high_at = watch.low_at = watch.temperature_at = NOW
    watch.pilot, watch.high_v, watch.low_v = C, 6.0, -12.0
    watch.pwm = watch.coil = watch.closed = True
    watch.cable_a = watch.cable_held_a = 32.0
    return changed(watch, values)


def resting(**values: object) -> Watch:
    """Nothing is plugged in, the contactor is open."""
    watch = watch_of(pilot=A, high_v=12.0, low_v=0.0, pwm=False, coil=False, closed=False, mirror_closed=True, cable_a=None, cable_held_a=None)
    return changed(watch, values)


def changed(watch: Watch, values: dict[str, object]) -> Watch:
    for name, value in values.items():
        setattr(watch, name, value)
    return watch


def names(watch: Watch) -> set[str]:
    bits = causes(watch)
    return {name for number, name in enumerate(NAMES) if bits >> number & 1}


def ago(seconds: float) -> float:
    return NOW - seconds


CHARGING: tuple[tuple[dict[str, object], set[str]], ...] = (
    ({}, set()),
    ({"suspect_name": "diode"}, {"diode"}),
    ({"suspect_name": "pilot_short"}, {"pilot_short"}),
    ({"pilot": E}, {"pilot_short"}),
    # the pilot cannot be told
    ({"pilot": LOST, "pilot_since": ago(0.29)}, set()),
    ({"pilot": LOST, "pilot_since": ago(0.3)}, {"pilot_implausible"}),
    ({"pilot": LOST, "pilot_since": ago(0.3), "high_at": ago(0.05)}, {"pilot_lost"}),
    ({"pilot": A, "pilot_since": ago(0.3)}, set()),
    # it cannot be read, or the generator does not obey
    ({"high_at": ago(0.049)}, set()),
    ({"low_unread_turns": 9}, set()),
    ({"low_unread_turns": 10}, {"pilot_lost"}),
    ({"high_at": ago(0.05)}, {"pilot_lost"}),
    ({"high_at": ago(0.05), "pwm": False, "low_v": 0.0}, {"pilot_lost"}),
    ({"high_at": ago(0.05), "coil": False, "mirror_closed": True}, {"pilot_lost"}),
    ({"duty_lost": True}, {"pilot_lost"}),
    ({"pilot": F}, {"pilot_lost"}),
    ({"pilot": F, "dark_until": NOW + 0.1}, set()),
    ({"pilot": F, "dark_until": NOW}, {"pilot_lost"}),
    ({"pwm": False, "pwm_since": ago(0.49)}, set()),
    ({"pwm": False, "pwm_since": ago(0.5)}, {"pilot_lost"}),
    ({"pwm": False, "pwm_since": ago(0.5), "low_v": -10.0}, {"pilot_lost"}),
    ({"pwm": False, "pwm_since": ago(0.5), "low_v": -9.9}, set()),
    ({"pwm": False, "pwm_since": ago(0.5), "low_at": ago(0.1)}, set()),
    ({"pwm_dead_until": NOW + 0.1}, {"pilot_lost"}),
    ({"pwm_dead_until": NOW}, set()),
    # residual current, stop
    ({"tripped": True}, {"residual_current"}),
    ({"tripped": True, "testing": True}, set()),
    ({"test_failed": True}, {"residual_test_failed"}),
    ({"emergency": True}, {"emergency_stop"}),
    # contacts that do not follow the coil
    ({"current_uncommanded": True}, {"contactor_welded"}),
    ({"mirror_closed": True, "mirror_since": ago(0.019)}, set()),
    ({"mirror_closed": True, "mirror_since": ago(0.02)}, {"coil dropped"}),
    ({"mirror_closed": True, "closed": False, "coil_since": ago(0.149)}, set()),
    ({"mirror_closed": True, "closed": False, "coil_since": ago(0.15)}, {"coil dropped"}),
    ({"mirror_closed": True, "closed": False, "mirror_since": ago(0.149)}, set()),
    ({"tries": 2}, set()),
    ({"tries": 3}, {"contactor_stuck_open"}),
    # the second contactor
    ({"second": True, "mirror_l23_since": ago(0.149)}, set()),
    ({"second": True, "mirror_l23_since": ago(0.15)}, {"contactor_l23_welded"}),
    ({"second": True, "coil_l23_since": ago(0.149)}, set()),
    ({"second": False, "l23_flows": True}, set()),
    ({"second": True, "coil_l23": True}, set()),
    ({"second": True, "coil_l23": True, "l23_flows": True}, {"contactor_l23_welded"}),
    ({"second": True, "mirror_l23_closed": True}, set()),
    ({"tries_l23": 2}, set()),
    ({"tries_l23": 3}, {"contactor_l23_stuck_open"}),
    ({"phases_missing": True}, {"phases_missing"}),
    # lock and cable
    ({"lock_failed": True}, {"lock_failed"}),
    ({"unlock_failed": True}, {"unlock_failed"}),
    ({"lock_lost_turns": 2}, set()),
    ({"lock_lost_turns": 3}, {"lock_lost"}),
    ({"now": 1.0, "high_at": 1.0, "cable_missing_since": 0.51}, set()),
    ({"now": 1.0, "high_at": 1.0, "cable_missing_since": 0.5}, {"proximity_missing"}),
    ({"cable_a": 20.0}, {"proximity_changed"}),
    ({"cable_a": None}, {"proximity_changed"}),
    ({"cable_held_a": None}, set()),
    # heat
    ({"hot": True}, {"over_temperature"}),
    ({"temperature_at": ago(4.9)}, set()),
    ({"temperature_at": ago(5.0)}, {"temperature_sensor_lost"}),
    ({"temperature_at": ago(5.0), "thermometer": False}, set()),
    # ventilation
    ({"pilot": D, "pilot_since": ago(0.19)}, set()),
    ({"pilot": D, "pilot_since": ago(0.2)}, {"ventilation"}),
    ({"pilot": D, "pilot_since": ago(0.2), "d_allowed": True}, set()),
    ({"fault_openings": 5}, set()),
    ({"fault_openings": 6}, {"retries_used_up"}),
    ({"contradicted": True}, {"outputs_contradicted"}),
    # the supply
    ({"over_current": True}, {"over_current"}),
    ({"over_voltage": True}, {"over_voltage"}),
    ({"under_voltage": True}, {"under_voltage"}),
    ({"phase_loss": True}, {"phase_loss"}),
    ({"meter_silent": True}, {"meter_silent"}),
    ({"meter_long_silent": True}, {"meter_long_silent"}),
    ({"earth_lost_turns": 1}, set()),
    ({"earth_lost_turns": 2}, {"protective_earth_lost"}),
)

RESTING: tuple[tuple[dict[str, object], set[str]], ...] = (
    ({}, set()),
    ({"high_at": ago(0.19)}, set()),
    ({"high_at": ago(0.2)}, {"pilot_lost"}),
    ({"low_unread_turns": 10}, {"pilot_lost"}),
    ({"mirror_closed": False, "mirror_since": ago(0.149)}, set()),
    ({"mirror_closed": False, "mirror_since": ago(0.15)}, {"contactor_welded"}),
    ({"mirror_closed": False, "coil_since": ago(0.149)}, set()),
    ({"mirror_closed": False, "coil_since": ago(0.15)}, {"contactor_welded"}),
)


@pytest.mark.parametrize(("values", "found"), CHARGING)
def test_while_a_car_charges(values: dict[str, object], found: set[str]) -> None:
    watch = watch_of(**values)
    assert guard.coil_without_contacts(watch) is ("coil dropped" in found)
    assert names(watch) == found - {"coil dropped"}


@pytest.mark.parametrize(("values", "found"), RESTING)
def test_while_nothing_is_plugged_in(values: dict[str, object], found: set[str]) -> None:
    assert names(resting(**values)) == found


def test_a_watch_that_has_seen_nothing_yet_has_no_cause() -> None:
    watch = Watch(NOW, socket=True, d_allowed=False, thermometer=True)
    assert names(watch) == set()
    watch.now = NOW + 0.1
    assert names(watch) == set()
    watch.now = NOW + 0.2
    assert names(watch) == {"pilot_lost", "contactor_welded"}
    watch.now = NOW + 5.0
    assert names(watch) == {"pilot_lost", "contactor_welded", "temperature_sensor_lost"}


# the low plateau ------------------------------------------------------------------------------------------------------------------------------


BEGAN = 0.1


@pytest.mark.parametrize(
    ("values", "suspected"),
    [
        ({"low_v": -10.0}, False),
        ({"low_v": -9.9}, True),
        ({"low_v": -9.9, "pwm": False}, False),
        ({"low_v": -9.9, "low_at": 0.04, "pwm_since": 0.021}, False),
        ({"low_v": -9.9, "low_at": 0.04, "pwm_since": 0.02}, True),
    ],
)
def test_a_lost_low_plateau_is_suspected_once_it_can_be_judged(values: dict[str, object], suspected: bool) -> None:
    watch = watch_of(now=BEGAN, low_at=BEGAN, **values) if "low_at" not in values else watch_of(now=BEGAN, **values)
    suspect(watch)
    assert watch.suspect_since == (BEGAN if suspected else 0.0)
    assert watch.suspect_name == ""


@pytest.mark.parametrize(
    ("after_s", "values", "name", "dead_until", "still"),
    [
        (0.099, {}, "", 0.0, True),
        (0.1, {"low_v": -5.0}, "diode", 0.0, False),
        (0.1, {"low_v": -3.0}, "diode", 0.0, False),
        (0.1, {"low_v": -2.9}, "", 10.2, False),
        (0.1, {"low_v": -5.0, "high_v": 1.5}, "pilot_short", 0.0, False),
        (0.1, {"low_v": -5.0, "high_v": 1.6}, "diode", 0.0, False),
        (0.05, {"low_v": -10.0}, "", 0.0, False),
        (0.05, {"low_v": -10.0, "pwm": False}, "", 0.0, True),
        (0.05, {"low_v": -9.9}, "", 0.0, True),
    ],
)
def test_it_is_named_when_the_high_peak_has_told_or_forgotten_when_it_is_back(
    after_s: float, values: dict[str, object], name: str, dead_until: float, still: bool
) -> None:
    watch = watch_of(now=BEGAN, low_at=BEGAN, low_v=-5.0)
    suspect(watch)
    watch.now = watch.low_at = BEGAN + after_s
    suspect(changed(watch, values))
    assert (watch.suspect_name, watch.suspect_since != 0.0) == (name, still)
    assert watch.pwm_dead_until == pytest.approx(dead_until)
    suspect(changed(watch, {"low_v": -12.0, "pwm": True}))
    assert watch.suspect_name == "", "named in one turn only"


@pytest.mark.parametrize("values", [{"suspect_since": BEGAN}, {"pwm_dead_until": 10.2}, {"low_v": 0.0}])
def test_a_pilot_that_stands_in_e_is_not_suspected_of_anything_else(values: dict[str, object]) -> None:
    watch = watch_of(now=BEGAN + 0.1, low_at=BEGAN + 0.1, low_v=0.0, high_v=6.0, pilot=E)
    suspect(changed(watch, values))
    assert (watch.suspect_since, watch.suspect_name, watch.pwm_dead_until) == (0.0, "", 0.0)


HEAT = [((79.9,), False), ((80.0,), True), ((80.0, 75.0), True), ((80.0, 74.9), False), ((80.0, 74.9, 79.0), False)]


@pytest.mark.parametrize(("celsius", "hot"), HEAT)
def test_heat_comes_at_80_and_goes_below_75(celsius: tuple[float, ...], hot: bool) -> None:
    watch = watch_of()
    for number, value in enumerate(celsius):
        feel(watch, NOW + number, value)
    assert (watch.hot, watch.temperature_c, watch.temperature_at) == (hot, celsius[-1], NOW + len(celsius) - 1)


# what the watch itself keeps ------------------------------------------------------------------------------------------------------------------


def test_a_contact_is_as_old_as_its_last_change() -> None:
    watch = Watch(NOW, socket=False, d_allowed=False, thermometer=False)
    for second, closed in enumerate((False, True, True, False, False), 1):
        watch.now = NOW + second
        watch.read_mirror(closed)
        watch.read_mirror_l23(closed)
    assert (watch.mirror_closed, watch.mirror_since) == (watch.mirror_l23_closed, watch.mirror_l23_since) == (False, NOW + 4)


@pytest.mark.parametrize(
    ("values", "proven"),
    [
        ({"mirror_since": ago(0.1)}, True),
        ({"mirror_since": ago(0.09)}, False),
        ({"coil": True}, False),
        ({"mirror_closed": False}, False),
    ],
)
def test_open_is_proven_by_the_mirror_contact_with_the_coil_off(values: dict[str, object], proven: bool) -> None:
    assert resting(**values).proven_open(0.1) is proven


@pytest.mark.parametrize(("second", "closed", "away"), [(False, True, False), (True, False, False), (True, True, True)])
def test_phases_two_and_three_are_away_by_an_open_second_contactor(second: bool, closed: bool, away: bool) -> None:
    assert resting(second=second, mirror_l23_closed=closed).l23_open is away
