"""`chargepoint check` refuses every mistake of this list, with file, line, key and a sentence that says what would be right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from chargepoint import check, factory
from chargepoint.local import settings_command
from chargepoint.settings_file import load
from chargepoint.store.db import Db
from chargepoint.store.variables import Variables
from hal import board as hal_board

GOOD = """\
[station]
vendor = "Maker"
model = "M1"

[board]
name = "sim"

[[evse]]
id = 1
max_current_a = 32
connectors = ["sType2"]

[control]
lease_s = 15

[csms]
url = "ws://127.0.0.1:9000/ocpp"
identity = "CP001"
"""


class Mistake(NamedTuple):
    """A change of the good file; the key and words the answer must hold; the text whose line it must name (None: no line)."""

    old: str
    new: str
    key: str
    words: str
    at: str | None


SETTINGS = {
    "unknown_table": Mistake("[control]", "[controll]", "controll", "did you mean `control`", "[controll]"),
    "unknown_key": Mistake('vendor = "Maker"', 'vendr = "Maker"', "station.vendr", "did you mean `vendor`", "vendr"),
    "wrong_type_text": Mistake("lease_s = 15", 'lease_s = "15"', "control.lease_s", "expected a number", "lease_s"),
    "wrong_type_number": Mistake('model = "M1"', "model = 1", "station.model", "expected text", "model"),
    "wrong_type_table": Mistake("[station]", "control = 1\n[station]", "control", "expected a table", "control = 1"),
    "lease_too_short": Mistake("lease_s = 15", "lease_s = 4", "control.lease_s", ">= 5", "lease_s"),
    "lease_too_long": Mistake("lease_s = 15", "lease_s = 31", "control.lease_s", "<= 30", "lease_s"),
    "lease_not_finite": Mistake("lease_s = 15", "lease_s = nan", "control.lease_s", "finite", "lease_s"),
    "current_too_small": Mistake("max_current_a = 32", "max_current_a = 5", "evse[1].max_current_a", ">= 6", "max_current_a"),
    "current_above_code": Mistake("max_current_a = 32", "max_current_a = 81", "evse[1].max_current_a", "<= 80", "max_current_a"),
    "current_above_board": Mistake("max_current_a = 32", "max_current_a = 80", "evse[1].max_current_a", "power path", "max_current_a"),
    "two_phases": Mistake("id = 1", "id = 1\nphases = 2", "evse[1].phases", "invalid", "phases"),
    "evse_id_twice": Mistake("[control]", "[[evse]]\nid = 1\n[control]", "evse[2].id", "two EVSEs have the id 1", "id = 1\n[control]"),
    "evse_id_gap": Mistake("[control]", "[[evse]]\nid = 3\n[control]", "evse[2].id", "without gaps", "id = 3"),
    "too_many_evses": Mistake(
        "[control]", "".join(f"[[evse]]\nid = {n}\n" for n in range(2, 7)) + "[control]", "evse[5]", "wires 4", "[[evse]]\nid = 5"
    ),
    "no_connector": Mistake('["sType2"]', "[]", "evse[1].connectors", "length", "connectors"),
    "unknown_vehicle": Mistake("id = 1", 'id = 1\nvehicle = "trabant"', "evse[1].vehicle", "dacia_spring", "vehicle"),
    "unknown_vehicle_of_token": Mistake(
        "[control]", '[vehicles.tokens]\n04A1B2C3 = "trabant"\n[control]', "vehicles.tokens.04A1B2C3", "there is no such vehicle", "04A1B2C3"
    ),
    "woken_too_soon": Mistake("[control]", "[vehicles]\nwake_after_s = 1\n[control]", "vehicles.wake_after_s", ">= 5", "wake_after_s"),
    "unknown_connector": Mistake('["sType2"]', '["sType9"]', "evse[1].connectors", "no AC connector type", "connectors"),
    "url_scheme": Mistake("ws://", "http://", "csms.url", "write ws://", "url"),
    "url_no_host": Mistake("ws://127.0.0.1:9000/ocpp", "ws://", "csms.url", "no WebSocket URL", "url"),
    "url_port": Mistake("9000", "99000", "csms.url", "no URL", "url"),
    "url_space": Mistake("/ocpp", "/oc pp", "csms.url", "no WebSocket URL", "url"),
    "url_with_user": Mistake("127", "me:secret@127", "csms.url", "user name", "url"),
    "url_with_query": Mistake("/ocpp", "/ocpp?a=b", "csms.url", "query", "url"),
    "empty_identity": Mistake('"CP001"', '""', "csms.identity", "length >= 1", "identity"),
    "long_identity": Mistake("CP001", "C" * 49, "csms.identity", "length <= 48", "identity"),
    "identity_colon": Mistake(
        '"CP001"', '"CP:1"\nsecurity_profile = 1\nbasic_auth_password = "0123456789abcdef"', "csms.identity", "colon", "identity"
    ),
    "unknown_version": Mistake('"CP001"', '"CP001"\nocpp = ["ocpp1.5"]', "csms.ocpp", "ocpp1.5", "ocpp = "),
    "no_version": Mistake('"CP001"', '"CP001"\nocpp = []', "csms.ocpp", "length >= 1", "ocpp = "),
    "version_twice": Mistake('"CP001"', '"CP001"\nocpp = ["ocpp1.6", "ocpp1.6"]', "csms.ocpp", "twice", "ocpp = "),
    "unknown_profile": Mistake('"CP001"', '"CP001"\nsecurity_profile = 4', "csms.security_profile", "invalid", "security_profile"),
    "profile_1_without_password": Mistake('"CP001"', '"CP001"\nsecurity_profile = 1', "csms.basic_auth_password", "missing", "[csms]"),
    "short_password": Mistake('"CP001"', '"CP001"\nbasic_auth_password = "short"', "csms.basic_auth_password", "16 to 40", "basic_auth_password"),
    "profile_2_without_ca": Mistake("ws:", "wss:", "csms.tls.ca_file", "missing", "[csms]"),
    "profile_2_without_tls": Mistake('"CP001"', '"CP001"\nsecurity_profile = 2', "csms.url", "write wss://", "url"),
    "profile_3_without_certificate": Mistake('"CP001"', '"CP001"\nsecurity_profile = 3', "csms.tls.client_cert", "missing", "[csms]"),
    "wss_without_profile": Mistake("ws://", "wss://", "csms.security_profile", "needs profile 2 or 3", "[csms]"),
    "missing_file": Mistake('"CP001"', '"CP001"\n[csms.tls]\nca_file = "/nowhere/ca.pem"', "csms.tls.ca_file", "No such file", "ca_file"),
    "key_without_certificate": Mistake(
        '"CP001"', '"CP001"\n[csms.tls]\nclient_key = "/nowhere/key.pem"', "csms.tls.client_key", "go together", "client_key"
    ),
    "no_pem": Mistake('"CP001"', '"CP001"\n[csms.tls]\nca_file = "/etc/hostname"', "csms.tls.ca_file", "no PEM", "ca_file"),
    "negative_wait": Mistake('"CP001"', '"CP001"\n[csms.reconnect]\nwait_minimum_s = -1', "csms.reconnect.wait_minimum_s", ">= 0", "wait_minimum_s"),
    "unknown_board": Mistake('name = "sim"', 'name = "simm"', "board.name", "one of", "name"),
    "no_feed": Mistake('name = "sim"', 'name = "sim"\n[board.sim]\nrelay_supply = "none"', "feed", "accept_software_only", None),
    "no_hardware_residual_path": Mistake(
        'name = "sim"', 'name = "sim"\n[board.sim]\nrcd_cuts_coil = false', "cuts_coil", "accept_software_only", None
    ),
    "long_vendor": Mistake('"Maker"', f'"{"M" * 21}"', "station.vendor", "length <= 20", "vendor"),
    "delay": Mistake('"Maker"', '"Maker"\nstart_delay_max_s = 601', "station.start_delay_max_s", "<= 600", "start_delay_max_s"),
    "no_toml": Mistake("[control]", "[control", "", "no TOML", "[control"),
    "key_twice": Mistake('vendor = "Maker"', 'vendor = "Maker"\nvendor = "Other"', "", "no TOML", 'vendor = "Other"'),
    "update_word": Mistake(
        "[control]", '[firmware_update]\nsimulate_install = "maybe"\n[control]', "firmware_update.simulate_install", "invalid", "simulate_install"
    ),
    "table_for_scalar": Mistake(
        "[control]", '[ocpp16.configuration]\n"HeartbeatInterval" = [1]\n[control]', "ocpp16.configuration", "expected", "[ocpp16"
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_refused_with_line_and_sentence(name: str, tmp_path: Path) -> None:
    mistake = SETTINGS[name]
    assert mistake.old in GOOD
    text = GOOD.replace(mistake.old, mistake.new, 1)
    if name == "wrong_type_table":
        text = text.replace("[control]\nlease_s = 15\n", "")
    if name == "profile_2_without_ca":
        text = text.replace('"CP001"', '"CP001"\nsecurity_profile = 2\nbasic_auth_password = "0123456789abcdef"')
    file = tmp_path / "chargepoint.toml"
    file.write_text(text)
    found = [problem for problem in check.judge(file).errors if mistake.key in problem.key and mistake.words.lower() in problem.text.lower()]
    assert found, "\n".join(map(str, check.judge(file).errors)) or "no mistake found"
    if mistake.at is not None:
        assert found[0].line == text[: text.index(mistake.at)].count("\n") + 1
        assert found[0].file == str(file)


BOARD = {
    "pin_twice": ("mirror = { pin = 102,", "mirror = { pin = 101,", "101"),
    "reset_pull_acts": (
        'coil = { pin = 101, active = "high", reset_pull = "down" }',
        'coil = { pin = 101, active = "high", reset_pull = "up" }',
        "coil",
    ),
    "same_i2c_address": ("bus = 1, address = 73", "bus = 1, address = 72", "address"),
    "stranger_on_the_pilots_bus": ("bus = 1, address = 72", "bus = 10, address = 73", "bus"),
    "unknown_meter": ('map = "sdm630"', 'map = "sdm999"', "sdm999"),
    "one_pwm_for_two": ("channel = 1,", "channel = 0,", "channel"),
    "turn_too_short": ("turn_ms = 5.0", "turn_ms = 3.0", "turn"),
    "coil_keeps": ('undriven = { process_dead = "off", cpu_hung = "off"', 'undriven = { process_dead = "off", cpu_hung = "keeps"', "hung"),
    "unknown_key_in_board": ("turn_ms = 5.0", "turn = 5.0", "turn"),
    "meter_without_line": (', serial = { port = "sim:meter1", baud = 9600 } }', " }", "serial"),
}


@pytest.mark.parametrize("name", BOARD)
def test_board_file_refused(name: str, tmp_path: Path) -> None:
    old, new, word = BOARD[name]
    source = (hal_board.packaged_config() / "boards" / "sim.toml").read_text()
    assert old in source
    (tmp_path / "bad.toml").write_text(source.replace(old, new, 1))
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD.replace('name = "sim"', f'name = "{tmp_path}/bad.toml"'))
    found = check.judge(file).errors
    assert any(word in problem.text or word in problem.key for problem in found), "\n".join(map(str, found)) or "no mistake found"
    assert all(problem.file == f"{tmp_path}/bad.toml" and problem.line for problem in found), "\n".join(map(str, found))


def test_good_file_is_good(tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD)
    assert check.judge(file).errors == []


def test_owner_may_accept_software_only(tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD.replace('name = "sim"', 'name = "sim"\naccept_software_only = true\n[board.sim]\nrelay_supply = "none"'))
    assert check.judge(file).errors == []


def test_the_command_itself(tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD.replace("lease_s = 15", "lease_s = 1\nleese = 2"))
    done = subprocess.run([sys.executable, "-m", "chargepoint", "check", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{file}:14: control.lease_s" in done.stderr
    assert f"{file}:15: control.leese" in done.stderr
    file.write_text(GOOD)
    done = subprocess.run([sys.executable, "-m", "chargepoint", "check", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"{file}: ok")


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in str(check.judge(tmp_path / "nothing.toml").errors[0])


def test_factory_values(tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    tables = """
[ocpp16.configuration]
"HeartbeatIntervall" = 300
"ConnectionTimeOut" = 30
[ocpp2.variables]
"AuthCtrlr.NoSuchThing" = 1
"TxCtrlr.EVConnectionTimeOut" = "60"
"""
    file.write_text(GOOD + tables)
    verdict = check.judge(file)
    assert verdict.errors == []
    assert [(warning.key, warning.line) for warning in verdict.warnings] == [
        ("ocpp16.configuration.HeartbeatIntervall", 21),
        ('ocpp2.variables."AuthCtrlr.NoSuchThing"', 24),
        ('ocpp2.variables."TxCtrlr.EVConnectionTimeOut"', 25),
    ]
    file.write_text(GOOD + '[ocpp2.variables]\n"TxCtrlr.EVConnectionTimeOut" = "soon"\n')
    (error,) = check.judge(file).errors
    assert (error.line, error.key) == (20, 'ocpp2.variables."TxCtrlr.EVConnectionTimeOut"')


def test_factory_values_of_a_meter_that_signs(tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD + '[ocpp2.variables]\n"SampledDataCtrlr.SignReadings" = true\n[ocpp16.configuration]\nAlignedDataSignReadings = true\n')
    assert check.judge(file) == check.Verdict([], [])


@pytest.mark.parametrize(("key", "value"), [("LightIntensity", "101"), ("AuthorizationKey", '"too short"'), ("MeterValuesSampledData", '"Coffee"')])
def test_factory_values_of_keys_that_do_not_fit(tmp_path: Path, key: str, value: str) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD + f"[ocpp16.configuration]\n{key} = {value}\n")
    (error,) = check.judge(file).errors
    assert (error.line, error.key) == (20, f"ocpp16.configuration.{key}")


def test_edited_after_the_csms_changed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    file = tmp_path / "chargepoint.toml"
    file.write_text(GOOD + '[ocpp2.variables]\n"TxCtrlr.EVConnectionTimeOut" = 60\n')
    db = Db(tmp_path / "station.db")
    assert factory.model_of(load(file), Variables(db)).set("TxCtrlr.EVConnectionTimeOut", "90") == "Accepted"
    db.close()
    assert check.judge(file).warnings == []
    file.write_text(GOOD + '[ocpp2.variables]\n"TxCtrlr.EVConnectionTimeOut" = 70\n')
    (warning,) = check.judge(file).warnings
    assert "'60' to '70'" in warning.text and "'90'" in warning.text
    assert settings_command.adopt(file, "TxCtrlr.EVConnectionTimeOut") == 0
    assert check.judge(file).warnings == []
    assert settings_command.adopt(file, "TxCtrlr.NoSuchThing") == 1
