"""Why mutants that no test finds may live, from survivors.toml beside this file. Must not know how they were found.

A reason that begins with ALIKE says that no test could tell the mutant from the code.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from proof.mutation.mutants import Mutant

FILE = Path(__file__).with_name("survivors.toml")
ALIKE = "acts alike"
UNEXPLAINED = "not looked into"


class Reason(NamedTuple):
    """why: in words. mutants: (file, the line as it was, the line as it is). texts_of: files whose every other text it stands for."""

    why: str
    mutants: frozenset[tuple[str, str, str]]
    texts_of: frozenset[str]


@cache
def reasons() -> tuple[Reason, ...]:
    """Every reason there is. Raises TypeError for an entry that is none."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(_reason(**each) for each in told.get("reason", ()))


def reason_of(mutant: Mutant) -> str:
    """Why a survivor lives: by its own entry, else by one for its file's texts."""
    file = mutant.file.rpartition("/")[2]
    own = (reason.why for reason in reasons() if (file, mutant.was, mutant.now) in reason.mutants)
    by_rule = (reason.why for reason in reasons() if mutant.text and file in reason.texts_of)
    return next(own, next(by_rule, UNEXPLAINED))


def _reason(why: str, mutants: list[list[str]] | None = None, texts_of: list[str] | None = None) -> Reason:
    return Reason(why, frozenset((file, was, now) for file, was, now in mutants or ()), frozenset(texts_of or ()))
