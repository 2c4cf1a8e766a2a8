"""One phase or three: what the limits are enough for, and whether this car may be given others than it has drawn on. Must not know contactors.

Control has the last word: it moves the contactor within bounds of its own. A change is written down before it is wished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from chargepoint.clock import Clock
from chargepoint.link.messages import PhaseWish
from chargepoint.model.session import SessionRow
from chargepoint.model.vehicle import Vehicle
from chargepoint.settings import Evse
from chargepoint.station.sessions import Sessions
from chargepoint.station.smart_charging import Limits

log = logging.getLogger(__name__)

MINIMUM_A = 6.0
"""IEC 61851-1 Table A.7: the least current a duty can offer."""
UP_FROM_A = 6.5
"""Three phases come back only with so much more, so that a limit at the edge does not flap."""
DOWN_AFTER_S, UP_AFTER_S = 30.0, 600.0
"""A limit has to ask for other phases for so long before a car that has drawn gets them."""
MOST_SWITCHES = 4
"""In one session."""
ONE, THREE = 1, 3


class Phases:
    """vehicle: the car of a session."""

    def __init__(self, clock: Clock, evses: Sequence[Evse], sessions: Sessions, limits: Limits, vehicle: Callable[[SessionRow], Vehicle]) -> None:
        self._clock = clock
        self._evses = {evse.id: evse for evse in evses}
        self._sessions = sessions
        self._limits = limits
        self._vehicle = vehicle
        self._asked: dict[int, float] = {}

    def wish(self, row: SessionRow) -> PhaseWish:
        """What control is to connect for a session."""
        evse = self._evses[row.evse]
        if not evse.phase_switching:
            return PhaseWish(row.evse, evse.phases)
        wanted = self._wanted(row)
        if not row.charged:
            self._keep(row, wanted, row.phase_switches)
        elif wanted == row.phases:
            self._asked.pop(row.evse, None)
        elif self._may_change(row, wanted):
            log.info("EVSE %d: from %d to %d phases, change %d of this session", row.evse, row.phases, wanted, row.phase_switches + 1)
            self._keep(row, wanted, row.phase_switches + 1)
        return PhaseWish(row.evse, row.phases, self._vehicle(row).phase_switching)

    def _wanted(self, row: SessionRow) -> int:
        """One phase only where it helps: the limit is too low for three and enough for one."""
        three_a = self._limits.limit(row.evse, THREE).limit_a
        enough_a = UP_FROM_A if row.charged and row.phases == ONE else MINIMUM_A
        return ONE if three_a < enough_a and self._limits.limit(row.evse, ONE).limit_a >= MINIMUM_A else THREE

    def _may_change(self, row: SessionRow, wanted: int) -> bool:
        now = self._clock.boot_s()
        since = self._asked.setdefault(row.evse, now)
        allowed = self._vehicle(row).phase_switching and row.phase_switches < MOST_SWITCHES
        return allowed and now - since >= (UP_AFTER_S if wanted == THREE else DOWN_AFTER_S)

    def _keep(self, row: SessionRow, phases: int, switches: int) -> None:
        self._asked.pop(row.evse, None)
        if (row.phases, row.phase_switches) != (phases, switches):
            with self._sessions.writing(row):
                row.phases, row.phase_switches = phases, switches
