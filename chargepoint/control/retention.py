"""The plug in the socket: its coding watched, its lock moved as the station wishes within control's bounds. Must not know the driver."""

from __future__ import annotations

from chargepoint.control import faults
from chargepoint.control.cable import Cable
from chargepoint.control.faults import Faults
from chargepoint.control.lock import SocketLock
from chargepoint.control.power_path import PowerPath
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PLUGGED, PilotState


class Retention:
    """wished: the station wants the plug held. socket False: a tethered cable, nothing to watch and nothing to lock."""

    __slots__ = ("_cable", "_faults", "_lock", "_path", "_socket", "_watch", "wished")

    def __init__(self, socket: bool, lock: SocketLock | None, cable: Cable, watch: Watch, path: PowerPath, active: Faults) -> None:
        self._socket = socket
        self._lock = lock
        self._cable = cable
        self._watch = watch
        self._path = path
        self._faults = active
        self.wished = False

    def look(self, now: float) -> None:
        """Keeps the watch's cable worries true."""
        watch = self._watch
        if not self._socket:
            return
        rating_a = watch.cable_a = self._cable.rating_a
        missing = rating_a is None and watch.pilot in PLUGGED
        watch.cable_missing_since = (watch.cable_missing_since or now) if missing else 0.0
        if self._lock is None or not self._lock.feedback or watch.pilot not in PLUGGED:
            watch.cable_held_a = None
        elif watch.cable_held_a is None:
            watch.cable_held_a = rating_a

    def move(self, now: float, permitted: bool, ending: bool) -> None:
        """Locked while wished or permitted and a plug is there; moved only while the contactor is proven open."""
        if self._lock is None:
            return
        wanted = (self.wished or permitted) and self._cable.present and not ending
        known = self._watch.pilot is not PilotState.IMPLAUSIBLE
        self._lock.move(now, wanted, known and self._path.proven_open() and not self._faults.active & faults.WELDED)

    def verified(self, now: float) -> bool:
        """Whether the plug is held, where it has to be."""
        return not self._socket or (self._lock is not None and self._lock.verified(now))

    @property
    def released(self) -> bool:
        """Whether the lock is open as far as it goes."""
        return self._lock is None or self._lock.feedback is False or self._watch.unlock_failed

    @property
    def rests(self) -> bool:
        """Whether nothing is to be moved."""
        return self._lock is None or self._lock.at_rest

    def cable_a(self) -> float | None:
        """The limit by the cable, 0 for one that says nothing; None: tethered."""
        return (self._watch.cable_held_a or self._cable.rating_a or 0.0) if self._socket else None
