"""Every parser there is."""

from __future__ import annotations

from proof.fuzz import files, station, wires
from proof.fuzz.target import Target

TARGETS: tuple[Target, ...] = (*files.TARGETS, *wires.TARGETS, *station.TARGETS)
