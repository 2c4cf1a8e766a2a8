"""Mutants: what is changed and what is left alone, and how a report counts them."""

from __future__ import annotations

from pathlib import Path

import pytest

import chargepoint.control.offer  # noqa: F401  # its functions are looked for

pytest.importorskip("mutmut", reason="pip install .[mutation]")
from proof.mutation import order, report
from proof.mutation.mutants import Mutant, Source
from proof.mutation.run import KILLED, SURVIVED, Result
from proof.mutation.swap import swaps_of
from tests.world import ROOT

OFFER = "chargepoint/control/offer.py"
CODE = '''"""What it is for."""

from __future__ import annotations

LIMIT_S = 0.1
"""Of the standard."""


class Part:
    """One."""

    __slots__ = ("_since",)

    def late(self, now: float, least: int = 1) -> bool:
        """Whether it is."""
        return now > LIMIT_S and "word" != ""
'''


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "part.py").write_text(CODE)
    return Source(tmp_path, tmp_path / "part.py")


def test_figures_and_bodies_are_changed_and_nothing_else(source: Source) -> None:
    mutants = [source.mutant(number) for number in range(len(source))]
    assert {mutant.was for mutant in mutants} == {
        "LIMIT_S = 0.1",
        "def late(self, now: float, least: int = 1) -> bool:",
        CODE.splitlines()[-1].strip(),
    }
    assert ("LIMIT_S = 0.1", "LIMIT_S = 1.1") in {(mutant.was, mutant.now) for mutant in mutants}
    assert 'return now >= LIMIT_S and "word" != ""' in {mutant.now for mutant in mutants}
    assert all(mutant.code != CODE for mutant in mutants)


def test_only_tests_that_reach_the_module_are_tried_and_those_that_name_it_first() -> None:
    tests = {
        "tests/control/test_evse.py::slow": 2.0,
        "tests/control/test_evse.py::quick": 0.5,
        "tests/control/test_electrics.py::test_duty": 0.1,
        "tests/control/test_offer.py::test_ramp": 3.0,
        "tests/control/test_front_end_spikes.py::test_spike": 0.2,
    }
    assert order.Order(tests).of("chargepoint/control/offer.py") == [
        "tests/control/test_offer.py::test_ramp",
        "tests/control/test_evse.py::quick",
        "tests/control/test_evse.py::slow",
        "tests/control/test_front_end_spikes.py::test_spike",
    ]


def changed(was: str, now: str) -> Mutant:
    code = (ROOT / OFFER).read_text()
    assert was in code
    return Mutant(OFFER, 1, was, now, code.replace(was, now, 1))


def test_what_differs_in_a_function_is_put_in_its_place() -> None:
    swaps = swaps_of(changed("return ", "return not "))
    assert swaps is not None and len(swaps) == 1
    ((function, code),) = swaps
    assert function.__module__ == "chargepoint.control.offer" and code.co_name == function.__name__ and code != function.__code__


@pytest.mark.parametrize(("was", "now"), [(" = 5.0", " = 6.0"), ("class Offer", "class Other"), ("def ", "def (")])
def test_what_differs_elsewhere_is_imported_anew(was: str, now: str) -> None:
    assert swaps_of(changed(was, now)) is None


def test_a_report_counts_by_file_and_names_each_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    results = [Result(Mutant("a/part.py", line, "x", f"y{line}", ""), SURVIVED if line < 2 else KILLED, 3, 5) for line in range(10)]
    monkeypatch.setattr(report, "REASONS", {("part.py", "x", "y0"): "acts alike: nobody looks"})
    assert report.killed_share(results) == 8 / 9
    text = report.markdown(results, 100, 7)
    assert "**10 were tried**" in text and "**8 killed (80%)**" in text and "(seed 7)" in text
    assert "| `part.py` | 10 | 8 | 2 |" in text
    assert "| `part.py` | `x` | `y1` | 3 of 5 | not looked into |" in text
