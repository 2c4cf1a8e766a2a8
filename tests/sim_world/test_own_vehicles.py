"""An own car is a file beside the settings: found by its name, before the shipped ones, and refused with its line when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.settings_file import SettingsError
from sim.vehicles import ev_from, listed
from sim.world import World, WorldError

MINE = '# Known from my own drive.\nname = "Mine"\n\n[car]\nmax_current_a = 13.0\ns2_open_s = "never"\ncapacity_wh = 20000.0\n'


def own(directory: Path, text: str, name: str = "mine") -> Path:
    (directory / "vehicles").mkdir(exist_ok=True)
    file = directory / "vehicles" / f"{name}.toml"
    file.write_text(text)
    return file


def test_an_own_car_is_plugged_in_by_its_name(tmp_path: Path) -> None:
    own(tmp_path, MINE + "curve = [[0, 13], [100, 6]]\n")
    ev = ev_from({"profile": "mine", "soc_percent": 50}, tmp_path)
    assert (ev.max_current_a, ev.s2_open_s, ev.soc_percent, len(ev.curve)) == (13.0, None, 50.0, 2)
    (row,) = [row for row in listed(tmp_path) if row["profile"] == "mine"]
    assert row == {"profile": "mine", "name": "Mine", "text": "Known from my own drive."}


def test_an_own_car_goes_before_a_shipped_one(tmp_path: Path) -> None:
    own(tmp_path, MINE, "tesla_model_3")
    assert ev_from({"profile": "tesla_model_3"}, tmp_path).max_current_a == 13.0
    assert [row["name"] for row in listed(tmp_path) if row["profile"] == "tesla_model_3"] == ["Mine"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max_curent_a = 16.0", "did you mean `max_current_a`"),
        ("phases = 4", "phases: 4 is wrong"),
        ('wakes_by = "a kiss"', "wakes_by"),
        ("target_percent = 120.0", "<= 100"),
        ("curve = [[80, 16], [20, 6]]", "curve: the points must come by rising state of charge"),
        ("delay_s = -1.0", ">= 0"),
    ],
)
def test_a_mistake_is_refused_with_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    file = own(tmp_path, MINE + line + "\n")
    with pytest.raises(SettingsError) as refused:
        ev_from({"profile": "mine"}, tmp_path)
    assert str(refused.value).startswith(f"{file}:8: car.") and words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"), [("renault_zoe", "did you mean 'renault_zoe_gen1'"), ("trabant", "known are bmw_ix3"), ("../secret", "no vehicle")]
)
def test_a_name_that_is_none_is_answered_with_those_there_are(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(KeyError, match=words):
        ev_from({"profile": name}, tmp_path)


async def test_a_world_says_so_at_its_start(tmp_path: Path) -> None:
    file = own(tmp_path, MINE + "phases = 4\n")
    config = tmp_path / "chargepoint.toml"
    config.write_text('[board]\nname = "sim"\n[[evse]]\nid = 1\n')
    world = World(config, tmp_path / "state")
    with pytest.raises(WorldError, match=f"{file}:8: car.phases"):
        await world.start()
    await world.stop()
