"""Every test that docs/offline.md names for a whole charge point is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.driver import offline_table

SUITES = Path(__file__).parents[1]
TESTS = re.compile(r"^async def (test_\w+)\(", re.MULTILINE)


async def test_every_test_it_names_is_there() -> None:
    written = {name for file in SUITES.rglob("test_*.py") for name in TESTS.findall(file.read_text())}
    assert offline_table.named_tests() <= written, offline_table.named_tests() - written
