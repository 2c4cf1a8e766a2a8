"""Which tests can find a mutant, the likeliest and quickest first: those that run the line it differs in. Must not know what a test says.

Each test is run once, traced by line. What differs outside functions, or in one that runs while modules are made, is reached by the tests that run a
line acting by it, and by those whose file names it.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import _lru_cache_wrapper, cache, cached_property
from pathlib import Path
from typing import Any

from proof.mutation.mutants import Mutant
from proof.mutation.names import Names
from tests.world import ROOT

PACKAGE, TESTS = "chargepoint/control", "tests/control"
OTHER_PROCESSES = ("test_control_process.py", "test_supervisor.py", "test_install.py")
"""These look at control from another process, which a mutant in this one does not reach."""
FAMILIES = ("test_front_end_spikes.py",)
"""Hundreds of slow tests of a few kinds: they come last, and only the first of each kind is traced, for all of them."""
KEPT = ROOT / "state" / "mutation.json"
START_S = 0.003
"""Of every test."""
OUTSIDE = ""
"""What is traced while no test runs: modules are made."""

Lines = dict[str, dict[int, list[int]]]


def test_files() -> list[str]:
    return [str(file) for file in sorted((ROOT / TESTS).glob("test_*.py")) if file.name not in OTHER_PROCESSES]


class Reach:
    """seconds: processor time of each test, traced. lines: by file and line the tests that run it, as their place in `seconds`. early: (file, line)
    inside functions that run while modules are made."""

    def __init__(self, seconds: dict[str, float], lines: Lines, early: Iterable[tuple[str, int]]) -> None:
        self.seconds = seconds
        self._tests = list(seconds)
        self._lines = lines
        self._early = frozenset(early)
        self._worths: dict[str, dict[int, float]] = {}

    def is_early(self, mutant: Mutant) -> bool:
        """Whether what differs has run before any test does."""
        return any((mutant.file, line) in self._early for line in range(mutant.first, mutant.last + 1))

    def of_line(self, mutant: Mutant) -> list[str]:
        """The tests that run what differs."""
        return self._ordered(mutant.file, self._running((mutant.file, line) for line in range(mutant.first, mutant.last + 1)))

    def of_name(self, mutant: Mutant) -> list[str]:
        """The tests that act by what is made there: those that say so first."""
        made, around = self._names.made_at(mutant.file, mutant.first)
        first = self._running(self._names.places(made)) | self._saying(made)
        named = self._names.leading_from(around)
        rest = self._running(self._names.places(named)) | self._saying(named)
        return self._ordered(mutant.file, first) + self._ordered(mutant.file, rest - first)

    def _running(self, places: Iterable[tuple[str, int]]) -> set[int]:
        return {test for file, line in places for test in self._lines.get(file, {}).get(line, ())}

    def _saying(self, names: Iterable[str]) -> set[int]:
        words = set(names)
        return {place for place, test in enumerate(self._tests) if words & _words(test.partition("::")[0])}

    def _ordered(self, file: str, tests: Iterable[int]) -> list[str]:
        """Those first that look closely at the file and take little time for it, and not all of one kind: the next of a test file counts less."""
        worth = self._worth(file)
        promise = {self._tests[test]: worth[test] / (self.seconds[self._tests[test]] + START_S) for test in tests}
        before: Counter[str] = Counter()
        for test in sorted(promise, key=lambda test: -promise[test]):
            kind = test.partition("::")[0]
            before[kind] += 1
            promise[test] /= before[kind]
        return sorted(promise, key=lambda test: (is_family(test), -promise[test]))

    def _worth(self, file: str) -> dict[int, float]:
        """How much of a file each test sees; a line counts the more, the fewer tests run it."""
        if file not in self._worths:
            worth = self._worths[file] = defaultdict(float)
            for tests in self._lines.get(file, {}).values():
                for test in tests:
                    worth[test] += 1.0 / len(tests)
        return self._worths[file]

    @cached_property
    def _names(self) -> Names:
        files = sorted((ROOT / PACKAGE).glob("*.py"))
        return Names({str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}, self._early)


@cache
def _words(file: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", (ROOT / file).read_text(encoding="utf-8")))


def is_family(test: str) -> bool:
    return test.partition("::")[0].endswith(FAMILIES)


def is_kept() -> bool:
    """Whether what was traced is newer than control and its tests."""
    newest = max(file.stat().st_mtime for folder in (PACKAGE, TESTS) for file in (ROOT / folder).glob("*.py"))
    return KEPT.exists() and KEPT.stat().st_mtime >= newest


def kept() -> Reach:
    """What was traced last."""
    told = json.loads(KEPT.read_text(encoding="utf-8"))
    lines = {file: {int(line): tests for line, tests in found.items()} for file, found in told["lines"].items()}
    return Reach(told["seconds"], lines, [(file, line) for file, line in told["early"]])


class Tracer:
    """Traces control by line. Begun before anything of it is imported."""

    def __init__(self) -> None:
        import coverage  # only the process that traces needs it

        self._coverage: Any = coverage.Coverage(data_file=None, config_file=False, include=[str(ROOT / PACKAGE / "*")])
        self._coverage.start()

    def now(self, test: str) -> None:
        """What runs from here on belongs to this test; OUTSIDE: to none. It finds nothing remembered by the one before."""
        for name in [name for name in sys.modules if name.startswith(PACKAGE.replace("/", "."))]:
            for each in list(vars(sys.modules[name]).values()):
                if isinstance(each, _lru_cache_wrapper):
                    each.cache_clear()
        self._coverage.switch_context(test)

    def keep(self, seconds: dict[str, float], kinds: Mapping[str, Sequence[str]]) -> None:
        """Writes all down. kinds: for the one test that was traced, those that run the same."""
        self._coverage.stop()
        data = self._coverage.get_data()
        every = {test: taken for one, taken in seconds.items() for test in kinds.get(one, (one,))}
        numbers = {test: place for place, test in enumerate(every)}
        lines: dict[str, dict[int, list[int]]] = defaultdict(dict)
        early: list[tuple[str, int]] = []
        for path in data.measured_files():
            file = str(Path(path).relative_to(ROOT))
            for line, tests in data.contexts_by_lineno(path).items():
                lines[file][line] = [numbers[test] for one in tests if one in seconds for test in kinds.get(one, (one,))]
                early += [(file, line)] if OUTSIDE in tests else []
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps({"seconds": every, "lines": lines, "early": early}), encoding="utf-8")
