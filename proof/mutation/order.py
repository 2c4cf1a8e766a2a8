"""Which tests can find a mutant of a module, and in which order they are tried. Must not know mutants, or what a test says.

A test can find what its file imports, by itself or through others. Those that import the module itself come first, then the quickest.
"""

from __future__ import annotations

import ast
import json
import os
import resource
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.world import ROOT

PACKAGE, TESTS = "chargepoint/control", "tests/control"
OTHER_PROCESSES = ("test_control_process.py", "test_supervisor.py", "test_install.py")
"""These look at control from another process, which a mutant in this one does not reach."""
FAMILIES = ("test_front_end_spikes.py",)
"""Hundreds of slow tests of a few kinds: they come last, and only the first of each kind is timed, for all of them."""
KEPT = ROOT / "state" / "mutation.json"
QUIETLY = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout", "--no-header", "--no-summary")


def used_s() -> float:
    """Processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Order:
    """seconds: processor time of each test."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    def of(self, file: str) -> list[str]:
        """The tests of a module, the likeliest and quickest first."""
        places = {test: self._place(test, module_of(ROOT / file)) for test in self._seconds}
        return [test for _, test in sorted((place, test) for test, place in places.items() if place is not None)]

    def _place(self, test: str, module: str) -> tuple[bool, bool, float] | None:
        file = ROOT / test.partition("::")[0]
        if module not in reached(file):
            return None
        return file.name in FAMILIES, module not in _imports(file), self._seconds[test]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@cache
def reached(file: Path) -> frozenset[str]:
    """Every module of control that a file imports, by itself or through others."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        for name in _imports(waiting.pop()):
            source = ROOT / (name.replace(".", "/") + ".py")
            if name not in found and source.is_file():
                found.add(name)
                waiting.append(source)
    return frozenset(found)


@cache
def _imports(file: Path) -> frozenset[str]:
    """Modules of control and of its tests."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("chargepoint", "tests.control")):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


class _Stopwatch:
    """A pytest plugin: the processor time of each test."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._alike: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kinds: dict[str, str] = {}
        for item in items[:]:
            kind = item.nodeid.partition("[")[0]
            first = kinds.setdefault(kind, item.nodeid)
            if item.path.name in FAMILIES and first != item.nodeid:
                self._alike.setdefault(first, []).append(item.nodeid)
                items.remove(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = used_s()
        result = yield
        for test in (item.nodeid, *self._alike.get(item.nodeid, ())):
            self.seconds[test] = round(used_s() - began, 4)
        return result


def ordered(say: Callable[[str], None]) -> Order:
    """Times the tests; kept until a file of control or of its tests is newer. Raises RuntimeError when one fails without any mutant."""
    newest = max(file.stat().st_mtime for folder in (PACKAGE, TESTS) for file in (ROOT / folder).glob("*.py"))
    if not KEPT.exists() or KEPT.stat().st_mtime < newest:
        say("each test once, to know how long it takes")
        child = os.fork()
        if not child:
            os._exit(_time())
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("a test fails without any mutant")
    return Order(json.loads(KEPT.read_text(encoding="utf-8")))


def test_files() -> list[str]:
    return [str(file) for file in sorted((ROOT / TESTS).glob("test_*.py")) if file.name not in OTHER_PROCESSES]


def _time() -> int:
    watch = _Stopwatch()
    code = int(pytest.main([*test_files(), *QUIETLY], plugins=[watch]))
    if code == 0:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(watch.seconds), encoding="utf-8")
    return code
