"""Counts the cases of a run by version and block, prints the table, and writes docs/conformance.md when asked. A pytest plugin.

Must not know what a case does: a 2.0.1 case is known by its test's name, a 1.6 case by its mark `covers`, one of the transport by its folder.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.driver.applicability import NOT_APPLICABLE

NAME = re.compile(r"test_(TC_[A-Z]+_\d+_CS)\b")
TRANSPORT = re.compile(r"/ocppj/test_(\w+)\.py::test_(\w+)\[(ocpp[0-9.]+)")
BLOCKS = {
    "A": "Security",
    "B": "Provisioning",
    "C": "Authorization",
    "D": "Local list",
    "E": "Transactions",
    "F": "Remote control",
    "G": "Availability",
    "J": "Meter values",
    "P": "Data transfer",
}
FRAMES = 1000
WORDS = ("passed", "failed", "not applicable", "not run")


@dataclass(frozen=True)
class Case:
    """A row of a case file; for 1.6 `case` is a section or a key and `profile` its feature profile."""

    case: str
    name: str
    profile: str = ""
    requirement: str = ""
    condition: str = ""

    @property
    def block(self) -> str:
        return self.case.split("_")[1] if self.case.startswith("TC_") else self.profile


def read(file: Path) -> list[Case]:
    if not file.exists():
        return []
    with file.open(newline="") as rows:
        return [Case(**row) for row in csv.DictReader(rows)]


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--write", action="store_true", help="keep the tables of the conformance suites in docs/conformance.md")
    group.addoption("--frames", type=int, default=FRAMES, help=f"so many generated frames for each version of OCPP-J (by default {FRAMES})")
    group.addoption("--firmware-log", action="store_true", help="print the firmware's log with a case that failed")


class Report:
    """Collects the results where the cases are counted (with xdist: in the controller)."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._results: dict[str, bool] = {}
        self._covered: dict[str, dict[str, bool]] = {}
        self._transport: dict[tuple[str, str, str], bool] = {}
        self._figures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        test = report.nodeid.rpartition("/")[2]
        found = NAME.search(test)
        if found:
            self._results[found[1]] = report.passed and self._results.get(found[1], True)
        if transport := TRANSPORT.search(report.nodeid):
            key = (transport[1], transport[2], transport[3])
            self._transport[key] = report.passed and self._transport.get(key, True)
        self._figures += [str(value) for key, value in report.user_properties if key == "figures"]
        for name in next((value for key, value in report.user_properties if key == "covers" and isinstance(value, list)), []):
            tests = self._covered.setdefault(name, {})
            tests[test] = report.passed and tests.get(test, True)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._results and not self._covered and not self._transport:
            return
        terminalreporter.write_line("")
        tables = [*self._counted("OCPP 2.0.1", self._part6()), *self._counted("OCPP 1.6", self._ocpp16()), *self._counted("OCPP-J", self._ocppj())]
        for line in [*tables, *self._figures, *self._reasons()]:
            terminalreporter.write_line(line)
        if self._config.getoption("--write", default=False):
            self._write(terminalreporter)

    def _part6(self) -> Iterator[tuple[Case, str]]:
        for case in read(self._folder / "part6/cases.csv"):
            yield case, self._word(case.case)

    def _word(self, case: str) -> str:
        if case in NOT_APPLICABLE:
            return "not applicable"
        return {True: "passed", False: "failed", None: "not run"}[self._results.get(case)]

    def _ocpp16(self) -> Iterator[tuple[Case, str]]:
        for case in read(self._folder / "ocpp16/sections.csv"):
            tests = self._covered.get(case.case)
            yield case, "not applicable" if case.case in NOT_APPLICABLE else "not run" if not tests else "passed" if all(tests.values()) else "failed"

    def _ocppj(self) -> Iterator[tuple[Case, str]]:
        for (part, name, version), passed in sorted(self._transport.items()):
            yield Case(f"{name} {version}", name.replace("_", " "), f"{part}, {version}"), "passed" if passed else "failed"

    def _counted(self, version: str, results: Iterator[tuple[Case, str]]) -> list[str]:
        blocks: dict[str, Counter[str]] = {}
        for case, word in results:
            blocks.setdefault(case.block, Counter())[word] += 1
        total: Counter[str] = sum(blocks.values(), Counter())
        if not total["passed"] + total["failed"]:
            return []
        rows = [*((f"{block} {BLOCKS.get(block, '')}".strip(), words) for block, words in blocks.items()), ("all", total)]
        head = f"{version:<32}" + "".join(f"{word:>16}" for word in WORDS)
        return [head, *(f"  {name:<30}" + "".join(f"{words[word]:>16}" for word in WORDS) for name, words in rows), ""]

    def _reasons(self) -> list[str]:
        return ["not applicable:", *(f"  {case}: {reason}" for case, reason in sorted(NOT_APPLICABLE.items()))] if NOT_APPLICABLE else []

    def _write(self, out: pytest.TerminalReporter) -> None:
        part6, ocpp16 = list(self._part6()), list(self._ocpp16())
        left = [case.case for case, word in part6 + ocpp16 if word == "not run"]
        if left:
            return out.write_line(f"docs/conformance.md is kept as it was: not every case was run ({', '.join(left[:10])} ...)")
        target = self._config.rootpath / "docs/conformance.md"
        target.write_text(self._page(part6, ocpp16, list(self._ocppj())))
        return out.write_line(f"written: {target}")

    def _page(self, part6: list[tuple[Case, str]], ocpp16: list[tuple[Case, str]], ocppj: list[tuple[Case, str]]) -> str:
        lines = [
            "# Conformance",
            "",
            "Generated by `make conformance ARGS=--write`. Each row is a test of tests/conformance, over a real WebSocket to a whole charge point.",
            "",
            "## OCPP 2.0.1: test cases of part 6, chapter 2",
            "",
            "M: mandatory in its profile, C: conditional.",
            "",
            "| Case | Name | Profile | M/C | Condition | Result |",
            "|---|---|---|---|---|---|",
            *(f"| {it.case} | {it.name} | {it.profile} | {it.requirement} | {it.condition} | {self._result(it, word)} |" for it, word in part6),
            "",
            "## OCPP 1.6: sections and configuration keys",
            "",
            "| Section or key | Name | Profile | Tests | Result |",
            "|---|---|---|---|---|",
            *(f"| {it.case} | {it.name} | {it.profile} | {self._tests(it)} | {self._result(it, word)} |" for it, word in ocpp16),
            "",
            "## OCPP-J: the transport of both",
            "",
            "| Part and version | What is judged | Result |",
            "|---|---|---|",
            *(f"| {it.profile} | {it.name} | {word} |" for it, word in ocppj),
            "",
        ]
        return "\n".join(lines)

    def _tests(self, case: Case) -> str:
        return ", ".join(f"`{test.partition('::')[2]}`" for test in sorted(self._covered.get(case.case, {})))

    def _result(self, case: Case, word: str) -> str:
        return f"{word}: {NOT_APPLICABLE[case.case]}" if word == "not applicable" else word
