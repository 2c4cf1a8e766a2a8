"""Every case of the blocks judged so far is a test or has a reason why it cannot apply; never both, and none is invented."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.driver import report
from tests.conformance.driver.applicability import NOT_APPLICABLE

HERE = Path(__file__).parent
JUDGED: tuple[str, ...] = ("A", "B", "C", "D", "E", "F", "G", "J", "P")
"""Blocks that are complete."""
CASES = {case.case: case for case in report.read(HERE / "cases.csv")}
TESTS = re.compile(r"^async def test_(TC_\w+_CS)\b", re.MULTILINE)


def written() -> list[str]:
    return [name for file in sorted(HERE.glob("test_*.py")) for name in TESTS.findall(file.read_text())]


async def test_every_case_is_a_test_or_has_a_reason() -> None:
    missing = [case.case for case in CASES.values() if case.block in JUDGED and case.case not in {*written(), *NOT_APPLICABLE}]
    assert not missing, missing


async def test_no_case_is_invented_or_twice() -> None:
    names = written()
    assert not set(names) - set(CASES), set(names) - set(CASES)
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


async def test_what_cannot_apply_is_not_tested() -> None:
    assert not set(written()) & set(NOT_APPLICABLE)
    assert all(reason.strip() for reason in NOT_APPLICABLE.values())
    assert {case for case in NOT_APPLICABLE if case.startswith("TC_")} <= set(CASES)
