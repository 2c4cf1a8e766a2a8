"""What was promised by a moment, and whether what a cut left keeps it. Must not know files.

A fact that was kept is there, or was told; nothing is half; what is told again is the last of what was answered, and never a fact whose answer came
with a note (1.6: the transactionId of a StartTransaction), which is synced at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chargepoint.model.facts import EventKind, TransactionFact
from chargepoint.model.session import SessionRow

AGAIN = 20
"""So many answered messages may be told again after a power cut."""
REGISTER = "Energy.Active.Import.Register"
Key = tuple[str, int]


@dataclass
class Promise:
    """wills: every fact in the order of writing; kept: those that outlive a power cut; tells, told: those that were on the line, and that were marked
    as answered; noted: those whose answer came with a note; wh: the registers as last said."""

    wills: list[Key] = field(default_factory=list)
    kinds: dict[Key, str] = field(default_factory=dict)
    kept: set[Key] = field(default_factory=set)
    tells: set[Key] = field(default_factory=set)
    told: list[Key] = field(default_factory=list)
    noted: dict[Key, str] = field(default_factory=dict)
    wh: dict[int, float] = field(default_factory=dict)

    def hear(self, line: bytes) -> None:
        """The next line said."""
        said: dict[str, Any] = msgspec.json.decode(line)
        what = said["what"]
        if what == "open":
            self.kept.update(self.wills)  # the process ended, the board did not: a killed process loses nothing
        if what == "wh":
            self.wh = {int(evse): wh for evse, wh in said["wh"].items()}
        if "fact" not in said:
            return
        key: Key = (said["fact"][0], said["fact"][1])
        if what == "will":
            self.wills.append(key)
            self.kinds[key] = said["kind"]
        elif what == "kept":
            self.kept.add(key)
        elif what == "tells":
            self.tells.add(key)
        elif what == "told":
            if not said["silent"] and key not in self.told:
                self.told.append(key)
            if said["note"] is not None:
                self.noted[key] = said["note"]

    def begun(self) -> set[str]:
        """Transactions whose beginning is kept."""
        return {transaction for transaction, seq in self.kept if seq == 0}

    def ended(self) -> set[str]:
        """Transactions whose end is kept."""
        return {key[0] for key in self.kept if self.kinds[key] == EventKind.ENDED}


def keys(facts: Sequence[TransactionFact]) -> list[Key]:
    return [(fact.transaction, fact.seq) for fact in facts]


def lost(promise: Promise, waiting: Sequence[Key]) -> list[Key]:
    """Kept, never on the line, and not there."""
    there = set(waiting)
    return [key for key in promise.wills if key in promise.kept and key not in there and key not in promise.tells]


def again(promise: Promise, waiting: Sequence[Key]) -> list[Key]:
    """Answered, and still waiting."""
    there = set(waiting)
    return [key for key in promise.told if key in there]


def broken(promise: Promise, waiting: Sequence[Key], rows: Sequence[SessionRow]) -> Iterator[str]:
    """What does not hold of the facts that wait and of the rows of open sessions, before the recovery."""
    places = {key: number for number, key in enumerate(promise.wills)}
    strange = [key for key in waiting if key not in places]
    if strange:
        yield f"facts nobody wrote: {strange}"
        return
    numbers = [places[key] for key in waiting]
    if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        yield f"what waits is not a piece of what was written, in its order: {numbers}"
    if missing := lost(promise, waiting):
        yield f"lost: {missing}"
    twice = again(promise, waiting)
    if len(twice) > AGAIN:
        yield f"{len(twice)} answered messages would be told again"
    if twice and twice != promise.told[-len(twice) :]:
        yield f"told again, though later ones are not: {twice}"
    if noted := [key for key in twice if key in promise.noted]:
        yield f"told again, though their answer was noted: {noted}"
    yield from _rows(promise, waiting, rows)


def _rows(promise: Promise, waiting: Sequence[Key], rows: Sequence[SessionRow]) -> Iterator[str]:
    """A row stands where its last fact stands."""
    there = set(waiting)
    running = {row.running.id: row.running.seq for row in rows if row.running is not None}
    for transaction, seq in running.items():
        last = (transaction, seq - 1)
        if last not in there and last not in promise.tells:
            yield f"the row of {transaction} is ahead of its facts: {seq}"
        if (transaction, seq) in there or any(key[0] == transaction and key[1] >= seq for key in promise.kept):
            yield f"the row of {transaction} is behind its facts: {seq}"
    for transaction in promise.begun() - promise.ended() - running.keys():
        if not any(key[0] == transaction and promise.kinds[key] == EventKind.ENDED for key in there | promise.tells):
            yield f"{transaction} has begun and has no row"


def unfinished(promise: Promise, waiting: Sequence[TransactionFact]) -> Iterator[str]:
    """What does not hold after the recovery: every transaction that was begun has its end, once, after everything else of it."""
    of: dict[str, list[TransactionFact]] = {}
    for fact in waiting:
        of.setdefault(fact.transaction, []).append(fact)
    for transaction, facts in of.items():
        seqs = [fact.seq for fact in facts]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
            yield f"{transaction}: seqs {seqs}"
        if [fact.kind for fact in facts if fact.kind is EventKind.ENDED] != [EventKind.ENDED] or facts[-1].kind is not EventKind.ENDED:
            yield f"{transaction}: {[fact.kind.value for fact in facts]}"
        registers = [fact.register_wh for fact in facts if fact.register_wh is not None]
        if registers != sorted(registers):
            yield f"{transaction}: the register runs backwards: {registers}"
        if (read := _read(facts)) != sorted(read):
            yield f"{transaction}: the readings run backwards: {read}"
    told_to_the_end = {key[0] for key in promise.tells if promise.kinds[key] == EventKind.ENDED}
    for transaction in promise.begun() - of.keys() - told_to_the_end:
        yield f"{transaction} never ends"


def _read(facts: Sequence[TransactionFact]) -> list[float]:
    """The import register as the readings tell it, by time."""
    readings = sorted((reading for fact in facts for reading in fact.readings), key=lambda reading: (reading.at.boot, reading.at.boot_s))
    return [value.value for reading in readings for value in reading.values if value.measurand == REGISTER]
