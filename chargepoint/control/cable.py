"""The plug in the socket and what its cable is rated for, by the coding resistor. Must not know the lock or the offer."""

from __future__ import annotations

from chargepoint.control.electrics import cable_a, plug_present

EQUAL = 3
"""Equal readings in a row before a change is believed."""


class Cable:
    """present: a plug is in the socket; rating_a None: no plug, or none of the table's resistors."""

    __slots__ = ("_candidate", "_equal", "present", "rating_a")

    def __init__(self) -> None:
        self.present = False
        self.rating_a: float | None = None
        self._candidate: tuple[bool, float | None] = (False, None)
        self._equal = 0

    def read(self, ohms: float) -> None:
        """One reading, in ohms; inf: open."""
        reading = (plug_present(ohms), cable_a(ohms, self.rating_a))
        self._equal = self._equal + 1 if reading == self._candidate else 1
        self._candidate = reading
        if self._equal >= EQUAL:
            self.present, self.rating_a = reading
