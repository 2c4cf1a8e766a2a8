"""Fixtures for tests of other projects: a simulated charge point, real firmware, with the built-in CSMS or the one under test.

    def test_a_card_charges(charge_point):
        charge_point.plug_in()
        charge_point.swipe("04A1B2C3")
        charge_point.status("Charging")

Must not know what a charge point does: that is `sim.charge_point`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.charge_point import ChargePoint


@pytest.fixture
def charge_point_world(tmp_path: Path) -> Iterator[Callable[..., ChargePoint]]:
    """Starts charge points by the arguments of `sim.charge_point.ChargePoint`. All end with the test, which fails on what must never be."""
    with contextlib.ExitStack() as stack:
        started: list[ChargePoint] = []

        def start(**how: Any) -> ChargePoint:
            made = stack.enter_context(ChargePoint(tmp_path / f"charge-point-{len(started) + 1}", **how))
            started.append(made)
            return made

        yield start
        for one in started:
            assert one.violations() == [], "the world saw what must never be"


@pytest.fixture
def charge_point(charge_point_world: Callable[..., ChargePoint]) -> ChargePoint:
    """One charge point that the built-in CSMS has accepted."""
    return charge_point_world()
