"""Mutation testing of chargepoint/control: each of a sample of small changes to the code, and whether a test finds it. Must not know the operators.

Measured once: which test runs which line, and how long it takes. Then each mutant has a process of its own, forked from one that has imported what
cannot be mutated, and in it the tests that run the changed line, the quickest first, until one fails. Time is processor time, so that a busy machine
kills no mutant.
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
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import coverage
import pytest

from proof.mutation.mutants import Mutant, Source
from tests.world import ROOT

PACKAGE, TESTS = "chargepoint/control", "tests/control"
OTHER_PROCESSES = ("test_control_process.py", "test_supervisor.py", "test_install.py")
"""These look at control from another process, which a mutant in this one does not reach."""
FAMILIES = ("test_front_end_spikes.py",)
"""Hundreds of slow tests of a few kinds: only the first of each kind is measured, the others count as running the same lines in the same time."""
KEPT = ROOT / "state" / "mutation.json"
BUDGET_S = 30.0
"""Processor time for one mutant; what was not found by then is said to have survived, with the share of its tests that were run."""
HANGS_S = 30
FIRST = 30
"""Most mutants fall to the first few tests; only for the others all their files are collected."""
KILLED, SURVIVED, ENDLESS = "killed", "survived", "killed: endless"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """seconds: of each test. lines: the tests of each "file:line"; "file:0" are those of any line of the file."""

    seconds: dict[str, float]
    lines: dict[str, list[str]]

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that can find a mutant, the quickest first. What nobody runs is found by nobody."""
        return sorted(self.lines.get(f"{mutant.file}:{mutant.line}", []), key=lambda test: self.seconds[test])


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    outcome: str
    ran: int
    tests: int


def sample(count: int, seed: int, only: Sequence[str] = ()) -> tuple[list[Mutant], int]:
    """So many mutants, by chance, in the order of the files, and how many there are. only: names of files."""
    files = sorted(file for file in (ROOT / PACKAGE).glob("*.py") if not only or file.name in only)
    sources = [Source(ROOT, file) for file in files]
    places = [(source, number) for source in sources for number in range(len(source))]
    chosen = sorted(random.Random(seed).sample(range(len(places)), min(count, len(places))))
    return [places[at][0].mutant(places[at][1]) for at in chosen], len(places)


# what is measured once ------------------------------------------------------------------------------------------------------------------------


class _Watch:
    """A pytest plugin: the lines and the processor time of each test. alike: by the first of a family, the others."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self._measuring = measuring
        self.seconds: dict[str, float] = {}
        self.alike: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        firsts: dict[str, str] = {}
        for item in items[:]:
            kind = item.nodeid.partition("[")[0]
            if item.path.name not in FAMILIES or firsts.setdefault(kind, item.nodeid) == item.nodeid:
                continue
            self.alike.setdefault(firsts[kind], []).append(item.nodeid)
            items.remove(item)

    def with_alike(self, tests: list[str]) -> list[str]:
        return tests + [other for test in tests for other in self.alike.get(test, ())]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        self._measuring.switch_context(item.nodeid)
        began = _used_s()
        result = yield
        self.seconds[item.nodeid] = round(_used_s() - began, 4)
        self._measuring.switch_context("")
        return result  # type: ignore[no-any-return]  # what pytest answered


def measured(say: Say) -> Measured:
    """Kept in state/ until a file of control or of its tests is newer."""
    newest = max(file.stat().st_mtime for folder in (PACKAGE, TESTS) for file in (ROOT / folder).glob("*.py"))
    if not KEPT.exists() or KEPT.stat().st_mtime < newest:
        say("measuring which test runs which line")
        child = os.fork()
        if not child:
            os._exit(_measure())
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("a test fails without any mutant")
    table = json.loads(KEPT.read_text(encoding="utf-8"))
    return Measured(table["seconds"], table["lines"])


def _measure() -> int:
    measuring = coverage.Coverage(data_file=None, include=[str(ROOT / PACKAGE / "*")])
    watch = _Watch(measuring)
    measuring.start()
    code = pytest.main([*_test_files(), *QUIETLY], plugins=[watch])
    measuring.stop()
    data = measuring.get_data()
    lines: dict[str, list[str]] = {}
    for file in data.measured_files():
        name = str(Path(file).relative_to(ROOT))
        contexts = {line: [test for test in tests if test] for line, tests in data.contexts_by_lineno(file).items()}
        lines.update({f"{name}:{line}": watch.with_alike(tests) for line, tests in contexts.items() if tests})
        lines[f"{name}:0"] = watch.with_alike(sorted({test for tests in contexts.values() for test in tests}))
    watch.seconds.update({other: watch.seconds[first] for first, others in watch.alike.items() for other in others})
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps({"seconds": watch.seconds, "lines": lines}), encoding="utf-8")
    return int(code)


QUIETLY = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout", "--no-header", "--no-summary")


def _test_files() -> list[str]:
    return [str(file.relative_to(ROOT)) for file in sorted((ROOT / TESTS).glob("test_*.py")) if file.name not in OTHER_PROCESSES]


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


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
        self._began = _used_s()
        self.ran = 0
        self.used_up = False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid])

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if _used_s() - self._began > BUDGET_S:
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
    limit = int(_used_s() + BUDGET_S) + HANGS_S
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
    known = measured(say)
    _import_the_rest()
    results: list[Result] = []
    for number, mutant in enumerate(mutants, 1):
        results.append(result := tried(mutant, known.of(mutant)))
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
