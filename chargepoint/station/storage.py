"""What is done about storage that fails: it is told once, and tried again until it can be written. Must not know what is stored."""

from __future__ import annotations

from chargepoint.clock import Clock
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.store.db import Db

AGAIN_AFTER_S = 10.0


class Storage:
    """Sessions go on meanwhile, in memory (`store.db`)."""

    def __init__(self, clock: Clock, db: Db, security: Security) -> None:
        self._clock = clock
        self._db = db
        self._security = security
        self._told = False
        self._damage_told = False
        self._tried_s = 0.0

    def tick(self) -> None:
        """Each second."""
        if self._db.in_memory and not self._told:
            self._told, self._tried_s = True, self._clock.boot_s()
            self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"nothing can be written to the storage: {self._db.trouble}")
        elif self._db.in_memory and self._clock.boot_s() >= self._tried_s + AGAIN_AFTER_S:
            self._tried_s = self._clock.boot_s()
            self._told = not self._db.heal()
        if self._db.was_corrupt and not self._damage_told:
            self._damage_told = True
            self._security.happened(SecurityEvent.STORE_DAMAGED, "the store was damaged: a new one holds what could be read of it")
