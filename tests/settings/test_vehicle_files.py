"""The vehicles the settings name: every shipped one reads, and a wrong one is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint import check
from chargepoint.control.wake import LONGEST_S as CARRIED_OUT
from chargepoint.control.wake import SHORTEST_S
from chargepoint.model.vehicle import LONGEST_S, UNKNOWN
from chargepoint.settings_file import load
from chargepoint.vehicle_files import vehicle, vehicles
from hal.errors import BoardError
from hal.files import packaged_config

SHIPPED = sorted((packaged_config() / "vehicles").glob("*.toml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_shipped_vehicle_reads(file: Path) -> None:
    made = vehicle(file.stem, None)
    assert made.name and made.car
    latches = made.car.get("latches_on_f", False)
    assert not (latches and any(rung.do == "state_f" for rung in made.wake.steps)), "state F would end its charging for good"
    assert not made.wake.steps or made.wake.most_interruptions < made.car.get("max_starts", 99)


def test_what_a_file_may_ask_for_is_what_control_carries_out() -> None:
    assert {kind.value: longest_s for kind, longest_s in CARRIED_OUT.items()} == LONGEST_S
    assert all(rung.seconds >= SHORTEST_S for rung in UNKNOWN.wake.steps)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('steps = [{ do = "cp_break", seconds = 4 }]', "invalid"),
        ('steps = [{ do = "x1_break", seconds = 90 }]', "<= 60"),
        ('steps = [{ do = "state_f", seconds = 10 }]', "4 s at most"),
        ("most_step = 3", "did you mean `most_steps`"),
    ],
)
def test_a_wrong_vehicle_is_refused_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "vehicles").mkdir()
    (tmp_path / "vehicles" / "mine.toml").write_text(f'name = "Mine"\n[wake]\n{line}\n')
    file = tmp_path / "chargepoint.toml"
    file.write_text('[[evse]]\nid = 1\nvehicle = "mine"\n')
    (found,) = check.judge(file).errors
    assert (found.file, found.line) == (str(tmp_path / "vehicles" / "mine.toml"), 3)
    assert words in found.text


def test_the_settings_own_directory_goes_first(tmp_path: Path) -> None:
    (tmp_path / "vehicles").mkdir()
    (tmp_path / "vehicles" / "dacia_spring.toml").write_text('name = "My own"\n')
    file = tmp_path / "chargepoint.toml"
    file.write_text('[vehicles.tokens]\n04A1B2C3 = "dacia_spring"\n04D4E5F6 = "tesla_model_y"\n')
    found = vehicles(load(file), tmp_path)
    assert found["dacia_spring"].name == "My own" and found["dacia_spring"].wake == UNKNOWN.wake
    assert found["tesla_model_y"].name == "Tesla Model Y"
    with pytest.raises(BoardError):
        vehicle("trabant", tmp_path)
