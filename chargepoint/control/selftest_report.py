"""What a technician's report of one board consists of: values with limits, verdicts, rows. Must not know what is measured, or the print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Value(NamedTuple):
    """One measured value. value None: there is none (it never came). low, high: the limits, both inclusive; None: no limit that way."""

    name: str
    value: float | str | None
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def within(self) -> bool:
        """Words have no limits; a number that is none is outside."""
        if isinstance(self.value, str):
            return True
        if self.value is None or math.isnan(self.value):
            return False
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)


class Finding(NamedTuple):
    """What a measurement found. reason: of a failed or skipped one; next_step: what the technician does then."""

    verdict: Verdict
    values: tuple[Value, ...] = ()
    reason: str = ""
    next_step: str = ""


class Row(NamedTuple):
    """One line of the report. evse None: of the board."""

    evse: int | None
    name: str
    title: str
    finding: Finding


def judged(*values: Value) -> Finding:
    """Passed when every value lies within its limits."""
    outside = [value.name for value in values if not value.within]
    if not outside:
        return Finding(Verdict.PASSED, values)
    return Finding(Verdict.FAILED, values, f"outside the limits: {', '.join(outside)}")


def failed(reason: str, *values: Value) -> Finding:
    return Finding(Verdict.FAILED, values, reason)


def skipped(reason: str, next_step: str = "") -> Finding:
    return Finding(Verdict.SKIPPED, (), reason, next_step)


def count(rows: Sequence[Row], verdict: Verdict) -> int:
    return sum(row.finding.verdict is verdict for row in rows)
