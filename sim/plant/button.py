"""The button of an EVSE: a finger that stays on it for a while. Must not know what it starts."""

from __future__ import annotations

from sim.plant.timeline import Timeline

PRESS_S = 0.2


class Button:
    """A contact without bounce."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._until = -1.0

    def press(self) -> bool:
        """Puts the finger on it; False: it is there already."""
        if self.pressed():
            return False
        self._until = self._timeline.now + PRESS_S
        return True

    def pressed(self) -> bool:
        return self._timeline.now < self._until
