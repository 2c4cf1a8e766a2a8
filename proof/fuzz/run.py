"""Drives the parsers with inputs until a budget is used up, keeps what breaks one, and tells what was done. Must not know any parser.

Hypothesis makes inputs near to what a parser takes, and small what broke it; atheris, where it is installed, then drives the parsers by coverage.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Verbosity, given, settings
from hypothesis import seed as seeded

from proof.fuzz.target import CORPUS, HANG_S, Defect, Target, attempt, corpus

ROUND = 500
"""Tries between two looks at the time."""
LONGEST_INPUT = 8192
CRASH = "crash-"


class Budget(NamedTuple):
    """For one parser: at most so many tries and seconds. seed: reproduces them."""

    examples: int
    seconds: float
    seed: int


@dataclass
class Result:
    """defect: "" when there is none."""

    name: str
    reads: str
    tries: int = 0
    kept: int = 0
    seconds: float = 0.0
    coverage: str = "-"
    defect: str = ""


Say = Callable[[Result], None]


def guided() -> bool:
    """Whether a coverage-guided fuzzer is installed."""
    return importlib.util.find_spec("atheris") is not None


def run(targets: Sequence[Target], budget: Budget, say: Say) -> list[Result]:
    """All of them, one after the other; a broken one does not keep the others from their turn."""
    logging.disable(logging.WARNING)
    logging.getLogger().addHandler(logging.NullHandler())
    done = []
    for target in targets:
        result = replay(target)
        if not result.defect:
            found = explore(target, budget, CORPUS)
            found.kept = result.kept
            result = found
        if not result.defect and target.plain and guided():
            result.coverage, result.defect = cover(target, budget)
        done.append(result)
        say(result)
    logging.disable(logging.NOTSET)
    return done


def replay(target: Target) -> Result:
    """What is kept in the corpus."""
    result = Result(target.name, target.reads)
    for path in corpus(target.name):
        result.kept += 1
        try:
            attempt(target, path.read_bytes())
        except Defect as defect:
            result.defect = f"{path.name}: {defect}"
    return result


def explore(target: Target, budget: Budget, keep: Path | None = None) -> Result:
    """By hypothesis, until the budget is used up or something is found; keep: where its smallest input is put."""
    result = Result(target.name, target.reads)
    began = time.monotonic()
    for number in range(-(-budget.examples // ROUND)):
        if time.monotonic() - began >= budget.seconds:
            break
        broken = _round(target, min(ROUND, budget.examples - number * ROUND), budget.seed + number, result)
        if broken is not None:
            data, result.defect = broken
            if keep is not None:
                result.defect += f" (kept as {_keep(target, data, keep)})"
            break
    result.seconds = time.monotonic() - began
    return result


def _round(target: Target, examples: int, seed: int, result: Result) -> tuple[bytes, str] | None:
    last = b""

    @seeded(seed)
    @settings(
        max_examples=examples, database=None, deadline=None, derandomize=False, report_multiple_bugs=False, print_blob=False,
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
    )  # fmt: skip
    @given(target.inputs)
    def tried(data: bytes) -> None:
        nonlocal last
        last = data
        result.tries += 1
        attempt(target, data)

    try:
        tried()
    except Defect as defect:
        return last, str(defect)
    return None


def _keep(target: Target, data: bytes, folder: Path) -> str:
    name = hashlib.sha256(data).hexdigest()[:12]
    path = folder / target.name / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def cover(target: Target, budget: Budget) -> tuple[str, str]:
    """By atheris, in a process of its own that ends at a defect. Gives the number of its runs and what it found."""
    folder = CORPUS / target.name
    folder.mkdir(parents=True, exist_ok=True)
    limits = (f"-max_total_time={max(1, int(budget.seconds))}", f"-runs={budget.examples}", f"-seed={budget.seed}", f"-timeout={6 * HANG_S}")
    words = [
        sys.executable,
        "-m",
        "proof.fuzz.guided",
        target.name,
        *limits,
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={folder}/{CRASH}",
        str(folder),
    ]
    before = set(folder.glob("*"))
    done = subprocess.run(
        words, capture_output=True, text=True, errors="replace", env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False
    )
    runs = next((line.split()[1] for line in reversed(done.stderr.splitlines()) if line.startswith("Done ")), "?")
    broken = [path for path in set(folder.glob("*")) - before if path.name.startswith(CRASH)]
    for path in set(folder.glob("*")) - before - set(broken):
        path.unlink()  # what only reaches further is its own affair
    if not any(folder.iterdir()):
        folder.rmdir()
    return runs, f"kept as {broken[0].name}" if broken else "" if done.returncode == 0 else done.stderr[-300:]
