"""Mutation testing of chargepoint/control: each of a sample of small changes to the code, and whether a test finds it. Must not know the operators.

Each mutant has a process of its own, forked from one that has imported what cannot be mutated, and in it the tests that can reach it, until one
fails. Time is processor time, so that a busy machine kills no mutant.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from proof.mutation.mutants import Mutant, Source
from proof.mutation.order import PACKAGE, QUIETLY, ordered, used_s
from tests.world import ROOT

BUDGET_S = 30.0
"""Processor time for one mutant; what was not found by then is said to have survived, with the share of its tests that were run."""
HANGS_S = 30
FIRST = 30
"""Most mutants fall to the first few tests; only for the others all their files are collected."""
KILLED, SURVIVED, ENDLESS = "killed", "survived", "killed: endless"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    outcome: str
    ran: int
    tests: int


def sample(count: int, seed: int, only: Sequence[str] = ()) -> tuple[list[Mutant], int]:
    """So many mutants as they were drawn by chance (the first of them are a sample too), and how many there are. only: names of files."""
    files = sorted(file for file in (ROOT / PACKAGE).glob("*.py") if not only or file.name in only)
    sources = [Source(ROOT, file) for file in files]
    places = [(source, number) for source in sources for number in range(len(source))]
    chosen = random.Random(seed).sample(range(len(places)), min(count, len(places)))
    return [places[at][0].mutant(places[at][1]) for at in chosen], len(places)


# one mutant -----------------------------------------------------------------------------------------------------------------------------------


class _Overlay(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._module = mutant.file.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self, origin=self._mutant.file) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.code, str(ROOT / self._mutant.file), "exec"), module.__dict__)


class _Chosen:
    """A pytest plugin: only these tests, in this order, until the processor time is used up."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}
        self._began = used_s()
        self.ran = 0
        self.used_up = False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid])

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if used_s() - self._began > BUDGET_S:
            self.used_up = True
            item.session.shouldstop = "the time is used up"
            pytest.skip("the time is used up")
        self.ran += 1


def tried(mutant: Mutant, tests: Sequence[str]) -> Result:
    """Whether a test finds the mutant."""
    first = _part(mutant, tests[:FIRST])
    if first.outcome != SURVIVED or len(tests) <= FIRST:
        return replace(first, tests=len(tests))
    rest = _part(mutant, tests[FIRST:])
    return replace(rest, ran=first.ran + rest.ran, tests=len(tests))


def _part(mutant: Mutant, tests: Sequence[str]) -> Result:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os._exit(_try(mutant, tests, writing))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    ran = int(told or b"0")
    if os.WIFSIGNALED(status):
        return Result(mutant, ENDLESS if os.WTERMSIG(status) == signal.SIGXCPU else KILLED, ran, len(tests))
    return Result(mutant, SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED, ran, len(tests))


def _try(mutant: Mutant, tests: Sequence[str], writing: int) -> int:
    """In the child. 0: no test found it."""
    if not tests:
        return 0
    limit = int(used_s() + BUDGET_S) + HANGS_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    sys.meta_path.insert(0, _Overlay(mutant))
    chosen = _Chosen(tests)
    code = 1
    try:
        code = int(pytest.main([*sorted({test.partition("::")[0] for test in tests}), *QUIETLY], plugins=[chosen]))
    finally:
        os.write(writing, str(chosen.ran).encode())
    return 0 if chosen.used_up or code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 1


# the whole ------------------------------------------------------------------------------------------------------------------------------------


def run(mutants: Sequence[Mutant], say: Say) -> list[Result]:
    """One after the other. Raises RuntimeError when a test fails without any mutant."""
    order = ordered(say)
    _import_the_rest()
    results: list[Result] = []
    for number, mutant in enumerate(mutants, 1):
        results.append(result := tried(mutant, order.of(mutant.file)))
        say(f"{number}/{len(mutants)} {line(result)}")
    return results


def line(result: Result) -> str:
    """A mutant and its end, in one line."""
    mutant = result.mutant
    return f"{result.outcome:8} {mutant.file}:{mutant.line} ({result.ran} of {result.tests} tests) {mutant.was}  ->  {mutant.now}"


def _import_the_rest() -> None:
    """What every child needs and no mutant changes."""
    for name in ("hypothesis", "msgspec", "chargepoint.link.server", "chargepoint.settings", "hal.board", "sim.plant.pilot"):
        importlib.import_module(name)
    mutable = [name for name in sys.modules if name.startswith(PACKAGE.replace("/", "."))]
    if mutable:
        raise RuntimeError(f"imported before it is mutated: {mutable}")
