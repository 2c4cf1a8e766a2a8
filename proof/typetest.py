"""Runs the sequences at a socket and at a tethered cable, in the settings they need, and prints the report. Must not know how one is measured."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from collections.abc import Sequence as Rows
from typing import NamedTuple

from proof.place import Missed, Place
from proof.sequences import SEQUENCES, SETTINGS, Sequence, Setting
from proof.worlds import in_lanes, places

CONNECTORS = {"socket": "sType2", "tethered": "cType2"}
HEAD = """\
# Type test

Made by `make typetest` ({version}). Each sequence of IEC 61851-1 Annex A that an AC charge point can have, driven and measured in the simulated
world. Times are those of the wire, from the change there to the change there. (M): a limit from general knowledge of the standard, to be checked
against its text. This is the report of a simulator and replaces no test of a charger.

{passed} of {count} passed. Violations seen by the world: {violations}.

| sequence | station | what | clause | limit | measured | verdict |
|---|---|---|---|---|---|---|
"""


class Result(NamedTuple):
    """One sequence at one kind of station. value None: not measured; wrong says why."""

    sequence: Sequence
    station: str
    value: float | None
    wrong: str = ""
    violations: int = 0

    @property
    def passed(self) -> bool:
        return self.value is not None and not self.wrong and not self.violations and self.sequence.limit.met(self.value)


Say = Callable[[Result], None]


def count(only: Collection[str] = ()) -> int:
    """How many results a run gives."""
    return sum(1 + sequence.tethered for sequence in _of(only))


async def run(say: Say, only: Collection[str] = ()) -> list[Result]:
    """Measures all sequences, or those with the numbers given."""
    done: list[Result] = []
    for setting in SETTINGS:
        rows = [row for row in _of(only) if row.setting is setting]
        await asyncio.gather(*(_kind(station, setting, rows, done, say) for station in CONNECTORS))
    order = {id(sequence): number for number, sequence in enumerate(SEQUENCES)}
    return sorted(done, key=lambda result: (order[id(result.sequence)], result.station))


def line(result: Result) -> str:
    """One line of progress."""
    sequence = result.sequence
    verdict = "pass" if result.passed else "FAIL"
    return f"{verdict} {sequence.number:7} {result.station:9} {sequence.title:58} {sequence.limit!s:22} {_measured(result)}"


def markdown(results: Rows[Result], version: str) -> str:
    """The whole document."""
    violations = sum(result.violations for result in results)
    head = HEAD.format(version=version, passed=sum(r.passed for r in results), count=len(results), violations=violations or "none")
    return head + "\n".join(map(_row, results)) + "\n"


def _of(only: Collection[str]) -> list[Sequence]:
    return [sequence for sequence in SEQUENCES if not only or sequence.number in only]


async def _kind(station: str, setting: Setting, rows: Rows[Sequence], done: list[Result], say: Say) -> None:
    """One kind of station: each sequence on an EVSE that is free."""

    async def one(place: Place, sequence: Sequence) -> None:
        result = await _try(place, sequence, station)
        done.append(result)
        say(result)

    work = deque(row for row in rows if row.tethered or station == "socket")
    if work:
        async with places(1, connector=CONNECTORS[station], evse=setting.evse, more=setting.more) as them:
            await in_lanes(them, work, one)


async def _try(place: Place, sequence: Sequence, station: str) -> Result:
    known, value, wrong = len(await place.violations()), None, ""
    try:
        await place.free()
        value = await sequence.measure(place)
    except Missed as missed:
        wrong = str(missed)
    try:
        await place.clean()
    except Missed as missed:
        wrong = wrong or f"back: {missed}"
    return Result(sequence, station, value, wrong, len(await place.violations()) - known)


def _measured(result: Result) -> str:
    value = "" if result.value is None else f"{result.value:.2f} {result.sequence.limit.unit}"
    return " ".join(part for part in (value, result.wrong, f"{result.violations} violations" if result.violations else "") if part)


def _row(result: Result) -> str:
    sequence, verdict = result.sequence, "pass" if result.passed else "**fail**"
    return f"| {sequence.number} | {result.station} | {sequence.title} | {sequence.clause} | {sequence.limit} | {_measured(result)} | {verdict} |"
