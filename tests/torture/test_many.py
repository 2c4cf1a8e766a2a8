"""Many offline transactions: their writer is killed again and again; each is there, in order, with its meter's energy, and what is not is found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from chargepoint.model.facts import EventKind
from proof.torture import promise
from proof.torture.images import BOUND_WH, waiting
from proof.torture.many import VERSION, Delivered, energy_wrong, written
from proof.torture.paper import PaperStation, settings_of
from proof.torture.report import Case
from proof.torture.workload import WALL_S
from sim.csms.book import Transaction
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD

COUNT = 25


async def test_what_a_killed_writer_wrote_is_there_with_its_energy(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "said").touch()
    promised, delivered, kills = written(tmp_path, COUNT, random.Random(4), print, running_s=6.0)
    clock = SimulatedClock(start_s=9e6, wall_s=WALL_S + 9e6, boot_id="another boot")
    csms = PaperCsms(VERSION, {CARD: "Accepted"})
    station = PaperStation(tmp_path / "state", tmp_path / "run", clock, settings_of(VERSION, 1), delivered.wh, csms=csms)
    facts = waiting(station)
    station.db.close()
    there = promise.keys(facts)
    last_said = {key: number for number, key in enumerate(promised.wills)}  # one that a kill took from between word and deed is said again
    assert kills >= 1 and there == sorted(set(there), key=lambda key: last_said[key])
    assert promise.lost(promised, there) == []
    begun = {fact.transaction: fact.register_wh or 0.0 for fact in facts if fact.kind is EventKind.STARTED}
    ended = {fact.transaction: fact.register_wh or 0.0 for fact in facts if fact.kind is EventKind.ENDED}
    assert len(ended) >= COUNT
    assert {name: wh - begun[name] for name, wh in ended.items()} == {name: delivered.of[name] for name in ended}
    assert sum(delivered.of[name] > 0 for name in ended) > COUNT // 2


@pytest.mark.parametrize(
    ("told_wh", "whole", "wrong"), [(30.0, True, False), (32.0, True, True), (32.0, False, False), (40.0 + BOUND_WH, False, True)]
)
def test_energy_beyond_its_bound_is_found(told_wh: float, whole: bool, wrong: bool) -> None:
    delivered = Delivered(of={"a": 30.0})
    told = [Transaction(1, "a", "CP001", registers=[(1.0, 100.0), (2.0, 100.0 + told_wh)])]
    case = Case("", "", "")
    assert bool(list(energy_wrong(told, delivered, {"a"} if whole else set(), case))) is wrong
    assert case.energy_error_wh == told_wh - 30.0


def test_a_transaction_that_nobody_began_is_found() -> None:
    assert list(energy_wrong([Transaction(1, "a", "CP001")], Delivered(), set(), Case("", "", "")))
