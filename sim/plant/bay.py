"""The parking bay of an EVSE and its sensor: what people drive into it, not what is plugged in. Must not know what follows from it."""

from __future__ import annotations


class Bay:
    """occupied: a car, or anything like it, stands there."""

    def __init__(self) -> None:
        self.occupied = False

    def stands(self, occupied: bool) -> bool:
        """Something drives in, or out. False: it is so already."""
        changed = occupied != self.occupied
        self.occupied = occupied
        return changed

    def sees(self) -> bool:
        """What the sensor's line says."""
        return self.occupied
