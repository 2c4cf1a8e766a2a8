"""A residual-current trip cleared by the CSMS: where it is allowed, after a passed test, once a day, whatever the wall clock says."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.control.memory import REMOTE_REST_S, Kept, Memory
from chargepoint.control.remote_clearing import SAVE_EVERY_S
from chargepoint.link.messages import OrderAnswer, OrderKind
from tests.control.fakes import FIGURES, Bench
from tests.control.test_orders import Desk

ALLOWED = FIGURES._replace(csms_clears=True)
TRIP = "residual_current"


def tripped(figures: object = ALLOWED, kept: Kept | None = None) -> tuple[Bench, Desk]:
    bench = Bench(ALLOWED if figures is ALLOWED else FIGURES, kept=kept or Kept((TRIP,)))
    bench.settle()
    return bench, Desk(bench)


def by_csms(desk: Desk, fault: str = TRIP) -> OrderAnswer:
    return desk.give(OrderKind.CLEAR_FAULT, fault, in_person=False)


def trip_again(bench: Bench) -> None:
    bench.wire.trip = True
    bench.turns(4)
    bench.wire.trip = False
    bench.turns(4)
    assert bench.evse.faults.names() == (TRIP,)


def test_it_is_off_unless_the_owner_allows_it() -> None:
    bench, desk = tripped(FIGURES)
    assert by_csms(desk) == OrderAnswer(1, False, "the settings do not let the CSMS clear it")
    assert bench.evse.faults.names() == (TRIP,)


def test_it_is_cleared_after_a_passed_test() -> None:
    bench, desk = tripped()
    bench.wire.writes.clear()
    assert by_csms(desk).done
    assert bench.wire.writes[:2] == ["test on", "test off"]
    assert bench.evse.faults.names() == ()


def test_a_cause_that_lasts_and_a_failed_test_are_told_and_use_nothing_up() -> None:
    bench, desk = tripped()
    bench.wire.trip = True
    bench.turns(4)
    assert by_csms(desk) == OrderAnswer(1, False, "its cause lasts")
    bench.wire.trip = False
    bench.turns(4)
    bench.wire.trip_answers = False
    assert by_csms(desk) == OrderAnswer(1, False, "the residual-current test failed")
    assert bench.evse.record.kept.remote_rest_s == 0.0


def test_a_failed_test_is_for_a_person_and_no_further_one_is_run() -> None:
    bench, desk = tripped(kept=Kept((TRIP, "residual_test_failed")))
    bench.wire.writes.clear()
    for fault in (TRIP, "residual_test_failed"):
        assert by_csms(desk, fault) == OrderAnswer(1, False, "the residual-current test has failed; only a person on site clears that")
    assert not any(write.startswith("test") for write in bench.wire.writes)


@pytest.mark.parametrize("fault", ["contactor_welded", "contactor_l23_welded"])
def test_a_weld_is_for_a_person(fault: str) -> None:
    _, desk = tripped(kept=Kept((fault,)))
    assert by_csms(desk, fault) == OrderAnswer(1, False, "only a person on site clears it")


def test_once_a_day_and_a_person_at_any_time() -> None:
    bench, desk = tripped()
    assert by_csms(desk).done
    trip_again(bench)
    refused = by_csms(desk)
    assert not refused.done and refused.text == "the CSMS has cleared it within a day; again after 24.0 h of operation"
    assert desk.give(OrderKind.CLEAR_FAULT, TRIP).done
    trip_again(bench)
    assert not by_csms(desk).done, "what a person does gives the CSMS nothing back"


def test_what_was_not_active_uses_nothing_up() -> None:
    bench = Bench(ALLOWED)
    bench.settle()
    assert by_csms(Desk(bench)) == OrderAnswer(1, True, "it is not active")
    assert bench.evse.record.kept.remote_rest_s == 0.0


def test_of_two_at_the_same_time_one_clears() -> None:
    bench, desk = tripped()
    desk.begin(OrderKind.CLEAR_FAULT, TRIP, in_person=False)
    assert by_csms(desk).done
    trip_again(bench)
    assert not by_csms(desk).done


def test_a_jump_of_the_wall_clock_brings_no_second_one() -> None:
    bench, desk = tripped()
    assert by_csms(desk).done
    trip_again(bench)
    for jump_s in (30 * REMOTE_REST_S, -30 * REMOTE_REST_S):
        bench.clock.learn_wall(bench.clock.wall_s() + jump_s)
        assert not by_csms(desk).done


def test_after_a_day_of_operation_it_may_again() -> None:
    bench, desk = tripped()
    assert by_csms(desk).done
    bench.clock.now += REMOTE_REST_S - 60.0
    bench.seconds(1.0)
    trip_again(bench)
    assert not by_csms(desk).done
    bench.clock.now += 60.0
    bench.seconds(1.0)
    assert by_csms(desk).done


def test_restarts_bring_no_second_one_and_lose_little_of_the_day() -> None:
    bench, desk = tripped()
    assert by_csms(desk).done
    trip_again(bench)
    bench.clock.now += 3.0 * 3600.0
    bench.seconds(SAVE_EVERY_S / 100)
    kept = bench.evse.record.kept
    assert REMOTE_REST_S - kept.remote_rest_s == pytest.approx(3.0 * 3600.0, abs=SAVE_EVERY_S)
    again, desk = tripped(kept=kept)
    assert not by_csms(desk).done
    again.clock.now += kept.remote_rest_s
    again.seconds(1.0)
    assert again.evse.record.kept.remote_rest_s == 0.0
    assert by_csms(desk).done


def test_a_reset_of_the_evse_clears_nothing() -> None:
    bench, desk = tripped()
    assert desk.give(OrderKind.RESET_EVSE, in_person=False).done
    bench.seconds(1.0)
    assert bench.evse.faults.names() == (TRIP,)


@pytest.mark.parametrize("rest_s", ["-1.0", "86401.0", "1e400"])
def test_a_rest_that_cannot_be_makes_the_file_unreadable(tmp_path: Path, rest_s: str) -> None:
    (tmp_path / "control.json").write_text('{"evses":{"1":{"remote_rest_s":' + rest_s + "}}}")
    assert Memory(tmp_path).kept(1).latched == ("residual_test_failed",)
