"""The socket's lock: a motor with two wires, a bolt, and a feedback switch at the bolt. Must not know why it moves."""

from __future__ import annotations

from collections.abc import Callable

from sim.plant.timeline import Due, Timeline

TRAVEL_S = 0.2
LOCKED_FROM = 0.9
RELEASE_AFTER_POWER_LOSS_S = 0.5
"""A capacitor drives the bolt back half a second after the power went, long after the contactor has opened."""


class Lock:
    """position: 0 open, 1 locked. `on_change` is called when the bolt begins to move, and at each change of "locked"."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._position = 0.0
        self._since = 0.0
        self._speed = 0.0
        self._drive = 0
        self._ends: Due | None = None
        self._crossing: Due | None = None
        self.jammed = False
        self.stuck_locked = False
        self.feedback_lost = False
        self.on_move: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None

    @property
    def moving(self) -> bool:
        return self._speed != 0.0

    def position(self) -> float:
        moved = self._position + self._speed * (self._timeline.now - self._since)
        return max(0.0, min(1.0, moved))

    def locked(self) -> bool:
        """Whether the bolt holds the plug."""
        return self.position() >= LOCKED_FROM - 1e-9

    def feedback(self) -> bool:
        """The feedback switch: a broken wire reads as open."""
        return self.locked() and not self.feedback_lost

    def word(self) -> str:
        return "locked" if self.locked() else "moving" if self.moving else "unlocked"

    def drive(self, lock: bool, unlock: bool) -> None:
        """The motor's two wires; both or none: it stands."""
        direction = int(lock) - int(unlock)
        if direction != self._drive:
            self._drive = direction
            self._go(direction)

    def release(self) -> None:
        """The emergency release's capacitor drives the bolt open, whatever the wires say."""
        self._go(-1)

    def hold(self) -> None:
        """A fault came or went: the bolt stops, or goes on as it is driven."""
        self._go(self._drive)

    def _go(self, direction: int) -> None:
        self._position, self._since = self.position(), self._timeline.now
        for due in (self._ends, self._crossing):
            if due is not None:
                due.cancel()
        held = self.jammed or (self.stuck_locked and direction < 0)
        left = 0.0 if held else (1.0 - self._position if direction > 0 else self._position)
        self._speed = 0.0
        if direction == 0 or left <= 0.0:
            return
        self._speed = direction / TRAVEL_S
        self._ends = self._timeline.after(left * TRAVEL_S, self._stop)
        to_crossing = (LOCKED_FROM - self._position) * direction
        if to_crossing > 0.0:
            self._crossing = self._timeline.after(to_crossing * TRAVEL_S + 1e-6, lambda: self.on_change())
        self.on_move()

    def _stop(self) -> None:
        self._position, self._since, self._speed = round(self.position()), self._timeline.now, 0.0
        self.on_change()
