"""The table of IEC 61851-1 as a grid: for each phase and situation what becomes of it with the pilot in A, B, C, D, E, F or nowhere, and why."""

from __future__ import annotations

import pytest

from chargepoint.control.machine import Inputs, Phase, decide
from chargepoint.model.pilot import PilotState

REST, OFFER, SUPPLY, WITHDRAW = Phase

SITUATIONS: dict[str, dict[str, bool]] = {
    "nothing": {},
    "d": {"d_allowed": True},
    "offer": {"offer": True},
    "ready": {"offer": True, "ready": True},
    "ready, d": {"offer": True, "ready": True, "d_allowed": True},
    "suspect": {"offer": True, "ready": True, "suspect": True, "d_allowed": True},
    "time over": {"offer": True, "car_time_over": True, "d_allowed": True},
    "fault": {"opening": True, "offer": True, "ready": True},
}
GRID: dict[tuple[Phase, str], str] = {
    (REST, "nothing"): "rest: unplugged | - | - | - | rest: pilot | rest: pilot | rest: pilot",
    (REST, "d"): "rest: unplugged | - | - | - | rest: pilot | rest: pilot | rest: pilot",
    (REST, "offer"): "rest: unplugged | offer: offered | offer: offered | offer: offered | rest: pilot | rest: pilot | rest: pilot",
    (REST, "ready"): "rest: unplugged | offer: offered | offer: offered | offer: offered | rest: pilot | rest: pilot | rest: pilot",
    (REST, "ready, d"): "rest: unplugged | offer: offered | offer: offered | offer: offered | rest: pilot | rest: pilot | rest: pilot",
    (REST, "suspect"): "rest: unplugged | offer: offered | offer: offered | offer: offered | rest: pilot | rest: pilot | rest: pilot",
    (REST, "time over"): "rest: unplugged | offer: offered | offer: offered | offer: offered | rest: pilot | rest: pilot | rest: pilot",
    (REST, "fault"): "rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault",
    (OFFER, "nothing"): "rest: unplugged | rest: withdrawn | rest: withdrawn | rest: withdrawn | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "d"): "rest: unplugged | rest: withdrawn | rest: withdrawn | rest: withdrawn | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "offer"): "rest: unplugged | - | - | - | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "ready"): "rest: unplugged | - | supply: closed | - | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "ready, d"): "rest: unplugged | - | supply: closed | supply: closed | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "suspect"): "rest: unplugged | - | - | - | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "time over"): "rest: unplugged | - | - | - | rest: pilot | rest: pilot | rest: pilot",
    (OFFER, "fault"): "rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault",
    (SUPPLY, "nothing"): "rest: unplugged | rest: car | withdraw: withdrawn | rest: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "d"): "rest: unplugged | rest: car | withdraw: withdrawn | withdraw: withdrawn | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "offer"): "rest: unplugged | offer: car | - | offer: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "ready"): "rest: unplugged | offer: car | - | offer: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "ready, d"): "rest: unplugged | offer: car | - | - | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "suspect"): "rest: unplugged | offer: low plateau | offer: low plateau | offer: low plateau | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "time over"): "rest: unplugged | offer: car | - | - | rest: pilot | rest: pilot | rest: pilot",
    (SUPPLY, "fault"): "rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault",
    (WITHDRAW, "nothing"): "rest: unplugged | rest: car | - | rest: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "d"): "rest: unplugged | rest: car | - | - | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "offer"): "rest: unplugged | rest: car | - | rest: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "ready"): "rest: unplugged | rest: car | - | rest: ventilation | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "ready, d"): "rest: unplugged | rest: car | - | - | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "suspect"): "rest: unplugged | rest: low plateau | rest: low plateau | rest: low plateau | rest: pilot | rest: pilot | rest: pilot",
    (
        WITHDRAW,
        "time over",
    ): "rest: unplugged | rest: car | rest: car did not stop | rest: car did not stop | rest: pilot | rest: pilot | rest: pilot",
    (WITHDRAW, "fault"): "rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault | rest: fault",
}


@pytest.mark.parametrize(("phase", "situation"), GRID)
def test_the_grid(phase: Phase, situation: str) -> None:
    flags = SITUATIONS[situation]
    found = []
    for pilot in PilotState:
        after, cause = decide(phase, Inputs(pilot, **{name: flags.get(name, False) for name in Inputs._fields[1:]}))
        found.append(f"{after.name.lower()}: {cause.value}" if cause.value else "-")
        assert cause.value or after is phase
    assert " | ".join(found) == GRID[phase, situation]


def test_the_grid_is_whole() -> None:
    assert set(GRID) == {(phase, situation) for phase in Phase for situation in SITUATIONS}
