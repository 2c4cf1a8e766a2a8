"""The residual-current monitor: its trip line, and its test (IEC 62955) one step a turn. Must not know the fault's effect.

A trip counts when two reads 1 ms apart agree. A test runs only with the contactor proven open and the pilot at X1.
"""

from __future__ import annotations

from chargepoint.clock import Clock
from chargepoint.control.figures import Figures
from chargepoint.control.watch import Watch
from hal.ports import ResidualCurrent

AGAIN_S = 0.001
EVERY_S = 24 * 3600.0


class Residual:
    """due_at: when the next test is to run; supplied: the contactor was closed in this plug-in. Keeps the watch's tripped, testing and
    test_failed true."""

    __slots__ = ("_clock", "_figures", "_off_at", "_port", "_seen", "_started_at", "_watch", "due_at", "supplied")

    def __init__(self, port: ResidualCurrent, figures: Figures, watch: Watch, clock: Clock) -> None:
        self._port = port
        self._figures = figures
        self._watch = watch
        self._clock = clock
        self._started_at = 0.0
        self._off_at: float | None = None
        self._seen = False
        self.due_at = watch.now
        self.supplied = False

    def read(self) -> None:
        """Reads the trip line."""
        tripped = self._port.tripped()
        if tripped and not self._watch.tripped:
            self._clock.sleep_until(self._clock.boot_s() + AGAIN_S)
            tripped = self._port.tripped()
        self._watch.tripped = tripped

    def unplugged(self, now: float) -> None:
        """A session that closed the contactor is followed by a test."""
        if self.supplied:
            self.supplied = False
            self.due_at = now

    def due(self, now: float) -> bool:
        """Whether a test is to run, or runs."""
        return now >= self.due_at or self._watch.testing

    def begin(self, now: float, proven_open: bool) -> bool:
        """Starts a test if it may run now; answers whether one runs."""
        watch = self._watch
        if watch.testing:
            return True
        if not proven_open or watch.pwm or watch.tripped or now < watch.dark_until:
            return False
        self._started_at, self._off_at, self._seen = now, None, False
        self.due_at = now + EVERY_S
        watch.testing, watch.test_failed = True, False
        self._port.test(True)
        return True

    def step(self, now: float) -> None:
        """One turn of a running test."""
        watch = self._watch
        self._seen = self._seen or watch.tripped
        if self._off_at is None and now - self._started_at >= self._figures.test_pulse_s:
            self._port.test(False)
            self._off_at = now
        passed = self._passed(now)
        if passed is not None:
            self._port.test(False)
            watch.testing, watch.test_failed = False, not passed

    def _passed(self, now: float) -> bool | None:
        """None: still running."""
        if not self._seen:
            return False if now - self._started_at >= self._figures.test_trip_s else None
        if self._off_at is None:
            return None
        if not self._watch.tripped:
            return True
        return False if now - self._off_at >= self._figures.test_clear_s else None
