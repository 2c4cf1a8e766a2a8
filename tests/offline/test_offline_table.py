"""Every line of the table of offline behaviour, played on both versions; and the page made of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.offline.courses import COURSES
from tests.offline.page import ROOT, TARGET, page
from tests.offline.rows import ELSEWHERE, KNOWN, OCPP_201, OFFLINE, SWITCHES, UNKNOWN, VERSIONS, Elsewhere, Known, Moment, Row
from tests.offline.scene import MOMENTS, Seen, play, staged

CASES = [
    pytest.param(version, known, (local, unknown), may, id=f"{known.name}-{local:d}{unknown:d}-{version}")
    for known in KNOWN
    for version in known.versions
    for (local, unknown), may in zip(SWITCHES, known.may, strict=True)
]


@pytest.mark.parametrize("moment", [Moment.SWIPE, Moment.ANSWER], ids=["before", "asked"])
@pytest.mark.parametrize(("version", "known", "switches", "may"), CASES)
async def test_who_may_charge(version: str, known: Known, switches: tuple[bool, bool], may: bool, moment: Moment, tmp_path: Path) -> None:
    variables = {**known.variables, **dict(zip((OFFLINE, UNKNOWN), switches, strict=True))}
    async with staged(version, tmp_path / "station.db", variables) as scene:
        for card in known.cards:
            scene.knows(card)
        scene.csms.says[scene.card] = "Accepted"
        await scene.up()
        await MOMENTS[moment](scene)
        assert scene.charges() is may


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", COURSES, ids=[row.name for row in COURSES])
async def test_what_becomes_of_a_charge(row: Row, version: str, tmp_path: Path) -> None:
    outcome = row.outcome
    assert await play(row, version, tmp_path) == Seen(outcome.charges, outcome.goes_on, outcome.heard(version), outcome.status(version))


@pytest.mark.parametrize("moment", [Moment.MID_ANSWER, Moment.END_ANSWER])
async def test_what_is_told_again_is_the_same_event(moment: Moment, tmp_path: Path) -> None:
    async with staged(OCPP_201, tmp_path / "station.db", {}) as scene:
        scene.csms.says[scene.card] = "Accepted"
        await scene.up()
        await MOMENTS[moment](scene)
        unanswered = scene.csms.unanswered
        await scene.up()
        again = next(payload for action, payload in scene.csms.heard if action == "TransactionEvent")
        assert again == {**unanswered, "offline": True}


def test_every_moment_and_version_has_its_lines() -> None:
    assert {row.moment for row in COURSES} == set(Moment) == set(MOMENTS)
    names = [row.name for row in (*COURSES, *KNOWN)]
    assert all(row.words and row.clauses_16 and row.clauses_201 for row in (*COURSES, *KNOWN)) and len(set(names)) == len(names)


@pytest.mark.parametrize("line", ELSEWHERE, ids=[line.test.rpartition("::")[2] for line in ELSEWHERE])
def test_a_test_that_is_named_exists(line: Elsewhere) -> None:
    file, _, name = line.test.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_page_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "docs/offline.md is old: run `make docs`"
