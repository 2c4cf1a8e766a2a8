"""The parsers of files: settings, boards, meters, vehicles, scenarios, and control's own. Must not know how they are driven."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from chargepoint.board_settings import board_of
from chargepoint.check import judge
from chargepoint.control.memory import NAME, Memory
from chargepoint.settings import Board, Settings
from chargepoint.settings_file import SettingsError, load
from chargepoint.vehicle_files import vehicle
from hal import board as hal_board
from hal import meter_map, safe_outputs
from hal.errors import BoardError
from hal.files import packaged_config
from proof.fuzz.inputs import as_json, changed_lines, maimed, other_values
from proof.fuzz.target import Target
from proof.soak.charger import directories
from sim import script
from sim import vehicles as sim_vehicles

CONFIG = packaged_config()
SCENARIOS = Path(script.__file__).parent / "scenarios"


def texts(pattern: str, root: Path = CONFIG) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(root.glob(pattern))]


def written(name: str, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    """The parser of a file of this name, for bytes."""

    def act(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
            path = Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return parse(path)

    return act


def _check(path: Path) -> object:
    """As a command does, where no station runs and none has run."""
    with directories(path.parent / "state", path.parent / "run"):
        return judge(path)


def _board(path: Path) -> object:
    """The file as both processes and `check` read it, and what is said of it."""
    _, board = board_of(Settings(board=Board(name=str(path))), path.parent)
    hal_board.load(str(path))
    return hal_board.problems(board), hal_board.weaknesses(board)


def _map(path: Path) -> object:
    """A map that is taken must be able to decode whatever its meter answers."""
    table = meter_map.load(path)
    meter_map.slow_blocks(table)
    for filler in (0, 1, 0x7FFF, 0xFFFF):
        registers = {address + i: filler for block in table.block for address in (block.start,) for i in range(block.count)}
        for _, value in meter_map.values(table):
            for number in meter_map.decoded(table, value, registers):
                assert number is None or abs(number) < float("inf"), f"{value} is {number}"
    return table


def _memory(path: Path) -> object:
    """Unreadable means latched, never no start."""
    memory = Memory(path.parent)
    assert memory.readable or memory.kept(1).latched
    return memory.all_kept()


KEPT = (
    {"evses": {"1": {"latched": ["diode"], "test": {"passed": True, "at": 1.5}, "closings": 3, "openings_under_load": 1, "remote_rest_s": 5.0}}},
    {"evses": {}},
)

TARGETS = (
    Target("settings", "chargepoint.toml", written("chargepoint.toml", load), (SettingsError,), changed_lines(texts("*.toml"))),
    Target(
        "check",
        "chargepoint.toml, by `chargepoint check`",
        written("chargepoint.toml", _check),
        (SettingsError, BoardError),
        changed_lines(texts("*.toml")),
    ),
    Target("board", "config/boards", written("board.toml", _board), (SettingsError, BoardError), changed_lines(texts("boards/*.toml"))),
    Target(
        "safe_outputs",
        "config/boards, after control has died",
        written("board.toml", lambda path: safe_outputs.read_board(str(path))),
        (OSError, ValueError, RecursionError, BoardError),
        changed_lines(texts("boards/*.toml")),
    ),
    Target("meter_map", "config/meters", written("meter.toml", _map), (BoardError,), changed_lines(texts("meters/*.toml"))),
    Target(
        "vehicle",
        "config/vehicles",
        written("vehicles/car.toml", lambda path: vehicle("car", path.parent.parent)),
        (SettingsError, BoardError),
        changed_lines(texts("vehicles/*.toml")),
    ),
    Target(
        "own_vehicle", "the simulator's cars", written("car.toml", sim_vehicles.judged), (SettingsError,), changed_lines(texts("vehicles/*.toml"))
    ),
    Target("scenario", "sim/scenarios", written("a.scenario", script.read), (script.ScriptError,), changed_lines(texts("*.scenario", SCENARIOS))),
    Target("control_json", "control's own file", written(NAME, _memory), (), other_values(KEPT, as_json) | maimed([as_json(kept) for kept in KEPT])),
)
