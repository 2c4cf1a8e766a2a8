"""Rows of the report about the board as a whole: emergency stop, and whether the watchdogs are set up. Must not know EVSEs or the print."""

from __future__ import annotations

from pathlib import Path

from chargepoint.control.selftest_report import Finding, Value, failed, judged, skipped
from hal.errors import DeviceLost
from hal.ports import Switch

SYSTEMD = "run/systemd/system"
UNIT = "etc/systemd/system/chargepoint-control.service"
WATCHDOG = "sys/class/watchdog/watchdog0"
LONGEST_S = 60.0
SIMULATED = "a simulated board"


def emergency_stop(switch: Switch | None) -> Finding:
    """The input: a pressed button, or a broken wire of its loop."""
    if switch is None:
        return skipped("the board has no emergency stop")
    try:
        pressed = switch.active()
    except DeviceLost as error:
        return failed(str(error))
    if pressed:
        return failed("pressed, or a wire of its loop is broken", Value("emergency stop", "pressed"))
    return judged(Value("emergency stop", "released"))


def service(root: Path, simulated: bool) -> Finding:
    """Whether systemd waits for control's signs of life (sd_notify) and makes the outputs safe after its death."""
    if why := _not_here(root, simulated):
        return skipped(why)
    unit = _text(root / UNIT)
    if not unit:
        return failed(f"there is no /{UNIT}")
    lines = dict(line.partition("=")[::2] for line in unit.splitlines() if "=" in line)
    missing = [key for key in ("WatchdogSec", "ExecStopPost") if not lines.get(key)] + ["Type=notify"] * (lines.get("Type") != "notify")
    if missing:
        return failed(f"/{UNIT} lacks {', '.join(missing)}")
    return judged(Value("WatchdogSec", lines["WatchdogSec"]), Value("after a death", "outputs safe"))


def hardware(root: Path, simulated: bool) -> Finding:
    """Whether the machine's own watchdog runs, which is systemd's to answer."""
    if why := _not_here(root, simulated):
        return skipped(why)
    if not (root / WATCHDOG).exists():
        return failed("the machine shows no hardware watchdog (/dev/watchdog0)")
    state, seconds = _text(root / WATCHDOG / "state"), _text(root / WATCHDOG / "timeout")
    if state != "active":
        return failed("nobody answers the hardware watchdog: it is not running", Value("state", state or "unknown"))
    return judged(Value("state", state), Value("timeout", float(seconds) if seconds.isdigit() else None, "s", None, LONGEST_S))


def _not_here(root: Path, simulated: bool) -> str:
    if simulated:
        return SIMULATED
    return "" if (root / SYSTEMD).exists() else "systemd does not run this machine"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
