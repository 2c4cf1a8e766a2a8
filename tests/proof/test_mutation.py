"""Mutants: what is changed and what is left alone, which tests are tried on one, and how a report counts them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import chargepoint.control.offer  # noqa: F401  # its functions are looked for

pytest.importorskip("mutmut", reason="pip install .[mutation]")
from proof.mutation import child, kept, report, survivors
from proof.mutation.child import ENDLESS, KILLED, SURVIVED, Outcome
from proof.mutation.kept import Drawn
from proof.mutation.mutants import Mutant, Source
from proof.mutation.names import Names
from proof.mutation.reach import Reach
from proof.mutation.run import Result
from proof.mutation.survivors import Reason
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
        if (
            now > LIMIT_S
        ):
            return True
        return "word" != ""
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
        "now > LIMIT_S",
        "return True",
        'return "word" != ""',
    }
    assert ("LIMIT_S = 0.1", "LIMIT_S = 1.1") in {(mutant.was, mutant.now) for mutant in mutants}
    assert 'return "word" == ""' in {mutant.now for mutant in mutants}
    assert all(mutant.code != CODE for mutant in mutants)
    assert {mutant.was for mutant in mutants if mutant.text} == {'return "word" != ""'}


def test_a_mutant_lies_in_its_whole_statement_and_of_a_compound_one_in_the_head(source: Source) -> None:
    lines = {(mutant.was, mutant.first, mutant.last) for number in range(len(source)) if (mutant := source.mutant(number))}
    assert ("now > LIMIT_S", 16, 18) in lines
    assert ("return True", 19, 19) in lines


# which tests ----------------------------------------------------------------------------------------------------------------------------------

TABLES = """
LIMIT_C = 80.0
BANDS = [(0, LIMIT_C)]

def shared():
    return 1

ONES = [shared()]

class Part:
    patience_s: float = 1.0

    def late(self, since_s):
        return since_s > self.patience_s

def band(celsius):
    return [each for each in BANDS if celsius < each[1]]

def other():
    return ONES
