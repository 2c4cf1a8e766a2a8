"""The residual-current monitor's test (IEC 62955), one step a turn. Must not know when it may run: the caller proves the contactor open."""

from __future__ import annotations

from enum import Enum

from hal import ports


class Verdict(Enum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


class ResidualTest:
    """Seconds: pulse_s of the test output; trip_s from its start to the trip; clear_s from its end to the trip's going."""

    __slots__ = ("_clear_s", "_off_at", "_port", "_pulse_s", "_seen", "_started_at", "_trip_s", "running")

    def __init__(self, port: ports.ResidualCurrent, pulse_s: float, trip_s: float, clear_s: float) -> None:
        self._port = port
        self._pulse_s = pulse_s
        self._trip_s = trip_s
        self._clear_s = clear_s
        self._started_at = 0.0
        self._off_at: float | None = None
        self._seen = False
        self.running = False

    def start(self, now: float) -> None:
        """Begins; the trip line must be quiet."""
        self.running = True
        self._started_at = now
        self._off_at = None
        self._seen = False
        self._port.test(True)

    def step(self, now: float, tripped: bool) -> Verdict:
        """One turn of a running test."""
        self._seen = self._seen or tripped
        if self._off_at is None and now - self._started_at >= self._pulse_s:
            self._port.test(False)
            self._off_at = now
        verdict = self._verdict(now, tripped)
        if verdict is not Verdict.RUNNING:
            self._port.test(False)
            self.running = False
        return verdict

    def _verdict(self, now: float, tripped: bool) -> Verdict:
        if not self._seen:
            return Verdict.FAILED if now - self._started_at >= self._trip_s else Verdict.RUNNING
        if self._off_at is None:
            return Verdict.RUNNING
        if not tripped:
            return Verdict.PASSED
        return Verdict.FAILED if now - self._off_at >= self._clear_s else Verdict.RUNNING
