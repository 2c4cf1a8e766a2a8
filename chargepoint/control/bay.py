"""The sensor of an EVSE's parking bay: whether it sees a car. Nothing safe rests on it, so that a lost sensor is only not known.

Must not know what a car in the bay means.
"""

from __future__ import annotations

from hal.errors import DeviceLost
from hal.ports import Switch

STEADY_S = 1.0
"""Who walks through the bay is no car."""


class Bay:
    """occupied: what the sensor has shown for a while; None: nothing yet, there is no sensor, or it does not answer."""

    __slots__ = ("_seen", "_since", "_switch", "occupied")

    def __init__(self, switch: Switch | None) -> None:
        self._switch = switch
        self._seen: bool | None = None
        self._since = 0.0
        self.occupied: bool | None = None

    def read(self, now: float) -> None:
        """Looks at the line, every now and then. now: boot clock's time."""
        if self._switch is None:
            return
        try:
            seen = self._switch.active()
        except DeviceLost:
            self._seen = self.occupied = None
            return
        if seen is not self._seen:
            self._seen, self._since = seen, now
        elif now - self._since >= STEADY_S:
            self.occupied = seen
