"""The button a driver starts and stops with: one edge for each press. Must not know what a press means.

A button that is held down when control starts has not been pressed.
"""

from __future__ import annotations

from chargepoint.control.voice import Voice
from chargepoint.link.messages import EdgeKind
from hal.ports import Switch

STEADY_S = 0.03
"""A contact may bounce for so long."""


class Button:
    """One EVSE's button."""

    __slots__ = ("_changed_at", "_down", "_switch", "_voice")

    def __init__(self, switch: Switch, voice: Voice) -> None:
        self._switch = switch
        self._voice = voice
        self._down = True
        self._changed_at: float | None = None

    def read(self, now: float) -> None:
        """Looks at the line, each turn. now: boot clock's time. Raises DeviceLost."""
        if self._switch.active() is self._down:
            self._changed_at = None
        elif self._changed_at is None:
            self._changed_at = now
        elif now - self._changed_at >= STEADY_S:
            self._down, self._changed_at = not self._down, None
            if self._down:
                self._voice.edge(now, EdgeKind.BUTTON_PRESSED)
