"""A share of the fuzzing: what is kept in the corpus, and some hundred tries of every parser; and that the fuzzer finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from proof.fuzz import run
from proof.fuzz.all import TARGETS
from proof.fuzz.target import CORPUS, Defect, Target, attempt, corpus

EXAMPLES = 150
KEPT = [(target, path) for target in TARGETS for path in corpus(target.name)]


@pytest.mark.parametrize(("target", "path"), KEPT, ids=lambda item: item.name)
def test_what_once_broke_a_parser_does_so_no_more(target: Target, path: Path) -> None:
    attempt(target, path.read_bytes())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_bytes_come_a_parser_gives_a_value_or_its_error(target: Target) -> None:
    result = run.explore(target, run.Budget(EXAMPLES, 300.0, seed=1))
    assert not result.defect and result.tries


def test_every_folder_of_the_corpus_is_a_parsers() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= {target.name for target in TARGETS}


def _fragile(data: bytes) -> object:
    if data[:1] == b"x" and len(data) > 2:
        raise KeyError("x")
    raise ValueError("no")


FRAGILE = Target("fragile", "nothing", _fragile, (ValueError,), st.binary(max_size=5))


def test_a_defect_is_found_made_small_and_kept(tmp_path: Path) -> None:
    result = run.explore(FRAGILE, run.Budget(5000, 60.0, seed=3), tmp_path)
    assert "KeyError" in result.defect
    [kept] = (tmp_path / "fragile").iterdir()
    assert len(kept.read_bytes()) == 3
    with pytest.raises(Defect, match="KeyError"):
        attempt(FRAGILE, kept.read_bytes())


def test_the_same_seed_makes_the_same_tries() -> None:
    seen: list[list[bytes]] = []
    for _ in range(2):
        tries: list[bytes] = []
        run.explore(FRAGILE._replace(act=tries.append), run.Budget(30, 60.0, seed=4))
        seen.append(tries)
    assert seen[0] == seen[1] and len(set(seen[0])) > 5
