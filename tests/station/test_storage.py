"""Storage that fails under a running session, and clocks that are wrong: charging goes on, it is told once, and every fact is written in the end."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chargepoint.model.facts import EventKind, SecurityFact, Trigger
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.station.storage import AGAIN_AFTER_S, Storage
from chargepoint.store.db import Db
from tests.simclock import SimulatedClock
from tests.station.test_restarts import begin, charging, outbox, powered_up

YEAR_S = 365.25 * 86_400


@contextmanager
def failing() -> Iterator[None]:
    """Every write to a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_storage_that_fails_is_told_once_and_tried_again(tmp_path: Path) -> None:
    clock = SimulatedClock()
    db = Db(tmp_path / "station.db", alone=True)
    told: list[SecurityFact] = []
    storage = Storage(clock, db, Security(clock, db, lambda fact: told.append(fact) or 1))  # type: ignore[func-returns-value, arg-type]  # a test's list
    with failing():
        with db.transaction():
            db.execute("INSERT INTO variables VALUES ('a', '1', NULL)")
        for _ in range(30):
            storage.tick()
            await clock.advance(1)
        assert db.in_memory and [fact.type for fact in told] == [SecurityEvent.MEMORY_EXHAUSTION]
    for _ in range(int(AGAIN_AFTER_S) + 1):
        storage.tick()
        await clock.advance(1)
    assert not db.in_memory and len(told) == 1
    with failing():
        db.execute("INSERT INTO variables VALUES ('b', '1', NULL)")
        storage.tick()
        assert len(told) == 2, "it failed anew"


async def test_a_damaged_store_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    path.write_bytes(b"no database" * 100)
    clock, db = SimulatedClock(), Db(path, alone=True)
    told: list[SecurityFact] = []
    storage = Storage(clock, db, Security(clock, db, lambda fact: told.append(fact) or 1))  # type: ignore[func-returns-value, arg-type]  # a test's list
    for _ in range(5):
        storage.tick()
    assert [fact.type for fact in told] == [SecurityEvent.STORE_DAMAGED]


async def test_a_session_goes_on_without_storage_and_all_of_it_is_told(tmp_path: Path) -> None:
    rig = begin(tmp_path, alone=True)
    rig.transactions.in_memory = lambda: rig.db.in_memory
    await charging(rig)
    with failing():
        rig.meters.energy_wh[1] = 500.0
        rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())
        await rig.seconds(5)
        rig.meters.energy_wh[1] = 900.0
        await rig.swipe()
        rig.control.open(why="withdrawn")
        await rig.seconds(3)
        rig.control.unplug()
        await rig.seconds(1)
    assert rig.db.in_memory and rig.db.heal()
    rig.crash()
    facts = outbox(begin(tmp_path, alone=True))
    assert [fact.seq for fact in facts] == list(range(len(facts))) and facts[-1].kind is EventKind.ENDED
    assert facts[-1].register_wh == 900.0 and facts[-1].in_memory and not facts[0].in_memory


@pytest.mark.parametrize("jumps", [(30.0, -60.0), (-54.0, 40.0), (-30.0, 0.0)])
async def test_a_clock_that_jumps_years_changes_neither_order_nor_energy_nor_durations(tmp_path: Path, jumps: tuple[float, float]) -> None:
    rig = await charging(begin(tmp_path))
    for number, years in enumerate(jumps, 1):
        await rig.seconds(30)
        rig.clock.learn_wall(rig.clock.wall_s() + years * YEAR_S)
        rig.meters.energy_wh[1] = 100.0 * number
        rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())
        await rig.seconds(30)
    rig.control.unplug()
    await rig.seconds(2)
    facts = rig.transaction_facts()
    assert [fact.seq for fact in facts] == list(range(len(facts))) and facts[-1].kind is EventKind.ENDED
    boots = [fact.at.boot_s for fact in facts]
    assert boots == sorted(boots) and facts[-1].time_charging_s == 120 and facts[-1].register_wh == 200.0
    assert rig.sessions.row(1) is None


async def test_a_board_that_starts_in_1970_dates_its_session_by_the_boot_that_learns_the_time(tmp_path: Path) -> None:
    """Cut while the time was not known; the next boot starts in 1970 again, and learns it from the CSMS."""
    rig = await charging(begin(tmp_path, SimulatedClock(start_s=20.0, wall_s=20.0, known=False)))
    await rig.seconds(40)
    rig.boots.alive(1, rig.clock.boot_s())
    rig.crash()
    again = powered_up(rig, plugged=False)
    again.clock._wall_offset_s, again.clock._known = 0.0, False
    await again.seconds(1)
    now = 1_750_000_000.0
    again.clock.learn_wall(now)
    again.boots.learn(again.clock.boot, now - again.clock.boot_s())
    facts = outbox(again)
    assert [fact.seq for fact in facts] == list(range(len(facts))) and facts[-1].kind is EventKind.ENDED
    assert not facts[-1].at.known and facts[-1].at.boot == 1 and facts[-1].at.boot_s == pytest.approx(61.0)
    walls = [again.boots.wall_of(fact.at) for fact in facts]
    assert walls == sorted(walls) and walls[-1] <= now
