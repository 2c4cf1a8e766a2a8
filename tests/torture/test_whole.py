"""Fifty kills and power cuts of a whole charge point, at every kind of write: nothing is lost, doubled or wrong; and what would be is found."""

from __future__ import annotations

import pytest

from proof.torture.disk import Cut
from proof.torture.images import VERSIONS
from proof.torture.plan import OF_ONE, Line, Phase, Plan, Victim, plan
from proof.torture.preload import Where
from proof.torture.report import Case, markdown
from proof.torture.run import named
from proof.torture.verdict import allowed, missing
from proof.torture.whole import play
from sim.csms.book import Transaction

SEED = 1
WORLDS = 5


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", range(WORLDS))
async def test_a_charge_point_outlives_its_deaths(version: str, group: int) -> None:
    cases: list[Case] = []
    await play(version, SEED, range(group * OF_ONE, (group + 1) * OF_ONE), cases.append)
    assert len(cases) == OF_ONE
    assert [(case.name, case.wrong) for case in cases if case.wrong] == []


def test_the_share_of_each_run_has_every_phase_victim_and_network() -> None:
    plans = [plan(SEED, number) for number in range(WORLDS * OF_ONE)]
    assert {one.phase for one in plans} == set(Phase)
    assert {one.victim for one in plans} == set(Victim)
    assert {one.line for one in plans} == set(Line)


def test_a_seed_says_it_all() -> None:
    assert [plan(3, number) for number in range(20)] == [plan(3, number) for number in range(20)]
    assert plan(3, 1) != plan(4, 1)


@pytest.mark.parametrize(
    ("version", "seqs", "ended", "count"),
    [("ocpp2.0.1", [0, 1, 2], True, 0), ("ocpp2.0.1", [0, 2], True, 1), ("ocpp2.0.1", [0, 1], False, 1), ("ocpp1.6", [], False, 1)],
)
def test_what_never_came_is_counted(version: str, seqs: list[int], ended: bool, count: int) -> None:
    assert missing(Transaction(1, "a", "CP001", seqs=seqs, ended=ended), version) == count


@pytest.mark.parametrize(
    ("victim", "line", "cut", "most"),
    [(Victim.STATION, Line.UP, 0, 1), (Victim.FIRMWARE, Line.DYING, 0, 1), (Victim.FIRMWARE, Line.DYING, 3, 4), (Victim.POWER, Line.UP, 0, 21)],
)
def test_only_what_was_not_answered_may_come_twice(victim: Victim, line: Line, cut: int, most: int) -> None:
    assert allowed(Plan(Phase.CHARGE, victim, line, 1, Where.AFTER, Cut.ALL), cut) == most


def test_the_report_sums_up_and_names_what_failed() -> None:
    good = Case("power cut: replay", "up", "--case ocpp1.6:7", doubled=3, energy_error_wh=0.4)
    bad = Case("power cut: replay", "up", "--case ocpp1.6:15", lost=1, wrong=["1 facts never came"])
    text = markdown([good, bad], 1, ["a remark"])
    assert "| power cut: replay | up | 2 | 1 | 3 | 0.4 Wh | **1 failed** |" in text
    assert "--case ocpp1.6:15: 1 facts never came" in text
    assert "a remark" in text


def test_a_name_that_is_none_is_refused() -> None:
    assert named("ocpp1.6:12") == ("ocpp1.6", 12)
    with pytest.raises(ValueError, match="names no case"):
        named("ocpp3.0:x")
