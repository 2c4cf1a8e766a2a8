"""The driver judges from outside: it knows nothing of the charge point it judges."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
STRANGERS = {"chargepoint", "hal", "sim", "proof"}


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


async def test_nothing_here_imports_what_it_judges() -> None:
    for file in HERE.rglob("*.py"):
        names = imported(file)
        assert not {name.partition(".")[0] for name in names} & STRANGERS, file
        assert not [name for name in names if name.startswith("tests.") and not name.startswith("tests.conformance")], file
