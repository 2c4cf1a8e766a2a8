"""The socket's lock: moved towards what is wanted, verified by its feedback, tries bounded. Must not know who wants it or why.

It moves only when the caller says that it may (contactor proven open).
"""

from __future__ import annotations

from hal import ports

TRIES = 3
STEADY_TURNS = 2


class SocketLock:
    """feedback: steady for two turns; None: cannot be told. move_s: the drive pulse; pause_s: between two tries."""

    __slots__ = ("_drive_at", "_driven", "_last", "_move_s", "_pause_s", "_port", "_steady", "_target", "feedback", "tries")

    def __init__(self, port: ports.Lock, move_s: float, pause_s: float) -> None:
        self._port = port
        self._move_s = move_s
        self._pause_s = pause_s
        self._target: bool | None = None
        self._driven = False
        self._drive_at = 0.0
        self._last: bool | None = None
        self._steady = 0
        self.feedback: bool | None = None
        self.tries = 0

    def read(self) -> bool | None:
        """Reads the feedback and ends a finished pulse, once a turn. Answers this turn's raw reading."""
        self._port.rest()
        reading = self._port.locked()
        self._steady = self._steady + 1 if reading is self._last else 1
        self._last = reading
        if self._steady >= STEADY_TURNS:
            self.feedback = reading
        return reading

    def move(self, now: float, target: bool, may_move: bool) -> None:
        """Wants it locked or open; drives it, if it may move, until the feedback says so or the tries are used up."""
        if target is not self._target:
            self._target, self.tries, self._driven = target, 0, False
        if self.feedback is target or not may_move or self.tries >= TRIES:
            return
        if not self._driven or now >= self._drive_at + self._move_s + self._pause_s:
            self._port.drive(target)
            self._driven, self._drive_at = True, now
            self.tries += 1

    def verified(self, now: float) -> bool:
        """Locked by its feedback, and standing still."""
        return self.feedback is True and self._last is True and not self.moving(now)

    def moving(self, now: float) -> bool:
        """Whether a drive pulse may still be running."""
        return self._driven and now < self._drive_at + self._move_s

    def failed(self, now: float) -> bool:
        """Whether it does not reach what is wanted, after all tries."""
        tried = self.tries >= TRIES and now >= self._drive_at + self._move_s + self._pause_s
        return tried and self.feedback is not self._target

    def again(self) -> None:
        """Allows the tries anew."""
        self.tries = 0
