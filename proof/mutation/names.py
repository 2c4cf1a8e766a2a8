"""What a name of a module leads to: the lines of control that act by it, also through what is made of it. Must not know mutants or tests.

A figure is used where no trace leads: a number in a table, the table a default of a function in another file. So names are followed, whatever they
belong to: too many lines rather than too few.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

Place = tuple[str, int]


class Making(NamedTuple):
    """A statement outside functions, or the head of one: what it binds, of which names, in which class."""

    file: str
    first: int
    last: int
    binds: frozenset[str]
    uses: frozenset[str]
    owner: str = ""


class Names:
    """sources: file and its text. early: lines inside functions that run while modules are made; such a function acts by what is made with it."""

    def __init__(self, sources: dict[str, str], early: Collection[Place] = ()) -> None:
        self._early = early
        self._makings: list[Making] = []
        self._uses: dict[str, set[Place]] = defaultdict(set)
        self._functions: list[Making] = []
        for file, text in sources.items():
            for statement in ast.parse(text).body:
                self._read(file, statement, "")

    def made_at(self, file: str, line: int) -> tuple[frozenset[str], frozenset[str]]:
        """The names that a place makes (inside a function its own name), and the same with its class."""
        for makings in (self._makings, self._functions):
            if around := [making for making in makings if making.file == file and making.first <= line <= making.last]:
                found = min(around, key=lambda making: making.last - making.first)
                return found.binds, found.binds | ({found.owner} - {""})
        return frozenset(), frozenset()

    def leading_from(self, names: Iterable[str]) -> frozenset[str]:
        """These and what is made of them."""
        found = set(names)
        waiting = set(names)
        while waiting:
            waiting = {name for making in self._makings if making.uses & waiting for name in making.binds} - found
            found |= waiting
        return frozenset(found)

    def places(self, names: Iterable[str]) -> set[Place]:
        """Lines inside functions that say one of the names."""
        return {place for name in names for place in self._uses.get(name, ())}

    def _read(self, file: str, statement: ast.stmt, owner: str) -> None:
        if isinstance(statement, ast.FunctionDef):
            self._function(file, statement, owner)
        elif isinstance(statement, ast.ClassDef):
            bases = frozenset(_words_of(statement.bases))
            self._makings.append(Making(file, statement.lineno, statement.lineno, frozenset({statement.name}), bases))
            for inner in statement.body:
                self._read(file, inner, statement.name)
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            last = statement.end_lineno or statement.lineno
            self._makings.append(Making(file, statement.lineno, last, frozenset(_bound(statement)), frozenset(_words_of([statement])), owner))

    def _function(self, file: str, function: ast.FunctionDef, owner: str) -> None:
        name = owner if owner and function.name.startswith("__") else function.name
        binds, last = frozenset({name}), function.end_lineno or function.lineno
        head = [*function.args.defaults, *(each for each in function.args.kw_defaults if each), *function.decorator_list]
        begins = function.body[0].lineno
        self._makings.append(Making(file, function.lineno, max(function.lineno, begins - 1), binds, frozenset(_words_of(head)), owner))
        self._functions.append(Making(file, begins, last, binds, frozenset(), owner))
        if any((file, line) in self._early for line in range(begins, last + 1)):
            self._makings.append(Making(file, begins, last, binds, frozenset(_words_of(function.body)), owner))
        for node in ast.walk(function):
            for word in _words(node):
                self._uses[word].add((file, node.lineno))  # type: ignore[attr-defined]  # each that has words has a line
        self._uses[name] |= {(file, line) for line in range(begins, last + 1)}


def _bound(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target] if isinstance(statement, ast.AnnAssign) else []
    return _words_of(targets)


def _words_of(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for inner in ast.walk(node):
            yield from _words(inner)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
