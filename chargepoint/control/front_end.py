"""The pilot's ADC in the turn: a conversion is started in one half turn and read in a later one; nothing waits. Must not know what the volts mean.

A bus that is held blocks a transfer for its timeout: it is tried again only when a pilot that cannot be read has opened everything, so that
the turns go on. An ADC that answers nonsense is tried again at once, and after LOST_S seldom.
"""

from __future__ import annotations

import math

from chargepoint.clock import Clock
from hal.errors import DeviceLost
from hal.ports import Channel, PilotAdc

PROXIMITY_EVERY = 4
"""Turns between two conversions of the proximity contact; the low peak has the others."""
PROXIMITY_EVERY_CLOSED = 16
CALM_ROUND = 8
"""Calm turns in which low peak and proximity contact are converted once each."""
BLOCKED_S = 0.004
BLOCKED_RETRY_S = 0.035
LOST_S = 0.1
RETRY_S = 0.25


class FrontEnd:
    """proximity: whether there is a coded cable to read; convert_s: the longest conversion. ready_at: when the one in hand is done."""

    __slots__ = ("_adc", "_clock", "_convert_s", "_converting", "_good_at", "_proximity", "_retry_at", "_turn", "ready_at")

    def __init__(self, adc: PilotAdc, proximity: bool, clock: Clock, convert_s: float) -> None:
        self._adc = adc
        self._clock = clock
        self._convert_s = convert_s
        self.ready_at = 0.0
        self._proximity = proximity
        self._converting: Channel | None = None
        self._turn = 0
        self._good_at = clock.boot_s()
        self._retry_at = 0.0

    def finish_high(self, now: float) -> float | None:
        """Volts of the high peak; None: not read."""
        return self._finish(now) if self._converting is Channel.HIGH else None

    def finish_other(self, now: float) -> tuple[float | None, float | None]:
        """(volts of the low peak, ohms of the proximity contact): one of them, or neither when it was not read."""
        channel = self._converting
        if channel is None or channel is Channel.HIGH:
            return None, None
        value = self._finish(now)
        return (value, None) if channel is Channel.LOW else (None, value)

    def finish_any(self, now: float) -> tuple[Channel | None, float]:
        """The conversion in hand, whichever it is; None: not read."""
        channel = self._converting
        value = self._finish(now) if channel is not None else None
        return (None, 0.0) if value is None else (channel, value)

    def start_calm(self, now: float) -> None:
        """Starts the next channel of a calm turn: mostly the high peak."""
        self._turn += 1
        place = self._turn % CALM_ROUND
        channel = Channel.LOW if place == 0 else Channel.PROXIMITY if place == CALM_ROUND // 2 and self._proximity else Channel.HIGH
        self._start(channel, now)

    def start_high(self, now: float) -> None:
        """Starts the high peak, unless a transfer was lost in this half turn."""
        self._start(Channel.HIGH, now)

    def start_other(self, now: float, closed: bool, low_first: bool) -> None:
        """Starts the low peak or, in its turn, the proximity contact. closed: current flows; low_first: the low peak is in doubt."""
        self._turn += 1
        every = PROXIMITY_EVERY_CLOSED if closed else PROXIMITY_EVERY
        proximity = self._proximity and not low_first and self._turn % every == 0
        self._start(Channel.PROXIMITY if proximity else Channel.LOW, now)

    def _start(self, channel: Channel, now: float) -> None:
        if now < self._retry_at:
            return
        try:
            self._adc.start(channel)
        except DeviceLost:
            self._lost(now)
        else:
            self._converting = channel
            self.ready_at = self._clock.boot_s() + self._convert_s

    def _finish(self, now: float) -> float | None:
        channel, self._converting = self._converting, None
        try:
            value = self._adc.finish()
        except DeviceLost:
            self._lost(now)
            return None
        if math.isnan(value) or (math.isinf(value) and channel is not Channel.PROXIMITY):
            return None
        self._good_at = now
        return value

    def _lost(self, began: float) -> None:
        now = self._clock.boot_s()
        if now - self._good_at >= LOST_S:
            self._retry_at = now + RETRY_S
        elif now - began >= BLOCKED_S:
            self._retry_at = now + BLOCKED_RETRY_S
