"""The evidence itself: every fault of the simulator has its expectation in every state, and a share of both reports runs as it should.

What a reaction took is the report's business on a quiet machine; here it only has to be the right one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import takewhile

import pytest

from chargepoint.model.fault import CATALOGUE, Effect
from proof import campaign, matrix, typetest
from proof.__main__ import main
from proof.cell import Cell, try_cell
from proof.expectations import BY_EFFECT, BY_FAULT, NOT_IN_THE_TABLE, ROWS, Expected, Reaction, Row
from proof.place import GROUNDS, Ground, Place, State
from proof.sequences import SEQUENCES, Limit
from proof.worlds import in_lanes, places
from sim.api_bodies import ALL_FAULTS
from tests.world import ROOT


def test_every_fault_of_the_simulator_is_in_the_table_once() -> None:
    assert sorted(row.fault for row in ROWS) == sorted(ALL_FAULTS)
    assert not NOT_IN_THE_TABLE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_every_cell_has_an_expectation_in_the_catalogues_words(row: Row, state: State) -> None:
    expected = row.expected(state)
    assert {expected.word, expected.at_end} - {""} <= CATALOGUE.keys()
    assert expected.word or expected.reaction is not Reaction.TOLD


@pytest.mark.parametrize("state", GROUNDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_in_e_and_f_there_is_nothing_to_open_or_to_limit(row: Row, state: State) -> None:
    assert row.expected(state).reaction in (Reaction.TOLD, Reaction.GOES_ON)
    assert GROUNDS[state].word != row.expected(state).word, "the word of the state says nothing of the fault"


@pytest.mark.parametrize(("state", "ground"), GROUNDS.items())
def test_what_makes_e_and_f_is_a_fault_that_opens(state: State, ground: Ground) -> None:
    assert CATALOGUE[ground.word].effect is Effect.OPEN_NOW
    assert BY_FAULT[ground.fault].expected(state) == Expected(Reaction.GOES_ON)


@pytest.mark.parametrize("fault", ["i2c_stuck", "emergency_stop", "reader_offline"])
def test_what_the_evses_of_a_board_share_fails_while_no_other_is_tried(fault: str) -> None:
    assert BY_FAULT[fault].alone


@pytest.mark.parametrize("effect", Effect)
def test_every_effect_says_what_it_does_in_every_state(effect: Effect) -> None:
    assert set(BY_EFFECT[effect]) == set(State)


def test_all_cells_are_selected_and_a_share_by_name() -> None:
    assert len(campaign.selected([], quick=False)) == len(ALL_FAULTS) * len(State)
    assert {(row.fault, state) for row, state in campaign.selected(["diode"], quick=True)} == {("diode", State.B2), ("diode", State.C2)}


def test_an_unknown_fault_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaign", "--only", "gremlins"]) == 2
    assert "gremlins" in capsys.readouterr().err


def test_the_matrix_says_what_was_not_tried_and_what_failed() -> None:
    cells = [
        Cell("diode", State.C2, Expected(Reaction.OPENED, "diode"), "coil off", 0.012, "diode", "unplug"),
        Cell("diode", State.B2, Expected(Reaction.WITHDRAWN, "diode"), wrong=["offer not withdrawn"]),
        Cell(
            "cp_short", State.C2, Expected(Reaction.OPENED, "pilot_short"), "coil off", 0.3, "pilot_short", "cause gone", slow="0.300 s, limit 0.1 s"
        ),
    ]
    text = matrix.markdown(cells, "ocpp1.6")
    assert "1 of 3 cells as expected" in text
    assert "coil off 12 ms<br>diode<br>unplug" in text
    assert "**offer not withdrawn**" in text
    assert "**0.300 s, limit 0.1 s**" in text
    assert "not tried" in text


def _table(name: str, first: str) -> list[list[str]]:
    """The rows of the table in a report of docs/ whose head begins with this word."""
    lines = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = takewhile(lambda line: line.startswith("|"), lines[begin:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_matrix_in_docs_has_every_fault_in_every_state_tried_and_as_expected() -> None:
    head, _, *rows = _table("campaign.md", "fault")
    assert head[1:] == [state.value for state in State]
    assert sorted(row[0].strip("`") for row in rows) == sorted(ALL_FAULTS)
    for fault, *cells in rows:
        row = BY_FAULT[fault.strip("`")]
        for state, cell in zip(State, cells, strict=True):
            expected = row.expected(state)
            assert cell.startswith(expected.reaction) and "**" not in cell, (fault, state)
            assert expected.word in cell and expected.at_end in cell, (fault, state)
    assert "Violations seen by the world: none." in (ROOT / "docs" / "campaign.md").read_text(encoding="utf-8")


def test_the_type_test_in_docs_has_every_sequence_and_all_have_passed() -> None:
    _, _, *rows = _table("typetest.md", "sequence")
    stations = {True: ("socket", "tethered"), False: ("socket",)}
    wanted = [(one.number, station, one.title, one.clause) for one in SEQUENCES for station in stations[one.tethered]]
    assert sorted(tuple(row[:4]) for row in rows) == sorted(wanted)
    assert {row[-1] for row in rows} == {"pass"}


@pytest.mark.parametrize(("value", "met"), [(2.9, False), (3.0, True), (4.0, True), (4.1, False)])
def test_a_limit_has_two_ends(value: float, met: bool) -> None:
    limit = Limit(3.0, 4.0, "s")
    assert limit.met(value) is met
    assert str(limit) == ">= 3 and <= 4 s"


def test_the_report_counts_a_sequence_once_for_each_kind_of_station() -> None:
    assert typetest.count() == sum(2 if sequence.tethered else 1 for sequence in SEQUENCES)


async def test_two_faults_in_two_states() -> None:
    seen: list[Cell] = []

    async def one(place: Place, work: tuple[str, State]) -> None:
        seen.append(await try_cell(place, BY_FAULT[work[0]], work[1]))

    async with places(2, evse=campaign.VENTILATED) as lanes:
        await in_lanes(lanes, deque((fault, state) for fault in ("cp_short", "rcd_trip") for state in (State.B1, State.C2)), one)
    assert {(cell.fault, cell.state): (cell.reaction, cell.word, cell.recovery, cell.wrong) for cell in seen} == {
        ("cp_short", State.B1): (Reaction.KEPT_OPEN, "pilot_short", "cause gone", []),
        ("cp_short", State.C2): (Reaction.OPENED, "pilot_short", "cause gone", []),
        ("rcd_trip", State.B1): (Reaction.KEPT_OPEN, "residual_current", "key", []),
        ("rcd_trip", State.C2): (Reaction.OPENED, "residual_current", "key", []),
    }


async def test_a_fault_in_e_and_in_f_has_its_own_word() -> None:
    async with places(2) as lanes:
        cells = await asyncio.gather(try_cell(lanes[0], BY_FAULT["rcd_trip"], State.E), try_cell(lanes[1], BY_FAULT["cp_short"], State.F))
    assert [(cell.state, cell.reaction, cell.word, cell.recovery, cell.wrong) for cell in cells] == [
        (State.E, Reaction.TOLD, "residual_current", "key", []),
        (State.F, Reaction.TOLD, "pilot_short", "cause gone", []),
    ]


async def test_two_sequences_at_a_socket_and_a_tethered_cable() -> None:
    results = await typetest.run(lambda result: None, only=("2.1", "4"))
    assert [(result.sequence.number, result.station) for result in results] == [
        ("2.1", "socket"),
        ("2.1", "tethered"),
        ("4", "socket"),
        ("4", "tethered"),
    ]
    assert all(result.value is not None and not result.wrong and not result.violations for result in results)
