"""Every section and key is covered by a test or has a reason why it cannot apply; never both, and no test names one that is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.driver import report
from tests.conformance.driver.applicability import OCPP16

HERE = Path(__file__).parent
ROWS = [row.case for row in report.read(HERE / "sections.csv")]


def covered() -> Iterator[str]:
    """What the marks of all tests name."""
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "covers":
                yield from (str(name.value) for name in node.args if isinstance(name, ast.Constant))


async def test_every_row_has_a_test_or_a_reason() -> None:
    done = {*covered(), *OCPP16}
    missing = [row for row in ROWS if row not in done]
    assert not missing, missing


async def test_no_row_stands_twice_and_none_is_invented() -> None:
    assert len(ROWS) == len(set(ROWS)), sorted(row for row in ROWS if ROWS.count(row) > 1)
    assert not set(covered()) - set(ROWS), sorted(set(covered()) - set(ROWS))


async def test_what_cannot_apply_is_not_tested() -> None:
    assert not set(covered()) & set(OCPP16)
    assert set(OCPP16) <= set(ROWS)
    assert all(reason.strip() for reason in OCPP16.values())
