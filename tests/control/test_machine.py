"""The table, walked cell by cell."""

from __future__ import annotations

import pytest

from chargepoint.control.machine import OUTPUTS, ROWS, Cause, Inputs, Outputs, Phase, cells, decide, step
from chargepoint.model.pilot import PilotState

A, B, C, D, E, F, LOST = PilotState
REST, OFFER, SUPPLY, WITHDRAW = Phase
CELLS = list(cells())


def inputs(pilot: PilotState, **flags: bool) -> Inputs:
    return Inputs(pilot, **{name: flags.get(name, False) for name in Inputs._fields[1:]})


def test_every_cell_has_an_answer_and_is_remembered_right() -> None:
    assert len(CELLS) == len(Phase) * len(PilotState) * 2**6
    assert all(step(phase, cell) == decide(phase, cell) for phase, cell in CELLS)


def test_the_coil_is_switched_on_in_one_kind_of_cell_only() -> None:
    for phase, cell in CELLS:
        after, _ = decide(phase, cell)
        if OUTPUTS[after].coil and not OUTPUTS[phase].coil:
            assert phase is OFFER and cell.ready and not cell.opening and not cell.suspect
            assert cell.offer
            assert cell.pilot is C or (cell.pilot is D and cell.d_allowed)


def test_opening_asks_nobody() -> None:
    for phase, cell in CELLS:
        if cell.opening or cell.suspect or cell.pilot in (A, B, E, F, LOST) or (cell.pilot is D and not cell.d_allowed):
            assert not OUTPUTS[decide(phase, cell)[0]].coil


def test_a_fault_and_a_lost_pilot_leave_x1() -> None:
    for phase, cell in CELLS:
        if cell.opening or cell.pilot in (A, E, F, LOST):
            assert decide(phase, cell)[0] is REST


def test_the_car_has_its_time_and_no_more() -> None:
    for phase, cell in CELLS:
        after, _ = decide(phase, cell)
        quiet = not (cell.opening or cell.suspect) and (cell.pilot is C or (cell.pilot is D and cell.d_allowed))
        if phase is SUPPLY and quiet and not cell.offer:
            assert after is WITHDRAW
        if phase is WITHDRAW and quiet:
            assert after is (REST if cell.car_time_over else WITHDRAW)


def test_without_an_offer_there_is_no_pwm() -> None:
    for phase, cell in CELLS:
        after, _ = decide(phase, cell)
        if OUTPUTS[after].pwm and not cell.offer:
            assert phase is SUPPLY and cell.suspect, "only until the lost low plateau has its name"


def test_nothing_changes_without_a_row_and_only_changes_have_a_cause() -> None:
    for phase, cell in CELLS:
        after, cause = decide(phase, cell)
        if after is not phase:
            assert cause is not Cause.NONE


def test_every_row_decides_some_cell() -> None:
    used = set()
    for phase, cell in CELLS:
        used.update(next(([number] for number, row in enumerate(ROWS) if row.fits(phase, cell)), []))
    assert used == set(range(len(ROWS)))


@pytest.mark.parametrize(
    ("phase", "cell", "after", "cause"),
    [
        (REST, inputs(B, offer=True), OFFER, Cause.OFFERED),
        (OFFER, inputs(C, offer=True), OFFER, Cause.NONE),
        (OFFER, inputs(C, offer=True, ready=True), SUPPLY, Cause.CLOSED),
        (OFFER, inputs(D, offer=True, ready=True), OFFER, Cause.NONE),
        (OFFER, inputs(D, offer=True, ready=True, d_allowed=True), SUPPLY, Cause.CLOSED),
        (SUPPLY, inputs(C, offer=True), SUPPLY, Cause.NONE),
        (SUPPLY, inputs(B, offer=True), OFFER, Cause.CAR),
        (SUPPLY, inputs(B), REST, Cause.CAR),
        (SUPPLY, inputs(A, offer=True), REST, Cause.UNPLUGGED),
        (SUPPLY, inputs(D, offer=True), OFFER, Cause.VENTILATION),
        (SUPPLY, inputs(C), WITHDRAW, Cause.WITHDRAWN),
        (SUPPLY, inputs(C, offer=True, suspect=True), OFFER, Cause.SUSPECT),
        (WITHDRAW, inputs(C, offer=True), WITHDRAW, Cause.NONE),
        (WITHDRAW, inputs(C, offer=True, car_time_over=True), REST, Cause.CAR_TIME_OVER),
        (WITHDRAW, inputs(B, offer=True), REST, Cause.CAR),
        (OFFER, inputs(B), REST, Cause.WITHDRAWN),
        (SUPPLY, inputs(C, offer=True, opening=True), REST, Cause.FAULT),
    ],
)
def test_cells_by_name(phase: Phase, cell: Inputs, after: Phase, cause: Cause) -> None:
    assert decide(phase, cell) == (after, cause)


def test_outputs() -> None:
    assert {REST: Outputs(False, False), OFFER: Outputs(True, False), SUPPLY: Outputs(True, True), WITHDRAW: Outputs(False, True)} == OUTPUTS
