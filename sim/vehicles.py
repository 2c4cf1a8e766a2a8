"""The files of cars: config/vehicles, and a folder `vehicles` beside the settings file, which goes first. Must not know what a car does."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.settings_file import Document, SettingsError, convert, read
from hal.errors import BoardError
from hal.files import find, packaged_config
from sim.ev import Ev, contradiction, ev_of, merged

FOLDER = "vehicles"
NEVER = "never"
"""How a file, which knows no null, writes None."""
NAME = re.compile(r"[\w-]+")


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file as the simulator reads it; what is done about the car is the firmware's affair."""

    name: str
    car: Ev = Ev()
    wake: dict[str, Any] = {}
    phase_switching: bool = False


def vehicle(name: str, config_dir: Path) -> dict[str, Any]:
    """The keys of a vehicle's `[car]`. Raises KeyError when there is no such vehicle, SettingsError when its file is wrong."""
    try:
        path = find(name if NAME.fullmatch(name) else "", FOLDER, config_dir)
    except BoardError:
        known = sorted(_files(config_dir))
        near = difflib.get_close_matches(name, known, 1)
        raise KeyError(f"there is no vehicle {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}")) from None
    keys: dict[str, Any] = judged(path).data.get("car", {})
    return keys


def ev_from(keys: dict[str, Any], config_dir: Path, base: Ev | None = None) -> Ev:
    """A car from its keys, over its profile's, over `base`. Raises KeyError, SettingsError or msgspec.ValidationError."""
    made: dict[str, Any] = msgspec.to_builtins(base) if base is not None else {}
    if keys.get("profile"):
        made = merged(made, vehicle(str(keys["profile"]), config_dir))
    return ev_of(merged(made, keys))


def judged(path: Path) -> Document:
    """A vehicle's file with None for "never". Raises SettingsError with the line of every mistake."""
    document = read(path)
    car = document.data.get("car")
    if isinstance(car, dict):
        document = document._replace(data={**document.data, "car": {key: None if value == NEVER else value for key, value in car.items()}})
    wrong = contradiction(convert(document, File).car)
    if wrong is not None:
        raise SettingsError([document.problem(("car", wrong[0]), wrong[1])])
    return document


def listed(config_dir: Path) -> list[dict[str, str]]:
    """The cars that can be plugged in by name: the file's name, the car's, and what the file's first line says of it. Raises SettingsError."""
    files = sorted(_files(config_dir).items())
    return [{"profile": name, "name": str(judged(path).data["name"]), "text": _said(path)} for name, path in files]


def _files(config_dir: Path) -> dict[str, Path]:
    return {path.stem: path for root in (packaged_config(), config_dir) for path in (root / FOLDER).glob("*.toml")}


def _said(path: Path) -> str:
    first = path.read_text("utf-8").split("\n", 1)[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""
