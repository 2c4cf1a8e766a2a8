"""The day between two clearings by the CSMS: counted while control runs, written down seldom, and told in hours."""

from __future__ import annotations

import pytest

from chargepoint.control.memory import REMOTE_REST_S, Kept
from chargepoint.control.record import Record
from chargepoint.control.remote_clearing import RemoteClearing
from tests.control.fakes import StillClock

TRIP = "residual_current"


class Clearing:
    """Of EVSE 1, started at 1,000 s with so much rest left."""

    def __init__(self, left_s: float = 0.0, *, allowed: bool = True) -> None:
        self.written: list[float] = []
        record = Record(1, Kept(remote_rest_s=left_s), lambda evse, kept: self.written.append(kept.remote_rest_s), StillClock())
        self.clearing = RemoteClearing(record, 1000.0, allowed=allowed)

    def why_not(self, now: float, name: str = TRIP) -> str:
        return self.clearing.why_not(name, now)


@pytest.mark.parametrize(
    ("name", "allowed", "left_s", "why"),
    [
        (TRIP, True, 0.0, ""),
        ("contactor_welded", True, 0.0, "only a person on site clears it"),
        ("residual_test_failed", True, 0.0, "only a person on site clears it"),
        (TRIP, False, 0.0, "the settings do not let the CSMS clear it"),
        (TRIP, True, 5400.0, "the CSMS has cleared it within a day; again after 1.5 h of operation"),
    ],
)
def test_why_the_csms_may_not_clear_a_fault(name: str, allowed: bool, left_s: float, why: str) -> None:
    assert Clearing(left_s, allowed=allowed).why_not(1000.0, name) == why


def test_the_rest_ends_after_a_day_of_operation() -> None:
    clearing = Clearing()
    clearing.clearing.use(2000.0)
    assert clearing.written == [REMOTE_REST_S] == [86_400.0]
    assert "again after 24.0 h" in clearing.why_not(2000.0)
    assert clearing.why_not(2000.0 + 86_399.0) != "" and clearing.why_not(2000.0 + 86_400.0) == ""


def test_what_is_left_is_written_down_every_ten_minutes_and_at_its_end() -> None:
    clearing = Clearing(1500.0)
    for now in range(1000, 3000, 100):
        clearing.clearing.step(float(now))
    assert clearing.written == [900.0, 300.0, 0.0]


def test_a_rest_goes_on_after_a_restart_with_what_was_left() -> None:
    clearing = Clearing(700.0)
    assert clearing.why_not(1699.0) != "" and clearing.why_not(1700.0) == ""
