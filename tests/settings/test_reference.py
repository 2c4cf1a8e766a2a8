"""The generated documents are what the code says now."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import msgspec
import pytest

from chargepoint.control import machine, power_path, reclose, wake
from chargepoint.local.reference import DOCUMENTS, ROOT, example
from chargepoint.local.reference_states import MACHINE, OTHERWISE, RECLOSE, PilotRow, number, own_pilot, pilot_rows, rests
from chargepoint.settings import Settings


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_document_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == DOCUMENTS[name](), f"{name} is old: run `make docs`"


def test_example_uncommented_is_the_default(tmp_path: Path) -> None:
    lines = [line[2:] if line.startswith("# ") and " = " in line else line for line in example().splitlines()[2:]]
    lines = [line for line in lines if not line.startswith("configuration =") and not line.startswith("variables =")]
    assert msgspec.convert(tomllib.loads("\n".join(lines)), Settings) == Settings()


def test_the_pilots_table_is_read_as_it_is() -> None:
    def words(row: machine.Row) -> PilotRow:
        pilots = tuple("LOST" if pilot is machine.LOST else pilot.name for pilot in row.pilots)
        conditions = zip(machine.Row._fields[4:], row[4:], strict=True)
        return PilotRow(
            tuple(phase.name for phase in row.phases),
            pilots,
            row.next.name,
            row.cause.value,
            tuple(pair for pair in conditions if pair[1] is not None),
        )

    def unordered(row: PilotRow) -> tuple[object, ...]:
        return (set(row.phases), set(row.pilots), row.next, row.cause, set(row.conditions))

    read = pilot_rows(ast.parse((ROOT / MACHINE).read_text(encoding="utf-8")))
    assert [unordered(row) for row in read] == [unordered(words(row)) for row in machine.ROWS]


def test_the_rests_are_read_as_they_are() -> None:
    assert rests() == {cause.value: seconds for cause, seconds in reclose.RESTS_S.items()}
    assert number(RECLOSE, OTHERWISE) == power_path.RECLOSE_S


def test_what_the_pilot_may_show_during_a_step_is_read_as_it_is() -> None:
    assert own_pilot() == {kind.value: tuple(pilot.value for pilot in pilots) for kind, pilots in wake.OWN_PILOT.items()}