"""


@pytest.mark.parametrize(
    ("line", "made", "acting"),
    [
        (2, {"LIMIT_C"}, {17}),  # by the table that is made of it
        (11, {"patience_s"}, {14}),
        (6, {"shared"}, {6, 20}),  # runs while the module is made
    ],
)
def test_what_acts_by_a_name(line: int, made: set[str], acting: set[int]) -> None:
    names = Names({"a.py": TABLES}, {("a.py", 6)})
    assert names.made_at("a.py", line)[0] == made
    assert {place for _, place in names.places(names.leading_from(made))} >= acting


def test_what_a_class_makes_is_also_reached_by_its_name() -> None:
    assert Names({"a.py": TABLES}).made_at("a.py", 11) == ({"patience_s"}, {"patience_s", "Part"})


def mutant_at(first: int, last: int) -> Mutant:
    return Mutant(OFFER, first, last, "", "", "")


def test_the_tests_that_run_the_statement_are_tried_the_quickest_first_and_families_last() -> None:
    seconds = {"tests/control/test_front_end_spikes.py::a": 0.1, "t.py::slow": 2.0, "t.py::quick": 0.5, "t.py::elsewhere": 0.1}
    reach = Reach(seconds, {OFFER: {10: [0, 1], 12: [2], 13: [3]}}, [(OFFER, 13)])
    assert reach.of_line(mutant_at(10, 12)) == ["t.py::quick", "t.py::slow", "tests/control/test_front_end_spikes.py::a"]
    assert reach.is_early(mutant_at(12, 13)) and not reach.is_early(mutant_at(10, 12))


# how it is put in place, and ended ------------------------------------------------------------------------------------------------------------


def changed(was: str, now: str) -> Mutant:
    code = (ROOT / OFFER).read_text()
    assert was in code
    return Mutant(OFFER, 1, 1, was, now, code.replace(was, now, 1))


def test_what_differs_in_a_function_is_put_in_its_place() -> None:
    swaps = swaps_of(changed("return ", "return not "))
    assert swaps is not None and len(swaps) == 1
    ((function, code),) = swaps
    assert function.__module__ == "chargepoint.control.offer" and code.co_name == function.__name__ and code != function.__code__


@pytest.mark.parametrize(("was", "now"), [(" = 5.0", " = 6.0"), ("class Offer", "class Other"), ("def ", "def (")])
def test_what_differs_elsewhere_is_imported_anew(was: str, now: str) -> None:
    assert swaps_of(changed(was, now)) is None


def dies(by: signal.Signals) -> Outcome:
    os.kill(os.getpid(), by)
    return Outcome(SURVIVED, 0)


def fails() -> Outcome:
    os._exit(0)


def test_a_trial_tells_how_it_ended_also_by_dying() -> None:
    assert child.apart(lambda: Outcome(SURVIVED, 3)) == Outcome(SURVIVED, 3)
    assert child.apart(lambda: dies(signal.SIGPROF)).outcome == ENDLESS
    assert child.apart(lambda: dies(signal.SIGKILL)).outcome == KILLED
    with pytest.raises(RuntimeError, match="without an outcome"):
        child.apart(fails)


# the report -----------------------------------------------------------------------------------------------------------------------------------


def test_a_report_counts_by_file_and_names_each_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    results = [
        Result(Mutant("a/part.py", line, line, "x", f"y{line}", "", text=line == 2), SURVIVED if line < 3 else KILLED, 3, 5) for line in range(10)
    ]
    told = (
        Reason("acts alike: nobody looks", frozenset({("part.py", "x", "y0")}), frozenset()),
        Reason("wording", texts_of=frozenset({"part.py"})),
    )
    monkeypatch.setattr(survivors, "reasons", lambda: told)
    monkeypatch.setattr(survivors, "is_there", lambda file, was: True)
    assert report.killed_share(results) == 0.7
    text = report.markdown(results, Drawn(10, 100, 7))
    assert "10 were drawn by chance (seed 7) and **10 tried:\n7 killed (70.0%)**, 3 survived" in text
    assert "Of the survivors 1 act as the code does" in text and "without them 77.8% are killed" in text
    assert "| `part.py` | 10 | 7 | 3 |" in text
    for why, now in (("acts alike: nobody looks", "y0"), ("not looked into", "y1"), ("wording", "y2")):
        assert f"### 1: {why}\n\n| file | code | mutant | tests run |\n|---|---|---|---|\n| `part.py` | `` x `` | `` {now} `` | 3 of 5 |" in text


def test_a_run_is_kept_for_the_reasons_found_later(tmp_path: Path) -> None:
    results = [Result(Mutant("a/part.py", line, line, "x", "y", "", True), SURVIVED, 3, 5, "t.py::a") for line in range(3)]
    keeper = kept.Keeper(Drawn(4, 100, 7), tmp_path / "kept")
    for result in results:
        keeper.keep(result)
    assert kept.last(tmp_path / "kept") == (Drawn(4, 100, 7), results)


@pytest.mark.parametrize(
    ("now", "fits"), [("a = None or False", True), ("a = False or None", True), ("a = None or None", False), ("b = None", False)]
)
def test_a_rule_is_of_one_change_in_a_line(now: str, fits: bool) -> None:
    assert Reason("x", changes=frozenset({("False", "None")})).fits(Mutant("a/part.py", 1, 1, "a = False or False", now, "")) is fits


def test_each_reason_is_of_a_line_that_is_there() -> None:
    told = [(file, was) for reason in survivors.reasons() for file, was, _ in reason.mutants]
    assert [each for each in told if not survivors.is_there(*each)] == []


def test_a_survivor_whose_line_is_gone_needs_no_reason() -> None:
    assert survivors.reason_of(Mutant("chargepoint/control/offer.py", 1, 1, "a line of long ago", "y", "")) == survivors.GONE
    assert survivors.reason_of(Mutant("chargepoint/control/offer.py", 1, 1, "RAISE_S = 5.0", "y", "")) == survivors.UNEXPLAINED
