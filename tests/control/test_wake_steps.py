"""A step that wakes a car by itself, turn by turn: what lets it begin, what ends it, and how it says so."""

from __future__ import annotations

import pytest

from chargepoint.control.wake import Sight, Wake, sight_of
from chargepoint.link.messages import WakeKind
from chargepoint.model.pilot import PilotState
from tests.control.fakes import Bench

A, B, C, D, E, F, LOST = PilotState
X1, DARK = WakeKind.X1_BREAK, WakeKind.STATE_F
CALM = Sight(B, 7, True, True, "")


@pytest.mark.parametrize(
    ("kind", "seconds", "sight", "why"),
    [
        (X1, 3.0, CALM, ""),
        (X1, 60.0, CALM, ""),
        (DARK, 4.0, CALM, ""),
        (None, 3.0, CALM, "no step is named"),
        (X1, 2.99, CALM, f"{X1.value} lasts 3 to 60 s"),
        (X1, 60.01, CALM, f"{X1.value} lasts 3 to 60 s"),
        (DARK, 4.01, CALM, f"{DARK.value} lasts 3 to 4 s"),
        (X1, float("nan"), CALM, f"{X1.value} lasts 3 to 60 s"),
        (X1, 3.0, CALM._replace(pilot=A), "pilot in A"),
        (X1, 3.0, CALM._replace(pilot=C), "pilot in C"),
        (X1, 3.0, CALM._replace(plug_in=0), "pilot in B"),
        (X1, 3.0, CALM._replace(proven_open=False), "the contactor is not proven open"),
        (X1, 3.0, CALM._replace(permitted=False), "no permit is in force"),
        (X1, 3.0, CALM._replace(barred="diode"), "diode"),
        (X1, 3.0, CALM._replace(barred="diode", permitted=False), "diode"),
    ],
)
def test_what_lets_a_step_begin(kind: WakeKind | None, seconds: float, sight: Sight, why: str) -> None:
    wake = Wake()
    assert wake.begin(kind, seconds, 0.0, sight) == why
    assert wake.kind is (None if why else kind)
    assert wake.dark is (not why and kind is DARK)


def test_a_second_step_has_to_wait() -> None:
    wake = Wake()
    wake.begin(X1, 5.0, 0.0, CALM)
    assert wake.begin(DARK, 3.0, 1.0, CALM) == "another step runs"
    assert wake.kind is X1 and not wake.dark


def test_a_break_lasts_its_time() -> None:
    wake = Wake()
    wake.begin(X1, 5.0, 10.0, CALM)
    wake.step(14.99, CALM)
    assert wake.kind is X1 and not wake.dark
    wake.step(15.0, CALM)
    assert (wake.kind, wake.outcome) == (None, (True, ""))


@pytest.mark.parametrize("awake", [C, D])
def test_a_car_that_wakes_ends_a_break_after_three_seconds(awake: PilotState) -> None:
    wake = Wake()
    wake.begin(X1, 60.0, 10.0, CALM)
    wake.step(12.99, CALM._replace(pilot=awake))
    assert wake.kind is X1
    wake.step(13.0, CALM._replace(pilot=B))
    assert wake.kind is X1
    wake.step(13.0, CALM._replace(pilot=awake))
    assert (wake.kind, wake.outcome) == (None, (True, ""))


def test_state_f_is_followed_by_three_seconds_of_x1_in_which_the_pilot_may_show_anything() -> None:
    wake = Wake()
    wake.begin(DARK, 4.0, 10.0, CALM)
    for pilot in (B, E, LOST, F):
        wake.step(13.0, CALM._replace(pilot=pilot, permitted=False))
        assert wake.dark
    wake.step(14.0, CALM._replace(pilot=F))
    assert wake.kind is DARK and not wake.dark
    wake.step(16.99, CALM._replace(pilot=D, plug_in=7)._replace(pilot=A))
    assert wake.kind is DARK
    wake.step(17.0, CALM)
    assert (wake.kind, wake.outcome) == (None, (True, ""))


@pytest.mark.parametrize(
    ("kind", "sight", "why"),
    [
        (X1, CALM._replace(plug_in=8), "unplugged"),
        (X1, CALM._replace(barred="emergency_stop"), "emergency_stop"),
        (X1, CALM._replace(permitted=False), "no permit is in force"),
        (X1, CALM._replace(pilot=F), "pilot in F"),
        (X1, CALM._replace(pilot=E), "pilot in E"),
        (X1, CALM._replace(pilot=LOST), f"pilot in {LOST.value}"),
        (X1, CALM._replace(pilot=C), ""),
        (X1, CALM._replace(pilot=D), ""),
        (DARK, CALM._replace(pilot=A), "pilot in A"),
        (DARK, CALM._replace(pilot=C), "pilot in C"),
        (DARK, CALM._replace(permitted=False), ""),
        (DARK, CALM._replace(barred="control ends"), "control ends"),
    ],
)
def test_what_ends_a_step_before_its_time(kind: WakeKind, sight: Sight, why: str) -> None:
    wake = Wake()
    wake.begin(kind, 4.0, 10.0, CALM)
    wake.step(11.0, sight)
    assert (wake.kind, wake.outcome) == ((kind, (True, "")) if not why else (None, (False, why)))


def test_what_does_not_run_is_not_ended() -> None:
    wake = Wake()
    wake.end("control did not look")
    wake.step(5.0, CALM._replace(plug_in=9))
    assert (wake.kind, wake.outcome) == (None, (True, ""))


@pytest.mark.parametrize(
    ("change", "barred"),
    [
        ({}, ""),
        ({"ending": True}, "control ends"),
        ({"resetting": True}, "reset"),
        ({"ending": True, "resetting": True}, "control ends"),
    ],
)
def test_what_a_step_sees_of_its_evse(change: dict[str, bool], barred: str) -> None:
    bench = Bench()
    bench.settle()
    assert sight_of(bench.evse) == Sight(A, 0, True, False, "")
    bench.plug()
    bench.renewing = True
    bench.seconds(0.2)
    for name, value in change.items():
        setattr(bench.evse, name, value)
    assert sight_of(bench.evse) == Sight(B, bench.evse.voice.number, True, True, barred)


@pytest.mark.parametrize(
    ("what", "value", "barred"),
    [("emergency", True, "emergency_stop"), ("earth_lost", True, "protective_earth_lost"), ("ohms", 350.0, "proximity_missing")],
)
def test_a_fault_of_any_effect_that_forbids_an_offer_bars_a_step(what: str, value: object, barred: str) -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    setattr(bench if what == "emergency" else bench.wire, what, value)
    bench.seconds(1.0)
    assert sight_of(bench.evse).barred == barred
