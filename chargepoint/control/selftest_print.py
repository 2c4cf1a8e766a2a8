"""The technician's report as a text table and as JSON. Must not know how anything was measured."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chargepoint.control.selftest_report import Row, Value, Verdict, count

WIDTH = 110
MARGIN = 26


def as_json(rows: Sequence[Row]) -> str:
    """A number that is none or infinite is null; limits that there are not are left out."""
    report = {**{verdict.value: count(rows, verdict) for verdict in Verdict}, "measurements": [_shown(row) for row in rows]}
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_text(rows: Sequence[Row]) -> str:
    """A block per EVSE, a line per measurement; below it what else is to be said of it, and at the end the sum."""
    blocks = [_block(evse, rows) for evse in dict.fromkeys(row.evse for row in rows)]
    return "\n\n".join([*blocks, ", ".join(f"{count(rows, verdict)} {verdict.value}" for verdict in Verdict)])


def _block(evse: int | None, rows: Iterable[Row]) -> str:
    title = "board" if evse is None else f"EVSE {evse}"
    return "\n".join([title, *(line for row in rows if row.evse == evse for line in _lines(row))])


def _lines(row: Row) -> Iterable[str]:
    finding = row.finding
    values = ", ".join(map(_worded, finding.values))
    yield f"  {row.title:<{MARGIN}}{finding.verdict.value:<9} {values}".rstrip()
    for label, text in (("", finding.reason), ("next: ", finding.next_step)):
        if text:
            yield from textwrap.wrap(label + text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _worded(value: Value) -> str:
    return f"{value.name} {_number(value)}{_limits(value)}"


def _number(value: Value) -> str:
    if value.value is None:
        return "never came"
    if isinstance(value.value, str):
        return value.value
    return f"{value.value:.4g} {value.unit}" if math.isfinite(value.value) else "open"


def _limits(value: Value) -> str:
    match value.low, value.high:
        case None, None:
            return ""
        case None, high:
            return f" (at most {high:g})"
        case low, None:
            return f" (at least {low:g})"
        case low, high:
            return f" ({low:g} to {high:g})"


def _shown(row: Row) -> dict[str, Any]:
    finding = row.finding
    shown: dict[str, Any] = {"evse": row.evse, "name": row.name, "verdict": finding.verdict.value, "values": [_value(one) for one in finding.values]}
    return shown | {key: text for key, text in (("reason", finding.reason), ("next_step", finding.next_step)) if text}


def _value(value: Value) -> dict[str, Any]:
    limits = {key: limit for key, limit in (("low", value.low), ("high", value.high)) if limit is not None}
    number = round(value.value, 3) if isinstance(value.value, float) and math.isfinite(value.value) else value.value
    return {"name": value.name, "value": number} | ({"unit": value.unit} if value.unit else {}) | limits
