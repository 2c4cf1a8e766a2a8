"""The residual-current monitor (IEC 62955): leak, trip output, test input, and its hardware path to the coil. Must not know the firmware."""

from __future__ import annotations

from collections.abc import Callable

from sim.plant.timeline import Due, Timeline

THRESHOLD_MA = 6.0
ANSWER_S = 0.05
"""From the test's start to the trip, and from its end to the trip's going."""
HOLD_S = 0.1
"""How long the trip stays after the leak has gone."""
NOISE_EVERY_S = 0.097


class ResidualMonitor:
    """cuts_coil: a trip takes the coil off in hardware. `on_change` is called when the trip output changes."""

    def __init__(self, timeline: Timeline, cuts_coil: bool) -> None:
        self._timeline = timeline
        self._cuts_coil = cuts_coil
        self.leak_ma = 0.0
        self.testing = False
        self.dead = False
        self.stuck_tripped = False
        self.noise_s: float | None = None
        self._noise_from = 0.0
        self._leak_trip = False
        self._test_trip = False
        self._due: dict[str, Due] = {}
        self.tripped = False
        self.on_change: Callable[[], None] = lambda: None

    @property
    def cuts(self) -> bool:
        """Whether the hardware path holds the coil off."""
        return self._cuts_coil and self.tripped

    @property
    def in_test(self) -> bool:
        """Whether a test runs or its trip still shows."""
        return self.testing or self._test_trip

    def test(self, on: bool) -> None:
        """The test input."""
        if on != self.testing:
            self.testing = on
            self._later("test", ANSWER_S, lambda: self._answer(on))

    def leak(self, leak_ma: float) -> None:
        """A residual current begins or ends."""
        self.leak_ma = leak_ma
        if leak_ma >= THRESHOLD_MA:
            self._cancel("leak")
            self._leak_trip = True
        elif self._leak_trip:
            self._later("leak", HOLD_S, self._leak_gone)
        self.settle()

    def noise(self, pulse_s: float | None) -> None:
        """Pulses on the trip line, too short to be a trip."""
        self.noise_s, self._noise_from = pulse_s, self._timeline.now

    def output(self) -> bool:
        """The trip line as the board's input sees it."""
        if self.tripped or self.noise_s is None:
            return self.tripped
        return (self._timeline.now - self._noise_from) % NOISE_EVERY_S < self.noise_s

    def settle(self) -> None:
        tripped = self.stuck_tripped or (not self.dead and (self._leak_trip or self._test_trip))
        if tripped != self.tripped:
            self.tripped = tripped
            self.on_change()

    def _answer(self, on: bool) -> None:
        self._test_trip = on
        self.settle()

    def _leak_gone(self) -> None:
        self._leak_trip = False
        self.settle()

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._cancel(name)
        self._due[name] = self._timeline.after(seconds, call)

    def _cancel(self, name: str) -> None:
        due = self._due.pop(name, None)
        if due is not None:
            due.cancel()
