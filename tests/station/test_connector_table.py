"""The nine words of a connector: every combination has one, and each row of the table says what it should."""

from __future__ import annotations

from itertools import product

import pytest

from chargepoint.model.connector import TABLE, Phase, Row, Status, blocking, leading, status
from chargepoint.model.fault import CATALOGUE, Effect


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.status.value}-{row.phase}-{row.operative}")
def test_row_by_row(row: Row) -> None:
    key = (row.operative is not False, bool(row.faulted), bool(row.reserved), row.phase or Phase.FREE)
    assert status(*key) is row.status


@pytest.mark.parametrize(("operative", "faulted", "reserved", "phase"), list(product((True, False), (True, False), (True, False), Phase)))
def test_every_combination_has_a_word(operative: bool, faulted: bool, reserved: bool, phase: Phase) -> None:
    word = status(operative, faulted, reserved, phase)
    assert (word is Status.FAULTED) == faulted
    if word is Status.RESERVED:
        assert reserved and phase in (Phase.FREE, Phase.PLUGGED)
    if not faulted and phase in (Phase.CHARGING, Phase.SUSPENDED_EV, Phase.SUSPENDED_EVSE):
        assert word.value.casefold() == phase.value.replace("_", "")


@pytest.mark.parametrize(
    ("fault", "blocks"), [("residual_current", True), ("diode", False), ("meter_lost", False), ("reader_lost", False), ("over_temperature", True)]
)
def test_which_faults_make_a_connector_faulted(fault: str, blocks: bool) -> None:
    assert blocking([fault]) is blocks


def test_the_strongest_fault_leads() -> None:
    assert leading(["meter_lost", "over_current", "diode"]) is CATALOGUE["diode"]
    assert leading([]) is None


def test_every_fault_that_stops_all_charging_is_told_or_a_warning() -> None:
    for row in CATALOGUE.values():
        stops = row.effect in (Effect.OPEN_NOW, Effect.WITHDRAW, Effect.NO_NEXT_CLOSING)
        assert blocking([row.name]) == (stops and row.code != "EVCommunicationError")
