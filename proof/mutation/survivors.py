"""Why mutants that no test finds may live, from survivors.toml beside this file. Must not know how they were found.

A reason that begins with ALIKE says that no test could tell the mutant from the code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from proof.mutation.mutants import Mutant
from tests.world import ROOT

FILE = Path(__file__).with_name("survivors.toml")
ALIKE = "acts alike"
UNEXPLAINED = "not looked into"
GONE = "the line has been taken out since"


class Reason(NamedTuple):
    """why: in words. mutants: (file, the line as it was, the line as it is). By rule: changes: what was and is, in any line of any file; texts_of:
    files, each of their texts."""

    why: str
    mutants: frozenset[tuple[str, str, str]] = frozenset()
    changes: frozenset[tuple[str, str]] = frozenset()
    texts_of: frozenset[str] = frozenset()

    def fits(self, mutant: Mutant) -> bool:
        """By rule."""
        changed = any(mutant.now in _once(mutant.was, was, now) for was, now in self.changes)
        return changed or (mutant.text and mutant.file.rpartition("/")[2] in self.texts_of)


@cache
def reasons() -> tuple[Reason, ...]:
    """Every reason there is. Raises TypeError for an entry that is none."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(_reason(**each) for each in told.get("reason", ()))


def reason_of(mutant: Mutant) -> str:
    """Why a survivor lives: by its own entry, else by a rule."""
    file = mutant.file.rpartition("/")[2]
    if not is_there(file, mutant.was):
        return GONE
    own = (reason.why for reason in reasons() if (file, mutant.was, mutant.now) in reason.mutants)
    by_rule = (reason.why for reason in reasons() if reason.fits(mutant))
    return next(own, next(by_rule, UNEXPLAINED))


@cache
def is_there(file: str, was: str) -> bool:
    """Whether a file of control says so still."""
    path = ROOT / "chargepoint" / "control" / file
    return path.exists() and was in " ".join(line.strip() for line in path.read_text(encoding="utf-8").splitlines())


def _reason(why: str, mutants: Iterable[list[str]] = (), changes: Iterable[list[str]] = (), texts_of: Iterable[str] = ()) -> Reason:
    own = frozenset((file, was, now) for file, was, now in mutants)
    return Reason(why, own, frozenset((was, now) for was, now in changes), frozenset(texts_of))


def _once(line: str, was: str, now: str) -> Iterator[str]:
    """The line with each one place of `was` changed."""
    parts = line.split(was)
    for place in range(1, len(parts)):
        yield was.join(parts[:place]) + now + was.join(parts[place:])
