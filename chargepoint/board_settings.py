"""The board as the settings say it is: the board file, the owner's word, and the simulated board's figures.

Must not know drivers. Both processes and `chargepoint check` get their board here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from chargepoint.settings import BoardSim, Settings
from chargepoint.settings_file import Document, convert, read
from hal import board as hal_board
from hal import spec


def effective(settings: Settings, board: spec.Board) -> spec.Board:
    """The board as the settings say it is: the owner's word, and the simulated board's figures."""
    changes: dict[str, object] = {"accept_software_only": board.accept_software_only or settings.board.accept_software_only}
    if board.backend:
        sim = settings.board.sim
        changes["rtc"] = sim.rtc
        changes["feed"] = msgspec.structs.replace(board.feed, hold_ms=sim.fed_hold_ms) if board.feed and sim.relay_supply == "fed" else None
        changes["evse"] = tuple(_simulated(evse, sim) for evse in board.evse)
    return msgspec.structs.replace(board, **changes)


def _simulated(evse: spec.Evse, sim: BoardSim) -> spec.Evse:
    return msgspec.structs.replace(
        evse,
        residual=msgspec.structs.replace(evse.residual, cuts_coil=sim.rcd_cuts_coil),
        contactor=evse.contactor if sim.shunt_trip else msgspec.structs.replace(evse.contactor, shunt_trip=None),
        contactor_l23=evse.contactor_l23 if sim.phase_switching else None,
        meter=msgspec.structs.replace(evse.meter, map=sim.meter_map) if evse.meter and sim.meter_map else evse.meter,
        button=evse.button if sim.start_button else None,
        bay=evse.bay if sim.bay_sensor else None,
    )


def board_of(settings: Settings, config_dir: Path) -> tuple[Document, spec.Board]:
    """The board file the settings name, as the settings say it is. Raises BoardError when it is missing,
    SettingsError when it is malformed."""
    document = read(hal_board.find_board(settings.board.name, config_dir))
    return document, effective(settings, convert(document, spec.Board))
