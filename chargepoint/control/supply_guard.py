"""Worries about the supply: volts, phases, protective earth, and the meter that sees them. Must not know what follows."""

from __future__ import annotations

from chargepoint.control.watch import Watch

EARTH_TURNS = 2


def over_current(watch: Watch) -> bool:
    """A phase carries more than was offered."""
    return watch.over_current


def over_voltage(watch: Watch) -> bool:
    """A phase above its window."""
    return watch.over_voltage


def under_voltage(watch: Watch) -> bool:
    """A phase below its window."""
    return watch.under_voltage


def phase_loss(watch: Watch) -> bool:
    """A connected phase without voltage."""
    return watch.phase_loss


def meter_silent(watch: Watch) -> bool:
    """Nobody sees what the car draws: 6 A do no harm."""
    return watch.meter_silent


def meter_long_silent(watch: Watch) -> bool:
    """Nobody has seen for long what the car draws."""
    return watch.meter_long_silent


def protective_earth_lost(watch: Watch) -> bool:
    """The monitor of the protective earth says that it is missing, in two turns."""
    return watch.earth_lost_turns >= EARTH_TURNS


SUPPLY_GUARDS = (over_current, over_voltage, under_voltage, phase_loss, meter_silent, meter_long_silent, protective_earth_lost)
