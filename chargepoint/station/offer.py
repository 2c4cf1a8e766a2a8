"""What an EVSE may do now: the permit, the lock and the lamp's wish that follow from its session, and who set the amperes. Must not change sessions.

The permit is renewed only from the station's turn of one second, which has just looked at the row; in between it is sent when it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chargepoint.clock import Clock
from chargepoint.model.connector import blocking
from chargepoint.model.sample import MeterSample, Quality
from chargepoint.model.session import SessionRow, State, awaits_signature
from chargepoint.station.connectors import Connectors
from chargepoint.station.hardware import Hardware
from chargepoint.station.lamps import Lamps
from chargepoint.station.phases import ONE, THREE, Phases
from chargepoint.station.sessions import Sessions
from chargepoint.station.smart_charging import Limit, Limits

START_DELAY = "start delay"
INVALID_TOKEN = "token no longer accepted"
SIGNATURE = "meter signature"
NO_SESSION = ""
Sent = tuple[int, float, float | None, float | None, float | None]
"""Plug-in, limit and comfort's wish; the same for one phase."""


class Meters(Protocol):
    def latest(self, evse: int) -> MeterSample | None: ...


class Offer:
    """not_before: boot clock's time of the first offer after power has returned. phases: who chooses how many are connected; None: control does."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        hardware: Hardware,
        limits: Limits,
        meters: Meters,
        connectors: Connectors,
        lamps: Lamps,
        not_before: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._hardware = hardware
        self._limits = limits
        self._meters = meters
        self._connectors = connectors
        self._lamps = lamps
        self._not_before = not_before
        self.phases: Phases | None = None
        self._sent: dict[int, Sent] = {}
        hardware.on_control.append(self._sent.clear)

    def act(self, evse: int, renew: bool) -> None:
        """Sends what holds now. renew: this is the turn that keeps the permit alive."""
        row = self._sessions.row(evse)
        if row is not None and row.authorized and row.plugged and row.plug_in and row.control_start == self._hardware.start:
            if self.phases is not None:
                self._hardware.phases(self.phases.wish(row))
            self._permit(row, renew)
        elif evse in self._sent:
            self._hardware.withdraw(evse, self._sent.pop(evse)[0])
        self._hardware.lock(evse, row is not None and (row.hold or (row.authorized and row.state is not State.AUTHORIZED)))
        self._lamps.show(evse, row, blocked=blocking(self._connectors.faults(evse)))
        self._connectors.report(evse)

    def limit(self, evse: int, phases: int | None = None) -> Limit:
        """Amperes per phase for the session at an EVSE, and who says so; 0 A and no owner without an authorized session. phases: so many connected
        (None: as many as are)."""
        row = self._sessions.row(evse)
        if row is None or not row.authorized:
            return Limit(0.0, NO_SESSION)
        if row.no_energy and not self._left_of_energy(row):
            return Limit(0.0, INVALID_TOKEN)
        if self._clock.boot_s() < self._not_before():
            return Limit(0.0, START_DELAY)
        if awaits_signature(row):
            return Limit(0.0, SIGNATURE)
        state = self._hardware.state(evse)
        return self._limits.limit(evse, phases or (state.phases if state is not None else None))

    def _permit(self, row: SessionRow, renew: bool) -> None:
        three, one = self.limit(row.evse, THREE).parts, self.limit(row.evse, ONE).parts
        sent: Sent = (row.plug_in, *three, *(one if one != three else (None, None)))
        if renew or self._sent.get(row.evse) != sent:
            self._hardware.permit(row.evse, *sent)
            self._sent[row.evse] = sent

    def _left_of_energy(self, row: SessionRow) -> bool:
        sample = self._meters.latest(row.evse)
        if row.allowed_wh is None or sample is None or sample.quality is not Quality.GOOD or sample.energy_wh is None:
            return False
        return sample.energy_wh < row.allowed_wh
