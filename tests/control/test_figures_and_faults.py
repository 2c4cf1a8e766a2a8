"""Faults by the catalogue, the figures of pilot, duty, cable and heat at each of their limits, and what is calm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from chargepoint.control import electrics, faults
from chargepoint.control.cable import Cable
from chargepoint.control.faults import CATALOGUE, NAMES, Faults, bit, is_known
from chargepoint.control.offer import Offer, heat_cap
from chargepoint.model.fault import Clears, Effect
from chargepoint.model.pilot import PilotState
from tests.control.fakes import Bench

A, B, C, D, E, F, LOST = PilotState


# faults by the catalogue ----------------------------------------------------------------------------------------------------------------------


def named(bits: int) -> set[str]:
    return {name for number, name in enumerate(NAMES) if bits >> number & 1}


def test_the_masks_are_those_of_the_catalogue() -> None:
    known = {name: CATALOGUE[name] for name in NAMES}
    assert named(faults.OPENS) == {name for name, kind in known.items() if kind.effect is Effect.OPEN_NOW}
    assert named(faults.WITHDRAWS) == {name for name, kind in known.items() if kind.effect is Effect.WITHDRAW}
    assert named(faults.BARS) == {name for name, kind in known.items() if kind.effect is Effect.NO_NEXT_CLOSING}
    assert named(faults.LATCHING) == {name for name, kind in known.items() if kind.latching}
    assert named(faults.BY_ITSELF) == {name for name, kind in known.items() if kind.clears is Clears.CAUSE_GONE}
    assert named(faults.BY_UNPLUG) == {name for name, kind in known.items() if kind.clears is Clears.UNPLUG}
    single = (faults.VENTILATION, faults.SENSOR_LOST, faults.METER_SILENT, faults.WELDED, faults.TEST_FAILED)
    assert [named(bits) for bits in single] == [
        {"ventilation"},
        {"temperature_sensor_lost"},
        {"meter_silent"},
        {"contactor_welded"},
        {"residual_test_failed"},
    ]
    assert named(faults.RESIDUAL) == {"residual_current", "residual_test_failed"}


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_goes_as_the_catalogue_says(name: str) -> None:
    clears = CATALOGUE[name].clears
    kept = Faults()
    assert is_known(name) and kept.step(bit(name), 10.0, False) == bit(name) == kept.active == kept.causes
    assert kept.step(0, 10.99, True) == (bit(name) if clears is Clears.UNPLUG else 0)
    assert kept.step(0, 11.0, False) == (bit(name) if clears is Clears.CAUSE_GONE else 0)
    assert kept.names() == ((name,) if clears not in (Clears.UNPLUG, Clears.CAUSE_GONE) else ())
    kept.clear(name)
    assert kept.active == 0


def test_the_leading_fault_is_the_first_of_the_guards() -> None:
    kept = Faults()
    kept.step(bit("meter_silent") | bit("emergency_stop") | bit("pilot_lost"), 1.0, False)
    assert kept.names() == ("pilot_lost", "emergency_stop", "meter_silent")
    assert kept.leading(faults.OPENS) == "pilot_lost"
    assert kept.leading(faults.METER_SILENT | bit("emergency_stop")) == "emergency_stop"
    assert kept.leading(bit("diode")) == ""
    assert not is_known("a fault of the future")


# figures --------------------------------------------------------------------------------------------------------------------------------------


@dataclass
class Window:
    rating_a: float
    low: float
    high: float


@pytest.mark.parametrize("window", [Window(63.0, 80.0, 140.0), Window(32.0, 164.0, 308.0), Window(20.0, 400.0, 936.0), Window(13.0, 1100.0, 2460.0)])
def test_a_cable_s_window_has_its_ends_and_holds_a_twentieth_beyond(window: Window) -> None:
    below, above = math.nextafter(window.low, 0.0), math.nextafter(window.high, math.inf)
    assert electrics.cable_a(window.low) == electrics.cable_a(window.high) == window.rating_a
    assert electrics.cable_a(below) is electrics.cable_a(above) is None
    assert electrics.cable_a(window.low * 0.9501, window.rating_a) == electrics.cable_a(window.high * 1.0499, window.rating_a) == window.rating_a
    assert electrics.cable_a(window.low * 0.9499, window.rating_a) is electrics.cable_a(window.high * 1.0501, window.rating_a) is None


def test_a_cable_holds_beyond_its_window_once_it_was_believed() -> None:
    cable = Cable()
    for ohms in (300.0, 300.0, 300.0, 320.0, 320.0, 320.0):
        cable.read(ohms)
    assert cable.rating_a == 32.0
    for _ in range(3):
        cable.read(324.0)
    assert (cable.present, cable.rating_a) == (True, None)


@pytest.mark.parametrize(
    ("volts", "state"),
    [
        (13.5, A),
        (13.51, LOST),
        (10.51, A),
        (10.5, B),
        (7.51, B),
        (7.5, C),
        (4.51, C),
        (4.5, D),
        (1.51, D),
        (1.5, E),
        (-5.99, E),
        (-6.0, F),
        (-13.49, F),
        (-13.5, LOST),
    ],
)
def test_the_mid_points_between_levels(volts: float, state: PilotState) -> None:
    assert electrics.state_of(volts, 0.0, LOST) is state


@pytest.mark.parametrize(("former", "low_v", "high_v"), [(A, 10.2, 13.8), (B, 7.2, 10.8), (C, 4.2, 7.8), (D, 1.2, 4.8), (E, -6.3, 1.8)])
def test_a_state_holds_three_tenths_of_a_volt_beyond_its_band(former: PilotState, low_v: float, high_v: float) -> None:
    assert electrics.state_of(low_v + 0.01, 0.0, former) is former and electrics.state_of(high_v - 0.01, 0.0, former) is former
    assert electrics.state_of(low_v - 0.01, 0.0, former) is not former and electrics.state_of(high_v + 0.01, 0.0, former) is not former
    assert electrics.top_of(former) == pytest.approx(high_v) and electrics.top_of(LOST) == math.inf


@pytest.mark.parametrize(("low_v", "state"), [(-5.9, E), (-6.0, F)])
def test_no_high_peak_is_f_by_a_low_peak_of_six_volts(low_v: float, state: PilotState) -> None:
    assert electrics.state_of(0.0, low_v, LOST) is state
    assert electrics.state_of(3.0, low_v, LOST) is D


@pytest.mark.parametrize(
    ("percent", "says", "amps"),
    [
        (-1.0, "F", 0.0),
        (0.0, "F", 0.0),
        (0.0001, "not allowed", 0.0),
        (2.9999, "not allowed", 0.0),
        (3.0, "digital communication", 0.0),
        (7.0, "digital communication", 0.0),
        (7.0001, "not allowed", 0.0),
        (7.9999, "not allowed", 0.0),
        (8.0, "current", 6.0),
        (10.0, "current", 6.0),
        (11.0, "current", 6.6),
        (85.0, "current", 51.0),
        (85.0001, "current", 52.50025),
        (96.0, "current", 80.0),
        (97.0, "current", 80.0),
        (97.0001, "not allowed", 0.0),
        (99.9999, "not allowed", 0.0),
        (100.0, "X1", 0.0),
        (101.0, "X1", 0.0),
    ],
)
def test_every_end_of_every_stretch_of_the_duties(percent: float, says: str, amps: float) -> None:
    assert electrics.stretch_of(percent / 100.0).says == says
    assert electrics.amps(percent / 100.0) == pytest.approx(amps, abs=1e-4)


@pytest.mark.parametrize(
    ("limit_a", "signalled_a"),
    [(5.99, 0.0), (6.0, 6.0), (51.0, 51.0), (52.5, 51.0), (52.501, 52.501), (79.9, 79.9), (80.0, 80.0), (80.1, 80.0), (math.nan, 0.0)],
)
def test_what_a_duty_can_say(limit_a: float, signalled_a: float) -> None:
    assert electrics.signalled(limit_a) == signalled_a


@pytest.mark.parametrize(("ohms", "there"), [(4499.9, True), (4500.0, False), (0.0, True), (math.nan, False)])
def test_a_plug_is_there_below_4500_ohms(ohms: float, there: bool) -> None:
    assert electrics.plug_present(ohms) is there


@pytest.mark.parametrize(
    ("celsius", "lost", "cap"),
    [
        (None, False, None),
        (65.0, False, None),
        (65.1, False, Offer(pytest.approx(31.8267, abs=1e-3), "heat")),
        (72.5, False, Offer(19.0, "heat")),
        (80.0, False, Offer(6.0, "heat")),
        (95.0, False, Offer(6.0, "heat")),
        (20.0, True, Offer(6.0, "heat")),
        (None, True, Offer(6.0, "heat")),
    ],
)
def test_heat_takes_current_away_in_a_line(celsius: float | None, lost: bool, cap: Offer | None) -> None:
    assert heat_cap(celsius, lost, 32.0) == cap


# calm -----------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("coil", True),
        ("mirror_closed", False),
        ("testing", True),
        ("tripped", True),
        ("pilot", C),
        ("pilot", LOST),
        ("suspect_since", 5.0),
        ("cable_missing_since", 1e9),
    ],
)
def test_an_evse_is_not_calm_while_something_acts(what: str, value: object) -> None:
    bench = Bench()
    bench.seconds(3.0)
    assert bench.evse.calm
    setattr(bench.evse.watch, what, value)
    assert not bench.evse.calm


def test_an_evse_is_not_calm_with_a_permit_a_due_test_or_an_unsteady_pilot() -> None:
    for disturb in (
        lambda bench: setattr(bench.evse.lease, "until", 1.0),
        lambda bench: setattr(bench.evse.residual, "due_at", bench.evse.watch.now),
        lambda bench: setattr(bench.evse.filter, "_unconfirmed", 1),
    ):
        bench = Bench()
        bench.seconds(3.0)
        assert bench.evse.calm
        disturb(bench)
        assert not bench.evse.calm


def test_a_missing_cable_that_is_told_already_is_waited_for_no_more() -> None:
    bench = Bench()
    bench.settle()
    bench.plug(9.0, 350.0)
    assert not bench.evse.calm
    bench.seconds(3.0)
    assert bench.evse.calm and "proximity_missing" in bench.evse.faults.names()


@pytest.mark.parametrize("what", ["mirror_closed", "tripped", "emergency", "lock", "cable", "faults"])
def test_news_is_told_once(what: str) -> None:
    bench = Bench()
    bench.seconds(3.0)
    calm, evse = bench.evse._calm, bench.evse
    assert calm.news() and not calm.news()
    if what == "lock":
        assert evse.lock is not None
        evse.lock.feedback = True
    elif what == "cable":
        evse.cable.present = True
    elif what == "faults":
        evse.faults.active = 1
    else:
        setattr(evse.watch, what, not getattr(evse.watch, what))
    assert calm.news() and not calm.news()
