"""Every output of a board to its safe level, now: what is run after control has died. Imports next to nothing; must not need a living station.

One output that cannot be written never keeps the others from being written.
"""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hal.errors import BoardError
from hal.files import find

BEFORE = (
    ("contactor", "coil", "coil"),
    ("contactor_l23", "coil", "second coil"),
    ("contactor", "shunt_trip", "shunt trip"),
    ("residual", "test", "test"),
    ("lock", "lock", "lock"),
    ("lock", "unlock", "unlock"),
)
"""The outputs of an EVSE that are taken back, in this order, each with its word for people; the pilot follows."""


GROUPS = frozenset(group for group, _, _ in BEFORE)


def main(path: str) -> int:
    """path: a board file, or settings that name one. Prints what failed; 0 when nothing did, else 1."""
    try:
        failures = apply(read_board(path))
    except (OSError, ValueError, RecursionError, BoardError, ImportError) as error:
        failures = [f"{path}: {error}"]
    for failure in failures:
        print(f"safe-outputs: {failure}", file=sys.stderr)
    return 1 if failures else 0


def read_board(path: str) -> dict[str, Any]:
    """The board file; of the one that settings name, as many EVSEs as they use. Raises OSError, ValueError, RecursionError, BoardError."""
    table = _read(path)
    if "name" in table:
        return _tables(table, path)
    name = table.get("board", {})
    board = _tables(_read(find(str(name.get("name", "sim")) if isinstance(name, dict) else "", "boards", Path(path).parent)), path)
    used = table.get("evse", [])
    return board | {"evse": board.get("evse", [])[: max(1, len(used) if isinstance(used, list) else 1)]}


def _tables(board: dict[str, Any], path: str) -> dict[str, Any]:
    """The board, if its EVSEs and what is theirs are tables. Raises BoardError."""
    evses = board.get("evse", [])
    if not isinstance(evses, list) or not all(
        isinstance(evse, dict) and all(isinstance(evse.get(group, {}), dict) for group in GROUPS) for evse in evses
    ):
        raise BoardError(f"{path}: the EVSEs of this board are no tables")
    return board


def _read(path: str | Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        return tomllib.load(file)


def apply(board: dict[str, Any]) -> list[str]:
    """Coils off, tests and locks at rest, feed down, pilots at X1. Answers what could not be done."""
    backend = importlib.import_module(board.get("backend") or "hal.hardware")
    return [failure for name, act in _acts(board, backend) if (failure := _tried(name, act))]


def _acts(board: dict[str, Any], backend: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    evses = list(enumerate(board.get("evse", []), 1))
    for number, evse in evses:
        for group, name, word in BEFORE:
            output = evse.get(group, {}).get(name)
            if output is not None:
                yield f"EVSE {number} {word}", partial(_rest, backend, output)
    if "feed" in board:
        yield "feed", partial(_rest, backend, board["feed"]["output"])
    for number, evse in evses:
        yield f"EVSE {number} pilot", partial(_x1, backend, evse["pwm"])


def _rest(backend: Any, output: dict[str, Any]) -> None:
    backend.set_output(output["pin"], output.get("active", "high") != "high")


def _x1(backend: Any, pwm: dict[str, Any]) -> None:
    from hal.pwm import to_x1

    to_x1(backend.pwm_chip(pwm["chip"]), pwm["channel"], lambda: os.times().elapsed)


def _tried(name: str, act: Callable[[], None]) -> str:
    try:
        act()
    except (OSError, ValueError, BoardError) as error:
        return f"{name}: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
