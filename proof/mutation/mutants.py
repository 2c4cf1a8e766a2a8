"""Mutants of a source file: each is the file with one small thing changed, by mutmut's operators. Must not know tests, or what becomes of a mutant.

Changed are function bodies and the figures and tables of a module alike. Left alone is what cannot act: annotations, docstrings, imports, decorators,
`__slots__`, what only a type checker reads, and the upper and lower case of texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

SKIPPED = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator, cst.TypeAlias)
STATEMENTS = (cst.SimpleStatementLine, cst.BaseCompoundStatement)


@dataclass(frozen=True)
class Mutant:
    """file: below the root. first, last: lines of the statement it differs in, of a compound one its head. code: the whole file. text: what differs
    is a text."""

    file: str
    first: int
    last: int
    was: str
    now: str
    code: str
    text: bool = False


class Source:
    """One file and the places in it where something can be changed."""

    def __init__(self, root: Path, file: Path) -> None:
        self.name = str(file.relative_to(root))
        self._text = file.read_text(encoding="utf-8")
        wrapper = MetadataWrapper(cst.parse_module(self._text), unsafe_skip_copy=True)
        finder = _Finder()
        wrapper.visit(finder)
        self._module, self._found = wrapper.module, finder.found

    def __len__(self) -> int:
        return len(self._found)

    def mutant(self, number: int) -> Mutant:
        """The mutant of a place, counted from 0."""
        node, new, lines = self._found[number]
        code = str(self._module.deep_replace(node, new).code)  # type: ignore[arg-type]  # an operator's answer
        was, now = _difference(self._text.splitlines(), code.splitlines())
        return Mutant(self.name, *lines, was, now, code, isinstance(node, cst.SimpleString))


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, tuple[int, int]]] = []
        self._statements: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, SKIPPED) or _is_docstring(node) or _is_slots(node) or _is_for_types(node):
            return False
        if isinstance(node, STATEMENTS):
            self._statements.append(node)
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(node, new, self._lines()) for new in _worth_trying(node, operator(node))]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()

    def _lines(self) -> tuple[int, int]:
        """Of the innermost statement."""
        statement = self._statements[-1]
        lines = self.get_metadata(PositionProvider, statement)
        first, body = lines.start.line, getattr(statement, "body", ())
        inner = getattr(body, "body", ())
        if isinstance(statement, cst.SimpleStatementLine) or not inner:
            return first, lines.end.line
        return first, max(first, self.get_metadata(PositionProvider, inner[0]).start.line - 1)


def _worth_trying(node: cst.CSTNode, changed: Iterable[cst.CSTNode]) -> list[cst.CSTNode]:
    """Of a text's changes only the first, which is another text; a change of case says no more."""
    return list(changed)[: 1 if isinstance(node, cst.SimpleString) else None]


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)


def _is_slots(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Assign) and isinstance(target := node.targets[0].target, cst.Name) and target.value == "__slots__"


def _is_for_types(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.If) and isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    """The lines that differ, as they were and as they are."""
    head = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), 0)
    before, after = before[head:], after[head:]
    while len(before) > 1 and len(after) > 1 and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return " ".join(line.strip() for line in before), " ".join(line.strip() for line in after)
