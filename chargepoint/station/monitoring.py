"""Faults as events of the device model, told without any monitor having been set (2.0.1 part 2, N07, hard-wired notifications).

Must not know how a fault is found. Which faults were told is kept, so that a restart repeats none and forgets no clearing; over a power cut at once
only where what is told of it is: a fault that comes and goes is no write of the disk each time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from chargepoint.clock import Clock
from chargepoint.model.facts import Delivery, Fact, MonitorFact, delivery_of
from chargepoint.model.fault import CATALOGUE, Effect
from chargepoint.store.db import Db
from chargepoint.store.values import Values

KEPT = "monitoring.faults"
SEVERITY = {Effect.OPEN_NOW: 3, Effect.WITHDRAW: 4, Effect.NO_NEXT_CLOSING: 4, Effect.LIMIT: 5, Effect.TELL_ONLY: 6}
"""2.0.1 part 2, 2.46 severity: 3 Critical, 4 Error, 5 Alert, 6 Warning."""
STATION = "ChargingStation"


class Monitoring:
    """append: the outbox."""

    def __init__(self, clock: Clock, db: Db, append: Callable[[Fact], int]) -> None:
        self._clock = clock
        self._db = db
        self._values = Values(db)
        self._append = append
        self._told: dict[int, list[str]] = self._values.get(KEPT, dict[int, list[str]]) or {}

    def faults(self, evse: int, names: Collection[str]) -> None:
        """The faults that hold at an EVSE now; what has come or gone since the last call is written down."""
        before, now = set(self._told.get(evse, ())), set(names)
        if before == now:
            return
        events = [self._event(evse, name, present=name in now) for name in (*sorted(now - before), *sorted(before - now))]
        with self._db.transaction(durable=any(delivery_of(event) is Delivery.GUARANTEED for event in events)):
            for event in events:
                self._append(event)
            told = {**self._told, evse: sorted(now)}
            self._values.set(KEPT, told)
        self._told = told

    def _event(self, evse: int, name: str, *, present: bool) -> MonitorFact:
        kind = CATALOGUE[name]
        return MonitorFact(
            component=kind.component,
            variable="Problem",
            value="true" if present else "false",
            at=self._clock.stamp(),
            severity=SEVERITY[kind.effect],
            evse=None if kind.component == STATION else evse,
            tech_code=kind.mrec,
            tech_info=f"{name}: {kind.sentence}",
            cleared=not present,
        )
