"""The results of the last run on disk, so that its report can be written again when reasons are known. Must not know how a mutant is tried."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from proof.mutation.mutants import Mutant
from proof.mutation.run import Result
from tests.world import ROOT

FILE = ROOT / "state" / "mutation_results.jsonl"


class Drawn(NamedTuple):
    """How a run's mutants were drawn: so many of `among`."""

    sample: int
    among: int
    seed: int


class Keeper:
    """Writes each result down as it comes."""

    def __init__(self, drawn: Drawn, file: Path = FILE) -> None:
        file.parent.mkdir(exist_ok=True)
        self._file = file
        self._file.write_text(json.dumps(drawn) + "\n", encoding="utf-8")

    def keep(self, result: Result) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def last(file: Path = FILE) -> tuple[Drawn, list[Result]]:
    """The last run. Raises FileNotFoundError when there was none."""
    drawn, *results = file.read_text(encoding="utf-8").splitlines()
    return Drawn(*json.loads(drawn)), [_result(**json.loads(line)) for line in results]


def _result(mutant: dict[str, object], **rest: object) -> Result:
    return Result(Mutant(**mutant), **rest)  # type: ignore[arg-type]  # as they were written
