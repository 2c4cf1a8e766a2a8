"""Mutation testing of chargepoint/control: each of a sample of small changes to the code, and whether a test finds it. Must not know the operators.

Each mutant has a process of its own, and in it the tests that can reach it, until one fails. One that differs inside functions only is put in their
place in a process that has collected every test; any other is imported anew. Time is processor time, so that a busy machine kills no mutant.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import BinaryIO, NoReturn

import pytest

from proof.mutation.mutants import Mutant, Source
from proof.mutation.order import PACKAGE, QUIETLY, Order, ordered, test_files, used_s
from proof.mutation.swap import Swap, swaps_of
from tests.world import ROOT

BUDGET_S = 30.0
"""Processor time for one mutant; what was not found by then is said to have survived, with the share of its tests that were run."""
HANGS_S = 30
NICE = 19
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
    """Whether a test finds the mutant, imported anew."""
    first = _apart(mutant, tests[:FIRST], partial(_import_and_run, mutant, tests[:FIRST]))
    if first.outcome != SURVIVED or len(tests) <= FIRST:
        return replace(first, tests=len(tests))
    rest = _apart(mutant, tests[FIRST:], partial(_import_and_run, mutant, tests[FIRST:]))
    return replace(rest, ran=first.ran + rest.ran, tests=len(tests))


def _apart(mutant: Mutant, tests: Sequence[str], work: Callable[[], tuple[int, int]]) -> Result:
    """Does the work in a process of its own. work: answers 0 when no test failed, and how many were run."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _in_child(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    ran = int(told or b"0")
    if os.WIFSIGNALED(status):
        return Result(mutant, ENDLESS if os.WTERMSIG(status) == signal.SIGXCPU else KILLED, ran, len(tests))
    return Result(mutant, SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED, ran, len(tests))


def _in_child(work: Callable[[], tuple[int, int]], writing: int) -> NoReturn:
    limit = int(used_s() + BUDGET_S) + HANGS_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    code, ran = 1, 0
    try:
        code, ran = work()
    finally:
        os.write(writing, str(ran).encode())
        os._exit(code)


def _import_and_run(mutant: Mutant, tests: Sequence[str]) -> tuple[int, int]:
    if not tests:
        return 0, 0
    sys.meta_path.insert(0, _Overlay(mutant))
    chosen = _Chosen(tests)
    code = pytest.main([*sorted({test.partition("::")[0] for test in tests}), *QUIETLY], plugins=[chosen])
    return int(not chosen.used_up and code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)), chosen.ran


# the whole ------------------------------------------------------------------------------------------------------------------------------------


class _Session:
    """A pytest plugin: instead of running the tests once, tries mutant after mutant on them. One that cannot be swapped is passed over."""

    def __init__(self, mutants: Sequence[Mutant], order: Order, tell: Callable[[Result], None]) -> None:
        self._mutants, self._order, self._tell = mutants, order, tell

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for mutant in self._mutants:
            swaps = swaps_of(mutant)
            if swaps is None:
                continue
            tests = [test for test in self._order.of(mutant.file) if test in items]
            self._tell(_apart(mutant, tests, partial(self._swap_and_run, session, swaps, [items[test] for test in tests])))
        return True

    @staticmethod
    def _swap_and_run(session: pytest.Session, swaps: Sequence[Swap], items: Sequence[pytest.Item]) -> tuple[int, int]:
        for function, code in swaps:
            function.__code__ = code
        began = used_s()
        for number, item in enumerate(items, 1):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            if session.testsfailed:
                return 1, number
            if used_s() - began > BUDGET_S:
                return 0, number
        return 0, len(items)


def run(mutants: Sequence[Mutant], say: Say) -> list[Result]:
    """One after the other, as kindly to the machine as can be. Raises RuntimeError when a test fails without any mutant."""
    order = ordered(say)
    os.nice(NICE)
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        say(f"{len(results)}/{len(mutants)} {line(result)}")

    rest = _swapped(mutants, order, tell)
    _import_the_rest()
    for mutant in rest:
        tell(tried(mutant, order.of(mutant.file)))
    return results


def _swapped(mutants: Sequence[Mutant], order: Order, tell: Callable[[Result], None]) -> list[Mutant]:
    """Tries what can be swapped, and answers what cannot; in a process of its own, so that control stays unimported here."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            session = _Session(mutants, order, lambda result: _send(pipe, mutants, result))
            pytest.main([*test_files(), *QUIETLY, "-s"], plugins=[session])
        os._exit(0)
    os.close(writing)
    left = list(range(len(mutants)))
    with os.fdopen(reading, "r", encoding="utf-8") as pipe_in:
        for told in pipe_in:
            at, outcome, ran, tests = json.loads(told)
            left.remove(at)
            tell(Result(mutants[at], outcome, ran, tests))
    os.waitpid(child, 0)
    return [mutants[at] for at in left]


def _send(pipe: BinaryIO, mutants: Sequence[Mutant], result: Result) -> None:
    told = [next(at for at, each in enumerate(mutants) if each is result.mutant), result.outcome, result.ran, result.tests]
    pipe.write(json.dumps(told).encode() + b"\n")
    pipe.flush()


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
