"""Worries of the whole: emergency stop, heat, current, what latches, what the lamp shows; found in time, named, cleared as the catalogue says."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from chargepoint.control import faults, guard
from chargepoint.control.loop import CALM_S
from chargepoint.control.machine import Phase
from chargepoint.link.messages import EdgeKind, Sample
from chargepoint.model.fault import CATALOGUE
from hal.gpio import LAMP
from hal.ports import LampPattern
from tests.control.fakes import TURN_S, Bench
from tests.control.seen import active, never_on, opens_within


def test_every_guard_has_its_row_in_the_catalogue() -> None:
    assert set(guard.NAMES) <= set(CATALOGUE)


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


def test_the_lamp_blinks_in_calm_turns_too() -> None:
    """A pattern is lit and dark by the clock at each look: looks further apart than half of the shortest blink would miss it."""
    bench = Bench()
    bench.settle()
    bench.turn_s = CALM_S
    bench.seconds(2.0)
    shown = bench.wire.lamp_shown_at[-20:]
    assert max(later - earlier for earlier, later in pairwise(shown)) < min(period for _, period in LAMP.values() if period) / 2


def test_a_fault_that_goes_is_told_as_gone_and_blamed_for_nothing_more() -> None:
    bench = Bench()
    bench.charge()
    bench.emergency = True
    bench.seconds(0.1)
    bench.emergency = False
    bench.seconds(2.0)
    assert [kind for kind in bench.ear.kinds() if kind.startswith("fault")] == ["fault_raised emergency_stop", "fault_cleared emergency_stop"]
    assert bench.evse.watch.fault_openings == 1


def test_a_fault_is_told_with_the_time_of_its_turn_and_as_the_end_of_the_permit() -> None:
    bench = Bench()
    bench.charge()
    bench.emergency = True
    bench.until(lambda: not bench.wire.coil)
    raised = next(edge for edge in bench.ear.edges if edge.kind is EdgeKind.FAULT_RAISED)
    ended = next(edge for edge in bench.ear.edges if edge.kind is EdgeKind.PERMIT_ENDED)
    assert raised.at == pytest.approx(bench.clock.now, abs=TURN_S)
    assert ended.value == "emergency_stop"
