"""Board files and the drivers they name: the only place that picks a driver. There is no silent fallback.

Must not know settings, states or who uses the drivers. What control opens loads no network library, what the station opens no GPIO.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from hal import spec
from hal.board_rules import problems, strict_gpiod_missing, weaknesses
from hal.errors import BoardError
from hal.files import find, packaged_config
from hal.ports import ControlBoard, Now, StationBoard

if TYPE_CHECKING:
    from hal.backend import Backend

__all__ = ["backend_of", "find_board", "load", "open_control", "open_station", "packaged_config", "problems", "strict_gpiod_missing", "weaknesses"]


def find_board(path_or_name: str, config_dir: Path | None) -> Path:
    """The board file: a path ending in .toml, or a name in config_dir/boards or the packaged config/boards. Raises BoardError."""
    return find(path_or_name, "boards", config_dir)


def load(path_or_name: str, config_dir: Path | None = None) -> spec.Board:
    """Reads a board file. Raises BoardError."""
    path = find_board(path_or_name, config_dir)
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), spec.Board)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BoardError(f"{path}: {error}") from error


def open_control(board: spec.Board, evse_ids: Sequence[int], now: Now) -> ControlBoard:
    """What control drives; evse_ids[i] is wired as board.evse[i]. Every coil is off before any pilot is at X1. Raises BoardError."""
    from hal.control_side import open_all

    return open_all(board, _wired(board, evse_ids), backend_of(board), now)


def open_station(board: spec.Board, evse_ids: Sequence[int], now: Now, config_dir: Path | None = None) -> StationBoard:
    """Meters and readers; they connect when they are first used. Raises BoardError (an unknown register map)."""
    from hal.station_side import open_all

    return open_all(board, _wired(board, evse_ids), backend_of(board), now, config_dir)


def backend_of(board: spec.Board) -> Backend:
    """The module that stands where the hardware stands. Raises BoardError."""
    if (board.pin_factory == "rig") != (board.backend is not None):
        raise BoardError(f"board {board.name}: pin_factory {board.pin_factory!r} does not go with backend {board.backend!r}")
    name = board.backend or "hal.hardware"
    try:
        return cast("Backend", importlib.import_module(name))
    except ImportError as error:
        raise BoardError(f"board {board.name}: backend {name} cannot be loaded: {error}") from error


def _wired(board: spec.Board, evse_ids: Sequence[int]) -> list[tuple[int, spec.Evse]]:
    if len(evse_ids) > len(board.evse):
        raise BoardError(f"board {board.name} wires {len(board.evse)} EVSEs, {len(evse_ids)} are configured")
    return list(zip(evse_ids, board.evse, strict=False))
