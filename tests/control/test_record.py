"""What an EVSE keeps over restarts: the contactor's work, the last residual-current test, latched faults."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.memory import Kept, LastTest
from chargepoint.control.telling import state_of
from chargepoint.link.messages import Sample
from tests.control.fakes import Bench


def carry(bench: Bench, amps: float) -> None:
    bench.evse.sample(Sample(1, bench.clock.now, True, (amps, 0.0, 0.0), (230.0, 230.0, 230.0)), bench.clock.now)
    bench.turns(1)


def counted(bench: Bench) -> tuple[int, int]:
    return bench.evse.record.kept.closings, bench.evse.record.kept.openings_under_load


@pytest.mark.parametrize(("amps", "under_load"), [(16.0, 1), (1.0, 0), (math.nan, 0)])
def test_an_opening_that_breaks_a_current_counts(amps: float, under_load: int) -> None:
    bench = Bench()
    bench.charge()
    assert counted(bench) == (1, 0)
    carry(bench, amps)
    bench.emergency = True
    bench.seconds(1.0)
    assert counted(bench) == (1, under_load)


def test_a_car_that_opens_s2_has_stopped_first() -> None:
    bench = Bench()
    bench.charge()
    carry(bench, 16.0)
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    assert counted(bench) == (1, 0)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil)
    assert counted(bench) == (2, 0)


def test_an_old_sample_tells_of_no_load() -> None:
    bench = Bench()
    bench.charge()
    carry(bench, 16.0)
    bench.seconds(3.1)
    bench.emergency = True
    bench.seconds(1.0)
    assert counted(bench) == (1, 0)


@pytest.mark.parametrize("answers", [True, False])
def test_the_last_test_is_kept_with_its_time_and_told(answers: bool) -> None:
    bench = Bench()
    bench.wire.trip_answers = answers
    before = bench.clock.wall_s()
    bench.settle()
    test = bench.evse.record.kept.test
    assert test is not None and test.passed is answers and test.at is not None and test.at >= before
    told = state_of(bench.evse, bench.clock.now)
    assert (told.test_passed, told.tested_at) == (answers, test.at)


def test_counting_goes_on_from_what_was_kept() -> None:
    bench = Bench(kept=Kept(("residual_current",), LastTest(True), 41, 7))
    assert counted(bench) == (41, 7)
    assert bench.evse.faults.names() == ("residual_current",)
    bench.settle()
    assert bench.evse.record.kept.latched == ("residual_current",), "a test that passes clears nothing"
