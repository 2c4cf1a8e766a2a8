"""The contactor: coil, mirror contact, what they prove, and how soon it may close again. Must not know why it is switched."""

from __future__ import annotations

from chargepoint.control import guard
from chargepoint.control.voice import Voice
from chargepoint.control.watch import Watch
from chargepoint.link.messages import EdgeKind
from hal.ports import Contactor

RECLOSE_S = 5.0
"""From an opening to the next closing."""
PROVEN_S = 0.1
TRIP_S = 1.0
"""A shunt trip is made for a pulse; a breaker opens within 20 ms of it."""
STEADY_TURNS = 2


class PowerPath:
    """reclose_at: not closed before. Keeps the watch's coil, mirror and closed true."""

    __slots__ = ("_cause", "_contactor", "_steady", "_trip_until", "_voice", "_watch", "reclose_at")

    def __init__(self, contactor: Contactor, watch: Watch, voice: Voice) -> None:
        self._contactor = contactor
        self._watch = watch
        self._voice = voice
        self._steady = 0
        self._cause = ""
        self._trip_until = 0.0
        self.reclose_at = 0.0

    def read(self, now: float) -> None:
        """Reads the mirror contact; tells CLOSED and OPENED once it has followed the coil for two turns."""
        watch = self._watch
        if 0.0 < self._trip_until <= now:
            self._trip_until = 0.0
            self._contactor.trip_breaker(False)
        watch.read_mirror(self._contactor.mirror_closed())
        if watch.closed is watch.coil or watch.mirror_closed is watch.coil:
            self._steady = 0
            return
        self._steady += 1
        if self._steady < STEADY_TURNS:
            return
        self._steady = 0
        watch.closed = watch.coil
        if watch.closed:
            self._voice.edge(now, EdgeKind.CLOSED)
        else:
            self._voice.edge(now, EdgeKind.OPENED, self._cause)

    def switch(self, on: bool, cause: str, now: float) -> None:
        """Drives the coil. cause: why it opens."""
        watch = self._watch
        self._contactor.switch(on)
        watch.coil, watch.coil_since = on, now
        if not on:
            self._cause = cause
            self.reclose_at = now + RECLOSE_S

    def trip(self, now: float) -> None:
        """The contactor did not open: the breaker before it is to, where the board can release it."""
        self._trip_until = now + TRIP_S
        self._contactor.trip_breaker(True)

    def failed(self) -> str:
        """Says that the coil is on without contacts, and counts it."""
        watch = self._watch
        if not guard.coil_without_contacts(watch):
            return ""
        watch.tries += 1
        return "contactor dropped out" if watch.closed else "contactor did not close"

    def proven_open(self) -> bool:
        """Coil off and every pole proven open for 100 ms."""
        return self._watch.proven_open(PROVEN_S)
