"""Register maps: the shipped ones are sound, mistakes in a map are told, numbers come out as the makers mean them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hal import meter_map
from hal.errors import BoardError
from hal.files import packaged_config
from hal.meter_map import Block, raw

SHIPPED = sorted((packaged_config() / "meters").glob("*.toml"))
HEAD = 'name = "x"\nfunction = 4\n'


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_maps_are_sound(path: Path) -> None:
    table = meter_map.load(path)
    assert all(block.count <= table.slow_registers for block in meter_map.slow_blocks(table))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("block = [{ start = 0, count = 2 }]\nvalue = { energy_wh = { at = [4] } }", "address 0x0004 is in no block"),
        ("block = [{ start = 0, count = 2 }]\nvalue = { energy_wh = { at = [1] } }", "in no block"),
        ("block = [{ start = 0, count = 126 }]\nvalue = { energy_wh = { at = [0] } }", "1 to 125 registers"),
        ("block = [{ start = 0, count = 6 }]\nvalue = { energy_wh = { at = [0, 2, 4] } }", "3 addresses"),
        ("block = [{ start = 0, count = 6 }]\nvalue = { energy_wh = { at = [0] }, current_a = { at = [0, 2] } }", "2 addresses"),
        ('block = [{ start = 0, count = 4 }]\nslow_registers = 2\nvalue = { energy_wh = { at = [0], type = "u64" } }', "slow_registers"),
        ('block = [{ start = 0, count = 2 }]\nvalue = { energy_wh = { at = [0], type = "f16" } }', "energy_wh.type"),
        ("block = [{ start = 0, count = 2 }]\nvalue = { energy_kwh = { at = [0] } }", "energy_kwh"),
        ("block = [{ start = 0, count = 2 }\n", "mine.toml"),
    ],
)
def test_a_mistake_in_a_map_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    with pytest.raises(BoardError, match=r"mine\.toml") as caught:
        meter_map.load(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "order", "words", "number"),
    [
        ("u16", "big", [0x1389], 5001.0),
        ("s16", "big", [0xFFFF], -1.0),
        ("u32", "big", [0x0001, 0x86A0], 100000.0),
        ("s32", "little", [0x86A0, 0x0001], 100000.0),
        ("s32", "big", [0xFFFF, 0xFFFE], -2.0),
        ("f32", "big", [0x4566, 0x0000], 3680.0),
        ("f64", "big", [0x40AC, 0xC000, 0, 0], 3680.0),
        ("u64", "big", [0, 0, 0, 1234], 1234.0),
        ("s64", "little", [1234, 0, 0, 0], 1234.0),
        ("u16", "big", [0xFFFF], None),
        ("s16", "big", [0x7FFF], None),
        ("u32", "big", [0xFFFF, 0xFFFF], None),
        ("s32", "big", [0x7FFF, 0xFFFF], None),
        ("u64", "big", [0xFFFF] * 4, None),
        ("f32", "big", [0x7FC0, 0x0000], None),
        ("f32", "big", [0xFF80, 0x0000], None),
    ],
)
def test_words_as_numbers(kind: str, order: str, words: list[int], number: float | None) -> None:
    assert raw(kind, order, words) == number


def test_small_requests_cut_no_value_in_two() -> None:
    table = meter_map.load(packaged_config() / "meters" / "sdm630.toml")
    assert meter_map.slow_blocks(table) == [
        Block(start=0x00, count=10),
        Block(start=0x0A, count=8),
        Block(start=0x34, count=2),
        Block(start=0x46, count=6),
    ]
