"""One phase or three: what the limit is enough for, which car may be changed, how often, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.link.messages import PhaseWish
from chargepoint.model.session import SessionRow
from chargepoint.model.stamp import Stamp
from chargepoint.model.vehicle import UNKNOWN, Vehicle
from chargepoint.settings import Evse
from chargepoint.station.phases import DOWN_AFTER_S, MOST_SWITCHES, UP_AFTER_S, Phases
from chargepoint.station.smart_charging import Limits
from tests.simclock import SimulatedClock
from tests.station.station_rig import Rig

TOUGH = Vehicle(name="Tough", phase_switching=True)


class Bench:
    """A session at one EVSE, with a limit in watts that a test moves."""

    def __init__(self, tmp_path: Path, vehicle: Vehicle = TOUGH, **evse: object) -> None:
        self.clock = SimulatedClock()
        evses = (Evse(id=1, **{"phase_switching": True, **evse}),)  # type: ignore[arg-type]
        self.rig = Rig(self.clock, tmp_path / "station.db", evses=evses)
        self.limits = Limits(evses)
        self.watts(11000.0)
        self.phases = Phases(self.clock, evses, self.rig.sessions, self.limits, lambda row: vehicle)
        now: Stamp = self.clock.stamp()
        self.row = SessionRow(id="one", evse=1, connector=1, began=now, alive=now, start=(), stop=())

    def watts(self, watts: float) -> None:
        self.limits._max_w[1] = watts

    async def after(self, seconds: float) -> int:
        """What is wished so much later, having been asked all the time."""
        self.phases.wish(self.row)
        await self.clock.advance(seconds)
        return self.phases.wish(self.row).phases


@pytest.mark.parametrize(("watts", "phases"), [(11000.0, 3), (4140.0, 3), (4100.0, 1), (1400.0, 1)])
def test_the_limit_decides_before_the_car_draws(tmp_path: Path, watts: float, phases: int) -> None:
    bench = Bench(tmp_path, UNKNOWN)
    bench.watts(watts)
    assert bench.phases.wish(bench.row) == PhaseWish(1, phases, False)


def test_a_limit_too_low_for_one_phase_too_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.limits.add("csms", lambda evse: 4.0)
    assert bench.phases.wish(bench.row).phases == 3


@pytest.mark.parametrize("phases", [1, 3])
def test_off_by_default(tmp_path: Path, phases: int) -> None:
    bench = Bench(tmp_path, phase_switching=False, phases=phases)
    bench.watts(1400.0)
    assert bench.phases.wish(bench.row) == PhaseWish(1, phases)


async def test_a_car_nobody_knows_keeps_its_phases(tmp_path: Path) -> None:
    bench = Bench(tmp_path, UNKNOWN)
    bench.phases.wish(bench.row)
    bench.row.charged = True
    bench.watts(2000.0)
    assert await bench.after(10 * UP_AFTER_S) == 3


async def test_down_soon_and_up_late_with_a_dead_band(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.phases.wish(bench.row)
    bench.row.charged = True
    bench.watts(2000.0)
    assert await bench.after(DOWN_AFTER_S - 1.0) == 3
    assert await bench.after(2.0) == 1
    bench.watts(4200.0)
    assert await bench.after(2 * UP_AFTER_S) == 1
    bench.watts(11000.0)
    assert await bench.after(UP_AFTER_S - 1.0) == 1
    assert await bench.after(2.0) == 3
    assert bench.row.phase_switches == 2 and bench.phases.wish(bench.row).within


async def test_a_limit_that_comes_back_meanwhile_asks_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.phases.wish(bench.row)
    bench.row.charged = True
    bench.watts(2000.0)
    await bench.after(DOWN_AFTER_S - 1.0)
    bench.watts(11000.0)
    bench.phases.wish(bench.row)
    bench.watts(2000.0)
    assert await bench.after(DOWN_AFTER_S - 1.0) == 3


async def test_bounded_in_a_session(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.phases.wish(bench.row)
    bench.row.charged = True
    for count in range(MOST_SWITCHES + 2):
        bench.watts(11000.0 if count % 2 else 2000.0)
        await bench.after(UP_AFTER_S + 1.0)
    assert bench.row.phase_switches == MOST_SWITCHES
