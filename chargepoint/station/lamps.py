"""What the lamp of an EVSE shows: its session, a fault, or for a moment that a token was refused. Must not know sessions' causes nor lines.

A lamp on plain lines is lit or dark, so of LightIntensity only 0 (dark) differs from the rest; control shows its own faults whatever stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from chargepoint.clock import Clock
from chargepoint.model.session import SessionRow, State

BLINK_S = 0.5
"""One blink of the pattern that tells of a fault."""
REPEAT, INTENSITY = "Ocpp16Ctrlr.BlinkRepeat", "Ocpp16Ctrlr.LightIntensity"
DARK, FAULT, READY, CHARGING, WAITING = "off", "fault", "ready", "charging", "waiting"


class Variables(Protocol):
    """The device model, as far as lamps need it."""

    def integer(self, key: str) -> int: ...


class Lamps:
    """send: the wish of an EVSE's lamp to control. again: called with an EVSE once its blinking is over."""

    def __init__(self, clock: Clock, variables: Variables, send: Callable[[int, str], None]) -> None:
        self.again: Callable[[int], None] = lambda evse: None
        self._clock = clock
        self._variables = variables
        self._send = send
        self._refused_until: dict[int, float] = {}

    def show(self, evse: int, row: SessionRow | None, *, blocked: bool) -> None:
        """What holds now. blocked: a fault keeps everybody from charging here."""
        self._send(evse, self._pattern(evse, row, blocked))

    def refused(self, evses: Iterable[int]) -> None:
        """A token was refused: BlinkRepeat blinks (0: none)."""
        lasts_s = self._variables.integer(REPEAT) * BLINK_S
        for evse in evses if lasts_s > 0 else ():
            self._refused_until[evse] = self._clock.boot_s() + lasts_s
            self._send(evse, FAULT)
            self._clock.call_later(lasts_s, partial(self.again, evse))

    def _pattern(self, evse: int, row: SessionRow | None, blocked: bool) -> str:
        if blocked or self._clock.boot_s() < self._refused_until.get(evse, 0.0):
            return FAULT
        if self._variables.integer(INTENSITY) == 0:
            return DARK
        if row is None or row.state is State.PARKED:
            return READY
        return CHARGING if row.state is State.CHARGING else WAITING
