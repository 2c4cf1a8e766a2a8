"""One reason, always exactly one: a test per row of the table."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from chargepoint.model.fault import CATALOGUE
from chargepoint.model.session import State
from chargepoint.station.reason import TABLE, Situation, reason

CHARGING: dict[str, Any] = {
    "state": State.CHARGING,
    "limit_a": 32.0,
    "limit_owner": "settings",
    "permitted": True,
    "offered_a": 32.0,
    "cap": "permit",
}
READY = {**CHARGING, "state": State.READY}

EXAMPLES: dict[str, dict[str, Any]] = {
    "control_absent": {"control": False, "faults": ("diode",)},
    "fault": {**CHARGING, "faults": ("meter_lost", "residual_current")},
    "self_test": {"testing": True, "operative": False},
    "stopping": {"state": State.STOPPING},
    "unavailable": {"operative": False, "may_begin": False},
    "reserved": {"reserved": True, "state": State.PLUGGED},
    "not_accepted": {"may_begin": False},
    "store_failed": {"store": "disk full"},
    "free": {},
    "car_in_bay": {"state": State.PARKED},
    "button_awaited": {"state": State.PLUGGED, "by_button": True},
    "no_authorization": {"state": State.PLUGGED},
    "no_car": {"state": State.AUTHORIZED},
    "car_unplugged": {"state": State.DETACHED},
    "plug_held": {"state": State.FINISHING, "held": True},
    "cable_left": {"state": State.CABLE_LEFT},
    "button_ended": {"state": State.FINISHING, "by_button": True},
    "stopped": {"state": State.FINISHING},
    "car_unseen": {**READY, "interrupted": True},
    "limit": {**READY, "limit_a": 0.0, "limit_owner": "start delay"},
    "waking": {**READY, "wake": "waking", "offered_a": 0.0, "permitted": False},
    "switching_phases": {**READY, "switching": True, "phases": 1, "offered_a": 0.0},
    "permit_on_its_way": {**READY, "permitted": False},
    "no_offer": {**READY, "offered_a": 0.0, "cap": "heat"},
    "car_sleeps": {**READY, "wake": "given_up"},
    "car_waits": READY,
    "limited_by_fault": {**CHARGING, "faults": ("temperature_sensor_lost",)},
    "limited_by_control": {**CHARGING, "offered_a": 20.0, "cap": "cable"},
    "charging_unwritten": {**CHARGING, "store": "disk full"},
    "charging": CHARGING,
}
WORDS = {"fault": "residual_current", "limited_by_fault": "temperature_sensor_lost"}


def test_every_row_has_an_example() -> None:
    assert [row.word for row in TABLE] == list(EXAMPLES)


@pytest.mark.parametrize("word", EXAMPLES)
def test_row_by_row(word: str) -> None:
    situation = Situation(**EXAMPLES[word])
    first = next(row.word for row in TABLE if row.holds(situation))
    assert first == word
    found = reason(situation)
    assert found.word == WORDS.get(word, word)
    assert found.sentence.endswith(".") and "{" not in found.sentence and found.sentence.strip() == found.sentence


@pytest.mark.parametrize("fault", list(CATALOGUE))
def test_every_fault_that_matters_is_the_reason_in_its_own_words(fault: str) -> None:
    found = reason(Situation(**{**CHARGING, "faults": (fault,)}))
    assert (found.word == fault) != (found.word == "charging")
    if found.word == fault:
        assert CATALOGUE[fault].sentence in found.sentence and CATALOGUE[fault].next_step in found.sentence


@pytest.mark.parametrize(("state", "operative", "may_begin", "permitted"), list(product(State, (True, False), (True, False), (True, False))))
def test_there_is_always_one(state: State, operative: bool, may_begin: bool, permitted: bool) -> None:
    assert reason(Situation(state=state, operative=operative, may_begin=may_begin, permitted=permitted)).sentence
