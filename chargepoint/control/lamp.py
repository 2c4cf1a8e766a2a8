"""What the lamp shows: control's faults before what the station wishes. Must not know what a pattern looks like."""

from __future__ import annotations

from chargepoint.control import faults
from chargepoint.control.faults import Faults
from hal.ports import Lamp as LampPort
from hal.ports import LampPattern


class Lamp:
    """The lamp of one EVSE, where there is one."""

    __slots__ = ("_active", "_port", "_wished")

    def __init__(self, port: LampPort | None, active: Faults) -> None:
        self._port = port
        self._active = active
        self._wished = LampPattern.READY

    def wish(self, pattern: str) -> None:
        """What the station wishes; an unknown pattern is left out."""
        self._wished = next((known for known in LampPattern if known == pattern), self._wished)

    def show(self) -> None:
        """Now and then."""
        if self._port is not None:
            self._port.show(LampPattern.FAULT if self._active.active & (faults.OPENS | faults.BARS) else self._wished)
