"""A recording as the text of a scenario: acts, what was seen after each, and the time between. Must not know where either comes from.

What is expected is what stood still: a value that had settled before the next act, and a contactor or a firmware that stayed away for a while on the
way. The times allowed are generous, for another machine is slower; the waits keep the story's own pace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from math import ceil
from typing import Any, NamedTuple

SETTLED_S = 0.7
STAYED_S = 3.0
LASTING = (" contactor", "world station")
"""What is expected on the way too, when it stayed so for STAYED_S."""
SHORTEST_WAIT_S = 0.3
NOTHING_S = 2.0
"""When nothing moved after an act for so long, that is what is expected."""
AT_ONCE_S, AT_ONCE_WITHIN_S = 0.5, 2
LEAST_WITHIN_S, FACTOR = 20, 4.0


class Done(NamedTuple):
    """An act, as a line. evse: where, if anywhere."""

    at_s: float
    text: str
    evse: int | None = None


class Seen(NamedTuple):
    """A value of the world or the firmware from now on. place: as an expectation names it."""

    at_s: float
    place: str
    value: Any


class Heard(NamedTuple):
    """What is expected just once, as an expectation names it: a message, or the answer to an order."""

    at_s: float
    text: str


Entry = Done | Seen | Heard


def steps(entries: Sequence[Entry], ended_s: float) -> Iterator[str]:
    """The lines of a recording's steps. What was before the first act is how things stood at the beginning."""
    rows = sorted(entries, key=lambda entry: entry.at_s)
    starts = [number for number, row in enumerate(rows) if isinstance(row, Done)]
    known = {row.place: row.value for row in rows[: starts[0] if starts else None] if isinstance(row, Seen)}
    for first, end in pairwise([*starts, len(rows)]):
        act = rows[first]
        assert isinstance(act, Done)
        last = end == len(rows)
        until_s = ended_s if last else rows[end].at_s
        yield ""
        yield act.text
        lines = list(_after(act, rows[first + 1 : end], until_s, known))
        yield from lines[:-1] if last and lines and lines[-1].startswith("wait") else lines


def _after(act: Done, rows: Sequence[Entry], until_s: float, known: dict[str, Any]) -> Iterator[str]:
    """What was seen between an act and the next, and the wait for that one."""
    expected: list[Seen | Heard] = [*_settled(rows, until_s, known), *(row for row in rows if isinstance(row, Heard))]
    last_s = act.at_s
    for row in sorted(expected, key=lambda row: row.at_s):
        yield _expectation(row, row.at_s - last_s, first=last_s == act.at_s)
        last_s = row.at_s
    known.update({row.place: row.value for row in rows if isinstance(row, Seen)})
    contactor = f"evse {act.evse or 1} contactor"
    if not any(isinstance(row, Seen) for row in expected) and until_s - last_s >= NOTHING_S and contactor in known:
        yield f"expect {contactor} = {_word(known[contactor])} for {NOTHING_S:g} s"
        last_s += NOTHING_S
    if until_s - last_s >= SHORTEST_WAIT_S:
        yield f"wait {ceil(10.0 * (until_s - last_s)) / 10.0:g} s"


def _settled(rows: Sequence[Entry], until_s: float, known: dict[str, Any]) -> Iterator[Seen]:
    seen = [row for row in rows if isinstance(row, Seen)]
    for place in dict.fromkeys(row.place for row in seen):
        course, former = _changes(row for row in seen if row.place == place), known.get(place)
        for row, next_s in zip(course, [*(row.at_s for row in course[1:]), until_s], strict=True):
            final = row is course[-1]
            stayed_s = next_s - row.at_s
            if row.value != former and stayed_s >= (SETTLED_S if final else STAYED_S) and (final or place.endswith(LASTING)):
                yield row
                former = row.value


def _changes(rows: Iterable[Seen]) -> list[Seen]:
    """Without what says the same again."""
    return [next(same) for _, same in groupby(rows, lambda row: row.value)]


def _expectation(row: Seen | Heard, took_s: float, *, first: bool) -> str:
    if isinstance(row, Heard):
        return f"expect {row.text}" + ("" if row.text.startswith("answer") else f" within {_within(took_s)} s")
    moved_at_once = first and row.place.endswith(" contactor") and took_s <= AT_ONCE_S
    operator = "!=" if row.place == "world station" and row.value else "="
    value = "null" if row.place == "world station" else _word(row.value)
    return f"expect {row.place} {operator} {value} within {AT_ONCE_WITHIN_S if moved_at_once else _within(took_s)} s"


def _within(took_s: float) -> int:
    return max(LEAST_WITHIN_S, 5 + ceil(FACTOR * took_s))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
