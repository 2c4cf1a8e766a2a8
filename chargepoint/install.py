"""`chargepoint install`: the systemd units for this board, users, directories and the settings, below a root. Must not know what the units run.

Templates stand in systemd/; what a unit may reach comes from the board file.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from chargepoint.board_settings import board_of
from chargepoint.settings_file import SettingsError, load
from hal import spec
from hal.errors import BoardError
from hal.files import packaged_config
from hal.gpio_chip import gpio_chip

SETTINGS = Path("/etc/chargepoint/chargepoint.toml")
PLACES = {
    "chargepoint.target": "etc/systemd/system/chargepoint.target",
    "chargepoint-control.service": "etc/systemd/system/chargepoint-control.service",
    "chargepoint-station.service": "etc/systemd/system/chargepoint-station.service",
    "chargepoint-reboot.path": "etc/systemd/system/chargepoint-reboot.path",
    "chargepoint-privileged@.service": "etc/systemd/system/chargepoint-privileged@.service",
    "chargepoint.sysusers": "etc/sysusers.d/chargepoint.conf",
    "chargepoint.tmpfiles": "etc/tmpfiles.d/chargepoint.conf",
}
NEXT = """next, as root:
  systemd-sysusers && systemd-tmpfiles --create
  systemctl daemon-reload && systemctl enable --now chargepoint.target
"""
SERIAL_CLASSES = {"ttyAMA": "char-ttyAMA", "serial0": "char-ttyAMA", "ttyS": "char-ttyS", "ttyACM": "char-ttyACM"}
"""Which device class a port's name means; any other serial port is a USB adapter."""


def main(root: Path, config: Path | None) -> int:
    """Installs below root. config: the settings to install, the shipped ones by default; settings that are there already stay.
    Returns 0, or 1 when settings or board cannot be used."""
    target = root / SETTINGS.relative_to("/")
    source = target if target.exists() and config is None else config or packaged_config() / "chargepoint.toml"
    try:
        _, board = board_of(load(source), source.parent)
    except (SettingsError, BoardError) as error:
        print(error, file=sys.stderr)
        return 1
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o640)
    for template, place in PLACES.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered((templates() / template).read_text("utf-8"), board), "utf-8")
        print(path)
    print(target)
    print(NEXT, end="")
    return 0


def templates() -> Path:
    """Where the templates are: inside an installed package, else the repository's systemd/."""
    package = Path(__file__).resolve().parent
    inside = package / "systemd"
    return inside if inside.is_dir() else package.parent / "systemd"


def rendered(template: str, board: spec.Board) -> str:
    """A template with this machine's paths and this board's devices."""
    values = {
        "CHARGEPOINT": str(Path(sys.executable).with_name("chargepoint")),
        "CONFIG": str(SETTINGS),
        "GROUPS": "" if board.backend else "gpio i2c",
        "DEVICES": _allowed(control_devices(board)),
        "SERIAL": _allowed(serial_devices(board)),
    }
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def control_devices(board: spec.Board) -> list[str]:
    """The device files control opens: the GPIO chip, and each I2C bus the board names. PWM is in sysfs."""
    if board.backend:
        return []
    buses = {evse.adc.bus for evse in board.evse} | {evse.thermometer.bus for evse in board.evse if evse.thermometer}
    return [f"/dev/gpiochip{gpio_chip()}", *(f"/dev/i2c-{bus}" for bus in sorted(buses))]


def serial_devices(board: spec.Board) -> list[str]:
    """The classes of serial ports the station opens: an adapter that comes back may have another number."""
    lines = [evse.meter.serial for evse in board.evse if evse.meter and evse.meter.serial] + [reader.serial for reader in board.reader]
    classes = {next((kind for name, kind in SERIAL_CLASSES.items() if name in line.port), "char-ttyUSB") for line in lines}
    return sorted(classes) if not board.backend else []


def _allowed(devices: list[str]) -> str:
    return "\n".join(f"DeviceAllow={device} rw" for device in devices)
