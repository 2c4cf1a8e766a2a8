"""The vehicles the settings name: their files, read and judged. Must not know what is done with a vehicle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chargepoint.model.vehicle import LONGEST_S, Vehicle
from chargepoint.settings import Settings
from chargepoint.settings_file import SettingsError, convert, read
from hal.files import find

FOLDER = "vehicles"


def named(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every vehicle the settings name, with its key."""
    for number, evse in enumerate(settings.evse):
        if evse.vehicle:
            yield ("evse", number, "vehicle"), evse.vehicle
    for token, name in settings.vehicles.tokens.items():
        yield ("vehicles", "tokens", token), name


def vehicle(name: str, config_dir: Path | None) -> Vehicle:
    """A vehicle by its file's name. Raises BoardError when there is none, SettingsError when it is malformed."""
    document = read(find(name, FOLDER, config_dir))
    made = convert(document, Vehicle)
    problems = [
        document.problem(("wake", "steps", number), f"{rung.do} for {rung.seconds:g} s is too long: {LONGEST_S[rung.do]:g} s at most")
        for number, rung in enumerate(made.wake.steps)
        if rung.seconds > LONGEST_S[rung.do]
    ]
    if problems:
        raise SettingsError(problems)
    return made


def vehicles(settings: Settings, config_dir: Path | None) -> dict[str, Vehicle]:
    """All of them, by their names in the settings. Raises BoardError or SettingsError."""
    return {name: vehicle(name, config_dir) for _, name in named(settings)}
