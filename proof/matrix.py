"""The campaign as people read it: a line of progress per cell, and the matrix of fault and state. Must not know how it was gathered."""

from __future__ import annotations

from collections.abc import Sequence

from chargepoint.model.fault import CATALOGUE
from proof.cell import Cell
from proof.expectations import BY_FAULT
from proof.place import State

HEAD = """\
# Fault campaign

Made by `make campaign` ({version}). Every fault of the simulator in every state, followed to the safe state and back.
A cell says: what the firmware did, how long after the fault came on the wire (where nothing was closed: after which it was told), the firmware's own
word for the fault, and how it went again. Where nothing is closed yet the driver goes on under the fault: plugs in, shows the card, and the car asks
for energy. In E the pilot is shorted, in F its generator is stuck at -12 V, both while a car charged; the firmware's word for that is not repeated.

- *coil off*: opened at once. *withdrawn*: X1, the car's time, then open. *limited*: 6 A. *kept open*: not closed although the driver went on.
  *told only*, *goes on*: charging is not touched.
- *at the end*: cannot be seen before the contactor is to open, or before the test is made.
- Recovery: *cause gone*, *unplug*, *key* (a person at the charger; refused while the cause lasts); nothing is said where there was nothing to clear.
  After each, the next car charges.

{passed} of {count} cells as expected. Violations seen by the world: {violations}.
"""


def line(cell: Cell) -> str:
    """One line of progress."""
    verdict = "ok   " if cell.passed else "FAIL "
    return f"{verdict} {cell.fault:26} {cell.state:22} {text(cell, '; ')}"


def text(cell: Cell, between: str) -> str:
    """One cell in words."""
    time = "" if cell.seconds is None else f" {_duration(cell.seconds)}"
    said = [f"{cell.reaction}{time}", cell.word, cell.recovery if cell.recovery != "by itself" or cell.word else ""]
    wrong = [f"**{problem}**" for problem in (*cell.wrong, *([cell.slow] if cell.slow else []))]
    return between.join([part for part in said if part] + wrong)


def markdown(cells: Sequence[Cell], version: str) -> str:
    """The whole document."""
    violations = sum(cell.violations for cell in cells)
    passed = sum(cell.passed for cell in cells)
    head = HEAD.format(version=version, passed=passed, count=len(cells), violations=violations or "none")
    return "\n".join([head, *_matrix(cells), "", *_twice(cells), "What the firmware's words mean:", "", *_words(cells), ""])


def _matrix(cells: Sequence[Cell]) -> list[str]:
    states = [state for state in State if any(cell.state is state for cell in cells)]
    at = {(cell.fault, cell.state): text(cell, "<br>") for cell in cells}
    faults = list(dict.fromkeys(cell.fault for cell in cells))
    lines = ["| fault | " + " | ".join(states) + " |", "|---" * (len(states) + 1) + "|"]
    return lines + [f"| `{fault}` | " + " | ".join(at.get((fault, state), "not tried") for state in states) + " |" for fault in faults]


def _twice(cells: Sequence[Cell]) -> list[str]:
    """What was tried a second time, and why."""
    lines = [f"- `{cell.fault}` in {cell.state}: {cell.first}" for cell in cells if cell.first]
    return ["Tried a second time, by themselves; the first time:", "", *lines, ""] if lines else []


def _words(cells: Sequence[Cell]) -> list[str]:
    """The firmware's words that were told, with their effect and how they clear."""
    words = sorted({cell.word.removesuffix(" at the end") for cell in cells if cell.word})
    lines = ["| word | effect | clears | found by |", "|---|---|---|---|"]
    for word in words:
        kind = CATALOGUE[word]
        faults = ", ".join(fault for fault in BY_FAULT if any(cell.fault == fault and cell.word.startswith(word) for cell in cells))
        lines.append(f"| `{word}` | {kind.effect.name.lower().replace('_', ' ')} | {kind.clears.value} | {faults} |")
    return lines


def _duration(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1.0 else f"{seconds:.1f} s"
