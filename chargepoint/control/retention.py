"""The plug in the socket: its coding watched, its lock moved as the station wishes within control's bounds. Must not know the driver."""

from __future__ import annotations

import math

from chargepoint.control import faults
from chargepoint.control.cable import Cable
from chargepoint.control.faults import Faults
from chargepoint.control.lock import SocketLock
from chargepoint.control.power_path import PowerPath
from chargepoint.control.watch import Watch
from chargepoint.link.messages import Sample
from chargepoint.model.pilot import PLUGGED, PilotState

CARRIES_A = 1.0
"""A phase with more than this is under load."""
FRESH_S = 3.0
"""An older sample says nothing of now."""
DARK_S = 5.0
"""In state F the plug is released only after so long."""
UNHEARD_S = 30.0
"""After the start the bolt stays as it is until the station has said its wish, but no longer than the longest permit would have lasted."""


class Retention:
    """wished: the station wants the plug held; None: it has not said. socket False: a tethered cable, nothing to watch and nothing to lock."""

    __slots__ = ("_cable", "_carried_at", "_faults", "_lock", "_path", "_present", "_seen", "_socket", "_unheard_until", "_watch", "wished")

    def __init__(self, socket: bool, lock: SocketLock | None, cable: Cable, watch: Watch, path: PowerPath, active: Faults) -> None:
        self._socket = socket
        self._lock = lock
        self._cable = cable
        self._watch = watch
        self._path = path
        self._faults = active
        self.wished: bool | None = None
        self._unheard_until = watch.now + UNHEARD_S
        self._carried_at = -FRESH_S
        self._seen = False
        self._present = False

    def start_over(self) -> None:
        """Control looked away: the bolt rests until the pilot has been read."""
        self._seen = False

    def sample(self, sample: Sample, now: float) -> None:
        """The meter's sample; one that is not good, old or from the future says nothing."""
        if sample.good and now - FRESH_S <= sample.at <= now:
            carries = any(amps is not None and CARRIES_A < amps < math.inf for amps in sample.current_a)
            self._carried_at = sample.at if carries else -FRESH_S

    def look(self, now: float) -> None:
        """Keeps the watch's cable worries true."""
        watch = self._watch
        self._seen = self._seen or watch.pilot is not PilotState.IMPLAUSIBLE
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
        """Locked while wished or permitted and a plug is there, as it was found while no wish is known; moved only within the bounds. A plug that
        came or went may have freed a jammed bolt: it is tried anew."""
        if self.wished is None and (permitted or now >= self._unheard_until):
            self.wished = False  # a station that permits has been heard
        if self._lock is None or (self.wished is None and not ending):
            return
        if self._cable.present is not self._present:
            self._present = self._cable.present
            self._lock.again()
        wanted = bool(self.wished or permitted) and self._cable.present and not ending
        dark = not wanted and self._watch.pilot is PilotState.F and now - self._watch.pilot_since < DARK_S
        self._lock.move(now, wanted, not dark and not self.held_by(now))

    def held_by(self, now: float) -> str:
        """Why the bolt must not move, whoever wishes it; nothing when it may."""
        if not self._seen:
            return "the pilot has not been read"
        if self._faults.active & faults.WELDED or not self._path.proven_open():
            return "the contactor is not proven open"
        return "current flows" if now - self._carried_at <= FRESH_S else ""

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
