"""Opens what the station process reads: energy meters and card readers. Must not know what they are read for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hal import meter_map, spec
from hal.backend import Backend
from hal.files import find
from hal.modbus_line import ModbusLine, place_of
from hal.modbus_meter import ModbusMeter
from hal.ports import Meter, Now, StationBoard, TokenReader
from hal.token_reader import SerialReader


def open_all(board: spec.Board, wired: Sequence[tuple[int, spec.Evse]], backend: Backend, now: Now, config_dir: Path | None) -> StationBoard:
    """Meters that share a line share its connection. Raises BoardError."""
    lines: dict[spec.Serial | spec.Tcp, ModbusLine] = {}
    meters: dict[int, Meter] = {}
    for number, evse in wired:
        if evse.meter is not None:
            table = meter_map.load(find(evse.meter.map, "meters", config_dir))
            place = place_of(evse.meter)
            line = lines.setdefault(place, ModbusLine(place, evse.meter.timeout_s, backend.resolve, now))
            meters[number] = ModbusMeter(line, table, evse.meter, f"EVSE {number} meter", now)
    buttons = tuple(number for number, evse in wired if evse.button is not None)
    bays = tuple(number for number, evse in wired if evse.bay is not None)
    return StationBoard(meters=meters, readers=tuple(_readers(board, wired, backend, now)), buttons=buttons, bays=bays)


def _readers(board: spec.Board, wired: Sequence[tuple[int, spec.Evse]], backend: Backend, now: Now) -> list[tuple[TokenReader, int | None]]:
    readers: list[tuple[TokenReader, int | None]] = []
    for index, wiring in enumerate(board.reader, 1):
        if wiring.evse is None:
            readers.append((SerialReader(wiring, backend.resolve, f"reader {index}", now), None))
        elif wiring.evse <= len(wired):
            readers.append((SerialReader(wiring, backend.resolve, f"reader {index}", now), wired[wiring.evse - 1][0]))
    return readers
