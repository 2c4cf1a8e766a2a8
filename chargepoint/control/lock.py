"""The socket's lock: moved towards what is wanted, verified by its feedback, tries bounded. Must not know who wants it or why.

It moves only when the caller says that it may (contactor proven open).
"""

from __future__ import annotations

from chargepoint.control.figures import Figures
from chargepoint.control.watch import Watch
from hal import ports

TRIES = 3
STEADY_TURNS = 2


class SocketLock:
    """feedback: steady for two turns; None: cannot be told. Keeps the watch's lock worries true."""

    __slots__ = ("_drive_at", "_driven", "_figures", "_last", "_port", "_steady", "_target", "_watch", "feedback", "tries")

    def __init__(self, port: ports.Lock, figures: Figures, watch: Watch) -> None:
        self._port = port
        self._figures = figures
        self._watch = watch
        self._target: bool | None = None
        self._driven = False
        self._drive_at = 0.0
        self._last: bool | None = None
        self._steady = 0
        self.feedback: bool | None = None
        self.tries = 0

    def read(self) -> None:
        """Reads the feedback and ends a finished pulse, once a turn."""
        self._port.rest()
        reading = self._port.locked()
        self._steady = self._steady + 1 if reading is self._last else 1
        self._last = reading
        if self._steady >= STEADY_TURNS:
            self.feedback = reading
        watch = self._watch
        watch.lock_lost_turns = watch.lock_lost_turns + 1 if watch.coil and reading is not True else 0

    def move(self, now: float, target: bool, may_move: bool) -> None:
        """Wants it locked or open; drives it, if it may move, until the feedback says so or the tries are used up."""
        if target is not self._target:
            self._target, self.tries, self._driven = target, 0, False
        if self.feedback is not target and may_move and self.tries < TRIES and not self._busy(now):
            self._port.drive(target)
            self._driven, self._drive_at = True, now
            self.tries += 1
        failed = self.tries >= TRIES and not self._busy(now) and self.feedback is not target
        self._watch.lock_failed = failed and target
        self._watch.unlock_failed = failed and not target

    def verified(self, now: float) -> bool:
        """Locked by its feedback, and standing still."""
        return self.feedback is True and self._last is True and self._standing(now)

    def opened(self, now: float) -> bool:
        """Open by its feedback, and the bolt's way is over: the feedback leaves "locked" at its beginning."""
        return self.feedback is False and self._standing(now)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is to be moved now."""
        return self._target is None or self.feedback is self._target or self.tries >= TRIES

    def again(self) -> None:
        """Allows the tries anew."""
        self.tries = 0

    def _standing(self, now: float) -> bool:
        return now >= self._drive_at + self._figures.lock_move_s

    def _busy(self, now: float) -> bool:
        return self._driven and now < self._drive_at + self._figures.lock_move_s + self._figures.lock_pause_s
