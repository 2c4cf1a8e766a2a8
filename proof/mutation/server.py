"""pytest sessions that do not run their tests once, but try mutant after mutant on them. Must not know reports, or who draws the mutants.

One has collected every test, and puts the functions of a mutant in the place of those already imported. The other has imported all but control and
its tests, for mutants that differ where a module is made: each of their processes collects the tests it needs anew.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from proof.mutation.child import KILLED, SURVIVED, Outcome, allow, apart, try_on, used_s
from proof.mutation.mutants import Mutant
from proof.mutation.reach import OUTSIDE, PACKAGE, Reach, Tracer, is_family, test_files
from proof.mutation.swap import Swap, module_of, swaps_of
from tests.world import ROOT

QUIETLY = ("-q", "-s", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout", "--no-header", "--no-summary")
FIRST = 30
"""Most mutants fall to the first few tests; only for the others all their files are collected."""
COLLECT_S = 5.0
FINDERS = 6
NEW_S = 1.0
"""A test that is there only with the mutant."""
SHARED = ("chargepoint.link.server", "chargepoint.settings", "hal.board", "sim.plant.pilot", "sim.plant.timeline")
"""What tests of control need and no mutant changes."""

settings.register_profile("unhurried", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

Trial = tuple[Outcome, int]
"""How a mutant ended, and how many tests reach it."""
Work = Callable[["Server"], None]


def serve(session: Traced | Server) -> None:
    """Runs a session; afterwards this process is of no use for another. Raises RuntimeError when there was none, or it did not go well."""
    code = pytest.main([*test_files(), *QUIETLY], plugins=[session])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest ended with {code!r}")


class Traced:
    """Runs each test once, to know what it runs and for how long."""

    def __init__(self) -> None:
        self._tracer = Tracer()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        settings.load_profile("unhurried")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        kinds: dict[str, list[str]] = defaultdict(list)
        seconds: dict[str, float] = {}
        for item in session.items:
            kinds[item.nodeid.partition("[")[0] if is_family(item.nodeid) else item.nodeid].append(item.nodeid)
        first = {tests[0]: tests for tests in kinds.values()}
        for item in session.items:
            if item.nodeid in first:
                began = used_s()
                self._tracer.now(item.nodeid)
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
                self._tracer.now(OUTSIDE)
                seconds[item.nodeid] = round(used_s() - began, 4)
        if not session.testsfailed:
            self._tracer.keep(seconds, first)
        return True


class Server:
    """work: what is done once the session stands."""

    def __init__(self, reach: Reach, work: Work) -> None:
        self._reach, self._work = reach, work
        self._finders: dict[str, list[str]] = defaultdict(list)
        self.session: pytest.Session

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        settings.load_profile("unhurried")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session = session
        self.prepare()
        gc.collect()
        gc.freeze()
        self._work(self)
        return True

    def prepare(self) -> None:
        """Once, before anything is tried."""
        raise NotImplementedError

    def trial(self, mutant: Mutant) -> Trial | None:
        """Tries a mutant on the tests that reach it; what found others in the same file comes first. None: not here."""
        raise NotImplementedError

    def in_order(self, file: str, tests: list[str]) -> list[str]:
        finders = [test for test in self._finders[file] if test in set(tests)]
        return [*finders, *(test for test in tests if test not in finders)]

    def learn(self, file: str, outcome: Outcome) -> None:
        if outcome.by in self._reach.seconds:
            self._finders[file] = [outcome.by, *(test for test in self._finders[file] if test != outcome.by)][:FINDERS]

    def timed(self, items: Sequence[pytest.Item]) -> list[tuple[pytest.Item, float]]:
        return [(item, self._reach.seconds.get(item.nodeid, NEW_S)) for item in items]


class Swapping(Server):
    """Has collected all."""

    def prepare(self) -> None:
        self._items = {item.nodeid: item for item in self.session.items}

    def trial(self, mutant: Mutant) -> Trial | None:
        swaps = None if self._reach.is_early(mutant) else swaps_of(mutant)
        if swaps is None:
            return None
        tests = self.in_order(mutant.file, self._reach.of_line(mutant))
        outcome = apart(partial(self._swap, swaps, tests))
        self.learn(mutant.file, outcome)
        return outcome, len(tests)

    def _swap(self, swaps: Sequence[Swap], tests: Sequence[str]) -> Outcome:
        for function, code in swaps:
            function.__code__ = code
        return try_on(self.session, self.timed([self._items[test] for test in tests]))


class Importing(Server):
    """Has imported nothing that is changed."""

    def pytest_collection(self) -> bool:
        return True

    def prepare(self) -> None:
        for name in SHARED:
            importlib.import_module(name)
        mutable = [name for name in sys.modules if name.startswith(PACKAGE.replace("/", "."))]
        if mutable:
            raise RuntimeError(f"imported before it is mutated: {mutable}")

    def trial(self, mutant: Mutant) -> Trial:
        tests = self.in_order(mutant.file, self._reach.of_name(mutant))
        outcome = apart(partial(self._import, mutant, tests[:FIRST]))
        if outcome.outcome == SURVIVED and len(tests) > FIRST:
            rest = apart(partial(self._import, mutant, tests[FIRST:]))
            outcome = rest._replace(ran=rest.ran + outcome.ran)
        self.learn(mutant.file, outcome)
        return outcome, len(tests)

    def _import(self, mutant: Mutant, tests: Sequence[str]) -> Outcome:
        sys.meta_path.insert(0, _Overlay(mutant))
        allow(COLLECT_S)
        self.session.perform_collect(sorted({test.partition("::")[0] for test in tests}))
        if self.session.testsfailed:
            return Outcome(KILLED, 0, "import")
        place = {test: number for number, test in enumerate(tests)}
        items = [item for item in self.session.items if item.nodeid in place or item.nodeid not in self._reach.seconds]
        return try_on(self.session, self.timed(sorted(items, key=lambda item: place.get(item.nodeid, len(tests)))))


class _Overlay(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._module = module_of(mutant.file)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self, origin=self._mutant.file) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.code, str(ROOT / self._mutant.file), "exec"), module.__dict__)
