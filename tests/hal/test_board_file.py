"""Board files: the shipped ones are sound, and every mistake is found with its key and a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hal import board as boards
from hal import spec
from hal.board_rules import adc_time_s
from hal.errors import BoardError

CONFIG = boards.packaged_config()
SHIPPED = sorted(file.stem for file in (CONFIG / "boards").glob("*.toml"))
Raw = dict[str, Any]


def raw(name: str = "raspberry_pi_ads1115") -> Raw:
    return tomllib.loads((CONFIG / "boards" / f"{name}.toml").read_text())


def two_evses() -> Raw:
    """The simulated board with two of its EVSEs."""
    table = raw("sim")
    return table | {"evse": table["evse"][:2], "reader": []}


def found(table: Raw) -> list[tuple[str, str]]:
    return boards.problems(msgspec.convert(table, spec.Board))


def changed(path: str, value: Any, table: Raw | None = None) -> Raw:
    """The table with one key set; a number in the path is a place in a list, None deletes."""
    table = raw() if table is None else table
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = table
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return table


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_boards_are_sound(name: str) -> None:
    assert boards.problems(boards.load(name, CONFIG)) == []


UNDRIVEN = {"process_dead": "off", "cpu_hung": "off", "power_lost": "off", "within_ms": 100.0}

MISTAKES = [
    ("evse.0.contactor.mirror.pin", 17, "evse[0].contactor.mirror.pin", "already used by evse[0].contactor.coil"),
    ("emergency_stop.pin", 22, "emergency_stop.pin", "already used by feed.output"),
    ("evse.0.contactor.coil", {"pin": 17, "active": "low", "reset_pull": "down"}, "evse[0].contactor.coil.reset_pull", "not its safe level"),
    ("evse.0.contactor.coil", {"pin": 17, "active": "high", "reset_pull": "none"}, "evse[0].contactor.coil.reset_pull", "not its safe level"),
    ("evse.0.lock.unlock", {"pin": 5, "active": "high", "reset_pull": "up"}, "evse[0].lock.unlock.reset_pull", "not its safe level"),
    ("evse.0.contactor.shunt_trip", {"pin": 13, "active": "low"}, "evse[0].contactor.shunt_trip.reset_pull", "not its safe level"),
    ("evse.0.residual.test", {"pin": 24, "active": "low", "reset_pull": "down"}, "evse[0].residual.test.reset_pull", "not its safe level"),
    ("evse.0.contactor.coil", {"pin": 5, "active": "high", "reset_pull": "down"}, "evse[0].contactor.coil.reset_pull", "BCM 5 is pulled up"),
    ("evse.0.lamp.red", {"pin": 7, "reset_pull": "down"}, "evse[0].lamp.red.reset_pull", "BCM 7 is pulled up"),
    ("evse.0.lamp.red.pin", 40, "evse[0].lamp.red.pin", "not on the header"),
    ("evse.0.thermometer", {"kind": "lm75", "bus": 3, "address": 0x49}, "evse[0].thermometer.bus", "belongs to a pilot's ADC alone"),
    ("evse.0.thermometer", {"kind": "lm75", "bus": 3, "address": 0x48}, "evse[0].thermometer.address", "address 0x48 on I2C bus 3"),
    ("evse.0.adc.clock_hz", 100_000, "evse[0].adc", "of a turn of 5 ms"),
    ("evse.0.adc.rate_sps", 475, "evse[0].adc", "at most 80%"),
    ("turn_ms", 3.0, "evse[0].adc", "a longer turn_ms"),
    ("turn_ms", 12.5, "turn_ms", "up to 10 ms"),
    ("turn_ms", 0.0, "turn_ms", "up to 10 ms"),
    ("evse.0.adc.rate_sps", 900, "evse[0].adc.rate_sps", "no rate of 900"),
    ("evse.0.adc.full_scale_v", 3.3, "evse[0].adc.full_scale_v", "no range of 3.3"),
    ("evse.0.adc.low.input", 0, "evse[0].adc.low.input", "used twice"),
    ("evse.0.adc.high.input", 4, "evse[0].adc.high.input", "inputs 0 to 3"),
    ("feed", None, "feed", "accept_software_only"),
    ("feed.hold_ms", 10.0, "feed.hold_ms", "outlive 4 turns"),
    ("evse.0.residual.cuts_coil", False, "evse[0].residual.cuts_coil", "accept_software_only"),
    ("evse.0.contactor.undriven", UNDRIVEN | {"process_dead": "keeps"}, "evse[0].contactor.undriven.process_dead", "must fall"),
    ("evse.0.contactor.undriven", UNDRIVEN | {"cpu_hung": "keeps"}, "evse[0].contactor.undriven.cpu_hung", "must fall"),
    ("evse.0.contactor.undriven", UNDRIVEN | {"power_lost": "keeps"}, "evse[0].contactor.undriven.power_lost", "without power"),
    ("evse.0.meter.map", "sdm999", "evse[0].meter.map", "sdm999"),
    ("evse.0.meter.serial", None, "evse[0].meter", "either serial or tcp"),
    ("evse.0.meter.tcp", {"host": "meter.local"}, "evse[0].meter", "either serial or tcp"),
    ("reader.0.evse", 2, "reader[0].evse", "EVSEs 1 to 1"),
    ("reader.0.serial.port", "/dev/serial/by-id/usb-FTDI_USB-RS485_Cable_FT000001-if00-port0", "reader[0].serial.port", "the line of a meter"),
    ("pin_factory", "rig", "pin_factory", "does not go with backend"),
    ("evse", [], "evse", "at least one EVSE"),
]


@pytest.mark.parametrize(("path", "value", "key", "words"), MISTAKES, ids=[f"{path}-{words}" for path, _, _, words in MISTAKES])
def test_a_mistake_is_found(path: str, value: Any, key: str, words: str) -> None:
    problems = found(changed(path, value))
    assert any(where == key and words in text for where, text in problems), problems


PAIRS = [
    ("evse.1.pwm.channel", 0, "evse[1].pwm.channel", "already the pilot of evse[0]"),
    ("evse.1.thermometer.address", 72, "evse[1].thermometer.address", "already used by evse[0].thermometer"),
    ("evse.1.adc.bus", 10, "evse[1].adc.address", "already used by evse[0].adc"),
    ("evse.1.contactor.coil.pin", 101, "evse[1].contactor.coil.pin", "already used by evse[0]"),
    ("evse.1.contactor_l23.mirror.pin", 112, "evse[1].contactor_l23.mirror.pin", "already used by evse[0].contactor_l23.mirror"),
    ("evse.1.contactor_l23.coil.reset_pull", "up", "evse[1].contactor_l23.coil.reset_pull", "not its safe level"),
    ("evse.1.contactor_l23.undriven.process_dead", "keeps", "evse[1].contactor_l23.undriven.process_dead", "must fall"),
    ("evse.1.phases", 1, "evse[1].contactor_l23", "one phase"),
    ("evse.1.meter", {"map": "sdm630", "serial": {"port": "sim:meter1"}}, "evse[1].meter.unit", "already the meter of evse[0]"),
    ("evse.1.meter", {"map": "sdm630", "unit": 2, "serial": {"port": "sim:meter1", "baud": 19200}}, "evse[1].meter.serial", "must agree"),
]


@pytest.mark.parametrize(("path", "value", "key", "words"), PAIRS, ids=[words for _, _, _, words in PAIRS])
def test_two_evses_in_each_others_way(path: str, value: Any, key: str, words: str) -> None:
    problems = found(changed(path, value, two_evses()))
    assert any(where == key and words in text for where, text in problems), problems


def test_two_pilots_on_one_bus_need_a_longer_turn() -> None:
    table = changed("evse.1.adc.bus", 10, two_evses())
    table = changed("evse.1.adc.address", 0x49, table)
    assert [key for key, _ in found(table)] == ["evse[1].adc"]
    assert found(changed("turn_ms", 10.0, table)) == []


def test_the_loop_talks_to_one_adc_after_the_other() -> None:
    table = raw("sim_ten")
    assert found(table) == []
    for turn_ms, expected in ((9.0, []), (8.0, ["turn_ms"]), (5.0, ["turn_ms"])):
        problems = found(changed("turn_ms", turn_ms, table))
        assert [key for key, _ in problems] == expected
        assert all("10 ADCs take 6.65 ms" in text for _, text in problems)
    five = {**table, "evse": table["evse"][:5], "turn_ms": 5.0}
    assert found(five) == []


def test_the_budget_of_a_turn() -> None:
    adc = msgspec.convert(raw()["evse"][0]["adc"], spec.Adc)
    assert 0.0030 < adc_time_s(adc) < 0.0035


def test_the_owners_word_stands_for_feed_and_hardware_path() -> None:
    table = changed("accept_software_only", True, changed("feed", None, changed("evse.0.residual.cuts_coil", False)))
    table = changed("evse.0.contactor.undriven", UNDRIVEN | {"process_dead": "keeps", "cpu_hung": "keeps"}, table)
    assert found(table) == []


def test_an_unknown_key_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text((CONFIG / "boards" / "sim.toml").read_text() + "\nspeed = 1\n")
    with pytest.raises(BoardError, match=r"mine\.toml.*speed"):
        boards.load("mine.toml", tmp_path)


def test_a_board_is_found_beside_the_settings_before_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "sim.toml").write_text((CONFIG / "boards" / "sim.toml").read_text().replace('name = "sim"', 'name = "mine"', 1))
    assert boards.load("sim", tmp_path).name == "mine"
    assert boards.load("raspberry_pi_ads1115", tmp_path).name == "raspberry_pi_ads1115"


def test_a_missing_board_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"nowhere: no such file \(looked for .*boards"):
        boards.load("nowhere", tmp_path)


def test_more_evses_than_wired_are_not_opened() -> None:
    with pytest.raises(BoardError, match="wires 4 EVSEs, 5"):
        boards.open_control(boards.load("sim", CONFIG), [1, 2, 3, 4, 5], lambda: 0.0)


def test_a_backend_that_is_not_there_is_named() -> None:
    board = msgspec.structs.replace(boards.load("sim", CONFIG), backend="sim.rig.nowhere")
    with pytest.raises(BoardError, match=r"sim\.rig\.nowhere"):
        boards.open_control(board, [1], lambda: 0.0)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"boot/firmware/config.txt": "dtparam=i2c_arm=on\ndtparam=strict_gpiod\n"}, False),
        ({"boot/firmware/config.txt": "dtparam=audio=off,strict_gpiod  # both\n"}, False),
        ({"boot/firmware/config.txt": "#dtparam=strict_gpiod\n"}, True),
        ({"boot/config.txt": "dtparam=strict_gpiod\n"}, False),
        ({"sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "N\n", "boot/config.txt": ""}, False),
        ({"sys/module/pinctrl_rp1/parameters/persist_gpio_outputs": "Y\n", "boot/config.txt": "dtparam=strict_gpiod\n"}, True),
        ({}, True),
    ],
)
def test_strict_gpiod(tmp_path: Path, files: dict[str, str], missing: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert (boards.strict_gpiod_missing(tmp_path) is not None) is missing
