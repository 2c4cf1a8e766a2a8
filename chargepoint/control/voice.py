"""The plug-in's number, and edges told under it. Must not know where they go.

The number is given out each time the pilot leaves A for B, C or D, from a random start, so that no permit of an earlier start fits.
"""

from __future__ import annotations

import os
from typing import Protocol

from chargepoint.link.messages import EdgeKind, ToStation


class Teller(Protocol):
    """Where edges and states go."""

    def edge(self, at: float, evse: int, kind: EdgeKind, plug_in: int, value: str = "") -> object: ...

    def tell(self, state: ToStation) -> None: ...


class Voice:
    """One EVSE's edges. plugged: a car is there; since: boot time of the last plug-in; spoke: an edge was told, and the state that goes with it not
    yet. A car that was told and then out of sight is still told to be gone when it is."""

    __slots__ = ("_evse", "_teller", "_told", "number", "plugged", "since", "spoke")

    def __init__(self, evse: int, teller: Teller) -> None:
        self._evse = evse
        self._teller = teller
        self.number = int.from_bytes(os.urandom(4), "big") >> 2
        self.plugged = self._told = self.spoke = False
        self.since = 0.0

    def edge(self, at: float, kind: EdgeKind, value: str = "") -> None:
        """Tells an edge of the present, or last, plug-in."""
        self.spoke = True
        self._teller.edge(at, self._evse, kind, self.number, value)

    def plug_in(self, at: float) -> None:
        """The pilot left A: a new number."""
        self.number += 1
        self.plugged, self._told, self.since = True, True, at
        self.edge(at, EdgeKind.PLUGGED)

    def unplug(self, at: float) -> None:
        """The pilot is in A."""
        if self._told:
            self.edge(at, EdgeKind.UNPLUGGED)
        self._told = False
        self.forget()

    def forget(self) -> None:
        """What is plugged in is not known any more: the next plug-in is a new one."""
        self.plugged, self.since = False, 0.0
