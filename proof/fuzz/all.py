"""Every parser there is."""

from __future__ import annotations

from proof.fuzz import files, rows, station, wires
from proof.fuzz.target import Target

TARGETS: tuple[Target, ...] = (*files.TARGETS, *wires.TARGETS, *station.TARGETS, *rows.TARGETS)
