"""The lines of one EVSE, read first of all in a turn, before anything slower. Must not know what they lead to."""

from __future__ import annotations

from chargepoint.control.button import Button
from chargepoint.control.lock import SocketLock
from chargepoint.control.phases import Phases
from chargepoint.control.power_path import PowerPath
from chargepoint.control.selftest import Residual
from chargepoint.control.voice import Voice
from chargepoint.control.watch import Watch
from hal.ports import EvseBoard


class Lines:
    """Each part reads its own; those of no part are read here. Keeps the watch's time, emergency and earth true."""

    __slots__ = ("_button", "_earth", "_lock", "_path", "_phases", "_residual", "_watch")

    def __init__(
        self, board: EvseBoard, watch: Watch, voice: Voice, path: PowerPath, phases: Phases, residual: Residual, lock: SocketLock | None
    ) -> None:
        self._earth = board.earth_lost
        self._button = Button(board.button, voice) if board.button is not None else None
        self._watch = watch
        self._path = path
        self._phases = phases
        self._residual = residual
        self._lock = lock

    def read(self, now: float, emergency: bool) -> None:
        """One turn. emergency: the stop is pressed, for all EVSEs."""
        watch = self._watch
        watch.now, watch.emergency = now, emergency
        if self._earth is not None:
            watch.read_earth(self._earth.active())
        if self._button is not None:
            self._button.read(now)
        self._path.read(now)
        self._phases.read()
        self._residual.read()
        if self._lock is not None:
            self._lock.read()
