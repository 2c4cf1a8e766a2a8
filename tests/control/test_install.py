"""`chargepoint install`: what is put where, and what the units may reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint import install
from chargepoint.install import PLACES, SETTINGS, control_devices, main, rendered, serial_devices, templates
from hal.board import load

PI = "raspberry_pi_ads1115"


def unit(root: Path, name: str) -> str:
    return (root / PLACES[name]).read_text()


def test_everything_is_put_in_its_place(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(f'[board]\nname = "{PI}"\naccept_software_only = true\n')
    root = tmp_path / "root"
    assert main(root, config) == 0
    assert all((root / place).is_file() for place in PLACES.values())
    installed = root / SETTINGS.relative_to("/")
    assert installed.read_text() == config.read_text()
    assert "@" not in unit(root, "chargepoint-control.service").replace("@system-service", "").replace("@resources", "")


def test_settings_with_a_password_are_not_for_everybody(tmp_path: Path) -> None:
    main(tmp_path, None)
    assert (tmp_path / "etc/chargepoint/chargepoint.toml").stat().st_mode & 0o777 == 0o640
    assert "0640 root chargepoint" in (tmp_path / "etc/tmpfiles.d/chargepoint.conf").read_text("utf-8"), "the services' group may read them"


def test_settings_that_are_there_stay(tmp_path: Path) -> None:
    installed = tmp_path / SETTINGS.relative_to("/")
    installed.parent.mkdir(parents=True)
    installed.write_text("[station]\nvendor = 'Mine'\n")
    assert main(tmp_path, None) == 0
    assert "Mine" in installed.read_text()


def test_bad_settings_install_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[board]\nname = 'no such board'\n")
    assert main(tmp_path / "root", config) == 1
    assert "no such board" in capsys.readouterr().err
    assert not (tmp_path / "root").exists()


def test_control_reaches_the_devices_of_its_board_and_no_network() -> None:
    board = load(PI)
    text = rendered((templates() / "chargepoint-control.service").read_text(), board)
    buses = {evse.adc.bus for evse in board.evse}
    assert all(f"DeviceAllow=/dev/i2c-{bus} rw" in text for bus in buses)
    assert "DeviceAllow=/dev/gpiochip" in text
    assert "char-tty" not in text
    for line in ("PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "WatchdogSignal=SIGKILL", "LimitCORE=0", "ProtectKernelTunables=no"):
        assert line in text.splitlines()
    assert "ExecStopPost=" in text and "safe-outputs" in text


def test_the_station_reaches_serial_ports_only() -> None:
    board = load(PI)
    text = rendered((templates() / "chargepoint-station.service").read_text(), board)
    assert "gpiochip" not in text and "i2c" not in text
    assert all(device.startswith("char-tty") for device in serial_devices(board))
    assert serial_devices(board) == [] or "DeviceAllow=char-tty" in text


def test_the_simulated_board_has_no_devices() -> None:
    board = load("sim")
    assert control_devices(board) == serial_devices(board) == []


def test_templates_are_found_in_the_repository_too() -> None:
    assert set(PLACES) <= {path.name for path in install.templates().iterdir()}
